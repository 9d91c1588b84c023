//! SE: cookies, logins and logouts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};
use tower_iiif_auth::access::{AccessDeclined, AccessFlow, AccessGrant};
use tower_iiif_auth::authorizer::{AccessRequest, from_fn};
use tower_iiif_auth::clock::{SetClock, Timestamp};
use tower_iiif_auth::{
    AccessCookie, AccessService, ConfigError, ConfigErrors, IiifAuth, IiifAuthBuilder, Keyring,
    Message, Realm, SameSite,
};

use crate::common::steps::{action, fields, policy};
use crate::common::{
    BASE, Body, COOKIE, Publisher, V, assert_denied, builder, clock, cookie_pair, form, image,
    image_server, key, keyring, request, rules, set_cookie_value, set_cookies, text,
};
use crate::html::{assert_error, assert_stays, elements, posted};
use crate::setup::{Fault, Store, authorized, encode, pair, query, token_page};

/// Logs in with a flow cookie at hand.
pub async fn log_in_with(publisher: &Publisher, flow: &str, roles: &[&str]) -> String {
    let response = log_in_by(publisher, &[("cookie", flow), ("origin", BASE)], roles).await;
    set_cookie_value(&response, COOKIE).unwrap_or_else(|| panic!("{response:?}"))
}

/// What the login form is answered with.
async fn log_in_by(
    publisher: &Publisher,
    headers: &[(&str, &str)],
    roles: &[&str],
) -> Response<Bytes> {
    let roles = roles.join(",");
    let mut headers = headers.to_vec();
    headers.push(("x-roles", &roles));
    publisher.send(request(Method::POST, "/auth/login", &headers)).await
}

async fn image_status(publisher: &Publisher, cookie: &str) -> u16 {
    publisher.get(&image("sec"), &[("cookie", cookie)]).await.status().as_u16()
}

/// The fixture with terms and a kiosk beside its logins.
fn with_all_services(clock: &SetClock) -> IiifAuthBuilder {
    builder(clock)
        .realm(
            Realm::named("terms").access(
                AccessService::click_through("accept", "Terms", Message::new("Terms of use"))
                    .protects(["letters"]),
            ),
        )
        .realm(Realm::named("room").access(AccessService::kiosk("kiosk").protects(["maps"])))
}

/// SE-01: one cookie, these attributes and no others.
#[tokio::test]
async fn se_01_set_cookie() {
    let publisher = Publisher::new();
    for passed in [0, 500] {
        publisher.clock.advance(std::time::Duration::from_millis(passed));
        let response = log_in_by(&publisher, &[("origin", BASE)], &["A"]).await;
        let cookies = set_cookies(response.headers());
        let ours: Vec<_> = cookies.iter().filter(|own| own.starts_with("__Host-iiif=")).collect();
        let [ours] = ours[..] else { panic!("{cookies:?}") };
        let mut attributes: Vec<_> = ours.split("; ").skip(1).collect();
        attributes.sort_unstable();
        assert_eq!(attributes, ["HttpOnly", "Max-Age=600", "Path=/", "SameSite=None", "Secure"]);
        // The other one forgets the login in progress.
        assert_eq!(cookies.len(), 2, "{cookies:?}");
        assert!(cookies[1].starts_with("__Host-iiif-flow=; ") && cookies[1].contains("Max-Age=0"));
        assert!(!text(&response).contains(&set_cookie_value(&response, COOKIE).unwrap()));
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    }
}

/// SE-02: what browsers would drop, and names that would clash, are refused at build.
#[test]
fn se_02_rules_at_build() {
    let of = |url: &str, realm: Realm| {
        IiifAuth::builder(url)
            .keyring(keyring())
            .images("/iiif/3")
            .authorizer(rules())
            .realm(realm.access(AccessService::active("login", "Library")))
            .build()
    };
    let https = BASE;
    let http = "http://localhost:3000";
    let cookie = AccessCookie::new;
    for (url, cookie, good) in [
        (https, cookie(), true),
        (http, cookie(), true),
        (https, cookie().name("__Host-x").domain("iiif.example"), false),
        (https, cookie().name("__HOST-x").domain("iiif.example"), false),
        (https, cookie().name("__Host-x").path("/a"), false),
        (https, cookie().name("__host-x").path("/auth"), false),
        (http, cookie().name("__Host-x"), false),
        (http, cookie().name("__host-x"), false),
        (http, cookie().name("__Secure-x"), false),
        (http, cookie().name("__secure-x"), false),
        (http, cookie().name("__Host-Http-x"), false),
        (http, cookie().name("__Http-x"), false),
        (http, cookie().same_site(SameSite::None), false),
        (https, cookie().same_site(SameSite::None), true),
        (https, cookie().name("__Host-Http-x"), true),
        (https, cookie().name("__Host-Http-x").domain("iiif.example"), false),
        (https, cookie().domain("example"), true),
        (https, cookie().domain("evil.example"), false),
        (https, cookie().domain(""), false),
        (https, cookie().domain("iiif.example; Domain=x"), false),
        (https, cookie().path("/; Domain=x"), false),
        (https, cookie().path("/iiif"), false),
        (https, cookie().path(""), false),
        (https, cookie().name("x; Domain=evil"), false),
        (https, cookie().name("x\r\ny"), false),
        (https, cookie().name("ü"), false),
        // The flow cookie's own name.
        (https, cookie().name("__Host-iiif-flow"), false),
        (http, cookie().name("iiif-flow"), false),
    ] {
        let built = of(url, Realm::new().aspect(cookie.clone()));
        assert_eq!(built.is_ok(), good, "{url} {cookie:?}: {built:?}");
    }
    // A realm called `flow` would have the flow cookie for its access cookie.
    let flow = Realm::named("flow");
    let twice = |built: Result<IiifAuth, ConfigErrors>| {
        matches!(built.unwrap_err().first(), ConfigError::CookieTwice(_))
    };
    assert!(twice(of(https, flow.clone())));
    assert!(twice(of(http, flow)));
}

