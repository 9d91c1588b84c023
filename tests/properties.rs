//! What holds for every input, tried on many: parsers that strangers feed.

mod common;

use common::families;
use common::readings::{self, Server};
use common::{BASE, COOKIE, Publisher, V, builder, clock, request, text};
use http::{Method, Request, Response};
use http_body_util::Full;
use proptest::prelude::*;
use serde_json::{Map, Value};
use tower_iiif_auth::resource::{Dialect, Files, ImageApi, Resource, ResourceKind, ResourceMap};
use tower_iiif_auth::{AbsoluteUri, LanguageMap, Manifests, Origin};

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn cases(cases: u32) -> ProptestConfig {
    // Nothing is written beside the tests: a failure prints its input, which becomes a test.
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Texts of the characters that parsers stumble over.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-z]{1,6}",
        "[%./;:?#@\\\\ \"'<>{}\\[\\]=&,+*-]{1,4}",
        "%[0-9a-fA-F]{2}",
        "%25[0-9a-fA-F]{2}",
        prop::sample::select(vec![
            "..",
            "%2e%2e",
            "%2F",
            "%5C",
            "%00",
            "info.json",
            "full",
            "max",
            "0",
            "default.jpg",
            "sec",
            "pub",
            "https://",
            "viewer.example",
            ":443",
            "[::1]",
            "127.1",
            "é",
            "\u{202e}",
            "Bearer ",
            "__Host-iiif=",
            "; ",
        ])
        .prop_map(ToOwned::to_owned),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

/// Texts of the pieces by which servers tell names apart, or not.
fn aliases() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a",
        "b",
        "sec",
        "info",
        "full",
        "max",
        "0",
        "/",
        "%2F",
        "%2f",
        ";",
        "%3B",
        "1",
        "2",
        ":",
        "1:2",
        "-",
        "+",
        "%2B",
        "%20",
        " ",
        "_",
        "__",
        "%5F",
        "@",
        "%40",
        "&",
        "%26",
        "FIF=",
        ".",
        "%2e",
        "..",
        "%25",
        "2F",
        "65",
        "%00",
        "#",
        "%23",
        "?",
        "%3F",
        "\\",
        "%5C",
        "0,0,9,9",
        "9,",
        "info.json",
        "default.jpg",
        "ark:",
        "https:",
        ":$",
        "%C3%A9",
        "/full/max/0/default.jpg",
        "%2Ffull%2Fmax",
    ]);
    prop::collection::vec(piece, 1..7).prop_map(|pieces| pieces.concat())
}

/// Each server with the dialect for it.
fn dialects() -> [(Server, Dialect); 6] {
    let cantaloupe = |substitute, four| Server::Cantaloupe { substitute, four };
    [
        (Server::Any, Dialect::general()),
        (Server::IipImage, Dialect::iipimage()),
        (Server::Segments, Dialect::general().several_segments()),
        (cantaloupe(None, false), Dialect::cantaloupe()),
        (cantaloupe(Some("__"), false), Dialect::cantaloupe().slash_substitute("__")),
        (cantaloupe(None, true), Dialect::cantaloupe().scale_by_hyphen()),
    ]
}

/// The same identifier with some of its bytes escaped.
fn respelled(identifier: &str, which: &[bool]) -> String {
    identifier
        .bytes()
        .zip(which.iter().cycle())
        .map(|(byte, escaped)| {
            let must = !byte.is_ascii_alphanumeric() && !b"-._~:".contains(&byte);
            if *escaped || must { format!("%{byte:02x}") } else { char::from(byte).to_string() }
        })
        .collect()
}

