//! Services for the content of manifests.

mod edit;
mod find;
mod held;
mod left_out;
mod response;
mod services;
mod standing;

pub use held::{DescribedManifest, NotDescribed};
pub(crate) use held::{describe_text, describe_value, probe_service};
pub use left_out::{LeftOut, LeftOutReason};

pub(super) use response::{ManifestPlan, respond};

use crate::core::Core;

/// What Presentation documents are built of (3.0 §2.1, §2.2 and 2.1 §2): no content, and where only id
/// and type stand, a reference that is to be looked up.
const STRUCTURE: [&str; 14] = [
    "Manifest",
    "Collection",
    "Canvas",
    "Range",
    "AnnotationPage",
    "AnnotationCollection",
    "Annotation",
    "sc:Manifest",
    "sc:Collection",
    "sc:Canvas",
    "sc:Range",
    "sc:AnnotationList",
    "sc:Sequence",
    "oa:Annotation",
];

/// The path of a URI below the public URL, without query and fragment.
fn path_of<'u>(core: &Core, uri: &'u str) -> Option<&'u str> {
    let path = uri.strip_prefix(core.public_url.as_str())?;
    // Or it is another host that begins like this one.
    path.starts_with('/').then(|| path.split(['?', '#']).next()).flatten()
}
