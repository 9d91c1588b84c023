//! The publisher that speaks every family, one base each and one for all.

use http::{Request, Response};
use http_body_util::Full;
use serde_json::Value;
use tower_iiif_auth::authorizer::{RolesFor, Substitute};
use tower_iiif_auth::clock::SetClock;
use tower_iiif_auth::protocol::Family;
use tower_iiif_auth::resource::{Families, ImageApi};
use tower_iiif_auth::{AccessService, IiifAuth, IiifAuthBuilder, LanguageMap, Message, Realm};

use super::shapes::assert_members;
use super::{BASE, Body, Publisher, V, clock, image_server, json, keyring, posted};

/// `tiered` needs role A and has the open `tiered-small`; the other resources are the fixture's.
pub fn builder(clock: &SetClock) -> IiifAuthBuilder {
    bases(clock).realm(realm()).realm(
        Realm::named("other")
            .access(AccessService::active("login", "Other Library").protects(["sec2"])),
    )
}

/// The same without realms.
pub fn bases(clock: &SetClock) -> IiifAuthBuilder {
    IiifAuth::builder(BASE)
        .keyring(keyring())
        .clock(clock.clone())
        .images("/iiif/3")
        .resources(ImageApi::new("/iiif/2").families(Family::V1))
        .resources(ImageApi::new("/iiif/0.9").families(Family::V09))
        .resources(ImageApi::new("/iiif/all").families(Family::ALL))
        .resources(ImageApi::new("/iiif/open").families(Families::new(Family::ALL).open()))
        .authorizer(rules())
}

/// A realm whose one login has every text, in two languages.
pub fn realm() -> Realm {
    Realm::new()
        .access(
            AccessService::active(
                "login",
                LanguageMap::new("en", "Example Library").with("de", "Beispielbibliothek"),
            )
            .message(
                Message::new(LanguageMap::new("en", "Please log in").with("de", "Bitte anmelden"))
                    .note(LanguageMap::new("en", "Readers only").with("de", "Nur für Leser")),
            )
            .confirm_label(LanguageMap::new("en", "Log in").with("de", "Anmelden")),
        )
        .token_error(
            Message::new(LanguageMap::new("en", "That did not work").with("de", "Fehlgeschlagen"))
                .note(LanguageMap::new("en", "Ask the desk").with("de", "Fragen Sie uns")),
        )
}

pub fn rules() -> RolesFor {
    RolesFor::new()
        .open("pub")
        .open("tiered-small")
        .roles("sec", ["A"])
        .roles("dir/sec", ["A"])
        .roles("sec2", ["B"])
        .roles("tiered", ["A"])
        .substitute(Substitute::of_same_base("tiered-small"))
}

/// An image server that speaks Image API 3 below `/iiif/3` and 2.1 elsewhere.
pub fn images(request: &Request<Body>) -> Response<Body> {
    let path = request.uri().path();
    match path.strip_suffix("/info.json") {
        Some(id) if !path.starts_with("/iiif/3/") => {
            let info = serde_json::json!({
                "@context": "http://iiif.io/api/image/2/context.json",
                "@id": format!("{BASE}{id}"),
                "protocol": "http://iiif.io/api/image",
                "profile": ["http://iiif.io/api/image/2/level2.json"],
                "width": 8000,
                "height": 6000,
            });
            let mut response = Response::new(Full::from(info.to_string()));
            let json = http::HeaderValue::from_static("application/json");
            response.headers_mut().insert("content-type", json);
            response
        }
        _ => image_server(request),
    }
}

pub fn publisher() -> Publisher {
    let clock = clock();
    Publisher::before(builder(&clock), clock, images)
}

/// A publisher with this realm alone, before the image server of both versions.
pub fn with_realm(realm: Realm) -> Publisher {
    let clock = clock();
    Publisher::before(bases(&clock).realm(realm), clock, images)
}

