//! Traefik, Caddy and Envoy ask whether they may serve a path, each in its own words, and hand a no on as it is.

use std::net::SocketAddr;

use http::Method;
use iiif_auth_proxy::config::Config;

use crate::program::{Program, command};
use crate::redis_server::free_port;
use crate::support::{Answer, Proxy, Upstream, config, folder, image, request, with_keys};

const FRONTS: [&str; 3] = ["traefik", "caddy", "envoy"];
const VIEWER: &str = "https://viewer.example";

/// A proxy, and the front that asks it.
struct Front {
    kind: &'static str,
    proxy: Proxy,
    address: SocketAddr,
}

impl Front {
    async fn of(kind: &'static str, upstream: &Upstream) -> Self {
        Self::with(kind, &config(upstream.address), "").await
    }

    async fn with(kind: &'static str, config: &str, keys: &str) -> Self {
        let prefix = if kind == "envoy" { "path_prefix = \"/decide\"\n" } else { "" };
        let text = format!(
            "{config}\n[[base]]\npath = \"/files\"\nkind = \"files\"\n[forward_auth]\n\
             listen = \"127.0.0.1:0\"\nfront = \"{kind}\"\n{prefix}{keys}\n"
        );
        let proxy = Proxy::with(&text).await;
        let address = proxy.forward_auth.unwrap();
        Self { kind, proxy, address }
    }

    /// Asks as its documentation has it, with the client's own headers.
    async fn ask(&self, method: Method, target: &str, own: &[(&str, &str)]) -> Answer {
        let mut headers = vec![("x-forwarded-for", "192.0.2.7"), ("x-forwarded-proto", "https")];
        headers.extend(own);
        let asked = method.to_string();
        if self.kind == "envoy" {
            return request(self.address, method, &format!("/decide{target}"), &headers, "").await;
        }
        headers.extend([
            ("x-forwarded-host", "iiif.example"),
            ("x-forwarded-method", &*asked),
            ("x-forwarded-uri", target),
        ]);
        // As configured: Traefik's address, Caddy's uri.
        let path = if self.kind == "caddy" { "/decide" } else { "/" };
        request(self.address, Method::GET, path, &headers, "").await
    }

    async fn get(&self, target: &str, headers: &[(&str, &str)]) -> Answer {
        self.ask(Method::GET, target, headers).await
    }
}

/// Yes for what may be seen, and else the very answer that the proxy itself gives.
#[tokio::test]
async fn a_no_is_the_answer_of_the_proxy() {
    let upstream = Upstream::new().await;
    for kind in FRONTS {
        let front = Front::of(kind, &upstream).await;
        let cookie = front.proxy.log_in("ada").await;
        let visitor = front.proxy.log_in("bob").await;
        for (path, cookie, status) in [
            (image("pub"), "", 200),
            (image("sec"), "", 401),
            (image("sec"), &*visitor, 403),
            (image("sec"), &*cookie, 200),
            (image("other"), &*cookie, 403),
            ("/iiif/2/sec/full/max/0/default.jpg".to_owned(), "", 401),
            ("/files/pub.pdf".to_owned(), "", 200),
            ("/files/sec.pdf".to_owned(), "", 401),
            ("/files/sec.pdf".to_owned(), &*cookie, 200),
        ] {
            let before = upstream.count();
            let headers = [("cookie", cookie), ("origin", VIEWER), ("accept-language", "en")];
            for method in [Method::GET, Method::HEAD] {
                let answer = front.ask(method.clone(), &path, &headers).await;
                assert_eq!(answer.status, status, "{kind} {method} {path}");
                let expected = if status == 200 { &*path } else { "" };
                assert_eq!(answer.header("x-iiif-path"), expected, "{kind}");
                if status == 200 {
                    assert!(answer.body.is_empty(), "{}", answer.text());
                    continue;
                }
                let direct = front.proxy.get(&path, &headers).await;
                assert_eq!(direct.status, status);
                if !(kind == "envoy" && method == Method::HEAD) {
                    assert!(!answer.body.is_empty() && answer.body == direct.body, "{kind}");
                }
                for name in [
                    "content-type",
                    "cache-control",
                    "vary",
                    "access-control-allow-origin",
                    "www-authenticate",
                    "x-content-type-options",
                    "set-cookie",
                ] {
                    assert_eq!(answer.header(name), direct.header(name), "{kind} {path} {name}");
                }
                assert_eq!(answer.header("access-control-allow-origin"), "*");
                assert_eq!(answer.header("cache-control"), "no-store");
            }
            assert_eq!(upstream.count(), before, "the image server is not asked");
        }
    }
}

