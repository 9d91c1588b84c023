//! Where a description may lead: to another one below the same base.

use http::HeaderValue;

use super::described::Described;
use crate::core::Found;

/// A `Location` of the inner service's as it may go out: absolute, at or below the same base, and read in
/// one way only; `None` for every other.
pub(super) fn on_base(described: &Described, value: &HeaderValue) -> Option<HeaderValue> {
    let core = &described.core;
    let target = value.to_str().ok()?.split('#').next().filter(|target| !target.is_empty())?;
    // What browsers drop, turn round or escape.
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"\\\"<>^`{|}".contains(&byte);
    if !target.bytes().all(plain) {
        return None;
    }
    let target = match core.own_uri(target) {
        Some(own) => own.path_and_more.to_owned(),
        None if target.starts_with("//") => return None,
        None if target.starts_with('/') => core.own_path(target)?.to_owned(),
        None if target.starts_with('?') => format!("{}{target}", described.path),
        None => {
            let first = target.split(['/', '?']).next().unwrap_or_default();
            let (folder, _) = described.path.rsplit_once('/')?;
            (!first.contains(':')).then(|| format!("{folder}/{target}"))?
        }
    };
    let path = target.split('?').next().unwrap_or_default();
    if !path.starts_with('/') || path.split('/').any(|segment| matches!(segment, "." | "..")) {
        return None;
    }
    let stays = match (core.find(path), &described.base) {
        (Found::Resource(resource), Some(base)) => resource.base() == base,
        // A manifest that is no resource: to another one.
        (Found::Resource(_) | Found::Public, None) => core.sites.manifests_at(path).is_some(),
        _ => false,
    };
    stays.then(|| HeaderValue::try_from(core.public_url.join(&target)).ok()).flatten()
}
