//! Decoding for maps of an application's own.

use std::borrow::Cow;

use super::{Refusal, encoding};

/// An identifier in one segment of a path, percent-decoded once (RFC 3986 §2.1, §3.3): `dir/page 1` for
/// `dir%2Fpage%201`.
///
/// # Errors
///
/// [`Refusal::Unknown`] for more than one segment. [`Refusal::Ambiguous`] for what servers are known to read
/// in different ways: nothing at all, dot segments (RFC 3986 §5.2.4) and empty ones, also encoded, control
/// characters, backslashes, path parameters (`;`), broken escapes, bytes that are no UTF-8, and what is still
/// escaped after decoding.
///
/// # Example
///
/// ```
/// use tower_iiif_auth::resource::{Refusal, decode_segment};
///
/// assert_eq!(decode_segment("ark:%2F12345%2Fx")?, "ark:/12345/x");
/// assert_eq!(decode_segment("a%2F..%2Fb"), Err(Refusal::Ambiguous));
/// assert_eq!(decode_segment("a/b"), Err(Refusal::Unknown));
/// # Ok::<(), Refusal>(())
/// ```
pub fn decode_segment(segment: &str) -> Result<Cow<'_, str>, Refusal> {
    let decoded = encoding::decode(segment, false)?;
    if segment.contains('/') { Err(Refusal::Unknown) } else { Ok(decoded) }
}

/// An identifier over any number of segments, each percent-decoded once (RFC 3986 §2.1, §3.3):
/// `1923/reel 2.mp4` for `1923/reel%202.mp4`.
///
/// # Errors
///
/// [`Refusal::Ambiguous`] as by [`decode_segment`], and for an encoded slash, by which one file would have
/// two spellings.
///
/// # Example
///
/// ```
/// use tower_iiif_auth::resource::{Refusal, decode_path};
///
/// assert_eq!(decode_path("1923/reel%202.mp4")?, "1923/reel 2.mp4");
/// for below in ["1923%2Freel", "1923/../reel", "1923//reel", "%2e%2e", ""] {
///     assert_eq!(decode_path(below), Err(Refusal::Ambiguous), "{below}");
/// }
/// # Ok::<(), Refusal>(())
/// ```
pub fn decode_path(below: &str) -> Result<Cow<'_, str>, Refusal> {
    path_of(below, false)
}

/// The same, with `;` like any other character where `path_parameters` says so.
pub(super) fn path_of(below: &str, path_parameters: bool) -> Result<Cow<'_, str>, Refusal> {
    // A slash that is encoded and one that is not would be two spellings of one identifier.
    if has_encoded_slash(below) {
        return Err(Refusal::Ambiguous);
    }
    encoding::decode(below, path_parameters)
}

fn has_encoded_slash(path: &str) -> bool {
    path.as_bytes().windows(3).any(|escape| escape.eq_ignore_ascii_case(b"%2f"))
}
