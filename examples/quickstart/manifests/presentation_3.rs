//! Manifests in the form of Presentation API 3.0.

use serde_json::{Value, json};

use super::{Item, Picture};

/// `handlist` is a PDF with its URI.
pub(super) fn manifest(
    place: &str,
    name: &str,
    label: &str,
    pictures: &[Picture],
    handlist: Option<&(&Item, String)>,
) -> Value {
    let pictures = pictures
        .iter()
        .map(|picture| canvas(place, picture.item, picture.width, picture.height, &image(picture)));
    let handlist = handlist.map(|(item, id)| canvas(place, item, 595, 842, &pdf(id)));
    json!({
        "@context": "http://iiif.io/api/presentation/3/context.json",
        "id": format!("{place}/{name}.json"),
        "type": "Manifest",
        "label": { "en": [label] },
        "items": pictures.chain(handlist).collect::<Vec<_>>(),
    })
}

fn canvas(place: &str, item: &Item, width: u32, height: u32, body: &Value) -> Value {
    let id = format!("{place}/{}/canvas", item.identifier);
    json!({
        "id": id,
        "type": "Canvas",
        "label": { "en": [item.label] },
        "summary": { "en": [item.rule] },
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
                "body": body,
            }],
        }],
    })
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

fn pdf(id: &str) -> Value {
    json!({ "id": id, "type": "Text", "format": "application/pdf" })
}
