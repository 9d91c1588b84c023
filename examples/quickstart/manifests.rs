//! Presentation 3 manifests of the collection, with the services of what is no image service.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing::get};
use serde_json::{Value, json};
use tower_iiif_auth::IiifAuth;

use crate::handlist;
use crate::support::images::ImageServer;

/// Identifier, label and rule, in the order in which they are shown.
const ITEMS: [(&str, &str, &str); 8] = [
    ("open", "Chart of the Open Sea", "For everyone."),
    ("terms", "Chart of the Narrow Strait", "For whoever accepts the terms of use."),
    ("reader", "The Great Archipelago", "For readers and curators, after a login."),
    ("curator", "The Unsurveyed Coast", "For curators only: a reader is refused."),
    ("embargoed", "The Forbidden Island", "For nobody before 2040."),
    ("tiered", "The Northern Passage", "A small version for everyone, all of it after a login."),
    ("reading-room", "Plan of the Harbour", "In the reading room, by address."),
    (HANDLIST, "Handlist of the collection (PDF)", "A file, for readers and curators."),
];

const HANDLIST: &str = "handlist";

struct Manifests {
    public_url: String,
    images: ImageServer,
    auth: IiifAuth,
}

pub(crate) fn routes(public_url: &str, images: &ImageServer, auth: &IiifAuth) -> Router {
    let state =
        Manifests { public_url: public_url.to_owned(), images: images.clone(), auth: auth.clone() };
    Router::new().route("/manifests/{file}", get(manifest)).with_state(Arc::new(state))
}

/// `/manifests/{identifier}.json`, and `/manifests/all.json` for all of them.
async fn manifest(State(state): State<Arc<Manifests>>, Path(file): Path<String>) -> Response {
    let name = file.strip_suffix(".json").unwrap_or_default();
    let items: Vec<_> =
        ITEMS.iter().filter(|(identifier, ..)| name == "all" || name == *identifier).collect();
    let label = match items[..] {
        [] => return (StatusCode::NOT_FOUND, "There is no such manifest.\n").into_response(),
        [(_, label, _)] => label,
        _ => "The Quickstart Collection",
    };
    let canvases: Vec<_> = items
        .iter()
        .map(|(identifier, label, rule)| state.canvas(identifier, label, rule))
        .collect();
    let mut manifest = json!({
        "@context": "http://iiif.io/api/presentation/3/context.json",
        "id": format!("{}/manifests/{name}.json", state.public_url),
        "type": "Manifest",
        "label": { "en": [label] },
        "items": canvases,
    });
    // Puts the probe of the PDF into its body. Images declare theirs in info.json.
    state.auth.describe_manifest(&mut manifest).await;
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::CACHE_CONTROL, "no-cache"),
        (
            header::CONTENT_TYPE,
            "application/ld+json;profile=\"http://iiif.io/api/presentation/3/context.json\"",
        ),
    ];
    (headers, Json(manifest)).into_response()
}

impl Manifests {
    fn canvas(&self, identifier: &str, label: &str, rule: &str) -> Value {
        let id = format!("{}/manifests/{identifier}/canvas", self.public_url);
        let (width, height) = self.images.size(identifier).unwrap_or((595, 842));
        json!({
            "id": id,
            "type": "Canvas",
            "label": { "en": [label] },
            "summary": { "en": [rule] },
            "width": width,
            "height": height,
            "items": [{
                "id": format!("{id}/page"),
                "type": "AnnotationPage",
                "items": [{
                    "id": format!("{id}/painting"),
                    "type": "Annotation",
                    "motivation": "painting",
                    "target": id,
                    "body": self.body(identifier, width, height),
                }],
            }],
        })
    }

    fn body(&self, identifier: &str, width: u32, height: u32) -> Value {
        if identifier == HANDLIST {
            return json!({
                "id": format!("{}{}", self.public_url, handlist::PATH),
                "type": "Text",
                "format": "application/pdf",
            });
        }
        let service = format!("{}/iiif/3/{identifier}", self.public_url);
        json!({
            "id": format!("{service}/full/max/0/default.jpg"),
            "type": "Image",
            "format": "image/jpeg",
            "width": width,
            "height": height,
            "service": [{ "id": service, "type": "ImageService3", "profile": "level2" }],
        })
    }
}
