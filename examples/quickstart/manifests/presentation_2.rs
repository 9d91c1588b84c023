//! Manifests in the form of Presentation API 2.1.

use serde_json::{Value, json};

use super::Picture;

pub(super) fn manifest(place: &str, name: &str, label: &str, pictures: &[Picture]) -> Value {
    let canvases: Vec<_> = pictures.iter().map(|picture| canvas(place, picture)).collect();
    json!({
        "@context": "http://iiif.io/api/presentation/2/context.json",
        "@id": format!("{place}/{name}.json"),
        "@type": "sc:Manifest",
        "label": label,
        "sequences": [{
            "@id": format!("{place}/{name}/sequence"),
            "@type": "sc:Sequence",
            "canvases": canvases,
        }],
    })
}

fn canvas(place: &str, picture: &Picture) -> Value {
    let Picture { item, service, width, height } = picture;
    let id = format!("{place}/{}/canvas", item.identifier);
    json!({
        "@id": id,
        "@type": "sc:Canvas",
        "label": item.label,
        "description": item.rule,
        "width": width,
        "height": height,
        "images": [{
            "@id": format!("{id}/painting"),
            "@type": "oa:Annotation",
            "motivation": "sc:painting",
            "on": id,
            "resource": {
                "@id": format!("{service}/full/max/0/default.jpg"),
                "@type": "dctypes:Image",
                "format": "image/jpeg",
                "width": width,
                "height": height,
                "service": {
                    "@context": "http://iiif.io/api/image/2/context.json",
                    "@id": service,
                    "profile": "http://iiif.io/api/image/2/level2.json",
                },
            },
        }],
    })
}
