//! Descriptions of 1.0 and 0.9 that lead to a signed location: for viewers whose tiles bring no cookie.

mod common;

use std::time::Duration;

use common::families::images;
use common::{BASE, COOKIE, Publisher, V, assert_denied, clock, json, keyring, request};
use http::{Method, StatusCode};
use tower_iiif_auth::authorizer::{AccessRequest, Authorizer, Decision, RolesFor, from_async_fn};
use tower_iiif_auth::protocol::Family;
use tower_iiif_auth::resource::{Families, ImageApi};
use tower_iiif_auth::{AccessService, Answer, BoxError, IiifAuth, IiifAuthBuilder, Realm};

fn rules() -> RolesFor {
    RolesFor::new().open("pub").roles("sec", ["A"]).roles("other", ["B"])
}

fn builder(clock: &tower_iiif_auth::clock::SetClock) -> IiifAuthBuilder {
    let signed = |families: Families| families.signed_descriptions();
    IiifAuth::builder(BASE)
        .keyring(keyring())
        .clock(clock.clone())
        .images("/iiif/3")
        .resources(ImageApi::new("/iiif/2").families(signed(Family::V1.into())))
        .resources(ImageApi::new("/iiif/0.9").families(signed(Family::V09.into())))
        .resources(ImageApi::new("/iiif/plain").families(Family::V1))
        .realm(Realm::new().access(AccessService::active("login", "Example Library")))
}

fn publishers() -> Vec<Publisher> {
    let at_once = |clock: &_| builder(clock).authorizer(rules().signed_locations());
    let waiting = |clock: &_| {
        builder(clock).authorizer(from_async_fn(async |request: AccessRequest<'static>| {
            tokio::task::yield_now().await;
            let decision: Result<Decision, BoxError> =
                match rules().signed_locations().authorize(&request) {
                    Answer::Now(decision) => decision,
                    Answer::Later(decision) => decision.await,
                };
            decision
        }))
    };
    [true, false]
        .map(|is_at_once| {
            let clock = clock();
            let builder = if is_at_once { at_once(&clock) } else { waiting(&clock) };
            Publisher::before(builder.signed_locations(), clock, images)
        })
        .into()
}

/// The description with a token leads to a place where no cookie is needed, until the logout.
#[tokio::test]
async fn a_token_s_description_leads_there() {
    for publisher in publishers() {
        for (base, token) in [("2", "/auth/token/1"), ("0.9", "/auth/token/0")] {
            let cookie = format!("{COOKIE}={}", publisher.log_in(&["A"], Some(V)).await);
            let bearer = publisher.bearer_at(token, &cookie).await;
            let path = format!("/iiif/{base}/sec/info.json");
            let headers = [("authorization", &*bearer), ("origin", V)];
            let got = publisher.get(&path, &headers).await;
            assert_eq!(got.status(), StatusCode::OK);
            assert_eq!(got.headers()["cache-control"], "no-store");
            assert_eq!(got.headers()["referrer-policy"], "no-referrer");
            assert_eq!(got.headers()["access-control-allow-origin"], "*");
            let info = json(&got);
            let id = info["@id"].as_str().unwrap();
            assert!(id.starts_with(&format!("{BASE}/auth/signed/")), "{id}");
            assert!(id.ends_with(&format!("/iiif/{base}/sec")), "{id}");
            assert!(info.get("service").is_none(), "{info}");
            assert_eq!((&info["width"], &info["height"]), (&8000.into(), &6000.into()));
            let head = publisher.send(request(Method::HEAD, &path, &headers)).await;
            assert_eq!(head.status(), StatusCode::OK);
            assert!(head.body().is_empty());
            // An entity tag of the ordinary description matches nothing here.
            let again = [headers[0], headers[1], ("if-none-match", "*")];
            assert_eq!(publisher.get(&path, &again).await.status(), StatusCode::OK);

            let own = id.strip_prefix(BASE).unwrap();
            let there = json(&publisher.get(&format!("{own}/info.json"), &[]).await);
            assert_eq!(there["@id"], id);
            let tile = format!("{own}/full/9,/0/default.jpg");
            assert_eq!(publisher.get(&tile, &[]).await.status(), StatusCode::OK);
            let other = tile.replace("/sec/", "/other/");
            assert_denied(&publisher.get(&other, &[]).await, 401);
            publisher.get("/auth/logout", &[("cookie", &cookie)]).await;
            assert_denied(&publisher.get(&tile, &[]).await, 401);
        }
        // It ends by itself.
        let cookie = format!("{COOKIE}={}", publisher.log_in(&["A"], Some(V)).await);
        let bearer = publisher.bearer_at("/auth/token/1", &cookie).await;
        let got = publisher.get("/iiif/2/sec/info.json", &[("authorization", &bearer)]).await;
        let id = json(&got)["@id"].as_str().unwrap().strip_prefix(BASE).unwrap().to_owned();
        let tile = format!("{id}/full/9,/0/default.jpg");
        assert_eq!(publisher.get(&tile, &[]).await.status(), StatusCode::OK);
        publisher.clock.advance(Duration::from_secs(301));
        assert_denied(&publisher.get(&tile, &[]).await, 401);
    }
}

