//! Token services.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::describe::AUTH;
use super::items::Realm;
use super::model::{Answer, Asked, Model, page, respond, set};

/// Why there is no token, in the words of 2.0.
type Refusal = &'static str;

pub(super) fn answer(model: &Model, asked: &Asked, family: u8, realm: Realm) -> Answer {
    if asked.method != Method::GET && asked.method != Method::HEAD {
        return respond(StatusCode::METHOD_NOT_ALLOWED, "text/plain", "");
    }
    let ids = asked.all("messageId");
    if family != 2 && ids.is_empty() {
        return bare(model, asked, family, realm);
    }
    let Some(target) = target(model, asked) else {
        if model.is("token-refusal") && !asked.all("origin").is_empty() {
            return post(model, &message(model, family, &Err("invalidOrigin")), "*", "");
        }
        // Nobody is there to be told.
        return page(
            StatusCode::BAD_REQUEST,
            "No origin",
            "<p>The origin parameter has to name a web origin.</p>",
        );
    };
    let id = ids.first().cloned().unwrap_or_default();
    let outcome = refuse(model, asked, &ids, &target)
        .map_or_else(|| grant(model, asked, family, realm, &target), Err);
    if outcome == Err("missingAspect") {
        if model.is("token-page") {
            return respond(StatusCode::UNAUTHORIZED, "text/html", "<p>Please log in</p>");
        }
        if model.is("token-redirects") {
            let mut answer = respond(StatusCode::FOUND, "text/plain", "");
            set(&mut answer, "location", &format!("{}/access/2/login", model.base));
            return answer;
        }
        if model.is("token-in-json") {
            return super::model::json(StatusCode::OK, &json!({ "error": "missingCredentials" }));
        }
    }
    if ids.is_empty() && model.is("token-without-id") {
        return page(StatusCode::OK, "No messageId", "");
    }
    let mut message = message(model, family, &outcome);
    message["messageId"] = id.clone().into();
    if let (true, Ok(number)) = (model.is("token-message-id"), id.parse::<u64>()) {
        message["messageId"] = number.into();
    }
    post(model, &message, &target, &id)
}

fn target(model: &Model, asked: &Asked) -> Option<String> {
    let origins = asked.all("origin");
    if model.is("token-header") && origins.iter().any(|origin| origin.contains('\r')) {
        return origins.first().cloned();
    }
    let anything = model.is("token-origins") && origins.first().is_some_and(|origin| origin != "*");
    if anything || (model.is("token-star") && origins.first().is_some_and(|origin| origin == "*")) {
        return origins.first().cloned();
    }
    if origins.is_empty() && model.is("token-without-origin") {
        return Some("*".to_owned());
    }
    if model.is("token-disguise-twice") && origins.len() > 1 {
        return origins.last().cloned();
    }
    let [origin] = &*origins else { return None };
    let raw = asked.query.as_deref().unwrap_or_default().contains("origin=https://");
    if raw && model.is("token-origin-raw") {
        return None;
    }
    if model.is("token-origin-astray") && origin != "*" && crate::http::origin(origin).is_none() {
        return Some("*".to_owned());
    }
    // A URL with a path is no origin; nor is one that a parser first has to mend.
    let url = url::Url::parse(origin).ok()?;
    let plain =
        !origin.contains(|c: char| c.is_control() || c.is_whitespace() || "?#@".contains(c));
    let web = matches!(url.scheme(), "http" | "https") && url.path() == "/" && plain;
    web.then(|| crate::http::origin(origin))?
}

