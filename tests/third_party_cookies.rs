//! Browsers that block third-party cookies: TC, and what lies beside it.

mod common;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use common::steps::{closes, fields, hash, policy, scripts};
use common::{
    BASE, Body, COOKIE, Publisher, V, assert_denied, builder, clock, cookie_pair, form, image,
    json, posted, request, set_cookie_value, set_cookies, text,
};
use http::{Method, Request, Response, StatusCode};
use serde_json::Value;
use tower_iiif_auth::{AccessService, IiifAuth, Realm, ThirdPartyCookies};

const PARTITIONED: &str = "__Host-iiif-p";
const EVIL: &str = "https://evil.example";

fn publisher(ways: ThirdPartyCookies) -> Publisher {
    let clock = clock();
    Publisher::of(builder(&clock).third_party_cookies(ways), clock)
}

fn all() -> ThirdPartyCookies {
    ThirdPartyCookies::default().storage_access().hand_off().grant_page()
}

fn vary(response: &Response<Bytes>) -> String {
    let fields = response.headers().get_all("vary").iter();
    fields.map(|field| field.to_str().unwrap()).collect::<Vec<_>>().join(", ").to_lowercase()
}

fn offer(response: &Response<Bytes>) -> Option<&str> {
    response.headers().get("activate-storage-access").map(|offer| offer.to_str().unwrap())
}

const INACTIVE: (&str, &str) = ("sec-fetch-storage-access", "inactive");
const ACTIVE: (&str, &str) = ("sec-fetch-storage-access", "active");

#[tokio::test]
async fn a_retry_is_offered_where_it_can_help() {
    let publisher = publisher(ThirdPartyCookies::default().storage_access());
    let retry = "retry; allowed-origin=\"https://viewer.example\"";
    for (method, headers, expected) in [
        (Method::GET, &[INACTIVE, ("origin", V)][..], Some(retry)),
        (Method::HEAD, &[INACTIVE, ("origin", V)], Some(retry)),
        (Method::POST, &[INACTIVE, ("origin", V)], None),
        (Method::GET, &[ACTIVE, ("origin", V)], None),
        (Method::GET, &[("sec-fetch-storage-access", "none"), ("origin", V)], None),
        (Method::GET, &[("sec-fetch-storage-access", "bogus"), ("origin", V)], None),
        (Method::GET, &[("origin", V)], None),
        (Method::GET, &[INACTIVE], None),
        (Method::GET, &[INACTIVE, INACTIVE, ("origin", V)], None),
        (Method::GET, &[INACTIVE, ("origin", V), ("origin", EVIL)], None),
        (Method::GET, &[INACTIVE, ("origin", "null")], None),
        (Method::GET, &[INACTIVE, ("origin", "https://viewer.example/")], None),
        (Method::GET, &[INACTIVE, ("origin", "https://a\"; load")], None),
        // A cookie came, and it is no good: the same one would come again.
        (Method::GET, &[INACTIVE, ("origin", V), ("cookie", "__Host-iiif=junk")], None),
    ] {
        let mut tile = Request::builder().method(method.clone()).uri(image("sec"));
        for (name, value) in headers {
            tile = tile.header(*name, *value);
        }
        let tile = publisher.send(tile.body(Body::default()).unwrap()).await;
        // TC-01
        assert_eq!(offer(&tile), expected, "{method} {headers:?}");
        if method != Method::POST {
            assert_denied(&tile, 401);
            assert!(vary(&tile).contains("sec-fetch-storage-access"), "{headers:?}");
        }
        assert_eq!(vary(&tile).contains("origin"), expected.is_some());
        // TC-04
        assert!(set_cookies(tile.headers()).is_empty());
    }
    // What is open needs none.
    let open = publisher.get(&image("pub"), &[INACTIVE, ("origin", V)]).await;
    assert_eq!((open.status(), offer(&open)), (StatusCode::OK, None));
}

