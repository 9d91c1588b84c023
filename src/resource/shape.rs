//! What the parts of an Image API path look like, and that an identifier does not look like them.

use super::{Refusal, encoding};

/// Whether a text is a region to any server: what follows is then no part of the identifier.
pub(super) fn is_region(text: &[u8]) -> bool {
    is_region_with(text, memchr::memchr_iter(b',', text).count() > 2)
}

/// The same where it is known whether there are more than two commas.
#[inline]
pub(super) fn is_region_with(text: &[u8], many_commas: bool) -> bool {
    match text {
        [b'f' | b'F' | b's' | b'S', ..] => {
            text.eq_ignore_ascii_case(b"full") || text.eq_ignore_ascii_case(b"square")
        }
        _ => many_commas,
    }
}

/// Whether a text is a size to any server: one with a comma, or one by word.
pub(super) fn is_size(text: &[u8]) -> bool {
    text.contains(&b',') || is_size_by_word(text)
}

pub(super) fn is_size_by_word(text: &[u8]) -> bool {
    let signs = text.iter().take_while(|byte| matches!(byte, b'^' | b'!')).count();
    let plain = &text[signs..];
    plain.eq_ignore_ascii_case(b"max")
        || plain.eq_ignore_ascii_case(b"full")
        || plain.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"pct:"))
}

/// Whether a text is a rotation to any server.
#[inline]
pub(super) fn is_rotation(text: &[u8]) -> bool {
    // Nearly every tile's.
    text == b"0" || is_other_rotation(text)
}

fn is_other_rotation(text: &[u8]) -> bool {
    let number = text.strip_prefix(b"!").unwrap_or(text);
    !number.is_empty()
        && number.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'))
}

/// The same of quality and format, in which nothing is left that a server reads more into.
pub(super) fn is_last(text: &str) -> bool {
    text.contains('.')
}

/// Whether a path's last segment is that of an image, whatever stands before it: a quality of the Image API
/// and a format.
pub(super) fn names_an_image(text: &str) -> bool {
    const QUALITIES: [&str; 6] = ["default", "color", "gray", "bitonal", "native", "grey"];
    text.split_once('.').is_some_and(|(quality, format)| {
        QUALITIES.contains(&quality) && !format.is_empty() && !format.contains('.')
    })
}

/// Whether an identifier names a file of an image sequence of `IIPImage`'s, `name_pyr_000_090.tif`: such a
/// file is `name` as well.
#[inline]
pub(super) fn is_of_a_sequence(identifier: &str) -> bool {
    let bytes = identifier.as_bytes();
    if bytes.len() < "_pyr_000_000".len() {
        return false;
    }
    let name = &bytes[..memchr::memrchr(b'.', bytes).unwrap_or(bytes.len())];
    let Some((name, [b'_', y @ ..])) = name.split_last_chunk::<4>() else { return false };
    let Some((name, [b'_', x @ ..])) = name.split_last_chunk::<4>() else { return false };
    name.ends_with(b"_pyr") && x.iter().chain(y).all(u8::is_ascii_digit)
}

/// Refuses an identifier of parts that servers disagree on: none, dots, spaces at their ends; and one
/// that holds an image request or a description's name, as a server that decodes first finds its end
/// elsewhere. (One that *ends* in a description's name is an image's only by its base URI, which the
/// checker does not pass on.)
///
/// # Errors
///
/// [`Refusal::Ambiguous`].
pub(super) fn check_parts(identifier: &str) -> Result<(), Refusal> {
    let mut before: Option<&str> = None;
    let mut parts = identifier.split('/').peekable();
    while let Some(part) = parts.next() {
        let odd = encoding::is_dot_or_empty(part) || has_odd_ends(part);
        let within = before.is_some_and(|before| {
            is_region(before.as_bytes()) && is_size(part.as_bytes())
                || part.eq_ignore_ascii_case("info.json") && parts.peek().is_some()
        });
        if odd || within {
            return Err(Refusal::Ambiguous);
        }
        before = Some(part);
    }
    Ok(())
}

/// Whether a part of a path begins or ends with what some servers take away.
pub(super) fn has_odd_ends(part: &str) -> bool {
    part.starts_with(' ') || part.ends_with([' ', '.'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_an_image_request() {
        for (text, region, size, rotation) in [
            ("full", true, true, false),
            ("FULL", true, true, false),
            ("square", true, false, false),
            ("0,0,1,1", true, true, false),
            ("pct:0,0,1.5,1", true, true, false),
            ("-1,0,1,1", true, true, false),
            ("max", false, true, false),
            ("^max", false, true, false),
            ("^!1,1", false, true, false),
            ("512,", false, true, false),
            ("pct:5", false, true, false),
            ("0", false, false, true),
            ("!22.5", false, false, true),
            ("12148", false, false, true),
            ("btv1b8449691v", false, false, false),
            ("", false, false, false),
        ] {
            let bytes = text.as_bytes();
            assert_eq!(
                (is_region(bytes), is_size(bytes), is_rotation(bytes)),
                (region, size, rotation),
                "{text}"
            );
        }
        assert!(is_last("default.jpg") && !is_last("default"));
    }

    #[test]
    fn files_of_a_sequence() {
        for (name, is) in [
            ("seq_pyr_000_090.tif", true),
            ("dir/seq_pyr_000_090", true),
            ("seq_pyr_000_09.tif", false),
            ("seq_000_090.tif", false),
            ("seq", false),
            ("_pyr_000_0x0.tif", false),
            ("", false),
        ] {
            assert_eq!(is_of_a_sequence(name), is, "{name}");
        }
    }

    /// AL-06, PA-01: no identifier has a second end.
    #[test]
    fn identifiers_with_one_end() {
        for good in [
            "sec",
            "dir/sec",
            "info.json",
            "full",
            "a/full/b",
            "ark:/12148/btv/f29",
            ".sec",
            "a.b/c",
        ] {
            assert!(check_parts(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/a",
            "a/",
            "a//b",
            "a/../b",
            ".",
            "sec.",
            "a./b",
            "op../en.tif",
            "sec ",
            " sec",
            "a/ b",
            "a /b",
            "sec/info.json/x",
            "sec/INFO.JSON/full",
            "sec/full/max/0/default.jpg",
            "sec/0,0,9,9/9,",
            "sec/Full/,1",
        ] {
            assert_eq!(check_parts(bad), Err(Refusal::Ambiguous), "{bad}");
        }
    }
}
