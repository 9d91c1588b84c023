//! Short words for what most attacks need.

use bytes::Bytes;
use http::{Response, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

pub use crate::common::faults::{FAULTS, Fault, Store};
use crate::common::{BASE, COOKIE, Publisher, V, text};

/// The probe's path for an identifier below the image base.
pub fn probe(identifier: &str) -> String {
    format!("/iiif/3/{identifier}")
}

pub fn info(identifier: &str) -> String {
    format!("/iiif/3/{identifier}/info.json")
}

/// `__Host-iiif=…`
pub fn pair(cookie: &str) -> String {
    format!("{COOKIE}={cookie}")
}

pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// TOK: the token page for a query, with or without the access cookie.
pub async fn token_page(
    publisher: &Publisher,
    query: &str,
    cookie: Option<&str>,
) -> Response<Bytes> {
    let cookie = cookie.map(pair);
    let headers: Vec<_> = cookie.iter().map(|pair| ("cookie", pair.as_str())).collect();
    publisher.get(&format!("/auth/token?{query}"), &headers).await
}

/// The query of a well-behaved viewer.
pub fn query() -> String {
    format!("messageId=m1&origin={V}")
}

/// P(n): the status of a probe with this `Authorization` value.
pub async fn authorized(publisher: &Publisher, identifier: &str, value: &str) -> u64 {
    let result = publisher.probe(&probe(identifier), &[("authorization", value)]).await;
    status_of(&result)
}

pub fn status_of(result: &Value) -> u64 {
    assert_eq!(result["type"], "AuthProbeResult2");
    result["status"].as_u64().unwrap()
}

/// "ok": denied, 400 or 404, by us and without a byte of the image.
#[track_caller]
pub fn assert_kept(response: &Response<Bytes>, what: &str) {
    let status = response.status().as_u16();
    let headers = response.headers();
    // An image service as a whole leads to its description, whether or not it exists.
    let location = headers.get(header::LOCATION).map_or("", |value| value.to_str().unwrap());
    let described = status == 303 && location.starts_with(BASE) && location.ends_with("/info.json");
    assert!(described || [400, 401, 403, 404].contains(&status), "{what}: {response:?}");
    let cache = headers.get(header::CACHE_CONTROL).map(|value| value.to_str().unwrap());
    assert!(cache.is_some_and(|value| value.contains("no-store")), "{what}: {response:?}");
    for name in ["etag", "last-modified", "accept-ranges", "content-range", "www-authenticate"] {
        assert!(!headers.contains_key(name), "{what}: {name} in {response:?}");
    }
    assert!(!text(response).contains("image bytes"), "{what}");
}
