//! The address of the client, past proxies that are known.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use ipnet::{IpNet, Ipv4Net};

use super::Head;
use super::SettingError;

/// The address a connection came from, as an extension of the request.
///
/// The layers know no server framework, so the application says where the connection came from:
/// it inserts this, or a plain [`SocketAddr`], into the request's extensions. Without one, aspects
/// that go by address find nobody.
///
/// # Example
///
/// With axum, in front of the layers:
///
/// ```
/// # use std::net::SocketAddr;
/// # use axum::extract::{ConnectInfo, Request};
/// use tower_iiif_auth::aspect::PeerAddr;
///
/// async fn peer(mut request: Request, next: axum::middleware::Next) -> axum::response::Response {
///     if let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>() {
///         let peer = PeerAddr(peer.ip());
///         request.extensions_mut().insert(peer);
///     }
///     next.run(request).await
/// }
/// # let _: axum::Router = axum::Router::new().layer(axum::middleware::from_fn(peer));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddr(pub IpAddr);

/// The proxies in front whose `X-Forwarded-For` is believed, for what an application does by address
/// itself: logs, limits, its own forwarding. [`IpRanges`](super::IpRanges) has its own list.
///
/// # Example
///
/// ```
/// use std::net::IpAddr;
/// use tower_iiif_auth::aspect::{Head, PeerAddr, TrustedProxies};
///
/// let proxies = TrustedProxies::new(["127.0.0.1"])?;
/// let mut request = http::Request::get("/").header("x-forwarded-for", "192.0.2.7").body(())?;
/// request.extensions_mut().insert(PeerAddr(IpAddr::from([127, 0, 0, 1])));
/// assert_eq!(proxies.client(&Head::of(&request)), Some(IpAddr::from([192, 0, 2, 7])));
///
/// // From anybody else the header is worth nothing.
/// request.extensions_mut().insert(PeerAddr(IpAddr::from([203, 0, 113, 9])));
/// assert_eq!(proxies.client(&Head::of(&request)), Some(IpAddr::from([203, 0, 113, 9])));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// These ranges, such as `10.0.0.0/24`, or single addresses; none by default.
    ///
    /// # Errors
    ///
    /// When a range cannot be read.
    pub fn new(ranges: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, SettingError> {
        parse_ranges(ranges).map(Self).map_err(SettingError::IpRange)
    }

    /// The client's address: the [peer](PeerAddr), or behind these proxies the first address in
    /// `X-Forwarded-For`, read from the right, that is none of theirs. `None` without a peer, and when
    /// a trusted proxy names nobody: no address, what is none, or only these proxies.
    ///
    /// A peer that is no trusted proxy is the client, also when it [forwards](Self::is_unlisted_front)
    /// for others: for a log or a limit that is as much as can be known.
    #[must_use]
    pub fn client(&self, head: &Head<'_>) -> Option<IpAddr> {
        match sender(head, &self.0)? {
            Sender::Client(address) | Sender::UnlistedFront(address) => Some(address),
            Sender::Unnamed => None,
        }
    }

    /// Whether a request comes from a peer that is none of these proxies and speaks for somebody else
    /// all the same: it sends `X-Forwarded-…`, `Forwarded`, `Via`, `X-Real-IP` or the like. Its address
    /// is then not the reader's: either it is a proxy that is missing here, or a client that lies.
    #[must_use]
    pub fn is_unlisted_front(&self, head: &Head<'_>) -> bool {
        matches!(sender(head, &self.0), Some(Sender::UnlistedFront(_)))
    }

    /// Whether an address is one of these proxies'.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        contains(&self.0, address.to_canonical())
    }
}

/// Where the connection came from: the one fact that a client cannot forge.
pub(super) fn peer(head: &Head<'_>) -> Option<IpAddr> {
    let extensions = head.extensions();
    let peer = extensions
        .get::<PeerAddr>()
        .map(|peer| peer.0)
        .or_else(|| extensions.get::<SocketAddr>().map(SocketAddr::ip));
    let Some(peer) = peer else {
        crate::trace::no_peer();
        return None;
    };
    // `::ffff:10.0.0.1` is what a socket for both families says of 10.0.0.1.
    Some(peer.to_canonical())
}

/// Who sent a request, by address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    /// The peer itself, or the one that trusted proxies name.
    Client(IpAddr),
    /// A peer that is no trusted proxy, and speaks for somebody else.
    UnlistedFront(IpAddr),
    /// Somebody behind a trusted proxy that does not say who.
    Unnamed,
}

