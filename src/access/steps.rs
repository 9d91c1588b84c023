//! Steps of a login: to which access service a path belongs.

use super::flow::Flow;
use crate::core::{BoundAccess, Core, ServiceId};
use crate::path;

/// The access service that a path belongs to. The nearest one, as a realm's services may lie below
/// another service; of those that share a step, the one whose realm was opened last.
pub(super) fn nearest(core: &Core, path: &str, flow: Option<&Flow>) -> Option<ServiceId> {
    let rank = |access: &BoundAccess| {
        let own = access.path().filter(|own| path::below(path, own).is_some());
        let realm = core.realms[access.realm()].name();
        (own.map_or(0, str::len), flow.is_some_and(|flow| flow.realm == realm))
    };
    let covering = core.access.with_ids().filter(|(_, access)| access.covers(path));
    covering.max_by_key(|(_, access)| rank(access)).map(|(index, _)| index)
}

/// Whether a path is a step of logins of several realms, and of no service itself: it does not tell
/// whose tab it is.
pub(super) fn is_shared(core: &Core, path: &str) -> bool {
    let is_own = |own: &str| path::below(path, own).is_some();
    let mut covering = core.access.iter().filter(|access| access.covers(path));
    let Some(first) = covering.next() else { return false };
    covering.any(|access| access.realm() != first.realm())
        && !core.access.iter().filter_map(|access| access.path()).any(is_own)
}
