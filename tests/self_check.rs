//! Wiring that is wrong is found by the self-check, and wiring that is right has nothing to find.
#![cfg(feature = "testing")]

mod common;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::Html;
use axum::routing::get;
use tower::ServiceExt;
use tower_iiif_auth::testing::{Finding, SelfCheck, TestUser};
use tower_iiif_auth::{AccessService, IiifAuth, IiifAuthBuilder, Realm};

use common::{BASE, V, bare, clock, keyring};

fn configured() -> IiifAuthBuilder {
    let login = AccessService::active("login", "Example Library");
    let terms = AccessService::click_through("terms", "Example Library", "Terms");
    IiifAuth::builder(BASE)
        .keyring(keyring())
        .images("/iiif/3")
        .files("/files")
        .manifests("/manifests")
        .realm(Realm::new().access(login))
        .realm(Realm::named("terms").access(terms))
        .authorize_with(|request| request.has_role("reader"))
}

fn content() -> Router {
    let tile = "/iiif/3/{id}/{region}/{size}/{rotation}/{file}";
    Router::new()
        .route(tile, get("a tile"))
        .route("/iiif/3/{id}/info.json", get("{}"))
        .route("/files/{*path}", get("a file"))
}

fn manifests() -> Router {
    Router::new().route("/manifests/{*path}", get("{}"))
}

fn pages() -> Router {
    Router::new().route("/", get("home")).route("/auth/login", get(Html("the form")))
}

fn told(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(ToString::to_string).collect()
}

/// The wirings of the guide: all at once, by parts, nested routers inside of the layers.
#[tokio::test]
async fn what_is_right() {
    let auth = configured().build().unwrap();
    let nested = Router::new()
        .nest(
            "/iiif/3",
            Router::new()
                .route("/{id}/{region}/{size}/{rotation}/{file}", get("a tile"))
                .route("/{id}/info.json", get("{}")),
        )
        .route("/files/{*path}", get("a file"));
    for (name, app) in [
        ("by parts", {
            let content = content().layer(auth.check()).layer(auth.describe());
            pages().merge(content).merge(manifests().layer(auth.describe())).layer(auth.services())
        }),
        ("nested", {
            let content = nested.layer(auth.check()).layer(auth.describe());
            pages().merge(content).merge(manifests().layer(auth.describe())).layer(auth.services())
        }),
    ] {
        let findings = SelfCheck::of(&auth).path("/files/1.pdf").run(app, Body::empty).await;
        assert!(findings.is_empty(), "{name}: {findings:#?}");
    }
    let open = configured().public_paths(["/", "/manifests/*"]).build().unwrap();
    let app = pages().merge(content()).merge(manifests()).layer(open.clone());
    let findings = SelfCheck::of(&open).run(app.clone(), Body::empty).await;
    assert!(findings.is_empty(), "{findings:#?}");
    // The layers of another configuration do not count.
    assert!(!SelfCheck::of(&auth).run(app, Body::empty).await.is_empty());
}

