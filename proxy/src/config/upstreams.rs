//! Which of several image servers is meant.

use super::mistakes::{Collector, Span};
use super::section::Section;
use super::upstream::Upstream;

/// The names of image servers, in the order of the file.
pub(super) struct Named {
    names: Vec<String>,
    /// One of them was wrong: a name that is not known may be its.
    incomplete: bool,
}

impl Named {
    /// Two of one name are a mistake.
    pub(super) fn new(upstreams: &[Upstream], incomplete: bool, mistakes: &Collector<'_>) -> Self {
        let mut names: Vec<String> = Vec::new();
        for Upstream { name, span, .. } in upstreams {
            if names.contains(name) {
                let message = if name.is_empty() {
                    "two [[upstream]] have no name: give one of them a name, and to the bases that mean \
                     it upstream = \"name\""
                        .to_owned()
                } else {
                    format!("two [[upstream]] are called {name:?}")
                };
                mistakes.add(span, message);
            }
            names.push(name.clone());
        }
        Self { names, incomplete }
    }

    /// The one that a section names by its key `upstream`, or the one without a name.
    pub(super) fn named_by(&self, section: &mut Section<'_, '_>) -> Option<usize> {
        let found = section.optional::<String>("upstream");
        let (name, span) =
            found.map_or((String::new(), section.span.clone()), |found| (found.value, found.span));
        self.find(&name, &span, section.mistakes)
    }

    /// The one of this name.
    pub(super) fn find(&self, name: &str, span: &Span, mistakes: &Collector<'_>) -> Option<usize> {
        let place = self.names.iter().position(|own| own == name);
        if place.is_none() && !self.incomplete {
            let message = if name.is_empty() {
                "every [[upstream]] has a name: say which is meant, with upstream = \"name\""
                    .to_owned()
            } else {
                format!("no [[upstream]] is called {name:?}")
            };
            mistakes.add(span, message);
        }
        // Of a configuration that is refused anyway the rest is looked at all the same.
        place.or(self.incomplete.then_some(0))
    }
}
