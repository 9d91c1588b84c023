//! What a client has asked a front for, as each front tells it. Nothing else in a question is believed: a
//! client's own headers come along with it.

use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};

use crate::config::Front;

const ORIGINAL_METHOD: HeaderName = HeaderName::from_static("x-original-method");
const FORWARDED_METHOD: HeaderName = HeaderName::from_static("x-forwarded-method");
const FORWARDED_URI: HeaderName = HeaderName::from_static("x-forwarded-uri");

/// The path and query of the question that a front was asked for; or why nothing of it is ever a yes.
pub(super) fn reading<B>(front: &Front, request: &Request<B>) -> Result<Uri, &'static str> {
    let headers = request.headers();
    let (is_read, uri) = match front {
        Front::Nginx => {
            let mut methods = headers.get_all(ORIGINAL_METHOD).iter();
            let is_read = match (methods.next(), methods.next()) {
                // It asks by GET and tells no other.
                (None, _) => true,
                (Some(method), None) => is_read(method),
                _ => false,
            };
            (is_read, request.uri().clone())
        }
        Front::Traefik | Front::Caddy => {
            let uri = the_one(headers, &FORWARDED_URI, "not one X-Forwarded-Uri")?;
            let method = the_one(headers, &FORWARDED_METHOD, "not one X-Forwarded-Method")?;
            (is_read(method), whole(uri.as_bytes())?)
        }
        Front::Envoy { path_prefix } => {
            let method = request.method();
            let asked = request.uri().path_and_query().map_or("", PathAndQuery::as_str);
            let uri = asked.strip_prefix(&**path_prefix).ok_or("not below path_prefix")?;
            (matches!(*method, Method::GET | Method::HEAD), whole(uri.as_bytes())?)
        }
    };
    if is_read { Ok(uri) } else { Err("method") }
}

fn is_read(method: &HeaderValue) -> bool {
    [Method::GET, Method::HEAD].iter().any(|read| method == read.as_str())
}

/// A header that is there once: of two, one may be the client's.
fn the_one<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
    why: &'static str,
) -> Result<&'h HeaderValue, &'static str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => Ok(value),
        _ => Err(why),
    }
}

/// A path with its query, to the byte. What is read as less than that, such as up to a `#` in a header, or as
/// more, such as with a host, is none.
fn whole(text: &[u8]) -> Result<Uri, &'static str> {
    let read = PathAndQuery::try_from(text)
        .ok()
        .filter(|read| text.starts_with(b"/") && read.as_str().as_bytes() == text);
    read.map(Uri::from).ok_or("no path")
}
