//! What sealed values are for.

/// What a sealed value is for. Each has keys of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The access cookie.
    Cookie,
    /// The access token.
    Token,
    /// The cookie that remembers the viewer while the user logs in.
    Flow,
    /// What tells the tab of a login from others.
    Tab,
    /// A grant that waits for the user's click.
    PendingGrant,
    /// What a registered client proves itself by.
    ClientCode,
    /// A login on its way into a viewer's page.
    HandOff,
    /// The cookie in a viewer's partition.
    Partitioned,
    /// What opens one resource in the path of a signed location.
    Location,
}

impl Purpose {
    pub(super) const fn label(self) -> &'static [u8] {
        match self {
            Self::Cookie => b"cookie",
            Self::Token => b"token",
            Self::Flow => b"flow",
            Self::Tab => b"tab",
            Self::PendingGrant => b"pending grant",
            Self::ClientCode => b"client code",
            Self::HandOff => b"hand-off",
            Self::Partitioned => b"partitioned",
            Self::Location => b"location",
        }
    }
}
