//! nginx asks whether it may serve a path.

use std::net::SocketAddr;

use http::Method;

use crate::program::{Program, command};
use crate::redis_server::free_port;
use crate::support::{
    Answer, PIXELS, Proxy, Upstream, config, folder, image, raw, request, statuses,
};

async fn proxy(upstream: &Upstream, keys: &str) -> (Proxy, SocketAddr) {
    let config = format!(
        "{}\n[[base]]\npath = \"/files\"\nkind = \"files\"\n[forward_auth]\nlisten = \"127.0.0.1:0\"\n{keys}",
        config(upstream.address)
    );
    let proxy = Proxy::with(&config).await;
    let address = proxy.forward_auth.unwrap();
    (proxy, address)
}

async fn ask(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Answer {
    request(address, Method::GET, path, headers, "").await
}

/// Yes for what may be seen, with the path that was decided on; the image server is not asked.
#[tokio::test]
async fn yes_names_the_path_that_was_decided_on() {
    let upstream = Upstream::new().await;
    let (proxy, address) = proxy(&upstream, "max_age = \"10m\"").await;
    let cookie = proxy.log_in("ada").await;
    let visitor = proxy.log_in("bob").await;
    for (path, cookie, status) in [
        (image("pub"), "", 200),
        (image("sec"), "", 401),
        (image("sec"), &*visitor, 403),
        (image("sec"), &*cookie, 200),
        (image("other"), &*cookie, 403),
        ("/files/pub.pdf".to_owned(), "", 200),
        ("/files/sec.pdf".to_owned(), "", 401),
        ("/files/sec.pdf".to_owned(), &*cookie, 200),
    ] {
        let answer = ask(address, &path, &[("cookie", cookie)]).await;
        assert_eq!(answer.status, status, "{path} {cookie}");
        let expected = if status == 200 { &*path } else { "" };
        assert_eq!(answer.header("x-iiif-path"), expected);
        assert!(answer.body.is_empty(), "{}", answer.text());
        let kept = answer.header("cache-control");
        match (status, path.contains("pub")) {
            // What is open keeps what nginx says of it.
            (200, true) => assert_eq!(kept, ""),
            (200, false) => {
                assert_eq!((kept, answer.header("vary")), ("private, max-age=576", "Cookie"));
            }
            _ => assert_eq!(kept, "no-store"),
        }
    }
    assert_eq!(upstream.count(), 0);
}

/// PA-01, PA-02, PA-04, PA-05, PA-06, PA-08: what nginx could take for another path is never a yes,
/// not even with a cookie that opens it; nor is what the proxy has to answer itself.
#[tokio::test]
async fn pa_01_a_path_with_two_readings_is_no_yes() {
    let upstream = Upstream::new().await;
    let (proxy, address) = proxy(&upstream, "").await;
    let cookie = proxy.log_in("ada").await;
    let tile = "full/max/0/default.jpg";
    for path in [
        "/iiif/3/pub/../sec/full/max/0/default.jpg",
        "/iiif/3/pub/%2e%2e/sec/full/max/0/default.jpg",
        "/iiif/3/pub%2F..%2Fsec/full/max/0/default.jpg",
        // nginx would decode it to the sec's own tile; here it is an image service that is called so.
        "/iiif/3/sec%2Ffull%2Fmax%2F0%2Fdefault.jpg",
        "/iiif/3/pub%2Fx/full/max/0/default.jpg",
        "/iiif/3/dir%2Fsec/full/max/0/default.jpg",
        "/iiif/3/pub%26FIF=sec/full/max/0/default.jpg",
        "/iiif/3/pub&FIF=sec/full/max/0/default.jpg",
        "/iiif/3/pub%3Fx/full/max/0/default.jpg",
        "/iiif/3/pub%00/full/max/0/default.jpg",
        "/iiif/3/pub/full/max/0/default.jpg?FIF=sec.tif",
        "/iiif/3/pub/full/max/0/default.jpg?",
        "/iiif/3//pub/full/max/0/default.jpg",
        "//iiif/3/pub/full/max/0/default.jpg",
        "/iiif/3/pub;x/full/max/0/default.jpg",
        "/iiif/3/pub/full/max/0/default.jpg/",
        "/iiif/3/pub/./full/max/0/default.jpg",
        "/%69iif/3/pub/full/max/0/default.jpg",
        "/IIIF/3/pub/full/max/0/default.jpg",
        "/iiif/3/pub\\..\\sec/full/max/0/default.jpg",
        "/iiif/3/pub/info.json",
        "/iiif/3/sec/info.json",
        "/iiif/3/pub",
        "/iiif/3/",
        "/auth/login",
        "/auth/token",
        "/",
        "/elsewhere/pub/full/max/0/default.jpg",
        "/files/a/../sec.pdf",
        "/files/a%2Fb.pdf",
        "/files/",
    ] {
        let text = format!(
            "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: {cookie}\r\n\r\n"
        );
        let answer = raw(address, text.as_bytes()).await;
        assert!(
            ["400", "401", "403"].iter().any(|no| statuses(&answer) == [*no]),
            "{path}: {answer}"
        );
        assert!(!answer.contains("x-iiif-path"), "{path}");
    }
    // Sent through the proxy instead, such an image is answered in full.
    let escaped = format!("/iiif/3/dir%2Fsec/{tile}");
    let answer = proxy.get(&escaped, &[("cookie", &cookie)]).await;
    assert_eq!((answer.status.as_u16(), &*answer.text()), (200, PIXELS));
}

/// Where nginx serves the path it is told, escapes may be allowed; what is ambiguous stays refused.
#[tokio::test]
async fn escapes_may_be_allowed() {
    let upstream = Upstream::new().await;
    let (proxy, address) = proxy(&upstream, "allow_escapes = true").await;
    let cookie = proxy.log_in("ada").await;
    for (path, status) in [
        ("/iiif/3/dir%2Fsec/full/max/0/default.jpg", 200),
        ("/iiif/3/pub/full/max/0/default.jpg", 200),
        ("/iiif/3/pub/%2e%2e/sec/full/max/0/default.jpg", 403),
        ("/iiif/3/sec%2Ffull%2Fmax%2F0%2Fdefault.jpg", 403),
        ("/iiif/3/pub/full/max/0/default.jpg?x", 403),
    ] {
        let answer = ask(address, path, &[("cookie", &cookie)]).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.header("x-iiif-path"), if status == 200 { path } else { "" });
    }
}