/// SE-03: as large as browsers keep, and not a byte more.
#[tokio::test]
async fn se_03_size() {
    // Fourteen bytes: base64 has values of 4082 and of 4083 characters, and of no 4085.
    let name = "__Host-iiif-ab";
    let clock = clock();
    let builder = IiifAuth::builder(BASE)
        .keyring(keyring())
        .clock(clock.clone())
        .images("/iiif/3")
        .realm(
            Realm::new()
                .access(AccessService::active("login", "Library"))
                .aspect(AccessCookie::new().name(name)),
        )
        .authorizer(rules());
    let publisher = Publisher::of(builder, clock);
    let mut largest = 0;
    let mut refused = 0;
    for more in 0..400 {
        // Eleven long roles and one that grows.
        let mut roles: Vec<String> = (0..11).map(|n| format!("{n:0>250}")).collect();
        roles.push("r".repeat(1 + more % 200));
        roles.push("s".repeat(1 + more / 200 * 100));
        let roles: Vec<_> = roles.iter().map(String::as_str).collect();
        let response = log_in_by(&publisher, &[("origin", BASE)], &roles).await;
        if let Some(pair) = cookie_pair(&response, name) {
            assert_eq!(response.status(), 200);
            let size = pair.len() - 1;
            assert!(size <= 4096, "{size}");
            let tile = publisher.get(&image("sec"), &[("cookie", &pair)]).await;
            assert_eq!(tile.status(), 403, "it is read back, and has no role A");
            largest = largest.max(size);
        } else {
            assert_eq!(response.status(), 500, "too large is an error of ours");
            assert!(set_cookies(response.headers()).iter().all(|own| !own.starts_with(name)));
            assert!(!elements(&response).iter().any(|own| own.name == "script"));
            refused += 1;
        }
    }
    assert_eq!(largest, 4096);
    assert!(refused > 0);
}

/// SE-04: nothing that was there before a login is the session after it.
#[tokio::test]
async fn se_04_fixation() {
    let publisher = Publisher::new();
    let forged = "A".repeat(120);
    let other_key = Publisher::of(
        builder(&publisher.clock)
            .keyring(tower_iiif_auth::Keyring::from_bytes(&crate::common::key(9)).unwrap()),
        publisher.clock.clone(),
    );
    let strange = other_key.log_in(&["A"], None).await;
    for sent in ["attacker", &forged, &strange] {
        let headers = [("origin", BASE), ("cookie", &*pair(sent))];
        let response = log_in_by(&publisher, &headers, &["A"]).await;
        let made = set_cookie_value(&response, COOKIE).unwrap();
        assert_ne!(made, sent);
        assert_eq!(image_status(&publisher, &pair(&made)).await, 200);
        assert_eq!(image_status(&publisher, &pair(sent)).await, 401);
    }
    // A second login, also with other roles, ends the first session and its tokens.
    let first = publisher.log_in(&["A"], Some(V)).await;
    let token = publisher.token(&first).await;
    for roles in [&["A"][..], &["B"], &[]] {
        let headers = [("origin", BASE), ("cookie", &*pair(&first))];
        let second = log_in_by(&publisher, &headers, roles).await;
        let second = set_cookie_value(&second, COOKIE).unwrap();
        assert_ne!(first, second);
        assert_eq!(image_status(&publisher, &pair(&first)).await, 401);
        assert_eq!(authorized(&publisher, "sec", &format!("Bearer {token}")).await, 401);
        let expected = if roles.contains(&"A") { 200 } else { 403 };
        assert_eq!(image_status(&publisher, &pair(&second)).await, expected);
    }
}

/// SE-06: a junk cookie beside the good one is no denial of service.
#[tokio::test]
async fn se_06_duplicates() {
    let publisher = Publisher::new();
    let good = pair(&publisher.log_in(&["A"], Some(V)).await);
    let junk = pair("junk");
    let expired_elsewhere = pair(&"A".repeat(200));
    for fields in [
        vec![format!("{junk}; {good}")],
        vec![format!("{good}; {junk}")],
        vec![junk.clone(), good.clone()],
        vec![good.clone(), junk.clone()],
        vec![format!("{junk}; {expired_elsewhere}; {good}")],
        vec![format!("{good}; {good}")],
        vec![format!("a=b; {COOKIE}=; {good}")],
        vec![format!("{};{good}", "x=y; ".repeat(200))],
    ] {
        let fields: Vec<_> = fields.iter().map(|field| ("cookie", field.as_str())).collect();
        let tile = publisher.get(&image("sec"), &fields).await;
        assert_eq!(tile.status(), 200, "{fields:?}");
        let page = publisher.get(&format!("/auth/token?{}", query()), &fields).await;
        assert!(posted(&page).0["accessToken"].is_string());
        let logout = publisher.get("/auth/logout", &[("cookie", &junk)]).await;
        assert_eq!(logout.status(), 200);
        assert_eq!(image_status(&publisher, &good).await, 200, "junk logs nobody out");
    }
}