/// Everybody else gets what there was: without a token, by a cookie alone, for a viewer that the token is not
/// of, at another base, for what is open or refused, and where nothing is signed.
#[tokio::test]
async fn nobody_else_is_led_there() {
    let [publisher, _] = &publishers()[..] else { panic!("two") };
    let cookie = format!("{COOKIE}={}", publisher.log_in(&["A"], Some(V)).await);
    let bearer = publisher.bearer_at("/auth/token/1", &cookie).await;
    let old = publisher.bearer_at("/auth/token/0", &cookie).await;
    let with = |name: &'static str, value: &str| vec![(name, value.to_owned())];
    for (path, headers, status) in [
        ("/iiif/2/sec/info.json", vec![], 401),
        ("/iiif/2/sec/info.json", with("authorization", "Bearer undefined"), 401),
        ("/iiif/2/sec/info.json", with("authorization", &old), 401),
        ("/iiif/2/sec/info.json", with("cookie", &cookie), 200),
        (
            "/iiif/2/sec/info.json",
            [with("authorization", &bearer), with("origin", "https://evil.example")].concat(),
            401,
        ),
        ("/iiif/2/other/info.json", with("authorization", &bearer), 401),
        ("/iiif/2/pub/info.json", with("authorization", &bearer), 200),
        ("/iiif/plain/sec/info.json", with("authorization", &bearer), 200),
        ("/iiif/3/sec/info.json", with("authorization", &bearer), 200),
    ] {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, &**value)).collect();
        let response = publisher.get(path, &headers).await;
        assert_eq!(response.status(), status, "{path} {headers:?}");
        let info = json(&response);
        let id = info.get("@id").or(info.get("id")).unwrap();
        let own = format!("{BASE}{}", path.strip_suffix("/info.json").unwrap());
        assert_eq!(*id, own, "{path} {headers:?}");
        assert_eq!(info.get("service").is_some(), !path.contains("/pub/"), "{path}");
    }
    // The rule signs none, or the publisher does not.
    for (is_signed, is_on) in [(false, true), (true, false)] {
        let clock = clock();
        let builder = if is_signed {
            builder(&clock).authorizer(rules().signed_locations())
        } else {
            builder(&clock).authorizer(rules())
        };
        let builder = if is_on { builder.signed_locations() } else { builder };
        let publisher = Publisher::before(builder, clock, images);
        let cookie = format!("{COOKIE}={}", publisher.log_in(&["A"], Some(V)).await);
        let bearer = publisher.bearer_at("/auth/token/1", &cookie).await;
        let got = publisher.get("/iiif/2/sec/info.json", &[("authorization", &bearer)]).await;
        assert_eq!(json(&got)["@id"], format!("{BASE}/iiif/2/sec"), "{is_signed} {is_on}");
        assert!(json(&got).get("service").is_some());
    }
}

/// It is told where it cannot be.
#[test]
fn for_gated_descriptions_alone() {
    for (families, fits) in [
        (Families::default(), false),
        (Families::new(Family::ALL).open(), false),
        (Families::new(Family::ALL), true),
        (Families::from(Family::V1).redirecting_content(), true),
    ] {
        let clock = clock();
        let base = ImageApi::new("/iiif/new").families(families.signed_descriptions());
        let built = builder(&clock).resources(base).authorizer(rules()).build();
        assert_eq!(built.is_ok(), fits, "{families:?}");
        if let Err(mistakes) = built {
            assert!(mistakes.to_string().contains("signed_descriptions()"), "{mistakes}");
        }
    }
}
