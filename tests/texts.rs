//! Strings of 2.0 that clients show are language maps, wherever they stand (2.0 §3.3.1, §4.5, §5.2, §6.1):
//! also in errors. Ramp and Mirador's branch for 2.0 take the first text of a map, and show nothing of a
//! plain string.

mod common;

use common::{COOKIE, Publisher, V, builder, clock, json};
use serde_json::{Map, Value, json};
use tower_iiif_auth::authorizer::{Decision, Denial, Substitute};
use tower_iiif_auth::{AccessService, Message, Realm};

const SHOWN: [&str; 6] = ["label", "heading", "note", "confirmLabel", "errorHeading", "errorNote"];

/// How many texts were found; each is a language map, and a note stands beside its heading.
fn texts(value: &Value) -> usize {
    match value {
        Value::Array(all) => all.iter().map(texts).sum(),
        Value::Object(object) => {
            let own = object.iter().filter(|(name, _)| SHOWN.contains(&name.as_str()));
            let own = own.map(|(name, text)| assert_map(name, text)).count();
            for (note, heading) in [("note", "heading"), ("errorNote", "errorHeading")] {
                assert!(!object.contains_key(note) || object.contains_key(heading), "{object:?}");
            }
            own + object.iter().map(|(_, value)| below(value)).sum::<usize>()
        }
        _ => 0,
    }
}

/// What stands in a text is looked at with it.
fn below(value: &Value) -> usize {
    let is_map = value.as_object().is_some_and(|map| map.values().all(is_texts) && !map.is_empty());
    if is_map { 0 } else { texts(value) }
}

fn is_texts(value: &Value) -> bool {
    value.as_array().is_some_and(|all| !all.is_empty() && all.iter().all(Value::is_string))
}

fn assert_map(name: &str, text: &Value) {
    let map: &Map<String, Value> = text.as_object().unwrap_or_else(|| panic!("{name}: {text}"));
    assert!(!map.is_empty() && map.values().all(is_texts), "{name}: {text}");
}

fn publisher() -> Publisher {
    let clock = clock();
    let builder = builder(&clock)
        .realm(
            Realm::named("terms")
                .access(
                    AccessService::click_through("accept", "Library", "Terms")
                        .message(Message::new("Please agree").note("It is quick."))
                        .confirm_label("Agree")
                        .protects(["terms"]),
                )
                .token_error(Message::new("No").note("Not now."))
                .logout_label("Log out"),
        )
        .authorize_with(|request| -> Decision {
            match request.identifier() {
                "pub" => Decision::Grant,
                "never" => Denial::never().message("Embargoed").into(),
                "absent" => Denial::absent().into(),
                "later" => Denial::later().into(),
                "tiered" => {
                    let small = Substitute::of_same_base("small").label("Small");
                    Denial::login().substitute(small).into()
                }
                _ => request.has_role("A").into(),
            }
        });
    Publisher::of(builder, clock)
}

/// V2-GEN-3: probes of every status, descriptions, manifests.
#[tokio::test]
async fn texts_of_every_answer_are_language_maps() {
    let publisher = publisher();
    let cookie = publisher.log_in(&["B"], Some(V)).await;
    let bearer = format!("Bearer {}", publisher.token(&cookie).await);
    for (path, status) in [
        ("/iiif/3/sec", 401),
        ("/iiif/3/never", 403),
        ("/iiif/3/absent", 404),
        ("/iiif/3/later", 503),
        ("/iiif/3/tiered", 401),
        ("/iiif/3/a%2F..%2Fb", 400),
        ("/nowhere", 404),
        ("?resource=/iiif/3/never", 403),
    ] {
        for headers in [&[][..], &[("authorization", &*bearer)]] {
            let result = publisher.probe(path, headers).await;
            assert_eq!(result["status"], status, "{path}");
            assert!(texts(&result) >= 1, "{path}: {result}");
        }
    }
    for identifier in ["sec", "sec2", "terms", "tiered"] {
        let info = json(&publisher.get(&format!("/iiif/3/{identifier}/info.json"), &[]).await);
        assert!(texts(&info["service"]) >= 3, "{identifier}: {info}");
    }
    let mut manifest = json!({
        "@context": "http://iiif.io/api/presentation/3/context.json",
        "id": "https://iiif.example/m", "type": "Manifest",
        "items": [{ "id": "https://iiif.example/files/terms", "type": "Video" }],
    });
    let described = publisher.auth.describe_manifest(&mut manifest).await.unwrap();
    assert_eq!(described.places(), 1);
    assert!(described.left_out().is_empty());
    assert!(texts(&manifest["items"]) >= 3, "{manifest}");
}

/// V2-GEN-3: token errors of every kind.
#[tokio::test]
async fn texts_of_token_errors_are_language_maps() {
    let publisher = publisher();
    let good = publisher.log_in(&["A"], Some(V)).await;
    let direct = format!("{COOKIE}={}", publisher.log_in_directly(&["A"]).await);
    let cut = format!("{COOKIE}={}", &good[..good.len() - 2]);
    let good = format!("{COOKIE}={good}");
    let origin = format!("messageId=1&origin={V}");
    let mut seen = Vec::new();
    for (path, query, cookie) in [
        ("/auth/token", &*origin, ""),
        ("/auth/token", &origin, &*cut),
        ("/auth/token", &origin, &direct),
        ("/auth/token", "messageId=1&origin=https://other.example", &good),
        ("/auth/token", "messageId=1&messageId=2&origin=https://viewer.example", &good),
        ("/auth/terms/token", &origin, ""),
    ] {
        let headers = [("cookie", cookie)];
        let page = publisher.get(&format!("{path}?{query}"), &headers).await;
        let (message, _) = common::posted(&page).unwrap_or_else(|| panic!("{page:?}"));
        assert_eq!(message["type"], "AuthAccessTokenError2", "{path} {query}");
        assert!(texts(&message) >= 1, "{message}");
        seen.push(message["profile"].as_str().unwrap().to_owned());
    }
    publisher.clock.advance(std::time::Duration::from_secs(700));
    let (message, _) = publisher.token_message(&origin, &[("cookie", &good)]).await;
    assert!(texts(&message) >= 1, "{message}");
    seen.push(message["profile"].as_str().unwrap().to_owned());
    for profile in
        ["missingAspect", "invalidAspect", "invalidOrigin", "invalidRequest", "expiredAspect"]
    {
        assert!(seen.iter().any(|own| own == profile), "{profile} in {seen:?}");
    }
}

/// The look at texts finds what is none.
#[test]
#[should_panic(expected = "heading")]
fn a_plain_string_is_found() {
    texts(&json!({ "service": [{ "heading": "Log in" }] }));
}
