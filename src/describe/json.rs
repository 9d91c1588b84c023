//! JSON as browsers read it: where each value of a text begins and ends, and nothing is copied.
//!
//! `response.json()` decodes the bytes as UTF-8, with replacement characters and without a byte order
//! mark, and of two members of one name the later counts (ECMA-262, `JSON.parse`). It knows no depth
//! that is too deep and no number that is too large, and an escape may be half of a surrogate pair. What
//! a viewer can read is read here, to the same end.

use std::borrow::Cow;
use std::iter;
use std::ops::Range;

use bytes::Bytes;

use super::scan;
use super::values::{Place, Span, Unread};
use crate::body::Share;

/// The text of a body, as browsers decode it (WHATWG Encoding, "UTF-8 decode").
pub(crate) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    // Which is many times quicker where nothing is to be replaced.
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// The same of bytes that are kept.
pub(super) fn decoded(bytes: Bytes) -> Bytes {
    let marked = bytes.starts_with(b"\xef\xbb\xbf");
    match decode(&bytes) {
        Cow::Owned(text) => text.into(),
        Cow::Borrowed(_) if marked => bytes.slice(3..),
        Cow::Borrowed(_) => bytes,
    }
}

/// A text of JSON and the places of its values.
#[derive(Debug)]
pub(super) struct Json<'a> {
    text: &'a str,
    /// Each before what is in it, in the order of the text.
    values: Vec<Place>,
}

/// The places of a text that is elsewhere.
pub(super) struct Places(Vec<Place>);

/// One value of a [`Json`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Node(usize);

impl Node {
    /// The document as a whole.
    pub(super) const TOP: Self = Self(0);
}

impl<'a> Json<'a> {
    /// `None` for what `JSON.parse` does not read.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        scan::values(text, None).ok().map(|values| Self { text, values })
    }

    /// The same, where the places use a share.
    pub(super) fn parse_within(text: &'a str, share: &mut Share) -> Result<Self, Unread> {
        scan::values(text, Some(share)).map(|values| Self { text, values })
    }

    /// The places, without the text.
    pub(super) fn into_places(self) -> Places {
        Places(self.values)
    }

    /// The text that was read before.
    pub(super) fn attach(text: &'a str, Places(values): Places) -> Self {
        Self { text, values }
    }

    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    pub(super) fn node(&self, index: usize) -> Option<Node> {
        (index < self.values.len()).then_some(Node(index))
    }

    /// The index of the first value that is not in this one.
    pub(super) fn behind(&self, node: Node) -> usize {
        self.values[node.0].next as usize
    }

    pub(super) fn range(&self, node: Node) -> Range<usize> {
        let own = self.values[node.0].own;
        own.start()..own.end()
    }

    /// To the byte.
    pub(super) fn raw(&self, node: Node) -> &'a str {
        &self.text[self.range(node)]
    }

    pub(super) fn is_object(&self, node: Node) -> bool {
        self.first(node) == b'{'
    }

    pub(super) fn is_array(&self, node: Node) -> bool {
        self.first(node) == b'['
    }

    pub(super) fn is_null(&self, node: Node) -> bool {
        self.first(node) == b'n'
    }

    fn first(&self, node: Node) -> u8 {
        self.text.as_bytes()[self.values[node.0].own.start()]
    }

    /// What stands directly in an object or an array.
    pub(super) fn children(&self, node: Node) -> impl Iterator<Item = Node> {
        self.siblings(node.0 + 1..self.behind(node))
    }

    /// The values that stand side by side in a part of the list.
    #[inline]
    fn siblings(&self, within: Range<usize>) -> impl Iterator<Item = Node> + Clone {
        let mut at = within.start;
        iter::from_fn(move || {
            let child = (at < within.end).then_some(Node(at))?;
            at = self.behind(child);
            Some(child)
        })
    }

    /// The values of an array, or the one value that there is.
    pub(super) fn list(&self, node: Node) -> Vec<Node> {
        self.items(node).collect()
    }

    /// The same one by one.
    pub(super) fn items(&self, node: Node) -> impl Iterator<Item = Node> + Clone {
        let alone = (!self.is_array(node)).then_some(node);
        let within = if alone.is_none() { node.0 + 1..self.behind(node) } else { 0..0 };
        alone.into_iter().chain(self.siblings(within))
    }

    /// The name of a member; `None` for what is no member of an object.
    pub(super) fn name(&self, node: Node) -> Option<Cow<'a, str>> {
        let name = self.values[node.0].name;
        (name.length() > 0).then(|| read(self.text, name))
    }

    /// The member of an object that counts: the last of its name.
    pub(super) fn get(&self, object: Node, name: &str) -> Option<Node> {
        if !self.is_object(object) {
            return None;
        }
        let within = &self.values[..self.behind(object)];
        let (mut at, mut found) = (object.0 + 1, None);
        while let Some(Place { name: own, next, .. }) = within.get(at) {
            // The length of a name tells most others apart, and costs no call.
            let may_be = own.is_escaped() || own.length() == name.len() + 2;
            if may_be && is(self.text, *own, name) {
                found = Some(Node(at));
            }
            at = *next as usize;
        }
        found
    }

    /// What a string says.
    pub(super) fn string(&self, node: Node) -> Option<Cow<'a, str>> {
        (self.first(node) == b'"').then(|| read(self.text, self.values[node.0].own))
    }

    pub(super) fn is_text(&self, node: Node, text: &str) -> bool {
        self.first(node) == b'"' && is(self.text, self.values[node.0].own, text)
    }
}

