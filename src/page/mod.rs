//! The crate's HTML pages: one frame, texts in the reader's language, no external asset.
//!
//! Style and script live in files of their own, are served inline, and are allowed by the hash of
//! the very bytes served.

mod document;
mod escape;

use std::fmt::Write as _;
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_FRAME_OPTIONS};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

pub(crate) use document::{DataPage, data, seen, unseen};
pub(crate) use escape::html;

use crate::protocol::{LanguageMap, Message};
use crate::respond;

pub(crate) const CROSS_ORIGIN_OPENER_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-opener-policy");

pub(crate) const STYLE: &str = include_str!("page.css");

/// Closes the tab.
static CLOSE: Script = Script::new(include_str!("close.js"));
/// Opens the helper window of the hand-off with the form.
static OPEN_HELPER: Script = Script::new(include_str!("../hand_off/open.js"));
/// Lets the helper window take what is in the page, and closes the tab.
static GIVE: Script = Script::new(include_str!("../hand_off/give.js"));

/// A script that is served inline, and the policy that allows it and no other.
struct Script {
    source: &'static str,
    policy: OnceLock<HeaderValue>,
}

impl Script {
    const fn new(source: &'static str) -> Self {
        Self { source, policy: OnceLock::new() }
    }

    fn policy(&self) -> HeaderValue {
        let policy = self.policy.get_or_init(|| {
            let policy = format!(
                "default-src 'none'; style-src {}; script-src {}; form-action 'self'; \
                 frame-ancestors 'none'; base-uri 'none'",
                csp_hash(STYLE),
                csp_hash(self.source)
            );
            HeaderValue::try_from(policy).expect("hashes are visible ASCII")
        });
        policy.clone()
    }
}

/// A page in the making.
pub(crate) struct Page<'a> {
    language: &'a str,
    title: String,
    body: String,
    script: Option<&'static Script>,
    /// The helper window that forms open with the click.
    helper: Option<&'a str>,
    /// Whether a helper window that is there may send its form.
    is_clicked: bool,
}

impl<'a> Page<'a> {
    /// A page with the heading and note of a message, for a reader who accepts `language`.
    pub(crate) fn new(message: &Message, language: &'a str) -> Self {
        let heading = message.heading();
        let title = heading.best(language);
        let mut body = format!("<h1{}>{}</h1>", lang(heading, language), html(&title));
        if let Some(note) = message.note_text() {
            let _ = write!(body, "<p{}>{}</p>", lang(note, language), html(&note.best(language)));
        }
        Self { language, title, body, script: None, helper: None, is_clicked: false }
    }

    /// Lets the forms that follow open this helper window, if any, with the click that sends them.
    pub(crate) fn opening_helper(mut self, path: Option<&'a str>) -> Self {
        self.helper = path;
        if path.is_some() {
            self.script = Some(&OPEN_HELPER);
        }
        self
    }

    /// Lets a helper window that the form before has opened send the forms that follow.
    pub(crate) fn after_a_click(mut self) -> Self {
        self.is_clicked = true;
        self
    }

    /// Adds a form that posts hidden fields and the button that was pressed to a path on this site.
    pub(crate) fn form(
        mut self,
        action: &str,
        hidden: &[(&str, &str)],
        buttons: &[Button<'_>],
    ) -> Self {
        let _ = write!(self.body, "<form method=\"post\" action=\"{}\"", html(action));
        if let Some(helper) = self.helper {
            let _ = write!(self.body, " data-hand-off=\"{}\"", html(helper));
            if self.is_clicked {
                self.body.push_str(" data-clicked");
            }
        }
        self.body.push('>');
        for (name, value) in hidden {
            let _ = write!(
                self.body,
                "<input type=\"hidden\" name=\"{}\" value=\"{}\">",
                html(name),
                html(value)
            );
        }
        for (index, button) in buttons.iter().enumerate() {
            let class = if index == 0 { "" } else { " class=\"quiet\"" };
            let _ = write!(
                self.body,
                "<button type=\"submit\" name=\"decision\" value=\"{}\"{class}>{}</button>",
                button.value,
                html(&button.text)
            );
        }
        self.body.push_str("</form>");
        self
    }

    /// Lets the page close its tab, with a button for browsers that do not let it.
    pub(crate) fn closing(mut self, close: &LanguageMap) -> Self {
        let _ = write!(
            self.body,
            "<p><button type=\"button\" id=\"close\">{}</button></p>",
            html(&close.best(self.language))
        );
        self.script = Some(&CLOSE);
        self
    }

    /// A page that closes its tab once the helper window has taken what is handed off.
    pub(crate) fn handing_off(
        mut self,
        close: &LanguageMap,
        handed: &impl serde::Serialize,
    ) -> Self {
        self = self.closing(close);
        self.body.push_str(&data("hand-off", handed));
        self.script = Some(&GIVE);
        self
    }

    /// The response, never stored, never framed, and with its tie to the viewer left whole.
    pub(crate) fn respond(self, status: StatusCode) -> Response<Bytes> {
        let script = self.script.map(|own| format!("<script>{}</script>", own.source));
        let script = script.unwrap_or_default();
        let body = format!("<main>{}</main>{script}", self.body);
        let body = seen(self.language, &self.title, &body);
        let mut response = respond::text(status, "text/html; charset=utf-8", body);
        let headers = response.headers_mut();
        headers.insert(CONTENT_SECURITY_POLICY, self.script.unwrap_or(&CLOSE).policy());
        headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        // With no referrer at all browsers would send `Origin: null` with our own forms.
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        keep_opener(headers);
        response
    }
}

/// A submit button: what it says and what it sends.
pub(crate) struct Button<'a> {
    pub(crate) value: &'a str,
    pub(crate) text: String,
}

/// A page with a message and nothing to do, without any script.
pub(crate) fn plain(status: StatusCode, message: &Message, headers: &HeaderMap) -> Response<Bytes> {
    Page::new(message, accept_language(headers)).respond(status)
}

/// Says aloud that the viewer may keep its handle on this tab: with any other policy it would see
/// the tab as closed at once (2.0 §3.3.1.1).
pub(crate) fn keep_opener(headers: &mut HeaderMap) {
    headers.insert(CROSS_ORIGIN_OPENER_POLICY, HeaderValue::from_static("unsafe-none"));
}

/// Keeps an answer that is not a page of ours out of frames, whatever its own policy says.
pub(crate) fn refuse_frames(headers: &mut HeaderMap) {
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.append(CONTENT_SECURITY_POLICY, HeaderValue::from_static("frame-ancestors 'none'"));
}

/// The reader's languages.
pub(crate) fn accept_language(headers: &HeaderMap) -> &str {
    headers
        .get(http::header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// The `lang` attribute for a text, where its language is known.
pub(crate) fn lang(text: &LanguageMap, accept: &str) -> String {
    text.best_language(accept).map_or_else(String::new, |tag| format!(" lang=\"{}\"", html(tag)))
}

/// `'sha256-…'` of a script or style, for a content security policy.
pub(crate) fn csp_hash(source: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, source.as_bytes());
    format!("'sha256-{}'", STANDARD.encode(digest))
}
