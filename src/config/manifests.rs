//! Which manifests are described, and how.

use crate::config::ConfigError;
use crate::path;
use crate::resource::Pattern;

/// Manifests whose protected content gets its services: see
/// [`IiifAuthBuilder::manifests`](crate::IiifAuthBuilder::manifests).
///
/// Only documents that call themselves a manifest are touched, of Presentation 3 or 2, and in them
/// only `service` of content below this publisher's bases, and the `@context` at the top.
/// Collections, annotation pages and whatever else is found there pass as they are.
///
/// # Example
///
/// ```
/// use tower_iiif_auth::Manifests;
///
/// let plainly = Manifests::at("/manifests");
/// let in_one_place = Manifests::at("/works/*/manifest.json").images().max_bytes(2 << 20);
/// ```
#[derive(Clone, Debug)]
#[must_use = "it does nothing until it is given to the builder"]
pub struct Manifests {
    pub(crate) paths: Pattern,
    pub(crate) images: bool,
    pub(crate) in_full: bool,
    pub(crate) longest: usize,
    pub(crate) most: usize,
}

impl Manifests {
    /// Those at or below this path, such as `/manifests`, or, where it has a `*`, those whose whole
    /// path fits it: `/works/*/manifest.json`.
    pub fn at(path: impl Into<Pattern>) -> Self {
        let paths = path.into();
        Self { paths, images: false, in_full: false, longest: 8 << 20, most: 20_000 }
    }

    /// Images get their services as well: in the manifest's image service, or in the content itself
    /// where it has none. Default: no, as their `info.json` has them, which is what counts (2.0 §2.1),
    /// and as published viewers do better without.
    ///
    /// `mirador` up to 4.2.3 shows a blank window unless
    /// [`profile_on_probe`](crate::Compatibility::profile_on_probe) is set;
    /// `react-iiif-vault` 2.0.10 follows no references, see [`in_full`](Self::in_full). Thumbnails
    /// never get any: no viewer offers a login for one.
    pub fn images(mut self) -> Self {
        self.images = true;
        self
    }

    /// Writes each service of 2.0 in full wherever it stands. Default: the first time; after that by
    /// id and type, as Presentation 3.0 §3.3.1 has it. For viewers that do not follow references.
    /// Services of 1.0 and 0.9, and all those in Presentation 2, are in full in any case.
    pub fn in_full(mut self) -> Self {
        self.in_full = true;
        self
    }

    /// The largest manifest, in bytes; a larger one is answered with 502. Default: 8 MiB.
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.longest = bytes;
        self
    }

    /// How many different resources of this publisher's a manifest may show: for each the authorizer is
    /// asked once. A manifest with more is answered with 502. Default: 20 000.
    pub fn max_resources(mut self, resources: usize) -> Self {
        self.most = resources;
        self
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let path = self.paths.as_str();
        if !self.paths.may_match_path() || (path.len() > 1 && path.ends_with('/')) {
            return Err(ConfigError::ManifestPath(path.to_owned()));
        }
        for (limit, what) in [(self.longest, "max_bytes"), (self.most, "max_resources")] {
            if limit == 0 {
                return Err(ConfigError::ManifestLimit(what));
            }
        }
        Ok(())
    }

    pub(crate) fn covers(&self, path: &str) -> bool {
        self.paths.matches(path) || path::below(path, self.paths.as_str()).is_some()
    }
}

impl<P: Into<Pattern>> From<P> for Manifests {
    fn from(path: P) -> Self {
        Self::at(path)
    }
}
