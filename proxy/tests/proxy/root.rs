//! A base at the root of its host: everything lies below it but the services, and what is public.

use std::path::Path;

use bytes::Bytes;
use http::{Method, Response};
use http_body_util::Full;
use iiif_auth_proxy::config::Config;

use crate::support::{PIXELS, Proxy, SITE, Upstream, config, folder, request, with_keys};

/// The shared configuration with one base in place of its own.
fn at_root(upstream: &Upstream, base: &str) -> String {
    let text = config(upstream.address);
    let (head, rest) = text.split_once("[[base]]").unwrap();
    let (_, rules) = rest.split_once("[[rule]]").unwrap();
    format!("{head}[[base]]\npath = \"/\"\n{base}\n[[rule]]{rules}")
}

/// An image server that has its images at a path, and says of each where it lies.
async fn images(at: &'static str) -> Upstream {
    Upstream::answering(move |asked| {
        let below = asked.target.strip_prefix(at).unwrap_or(&asked.target);
        if let Some(name) = below.strip_suffix("/info.json") {
            let info = format!(
                r#"{{"@context":"http://iiif.io/api/image/3/context.json","id":"{SITE}{name}","type":"ImageService3","protocol":"http://iiif.io/api/image","profile":"level2","width":90,"height":60}}"#
            );
            return answer("application/json", info);
        }
        if below.ends_with("/moved") {
            let location = format!("{at}/sec/info.json");
            let builder = Response::builder().status(303).header("location", location);
            return builder.body(Full::default()).unwrap();
        }
        answer("image/jpeg", PIXELS.to_owned())
    })
    .await
}

fn answer(kind: &str, body: String) -> Response<Full<Bytes>> {
    Response::builder().header("content-type", kind).body(Full::from(body)).unwrap()
}

const TILE: &str = "/sec/0,0,64,64/64,/0/default.jpg";

/// Images are had at the root, their ids and services are there, and a probe knows them.
#[tokio::test]
async fn images_at_the_root() {
    for (keys, at) in
        [("", ""), ("upstream_path = \"/\"", ""), ("upstream_path = \"/iiif/3\"", "/iiif/3")]
    {
        let upstream = images(at).await;
        let proxy = Proxy::with(&at_root(&upstream, keys)).await;
        assert_eq!(proxy.get(TILE, &[]).await.status, 401);
        assert_eq!(proxy.get(&TILE.replace("sec", "pub"), &[]).await.text(), PIXELS);
        let cookie = proxy.log_in("ada").await;
        let session = [("cookie", &*cookie)];
        let tile = proxy.get(TILE, &session).await;
        assert_eq!((tile.status.as_u16(), &*tile.text()), (200, PIXELS), "{keys}");
        assert_eq!(upstream.last().target, format!("{at}{TILE}"), "{keys}");

        let info = proxy.get("/sec/info.json", &[]).await;
        let info: serde_json::Value = serde_json::from_slice(&info.body).unwrap();
        assert_eq!(info["id"], format!("{SITE}/sec"), "{keys}");
        let probe = &info["service"][0];
        assert_eq!(probe["id"], format!("{SITE}/auth/probe/sec"), "{info:#}");
        assert_eq!(probe["service"][0]["id"], format!("{SITE}/auth/login"), "{info:#}");
        let said = proxy.get("/auth/probe/sec", &[]).await;
        let said: serde_json::Value = serde_json::from_slice(&said.body).unwrap();
        assert_eq!(said["status"], 401, "{said:#}");
        // The image's own URI leads to its description, as the image server has it.
        let info = proxy.get("/pub/info.json", &[]).await;
        assert!(!info.text().contains("service"), "{}", info.text());
    }
}

/// What lies at or below the services is no image, however it is written.
#[tokio::test]
async fn services_are_no_images() {
    let upstream = images("").await;
    for keys in ["", "several_segments = true", "kind = \"files\""] {
        let everyone = at_root(&upstream, keys).replace("\"pub*\"", "\"*\"");
        let proxy = Proxy::with(&with_keys(&everyone, "public_paths = [\"/a*\"]\n")).await;
        assert_eq!(proxy.get("/auth/login", &[]).await.status, 200, "{keys}");
        for path in [
            "/auth",
            "/auth/info.json",
            "/auth/full/max/0/default.jpg",
            "/AUTH/full/max/0/default.jpg",
            "/auth/login/full/max/0/default.jpg",
            "/auth/login/x",
            "/auth/none/info.json",
            "/Auth/Login",
        ] {
            let status = proxy.get(path, &[]).await.status.as_u16();
            assert!(matches!(status, 400 | 404), "{keys} {path}: {status}");
        }
        assert_eq!(upstream.count(), 0, "{keys}: {:?}", upstream.asked());
        assert_eq!(
            proxy.get("/authors/full/max/0/default.jpg", &[]).await.text(),
            PIXELS,
            "{keys}"
        );
        assert_eq!(upstream.last().target, "/authors/full/max/0/default.jpg", "{keys}");
        upstream.forget();
    }
}

