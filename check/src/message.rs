//! What a token page posts, read without a browser.
//!
//! A page is read when its script is plain: a literal, a constant, or data beside the script. Anything
//! else is [`Reading::Unclear`]: only a browser can tell.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::html::{Page, Script};

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Reading {
    /// No script posts anything.
    Nothing,
    Posted(Posted),
    Unclear(&'static str),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Posted {
    pub(crate) message: Value,
    pub(crate) target: String,
    /// `parent`, `opener`, `top`, or what stands there.
    pub(crate) recipient: String,
}

pub(crate) fn read(page: &Page) -> Reading {
    let running: Vec<_> = page.scripts.iter().filter(|script| script.runs()).collect();
    let elsewhere = running.iter().any(|script| script.src.is_some());
    let text: String =
        running.iter().map(|script| script.text.as_str()).collect::<Vec<_>>().join("\n;\n");
    let calls: Vec<_> = text.match_indices("postMessage(").map(|(at, _)| at).collect();
    if calls.is_empty() {
        let handled = page.handlers.iter().any(|handler| handler.contains("postMessage"));
        return if elsewhere {
            Reading::Unclear("its script is loaded from another file")
        } else if handled {
            Reading::Unclear("an event handler posts")
        } else {
            Reading::Nothing
        };
    }
    let reader = Reader::new(&text, &page.scripts);
    let mut posted: Vec<Posted> = Vec::new();
    for at in calls {
        let Some(call) = reader.call(at) else {
            return Reading::Unclear("its script computes what it posts");
        };
        if !posted.contains(&call) {
            posted.push(call);
        }
    }
    match posted.pop() {
        Some(call) if posted.is_empty() => Reading::Posted(call),
        _ => Reading::Unclear("its script posts in several places"),
    }
}

/// A value that a script names, as far as it can be known.
#[derive(Clone)]
enum Known {
    Json(Value),
    /// The text of an element of the page.
    Element(String),
}

struct Reader<'a> {
    text: &'a str,
    elements: HashMap<&'a str, &'a str>,
    names: HashMap<String, Known>,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, scripts: &'a [Script]) -> Self {
        let elements = scripts
            .iter()
            .filter_map(|script| Some((script.id.as_deref()?, script.text.as_str())))
            .collect();
        let mut reader = Self { text, elements, names: HashMap::new() };
        for keyword in ["const ", "let ", "var "] {
            for (at, _) in text.match_indices(keyword) {
                reader.declaration(at + keyword.len());
            }
        }
        reader
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
                    self.names.insert(name.trim().to_owned(), Known::Json(value.clone()));
                }
            }
        } else if let Some(name) = cursor.name() {
            if let Some(value) = cursor.assigned() {
                self.names.insert(name, value);
            }
        }
    }

    fn call(&self, at: usize) -> Option<Posted> {
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
            name => self.reader.names.get(name).cloned(),
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
                match self.reader.names.get(&key)? {
                    Known::Json(value) if !quoted => value.clone(),
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reading(html: &str) -> Reading {
        read(&crate::html::read(html))
    }

    #[test]
    fn plain_pages_are_read() {
        let expected = Reading::Posted(Posted {
            message: json!({"messageId": "a\"</", "accessToken": "t", "expiresIn": 300}),
            target: "https://v.example".into(),
            recipient: "parent".into(),
        });
        for script in [
            r#"window.parent.postMessage({"messageId": "a\"\u003c/", "accessToken": "t", "expiresIn": 300}, "https://v.example");"#,
            r#"parent.postMessage({messageId: 'a"\x3c/', 'accessToken': 't', expiresIn: 300,}, 'https://' + 'v.example')"#,
            "const m = {\"messageId\": \"a\\\"\\u003c/\", \"accessToken\": \"t\", \"expiresIn\": 300}\nvar o = `https://v.example`;\n// to it\nwindow.parent.postMessage(m, o);",
            r#"let m = JSON.parse('{"messageId": "a\\"\\u003c/", "accessToken": "t", "expiresIn": 300}'); window.parent.postMessage(m, {targetOrigin: "https://v.example"})"#,
        ] {
            assert_eq!(reading(&format!("<script>{script}</script>")), expected, "{script}");
        }
        let beside = r#"<script id="post" type="application/json">{"message": {"messageId": "a\"\u003c/", "accessToken": "t", "expiresIn": 300}, "targetOrigin": "https://v.example"}</script>
            <script>"use strict"; const { message, targetOrigin } = JSON.parse(document.getElementById("post").textContent);
            window.parent.postMessage(message, targetOrigin);</script>"#;
        assert_eq!(reading(beside), expected);
    }

    #[test]
    fn what_computes_is_unclear_and_what_posts_nothing_is_nothing() {
        for script in [
            "window.parent.postMessage(make(), 'https://v.example')",
            "fetch('/x').then(m => parent.postMessage(m, '*'))",
            "var o = location.hash || '*'; parent.postMessage({}, o)",
            "parent.postMessage({a: 1}, 'https://a.example'); parent.postMessage({a: 2}, 'https://a.example')",
            "const o = `https://${x}`; parent.postMessage({a: 1}, o)",
        ] {
            let html = format!("<script>{script}</script>");
            assert!(
                matches!(reading(&html), Reading::Unclear(_)),
                "{script}: {:?}",
                reading(&html)
            );
        }
        assert!(matches!(reading("<script src=x.js></script>"), Reading::Unclear(_)));
        assert_eq!(reading("<p>postMessage(</p><script>var a = 1</script>"), Reading::Nothing);
    }

    #[test]
    fn strings_and_openers_are_told_apart() {
        let page = "<script>window.opener.postMessage(JSON.stringify({a: 1}), '*')</script>";
        let Reading::Posted(posted) = reading(page) else { panic!("posted") };
        assert_eq!((posted.recipient.as_str(), posted.target.as_str()), ("opener", "*"));
        assert_eq!(posted.message, json!("{\"a\":1}"));
    }
}
