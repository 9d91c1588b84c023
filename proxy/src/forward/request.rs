//! What the image server is sent.

use std::net::IpAddr;

use http::header::{AUTHORIZATION, CONTENT_LENGTH, EXPECT};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use tower_iiif_auth::aspect::{PeerAddr, Session};
use tower_iiif_auth::check::Granted;

use super::{Forward, cookies, names};
use crate::config::Upstream;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const IMAGE_ID: HeaderName = HeaderName::from_static("x-iiif-id");

/// Makes the client's head the proxy's own. An error is one of the configuration's paths.
pub(super) fn prepare(
    forward: &Forward,
    upstream: &Upstream,
    head: &mut Parts,
) -> Result<PathAndQuery, http::Error> {
    let Forward { routes, auth, .. } = forward;
    let peer = head.extensions.get::<PeerAddr>().map(|peer| peer.0);
    let chain = forwarded_for(forward, &head.headers, peer);
    let protected = routes.base_of(head.uri.path()).is_some();
    let image_id = routes.image_id(head.uri.path());

    let headers = &mut head.headers;
    names::remove_hop_by_hop(headers);
    names::remove_claims(headers, &forward.claims);
    cookies::without_own(headers, auth);
    let bearer = |value: &HeaderValue| {
        value.as_bytes().get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer"))
    };
    if protected || headers.get_all(AUTHORIZATION).iter().any(bearer) {
        headers.remove(AUTHORIZATION);
    }
    // Answered already, if it was asked.
    headers.remove(EXPECT);
    if has_no_body(&head.method) {
        headers.remove(CONTENT_LENGTH);
    }

    if let Some(chain) = chain {
        headers.insert(FORWARDED_FOR, HeaderValue::try_from(chain)?);
    }
    for (name, value) in &routes.forwarded {
        headers.insert(name, value.clone());
    }
    if let Some(id) = image_id {
        headers.insert(IMAGE_ID, HeaderValue::try_from(id)?);
    }
    if let Some(session) = head.extensions.get::<Granted>().and_then(Granted::session) {
        tell_who(upstream, session, &mut head.headers);
    }

    let target = routes.upstream_target(&head.uri)?;
    head.version = Version::HTTP_11;
    head.extensions.clear();
    Ok(target)
}

/// Methods whose requests carry nothing on: what clients send behind them is dropped.
pub(crate) fn has_no_body(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// The addresses that the request came by: those that a trusted proxy tells, and then the peer.
fn forwarded_for(forward: &Forward, headers: &HeaderMap, peer: Option<IpAddr>) -> Option<String> {
    let peer = peer?.to_canonical();
    let told = headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
    let mut chain = String::new();
    for own in told.filter(|_| forward.trusted_proxies.contains(peer)) {
        chain.push_str(own);
        chain.push_str(", ");
    }
    chain.push_str(&peer.to_string());
    Some(chain)
}

/// What would end a value, begin another, or vanish at its ends.
const SEPARATING: &AsciiSet = &CONTROLS.add(b'%').add(b',');

/// One value of a list in a header: what separates is percent-encoded, and white space at its ends.
fn value(text: &str) -> String {
    let inner = text.trim_matches(' ');
    let start = text.len() - text.trim_start_matches(' ').len();
    let end = text.len() - start - inner.len();
    let encoded = utf8_percent_encode(inner, SEPARATING);
    format!("{}{encoded}{}", "%20".repeat(start), "%20".repeat(end))
}

fn tell_who(upstream: &Upstream, session: &Session<'_>, headers: &mut HeaderMap) {
    let roles = session.roles().map(value).collect::<Vec<_>>().join(",");
    let told = [(&upstream.user_header, value(session.subject())), (&upstream.roles_header, roles)];
    for (name, value) in told {
        let Some(name) = name else { continue };
        match HeaderValue::from_bytes(value.as_bytes()) {
            Ok(mut value) => {
                value.set_sensitive(true);
                headers.insert(name, value);
            }
            Err(_) => {
                tracing::warn!(header = %name, "a name or role cannot stand in a header");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::value;

    /// PB-04: whatever a role is called, it is one value.
    #[test]
    fn pb_04_no_value_becomes_two() {
        for (role, told) in [
            ("reader", "reader"),
            ("student;staff", "student;staff"),
            ("eve,admin", "eve%2Cadmin"),
            ("eve%2Cadmin", "eve%252Cadmin"),
            (" a b ", "%20a b%20"),
            ("  ", "%20%20"),
            ("a\r\nx-iiif-user: b", "a%0D%0Ax-iiif-user: b"),
            ("bücher", "b%C3%BCcher"),
            ("", ""),
        ] {
            assert_eq!(value(role), told, "{role:?}");
        }
    }
}
