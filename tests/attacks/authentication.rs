//! The services of 1.0 and 0.9 under the same attacks: TP, HT, SE, BE, PA and their neighbours.

use bytes::Bytes;
use http::{HeaderName, Method, Response, StatusCode, header};
use tower_iiif_auth::clock::SetClock;
use tower_iiif_auth::protocol::Family;
use tower_iiif_auth::resource::ImageApi;
use tower_iiif_auth::{
    AccessService, IiifAuth, IiifAuthBuilder, LanguageMap, Message, OriginPolicy, Realm, Texts,
};

use crate::common::families::{self, images};
use crate::common::steps::closes;
use crate::common::{
    BASE, COOKIE, Publisher, V, assert_denied, clock, cookie_pair, json, keyring, request, rules,
    set_cookies, text,
};
use crate::html::{assert_no_post, assert_stays, elements, posted};
use crate::session::redirects;
use crate::setup::{Fault, Store, encode, pair, query};

const EVIL: &str = "https://evil.example";
const FLOW: &str = "__Host-iiif-flow";
const FAMILIES: [&str; 2] = ["1", "0"];
const DIGITS: [(&str, &str); 2] = [("1", "/iiif/2/sec"), ("0", "/iiif/0.9/sec")];

/// Every family, with terms and a kiosk beside the login; `texts` are the publisher's.
fn with_terms(clock: &SetClock) -> IiifAuthBuilder {
    let realm = Realm::new()
        .access(AccessService::active("login", "Library"))
        .access(AccessService::click_through("terms", "Library", "Terms").role("A"))
        .access(AccessService::kiosk("room").role("A"));
    IiifAuth::builder(BASE)
        .keyring(keyring())
        .clock(clock.clone())
        .images("/iiif/3")
        .resources(ImageApi::new("/iiif/2").families(Family::V1))
        .resources(ImageApi::new("/iiif/0.9").families(Family::V09))
        .realm(realm)
        .authorizer(rules())
}

fn terms_and_kiosk() -> Publisher {
    let clock = clock();
    Publisher::before(with_terms(&clock), clock, images)
}

async fn token_in(publisher: &Publisher, family: &str, cookie: &str) -> String {
    let response = publisher.get(&format!("/auth/token/{family}"), &[("cookie", cookie)]).await;
    json(&response)["accessToken"].as_str().unwrap_or_else(|| panic!("{response:?}")).to_owned()
}

fn assert_no_cors(response: &Response<Bytes>) {
    let cors = |name: &HeaderName| name.as_str().starts_with("access-control-");
    assert!(!response.headers().keys().any(cors), "{response:?}");
}

/// TP-01: nothing leaves the string that it was put in.
#[tokio::test]
async fn tp_01_a_message_id_stays_a_string() {
    let publisher = families::publisher();
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    for id in [
        "</script><script>alert(1)</script>",
        "\"},\"*\");alert(1);//",
        "</SCRIPT/x><script>alert(1)//",
        "<!--<script>",
        "]]><script>alert(1)</script>",
        "\u{2028}alert(1)\u{2029}",
        "\\u003c/script\\u003e\\",
        "'+alert(1)+'${alert(1)}`",
        "\u{0}\u{8}\t\r\n\u{7f}\u{feff}\u{fffd}",
        "{\"accessToken\":\"x\"}",
        "<base href=//evil.example>",
        "__proto__",
    ] {
        for family in FAMILIES {
            for cookie in [Some(pair(&cookie)), None] {
                let path = format!("/auth/token/{family}?messageId={}&origin={V}", encode(id));
                let headers: Vec<_> = cookie.iter().map(|pair| ("cookie", pair.as_str())).collect();
                let page = publisher.get(&path, &headers).await;
                assert_eq!(page.status(), 200);
                let (message, target) = posted(&page);
                assert_eq!((message["messageId"].as_str(), &*target), (Some(id), V));
                assert_eq!(message.get("accessToken").is_some(), cookie.is_some());
                assert_eq!(message.get("error").is_some(), cookie.is_none());
                assert_stays(&page, BASE);
            }
        }
    }
}

