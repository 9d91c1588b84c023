//! Pictures, files and info.json.

use std::fmt::Write as _;

use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::json;

use super::items::{self, Base, Item, Kind, More};
use super::model::{Answer, Asked, Model, allow, json, page, preflight, respond, set};

const PICTURE: &[u8] = include_bytes!("../../assets/picture.jpg");
const FILM: &[u8] = include_bytes!("../../assets/film.webm");

pub(super) fn image(
    model: &Model,
    asked: &Asked,
    base: &'static Base,
    item: &Item,
    rest: &[&str],
) -> Answer {
    if item.kind != Kind::Image {
        return page(StatusCode::NOT_FOUND, "Not there", "");
    }
    match rest {
        [] => see_other(&format!("{}/iiif/{}/{}/info.json", model.base, base.name, item.name)),
        ["info.json"] => description(model, asked, base, item),
        [_, _, "0", "default.jpg"] => bytes(model, asked, item),
        _ => model_stray(model, asked),
    }
}

fn model_stray(model: &Model, asked: &Asked) -> Answer {
    stray(model, asked).unwrap_or_else(|| page(StatusCode::NOT_FOUND, "Not there", ""))
}

fn see_other(to: &str) -> Answer {
    let mut answer = respond(StatusCode::SEE_OTHER, "text/plain", "");
    set(&mut answer, "location", to);
    allow(&mut answer);
    answer
}

fn description(model: &Model, asked: &Asked, base: &'static Base, item: &Item) -> Answer {
    if asked.method == Method::OPTIONS {
        if model.is("info-preflight") {
            return respond(StatusCode::UNAUTHORIZED, "text/plain", "");
        }
        return preflight();
    }
    let open = item.realm.is_none();
    let granted = base.family == 2
        || open
        || super::probe::by_token(model, asked, base.family, item).is_some();
    if model.is("undefined-token") && asked.headers.contains_key("authorization") {
        return respond(StatusCode::BAD_REQUEST, "text/plain", "");
    }
    let forbidden = granted
        && base.family != 2
        && item.more == More::Forbidden
        && !model.is("description-agrees");
    let granted = granted && !forbidden && (open || !model.is("description-opens"));
    if !granted && item.more == More::Tiers {
        let host = if model.is("tier-origin") {
            model.base.replace("127.0.0.1", "localhost")
        } else {
            model.base.clone()
        };
        let mut answer = respond(StatusCode::FOUND, "text/plain", "");
        set(&mut answer, "location", &format!("{host}/iiif/{}/tiered-small/info.json", base.name));
        allow(&mut answer);
        return answer;
    }
    let mut status = if granted { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
    let mut info = model.info(base, item);
    if model.is("description-open") || (model.is("tier-open") && item.name == "tiered-small") {
        status = StatusCode::UNAUTHORIZED;
    }
    // 0.9 has a status for those who are in and still may not.
    if forbidden && base.family == 0 && !model.is("description-forbidden") {
        status = StatusCode::FORBIDDEN;
    }
    if !granted && model.is("gated-status") {
        status = StatusCode::FORBIDDEN;
    }
    if !granted && model.is("gated-body") {
        info =
            json!({ "@context": info["@context"], "@id": info["@id"], "service": info["service"] });
    }
    if model.is("description-refused") && !open {
        let mut answer = page(StatusCode::UNAUTHORIZED, "Please log in", "");
        allow(&mut answer);
        return answer;
    }
    if !granted && model.is("gated-error-page") {
        let mut answer = page(status, "Please log in", "");
        allow(&mut answer);
        return answer;
    }
    let mut answer = json(status, &info);
    set(&mut answer, "cache-control", "no-store");
    if !model.is("info-cors") {
        allow(&mut answer);
    }
    if model.is("cors-once") {
        answer
            .headers_mut()
            .append("access-control-allow-origin", http::HeaderValue::from_static("*"));
    }
    answer
}

/// A picture or file, or why not.
pub(super) fn bytes(model: &Model, asked: &Asked, item: &Item) -> Answer {
    let head = asked.method == Method::HEAD;
    let method = asked.header("x-http-method-override");
    if asked.method == Method::OPTIONS {
        return preflight();
    }
    let mut status = model.decide(asked, item);
    if asked.method != Method::GET && !head {
        if !model.is("other-methods") {
            return respond(StatusCode::METHOD_NOT_ALLOWED, "text/plain", "");
        }
        status = StatusCode::OK;
    }
    let bearer = asked.header("authorization").strip_prefix("Bearer ").unwrap_or_default();
    let opened = (model.is("content-bearer") && !bearer.is_empty())
        || (model.is("token-opens-content") && model.state().tokens.contains_key(bearer))
        || (model.is("content-head") && head)
        || (model.is("content-range") && !asked.header("range").is_empty())
        || (model.is("other-methods") && !method.is_empty())
        || (model.is("forwarded-headers") && !asked.header("x-forwarded-uri").is_empty())
        || (model.is("forwarded-address") && asked.header("x-forwarded-for") == "10.0.0.1")
        || (model.is("alike-query")
            && asked.query.as_deref().is_some_and(|query| query.contains("info.json")));
    if opened {
        status = StatusCode::OK;
    }
    let mut answer = match status {
        StatusCode::OK => file(item),
        StatusCode::FOUND => {
            let mut answer = respond(status, "text/plain", "");
            set(
                &mut answer,
                "location",
                &format!("{}/iiif/3/open/full/max/0/default.jpg", model.base),
            );
            answer
        }
        status => page(status, "Not for everybody", "<p>Somebody has to be logged in.</p>"),
    };
    if status.is_success() && item.realm.is_some() {
        let cache = if model.is("content-private") {
            "public, max-age=3600"
        } else {
            "private, max-age=60"
        };
        set(&mut answer, "cache-control", cache);
    } else if !status.is_success() {
        set(&mut answer, "cache-control", "no-store");
        if model.is("content-refusal-cached") {
            set(&mut answer, "cache-control", "public, max-age=3600");
        }
        if model.is("content-refusal-tells") {
            set(&mut answer, "etag", "\"1\"");
        }
        if model.is("no-basic-dialogue") {
            set(&mut answer, "www-authenticate", "Basic realm=\"library\"");
        }
    }
    if !model.is("content-cors") {
        allow(&mut answer);
    }
    let origin = asked.header("origin");
    if model.is("content-credentialed") && !origin.is_empty() {
        set(&mut answer, "access-control-allow-origin", origin);
        set(&mut answer, "access-control-allow-credentials", "true");
    }
    // For viewers that ask with cookies and read: the ones that the session knows.
    if !origin.is_empty() && knows(model, asked, item, origin) {
        set(&mut answer, "access-control-allow-origin", origin);
        set(&mut answer, "access-control-allow-credentials", "true");
    }
    set(&mut answer, "vary", "Cookie, Origin");
    if model.is("content-corp") {
        set(&mut answer, "cross-origin-resource-policy", "same-origin");
    }
    answer
}

fn knows(model: &Model, asked: &Asked, item: &Item, origin: &str) -> bool {
    let session = item.realm.and_then(|realm| model.live(&model.cookie(asked, realm)?, realm));
    session.is_some_and(|value| {
        model.state().sessions.get(&value).is_some_and(|session| session.origins.contains(origin))
    })
}

fn file(item: &Item) -> Answer {
    let bytes = match item.kind {
        Kind::Image => Bytes::from_static(PICTURE),
        Kind::Film => Bytes::from_static(FILM),
        Kind::Sound => sound(),
        Kind::Document => document(),
    };
    respond(StatusCode::OK, item.kind.media_type(), bytes)
}

/// A second and a half of a tone, 8 bits at 8 kHz.
fn sound() -> Bytes {
    let samples: Vec<u8> = (0..12_000u32).map(|at| if at % 18 < 9 { 118 } else { 138 }).collect();
    let length = u32::try_from(samples.len()).unwrap_or_default();
    let mut wave = b"RIFF".to_vec();
    wave.extend((36 + length).to_le_bytes());
    wave.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wave.extend(8000u32.to_le_bytes());
    wave.extend(8000u32.to_le_bytes());
    wave.extend(b"\x01\0\x08\0data");
    wave.extend(length.to_le_bytes());
    wave.extend(samples);
    wave.into()
}

/// A page with one line.
fn document() -> Bytes {
    let text = "BT /F1 24 Tf 60 300 Td (A document of the Model Library) Tj ET";
    let objects = [
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        "<</Type/Pages/Kids[3 0 R]/Count 1>>".to_owned(),
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 512 512]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>".to_owned(),
        format!("<</Length {}>>stream\n{text}\nendstream", text.len()),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_owned(),
    ];
    let mut pdf = "%PDF-1.4\n".to_owned();
    let mut places = Vec::new();
    for (at, object) in objects.iter().enumerate() {
        places.push(format!("{:010} 00000 n \n", pdf.len()));
        let _ = writeln!(pdf, "{} 0 obj{object}endobj", at + 1);
    }
    let start = pdf.len();
    let table: String = places.concat();
    let _ = write!(
        pdf,
        "xref\n0 6\n0000000000 65535 f \n{table}trailer<</Size 6/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n"
    );
    pdf.into()
}