#[tokio::test]
async fn the_token_frame_is_activated_and_gets_a_cookie_of_its_own() {
    let publisher = publisher(ThirdPartyCookies::default().storage_access());
    let path = format!("/auth/token?messageId=m1&origin={V}");
    let first = publisher.get(&path, &[INACTIVE, ("origin", V)]).await;
    // TC-03, TC-04
    assert_eq!(posted(&first).unwrap().0["profile"], "missingAspect");
    assert_eq!(offer(&first), Some("retry; allowed-origin=\"https://viewer.example\""));
    assert!(set_cookies(first.headers()).is_empty());

    let cookie = format!("{COOKIE}={}", publisher.log_in(&["A"], Some(V)).await);
    let second = publisher.get(&path, &[ACTIVE, ("origin", V), ("cookie", &cookie)]).await;
    // TC-03
    assert!(posted(&second).unwrap().0["accessToken"].is_string());
    assert_eq!(offer(&second), Some("load"));
    let companion = cookie_pair(&second, PARTITIONED).expect("a companion");

    // TC-05: with it a tile needs no second trip.
    let tile =
        publisher.get(&image("sec"), &[INACTIVE, ("origin", V), ("cookie", &companion)]).await;
    assert_eq!((tile.status(), offer(&tile)), (StatusCode::OK, None));
    assert!(set_cookies(tile.headers()).is_empty());
    // A page that is opened without the token frame gets it with a tile.
    let tile = publisher.get(&image("sec"), &[ACTIVE, ("origin", V), ("cookie", &cookie)]).await;
    assert!(cookie_pair(&tile, PARTITIONED).is_some());
    assert!(vary(&tile).contains("sec-fetch-storage-access"));
    let both = format!("{cookie}; {companion}");
    let tile = publisher.get(&image("sec"), &[ACTIVE, ("origin", V), ("cookie", &both)]).await;
    assert!(set_cookies(tile.headers()).is_empty(), "once is enough");
}

/// What a browser and its windows do, without the browser.
struct HandOff<'p> {
    publisher: &'p Publisher,
    flow: String,
}

impl<'p> HandOff<'p> {
    /// Logs in from a viewer, up to the page that asks for the click.
    async fn begin(publisher: &'p Publisher, viewer: &str) -> (Self, Response<Bytes>) {
        let page = publisher.get(&format!("/auth/login?origin={viewer}"), &[]).await;
        let flow = cookie_pair(&page, "__Host-iiif-flow").unwrap();
        let headers = [("cookie", &*flow), ("origin", BASE), ("x-roles", "A")];
        let page = publisher.send(request(Method::POST, "/auth/login", &headers)).await;
        (Self { publisher, flow }, page)
    }

    /// The click, and the page that holds the code.
    async fn click(&self, page: &Response<Bytes>) -> Response<Bytes> {
        let body = format!("{}continue", fields(page));
        self.publisher.send(form("/auth/continue", &[("cookie", &self.flow)], &body)).await
    }
}

fn handed(page: &Response<Bytes>) -> Value {
    let data = text(page).split_once("<script type=\"application/json\" id=\"hand-off\">");
    let data = data.expect("a code").1.split_once("</script>").unwrap().0;
    serde_json::from_str(data).unwrap()
}

fn redeem_form(code: &str, origin: &str) -> String {
    format!("handOff={code}&family=2&origin={origin}&messageId=m1")
}

async fn redeem(publisher: &Publisher, code: &str, origin: &str) -> Response<Bytes> {
    publisher.send(form("/auth/redeem", &[], &redeem_form(code, origin))).await
}

