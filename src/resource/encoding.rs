//! Percent-encoding of identifiers: decoded once, strictly, and written in one way.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::Refusal;

/// RFC 3986 unreserved characters and the colon of ARKs and handles stay as they are.
const SEGMENT: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':');
const PATH: &AsciiSet = &SEGMENT.remove(b'/');

/// An identifier as it stands in a URI: in one segment, or over several.
pub(super) fn encode(identifier: &str, one_segment: bool) -> String {
    utf8_percent_encode(identifier, if one_segment { SEGMENT } else { PATH }).to_string()
}

/// No known shape has as many segments.
const MOST_SEGMENTS: usize = 6;

/// The segments of a path of a known shape, told in one pass.
pub(super) struct Segments<'p> {
    first: [Option<&'p str>; MOST_SEGMENTS],
    /// Whether [`decode`] would find nothing to decode and nothing to refuse in any of them, as in
    /// nearly every path.
    plain: bool,
    path_parameters: bool,
}

impl<'p> Segments<'p> {
    pub(super) fn of(path: &'p str, path_parameters: bool) -> Self {
        let mut segments =
            Self { first: [None; MOST_SEGMENTS], plain: is_plain(path), path_parameters };
        let mut rest = path;
        for place in &mut segments.first {
            let end = rest.bytes().position(|byte| byte == b'/');
            let segment = &rest[..end.unwrap_or(rest.len())];
            segments.plain &= !is_dot_or_empty(segment);
            *place = Some(segment);
            let Some(end) = end else { return segments };
            rest = &rest[end + 1..];
        }
        // Of no known shape: it is looked at as a whole.
        segments.plain = false;
        segments
    }

    /// The first ones.
    pub(super) fn first(&self) -> [Option<&'p str>; MOST_SEGMENTS] {
        self.first
    }

    /// One of them decoded, see [`decode`].
    pub(super) fn decode(&self, segment: &'p str) -> Result<Cow<'p, str>, Refusal> {
        if self.plain { Ok(Cow::Borrowed(segment)) } else { decode(segment, self.path_parameters) }
    }

    /// Whether some byte needs a closer look.
    pub(super) fn are_plain(&self) -> bool {
        self.plain
    }
}

/// Whether all bytes of a path mean themselves to every server. Without `&`, see
/// [`ImageApi`](super::ImageApi). It looks at all of them, so that it can look at many at once.
fn is_plain(path: &str) -> bool {
    let special = |byte: u8| {
        u8::from(byte <= b' ')
            | u8::from(byte >= 0x7f)
            | u8::from(byte == b'%')
            | u8::from(byte == b'&')
            | u8::from(byte == b';')
            | u8::from(byte == b'\\')
    };
    path.bytes().fold(0, |found, byte| found | special(byte)) == 0
}

/// Decodes a path segment once.
///
/// # Errors
///
/// [`Refusal::Ambiguous`] for what servers are known to read in different ways: dot segments also
/// when encoded, control characters, backslashes, bytes that are no UTF-8, broken escapes, escapes
/// that are still there after decoding, and (unless they are allowed) path parameters.
pub(super) fn decode(segment: &str, path_parameters: bool) -> Result<Cow<'_, str>, Refusal> {
    if !path_parameters && memchr::memchr(b';', segment.as_bytes()).is_some() {
        return Err(Refusal::Ambiguous);
    }
    let decoded = if memchr::memchr(b'%', segment.as_bytes()).is_some() {
        if has_broken_escape(segment) {
            return Err(Refusal::Ambiguous);
        }
        percent_decode_str(segment).decode_utf8().map_err(|_| Refusal::Ambiguous)?
    } else {
        Cow::Borrowed(segment)
    };
    let strange = |b: u8| b.is_ascii_control() || b == b'\\';
    if decoded.bytes().any(strange)
        || has_escape(&decoded)
        || decoded.split('/').any(is_dot_or_empty)
    {
        return Err(Refusal::Ambiguous);
    }
    Ok(decoded)
}

/// Whether a part of a path steps aside or nowhere, also for servers that drop what follows a `;`:
/// they read `..;x` as `..`.
fn is_dot_or_empty(part: &str) -> bool {
    match part.as_bytes() {
        [] | [b'.' | b';', ..] => matches!(without_parameters(part), "" | "." | ".."),
        _ => false,
    }
}

/// A segment of a path as servers see it that drop path parameters.
pub(crate) fn without_parameters(segment: &str) -> &str {
    segment.split(';').next().unwrap_or_default()
}

