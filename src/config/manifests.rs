//! Which manifests are described, and how.

use crate::config::ConfigError;
use crate::path;
use crate::resource::Pattern;

/// Manifests whose protected content gets its services: see
/// [`IiifAuthBuilder::manifests`](crate::IiifAuthBuilder::manifests).
///
/// Documents of the Presentation API 4 (draft), 3 and 2 are touched: manifests, collections, annotation
/// pages and lists, and in them only `service` of content below this publisher's bases, and the
/// `@context` at the top. Whatever else is found there passes as it is.
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
    pub(crate) how: How,
    pub(crate) longest: usize,
    pub(crate) longest_described: usize,
    pub(crate) most: usize,
}

/// What is written, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct How {
    /// In image services, too.
    pub(crate) images: bool,
    /// On the painted body of an image.
    pub(crate) bodies: bool,
    /// Access services stand at the top, and by reference elsewhere.
    pub(crate) by_reference: bool,
    /// External access services have an id.
    pub(crate) external_ids: bool,
}

impl Manifests {
    /// Those at or below this path, such as `/manifests`, or, where it has a `*`, those whose whole
    /// path fits it: `/works/*/manifest.json`.
    pub fn at(path: impl Into<Pattern>) -> Self {
        let how = How { images: false, bodies: true, by_reference: false, external_ids: false };
        Self {
            paths: path.into(),
            how,
            longest: 32 << 20,
            longest_described: 96 << 20,
            most: 20_000,
        }
    }

    /// Images get their services in the manifest's image service as well, or in the content itself
    /// where it has none, wherever it stands. Default: no, as their `info.json` has them, which is what
    /// counts (2.0 §2.1).
    ///
    /// `mirador` up to 4.2.3 logs nobody in who finds a probe there and no service of 1.0.
    /// Thumbnails and logos never get any: no viewer offers a login for one.
    pub fn images(mut self) -> Self {
        self.how.images = true;
        self
    }

    /// Painted images get no probe beside their image service. Default: they do, in bases that speak
    /// 2.0.
    ///
    /// Mirador with 2.0 (its pull request 4384) reads the probe of the painted body alone and crashes
    /// without; no other viewer is known to mind. In Presentation 2 an image service that is one object
    /// stays one, as viewers read it so: such a body gets no probe.
    pub fn without_probes_on_images(mut self) -> Self {
        self.how.bodies = false;
        self
    }

    /// Writes each service of 2.0 in full wherever it stands. The default: no viewer is known that
    /// follows references, and Ramp crashes at the first.
    pub fn in_full(mut self) -> Self {
        self.how.by_reference = false;
        self
    }

    /// Writes access services in full once, in `services` at the top of the document, and by id, type and
    /// profile in each probe (Presentation 3.0 §3.3, 4.0). For size: a manifest of a thousand canvases is
    /// half a megabyte smaller, or more where there are several access services.
    ///
    /// It breaks Ramp, `react-iiif-vault`, sul-embed and Mirador with 2.0, which all look for the token
    /// service in the probe. Services of 1.0 and 0.9, external access services, which have no id, and
    /// all those in Presentation 2 are in full in any case.
    pub fn by_reference(mut self) -> Self {
        self.how.by_reference = true;
        self
    }

    /// Gives external access services an id, at which there is nothing.
    ///
    /// 2.0 §3.1 says that they should have none, and that clients ignore it; Presentation 3.0 and 4.0
    /// say that a service must have one, and their validators refuse manifests without. Default: none.
    pub fn external_ids(mut self) -> Self {
        self.how.external_ids = true;
        self
    }

    /// The largest document, in bytes, unpacked where it is compressed. A larger one is answered with
    /// 502, unless nothing that it shows lies below a base: then it passes as it is. Default: 32 MiB,
    /// which is ten thousand canvases and more.
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.longest = bytes;
        self
    }

    /// The largest document with its services, in bytes; a larger one is answered with 502. Default:
    /// 96 MiB.
    pub fn max_described_bytes(mut self, bytes: usize) -> Self {
        self.longest_described = bytes;
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
        for (limit, what) in [
            (self.longest, "max_bytes"),
            (self.longest_described, "max_described_bytes"),
            (self.most, "max_resources"),
        ] {
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