/// TP-01's neighbour: nor does a publisher's own text, wherever it is read.
#[tokio::test]
async fn texts_stay_texts() {
    let hostile = "</script><script>alert(1)</script><!-- \"'}\u{2028}&amp;\\";
    let message = || Message::new(hostile).note(LanguageMap::new("en", hostile));
    let clock = clock();
    let mut texts = Texts::default();
    for text in [
        &mut texts.missing_aspect,
        &mut texts.expired_aspect,
        &mut texts.invalid_origin,
        &mut texts.bad_request,
        &mut texts.granted,
        &mut texts.viewer_refused,
        &mut texts.form_refused,
        &mut texts.gesture,
    ] {
        *text = message();
    }
    texts.close = hostile.into();
    let builder = with_terms(&clock).texts(texts).origins(OriginPolicy::allow([V]).unwrap());
    let publisher = Publisher::before(builder, clock, images);
    let both = format!("{hostile}: {hostile}");
    for family in FAMILIES {
        for (query, cookie) in [
            (query(), "a=b"),
            (query(), "__Host-iiif=junk"),
            (format!("messageId=&origin={V}"), ""),
            (format!("messageId=1&origin={EVIL}"), ""),
        ] {
            let path = format!("/auth/token/{family}?{query}");
            let page = publisher.get(&path, &[("cookie", cookie)]).await;
            let (message, _) = posted(&page);
            assert_eq!(message["description"], both, "{query}");
        }
        let body = publisher.get(&format!("/auth/token/{family}"), &[]).await;
        assert_eq!(json(&body)["description"], both);
        // Pages in the tab: one script of ours at the most, and the text in the tokenizer's eyes.
        for (path, status) in [
            (format!("/auth/terms/{family}"), 200),
            (format!("/auth/terms/{family}?origin={EVIL}"), 403),
            (format!("/auth/room/{family}?origin=x"), 400),
        ] {
            let page = publisher.get(&path, &[]).await;
            assert_eq!(page.status(), status, "{path}");
            let scripts = elements(&page).into_iter().filter(|own| own.name == "script").count();
            assert_eq!(scripts, usize::from(status == 200), "{path}: {}", text(&page));
            assert!(!text(&page).contains("alert(1)</script><!--"));
        }
    }
}

/// TP-08: the object is data, of one object, and no page of another site reads or runs it.
#[tokio::test]
async fn tp_08_no_callback_and_no_script() {
    let publisher = families::publisher();
    let cookie = pair(&publisher.log_in(&["A"], Some(V)).await);
    for family in FAMILIES {
        let mut plain = None;
        for parameter in
            ["", "callback=steal", "jsonp=steal", "cb=steal(", "format=js", "alt=script", "_=steal"]
        {
            for (cookie, status) in [(&*cookie, 200), ("", 401)] {
                for headers in [
                    &[][..],
                    &[("origin", EVIL), ("sec-fetch-site", "cross-site")],
                    &[("origin", "null")],
                    &[("sec-fetch-dest", "script"), ("sec-fetch-mode", "no-cors")],
                    &[("accept", "application/javascript"), ("referer", EVIL)],
                    &[("accept", "text/html")],
                    &[("x-requested-with", "XMLHttpRequest"), ("origin", V)],
                ] {
                    let mut headers = headers.to_vec();
                    headers.push(("cookie", cookie));
                    let path = format!("/auth/token/{family}?{parameter}");
                    let response = publisher.get(&path, &headers).await;
                    assert_eq!(response.status(), status);
                    assert_eq!(response.headers()["content-type"], "application/json");
                    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
                    assert_eq!(response.headers()["cross-origin-resource-policy"], "same-origin");
                    assert_eq!(response.headers()["cache-control"], "no-store");
                    assert_no_cors(&response);
                    for name in ["www-authenticate", "set-cookie", "location", "etag"] {
                        assert!(!response.headers().contains_key(name), "{name}");
                    }
                    assert!(!text(&response).contains("steal"));
                    assert!(text(&response).starts_with('{') && json(&response).is_object());
                    // A parameter that nobody knows changes nothing but the token.
                    let mut headers = response.headers().clone();
                    headers.insert("x-status", status.to_string().parse().unwrap());
                    if status == 200 {
                        assert_eq!(plain.get_or_insert_with(|| headers.clone()), &headers);
                    }
                }
            }
            // With a messageId it is a page, and never data.
            for accept in ["application/json", "*/*"] {
                let path = format!("/auth/token/{family}?{}&{parameter}", query());
                let headers = [("cookie", &*cookie), ("accept", accept), ("origin", EVIL)];
                let page = publisher.get(&path, &headers).await;
                assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
                assert!(posted(&page).0["accessToken"].is_string());
                assert_no_cors(&page);
                assert!(!text(&page).contains("steal"));
            }
        }
    }
}

