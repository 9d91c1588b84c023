//! What seals the values that are the same for all realms.

use crate::seal::{Keyring, Purpose, RecallingSealer, Sealer};

/// One sealer a purpose: no value is ever taken for one of another kind.
pub(crate) struct Seals {
    token: RecallingSealer,
    flow: Sealer,
    tab: Sealer,
    pending_grant: Sealer,
    hand_off: Sealer,
    location: Sealer,
}

impl Seals {
    pub(super) fn of(keyring: &Keyring) -> Self {
        let sealer = |purpose| keyring.sealer(purpose, "");
        Self {
            token: RecallingSealer::new(sealer(Purpose::Token)),
            flow: sealer(Purpose::Flow),
            tab: sealer(Purpose::Tab),
            pending_grant: sealer(Purpose::PendingGrant),
            hand_off: sealer(Purpose::HandOff),
            location: sealer(Purpose::Location),
        }
    }

    /// Access tokens.
    #[inline]
    pub(crate) fn token(&self) -> &RecallingSealer {
        &self.token
    }

    /// The flow cookie.
    pub(crate) fn flow(&self) -> &Sealer {
        &self.flow
    }

    /// Which viewer opened a tab.
    pub(crate) fn tab(&self) -> &Sealer {
        &self.tab
    }

    /// What the gesture page carries.
    pub(crate) fn pending_grant(&self) -> &Sealer {
        &self.pending_grant
    }

    /// What opens one resource in the path of a signed location.
    pub(crate) fn location(&self) -> &Sealer {
        &self.location
    }

    /// The code of a hand-off.
    pub(crate) fn hand_off(&self) -> &Sealer {
        &self.hand_off
    }
}
