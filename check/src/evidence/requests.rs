//! Requests as browsers send them.

use crate::http::{Request, with_query};

/// A viewer's `fetch`.
pub(super) fn fetch(plan_viewer: &str, url: &str) -> Request {
    Request::get(url)
        .with("accept", "application/json, */*")
        .with("origin", plan_viewer)
        .with("sec-fetch-site", "cross-site")
        .with("sec-fetch-mode", "cors")
        .with("sec-fetch-dest", "empty")
}

/// What a browser asks before a `fetch` with `Authorization`.
pub(super) fn preflight(viewer: &str, url: &str) -> Request {
    Request::new("OPTIONS", url)
        .with("origin", viewer)
        .with("access-control-request-method", "GET")
        .with("access-control-request-headers", "authorization")
        .with("sec-fetch-site", "cross-site")
        .with("sec-fetch-mode", "cors")
        .with("sec-fetch-dest", "empty")
}

/// A visit in a tab, opened by the viewer.
pub(super) fn visit(url: &str) -> Request {
    Request::get(url)
        .with("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
        .with("sec-fetch-site", "cross-site")
        .with("sec-fetch-mode", "navigate")
        .with("sec-fetch-dest", "document")
}

/// The hidden frame of the token service.
pub(super) fn frame(url: &str, parameters: &[(&str, &str)]) -> Request {
    Request::get(with_query(url, parameters))
        .with("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
        .with("sec-fetch-site", "cross-site")
        .with("sec-fetch-mode", "navigate")
        .with("sec-fetch-dest", "iframe")
}

/// `<img>`, `<video>`, a link.
pub(super) fn image(method: &'static str, url: &str) -> Request {
    Request::new(method, url)
        .with("accept", "image/*,*/*;q=0.8")
        .with("sec-fetch-site", "cross-site")
        .with("sec-fetch-mode", "no-cors")
        .with("sec-fetch-dest", "image")
}