/// PA-11: only reading is a yes, by the method that nginx was asked with.
#[tokio::test]
async fn pa_11_only_reading_is_a_yes() {
    let upstream = Upstream::new().await;
    let (_proxy, address) = proxy(&upstream, "").await;
    for (methods, status) in [
        (&[][..], 200),
        (&["GET"], 200),
        (&["HEAD"], 200),
        (&["POST"], 403),
        (&["PUT"], 403),
        (&["OPTIONS"], 403),
        (&["get"], 403),
        (&[""], 403),
        (&["GET", "POST"], 403),
    ] {
        let headers: Vec<_> = methods.iter().map(|own| ("x-original-method", *own)).collect();
        assert_eq!(ask(address, &image("pub"), &headers).await.status, status, "{methods:?}");
    }
}

/// PX-01: nothing but the path of the question is looked at, and only listed peers may ask.
#[tokio::test]
async fn px_01_headers_do_not_change_the_question() {
    let upstream = Upstream::new().await;
    let (_proxy, address) = proxy(&upstream, "").await;
    for name in
        ["x-original-uri", "x-original-url", "x-forwarded-uri", "x-rewrite-url", "x-iiif-path"]
    {
        let answer = ask(address, &image("sec"), &[(name, &image("pub"))]).await;
        assert_eq!(answer.status, 401, "{name}");
        let answer = ask(address, "/", &[(name, &image("pub"))]).await;
        assert_eq!(answer.status, 403, "{name}");
    }
    let (_proxy, address) = proxy_of_others(&upstream).await;
    for headers in [&[][..], &[("x-forwarded-for", "192.0.2.1")]] {
        assert_eq!(ask(address, &image("pub"), headers).await.status, 403);
    }
}

async fn proxy_of_others(upstream: &Upstream) -> (Proxy, SocketAddr) {
    proxy(upstream, "peers = [\"192.0.2.1\"]").await
}

/// A front that can never get a yes is told why, once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_never_is_a_yes_is_said() {
    let upstream = Upstream::new().await;
    let (folder, port, asked) = (folder(), free_port(), free_port());
    let text = config(upstream.address).replace("127.0.0.1:0", &format!("127.0.0.1:{port}"));
    let text = format!("{text}\n[forward_auth]\nlisten = \"127.0.0.1:{asked}\"\n");
    std::fs::write(folder.join("proxy.toml"), text).unwrap();
    let program = Program::start(command(&folder), port).await;
    let address = SocketAddr::from(([127, 0, 0, 1], asked));
    for _ in 0..2 {
        let tile = image("pub");
        for (path, headers) in [
            ("/", &[("x-forwarded-uri", &*tile), ("x-forwarded-method", "GET")][..]),
            ("/iiif/3/pub/info.json", &[]),
            ("/iiif/3/dir%2Fsec/full/max/0/default.jpg", &[]),
            (&*format!("{tile}?x"), &[]),
            (&*tile, &[("x-original-method", "POST")]),
        ] {
            assert_eq!(ask(address, path, headers).await.status, 403, "{path}");
        }
    }
    let log = program.stop();
    for (words, count) in [
        ("not believed", 1),
        ("reason=\"below no base\"", 1),
        ("reason=\"no tile and no file\"", 1),
        ("reason=\"escapes\"", 1),
        ("reason=\"query\"", 1),
        ("reason=\"method\"", 1),
    ] {
        assert_eq!(
            log.lines().filter(|line| line.contains(words)).count(),
            count,
            "{words}\n{log}"
        );
    }
}
