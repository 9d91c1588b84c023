//! Where the pictures are: the same ones under several bases, for viewers of all ages.

use tower_iiif_auth::protocol::Family::{self, V1, V2, V09};

use crate::support::images::ImageApi;

/// A base of pictures, and the manifests that lead to it.
pub(crate) struct Base {
    pub(crate) images: &'static str,
    pub(crate) manifests: &'static str,
    /// The version of the Image API, and that of the manifests.
    pub(crate) api: ImageApi,
    /// The families of the specification that it speaks.
    pub(crate) families: &'static [Family],
    /// Whether its manifests list the files: a PDF, a recording, a stream.
    pub(crate) files: bool,
}

pub(crate) const BASES: [Base; 4] = [
    base("/iiif/3", "/manifests", ImageApi::V3, &[V2]),
    base("/iiif/2", "/manifests/2", ImageApi::V2, &[V1]),
    base("/iiif/0.9", "/manifests/0.9", ImageApi::V2, &[V09]),
    base("/iiif/all", "/manifests/all", ImageApi::V3, &[V2, V1, V09]),
];

const fn base(
    images: &'static str,
    manifests: &'static str,
    api: ImageApi,
    families: &'static [Family],
) -> Base {
    // Older families know no probe for a file.
    let files = matches!(families, [V2]);
    Base { images, manifests, api, families, files }
}
