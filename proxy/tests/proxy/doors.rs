//! Beside the door: nothing reaches the image server but what lies below a base, or is listed.

use http::Method;

use crate::support::{Proxy, SITE, Upstream, config, image, raw, request, statuses, with_keys};

const EVERY_METHOD: [&str; 8] =
    ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"];

/// Sends a target as it stands, and says with which status it came back.
async fn send(proxy: &Proxy, method: &str, target: &str) -> String {
    let text = format!(
        "{method} {target} HTTP/1.1\r\nHost: x\r\nOrigin: {SITE}\r\nContent-Length: 0\r\n\
         Connection: close\r\n\r\n"
    );
    statuses(&raw(proxy.address, text.as_bytes()).await).join(" ")
}

/// PB-01: what lies at or below the proxy's own paths is never the image server's, by any method, even
/// where all paths are public.
#[tokio::test]
async fn pb_01_nothing_below_the_login_reaches_the_image_server() {
    const FIF: &str = "FIF=reader.tif&WID=4000&CVT=jpeg";
    let upstream = Upstream::new().await;
    let more = "\n[[access]]\nname = \"terms\"\nkind = \"click-through\"\nlabel = \"Library\"\n\
                terms_heading = \"Terms\"\nrole = \"visitor\"\nprotects = [\"terms-*\"]\n";
    let plain = config(upstream.address) + more;
    let everything = with_keys(&plain, "public_paths = [\"*\"]");
    let everything = Proxy::with(&everything).await;
    let plain = Proxy::with(&plain).await;
    let targets = [
        format!("/auth/login/x?{FIF}"),
        "/auth/login/?IIIF=reader.tif/full/max/0/default.jpg".to_owned(),
        format!("/auth/login//x?{FIF}"),
        format!("/auth/login/2?{FIF}"),
        format!("/auth/login;x?{FIF}"),
        format!("/auth/login%3F{FIF}"),
        format!("/auth/login%2Fx?{FIF}"),
        format!("/auth/%6Cogin/x?{FIF}"),
        format!("/%61uth/x?{FIF}"),
        format!("/AUTH/login/x?{FIF}"),
        format!("/auth/?{FIF}"),
        format!("/auth?{FIF}"),
        format!("/auth/token/x?{FIF}"),
        format!("/auth/logout/x?{FIF}"),
        format!("/auth/continue/x?{FIF}"),
        format!("/auth/hand-off?{FIF}"),
        format!("/auth/redeem?{FIF}"),
        format!("/auth/grant/x?{FIF}"),
        format!("/auth/client?{FIF}"),
        format!("/auth/terms/accept/x?{FIF}"),
        format!("/auth/terms/login?{FIF}"),
        format!("/auth/terms/?{FIF}"),
        format!("http://iiif.example/auth/login/x?{FIF}"),
        format!("/auth/login/..;/../iiif/3/sec?{FIF}"),
    ];
    for target in &targets {
        for method in EVERY_METHOD {
            for proxy in [&plain, &everything] {
                let status = send(proxy, method, target).await;
                assert!(["400", "404", "405"].contains(&&*status), "{method} {target}: {status}");
            }
        }
    }
    // The login itself, by what it does not answer.
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"] {
        assert_eq!(send(&plain, method, &format!("/auth/login?{FIF}")).await, "405", "{method}");
    }
    for target in ["*", "/auth/login", &format!("/auth/login?{FIF}")] {
        let status = send(&everything, "OPTIONS", target).await;
        assert!(["404", "405"].contains(&&*status), "{target}: {status}");
    }
    for line in ["CONNECT reader.tif:80", "TRACE /x"] {
        let (method, target) = line.split_once(' ').unwrap();
        assert_eq!(send(&everything, method, target).await, "405", "{line}");
    }
    assert_eq!(upstream.count(), 0, "{:?}", upstream.asked());
}