#[tokio::test]
async fn a_login_is_handed_off() {
    let publisher = publisher(ThirdPartyCookies::default().hand_off());
    let (tab, page) = HandOff::begin(&publisher, V).await;
    // The form of the application's is no click on a page of ours.
    assert!(set_cookies(page.headers()).iter().all(|own| own.starts_with("__Host-iiif-flow=")));
    assert!(text(&page).contains("Continue to viewer.example"));
    assert!(text(&page).contains("data-hand-off=\"/auth/hand-off\""));
    let [script] = &scripts(text(&page))[..] else { panic!("one script") };
    assert!(script.contains("window.open(helper") && policy(&page).contains(&hash(script)));

    let helper = publisher.get("/auth/hand-off", &[]).await;
    assert_eq!(helper.headers()["x-frame-options"], "DENY");
    assert_eq!(helper.headers()["cross-origin-opener-policy"], "unsafe-none");
    assert!(policy(&helper).contains(&hash(&scripts(text(&helper))[0])));

    let done = tab.click(&page).await;
    let cookie = format!("{COOKIE}={}", set_cookie_value(&done, COOKIE).unwrap());
    let handed = handed(&done);
    assert_eq!(
        handed["tokenServices"],
        serde_json::json!(["/auth/token/1", "/auth/token/0", "/auth/token"])
    );
    let code = handed["code"].as_str().unwrap();

    // The frame in the viewer, where no cookie arrives, waits.
    let path = format!("/auth/token?messageId=m1&origin={V}");
    let frame = publisher.get(&path, &[("sec-fetch-storage-access", "none")]).await;
    let [script] = &scripts(text(&frame))[..] else { panic!("one script") };
    assert!(
        policy(&frame).contains(&hash(script)) && policy(&frame).contains("connect-src 'self'")
    );
    let (data, _) =
        text(&frame).split_once("id=\"post\">").unwrap().1.split_once("</script>").unwrap();
    let data: Value = serde_json::from_str(data).unwrap();
    assert_eq!(data["redeem"], "/auth/redeem");
    assert_eq!(data["targetOrigin"], V);
    assert_eq!(data["message"]["profile"], "missingAspect");
    assert_eq!(data["request"], serde_json::json!({"family": "2", "origin": V, "messageId": "m1"}));

    let redeemed = redeem(&publisher, code, V).await;
    let message = json(&redeemed)["message"].clone();
    common::shapes::assert_token_message(&message);
    let token = message["accessToken"].as_str().unwrap();
    assert_eq!(publisher.probe_status("/iiif/3/sec", Some(token)).await, 200);
    let own = set_cookies(redeemed.headers());
    let [own] = &own[..] else { panic!("{own:?}") };
    let mut attributes: Vec<_> = own.split("; ").skip(1).collect();
    attributes.sort_unstable();
    // TC-06
    let expected = ["HttpOnly", "Max-Age=600", "Partitioned", "Path=/", "SameSite=None", "Secure"];
    assert_eq!(attributes, expected);
    let partitioned = cookie_pair(&redeemed, PARTITIONED).unwrap();
    assert!(!cookie.ends_with(partitioned.split_once('=').unwrap().1), "another value");
    let tile = publisher.get(&image("sec"), &[("cookie", &partitioned)]).await;
    assert_eq!(tile.status(), StatusCode::OK);
    // Neither value is good under the other's name.
    let swapped = format!("{COOKIE}={}", partitioned.split_once('=').unwrap().1);
    assert_denied(&publisher.get(&image("sec"), &[("cookie", &swapped)]).await, 401);
    let swapped = format!("{PARTITIONED}={}", cookie.split_once('=').unwrap().1);
    assert_denied(&publisher.get(&image("sec"), &[("cookie", &swapped)]).await, 401);

    // TC-06: the logout in the tab ends what it can not delete.
    publisher.get("/auth/logout", &[("cookie", &cookie)]).await;
    assert_denied(&publisher.get(&image("sec"), &[("cookie", &partitioned)]).await, 401);
    assert_eq!(publisher.probe_status("/iiif/3/sec", Some(token)).await, 401);
}

