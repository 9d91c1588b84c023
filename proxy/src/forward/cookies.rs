//! The layers' own cookies stay here, in both directions.

use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use tower_iiif_auth::IiifAuth;

/// Takes the layers' cookies out of a request.
pub(super) fn without_own(headers: &mut HeaderMap, auth: &IiifAuth) {
    let mut kept: Vec<u8> = Vec::new();
    for field in headers.get_all(COOKIE) {
        for pair in field.as_bytes().split(|byte| *byte == b';') {
            let pair = pair.trim_ascii();
            if pair.is_empty() || is_own(pair, auth) {
                continue;
            }
            if !kept.is_empty() {
                kept.extend(b"; ");
            }
            kept.extend(pair);
        }
    }
    headers.remove(COOKIE);
    if kept.is_empty() {
        return;
    }
    if let Ok(mut value) = HeaderValue::from_bytes(&kept) {
        value.set_sensitive(true);
        headers.insert(COOKIE, value);
    }
}

/// Takes cookies that pass for the layers' own out of an answer; whether there were any.
pub(super) fn without_forged(headers: &mut HeaderMap, auth: &IiifAuth) -> bool {
    let (mut kept, mut forged) = (Vec::new(), false);
    for value in headers.get_all(SET_COOKIE) {
        if is_own(value.as_bytes().trim_ascii(), auth) {
            forged = true;
        } else {
            kept.push(value.clone());
        }
    }
    if forged {
        headers.remove(SET_COOKIE);
        for value in kept {
            headers.append(SET_COOKIE, value);
        }
    }
    forged
}

fn is_own(pair: &[u8], auth: &IiifAuth) -> bool {
    // Some browsers send the value of a cookie without a name as a whole pair.
    let nameless = |byte: &u8| *byte == b'=' || byte.is_ascii_whitespace();
    let start = pair.iter().position(|byte| !nameless(byte)).unwrap_or(pair.len());
    let pair = &pair[start..];
    let name = pair.split(|byte| matches!(byte, b'=' | b';')).next().unwrap_or(pair);
    std::str::from_utf8(name.trim_ascii()).is_ok_and(|name| auth.is_own_cookie(name))
}
