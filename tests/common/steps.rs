//! What a browser and its user do, step by step, and what pages are looked at for.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::Value;
use tower_iiif_auth::aspect::PeerAddr;

use super::shapes::{assert_probe_result, assert_token_message};
use super::{
    BASE, Body, Publisher, V, cookie_pair, form, json, posted, request, set_cookie_value, text,
};

impl Publisher {
    /// Logs a user in at the access service at `path` and returns the value of the cookie `name`.
    pub async fn log_in_at(&self, path: &str, name: &str, roles: &str, origin: &str) -> String {
        let page = self.get(&format!("{path}?origin={origin}"), &[]).await;
        let flow = cookie_pair(&page, "__Host-iiif-flow").expect("the viewer is remembered");
        let headers = [("cookie", flow.as_str()), ("origin", BASE), ("x-roles", roles)];
        let response = self.send(request(Method::POST, path, &headers)).await;
        assert_eq!(response.status(), StatusCode::OK, "{response:?}");
        set_cookie_value(&response, name).unwrap_or_else(|| panic!("no {name}: {response:?}"))
    }

    /// The message of the token service at `path` for the viewer V, after a look at its shape.
    pub async fn token_message_at(&self, path: &str, cookie: &str) -> Value {
        let page =
            self.get(&format!("{path}?messageId=m1&origin={V}"), &[("cookie", cookie)]).await;
        assert_eq!(page.status(), StatusCode::OK);
        let (message, target) = posted(&page).unwrap_or_else(|| panic!("no message in {page:?}"));
        assert_eq!(target, V);
        assert_token_message(&message);
        message
    }

    /// The access token of the token service at `path`.
    pub async fn token_at(&self, path: &str, cookie: &str) -> String {
        let message = self.token_message_at(path, cookie).await;
        message["accessToken"].as_str().unwrap_or_else(|| panic!("{message}")).to_owned()
    }

    /// The result of the probe at `path`, after a look at its shape.
    pub async fn result(&self, path: &str, token: Option<&str>) -> Value {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let headers: Vec<_> =
            bearer.iter().map(|value| ("authorization", value.as_str())).collect();
        let result = self.probe(path, &headers).await;
        assert_probe_result(&result);
        result
    }

    /// The services that an `info.json` declares.
    pub async fn services(&self, identifier: &str) -> Vec<Value> {
        let response = self.get(&format!("/iiif/3/{identifier}/info.json"), &[]).await;
        assert_eq!(response.status(), StatusCode::OK, "{response:?}");
        json(&response)["service"].as_array().cloned().unwrap_or_default()
    }

    /// Agrees to the terms at `path` as a browser does, by the form on the page.
    pub async fn press(&self, path: &str, origin: &str, button: &str) -> Response<Bytes> {
        let page = self.get(&format!("{path}?origin={origin}"), &[]).await;
        let flow = cookie_pair(&page, "__Host-iiif-flow").expect("the viewer is remembered");
        let fields = fields(&page);
        assert!(fields.ends_with("decision="), "{fields}");
        let body = format!("{fields}{button}");
        self.send(form(path, &[("cookie", &flow)], &body)).await
    }
}

/// The hidden fields of the form on a page and the start of its button's, as a form body.
pub fn fields(page: &Response<Bytes>) -> String {
    let [form] = &forms(page)[..] else { panic!("not one form in {page:?}") };
    form.clone()
}

/// The same of every form on a page.
pub fn forms(page: &Response<Bytes>) -> Vec<String> {
    let of = |form: &str| {
        let (form, _) = form.split_once("</form>").expect("an end");
        assert!(form.contains("<button type=\"submit\" name=\"decision\" value=\""), "{form}");
        let hidden = form.split("<input type=\"hidden\" name=\"").skip(1).map(|field| {
            let (name, rest) = field.split_once("\" value=\"").unwrap();
            format!("{name}={}&", rest.split_once('"').unwrap().0)
        });
        format!("{}decision=", hidden.collect::<String>())
    };
    text(page).split("<form ").skip(1).map(of).collect()
}

/// The path that the form on a page posts to.
pub fn action(page: &Response<Bytes>) -> &str {
    let rest = text(page).split_once("<form method=\"post\" action=\"").expect("a form").1;
    rest.split_once('"').unwrap().0
}

/// Whether a page closes its tab by itself, by a script that its policy allows.
pub fn closes(page: &Response<Bytes>) -> bool {
    let scripts = scripts(text(page));
    let closing = scripts.iter().any(|script| script.lines().any(|line| line == "window.close();"));
    if closing {
        assert_eq!(scripts.len(), 1);
        assert!(policy(page).contains(&hash(&scripts[0])), "{page:?}");
    }
    closing
}

/// The inline scripts of a page that a browser would run.
pub fn scripts(html: &str) -> Vec<String> {
    let of = |rest: &str| rest.split_once("</script>").expect("an end").0.to_owned();
    assert!(!html.contains("<script src"));
    html.split("<script>").skip(1).map(of).collect()
}

/// `'sha256-…'` of a script, as content security policies name it.
pub fn hash(script: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, script.as_bytes());
    format!("'sha256-{}'", STANDARD.encode(digest))
}

/// All content security policies of a response.
pub fn policy(response: &Response<Bytes>) -> String {
    let fields = response.headers().get_all("content-security-policy").iter();
    fields.map(|field| field.to_str().unwrap()).collect::<Vec<_>>().join(", ")
}

/// The same request, over a connection from this address.
pub fn from_peer(mut request: Request<Body>, address: &str) -> Request<Body> {
    request.extensions_mut().insert(PeerAddr(address.parse::<IpAddr>().unwrap()));
    request
}
