//! Which document is described.

use std::sync::Arc;

use crate::core::Core;
use crate::resource::Resource;

/// A document that gets services, and where it lies.
pub(super) struct Described {
    pub(super) core: Arc<Core>,
    /// The path that it is asked for at.
    pub(super) path: String,
    /// The base that it lies below; none for a manifest that is no resource.
    pub(super) base: Option<String>,
    /// The path of an image service, as it was asked for.
    pub(super) asked: Option<String>,
}

impl Described {
    /// The information document of a whole, which was asked for at this path.
    pub(super) fn information(core: &Arc<Core>, whole: &Resource<'_>, path: &str) -> Self {
        let mut own = String::with_capacity(path.len() + 16);
        whole.write_path(&mut own);
        own.push_str("/info.json");
        Self {
            core: Arc::clone(core),
            path: own,
            base: Some(whole.base().to_owned()),
            // A map may have its documents elsewhere.
            asked: path.strip_suffix("/info.json").map(ToOwned::to_owned),
        }
    }
}
