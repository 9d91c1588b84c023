//! What a server declares: services and content, read from JSON that may be wrong in any way.

mod content;
mod services;

pub(crate) use content::{Content, content};
pub(crate) use services::{Family, Role, Service, is_complete, services};

use serde_json::Value;

/// Which document declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `info.json`, of Image API 3 or of 2 and before.
    Info(u8),
    Manifest(u8),
    ProbeResult,
    Other,
}

impl Kind {
    pub(crate) fn of(json: &Value) -> Self {
        let contexts = contexts(json);
        let has = |part: &str| contexts.iter().any(|context| context.contains(part));
        let text = |key: &str| json.get(key).and_then(Value::as_str).unwrap_or_default();
        let kind = if text("type").is_empty() { text("@type") } else { text("type") };
        if has("/image/3/") || kind == "ImageService3" {
            Self::Info(3)
        } else if has("/image/") || text("protocol") == "http://iiif.io/api/image" {
            Self::Info(2)
        } else if has("/presentation/4/") {
            Self::Manifest(4)
        } else if has("/presentation/3/") || matches!(kind, "Manifest" | "Canvas" | "Collection") {
            Self::Manifest(3)
        } else if has("/presentation/2/") || kind.starts_with("sc:") {
            Self::Manifest(2)
        } else if kind == "AuthProbeResult2" || (json.get("status").is_some() && has("/auth/2/")) {
            Self::ProbeResult
        } else {
            Self::Other
        }
    }

    /// Version 3 hosts keep the context of services at their top.
    pub(crate) fn is_version_3(self) -> bool {
        matches!(self, Self::Info(3) | Self::Manifest(3 | 4))
    }

    pub(crate) fn is_info(self) -> bool {
        matches!(self, Self::Info(_))
    }

    pub(crate) fn is_manifest(self) -> bool {
        matches!(self, Self::Manifest(_))
    }
}

/// The members of `@context`, in order.
pub(crate) fn contexts(json: &Value) -> Vec<&str> {
    match json.get("@context") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// `id` or `@id`.
pub(crate) fn id(json: &Value) -> Option<&str> {
    json.get("id").or_else(|| json.get("@id")).and_then(Value::as_str)
}

/// The members of `service`: an object counts as one.
pub(crate) fn members(value: Option<&Value>) -> Vec<&Value> {
    match value {
        Some(Value::Array(many)) => many.iter().collect(),
        Some(Value::Null) | None => Vec::new(),
        Some(one) => vec![one],
    }
}