/// A substitute is a redirect, which viewers follow.
#[tokio::test]
async fn redirects_are_handed_on() {
    let upstream = Upstream::new().await;
    let text = config(upstream.address)
        .replace(
            "families = [\"1.0\", \"0.9\"]",
            "families = [\"1.0\"]\nredirecting_content = true",
        )
        .replace(
            "allow = [\"reader\"]",
            "allow = [\"reader\"]\nsubstitute = { identifier = \"pub-small\" }",
        );
    for kind in FRONTS {
        let front = Front::with(kind, &text, "").await;
        let path = "/iiif/2/sec/full/max/0/default.jpg";
        let (answer, direct) = (front.get(path, &[]).await, front.proxy.get(path, &[]).await);
        assert_eq!(direct.status, 302, "{}", direct.text());
        for name in ["location", "cache-control", "access-control-allow-origin", "vary"] {
            assert_eq!(answer.header(name), direct.header(name), "{kind} {name}");
        }
        assert_eq!(answer.status, direct.status, "{kind}");
        assert!(answer.header("location").contains("/iiif/2/pub-small/"), "{kind}");
    }
}

/// PA-01, PA-02, PA-04, PA-05, PA-06, PA-08: what could be taken for another path is never a yes.
#[tokio::test]
async fn pa_01_a_path_with_two_readings_is_no_yes() {
    let upstream = Upstream::new().await;
    for kind in FRONTS {
        let front = Front::of(kind, &upstream).await;
        let cookie = front.proxy.log_in("ada").await;
        for target in [
            "/iiif/3/pub/../sec/full/max/0/default.jpg",
            "/iiif/3/pub/%2e%2e/sec/full/max/0/default.jpg",
            "/iiif/3/pub%2F..%2Fsec/full/max/0/default.jpg",
            "/iiif/3/sec%2Ffull%2Fmax%2F0%2Fdefault.jpg",
            "/iiif/3/dir%2Fsec/full/max/0/default.jpg",
            "/iiif/3/%73ec/full/max/0/default.jpg",
            "/iiif/3/pub%00/full/max/0/default.jpg",
            "/iiif/3/pub/full/max/0/default.jpg?FIF=sec.tif",
            "/iiif/3/pub/full/max/0/default.jpg?",
            "/iiif/3//pub/full/max/0/default.jpg",
            "//iiif/3/pub/full/max/0/default.jpg",
            "/iiif/3/pub;x/full/max/0/default.jpg",
            "/iiif/3/pub/full/max/0/default.jpg/",
            "/iiif/3/pub/./full/max/0/default.jpg",
            "/IIIF/3/pub/full/max/0/default.jpg",
            "/iiif/3/pub/info.json",
            "/iiif/2/pub/info.json",
            "/iiif/3/pub",
            "/iiif/3/",
            "/auth/login",
            "/auth/token",
            "/",
            "/elsewhere/pub/full/max/0/default.jpg",
            "/files/a/../sec.pdf",
            "/files/a%2Fb.pdf",
        ] {
            let answer = front.get(target, &[("cookie", &cookie)]).await;
            assert!(matches!(answer.status.as_u16(), 400..=404), "{kind} {target}: {answer:?}");
            assert_eq!(answer.header("x-iiif-path"), "", "{kind} {target}");
            assert_eq!(answer.header("cache-control"), "no-store", "{kind} {target}");
            assert_eq!(answer.header("access-control-allow-origin"), "*", "{kind} {target}");
        }
    }
    assert_eq!(upstream.count(), 0);
}

