//! AC: what users deposit does not run with this site's cookies.

use http::{HeaderName, HeaderValue, Method, Response, StatusCode};
use tower_iiif_auth::resource::{Files, ImageApi, Named, Refusal, ResourceKind, ResourceMap};
use tower_iiif_auth::{IiifAuthBuilder, Manifests};

use crate::common::{
    BASE, Body, Publisher, V, assert_denied, builder, clock, image, image_server, request, text,
};
use crate::setup::{info, pair};

/// It answers everything but the login with this.
fn answering(builder: IiifAuthBuilder, status: u16, fields: &[(&'static str, &str)]) -> Publisher {
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            (HeaderName::from_static(name), value)
        })
        .collect();
    Publisher::before(builder, clock(), move |request| {
        if request.uri().path().starts_with("/auth/") {
            return image_server(request);
        }
        let mut response = Response::new(Body::from("{\"id\":\"<script>\"}"));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        for (name, value) in &fields {
            response.headers_mut().append(name, value.clone());
        }
        response
    })
}

fn values<'r>(response: &'r Response<bytes::Bytes>, name: &str) -> Vec<&'r str> {
    response.headers().get_all(name).iter().map(|own| own.to_str().unwrap()).collect()
}

const POLICY: &str = "content-security-policy";
const SNIFFING: &str = "x-content-type-options";

/// Whether content of a type runs.
const TYPES: &[(&[&str], bool)] = &[
    (&["image/jpeg"], false),
    (&["image/png"], false),
    (&["Image/WebP; x=y"], false),
    (&["image/jp2"], false),
    (&["video/mp4"], false),
    (&["audio/mpeg"], false),
    (&["application/ogg"], false),
    (&["application/pdf"], false),
    (&["application/json"], false),
    (&["application/ld+json;profile=\"x\""], false),
    (&["image/svg+xml"], true),
    (&["image/svg+xml; charset=utf-8"], true),
    (&["IMAGE/SVG+XML"], true),
    (&["text/html"], true),
    (&["text/html;charset=utf-8"], true),
    (&["application/xhtml+xml"], true),
    (&["text/xml"], true),
    (&["application/xml"], true),
    (&["application/rss+xml"], true),
    (&["text/plain"], true),
    (&["text/css"], true),
    (&["text/javascript"], true),
    (&["application/javascript"], true),
    (&["application/octet-stream"], true),
    (&["application/x-shockwave-flash"], true),
    (&["multipart/x-mixed-replace; boundary=x"], true),
    (&["multipart/related"], true),
    (&["message/rfc822"], true),
    (&["text/html, image/png"], true),
    (&["image/png, text/html"], true),
    (&["image/png; x=\"", "text/html"], true),
    (&["image/png", "text/html"], true),
    (&["text/html", "image/png"], true),
    (&["image/png", "image/png"], false),
    (&["unknown"], true),
    (&["*/*"], true),
    (&[""], true),
    (&[], true),
];

/// AC-01: open and protected, whole and in part, and errors that reflect markup.
#[tokio::test]
async fn ac_01_deposited_content_keeps_still() {
    for status in [200, 206, 404, 500] {
        for (types, runs) in TYPES {
            let fields: Vec<_> = types.iter().map(|own| ("content-type", *own)).collect();
            let publisher = answering(builder(&clock()), status, &fields);
            let cookie = pair(&publisher.log_in(&["A"], Some(V)).await);
            for path in ["/files/pub", "/files/sec", &*image("pub"), &*image("sec"), &*info("pub")]
            {
                for method in [Method::GET, Method::HEAD] {
                    let asked = request(method, path, &[("cookie", &cookie)]);
                    let response = publisher.send(asked).await;
                    assert_eq!(response.status(), status);
                    // A tile that is a picture is left as it is.
                    let sniffing: &[&str] =
                        if *runs || path.starts_with("/files/") { &["nosniff"] } else { &[] };
                    if !path.ends_with("info.json") {
                        assert_eq!(values(&response, SNIFFING), sniffing, "{types:?} {path}");
                    }
                    let expected: &[&str] = if *runs { &["sandbox"] } else { &[] };
                    assert_eq!(values(&response, POLICY), expected, "{types:?} {path}");
                    assert_eq!(values(&response, "content-type"), *types, "it stays as it is");
                }
            }
        }
    }
    // A description of ours is JSON, whatever it was called.
    let publisher = answering(builder(&clock()), 200, &[("content-type", "text/html")]);
    let described = publisher.get(&info("sec"), &[]).await;
    assert_eq!(values(&described, "content-type"), ["application/json"]);
    assert_eq!(values(&described, SNIFFING), ["nosniff"]);
    let builder = builder(&clock()).manifests(Manifests::at("/files"));
    let publisher = answering(builder, 200, &[("content-type", "text/html")]);
    let passed = publisher.get("/files/pub", &[]).await;
    assert_eq!(
        (values(&passed, POLICY), text(&passed)),
        (vec!["sandbox"], "{\"id\":\"<script>\"}")
    );
}

