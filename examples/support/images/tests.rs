//! The routes, as a viewer meets them.

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request};
use serde_json::Value;
use tower::ServiceExt;

use super::*;

const BASE: &str = "http://localhost:3000/iiif/3";

fn server() -> ImageServer {
    ImageServer::rendered(&[("map", 900), ("a b/c", 600), ("ü:1", 300)])
}

async fn ask(api: ImageApi, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).expect("a request");
    let response =
        server().routes("/iiif/3", BASE, api).oneshot(request).await.expect("no error is possible");
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body").to_vec();
    Answer { status: parts.status.as_u16(), headers: parts.headers, body }
}

async fn get(path: &str) -> Answer {
    ask(ImageApi::V3, Method::GET, path, &[]).await
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    fn image(&self) -> DynamicImage {
        image::load_from_memory(&self.body).expect("an image")
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

#[tokio::test]
async fn statuses() {
    for (path, expected) in [
        ("/iiif/3/map", 303),
        ("/iiif/3/map/info.json", 200),
        ("/iiif/3/map/full/max/0/default.jpg", 200),
        ("/iiif/3/m%61p/full/%5Emax/!90/gray.png", 200),
        ("/iiif/3/a%20b%2Fc/square/50,/0/default.jpg", 200),
        ("/iiif/3/a%2520b%252Fc/square/50,/0/default.jpg", 404),
        ("/iiif/3/a/b/full/max/0/default.jpg", 404),
        ("/iiif/3/other", 404),
        ("/iiif/3/other/info.json", 404),
        ("/iiif/3/other/full/max/0/default.jpg", 404),
        ("/iiif/3/map/full/max/0", 404),
        ("/iiif/3/%FF/info.json", 400),
        ("/iiif/3/map/nowhere/max/0/default.jpg", 400),
        ("/iiif/3/map/900,0,1,1/max/0/default.jpg", 400),
        ("/iiif/3/map/full/901,/0/default.jpg", 400),
        ("/iiif/3/map/full/full/0/default.jpg", 400),
        ("/iiif/3/map/full/^4001,/0/default.jpg", 400),
        ("/iiif/3/map/full/max/0/default.exe", 400),
        ("/iiif/3/map/full/max/45/default.jpg", 501),
        ("/iiif/3/map/full/max/0/default.webp", 501),
    ] {
        let answer = get(path).await;
        assert_eq!(answer.status, expected, "{path}: {}", String::from_utf8_lossy(&answer.body));
        if expected != 404 {
            assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
        }
    }
}

#[tokio::test]
async fn images_have_the_size_and_form_asked_for() {
    for (request, size, media_type) in [
        ("full/max/0/default.jpg", (900, 600), "image/jpeg"),
        ("full/max/90/default.png", (600, 900), "image/png"),
        ("full/^1200,/!270/default.jpg", (800, 1200), "image/jpeg"),
        ("512,512,512,512/max/0/color.jpg", (388, 88), "image/jpeg"),
        ("pct:50,50,50,50/!100,100/0/gray.png", (100, 67), "image/png"),
        ("899,599,512,512/1,1/180/bitonal.png", (1, 1), "image/png"),
    ] {
        let answer = get(&format!("/iiif/3/map/{request}")).await;
        assert_eq!(answer.status, 200, "{request}");
        assert_eq!(answer.header("content-type"), media_type, "{request}");
        assert_eq!(answer.header("cache-control"), "public, max-age=86400", "{request}");
        let image = answer.image();
        assert_eq!((image.width(), image.height()), size, "{request}");
    }
}

#[tokio::test]
async fn tiles_are_parts_of_the_whole() {
    let whole = get("/iiif/3/map/full/max/0/default.png").await.image().into_rgb8();
    let tile = get("/iiif/3/map/300,200,256,256/256,256/0/default.png").await.image().into_rgb8();
    for (x, y, pixel) in tile.enumerate_pixels() {
        let other = whole.get_pixel(x + 300, y + 200);
        for (a, b) in pixel.0.iter().zip(other.0) {
            assert!(a.abs_diff(b) <= 6, "{x},{y}: {pixel:?} and {other:?}");
        }
    }
}

#[tokio::test]
async fn turning_and_mirroring() {
    let plain = get("/iiif/3/map/full/90,/0/default.png").await.image().into_rgb8();
    let turned = get("/iiif/3/map/full/90,/90/default.png").await.image().into_rgb8();
    let mirrored = get("/iiif/3/map/full/90,/!0/default.png").await.image().into_rgb8();
    assert_eq!(turned, imageops::rotate90(&plain));
    assert_eq!(mirrored, imageops::flip_horizontal(&plain));
}

#[tokio::test]
async fn pictures_differ() {
    let server = ImageServer::rendered(&[("a", 600), ("b", 600), ("c", 600)]);
    let all = Rect { x: 0, y: 0, width: 600, height: 400 };
    let draw = |name: &str| server.pictures[name].render(all, (60, 40)).expect("a picture");
    let (a, b, c) = (draw("a"), draw("b"), draw("c"));
    for (one, other) in [(&a, &b), (&b, &c), (&a, &c)] {
        let differing = one
            .pixels()
            .zip(other.pixels())
            .filter(|(p, q)| p.0.iter().zip(q.0).any(|(p, q)| p.abs_diff(q) > 20));
        assert!(differing.count() > 600, "of 2400 pixels");
    }
}

#[tokio::test]
async fn bitonal_is_black_and_white() {
    let image = get("/iiif/3/map/full/max/0/bitonal.png").await.image().into_luma8();
    assert!(image.iter().all(|value| *value == 0 || *value == 255));
    assert!(image.contains(&0) && image.contains(&255), "neither is missing");
}

#[tokio::test]
async fn head_and_not_modified() {
    let path = "/iiif/3/map/full/90,/0/default.jpg";
    let answer = get(path).await;
    let head = ask(ImageApi::V3, Method::HEAD, path, &[]).await;
    assert_eq!(head.status, 200);
    assert!(head.body.is_empty(), "no body");
    assert_eq!(head.header("content-length"), answer.body.len().to_string());
    let tag = answer.header("etag");
    assert_eq!(tag, head.header("etag"));
    for (known, expected) in [
        (tag.to_owned(), 304),
        (format!("\"other\", W/{tag}"), 304),
        ("*".to_owned(), 304),
        ("\"other\"".to_owned(), 200),
    ] {
        let again = ask(ImageApi::V3, Method::GET, path, &[("if-none-match", &known)]).await;
        assert_eq!(again.status, expected, "{known}");
        assert_eq!(again.header("etag"), tag);
    }
    let other = get("/iiif/3/map/full/91,/0/default.jpg").await;
    assert_ne!(other.header("etag"), tag);
    let post = ask(ImageApi::V3, Method::POST, path, &[]).await;
    assert_eq!(post.status, 405);
}

#[tokio::test]
async fn information_of_version_3() {
    let answer = get("/iiif/3/a%20b%2Fc/info.json").await;
    let info = answer.json();
    assert_eq!(info["@context"], "http://iiif.io/api/image/3/context.json");
    assert_eq!(info["id"], format!("{BASE}/a%20b%2Fc"));
    assert_eq!(info["type"], "ImageService3");
    assert_eq!(info["profile"], "level2");
    assert_eq!((&info["width"], &info["height"]), (&600.into(), &400.into()));
    let redirected = get("/iiif/3/%C3%BC:1").await;
    assert_eq!(redirected.header("location"), format!("{BASE}/%C3%BC:1/info.json"));
}

#[tokio::test]
async fn information_of_version_2() {
    let info = ask(ImageApi::V2, Method::GET, "/iiif/3/map/info.json", &[]).await.json();
    assert_eq!(info["@context"], "http://iiif.io/api/image/2/context.json");
    assert_eq!(info["@id"], format!("{BASE}/map"));
    assert_eq!(info["profile"][0], "http://iiif.io/api/image/2/level2.json");
    let path = "/iiif/3/map/full/full/0/default.jpg";
    assert_eq!(ask(ImageApi::V2, Method::GET, path, &[]).await.status, 200);
}

#[tokio::test]
async fn information_comes_as_the_media_type_asked_for() {
    use ImageApi::{V2, V3};
    for (api, accept, expected) in [
        (V3, "", "application/ld+json;profile=\"http://iiif.io/api/image/3/context.json\""),
        (V3, "*/*", "application/ld+json;profile=\"http://iiif.io/api/image/3/context.json\""),
        (V3, "application/json", "application/json"),
        (V2, "", "application/json"),
        (V2, "application/json", "application/json"),
        (V2, "application/ld+json", "application/ld+json"),
    ] {
        let headers = [("accept", accept)];
        let answer = ask(api, Method::GET, "/iiif/3/map/info.json", &headers).await;
        assert_eq!(answer.header("content-type"), expected, "{api:?} {accept}");
    }
}
