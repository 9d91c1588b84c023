//! Patterns over identifiers.

use super::Resource;

/// A pattern over identifiers: literal text in which `*` stands for any text, also none.
///
/// # Example
///
/// ```
/// use tower_iiif_auth::resource::Pattern;
///
/// let pattern = Pattern::new("ms-*/folio-*");
/// assert!(pattern.matches("ms-117/folio-2r"));
/// assert!(!pattern.matches("ms-117"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Box<str>);

impl Pattern {
    /// The pattern written as `text`.
    #[must_use]
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// Whether `identifier` (decoded) fits as a whole.
    #[must_use]
    pub fn matches(&self, identifier: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = identifier.strip_prefix(first) else { return false };
        let Some(last) = parts.next_back() else { return rest.is_empty() };
        for part in parts {
            match rest.find(part) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        rest.ends_with(last)
    }

    /// Whether it fits any path at all: paths begin with a slash.
    pub(crate) fn may_match_path(&self) -> bool {
        self.0.starts_with(['/', '*'])
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn covers(&self, resource: &Resource<'_>) -> bool {
        self.matches(resource.identifier())
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
            ("é*", "éa", true),
        ] {
            assert_eq!(
                Pattern::new(pattern).matches(identifier),
                expected,
                "{pattern} {identifier}"
            );
        }
    }
}
