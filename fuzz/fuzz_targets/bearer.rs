//! `Authorization` fields, one a line: only a whole token, alone, counts in a probe and in a
//! description of its family, and none opens content.

#![no_main]

use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;
use tower_iiif_auth_fuzz::{PUBLISHER, TILE, TOKEN, TOKEN_V1, fill, probed};

/// Longest field that is looked at.
const LONGEST: usize = 16 * 1024;

/// The token of the one field, by RFC 6750 §2.1, read by hand.
fn token<'f>(fields: &[&'f [u8]]) -> Option<&'f [u8]> {
    let [field] = fields else { return None };
    let (scheme, rest) = field.split_at_checked(7)?;
    let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
    (field.len() <= LONGEST && scheme.eq_ignore_ascii_case(b"Bearer ")).then_some(&rest[spaces..])
}

fuzz_target!(|input: &[u8]| {
    let filled = fill(input);
    let fields: Vec<&[u8]> = filled
        .split(|byte| *byte == b'\n')
        .filter(|field| HeaderValue::from_bytes(field).is_ok())
        .collect();
    let headers: Vec<(HeaderName, &[u8])> =
        fields.iter().map(|field| (AUTHORIZATION, *field)).collect();
    let token = token(&fields);

    assert_eq!(PUBLISHER.get(TILE, &headers).status(), 401, "a token opens nothing");
    let expected = if token == Some(TOKEN.as_bytes()) { 200 } else { 401 };
    assert_eq!(probed(&PUBLISHER.get("/auth/probe/iiif/3/sec", &headers)), expected);

    PUBLISHER.set_info(br#"{"@context":"http://iiif.io/api/image/2/context.json","@id":"i"}"#);
    let expected = if token == Some(TOKEN_V1.as_bytes()) { 200 } else { 401 };
    assert_eq!(PUBLISHER.get("/iiif/2/sec/info.json", &headers).status(), expected);
});
