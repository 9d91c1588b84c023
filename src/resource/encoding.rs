//! Percent-encoding of identifiers: decoded once, strictly, and written in one way.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::{Refusal, shape};

/// RFC 3986 unreserved characters and the colon of ARKs and handles stay as they are.
const SEGMENT: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':');
const PATH: &AsciiSet = &SEGMENT.remove(b'/');

/// An identifier as it stands in a URI: in one segment, or over several.
pub(super) fn encode(identifier: &str, one_segment: bool) -> String {
    utf8_percent_encode(identifier, if one_segment { SEGMENT } else { PATH }).to_string()
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

/// A path in which nothing has to be decoded and nothing refused, by any server's reading of a segment:
/// nearly every path is one, and one look tells.
pub(super) struct Plain<'p> {
    path: &'p str,
    /// Where the last four slashes are; the one with number `n` at `n % 4`.
    marks: [usize; 4],
    /// How many commas stand in the segments before those.
    commas: [usize; 4],
    pub(super) slashes: usize,
    /// Whether there is a colon, as in URLs.
    pub(super) has_colon: bool,
    /// Whether there is a dot in the last segment.
    pub(super) has_suffix: bool,
}

impl<'p> Plain<'p> {
    pub(super) fn of(path: &'p str) -> Option<Self> {
        let (mut slashes, mut begin) = (0, 0);
        let (mut has_suffix, mut has_colon, mut marks) = (false, false, [0; 4]);
        let (mut own_commas, mut commas) = (0, [0; 4]);
        let (bytes, mut at) = (path.as_bytes(), 0);
        while at < bytes.len() {
            if IS_PLAIN[usize::from(bytes[at])] {
                at += 1;
                continue;
            }
            match bytes[at] {
                b',' => own_commas += 1,
                // An empty segment needs a closer look, and one that begins with a dot or a special byte.
                _ if at == begin => return None,
                b'/' => {
                    marks[slashes % 4] = at;
                    commas[slashes % 4] = own_commas;
                    own_commas = 0;
                    slashes += 1;
                    begin = at + 1;
                    has_suffix = false;
                }
                // One that ends with a dot, too.
                b'.' if matches!(bytes.get(at + 1), None | Some(b'/')) => return None,
                b'.' => has_suffix = true,
                b':' => has_colon = true,
                _ => return None,
            }
            at += 1;
        }
        (begin < path.len()).then_some(Self { path, marks, commas, slashes, has_colon, has_suffix })
    }

    /// What stands before and behind the slash with so many slashes behind it, of at most four.
    #[inline]
    pub(super) fn split_before(&self, last: usize) -> (&'p str, &'p str) {
        let at = self.marks[(self.slashes - last) % 4];
        (&self.path[..at], &self.path[at + 1..])
    }

    /// The whole path.
    pub(super) fn path(&self) -> &'p str {
        self.path
    }

    /// Whether the last four segments are those of an image request.
    #[inline]
    pub(super) fn ends_in_image(&self) -> bool {
        let mark = |number: usize| self.marks[(self.slashes + number) % 4];
        let part = |from: usize| &self.path.as_bytes()[mark(from) + 1..mark(from + 1)];
        let commas = |from: usize| self.commas[(self.slashes + from + 1) % 4];
        self.has_suffix
            && shape::is_region_with(part(0), commas(0))
            && (commas(1) > 0 || shape::is_size_by_word(part(1)))
            && shape::is_rotation(part(2))
    }
}

/// The bytes that mean themselves everywhere. All others need a closer look.
static IS_PLAIN: [bool; 256] = {
    let mut is_plain = [false; 256];
    let mut byte = b'!';
    while byte < 0x7f {
        is_plain[byte as usize] = !matches!(
            byte,
            b'/' | b'.'
                | b':'
                | b','
                | b'%'
                | b'&'
                | b';'
                | b'\\'
                | b'+'
                | b'@'
                | b'#'
                | b'?'
                | b'$'
        );
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

    /// The short way says what the long way says, in every dialect.
    #[test]
    fn plain_paths_mean_themselves() {
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
            "a/b.",
            "a..b",
            "1/2/3/4/5/6/7/..",
            "a/b/c/d/e/f/g",
            "a:b/c",
            "a/full/max/0/default.jpg",
            "a/b/full/max/0/d.jpg",
        ]
        .map(str::to_owned)
        .into();
        paths.extend((0..=0x7f_u8).map(|byte| format!("a{}b/c", char::from(byte))));
        paths.push("é".to_owned());
        for path in paths {
            let odd = |segment: &str| {
                let special = |b: u8| !b.is_ascii_graphic() || b";&+@#?%$\\".contains(&b);
                segment.is_empty()
                    || segment.starts_with(['.', ':'])
                    || segment.ends_with('.')
                    || segment.bytes().any(special)
            };
            let plain = Plain::of(&path);
            assert_eq!(plain.is_none(), path.split('/').any(odd), "{path:?}");
            let Some(plain) = plain else { continue };
            let slashes = path.matches('/').count();
            assert_eq!((plain.path(), plain.slashes), (&*path, slashes), "{path:?}");
            for last in 1..=slashes.min(4) {
                let segments: Vec<&str> = path.split('/').collect();
                let (before, behind) = segments.split_at(segments.len() - last);
                let expected = (&*before.join("/"), &*behind.join("/"));
                assert_eq!(plain.split_before(last), expected, "{path:?} {last}");
            }
            let last = path.rsplit('/').next().unwrap_or_default();
            assert_eq!(
                (plain.has_suffix, plain.has_colon),
                (last.contains('.'), path.contains(':'))
            );
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
