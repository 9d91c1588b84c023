//! Escaping, so that no value can leave the place it was put in.

use std::borrow::Cow;

use serde::Serialize;

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

/// Appends a value as JSON for a `<script>` element: the characters that end an element, open a comment or
/// end a line of script stand only inside strings, where their escapes mean the same.
pub(crate) fn json_for_script(page: &mut Vec<u8>, value: &impl Serialize) {
    let start = page.len();
    serde_json::to_writer(&mut *page, value).expect("strings and maps with text keys are JSON");
    if !may_have_special(&page[start..]) {
        return;
    }
    let json = String::from_utf8(page.split_off(start)).expect("JSON is text");
    for character in json.chars() {
        match character {
            '<' => page.extend_from_slice(b"\\u003c"),
            '>' => page.extend_from_slice(b"\\u003e"),
            '&' => page.extend_from_slice(b"\\u0026"),
            '\'' => page.extend_from_slice(b"\\u0027"),
            '\u{2028}' => page.extend_from_slice(b"\\u2028"),
            '\u{2029}' => page.extend_from_slice(b"\\u2029"),
            other => page.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// It looks at every byte in any case, and without a branch, so that it can look at many at once.
fn may_have_special(json: &[u8]) -> bool {
    let special = |byte: u8| {
        u8::from(byte == b'<')
            | u8::from(byte == b'>')
            | u8::from(byte == b'&')
            | u8::from(byte == b'\'')
            // U+2028 and U+2029 begin with it.
            | u8::from(byte == 0xe2)
    };
    json.iter().fold(0, |found, byte| found | special(*byte)) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_out() {
        assert_eq!(html("<a href='x'>\"&"), "&lt;a href=&#39;x&#39;&gt;&quot;&amp;");
        assert_eq!(html("plain"), "plain");
        let hostile = "</script><!--\u{2028}\u{2029}‒é&'\"\\";
        let mut escaped = Vec::new();
        json_for_script(&mut escaped, &hostile);
        let escaped = String::from_utf8(escaped).unwrap();
        assert!(!escaped.contains(['<', '>', '&', '\'', '\u{2028}', '\u{2029}']));
        assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), hostile);
    }
}