/// SE-08: what is not quite the cookie.
#[tokio::test]
async fn se_08_odd_cookie_headers() {
    let publisher = Publisher::new();
    let value = publisher.log_in(&["A"], Some(V)).await;
    let calls = publisher.calls();
    let many = "x=y; ".repeat(10_000);
    for field in [
        format!("={value}"),
        COOKIE.to_owned(),
        format!("{COOKIE}; {value}"),
        format!("__host-iiif={value}"),
        format!("__HOST-IIIF={value}"),
        format!("x={COOKIE}={value}"),
        format!("x=\"{COOKIE}={value}\""),
        format!("{COOKIE} ={value}"),
        format!("{COOKIE}= {value}"),
        format!("{COOKIE}==\t{value}"),
        format!("{COOKIE}=={value}"),
        format!("{COOKIE}=\"{value}\""),
        format!("{COOKIE},{COOKIE}={value}"),
        format!("x=y,{COOKIE}={value}"),
        format!("$Version=1,{COOKIE}={value}"),
        format!("{COOKIE}%3D{value}"),
        format!("__Host-iiif%2D={value}"),
        format!("__Host-iiif-other={value}"),
        format!("__Host-iif={value}"),
        format!("iiif={value}"),
        format!("{COOKIE}={value}\u{a0}"),
        many.clone(),
        format!("{};", "=".repeat(60_000)),
        ";".repeat(60_000),
    ] {
        let mut asked = request(Method::GET, &image("sec"), &[]);
        let header = HeaderValue::from_bytes(field.as_bytes()).unwrap();
        asked.headers_mut().insert(header::COOKIE, header);
        let tile = publisher.send(asked).await;
        assert_denied(&tile, 401);
    }
    assert_eq!(publisher.calls(), calls);
    // White space before a pair is the grammar's own, and ten thousand pairs are only read.
    for field in [format!("a=b;   {COOKIE}={value}"), format!("{many}{COOKIE}={value}")] {
        assert_eq!(image_status(&publisher, &field).await, 200);
    }
}

/// SE-09: a login that is none sets nothing and writes nothing.
#[tokio::test]
async fn se_09_no_grant_no_cookie() {
    for status in [200, 204, 302, 303, 400, 401, 403, 500, 503] {
        let clock = clock();
        let store = Store::new();
        let answer = move |_: &http::Request<Body>| {
            let mut response = Response::new(Body::from("no"));
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            response
        };
        let builder = builder(&clock).revocations(store.clone());
        let publisher = Publisher::before(builder, clock, answer);
        let response = log_in_by(&publisher, &[("origin", BASE)], &["A"]).await;
        assert_eq!(response.status(), status);
        assert!(cookie_pair(&response, COOKIE).is_none());
        assert_eq!((store.calls(), store.len()), (0, 0));
    }
    // Giving up closes the tab, and that is all.
    let clock = clock();
    let publisher = Publisher::before(builder(&clock), clock, |_| {
        let mut response = Response::new(Body::from("secret page of the application"));
        response.extensions_mut().insert(AccessDeclined);
        response
    });
    let response = log_in_by(&publisher, &[("origin", BASE)], &["A"]).await;
    assert!(cookie_pair(&response, COOKIE).is_none());
    assert!(!text(&response).contains("secret page"));
    // Nor does a response on a content path log anybody in, whatever it carries.
    let clock = crate::common::clock();
    let publisher = Publisher::before(builder(&clock), clock, |_| {
        let mut response = Response::new(Body::from("image bytes"));
        response.extensions_mut().insert(AccessGrant::to("u1").role("A"));
        response
    });
    for path in [image("pub"), "/iiif/3/pub/info.json".to_owned(), image("sec")] {
        let response = publisher.send(form(&path, &[], "")).await;
        assert!(!response.headers().contains_key(header::SET_COOKIE), "{path}: {response:?}");
    }
}