/// What hyper's client does not send, and a front could be made to.
#[tokio::test]
async fn pa_01_what_is_no_path() {
    let upstream = Upstream::new().await;
    for kind in ["traefik", "caddy"] {
        let front = Front::of(kind, &upstream).await;
        for target in [
            "",
            "*",
            "iiif/3/pub/full/max/0/default.jpg",
            "https://iiif.example/iiif/3/pub/full/max/0/default.jpg",
            "/iiif/3/pub/full/max/0/default.jpg#",
            "/iiif/3/pub/full/max/0/default.jpg#/../../../../../sec/full/max/0/default.jpg",
            "/iiif/3/pub/full/max/0/default.jpg x",
            "/iiif/3/pub\\..\\sec/full/max/0/default.jpg",
            "/iiif/3/pub\t/full/max/0/default.jpg",
        ] {
            assert_eq!(front.get(target, &[]).await.status, 403, "{kind} {target:?}");
        }
    }
    let envoy = Front::of("envoy", &upstream).await;
    for target in [
        image("pub"),
        format!("/decide/decide{}", image("pub")),
        format!("/decide2{}", image("pub")),
        format!("/Decide{}", image("pub")),
        format!("/decide/..{}", image("pub")),
        "/decide".to_owned(),
        "/decideiiif/3/pub/full/max/0/default.jpg".to_owned(),
    ] {
        let answer = request(envoy.address, Method::GET, &target, &[], "").await;
        assert_eq!(answer.status, 403, "{target}");
    }
}

/// PX-01: only the front's own words count, each once; a client's of the same name beside them, or those of
/// another kind of front, open nothing.
#[tokio::test]
async fn px_01_the_words_of_others() {
    let upstream = Upstream::new().await;
    let (open, closed) = (image("pub"), image("sec"));
    for kind in ["traefik", "caddy"] {
        let front = Front::of(kind, &upstream).await;
        let (uri, method) = ("x-forwarded-uri", "x-forwarded-method");
        for (path, headers, status) in [
            ("/", &[(uri, &*open), (method, "GET")][..], 200),
            ("/", &[(uri, &*open), (method, "HEAD")], 200),
            ("/", &[(uri, &*closed), (method, "GET")], 401),
            // The path of the question says nothing.
            (&*open, &[(uri, &*closed), (method, "GET")], 401),
            (&*closed, &[(uri, &*open), (method, "GET")], 200),
            ("/", &[], 403),
            (&*open, &[], 403),
            ("/", &[(uri, &*open)], 403),
            ("/", &[(method, "GET")], 403),
            ("/", &[(uri, &*open), (uri, &*open), (method, "GET")], 403),
            ("/", &[(uri, &*open), (uri, &*closed), (method, "GET")], 403),
            ("/", &[(uri, &*open), (method, "GET"), (method, "GET")], 403),
            ("/", &[(uri, &*open), (method, "GET"), (method, "POST")], 403),
            ("/", &[(uri, &*open), (method, "POST")], 403),
            ("/", &[(uri, &*open), (method, "OPTIONS")], 403),
            ("/", &[(uri, &*open), (method, "get")], 403),
            ("/", &[(uri, &*open), (method, "")], 403),
            // nginx's words.
            ("/", &[("x-original-uri", &*open), ("x-original-method", "GET")], 403),
            ("/", &[("x-original-url", &*open), (method, "GET")], 403),
            ("/", &[(uri, &*closed), (method, "GET"), ("x-original-url", &*open)], 401),
            ("/", &[(uri, &*closed), (method, "GET"), ("x_forwarded_uri", &*open)], 401),
            ("/", &[(uri, &*open), (method, "POST"), ("x-original-method", "GET")], 403),
        ] {
            let answer = request(front.address, Method::GET, path, headers, "").await;
            assert_eq!(answer.status, status, "{kind} {path} {headers:?}");
        }
    }
    let front = Front::of("envoy", &upstream).await;
    for name in ["x-forwarded-uri", "x-original-url", "x-original-uri", "x-envoy-original-path"] {
        let answer = front.get(&closed, &[(name, &open), ("x-original-method", "GET")]).await;
        assert_eq!(answer.status, 401, "{name}");
    }
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
        let said = [("x-original-method", "GET"), ("x-forwarded-method", "GET")];
        assert_eq!(front.ask(method.clone(), &open, &said).await.status, 403, "{method}");
    }
    for kind in FRONTS {
        let front = Front::with(kind, &config(upstream.address), "peers = [\"192.0.2.1\"]").await;
        assert_eq!(front.get(&open, &[]).await.status, 403, "{kind}: not listed");
    }
}