/// OR-01, OR-02, TP-05: with a messageId there is a target, or nothing is said.
#[tokio::test]
async fn or_01_no_target_no_post() {
    let publisher = families::publisher();
    let cookie = pair(&publisher.log_in(&["A"], None).await);
    for family in FAMILIES {
        for part in [
            "",
            "origin=",
            "origin=*",
            "origin=/",
            "origin=null",
            "origin=https://viewer.example/path",
            "origin=https://viewer.example%0d%0aSet-Cookie:x=1",
            "origin=https://viewer.example@evil.example",
            "origin=javascript:alert(1)",
            "origin=https://viewer.example&origin=https://evil.example",
            "origin=https://viewer.example&or%69gin=https://viewer.example",
        ] {
            for id in ["messageId=m1", "messageId=", "messageId=a&messageId=b"] {
                let path = format!("/auth/token/{family}?{id}&{part}");
                let headers =
                    [("cookie", &*cookie), ("referer", "https://viewer.example/"), ("origin", V)];
                let page = publisher.get(&path, &headers).await;
                assert_no_post(&page, &["evil.example", "viewer.example"]);
                assert_no_cors(&page);
            }
        }
    }
}

/// HT-02: a script reads every answer of a description, and no browser asks for a password.
#[tokio::test]
async fn ht_02_descriptions_on_every_status() {
    for fault in [Fault::None, Fault::Error] {
        let clock = clock();
        let store = Store::new();
        let builder = families::builder(&clock).revocations(store.clone());
        let publisher = Publisher::before(builder, clock, images);
        let cookie = pair(&publisher.log_in(&["A"], Some(V)).await);
        let tokens =
            [token_in(&publisher, "1", &cookie).await, token_in(&publisher, "0", &cookie).await];
        store.fail(fault);
        for late in [0, 301] {
            publisher.clock.advance(std::time::Duration::from_secs(late));
            for bearer in [&tokens[0], &tokens[1], "undefined", "junk"] {
                for (_, resource) in DIGITS {
                    let bearer = format!("Bearer {bearer}");
                    let headers = [("authorization", &*bearer), ("origin", V)];
                    let path = format!("{resource}/info.json");
                    let response = publisher.get(&path, &headers).await;
                    let status = response.status().as_u16();
                    assert!([200, 401, 503].contains(&status), "{response:?}");
                    assert!(fault == Fault::Error || status != 503);
                    let all = response.headers().get_all("access-control-allow-origin");
                    assert_eq!(all.iter().collect::<Vec<_>>(), ["*"]);
                    for name in ["access-control-allow-credentials", "www-authenticate"] {
                        assert!(!response.headers().contains_key(name), "{name}");
                    }
                    if status != 503 {
                        assert_eq!(json(&response)["@id"], format!("{BASE}{resource}"));
                        assert!(json(&response)["service"].is_array());
                    }
                }
            }
        }
    }
}

