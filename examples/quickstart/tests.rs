//! The whole application, as a viewer without any cookie meets it.

use axum::body::{Body, to_bytes};
use axum::http::Request;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;

const SITE: &str = "http://localhost:3000";

async fn get(path: &str) -> (u16, Vec<u8>) {
    get_in_room(path, &[]).await
}

/// Asks from 192.0.2.7, with this reading room.
async fn get_in_room(path: &str, reading_room: &[&str]) -> (u16, Vec<u8>) {
    let arguments = Arguments {
        listen: SocketAddr::from(([127, 0, 0, 1], 3000)),
        public_url: SITE.to_owned(),
        images: None,
        key_file: None,
        reading_room: reading_room.iter().map(|range| (*range).to_owned()).collect(),
        trusted_proxies: Vec::new(),
        hand_off: true,
        signed_locations: false,
        kiosk: true,
        client: None,
        redis: None,
    };
    let mut request = Request::get(path).body(Body::empty()).expect("a request");
    request.extensions_mut().insert(PeerAddr([192, 0, 2, 7].into()));
    let app = application(&arguments).await.expect("a configuration");
    let response = app.oneshot(request).await.expect("no error is possible");
    let status = response.status().as_u16();
    (status, to_bytes(response.into_body(), usize::MAX).await.expect("a body").to_vec())
}

async fn json(path: &str) -> Value {
    let (_, body) = get(path).await;
    serde_json::from_slice(&body).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[tokio::test]
async fn pictures_are_protected_under_every_base() {
    for base in BASES {
        for (picture, expected) in
            [("open", 200), ("reader", 401), ("embargoed", 401), ("tiered-small", 200)]
        {
            let path = format!("{}/{picture}/full/9,/0/default.jpg", base.images);
            assert_eq!(get(&path).await.0, expected, "{path}");
        }
    }
}

#[tokio::test]
async fn the_reading_room_is_where_it_is_said_to_be() {
    for (room, expected) in
        [(&[][..], 401), (&["127.0.0.0/8"], 401), (&["127.0.0.0/8", "192.0.2.0/24"], 200)]
    {
        let (status, _) = get_in_room("/iiif/3/reading-room/full/9,/0/default.jpg", room).await;
        assert_eq!(status, expected, "{room:?}");
    }
}

#[tokio::test]
async fn descriptions_have_the_form_of_their_base() {
    for (base, id, context) in [
        ("/iiif/3", "id", "http://iiif.io/api/image/3/context.json"),
        ("/iiif/2", "@id", "http://iiif.io/api/image/2/context.json"),
        ("/iiif/0.9", "@id", "http://iiif.io/api/image/2/context.json"),
        ("/iiif/all", "id", "http://iiif.io/api/image/3/context.json"),
    ] {
        let info = json(&format!("{base}/open/info.json")).await;
        assert_eq!(info[id], format!("{SITE}{base}/open"));
        assert_eq!(info["@context"], context, "{base}");
    }
}

#[tokio::test]
async fn descriptions_are_gated_where_older_families_are_spoken() {
    for (base, reader, tiered) in [
        ("/iiif/3", 200, 200),
        ("/iiif/2", 401, 302),
        ("/iiif/0.9", 401, 302),
        ("/iiif/all", 401, 302),
    ] {
        for (picture, expected) in [("open", 200), ("reader", reader), ("tiered", tiered)] {
            let path = format!("{base}/{picture}/info.json");
            assert_eq!(get(&path).await.0, expected, "{path}");
        }
    }
}

#[tokio::test]
async fn each_base_speaks_its_families() {
    for (base, families) in [
        ("/iiif/3", &["AuthProbeService2"][..]),
        ("/iiif/2", &["http://iiif.io/api/auth/1/login"]),
        ("/iiif/0.9", &["http://iiif.io/api/auth/0/login"]),
        (
            "/iiif/all",
            &[
                "AuthProbeService2",
                "http://iiif.io/api/auth/1/login",
                "http://iiif.io/api/auth/0/login",
            ],
        ),
    ] {
        let info = json(&format!("{base}/reader/info.json")).await;
        let services = match &info["service"] {
            Value::Array(services) => services.clone(),
            one => vec![one.clone()],
        };
        let kinds: Vec<_> = services
            .iter()
            .map(|service| service["type"].as_str().or(service["profile"].as_str()))
            .collect();
        for family in families {
            assert!(kinds.contains(&Some(family)), "{base}: {kinds:?}");
        }
        assert_eq!(kinds.len(), families.len(), "{base}: {kinds:?}");
    }
}

#[tokio::test]
async fn manifests_lead_to_their_base() {
    for (path, pictures, base) in [
        ("/manifests/reader.json", &["reader"][..], "/iiif/3"),
        ("/manifests/2/reader.json", &["reader"], "/iiif/2"),
        ("/manifests/2/all.json", &["open", "terms", "reader"], "/iiif/2"),
        ("/manifests/0.9/reader.json", &["reader"], "/iiif/0.9"),
        ("/manifests/all/reader.json", &["reader"], "/iiif/all"),
        ("/manifests/all/all.json", &["open", "terms", "reader"], "/iiif/all"),
    ] {
        let manifest = json(path).await;
        let canvases = manifest["sequences"][0]["canvases"].as_array();
        let canvases = canvases.or_else(|| manifest["items"].as_array()).expect("canvases");
        assert_eq!(canvases.len(), if pictures.len() > 1 { 7 } else { 1 }, "{path}");
        for (canvas, picture) in canvases.iter().zip(pictures) {
            let service = format!("{SITE}{base}/{picture}");
            let two = &canvas["images"][0]["resource"]["service"];
            let three = &canvas["items"][0]["items"][0]["body"]["service"];
            match two {
                Value::Null => {
                    let own =
                        json!({ "id": service, "type": "ImageService3", "profile": "level2" });
                    assert_eq!(three[0], own);
                }
                two => assert_eq!(two["@id"], service),
            }
        }
    }
}

#[tokio::test]
async fn files_are_where_a_probe_can_be_declared() {
    for (name, kind, path) in [
        ("handlist", "Text", "/files/handlist.pdf"),
        ("recording", "Sound", "/files/recording.wav"),
        ("stream", "Sound", "/files/stream/stream.m3u8"),
    ] {
        let manifest = json(&format!("/manifests/{name}.json")).await;
        let canvas = &manifest["items"][0];
        let body = &canvas["items"][0]["items"][0]["body"];
        assert_eq!(body["service"][0]["type"], "AuthProbeService2");
        assert_eq!((&body["type"], &body["id"]), (&json!(kind), &json!(format!("{SITE}{path}"))));
        assert_eq!(canvas.get("duration").is_some(), kind == "Sound");
        assert_eq!(canvas.get("width").is_some(), kind != "Sound");
        assert_eq!(get(path).await.0, 401, "{path}");
    }
    for piece in ["head.mp4", "0.m4s", "5.m4s", "6.m4s", "stream.m3u8"] {
        assert_eq!(get(&format!("/files/stream/{piece}")).await.0, 401, "{piece}");
    }
    let all = json("/manifests/all.json").await;
    assert_eq!(all["items"].as_array().expect("canvases").len(), 10);
    for (path, expected) in [
        ("/manifests/2/handlist.json", 404),
        ("/manifests/nothing.json", 404),
        ("/manifests/all", 404),
        ("/manifests/2", 404),
    ] {
        assert_eq!(get(path).await.0, expected, "{path}");
    }
}