proptest! {
    #![proptest_config(cases(512))]

    /// RE-16: an origin that is taken is what a browser would print, and stays so when read again.
    #[test]
    fn origins(text in prop_oneof![hostile(), "https?://[a-zA-Z0-9.:_-]{0,40}/?"]) {
        if let Ok(origin) = text.parse::<Origin>() {
            let url = url::Url::parse(&text).expect("a browser reads it, too");
            prop_assert_eq!(url.origin().ascii_serialization(), origin.as_str());
            prop_assert_eq!(origin.as_str().parse::<Origin>(), Ok(origin.clone()));
            prop_assert!(origin.as_str().len() <= 255);
        }
    }

    /// An absolute URI that is taken is one for browsers, with a host and nobody's password.
    #[test]
    fn absolute_uris(text in prop_oneof![hostile(), "https?://[a-z0-9.:@/?#\\[\\]-]{0,40}"]) {
        if let Ok(uri) = text.parse::<AbsoluteUri>() {
            let url = url::Url::parse(&uri.to_string()).expect("a browser reads it, too");
            prop_assert!(matches!(url.scheme(), "http" | "https"));
            prop_assert!(url.host_str().is_some() && url.username().is_empty());
        }
    }

    /// PA: however an identifier is spelled, it names one resource, or the path is refused.
    #[test]
    fn spellings_of_an_identifier(
        identifier in "[a-zA-Z0-9 /:._~é-]{1,20}",
        which in prop::collection::vec(any::<bool>(), 1..30),
    ) {
        let map = ImageApi::new("/iiif/3");
        let find = |path: &str| {
            let resource = Resource::find(&map, path).ok()?;
            Some((resource.identifier().to_owned(), resource.path()))
        };
        let plain = find(&format!("/iiif/3/{}/info.json", respelled(&identifier, &[false])));
        let other = find(&format!("/iiif/3/{}/info.json", respelled(&identifier, &which)));
        prop_assert_eq!(&plain, &other, "one spelling is read as another resource");
        if let Some((found, path)) = plain {
            prop_assert_eq!(&found, &identifier);
            // The canonical path names the same.
            let again = find(&format!("{path}/info.json"));
            prop_assert_eq!(again, Some((identifier, path)));
        }
    }

    /// PA: no path, however odd, makes a map say something that its own canonical path does not.
    #[test]
    fn odd_paths(path in hostile()) {
        for map in [&ImageApi::new("/iiif/3") as &dyn ResourceMap, &Files::new("/files")] {
            let full = format!("{}/{path}", map.base());
            if let Ok(resource) = Resource::find(map, &full) {
                prop_assert!(!resource.identifier().split('/').any(|part| part == ".." || part.is_empty()));
                prop_assert!(!resource.identifier().bytes().any(|byte| byte.is_ascii_control()));
                let canonical = resource.path();
                let Ok(again) = Resource::find(map, &canonical) else {
                    return Err(TestCaseError::fail(format!("{full} -> {canonical}")));
                };
                prop_assert_eq!(again.identifier(), resource.identifier());
            }
        }
    }

    /// AL: what the rules are asked about is what the server behind opens, by that server's own reading; and
    /// what a proxy sends on is the same to it.
    #[test]
    fn what_is_decided_on_is_what_is_served(
        path in prop_oneof![hostile(), aliases()],
        tail in prop::sample::select(vec!["", "/info.json", "/full/max/0/default.jpg", "/0,0,9,9/9,/0/gray.png"]),
    ) {
        for (server, dialect) in dialects() {
            let map = ImageApi::new("/iiif/3").dialect(dialect);
            let below = format!("{path}{tail}");
            let full = format!("/iiif/3/{below}");
            let Ok(found) = Resource::find(&map, &full) else { continue };
            // The checker answers these itself.
            let is_service = matches!(found.kind(), ResourceKind::ImageService);
            let last = found.identifier().rsplit('/').next().unwrap_or_default();
            if is_service && last.eq_ignore_ascii_case("info.json") {
                continue;
            }
            for file in readings::files(server, &below) {
                prop_assert_eq!(&file, found.identifier(), "{} before {:?}", &full, server);
            }
            let canonical = found.request_path();
            let Ok(again) = Resource::find(&map, &canonical) else {
                return Err(TestCaseError::fail(format!("{full} -> {canonical} before {server:?}")));
            };
            prop_assert_eq!(&again.into_owned(), &found.clone().into_owned(), "{} -> {}", &full, &canonical);
            for file in readings::files(server, canonical.strip_prefix("/iiif/3/").unwrap()) {
                prop_assert_eq!(&file, found.identifier(), "{} -> {} before {:?}", &full, &canonical, server);
            }
        }
    }

    /// AL: however a picture's name is spelled for its server, it is one identifier.
    #[test]
    fn spellings_for_each_server(
        name in "[a-c][a-c .-]{0,3}(/[a-c][a-c ]{0,2}[a-c]){0,2}[a-c]",
        part in prop::sample::select(vec!["", ";2", ";1:2", ";2;1:2"]),
        one in prop::collection::vec(any::<u8>(), 1..24),
        two in prop::collection::vec(any::<u8>(), 1..24),
    ) {
        for (server, dialect) in dialects() {
            let name = match server {
                Server::Cantaloupe { .. } => format!("{name}{part}"),
                _ => name.clone(),
            };
            let map = ImageApi::new("/iiif/3").dialect(dialect);
            let find = |choices: &[u8]| {
                let spelling = readings::spelled(server, &name, |at| choices[at % choices.len()]);
                let path = format!("/iiif/3/{spelling}/info.json");
                let found = Resource::find(&map, &path).ok()?;
                Some((found.identifier().to_owned(), found.path()))
            };
            prop_assert_eq!(find(&one), find(&two), "{} before {:?}", name, server);
        }
    }

    /// A text is found for every reader, and is written as it was given.
    #[test]
    fn language_maps(header in hostile(), text in "\\PC{0,20}", other in "\\PC{0,20}") {
        let map = LanguageMap::new("en", text.clone()).with("de", other.clone());
        let best = map.best(&header);
        prop_assert!(best == text || best == other);
        let json: Value = serde_json::to_value(&map).unwrap();
        prop_assert_eq!(json, serde_json::json!({"en": [text], "de": [other]}));
    }
}