#[tokio::test]
async fn a_code_is_good_once_for_a_minute_and_for_its_viewer() {
    let publisher = Arc::new(publisher(all()));
    let fresh = async || {
        let (tab, page) = HandOff::begin(&publisher, V).await;
        handed(&tab.click(&page).await)["code"].as_str().unwrap().to_owned()
    };
    let profile = |response: &Response<Bytes>| json(response)["message"]["profile"].clone();
    let nothing = |response: &Response<Bytes>, why: &str| {
        assert!(set_cookies(response.headers()).is_empty(), "{why}");
        assert!(!text(response).contains("accessToken"), "{why}");
    };

    let code = fresh().await;
    let wrong = redeem(&publisher, &code, EVIL).await;
    assert_eq!(profile(&wrong), "invalidOrigin");
    nothing(&wrong, "another viewer");
    assert!(text(&redeem(&publisher, &code, V).await).contains("accessToken"), "still good");
    let again = redeem(&publisher, &code, V).await;
    assert_eq!(profile(&again), "invalidAspect");
    nothing(&again, "twice");

    let code = fresh().await;
    publisher.clock.advance(Duration::from_secs(60));
    nothing(&redeem(&publisher, &code, V).await, "late");

    // 50 at the same time: one wins.
    let code = fresh().await;
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (publisher, code) = (Arc::clone(&publisher), code.clone());
        all.spawn(async move { redeem(&publisher, &code, V).await });
    }
    let answers = all.join_all().await;
    let won = answers.iter().filter(|own| text(own).contains("accessToken")).count();
    assert_eq!(won, 1);

    // A page of another site, and what is no form of the frame's.
    let code = fresh().await;
    let body = redeem_form(&code, V);
    for headers in [
        &[("sec-fetch-site", "cross-site"), ("origin", V)][..],
        &[("sec-fetch-site", "same-site"), ("origin", BASE)],
        &[("origin", "null")],
    ] {
        let mut foreign = request(Method::POST, "/auth/redeem", headers);
        *foreign.body_mut() = Body::from(body.clone());
        let refused = publisher.send(foreign).await;
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
        nothing(&refused, "foreign");
    }
    for body in ["", "handOff=x", "handOff=x&family=3&origin=https://a.example&messageId=1", "%ff"]
    {
        let refused = publisher.send(form("/auth/redeem", &[], body)).await;
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{body}");
    }
    for junk in ["x", "AAAA", &code[..code.len() - 1]] {
        nothing(&redeem(&publisher, junk, V).await, "junk");
    }
    let get = publisher.get("/auth/redeem", &[]).await;
    assert_eq!(get.status(), StatusCode::METHOD_NOT_ALLOWED);

    // A logout in between takes the session along.
    let (tab, page) = HandOff::begin(&publisher, V).await;
    let done = tab.click(&page).await;
    let cookie = cookie_pair(&done, COOKIE).unwrap();
    publisher.get("/auth/logout", &[("cookie", &cookie)]).await;
    let code = handed(&done)["code"].as_str().unwrap().to_owned();
    nothing(&redeem(&publisher, &code, V).await, "logged out");
}

/// The frame waits only where the browser keeps cookies back.
#[tokio::test]
async fn the_frame_waits_only_where_a_code_may_come() {
    let hand_off = ThirdPartyCookies::default().hand_off();
    for (ways, headers, waits) in [
        (hand_off, &[][..], true),
        (hand_off, &[("sec-fetch-storage-access", "none")], true),
        (hand_off, &[INACTIVE, ("origin", V)], true),
        (hand_off.storage_access(), &[INACTIVE, ("origin", V)], false),
        (hand_off, &[ACTIVE], false),
        (hand_off, &[("cookie", "__Host-iiif=junk")], false),
        (ThirdPartyCookies::default(), &[], false),
    ] {
        let publisher = publisher(ways);
        let path = format!("/auth/token?messageId=m1&origin={V}");
        let page = publisher.get(&path, headers).await;
        assert_eq!(text(&page).contains("waitMs"), waits, "{ways:?} {headers:?}");
    }
}

