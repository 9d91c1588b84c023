//! The whole dance once, from a locked picture to an open one and back.

mod common;

use common::{COOKIE, Publisher, V, assert_denied, image, json};
use http::StatusCode;

#[tokio::test]
async fn from_a_locked_picture_to_an_open_one_and_back() {
    let publisher = Publisher::new();

    let info = json(&publisher.get("/iiif/3/sec/info.json", &[]).await);
    let probe = &info["service"][0];
    assert_eq!(probe["id"], "https://iiif.example/auth/probe/iiif/3/sec");
    let access = &probe["service"][0];
    assert_eq!(access["id"], "https://iiif.example/auth/login");
    assert_eq!(access["service"][0]["id"], "https://iiif.example/auth/token");

    assert_eq!(publisher.probe_status("/iiif/3/sec", None).await, 401);
    let calls = publisher.calls();
    assert_denied(&publisher.get(&image("sec"), &[]).await, 401);
    assert_eq!(publisher.calls(), calls, "the image server hears nothing of it");

    let cookie = publisher.log_in(&["A"], Some(V)).await;
    let token = publisher.token(&cookie).await;
    assert_eq!(publisher.probe_status("/iiif/3/sec", Some(&token)).await, 200);
    let cookie = format!("{COOKIE}={cookie}");
    let tile = publisher.get(&image("sec"), &[("cookie", &cookie)]).await;
    assert_eq!(tile.status(), StatusCode::OK);
    assert_eq!(tile.body(), "0123456789 image bytes");

    let logout = publisher.get("/auth/logout", &[("cookie", &cookie)]).await;
    assert_eq!(logout.status(), StatusCode::OK);
    assert_eq!(publisher.probe_status("/iiif/3/sec", Some(&token)).await, 401);
    assert_denied(&publisher.get(&image("sec"), &[("cookie", &cookie)]).await, 401);
}
