//! Patterns over identifiers and paths.

use super::Resource;

/// A pattern over resources: literal text in which `*` stands for any text, also none.
///
/// It is over identifiers, **below every base**: `letter-1` is the image at `/iiif/3/letter-1` and
/// the same one at `/iiif/2/letter-1`, and the file `/files/letter-1`, too. A pattern that begins
/// with a slash is over the whole path, base and identifier, both decoded: `/files/*` is every file
/// and no image. Write it so where an identifier does not mean the same below every base.
///
/// # Example
///
/// ```
/// use tower_iiif_auth::resource::Pattern;
///
/// let pattern = Pattern::new("ms-*/folio-*");
/// assert!(pattern.matches("ms-117/folio-2r"));
/// assert!(!pattern.matches("ms-117"));
///
/// use tower_iiif_auth::resource::{Resource, ResourceKind};
/// let scan = Resource::new("/iiif/3", "ms-117", ResourceKind::ImageService, "Image");
/// let sound = Resource::new("/files", "ms-117", ResourceKind::Content, "Sound");
/// assert!(Pattern::new("ms-*").covers(&scan) && Pattern::new("ms-*").covers(&sound));
/// assert!(!Pattern::new("/files/ms-*").covers(&scan) && Pattern::new("/files/ms-*").covers(&sound));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: Box<str>,
    shape: Shape,
    /// Whether it begins with a slash.
    over_paths: bool,
}

/// What a pattern asks: most ask something that is quickly told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// No star.
    Exact,
    /// A star alone.
    Any,
    /// One star, at the end.
    Prefix,
    Other,
}

impl Pattern {
    /// The pattern written as `text`.
    #[must_use]
    pub fn new(text: impl Into<Box<str>>) -> Self {
        let text = text.into();
        let shape = match text.bytes().position(|byte| byte == b'*') {
            None => Shape::Exact,
            Some(0) if text.len() == 1 => Shape::Any,
            Some(star) if star + 1 == text.len() => Shape::Prefix,
            Some(_) => Shape::Other,
        };
        let over_paths = text.starts_with('/');
        Self { text, shape, over_paths }
    }

    /// Whether `text` fits as a whole.
    #[must_use]
    #[inline]
    pub fn matches(&self, text: &str) -> bool {
        // Asked first, as most are: without a table of where to go on.
        if self.shape == Shape::Exact {
            // The first byte tells most others apart, and costs no call.
            return self.text.as_bytes().first() == text.as_bytes().first() && *self.text == *text;
        }
        match self.shape {
            Shape::Any => true,
            Shape::Prefix => {
                text.as_bytes().starts_with(self.text[..self.text.len() - 1].as_bytes())
            }
            Shape::Exact | Shape::Other => self.fits_text(text),
        }
    }

    /// Apart, so that what is quickly told is told where it is asked.
    #[inline(never)]
    fn fits_text(&self, text: &str) -> bool {
        self.fits(text.bytes())
    }

    /// Whether it is a pattern of this resource: of its identifier or, where it begins with a slash,
    /// of its whole path.
    #[must_use]
    #[inline]
    pub fn covers(&self, resource: &Resource<'_>) -> bool {
        let identifier = resource.identifier();
        if self.over_paths {
            // The path is not put together: this is on the way to every tile.
            self.fits(resource.base().bytes().chain([b'/']).chain(identifier.bytes()))
        } else {
            self.matches(identifier)
        }
    }

    fn fits(&self, mut text: impl Iterator<Item = u8> + Clone) -> bool {
        let mut pattern = self.text.bytes();
        // Behind the last star, and the text that it has not taken yet.
        let mut star = None;
        loop {
            let mut next = pattern.clone();
            let mut rest = text.clone();
            match (next.next(), rest.next()) {
                (Some(b'*'), _) if next.len() == 0 => return true,
                (Some(b'*'), _) => {
                    star = Some((next.clone(), text.clone()));
                    pattern = next;
                }
                (None, None) => return true,
                (Some(own), Some(byte)) if own == byte => (pattern, text) = (next, rest),
                (Some(_), None) => return false,
                // What stands behind the star does not fit here: the star takes one more.
                (_, Some(_)) => {
                    let Some((behind, from)) = &mut star else { return false };
                    from.next();
                    (pattern, text) = (behind.clone(), from.clone());
                }
            }
        }
    }

    /// Whether it fits any path at all: paths begin with a slash.
    pub(crate) fn may_match_path(&self) -> bool {
        self.text.starts_with(['/', '*'])
    }

    /// Whether a look at the identifier's beginning tells.
    pub(super) fn is_quick(&self) -> bool {
        !self.over_paths && self.shape != Shape::Other
    }

    /// Whether it is over whole paths.
    pub(super) fn is_over_paths(&self) -> bool {
        self.over_paths
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

impl From<&str> for Pattern {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Pattern {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, identifier, expected) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("a", "", false),
            ("", "", true),
            ("*", "", true),
            ("*", "anything/at all", true),
            ("a*", "a", true),
            ("a*", "ba", false),
            ("*a", "ba", true),
            ("*a", "ab", false),
            ("a*b", "ab", true),
            ("a*b", "a", false),
            ("ab*ba", "aba", false),
            ("a*c*e", "abcde", true),
            ("a*c*e", "aec", false),
            ("a**b", "ab", true),
            ("a*bc", "abbc", true),
            ("a*bc*bcd", "abcbcbcd", true),
            ("*ab*", "aab", true),
            ("*a", "", false),
            ("é*", "éa", true),
        ] {
            assert_eq!(
                Pattern::new(pattern).matches(identifier),
                expected,
                "{pattern} {identifier}"
            );
        }
    }

    #[test]
    fn a_slash_begins_a_pattern_over_paths() {
        use crate::resource::ResourceKind;
        for (pattern, base, identifier, expected) in [
            ("sec", "/iiif/3", "sec", true),
            ("sec", "/files", "sec", true),
            ("/files/*", "/files", "sec", true),
            ("/files/*", "/files", "dir/sec", true),
            ("/files/*", "/filesystem", "sec", false),
            ("/files/*", "/iiif/3", "files/sec", false),
            ("/files/*", "/iiif/3", "sec", false),
            ("/iiif/*/sec", "/iiif/3", "sec", true),
            ("/iiif/3/dir/se*", "/iiif/3", "dir/sec", true),
            ("/*", "/iiif/3", "sec", true),
            ("/sec", "/iiif/3", "sec", false),
            ("*/sec", "/files", "sec", false),
            ("*/sec", "/files", "dir/sec", true),
        ] {
            let resource = Resource::new(base, identifier, ResourceKind::Content, "Dataset");
            let covers = Pattern::new(pattern).covers(&resource);
            assert_eq!(covers, expected, "{pattern} {base} {identifier}");
        }
    }
}
