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

use std::borrow::Cow;
use std::fmt::Display;

#[cfg(feature = "tracing")]
use tracing::Level;

/// Something that works and will disappoint.
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

/// The clock was set back by so much: all sessions of before are over.
pub(crate) fn clock_went_back(by: std::time::Duration) {
    let seconds = by.as_secs();
    event!(Level::WARN, seconds = seconds, "the clock was set back: users have to log in again");
}

/// Something of the application's or the operator's failed; the request was denied.
pub(crate) fn failure(what: &'static str, error: &dyn Display) {
    let error = error.to_string();
    event!(Level::ERROR, what = what, error = error.as_str(), "denied, as it could not be decided");
}

/// The inner service's `info.json` or manifest could not be described.
pub(crate) fn undescribed(path: &str, reason: &'static str) {
    event!(Level::WARN, path = &*shown(path), reason = reason, "could not be described");
}

/// An `info.json` names another URI than the one that it was asked for at.
pub(crate) fn other_id(path: &str, id: &str, right: &str) {
    let id: String = id.split('?').next().unwrap_or_default().chars().take(200).collect();
    event!(
        Level::WARN,
        path = &*shown(path),
        id = id.as_str(),
        public = &*shown(right),
        "the id is not the URI that was asked for, so that viewers go around the layers: tell the image \
         server its public URL, or call public_ids()"
    );
}

/// The longest path in a log, in bytes: strangers choose them.
const LONGEST_PATH: usize = 512;

/// A path as it is logged: what is too long is cut, and ends in `…`.
pub(crate) fn shown(path: &str) -> Cow<'_, str> {
    if path.len() <= LONGEST_PATH {
        return Cow::Borrowed(path);
    }
    let end = (0..=LONGEST_PATH).rev().find(|end| path.is_char_boundary(*end)).unwrap_or(0);
    Cow::Owned(format!("{}…", &path[..end]))
}

/// Content of a manifest looks like this publisher's, and got no services.
pub(crate) fn misplaced(path: &str, id: &str, reason: &'static str, count: usize) {
    // What stands behind a question mark may be a secret.
    let id = id.split('?').next().unwrap_or_default();
    let id: String = id.chars().take(200).collect();
    event!(
        Level::WARN,
        path = path,
        reason = reason,
        id = id.as_str(),
        count = count,
        "services could not be placed"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    /// LM-04: a long path is cut, between two characters.
    #[test]
    fn lm_04_a_long_path_is_cut() {
        assert_eq!(shown("/iiif/3/a"), "/iiif/3/a");
        let exact = "/".repeat(LONGEST_PATH);
        assert_eq!(shown(&exact), exact);
        assert_eq!(shown(&format!("{exact}/")), format!("{exact}…"));
        let umlauts = format!("/{}", "ü".repeat(LONGEST_PATH));
        assert_eq!(shown(&umlauts), format!("/{}…", "ü".repeat((LONGEST_PATH - 1) / 2)));
    }
}
