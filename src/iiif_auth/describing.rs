//! Services for what an application writes itself.

use std::borrow::Cow;

use serde_json::Value;

use super::IiifAuth;
use crate::config::Manifests;
use crate::describe::{self, DescribedManifest, NotDescribed};

impl IiifAuth {
    /// The probe service of the resource at `path`, complete, for its `service` array in a manifest, with a
    /// `profile` of each service; `None` if the
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
    /// #     .authorize_with(|request| request.has_role("reader"))
    /// #     .build()?;
    /// let probe = auth.probe_service("/files/reel-2.mp4").await.expect("it is protected");
    /// assert_eq!(probe["type"], "AuthProbeService2");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn probe_service(&self, path: &str) -> Option<Value> {
        describe::probe_service(&self.core, path).await
    }

    /// Puts the services of protected files into a manifest of the application's own, as
    /// [`IiifAuthBuilder::manifests`](crate::IiifAuthBuilder::manifests) does on the way: Presentation 3
    /// or 2, or the draft of 4, in the families that each base speaks. Services stand in full wherever they
    /// stand. Doing it twice adds nothing. Image services are left alone, painted images have a probe of
    /// their own; for other ways see [`describe_manifest_as`](Self::describe_manifest_as).
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
    /// #     .authorize_with(|request| request.has_role("reader"))
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
    /// [`images`](Manifests::images), [`by_reference`](Manifests::by_reference), [`max_resources`](Manifests::max_resources).
    ///
    /// # Errors
    ///
    /// As [`describe_manifest`](Self::describe_manifest).
    pub async fn describe_manifest_as(
        &self,
        manifest: &mut Value,
        how: &Manifests,
    ) -> Result<DescribedManifest, NotDescribed> {
        describe::describe_value(&self.core, manifest, how).await
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
        describe::describe_text(&self.core, manifest, how).await
    }
}