/// An access cookie service of `/auth/{digit}/` with all below it: every member that may stand, and
/// no other. `typed`: in a version 3 host, without a context of its own.
pub fn assert_cookie_service(service: &Value, digit: char, typed: bool) {
    let uri = |name: &str| format!("http://iiif.io/api/auth/{digit}/{name}");
    let own = |required: &[&'static str], kind: &str, object: &Value, optional: &[&str]| {
        let mut required = required.to_vec();
        if typed {
            required.push("@type");
            assert_eq!(object["@type"], kind);
        }
        assert_members(object, &required, optional);
    };
    let external = service["profile"] == uri("external");
    let patterns = ["login", "clickthrough", "kiosk", "external"];
    assert!(patterns.iter().any(|own| service["profile"] == uri(own)), "{service}");
    let mut required = vec!["profile", "label", "service"];
    if !external {
        required.push("@id");
        assert_id(service);
    }
    if !typed {
        required.push("@context");
        assert_eq!(service["@context"], uri("context.json"));
    }
    let texts = ["confirmLabel", "header", "description", "failureHeader", "failureDescription"];
    own(&required, "AuthCookieService1", service, &texts);
    for name in texts.iter().chain(&["label"]) {
        let text = service.get(name);
        assert!(text.is_none_or(|text| text.as_str().is_some_and(|text| !text.is_empty())));
    }
    let below = service["service"].as_array().expect("an array of services");
    let mut profiles = Vec::new();
    for child in below {
        assert_id(child);
        let profile = child["profile"].as_str().expect("a profile");
        if profile == uri("token") {
            own(&["@id", "profile"], "AuthTokenService1", child, &[]);
        } else if profile == uri("logout") {
            own(&["@id", "profile", "label"], "AuthLogoutService1", child, &[]);
            assert!(child["label"].as_str().is_some_and(|label| !label.is_empty()), "{child}");
        } else {
            assert_eq!((digit, profile), ('0', &*uri("clientId")));
            assert_members(child, &["@id", "profile"], &[]);
        }
        profiles.push(profile);
    }
    assert_eq!(profiles.iter().filter(|own| **own == uri("token")).count(), 1, "{service}");
    profiles.sort_unstable();
    profiles.dedup();
    assert_eq!(profiles.len(), below.len(), "{service}");
}

/// An absolute https URI to which clients can append `?origin=`.
fn assert_id(service: &Value) {
    let id = service["@id"].as_str().unwrap_or_else(|| panic!("no @id in {service}"));
    assert!(id.starts_with("https://iiif.example/") && !id.contains(['?', '#', ' ']), "{id}");
}

/// The one service of a document with this profile.
pub fn service(document: &Value, profile: &str) -> Value {
    let services = document["service"].as_array().expect("an array of services");
    let mut found = services.iter().filter(|own| own["profile"] == profile);
    let service = found.next().unwrap_or_else(|| panic!("no {profile} in {document}"));
    assert!(found.next().is_none(), "{profile} stands twice in {document}");
    service.clone()
}

impl Publisher {
    /// `Bearer …` with an access token for V of the token service of 1.0 or 0.9 at `path`.
    pub async fn bearer_at(&self, path: &str, cookie: &str) -> String {
        let path = format!("{path}?messageId=m1&origin={V}");
        let (message, target) = posted(&self.get(&path, &[("cookie", cookie)]).await).unwrap();
        assert_eq!((target.as_str(), &message["messageId"]), (V, &"m1".into()));
        let token = message["accessToken"].as_str().unwrap_or_else(|| panic!("{message}"));
        format!("Bearer {token}")
    }

    /// The description at this base, as JSON, with its status.
    pub async fn info(&self, resource: &str, headers: &[(&str, &str)]) -> (u16, Value) {
        let response = self.get(&format!("{resource}/info.json"), headers).await;
        (response.status().as_u16(), json(&response))
    }
}