/// HT-04: nothing of these services is for a script of another origin, but the client identity's
/// answer, which no cookie has a part in.
#[tokio::test]
async fn ht_04_credentialed_cross_origin_read() {
    let publisher = terms_and_kiosk();
    let cookie = pair(&publisher.log_in(&["A"], Some(V)).await);
    for service in ["login", "terms", "room", "token", "logout"] {
        for family in FAMILIES {
            for method in ["GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE"] {
                for origin in [EVIL, "null", V] {
                    let headers = [
                        ("cookie", &*cookie),
                        ("origin", origin),
                        ("sec-fetch-site", "cross-site"),
                        ("sec-fetch-dest", "empty"),
                        ("access-control-request-method", "GET"),
                    ];
                    let method = Method::from_bytes(method.as_bytes()).unwrap();
                    let path = format!("/auth/{service}/{family}");
                    assert_no_cors(&publisher.send(request(method, &path, &headers)).await);
                }
            }
        }
    }
}

/// PA-11: what is not asked for by the right method does nothing.
#[tokio::test]
async fn pa_11_other_methods() {
    let publisher = terms_and_kiosk();
    let cookie = pair(&publisher.log_in(&["A"], Some(V)).await);
    let calls = publisher.calls();
    let headers = [("cookie", &*cookie), ("x-http-method-override", "GET"), ("origin", BASE)];
    for family in FAMILIES {
        for (service, allowed) in [
            ("token", "GET, HEAD"),
            ("terms", "GET, HEAD"),
            ("room", "GET, HEAD"),
            ("logout", "GET, HEAD, POST"),
        ] {
            let path = format!("/auth/{service}/{family}?{}&_method=GET", query());
            for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "FOO"]
            {
                if allowed.contains(method) {
                    continue;
                }
                let method = Method::from_bytes(method.as_bytes()).unwrap();
                let response = publisher.send(request(method.clone(), &path, &headers)).await;
                assert_eq!(response.status(), 405, "{method} {path}");
                assert_eq!(response.headers()[header::ALLOW], allowed);
                assert!(response.body().is_empty() && set_cookies(response.headers()).is_empty());
            }
            // PA-10: HEAD does nothing either.
            let head = publisher.send(request(Method::HEAD, &path, &headers)).await;
            assert_eq!(head.status(), 200);
            assert!(head.body().is_empty() && set_cookies(head.headers()).is_empty(), "{path}");
        }
    }
    assert_eq!(publisher.calls(), calls);
    assert!(!token_in(&publisher, "1", &cookie).await.is_empty(), "the session is as it was");
}

/// PA-06's neighbour: a service answers at its own path and no other spelling of it.
#[tokio::test]
async fn pa_06_paths_of_services() {
    let publisher = terms_and_kiosk();
    let cookie = pair(&publisher.log_in(&["A"], Some(V)).await);
    for tail in [
        "/2", "/1/", "/01", "/1/x", "/1/1", "/-1", "/1.0", "/%31", "/1;x", "/1%2F", "//1", "/./1",
        "/",
    ] {
        for service in ["token", "terms", "room", "logout"] {
            let path = format!("/auth/{service}{tail}");
            for query in [String::new(), format!("?{}", query())] {
                let response =
                    publisher.get(&format!("{path}{query}"), &[("cookie", &cookie)]).await;
                assert!(matches!(response.status().as_u16(), 400 | 404), "{path}: {response:?}");
                assert!(set_cookies(response.headers()).is_empty());
                assert!(!text(&response).contains("accessToken"));
            }
        }
        // PB-01: nor is it a page of the login, and nothing there begins one for a viewer in another
        // family's name.
        let login = publisher.get(&format!("/auth/login{tail}?origin={V}"), &[]).await;
        assert!(matches!(login.status().as_u16(), 400 | 404), "{tail}: {login:?}");
        assert_eq!(cookie_pair(&login, FLOW), None, "{tail}");
    }
    for path in
        ["/AUTH/token/1", "/auth/TOKEN/1", "//auth/token/1", "/auth/%74oken/1", "/auth//token/1"]
    {
        let response = publisher.get(path, &[("cookie", &cookie)]).await;
        assert!(matches!(response.status().as_u16(), 400 | 404), "{path}: {response:?}");
    }
    assert!(!token_in(&publisher, "0", &cookie).await.is_empty(), "nobody was logged out");
}

