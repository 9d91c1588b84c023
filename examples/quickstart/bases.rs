//! Where the pictures are: the same ones under several bases, for viewers of all ages.

use crate::support::images::ImageApi;

/// A base of pictures, and the manifests that lead to it.
pub(crate) struct Base {
    pub(crate) images: &'static str,
    pub(crate) manifests: &'static str,
    /// The version of the Image API, and that of the manifests.
    pub(crate) api: ImageApi,
    /// Whether its manifests list the PDF.
    pub(crate) handlist: bool,
}

pub(crate) const BASES: [Base; 4] = [
    Base { images: "/iiif/3", manifests: "/manifests", api: ImageApi::V3, handlist: true },
    Base { images: "/iiif/2", manifests: "/manifests/2", api: ImageApi::V2, handlist: false },
    Base { images: "/iiif/0.9", manifests: "/manifests/0.9", api: ImageApi::V2, handlist: false },
    Base { images: "/iiif/all", manifests: "/manifests/all", api: ImageApi::V3, handlist: false },
];
