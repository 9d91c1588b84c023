//! What goes to the image server, and what comes back.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use crate::support::{
    PIXELS, Proxy, SITE, Upstream, config, image, raw, request, statuses, with_keys,
};

/// PX-01: what a client says of its way here is neither believed nor passed on.
#[tokio::test]
async fn px_01_forged_forwarding_headers() {
    let upstream = Upstream::new().await;
    let proxy = Proxy::before(&upstream).await;
    let open = image("pub");
    for (name, value) in [
        ("x-forwarded-uri", &*open),
        ("x-original-url", &open),
        ("x_original_url", &open),
        ("x-rewrite-url", &open),
        ("x-forwarded-prefix", "/iiif/3/pub"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-host", "evil.example"),
        ("x_forwarded_host", "evil.example"),
        ("x-forwarded-port", "1"),
        ("x-forwarded-for", "10.0.0.1"),
        ("x_forwarded_for", "10.0.0.1"),
        ("forwarded", "for=10.0.0.1;host=evil.example"),
        ("x-real-ip", "10.0.0.1"),
        ("x-original-method", "OPTIONS"),
        ("x-http-method-override", "OPTIONS"),
        ("proxy", "http://evil.example"),
        ("host", "evil.example"),
    ] {
        let before = upstream.count();
        let denied = proxy.get(&image("sec"), &[(name, value)]).await;
        assert_eq!(denied.status, 401, "{name}");
        assert_eq!(upstream.count(), before, "{name}");

        assert_eq!(proxy.get(&open, &[(name, value)]).await.status, 200, "{name}");
        let asked = upstream.last();
        let told = format!("{:?}", asked.headers);
        assert!(!told.contains("evil.example") && !told.contains("10.0.0.1"), "{name}: {told}");
        assert_eq!(asked.target, open, "{name}");
        assert_eq!(asked.folded("host"), [upstream.address.to_string()], "{name}");
        assert_eq!(asked.folded("x-forwarded-for"), ["127.0.0.1"], "{name}");
        assert_eq!(asked.folded("x-forwarded-host"), ["iiif.example"], "{name}");
        assert_eq!(asked.folded("x-forwarded-proto"), ["https"], "{name}");
        assert_eq!(asked.folded("x-forwarded-port"), ["443"], "{name}");
        assert_eq!(asked.folded("x-iiif-id"), [format!("{SITE}/iiif/3/pub")], "{name}");
        for gone in ["x-original-url", "x-original-method", "x-rewrite-url", "x-real-ip", "proxy"] {
            assert_eq!(asked.folded(gone), [""; 0], "{name}");
        }
        let info = proxy.get("/iiif/3/sec/info.json", &[(name, value)]).await;
        assert!(info.text().contains(&format!("{SITE}/auth/")), "{name}: {}", info.text());
        assert!(!info.text().contains("evil.example"), "{name}");
    }
}

/// PX-01: of a listed proxy in front, the chain of addresses goes on, with its own at the end.
#[tokio::test]
async fn px_01_a_listed_proxy_s_chain_goes_on() {
    let upstream = Upstream::new().await;
    let keys = with_keys(&config(upstream.address), "trusted_proxies = [\"127.0.0.1\"]");
    let proxy = Proxy::with(&keys).await;
    let chain = [("x-forwarded-for", "192.0.2.7, 10.0.0.1"), ("x-forwarded-proto", "http")];
    assert_eq!(proxy.get(&image("pub"), &chain).await.status, 200);
    assert_eq!(upstream.last().folded("x-forwarded-for"), ["192.0.2.7, 10.0.0.1, 127.0.0.1"]);
    assert_eq!(upstream.last().folded("x-forwarded-proto"), ["https"]);
}

/// PX-05: our cookies and tokens stay here; the image server's own cookies go through, both ways.
#[tokio::test]
async fn px_05_our_credentials_do_not_cross() {
    let upstream = Upstream::answering(|_| {
        Response::builder()
            .header("set-cookie", "__Host-iiif=x; Path=/; Secure")
            .header("set-cookie", "app=1; Path=/")
            .header("set-cookie", " __host-IIIF = x")
            .header("set-cookie", "=__Host-iiif=x; Path=/; Secure")
            .header("set-cookie", "= __Host-iiif")
            .header("set-cookie", "__Host-iiif-flow=x; Path=/; Secure")
            .body(Full::from(PIXELS))
            .unwrap()
    })
    .await;
    let proxy = Proxy::before(&upstream).await;
    let own = proxy.log_in("ada").await;
    assert!(own.starts_with("__Host-iiif=") && own.len() > 50, "{own}");
    for cookies in [
        format!("{own}; other=1"),
        format!("other=1; {own}"),
        format!("other=1;{own};__Host-iiif-flow=y"),
        format!("__Host-iiif=junk; {own}; other=1"),
        format!("=__Host-iiif=junk; {own}; other=1"),
    ] {
        let headers = [("cookie", &*cookies), ("authorization", "Bearer T")];
        let answer = proxy.get(&image("sec"), &headers).await;
        assert_eq!(answer.status, 200, "{cookies}");
        let asked = upstream.last();
        assert_eq!(asked.folded("cookie"), ["other=1"], "{cookies}");
        assert_eq!(asked.folded("authorization"), [""; 0]);
        let set: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
        assert_eq!(set, ["app=1; Path=/"]);
    }
    // Two fields, and names in disguise.
    let text = format!(
        "GET {} HTTP/1.1\r\nHost: x\r\nCookie: {own}\r\nCookie: other=1\r\nC_ookie: a=1\r\n\
         Authorization_: Bearer T\r\nConnection: close\r\n\r\n",
        image("sec")
    );
    assert_eq!(statuses(&raw(proxy.address, text.as_bytes()).await), ["200"]);
    assert_eq!(upstream.last().folded("cookie"), ["other=1"]);
    // Viewers send their token with descriptions, of open pictures as well.
    for path in ["/iiif/3/sec/info.json", "/iiif/3/pub/info.json", "/iiif/3/nowhere/info.json"] {
        for token in ["Bearer T", "bearer T", "Bearer undefined"] {
            let asked = upstream.count();
            proxy.get(path, &[("authorization", token)]).await;
            assert_eq!(upstream.count(), asked + 1, "{path}");
            assert_eq!(upstream.last().folded("authorization"), [""; 0], "{path} {token}");
        }
    }
    // Only our own token is taken out of what is no resource of ours.
    let public = with_keys(&config(upstream.address), "public_paths = [\"/app/*\"]");
    let proxy = Proxy::with(&public).await;
    for (sent, arrives) in [("Basic eDp5", &["Basic eDp5"][..]), ("bearer T", &[])] {
        assert_eq!(proxy.get("/app/x", &[("authorization", sent)]).await.status, 200);
        assert_eq!(upstream.last().folded("authorization"), arrives);
    }
}

/// Fields of one connection do not cross, in either direction (RFC 9110 §7.6.1).
#[tokio::test]
async fn hop_by_hop_fields_stay_on_their_side() {
    let upstream = Upstream::answering(|_| {
        Response::builder()
            .header("connection", "x-inner, keep-alive")
            .header("x-inner", "1")
            .header("keep-alive", "timeout=9")
            .header("proxy-authenticate", "Basic")
            .header("upgrade", "h2c")
            .header("alt-svc", "h3=\":443\"")
            .header("x-accel-redirect", "/secret")
            .header("x-app", "1")
            .body(Full::from(PIXELS))
            .unwrap()
    })
    .await;
    let proxy = Proxy::before(&upstream).await;
    let text = format!(
        "GET {} HTTP/1.1\r\nHost: x\r\nConnection: X-Mine, close\r\nX-Mine: 1\r\nTE: trailers\r\n\
         Keep-Alive: 5\r\nUpgrade: websocket\r\nProxy-Authorization: Basic x\r\nX-App: 1\r\n\
         Expect: 100-continue\r\n\r\n",
        image("pub")
    );
    let answer = raw(proxy.address, text.as_bytes()).await.to_lowercase();
    assert!(answer.contains("x-app: 1") && answer.ends_with(PIXELS), "{answer}");
    for name in ["x-inner", "keep-alive", "proxy-auth", "upgrade", "alt-svc", "x-accel"] {
        assert!(!answer.contains(name), "{name}: {answer}");
    }
    let asked = upstream.last();
    assert_eq!(asked.folded("x-app"), ["1"]);
    for name in ["x-mine", "te", "keep-alive", "upgrade", "proxy-authorization", "expect"] {
        assert_eq!(asked.folded(name), [""; 0], "{name}");
    }
}

/// PA-02, PA-04, AL-03: what was decided on goes on in its one spelling, below the place that the base has
/// there; the query does not, as other requests could stand in it.
#[tokio::test]
async fn pa_02_what_was_decided_on_goes_on() {
    let upstream = Upstream::new().await;
    let moved = config(upstream.address)
        .replace("path = \"/iiif/3\"", "path = \"/iiif/3\"\nupstream_path = \"/cgi/iip\"")
        .replace("\"dir/sec\"", "\"dir/pub\"")
        .replace("\"pub*\"", "\"pub*\", \"dir/*\"")
        .replace("path = \"/iiif/2\"", "path = \"/iiif/2\"\npass_query = true");
    let proxy = Proxy::with(&moved).await;
    let tile = "full/max/0/default.jpg";
    for (asked, arrives) in [
        (format!("/iiif/3/pub/{tile}"), format!("/cgi/iip/pub/{tile}")),
        (format!("/iiif/3/dir%2Fpub/{tile}"), format!("/cgi/iip/dir%2Fpub/{tile}")),
        (format!("/iiif/3/dir%2fp%75b/{tile}"), format!("/cgi/iip/dir%2Fpub/{tile}")),
        (format!("/iiif/3/pub/{tile}?FIF=sec.tif"), format!("/cgi/iip/pub/{tile}")),
        (format!("/iiif/2/pub/{tile}?a=b"), format!("/iiif/2/pub/{tile}?a=b")),
        ("/iiif/3/pub/info.json?IIIF=sec".to_owned(), "/cgi/iip/pub/info.json".to_owned()),
    ] {
        assert_eq!(proxy.get(&asked, &[]).await.status, 200, "{asked}");
        assert_eq!(upstream.last().target, arrives);
    }
    assert_eq!(upstream.last().folded("x-iiif-id"), [format!("{SITE}/iiif/3/pub")]);
    proxy.get(&format!("/iiif/3/dir%2Fpub/{tile}"), &[]).await;
    assert_eq!(upstream.last().folded("x-iiif-id"), [format!("{SITE}/iiif/3/dir%2Fpub")]);
}

/// PA-01, PA-06, PA-14: no other way to the same bytes is open.
#[tokio::test]
async fn pa_14_other_ways_to_the_same_bytes_are_closed() {
    let upstream = Upstream::new().await;
    let config =
        with_keys(&config(upstream.address), "public_paths = [\"/\", \"/static/*\", \"*.css\"]");
    let proxy = Proxy::with(&config).await;
    let before = upstream.count();
    for path in [
        "/fcgi-bin/iipsrv.fcgi?FIF=sec.tif&WID=4000&CVT=jpeg",
        "/fcgi-bin/iipsrv.fcgi?IIIF=sec/full/max/0/default.jpg",
        "/fcgi-bin/iipsrv.fcgi?DeepZoom=sec.tif.dzi",
        "/admin",
        "/configuration",
        "/tasks",
        "/iiif/1/sec/full/full/0/native.jpg",
        "/iiif/2/sec/full/max/0/default.jpg",
        "/iiif/3/pub/../sec/full/max/0/default.jpg",
        "/iiif/3/pub/%2e%2e/sec/full/max/0/default.jpg",
        "/static/../iiif/3/sec/full/max/0/default.jpg",
        "/static/%2e%2e/iiif/3/sec/full/max/0/default.jpg",
        "/static/..%2f..%2fiiif/3/sec/full/max/0/default.jpg",
        "/%69iif/3/sec/full/max/0/default.jpg",
        "/IIIF/3/sec/full/max/0/default.jpg",
        "//iiif/3/sec/full/max/0/default.jpg",
        "/iiif/3//sec/full/max/0/default.jpg",
        "/iiif/3/sec/full/max/0/default.jpg/",
        "/iiif/3/sec/full/max/0/x.css",
        "/iiif/3/sec;x.css",
        "/iiif%2f3/sec.css",
    ] {
        let text = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let answer = raw(proxy.address, text.as_bytes()).await;
        let status = statuses(&answer);
        assert!(
            ["303", "400", "401", "403", "404"].iter().any(|refused| status == [*refused]),
            "{path}: {status:?}"
        );
        assert!(!answer.contains(PIXELS), "{path}");
    }
    assert_eq!(upstream.count(), before);
    for path in ["/", "/static/a.js", "/main.css"] {
        assert_eq!(proxy.get(path, &[]).await.status, 200, "{path}");
    }
}

/// Where the image server redirects to: outside it is public, inside it is nothing.
#[tokio::test]
async fn redirects_lead_to_public_places() {
    let upstream = Upstream::answering(|asked| {
        let place = asked.folded("x-test-location").concat();
        let own = asked.folded("host").concat();
        Response::builder()
            .status(302)
            .header("location", place.replace("OWN", &own))
            .header("link", format!("<http://{own}/x>;rel=\"canonical\""))
            .body(Full::default())
            .unwrap()
    })
    .await;
    let moved = config(upstream.address)
        .replace("path = \"/iiif/3\"", "path = \"/iiif/3\"\nupstream_path = \"/cgi/iip\"");
    let proxy = Proxy::with(&with_keys(&moved, "public_paths = [\"/app/*\"]")).await;
    for (told, public) in [
        ("http://OWN/cgi/iip/pub/info.json", "https://iiif.example/iiif/3/pub/info.json"),
        (
            "http://OWN/cgi/iip/a%2Fb/info.json?x#y",
            "https://iiif.example/iiif/3/a%2Fb/info.json?x#y",
        ),
        ("//OWN/app/x", "https://iiif.example/app/x"),
        ("/cgi/iip/pub/info.json", "https://iiif.example/iiif/3/pub/info.json"),
        ("info.json", "https://iiif.example/iiif/3/pub/full/max/0/info.json"),
        ("/cgi/iipx", "https://iiif.example/cgi/iipx"),
        ("https://iiif.example/iiif/3/pub", "https://iiif.example/iiif/3/pub"),
        ("https://elsewhere.example/x", "https://elsewhere.example/x"),
        // Refused.
        ("http://127.0.0.1:1/x", ""),
        ("http://localhost/x", ""),
        ("http://images/x", ""),
        ("http://images.internal./x", ""),
        ("http://10.1.2.3/x", ""),
        ("http://[::1]/x", ""),
        ("http://[fd00::1]:8182/x", ""),
        ("http://0x7f.1/x", ""),
        ("file:///etc/passwd", ""),
        ("http://[::ffff:127.0.0.1]/x", ""),
        ("http://[::ffff:10.0.0.1]/x", ""),
        ("http://2130706433/x", ""),
        ("http://100.64.0.1/x", ""),
        ("javascript:alert(1)", ""),
        ("http://", ""),
    ] {
        let answer = proxy.get(&image("pub"), &[("x-test-location", told)]).await;
        assert_eq!(answer.header("location"), public, "{told}");
        assert_eq!(answer.status, if public.is_empty() { 502 } else { 302 }, "{told}");
        let all = format!("{:?}{}", answer.headers, answer.text());
        assert!(!all.contains(&upstream.address.to_string()), "{told}: {all}");
    }
}

/// Ranges, HEAD and conditions are the image server's to answer, where the resource is granted.
#[tokio::test]
async fn ht_08_ranges_head_and_conditions() {
    let upstream = Upstream::answering(|asked| {
        let response = Response::builder().header("etag", "\"a\"").header("accept-ranges", "bytes");
        if asked.folded("if-none-match") == ["\"a\""] {
            return response.status(304).body(Full::default()).unwrap();
        }
        if asked.method == Method::HEAD {
            return response.header("content-length", "10").body(Full::default()).unwrap();
        }
        match asked.folded("range").first() {
            Some(range) if range == "bytes=5-9" => response
                .status(206)
                .header("content-range", "bytes 5-9/10")
                .body(Full::from(&PIXELS[5..]))
                .unwrap(),
            _ => response.body(Full::from(PIXELS)).unwrap(),
        }
    })
    .await;
    let proxy = Proxy::before(&upstream).await;
    let cookie = proxy.log_in("ada").await;
    let (sec, cookie) = (image("sec"), ("cookie", &*cookie));

    let part = proxy.get(&sec, &[cookie, ("range", "bytes=5-9")]).await;
    assert_eq!((part.status, &*part.text()), (StatusCode::PARTIAL_CONTENT, "56789"));
    assert_eq!(part.header("content-range"), "bytes 5-9/10");
    assert!(part.header("cache-control").starts_with("private"));

    let fresh = proxy.get(&sec, &[cookie, ("if-none-match", "\"a\"")]).await;
    assert_eq!((fresh.status, fresh.body.len()), (StatusCode::NOT_MODIFIED, 0));

    let head = request(proxy.address, Method::HEAD, &sec, &[cookie], "").await;
    assert_eq!((head.status, head.header("content-length")), (StatusCode::OK, "10"));

    // Without the cookie none of it tells anything.
    for headers in
        [&[("range", "bytes=0-0"), ("if-range", "\"a\"")][..], &[("if-none-match", "\"a\"")]]
    {
        for method in [Method::GET, Method::HEAD] {
            let denied = request(proxy.address, method, &sec, headers, "").await;
            assert_eq!(denied.status, 401);
            for name in ["etag", "content-range", "accept-ranges", "last-modified"] {
                assert_eq!(denied.header(name), "", "{name}");
            }
        }
    }
}

/// HT-03: one `Access-Control-Allow-Origin`, and no credentials, whatever the image server says.
#[tokio::test]
async fn ht_03_duplicate_cors_of_the_image_server() {
    let upstream = Upstream::answering(|_| {
        Response::builder()
            .header("access-control-allow-origin", "*")
            .header("access-control-allow-origin", "https://viewer.example")
            .header("access-control-allow-credentials", "true")
            .body(Full::from(PIXELS))
            .unwrap()
    })
    .await;
    let proxy = Proxy::before(&upstream).await;
    let cookie = proxy.log_in("ada").await;
    let answer = proxy.get(&image("sec"), &[("cookie", &cookie)]).await;
    let allowed: Vec<_> = answer.headers.get_all("access-control-allow-origin").iter().collect();
    assert_eq!(allowed, ["*"]);
    assert_eq!(answer.header("access-control-allow-credentials"), "");
}

/// HTTP/2 with prior knowledge: the same decision, and forbidden fields end the stream.
#[tokio::test]
async fn http_2_is_spoken() {
    let upstream = Upstream::new().await;
    let proxy = Proxy::before(&upstream).await;
    let cookie = proxy.log_in("ada").await;
    let client = Client::builder(TokioExecutor::new()).http2_only(true).build_http::<Full<Bytes>>();
    let ask = |headers: &[(&'static str, &str)]| {
        let uri = format!("http://{}{}", proxy.address, image("sec"));
        let mut request = Request::get(uri).version(Version::HTTP_2);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        client.request(request.body(Full::default()).unwrap())
    };
    assert_eq!(ask(&[]).await.unwrap().status(), 401);
    // A browser sends each cookie in a field of its own.
    let response = ask(&[("cookie", "a=1"), ("cookie", &cookie), ("cookie", "b=2")]).await.unwrap();
    assert_eq!((response.status(), response.version()), (StatusCode::OK, Version::HTTP_2));
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), PIXELS);
    assert_eq!(upstream.last().folded("cookie"), ["a=1; b=2"]);
}