/// PB-01: below no base and not listed there is nothing, however it is written.
#[tokio::test]
async fn pb_01_only_what_is_listed_is_passed_on() {
    let upstream = Upstream::new().await;
    let keys = "public_paths = [\"/\", \"/static/*\", \"/docs/*.html\"]";
    let proxy = Proxy::with(&with_keys(&config(upstream.address), keys)).await;
    for (target, passed) in [
        ("/", true),
        ("/static/a.css", true),
        ("/static/", true),
        ("/docs/a.html", true),
        ("/static/a%20b.css", true),
        ("/static", false),
        ("/staticx", false),
        ("/STATIC/a.css", false),
        ("/%73tatic/a.css", false),
        ("/static/..%2f", false),
        ("/static/..%2Freader.tif", false),
        ("/static/../reader.tif", false),
        ("/static/%2e%2e/reader.tif", false),
        ("/static/%2E./reader.tif", false),
        ("/static//reader.tif", false),
        ("/static/./a.css", false),
        ("/static/a\\..\\reader.tif", false),
        ("/static/a%5C..%5Creader.tif", false),
        ("/static/%252e%252e/reader.tif", false),
        ("/static/a%00.css", false),
        ("/docs/reader.tif;a.html", false),
        ("/docs/reader.tif%3Ba.html", false),
        ("/docs/reader.tif%3Fa.html", false),
        ("/docs/reader.tif%23a.html", false),
        ("/static/x&FIF=reader.tif&CVT=jpeg", false),
        ("/static/x%26FIF=reader.tif", false),
        ("/iiif", false),
        ("/iiif/3", false),
        ("/iiif/4/sec/full/max/0/default.jpg", false),
        ("/IIIF/3/sec/full/max/0/default.jpg", false),
        ("/metrics", false),
        ("*", false),
        ("http://evil.example/reader.tif", false),
        ("http://evil.example/static/a.css", true),
    ] {
        let before = upstream.count();
        let status = send(&proxy, "GET", target).await;
        assert_eq!(status == "200", passed, "{target}: {status}");
        assert_eq!(upstream.count() - before, usize::from(passed), "{target}");
    }
    // What asks for another protocol is a request like any other.
    let upgrade = "GET /static/a HTTP/1.1\r\nHost: x\r\nConnection: upgrade, close\r\n\
                   Upgrade: websocket\r\n\r\n";
    assert_eq!(statuses(&raw(proxy.address, upgrade.as_bytes()).await), ["200"]);
    let headers = upstream.last().headers;
    assert!(!headers.contains_key("upgrade") && !headers.contains_key("connection"), "{headers:?}");
}

/// PB-02: the query of a public path stays behind, unless the path says otherwise.
#[tokio::test]
async fn pb_02_queries_on_public_paths() {
    let upstream = Upstream::new().await;
    let keys = "public_paths = [\"/\", \"/static/*\", { path = \"/search\", pass_query = true }, \
                { path = \"/plain/*\" }, { path = \"/find/*\", pass_query = true }, \"/find/x\"]";
    let proxy = Proxy::with(&with_keys(&config(upstream.address), keys)).await;
    for (target, asked) in [
        ("/?FIF=reader.tif&WID=4000", "/"),
        ("/?", "/"),
        ("/static/a.css?v=1", "/static/a.css"),
        ("/static/?IIIF=reader.tif", "/static/"),
        ("/plain/a?b", "/plain/a"),
        ("/search?q=a&page=2", "/search?q=a&page=2"),
        ("/search?", "/search?"),
        ("/search", "/search"),
        ("/find/x?y", "/find/x?y"),
        ("/find/x&y?z", "/find/x&y?z"),
    ] {
        for method in ["GET", "HEAD", "POST"] {
            assert_eq!(send(&proxy, method, target).await, "200", "{method} {target}");
            assert_eq!(upstream.last().target, asked, "{method} {target}");
        }
    }
    // Below a base it is the base's word that counts.
    proxy.get(&format!("{}?FIF=sec.tif", image("pub")), &[]).await;
    assert_eq!(upstream.last().target, image("pub"));
}

/// PB-01: other methods on a base open nothing, and are nothing for the image server.
#[tokio::test]
async fn pb_01_other_methods_on_a_base() {
    let upstream = Upstream::new().await;
    let proxy = Proxy::before(&upstream).await;
    let cookie = proxy.log_in("ada").await;
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "TRACE"] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        for path in [image("sec"), "/iiif/3/sec/info.json".to_owned(), "/iiif/3/sec".to_owned()] {
            for headers in [&[][..], &[("cookie", &*cookie)]] {
                request(proxy.address, method.clone(), &path, headers, "").await;
            }
        }
    }
    assert_eq!(upstream.count(), 0, "{:?}", upstream.asked());
}
