//! What the types of Presentation documents say.

/// Content that a user sees, hears or downloads: Presentation 3.0 §3.2 (`Sound`), the draft of 4.0
/// (`Audio`, `Model`), and the types of Dublin Core that 2.1 names. Everything else with a type is how
/// documents are built: containers, annotations, selectors, lights, agents.
const CONTENT: [&str; 17] = [
    "Image",
    "Video",
    "Sound",
    "Audio",
    "Text",
    "Dataset",
    "Model",
    "dctypes:Image",
    "dctypes:StillImage",
    "dctypes:MovingImage",
    "dctypes:Sound",
    "dctypes:Text",
    "dctypes:Dataset",
    "dctypes:InteractiveResource",
    "dctypes:PhysicalObject",
    "dctypes:Software",
    "dctypes:Collection",
];

/// Documents of their own: Presentation 3.0 §2.1, the draft of 4.0, 2.1 §2, and what is linked from them
/// (2.0 §1.1).
const DOCUMENTS: [&str; 9] = [
    "Manifest",
    "Collection",
    "CollectionPage",
    "AnnotationPage",
    "AnnotationCollection",
    "sc:Manifest",
    "sc:Collection",
    "sc:AnnotationList",
    "sc:Layer",
];

pub(super) fn is_content(kind: &str) -> bool {
    let own = kind
        .strip_prefix("http://purl.org/dc/dcmitype/")
        .or_else(|| kind.strip_prefix("dcterms:"))
        .map(|own| format!("dctypes:{own}"));
    CONTENT.contains(&own.as_deref().unwrap_or(kind))
}

pub(super) fn is_document(kind: &str) -> bool {
    DOCUMENTS.contains(&kind)
}

/// Members that hold pictures of content, which nobody logs in for.
pub(super) fn is_preview(member: &str) -> bool {
    matches!(member, "thumbnail" | "logo")
}

/// Members that hold services.
pub(super) fn is_services(member: &str) -> bool {
    matches!(member, "service" | "services")
}

/// Members that hold what an annotation paints.
pub(super) fn is_body(member: &str) -> bool {
    matches!(member, "body" | "resource")
}

/// Whether a type or profile is of an image service.
pub(super) fn is_image_service(word: &str) -> bool {
    word.starts_with("ImageService")
        || word == "iiif:Image"
        || word.contains("/image/")
        || word.contains("image-api")
        || matches!(word, "level0" | "level1" | "level2")
}
