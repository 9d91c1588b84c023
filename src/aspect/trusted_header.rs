//! An aspect that an upstream single sign-on sets: a header from a listed peer.

use std::time::Duration;
use std::{fmt, mem};

use constant_time_eq::constant_time_eq_32;
use http::HeaderName;
use ipnet::IpNet;

use super::{
    Answer, AspectError, AuthorizingAspect, Head, Reading, Session, SettingError, Timestamp,
    client_ip,
};

/// The user name that a proxy with single sign-on (Shibboleth, Kerberos, `auth_request`) puts into
/// a header.
///
/// It is believed only from listed peers: anyone else could have written it. The proxy has to
/// remove the header from what clients send; where a slip there must not open anything, have it send a
/// [secret](Self::with_secret) besides. A header that comes twice, is empty or is no text is invalid.
/// `(null)`, as Apache writes a variable that is not set, is none.
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
///     .roles_from("x-remote-groups", ';')?
///     .with_secret("x-front-secret", "ohpieMai8Iechahkuqu7")?;
/// assert!(TrustedHeader::new("x-remote-user", [""; 0]).is_err());
/// # Ok::<(), tower_iiif_auth::aspect::SettingError>(())
/// ```
#[derive(Clone, Debug)]
pub struct TrustedHeader {
    user: HeaderName,
    roles: Option<(HeaderName, char)>,
    peers: Vec<IpNet>,
    secret: Option<Secret>,
}

/// What only the front knows.
#[derive(Clone)]
struct Secret {
    header: HeaderName,
    /// Of the secret: one length, and nothing to read in a core dump.
    digest: [u8; 32],
}

impl Secret {
    fn fits(&self, head: &Head<'_>) -> bool {
        let mut values = head.headers().get_all(&self.header).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => constant_time_eq_32(&digest(value.as_bytes()), &self.digest),
            _ => false,
        }
    }
}

/// Shows the name of the header.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("header", &self.header).finish_non_exhaustive()
    }
}

