//! Whom a grant in a tab may be for.

use super::viewer::Viewer;

/// The viewers that a tab is known or taken to be of.
pub(super) struct Whom {
    pub(super) viewers: Vec<Viewer>,
    /// The name of the realm whose service was opened.
    pub(super) realm: String,
    /// Whether it is not known that the tab is one of theirs.
    pub(super) is_guess: bool,
    /// Whether the tab may be of none of them.
    pub(super) has_others: bool,
}

impl Whom {
    /// Whether the user has to say which viewer it is for.
    pub(super) fn needs_choice(&self) -> bool {
        self.viewers.len() > 1 || !self.viewers.is_empty() && (self.is_guess || self.has_others)
    }

    /// The one viewer that it may be for.
    pub(super) fn only(&self) -> Option<&Viewer> {
        match &self.viewers[..] {
            [viewer] => Some(viewer),
            _ => None,
        }
    }

    /// Whom the user may choose, the latest first; nobody at last, or where there is no viewer.
    pub(super) fn choices(&self) -> Vec<Option<&Viewer>> {
        let nobody = self.has_others || self.viewers.is_empty();
        self.viewers.iter().rev().map(Some).chain(nobody.then_some(None)).collect()
    }
}
