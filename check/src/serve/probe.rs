//! Probe services.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::describe::AUTH;
use super::items::{Item, More};
use super::model::{Answer, Asked, Model, allow, json, preflight, set};

fn text(english: &str, german: &str) -> Value {
    json!({ "en": [english], "de": [german] })
}

/// The session that the request's token stands for.
pub(super) fn by_token(model: &Model, asked: &Asked, family: u8, item: &Item) -> Option<String> {
    let realm = item.realm?;
    let header = asked.header("authorization");
    let (scheme, token) = header.split_once(' ')?;
    let scheme = if model.is("probe-scheme") {
        scheme == "Bearer"
    } else {
        scheme.eq_ignore_ascii_case("bearer")
            || (model.is("probe-bearer-only") && scheme == "Basic")
    };
    if !scheme {
        return None;
    }
    if model.is("cookie-is-no-token") {
        if let Some(live) = model.live(token, realm) {
            return Some(live);
        }
    }
    by_value(model, token, family, realm)
}

fn by_value(model: &Model, token: &str, family: u8, realm: super::items::Realm) -> Option<String> {
    let (session, of) = model.state().tokens.get(token).cloned()?;
    if model.is("probe-takes-token") && family == 2 {
        return None;
    }
    if model.is("logout-ends-tokens") {
        return Some(session);
    }
    (of == family).then(|| model.live(&session, realm))?
}

pub(super) fn answer(model: &Model, asked: &Asked, base: &str, item: &Item) -> Answer {
    if asked.method == Method::OPTIONS {
        let mut answer = preflight();
        if model.is("probe-preflight") {
            *answer.status_mut() = StatusCode::UNAUTHORIZED;
        }
        if model.is("preflight-star") {
            set(&mut answer, "access-control-allow-headers", "*");
        }
        return answer;
    }
    let token = by_token(model, asked, 2, item).is_some() || by_query(model, asked, item);
    let by_cookie = item.realm.is_some_and(|realm| {
        model.cookie(asked, realm).is_some_and(|value| model.live(&value, realm).is_some())
    });
    let junk = !asked.header("authorization").is_empty() && !token;
    let in_session = token || by_cookie || (junk && model.is("probe-opens-for-junk"));
    let mut status = model.status(item, in_session);
    if junk && model.is("probe-junk-token") {
        status = StatusCode::FORBIDDEN;
    }
    if status == StatusCode::UNAUTHORIZED && model.is("probe-status-401") {
        status = StatusCode::FORBIDDEN;
    }
    if status == StatusCode::UNAUTHORIZED && model.is("probe-agrees") {
        status = StatusCode::OK;
    }
    let mut result =
        json!({ "@context": AUTH, "type": "AuthProbeResult2", "status": status.as_u16() });
    let open = format!("{}/iiif/3/open/full/max/0/default.jpg", model.base);
    if status.is_redirection() {
        result["location"] = json!({ "id": open, "type": item.kind.name() });
        if model.is("probe-location") {
            result["location"] = open.clone().into();
        }
        if model.is("probe-location-type") {
            result["location"]["type"] = "Text".into();
        }
    }
    if model.is("location-beside-401") {
        result["location"] = json!({ "id": open, "type": item.kind.name() });
    }
    if status.as_u16() >= 400 && !model.is("probe-texts") {
        let (heading, note) = words(status);
        result["heading"] = heading;
        result["note"] = note;
    }
    if model.is("probe-maps") {
        result["heading"] = "Please log in".into();
    }
    let offered = item.more == More::Tiers && (!in_session || model.is("substitute-when-refused"));
    if offered {
        result["substitute"] = substitutes(model, base, item);
    }
    if model.is("probe-no-service") {
        result["service"] = json!([{ "id": format!("{}/access/2/login", model.base), "type": "AuthAccessService2" }]);
    }
    let mut answer = finish(model, result);
    if let (Some(session), true) = (by_token(model, asked, 2, item), model.is("probe-no-cookie")) {
        let name = item.realm.map_or("", super::items::Realm::name);
        set(
            &mut answer,
            "set-cookie",
            &format!("model-{name}={session}; Path=/; SameSite=None; Secure; HttpOnly"),
        );
    }
    answer
}

fn finish(model: &Model, mut result: Value) -> Answer {
    if model.is("probe-result") {
        result["status"] = result["status"].to_string().into();
    }
    if model.is("result-without-context") {
        result.as_object_mut().map(|members| members.remove("@context"));
    }
    let mut answer = json(StatusCode::OK, &result);
    if model.is("probe-http-200") {
        let status = u16::try_from(result["status"].as_u64().unwrap_or(401)).unwrap_or(401);
        *answer.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    }
    if !model.is("probe-cors") {
        allow(&mut answer);
    }
    if model.is("probe-credentials") {
        set(&mut answer, "access-control-allow-credentials", "true");
    }
    set(
        &mut answer,
        "cache-control",
        if model.is("probe-no-store") { "max-age=60" } else { "no-store" },
    );
    set(&mut answer, "vary", "Authorization, Cookie");
    if model.is("probe-media-type") {
        set(&mut answer, "content-type", "text/plain");
    }
    if model.is("probe-counts") {
        set(&mut answer, "set-cookie", "seen=1; Path=/; SameSite=None; Secure; HttpOnly");
    }
    answer
}

fn by_query(model: &Model, asked: &Asked, item: &Item) -> bool {
    let Some(realm) = item.realm.filter(|_| model.is("probe-query-token")) else { return false };
    asked.all("token").iter().any(|token| by_value(model, token, 2, realm).is_some())
}

fn words(status: StatusCode) -> (Value, Value) {
    match status.as_u16() {
        401 => (
            text("Please log in", "Bitte anmelden"),
            text(
                "Readers of the Model Library may see this.",
                "Leserinnen und Leser der Musterbibliothek dürfen dies sehen.",
            ),
        ),
        403 => (
            text("Not for you", "Nicht für Sie"),
            text("Nobody may see this.", "Das darf niemand sehen."),
        ),
        _ => (
            text("Out of order", "Außer Betrieb"),
            text("Please come back later.", "Bitte kommen Sie später wieder."),
        ),
    }
}

/// One for everybody, and one for whoever opens the kiosk.
fn substitutes(model: &Model, base: &str, item: &Item) -> Value {
    let picture = |name: &str| format!("{}/iiif/3/{name}/full/max/0/default.jpg", model.base);
    let kind = if model.is("substitute-type") { "Video" } else { item.kind.name() };
    let kiosk = super::items::find("kiosk").unwrap_or(item);
    let mut services = model.services(2, "3", kiosk, super::describe::Host::Info(3));
    if model.is("substitute-own-probe") {
        if let Some(service) = services.first_mut() {
            service["id"] = format!("{}/probe/{base}/{}", model.base, item.name).into();
        }
    }
    let mut small =
        json!({ "id": picture("tiered-small"), "type": kind, "label": text("Small", "Klein") });
    let middle = json!({ "id": picture("kiosk"), "type": item.kind.name(), "label": text("In the foyer", "Im Foyer"), "service": services });
    if model.is("substitute-label-map") {
        small["label"] = "Small".into();
    }
    if model.is("substitute-labels") {
        small.as_object_mut().map(|members| members.remove("label"));
    }
    if model.is("substitute-opens") {
        small["id"] = picture("login").into();
    }
    if model.is("substitute-own-uri") {
        small["id"] = format!("{}/iiif/{base}/{}", model.base, item.name).into();
    }
    if model.is("substitute-shape") { small } else { json!([small, middle]) }
}