/// Whether a string says this.
fn is(text: &str, own: Span, wanted: &str) -> bool {
    if own.is_escaped() {
        return unescaped(&text[own.start()..own.end()]) == wanted;
    }
    own.length() == wanted.len() + 2
        && text.as_bytes()[own.start() + 1..].starts_with(wanted.as_bytes())
}

/// What a string says.
fn read(text: &str, own: Span) -> Cow<'_, str> {
    let quoted = &text[own.start()..own.end()];
    if own.is_escaped() { unescaped(quoted).into() } else { quoted[1..quoted.len() - 1].into() }
}

/// What a string says that is known to be one. Half of a surrogate pair becomes what it becomes in a
/// request: a replacement character.
fn unescaped(quoted: &str) -> String {
    let inner = &quoted[1..quoted.len() - 1];
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((before, escape)) = rest.split_once('\\') {
        text.push_str(before);
        let (own, behind) = escape.split_at(1);
        rest = behind;
        text.push(match own {
            "b" => '\u{8}',
            "f" => '\u{c}',
            "n" => '\n',
            "r" => '\r',
            "t" => '\t',
            "u" => {
                let (unit, behind) = code_unit(rest);
                let low = behind.strip_prefix("\\u").map(code_unit);
                let pair = low.and_then(|(low, behind)| {
                    let mut pair = char::decode_utf16([unit, low]);
                    match (pair.next(), pair.next()) {
                        (Some(Ok(char)), None) => Some((char, behind)),
                        _ => None,
                    }
                });
                let alone = char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER);
                let (char, behind) = pair.unwrap_or((alone, behind));
                rest = behind;
                char
            }
            other => other.chars().next().unwrap_or_default(),
        });
    }
    text.push_str(rest);
    text
}