/// SE-10: a foreign page cannot log a user in.
#[tokio::test]
async fn se_10_login_by_a_foreign_page() {
    let clock = clock();
    let publisher = Publisher::of(with_all_services(&clock), clock);
    let path = "/auth/terms/accept";
    let name = "__Host-iiif-terms";
    let page = publisher.get(&format!("{path}?origin={V}"), &[]).await;
    let flow = cookie_pair(&page, "__Host-iiif-flow").unwrap();
    let fields = fields(&page);
    let accept = format!("{fields}accept");
    let foreign = [
        &[("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")][..],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("origin", "http://iiif.example")],
        &[("origin", "https://iiif.example.evil.com")],
        &[("origin", "https://iiif.example:8443")],
        &[("origin", "")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "none")],
        &[("sec-fetch-site", "bogus")],
        &[("sec-fetch-site", "cross-site"), ("origin", BASE)],
    ];
    for headers in foreign {
        let mut headers = headers.to_vec();
        headers.push(("cookie", &flow));
        let mut posted = request(Method::POST, path, &headers);
        *posted.body_mut() = Body::from(accept.clone());
        let response = publisher.send(posted).await;
        assert_eq!(response.status(), 403, "{headers:?}");
        assert!(cookie_pair(&response, name).is_none(), "{headers:?}");
    }
    // From here, and yet not the form that this browser was shown.
    let other = publisher.get(&format!("{path}?origin={V}"), &[]).await;
    let other_flow = cookie_pair(&other, "__Host-iiif-flow").unwrap();
    for (cookie, body) in [
        ("", &*accept),
        (&*other_flow, &accept),
        (&flow, "decision=accept"),
        (&flow, "secret=&decision=accept"),
        (&flow, "secret=AAAAAAAAAAAAAAAAAAAAAA&decision=accept"),
        (&flow, &format!("{accept}&secret=x")),
        (&flow, &format!("{accept}&decision=accept")),
        (&flow, fields.trim_end_matches("&decision=")),
        (&flow, ""),
        (&flow, &"a".repeat(20_000)),
    ] {
        let headers: Vec<_> =
            Some(("cookie", cookie)).filter(|_| !cookie.is_empty()).into_iter().collect();
        let response = publisher.send(form(path, &headers, body)).await;
        assert_eq!(response.status(), 403, "{body:.60}");
        assert!(cookie_pair(&response, name).is_none());
    }
    let response = publisher.send(form(path, &[("cookie", &flow)], &accept)).await;
    assert_eq!(response.status(), 200);
    assert!(cookie_pair(&response, name).is_some());
}

