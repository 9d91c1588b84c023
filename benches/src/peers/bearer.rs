//! tower-http: a fixed string in a header. No session, no end, no role: the least a check can do.

use http::StatusCode;
use tower::Layer;
use tower_http::auth::AsyncRequireAuthorizationLayer;

use crate::images::Images;
use crate::request::{TILE, Template, repeat};

/// `AsyncRequireAuthorization` that compares a fixed string.
pub fn validate_bearer() -> impl FnMut() {
    let check = |request: http::Request<axum::body::Body>| {
        let own = request.headers().get("authorization").is_some_and(|own| own == "Bearer a-token");
        let refusal = || {
            let mut refusal = http::Response::new(axum::body::Body::empty());
            *refusal.status_mut() = StatusCode::UNAUTHORIZED;
            refusal
        };
        std::future::ready(if own { Ok(request) } else { Err(refusal()) })
    };
    let service = AsyncRequireAuthorizationLayer::new(check).layer(Images::small());
    let request = Template::get(TILE).header("authorization", "Bearer a-token");
    repeat(service, request, StatusCode::OK)
}