/// Any JSON that is no object of its own kind.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("[a-z@]{1,8}", inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(cases(96))]

    /// RE-16: no junk in `Cookie` or `Authorization` opens anything, and none hides a good cookie.
    #[test]
    fn cookies_and_bearers(junk in hostile(), before in any::<bool>()) {
        let good = |byte: u8| (0x20..0x7f).contains(&byte);
        prop_assume!(junk.bytes().all(good));
        block_on(async {
            let publisher = Publisher::new();
            let live = format!("{COOKIE}={}", publisher.log_in(&["A"], Some(V)).await);
            let path = common::image("sec");
            let status = async |headers: &[(&str, &str)]| publisher.get(&path, headers).await.status();
            assert_eq!(status(&[("cookie", &junk)]).await, 401);
            assert_eq!(status(&[("authorization", &junk)]).await, 401);
            let both = if before { format!("{junk}; {live}") } else { format!("{live}; {junk}") };
            // Up to eight cookies of our name are tried.
            if junk.matches(COOKIE).count() < 8 {
                assert_eq!(status(&[("cookie", &both)]).await, 200, "{both}");
            }
            for probe in ["/auth/probe/iiif/3/sec", "/iiif/3/sec/info.json"] {
                let answer = publisher.get(probe, &[("authorization", &junk)]).await;
                assert_eq!(answer.status(), 200, "{junk}");
            }
        });
    }

    /// PA, RE-16: through all layers, decision(path) = decision(any re-encoding of it), whoever asks.
    #[test]
    fn decisions(
        name in prop::sample::select(vec!["pub", "sec", "sec2", "dir/sec", "nobody-s"]),
        which in prop::collection::vec(any::<bool>(), 1..30),
    ) {
        block_on(async {
            let publisher = Publisher::new();
            let mut cookies = vec![String::new()];
            for role in ["A", "B"] {
                cookies.push(format!("{COOKIE}={}", publisher.log_in(&[role], None).await));
            }
            for cookie in cookies {
                let headers = [("cookie", &*cookie)];
                let status = async |path: String| publisher.get(&path, &headers).await.status();
                for rest in ["full/max/0/default.jpg", "info.json"] {
                    let plain = status(format!("/iiif/3/{}/{rest}", respelled(name, &[false]))).await;
                    let other = status(format!("/iiif/3/{}/{rest}", respelled(name, &which))).await;
                    assert_eq!(plain, other, "{name} {which:?} {cookie}");
                }
                if !name.contains('/') {
                    let plain = status(format!("/files/{name}")).await;
                    let other = status(format!("/files/{}", respelled(name, &which))).await;
                    assert_eq!(plain, other, "{name} {which:?} {cookie}");
                }
            }
        });
    }

    /// CR-01, RE-16: a sealed value is good as it was given, and changed in any way for nothing.
    #[test]
    fn sealed_values(
        at in any::<prop::sample::Index>(),
        taken in 0..4_usize,
        put in "[A-Za-z0-9_=.~%-]{0,4}",
        spaces in 1..4_usize,
        scheme in "[bB][eE][aA][rR][eE][rR]",
    ) {
        let change = |value: &str| {
            let start = at.index(value.len() + 1);
            let end = (start + taken).min(value.len());
            format!("{}{put}{}", &value[..start], &value[end..])
        };
        block_on(async {
            let publisher = Publisher::new();
            let cookie = publisher.log_in(&["A"], Some(V)).await;
            let token = publisher.token(&cookie).await;
            for (cookie, is_good) in [(&cookie, true), (&change(&cookie), change(&cookie) == cookie)] {
                let pair = format!("{COOKIE}={cookie}");
                let tile = publisher.get(&common::image("sec"), &[("cookie", &pair)]).await;
                assert_eq!(tile.status(), if is_good { 200 } else { 401 }, "{cookie}");
            }
            for (token, is_good) in [(&token, true), (&change(&token), change(&token) == token)] {
                let field = format!("{scheme}{}{token}", " ".repeat(spaces));
                let result = publisher.probe("/iiif/3/sec", &[("authorization", &field)]).await;
                assert_eq!(result["status"], if is_good { 200 } else { 401 }, "{field}");
            }
        });
    }

    /// RE-16: query parameters end in a message, a body or a page, and in no panic and no script of
    /// theirs.
    #[test]
    fn token_requests(query in hostile(), value in hostile()) {
        block_on(async {
            let publisher = families::publisher();
            for path in ["/auth/token", "/auth/token/1", "/auth/token/0", "/auth/login", "/auth/login/1"] {
                for query in [query.clone(), format!("messageId={value}&origin={V}"), format!("origin={value}")] {
                    let Ok(uri) = format!("{path}?{query}").parse::<http::Uri>() else { continue };
                    let mut request = request(Method::GET, "/", &[]);
                    *request.uri_mut() = uri;
                    let answer = publisher.send(request).await;
                    assert!(answer.status().as_u16() < 500, "{path}?{query}");
                    let html = text(&answer);
                    assert!(html.matches("<script>").count() <= 1, "{html}");
                }
            }
        });
    }

    /// RE-16: describing changes `@context` and `service` and nothing else, and once is as good as twice.
    #[test]
    fn descriptions(document in prop::collection::btree_map("[a-zA-Z@]{1,10}", any_json(), 0..6)) {
        let mut document: Map<String, Value> = document.into_iter().collect();
        document.insert("@context".into(), "http://iiif.io/api/image/3/context.json".into());
        document.remove("service");
        block_on(async {
            let served = |document: Value| {
                let clock = clock();
                let body = document.to_string();
                let answer = move |_: &Request<common::Body>| Response::new(Full::from(body.clone()));
                Publisher::before(builder(&clock), clock, answer)
            };
            let once = served(Value::Object(document.clone())).get("/iiif/3/sec/info.json", &[]).await;
            let once: Value = serde_json::from_slice(once.body()).unwrap();
            for (name, value) in &document {
                if name != "@context" {
                    assert_eq!(&once[name], value);
                }
            }
            assert_eq!(once["service"].as_array().map(Vec::len), Some(1));
            let twice = served(once.clone()).get("/iiif/3/sec/info.json", &[]).await;
            assert_eq!(serde_json::from_slice::<Value>(twice.body()).unwrap(), once, "{BASE}");
        });
    }
}

