//! A content resource that a probe result points at: a `location` or a `substitute`.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::protocol::LanguageMap;

/// What a `location` and each `substitute` of a probe result say (2.0 §5.2).
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ContentResource {
    /// The URI of the resource.
    pub(crate) id: String,
    /// The Presentation 3 type: `Image`, `Video`, `Sound`, `Text`, `Dataset` …
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// What a person may call it; worth having as soon as there are two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) label: Option<LanguageMap>,
    /// The services of the resource: its image service, its own probe.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) service: Vec<Box<RawValue>>,
}
