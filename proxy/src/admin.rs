//! What operators ask: whether it lives, and how it does.

use std::net::SocketAddr;
use std::sync::Arc;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;

use crate::body::{Body, boxed, plain};
use crate::metrics::Metrics;
use crate::server::Handler;

pub(crate) struct Admin(pub(crate) Arc<Metrics>);

impl Handler for Admin {
    async fn handle(self: Arc<Self>, request: Request<Incoming>, _: SocketAddr) -> Response<Body> {
        match (request.method(), request.uri().path()) {
            (&Method::GET | &Method::HEAD, "/healthz") => plain(StatusCode::OK, "ok\n"),
            (&Method::GET | &Method::HEAD, "/metrics") => match self.0.text() {
                Ok(text) => {
                    let mut response = Response::new(boxed(Full::from(text)));
                    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
                    let kind = HeaderValue::from_static(kind);
                    response.headers_mut().insert(CONTENT_TYPE, kind);
                    response
                }
                Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR, "no metrics\n"),
            },
            _ => plain(StatusCode::NOT_FOUND, "Here are /metrics and /healthz.\n"),
        }
    }
}
