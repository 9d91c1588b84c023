//! Texts that users read: in one language or several.

use serde::Deserialize;
use serde::de::IntoDeserializer;
use toml::Spanned;
use toml::de::DeValue;
use tower_iiif_auth::{LanguageMap, Message};

use super::mistakes::Collector;
use super::section::Section;

/// `"Text"`, or `{ en = "Text", de = "Text" }`. The first language is for readers of none.
pub(super) fn text(section: &mut Section<'_, '_>, key: &'static str) -> Option<LanguageMap> {
    let value = section.take(key)?;
    read(value, key, section.mistakes)
}

fn read(value: Spanned<DeValue<'_>>, key: &str, mistakes: &Collector<'_>) -> Option<LanguageMap> {
    let span = value.span();
    let table = match value.into_inner() {
        DeValue::String(text) => return Some(text.into_owned().into()),
        DeValue::Table(table) => table,
        _ => {
            mistakes.add(
                &span,
                format!("{key} has to be a text, or texts by language: {{ en = \"…\" }}"),
            );
            return None;
        }
    };
    let mut texts: Option<LanguageMap> = None;
    for (language, text) in table {
        let language = language.into_inner().into_owned();
        let span = text.span();
        let text = String::deserialize(text.into_deserializer());
        let text = text.map_err(|error| format!("{key}.{language}: {}", error.message()));
        let text = mistakes.check(&span, text)?;
        texts = Some(match texts {
            Some(texts) => texts.with(language, text),
            None => LanguageMap::new(language, text),
        });
    }
    if texts.is_none() {
        mistakes.add(&span, format!("{key} has no text in any language"));
    }
    texts
}

/// A heading, with or without a note.
pub(super) fn message(
    section: &mut Section<'_, '_>,
    heading: &'static str,
    note: &'static str,
) -> Option<Message> {
    let needs_heading = section.has(note) && !section.has(heading);
    let (above, below) = (text(section, heading), text(section, note));
    if needs_heading {
        section.mistakes.add(&section.span, format!("{note} needs {heading} beside it"));
    }
    match (above, below) {
        (Some(above), Some(below)) => Some(Message::new(above).note(below)),
        (Some(above), None) => Some(Message::new(above)),
        (None, _) => None,
    }
}
