//! What a token page posts, read without a browser.
//!
//! A page is read when its script is plain: a literal, a constant, or data beside the script. Anything
//! else is [`Reading::Unclear`]: only a browser can tell.

mod reader;

use serde_json::Value;

use crate::html::Page;
use reader::Reader;

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

/// Who gets a message, as browsers read its target (HTML, window post message steps).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Whoever frames the page.
    Anybody,
    /// A page of this web origin.
    Origin(String),
    /// The page's own origin; or no page at all, as the target is none.
    Nobody,
}

impl Posted {
    pub(crate) fn reach(&self) -> Reach {
        match &*self.target {
            "*" => Reach::Anybody,
            target => crate::http::origin(target).map_or(Reach::Nobody, Reach::Origin),
        }
    }

    /// The error that it names, of any family.
    pub(crate) fn error(&self) -> &str {
        let error = self.message.get("profile").or_else(|| self.message.get("error"));
        error.and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether it says that this request, or this origin, gets nothing.
    pub(crate) fn refuses(&self) -> bool {
        matches!(self.error(), "invalidOrigin" | "invalidRequest")
    }
}

/// Longer scripts are no token page's, and would take long to read.
const SCRIPT: usize = 256 << 10;
pub(crate) fn read(page: &Page) -> Reading {
    let running: Vec<_> = page.scripts.iter().filter(|script| script.runs()).collect();
    let elsewhere = running.iter().any(|script| script.src.is_some());
    let text: String =
        running.iter().map(|script| script.text.as_str()).collect::<Vec<_>>().join("\n;\n");
    if text.len() > SCRIPT {
        return Reading::Unclear("its script is too long to be read");
    }
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

    /// A page of a few lines must not fill the memory of who reads it.
    #[test]
    fn values_do_not_grow_without_end() {
        let begin = std::time::Instant::now();
        let doubled = |first: &str, more: fn(char, char) -> String| {
            let names: Vec<char> = ('a'..='z').chain('A'..='Z').collect();
            let lines: String =
                names.windows(2).map(|pair| more(pair[0], pair[1])).collect::<Vec<_>>().concat();
            format!(
                "<script>var a = {first};{lines}parent.postMessage(Z, 'https://v.example')</script>"
            )
        };
        for html in [
            doubled("'xxxxxxxx'", |from, to| format!("var {to} = {from} + {from};")),
            doubled("{x: 1}", |from, to| format!("var {to} = {{p: {from}, q: {from}}};")),
            doubled("[1]", |from, to| format!("var {to} = [{from}, {from}, {from}];")),
            format!("<script>{}parent.postMessage(1, '*')</script>", "const {".repeat(30_000)),
            format!("<script>parent.postMessage({}</script>", "a + ".repeat(30_000)),
            format!("<script>{}parent.postMessage(1, '*')</script>", " ".repeat(SCRIPT)),
        ] {
            let read = reading(&html);
            assert!(matches!(read, Reading::Unclear(_) | Reading::Posted(_)), "{read:?}");
        }
        assert!(begin.elapsed() < std::time::Duration::from_secs(10), "{:?}", begin.elapsed());
    }

    /// OR-01, OR-05: targets as browsers take them.
    #[test]
    fn targets_reach_whom_browsers_let_them_reach() {
        let reach = |target: &str| {
            let target = target.to_owned();
            Posted { message: Value::Null, target, recipient: String::new() }.reach()
        };
        let to = |origin: &str| Reach::Origin(origin.to_owned());
        for (target, whom) in [
            ("*", Reach::Anybody),
            ("/", Reach::Nobody),
            ("null", Reach::Nobody),
            ("None", Reach::Nobody),
            ("javascript:alert(1)", Reach::Nobody),
            ("file:///", Reach::Nobody),
            ("https://V.example:443/page?x", to("https://v.example")),
            ("https://v.example@evil.example", to("https://evil.example")),
            ("https://evil.example\\@v.example", to("https://evil.example")),
            ("https://b\u{fc}cher.example", to("https://xn--bcher-kva.example")),
        ] {
            assert_eq!(reach(target), whom, "{target}");
        }
    }

    #[test]
    fn strings_and_openers_are_told_apart() {
        let page = "<script>window.opener.postMessage(JSON.stringify({a: 1}), '*')</script>";
        let Reading::Posted(posted) = reading(page) else { panic!("posted") };
        assert_eq!((posted.recipient.as_str(), posted.target.as_str()), ("opener", "*"));
        assert_eq!(posted.message, json!("{\"a\":1}"));
    }
}