/// SE-10: neither by the application's login, whose answer waits for a click that a foreign page
/// cannot make.
#[tokio::test]
async fn se_10_a_grant_waits_for_a_click() {
    let publisher = Publisher::new();
    let foreign = [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
    let gesture = log_in_by(&publisher, &foreign, &["A"]).await;
    assert!(cookie_pair(&gesture, COOKIE).is_none());
    assert_eq!(action(&gesture), "/auth/continue");
    assert!(policy(&gesture).contains("frame-ancestors 'none'"));
    let flow = cookie_pair(&gesture, "__Host-iiif-flow").unwrap();
    let body = fields(&gesture);
    // Not by the foreign page, not in another browser, not without the cookie, not by GET.
    for headers in [
        &[("cookie", &*flow), ("sec-fetch-site", "cross-site")][..],
        &[("cookie", &*flow), ("origin", "https://evil.example")],
        &[("cookie", &*flow), ("origin", "null")],
        &[("sec-fetch-site", "same-origin")],
    ] {
        let mut posted = request(Method::POST, "/auth/continue", headers);
        *posted.body_mut() = Body::from(body.clone());
        let response = publisher.send(posted).await;
        assert_eq!(response.status(), 403, "{headers:?}");
        assert!(cookie_pair(&response, COOKIE).is_none());
    }
    let other = log_in_by(&publisher, &foreign, &["A"]).await;
    let other = cookie_pair(&other, "__Host-iiif-flow").unwrap();
    let response = publisher.send(form("/auth/continue", &[("cookie", &other)], &body)).await;
    assert_eq!(response.status(), 403);
    let path = format!("/auth/continue?{body}");
    assert_eq!(publisher.get(&path, &[("cookie", &flow)]).await.status(), 405);
    // An access cookie, a token or a flow is no grant, and a grant no cookie.
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    let token = publisher.token(&cookie).await;
    let flow_value = flow.split_once('=').unwrap().1;
    for value in [&*cookie, &token, flow_value, "", "x"] {
        let body = format!("grant={value}");
        let response = publisher.send(form("/auth/continue", &[("cookie", &flow)], &body)).await;
        assert_eq!(response.status(), 403);
    }
    let grant = body.split(['=', '&']).nth(1).unwrap();
    assert_eq!(image_status(&publisher, &pair(grant)).await, 401);
    assert_eq!(authorized(&publisher, "sec", &format!("Bearer {grant}")).await, 401);
    // The user's own click.
    let response = publisher.send(form("/auth/continue", &[("cookie", &flow)], &body)).await;
    let made = set_cookie_value(&response, COOKIE).unwrap();
    assert_eq!(image_status(&publisher, &pair(&made)).await, 200);
    // After a logout the same click brings nothing back.
    publisher.get("/auth/logout", &[("cookie", &pair(&made))]).await;
    let replayed = publisher.send(form("/auth/continue", &[("cookie", &flow)], &body)).await;
    assert!(cookie_pair(&replayed, COOKIE).is_none_or(|own| own == format!("{COOKIE}=")));
    assert_eq!(image_status(&publisher, &pair(&made)).await, 401);
    // Nor after ten minutes.
    let gesture = log_in_by(&publisher, &foreign, &["A"]).await;
    let flow = cookie_pair(&gesture, "__Host-iiif-flow").unwrap();
    publisher.clock.advance(std::time::Duration::from_secs(600));
    let late = form("/auth/continue", &[("cookie", &flow)], &fields(&gesture));
    assert_eq!(publisher.send(late).await.status(), 403);
}

/// Ways to write another site, as open redirects have been found with.
pub fn redirects() -> Vec<String> {
    let hosts =
        ["evil.example", "iiif.example@evil.example", "iiif.example.evil.example", "3627734734"];
    let shapes = [
        "https://{}",
        "http://{}/",
        "//{}",
        "///{}",
        "////{}//",
        "/\\{}",
        "\\\\{}",
        "/\\/\\{}/",
        "/%09/{}",
        "/%5c{}",
        "//%5c{}",
        "/%2f%2f{}",
        "/%2f%5c%2f{}",
        "https:{}",
        "https:/{}",
        "https:///{}/%2e%2e",
        "//{}/%2f..",
        "/https://{}",
        "/http:%5c%5c{}",
        "//;@{}",
        "@{}",
        ".{}",
        "https://{}%23.iiif.example",
        "https://{}%5c.iiif.example",
        "https://iiif.example+@{}",
        "//{}%00.iiif.example",
        "//{}%E3%80%82x",
        "/x:1/:///%01https://{}",
        "%0d%0aLocation: //{}",
        "\t//{}",
        " https://{}",
        "https://[::ffff:{}]",
        "/auth/../..//{}",
        "<>//{}",
        "javascript:'{}'",
        "jav%09ascript:'{}'",
        "data:text/html,{}",
        "\";location='//{}';//",
        "'><base href=//{}>",
    ];
    let mut all = Vec::new();
    for shape in shapes {
        all.extend(hosts.iter().map(|host| shape.replace("{}", host)));
    }
    all
}

/// SE-11: no parameter leads elsewhere.
#[tokio::test]
async fn se_11_no_open_redirect() {
    let clock = clock();
    let publisher = Publisher::of(with_all_services(&clock), clock);
    let names =
        ["redirect", "return_to", "next", "rd", "url", "continue", "returnUrl", "RelayState"];
    for (index, target) in redirects().iter().enumerate() {
        let name = names[index % names.len()];
        for target in [target.clone(), encode(target)] {
            let Ok(_) = format!("/x?{target}").parse::<http::Uri>() else { continue };
            for path in [
                "/auth/login",
                "/auth/terms/accept",
                "/auth/room/kiosk",
                "/auth/logout",
                "/auth/other/logout",
            ] {
                let asked = format!("{path}?origin={V}&{name}={target}");
                let page = publisher.get(&asked, &[]).await;
                assert_stays(&page, BASE);
                assert!(!text(&page).contains("evil.example"), "{asked}: {}", text(&page));
                let page = publisher.get(&format!("{path}?origin={target}"), &[]).await;
                assert_stays(&page, BASE);
            }
            for path in
                [format!("/iiif/3/sec?{name}={target}"), format!("/iiif/3/{}", encode(&target))]
            {
                assert_stays(&publisher.get(&path, &[]).await, BASE);
            }
            let grant =
                log_in_by(&publisher, &[("origin", BASE), ("referer", "//evil.example")], &["A"])
                    .await;
            assert_stays(&grant, BASE);
        }
    }
    // Whatever the host and forwarding headers say.
    let headers = [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("forwarded", "host=evil.example"),
        ("x-original-host", "evil.example"),
    ];
    for path in ["/iiif/3/sec", "/auth/login", "/auth/terms/accept", "/auth/logout"] {
        let page = publisher.get(path, &headers).await;
        assert_stays(&page, BASE);
        assert!(!text(&page).contains("evil.example"), "{path}");
    }
}

/// SE-12: no page is framed, and the viewer keeps its handle on the tab.
#[tokio::test]
async fn se_12_frames_and_openers() {
    let clock = clock();
    let store = Store::new();
    let builder = with_all_services(&clock).revocations(store.clone());
    let publisher = Publisher::before(builder, clock, |request| {
        let path = request.uri().path();
        if path == "/auth/login/away"
            || path == "/auth/login" && request.uri().query().is_some_and(|q| q.contains("away"))
        {
            let mut response = Response::new(Body::default());
            *response.status_mut() = StatusCode::FOUND;
            let away = HeaderValue::from_static("https://idp.example/");
            response.headers_mut().insert(header::LOCATION, away);
            let policy = HeaderValue::from_static("default-src 'self'");
            response.headers_mut().insert("content-security-policy", policy);
            let coop = HeaderValue::from_static("same-origin");
            response.headers_mut().insert("cross-origin-opener-policy", coop);
            return response;
        }
        if request.headers().contains_key("x-declined") {
            let mut response = Response::new(Body::default());
            response.extensions_mut().insert(AccessDeclined);
            return response;
        }
        image_server(request)
    });
    let foreign = [("origin", "https://evil.example"), ("x-roles", "A")];
    let gesture = publisher.send(request(Method::POST, "/auth/login", &foreign)).await;
    let flow = cookie_pair(&gesture, "__Host-iiif-flow").unwrap();
    let pressed = form("/auth/continue", &[("cookie", &flow)], &fields(&gesture));
    let terms = publisher.get("/auth/terms/accept", &[]).await;
    let terms_flow = cookie_pair(&terms, "__Host-iiif-flow").unwrap();
    let terms_form = |decision: &str| {
        let body = format!("{}{decision}", fields(&terms));
        form("/auth/terms/accept", &[("cookie", &terms_flow)], &body)
    };
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    let mut pages = vec![
        ("gesture", gesture),
        ("accepted", publisher.send(terms_form("accept")).await),
        ("declined terms", publisher.send(terms_form("decline")).await),
        ("terms", terms),
        ("click", publisher.send(pressed).await),
        ("login", publisher.get(&format!("/auth/login?origin={V}"), &[]).await),
        ("below login", publisher.get("/auth/login/step2", &[]).await),
        ("redirect", publisher.get(&format!("/auth/login?away&origin={V}"), &[]).await),
        ("second redirect", publisher.get("/auth/login/away", &[("cookie", &flow)]).await),
        ("bad origin", publisher.get("/auth/login?origin=*", &[]).await),
        ("kiosk", publisher.get(&format!("/auth/room/kiosk?origin={V}"), &[]).await),
        ("granted", log_in_by(&publisher, &[("origin", BASE)], &["A"]).await),
        ("refused", publisher.send(form("/auth/continue", &[], "")).await),
        ("given up", publisher.get("/auth/login", &[("x-declined", "1")]).await),
        ("logout", publisher.get("/auth/logout", &[("cookie", &pair(&cookie))]).await),
        ("logout again", publisher.get("/auth/logout", &[]).await),
        ("logout by form", publisher.send(form("/auth/logout", &[], "")).await),
        ("other logout", publisher.get("/auth/other/logout", &[]).await),
    ];
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    store.fail(Fault::Error);
    pages.push((
        "failed logout",
        publisher.get("/auth/logout", &[("cookie", &pair(&cookie))]).await,
    ));
    pages.push(("failed login", log_in_by(&publisher, &[("origin", BASE)], &["A"]).await));
    for (what, page) in pages {
        assert!(policy(&page).contains("frame-ancestors 'none'"), "{what}: {page:?}");
        let coop: Vec<_> = page.headers().get_all("cross-origin-opener-policy").iter().collect();
        // Said aloud, so that an outer layer with a default of its own leaves it.
        assert_eq!(coop, ["unsafe-none"], "{what}: {page:?}");
        let cache = page.headers()[header::CACHE_CONTROL].to_str().unwrap();
        assert!(cache.contains("no-store"), "{what}: {page:?}");
    }
}

/// SE-13: gone is gone.
#[tokio::test]
async fn se_13_logout() {
    let publisher = Publisher::new();
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    let token = publisher.token(&cookie).await;
    let pair = pair(&cookie);
    for headers in [&[("cookie", &*pair)][..], &[("cookie", &*pair)], &[]] {
        let response = publisher.get("/auth/logout", headers).await;
        assert_eq!(response.status(), 200);
        let cookies = set_cookies(response.headers());
        let [deletion] = &cookies[..] else { panic!("{cookies:?}") };
        let mut attributes: Vec<_> = deletion.split("; ").collect();
        assert_eq!(attributes.remove(0), "__Host-iiif=");
        attributes.sort_unstable();
        assert_eq!(attributes, ["HttpOnly", "Max-Age=0", "Path=/", "SameSite=None", "Secure"]);
        assert_denied(&publisher.get(&image("sec"), &[("cookie", &pair)]).await, 401);
        assert_eq!(authorized(&publisher, "sec", &format!("Bearer {token}")).await, 401);
        let page = token_page(&publisher, &query(), Some(&cookie)).await;
        assert_error(&page, "invalidAspect", V);
    }
    // Nor is the dead session a reason to go on without a login, nor its viewers' a gift to the
    // next one.
    let clock = clock();
    let publisher = Publisher::before(builder(&clock), clock, |request| {
        let mut response = Response::new(Body::from("login page"));
        let flow = request.extensions().get::<AccessFlow>();
        if flow.is_some_and(|flow| flow.session().is_some()) {
            response.extensions_mut().insert(AccessGrant::current_session());
        } else if request.headers().contains_key("x-roles") {
            response.extensions_mut().insert(AccessGrant::to("u1").role("A"));
        }
        response
    });
    let cookie = publisher.log_in(&["A"], Some("https://evil.example")).await;
    publisher.get("/auth/logout", &[("cookie", &self::pair(&cookie))]).await;
    let again = publisher
        .get(&format!("/auth/login?origin={V}"), &[("cookie", &self::pair(&cookie))])
        .await;
    assert_eq!((again.status().as_u16(), text(&again)), (200, "login page"));
    let flow = cookie_pair(&again, "__Host-iiif-flow").unwrap();
    let both = format!("{flow}; {}", self::pair(&cookie));
    let fresh = log_in_with(&publisher, &both, &["A"]).await;
    let page =
        token_page(&publisher, "messageId=m1&origin=https://evil.example", Some(&fresh)).await;
    assert_error(&page, "invalidOrigin", "https://evil.example");
}

/// SE-13: a thread recalls the cookies and tokens that it has opened, and nothing of what may have
/// changed about them since.
#[tokio::test]
async fn se_13_nothing_outlives_what_is_recalled() {
    let changes =
        ["none", "the session ends", "logout", "the rules", "same keys", "other keys", "the clock"];
    for change in changes {
        let (clock, store) = (clock(), Store::new());
        let (closed, is_closed) = (Arc::new(AtomicBool::new(false)), Ordering::SeqCst);
        let rule = closed.clone();
        let authorizer = from_fn(move |request: &AccessRequest<'_>| {
            request.session().is_some() && !rule.load(is_closed)
        });
        let of = |key: &[u8]| builder(&clock).keyring(Keyring::from_bytes(key).unwrap());
        let own = of(&key(7)).authorizer(authorizer).revocations(store.clone());
        let publisher = Publisher::of(own, clock.clone());
        let cookie = publisher.log_in(&["A"], Some(V)).await;
        let token = format!("Bearer {}", publisher.token(&cookie).await);
        for _ in 0..3 {
            assert_eq!(image_status(&publisher, &pair(&cookie)).await, 200);
            assert_eq!(authorized(&publisher, "sec", &token).await, 200);
        }
        let mut asked = publisher.clone();
        match change {
            "the session ends" => clock.advance(Duration::from_secs(1800)),
            "logout" => drop(publisher.get("/auth/logout", &[("cookie", &pair(&cookie))]).await),
            "the rules" => closed.store(true, is_closed),
            // Another node.
            "same keys" => asked = Publisher::of(of(&key(7)).revocations(store), clock.clone()),
            "other keys" => asked = Publisher::of(of(&key(8)).revocations(store), clock.clone()),
            "the clock" => clock.set(Timestamp::from_millis(0)),
            _ => {}
        }
        let expected = if matches!(change, "none" | "same keys") { 200 } else { 401 };
        assert_eq!(image_status(&asked, &pair(&cookie)).await, expected, "{change}");
        assert_eq!(authorized(&asked, "sec", &token).await, u64::from(expected), "{change}");
    }
}

