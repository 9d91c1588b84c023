//! Patterns in order, of which the first that covers a resource counts.

use super::pattern_tree::PatternTree;
use super::{Pattern, Resource};

/// So many patterns are looked at one by one where a glance at each tells.
const FEW: usize = 8;

/// Patterns in order: which of them is the first that covers a resource.
///
/// However many there are, exact ones and those with one star at the end cost what one does, as they
/// are found along the text. Patterns with a star elsewhere are looked at one by one where they begin as
/// the text does, at a few instructions for each that cannot fit.
///
/// # Example
///
/// ```
/// use tower_iiif_auth::resource::{Patterns, Resource, ResourceKind};
///
/// let patterns: Patterns = ["cover-*", "ms-117", "*"].into_iter().collect();
/// let first = |identifier| {
///     patterns.first(&Resource::new("/iiif/3", identifier, ResourceKind::ImageService, "Image"))
/// };
/// assert_eq!(first("cover-1"), Some(0));
/// assert_eq!(first("ms-117"), Some(1));
/// assert_eq!(first("ms-118"), Some(2));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Patterns {
    all: Vec<Pattern>,
    /// Whether they are too many, or some are not told at a glance.
    by_tree: bool,
    of_identifiers: PatternTree,
    of_paths: PatternTree,
}

impl Patterns {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a pattern behind those that are there.
    ///
    /// # Panics
    ///
    /// With more than four thousand million patterns.
    pub fn push(&mut self, pattern: impl Into<Pattern>) {
        let pattern = pattern.into();
        let place =
            u32::try_from(self.all.len()).expect("not more patterns than memory has room for");
        let tree =
            if pattern.is_over_paths() { &mut self.of_paths } else { &mut self.of_identifiers };
        tree.insert(pattern.as_str(), place);
        self.by_tree |= !pattern.is_quick() || self.all.len() >= FEW;
        self.all.push(pattern);
    }

    /// The place of the first pattern that [covers](Pattern::covers) a resource, counted from zero.
    #[must_use]
    #[inline]
    pub fn first(&self, resource: &Resource<'_>) -> Option<usize> {
        if !self.by_tree {
            // A glance at each costs less than to follow the text.
            let identifier = resource.identifier();
            for (place, pattern) in self.all.iter().enumerate() {
                if pattern.matches(identifier) {
                    return Some(place);
                }
            }
            return None;
        }
        self.first_along_text(resource)
    }

    #[inline(never)]
    fn first_along_text(&self, resource: &Resource<'_>) -> Option<usize> {
        let identifier = resource.identifier();
        let fits = |place: u32| self.all[place as usize].covers(resource);
        let mut first = self.of_identifiers.first([identifier], None, fits);
        if !self.of_paths.is_empty() {
            // The path is not put together: this is on the way to every tile.
            let path = [resource.base(), "/", identifier];
            first = self.of_paths.first(path, first, fits);
        }
        first.map(|place| place as usize)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

impl<P: Into<Pattern>> Extend<P> for Patterns {
    fn extend<I: IntoIterator<Item = P>>(&mut self, patterns: I) {
        patterns.into_iter().for_each(|pattern| self.push(pattern));
    }
}

impl<P: Into<Pattern>> FromIterator<P> for Patterns {
    fn from_iter<I: IntoIterator<Item = P>>(patterns: I) -> Self {
        let mut all = Self::new();
        all.extend(patterns);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::ResourceKind;
    use proptest::prelude::*;

    fn first(patterns: &[&str], base: &str, identifier: &str) -> Option<usize> {
        let patterns: Patterns = patterns.iter().copied().collect();
        patterns.first(&Resource::new(base, identifier, ResourceKind::ImageService, "Image"))
    }

    #[test]
    fn the_first_one_counts_whatever_its_shape() {
        for (patterns, identifier, expected) in [
            (&[][..], "a", None),
            (&[""], "", Some(0)),
            (&[""], "a", None),
            (&["*"], "", Some(0)),
            (&["a*", "ab"], "ab", Some(0)),
            (&["ab", "a*"], "ab", Some(0)),
            (&["ab", "a*"], "abc", Some(1)),
            (&["abc", "abd", "ab*"], "abd", Some(1)),
            (&["abcd", "ab", "a"], "ab", Some(1)),
            (&["abcd", "abef"], "ab", None),
            (&["x*z", "x*", "xyz"], "xyz", Some(0)),
            (&["xyz", "x*z"], "xyz", Some(0)),
            (&["*c", "*b*", "a*"], "abd", Some(1)),
            (&["*c", "*bb", "a*"], "abd", Some(2)),
            (&["/iiif/3/abd", "abd"], "abd", Some(0)),
            (&["/files/*", "abd", "/iiif/*"], "abd", Some(1)),
            (&["/files/*", "/iiif/*/abd"], "abd", Some(1)),
            (&["a**", "a*"], "a", Some(0)),
            (&["b", "b", "b*"], "b", Some(0)),
            (&["é*", "è"], "è", Some(1)),
        ] {
            assert_eq!(
                first(patterns, "/iiif/3", identifier),
                expected,
                "{patterns:?} {identifier}"
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// The index answers as a look at each pattern in turn does.
        #[test]
        fn it_is_what_one_by_one_is(
            texts in prop::collection::vec("(/x/)?[ab*/]{0,5}", 0..12),
            identifier in "[ab/]{0,6}",
        ) {
            let resource = Resource::new("/x", &*identifier, ResourceKind::Content, "Image");
            let one_by_one = texts.iter().position(|text| Pattern::new(&**text).covers(&resource));
            let all: Patterns = texts.iter().map(|text| Pattern::new(&**text)).collect();
            prop_assert_eq!(all.first(&resource), one_by_one);
            prop_assert_eq!(all.first_along_text(&resource), one_by_one, "few, too");
        }
    }
}
