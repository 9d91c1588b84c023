//! The page with the form.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{
    ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body_util::Full;
use tower_iiif_auth::LanguageMap;
use tower_iiif_auth::access::AccessFlow;

use crate::body::{Body, boxed};
use crate::config::{FormTexts, Login};

const STYLE: &str = include_str!("page.css");

/// Why the form is shown again.
#[derive(Clone, Copy)]
pub(super) enum Fault {
    Wrong,
    TooMany,
    Busy,
}

impl Fault {
    fn status(self) -> StatusCode {
        match self {
            Self::Wrong => StatusCode::FORBIDDEN,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn text(self, texts: &FormTexts) -> &LanguageMap {
        match self {
            Self::Wrong => &texts.login_wrong,
            Self::TooMany => &texts.login_too_many,
            Self::Busy => &texts.login_busy,
        }
    }
}

/// What is shown, and to whom.
pub(super) struct Page<'p> {
    pub(super) login: &'p Login,
    pub(super) texts: &'p FormTexts,
    pub(super) flow: Option<&'p AccessFlow>,
    pub(super) fault: Option<Fault>,
}

impl Page<'_> {
    pub(super) fn answer(&self, headers: &HeaderMap) -> Response<Body> {
        let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let html = self.html(accepted.unwrap_or_default());
        let mut response = Response::new(boxed(Full::new(Bytes::from(html))));
        *response.status_mut() = self.fault.map_or(StatusCode::OK, Fault::status);
        let style = STANDARD.encode(ring::digest::digest(&ring::digest::SHA256, STYLE.as_bytes()));
        let policy = format!(
            "default-src 'none'; script-src 'self'; style-src 'sha256-{style}'; form-action 'self'; \
             frame-ancestors 'none'; base-uri 'none'"
        );
        let headers = response.headers_mut();
        if let Ok(policy) = HeaderValue::try_from(policy) {
            headers.insert(CONTENT_SECURITY_POLICY, policy);
        }
        for (name, value) in [
            (CONTENT_TYPE, "text/html; charset=utf-8"),
            (CACHE_CONTROL, "no-store"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            // A form of this site is told by its Origin, which no-referrer would take away.
            (REFERRER_POLICY, "same-origin"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }

    fn html(&self, accepted: &str) -> String {
        let Self { login, texts, flow, fault } = self;
        let say = |text: &LanguageMap| escape(&text.best(accepted));
        let button = say(&texts.login_button);
        let language = escape(texts.login_button.best_language(accepted).unwrap_or("en"));
        let viewer = flow.and_then(AccessFlow::viewer).map_or_else(String::new, |origin| {
            let origin = escape(origin.as_str());
            format!("<p>{} <strong>{origin}</strong></p>", say(&texts.login_viewer))
        });
        let script = flow.and_then(AccessFlow::hand_off_script).map_or_else(String::new, |path| {
            format!("<script src=\"{}\" defer></script>", escape(path))
        });
        let fault = fault.map_or_else(String::new, |fault| {
            format!("<p class=\"fault\" role=\"alert\">{}</p>", say(fault.text(texts)))
        });
        let known = match flow.and_then(AccessFlow::session) {
            Some(_) => format!(
                "<form method=\"post\" data-hand-off><p>{}</p><button name=\"action\" value=\"continue\">{}</button></form>\
                 <p>{}</p>",
                say(&texts.login_known),
                say(&texts.login_same),
                say(&texts.login_other),
            ),
            None => String::new(),
        };
        format!(
            "<!doctype html><html lang=\"{language}\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <title>{button}: {label}</title><style>{STYLE}</style>{script}</head><body><main>\
             <h1>{label}</h1>{viewer}{fault}{known}<form method=\"post\" data-hand-off>\
             <label for=\"username\">{name}</label>\
             <input id=\"username\" name=\"username\" autocomplete=\"username\" autofocus required>\
             <label for=\"password\">{password}</label>\
             <input id=\"password\" name=\"password\" type=\"password\" \
             autocomplete=\"current-password\" required>\
             <p><button type=\"submit\">{button}</button> \
             <button class=\"quiet\" name=\"action\" value=\"cancel\" \
             data-hand-off=\"no\" formnovalidate>{cancel}</button></p>\
             </form></main></body></html>",
            label = say(&login.label),
            name = say(&texts.login_name),
            password = say(&texts.login_password),
            cancel = say(&texts.login_cancel),
        )
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::LoginKind;
    use tower_iiif_auth::aspect::TrustedHeader;

    #[test]
    fn the_institution_is_no_markup_and_the_reader_s_language_is_spoken() {
        let header = Box::new(TrustedHeader::new("x-user", ["127.0.0.1"]).unwrap());
        let kind = LoginKind::SingleSignOn { header, names: vec![] };
        let label = LanguageMap::new("en", "A & B <script>").with("de", "Bücherei");
        let renamed = std::collections::HashMap::new();
        let login = Login { path: "/auth/login".into(), label, kind, renamed };
        let texts = FormTexts::default();
        let page = Page { login: &login, texts: &texts, flow: None, fault: Some(Fault::Wrong) };
        let english = page.html("");
        assert!(
            english.contains("<h1>A &amp; B &lt;script&gt;</h1>") && !english.contains("<script")
        );
        assert!(english.contains("lang=\"en\"") && english.contains("do not fit"));
        let german = page.html("de-AT, en;q=0.5");
        assert!(german.contains("lang=\"de\"") && german.contains("Bücherei"));
        assert!(german.contains("passen nicht"));
    }
}
