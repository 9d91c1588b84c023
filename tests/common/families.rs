//! The publisher that speaks every family, one base each and one for all.

use http::{Request, Response};
use http_body_util::Full;
use serde_json::Value;
use tower_iiif_auth::authorizer::{RolesFor, Substitute};
use tower_iiif_auth::clock::SetClock;
use tower_iiif_auth::protocol::Family;
use tower_iiif_auth::resource::{Families, ImageApi};
use tower_iiif_auth::{AccessService, IiifAuth, IiifAuthBuilder, LanguageMap, Message, Realm};

use super::{BASE, Body, Publisher, clock, image_server, json, keyring};

/// `tiered` needs role A and has the open `tiered-small`; the other resources are the fixture's.
pub fn builder(clock: &SetClock) -> IiifAuthBuilder {
    IiifAuth::builder(BASE)
        .keyring(keyring())
        .clock(clock.clone())
        .images("/iiif/3")
        .resources(ImageApi::new("/iiif/2").families(Family::V1))
        .resources(ImageApi::new("/iiif/0.9").families(Family::V09))
        .resources(ImageApi::new("/iiif/all").families(Family::ALL))
        .resources(ImageApi::new("/iiif/open").families(Families::new(Family::ALL).open()))
        .realm(realm())
        .realm(
            Realm::named("other")
                .access(AccessService::active("login", "Other Library").protects(["sec2"])),
        )
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

/// The one service of a document with this profile.
pub fn service(document: &Value, profile: &str) -> Value {
    let services = document["service"].as_array().expect("an array of services");
    let mut found = services.iter().filter(|own| own["profile"] == profile);
    let service = found.next().unwrap_or_else(|| panic!("no {profile} in {document}"));
    assert!(found.next().is_none(), "{profile} stands twice in {document}");
    service.clone()
}

impl Publisher {
    /// The description at this base, as JSON, with its status.
    pub async fn info(&self, resource: &str, headers: &[(&str, &str)]) -> (u16, Value) {
        let response = self.get(&format!("{resource}/info.json"), headers).await;
        (response.status().as_u16(), json(&response))
    }
}
