//! Texts in several languages, as Presentation 3.0 §4.4 writes them.

use serde::ser::{Serialize, SerializeMap, Serializer};

/// The key for a text whose language is unknown or does not matter (Presentation 3.0 §4.4).
const NONE: &str = "none";

/// One text in one or more languages: `{"en": ["Log in"], "de": ["Anmelden"]}`.
///
/// It is never empty. Keys are BCP 47 tags, or `none`. Values are plain text. The first language
/// is the one shown to a reader who accepts none of the others.
///
/// # Example
///
/// ```
/// use tower_iiif_auth::LanguageMap;
///
/// let label = LanguageMap::new("en", "Example Library").with("de", "Beispielbibliothek");
/// assert_eq!(label.best("de-AT, en;q=0.5"), "Beispielbibliothek");
/// assert_eq!(
///     serde_json::to_string(&label)?,
///     r#"{"en":["Example Library"],"de":["Beispielbibliothek"]}"#,
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LanguageMap(Vec<Entry>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    language: String,
    values: Vec<String>,
}

impl LanguageMap {
    /// A text in one language.
    #[must_use]
    pub fn new(language: impl Into<String>, text: impl Into<String>) -> Self {
        Self(vec![Entry { language: language.into(), values: vec![text.into()] }])
    }

    /// Adds the text in another language, or a further line of one that is there.
    #[must_use]
    pub fn with(mut self, language: impl Into<String>, text: impl Into<String>) -> Self {
        let language = language.into();
        match self.0.iter_mut().find(|entry| entry.language.eq_ignore_ascii_case(&language)) {
            Some(entry) => entry.values.push(text.into()),
            None => self.0.push(Entry { language, values: vec![text.into()] }),
        }
        self
    }

    /// The text for a reader who sends this `Accept-Language` value; lines are joined by a space.
    ///
    /// A tag matches itself, a longer one (`de` finds `de-AT`) or a shorter one (`de-AT` finds
    /// `de`). Without a match it is the first language.
    #[must_use]
    pub fn best(&self, accept_language: &str) -> String {
        self.best_entry(accept_language).values.join(" ")
    }

    /// The language tag that [`best`](Self::best) chooses; `None` for a text marked `none`.
    #[must_use]
    pub fn best_language(&self, accept_language: &str) -> Option<&str> {
        Some(self.best_entry(accept_language).language.as_str()).filter(|tag| *tag != NONE)
    }

    /// This text in each of its languages, with `place` filled by what `filling` says there.
    pub(crate) fn filled(&self, place: &str, filling: &Self) -> Self {
        let fill = |entry: &Entry| Entry {
            language: entry.language.clone(),
            values: entry
                .values
                .iter()
                .map(|value| value.replace(place, &filling.best(&entry.language)))
                .collect(),
        };
        Self(self.0.iter().map(fill).collect())
    }