/// Who sent a request; `None` without a peer.
///
/// Each proxy appends who spoke to it, so entries of `X-Forwarded-For` are believed only as far as the
/// chain of trusted proxies reaches, read from the right. A chain of nothing but trusted proxies names
/// nobody: the outermost does not say for whom it speaks.
pub(super) fn sender(head: &Head<'_>, trusted_proxies: &[IpNet]) -> Option<Sender> {
    let peer = peer(head)?;
    if !contains(trusted_proxies, peer) {
        let forwards = head.headers().keys().any(|name| is_forwarding(name.as_str()));
        return Some(if forwards { Sender::UnlistedFront(peer) } else { Sender::Client(peer) });
    }
    // What is no address makes the client unknown.
    let mut hops = forwarded_for(head.headers()).map_while(|entry| entry);
    let client = hops.find(|hop| !contains(trusted_proxies, *hop));
    Some(client.map_or(Sender::Unnamed, Sender::Client))
}

/// Whether only a proxy has reason to send a header of this name.
fn is_forwarding(name: &str) -> bool {
    const NAMES: [&str; 10] = [
        "forwarded",
        "via",
        "x-forwarded",
        "x-real-ip",
        "x-client-ip",
        "x-cluster-client-ip",
        "client-ip",
        "true-client-ip",
        "cf-connecting-ip",
        "fastly-client-ip",
    ];
    name.starts_with("x-forwarded-") || NAMES.contains(&name)
}

/// The entries of all `X-Forwarded-For` fields, the nearest first.
fn forwarded_for(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    let mut values: Vec<_> = headers.get_all("x-forwarded-for").iter().collect();
    values.reverse();
    values.into_iter().flat_map(|value| {
        let text = value.to_str().unwrap_or("?");
        text.rsplit(',').map(|entry| address(entry.trim())).collect::<Vec<_>>()
    })
}

/// An address, with the port that some proxies add.
fn address(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
        .or_else(|| text.strip_prefix('[')?.strip_suffix(']')?.parse().ok())
        .map(|address| address.to_canonical())
}

pub(super) fn contains(ranges: &[IpNet], address: IpAddr) -> bool {
    ranges.iter().any(|range| range.contains(&address))
}

/// Ranges from their text: `10.0.0.0/8`, or a single address.
pub(super) fn parse_ranges(
    texts: impl IntoIterator<Item = impl AsRef<str>>,
) -> Result<Vec<IpNet>, String> {
    texts
        .into_iter()
        .map(|text| {
            let text = text.as_ref().trim();
            text.parse::<IpNet>()
                .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
                .map(canonical)
                .map_err(|_| text.to_owned())
        })
        .collect()
}

