//! What operators ask: whether it lives, whether it can answer, and how it does.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use tower_iiif_auth::Answer;
use tower_iiif_auth::aspect::SessionId;
use tower_iiif_auth::clock::{Clock, SystemClock};

use crate::body::{Body, boxed, plain};
use crate::live::Live;
use crate::server::Handler;

/// How long the store may take to say that it is there.
const STORE_TIMEOUT: Duration = Duration::from_secs(2);

pub(crate) struct Admin(pub(crate) Arc<Live>);

impl Handler for Admin {
    async fn handle(self: Arc<Self>, request: Request<Incoming>, _: SocketAddr) -> Response<Body> {
        match (request.method(), request.uri().path()) {
            (&Method::GET | &Method::HEAD, "/healthz" | "/livez") => plain(StatusCode::OK, "ok\n"),
            (&Method::GET | &Method::HEAD, "/readyz") => self.ready().await,
            (&Method::GET | &Method::HEAD, "/metrics") => match self.0.shared.metrics.text() {
                Ok(text) => {
                    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
                    written(StatusCode::OK, text, kind)
                }
                Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR, "no metrics\n"),
            },
            _ => plain(StatusCode::NOT_FOUND, "Here are /metrics, /livez and /readyz.\n"),
        }
    }
}

impl Admin {
    /// A line for the store and for each image server. It is ready when the store answers, and of each
    /// `[[upstream]]` at least one server.
    async fn ready(&self) -> Response<Body> {
        let mut lines = Vec::new();
        let mut ready = true;
        if self.0.is_stopping() {
            ready = false;
            lines.push("proxy: it is stopping\n".to_owned());
        }
        match self.store().await {
            Ok(()) => lines.push("store: ok\n".to_owned()),
            Err(why) => {
                ready = false;
                lines.push(format!("store: {why}\n"));
            }
        }
        for servers in &self.0.built().upstreams {
            let mut any = false;
            for (server, health) in servers.health().await {
                any |= health.is_ok();
                let health = health.err().unwrap_or_else(|| "ok".to_owned());
                lines.push(format!("upstream {server}: {health}\n"));
            }
            ready &= any;
        }
        let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        written(status, lines.concat(), "text/plain; charset=utf-8")
    }

    /// Whether the store answers: it is asked about a session that nobody has.
    async fn store(&self) -> Result<(), String> {
        let asked = async {
            let id = SessionId::random().map_err(|error| error.to_string())?;
            let answer = match self.0.shared.store.is_revoked(id, SystemClock.now()) {
                Answer::Now(answer) => answer,
                Answer::Later(answer) => answer.await,
            };
            answer.map(drop).map_err(|error| error.to_string())
        };
        let asked = tokio::time::timeout(STORE_TIMEOUT, asked).await;
        asked.unwrap_or_else(|_| Err("it did not answer in time".to_owned()))
    }
}

fn written(status: StatusCode, text: String, kind: &'static str) -> Response<Body> {
    let mut response = Response::new(boxed(Full::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