/// What is public stays so where it has not the shape of an image's, and nowhere else; `check` says of
/// which paths that cannot be.
#[tokio::test]
async fn public_paths_beside_the_root() {
    let upstream = images("").await;
    let public = "public_paths = [\"/manifests/*\", \"/robots.txt\", \"/\", { path = \"/a/search\", pass_query = true }]";
    let text = with_keys(&at_root(&upstream, ""), public);
    let proxy = Proxy::with(&text).await;
    for (path, status, target) in [
        ("/manifests/1.json", 200, "/manifests/1.json"),
        ("/manifests/1.json?q=x", 200, "/manifests/1.json"),
        ("/a/search?q=x", 200, "/a/search?q=x"),
        // The URI of an image leads to its description.
        ("/robots.txt", 303, ""),
        ("/manifests/full/max/0/default.jpg", 403, ""),
        ("/manifests/../sec", 400, ""),
        ("/manifests/%2e%2e/sec", 400, ""),
        ("/other/1.json", 404, ""),
        ("/", 400, ""),
    ] {
        upstream.forget();
        assert_eq!(proxy.get(path, &[]).await.status, status, "{path}");
        let asked: Vec<_> = upstream.asked().into_iter().map(|own| own.target).collect();
        assert_eq!(asked.concat(), target, "{path}");
    }
    // By every method, as elsewhere.
    let posted = request(proxy.address, Method::POST, "/manifests/1.json", &[], "x").await;
    assert_eq!(posted.status, 200);

    let said = warnings(&text);
    for word in
        ["a base at the root", "\"/robots.txt\" lies below the base at /", "\"/\" lies below"]
    {
        assert!(said.iter().any(|own| own.contains(word)), "{word}: {said:?}");
    }
    assert!(
        !said.iter().any(|own| own.contains("/manifests/*") || own.contains("search")),
        "{said:?}"
    );
}

/// Files at the root: everything but the services is decided on.
#[tokio::test]
async fn files_at_the_root() {
    let upstream = images("").await;
    let text = at_root(&upstream, "kind = \"files\"").replace("\"sec*\"", "\"sec*\", \"a/*\"");
    let proxy = Proxy::with(&text).await;
    for (path, status) in
        [("/a/b.mp4", 401), ("/sec", 401), ("/pub.pdf", 200), ("/other", 403), ("/auth/x", 404)]
    {
        assert_eq!(proxy.get(path, &[]).await.status, status, "{path}");
    }
    let cookie = proxy.log_in("ada").await;
    assert_eq!(proxy.get("/a/b.mp4", &[("cookie", &cookie)]).await.text(), PIXELS);
    assert_eq!(upstream.last().target, "/a/b.mp4");
    let said = warnings(&with_keys(&text, "public_paths = [\"/x/*\"]"));
    for word in ["everything that the image server has", "\"/x/*\" lies below the base at /"] {
        assert!(said.iter().any(|own| own.contains(word)), "{word}: {said:?}");
    }
}

/// nginx gets a yes for tiles at the root, and for nothing else.
#[tokio::test]
async fn forward_auth_at_the_root() {
    let upstream = images("").await;
    let text = at_root(&upstream, "") + "\n[forward_auth]\nlisten = \"127.0.0.1:0\"\n";
    let proxy = Proxy::with(&text).await;
    let fronts = proxy.forward_auth.unwrap();
    let cookie = proxy.log_in("ada").await;
    for (path, cookie, status) in [
        ("/pub/full/max/0/default.jpg", "", 200),
        (TILE, "", 401),
        (TILE, &*cookie, 200),
        ("/sec/info.json", &*cookie, 403),
        ("/auth/login", &*cookie, 403),
        ("/auth/full/max/0/default.jpg", &*cookie, 403),
        ("/", &*cookie, 403),
    ] {
        let answer = request(fronts, Method::GET, path, &[("cookie", cookie)], "").await;
        assert_eq!(answer.status, status, "{path} {cookie:.5}");
        if status == 200 {
            assert_eq!(answer.header("x-iiif-path"), path);
        }
    }
}

/// The place of an image server's redirect is the public one.
#[tokio::test]
async fn redirects_lead_to_the_root() {
    let upstream = images("/iiif/3").await;
    let keys = "upstream_path = \"/iiif/3\"\nkind = \"files\"";
    let text = at_root(&upstream, keys).replace("\"pub*\"", "\"pub*\", \"moved\"");
    let proxy = Proxy::with(&text).await;
    let answer = proxy.get("/moved", &[]).await;
    assert_eq!(answer.header("location"), format!("{SITE}/sec/info.json"));
}

/// A slash at a base's end is none, and beside the root there is no other base.
#[tokio::test]
async fn how_a_path_may_be_written() {
    let upstream = Upstream::new().await;
    let slash = config(upstream.address).replace("path = \"/iiif/3\"", "path = \"/iiif/3/\"");
    let proxy = Proxy::with(&slash).await;
    let path = "/iiif/3/pub/full/max/0/default.jpg";
    assert_eq!(proxy.get(path, &[]).await.text(), PIXELS);
    assert_eq!(upstream.last().target, path);

    let both = at_root(&upstream, "").replace(
        "[[rule]]\nmatch = [\"pub",
        "[[base]]\npath = \"/iiif/2\"\n\n[[rule]]\nmatch = [\"pub",
    );
    let mistakes =
        Config::read(&both, &folder()).expect_err("one lies below the other").to_string();
    assert!(mistakes.contains("/iiif/2") && mistakes.contains("line"), "{mistakes}");
    for path in ["", "iiif", "/a b", "//", "/a//b", "/../a"] {
        let text = at_root(&upstream, "").replace("path = \"/\"", &format!("path = {path:?}"));
        let read = Config::read(&text, Path::new(&folder()));
        assert!(path == "//" || read.is_err(), "{path}");
    }
}

fn warnings(text: &str) -> Vec<String> {
    let config = Config::read(text, &folder()).unwrap_or_else(|all| panic!("{all}"));
    config.warnings.into_iter().map(|own| own.message).collect()
}