/// Where some servers find a picture after all. A right one does not look.
pub(super) fn stray(model: &Model, asked: &Asked) -> Option<Answer> {
    let mut path = asked.path.clone();
    if model.is("alike-dots") {
        path = undot(&path.replace("%2e", ".").replace("%2F", "/"));
    }
    if model.is("alike-slashes") {
        while path.contains("//") {
            path = path.replace("//", "/");
        }
    }
    if model.is("alike-encoding") {
        path = decoded(&path);
    }
    if model.is("alike-description") {
        path = path.replace("/info.json/", "/");
    }
    let original = asked.header("x-original-url");
    if model.is("forwarded-headers") && !original.is_empty() {
        original.clone_into(&mut path);
    }
    let query = asked.query.as_deref().unwrap_or_default();
    let named = query.strip_prefix("FIF=").and_then(|rest| rest.split('&').next());
    if let Some(item) = named.filter(|_| model.is("other-protocols")).and_then(items::find) {
        return Some(file(item));
    }
    if path == asked.path {
        return None;
    }
    let segments: Vec<_> = path.split('/').skip(1).collect();
    match &*segments {
        ["iiif", base, item, _, _, "0", "default.jpg"] if items::base(base).is_some() => {
            items::find(item).map(file)
        }
        _ => None,
    }
}

fn undot(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        if segment == ".." {
            kept.pop();
        } else if segment != "." {
            kept.push(segment);
        }
    }
    kept.join("/")
}

fn decoded(path: &str) -> String {
    let mut text = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        text.push_str(before);
        if let Some(byte) = after.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            text.push(char::from(byte));
            rest = &after[2..];
        } else {
            text.push('%');
            rest = after;
        }
    }
    text + rest
}
