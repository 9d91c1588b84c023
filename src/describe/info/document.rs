//! An `info.json` with its services.

use super::super::edit::{Edits, Finished, HostVersion};
use super::super::json::{Json, Node};
use super::super::plan::Rewrite;
use crate::core::Found;

/// What became of an `info.json`.
pub(super) enum Edited<T> {
    /// It is no JSON object to a browser.
    No,
    /// There is nothing to put in.
    Same,
    Written(T),
}

/// A document as `write` writes it.
pub(super) fn edited<T>(
    text: &str,
    rewrite: &Rewrite,
    write: impl FnOnce(&Finished<'_>) -> T,
) -> Edited<T> {
    let Some(json) = Json::parse(text).filter(|json| json.is_object(Node::TOP)) else {
        return Edited::No;
    };
    let core = &rewrite.described.core;
    let version = HostVersion::of_info(&json);
    let mut edits = Edits::of(&json);
    let services = rewrite.wanted.in_information(core, version);
    if rewrite.wanted.in_flow && version == HostVersion::Three {
        edits.add_context();
    }
    if !services.is_empty() {
        edits.put(Node::TOP, "service", &services);
    }
    if let Some((id, right)) = wrong_id(&json, version, rewrite) {
        if core.public_ids {
            edits.replace_by_text(id, &right);
        } else {
            let what = "its id is not the URI that was asked for";
            if core.sites.is_new_at(&rewrite.described.path, what) {
                let id = json.string(id).unwrap_or_default();
                crate::trace::other_id(&rewrite.described.path, &id, &right);
            }
        }
    }
    // What has its services already is still answered as a document of ours.
    let is_same = edits.is_empty() && services.is_empty();
    if is_same { Edited::Same } else { Edited::Written(write(&edits.finish())) }
}

/// Where the id stands that viewers would go by, around the layers, and what it should be.
fn wrong_id(json: &Json<'_>, version: HostVersion, rewrite: &Rewrite) -> Option<(Node, String)> {
    let described = &rewrite.described;
    let asked = described.asked.as_deref()?;
    let names = match version {
        HostVersion::Two => ["@id", "id"],
        HostVersion::Three => ["id", "@id"],
    };
    let id = names.into_iter().find_map(|name| json.get(Node::TOP, name))?;
    let text = json.string(id)?;
    let core = &described.core;
    if text.strip_prefix(core.public_url.as_str()) == Some(asked) {
        return None;
    }
    let right = core.public_url.join(asked);
    // In whichever spelling.
    let whole = described.path.strip_suffix("/info.json")?;
    let names_it = |path: &str| match core.find(path) {
        Found::Resource(found) => found.is_image_service() && found.path() == whole,
        _ => false,
    };
    let is_right = core.own_uri(&text).is_some_and(|own| {
        own.is_public && names_it(own.path.strip_suffix('/').unwrap_or(own.path))
    });
    (!is_right).then_some((id, right))
}
