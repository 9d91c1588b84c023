//! `Cookie` fields, one a line: only the cookie of a user who may opens the tile, and it does so
//! whatever junk stands beside it.

#![no_main]

use http::header::COOKIE;
use http::{HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;
use tower_iiif_auth_fuzz::{
    COOKIE as NAME, COOKIE_A, COOKIE_B, PUBLISHER, TILE, VIEWER, fill, posted,
};

/// How many cookies of one name are looked at.
const MOST: usize = 8;

fuzz_target!(|input: &[u8]| {
    let filled = fill(input);
    let fields: Vec<&[u8]> = filled
        .split(|byte| *byte == b'\n')
        .filter(|field| HeaderValue::from_bytes(field).is_ok())
        .collect();
    let headers: Vec<(HeaderName, &[u8])> = fields.iter().map(|field| (COOKIE, *field)).collect();
    // As RFC 6265 §4.2.1 writes them, read again by hand.
    let called = |name: &str| -> Vec<&[u8]> {
        fields
            .iter()
            .flat_map(|field| field.split(|byte| *byte == b';'))
            .filter_map(|pair| {
                pair.trim_ascii_start().strip_prefix(name.as_bytes())?.strip_prefix(b"=")
            })
            .collect()
    };
    let (values, partitioned) = (called(NAME), called(&format!("{NAME}-p")));
    // Two sessions that are good are nobody's: which comes first is a neighbouring host's choice. So are
    // those among more cookies than are looked at, unless the good one is all that follows.
    let (a, b) = (COOKIE_A.as_bytes(), COOKIE_B.as_bytes());
    let first = values.iter().take(MOST).position(|value| *value == a || *value == b);
    let is_there = first.is_some_and(|first| {
        let (own, others) = (values[first], &values[first + 1..]);
        let is_alone = others.iter().all(|other| *other == own);
        let are_too_many = values.len() > MOST || partitioned.len() > MOST;
        own == a && (is_alone || !are_too_many && !others.contains(&b))
    });

    let tile = PUBLISHER.get(TILE, &headers);
    if is_there {
        assert_eq!(tile.status(), 200);
        assert_eq!(tile.body(), "image bytes");
    } else {
        assert!(matches!(tile.status().as_u16(), 401 | 403), "{tile:?}");
    }
    let page = PUBLISHER.get(&format!("/auth/token?messageId=1&origin={VIEWER}"), &headers);
    let (message, target) = posted(&page).expect("a message");
    assert_eq!(target, VIEWER);
    if is_there {
        assert!(message.get("accessToken").is_some(), "{message}");
    }
    PUBLISHER.get("/auth/login", &headers);
});
