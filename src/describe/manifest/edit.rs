//! The one editor of manifests: on their way through, and of the application's own.

use std::sync::Arc;

use bytes::Bytes;

use super::super::edit::{Edits, Finished, HostVersion, NotDescribable, Service};
use super::super::json::{Json, Node, Places};
use super::super::long::off_worker;
use super::super::values::Unread;
use super::find::{Manifest, find, is_document};
use super::left_out::LeftOut;
use super::services::Writer;
use super::standing::{self, Standing, Standings};
use crate::answer::BoxError;
use crate::body::Share;
use crate::config::{How, Manifests};
use crate::core::Core;

/// Why a manifest is not answered.
pub(super) enum Undescribed {
    Not(NotDescribable),
    NoJson,
    /// There is no memory for it now.
    NoRoom,
    /// It could not be decided in time.
    Later(BoxError),
}

impl From<NotDescribable> for Undescribed {
    fn from(reason: NotDescribable) -> Self {
        Self::Not(reason)
    }
}

impl From<Unread> for Undescribed {
    fn from(reason: Unread) -> Self {
        match reason {
            Unread::NoJson => Self::NoJson,
            Unread::NoRoom => Self::NoRoom,
        }
    }
}

/// What became of a document.
pub(super) struct Outcome<T> {
    /// What was written of it; `None` if there is nothing to put in.
    pub(super) written: Option<T>,
    /// How many objects have their services.
    pub(super) places: usize,
    pub(super) left_out: Vec<LeftOut>,
    /// What the authorizer said to the first on which it could not decide.
    pub(super) undecided: Option<BoxError>,
}

impl<T> Outcome<T> {
    pub(super) fn nothing() -> Self {
        Self { written: None, places: 0, left_out: Vec::new(), undecided: None }
    }
}

/// Which documents are described.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// Those that call themselves one of the Presentation API's.
    Documents,
    /// Whatever the application says is one.
    All,
}

/// How a document is described.
#[derive(Clone, Copy)]
pub(super) struct Settings {
    how: How,
    longest: usize,
    most: usize,
}

impl From<&Manifests> for Settings {
    fn from(own: &Manifests) -> Self {
        Self { how: own.how, longest: own.longest_described, most: own.most }
    }
}

/// A document with its services, as `write` writes it. `text` is UTF-8, and its owner's; what else is held of it
/// until it is written uses `share`, which `write` gets then.
///
/// Long documents are read and written beside the runtime's workers; the authorizer is asked on them.
pub(super) async fn described<T: Send + 'static>(
    core: &Arc<Core>,
    settings: Settings,
    text: Bytes,
    taken: Taken,
    share: Share,
    write: impl FnOnce(&Finished<'_>, Share) -> T + Send + 'static,
) -> Result<Outcome<T>, Undescribed> {
    let room = &core.room;
    let read = {
        let (core, text) = (Arc::clone(core), text.clone());
        off_worker(room, text.len(), move || read(&core, settings, str_of(&text), taken, share))
            .await
    };
    let Some((values, manifest, share)) = read.map_err(Undescribed::Later)?? else {
        return Ok(Outcome::nothing());
    };
    let standings = standing::of_all(core, &manifest.shown).await.map_err(Undescribed::Later)?;
    let core = Arc::clone(core);
    let written = off_worker(room, text.len(), move || {
        let json = Json::attach(str_of(&text), values);
        let Standings { all, undecided } = standings;
        let write = |document: &Finished<'_>| write(document, share);
        let (written, places) = written(&core, settings, &json, &manifest, &all, write)?;
        Ok(Outcome { written, places, left_out: manifest.left_out, undecided })
    });
    written.await.map_err(Undescribed::Later)?
}

fn str_of(text: &Bytes) -> &str {
    std::str::from_utf8(text).unwrap_or_default()
}

type Read = Option<(Places, Manifest, Share)>;

fn read(
    core: &Core,
    settings: Settings,
    text: &str,
    taken: Taken,
    mut share: Share,
) -> Result<Read, Undescribed> {
    let json = Json::parse_within(text, &mut share)?;
    if !json.is_object(Node::TOP) || (taken == Taken::Documents && !is_document(&json)) {
        return Ok(None);
    }
    let manifest = find(core, settings.how, &json);
    if manifest.shown.len() > settings.most {
        return Err(NotDescribable("it shows more resources than the limit").into());
    }
    if !share.grow(manifest.bytes()) {
        return Err(Undescribed::NoRoom);
    }
    Ok(Some((json.into_places(), manifest, share)))
}

fn written<T>(
    core: &Core,
    settings: Settings,
    json: &Json<'_>,
    manifest: &Manifest,
    standings: &[Standing],
    write: impl FnOnce(&Finished<'_>) -> T,
) -> Result<(Option<T>, usize), Undescribed> {
    let mut writer = Writer::new(core, settings.how, manifest.version);
    let mut edits = Edits::of(json);
    let (mut in_flow, mut places) = (false, 0);
    for slot in &manifest.slots {
        let Some(Standing::Protected(through)) = standings.get(slot.shown) else { continue };
        let resource = &manifest.shown[slot.shown];
        let services = match through {
            None => writer.services(resource, slot.what),
            through => writer.services(&resource.clone().through(through.as_ref()), slot.what),
        };
        if services.is_empty() {
            return Err(NotDescribable("no access service is for a resource in it").into());
        }
        in_flow |= services.iter().any(Service::is_probe);
        edits.put(slot.object, "service", &services);
        places += 1;
        if edits.longest() > settings.longest {
            return Err(NotDescribable("with its services it is longer than the limit").into());
        }
    }
    let at_top = writer.at_top();
    if !at_top.is_empty() {
        edits.put(Node::TOP, "services", &at_top);
    }
    if in_flow && manifest.version == HostVersion::Three {
        edits.add_context();
    }
    for (id, text) in &manifest.ids {
        edits.replace_by_text(*id, text);
    }
    if edits.is_empty() {
        return Ok((None, places));
    }
    let finished = edits.finish();
    if finished.longest() > settings.longest {
        return Err(NotDescribable("with its services it is longer than the limit").into());
    }
    Ok((Some(write(&finished)), places))
}