/// Whether servers disagree on what this path names, wherever it lies.
pub(crate) fn ambiguous_path(path: &str) -> bool {
    if path == "/" {
        return false;
    }
    ambiguous_segments(path.strip_prefix('/').unwrap_or(path))
}

/// The same for the part of a path below a base.
pub(super) fn ambiguous_segments(path: &str) -> bool {
    // One slash at the end is common (`/docs/`); any other empty segment is not.
    let path = path.strip_suffix('/').unwrap_or(path);
    path.split('/').any(|segment| decode(segment, true).is_err())
}

fn has_broken_escape(segment: &str) -> bool {
    let bytes = segment.as_bytes();
    memchr::memchr_iter(b'%', bytes).any(|at| !is_escape(bytes, at))
}

fn has_escape(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'%', bytes).any(|at| is_escape(bytes, at))
}

fn is_escape(bytes: &[u8], at: usize) -> bool {
    bytes.get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_is_strict() {
        for (segment, expected) in [
            ("page1", Some("page1")),
            ("dir%2Fsec", Some("dir/sec")),
            ("ark:%2F12345%2Fx", Some("ark:/12345/x")),
            ("a%20b", Some("a b")),
            ("100%25", Some("100%")),
            ("b%C3%BCcher", Some("bücher")),
            ("a%3Bb", Some("a;b")),
            ("a;b", None),
            ("", None),
            (".", None),
            ("..", None),
            ("%2e%2E", None),
            ("pub%2f..%2fsec", None),
            ("%2Fsec", None),
            ("sec%2F", None),
            ("dir%252Fsec", None),
            ("a%5Cb", None),
            ("a\\b", None),
            ("a%00b", None),
            ("a%0Ab", None),
            ("a%ffb", None),
            ("a%c0%afb", None),
            ("a%", None),
            ("a%4", None),
            ("a%zz", None),
        ] {
            assert_eq!(decode(segment, false).ok().as_deref(), expected, "{segment}");
        }
        assert_eq!(decode("a;2", true).unwrap(), "a;2");
        for segment in ["..;", ".;x", ";", ";x", "%2e%2e;x", "a%2F..;%2Fb"] {
            assert!(decode(segment, true).is_err(), "{segment}");
        }
    }

    /// The short way says what the long way says.
    #[test]
    fn plain_segments_are_those_that_decode_to_themselves() {
        let mut paths: Vec<String> = [
            "",
            "/",
            "a/b",
            "a//b",
            "a/",
            "./a",
            "a/..",
            "...",
            "a/.b",
            "1/2/3/4/5/6/7/..",
            "a/b/c/d/e/f/g",
        ]
        .map(str::to_owned)
        .into();
        paths.extend((0..=0x7f_u8).map(|byte| format!("a{}b/c", char::from(byte))));
        paths.push("é".to_owned());
        for path in paths {
            let segments = Segments::of(&path, false);
            let shown: Vec<_> = segments.first().into_iter().flatten().collect();
            assert_eq!(shown, path.split('/').take(6).collect::<Vec<_>>(), "{path}");
            let same = path.split('/').all(|s| decode(s, false).is_ok_and(|own| own == s));
            let harmless =
                same && path.bytes().all(|b| b.is_ascii_graphic() && b != b'%' && b != b'&');
            let few = path.split('/').count() <= 6;
            assert_eq!(segments.are_plain(), harmless && few, "{path:?}");
        }
    }

    #[test]
    fn one_spelling_is_written() {
        for identifier in ["page1", "dir/sec", "a b", "se\"c</script>%/", "bücher", "a;b"] {
            let encoded = encode(identifier, true);
            assert!(!encoded.contains(['/', '"', '<', ';', ' ']), "{encoded}");
            if identifier != "se\"c</script>%/" {
                assert_eq!(decode(&encoded, false).unwrap(), identifier);
            }
        }
        assert_eq!(encode("a/b c", false), "a/b%20c");
    }

    #[test]
    fn paths_that_servers_read_differently() {
        for path in ["//a", "/a//b", "/a/../b", "/a/%2e%2e/b", "/.%2E/", "/a\\b", "/a%00"] {
            assert!(ambiguous_path(path), "{path}");
        }
        for path in ["/", "/a", "/a/", "/a/b;c", "/a%20b", "*", ""] {
            assert!(!ambiguous_path(path) || path.is_empty(), "{path}");
        }
    }
}