    /// The first language tag that no browser would understand, if there is one.
    pub(crate) fn bad_tag(&self) -> Option<&str> {
        let well_formed = |tag: &str| {
            tag.split('-').all(|part| {
                (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
            }) && tag.as_bytes()[0].is_ascii_alphabetic()
        };
        self.0.iter().map(|entry| entry.language.as_str()).find(|tag| !well_formed(tag))
    }

    /// The lines of the text that [`best`](Self::best) joins.
    pub(crate) fn best_lines(&self, accept_language: &str) -> &[String] {
        &self.best_entry(accept_language).values
    }

    fn best_entry(&self, accept_language: &str) -> &Entry {
        // On the way to every refusal: nothing is sorted, and only what could still win is looked up.
        let mut best = (&self.0[0], 0.0);
        for (tag, quality) in preferences(accept_language) {
            if quality > best.1 {
                if let Some(entry) = self.entry(tag) {
                    best = (entry, quality);
                }
            }
            if best.1 >= 1.0 {
                break;
            }
        }
        best.0
    }

    /// The entry of this language, or else one of a language that is nearly this one.
    fn entry(&self, tag: &str) -> Option<&Entry> {
        let mut entries = self.0.iter();
        entries
            .clone()
            .find(|entry| entry.language.eq_ignore_ascii_case(tag))
            .or_else(|| entries.find(|entry| are_related(&entry.language, tag)))
    }
}

/// Whether two tags name the same language, one of them more closely.
fn are_related(one: &str, other: &str) -> bool {
    primary(one).eq_ignore_ascii_case(primary(other))
}

/// A tag up to its first hyphen.
fn primary(tag: &str) -> &str {
    &tag[..memchr::memchr(b'-', tag.as_bytes()).unwrap_or(tag.len())]
}

/// The tags of an `Accept-Language` value (RFC 9110 §12.5.4) with how much each is wanted, at most 1.
fn preferences(accept_language: &str) -> impl Iterator<Item = (&str, f32)> {
    // Sixteen are more than a person speaks and bound the work for a hostile header.
    accept_language.split(',').take(16).filter_map(|part| {
        let mut pieces = part.split(';');
        let tag = pieces.next()?.trim();
        let quality = pieces
            .find_map(|piece| piece.trim().strip_prefix("q="))
            .map_or(Some(1.0), |q| q.trim().parse::<f32>().ok().filter(|q| q.is_finite()))?;
        (!tag.is_empty() && tag != "*" && quality > 0.0).then_some((tag, quality.min(1.0)))
    })
}

/// A text without a language: `{"none": ["…"]}`.
impl From<&str> for LanguageMap {
    fn from(text: &str) -> Self {
        Self::new(NONE, text)
    }
}

/// A text without a language: `{"none": ["…"]}`.
impl From<String> for LanguageMap {
    fn from(text: String) -> Self {
        Self::new(NONE, text)
    }
}

impl Serialize for LanguageMap {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for entry in &self.0 {
            map.serialize_entry(&entry.language, &entry.values)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reader_s_language_is_chosen() {
        let map =
            LanguageMap::new("en", "English").with("de", "Deutsch").with("pt-BR", "Português");
        for (header, expected) in [
            ("", "English"),
            ("de", "Deutsch"),
            ("DE-at,en;q=0.9", "Deutsch"),
            ("fr, pt;q=0.8, de;q=0.3", "Português"),
            ("fr", "English"),
            ("de;q=0, en", "English"),
            ("*", "English"),
            ("en;q=0.1, de;q=0.2", "Deutsch"),
            (";;;,,q=", "English"),
            ("de;q=NaN", "English"),
            ("de;q=0.5, pt;q=0.5", "Deutsch"),
            ("fr, de;q=7, en", "Deutsch"),
        ] {
            assert_eq!(map.best(header), expected, "{header}");
        }
    }

    #[test]
    fn a_repeated_language_gains_a_line() {
        let map = LanguageMap::new("en", "One.").with("EN", "Two.");
        assert_eq!(map.best(""), "One. Two.");
        assert_eq!(serde_json::to_string(&map).unwrap(), r#"{"en":["One.","Two."]}"#);
    }

    #[test]
    fn a_place_is_filled_in_each_language() {
        let text = LanguageMap::new("en", "Log out of {x}").with("de", "Abmelden: {x}");
        let institution = LanguageMap::new("en", "Library").with("de", "Bibliothek");
        let filled = text.filled("{x}", &institution);
        assert_eq!(filled.best("en"), "Log out of Library");
        assert_eq!(filled.best("de"), "Abmelden: Bibliothek");
    }

    #[test]
    fn a_plain_text_has_no_language() {
        let map = LanguageMap::from("x");
        assert_eq!(serde_json::to_string(&map).unwrap(), r#"{"none":["x"]}"#);
        assert_eq!(map.best_language("en"), None);
        assert_eq!(map.bad_tag(), None);
        assert_eq!(LanguageMap::new("en us", "x").bad_tag(), Some("en us"));
        assert_eq!(LanguageMap::new("", "x").bad_tag(), Some(""));
    }
}
