use serde_json::Value;

use super::services::is_image_service;
use super::{Kind, id, members};

/// Something that may be protected, where a document names it.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    pub(crate) document: usize,
    /// What is fetched to see whether it opens.
    pub(crate) url: String,
    pub(crate) kind: String,
    /// The id of the image service, and its API.
    pub(crate) image: Option<(String, u8)>,
    /// The id of the object that the services stand in.
    pub(crate) of: String,
}

/// What a document has to offer.
pub(crate) fn content(document: usize, url: &str, json: &Value) -> Vec<Content> {
    let kind = Kind::of(json);
    if let Kind::Info(version) = kind {
        let base = url.split(['?', '#']).next().unwrap_or_default();
        let base = base.strip_suffix("/info.json").unwrap_or(base).to_owned();
        return vec![Content {
            document,
            url: full(&base, version),
            kind: "Image".to_owned(),
            image: Some((base.clone(), version)),
            of: id(json).unwrap_or(&base).to_owned(),
        }];
    }
    let mut found = Vec::new();
    if kind.is_manifest() {
        walk(document, json, &mut found, 0);
    }
    found
}

/// The whole picture, as every server of that API has it.
pub(crate) fn full(base: &str, version: u8) -> String {
    let size = if version >= 3 { "max" } else { "full" };
    format!("{}/full/{size}/0/default.jpg", base.trim_end_matches('/'))
}

const TYPES: [&str; 15] = [
    "Image",
    "Video",
    "Audio",
    "Sound",
    "Text",
    "Dataset",
    "Model",
    "PhysicalObject",
    "dctypes:Image",
    "dctypes:Sound",
    "dctypes:MovingImage",
    "dctypes:Text",
    "foaf:Document",
    "oa:Choice",
    "Choice",
];

fn walk(document: usize, json: &Value, found: &mut Vec<Content>, depth: usize) {
    if depth > 64 || found.len() > 5000 {
        return;
    }
    match json {
        Value::Array(array) => {
            for member in array {
                walk(document, member, found, depth + 1);
            }
        }
        Value::Object(object) => {
            found.extend(one(document, json));
            for (key, value) in object {
                // Small pictures for lists are nobody's content.
                if matches!(
                    &**key,
                    "service" | "services" | "thumbnail" | "logo" | "provider" | "homepage"
                ) {
                    continue;
                }
                walk(document, value, found, depth + 1);
            }
        }
        _ => {}
    }
}

fn one(document: usize, json: &Value) -> Option<Content> {
    let of = id(json)?.to_owned();
    let kind = json.get("type").or_else(|| json.get("@type")).and_then(Value::as_str)?;
    if !TYPES.contains(&kind) || kind.ends_with("Choice") || !of.starts_with("http") {
        return None;
    }
    let service =
        members(json.get("service")).into_iter().find(|service| is_image_service(service));
    let image = service.and_then(|service| {
        let kind = service.get("type").or_else(|| service.get("@type")).and_then(Value::as_str);
        let context = service.get("@context").and_then(Value::as_str).unwrap_or_default();
        let three = kind == Some("ImageService3") || context.contains("/image/3/");
        Some((id(service)?.trim_end_matches('/').to_owned(), if three { 3 } else { 2 }))
    });
    let url = image.as_ref().map_or_else(|| of.clone(), |(base, version)| full(base, *version));
    Some(Content { document, url, kind: kind.to_owned(), image, of })
}
