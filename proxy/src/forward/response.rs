//! What the client gets of the image server's answer.

use std::net::Ipv4Addr;

use http::header::{
    ALT_SVC, CONTENT_LENGTH, CONTENT_LOCATION, LINK, LOCATION, REFRESH, TRANSFER_ENCODING,
};
use http::response::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version};
use url::{Host, Url};

use super::{Asked, Forward, cookies, names};
use crate::upstream::Servers;

/// Orders to a web server in front, which only the proxy itself could give.
const ORDERS: [&str; 4] = ["x-accel-", "x-sendfile", "x-lighttpd-send", "x-iiif-"];

/// What was done to an answer's head.
pub(super) struct Prepared {
    /// Whether a cookie was taken out that passed for the proxy's own.
    pub(super) forged: bool,
}

/// Makes the image server's head the proxy's own; refused where it leads to a place inside.
pub(super) fn prepare(
    forward: &Forward,
    asked: &Asked<'_>,
    head: &mut Parts,
) -> Result<Prepared, &'static str> {
    if head.status == StatusCode::SWITCHING_PROTOCOLS {
        return Err("it wants to change the protocol");
    }
    if !has_one_end(&head.headers) {
        return Err("where its body ends can be read in two ways");
    }
    // Each connection has a version of its own.
    head.version = Version::HTTP_11;
    names::remove_hop_by_hop(&mut head.headers);
    let forged = cookies::without_forged(&mut head.headers, &forward.auth);
    let orders: Vec<HeaderName> = head
        .headers
        .keys()
        .filter(|name| ORDERS.iter().any(|order| name.as_str().starts_with(order)))
        .cloned()
        .collect();
    for name in orders.iter().chain([&ALT_SVC]) {
        head.headers.remove(name);
    }
    for name in [LINK, REFRESH] {
        remove_internal(asked.servers, &mut head.headers, &name);
    }
    for name in [LOCATION, CONTENT_LOCATION] {
        let mut values = head.headers.get_all(&name).iter();
        let (Some(first), None) = (values.next(), values.next()) else {
            if head.headers.contains_key(&name) {
                return Err("it leads to two places");
            }
            continue;
        };
        let public = public(forward, asked, first).ok_or("it leads to a place inside")?;
        head.headers.insert(name, public);
    }
    Ok(Prepared { forged })
}

/// Whether all readers see a body's end at one place: a length, chunks and nothing else, or neither. No
/// other coding was asked for.
fn has_one_end(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => true,
        (Some(coding), None) => {
            coding.as_bytes().eq_ignore_ascii_case(b"chunked")
                && !headers.contains_key(CONTENT_LENGTH)
        }
        _ => false,
    }
}

/// The public form of a place that the image server names; `None` for one that nobody outside reaches.
fn public(forward: &Forward, asked: &Asked<'_>, value: &HeaderValue) -> Option<HeaderValue> {
    let text = value.to_str().ok()?;
    if forward.routes.is_public(text) {
        return Some(value.clone());
    }
    let url = Url::parse(&asked.uri.to_string()).ok()?;
    let place = url.join(text).ok()?;
    let own = place.host() == url.host()
        && place.port_or_known_default() == url.port_or_known_default()
        || asked.servers.is_address(&place);
    if own {
        let mut public = forward.routes.public_url_of(place.path(), asked.base);
        for (mark, part) in [("?", place.query()), ("#", place.fragment())] {
            if let Some(part) = part {
                public.push_str(mark);
                public.push_str(part);
            }
        }
        return HeaderValue::from_str(&public).ok();
    }
    // The public address by the wrong scheme is the same mistake as the internal one, yet it works.
    (matches!(place.scheme(), "http" | "https") && !is_inside(&place)).then(|| value.clone())
}

/// Whether only machines inside can reach it, by its looks.
fn is_inside(place: &Url) -> bool {
    match place.host() {
        None => true,
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            let suffixes = [".localhost", ".local", ".internal", ".lan", ".home.arpa"];
            !name.contains('.') || suffixes.iter().any(|suffix| name.ends_with(suffix))
        }
        Some(Host::Ipv4(address)) => is_inside_4(address),
        Some(Host::Ipv6(address)) => {
            let [first, ..] = address.segments();
            address.to_ipv4_mapped().is_some_and(is_inside_4)
                || address.is_loopback()
                || address.is_unspecified()
                || first & 0xfe00 == 0xfc00
                || first & 0xffc0 == 0xfe80
        }
    }
}

fn is_inside_4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_unspecified()
        // Shared by carriers and clouds (RFC 6598).
        || first == 100 && second & 0xc0 == 64
}

/// Links are no need of a client's: those that tell the internal address are left out.
fn remove_internal(servers: &Servers, headers: &mut HeaderMap, name: &HeaderName) {
    let kept: Vec<HeaderValue> = headers
        .get_all(name)
        .iter()
        .filter(|value| !servers.is_named_in(&String::from_utf8_lossy(value.as_bytes())))
        .cloned()
        .collect();
    headers.remove(name);
    for value in kept {
        headers.append(name, value);
    }
}
