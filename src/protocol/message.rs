//! What a person is told: a heading, or a heading with a note.

use super::LanguageMap;

/// A heading, with an optional note.
///
/// The specification allows a `note` only beside a `heading` (2.0 §4.5, §5.2), so there is no way
/// to build a lone note.
///
/// # Example
///
/// ```
/// use tower_iiif_auth::{LanguageMap, Message};
///
/// let message = Message::new(LanguageMap::new("en", "Not yet").with("cy", "Ddim eto"))
///     .note(LanguageMap::new("en", "Open from 2040."));
/// assert_eq!(message.heading().best("cy"), "Ddim eto");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    heading: LanguageMap,
    note: Option<LanguageMap>,
}

impl Message {
    /// A message of one heading. Plain text: the specification allows no HTML here.
    #[must_use]
    pub fn new(heading: impl Into<LanguageMap>) -> Self {
        Self { heading: heading.into(), note: None }
    }

    /// Adds the longer text below the heading.
    #[must_use]
    pub fn note(mut self, note: impl Into<LanguageMap>) -> Self {
        self.note = Some(note.into());
        self
    }

    /// The heading.
    #[must_use]
    pub fn heading(&self) -> &LanguageMap {
        &self.heading
    }

    /// The note, where there is one.
    #[must_use]
    pub fn note_text(&self) -> Option<&LanguageMap> {
        self.note.as_ref()
    }

    /// Both, in that order.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &LanguageMap> {
        std::iter::once(&self.heading).chain(&self.note)
    }
}

impl<T: Into<LanguageMap>> From<T> for Message {
    fn from(heading: T) -> Self {
        Self::new(heading)
    }
}
