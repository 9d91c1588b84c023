//! What a viewer sees of one image: the whole proxy is asked, on a port that nobody knows.

use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio::sync::oneshot;

use super::{Finding, info_path};
use crate::Server;
use crate::config::{Base, Config};

const LONGEST: usize = 64 << 20;

/// An answer that is all there.
struct Got {
    status: StatusCode,
    kind: String,
    body: Bytes,
}

pub(super) async fn look_at(mut config: Config, bases: &[Base], sample: &str) -> Vec<Finding> {
    config.listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    (config.tls, config.forward_auth, config.admin, config.file) = (None, None, None, None);
    let server = match Server::bind(config).await {
        Ok(server) => server,
        Err(error) => return vec![Finding::failure(format!("the proxy does not start: {error}"))],
    };
    let Ok(address) = server.address() else { return Vec::new() };
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(async move {
        let stopped = async {
            drop(stopped.await);
        };
        server.run(stopped).await.map_err(|error| error.to_string())
    });
    let mut found = Vec::new();
    for base in bases {
        found.extend(of_base(address, base, sample).await);
    }
    drop(stop);
    if let Ok(Err(error)) = running.await {
        found.push(Finding::failure(format!("the proxy ended: {error}")));
    }
    found
}

async fn of_base(address: SocketAddr, base: &Base, sample: &str) -> Vec<Finding> {
    let info = info_path(base, sample);
    let image = info.strip_suffix("/info.json").unwrap_or(&info);
    let mut found = Vec::new();
    match get(address, &info).await {
        Ok(Got { status, body, .. }) if status.is_success() || status == 401 => {
            let services = services(&body);
            let text = match (status.as_u16(), services.is_empty()) {
                (200, true) => {
                    format!("{image}: open to everyone: a viewer shows it without a login")
                }
                (status, true) => format!("{image}: info.json is {status} and names no login"),
                (_, false) => format!("{image}: a viewer offers {}", services.join(" or ")),
            };
            found.push(Finding::fine(text));
        }
        Ok(Got { status, .. }) => found.push(Finding::failure(format!(
            "{info} is {} for a viewer: see the log of the proxy",
            status.as_u16()
        ))),
        Err(why) => found.push(Finding::failure(format!("{info}: {why}"))),
    }
    let tile = format!("{image}/full/64,/0/default.jpg");
    match get(address, &tile).await {
        Ok(Got { status, kind, body }) if status == 200 => {
            found.push(Finding::fine(format!("{tile}: {} bytes of {kind}", body.len())));
        }
        Ok(Got { status, .. }) if status == 401 => {
            found.push(Finding::fine(format!("{tile}: 401 until somebody logs in")));
        }
        Ok(Got { status, .. }) if status == 403 => {
            let text = format!("{tile}: 403, nobody may see it, whoever logs in");
            found.push(Finding::warning(text));
        }
        Ok(Got { status, .. }) => {
            let text = format!("{tile} is {} for a viewer", status.as_u16());
            found.push(Finding::warning(text));
        }
        Err(why) => found.push(Finding::failure(format!("{tile}: {why}"))),
    }
    found
}

async fn get(address: SocketAddr, path: &str) -> Result<Got, String> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    let request = Request::get(format!("http://{address}{path}")).body(Empty::new());
    let request = request.map_err(|error| error.to_string())?;
    let (head, body) =
        client.request(request).await.map_err(|error| error.to_string())?.into_parts();
    let body = Limited::new(body, LONGEST).collect().await.map_err(|error| error.to_string())?;
    let kind = head.headers.get(CONTENT_TYPE).and_then(|own| own.to_str().ok());
    let kind = kind.unwrap_or("no type").to_owned();
    Ok(Got { status: head.status, kind, body: body.to_bytes() })
}

/// What a description says of logins, by their labels.
fn services(document: &[u8]) -> Vec<String> {
    let info: Value = serde_json::from_slice(document).unwrap_or_default();
    let mut found = Vec::new();
    collect(&info["service"], &mut found);
    found
}

fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(service) => {
            let text = |key: &str| service.get(key).map(first_text).unwrap_or_default();
            let kind = text("type");
            let profile = text("profile");
            let is_access = kind == "AuthAccessService2"
                || profile.contains("/auth/")
                    && !profile.ends_with("/token")
                    && !profile.ends_with("/logout");
            if is_access {
                let label = text("label");
                let label = if label.is_empty() { "a login without a label" } else { &label };
                found.push(format!(
                    "{label:?} ({})",
                    profile.rsplit('/').next().unwrap_or("access")
                ));
            }
            if let Some(inner) = service.get("service").filter(|_| !is_access) {
                collect(inner, found);
            }
        }
        _ => {}
    }
}

/// A text, or the first of several languages.
fn first_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.first().map(first_text).unwrap_or_default(),
        Value::Object(languages) => languages.values().next().map(first_text).unwrap_or_default(),
        _ => String::new(),
    }
}