/// Each mistake is found, and its text says what to change.
#[tokio::test]
async fn what_is_wrong() {
    let auth = configured().build().unwrap();
    let checked = |router: Router| router.layer(auth.check()).layer(auth.describe());
    let described = || manifests().layer(auth.describe());
    let inside = Router::new().nest(
        "/iiif/3",
        Router::new()
            .route("/{id}/{region}/{size}/{rotation}/{file}", get("a tile"))
            .route("/{id}/info.json", get("{}"))
            .layer(auth.check())
            .layer(auth.describe()),
    );
    let files = || Router::new().route("/files/{*path}", get("a file"));
    for (name, app, expected) in [
        (
            "content without the checker",
            pages()
                .merge(content().layer(auth.describe()))
                .merge(described())
                .layer(auth.services()),
            vec![
                "/iiif/3/self-check/full/max/0/default.jpg is answered with 200 OK without a decision",
            ],
        ),
        (
            "a fallback outside of the services",
            pages()
                .merge(checked(content()))
                .merge(described())
                .layer(auth.services())
                .fallback(get("another server")),
            vec!["/auth/token is no service, and is answered with 200 OK"],
        ),
        (
            "services that were never mounted",
            pages().merge(checked(content())).merge(described()),
            vec!["/auth/probe/iiif/3/self-check is no service", "/auth/token", "/auth/logout"],
        ),
        (
            "a part of the services",
            pages().merge(checked(content())).merge(described()).layer(auth.set_access_cookie()),
            vec!["auth.probe() is one", "auth.token() is one", "auth.logout() is one"],
        ),
        (
            "manifests without the describer",
            pages().merge(checked(content())).merge(manifests()).layer(auth.services()),
            vec!["/manifests/self-check gets no services: put auth.describe()"],
        ),
        (
            "a prefix that was stripped",
            pages().merge(inside).merge(checked(files())).merge(described()).layer(auth.services()),
            vec![
                "sees /self-check/info.json in place of /iiif/3/self-check/info.json",
                "Router::nest",
            ],
        ),
        (
            "the describer inside",
            pages()
                .merge(content().layer(auth.describe()).layer(auth.check()))
                .merge(described())
                .layer(auth.services()),
            vec!["is described inside of the checker"],
        ),
        (
            "no login",
            Router::new().merge(checked(content())).merge(described()).layer(auth.services()),
            vec!["the login at /auth/login is answered with 404"],
        ),
    ] {
        let findings = SelfCheck::of(&auth).run(app, Body::empty).await;
        let told = told(&findings);
        for part in &expected {
            assert!(told.iter().any(|text| text.contains(part)), "{name}: {part} in {told:#?}");
        }
        assert_eq!(told.is_empty(), expected.is_empty(), "{name}: {told:#?}");
    }
}

/// Users of a test's own making: in, by cookie and by token, in their realm and as long as is said.
#[tokio::test]
async fn users_without_a_login() {
    let clock = clock();
    let configured =
        bare(&clock).realm(Realm::new().access(AccessService::active("login", "Library"))).realm(
            Realm::named("other")
                .access(AccessService::active("login", "Other").protects(["sec2"])),
        );
    let publisher = common::Publisher::of(configured, clock);
    let (auth, viewer) = (&publisher.auth, V.parse().unwrap());
    let status = async |item: &str, cookie: &str| {
        publisher.get(&common::image(item), &[("cookie", cookie)]).await.status().as_u16()
    };
    let reader = TestUser::new("ada").role("A").viewer(V.parse().unwrap());
    let cookie = reader.cookie(auth).await.unwrap();
    assert_eq!((status("sec", &cookie).await, status("sec2", &cookie).await), (200, 401));
    let token = reader.token(auth, &viewer).await.unwrap();
    let probe = publisher.probe("/iiif/3/sec", &[("authorization", &token)]).await;
    assert_eq!(probe["status"], 200);
    let other = TestUser::new("ada").role("B").realm("other").cookie(auth).await.unwrap();
    assert_eq!((status("sec", &other).await, status("sec2", &other).await), (401, 200));
    let short = reader.clone().lifetime(std::time::Duration::from_secs(60));
    let short = short.cookie(auth).await.unwrap();
    assert_eq!(status("sec", &short).await, 200);
    publisher.clock.advance(std::time::Duration::from_secs(60));
    assert_eq!((status("sec", &short).await, status("sec", &cookie).await), (401, 200));
    auth.end_sessions_of("", "ada").await.unwrap();
    assert_eq!(status("sec", &cookie).await, 401);
    let after = reader.cookie(auth).await.unwrap();
    assert_eq!(status("sec", &after).await, 200);
    assert!(TestUser::new("ada").realm("typo").cookie(auth).await.is_err());
    assert!(!format!("{reader:?}").contains("ada"));
}

/// Without a walk a layer notes nothing, and the application is asked as ever.
#[tokio::test]
async fn other_requests_are_as_ever() {
    let auth = configured().build().unwrap();
    let app = pages().merge(content().layer(auth.check())).layer(auth.services());
    let request = Request::get("/files/1.pdf").body(Body::empty()).unwrap();
    assert_eq!(app.oneshot(request).await.unwrap().status(), StatusCode::UNAUTHORIZED);
}
