//! Values and calls of a plain script.

use std::cell::Cell;
use std::collections::HashMap;

use serde_json::{Map, Value};

use super::Posted;
use crate::html::Script;

/// What a value that has a name may weigh, and what all uses of names may together: scripts can
/// double a value in every line.
const VALUE: usize = 64 << 10;
const VALUES: usize = 4 << 20;

/// About how many bytes a value takes.
fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 16,
        Value::Array(all) => 16 + all.iter().map(weight).sum::<usize>(),
        Value::Object(all) => {
            16 + all.iter().map(|(key, one)| key.len() + weight(one)).sum::<usize>()
        }
        _ => 16,
    }
}

/// A value that a script names, as far as it can be known.
#[derive(Clone)]
enum Known {
    Json(Value),
    /// The text of an element of the page.
    Element(String),
}

pub(super) struct Reader<'a> {
    text: &'a str,
    elements: HashMap<&'a str, &'a str>,
    names: HashMap<String, Known>,
    /// What was copied by names so far.
    used: Cell<usize>,
}

impl Known {
    fn weight(&self) -> usize {
        match self {
            Self::Json(value) => weight(value),
            Self::Element(text) => text.len(),
        }
    }
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, scripts: &'a [Script]) -> Self {
        let elements = scripts
            .iter()
            .filter_map(|script| Some((script.id.as_deref()?, script.text.as_str())))
            .collect();
        let mut reader = Self { text, elements, names: HashMap::new(), used: Cell::new(0) };
        for keyword in ["const ", "let ", "var "] {
            for (at, _) in text.match_indices(keyword).take(1000) {
                reader.declaration(at + keyword.len());
            }
        }
        reader
    }

    fn know(&mut self, name: &str, value: Known) {
        if value.weight() <= VALUE {
            self.names.insert(name.to_owned(), value);
        }
    }

    fn named(&self, name: &str) -> Option<Known> {
        let value = self.names.get(name)?;
        self.used.set(self.used.get() + value.weight());
        (self.used.get() <= VALUES).then(|| value.clone())
    }

    /// `name = value` or `{ name, name: other } = value`.
    fn declaration(&mut self, at: usize) {
        let mut cursor = Cursor { reader: self, at };
        cursor.space();
        if cursor.eat('{') {
            let start = cursor.at;
            let Some(end) = self.text[start..].find('}') else { return };
            let names = &self.text[start..start + end];
            let mut cursor = Cursor { reader: self, at: start + end + 1 };
            let Some(Known::Json(Value::Object(object))) = cursor.assigned() else { return };
            for name in names.split(',') {
                let (key, name) = name.split_once(':').unwrap_or((name, name));
                if let Some(value) = object.get(key.trim()) {
                    self.know(name.trim(), Known::Json(value.clone()));
                }
            }
        } else if let Some(name) = cursor.name() {
            if let Some(value) = cursor.assigned() {
                self.know(&name, value);
            }
        }
    }

    pub(super) fn call(&self, at: usize) -> Option<Posted> {
        let before = self.text[..at].trim_end().strip_suffix('.')?.trim_end_matches('?');
        let recipient: String = before
            .chars()
            .rev()
            .take_while(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '$'))
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect();
        let recipient = recipient
            .strip_prefix("window.")
            .or(recipient.strip_prefix("self."))
            .unwrap_or(&recipient);
        let mut cursor = Cursor { reader: self, at: at + "postMessage(".len() };
        let message = cursor.json()?;
        cursor.space();
        if !cursor.eat(',') {
            return None;
        }
        let target = match cursor.json()? {
            Value::String(target) => target,
            Value::Object(options) => options.get("targetOrigin")?.as_str()?.to_owned(),
            _ => return None,
        };
        cursor.space();
        cursor.eat(',');
        cursor.space();
        cursor.eat(')').then(|| Posted { message, target, recipient: recipient.to_owned() })
    }
}

struct Cursor<'a, 'b> {
    reader: &'b Reader<'a>,
    at: usize,
}

impl Cursor<'_, '_> {
    fn rest(&self) -> &str {
        self.reader.text.get(self.at..).unwrap_or_default()
    }

    fn space(&mut self) {
        loop {
            let rest = self.rest();
            let skip = rest.len() - rest.trim_start().len();
            self.at += skip;
            let rest = self.rest();
            let comment = if rest.starts_with("//") {
                rest.find('\n')
            } else if rest.starts_with("/*") {
                rest.find("*/").map(|end| end + 2)
            } else {
                return;
            };
            self.at += comment.unwrap_or(rest.len());
        }
    }

    fn eat(&mut self, c: char) -> bool {
        let there = self.rest().starts_with(c);
        self.at += if there { c.len_utf8() } else { 0 };
        there
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let there = self.rest().starts_with(word);
        self.at += if there { word.len() } else { 0 };
        there
    }

    fn name(&mut self) -> Option<String> {
        let rest = self.rest();
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$')))
            .unwrap_or(rest.len());
        let name = rest[..end].to_owned();
        self.at += end;
        (!name.is_empty()).then_some(name)
    }

    fn assigned(&mut self) -> Option<Known> {
        self.space();
        (self.eat('=') && !self.rest().starts_with('=')).then_some(())?;
        let value = self.value(0)?;
        self.space();
        // Anything that goes on from here computes.
        let ends = matches!(self.rest().chars().next(), None | Some(';' | ',' | '\n' | '}'));
        let line = self.reader.text[..self.at].ends_with('\n') || ends;
        let word = self.rest().starts_with(|c: char| c.is_alphabetic());
        (ends || line || word).then_some(value)
    }

