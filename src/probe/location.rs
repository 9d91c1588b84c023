//! Where a resource is to be had without a cookie, for the session of the probe's token.

use serde_json::value::to_raw_value;

use crate::clock::Timestamp;
use crate::core::Core;
use crate::describe::description::ImageService;
use crate::gate::{TokenSession, Verdict};
use crate::protocol::v2::ContentResource;
use crate::resource::Resource;
use crate::signed;

/// The signed location of what was granted under one. A session that was told by a cookie or an address
/// gets none: any page may ask in its name, and reads the answer.
pub(super) fn signed(
    core: &Core,
    resource: &Resource<'_>,
    verdict: &Verdict,
    token: Option<&TokenSession<'_>>,
    now: Timestamp,
) -> Option<ContentResource> {
    if !signed::is_signed(core, verdict) {
        return None;
    }
    let base = signed::base(core, resource, token?, now)?;
    let own = core.public_url.join(&format!("{base}{}", resource.path()));
    let (id, service) = if resource.is_image_service() {
        let service = to_raw_value(&ImageService::new(&own, &[])).ok()?;
        (format!("{own}/full/max/0/default.jpg"), vec![service])
    } else {
        (own, Vec::new())
    };
    // Of the same type as the original (2.0 §5.2).
    let kind = resource.content_type().to_owned();
    Some(ContentResource { id, kind, label: None, service })
}
