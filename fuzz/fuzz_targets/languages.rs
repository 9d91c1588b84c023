//! Language maps and `Accept-Language`: a tag and a text, each on a line, and then the field.

#![no_main]

use http::HeaderName;
use http::header::ACCEPT_LANGUAGE;
use libfuzzer_sys::fuzz_target;
use tower_iiif_auth::{AccessService, IiifAuth, LanguageMap, Realm};
use tower_iiif_auth_fuzz::{BASE, PUBLISHER, TILE};

fuzz_target!(|input: &[u8]| {
    let mut lines = input.splitn(3, |byte| *byte == b'\n');
    let mut text = || std::str::from_utf8(lines.next().unwrap_or_default()).ok();
    let (Some(tag), Some(other)) = (text(), text()) else { return };
    let field = lines.next().unwrap_or_default();

    let map = LanguageMap::new("en", "English").with(tag, other);
    let said = String::from_utf8_lossy(field);
    let best = map.best(&said);
    let both = format!("English {other}");
    assert!([&both[..], "English", other].contains(&&*best), "{best}");
    assert!(map.best_language(&said).is_none_or(|own| own == "en" || own == tag));
    let json = serde_json::to_value(&map).expect("a JSON value");
    let expected = if tag.eq_ignore_ascii_case("en") {
        serde_json::json!({"en": ["English", other]})
    } else {
        serde_json::json!({"en": ["English"], tag: [other]})
    };
    assert_eq!(json, expected);

    // A configuration takes the tag, or says that it does not.
    let built = IiifAuth::builder(BASE)
        .keyring(PUBLISHER.keyring.clone())
        .files("/files")
        .realm(Realm::new().access(AccessService::active("login", map)))
        .authorize_with(|_| false)
        .build();
    if let Err(error) = &built {
        assert!(error.to_string().contains("language"), "{error}");
    }

    let tile = PUBLISHER.get(TILE, &[(ACCEPT_LANGUAGE, field)]);
    assert_eq!(tile.status(), 401);
    // Nothing of the field becomes an element or ends an attribute.
    let marks = |headers: &[(HeaderName, &[u8])]| {
        let page = PUBLISHER.get("/auth/logout", headers);
        let count = |mark: u8| page.body().iter().filter(|byte| **byte == mark).count();
        (count(b'<'), count(b'"'))
    };
    assert_eq!(marks(&[(ACCEPT_LANGUAGE, field)]), marks(&[]));
});
