//! Manifests of the collection: for each base one of every picture, and one of all.

mod presentation_2;
mod presentation_3;

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing::get};
use tower_iiif_auth::IiifAuth;

use crate::bases::{BASES, Base};
use crate::handlist;
use crate::sound;
use crate::support::images::{ImageApi, ImageServer};

struct Item {
    identifier: &'static str,
    label: &'static str,
    rule: &'static str,
}

/// In the order in which they are shown.
const PICTURES: [Item; 7] = [
    item("open", "Chart of the Open Sea", "For everyone."),
    item("terms", "Chart of the Narrow Strait", "For whoever accepts the terms of use."),
    item("reader", "The Great Archipelago", "For readers and curators, after a login."),
    item("curator", "The Unsurveyed Coast", "For curators only: a reader is refused."),
    item("embargoed", "The Forbidden Island", "For nobody before 2040."),
    item(
        "tiered",
        "The Northern Passage",
        "A small version for everyone, all of it after a login.",
    ),
    item("reading-room", "Plan of the Harbour", "In the reading room, by address."),
];

/// What is no picture.
const FILES: [File; 3] = [
    File {
        item: item(
            "handlist",
            "Handlist of the collection (PDF)",
            "A file, for readers and curators.",
        ),
        path: handlist::PATH,
        kind: "Text",
        format: "application/pdf",
    },
    File {
        item: item(
            "recording",
            "Signal of the Lighthouse (WAV)",
            "Sound, for readers and curators.",
        ),
        path: sound::RECORDING,
        kind: "Sound",
        format: "audio/wav",
    },
    File {
        item: item(
            "stream",
            "Signal of the Lighthouse (HLS)",
            "A stream that a script reads, for readers and curators.",
        ),
        path: sound::STREAM,
        kind: "Sound",
        format: "application/vnd.apple.mpegurl",
    },
];

const fn item(identifier: &'static str, label: &'static str, rule: &'static str) -> Item {
    Item { identifier, label, rule }
}

/// A file that is no picture, as a manifest shows it.
struct File {
    item: Item,
    path: &'static str,
    /// The type of its body.
    kind: &'static str,
    format: &'static str,
}

/// A picture as a manifest shows it.
struct Picture {
    item: &'static Item,
    /// The URI of its image service.
    service: String,
    width: u32,
    height: u32,
}

struct Manifests {
    base: Base,
    public_url: String,
    images: ImageServer,
    auth: IiifAuth,
}

pub(crate) fn routes(public_url: &str, images: &ImageServer, auth: &IiifAuth) -> Router {
    BASES.into_iter().fold(Router::new(), |router, base| {
        let path = format!("{}/{{file}}", base.manifests);
        let (public_url, images, auth) = (public_url.to_owned(), images.clone(), auth.clone());
        let state = Arc::new(Manifests { base, public_url, images, auth });
        router.merge(Router::new().route(&path, get(manifest)).with_state(state))
    })
}

/// `{identifier}.json`, and `all.json` for all of them.
async fn manifest(State(state): State<Arc<Manifests>>, Path(file): Path<String>) -> Response {
    let name = file.strip_suffix(".json").unwrap_or_default();
    let wanted = |item: &&'static Item| name == "all" || name == item.identifier;
    let pictures: Vec<_> =
        PICTURES.iter().filter(wanted).filter_map(|item| state.picture(item)).collect();
    let files = FILES.iter().filter(|file| state.base.files && wanted(&&file.item));
    let files: Vec<_> = files.collect();
    let label = match (&*pictures, &*files) {
        ([], []) => {
            return (StatusCode::NOT_FOUND, "There is no such manifest.\n").into_response();
        }
        ([], [file]) => file.item.label,
        ([picture], []) => picture.item.label,
        _ => "The Quickstart Collection",
    };
    let place = format!("{}{}", state.public_url, state.base.manifests);
    let (manifest, content_type) = match state.base.api {
        ImageApi::V2 => {
            (presentation_2::manifest(&place, name, label, &pictures), "application/json")
        }
        ImageApi::V3 => {
            let files: Vec<_> = files
                .into_iter()
                .map(|file| (file, format!("{}{}", state.public_url, file.path)))
                .collect();
            let mut manifest = presentation_3::manifest(&place, name, label, &pictures, &files);
            // Puts the probes of the files into their bodies. Images declare theirs in info.json.
            if let Err(error) = state.auth.describe_manifest(&mut manifest).await {
                tracing::error!(%error, "a manifest is held back");
                return StatusCode::SERVICE_UNAVAILABLE.into_response();
            }
            (
                manifest,
                "application/ld+json;profile=\"http://iiif.io/api/presentation/3/context.json\"",
            )
        }
    };
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_TYPE, content_type),
    ];
    (headers, Json(manifest)).into_response()
}

impl Manifests {
    fn picture(&self, item: &'static Item) -> Option<Picture> {
        let service = format!("{}{}/{}", self.public_url, self.base.images, item.identifier);
        let (width, height) = self.images.size(item.identifier)?;
        Some(Picture { item, service, width, height })
    }
}