/// The cookie in the partition is renewed by use, and never outlives its session.
#[tokio::test]
async fn the_partition_s_cookie_is_renewed_by_use() {
    let clock = clock();
    let half_an_hour = Realm::new().access(AccessService::active("login", "Example Library"));
    let builder = IiifAuth::builder(BASE)
        .keyring(common::keyring())
        .clock(clock.clone())
        .images("/iiif/3")
        .realm(half_an_hour)
        .authorizer(common::rules())
        .third_party_cookies(all());
    let publisher = Publisher::of(builder, clock);
    let (tab, page) = HandOff::begin(&publisher, V).await;
    let done = tab.click(&page).await;
    let code = handed(&done)["code"].as_str().unwrap().to_owned();
    let mut cookie = cookie_pair(&redeem(&publisher, &code, V).await, PARTITIONED).unwrap();
    let first = cookie.clone();
    let mut renewed = 0;
    // Every four minutes, up to the session's end.
    for minutes in (4..30).step_by(4) {
        publisher.clock.advance(Duration::from_secs(4 * 60));
        let tile = publisher.get(&image("sec"), &[("cookie", &cookie)]).await;
        assert_eq!(tile.status(), StatusCode::OK, "{minutes}");
        if let Some(next) = cookie_pair(&tile, PARTITIONED) {
            let age = set_cookies(tile.headers())[0].clone();
            let age = age.split("; ").find_map(|own| own.strip_prefix("Max-Age=")).unwrap();
            assert!(
                age.parse::<u64>().unwrap() <= 600.min((30 - minutes) * 60),
                "{minutes}: {age}"
            );
            cookie = next;
            renewed += 1;
        }
    }
    assert!((2..=4).contains(&renewed), "{renewed} times");
    assert_denied(&publisher.get(&image("sec"), &[("cookie", &first)]).await, 401);
    publisher.clock.advance(Duration::from_secs(2 * 60));
    assert_denied(&publisher.get(&image("sec"), &[("cookie", &cookie)]).await, 401);
}

#[tokio::test]
async fn the_grant_page_asks_and_tells_its_viewer() {
    let publisher = publisher(ThirdPartyCookies::default().grant_page());
    let page = publisher.get(&format!("/auth/grant?origin={V}/"), &[]).await;
    assert_eq!(page.status(), StatusCode::OK);
    assert!(policy(&page).contains("frame-ancestors https://viewer.example"));
    assert!(!page.headers().contains_key("x-frame-options"));
    let [script] = &scripts(text(&page))[..] else { panic!("one script") };
    assert!(policy(&page).contains(&hash(script)));
    assert!(text(&page).contains("viewer.example shows images of iiif.example"));
    assert!(text(&page).contains("{\"targetOrigin\":\"https://viewer.example\"}"));
    for bad in ["", "?origin=*", "?origin=null", "?origin=https://a.example/b"] {
        let page = publisher.get(&format!("/auth/grant{bad}"), &[]).await;
        assert_eq!(page.status(), StatusCode::BAD_REQUEST, "{bad}");
        assert!(scripts(text(&page)).is_empty());
        assert!(policy(&page).contains("frame-ancestors 'none'"));
    }
}

/// With everything off, every answer is byte for byte what it is without a word of it; on plain http
/// nothing is in effect.
#[tokio::test]
async fn off_is_off() {
    for path in ["/auth/hand-off", "/auth/redeem", "/auth/grant?origin=https://viewer.example"] {
        let off = publisher(ThirdPartyCookies::default()).get(path, &[]).await;
        assert_eq!(off.status(), StatusCode::NOT_FOUND, "{path}");
    }
    let publisher = publisher(ThirdPartyCookies::default());
    let token = format!("/auth/token?messageId=m1&origin={V}");
    for path in [&*image("sec"), &token, "/iiif/3/sec/info.json"] {
        let plain = publisher.get(path, &[]).await;
        let told = publisher.get(path, &[INACTIVE, ("origin", V)]).await;
        assert_eq!(plain.headers(), told.headers(), "{path}");
        assert_eq!(plain.body(), told.body());
        assert!(!vary(&plain).contains("storage"));
    }
    assert!(closes(
        &publisher
            .send(request(Method::POST, "/auth/login", &[("origin", BASE), ("x-roles", "A")],))
            .await
    ));
}
