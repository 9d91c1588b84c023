//! A login and a logout of the site's own menu come back to where the user was; the tab that a viewer opened
//! closes.

mod common;

use bytes::Bytes;
use http::header::LOCATION;
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;
use tower_iiif_auth::access::{AccessDeclined, AccessFlow, AccessGrant};
use tower_iiif_auth::{AccessService, IiifAuthBuilder, Message, Realm};

use common::{
    BASE, Body, COOKIE, Publisher, V, bare, builder, clock, cookie_pair, form, request,
    set_cookie_value, text,
};

const W: &str = "https://other-viewer.example";

/// An application whose login answers what `x-answer` says.
fn publisher(builder: impl Fn(IiifAuthBuilder) -> IiifAuthBuilder) -> Publisher {
    let clock = clock();
    let configured = builder(common::builder(&clock));
    Publisher::before(configured, clock, answer)
}

fn answer(request: &http::Request<Body>) -> Response<Body> {
    let flow = request.extensions().get::<AccessFlow>();
    let told = flow.and_then(AccessFlow::return_to).unwrap_or("nowhere");
    let mut response = Response::new(Full::from(told.to_owned()));
    let says = |word| request.headers().get("x-answer").is_some_and(|own| own == word);
    if says("grant") || says("grant and go") {
        response.extensions_mut().insert(AccessGrant::to("u1").role("A"));
    }
    if says("decline") {
        response.extensions_mut().insert(AccessDeclined);
    }
    if says("grant and go") {
        *response.status_mut() = StatusCode::FOUND;
        response.headers_mut().insert(LOCATION, HeaderValue::from_static("/welcome"));
    }
    response
}

/// Where an answer leads; nowhere where it is a page.
fn leads(response: &Response<Bytes>) -> Option<&str> {
    let location = response.headers().get(LOCATION)?.to_str().unwrap();
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    Some(location)
}

fn is_closing(response: &Response<Bytes>) -> bool {
    response.status() == StatusCode::OK && text(response).contains("window.close()")
}

/// The address is told by the link, the page that the form is on, or the cookie; a viewer's tab closes.
#[tokio::test]
async fn a_login_comes_back() {
    let publisher = publisher(|builder| builder);
    let item = "/auth/login?return_to=%2Fitems%2F7%3Fpage%3D2";
    let back = Some("https://iiif.example/items/7?page=2");
    let viewers = format!("/auth/login?origin={V}");
    let both = format!("{item}&origin={V}");
    let at = |path: &str| format!("{BASE}{path}");
    for (opened, posted_to, referer, answer, expected) in [
        (item, item, Some(at(item)), "grant", back),
        (item, "/auth/login", Some(at(item)), "grant", back),
        (item, "/auth/login", None, "grant", back),
        (item, "/auth/login", None, "grant and go", Some("/welcome")),
        (item, "/auth/login", None, "decline", back),
        ("/auth/login", "/auth/login", None, "grant", None),
        ("/auth/login", "/auth/login", None, "grant and go", Some("/welcome")),
        ("/auth/login", item, None, "grant", back),
        (&viewers, &viewers, Some(at(&viewers)), "grant", None),
        (&viewers, &viewers, Some(at(&viewers)), "grant and go", None),
        (&viewers, "/auth/login", Some(at(&viewers)), "decline", None),
        // The viewer waits for its tab to close, whatever else is said.
        (&both, &both, Some(at(&both)), "grant", None),
        (&both, "/auth/login", None, "grant", None),
    ] {
        let page = publisher.get(opened, &[("sec-fetch-site", "same-origin")]).await;
        let flow = cookie_pair(&page, "__Host-iiif-flow").unwrap();
        let mut headers = vec![("cookie", &*flow), ("x-answer", answer)];
        headers.extend(referer.as_deref().map(|referer| ("referer", referer)));
        let response = publisher.send(form(posted_to, &headers, "")).await;
        let case = format!("{opened} {posted_to} {answer} {response:?}");
        assert_eq!(leads(&response), expected, "{case}");
        assert_eq!(is_closing(&response), expected.is_none(), "{case}");
        let granted = set_cookie_value(&response, COOKIE).is_some();
        assert_eq!(granted, answer != "decline", "{case}");
    }
}

