//! An aspect that goes by address: the computers of a reading room.

use std::time::Duration;

use ipnet::IpNet;

use super::binary::LONGEST_TEXT;
use super::{Answer, AspectError, AuthorizingAspect, Head, Reading, Session, Timestamp, client_ip};

/// What the names of these aspects begin with; the role follows.
const NAME: &str = "ip-ranges:";

/// Whoever comes from one of these address ranges, as a session with a role.
///
/// The address is the connection's own ([`PeerAddr`](super::PeerAddr)); forwarded addresses count
/// only behind [`trusted_proxies`](Self::trusted_proxies), of which there are none by default.
///
/// Nobody logs in, so that its sessions are for [any viewer](super::Viewers::Any):
/// [`OriginPolicy::AllowList`](crate::OriginPolicy::AllowList) names the ones that get tokens.
///
/// # Example
///
/// ```
/// use tower_iiif_auth::aspect::IpRanges;
///
/// let reading_room = IpRanges::new(["192.0.2.0/24", "2001:db8::/32"], "reading-room")?;
/// # Ok::<(), tower_iiif_auth::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct IpRanges {
    ranges: Vec<IpNet>,
    trusted_proxies: Vec<IpNet>,
    role: String,
    name: String,
}

impl IpRanges {
    /// Gives `role` to whoever comes from one of `ranges`: `192.0.2.0/24`, or single addresses.
    ///
    /// # Errors
    ///
    /// When there is no range, one cannot be read, or the role has more than 245 bytes.
    pub fn new<'t>(
        ranges: impl IntoIterator<Item = &'t str>,
        role: impl Into<String>,
    ) -> Result<Self, crate::ConfigError> {
        let ranges = client_ip::parse_ranges(ranges).map_err(crate::ConfigError::IpRange)?;
        if ranges.is_empty() {
            return Err(crate::ConfigError::NoIpRanges);
        }
        let role = role.into();
        let most = LONGEST_TEXT - NAME.len();
        if role.len() > most {
            return Err(crate::ConfigError::Role { bytes: role.len(), most });
        }
        let name = format!("{NAME}{role}");
        Ok(Self { ranges, trusted_proxies: vec![], role, name })
    }

    /// The proxies whose `X-Forwarded-For` is believed: ranges, or single addresses. Default: none.
    ///
    /// The header is read from the right, past listed proxies only, to the first other address.
    ///
    /// # Errors
    ///
    /// When a range cannot be read.
    pub fn trusted_proxies<'t>(
        mut self,
        proxies: impl IntoIterator<Item = &'t str>,
    ) -> Result<Self, crate::ConfigError> {
        self.trusted_proxies =
            client_ip::parse_ranges(proxies).map_err(crate::ConfigError::IpRange)?;
        Ok(self)
    }
}

impl AuthorizingAspect for IpRanges {
    /// With the role, so that a realm may have several.
    fn name(&self) -> &str {
        &self.name
    }

    /// [`AspectError::Missing`] outside the ranges: nothing was presented that could be invalid.
    fn read(&self, head: &Head<'_>, now: Timestamp) -> Reading {
        let inside = client_ip::client(head, &self.trusted_proxies)
            .is_some_and(|address| client_ip::contains(&self.ranges, address));
        if !inside {
            return Answer::Now(Err(AspectError::Missing));
        }
        // Long enough for a token; the address is looked at again on every request. No viewer opens a
        // login here, so that none could be told from others.
        let session = Session::builder("").role(&self.role).for_any_viewer();
        let session = session.lasting(now, Duration::from_secs(600));
        Answer::Now(session.map_err(|error| AspectError::Unavailable(error.into())))
    }

    /// An address is true of one request only: the probe request's own is looked at.
    fn resume(&self, _: Session<'static>, _: Timestamp) -> Reading {
        Answer::Now(Err(AspectError::Missing))
    }
}
