//! An aspect that goes by address: the computers of a reading room.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ipnet::IpNet;

use super::client_ip::{self, Sender};
use super::{
    Answer, AspectError, AuthorizingAspect, Head, Reading, Session, SettingError, Timestamp,
};
use crate::seal::LONGEST_TEXT;

/// What the names of these aspects begin with; the role follows.
const NAME: &str = "ip-ranges:";

/// Whoever comes from one of these address ranges, as a session with a role.
///
/// The address is the connection's own ([`PeerAddr`](super::PeerAddr)); forwarded addresses count
/// only behind [`trusted_proxies`](Self::trusted_proxies), of which there are none by default. A proxy's
/// own address is no reader's, though it lies in a range: neither where a trusted proxy names nobody,
/// nor where another peer sends `X-Forwarded-For`, `Forwarded`, `Via` or the like and so speaks for
/// somebody else. One warning says so.
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
/// let from_a_file: Vec<String> = vec!["198.51.100.0/24".to_owned()];
/// let campus = IpRanges::new(&from_a_file, "campus")?;
/// # Ok::<(), tower_iiif_auth::aspect::SettingError>(())
/// ```
#[derive(Clone, Debug)]
pub struct IpRanges {
    ranges: Vec<IpNet>,
    trusted_proxies: Vec<IpNet>,
    role: String,
    name: String,
    /// Said once, as it is true of every request.
    said: Arc<Said>,
}

/// Which warnings were given.
#[derive(Debug, Default)]
struct Said {
    unnamed: AtomicBool,
    unlisted: AtomicBool,
}

impl IpRanges {
    /// Gives `role` to whoever comes from one of `ranges`: `192.0.2.0/24`, or single addresses.
    ///
    /// # Errors
    ///
    /// When there is no range, one cannot be read, or the role has more than 245 bytes.
    pub fn new(
        ranges: impl IntoIterator<Item = impl AsRef<str>>,
        role: impl Into<String>,
    ) -> Result<Self, SettingError> {
        let ranges = client_ip::parse_ranges(ranges).map_err(SettingError::IpRange)?;
        if ranges.is_empty() {
            return Err(SettingError::NoIpRanges);
        }
        let role = role.into();
        let most = LONGEST_TEXT - NAME.len();
        if role.len() > most {
            return Err(SettingError::Role { bytes: role.len(), most });
        }
        let name = format!("{NAME}{role}");
        Ok(Self { ranges, trusted_proxies: vec![], role, name, said: Arc::default() })
    }

    /// The proxies whose `X-Forwarded-For` is believed: ranges, or single addresses. Default: none.
    ///
    /// The header is read from the right, past listed proxies only, to the first other address.
    ///
    /// # Errors
    ///
    /// When a range cannot be read.
    pub fn trusted_proxies(
        mut self,
        proxies: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<Self, SettingError> {
        self.trusted_proxies = client_ip::parse_ranges(proxies).map_err(SettingError::IpRange)?;
        Ok(self)
    }

    /// Whether the reader is in the room.
    fn is_inside(&self, head: &Head<'_>) -> bool {
        let inside = |address| client_ip::contains(&self.ranges, address);
        let once = |said: &AtomicBool| !said.swap(true, Ordering::Relaxed);
        match client_ip::sender(head, &self.trusted_proxies) {
            Some(Sender::Client(address)) => inside(address),
            Some(Sender::Unnamed) => {
                if once(&self.said.unnamed) {
                    crate::trace::warning(
                        "a trusted proxy does not say for whom it speaks (no address in \
                         X-Forwarded-For but those of trusted proxies): nobody is in the room by it",
                    );
                }
                false
            }
            Some(Sender::UnlistedFront(address)) => {
                // From elsewhere it says nothing about the room: anybody may send such a header.
                if inside(address) && once(&self.said.unlisted) {
                    crate::trace::warning(
                        "a peer with an address of the room's sends forwarding headers, and is none \
                         of trusted_proxies: it is not the reader, and nobody is in the room by it; \
                         list it if it is your front",
                    );
                }
                false
            }
            None => false,
        }
    }
}

impl AuthorizingAspect for IpRanges {
    /// With the role, so that a realm may have several.
    fn name(&self) -> &str {
        &self.name
    }

    /// [`AspectError::Missing`] outside the ranges: nothing was presented that could be invalid.
    fn read(&self, head: &Head<'_>, now: Timestamp) -> Reading {
        if !self.is_inside(head) {
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