/// SE-10's neighbour: no image, frame or script of another page gets a browser a session, ends one,
/// or has its viewer remembered.
#[tokio::test]
async fn se_10_only_a_tab_is_granted_to() {
    let publisher = terms_and_kiosk();
    let cookie = pair(&publisher.log_in(&["A"], Some(V)).await);
    for destination in [
        "image",
        "iframe",
        "frame",
        "embed",
        "object",
        "script",
        "style",
        "video",
        "audio",
        "font",
        "empty",
        "fencedframe",
        "worker",
        "manifest",
        "report",
        "",
        "Document",
        "document, image",
    ] {
        for site in ["cross-site", "same-site", "same-origin", "none"] {
            for family in FAMILIES {
                for origin in [String::new(), format!("?origin={EVIL}")] {
                    let headers = [
                        ("cookie", &*cookie),
                        ("sec-fetch-dest", destination),
                        ("sec-fetch-site", site),
                        ("sec-fetch-mode", "no-cors"),
                    ];
                    for service in ["terms", "room"] {
                        let path = format!("/auth/{service}/{family}{origin}");
                        let page = publisher.get(&path, &headers).await;
                        assert_eq!(page.status(), StatusCode::FORBIDDEN, "{destination} {path}");
                        assert!(set_cookies(page.headers()).is_empty());
                        assert!(!closes(&page));
                    }
                    let path = format!("/auth/login/{family}{origin}");
                    let login = publisher.get(&path, &headers).await;
                    assert!(set_cookies(login.headers()).is_empty(), "{destination} {path}");
                    if site != "same-origin" {
                        let path = format!("/auth/logout/{family}{origin}");
                        let logout = publisher.get(&path, &headers).await;
                        assert_eq!(logout.status(), StatusCode::FORBIDDEN);
                        assert!(set_cookies(logout.headers()).is_empty());
                    }
                }
            }
        }
    }
    assert!(!token_in(&publisher, "1", &cookie).await.is_empty(), "the session is as it was");
}

/// SE-11: the redirect to the login stays, whatever goes along.
#[tokio::test]
async fn se_11_no_open_redirect() {
    let publisher = terms_and_kiosk();
    for target in redirects() {
        for target in [target.clone(), encode(&target)] {
            let Ok(_) = format!("/x?{target}").parse::<http::Uri>() else { continue };
            for family in FAMILIES {
                for query in [
                    target.clone(),
                    format!("next={target}"),
                    format!("origin={V}&return_to={target}"),
                    format!("{target}={target}&code={target}"),
                    format!("origin={target}"),
                ] {
                    let path = format!("/auth/login/{family}?{query}");
                    let headers = [("host", "evil.example"), ("x-forwarded-host", "evil.example")];
                    let response = publisher.get(&path, &headers).await;
                    let Some(location) = response.headers().get(header::LOCATION) else {
                        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{path}");
                        assert_stays(&response, BASE);
                        continue;
                    };
                    let location = location.to_str().unwrap();
                    let rest = location.strip_prefix("/auth/login").expect("the login's path");
                    assert!(rest.is_empty() || rest.starts_with('?'), "{location}");
                    // As browsers read it.
                    let resolved = url::Url::parse(BASE).unwrap().join(location).unwrap();
                    assert_eq!(resolved.origin().ascii_serialization(), BASE);
                    assert_eq!(resolved.path(), "/auth/login", "{location}");
                }
            }
        }
    }
}

