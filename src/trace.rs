//! Events for operators: one place for their wording, levels and fields.
//!
//! A refusal is ordinary (every viewer asks first without permission) and logged at `debug`; what
//! an operator has to look at is `warn` or `error`. No event holds a cookie, token, key, subject,
//! query or header value.
//!
//! Without the `tracing` feature all of this is empty.

#[cfg(feature = "tracing")]
macro_rules! event {
    ($($event:tt)*) => { tracing::event!(target: "tower_iiif_auth", $($event)*) };
}

#[cfg(not(feature = "tracing"))]
macro_rules! event {
    ($level:expr, $($field:ident = $value:expr),* $(, $message:literal)?) => {{ $(let _ = &$value;)* }};
}

use std::fmt::Display;

#[cfg(feature = "tracing")]
use tracing::Level;

/// Something in the configuration that works and will disappoint.
pub(crate) fn warning(text: &'static str) {
    event!(Level::WARN, message = text);
}

/// An aspect goes by address and the application does not say where connections come from. Said
/// once: it is true of every request.
pub(crate) fn no_peer() {
    static SAID: std::sync::Once = std::sync::Once::new();
    SAID.call_once(|| {
        warning(
            "an aspect goes by address, and requests carry no PeerAddr: nobody is recognised by it",
        );
    });
}

/// A decision on a content route or in a probe. `basis` is why: `open`, `session`, or what the
/// aspect lacked.
pub(crate) fn decided(place: &'static str, path: &str, status: u16, basis: &'static str) {
    event!(Level::DEBUG, place = place, path = path, status = status, basis = basis, "decision");
}

/// A path that names nothing.
pub(crate) fn refused_path(place: &'static str, path: &str, status: u16) {
    event!(Level::DEBUG, place = place, path = path, status = status, "no such resource");
}

/// A token was issued, or why not.
pub(crate) fn token(realm: &str, outcome: &'static str) {
    event!(Level::DEBUG, realm = realm, outcome = outcome, "token service");
}

/// A user got through an access service, or why not.
pub(crate) fn access(realm: &str, outcome: &'static str) {
    event!(Level::INFO, realm = realm, outcome = outcome, "access service");
}

/// A client of 0.9.2 proved itself, or not.
pub(crate) fn client(realm: &str, known: bool) {
    event!(Level::INFO, realm = realm, known = known, "client identity service");
}

/// A user logged out.
pub(crate) fn logout(realm: &str, outcome: &'static str) {
    event!(Level::INFO, realm = realm, outcome = outcome, "logout service");
}

/// Something of the application's or the operator's failed; the request was denied.
pub(crate) fn failure(what: &'static str, error: &dyn Display) {
    let error = error.to_string();
    event!(Level::ERROR, what = what, error = error.as_str(), "denied, as it could not be decided");
}

/// The inner service's `info.json` could not be described.
pub(crate) fn undescribed(path: &str, reason: &'static str) {
    event!(Level::WARN, path = path, reason = reason, "info.json could not be described");
}
