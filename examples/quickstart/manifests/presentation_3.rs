//! Manifests in the form of Presentation API 3.0.

use serde_json::{Value, json};

use super::{File, Item, Picture};
use crate::sound;

/// Of each file the URI stands beside it.
pub(super) fn manifest(
    place: &str,
    name: &str,
    label: &str,
    pictures: &[Picture],
    files: &[(&File, String)],
) -> Value {
    let pictures = pictures.iter().map(|picture| {
        canvas(place, picture.item, &extent(picture.width, picture.height), &image(picture))
    });
    let files = files.iter().map(|(file, id)| {
        let extent = match file.kind {
            "Sound" => json!({ "duration": sound::duration() }),
            _ => extent(595, 842),
        };
        canvas(place, &file.item, &extent, &body(file, id, &extent))
    });
    json!({
        "@context": "http://iiif.io/api/presentation/3/context.json",
        "id": format!("{place}/{name}.json"),
        "type": "Manifest",
        "label": { "en": [label] },
        "items": pictures.chain(files).collect::<Vec<_>>(),
    })
}

fn extent(width: u32, height: u32) -> Value {
    json!({ "width": width, "height": height })
}

/// `extent` is how large it is, or how long.
fn canvas(place: &str, item: &Item, extent: &Value, body: &Value) -> Value {
    let id = format!("{place}/{}/canvas", item.identifier);
    let mut canvas = json!({
        "id": id,
        "type": "Canvas",
        "label": { "en": [item.label] },
        "summary": { "en": [item.rule] },
        "items": [{
            "id": format!("{id}/page"),
            "type": "AnnotationPage",
            "items": [{
                "id": format!("{id}/painting"),
                "type": "Annotation",
                "motivation": "painting",
                "target": id,
                "body": body,
            }],
        }],
    });
    add(&mut canvas, extent);
    canvas
}

/// Puts the members of another object in.
fn add(object: &mut Value, members: &Value) {
    for (name, value) in members.as_object().into_iter().flatten() {
        object[name] = value.clone();
    }
}

fn image(picture: &Picture) -> Value {
    let Picture { service, width, height, .. } = picture;
    json!({
        "id": format!("{service}/full/max/0/default.jpg"),
        "type": "Image",
        "format": "image/jpeg",
        "width": width,
        "height": height,
        "service": [{ "id": service, "type": "ImageService3", "profile": "level2" }],
    })
}

fn body(file: &File, id: &str, extent: &Value) -> Value {
    let mut body = json!({ "id": id, "type": file.kind, "format": file.format });
    if file.kind == "Sound" {
        add(&mut body, extent);
    }
    body
}