/// BE-02, BE-04, BE-05, BE-06: a token of theirs is one in one place, and nothing else is one.
#[tokio::test]
async fn be_tokens_of_older_families() {
    let publisher = families::publisher();
    let value = publisher.log_in(&["A"], Some(V)).await;
    let cookie = pair(&value);
    for (family, resource) in DIGITS {
        let token = token_in(&publisher, family, &cookie).await;
        let info = format!("{resource}/info.json");
        for (value, status) in [
            (format!("Bearer {token}"), 200),
            (format!("bearer {token}"), 200),
            (format!("BEARER {token}"), 200),
            (format!("Basic {token}"), 401),
            (format!("Bearer{token}"), 401),
            (format!("Bearer {token} x"), 401),
            (format!("Bearer \"{token}\""), 401),
            (format!("Bearer {token}="), 401),
            (format!("Bearer {token}A"), 401),
            (format!("Bearer {}", &token[..token.len() - 1]), 401),
            (format!("Bearer {value}"), 401),
            ("Bearer undefined".to_owned(), 401),
            ("Bearer".to_owned(), 401),
            (String::new(), 401),
        ] {
            let response = publisher.get(&info, &[("authorization", &value)]).await;
            assert_eq!(response.status(), status, "{value:.30}");
        }
        for path in [
            format!("{info}?token={token}"),
            format!("{info}?access_token={token}"),
            format!("{info}?accessToken={token}"),
            format!("{info}?tier-of={token}"),
        ] {
            assert_eq!(publisher.get(&path, &[]).await.status(), 401, "{path}");
        }
        let as_cookie = pair(&token);
        assert_eq!(publisher.get(&info, &[("cookie", &as_cookie)]).await.status(), 401);
        let bearer = format!("Bearer {token}");
        for headers in [[("authorization", &*bearer)], [("cookie", &*as_cookie)]] {
            for base in ["3", "2", "0.9", "all", "open"] {
                let calls = publisher.calls();
                let tile = format!("/iiif/{base}/sec/full/max/0/default.jpg");
                assert_denied(&publisher.get(&tile, &headers).await, 401);
                assert_eq!(publisher.calls(), calls);
            }
        }
        // BE-07: nor does it ever become a cookie.
        let response = publisher.get(&info, &[("authorization", &bearer)]).await;
        assert!(set_cookies(response.headers()).is_empty());
    }
}

/// CR-01: every bit of a token counts, the family's among them.
#[tokio::test]
async fn cr_01_every_changed_character_is_seen() {
    let publisher = families::publisher();
    let cookie = pair(&publisher.log_in(&["A"], Some(V)).await);
    for (family, resource) in DIGITS {
        let token = token_in(&publisher, family, &cookie).await;
        let info = format!("{resource}/info.json");
        for index in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
            let bearer = format!("Bearer {}", String::from_utf8(changed).unwrap());
            let response = publisher.get(&info, &[("authorization", &bearer)]).await;
            assert_eq!(response.status(), 401, "{index} of {token}");
        }
    }
}

/// SE-04, RE-09: a new login ends the tokens of the one before, in every family; and asking makes
/// nothing that stays.
#[tokio::test]
async fn se_04_a_new_session_ends_older_tokens() {
    let clock = clock();
    let store = Store::new();
    let builder = families::builder(&clock).revocations(store.clone());
    let publisher = Publisher::before(builder, clock, images);
    let cookie = pair(&publisher.log_in(&["A"], Some(V)).await);
    let mut tokens = Vec::new();
    for _ in 0..100 {
        for (family, resource) in DIGITS {
            tokens.push((token_in(&publisher, family, &cookie).await, resource));
        }
    }
    assert_eq!(store.len(), 0, "nothing is stored");
    let headers = [("cookie", &*cookie), ("origin", BASE), ("x-roles", "A")];
    publisher.send(request(Method::POST, "/auth/login", &headers)).await;
    for (token, resource) in tokens {
        let bearer = format!("Bearer {token}");
        let info = format!("{resource}/info.json");
        let response = publisher.get(&info, &[("authorization", &bearer)]).await;
        assert_eq!(response.status(), 401);
    }
    let body = publisher.get("/auth/token/1", &[("cookie", &cookie)]).await;
    assert_eq!(json(&body)["error"], "invalidCredentials");
    assert_eq!(body.status(), 401);
    assert!(cookie.starts_with(COOKIE));
}
