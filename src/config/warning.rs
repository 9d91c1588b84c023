//! What works in a configuration, and will disappoint.

use std::fmt;

/// What is allowed and may not be meant. Each message says what to change.
///
/// [`IiifAuth::warnings`](crate::IiifAuth::warnings) tells them, and nothing logs them by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigWarning {
    /// The public URL is plain http.
    PlainHttp,
    /// A realm with an access cookie has a kiosk or external access service, at which nobody clicks.
    CookieWithoutClick {
        /// The realm's name; empty for the unnamed one.
        realm: String,
    },
    /// A login's realm has no access cookie, and hand-offs are on.
    NothingToHandOff {
        /// The realm's name; empty for the unnamed one.
        realm: String,
    },
    /// A click-through or kiosk takes the place of another session of its realm.
    SessionsReplaced {
        /// The realm's name; empty for the unnamed one.
        realm: String,
    },
    /// The application's own session cookie is not `HttpOnly`.
    CookieOpenToScripts {
        /// The cookie's name.
        cookie: String,
    },
}

impl fmt::Display for ConfigWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = |realm: &str| {
            if realm.is_empty() { "the realm".to_owned() } else { format!("realm {realm:?}") }
        };
        match self {
            Self::PlainHttp => f.write_str(
                "the public URL is plain http: for development only, viewers on other sites get no cookie",
            ),
            Self::CookieWithoutClick { realm } => write!(
                f,
                "{} has a kiosk or external access service and a cookie: browsers may keep the cookie \
                 from viewers on other sites, as the user never clicks here",
                named(realm)
            ),
            Self::NothingToHandOff { realm } => write!(
                f,
                "hand_off() has nothing to carry for a login of {}, which has no access cookie: where \
                 browsers block third-party cookies, its users are not let in",
                named(realm)
            ),
            Self::SessionsReplaced { realm } => write!(
                f,
                "{} has a click-through or kiosk beside a login, or beside one with another role: its \
                 session takes the place of the other's, as a realm has one cookie; give it a realm of \
                 its own with Realm::named(…)",
                named(realm)
            ),
            Self::CookieOpenToScripts { cookie } => write!(
                f,
                "session cookie {cookie:?} is not HttpOnly: any script of this site can read and keep it"
            ),
        }
    }
}
