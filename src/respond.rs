//! Small answers of our own, and the headers they share.

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ALLOW, AUTHORIZATION,
    CACHE_CONTROL, CONTENT_TYPE, LOCATION, ORIGIN, SET_COOKIE, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};

/// An answer without a body, never stored.
pub(crate) fn empty(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Leads elsewhere, by a GET. What is no header value leads nowhere.
pub(crate) fn see_other(location: &str) -> Response<Bytes> {
    let mut response = empty(StatusCode::SEE_OTHER);
    match HeaderValue::try_from(location) {
        Ok(location) => {
            response.headers_mut().insert(LOCATION, location);
        }
        Err(_) => *response.status_mut() = StatusCode::NO_CONTENT,
    }
    response
}

/// An answer with a body of this type, never stored.
pub(crate) fn text(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// An answer with a JSON body, never stored.
pub(crate) fn json(status: StatusCode, body: &impl serde::Serialize) -> Response<Bytes> {
    let body = serde_json::to_vec(body).expect("strings and maps with text keys are JSON");
    text(status, "application/json", body)
}

/// The answer to a preflight of a read: anyone may ask, without credentials, with a bearer token and any
/// other header.
///
/// It needs no authorization itself.
pub(crate) fn preflight(request: &HeaderMap) -> Response<Bytes> {
    preflight_for("GET, HEAD, OPTIONS", request)
}

/// The same for an endpoint with other methods.
pub(crate) fn preflight_for(methods: &'static str, request: &HeaderMap) -> Response<Bytes> {
    let mut response = empty(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    allow_any_origin(headers);
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods));
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, allowed_headers(request));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    response
}

/// Longest list of headers that is sent back, in bytes.
const LONGEST_LIST: usize = 4096;

/// Every header, and those that are asked for by their names: `*` does not cover `Authorization`, and
/// where cookies come along nothing (Fetch, "CORS protocol").
fn allowed_headers(request: &HeaderMap) -> HeaderValue {
    let mut allowed = "Authorization, *".to_owned();
    for list in request.get_all(ACCESS_CONTROL_REQUEST_HEADERS) {
        for name in list.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            let Ok(name) = HeaderName::from_bytes(name) else { continue };
            if name != AUTHORIZATION && allowed.len() + name.as_str().len() < LONGEST_LIST {
                allowed.push_str(", ");
                allowed.push_str(name.as_str());
            }
        }
    }
    HeaderValue::try_from(allowed).expect("names of headers make a header")
}

/// Whether a request is a browser's question whether a page may read what is here (Fetch, "CORS-preflight
/// fetch").
pub(crate) fn is_preflight_of_read(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::OPTIONS
        && headers.contains_key(ORIGIN)
        && headers
            .get(ACCESS_CONTROL_REQUEST_METHOD)
            .is_some_and(|asked| matches!(asked.as_bytes(), b"GET" | b"HEAD"))
}

/// The answer to a method that an endpoint does not have.
pub(crate) fn method_not_allowed(allow: &'static str) -> Response<Bytes> {
    let mut response = empty(StatusCode::METHOD_NOT_ALLOWED);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    response
}

/// Exactly one `Access-Control-Allow-Origin: *`, and no credentials.
pub(crate) fn allow_any_origin(headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.remove(ACCESS_CONTROL_ALLOW_CREDENTIALS);
}

/// What an answer says to browsers of the pages whose scripts may read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sharing {
    /// Every page, without the user's cookie.
    Anyone,
    /// The page of this origin, with the cookie as well.
    With(HeaderValue),
}

/// What pages that read ranges or ask again look at, beside what Fetch lets every script see.
static EXPOSED: HeaderValue =
    HeaderValue::from_static("Accept-Ranges, Content-Encoding, Content-Range, ETag");

impl Sharing {
    /// Says so, and that it depends on the page.
    pub(crate) fn apply(self, headers: &mut HeaderMap) {
        if let Self::With(origin) = self {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
            // With cookies `*` is a name like any other.
            headers.append(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED.clone());
        }
        let is_said = |vary: &HeaderValue| {
            vary.as_bytes().split(|byte| *byte == b',').any(|name| {
                let name = name.trim_ascii();
                name == b"*" || name.eq_ignore_ascii_case(b"origin")
            })
        };
        if !headers.get_all(VARY).iter().any(is_said) {
            headers.append(VARY, HeaderValue::from_static("Origin"));
        }
    }
}

/// Leaves `Cache-Control` as the one thing that caches are told.
pub(crate) fn tell_caches_nothing_else(headers: &mut HeaderMap) {
    remove_all(headers, is_for_caches);
}

/// Removes the headers whose names `are_meant`.
pub(crate) fn remove_all(headers: &mut HeaderMap, are_meant: impl Fn(&str) -> bool) {
    while let Some(name) = headers.keys().find(|name| are_meant(name.as_str())).cloned() {
        headers.remove(name);
    }
}

/// Whether a header speaks to caches past `Cache-Control`: some of these are louder. By its text, which
/// tells most names apart by their length.
#[inline]
pub(crate) fn is_for_caches(name: &str) -> bool {
    matches!(
        name,
        "expires"
            | "pragma"
            | "cdn-cache-control"
            | "surrogate-control"
            | "cloudflare-cdn-cache-control"
            | "netlify-cdn-cache-control"
            | "vercel-cdn-cache-control"
            | "edge-control"
            | "x-accel-expires"
    )
}

/// One more `Set-Cookie`, if there is one.
pub(crate) fn set_cookie(response: &mut Response<Bytes>, cookie: Option<HeaderValue>) {
    if let Some(cookie) = cookie {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
}

/// Drops the body where the request was a HEAD.
pub(crate) fn for_method(method: &Method, mut response: Response<Bytes>) -> Response<Bytes> {
    if *method == Method::HEAD {
        *response.body_mut() = Bytes::new();
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caches_are_told_one_thing() {
        let mut headers = HeaderMap::new();
        for name in [
            "expires",
            "pragma",
            "cache-control",
            "cdn-cache-control",
            "surrogate-control",
            "cloudflare-cdn-cache-control",
            "netlify-cdn-cache-control",
            "vercel-cdn-cache-control",
            "edge-control",
            "x-accel-expires",
            "content-type",
        ] {
            headers.append(name, HeaderValue::from_static("x"));
            headers.append(name, HeaderValue::from_static("y"));
        }
        tell_caches_nothing_else(&mut headers);
        let mut left: Vec<_> = headers.keys().map(http::HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["cache-control", "content-type"]);
    }
}
