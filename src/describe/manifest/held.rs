//! Services for what an application holds itself: its own manifests.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use super::super::description;
use super::super::edit::{Finished, NotDescribable};
use super::super::long::is_long;
use super::edit::{Outcome, Taken, Undescribed, described};
use super::left_out::LeftOut;
use super::standing::{self, Standing};
use crate::answer::{Answer, BoxError};
use crate::config::Manifests;
use crate::core::Core;
use crate::protocol::Family;

/// What became of a manifest: how many of its objects have services, and what got none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "it says what of the manifest could not be described"]
pub struct DescribedManifest {
    places: usize,
    left_out: Vec<LeftOut>,
}

impl DescribedManifest {
    /// How many objects have their services now, those that had them before included.
    #[must_use]
    pub fn places(&self) -> usize {
        self.places
    }

    /// The objects that got none although their ids look like this publisher's.
    #[must_use]
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }
}

/// Why a manifest was not described; it is as it was.
#[derive(Debug)]
#[non_exhaustive]
pub enum NotDescribed {
    /// It is no JSON, or nested more deeply than `serde_json` reads.
    NotJson,
    /// It shows more resources than [`Manifests::max_resources`] allows, or one for which there is no access
    /// service.
    NotDescribable(&'static str),
    /// The authorizer could not decide on one of its resources.
    Authorizer(BoxError),
    /// The decisions took longer than
    /// [`max_decision_time`](crate::Limits::max_decision_time).
    TooLate(BoxError),
    /// Other documents take what
    /// [`max_described_bytes_at_once`](crate::Limits::max_described_bytes_at_once) allows, and did for ten
    /// seconds; or it is too long even for all of that.
    NoRoom,
}

impl fmt::Display for NotDescribed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson => f.write_str("the manifest is no JSON"),
            Self::NotDescribable(reason) => {
                write!(f, "the manifest can not be described: {reason}")
            }
            Self::Authorizer(error) => {
                write!(f, "the authorizer could not decide on a resource of the manifest: {error}")
            }
            Self::TooLate(error) => {
                write!(f, "the resources of the manifest could not be decided on: {error}")
            }
            Self::NoRoom => f.write_str("there is no memory for the manifest now"),
        }
    }
}

impl std::error::Error for NotDescribed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Authorizer(error) | Self::TooLate(error) => Some(&**error),
            Self::NotJson | Self::NotDescribable(_) | Self::NoRoom => None,
        }
    }
}

impl From<Undescribed> for NotDescribed {
    fn from(error: Undescribed) -> Self {
        match error {
            Undescribed::NoJson => Self::NotJson,
            Undescribed::Not(NotDescribable(reason)) => Self::NotDescribable(reason),
            Undescribed::Later(error) => Self::TooLate(error),
            Undescribed::NoRoom => Self::NoRoom,
        }
    }
}

/// The probe service of the resource at `path`, as [`IiifAuth::probe_service`](crate::IiifAuth::probe_service)
/// says.
pub(crate) async fn probe_service(core: &Arc<Core>, path: &str) -> Option<Value> {
    let whole = core.find_whole(path).ok()?.into_owned();
    if !core.families_of(&whole).contains(Family::V2) {
        return None;
    }
    let Standing::Protected(through) = standing::of_one(core, &whole).await else { return None };
    let whole = whole.through(through.as_ref());
    let probe = description::probe_in_manifest(core, &whole)?;
    serde_json::from_str(&probe).ok()
}

/// Puts services into a manifest that is a value.
pub(crate) async fn describe_value(
    core: &Arc<Core>,
    manifest: &mut Value,
    how: &Manifests,
) -> Result<DescribedManifest, NotDescribed> {
    let text = serde_json::to_vec(manifest).map_err(|_| NotDescribed::NotJson)?;
    let (written, described) = decided(core, text.into(), how).await?;
    if let Some(text) = written {
        *manifest = serde_json::from_str(&text).map_err(|_| NotDescribed::NotJson)?;
    }
    Ok(described)
}

/// Puts services into a manifest that is a text.
pub(crate) async fn describe_text<'t>(
    core: &Arc<Core>,
    manifest: &'t str,
    how: &Manifests,
) -> Result<(Cow<'t, str>, DescribedManifest), NotDescribed> {
    let text = Bytes::copy_from_slice(manifest.as_bytes());
    let (written, described) = decided(core, text, how).await?;
    Ok((written.map_or(Cow::Borrowed(manifest), Cow::Owned), described))
}

/// What became of a manifest of whose resources all could be decided on.
async fn decided(
    core: &Arc<Core>,
    text: Bytes,
    how: &Manifests,
) -> Result<(Option<String>, DescribedManifest), NotDescribed> {
    // The text before and behind is the application's own.
    let share = match is_long(text.len()).then(|| core.room.enter(text.len().saturating_mul(2))) {
        Some(Answer::Now(share)) => share,
        Some(Answer::Later(share)) => share.await,
        None => Some(core.room.share()),
    };
    let share = share.ok_or(NotDescribed::NoRoom)?;
    let write = |document: &Finished<'_>, _| document.text();
    let described = described(core, how.into(), text, Taken::All, share, write);
    let Outcome { written, places, left_out, undecided } = described.await?;
    match undecided {
        Some(error) => Err(NotDescribed::Authorizer(error)),
        None => Ok((written, DescribedManifest { places, left_out })),
    }
}