/// A range in the form in which addresses are looked at: `::ffff:10.0.0.0/104` is `10.0.0.0/8`.
fn canonical(range: IpNet) -> IpNet {
    let IpNet::V6(mapped) = range else { return range };
    let own = mapped.addr().to_ipv4_mapped().zip(mapped.prefix_len().checked_sub(96));
    own.and_then(|(address, length)| Ipv4Net::new(address, length).ok()).map_or(range, IpNet::V4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn request(peer: &str, headers: &[(&'static str, &str)]) -> Request<()> {
        let mut request = Request::new(());
        request.extensions_mut().insert(PeerAddr(peer.parse().unwrap()));
        for (name, value) in headers {
            request.headers_mut().append(*name, value.parse().unwrap());
        }
        request
    }

    /// PX-02, PB-03 and their neighbours.
    #[test]
    fn forwarded_addresses_count_only_from_trusted_proxies() {
        let trusted = parse_ranges(["192.0.2.0/24", "2001:db8::/32"]).unwrap();
        for (peer, forwarded, expected) in [
            ("198.51.100.9", &[][..], Some("198.51.100.9")),
            ("192.0.2.1", &["10.0.0.1"], Some("10.0.0.1")),
            ("::ffff:192.0.2.1", &["10.0.0.1"], Some("10.0.0.1")),
            // The client wrote the left part, the proxy appended the right one.
            ("192.0.2.1", &["10.0.0.1, 198.51.100.9"], Some("198.51.100.9")),
            ("192.0.2.1", &["10.0.0.1", "198.51.100.9"], Some("198.51.100.9")),
            ("192.0.2.1", &["198.51.100.9, 192.0.2.7"], Some("198.51.100.9")),
            ("192.0.2.1", &["10.0.0.1, unknown"], None),
            ("192.0.2.1", &["10.0.0.1, unknown, 192.0.2.7"], None),
            ("192.0.2.1", &["10.0.0.1, "], None),
            ("192.0.2.1", &["10.0.0.1", ""], None),
            ("192.0.2.1", &["10.0.0.300"], None),
            ("192.0.2.1", &["fe80::1%eth0"], None),
            ("192.0.2.1", &["10.0.0.1:4711"], Some("10.0.0.1")),
            ("192.0.2.1", &["[2001:db9::1]:80"], Some("2001:db9::1")),
            ("192.0.2.1", &["[2001:db9::1]"], Some("2001:db9::1")),
            ("192.0.2.1", &["2001:db9::1, 192.0.2.9"], Some("2001:db9::1")),
            ("192.0.2.1", &["::ffff:10.0.0.1"], Some("10.0.0.1")),
            // The front names nobody, or nobody but fronts.
            ("192.0.2.1", &[], None),
            ("192.0.2.1", &["192.0.2.1"], None),
            ("192.0.2.1", &["2001:db8::1, 192.0.2.9"], None),
            ("192.0.2.1", &["::ffff:192.0.2.7"], None),
        ] {
            let headers: Vec<_> = forwarded.iter().map(|own| ("x-forwarded-for", *own)).collect();
            let request = request(peer, &headers);
            let sender = sender(&Head::of(&request), &trusted).unwrap();
            let expected = expected.map(|address| address.parse::<IpAddr>().unwrap());
            assert_eq!(sender, expected.map_or(Sender::Unnamed, Sender::Client), "{forwarded:?}");
            let own = TrustedProxies(trusted.clone());
            assert_eq!(own.client(&Head::of(&request)), expected, "{peer} {forwarded:?}");
            // Nobody is trusted by default.
            let peer = peer.parse::<IpAddr>().unwrap().to_canonical();
            assert_eq!(TrustedProxies::default().client(&Head::of(&request)), Some(peer));
        }
        assert_eq!(sender(&Head::of(&Request::new(())), &[]), None);
    }

    /// PB-03: whoever is not listed and speaks for others is a front, whatever it says.
    #[test]
    fn pb_03_who_is_not_listed_and_forwards_is_a_front() {
        let proxies = TrustedProxies::new(["192.0.2.1"]).unwrap();
        for (name, value, forwards) in [
            ("x-forwarded-for", "203.0.113.9", true),
            ("x-forwarded-for", "", true),
            ("x-forwarded-proto", "https", true),
            ("x-forwarded-host", "a", true),
            ("forwarded", "for=203.0.113.9", true),
            ("x-real-ip", "203.0.113.9", true),
            ("via", "1.1 squid", true),
            ("client-ip", "203.0.113.9", true),
            ("true-client-ip", "203.0.113.9", true),
            ("x-forwardedness", "a", false),
            ("accept", "*/*", false),
        ] {
            let request = request("10.0.0.7", &[(name, value)]);
            assert_eq!(proxies.is_unlisted_front(&Head::of(&request)), forwards, "{name}");
            let address = IpAddr::from([10, 0, 0, 7]);
            assert_eq!(proxies.client(&Head::of(&request)), Some(address), "{name}");
        }
        let listed = request("192.0.2.1", &[("x-real-ip", "203.0.113.9")]);
        assert!(!proxies.is_unlisted_front(&Head::of(&listed)));
        assert_eq!(proxies.client(&Head::of(&listed)), None);
    }

    #[test]
    fn ranges_of_mapped_addresses_are_those_of_ipv4() {
        for (text, inside, outside) in [
            ("::ffff:10.0.0.0/104", "10.1.2.3", "11.0.0.1"),
            ("::ffff:10.0.0.1", "::ffff:10.0.0.1", "10.0.0.2"),
            ("2001:db8::/32", "2001:db8::1", "10.0.0.1"),
        ] {
            let ranges = parse_ranges([text]).unwrap();
            let at = |text: &str| text.parse::<IpAddr>().unwrap().to_canonical();
            assert!(contains(&ranges, at(inside)) && !contains(&ranges, at(outside)), "{text}");
        }
    }
}
