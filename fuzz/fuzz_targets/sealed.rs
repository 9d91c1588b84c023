//! Sealed values: as strangers write them, and, to get behind the seal, any payload sealed with our
//! own keys. The first byte says which, and for what.

#![no_main]

use http::header::{AUTHORIZATION, COOKIE, HeaderName};
use http::{HeaderValue, Method, Request, Uri};
use http_body_util::Full;
use libfuzzer_sys::fuzz_target;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tower_iiif_auth::fuzzing::{self, Sealed};
use tower_iiif_auth_fuzz::{COOKIE as NAME, PUBLISHER, TILE, VIEWER, now, request};

const FLOW: &str = "__Host-iiif-flow";

fn form(path: &'static str, flow: Option<&str>, body: String) -> Request<Full<bytes::Bytes>> {
    let cookie = flow.map(|flow| format!("{FLOW}={flow}"));
    let headers: Vec<(HeaderName, &[u8])> =
        cookie.iter().map(|cookie| (COOKIE, cookie.as_bytes())).collect();
    let mut form = request(Method::POST, Uri::from_static(path), &headers);
    form.headers_mut().insert("sec-fetch-site", HeaderValue::from_static("same-origin"));
    *form.body_mut() = Full::from(body);
    form
}

/// Sends a value wherever one is read, and returns whether it opened the tile.
fn everywhere(value: &str) -> bool {
    let cookies = |name: &str| format!("{name}={value}").into_bytes();
    let mut opened = false;
    for name in [NAME, "__Host-iiif-p", FLOW] {
        let cookie = cookies(name);
        let headers: &[(HeaderName, &[u8])] = &[(COOKIE, &cookie)];
        opened |= PUBLISHER.get(TILE, headers).status() == 200;
        PUBLISHER.get(&format!("/auth/token?messageId=1&origin={VIEWER}"), headers);
        PUBLISHER.get(&format!("/auth/login?origin={VIEWER}"), headers);
        PUBLISHER.get("/auth/logout", headers);
    }
    let bearer = format!("Bearer {value}");
    let headers: &[(HeaderName, &[u8])] = &[(AUTHORIZATION, bearer.as_bytes())];
    PUBLISHER.get("/auth/probe/iiif/3/sec", headers);
    PUBLISHER.get("/iiif/2/sec/info.json", headers);
    assert_eq!(PUBLISHER.get(TILE, headers).status(), 401, "a token opens nothing");

    let escaped = utf8_percent_encode(value, NON_ALPHANUMERIC);
    PUBLISHER.send(form("/auth/continue", Some(value), format!("grant={escaped}")));
    PUBLISHER.send(form("/auth/login", Some(value), String::new()));
    PUBLISHER.get(&format!("/auth/login/step?tab={escaped}"), &[]);
    let form_of = |family| format!("handOff={escaped}&family={family}&origin={VIEWER}&messageId=1");
    PUBLISHER.send(form("/auth/redeem", None, form_of(2)));
    PUBLISHER.get(&format!("/auth/token/0?messageId=1&code={escaped}"), &[]);
    PUBLISHER.get(&format!("/auth/login/0?code={escaped}"), &[]);
    opened
}

fuzz_target!(|input: &[u8]| {
    let Some((mode, rest)) = input.split_first() else { return };
    let what = match mode % 9 {
        0 => Sealed::Cookie,
        1 => Sealed::Token,
        2 => Sealed::Flow,
        3 => Sealed::PendingGrant,
        4 => Sealed::ClientCode,
        5 => Sealed::HandOff,
        6 => Sealed::Partitioned,
        8 => Sealed::Tab,
        _ => {
            let Ok(text) = std::str::from_utf8(rest) else { return };
            assert!(!everywhere(text), "what no key sealed opens a tile: {text}");
            return;
        }
    };
    // A pending grant counts only beside the flow that it is of: that one stands first.
    let (flow, payload) = match (what, rest.split_first()) {
        (Sealed::PendingGrant, Some((length, rest))) => {
            rest.split_at(usize::from(*length).min(rest.len()))
        }
        _ => (&[][..], rest),
    };
    let Some(value) = fuzzing::seal(&PUBLISHER.keyring, what, payload) else { return };
    if let Sealed::PendingGrant = what {
        let Some(flow) = fuzzing::seal(&PUBLISHER.keyring, Sealed::Flow, flow) else { return };
        PUBLISHER.send(form("/auth/continue", Some(&flow), format!("grant={value}")));
    }
    let session = match what {
        Sealed::Partitioned => payload.get(8..),
        _ => Some(payload),
    };
    let session = session.and_then(fuzzing::session);
    if everywhere(&value) {
        assert!(matches!(what, Sealed::Cookie | Sealed::Partitioned), "{what:?} opens a tile");
        let session = session.as_ref().expect("a session");
        assert!(session.has_role("A") && now() < session.expires_at());
    }
});
