//! One manifest with an item of every kind, and one for each item alone.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::describe::{Host, SIDE};
use super::items::{ITEMS, Item, Kind, Realm};
use super::model::{Answer, Asked, Model, allow, json, preflight};

/// What a manifest holds.
#[derive(Clone, Copy)]
pub(super) enum Of {
    Everything,
    Errors,
    One(&'static Item),
}

impl Of {
    fn holds(self, item: &Item) -> bool {
        let error = matches!(item.realm, Some(Realm::Error(_)));
        match self {
            Self::Everything => !error,
            Self::Errors => error,
            Self::One(one) => one.name == item.name,
        }
    }

    fn id(self, model: &Model, file: &str) -> String {
        match self {
            Self::Everything => format!("{}/{file}.json", model.base),
            Self::Errors => format!("{}/errors.json", model.base),
            Self::One(one) => format!("{}/{file}/{}.json", model.base, one.name),
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::One(one) => one.name,
            _ => "Every pattern of IIIF authorization",
        }
    }
}

/// Presentation 3, or 4.
pub(super) fn three(model: &Model, asked: &Asked, version: &str, of: Of) -> Answer {
    if asked.method == Method::OPTIONS {
        return preflight();
    }
    let mut seen = false;
    let items: Vec<_> = ITEMS
        .iter()
        .filter(|item| of.holds(item))
        .map(|item| {
            let mut canvas = canvas(model, item, version);
            if model.is("services-in-full") {
                refer(&mut canvas, &mut seen);
            }
            canvas
        })
        .collect();
    let own = Value::from(format!("http://iiif.io/api/presentation/{version}/context.json"));
    let file = if version == "4" { "manifest-4" } else { "manifest" };
    let manifest = json!({
        "@context": model.contexts(&own),
        "id": of.id(model, file),
        "type": "Manifest",
        "label": { "en": [of.label()] },
        "items": items,
    });
    answer(model, &manifest)
}

fn answer(model: &Model, manifest: &Value) -> Answer {
    let mut answer = json(StatusCode::OK, manifest);
    if !model.is("manifest-cors") {
        allow(&mut answer);
    }
    answer
}

/// From the second on an access service is a reference.
fn refer(canvas: &mut Value, seen: &mut bool) {
    let access = canvas.pointer_mut("/items/0/items/0/body/service/0/service/0");
    if let Some(access) = access.filter(|access| access["id"].is_string()) {
        if *seen {
            *access =
                json!({ "id": access["id"], "type": access["type"], "profile": access["profile"] });
        }
        *seen = true;
    }
}

fn canvas(model: &Model, item: &Item, version: &str) -> Value {
    let number: u8 = version.parse().unwrap_or(3);
    let id = format!("{}/canvas/{}", model.base, item.name);
    let body = body(model, item, number);
    let mut canvas = json!({
        "id": id,
        "type": "Canvas",
        "label": { "en": [item.name] },
        "items": [{
            "id": format!("{id}/page"),
            "type": "AnnotationPage",
            "items": [{
                "id": format!("{id}/painting"),
                "type": "Annotation",
                "motivation": "painting",
                "body": body,
                "target": id,
            }],
        }],
    });
    if item.kind != Kind::Sound {
        canvas["width"] = SIDE.into();
        canvas["height"] = SIDE.into();
    }
    if matches!(item.kind, Kind::Sound | Kind::Film) {
        canvas["duration"] = json!(1.5);
    }
    canvas
}

fn body(model: &Model, item: &Item, version: u8) -> Value {
    let image = item.kind == Kind::Image;
    let id = if image {
        format!("{}/iiif/3/{}/full/max/0/default.jpg", model.base, item.name)
    } else {
        format!("{}/file/{}", model.base, item.name)
    };
    let kind = if version == 4 && item.kind == Kind::Sound { "Audio" } else { item.kind.name() };
    let mut body = json!({ "id": id, "type": kind, "format": item.kind.media_type() });
    let place = if image { "3" } else { "file" };
    // The painted body declares the probe, too: some viewers look nowhere else.
    let mut services = model.services(2, place, item, Host::Manifest(version));
    if image {
        let service = json!({ "id": format!("{}/iiif/3/{}", model.base, item.name), "type": "ImageService3", "profile": "level0" });
        services.insert(0, service);
        body["width"] = SIDE.into();
        body["height"] = SIDE.into();
    } else if item.kind != Kind::Document {
        body["duration"] = json!(1.5);
    }
    if !services.is_empty() {
        body["service"] = services.into();
    }
    body
}

/// Presentation 2, with services of 1.0 or 0.9.
pub(super) fn two(model: &Model, asked: &Asked, family: u8, of: Of) -> Answer {
    if asked.method == Method::OPTIONS {
        return preflight();
    }
    let base = if family == 1 { "2" } else { "0" };
    let images = ITEMS.iter().filter(|item| item.kind == Kind::Image && of.holds(item));
    let canvases: Vec<_> = images
        .map(|item| {
            let id = format!("{}/canvas/{}", model.base, item.name);
            let service = format!("{}/iiif/{base}/{}", model.base, item.name);
            json!({
                "@id": id,
                "@type": "sc:Canvas",
                "label": item.name,
                "width": SIDE,
                "height": SIDE,
                "images": [{
                    "@type": "oa:Annotation",
                    "motivation": "sc:painting",
                    "on": id,
                    "resource": {
                        "@id": format!("{service}/full/full/0/default.jpg"),
                        "@type": "dctypes:Image",
                        "format": "image/jpeg",
                        "width": SIDE,
                        "height": SIDE,
                        "service": {
                            "@context": "http://iiif.io/api/image/2/context.json",
                            "@id": service,
                            "profile": "http://iiif.io/api/image/2/level0.json",
                        },
                    },
                }],
            })
        })
        .collect();
    let manifest = json!({
        "@context": "http://iiif.io/api/presentation/2/context.json",
        "@id": of.id(model, &format!("manifest-{family}")),
        "@type": "sc:Manifest",
        "label": of.label(),
        "sequences": [{ "@type": "sc:Sequence", "canvases": canvases }],
    });
    answer(model, &manifest)
}
