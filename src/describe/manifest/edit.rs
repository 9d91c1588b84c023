//! The one editor of manifests: on their way through, and of the application's own.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::edit::{Edits, HostVersion, NotDescribable};
use super::super::json::{Json, Node};
use super::find::{Manifest, find, is_manifest};
use super::left_out::LeftOut;
use super::services::Writer;
use super::standing::{self, Standing, Standings};
use crate::answer::BoxError;
use crate::config::Manifests;
use crate::core::Core;

/// Why a manifest is not answered.
pub(super) enum Undescribed {
    Not(NotDescribable),
    NoJson,
    /// It could not be decided in time.
    Later(BoxError),
}

impl From<NotDescribable> for Undescribed {
    fn from(reason: NotDescribable) -> Self {
        Self::Not(reason)
    }
}

/// What became of a document.
#[derive(Default)]
pub(super) struct Outcome {
    /// With services; `None` if there is nothing to put in.
    pub(super) text: Option<String>,
    /// How many objects have their services.
    pub(super) places: usize,
    pub(super) left_out: Vec<LeftOut>,
    /// What everybody may see of it.
    pub(super) standings: Standings,
}

/// Which documents are described.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// Those that call themselves a manifest.
    Manifests,
    /// Whatever the application says is one.
    All,
}

/// A manifest with its services.
pub(super) async fn described(
    core: &Arc<Core>,
    settings: &Manifests,
    text: &str,
    taken: Taken,
) -> Result<Outcome, Undescribed> {
    let json = Json::parse(text).ok_or(Undescribed::NoJson)?;
    if !json.is_object(Node::TOP) || (taken == Taken::Manifests && !is_manifest(&json)) {
        return Ok(Outcome::default());
    }
    let manifest = find(core, settings, &json);
    let mut asked = HashMap::new();
    for slot in &manifest.slots {
        if !asked.contains_key(&slot.path) {
            asked.insert(slot.path.clone(), slot.resource.clone());
        }
        if asked.len() > settings.most {
            return Err(NotDescribable("it shows more resources than the limit").into());
        }
    }
    let standings = standing::of_all(core, asked).await.map_err(Undescribed::Later)?;
    let (text, places) = written(core, settings, &json, &manifest, &standings)?;
    Ok(Outcome { text, places, left_out: manifest.left_out, standings })
}

/// The same where everything was asked before, and the members stand in another order now: what stands
/// first is written in full.
pub(super) fn described_again(
    core: &Core,
    settings: &Manifests,
    text: &str,
    standings: &Standings,
) -> Result<Option<String>, Undescribed> {
    let json = Json::parse(text).ok_or(Undescribed::NoJson)?;
    let manifest = find(core, settings, &json);
    Ok(written(core, settings, &json, &manifest, standings)?.0)
}

fn written(
    core: &Core,
    settings: &Manifests,
    json: &Json<'_>,
    manifest: &Manifest,
    standings: &Standings,
) -> Result<(Option<String>, usize), NotDescribable> {
    let mut writer = Writer::new(core, settings, manifest.version);
    let mut edits = Edits::of(json);
    let (mut in_flow, mut places) = (false, 0);
    for slot in &manifest.slots {
        let Some(Standing::Protected(through)) = standings.all.get(&slot.path) else { continue };
        let services = match through {
            None => writer.services(&slot.resource),
            through => writer.services(&slot.resource.clone().through(through.as_ref())),
        };
        if services.is_empty() {
            return Err(NotDescribable("no access service is for a resource in it"));
        }
        in_flow |= services.iter().any(|service| service.in_flow);
        edits.put(slot.object, &services);
        places += 1;
    }
    if in_flow && manifest.version == HostVersion::Three {
        edits.add_context();
    }
    Ok(((!edits.is_empty()).then(|| edits.apply()), places))
}