/// What is no address of this site, or of a listed one, is not gone to; nor is a service.
#[tokio::test]
async fn only_to_this_site_and_to_those_listed() {
    let listed = "https://catalogue.example".parse().unwrap();
    let publisher = publisher(move |builder| builder.return_to([Clone::clone(&listed)]));
    for (address, expected) in [
        ("/", Some("https://iiif.example/")),
        ("https://iiif.example/a%23b", Some("https://iiif.example/a#b")),
        ("https://catalogue.example/7", Some("https://catalogue.example/7")),
        ("/gr%C3%B6%C3%9Fe", Some("https://iiif.example/gr%C3%B6%C3%9Fe")),
        ("https://evil.example/", None),
        ("http://catalogue.example/7", None),
        ("https://catalogue.example:8443/7", None),
        ("https://catalogue.example.evil.example/", None),
        ("https://catalogue.example@evil.example/", None),
        ("//evil.example/", None),
        ("/%5Cevil.example/", None),
        ("/%09/evil.example/", None),
        ("javascript:alert(1)", None),
        ("/auth/logout", None),
        ("/auth/logout/1", Some("https://iiif.example/auth/logout/1")),
        ("/auth/logout?a=b", None),
        ("/auth/other/logout", None),
        ("/auth/login", None),
        ("/auth/token?origin=x", None),
        ("/auth/probe/iiif/3/sec", None),
        ("/items/%252e%252e/auth/logout", None),
        ("/items/../auth/logout", None),
        ("/authors", Some("https://iiif.example/authors")),
        ("", None),
    ] {
        let path = format!("/auth/login?return_to={address}");
        let response = publisher.send(form(&path, &[("x-answer", "grant")], "")).await;
        assert_eq!(leads(&response), expected, "{address}");
        assert_eq!(is_closing(&response), expected.is_none(), "{address}");
        let path = format!("/auth/logout?return_to={address}");
        let response = publisher.get(&path, &[]).await;
        assert_eq!(leads(&response), expected, "{address}");
        assert_eq!(is_closing(&response), expected.is_none(), "{address}");
        let deleted = set_cookie_value(&response, COOKIE);
        assert_eq!(deleted.as_deref(), Some(""), "{address}");
    }
    let twice = publisher.get("/auth/logout?return_to=/a&return_to=/b", &[]).await;
    assert_eq!(leads(&twice), None);
}

/// A login from the menu while a viewer waits elsewhere lets that viewer wait, and comes back.
#[tokio::test]
async fn beside_a_viewer_that_waits() {
    let publisher = publisher(|builder| builder);
    let page = publisher.get(&format!("/auth/login?origin={V}"), &[]).await;
    let flow = cookie_pair(&page, "__Host-iiif-flow").unwrap();
    let item = "/auth/login?return_to=/items/7";
    let page = publisher.get(item, &[("cookie", &flow), ("sec-fetch-site", "same-origin")]).await;
    assert_eq!(text(&page), "https://iiif.example/items/7");
    let flow = cookie_pair(&page, "__Host-iiif-flow").unwrap();
    let referer = format!("{BASE}{item}");
    let headers = [("cookie", &*flow), ("x-answer", "grant"), ("referer", &*referer)];
    let response = publisher.send(form("/auth/login", &headers, "")).await;
    assert_eq!(leads(&response), Some("https://iiif.example/items/7"));
    let cookie = set_cookie_value(&response, COOKIE).unwrap();
    let flow = cookie_pair(&response, "__Host-iiif-flow").unwrap();
    // It is for no viewer, and the one that waits is let in by its own tab, which closes.
    let query = format!("messageId=1&origin={V}");
    let pair = format!("{COOKIE}={cookie}");
    let (message, _) = publisher.token_message(&query, &[("cookie", &pair)]).await;
    assert_eq!(message["profile"], "invalidOrigin");
    let own = format!("{BASE}/auth/login?origin={V}");
    let cookies = format!("{flow}; {pair}");
    let headers = [("cookie", &*cookies), ("x-answer", "grant"), ("referer", &*own)];
    let response = publisher.send(form("/auth/login", &headers, "")).await;
    assert!(is_closing(&response), "{response:?}");
    let cookie = set_cookie_value(&response, COOKIE).unwrap();
    publisher.token(&cookie).await;
}

