//! Answers to requests that are not let through.

use std::sync::LazyLock;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};

use crate::aspect::Head;
use crate::authorizer::Denial;
use crate::config::Texts;
use crate::page::accept_language;
use crate::protocol::Message;
use crate::resource::Refusal;
use crate::respond;

/// A denial: its status, and a line of text for whoever opens the address by hand.
pub(super) fn denied(denial: &Denial, head: &Head<'_>, texts: &Texts) -> Response<Bytes> {
    let status = denial.http_status();
    if is_grpc(head) {
        return grpc(status);
    }
    plain(status, lines(texts.of(denial), head), head)
}

/// A message in the reader's language, in a piece of memory that is just large enough.
fn lines(message: &Message, head: &Head<'_>) -> String {
    let language = accept_language(head.headers());
    let note = message.note_text().map(|note| note.best_lines(language));
    let lines = [Some(message.heading().best_lines(language)), note];
    let lines = || lines.into_iter().flatten();
    let size = lines().flatten().map(|line| line.len() + 1).sum();
    let mut text = String::with_capacity(size);
    for line in lines() {
        for (index, part) in line.iter().enumerate() {
            text.push_str(if index > 0 { " " } else { "" });
            text.push_str(part);
        }
        text.push('\n');
    }
    text
}

/// A path that names nothing for sure.
pub(super) fn path(why: Refusal, head: &Head<'_>) -> Response<Bytes> {
    if is_grpc(head) {
        return grpc(why.status());
    }
    let text = match why {
        Refusal::Ambiguous => {
            "This path can be read in more than one way, or asks for an image by a part that is none.\n"
        }
        Refusal::Unknown => "There is no such resource.\n",
        Refusal::Shape => {
            "There is no such image. Behind the base stands the identifier, as one path segment in which \
             each slash is written %2F, and behind that /info.json or \
             /{region}/{size}/{rotation}/{quality}.{format}.\n"
        }
        Refusal::TooLong => "The identifier is too long.\n",
        Refusal::Unavailable => "Not available at the moment.\n",
    };
    plain(why.status(), text, head)
}

/// A script that would watch over this site is not given out for that.
pub(super) fn service_worker() -> Response<Bytes> {
    let text = "No script of this place is a service worker.\n";
    let mut response = Response::new(Bytes::from_static(text.as_bytes()));
    *response.status_mut() = StatusCode::FORBIDDEN;
    *response.headers_mut() = HEADERS.clone();
    response
}

/// A redirect to an absolute URI.
pub(super) fn redirect(location: &str, status: StatusCode, head: &Head<'_>) -> Response<Bytes> {
    if is_grpc(head) {
        // gRPC knows no redirects: the call is not to be had here.
        return grpc(StatusCode::FORBIDDEN);
    }
    let mut response = respond::empty(status);
    match HeaderValue::try_from(location) {
        Ok(location) => response.headers_mut().insert(LOCATION, location),
        // An absolute URI prints as a header value; if one ever does not, nothing is given away.
        Err(_) => return respond::empty(StatusCode::INTERNAL_SERVER_ERROR),
    };
    finish(&mut response);
    response
}

/// The headers of a refusal in plain text: to copy them costs less than to put them together.
static HEADERS: LazyLock<HeaderMap> = LazyLock::new(|| {
    let text = "text/plain; charset=utf-8";
    let mut response = respond::text(StatusCode::UNAUTHORIZED, text, Bytes::new());
    finish(&mut response);
    response.into_parts().0.headers
});

/// A refusal in plain text.
fn plain(status: StatusCode, text: impl Into<Bytes>, head: &Head<'_>) -> Response<Bytes> {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    *response.headers_mut() = HEADERS.clone();
    respond::for_method(head.method(), response)
}

fn finish(response: &mut Response<Bytes>) {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(VARY, HeaderValue::from_static("Cookie"));
    respond::allow_any_origin(headers);
}

/// gRPC is always a POST (gRPC over HTTP/2). Asked for with that content type, an image is still an
/// image: its refusal must not be an empty 200.
fn is_grpc(head: &Head<'_>) -> bool {
    *head.method() == Method::POST
        && head
            .headers()
            .get(CONTENT_TYPE)
            .is_some_and(|content| content.as_bytes().starts_with(b"application/grpc"))
}

/// A trailers-only answer, which gRPC clients read as a status of their own.
fn grpc(status: StatusCode) -> Response<Bytes> {
    let code = match status.as_u16() {
        400 => "3",  // INVALID_ARGUMENT
        401 => "16", // UNAUTHENTICATED
        403 => "7",  // PERMISSION_DENIED
        404 => "5",  // NOT_FOUND
        _ => "14",   // UNAVAILABLE
    };
    let mut response = respond::empty(StatusCode::OK);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(HeaderName::from_static("grpc-status"), HeaderValue::from_static(code));
    finish(&mut response);
    response
}
