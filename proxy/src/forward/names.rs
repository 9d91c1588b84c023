//! Which header fields do not go through.

use http::header::{
    CONNECTION, CONTENT_LENGTH, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName};

/// Fields of one connection only (RFC 9110 §7.6.1), and what a peer calls so.
const HOP_BY_HOP: [HeaderName; 9] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Removes what was meant for this connection, also what `Connection` names. Where a body ends is not
/// for that to say.
pub(super) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok())
        .filter(|name| name != CONTENT_LENGTH)
        .collect();
    // Most heads have none of them.
    let of_one_connection = headers.keys().filter(|name| HOP_BY_HOP.contains(name));
    let all: Vec<HeaderName> = of_one_connection.cloned().chain(named).collect();
    for name in all {
        headers.remove(name);
    }
}

/// What only a proxy may say of a client, or a server of itself.
///
/// Many servers read `X_Forwarded_For` and `X-Forwarded-For` as one name, `Content_Length` and
/// `Content-Length` too. So no name with other bytes than letters, digits and `-` goes on.
pub(super) fn remove_claims(headers: &mut HeaderMap, more: &[HeaderName]) {
    let claims: Vec<HeaderName> = headers
        .keys()
        .filter(|name| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            !name.as_str().bytes().all(plain) || more.contains(name) || is_claim(name.as_str())
        })
        .cloned()
        .collect();
    for name in claims {
        headers.remove(name);
    }
}

fn is_claim(name: &str) -> bool {
    const PREFIXES: [&str; 9] = [
        "x-forwarded-",
        "x-iiif-",
        "x-original-",
        "x-remote-",
        "remote-",
        "x-accel-",
        "x-http-method",
        "x-script-name",
        "x-auth-request-",
    ];
    const NAMES: [&str; 14] = [
        "forwarded",
        "x-forwarded",
        "x-rewrite-url",
        "x-method-override",
        "x-real-ip",
        "x-client-ip",
        "x-cluster-client-ip",
        "client-ip",
        "true-client-ip",
        "cf-connecting-ip",
        "x-sendfile-type",
        "script-name",
        "path-info",
        // CGI programs find it where they look for their own proxy.
        "proxy",
    ];
    PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || NAMES.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn left(
        remove: impl Fn(&mut HeaderMap),
        headers: &[(&'static str, &'static str)],
    ) -> Vec<String> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        remove(&mut map);
        let mut left: Vec<_> = map.keys().map(ToString::to_string).collect();
        left.sort();
        left
    }

    #[test]
    fn fields_of_one_connection_stay_behind() {
        let headers = [
            ("connection", "close, X-One"),
            ("connection", "x-two,,content-length"),
            ("x-one", "1"),
            ("x-two", "2"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("upgrade", "h2c"),
            ("proxy-authorization", "Basic x"),
            ("transfer-encoding", "chunked"),
            ("accept", "*/*"),
            ("content-length", "5"),
        ];
        assert_eq!(left(remove_hop_by_hop, &headers), ["accept", "content-length"]);
    }

    #[test]
    fn claims_stay_behind_under_every_spelling() {
        let headers = [
            ("x-forwarded-for", "1"),
            ("x_forwarded_for", "1"),
            ("x-forwarded_user", "1"),
            ("x.forwarded.for", "1"),
            ("forwarded", "1"),
            ("x-iiif-user", "1"),
            ("x_iiif_user", "1"),
            ("x-iiif_id", "1"),
            ("remote_user", "1"),
            ("x-rewrite-url", "1"),
            ("x_original_uri", "1"),
            ("proxy", "http://evil.example"),
            ("my_user", "1"),
            ("my-user", "1"),
            ("c_ookie", "1"),
            ("authorization_", "1"),
            ("content_length", "1"),
            ("transfer_encoding", "1"),
            ("x~other", "1"),
            ("accept", "1"),
            ("x-forwardedness", "1"),
        ];
        let own = [HeaderName::from_static("my-user")];
        let left = left(|headers| remove_claims(headers, &own), &headers);
        assert_eq!(left, ["accept", "x-forwardedness"]);
    }
}