/// A question of another kind than the mode's is never a yes, also where the path is open.
#[tokio::test]
async fn px_01_a_mode_believes_its_own_front() {
    let upstream = Upstream::new().await;
    let open = image("pub");
    let by_header = [("x-forwarded-uri", &*open), ("x-forwarded-method", "GET")];
    for kind in ["nginx", "envoy"] {
        let front = Front::with(kind, &config(upstream.address), "").await;
        assert_eq!(request(front.address, Method::GET, "/", &by_header, "").await.status, 403);
    }
}

/// Where the escapes are the front's to hand on: in the one spelling that was decided on.
#[tokio::test]
async fn escapes_and_queries_may_be_allowed() {
    let upstream = Upstream::new().await;
    let text = config(upstream.address)
        .replace("path = \"/iiif/3\"", "path = \"/iiif/3\"\npass_query = true");
    for kind in FRONTS {
        let front = Front::with(kind, &text, "allow_escapes = true").await;
        let cookie = front.proxy.log_in("ada").await;
        let tile = "full/max/0/default.jpg";
        for (target, status) in [
            (format!("/iiif/3/dir%2Fsec/{tile}"), 200),
            (format!("/iiif/3/dir%2fsec/{tile}"), 403),
            (format!("/iiif/3/%73ec/{tile}"), 403),
            (format!("/iiif/3/sec/{tile}"), 200),
            (format!("/iiif/3/sec/{tile}?v=1"), 200),
            (format!("/iiif/3/pub/%2e%2e/sec/{tile}"), 403),
            ("/iiif/3/sec%2Ffull%2Fmax%2F0%2Fdefault.jpg".to_owned(), 403),
            (format!("/iiif/2/sec/{tile}?v=1"), 403),
        ] {
            let answer = front.get(&target, &[("cookie", &cookie)]).await;
            assert_eq!(answer.status, status, "{kind} {target}");
            let path = target.split('?').next().unwrap();
            assert_eq!(answer.header("x-iiif-path"), if status == 200 { path } else { "" });
        }
    }
}