fn digest(secret: &[u8]) -> [u8; 32] {
    let digest = ring::digest::digest(&ring::digest::SHA256, secret);
    digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// The shortest secret, in bytes.
const SHORTEST_SECRET: usize = 16;

/// What Apache writes for a variable that is not set.
const UNSET: &str = "(null)";

impl TrustedHeader {
    /// The user named by `header`, if the connection comes from one of `peers`: ranges such as
    /// `10.0.0.0/24`, or single addresses.
    ///
    /// # Errors
    ///
    /// When no peer is listed, or a name or range cannot be read.
    pub fn new(
        header: &str,
        peers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<Self, SettingError> {
        let peers = client_ip::parse_ranges(peers).map_err(SettingError::IpRange)?;
        if peers.is_empty() {
            return Err(SettingError::NoTrustedPeers);
        }
        Ok(Self { user: header_name(header)?, roles: None, peers, secret: None })
    }

    /// Takes roles from a second header, which lists them with `separator` between; white space
    /// around a role is dropped. Default: no roles.
    ///
    /// A separator behind a backslash belongs to the role, as Shibboleth writes it: `a\;b;c` is `a;b`
    /// and `c`. Any other backslash is one, so a role that ends in a backslash becomes one role with
    /// the next, and never is a role two.
    ///
    /// # Errors
    ///
    /// When the name is none.
    pub fn roles_from(mut self, header: &str, separator: char) -> Result<Self, SettingError> {
        self.roles = Some((header_name(header)?, separator));
        Ok(self)
    }

    /// Believes the peer only where `header` has this `secret`: something long and random that the
    /// front puts into each request which passes the single sign-on, and nobody else knows. Default:
    /// whatever comes from the peer is believed.
    ///
    /// Without it a client's own header counts as soon as the front forgets to clear it at one place,
    /// and so does that of every other program on the front's machine. It is compared in constant time.
    ///
    /// # Errors
    ///
    /// When the name is none, or the secret has less than 16 bytes, or bytes that no header has.
    pub fn with_secret(mut self, header: &str, secret: &str) -> Result<Self, SettingError> {
        let sendable = secret.bytes().all(|byte| byte.is_ascii_graphic());
        if secret.len() < SHORTEST_SECRET || !sendable {
            return Err(SettingError::FrontSecret);
        }
        let digest = digest(secret.as_bytes());
        self.secret = Some(Secret { header: header_name(header)?, digest });
        Ok(self)
    }

    fn session(&self, head: &Head<'_>, now: Timestamp) -> Result<Session<'static>, AspectError> {
        let user = match single(head, &self.user)? {
            None | Some(UNSET) => return Err(AspectError::Missing),
            Some("") => return Err(AspectError::Invalid),
            Some(user) => user,
        };
        let from_listed_peer =
            client_ip::peer(head).is_some_and(|address| client_ip::contains(&self.peers, address));
        if !from_listed_peer || self.secret.as_ref().is_some_and(|own| !own.fits(head)) {
            return Err(AspectError::Invalid);
        }
        // The single sign-on does not say which viewer its user came from.
        let mut session = Session::builder(user).for_any_viewer();
        if let Some((header, separator)) = &self.roles {
            let roles = single(head, header)?.unwrap_or_default();
            session = session.roles(values(roles, *separator));
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

/// The values of a list, in which a separator behind a backslash stands for itself.
fn values(list: &str, separator: char) -> Vec<String> {
    let mut all = vec![];
    let mut value = String::new();
    for character in list.chars() {
        if character != separator {
            value.push(character);
        } else if separator != '\\' && value.ends_with('\\') {
            value.pop();
            value.push(separator);
        } else {
            all.push(mem::take(&mut value));
        }
    }
    all.push(value);
    let told = all.iter().map(|own| own.trim());
    told.filter(|own| !own.is_empty() && *own != UNSET).map(str::to_owned).collect()
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

fn header_name(text: &str) -> Result<HeaderName, SettingError> {
    text.parse().map_err(|_| SettingError::HeaderName(text.to_owned()))
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
            (Some("10.0.0.1"), &[("x-user", "(null)")], "missing"),
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

    /// PB-04: values as Shibboleth joins them: `;` between, `\;` for one inside, and no other escape.
    #[test]
    fn pb_04_one_value_stays_one_role() {
        for (list, separator, expected) in [
            ("student;staff", ';', &["student", "staff"][..]),
            (r"student\;staff", ';', &["student;staff"]),
            (r"student\;staff;member", ';', &["student;staff", "member"]),
            (r"a\;b\;c", ';', &["a;b;c"]),
            // A backslash of the value's own before a `;` of its own: only the `;` was escaped.
            (r"a\\;b", ';', &[r"a\;b"]),
            (r"DOM\ada;x", ';', &[r"DOM\ada", "x"]),
            (r"a\", ';', &[r"a\"]),
            (r"\;", ';', &[";"]),
            (" a ; b ;; ", ';', &["a", "b"]),
            ("a,b;c", ';', &["a,b", "c"]),
            (r"CN=Smith\, John,x", ',', &["CN=Smith, John", "x"]),
            (r"a\b", '\\', &["a", "b"]),
            ("(null)", ';', &[]),
            ("(null);staff", ';', &["staff"]),
            ("", ';', &[]),
        ] {
            assert_eq!(values(list, separator), expected, "{list}");
        }
    }

    /// EX-04: with a secret only who knows it names users.
    #[test]
    fn ex_04_a_front_with_a_secret() {
        const SECRET: &str = "ohpieMai8Iechahkuqu7";
        let sso = || TrustedHeader::new("x-user", ["10.0.0.1"]).unwrap();
        for short in ["", "fifteen-letters", "with a space and more", "ümläüte-ümläüte-ümläüte"]
        {
            assert!(sso().with_secret("x-secret", short).is_err(), "{short}");
        }
        let sso = sso().with_secret("x-secret", SECRET).unwrap();
        assert!(!format!("{sso:?}").contains(SECRET));
        for (secrets, expected) in [
            (&[SECRET][..], "ok"),
            (&[], "invalid"),
            (&[""], "invalid"),
            (&["ohpieMai8Iechahkuqu8"], "invalid"),
            (&["ohpieMai8Iechahkuqu7x"], "invalid"),
            (&[SECRET, "x"], "invalid"),
            (&[SECRET, SECRET], "invalid"),
        ] {
            let mut request = Request::new(());
            request.extensions_mut().insert(PeerAddr("10.0.0.1".parse().unwrap()));
            request.headers_mut().insert("x-user", "ada".parse().unwrap());
            for secret in secrets {
                request.headers_mut().append("x-secret", secret.parse().unwrap());
            }
            let found = sso.session(&Head::of(&request), Timestamp::default());
            let found = found.as_ref().map_or_else(AspectError::as_str, |_| "ok");
            assert_eq!(found, expected, "{secrets:?}");
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
