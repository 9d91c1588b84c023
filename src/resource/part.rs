//! Which page of a document, and at which scale: Cantaloupe's meta-identifiers.

use std::fmt::Write as _;

use super::Refusal;

/// A page and a scale of an image; zero where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) page: u32,
    pub(super) scale: (u32, u32),
}

impl Part {
    pub(super) fn is_whole(self) -> bool {
        self == Self::default()
    }

    /// Writes it behind an identifier, decoded.
    pub(super) fn write(self, text: &mut String) {
        if self.page > 0 {
            let _ = write!(text, ";{}", self.page);
        }
        if let (numerator @ 1.., denominator) = self.scale {
            let _ = write!(text, ";{numerator}:{denominator}");
        }
    }
}

/// The identifier without its page and scale, and these: `;2`, `;1:2`, `;2;1:2`, and of Cantaloupe 4
/// `-1:2` in place of `;1:2`.
///
/// # Errors
///
/// [`Refusal::Ambiguous`] where a `;` begins neither.
pub(super) fn split(text: &str, by_hyphen: bool) -> Result<(&str, Part), Refusal> {
    let mut own = Part::default();
    let mut rest = text;
    if let Some((before, scale)) = by_hyphen.then(|| rest.rsplit_once('-')).flatten() {
        if let Some(scale) = scale_of(scale)? {
            (rest, own.scale) = (before, scale);
        }
    }
    if let Some((before, last)) = rest.rsplit_once(';') {
        match scale_of(last)? {
            Some(scale) if own.scale == (0, 0) => (rest, own.scale) = (before, scale),
            _ => {}
        }
        if let Some((before, last)) = rest.rsplit_once(';') {
            own.page = number(last).ok_or(Refusal::Ambiguous)?;
            rest = before;
        }
    }
    // What is left looks like another one to a server that takes away one after the other.
    let again = by_hyphen && ends_in_scale(rest);
    if rest.is_empty() || rest.contains(';') || again {
        Err(Refusal::Ambiguous)
    } else {
        Ok((rest, own))
    }
}

/// `1:2`; other spellings of numbers are refused.
fn scale_of(text: &str) -> Result<Option<(u32, u32)>, Refusal> {
    if !looks_like_scale(text) {
        return Ok(None);
    }
    let (numerator, denominator) = text.split_once(':').ok_or(Refusal::Ambiguous)?;
    match (number(numerator), number(denominator)) {
        (Some(numerator), Some(denominator)) => Ok(Some((numerator, denominator))),
        _ => Err(Refusal::Ambiguous),
    }
}

/// Whether an identifier ends in what is a scale to Cantaloupe 4, in whichever spelling.
pub(super) fn ends_in_scale(identifier: &str) -> bool {
    identifier.rsplit_once('-').is_some_and(|(_, last)| looks_like_scale(last))
}

fn looks_like_scale(text: &str) -> bool {
    text.contains(':') && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b':')
}

/// A number from one on, in its one spelling.
fn number(text: &str) -> Option<u32> {
    let plain = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    (plain && !text.starts_with('0')).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// AL-01: one identifier, however its pages are written, or none.
    #[test]
    fn pages_and_scales() {
        for (text, by_hyphen, expected) in [
            ("letter.tif", false, Some(("letter.tif", 0, (0, 0)))),
            ("letter.tif;1", false, Some(("letter.tif", 1, (0, 0)))),
            ("letter.tif;1;1:2", false, Some(("letter.tif", 1, (1, 2)))),
            ("letter.tif;3:4", false, Some(("letter.tif", 0, (3, 4)))),
            ("letter.tif-1:2", false, Some(("letter.tif-1:2", 0, (0, 0)))),
            ("letter.tif-1:2", true, Some(("letter.tif", 0, (1, 2)))),
            ("letter.tif;2-1:2", true, Some(("letter.tif", 2, (1, 2)))),
            ("ark:12", false, Some(("ark:12", 0, (0, 0)))),
            ("ms-117", true, Some(("ms-117", 0, (0, 0)))),
            ("letter.tif;", false, None),
            (";1", false, None),
            ("letter.tif;0", false, None),
            ("letter.tif;01", false, None),
            ("letter.tif;1:0", false, None),
            ("letter.tif;1:2:3", false, None),
            ("letter.tif;1:2;3", false, None),
            ("letter.tif;1;2", false, None),
            ("letter.tif;x", false, None),
            ("letter.tif;1;1:2;1:2", false, None),
            ("letter.tif;9999999999", false, None),
            ("letter.tif-1:2-1:2", true, None),
            ("letter.tif;1:2-1:2", true, None),
            ("letter.tif;1;", false, None),
        ] {
            let split = split(text, by_hyphen).ok();
            let split = split.map(|(rest, part)| (rest, part.page, part.scale));
            assert_eq!(split, expected, "{text}");
        }
    }
}