/// SE-13: the same where the store has to be waited for: the dead session is found out in time.
#[tokio::test(start_paused = true)]
async fn se_13_a_dead_session_is_no_current_one() {
    let clock = clock();
    let store = Store::new();
    let builder = builder(&clock).revocations(store.clone());
    let publisher = Publisher::before(builder, clock, |request| {
        let mut response = Response::new(Body::from("login page"));
        if request.method() == Method::POST && request.headers().contains_key("x-roles") {
            response.extensions_mut().insert(AccessGrant::to("u1").role("A"));
        } else if request.method() == Method::POST {
            response.extensions_mut().insert(AccessGrant::current_session());
        }
        response
    });
    *store.look_up.lock().unwrap() = Fault::Slow(std::time::Duration::from_millis(1));
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    let pair = pair(&cookie);
    let go_on = || form("/auth/login", &[("cookie", &pair)], "");
    let more = publisher.send(go_on()).await;
    let same = cookie_pair(&more, COOKIE).expect("it lives");
    publisher.get("/auth/logout", &[("cookie", &pair)]).await;
    for gone in [&pair, &same] {
        assert_eq!(image_status(&publisher, gone).await, 401);
    }
    let refused = publisher.send(go_on()).await;
    assert_eq!(refused.status(), 403);
    assert_eq!(cookie_pair(&refused, COOKIE).as_deref(), Some("__Host-iiif="), "it is deleted");
    assert_eq!(publisher.send(form("/auth/login", &[], "")).await.status(), 403);
}

