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
use crate::config::Login;

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

    fn text(self) -> LanguageMap {
        match self {
            Self::Wrong => words(
                "Name and password do not fit.",
                "Name und Passwort passen nicht.",
                "Nom et mot de passe ne correspondent pas.",
            ),
            Self::TooMany => words(
                "Too many wrong passwords. Please try again in ten minutes.",
                "Zu viele falsche Passwörter. Bitte versuchen Sie es in zehn Minuten wieder.",
                "Trop de mots de passe erronés. Veuillez réessayer dans dix minutes.",
            ),
            Self::Busy => words(
                "Please try again in a moment.",
                "Bitte versuchen Sie es gleich noch einmal.",
                "Veuillez réessayer dans un instant.",
            ),
        }
    }
}

fn words(english: &str, german: &str, french: &str) -> LanguageMap {
    LanguageMap::new("en", english).with("de", german).with("fr", french)
}

pub(super) fn form(
    login: &Login,
    headers: &HeaderMap,
    flow: Option<&AccessFlow>,
    fault: Option<Fault>,
) -> Response<Body> {
    let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let accepted = accepted.unwrap_or_default();
    let html = html(login, accepted, flow, fault);
    let mut response = Response::new(boxed(Full::new(Bytes::from(html))));
    *response.status_mut() = fault.map_or(StatusCode::OK, Fault::status);
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

fn html(login: &Login, accepted: &str, flow: Option<&AccessFlow>, fault: Option<Fault>) -> String {
    let say = |english, german, french| words(english, german, french).best(accepted);
    let button = say("Log in", "Anmelden", "Se connecter");
    let language = words("", "", "");
    let language = language.best_language(accepted).unwrap_or("en");
    let viewer = flow.and_then(AccessFlow::viewer).map_or_else(String::new, |origin| {
        let text = say("to continue to", "weiter zu", "pour continuer vers");
        format!("<p>{text} <strong>{}</strong></p>", escape(origin.as_str()))
    });
    let script = flow.and_then(AccessFlow::hand_off_script).map_or_else(String::new, |path| {
        format!("<script src=\"{}\" defer></script>", escape(path))
    });
    let fault = fault.map_or_else(String::new, |fault| {
        format!("<p class=\"fault\" role=\"alert\">{}</p>", escape(&fault.text().best(accepted)))
    });
    let known = match flow.and_then(AccessFlow::session) {
        Some(_) => format!(
            "<form method=\"post\" data-hand-off><p>{}</p><button name=\"action\" value=\"continue\">{}</button></form>\
             <p>{}</p>",
            say(
                "You are logged in already.",
                "Sie sind schon angemeldet.",
                "Vous êtes déjà connecté."
            ),
            say(
                "Continue with this account",
                "Mit diesem Konto weiter",
                "Continuer avec ce compte"
            ),
            say("or use another account:", "oder ein anderes Konto:", "ou un autre compte :"),
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
        label = escape(&login.label.best(accepted)),
        name = say("Name", "Name", "Nom"),
        password = say("Password", "Passwort", "Mot de passe"),
        cancel = say("Cancel", "Abbrechen", "Annuler"),
    )
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
        let english = html(&login, "", None, Some(Fault::Wrong));
        assert!(
            english.contains("<h1>A &amp; B &lt;script&gt;</h1>") && !english.contains("<script")
        );
        assert!(english.contains("lang=\"en\"") && english.contains("do not fit"));
        let german = html(&login, "de-AT, en;q=0.5", None, Some(Fault::Wrong));
        assert!(german.contains("lang=\"de\"") && german.contains("Bücherei"));
        assert!(german.contains("passen nicht"));
    }
}
