//! Escaping, so that no value can leave the place it was put in.

use std::borrow::Cow;

/// Text for HTML content and quoted attributes.
pub(crate) fn html(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    Cow::Owned(escaped)
}

/// JSON for a `<script>` element: the characters that end an element, open a comment or end a line
/// of script stand only inside strings, where their escapes mean the same.
pub(crate) fn json_for_script(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len() + 32);
    for character in json.chars() {
        match character {
            '<' => escaped.push_str("\\u003c"),
            '>' => escaped.push_str("\\u003e"),
            '&' => escaped.push_str("\\u0026"),
            '\'' => escaped.push_str("\\u0027"),
            '\u{2028}' => escaped.push_str("\\u2028"),
            '\u{2029}' => escaped.push_str("\\u2029"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_out() {
        assert_eq!(html("<a href='x'>\"&"), "&lt;a href=&#39;x&#39;&gt;&quot;&amp;");
        assert_eq!(html("plain"), "plain");
        let hostile = "</script><!--\u{2028}&'\"\\";
        let json = serde_json::to_string(hostile).unwrap();
        let escaped = json_for_script(&json);
        assert!(!escaped.contains(['<', '>', '&', '\'', '\u{2028}']));
        assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), hostile);
    }
}
