//! The login: to the provider, and back with a grant. What it answers, `iiif-auth-oidc` knows.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use iiif_auth_oidc::Desk;
use tower_iiif_auth::access::AccessFlow;

use crate::settings::CALLBACK;

type Shared = State<Arc<Desk>>;
type Flow = Option<Extension<AccessFlow>>;

pub(crate) fn routes(desk: Desk) -> Router {
    Router::new()
        .route("/auth/login", get(open).post(choose))
        .route(CALLBACK, get(back))
        .with_state(Arc::new(desk))
}

async fn open(desk: Shared, headers: HeaderMap, flow: Flow) -> Response {
    desk.open(&headers, flow.as_deref()).await.map(Body::from)
}

async fn choose(desk: Shared, headers: HeaderMap, flow: Flow, form: Bytes) -> Response {
    desk.choose(&headers, flow.as_deref(), &form).await.map(Body::from)
}

async fn back(desk: Shared, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    desk.back(&headers, query.as_deref()).await.map(Body::from)
}
