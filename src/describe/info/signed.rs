//! The description of an image service below a signed location: it names that place, and no services, as
//! nothing more is needed there.

use std::sync::Arc;

use bytes::Bytes;
use http::header::CACHE_CONTROL;
use http::response::Parts as ResponseParts;
use http::{HeaderValue, Response, StatusCode, Uri};

use super::super::answer::{busy, plain, undescribed};
use super::super::described::Described;
use super::super::headers;
use super::super::json::{self, Json, Node};
use super::super::long::off_worker;
use super::super::plan::{Plan, Relocated};
use super::super::sent::Sent;
use super::super::unpack::{codings, unpacked};
use crate::body::Share;
use crate::core::Core;
use crate::gate::Watch;
use crate::observe::Place;
use crate::resource::Resource;
use crate::signed::{self, no_referrer};

pub(in super::super) async fn course(
    core: Arc<Core>,
    capability: String,
    uri: Uri,
    whole: Resource<'static>,
) -> Plan {
    let watch = Watch::begin(&core, Place::SignedLocation);
    let located = signed::decide(&core, &capability, &whole, &whole, core.now()).await;
    let verdict = located.verdict;
    watch.decided(&core, &uri, &whole, (&verdict.decision).into(), &verdict.basis);
    match &verdict.decision {
        decision if decision.is_grant() => {
            let path = format!("{}/{capability}{}", core.endpoints.signed(), whole.path());
            Plan::Signed(Box::new(Relocated {
                id: core.public_url.join(&path),
                described: Described::information(&core, &whole, uri.path()),
            }))
        }
        crate::authorizer::Decision::Deny(denial) => Plan::Closed(denial.http_status()),
        // It is elsewhere now: the probe says where.
        _ => Plan::Closed(StatusCode::UNAUTHORIZED),
    }
}

/// The answer where it does not open.
pub(in super::super) fn closed(status: StatusCode) -> Response<Bytes> {
    let mut response = plain(status);
    no_referrer(response.headers_mut());
    response
}

/// The answer in place of the inner service's, whose whole body this is.
pub(in super::super) async fn respond(
    parts: ResponseParts,
    plan: Box<Relocated>,
    body: Bytes,
    share: Share,
) -> Response<Sent> {
    let (room, bytes) = (Arc::clone(share.room()), body.len());
    match off_worker(&room, bytes, move || answer(parts, &plan, &body, share)).await {
        Ok(response) => response,
        Err(error) => {
            crate::trace::failure("describer", &error);
            plain(StatusCode::INTERNAL_SERVER_ERROR).map(Sent::from)
        }
    }
}

fn answer(
    mut parts: ResponseParts,
    plan: &Relocated,
    body: &Bytes,
    mut share: Share,
) -> Response<Sent> {
    let Relocated { described, id } = plan;
    let longest = described.core.limits.info_bytes();
    let text = match unpacked(body, &codings(&parts.headers), longest) {
        Ok(text) => text,
        Err(reason) => return undescribed(described, reason).map(Sent::from),
    };
    let Some(document) = relocated(&text, id) else {
        return undescribed(described, "it is no JSON object").map(Sent::from);
    };
    headers::rewritten(&mut parts.headers, None);
    parts.headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    no_referrer(&mut parts.headers);
    if share.resize(document.len()) {
        Response::from_parts(parts, Sent::of(Bytes::from(document).into(), share))
    } else {
        busy(described).map(Sent::from)
    }
}

/// The document with this id, and not one byte besides.
fn relocated(body: &[u8], id: &str) -> Option<String> {
    let text = json::decode(body);
    let json = Json::parse(&text).filter(|json| json.is_object(Node::TOP))?;
    let id = serde_json::to_string(id).ok()?;
    let places: Vec<_> = json
        .children(Node::TOP)
        .filter(|member| json.name(*member).is_some_and(|name| name == "id" || name == "@id"))
        .map(|member| json.range(member))
        .collect();
    let mut named = String::with_capacity(text.len() + id.len());
    if places.is_empty() {
        let start = json.range(Node::TOP).start + 1;
        let comma = if json.children(Node::TOP).next().is_some() { "," } else { "" };
        named.push_str(&text[..start]);
        named.push_str("\"id\":");
        named.push_str(&id);
        named.push_str(comma);
        named.push_str(&text[start..]);
        return Some(named);
    }
    let mut done = 0;
    for place in places {
        named.push_str(&text[done..place.start]);
        named.push_str(&id);
        done = place.end;
    }
    named.push_str(&text[done..]);
    Some(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_alone_changes() {
        for (before, after) in [
            (r#"{"id":"a","width":8.0}"#, Some(r#"{"id":"n","width":8.0}"#)),
            (r#"{ "@id" : "a", "id": null}"#, Some(r#"{ "@id" : "n", "id": "n"}"#)),
            (r#"{"i\u0064":"a","id":"b"}"#, Some(r#"{"i\u0064":"n","id":"n"}"#)),
            (r#"{"x":{"id":"a"},"id":"b"}"#, Some(r#"{"x":{"id":"a"},"id":"n"}"#)),
            (r#"{"x":1}"#, Some(r#"{"id":"n","x":1}"#)),
            ("{}", Some(r#"{"id":"n"}"#)),
            ("[]", None),
            ("<html>", None),
        ] {
            assert_eq!(relocated(before.as_bytes(), "n").as_deref(), after, "{before}");
        }
    }
}
