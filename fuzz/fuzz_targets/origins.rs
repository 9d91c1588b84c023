//! Origins and absolute URIs: what is taken is what a browser makes of it. The token page posts to
//! the viewer that logged in, and to nobody else.

#![no_main]

use http::header::COOKIE;
use http::{Method, Uri};
use libfuzzer_sys::fuzz_target;
use tower_iiif_auth::{AbsoluteUri, Origin};
use tower_iiif_auth_fuzz::{COOKIE as NAME, COOKIE_A, PUBLISHER, VIEWER, posted, request};

/// What is taken is read by browsers, too, but for names that are no good Punycode: no browser ever
/// sends those, so that taking them gives nothing away.
fn read_by_browsers(text: &str) -> Option<url::Url> {
    let url = url::Url::parse(text);
    assert!(url.is_ok() || text.to_ascii_lowercase().contains("xn--"), "{text}: {url:?}");
    url.ok()
}

fuzz_target!(|text: &str| {
    if let Ok(origin) = text.parse::<Origin>() {
        if let Some(url) = read_by_browsers(text) {
            assert_eq!(url.origin().ascii_serialization(), origin.as_str());
        }
        assert_eq!(origin.as_str().parse::<Origin>().as_ref(), Ok(&origin));
        assert!(origin.as_str().len() <= 255);
    }
    if let Ok(uri) = text.parse::<AbsoluteUri>() {
        let written = uri.to_string();
        if let Some(url) = read_by_browsers(&written) {
            assert!(matches!(url.scheme(), "http" | "https"));
            assert!(url.host_str().is_some() && url.username().is_empty());
            assert!(url.password().is_none());
        }
        assert_eq!(written.parse::<AbsoluteUri>().map(|uri| uri.to_string()).ok(), Some(written));
    }
    // As it stands in a query, escaped or not.
    for service in ["/auth/token", "/auth/token/1"] {
        let Ok(uri) = format!("{service}?messageId=1&origin={text}").parse::<Uri>() else { return };
        let cookie = format!("{NAME}={}", *COOKIE_A);
        let page = PUBLISHER.send(request(Method::GET, uri, &[(COOKIE, cookie.as_bytes())]));
        if let Some((message, target)) = posted(&page) {
            assert!(target.parse::<Origin>().is_ok(), "{target}");
            assert!(target == VIEWER || message.get("accessToken").is_none(), "{target}");
        }
    }
});