/// SE-16: a logout that could not be stored is not called one.
#[tokio::test(start_paused = true)]
async fn se_16_logout_with_the_store_down() {
    for fault in crate::setup::FAULTS {
        let clock = clock();
        let store = Store::new();
        let publisher = Publisher::of(builder(&clock).revocations(store.clone()), clock);
        let cookie = publisher.log_in(&["A"], Some(V)).await;
        *store.write.lock().unwrap() = fault;
        let response = publisher.get("/auth/logout", &[("cookie", &pair(&cookie))]).await;
        assert_eq!(response.status(), 503, "{fault:?}");
        assert!(!text(&response).contains("secret cause"));
        assert_eq!(set_cookie_value(&response, COOKIE).as_deref(), Some(""), "{fault:?}");
        assert!(!elements(&response).iter().any(|own| own.name == "script"), "it stays open");
        *store.write.lock().unwrap() = Fault::None;
        assert_eq!(image_status(&publisher, &pair(&cookie)).await, 200, "as was said");
        let response = publisher.get("/auth/logout", &[("cookie", &pair(&cookie))]).await;
        assert_eq!(response.status(), 200);
        assert_eq!(image_status(&publisher, &pair(&cookie)).await, 401);
    }
}

/// A revocation is remembered as long as a node whose clock is behind takes the cookie.
#[tokio::test]
async fn a_revocation_outlives_slow_clocks() {
    let clock = clock();
    let store = Store::new();
    let publisher = Publisher::of(builder(&clock).revocations(store.clone()), clock.clone());
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    let end = tower_iiif_auth::clock::Clock::now(&clock).after(std::time::Duration::from_secs(600));
    publisher.get("/auth/logout", &[("cookie", &pair(&cookie))]).await;
    let until = store.until.lock().unwrap().unwrap();
    assert!(until >= end.after(std::time::Duration::from_secs(5)), "{until:?}, {end:?}");
}

