//! An `info.json` with its services.

use super::super::description::Put;
use super::super::edit::{Edits, HostVersion};
use super::super::json::{self, Json, Node};

/// `None` for what is no JSON object to a browser.
pub(super) fn edited(body: &[u8], services: Vec<Put>, in_flow: bool) -> Option<String> {
    let text = json::decode(body);
    let json = Json::parse(&text).filter(|json| json.is_object(Node::TOP))?;
    let version = HostVersion::of_info(&json);
    let mut edits = Edits::of(&json);
    let services: Vec<_> = services.into_iter().map(|put| put.for_host(version, in_flow)).collect();
    edits.put(Node::TOP, &services);
    if in_flow && version == HostVersion::Three {
        edits.add_context();
    }
    Some(edits.apply())
}
