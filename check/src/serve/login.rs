//! Access and logout services.

use std::collections::HashSet;

use http::{Method, StatusCode};

use super::items::Realm;
use super::model::{Answer, Asked, Model, Session, escape, page, respond, set};

/// Whoever is let in by the form.
pub(super) const ACCOUNT: (&str, &str) = ("reader", "reader");

pub(super) fn access(model: &Model, asked: &Asked, family: u8, realm: Realm) -> Answer {
    let origins = asked.all("origin");
    if !origins.is_empty() && model.is("access-opens") {
        return page(StatusCode::BAD_REQUEST, "Unknown parameter", "");
    }
    if origins.is_empty() && asked.method == Method::GET && model.is("access-without-origin") {
        return page(StatusCode::BAD_REQUEST, "Who asks?", "");
    }
    // Loaded ahead, nobody came.
    if !asked.header("sec-purpose").is_empty() && !model.is("access-speculation") {
        return page(StatusCode::SERVICE_UNAVAILABLE, "Not ahead of time", "");
    }
    let origin = origins.first().and_then(|origin| crate::http::origin(origin));
    let at_once = match realm {
        Realm::Kiosk => !model.is("kiosk-at-once"),
        Realm::Terms | Realm::Error(_) => family != 2 || model.is("access-gesture"),
        Realm::Login => model.is("access-gesture"),
        Realm::External => return page(StatusCode::NOT_FOUND, "Not there", ""),
    };
    if let Some(raw) = origins.first().filter(|_| model.is("access-escaped")) {
        return page(StatusCode::OK, "The Model Library", &format!("<p>For {raw}</p>"));
    }
    if model.is("browser-elsewhere") && asked.header("host").starts_with("127.0.0.1") {
        let mut answer = respond(StatusCode::FOUND, "text/plain", "");
        let other = model.base.replace("127.0.0.1", "localhost");
        set(&mut answer, "location", &format!("{other}/access/{family}/{}", realm.name()));
        return answer;
    }
    if realm == Realm::Kiosk && model.is("kiosk-button") {
        let button = "<button onclick=\"fetch('')\">Enter</button>";
        return page(StatusCode::OK, "The Model Library", button);
    }
    let answer = if asked.method == Method::POST {
        submitted(model, asked, realm)
    } else if at_once {
        granted(model, realm, origin)
    } else {
        form(realm, origin.as_deref(), "")
    };
    finish(model, answer)
}

fn finish(model: &Model, mut answer: Answer) -> Answer {
    if model.is("access-unframed") {
        answer.headers_mut().remove("content-security-policy");
    }
    if model.is("access-opener") {
        set(&mut answer, "cross-origin-opener-policy", "same-origin");
    }
    if model.is("access-cors") {
        set(&mut answer, "access-control-allow-credentials", "true");
    }
    answer
}

fn form(realm: Realm, origin: Option<&str>, wrong: &str) -> Answer {
    let origin = origin.map(|origin| {
        format!("<input type=\"hidden\" name=\"origin\" value=\"{}\">", escape(origin))
    });
    let fields = if realm == Realm::Login {
        "<label>Name <input name=\"user\" autocomplete=\"username\"></label>\
         <label>Password <input name=\"password\" type=\"password\"></label>"
    } else {
        "<p>For private study only.</p>"
    };
    let button = if realm == Realm::Login { "Log in" } else { "I agree" };
    let body = format!(
        "{wrong}<form method=\"post\">{}{fields}<button>{button}</button></form>",
        origin.unwrap_or_default()
    );
    let status = if wrong.is_empty() { StatusCode::OK } else { StatusCode::FORBIDDEN };
    page(status, "The Model Library", &body)
}

fn submitted(model: &Model, asked: &Asked, realm: Realm) -> Answer {
    let origin = asked.field("origin");
    let from = asked.header("sec-fetch-site");
    if !matches!(from, "" | "same-origin" | "none") {
        return page(StatusCode::FORBIDDEN, "Not from there", "");
    }
    let right = asked.field("user").as_deref() == Some(ACCOUNT.0)
        && asked.field("password").as_deref() == Some(ACCOUNT.1);
    if realm == Realm::Login && !right {
        return form(realm, origin.as_deref(), "<p>Name and password do not fit.</p>");
    }
    granted(model, realm, origin)
}

/// A new session, its cookie, and a page that closes its tab.
fn granted(model: &Model, realm: Realm, origin: Option<String>) -> Answer {
    let value = if model.is("session-fresh") {
        "5e55105e55105e55105e5510".to_owned()
    } else {
        model.secret()
    };
    let session = Session { realm, origins: HashSet::from_iter(origin), ended: false };
    model.state().sessions.insert(value.clone(), session);
    let close = if model.is("login-closes") { "" } else { "<script>window.close()</script>" };
    let mut answer =
        page(StatusCode::OK, "You are in", &format!("<p>You may close this tab.</p>{close}"));
    let path = if model.is("cookie-reaches") { "/token" } else { "/" };
    let secure = if model.is("cookie-third-party") {
        "SameSite=Lax; Secure"
    } else {
        "SameSite=None; Secure"
    };
    let path = if model.is("cookie-kept") { "/; Domain=elsewhere.example" } else { path };
    let only = if model.is("cookie-http-only") { "" } else { "; HttpOnly" };
    let part = if model.is("cookie-not-partitioned") { "; Partitioned" } else { "" };
    let age = if model.is("cookie-life") { 365 * 86_400 } else { 3600 };
    let cookie =
        format!("model-{}={value}; Path={path}; {secure}; Max-Age={age}{only}{part}", realm.name());
    set(&mut answer, "set-cookie", &cookie);
    answer
}

/// Another way in, which no service names.
pub(super) fn outside(model: &Model, asked: &Asked) -> Answer {
    if asked.method == Method::POST {
        granted(model, Realm::External, None)
    } else {
        form(Realm::External, None, "")
    }
}

pub(super) fn logout(model: &Model, asked: &Asked, realm: Realm) -> Answer {
    if model.is("logout-page") {
        return respond(StatusCode::METHOD_NOT_ALLOWED, "text/plain", "");
    }
    if !asked.header("sec-purpose").is_empty() {
        return page(StatusCode::SERVICE_UNAVAILABLE, "Not ahead of time", "");
    }
    if let Some(value) = model.cookie(asked, realm) {
        if let Some(session) = model.state().sessions.get_mut(&value) {
            session.ended = true;
        }
    }
    let mut answer = page(
        StatusCode::OK,
        "You are out",
        "<p>You may close this tab.</p><script>window.close()</script>",
    );
    if !model.is("logout-deletes") {
        let path = if model.is("cookie-reaches") { "/token" } else { "/" };
        let cookie = format!(
            "model-{}=; Path={path}; SameSite=None; Secure; HttpOnly; Max-Age=0",
            realm.name()
        );
        set(&mut answer, "set-cookie", &cookie);
    }
    answer
}
