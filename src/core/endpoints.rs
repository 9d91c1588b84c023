//! Names that are the layers' own: of cookies, and of what lies below the endpoints.

/// What no access service and no realm may be called.
pub(crate) const RESERVED: [&str; 8] =
    ["probe", "token", "logout", "continue", "client", "hand-off", "redeem", "grant"];

/// The flow cookie's name, which no access cookie may have.
pub(crate) const fn flow_cookie_name(secure: bool) -> &'static str {
    if secure { "__Host-iiif-flow" } else { "iiif-flow" }
}