fn refuse(model: &Model, asked: &Asked, ids: &[String], target: &str) -> Option<Refusal> {
    let slash = asked.all("origin").first().is_some_and(|origin| origin.ends_with('/'));
    let known = |(key, _): (std::borrow::Cow<'_, str>, _)| matches!(&*key, "messageId" | "origin");
    let all_known = || {
        url::form_urlencoded::parse(asked.query.as_deref().unwrap_or_default().as_bytes())
            .all(known)
    };
    if ids.is_empty()
        || (ids.len() > 1 && !model.is("token-repeated"))
        || (model.is("token-parameters") && !all_known())
    {
        Some("invalidRequest")
    } else if slash
        && target != "/"
        && (model.is("token-origin-slash") || model.is("token-origin-form"))
    {
        Some("invalidOrigin")
    } else {
        None
    }
}

/// A token for the session of the request's cookie.
fn grant(
    model: &Model,
    asked: &Asked,
    family: u8,
    realm: Realm,
    target: &str,
) -> Result<String, Refusal> {
    let cookie = model.cookie(asked, realm).filter(|_| !model.is("login-leads-in"));
    let cookie = cookie.ok_or("missingAspect")?;
    let revived =
        model.is("logout-ends-token-service") && model.state().sessions.contains_key(&cookie);
    let live = if revived { Some(cookie.clone()) } else { model.live(&cookie, realm) };
    let live =
        live.ok_or(if model.is("token-bad-cookie") { "missingAspect" } else { "invalidAspect" })?;
    if let Realm::Error(error) = realm {
        return Err(error);
    }
    let bound = {
        let state = model.state();
        let origins = state.sessions.get(&live).map(|session| &session.origins);
        origins.is_none_or(|origins| {
            origins.is_empty() || target.is_empty() || is_one_of(model, asked, target, origins)
        })
    };
    if !bound {
        return Err(if model.is("token-other-origin") { "missingAspect" } else { "invalidOrigin" });
    }
    let mut token = model.secret();
    if model.is("token-characters") {
        token.push('%');
    }
    if model.is("token-is-no-cookie") {
        token.clone_from(&live);
    }
    if model.is("token-opaque") {
        token =
            format!("{}.{token}", URL_SAFE_NO_PAD.encode(r#"{"sub":"reader","roles":["reader"]}"#));
    }
    model.state().tokens.insert(token.clone(), (live, family));
    Ok(token)
}

/// Whether the login was for this origin.
fn is_one_of(model: &Model, asked: &Asked, target: &str, origins: &HashSet<String>) -> bool {
    let any = |is: &dyn Fn(&str) -> bool| origins.iter().any(|origin| is(origin));
    let bound = model.is("token-slash-bound") || model.is("token-form-bound");
    if bound && asked.all("origin").iter().any(|all| all.ends_with('/')) {
        return false;
    }
    origins.contains(target)
        || (model.is("token-disguise") && any(&|origin| target.starts_with(origin)))
        || (model.is("token-disguise-end")
            && any(&|origin| target.ends_with(origin.trim_start_matches("https://"))))
        || (model.is("token-disguise-twice")
            && any(&|origin| asked.all("origin").first().is_some_and(|first| first == origin)))
}

fn message(model: &Model, family: u8, outcome: &Result<String, Refusal>) -> Value {
    if family != 2 {
        return older(model, family, outcome);
    }
    let text = |text: &str, german: &str| json!({ "en": [text], "de": [german] });
    let mut message = match outcome {
        Ok(token) => {
            json!({ "@context": AUTH, "type": "AuthAccessToken2", "accessToken": token, "expiresIn": 300 })
        }
        Err(profile) => json!({
            "@context": AUTH,
            "type": "AuthAccessTokenError2",
            "profile": profile,
            "heading": text("No token", "Kein Token"),
            "note": text("Perhaps your browser blocks third-party cookies.", "Vielleicht blockiert Ihr Browser Cookies von Drittanbietern."),
        }),
    };
    let remove = |message: &mut Value, key: &str| {
        message.as_object_mut().map(|members| members.remove(key));
    };
    if outcome.is_ok() {
        if model.is("token-object") {
            message["type"] = "AuthAccessTokenService2".into();
        }
        if model.is("token-expires-in") {
            message["expiresIn"] = "300".into();
        }
        return message;
    }
    if model.is("token-message") {
        remove(&mut message, "@context");
    }
    if message["profile"] == "missingAspect" {
        if model.is("token-error-profile") {
            message["profile"] = "missingCredentials".into();
        }
        if model.is("token-missing-aspect") {
            message["profile"] = "invalidAspect".into();
        }
    }
    if model.is("token-error-texts") {
        message["heading"] = "No token".into();
    }
    if model.is("token-error-without-token") {
        message["accessToken"] = Value::Null;
    }
    message
}

fn older(model: &Model, family: u8, outcome: &Result<String, Refusal>) -> Value {
    let mut message = match outcome {
        Ok(token) => {
            let mut message = json!({ "accessToken": token, "expiresIn": 300 });
            if family == 0 && !model.is("token-type-bearer") {
                message["tokenType"] = "Bearer".into();
            }
            message
        }
        Err(error) => json!({ "error": name(error), "description": "no token" }),
    };
    if model.is("older-error") && outcome == &Err("missingAspect") {
        message["error"] = "notLoggedIn".into();
    }
    if model.is("older-missing") && outcome == &Err("missingAspect") {
        message["error"] = "invalidCredentials".into();
    }
    if model.is("older-plain") {
        message["@context"] = AUTH.into();
    }
    message
}

fn name(error: Refusal) -> &'static str {
    match error {
        "missingAspect" => "missingCredentials",
        "invalidAspect" | "expiredAspect" => "invalidCredentials",
        other => other,
    }
}

/// 1.0 and 0.9 without a frame: JSON, with a status.
fn bare(model: &Model, asked: &Asked, family: u8, realm: Realm) -> Answer {
    let outcome = grant(model, asked, family, realm, "");
    let status = match outcome {
        Ok(_) => StatusCode::OK,
        Err("invalidOrigin") => StatusCode::FORBIDDEN,
        Err("unavailable") => StatusCode::SERVICE_UNAVAILABLE,
        Err(_) => StatusCode::UNAUTHORIZED,
    };
    if model.is("older-json") {
        return page(status, "messageId is missing", "");
    }
    let status = if model.is("older-json-status") { StatusCode::OK } else { status };
    let mut answer = super::model::json(status, &older(model, family, &outcome));
    set(&mut answer, "cache-control", "no-store");
    set(&mut answer, "x-content-type-options", "nosniff");
    answer
}

/// A page that posts the message to the frame's parent, and is seen by nobody.
fn post(model: &Model, message: &Value, target: &str, id: &str) -> Answer {
    let safe = |text: String| {
        if model.is("token-escaped") {
            return text;
        }
        text.replace('<', "\\u003c")
            .replace('>', "\\u003e")
            .replace('&', "\\u0026")
            .replace('\u{2028}', "\\u2028")
            .replace('\u{2029}', "\\u2029")
    };
    let mut object = safe(message.to_string());
    if model.is("message-as-string") {
        object = safe(Value::from(message.to_string()).to_string());
    }
    let target = if model.is("token-target") { "*" } else { target };
    let target = safe(Value::from(target).to_string());
    let parent = if model.is("token-recipient") { "opener" } else { "parent" };
    let raw = if model.is("token-escaped") { format!("<!-- {id} -->") } else { String::new() };
    let html = format!(
        "<!doctype html><html><head><meta charset=\"utf-8\"><title>Token</title></head><body>{raw}\
         <script>window.{parent}.postMessage({object}, {target});</script></body></html>"
    );
    let mut answer = respond(StatusCode::OK, "text/html; charset=utf-8", html);
    set(
        &mut answer,
        "cache-control",
        if model.is("token-no-store") { "max-age=60" } else { "no-store" },
    );
    if !model.is("token-nosniff") {
        set(&mut answer, "x-content-type-options", "nosniff");
    }
    if model.is("token-framed") {
        set(&mut answer, "x-frame-options", "SAMEORIGIN");
    }
    if model.is("token-ancestors") {
        set(&mut answer, "content-security-policy", "frame-ancestors 'self'");
    }
    if model.is("token-policy") {
        set(&mut answer, "content-security-policy", "default-src 'self'");
    }
    if model.is("browser-origin") {
        set(&mut answer, "content-security-policy", "sandbox allow-scripts");
    }
    if model.is("token-cors-none") {
        set(&mut answer, "access-control-allow-origin", "*");
    }
    if model.is("token-cors") {
        set(&mut answer, "access-control-allow-origin", "https://viewer.example");
        set(&mut answer, "access-control-allow-credentials", "true");
    }
    if model.is("token-header") && target.contains("Set-Cookie") {
        set(&mut answer, "set-cookie", "x=1");
    }
    answer
}
