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

/// A path of which [`decode`] would find nothing to decode and nothing to refuse in any segment, and
/// which no server is known to read differently: nearly every path is one, and one look tells.
pub(super) struct Plain<'p> {
    pub(super) first: &'p str,
    /// What stands behind the first segment and its slash.
    pub(super) rest: &'p str,
    pub(super) slashes: usize,
    /// Whether there is a dot in the last segment.
    pub(super) has_suffix: bool,
}

impl<'p> Plain<'p> {
    pub(super) fn of(path: &'p str) -> Option<Self> {
        let (mut slashes, mut first, mut begin, mut has_suffix) = (0, path.len(), 0, false);
        let (bytes, mut at) = (path.as_bytes(), 0);
        while at < bytes.len() {
            if IS_PLAIN[usize::from(bytes[at])] {
                at += 1;
                continue;
            }
            match bytes[at] {
                // An empty segment needs a closer look, and one that begins with a dot or a special byte.
                _ if at == begin => return None,
                b'/' => {
                    first = first.min(at);
                    slashes += 1;
                    begin = at + 1;
                    has_suffix = false;
                }
                b'.' => has_suffix = true,
                _ => return None,
            }
            at += 1;
        }
        let rest = path.get(first + 1..).unwrap_or_default();
        (begin < path.len()).then(|| Self { first: &path[..first], rest, slashes, has_suffix })
    }
}

/// The bytes that mean themselves. All others need a closer look, also `&`, see
/// [`ImageApi`](super::ImageApi).
static IS_PLAIN: [bool; 256] = {
    let mut is_plain = [false; 256];
    let mut byte = b'!';
    while byte < 0x7f {
        is_plain[byte as usize] = !matches!(byte, b'/' | b'.' | b'%' | b'&' | b';' | b'\\');
        byte += 1;
    }
    is_plain
};

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
    fn plain_paths_decode_to_themselves() {
        let mut paths: Vec<String> = [
            "",
            "/",
            "a",
            "a/b",
            "a//b",
            "a/",
            "/a",
            "./a",
            "a/..",
            "...",
            "a/.b",
            "a./b",
            "a..b",
            "1/2/3/4/5/6/7/..",
            "a/b/c/d/e/f/g",
        ]
        .map(str::to_owned)
        .into();
        paths.extend((0..=0x7f_u8).map(|byte| format!("a{}b/c", char::from(byte))));
        paths.push("é".to_owned());
        for path in paths {
            let itself = |segment| decode(segment, false).is_ok_and(|own| own == segment);
            let harmless = path.split('/').all(itself)
                && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'%' && byte != b'&');
            let hidden = path.split('/').any(|segment| segment.starts_with('.'));
            let plain = Plain::of(&path);
            assert_eq!(plain.is_some(), harmless && !hidden, "{path:?}");
            if let Some(Plain { first, rest, slashes, has_suffix }) = plain {
                let (own, behind) = path.split_once('/').unwrap_or((&path, ""));
                assert_eq!((first, rest), (own, behind), "{path:?}");
                assert_eq!(slashes, path.matches('/').count(), "{path:?}");
                let last = path.rsplit('/').next().unwrap_or_default();
                assert_eq!(has_suffix, last.contains('.'), "{path:?}");
            }
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
        for path in ["", "//a", "/a//b", "/a/../b", "/a/%2e%2e/b", "/.%2E/", "/a\\b", "/a%00"] {
            assert!(ambiguous_path(path), "{path}");
        }
        for path in ["/", "/a", "/a/", "/a/b;c", "/a%20b", "*"] {
            assert!(!ambiguous_path(path), "{path}");
        }
    }
}
