//! The address of the client, past proxies that are known.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use ipnet::IpNet;

use super::Head;

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
    pub fn new<'t>(ranges: impl IntoIterator<Item = &'t str>) -> Result<Self, crate::ConfigError> {
        parse_ranges(ranges).map(Self).map_err(crate::ConfigError::IpRange)
    }

    /// The client's address: the [peer](PeerAddr), or behind these proxies the first address in
    /// `X-Forwarded-For`, read from the right, that is none of theirs. `None` without a peer, or when
    /// a trusted proxy passes on what is no address.
    #[must_use]
    pub fn client(&self, head: &Head<'_>) -> Option<IpAddr> {
        client(head, &self.0)
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

/// The client's address: the peer, or the first address in `X-Forwarded-For`, read from the right,
/// that is no trusted proxy.
///
/// Each proxy appends who spoke to it, so entries are believed only as far as the chain of trusted
/// proxies reaches. With no trusted proxies the header is not looked at.
pub(super) fn client(head: &Head<'_>, trusted_proxies: &[IpNet]) -> Option<IpAddr> {
    let peer = peer(head)?;
    if !contains(trusted_proxies, peer) {
        return Some(peer);
    }
    let mut last_hop = peer;
    for entry in forwarded_for(head.headers()) {
        // A trusted proxy that passes on what is no address makes the client unknown.
        let hop = entry?;
        if !contains(trusted_proxies, hop) {
            return Some(hop);
        }
        last_hop = hop;
    }
    Some(last_hop)
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
pub(super) fn parse_ranges<'t>(
    texts: impl IntoIterator<Item = &'t str>,
) -> Result<Vec<IpNet>, String> {
    texts
        .into_iter()
        .map(|text| {
            let text = text.trim();
            text.parse::<IpNet>()
                .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
                .map_err(|_| text.to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    /// PX-02 and its neighbours.
    #[test]
    fn forwarded_addresses_count_only_from_trusted_proxies() {
        let trusted = parse_ranges(["192.0.2.0/24", "2001:db8::/32"]).unwrap();
        for (peer, forwarded, expected) in [
            ("198.51.100.9", &["10.0.0.1"][..], Some("198.51.100.9")),
            ("192.0.2.1", &["10.0.0.1"], Some("10.0.0.1")),
            ("::ffff:192.0.2.1", &["10.0.0.1"], Some("10.0.0.1")),
            // The client wrote the left part, the proxy appended the right one.
            ("192.0.2.1", &["10.0.0.1, 198.51.100.9"], Some("198.51.100.9")),
            ("192.0.2.1", &["10.0.0.1", "198.51.100.9"], Some("198.51.100.9")),
            ("192.0.2.1", &["198.51.100.9, 192.0.2.7"], Some("198.51.100.9")),
            ("192.0.2.1", &["10.0.0.1, unknown"], None),
            ("192.0.2.1", &["10.0.0.1, "], None),
            ("192.0.2.1", &["10.0.0.1:4711"], Some("10.0.0.1")),
            ("192.0.2.1", &["[2001:db9::1]:80"], Some("2001:db9::1")),
            ("192.0.2.1", &["2001:db8::1, 192.0.2.9"], Some("2001:db8::1")),
            ("192.0.2.1", &["::ffff:10.0.0.1"], Some("10.0.0.1")),
            ("192.0.2.1", &[], Some("192.0.2.1")),
        ] {
            let mut request = Request::new(());
            request.extensions_mut().insert(PeerAddr(peer.parse().unwrap()));
            for value in forwarded {
                request.headers_mut().append("x-forwarded-for", value.parse().unwrap());
            }
            let expected = expected.map(|address| address.parse::<IpAddr>().unwrap());
            assert_eq!(client(&Head::of(&request), &trusted), expected, "{peer} {forwarded:?}");
            let untrusting = client(&Head::of(&request), &[]);
            assert_eq!(untrusting, Some(peer.parse::<IpAddr>().unwrap().to_canonical()));
        }
        assert_eq!(client(&Head::of(&Request::new(())), &[]), None);
    }
}
