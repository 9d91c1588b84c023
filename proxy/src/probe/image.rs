//! What the image server says of one image, asked as the proxy asks it.

use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, LOCATION,
};
use http::uri::PathAndQuery;
use http::{HeaderValue, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Limited};
use serde_json::Value;

use super::{Finding, info_path};
use crate::config::{Base, Config};
use crate::routes::Routes;

/// A longer description is none.
const LONGEST: usize = 4 << 20;

/// What was answered, as far as it matters.
struct Said {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

pub(super) async fn look_at(config: &Config, base: &Base, sample: &str) -> Vec<Finding> {
    let path = info_path(base, sample);
    let Some(image) = base.image(&path) else {
        let text = format!("{path}: the dialect of this base refuses the identifier with 400");
        return vec![Finding::failure(text)];
    };
    let Ok(routes) = Routes::new(config) else { return Vec::new() };
    let expected = routes.public_uri(&image);
    let told = routes.image_id(&path);
    match ask(config, base, &routes, &path).await {
        Err(why) => vec![Finding::failure(format!("{path}: the image server: {why}"))],
        Ok((target, said)) => judge(&target, &said, &expected, told.as_deref()),
    }
}

/// The target that was asked for last, and the answer, behind one redirect.
async fn ask(
    config: &Config,
    base: &Base,
    routes: &Routes,
    path: &str,
) -> Result<(String, Said), String> {
    let servers = config.servers.get(base.upstream).ok_or("it is not configured")?;
    let uri: Uri = path.parse().map_err(|_| "the identifier makes no path")?;
    let mut target = routes.upstream_target(&uri).map_err(|error| error.to_string())?;
    let (mut head, ()) = Request::new(()).into_parts();
    let host = HeaderValue::from_str(routes.public_host.as_str()).map_err(|e| e.to_string())?;
    let scheme = routes.public_scheme.as_str();
    let scheme = HeaderValue::from_str(scheme).map_err(|error| error.to_string())?;
    head.headers.insert("x-forwarded-host", host);
    head.headers.insert("x-forwarded-proto", scheme);
    if let Some(id) = routes.image_id(path) {
        let id = HeaderValue::from_str(&id).map_err(|error| error.to_string())?;
        head.headers.insert("x-iiif-id", id);
    }
    for redirected in [false, true] {
        let sent = servers.send(&head, &target, None);
        let sent = tokio::time::timeout(servers.upstream.header_timeout, sent).await;
        let answer = sent.map_err(|_| "it did not answer within header_timeout")?;
        let (head, body) = answer.map_err(|error| error.why)?.response.into_parts();
        let location = head.headers.get(LOCATION).and_then(|own| own.to_str().ok());
        if let (true, false, Some(location)) = (head.status.is_redirection(), redirected, location)
        {
            let path = location.find("://").and_then(|at| {
                location[at + 3..].find('/').map(|slash| &location[at + 3 + slash..])
            });
            let path = path.unwrap_or(location).to_owned();
            target = PathAndQuery::try_from(path).map_err(|error| error.to_string())?;
            continue;
        }
        let body = Limited::new(body, LONGEST).collect().await;
        let body = body.map_err(|_| "the description is too long, or broke off")?;
        let body = body.to_bytes().to_vec();
        let said = Said { status: head.status, headers: head.headers, body };
        return Ok((target.to_string(), said));
    }
    Err("it is a redirect twice".to_owned())
}

fn judge(target: &str, said: &Said, expected: &str, told: Option<&str>) -> Vec<Finding> {
    let Said { status, headers, body } = said;
    if *status != StatusCode::OK {
        let text = format!(
            "{target}: the image server answers {}: is the identifier right, and upstream_path?",
            status.as_u16()
        );
        return vec![Finding::failure(text)];
    }
    let mut found = Vec::new();
    if headers.contains_key(CONTENT_ENCODING) {
        found.push(Finding::failure(format!(
            "{target} comes compressed although that was not asked for: it cannot be described"
        )));
        return found;
    }
    let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let Ok(info) = serde_json::from_slice::<Value>(text) else {
        found.push(Finding::failure(format!("{target} is no JSON: it cannot be described")));
        return found;
    };
    match (info["width"].as_u64(), info["height"].as_u64()) {
        (Some(width), Some(height)) => {
            found.push(Finding::fine(format!("{target}: an image of {width} by {height}")));
        }
        _ => found.push(Finding::warning(format!(
            "{target} has no width and height that are whole numbers: viewers may not open it"
        ))),
    }
    let id = info["id"].as_str().or(info["@id"].as_str()).unwrap_or_default();
    // What stands in for the public URI is put right on the way.
    if id == expected || told == Some(id) {
        found.push(Finding::fine(format!("its id is {expected}")));
    } else {
        found.push(Finding::failure(format!(
            "{target} calls itself {id:?}, and viewers know it as {expected:?}: they will ask for tiles \
             elsewhere. Let the image server make ids of X-Forwarded-Host and -Proto, or of X-IIIF-ID, or \
             name its base"
        )));
    }
    let json = headers.get(CONTENT_TYPE).is_some_and(|own| {
        String::from_utf8_lossy(own.as_bytes()).to_ascii_lowercase().contains("json")
    });
    if !json {
        found.push(Finding::warning(format!("{target} has no Content-Type of JSON")));
    }
    if headers.get_all(ACCESS_CONTROL_ALLOW_ORIGIN).iter().count() > 1 {
        found.push(Finding::warning(format!(
            "{target} comes with two Access-Control-Allow-Origin: the proxy puts one in their place"
        )));
    }
    found
}
