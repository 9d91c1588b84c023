//! An aspect that an upstream single sign-on sets: a header from a listed peer.

use std::time::Duration;

use http::HeaderName;
use ipnet::IpNet;

use super::{Answer, AspectError, AuthorizingAspect, Head, Reading, Session, Timestamp, client_ip};

/// The user name that a proxy with single sign-on (Shibboleth, Kerberos, `auth_request`) puts into
/// a header.
///
/// It is believed only from listed peers: anyone else could have written it. The proxy has to
/// remove the header from what clients send. A header that comes twice, is empty or is no text is
/// invalid.
///
/// The peer is the connection's own ([`PeerAddr`](super::PeerAddr)); without one nobody is believed.
/// The header is read on every request. An access token stands for its user until it ends, as
/// probes need not pass the single sign-on.
///
/// The single sign-on does not say which viewer its user came from, so that the sessions are for [any
/// viewer](super::Viewers::Any): [`OriginPolicy::AllowList`](crate::OriginPolicy::AllowList) names the
/// ones that get tokens. Or grant a session of the access cookie to the user whom the header names.
///
/// # Example
///
/// ```
/// use tower_iiif_auth::aspect::TrustedHeader;
///
/// let sso = TrustedHeader::new("x-remote-user", ["127.0.0.1"])?
///     .roles_from("x-remote-groups", ';')?;
/// assert!(TrustedHeader::new("x-remote-user", []).is_err());
/// # Ok::<(), tower_iiif_auth::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct TrustedHeader {
    user: HeaderName,
    roles: Option<(HeaderName, char)>,
    peers: Vec<IpNet>,
}

impl TrustedHeader {
    /// The user named by `header`, if the connection comes from one of `peers`: ranges such as
    /// `10.0.0.0/24`, or single addresses.
    ///
    /// # Errors
    ///
    /// When no peer is listed, or a name or range cannot be read.
    pub fn new<'t>(
        header: &str,
        peers: impl IntoIterator<Item = &'t str>,
    ) -> Result<Self, crate::ConfigError> {
        let peers = client_ip::parse_ranges(peers).map_err(crate::ConfigError::IpRange)?;
        if peers.is_empty() {
            return Err(crate::ConfigError::NoTrustedPeers);
        }
        Ok(Self { user: header_name(header)?, roles: None, peers })
    }

    /// Takes roles from a second header, which lists them with `separator` between; white space
    /// around a role is dropped. Default: no roles.
    ///
    /// # Errors
    ///
    /// When the name is none.
    pub fn roles_from(mut self, header: &str, separator: char) -> Result<Self, crate::ConfigError> {
        self.roles = Some((header_name(header)?, separator));
        Ok(self)
    }

    fn session(&self, head: &Head<'_>, now: Timestamp) -> Result<Session<'static>, AspectError> {
        let user = match single(head, &self.user)? {
            None => return Err(AspectError::Missing),
            Some("") => return Err(AspectError::Invalid),
            Some(user) => user,
        };
        let from_listed_peer =
            client_ip::peer(head).is_some_and(|address| client_ip::contains(&self.peers, address));
        if !from_listed_peer {
            return Err(AspectError::Invalid);
        }
        // The single sign-on does not say which viewer its user came from.
        let mut session = Session::builder(user).for_any_viewer();
        if let Some((header, separator)) = &self.roles {
            let roles = single(head, header)?.unwrap_or_default();
            session = session
                .roles(roles.split(*separator).map(str::trim).filter(|role| !role.is_empty()));
        }
        // Long enough for a token; the header is read again on every request.
        session.lasting(now, Duration::from_secs(600)).map_err(|_| AspectError::Invalid)
    }
}

impl AuthorizingAspect for TrustedHeader {
    fn name(&self) -> &'static str {
        "trusted-header"
    }

    fn read(&self, head: &Head<'_>, now: Timestamp) -> Reading {
        Answer::Now(self.session(head, now))
    }
}

/// The value of a header that may stand once at the most.
fn single<'h>(head: &Head<'h>, name: &HeaderName) -> Result<Option<&'h str>, AspectError> {
    let mut values = head.headers().get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            let text = std::str::from_utf8(value.as_bytes()).map_err(|_| AspectError::Invalid)?;
            Ok(Some(text.trim()))
        }
        _ => Err(AspectError::Invalid),
    }
}

fn header_name(text: &str) -> Result<HeaderName, crate::ConfigError> {
    text.parse().map_err(|_| crate::ConfigError::HeaderName(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::PeerAddr;
    use super::*;
    use http::Request;

    #[test]
    fn only_a_listed_peer_is_believed() {
        let sso = TrustedHeader::new("x-user", ["10.0.0.1"])
            .and_then(|sso| sso.roles_from("x-groups", ','))
            .unwrap();
        for (peer, headers, expected) in [
            (Some("10.0.0.1"), &[("x-user", "ada")][..], "ok"),
            (Some("10.0.0.2"), &[("x-user", "ada")], "invalid"),
            (None, &[("x-user", "ada")], "invalid"),
            (Some("10.0.0.1"), &[], "missing"),
            (Some("10.0.0.1"), &[("x-user", "")], "invalid"),
            (Some("10.0.0.1"), &[("x-user", "ada"), ("x-user", "bob")], "invalid"),
            (Some("10.0.0.1"), &[("x_user", "ada")], "missing"),
            (
                Some("10.0.0.1"),
                &[("x-user", "ada"), ("x-groups", "a"), ("x-groups", "b")],
                "invalid",
            ),
        ] {
            let mut request = Request::new(());
            if let Some(peer) = peer {
                request.extensions_mut().insert(PeerAddr(peer.parse().unwrap()));
            }
            for (name, value) in headers {
                request.headers_mut().append(*name, value.parse().unwrap());
            }
            let Answer::Now(reading) = sso.read(&Head::of(&request), Timestamp::default()) else {
                panic!("a header is read at once")
            };
            let found = reading.as_ref().map_or_else(AspectError::as_str, |_| "ok");
            assert_eq!(found, expected, "{peer:?} {headers:?}");
        }
    }

    #[test]
    fn roles_are_split() {
        let sso = TrustedHeader::new("x-user", ["10.0.0.0/8"])
            .and_then(|sso| sso.roles_from("x-groups", ';'))
            .unwrap();
        let mut request = Request::new(());
        request.extensions_mut().insert(PeerAddr("10.1.2.3".parse().unwrap()));
        request.headers_mut().insert("x-user", "ada".parse().unwrap());
        request.headers_mut().insert("x-groups", "staff; reader;;".parse().unwrap());
        let session = sso.session(&Head::of(&request), Timestamp::default()).unwrap();
        assert_eq!(session.roles().collect::<Vec<_>>(), ["staff", "reader"]);
    }
}
