//! Pages as a browser reads them.

use bytes::Bytes;
use html5gum::{DefaultEmitter, Error, Token, Tokenizer};
use http::Response;
use serde_json::Value;

use crate::common::steps::{hash, policy};
use crate::common::text;

/// An element that was begun: its name and attributes.
#[derive(Debug)]
pub struct Element {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    /// The text up to the next tag: all of a script, as nothing in one is a tag.
    pub text: String,
}

impl Element {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(own, _)| own == name).map(|(_, value)| &**value)
    }

    /// Whether a browser runs it (HTML 4.12.1: no type, a JavaScript type, or a module).
    fn is_executable(&self) -> bool {
        self.name == "script"
            && self.attribute("type").is_none_or(|kind| {
                let kind = kind.trim().to_ascii_lowercase();
                kind.is_empty() || kind == "module" || kind.contains("javascript")
            })
    }
}

/// Every element of a page, read by the tokenizer of the HTML standard.
pub fn elements(page: &Response<Bytes>) -> Vec<Element> {
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    let mut elements: Vec<Element> = Vec::new();
    let string = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    for token in Tokenizer::new_with_emitter(text(page), emitter) {
        match token.unwrap() {
            Token::StartTag(tag) => elements.push(Element {
                name: string(&tag.name),
                attributes: tag
                    .attributes
                    .iter()
                    .map(|(name, value)| (string(name), string(&value.value)))
                    .collect(),
                text: String::new(),
            }),
            Token::String(text) => {
                if let Some(last) = elements.last_mut() {
                    last.text.push_str(&string(&text.value));
                }
            }
            // Odd characters inside a string are parse errors without consequence.
            Token::Error(error)
                if matches!(
                    error.value,
                    Error::ControlCharacterInInputStream | Error::NoncharacterInInputStream
                ) => {}
            Token::Error(error) => panic!("{error:?} in {}", text(page)),
            Token::Comment(comment) => panic!("{comment:?} in {}", text(page)),
            Token::EndTag(_) | Token::Doctype(_) => {}
        }
    }
    elements
}

/// What the page posts and to whom, after a look at everything that a browser would run.
///
/// The page holds one executable script, allowed by the hash of its very bytes and by nothing
/// wider, and that script calls `postMessage` once, with what it reads from the data beside it.
pub fn posted(page: &Response<Bytes>) -> (Value, String) {
    let elements = elements(page);
    for element in &elements {
        let handler = |(name, _): &(String, String)| name.starts_with("on");
        assert!(!element.attributes.iter().any(handler), "{element:?}");
        let harmless = ["html", "head", "meta", "title", "body", "script"];
        assert!(harmless.contains(&&*element.name), "{element:?}");
        assert!(element.attribute("http-equiv").is_none(), "{element:?}");
    }
    let scripts: Vec<_> = elements.iter().filter(|own| own.is_executable()).collect();
    let [script] = scripts[..] else { panic!("{} scripts in {}", scripts.len(), text(page)) };
    assert!(script.attributes.is_empty(), "{script:?}");
    assert!(policy(page).contains(&hash(&script.text)), "{}", policy(page));
    assert!(!policy(page).contains("unsafe"), "{}", policy(page));
    assert_eq!(script.text.matches("postMessage").count(), 1);
    assert!(script.text.contains("window.parent.postMessage(message, targetOrigin)"));
    let data: Vec<_> = elements.iter().filter(|own| own.attribute("id") == Some("post")).collect();
    let [data] = data[..] else { panic!("{} data elements", data.len()) };
    assert_eq!((&*data.name, data.attribute("type")), ("script", Some("application/json")));
    let data: Value = serde_json::from_str(&data.text).unwrap();
    assert_eq!(data.as_object().unwrap().len(), 2);
    (data["message"].clone(), data["targetOrigin"].as_str().unwrap().to_owned())
}

/// ERR(profile): HTTP 200, posted to `target`, and no token.
#[track_caller]
pub fn assert_error(page: &Response<Bytes>, profile: &str, target: &str) -> Value {
    assert_eq!(page.status(), 200);
    let (message, posted_to) = posted(page);
    assert_eq!(message["type"], "AuthAccessTokenError2", "{message}");
    assert_eq!((message["profile"].as_str(), &*posted_to), (Some(profile), target), "{message}");
    assert!(message.get("accessToken").is_none(), "{message}");
    message
}

/// NOPOST: HTTP 400, static, without a script and without any of `parts` of the request.
#[track_caller]
pub fn assert_no_post(page: &Response<Bytes>, parts: &[&str]) {
    assert_eq!(page.status(), 400, "{page:?}");
    assert!(page.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    assert!(page.headers()["cache-control"].to_str().unwrap().contains("no-store"));
    assert!(!elements(page).iter().any(|element| element.name == "script"));
    let html = text(page);
    assert!(!html.to_ascii_lowercase().contains("<script"), "{html}");
    for part in parts {
        assert!(part.len() < 4 || !html.contains(part), "{part} in {html}");
    }
    for name in ["location", "set-cookie", "refresh", "link"] {
        assert!(!page.headers().contains_key(name), "{name} in {page:?}");
    }
}

/// Whether the page itself goes, or leads its reader, to another place than `site`.
#[track_caller]
pub fn assert_stays(page: &Response<Bytes>, site: &str) {
    if let Some(location) = page.headers().get("location") {
        let location = location.to_str().unwrap();
        assert!(location.starts_with(&format!("{site}/")), "{location}");
    }
    assert!(!page.headers().contains_key("refresh"), "{page:?}");
    if !page
        .headers()
        .get("content-type")
        .is_some_and(|own| own.as_bytes().starts_with(b"text/html"))
    {
        return;
    }
    for element in elements(page) {
        assert!(element.attribute("http-equiv").is_none(), "{element:?}");
        assert!(!["a", "iframe", "base", "object", "embed", "link"].contains(&&*element.name));
        for name in ["action", "formaction", "href", "src"] {
            if let Some(target) = element.attribute(name) {
                let local = target.starts_with('/') && !target.starts_with("//");
                assert!(local && !target.contains('\\'), "{element:?}");
            }
        }
        if element.is_executable() {
            assert!(!element.text.contains("location"), "{element:?}");
        }
    }
}
