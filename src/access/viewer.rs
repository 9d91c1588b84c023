//! Who opened an access service.

use crate::protocol::Origin;

/// A viewer, as far as it said who it is.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Viewer {
    Named(Origin),
    /// 0.9.2 knows no `origin`: the session is then for any viewer, where the configuration says so
    /// ([`Compatibility::insecure_any_viewer_in_0_9`](crate::Compatibility::insecure_any_viewer_in_0_9)).
    Unnamed,
}

impl Viewer {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Named(origin) => origin.as_str(),
            Self::Unnamed => "",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.is_empty() { Some(Self::Unnamed) } else { text.parse().ok().map(Self::Named) }
    }
}