/// Where a click is needed, as after an identity provider, the way back waits with it. It is sealed.
#[tokio::test]
async fn after_a_click() {
    for (answer, expected) in
        [("grant", "https://iiif.example/items/7"), ("grant and go", "/welcome")]
    {
        let publisher = publisher(|builder| builder);
        let page = publisher.get("/auth/login?return_to=/items/7", &[]).await;
        let flow = cookie_pair(&page, "__Host-iiif-flow").unwrap();
        let headers = [("cookie", &*flow), ("x-answer", answer), ("sec-fetch-site", "cross-site")];
        let page = publisher.send(request(Method::POST, "/auth/login", &headers)).await;
        assert_eq!(leads(&page), None);
        assert!(!text(&page).contains("items/7"), "{}", text(&page));
        let sealed = text(&page).split("name=\"grant\" value=\"").nth(1).unwrap();
        let sealed = sealed.split('"').next().unwrap();
        let flow = cookie_pair(&page, "__Host-iiif-flow").unwrap();
        let body = format!("grant={sealed}");
        let response = publisher.send(form("/auth/continue", &[("cookie", &flow)], &body)).await;
        assert_eq!(leads(&response), Some(expected));
        assert!(set_cookie_value(&response, COOKIE).is_some());
    }
}

/// A login that begins anew, without an address, leads nowhere; one that is shown again after a wrong
/// password does.
#[tokio::test]
async fn what_was_said_last_counts() {
    let publisher = publisher(|builder| builder);
    let page = publisher.get("/auth/login?return_to=/items/7", &[]).await;
    let flow = cookie_pair(&page, "__Host-iiif-flow").unwrap();
    let referer = format!("{BASE}/auth/login");
    for (headers, expected) in [
        (
            vec![("referer", &*referer), ("sec-fetch-site", "same-origin")],
            "https://iiif.example/items/7",
        ),
        (vec![("sec-fetch-site", "none")], "nowhere"),
        (vec![("referer", "https://iiif.example/"), ("sec-fetch-site", "same-origin")], "nowhere"),
    ] {
        let mut headers = headers;
        headers.push(("cookie", &flow));
        let page = publisher.get("/auth/login", &headers).await;
        assert_eq!(text(&page), expected, "{headers:?}");
    }
}

/// Terms and kiosks of the site's own menu lead back as well.
#[tokio::test]
async fn terms_and_kiosks() {
    let clock = clock();
    let terms = AccessService::click_through("terms", "Library", Message::new("Terms")).role("A");
    let kiosk = AccessService::kiosk("kiosk").label("Library").role("A");
    let configured = bare(&clock).realm(Realm::new().access(terms).access(kiosk));
    let publisher = Publisher::of(configured, clock);
    let kiosk = publisher.get("/auth/kiosk?return_to=/items/7", &[]).await;
    assert_eq!(leads(&kiosk), Some("https://iiif.example/items/7"));
    let viewers = publisher.get(&format!("/auth/kiosk?return_to=/items/7&origin={V}"), &[]).await;
    assert!(is_closing(&viewers));
    for (query, decision, expected) in [
        ("return_to=/items/7", "accept", Some("https://iiif.example/items/7")),
        ("return_to=/items/7", "decline", Some("https://iiif.example/items/7")),
        (&format!("origin={W}&return_to=/items/7"), "accept", None),
        ("a=b", "accept", None),
    ] {
        let page = publisher.get(&format!("/auth/terms?{query}"), &[]).await;
        let flow = cookie_pair(&page, "__Host-iiif-flow").unwrap();
        let hidden = |name: &str| {
            let value = text(&page).split(&format!("name=\"{name}\" value=\"")).nth(1)?;
            Some(format!("{name}={}", value.split('"').next()?))
        };
        let fields = [hidden("secret"), hidden("viewer"), Some(format!("decision={decision}"))];
        let body = fields.into_iter().flatten().collect::<Vec<_>>().join("&");
        let response = publisher.send(form("/auth/terms", &[("cookie", &flow)], &body)).await;
        assert_eq!(leads(&response), expected, "{query} {decision} {response:?}");
    }
}

/// A logout that could not be stored stays where the user sees it.
#[tokio::test]
async fn a_logout_that_failed_leads_nowhere() {
    let (clock, store) = (clock(), common::faults::Store::new());
    let publisher = Publisher::of(builder(&clock).revocations(store.clone()), clock);
    let cookie = publisher.log_in(&["A"], None).await;
    store.fail(common::faults::Fault::Error);
    let pair = format!("{COOKIE}={cookie}");
    let response = publisher.get("/auth/logout?return_to=/", &[("cookie", &pair)]).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(!response.headers().contains_key(LOCATION));
}
