//! Which viewers' origins get tokens.

use crate::config::ConfigError;
use crate::protocol::Origin;

/// From which viewers' origins a token may be had (2.0 §4.3, §4.5).
///
/// For reading there need not be a register of trusted viewers; lists are for stronger rights.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum OriginPolicy {
    /// Those that the session is [for](crate::aspect::Viewers): that the login was opened from, and the
    /// user let in. None, for a login that no viewer opened; any, for what nobody logs in to, such as an
    /// address, and where the application says so. The default.
    #[default]
    Bound,
    /// Any, whatever the session is for: every page that the user visits.
    Any,
    /// These only, for access and token services alike, and whatever the session is for.
    AllowList(Vec<Origin>),
}

impl OriginPolicy {
    /// Only these origins.
    ///
    /// # Errors
    ///
    /// When one cannot be read.
    pub fn allow(origins: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, ConfigError> {
        let parse = |text: &str| {
            text.parse()
                .map_err(|cause| ConfigError::AllowedOrigin { origin: text.to_owned(), cause })
        };
        origins
            .into_iter()
            .map(|origin| parse(origin.as_ref()))
            .collect::<Result<_, _>>()
            .map(Self::AllowList)
    }

    /// Whether the policy refuses this origin whatever the session.
    pub(crate) fn refuses(&self, origin: &Origin) -> bool {
        matches!(self, Self::AllowList(allowed) if !allowed.contains(origin))
    }
}