    fn json(&mut self) -> Option<Value> {
        match self.value(0)? {
            Known::Json(value) => Some(value),
            Known::Element(_) => None,
        }
    }

    fn value(&mut self, depth: usize) -> Option<Known> {
        let mut value = self.part(depth)?;
        loop {
            self.space();
            if !self.rest().starts_with('+') || self.rest().starts_with("++") {
                return Some(value);
            }
            self.at += 1;
            let (Known::Json(Value::String(left)), Known::Json(Value::String(right))) =
                (&value, self.part(depth)?)
            else {
                return None;
            };
            value = Known::Json(Value::String(format!("{left}{right}")));
        }
    }

    fn part(&mut self, depth: usize) -> Option<Known> {
        if depth > 32 {
            return None;
        }
        self.space();
        let mut value = match self.rest().chars().next()? {
            '{' => Known::Json(self.object(depth)?),
            '[' => Known::Json(self.array(depth)?),
            '"' | '\'' | '`' => Known::Json(Value::String(self.string()?)),
            '(' => {
                self.at += 1;
                let value = self.value(depth + 1)?;
                self.space();
                self.eat(')').then_some(value)?
            }
            c if c.is_ascii_digit() || c == '-' => Known::Json(self.number()?),
            _ => self.named(depth)?,
        };
        while self.rest().starts_with('.') {
            self.at += 1;
            let member = self.name()?;
            value = match value {
                Known::Element(text)
                    if matches!(&*member, "textContent" | "innerText" | "innerHTML" | "text") =>
                {
                    Known::Json(Value::String(text))
                }
                Known::Json(Value::Object(object)) => Known::Json(object.get(&member)?.clone()),
                _ => return None,
            };
        }
        Some(value)
    }

    fn named(&mut self, depth: usize) -> Option<Known> {
        if self.eat_word("JSON.parse(") {
            let Known::Json(Value::String(text)) = self.value(depth + 1)? else { return None };
            self.space();
            return self.eat(')').then(|| serde_json::from_str(&text).ok().map(Known::Json))?;
        }
        if self.eat_word("JSON.stringify(") {
            let Known::Json(value) = self.value(depth + 1)? else { return None };
            self.space();
            return self.eat(')').then(|| Known::Json(Value::String(value.to_string())));
        }
        if self.eat_word("document.getElementById(") || self.eat_word("document.querySelector(") {
            let id = self.string()?;
            self.space();
            let text = *self.reader.elements.get(id.trim_start_matches('#'))?;
            return self.eat(')').then(|| Known::Element(text.to_owned()));
        }
        match &*self.name()? {
            "true" => Some(Known::Json(true.into())),
            "false" => Some(Known::Json(false.into())),
            "null" => Some(Known::Json(Value::Null)),
            name => self.reader.named(name),
        }
    }

    fn object(&mut self, depth: usize) -> Option<Value> {
        self.at += 1;
        let mut object = Map::new();
        loop {
            self.space();
            if self.eat('}') {
                return Some(Value::Object(object));
            }
            let quoted = self.rest().starts_with(['"', '\'']);
            let key = if quoted { self.string()? } else { self.name()? };
            self.space();
            let value = if self.eat(':') {
                match self.value(depth + 1)? {
                    Known::Json(value) => value,
                    Known::Element(_) => return None,
                }
            } else {
                // `{ message }`
                match self.reader.named(&key)? {
                    Known::Json(value) if !quoted => value,
                    _ => return None,
                }
            };
            object.insert(key, value);
            self.space();
            if !self.eat(',') && !self.rest().starts_with('}') {
                return None;
            }
        }
    }

    fn array(&mut self, depth: usize) -> Option<Value> {
        self.at += 1;
        let mut array = Vec::new();
        loop {
            self.space();
            if self.eat(']') {
                return Some(Value::Array(array));
            }
            let Known::Json(value) = self.value(depth + 1)? else { return None };
            array.push(value);
            self.space();
            if !self.eat(',') && !self.rest().starts_with(']') {
                return None;
            }
        }
    }

    fn number(&mut self) -> Option<Value> {
        let rest = self.rest();
        let end = rest
            .find(|c: char| !(c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E')))
            .unwrap_or(rest.len());
        let value = serde_json::from_str(&rest[..end]).ok()?;
        self.at += end;
        Some(value)
    }

    fn string(&mut self) -> Option<String> {
        self.space();
        let quote = self.rest().chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
        let mut text = Vec::<u16>::new();
        let mut chars = self.rest()[1..].char_indices();
        let put = |text: &mut Vec<u16>, c: char| text.extend(c.encode_utf16(&mut [0; 2]).iter());
        while let Some((at, c)) = chars.next() {
            match c {
                c if c == quote => {
                    self.at += 1 + at + 1;
                    return String::from_utf16(&text).ok();
                }
                '$' if quote == '`' => return None,
                '\n' if quote != '`' => return None,
                '\\' => match chars.next()?.1 {
                    'n' => put(&mut text, '\n'),
                    't' => put(&mut text, '\t'),
                    'r' => put(&mut text, '\r'),
                    'b' => put(&mut text, '\u{8}'),
                    'f' => put(&mut text, '\u{c}'),
                    '0' => put(&mut text, '\0'),
                    escape @ ('u' | 'x') => {
                        let digits = if escape == 'u' { 4 } else { 2 };
                        let hex: String = chars.by_ref().take(digits).map(|(_, c)| c).collect();
                        text.push(u16::from_str_radix(&hex, 16).ok()?);
                    }
                    '\n' => {}
                    other => put(&mut text, other),
                },
                c => put(&mut text, c),
            }
        }
        None
    }
}
