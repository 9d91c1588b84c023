//! Escaping, so that no value can leave the place it was put in.

use std::borrow::Cow;

/// Text for HTML content and quoted attributes.
pub(crate) fn html(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| matches!(byte, b'&' | b'<' | b'>' | b'"' | b'\'')) {
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

/// Appends JSON for a `<script>` element: the characters that end an element, open a comment or end a line
/// of script stand only inside strings, where their escapes mean the same.
pub(crate) fn json_for_script(escaped: &mut String, json: &str) {
    // U+2028 and U+2029 begin with E2.
    let special = |byte: u8| matches!(byte, b'<' | b'>' | b'&' | b'\'' | 0xe2);
    // Nearly all texts have none: to look at every byte in any case lets many be looked at at once.
    if json.bytes().fold(0, |found, byte| found | u8::from(special(byte))) == 0 {
        escaped.push_str(json);
        return;
    }
    let mut rest = json;
    while let Some(at) = rest.bytes().position(special) {
        escaped.push_str(&rest[..at]);
        let character = rest[at..].chars().next().expect("a byte is there");
        match character {
            '<' => escaped.push_str("\\u003c"),
            '>' => escaped.push_str("\\u003e"),
            '&' => escaped.push_str("\\u0026"),
            '\'' => escaped.push_str("\\u0027"),
            '\u{2028}' => escaped.push_str("\\u2028"),
            '\u{2029}' => escaped.push_str("\\u2029"),
            other => escaped.push(other),
        }
        rest = &rest[at + character.len_utf8()..];
    }
    escaped.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_out() {
        assert_eq!(html("<a href='x'>\"&"), "&lt;a href=&#39;x&#39;&gt;&quot;&amp;");
        assert_eq!(html("plain"), "plain");
        let hostile = "</script><!--\u{2028}\u{2029}‒é&'\"\\";
        let json = serde_json::to_string(hostile).unwrap();
        let mut escaped = String::new();
        json_for_script(&mut escaped, &json);
        assert!(!escaped.contains(['<', '>', '&', '\'', '\u{2028}', '\u{2029}']));
        assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), hostile);
    }
}
