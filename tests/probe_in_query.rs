//! Probes whose URI names the resource in its query: one login for all pages of a book in Diva.

mod common;

use common::{BASE, Publisher, V, builder, clock, json, request};
use http::{Method, StatusCode};
use serde_json::Value;
use tower_iiif_auth::{Compatibility, IiifAuthBuilder};

fn in_query(builder: IiifAuthBuilder) -> IiifAuthBuilder {
    builder.compatibility(Compatibility::default().resource_in_probe_query())
}

async fn declared(publisher: &Publisher, identifier: &str) -> String {
    let info = json(&publisher.get(&format!("/iiif/3/{identifier}/info.json"), &[]).await);
    info["service"][0]["id"].as_str().unwrap_or_else(|| panic!("{info}")).to_owned()
}

/// What is declared is answered, token and all; two differ in nothing but the query.
#[tokio::test]
async fn what_is_declared_is_answered() {
    let clock = clock();
    let publisher = Publisher::of(in_query(builder(&clock)), clock);
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    let bearer = format!("Bearer {}", publisher.token(&cookie).await);
    let (one, other) = (declared(&publisher, "sec").await, declared(&publisher, "dir%2Fsec").await);
    assert_eq!(one, format!("{BASE}/auth/probe?resource=/iiif/3/sec"));
    assert_eq!(other, format!("{BASE}/auth/probe?resource=/iiif/3/dir%252Fsec"));
    for id in [one, other] {
        let path = id.strip_prefix(BASE).unwrap();
        for (headers, status) in [(&[][..], 401), (&[("authorization", &*bearer)], 200)] {
            let response = publisher.get(path, headers).await;
            assert_eq!(response.status(), StatusCode::OK);
            assert_eq!(json(&response)["status"], status, "{path}");
        }
        let preflight = publisher.send(request(Method::OPTIONS, path, &[("origin", V)])).await;
        assert_eq!(preflight.status(), StatusCode::NO_CONTENT);
        let post = publisher.send(request(Method::POST, path, &[])).await;
        assert_eq!(post.status(), StatusCode::METHOD_NOT_ALLOWED);
    }
}

/// Both forms are answered whatever is declared, by the same rules.
#[tokio::test]
async fn both_forms_are_understood() {
    for builder_of in [in_query, |builder| builder] {
        let clock = clock();
        let publisher = Publisher::of(builder_of(builder(&clock)), clock);
        let cookie = publisher.log_in(&["A"], Some(V)).await;
        let bearer = format!("Bearer {}", publisher.token(&cookie).await);
        for (target, status) in [
            ("/iiif/3/sec", 200),
            ("?resource=/iiif/3/sec", 200),
            ("?x=1&resource=%2Fiiif%2F3%2Fsec&y", 200),
            ("?resource=https://iiif.example/iiif/3/sec", 200),
            ("?resource=https%3A%2F%2Fiiif.example%2Fiiif%2F3%2Fdir%252Fsec", 200),
            ("?resource=/iiif/3/pub", 200),
            ("?resource=/iiif/3/sec2", 401),
            ("?resource=/files/sec", 200),
            // The path counts, where there is one.
            ("/iiif/3/sec2?resource=/iiif/3/pub", 401),
            ("/?resource=/iiif/3/pub", 404),
            // What the path form refuses is refused here.
            ("?resource=/iiif/3/../3/sec", 400),
            ("?resource=/iiif/3/%2e%2e/sec", 400),
            ("?resource=/iiif/3/pub%252f..%252fsec", 400),
            ("?resource=/iiif/3/sec/info.json", 404),
            ("?resource=/nowhere", 404),
            ("?resource=/auth/probe", 404),
            ("?resource=", 404),
            ("?resource", 404),
            ("?resource=iiif/3/sec", 404),
            ("?resource=https://iiif.example.evil.example/iiif/3/sec", 404),
            ("?resource=https://evil.example/iiif/3/sec", 404),
            ("?resource=http://iiif.example/iiif/3/sec", 404),
            ("?resource=/iiif/3/pub&resource=/iiif/3/sec", 400),
            ("?resource=/iiif/3/pub&%72esource=/iiif/3/sec", 400),
            ("?resource=%ff", 400),
            ("?Resource=/iiif/3/pub", 400),
            ("", 400),
        ] {
            let path = format!("/auth/probe{target}");
            let response = publisher.get(&path, &[("authorization", &bearer)]).await;
            assert_eq!(response.status(), StatusCode::OK, "{target}");
            let result: Value = json(&response);
            assert_eq!(result["status"], status, "{target}: {result}");
        }
    }
}
