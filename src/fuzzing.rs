//! For the fuzz targets alone: what only the owner of the keys could send. Not part of any build
//! without `--cfg fuzzing`.

use crate::seal::{Keyring, Purpose};
use crate::session::Session;

/// What a value is sealed for.
#[derive(Clone, Copy, Debug)]
pub enum Sealed {
    /// The access cookie.
    Cookie,
    /// The access token.
    Token,
    /// The cookie of a login in progress.
    Flow,
    /// A grant that waits for a click.
    PendingGrant,
    /// The code of a registered client.
    ClientCode,
    /// A login on its way into a viewer's partition.
    HandOff,
    /// The cookie in a viewer's partition.
    Partitioned,
    /// What tells the tab of a login from others.
    Tab,
}

/// Seals any payload in the unnamed realm.
#[must_use]
pub fn seal(keyring: &Keyring, what: Sealed, payload: &[u8]) -> Option<String> {
    let purpose = match what {
        Sealed::Cookie => Purpose::Cookie,
        Sealed::Token => Purpose::Token,
        Sealed::Flow => Purpose::Flow,
        Sealed::PendingGrant => Purpose::PendingGrant,
        Sealed::ClientCode => Purpose::ClientCode,
        Sealed::HandOff => Purpose::HandOff,
        Sealed::Partitioned => Purpose::Partitioned,
        Sealed::Tab => Purpose::Tab,
    };
    keyring.sealer(purpose, "").seal(payload).ok()
}

/// The session that these bytes are the binary form of.
#[must_use]
pub fn session(bytes: &[u8]) -> Option<Session<'static>> {
    Session::read(bytes).map(Session::into_owned)
}

/// The binary form of a session.
#[must_use]
pub fn written(session: &Session<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    session.write(&mut bytes);
    bytes
}
