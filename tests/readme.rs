//! The README's code is the code below, line by line, and it compiles and works.

mod common;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use axum::{Router, routing::get};
use http::{Request, StatusCode};
use tower::ServiceExt;
use tower_iiif_auth::access::AccessGrant;
use tower_iiif_auth::{AccessService, IiifAuth, Keyring, Realm};

async fn my_image_server() -> &'static str {
    "pixels"
}

async fn my_login_form() -> &'static str {
    "form"
}

async fn my_login() -> Response {
    let mut response = "in".into_response();
    response.extensions_mut().insert(AccessGrant::to("ada").role("reader"));
    response
}

#[rustfmt::skip]
fn the_ten_lines() -> Result<Router, Box<dyn std::error::Error>> {
let auth = IiifAuth::builder("https://iiif.example")      // what browsers type
    .keyring(Keyring::generate()?)                        // in earnest: from_env, from_file
    .images("/iiif/3")                                    // what is protected
    .realm(Realm::new().access(AccessService::active("login", "Example Library")))
    .authorize_with(|request| request.identifier() == "cover" || request.has_role("reader"))
    .build()?;

let app = Router::new()
    .route("/iiif/3/{*image}", get(my_image_server))      // the image server you have
    .route("/auth/login", get(my_login_form).post(my_login)) // the login you have
    .layer(auth.layer());
    Ok(app)
}

#[tokio::test]
async fn they_work() {
    let app = the_ten_lines().unwrap();
    for (path, status) in [
        ("/iiif/3/cover/full/max/0/default.jpg", StatusCode::OK),
        ("/iiif/3/letter/full/max/0/default.jpg", StatusCode::UNAUTHORIZED),
        ("/auth/login", StatusCode::OK),
        ("/auth/probe/iiif/3/letter", StatusCode::OK),
    ] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        assert_eq!(app.clone().oneshot(request).await.unwrap().status(), status, "{path}");
    }
    let request = Request::post("/auth/login").body(Body::empty()).unwrap();
    let response = app.oneshot(request).await.unwrap();
    assert!(common::set_cookies(response.headers())[0].starts_with("__Host-iiif="));
}

/// Every line of the README's Rust blocks stands in this file.
#[test]
fn the_readme_shows_this_code() {
    let here = include_str!("readme.rs");
    let readme = include_str!("../README.md");
    let blocks: Vec<_> = readme.split("```rust\n").skip(1).collect();
    assert_eq!(blocks.len(), 2);
    for block in blocks {
        for line in block.split("```").next().unwrap().lines() {
            assert!(here.lines().any(|own| own.trim() == line.trim()), "{line:?} is not tested");
        }
    }
}