/// Issue 18.7: without a word about it a browser may keep a tile nearly as long as the session lasts, and nobody
/// else may; what is open keeps what the image server says.
#[tokio::test]
async fn what_a_browser_may_keep() {
    let upstream = Upstream::new().await;
    let text =
        with_keys(&config(upstream.address), "content_for_scripts = [\"https://viewer.example\"]");
    for kind in ["nginx", "traefik", "caddy", "envoy"] {
        for (keys, least, most) in [
            ("", 0.9 * 86_400.0, 86_400),
            ("max_age = \"1h\"", 0.9 * 3600.0, 3600),
            ("max_age = \"0s\"", 0.0, 0),
        ] {
            // 24 hours are the most that a session lasts.
            let text = text.replace("users_file", "lifetime = \"24h\"\nusers_file");
            let front = Front::with(kind, &text, keys).await;
            let front = match kind {
                // The path is that of the question.
                "nginx" => Front { kind: "envoy", ..front },
                _ => front,
            };
            let cookie = front.proxy.log_in("ada").await;
            let headers = [("cookie", &*cookie), ("origin", VIEWER)];
            let answer = match kind {
                "nginx" => request(front.address, Method::GET, &image("sec"), &headers, "").await,
                _ => front.get(&image("sec"), &headers).await,
            };
            let kept = answer.header("cache-control");
            assert!(kept.starts_with("private"), "{kind} {keys}: {kept}");
            let age = kept.split("max-age=").nth(1).map_or(0, |age| age.parse::<u32>().unwrap());
            assert!(f64::from(age) >= least && age <= most, "{kind} {keys}: {kept}");
            assert!(answer.header("vary").contains("Cookie"), "{kind}: {}", answer.header("vary"));
            let open = match kind {
                "nginx" => request(front.address, Method::GET, &image("pub"), &headers, "").await,
                _ => front.get(&image("pub"), &headers).await,
            };
            assert_eq!((open.status.as_u16(), open.header("cache-control")), (200, ""), "{kind}");
        }
    }
}

/// With third-party cookies blocked: a refusal asks the browser for the cookie that it keeps back.
#[tokio::test]
async fn a_refusal_asks_for_storage_access() {
    let upstream = Upstream::new().await;
    let text = format!(
        "{}\n[third_party_cookies]\nhand_off = true\nstorage_access = true\n",
        config(upstream.address)
    );
    for kind in FRONTS {
        let front = Front::with(kind, &text, "").await;
        let headers = [
            ("origin", VIEWER),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "cors"),
            ("sec-fetch-dest", "image"),
            ("sec-fetch-storage-access", "inactive"),
        ];
        let (answer, direct) = (
            front.get(&image("sec"), &headers).await,
            front.proxy.get(&image("sec"), &headers).await,
        );
        assert!(direct.header("activate-storage-access").contains("retry"), "{direct:?}");
        for name in ["activate-storage-access", "vary", "access-control-allow-origin"] {
            assert_eq!(answer.header(name), direct.header(name), "{kind} {name}");
        }
        assert_eq!(answer.status, 401);
    }
}

/// RE-01: what cannot be decided is no yes; to Envoy not even an error, for which it may let requests through.
#[tokio::test]
async fn re_01_what_cannot_be_decided() {
    let upstream = Upstream::new().await;
    let text = with_keys(
        &config(upstream.address),
        "authorize_url = \"http://127.0.0.1:1/\"\nauthorize_timeout = \"300ms\"",
    );
    for (kind, status) in [("nginx", 403), ("traefik", 503), ("caddy", 503), ("envoy", 403)] {
        let front = Front::with(kind, &text, "").await;
        let cookie = front.proxy.log_in("ada").await;
        let path = image("elsewhere");
        let headers = [("cookie", &*cookie)];
        let answer = match kind {
            "nginx" => request(front.address, Method::GET, &path, &headers, "").await,
            _ => front.get(&path, &headers).await,
        };
        assert_eq!(answer.status, status, "{kind}");
        assert_eq!(answer.header("x-iiif-path"), "");
    }
}