/// Something like a manifest: any JSON, with ids of this publisher's strewn in, spelled in any way.
fn any_manifest() -> impl Strategy<Value = Value> {
    let sample = |texts: &[&str]| {
        let texts: Vec<String> = texts.iter().map(|&text| text.to_owned()).collect();
        prop::sample::select(texts)
    };
    let id = sample(&[
        "https://iiif.example/files/sec",
        "https://iiif.example/files/sec#t=1",
        "https://iiif.example/files/dir/sec",
        "https://iiif.example/files/pub",
        "https://iiif.example/iiif/3/sec",
        "https://iiif.example/iiif/3/sec/full/max/0/default.jpg",
        "https://else.example/files/sec",
    ]);
    let name =
        sample(&["id", "@id", "type", "service", "items", "body", "thumbnail", "é\"\\", "x"]);
    let kind = sample(&["Manifest", "Canvas", "ImageService3", "Video", "AnnotationPage"]);
    let leaf = prop_oneof![
        3 => id.prop_map(Value::from),
        1 => kind.prop_map(Value::from),
        1 => any_json(),
    ];
    let tree = leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(name.clone(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    prop::collection::vec(tree, 0..5).prop_map(|items| {
        let context = "http://iiif.io/api/presentation/3/context.json";
        serde_json::json!({"@context": context, "type": "Manifest", "items": items})
    })
}

/// Without what the describer puts in; a lone service is in an array, and no service is none.
fn undescribed(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(undescribed),
        Value::Object(members) => {
            members.values_mut().for_each(undescribed);
            if let Some(service) = members.get_mut("service") {
                let services = match service.take() {
                    Value::Array(services) => services,
                    Value::Null => Vec::new(),
                    one => vec![one],
                };
                let ours = |own: &Value| {
                    own["type"] == "AuthProbeService2"
                        && own["id"].as_str().is_some_and(|id| id.starts_with(BASE))
                };
                let rest: Vec<_> = services.into_iter().filter(|own| !ours(own)).collect();
                *service = rest.into();
                if service.as_array().is_some_and(Vec::is_empty) {
                    members.remove("service");
                }
            }
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(cases(256))]

    /// Whatever a manifest is made of, services are put in and nothing else changes; once is as good as
    /// twice, to the byte; what is protected and found is declared.
    #[test]
    fn manifests(document in any_manifest(), pretty in any::<bool>(), images in any::<bool>()) {
        let written = |value: &Value| {
            if pretty { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) }
        };
        block_on(async {
            let described = async |body: String| {
                let (clock, settings) = (clock(), Manifests::at("/m"));
                let settings = if images { settings.images() } else { settings };
                let builder = builder(&clock).manifests(settings).public_paths(["/m"]);
                let answer = move |_: &Request<common::Body>| Response::new(Full::from(body.clone()));
                let response = Publisher::before(builder, clock, answer).get("/m", &[]).await;
                assert_eq!(response.status(), 200);
                text(&response).to_owned()
            };
            let before = written(&document).unwrap();
            let once = described(before.clone()).await;
            assert_eq!(described(once.clone()).await, once);
            let mut after: Value = serde_json::from_str(&once).unwrap();
            let services = once.matches("AuthProbeService2").count();
            if services == 0 {
                assert_eq!(once, before);
            } else {
                let contexts = after["@context"].as_array_mut().expect("the 2.0 context is there");
                assert_eq!(contexts.remove(0), "http://iiif.io/api/auth/2/context.json");
                after["@context"] = document["@context"].clone();
            }
            let mut document = document.clone();
            undescribed(&mut document);
            undescribed(&mut after);
            assert_eq!(after, document);
        });
    }
}
