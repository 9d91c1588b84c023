//! Services for what an application holds itself: its own manifests.

use std::borrow::Cow;
use std::fmt;

use serde_json::Value;

use super::super::description;
use super::super::edit::NotDescribable;
use super::edit::{Outcome, Taken, Undescribed, described, described_again};
use super::left_out::LeftOut;
use super::standing::{self, Standing};
use crate::answer::BoxError;
use crate::config::{IiifAuth, Manifests};
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
    /// It shows more resources than [`Manifests::most`] allows, or one for which there is no access
    /// service.
    NotDescribable(&'static str),
    /// The authorizer could not decide on one of its resources.
    Authorizer(BoxError),
    /// The decisions took longer than
    /// [`decision_timeout`](crate::IiifAuthBuilder::decision_timeout).
    TooLate(BoxError),
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
        }
    }
}

impl std::error::Error for NotDescribed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Authorizer(error) | Self::TooLate(error) => Some(&**error),
            Self::NotJson | Self::NotDescribable(_) => None,
        }
    }
}

impl From<Undescribed> for NotDescribed {
    fn from(error: Undescribed) -> Self {
        match error {
            Undescribed::NoJson => Self::NotJson,
            Undescribed::Not(NotDescribable(reason)) => Self::NotDescribable(reason),
            Undescribed::Later(error) => Self::TooLate(error),
        }
    }
}

impl IiifAuth {
    /// The probe service of the resource at `path`, complete, for its `service` array; `None` if the
    /// resource is open to everyone or hidden from everyone ([`Denial::absent`]), if its base does not
    /// speak 2.0, or if `path` (without scheme and host) names none.
    ///
    /// [`Denial::absent`]: crate::authorizer::Denial::absent
    ///
    /// # Example
    ///
    /// ```
    /// # use tower_iiif_auth::{AccessService, IiifAuth, Keyring, Realm};
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # let auth = IiifAuth::builder("https://iiif.example")
    /// #     .keyring(Keyring::generate()?)
    /// #     .files("/files")
    /// #     .realm(Realm::new().access(AccessService::active("login", "Example Library")))
    /// #     .authorize(|request| request.has_role("reader"))
    /// #     .build()?;
    /// let probe = auth.probe_service("/files/reel-2.mp4").await.expect("it is protected");
    /// assert_eq!(probe["type"], "AuthProbeService2");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn probe_service(&self, path: &str) -> Option<Value> {
        let whole = self.core.find_whole(path).ok()?.into_owned();
        if !self.core.families_of(&whole).contains(Family::V2) {
            return None;
        }
        if standing::of_one(&self.core, &whole).await != Standing::Protected {
            return None;
        }
        let probe = description::probe(&self.core, &whole, false)?;
        serde_json::from_str(probe.get()).ok()
    }

    /// Puts the services of protected files into a manifest of the application's own, as
    /// [`IiifAuthBuilder::manifests`](crate::IiifAuthBuilder::manifests) does on the way: Presentation 3
    /// or 2, in the families that each base speaks. Doing it twice adds nothing. Images are left alone,
    /// see [`describe_manifest_as`](Self::describe_manifest_as).
    ///
    /// # Errors
    ///
    /// [`NotDescribed`] if the authorizer failed for one of the resources or took too long, or if it is
    /// more than can be described. The manifest is as it was then, which is without its services: do not
    /// hand it out, or say 503.
    ///
    /// # Example
    ///
    /// ```
    /// # use serde_json::json;
    /// # use tower_iiif_auth::{AccessService, IiifAuth, Keyring, Realm};
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// # let auth = IiifAuth::builder("https://iiif.example")
    /// #     .keyring(Keyring::generate()?)
    /// #     .files("/files")
    /// #     .realm(Realm::new().access(AccessService::active("login", "Example Library")))
    /// #     .authorize(|request| request.has_role("reader"))
    /// #     .build()?;
    /// let mut manifest = json!({
    ///     "@context": "http://iiif.io/api/presentation/3/context.json",
    ///     "id": "https://works.example/1/manifest.json",
    ///     "type": "Manifest",
    ///     "rendering": [{"id": "https://iiif.example/files/1.pdf", "type": "Text"}],
    /// });
    /// let described = auth.describe_manifest(&mut manifest).await?;
    /// assert_eq!(described.places(), 1);
    /// assert!(described.left_out().is_empty(), "{:?}", described.left_out());
    /// assert_eq!(manifest["rendering"][0]["service"][0]["type"], "AuthProbeService2");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn describe_manifest(
        &self,
        manifest: &mut Value,
    ) -> Result<DescribedManifest, NotDescribed> {
        self.describe_manifest_as(manifest, &Manifests::at("/")).await
    }

    /// The same with the settings of `how`, whose paths do not matter here:
    /// [`images`](Manifests::images), [`in_full`](Manifests::in_full), [`most`](Manifests::most).
    ///
    /// # Errors
    ///
    /// As [`describe_manifest`](Self::describe_manifest).
    pub async fn describe_manifest_as(
        &self,
        manifest: &mut Value,
        how: &Manifests,
    ) -> Result<DescribedManifest, NotDescribed> {
        let text = serde_json::to_string(manifest).map_err(|_| NotDescribed::NotJson)?;
        let outcome = decided(self, &text, how).await?;
        if let Some(text) = &outcome.text {
            let mut value = read(text)?;
            // Its members have an order of their own.
            let text = serde_json::to_string(&value).map_err(|_| NotDescribed::NotJson)?;
            if let Some(text) = described_again(&self.core, how, &text, &outcome.standings)? {
                value = read(&text)?;
            }
            *manifest = value;
        }
        Ok(DescribedManifest { places: outcome.places, left_out: outcome.left_out })
    }

    /// The same for a manifest as text, of which every byte stays but what is put in. It is borrowed
    /// where there is nothing to put in.
    ///
    /// # Errors
    ///
    /// As [`describe_manifest`](Self::describe_manifest).
    pub async fn describe_manifest_text<'t>(
        &self,
        manifest: &'t str,
        how: &Manifests,
    ) -> Result<(Cow<'t, str>, DescribedManifest), NotDescribed> {
        let Outcome { text, places, left_out, .. } = decided(self, manifest, how).await?;
        let text = text.map_or(Cow::Borrowed(manifest), Cow::Owned);
        Ok((text, DescribedManifest { places, left_out }))
    }
}

/// What became of a manifest of whose resources all could be decided on.
async fn decided(auth: &IiifAuth, text: &str, how: &Manifests) -> Result<Outcome, NotDescribed> {
    let mut outcome = described(&auth.core, how, text, Taken::All).await?;
    match outcome.standings.undecided.take() {
        Some(error) => Err(NotDescribed::Authorizer(error)),
        None => Ok(outcome),
    }
}

fn read(text: &str) -> Result<Value, NotDescribed> {
    serde_json::from_str(text).map_err(|_| NotDescribed::NotJson)
}