/// Four hexadecimal digits, and what stands behind them.
fn code_unit(text: &str) -> (u16, &str) {
    let (digits, behind) = text.split_at_checked(4).unwrap_or((text, ""));
    (u16::from_str_radix(digits, 16).unwrap_or(0xfffd), behind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::de::IgnoredAny;
    use serde_json::value::RawValue;

    const TOKENS: [&str; 17] = [
        "[",
        "[",
        "]",
        "]",
        "{",
        "}",
        ",",
        ",",
        ":",
        "\"a\":",
        "\"of more than eight\":",
        "\"b\\n\"",
        " ",
        "\n",
        "17",
        "-0.5e3",
        "null",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]

        /// DS-03: what is read, and where its values stand, is what another reader finds.
        #[test]
        fn as_another_reader_does(tokens in prop::collection::vec(0..TOKENS.len(), 0..16)) {
            let text: String = tokens.into_iter().map(|token| TOKENS[token]).collect();
            for text in [text.clone(), format!("[{text}]"), format!("{{{text}}}")] {
                let json = Json::parse(&text);
                let other = serde_json::from_str::<IgnoredAny>(&text);
                prop_assert_eq!(json.is_some(), other.is_ok(), "{}", text);
                let Some(json) = json else { continue };
                for node in (0..).map_while(|index| json.node(index)) {
                    let raw = json.raw(node);
                    prop_assert!(serde_json::from_str::<IgnoredAny>(raw).is_ok(), "{} {}", text, raw);
                    if json.is_array(node) {
                        let own: Vec<_> = json.children(node).map(|own| json.raw(own)).collect();
                        let other: Vec<&RawValue> = serde_json::from_str(raw).unwrap();
                        let other: Vec<_> = other.into_iter().map(RawValue::get).collect();
                        prop_assert_eq!(own, other);
                    }
                }
            }
        }
    }

    /// DS-03: what is JSON for browsers, and what is not.
    #[test]
    fn what_is_read() {
        for json in [
            "1",
            "-0",
            "-0.5e+07",
            "1e999",
            "0",
            "\"\"",
            "null",
            "[]",
            "{}",
            " [ 1 , [ ] , { } ] ",
            "\t{\"a\" : {\"b\":[true,false,null]}, \"a\":2}\r\n",
            r#""\ud800\uDC00\udfff\/""#,
            "\"\u{2028}\u{7f}é\"",
            r#"{"\ud800":1}"#,
        ] {
            assert!(Json::parse(json).is_some(), "{json}");
        }
        for json in [
            "",
            " ",
            "[",
            "]",
            "{",
            "[1,]",
            "[,1]",
            "[1 2]",
            "{\"a\":1,}",
            "{a:1}",
            "{'a':1}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1}}",
            "01",
            "1.",
            ".5",
            "+1",
            "1e",
            "-",
            "NaN",
            "nul",
            "True",
            "\"",
            "\"\\\"",
            "\"\\x41\"",
            "\"\\u12g4\"",
            "\"\\u12\"",
            "\"a\nb\"",
            "\"\0\"",
            "[1]x",
            "\u{feff}1",
            "\u{a0}1",
            "/**/1",
            "{\"a\":1 \"b\":2}",
            "[}",
            "{]",
        ] {
            assert!(Json::parse(json).is_none(), "{json}");
            assert!(serde_json::from_str::<serde_json::Value>(json).is_err(), "{json}");
        }
        let deep = format!("{}1{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
        assert!(Json::parse(&deep).is_some());
    }

    #[test]
    fn places_names_and_strings() {
        let text =
            r#" {"a":[1,{"b":"x"}],"\u0061":"\ud83d\uDE00\ud800\"\\\/\n!\udc00\ud800\u0041"} "#;
        let json = Json::parse(text).unwrap();
        let top = Node::TOP;
        assert_eq!(json.raw(top), text.trim());
        let members: Vec<_> = json.children(top).collect();
        assert_eq!(members.len(), 2);
        assert_eq!(json.raw(members[0]), r#"[1,{"b":"x"}]"#);
        // The later of two counts, however it is written.
        assert_eq!(json.get(top, "a"), Some(members[1]));
        assert_eq!(json.string(members[1]).unwrap(), "😀\u{fffd}\"\\/\n!\u{fffd}\u{fffd}A");
        let below: Vec<_> = json.children(members[0]).collect();
        assert_eq!((below.len(), json.name(below[0])), (2, None));
        assert!(json.is_text(json.get(below[1], "b").unwrap(), "x"));
        assert_eq!((json.get(below[0], "b"), json.get(members[0], "b")), (None, None));
    }

    /// DS-03: byte order mark, Latin-1, cut characters.
    #[test]
    fn bytes_are_forgiven_as_in_browsers() {
        for (bytes, text) in [
            (&b"\xef\xbb\xbf{}"[..], "{}"),
            (b"\xef\xbb\xbf\xef\xbb\xbf{}", "\u{feff}{}"),
            (b"Biblioth\xe8que", "Biblioth\u{fffd}que"),
            (b"\xf0\x9f\x98!", "\u{fffd}!"),
            (b"\xed\xa0\x80", "\u{fffd}\u{fffd}\u{fffd}"),
            (b"\xc0\xaf", "\u{fffd}\u{fffd}"),
            (b"\xff\xfe{\0", "\u{fffd}\u{fffd}{\0"),
        ] {
            assert_eq!(decode(bytes), text, "{bytes:?}");
        }
    }
}