/// AC-01: a policy of the server's own holds beside, and none can be weaker.
#[tokio::test]
async fn ac_01_policies_of_the_server_s_own() {
    let html = ("content-type", "text/html");
    for (fields, expected) in [
        (&[(POLICY, "default-src 'self'")][..], &["default-src 'self'", "sandbox"][..]),
        (
            &[(POLICY, "sandbox allow-scripts allow-same-origin")],
            &["sandbox allow-scripts allow-same-origin", "sandbox"],
        ),
        (&[(POLICY, "a"), (POLICY, "b")], &["a", "b", "sandbox"]),
        (&[(POLICY, "sandbox")], &["sandbox"]),
        (&[("content-security-policy-report-only", "sandbox")], &["sandbox"]),
    ] {
        let fields: Vec<_> = fields.iter().copied().chain([html]).collect();
        let publisher = answering(builder(&clock()), 200, &fields);
        assert_eq!(values(&publisher.get("/files/pub", &[]).await, POLICY), expected);
    }
    for (given, kept) in [
        (&["nosniff"][..], "nosniff"),
        (&["NOSNIFF"], "NOSNIFF"),
        (&[""], "nosniff"),
        (&["sniff"], "nosniff"),
        (&["sniff", "nosniff"], "nosniff"),
    ] {
        let given = given.iter().map(|own| (SNIFFING, *own)).chain([html]);
        let publisher = answering(builder(&clock()), 200, &given.collect::<Vec<_>>());
        let sniffing = publisher.get("/files/pub", &[]).await;
        assert_eq!(values(&sniffing, SNIFFING), [kept]);
    }
    // What the browser has already keeps the policy that it has: of a PDF nothing new is said.
    let publisher = answering(builder(&clock()), 304, &[]);
    assert!(values(&publisher.get("/files/pub", &[]).await, POLICY).is_empty());
    let publisher = answering(builder(&clock()), 304, &[html]);
    assert_eq!(values(&publisher.get("/files/pub", &[]).await, POLICY), ["sandbox"]);
}

/// AC-01: no deposited script becomes a service worker of the login's.
#[tokio::test]
async fn ac_01_service_workers() {
    let fields =
        [("content-type", "text/javascript"), ("service-worker-allowed", "/"), ("etag", "\"a\"")];
    let publisher = answering(builder(&clock()), 200, &fields);
    let cookie = pair(&publisher.log_in(&["A"], Some(V)).await);
    let calls = publisher.calls();
    for path in ["/files/pub", "/files/sec"] {
        for value in ["script", "SCRIPT", ""] {
            let headers = [("cookie", &*cookie), ("service-worker", value)];
            assert_denied(&publisher.get(path, &headers).await, 403);
        }
    }
    assert_eq!(publisher.calls(), calls);
    for path in ["/files/pub", "/files/sec"] {
        let response = publisher.get(path, &[("cookie", &cookie)]).await;
        assert!(values(&response, "service-worker-allowed").is_empty());
        assert_eq!(values(&response, POLICY), ["sandbox"]);
    }
    let mut hostile = builder(&clock()).resources(Files::new("/pages").insecure_active_content());
    hostile = hostile.authorize_with(|_| true);
    let publisher = answering(hostile, 200, &fields);
    let response = publisher.get("/pages/sw.js", &[("service-worker", "script")]).await;
    assert_eq!((response.status().as_u16(), values(&response, POLICY)), (200, vec![]));
    assert_eq!(values(&response, "service-worker-allowed"), ["/"]);
    assert_denied(&publisher.get("/files/sw.js", &[("service-worker", "script")]).await, 403);
}

/// A map of an application's own that says it aloud.
struct Pages;

impl ResourceMap for Pages {
    fn base(&self) -> &'static str {
        "/own"
    }

    fn find<'a>(&'a self, below: &'a str) -> Result<Named<'a>, Refusal> {
        Ok(Named::new(below, ResourceKind::Content, "Text"))
    }

    fn insecure_active_content(&self) -> bool {
        true
    }
}

/// AC-01: the way out is named, and for its base alone.
#[tokio::test]
async fn ac_01_a_named_way_out() {
    let builder = builder(&clock())
        .resources(Files::new("/pages").insecure_active_content())
        .resources(ImageApi::new("/iiif/2").insecure_active_content())
        .resources(Pages)
        .public_paths(["/about"])
        .authorize_with(|request| request.identifier() != "sec" || request.has_role("A"));
    let publisher = answering(builder, 200, &[("content-type", "text/html")]);
    let cookie = pair(&publisher.log_in(&["A"], Some(V)).await);
    for (path, still) in [
        ("/pages/x.html", false),
        ("/pages/sec", false),
        ("/own/x", false),
        ("/iiif/2/x/full/max/0/default.jpg", false),
        // In the crate what is public is the application's own.
        ("/about", false),
        ("/files/x.html", true),
        ("/files/sec", true),
        ("/iiif/3/x/full/max/0/default.jpg", true),
    ] {
        let response = publisher.get(path, &[("cookie", &cookie)]).await;
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(!values(&response, POLICY).is_empty(), still, "{path}");
        assert_eq!(!values(&response, SNIFFING).is_empty(), still, "{path}");
        if path.ends_with("/sec") {
            assert!(values(&response, "cache-control")[0].contains("private"), "{BASE}{path}");
        }
    }
}