/// A front that can never get a yes is told why, once; and no line holds what opens something.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_never_is_a_yes_is_said() {
    let upstream = Upstream::new().await;
    for (kind, prefix) in [("nginx", ""), ("caddy", ""), ("envoy", "/decide")] {
        let (folder, port, asked) = (folder(), free_port(), free_port());
        let text = config(upstream.address).replace("127.0.0.1:0", &format!("127.0.0.1:{port}"));
        let keys = if kind == "envoy" { "path_prefix = \"/decide\"" } else { "" };
        let text = format!(
            "{text}\n[forward_auth]\nlisten = \"127.0.0.1:{asked}\"\nfront = \"{kind}\"\n{keys}\n"
        );
        let text = with_keys(&text, "origins = \"any\"")
            .replace("allow = [\"reader\"]", "allow = [\"reader\"]\nsigned_locations = true");
        std::fs::write(folder.join("proxy.toml"), text).unwrap();
        let program = Program::start(command(&folder), port).await;
        let address = SocketAddr::from(([127, 0, 0, 1], asked));
        let secret = "c2VjcmV0LWNhcGFiaWxpdHk";
        for target in [
            "/iiif/3/pub/info.json".to_owned(),
            format!("{}?token={secret}", image("pub")),
            format!("/auth/signed/{secret}{}", image("sec")),
            format!("https://iiif.example/auth/signed/{secret}{}", image("sec")),
        ] {
            for _ in 0..2 {
                let (path, headers) = match kind {
                    "caddy" => (
                        "/".to_owned(),
                        vec![("x-forwarded-uri", &*target), ("x-forwarded-method", "GET")],
                    ),
                    _ if target.starts_with('/') => (format!("{prefix}{target}"), vec![]),
                    _ => continue,
                };
                assert_eq!(request(address, Method::GET, &path, &headers, "").await.status, 403);
            }
        }
        if kind == "caddy" {
            assert_eq!(request(address, Method::GET, &image("pub"), &[], "").await.status, 403);
        }
        let log = program.stop();
        assert!(!log.contains(secret), "{log}");
        let one = |words: &str| log.lines().filter(|line| line.contains(words)).count() == 1;
        assert!(one("reason=\"no tile and no file\"") && one("reason=\"query\""), "{log}");
        assert!(one("/auth/signed/…/iiif/3/sec/full/max/0/default.jpg"), "{log}");
        assert_eq!(one("reason=\"not one X-Forwarded-Uri\""), kind == "caddy", "{log}");
    }
}

#[test]
fn modes_are_switched_on_by_name() {
    let before = format!(
        "{}\n[forward_auth]\nlisten = \"127.0.0.1:0\"\n",
        config("127.0.0.1:1".parse().unwrap())
    );
    let line = before.lines().count() + 1;
    for (keys, said) in [
        ("", ""),
        ("front = \"nginx\"", ""),
        ("front = \"traefik\"", ""),
        ("front = \"caddy\"", ""),
        ("front = \"envoy\"", ""),
        ("front = \"envoy\"\npath_prefix = \"/a/b-c\"", ""),
        ("front = \"Caddy\"", "\"Caddy\" is none of"),
        ("front = \"apache\"", "is none of"),
        ("front = 1", "front: "),
        ("path_prefix = \"/a\"", "goes with front = \"envoy\" alone"),
        ("path_prefix = \"/a\"\nfront = \"caddy\"", "goes with front = \"envoy\" alone"),
        ("path_prefix = \"a\"\nfront = \"envoy\"", "is no prefix of a path"),
        ("path_prefix = \"/\"\nfront = \"envoy\"", "is no prefix of a path"),
        ("path_prefix = \"/a/\"\nfront = \"envoy\"", "is no prefix of a path"),
        ("path_prefix = \"/a?b\"\nfront = \"envoy\"", "is no prefix of a path"),
        ("max_age = \"0s\"", ""),
        ("max_age = \"2d\"", "max_age: "),
    ] {
        let text = format!("{before}{keys}\n");
        match (Config::read(&text, &folder()), said) {
            (Ok(_), "") => {}
            (Err(all), said) if !said.is_empty() => {
                let told = all.iter().any(|own| own.line == line && own.message.contains(said));
                assert!(told, "{keys}: {all}");
            }
            (read, _) => panic!("{keys}: {read:?}"),
        }
    }
}
