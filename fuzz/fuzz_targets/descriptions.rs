//! `info.json` and manifests: our services are put in, everything else stays, and doing it twice adds
//! nothing.

#![no_main]

use std::borrow::Cow;
use std::fmt;

use futures_util::FutureExt;
use http::header::{COOKIE, HeaderName};
use libfuzzer_sys::fuzz_target;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use tower_iiif_auth_fuzz::{COOKIE as NAME, COOKIE_A, PUBLISHER};

const OURS: [&str; 2] = ["@context", "service"];

/// The members of an object in their order, each to the byte.
struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

/// The text of a document as browsers decode it: with replacement characters, without a byte order mark.
fn decoded(document: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document))
}

fn foreign(document: &[u8]) -> Option<Vec<(String, String)>> {
    let Members(members) = serde_json::from_str(&decoded(document)).ok()?;
    let foreign = members.into_iter().filter(|(name, _)| !OURS.contains(&&**name));
    Some(foreign.map(|(name, value)| (name, value.get().to_owned())).collect())
}

/// `after` is `before` with nothing but contexts and services added.
fn assert_only_added(before: &Value, after: &Value) {
    match (before, after) {
        (Value::Array(before), Value::Array(after)) => {
            assert_eq!(before.len(), after.len());
            for (before, after) in before.iter().zip(after) {
                assert_only_added(before, after);
            }
        }
        (Value::Object(before), Value::Object(after)) => {
            for (name, after) in after {
                match before.get(name) {
                    _ if OURS.contains(&&**name) => {}
                    Some(before) => assert_only_added(before, after),
                    None => panic!("{name} was added"),
                }
            }
            assert!(before.keys().all(|name| after.contains_key(name)));
        }
        _ => assert_eq!(before, after),
    }
}

fuzz_target!(|input: &[u8]| {
    let cookie = format!("{NAME}={}", *COOKIE_A);
    let reader: &[(HeaderName, &[u8])] = &[(COOKIE, cookie.as_bytes())];
    for (base, headers, status) in
        [("3", &[][..], 200), ("2", &[], 401), ("2", reader, 200), ("all", &[], 401)]
    {
        let path = format!("/iiif/{base}/sec/info.json");
        PUBLISHER.set_info(input);
        let once = PUBLISHER.get(&path, headers);
        let text = std::str::from_utf8(once.body()).expect("it is UTF-8 now");
        match foreign(input) {
            Some(before) => {
                assert_eq!(once.status(), status, "browsers read it");
                assert_eq!(foreign(once.body()), Some(before));
            }
            // Half of a surrogate pair in a name is nothing to this reader.
            None if once.status() == status => assert!(text.contains("\\u"), "{text}"),
            None => {
                assert_eq!(once.status(), 502, "it cannot be described");
                continue;
            }
        }
        let described: Value = serde_json::from_slice(once.body()).unwrap_or_default();
        assert!(described.is_null() || described["service"].is_array());
        PUBLISHER.set_info(once.body());
        let twice = PUBLISHER.get(&path, headers);
        assert_eq!((twice.status(), twice.body()), (once.status(), once.body()));
    }
    PUBLISHER.set_info(input);
    assert_eq!(PUBLISHER.get("/iiif/3/pub/info.json", &[]).body(), input, "open: untouched");

    let Ok(before) = serde_json::from_slice::<Value>(input) else { return };
    let mut once = before.clone();
    let described = PUBLISHER.auth.describe_manifest(&mut once).now_or_never();
    let described = described.expect("nothing waits").expect("nothing fails");
    assert_only_added(&before, &once);
    let mut twice = once.clone();
    let again = PUBLISHER.auth.describe_manifest(&mut twice).now_or_never();
    assert_eq!(again.expect("nothing waits").expect("nothing fails"), described);
    assert_eq!(once, twice);
});
