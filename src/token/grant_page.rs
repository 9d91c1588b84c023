//! The grant page: in a viewer's visible frame, it asks for the use of cookies.

use std::sync::LazyLock;

use bytes::Bytes;
use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, VARY};
use http::{HeaderValue, Response, StatusCode};
use serde::Serialize;

use crate::core::Core;
use crate::page::{self, STYLE, csp_hash, data, html, lang};
use crate::protocol::Origin;
use crate::query;
use crate::respond;

const SCRIPT: &str = include_str!("request_access.js");

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Grant<'a> {
    target_origin: &'a str,
}

/// The page for the viewer that the query names, which may frame it and nobody else.
pub(super) fn answer(core: &Core, request_query: &str, accept_language: &str) -> Response<Bytes> {
    let origin = query::single(request_query, "origin").ok().flatten();
    let origin = origin.and_then(|origin| origin.parse::<Origin>().ok());
    let Some(origin) = origin.filter(|origin| !core.origins.refuses(origin)) else {
        let status = StatusCode::BAD_REQUEST;
        return page::Page::new(&core.texts.bad_request, accept_language).respond(status);
    };
    let texts = &core.texts;
    let host = origin.as_str().split_once("://").map_or("", |(_, host)| host);
    let fill = |text: &crate::LanguageMap| {
        let text = text.best(accept_language).replace("{viewer}", host);
        text.replace("{publisher}", core.public_url.host())
    };
    let element = |name: &str, text: &crate::LanguageMap| {
        format!("<{name}{}>{}</{name}>", lang(text, accept_language), html(&fill(text)))
    };
    let heading = texts.storage_access.heading();
    let note = texts.storage_access.note_text().map(|note| element("p", note));
    let body = format!(
        "<main>{}{}<p><button type=\"button\" id=\"grant\">{}</button></p></main>{}\
         <script>{SCRIPT}</script>",
        element("h1", heading),
        note.unwrap_or_default(),
        html(&fill(&texts.storage_access_button)),
        data("viewer", &Grant { target_origin: origin.as_str() }),
    );
    let body = page::seen(accept_language, &fill(heading), &body);
    let mut response = respond::text(StatusCode::OK, "text/html; charset=utf-8", body);
    let headers = response.headers_mut();
    // A click that grants something is not to be had by a page that hides this one.
    let policy = format!("{}; frame-ancestors {origin}", &*POLICY);
    if let Ok(policy) = HeaderValue::try_from(policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(VARY, HeaderValue::from_static("Accept-Language"));
    response
}

static POLICY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
        csp_hash(STYLE),
        csp_hash(SCRIPT)
    )
});