/// A realm's login may lie below another one's: each gives its own cookie.
#[tokio::test]
async fn nested_logins_are_told_apart() {
    let clock = clock();
    let builder = builder(&clock).realm(
        Realm::named("login").access(AccessService::active("in", "Inner").protects(["inner"])),
    );
    let publisher = Publisher::of(builder, clock);
    let headers = [("origin", BASE), ("x-roles", "A")];
    let response = publisher.send(request(Method::POST, "/auth/login/in", &headers)).await;
    assert!(cookie_pair(&response, COOKIE).is_none(), "{response:?}");
    assert!(cookie_pair(&response, "__Host-iiif-login").is_some());
}

/// A session of one realm is nothing in another.
#[tokio::test]
async fn realms_are_apart() {
    let publisher = Publisher::new();
    let one = publisher.log_in(&["A", "B"], Some(V)).await;
    let other = publisher.log_in_at("/auth/other/login", "__Host-iiif-other", "A,B", V).await;
    for (cookie, sec, sec2) in [
        (format!("__Host-iiif={one}"), 200, 401),
        (format!("__Host-iiif-other={other}"), 401, 200),
        (format!("__Host-iiif={other}"), 401, 401),
        (format!("__Host-iiif-other={one}"), 401, 401),
        (format!("__Host-iiif={one}; __Host-iiif-other={other}"), 200, 200),
    ] {
        for (identifier, expected) in [("sec", sec), ("sec2", sec2)] {
            let tile = publisher.get(&image(identifier), &[("cookie", &cookie)]).await;
            assert_eq!(tile.status(), expected, "{identifier} with {cookie:.30}");
        }
    }
    // Logging out of one leaves the other.
    let both = format!("__Host-iiif={one}; __Host-iiif-other={other}");
    publisher.get("/auth/logout", &[("cookie", &both)]).await;
    assert_eq!(publisher.get(&image("sec"), &[("cookie", &both)]).await.status(), 401);
    assert_eq!(publisher.get(&image("sec2"), &[("cookie", &both)]).await.status(), 200);
}

/// SE-06: a cookie that was logged out does not hide a live one beside it.
#[tokio::test]
async fn a_dead_cookie_hides_no_live_one() {
    let publisher = Publisher::new();
    let dead = publisher.log_in(&["A"], Some(V)).await;
    publisher.get("/auth/logout", &[("cookie", &pair(&dead))]).await;
    let live = publisher.log_in(&["A"], Some(V)).await;
    assert_eq!(image_status(&publisher, &pair(&dead)).await, 401);
    for (first, second) in [(&dead, &live), (&live, &dead)] {
        let both = format!("{COOKIE}={first}; {COOKIE}={second}");
        assert_eq!(image_status(&publisher, &both).await, 200);
        let token = format!("/auth/token?{}", query());
        let page = publisher.get(&token, &[("cookie", &both)]).await;
        assert!(text(&page).contains("accessToken"));
    }
}

/// SE-13: junk beside the live cookie does not save it from a logout.
#[tokio::test]
async fn a_logout_ends_every_session_in_the_request() {
    let publisher = Publisher::new();
    let one = publisher.log_in(&["A"], Some(V)).await;
    let other = publisher.log_in(&["A"], Some(V)).await;
    let junk = format!("{COOKIE}=junk; ").repeat(50);
    let cookies = format!("{junk}{COOKIE}={one}; {COOKIE}={other}");
    let page = publisher.get("/auth/logout", &[("cookie", &cookies)]).await;
    assert_eq!(page.status(), StatusCode::OK);
    for cookie in [&one, &other] {
        assert_eq!(image_status(&publisher, &pair(cookie)).await, 401);
    }
}

/// A foreign page may send a form to a file: the cookie comes along and must not carry it.
#[tokio::test]
async fn a_foreign_page_changes_nothing_by_a_user_s_cookie() {
    let publisher = Publisher::new();
    let cookie = pair(&publisher.log_in(&["A"], Some(V)).await);
    for (method, headers, status) in [
        (Method::POST, &[("origin", V)][..], 403),
        (Method::POST, &[("origin", "null")], 403),
        (Method::POST, &[("sec-fetch-site", "cross-site"), ("origin", BASE)], 403),
        (Method::POST, &[("sec-fetch-site", "same-site")], 403),
        (Method::DELETE, &[("origin", V)], 403),
        (Method::POST, &[("origin", BASE)], 200),
        (Method::POST, &[("sec-fetch-site", "same-origin")], 200),
        // No browser at all: gRPC clients and scripts.
        (Method::POST, &[], 200),
        (Method::GET, &[("sec-fetch-site", "cross-site"), ("origin", V)], 200),
    ] {
        let mut all = vec![("cookie", cookie.as_str())];
        all.extend_from_slice(headers);
        let calls = publisher.calls();
        let response = publisher.send(request(method.clone(), "/files/sec", &all)).await;
        assert_eq!(response.status().as_u16(), status, "{method} {headers:?}");
        assert_eq!(publisher.calls() - calls, usize::from(status == 200), "{method} {headers:?}");
        // The user lacks no right, and is not told so.
        let told = text(&response).starts_with("This request came from another site\n");
        assert_eq!(told, status == 403, "{method} {headers:?}: {}", text(&response));
    }
}
