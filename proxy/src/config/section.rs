//! A table of the file, read key by key, so that one wrong key does not hide the next.

use serde::Deserialize;
use serde::de::IntoDeserializer;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::mistakes::{Collector, Span};

pub(super) struct Section<'c, 'i> {
    /// As it stands in the file, `[upstream]`; empty at the top.
    name: String,
    /// Its heading.
    pub(super) span: Span,
    entries: Vec<Entry<'i>>,
    asked_for: Vec<&'static str>,
    pub(super) mistakes: &'c Collector<'c>,
}

struct Entry<'i> {
    key: Spanned<String>,
    value: Option<Spanned<DeValue<'i>>>,
}

/// A value, and where it stands.
pub(super) struct Found<T> {
    pub(super) value: T,
    pub(super) span: Span,
}

impl<'c, 'i> Section<'c, 'i> {
    pub(super) fn new(
        name: impl Into<String>,
        span: Span,
        table: DeTable<'i>,
        mistakes: &'c Collector<'c>,
    ) -> Self {
        let entries = table
            .into_iter()
            .map(|(key, value)| Entry {
                key: Spanned::new(key.span(), key.into_inner().into_owned()),
                value: Some(value),
            })
            .collect();
        Self { name: name.into(), span, entries, asked_for: Vec::new(), mistakes }
    }

    pub(super) fn take(&mut self, key: &'static str) -> Option<Spanned<DeValue<'i>>> {
        self.asked_for.push(key);
        self.entries.iter_mut().find(|entry| entry.key.get_ref() == key)?.value.take()
    }

    /// Whether a key is there and was not read yet.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key.get_ref() == key && entry.value.is_some())
    }

    /// The value of a key that may be missing. One of another type is a mistake.
    pub(super) fn optional<T: Deserialize<'i>>(&mut self, key: &'static str) -> Option<Found<T>> {
        let value = self.take(key)?;
        let span = value.span();
        match T::deserialize(value.into_deserializer()) {
            Ok(value) => Some(Found { value, span }),
            Err(error) => {
                let span = error.span().unwrap_or(span);
                self.mistakes.add(&span, format!("{key}: {}", error.message()));
                None
            }
        }
    }

    /// The value of a key that has to be there.
    pub(super) fn required<T: Deserialize<'i>>(&mut self, key: &'static str) -> Option<Found<T>> {
        if !self.has(key) {
            self.asked_for.push(key);
            let place = self.place();
            self.mistakes.add(&self.span, format!("{key} is missing{place}"));
            return None;
        }
        self.optional(key)
    }

    /// A value, or its default.
    pub(super) fn or<T: Deserialize<'i>>(&mut self, key: &'static str, default: T) -> T {
        self.optional(key).map_or(default, |found| found.value)
    }

    /// A number of bytes or of things, more than none.
    pub(super) fn size(&mut self, key: &'static str) -> Option<Found<usize>> {
        let Found { value, span } = self.optional::<u32>(key)?;
        if value == 0 {
            self.mistakes.add(&span, format!("{key} has to be more than zero"));
            return None;
        }
        Some(Found { value: usize::try_from(value).unwrap_or(usize::MAX), span })
    }

    /// A text that has to have a form.
    pub(super) fn parsed<T, E: std::fmt::Display>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<Found<T>> {
        let Found { value, span } = self.optional::<String>(key)?;
        let result = parse(&value).map_err(|error| format!("{key}: {error}"));
        self.mistakes.check(&span, result).map(|value| Found { value, span })
    }

    /// A list of texts, each with its place. Without the key it is empty.
    pub(super) fn list(&mut self, key: &'static str) -> Vec<Found<String>> {
        let texts = self.optional::<Vec<Spanned<String>>>(key);
        let texts = texts.map_or_else(Vec::new, |found| found.value);
        texts
            .into_iter()
            .map(|text| Found { span: text.span(), value: text.into_inner() })
            .collect()
    }

    /// A text or a list of texts, each with its place, that has to be there.
    pub(super) fn one_or_list(&mut self, key: &'static str) -> Vec<Found<String>> {
        let list = self.entries.iter().any(|entry| {
            let value = entry.value.as_ref().map(Spanned::get_ref);
            entry.key.get_ref() == key && matches!(value, Some(DeValue::Array(_)))
        });
        if !list {
            return self.required::<String>(key).into_iter().collect();
        }
        let texts = self.list(key);
        if texts.is_empty() {
            self.mistakes.add(&self.span, format!("{key} has to list at least one"));
        }
        texts
    }

    /// A table below this one, or several under the same name.
    pub(super) fn one_or_sections(&mut self, key: &'static str) -> Vec<Self> {
        let table = self.entries.iter().any(|entry| {
            let value = entry.value.as_ref().map(Spanned::get_ref);
            entry.key.get_ref() == key && matches!(value, Some(DeValue::Table(_)))
        });
        if table { self.section(key).into_iter().collect() } else { self.sections(key) }
    }

    /// A table below this one.
    pub(super) fn section(&mut self, key: &'static str) -> Option<Self> {
        let value = self.take(key)?;
        self.below(key, format!("[{key}]"), value)
    }

    /// An array of tables below this one.
    pub(super) fn sections(&mut self, key: &'static str) -> Vec<Self> {
        let Some(value) = self.take(key) else { return Vec::new() };
        let span = value.span();
        let DeValue::Array(items) = value.into_inner() else {
            self.mistakes.add(&span, format!("{key} has to be written as [[{key}]]"));
            return Vec::new();
        };
        let items = items.into_iter();
        items.filter_map(|item| self.below(key, format!("[[{key}]]"), item)).collect()
    }

    fn below(&self, key: &str, name: String, value: Spanned<DeValue<'i>>) -> Option<Self> {
        let span = value.span();
        match value.into_inner() {
            DeValue::Table(table) => Some(Section::new(name, span, table, self.mistakes)),
            other => {
                let kind = other.type_str();
                self.mistakes.add(&span, format!("{key} has to be a table, and is of type {kind}"));
                None
            }
        }
    }

    /// Whether a key was there, read or not.
    pub(super) fn was_given(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key.get_ref() == key)
    }

    /// All keys that are left, whatever they are called.
    pub(super) fn rest(&mut self) -> Vec<(Found<String>, Spanned<DeValue<'i>>)> {
        self.entries
            .iter_mut()
            .filter_map(|Entry { key, value }| {
                let key = Found { value: key.get_ref().clone(), span: key.span() };
                Some((key, value.take()?))
            })
            .collect()
    }

    /// What nobody has asked for is a mistake.
    pub(super) fn finish(self) {
        let place = self.place();
        for Entry { key, value } in self.entries {
            if value.is_some() {
                let mut known = self.asked_for.clone();
                known.sort_unstable();
                known.dedup();
                let message = format!(
                    "{} is not known{place}; known are {}",
                    key.get_ref(),
                    known.join(", ")
                );
                self.mistakes.add(&key.span(), message);
            }
        }
    }

    fn place(&self) -> String {
        if self.name.is_empty() { String::new() } else { format!(" in {}", self.name) }
    }
}
