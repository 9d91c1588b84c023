//! Percent-encoding of identifiers: decoded once, strictly, and written in one way.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::Refusal;

/// RFC 3986 unreserved characters and the colon of ARKs and handles stay as they are.
const SEGMENT: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':');
const PATH: &AsciiSet = &SEGMENT.remove(b'/');

/// An identifier as it stands in a URI, in one segment or over several, behind what is there already.
pub(super) fn encode_into(written: &mut String, identifier: &str, one_segment: bool) {
    let set = if one_segment { SEGMENT } else { PATH };
    written.extend(utf8_percent_encode(identifier, set));
}

/// The parts of an image request as they stand in a URI.
pub(super) fn encode_image(parts: &str) -> String {
    const IMAGE: &AsciiSet = &PATH.remove(b',').remove(b'!');
    utf8_percent_encode(parts, IMAGE).to_string()
}

/// A URL, encoded as a whole. What need not be escaped stays, as nearly everybody leaves it.
pub(super) fn encode_url(url: &str) -> String {
    const URL: &AsciiSet = &SEGMENT
        .add(b':')
        .add(b',')
        .remove(b'!')
        .remove(b'*')
        .remove(b'\'')
        .remove(b'(')
        .remove(b')');
    utf8_percent_encode(url, URL).to_string()
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
    let decoded = decoded_once(segment)?;
    let strange = |b: u8| b.is_ascii_control() || b == b'\\';
    if decoded.bytes().any(strange)
        || has_escape(&decoded)
        || decoded.split('/').any(is_dot_or_empty)
    {
        return Err(Refusal::Ambiguous);
    }
    Ok(decoded)
}

/// What a text is when each of its escapes is decoded, once.
///
/// # Errors
///
/// [`Refusal::Ambiguous`] for broken escapes and for bytes that are no UTF-8.
pub(super) fn decoded_once(text: &str) -> Result<Cow<'_, str>, Refusal> {
    if memchr::memchr(b'%', text.as_bytes()).is_none() {
        return Ok(Cow::Borrowed(text));
    }
    if has_broken_escape(text) {
        return Err(Refusal::Ambiguous);
    }
    percent_decode_str(text).decode_utf8().map_err(|_| Refusal::Ambiguous)
}

/// Whether a part of a path steps aside or nowhere, also for servers that drop what follows a `;`:
/// they read `..;x` as `..`.
pub(super) fn is_dot_or_empty(part: &str) -> bool {
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

/// Whether there is an escape in a text, also one of the old form `%u0041`.
pub(super) fn has_escape(text: &str) -> bool {
    let bytes = text.as_bytes();
    let old_form = |at: usize| {
        matches!(bytes.get(at + 1), Some(b'u' | b'U'))
            && bytes.get(at + 2..at + 6).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
    };
    memchr::memchr_iter(b'%', bytes).any(|at| is_escape(bytes, at) || old_form(at))
}

fn is_escape(bytes: &[u8], at: usize) -> bool {
    bytes.get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(identifier: &str, one_segment: bool) -> String {
        let mut written = String::new();
        encode_into(&mut written, identifier, one_segment);
        written
    }

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
