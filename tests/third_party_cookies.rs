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
use tower_iiif_auth::aspect::IpRanges;
use tower_iiif_auth::protocol::Family;
use tower_iiif_auth::resource::{Families, ImageApi};
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
    assert!(
        script.contains("window.open(`${helper}#${value}`")
            && policy(&page).contains(&hash(script))
    );

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
    assert_eq!(json(&redeemed), serde_json::json!({"redeemed": true}));
    let arrived = cookie_pair(&redeemed, PARTITIONED).unwrap();
    // The frame asks anew, with what the browser has kept.
    let token = publisher.token_at("/auth/token", &arrived).await;
    assert_eq!(publisher.probe_status("/iiif/3/sec", Some(&token)).await, 200);
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

    // TC-06: the logout in the tab ends what it cannot delete.
    publisher.get("/auth/logout", &[("cookie", &cookie)]).await;
    assert_denied(&publisher.get(&image("sec"), &[("cookie", &partitioned)]).await, 401);
    assert_eq!(publisher.probe_status("/iiif/3/sec", Some(&token)).await, 401);
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
    assert_eq!(set_cookies(redeem(&publisher, &code, V).await.headers()).len(), 1, "still good");
    // Another frame of the same viewer is told to look again, and gets nothing itself.
    let again = redeem(&publisher, &code, V).await;
    assert_eq!(json(&again), serde_json::json!({"redeemed": true}));
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
    let won = answers.iter().filter(|own| !set_cookies(own.headers()).is_empty()).count();
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

/// A cookie in a partition that was logged out, or belongs to an earlier session, is in nobody's way: no
/// logout can delete it, and the browser goes on to send it.
#[tokio::test]
async fn a_dead_cookie_in_the_partition_stops_no_new_login() {
    for (ways, hint) in [
        (ThirdPartyCookies::default().hand_off(), ("sec-fetch-storage-access", "none")),
        (all(), INACTIVE),
    ] {
        let publisher = publisher(ways);
        let mut partitioned = Vec::new();
        for round in 0..3 {
            let path = format!("/auth/token?messageId=m1&origin={V}");
            let dead = partitioned.join("; ");
            let headers = [("cookie", &*dead), hint, ("origin", V)];
            let frame = publisher.get(&path, &headers).await;
            assert_eq!(text(&frame).contains("waitMs"), hint != INACTIVE, "{round}");
            assert_eq!(offer(&frame).is_some(), hint == INACTIVE, "{round}");
            let tile = publisher.get(&image("sec"), &headers).await;
            assert_denied(&tile, 401);
            assert_eq!(offer(&tile).is_some(), hint == INACTIVE, "{round}");

            let (tab, page) = HandOff::begin(&publisher, V).await;
            let done = tab.click(&page).await;
            let code = handed(&done)["code"].as_str().unwrap().to_owned();
            let redeemed = redeem(&publisher, &code, V).await;
            let pair = cookie_pair(&redeemed, PARTITIONED).unwrap();
            let both = format!("{dead}; {pair}");
            let tile = publisher.get(&image("sec"), &[("cookie", &both)]).await;
            assert_eq!(tile.status(), StatusCode::OK, "{round}");
            partitioned.push(pair);
            let own = cookie_pair(&done, COOKIE).unwrap();
            publisher.get("/auth/logout", &[("cookie", &own)]).await;
        }
    }
    // A companion is of the session that the answer rests on, and a dead one does not keep it away.
    let publisher = publisher(all());
    let path = format!("/auth/token?messageId=m1&origin={V}");
    let (tab, page) = HandOff::begin(&publisher, V).await;
    let first = cookie_pair(&tab.click(&page).await, COOKIE).unwrap();
    let token = publisher.get(&path, &[ACTIVE, ("origin", V), ("cookie", &first)]).await;
    let dead = cookie_pair(&token, PARTITIONED).unwrap();
    publisher.get("/auth/logout", &[("cookie", &first)]).await;
    let second = format!("{COOKIE}={}", publisher.log_in_directly(&["A"]).await);
    let both = format!("{second}; {dead}");
    let tile = publisher.get(&image("sec"), &[ACTIVE, ("origin", V), ("cookie", &both)]).await;
    assert_eq!(tile.status(), StatusCode::OK);
    let companion = cookie_pair(&tile, PARTITIONED).expect("a companion of the new session");
    let tile = publisher.get(&image("sec"), &[("cookie", &companion)]).await;
    assert_eq!(tile.status(), StatusCode::OK);
}

/// A code is for a viewer that the page has named, and for no other that the session knows.
#[tokio::test]
async fn no_code_for_a_viewer_that_was_not_named() {
    let publisher = publisher(all());
    let (tab, page) = HandOff::begin(&publisher, V).await;
    let cookie = cookie_pair(&tab.click(&page).await, COOKIE).unwrap();
    // The same user, again, in a tab that nobody says they opened.
    let page = publisher.get("/auth/login", &[("cookie", &cookie)]).await;
    let flow = cookie_pair(&page, "__Host-iiif-flow").unwrap();
    let cookies = format!("{cookie}; {flow}");
    let back = [("cookie", &*cookies), ("sec-fetch-site", "cross-site"), ("x-roles", "A")];
    let gesture = publisher.send(request(Method::POST, "/auth/login", &back)).await;
    assert!(text(&gesture).contains("<form ") && !text(&gesture).contains("data-hand-off"));
    let body = format!("{}continue", fields(&gesture));
    let done = publisher.send(form("/auth/continue", &[("cookie", &cookies)], &body)).await;
    assert!(closes(&done), "nothing to hand off");
    assert!(!text(&done).contains("id=\"hand-off\""));
}

/// Where no cookie could help, nothing waits for one, and no browser is sent twice.
#[tokio::test]
async fn no_wait_where_no_cookie_could_help() {
    let clock = clock();
    let room = Realm::new()
        .access(AccessService::external().label("Reading room"))
        .aspect(IpRanges::new(["192.0.2.0/24"], "A").unwrap());
    let builder = IiifAuth::builder(BASE)
        .keyring(common::keyring())
        .clock(clock.clone())
        .images("/iiif/3")
        .realm(room)
        .authorizer(common::rules())
        .third_party_cookies(all());
    let publisher = Publisher::of(builder, clock);
    for hint in [INACTIVE, ("sec-fetch-storage-access", "none")] {
        let path = format!("/auth/token?messageId=m1&origin={V}");
        let frame = publisher.get(&path, &[hint, ("origin", V)]).await;
        assert!(!text(&frame).contains("waitMs"));
        assert_eq!(offer(&frame), None);
        let tile = publisher.get(&image("sec"), &[hint, ("origin", V)]).await;
        assert_eq!(offer(&tile), None);
    }
}

/// A lesser version takes the place of nothing that the browser could show with its cookie.
#[tokio::test]
async fn a_redirect_to_a_lesser_version_offers_the_retry() {
    let clock = clock();
    let families = Families::from(Family::V1).redirecting_content();
    let builder = common::families::builder(&clock)
        .resources(ImageApi::new("/iiif/redirecting").families(families))
        .third_party_cookies(all());
    let publisher = Publisher::before(builder, clock, common::families::images);
    let tile = "/iiif/redirecting/tiered/full/max/0/default.jpg";
    let answer = publisher.get(tile, &[INACTIVE, ("origin", V)]).await;
    assert_eq!(answer.status(), StatusCode::FOUND);
    assert_eq!(offer(&answer), Some("retry; allowed-origin=\"https://viewer.example\""));
    assert!(vary(&answer).contains("sec-fetch-storage-access"));
}

/// 1.0 and 0.9 get their own words for it, and 0.9 its client's code.
#[tokio::test]
async fn a_code_is_redeemed_in_every_family() {
    let clock = clock();
    let realm = common::families::realm().client("app", "0123456789abcdef");
    let builder = IiifAuth::builder(BASE)
        .keyring(common::keyring())
        .clock(clock.clone())
        .images("/iiif/3")
        .resources(ImageApi::new("/iiif/2").families([Family::V1, Family::V09]))
        .realm(realm)
        .authorizer(common::rules())
        .third_party_cookies(all());
    let publisher = Publisher::before(builder, clock, common::families::images);
    let identity = r#"{"clientId": "app", "clientSecret": "0123456789abcdef"}"#;
    let code = publisher.send(form("/auth/client", &[], identity)).await;
    let client = json(&code)["authorizationCode"].as_str().unwrap().to_owned();
    for (family, path, client, works) in [
        ("2", "/auth/token", None, true),
        ("1", "/auth/token/1", None, true),
        ("0", "/auth/token/0", None, false),
        ("0", "/auth/token/0", Some("junk"), false),
        ("0", "/auth/token/0", Some(&*client), true),
    ] {
        let client = client.map_or_else(String::new, |own| format!("&code={own}"));
        let path = format!("{path}?messageId=m1&origin={V}{client}");
        let frame = publisher.get(&path, &[]).await;
        // V09-TOK-4: the frame, too, waits only for a client that is known.
        assert_eq!(text(&frame).contains("waitMs"), works);
        let (tab, page) = HandOff::begin(&publisher, V).await;
        let code = handed(&tab.click(&page).await)["code"].as_str().unwrap().to_owned();
        let refused = format!("handOff={code}&family={family}&origin={EVIL}&messageId=m1");
        let refused = publisher.send(form("/auth/redeem", &[], &refused)).await;
        let message = json(&refused)["message"].clone();
        assert_eq!(message["messageId"], "m1");
        assert_eq!(message["type"].is_string(), family == "2", "in its own words: {message}");
        let body = format!("handOff={code}&family={family}&origin={V}&messageId=m1");
        let redeemed = publisher.send(form("/auth/redeem", &[], &body)).await;
        let cookie = cookie_pair(&redeemed, PARTITIONED).unwrap();
        let (message, _) = posted(&publisher.get(&path, &[("cookie", &cookie)]).await).unwrap();
        assert_eq!(message["accessToken"].is_string(), works, "{path}: {message}");
        if works && family != "2" {
            let bearer = format!("Bearer {}", message["accessToken"].as_str().unwrap());
            let info = publisher.get("/iiif/2/sec/info.json", &[("authorization", &bearer)]).await;
            assert_eq!(info.status(), StatusCode::OK);
        }
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
    let cookie = format!("{COOKIE}={}", publisher.log_in(&["A"], Some(V)).await);
    for path in [&*image("sec"), &token, "/iiif/3/sec/info.json"] {
        for (cookie, hint) in [("", INACTIVE), (&*cookie, INACTIVE), (&*cookie, ACTIVE)] {
            let plain = publisher.get(path, &[("cookie", cookie)]).await;
            let told = publisher.get(path, &[("cookie", cookie), hint, ("origin", V)]).await;
            assert_eq!(plain.headers(), told.headers(), "{path}");
            assert_eq!(plain.body().len(), told.body().len(), "{path}");
            assert!(!vary(&plain).contains("storage") && set_cookies(plain.headers()).is_empty());
        }
    }
    assert!(closes(
        &publisher
            .send(request(Method::POST, "/auth/login", &[("origin", BASE), ("x-roles", "A")],))
            .await
    ));
}

/// The application's login may open the helper window with its own click: the page that asks for one says that
/// it need not, and only where that form was sent from this site, for one viewer that it can name.
#[tokio::test]
async fn a_login_form_may_be_the_click() {
    let with_script = |flow: Option<&str>| format!("script={}", flow.unwrap_or("none"));
    let told = move |request: &Request<Body>| {
        let mut response = common::image_server(request);
        let flow = request.extensions().get::<tower_iiif_auth::access::AccessFlow>();
        if response.extensions().get::<tower_iiif_auth::access::AccessGrant>().is_none() {
            let script = flow.and_then(|flow| flow.hand_off_script());
            *response.body_mut() = Body::from(with_script(script));
        }
        response
    };
    for (ways, url, viewer, script, expected) in [
        (all(), BASE, Some(V), Some("/auth/hand-off/open.js"), true),
        (
            all(),
            "https://iiif.example/images",
            Some(V),
            Some("/images/auth/hand-off/open.js"),
            true,
        ),
        (all(), BASE, None, None, false),
        (ThirdPartyCookies::default().storage_access(), BASE, Some(V), None, false),
    ] {
        let clock = clock();
        let realm = Realm::new().access(AccessService::active("login", "Example Library"));
        let builder = IiifAuth::builder(url)
            .keyring(common::keyring())
            .clock(clock.clone())
            .images("/iiif/3")
            .realm(realm)
            .authorizer(common::rules())
            .third_party_cookies(ways);
        let publisher = Publisher::before(builder, clock, told);
        let query = viewer.map_or_else(String::new, |viewer| format!("?origin={viewer}"));
        let page = publisher.get(&format!("/auth/login{query}"), &[]).await;
        assert_eq!(text(&page), format!("script={}", script.unwrap_or("none")), "{url}");
        let answer = publisher.get("/auth/hand-off/open.js", &[]).await;
        if expected {
            assert_eq!(answer.headers()["content-type"], "text/javascript; charset=utf-8");
            assert_eq!(answer.headers()["cross-origin-resource-policy"], "same-origin");
            assert!(text(&answer).contains("window.open(`${helper}#${value}`"));
            let post = publisher.send(request(Method::POST, "/auth/hand-off/open.js", &[])).await;
            assert_eq!(post.status(), StatusCode::METHOD_NOT_ALLOWED);
        } else if script.is_none() && ways == ThirdPartyCookies::default().storage_access() {
            assert!(!text(&answer).contains("window.open"), "it is off");
        }
        let flow = cookie_pair(&page, "__Host-iiif-flow").unwrap_or_default();
        let headers = [("cookie", &*flow), ("origin", BASE), ("x-roles", "A")];
        let page = publisher.send(request(Method::POST, "/auth/login", &headers)).await;
        assert_eq!(text(&page).contains(" data-clicked"), expected, "{url} {viewer:?}");
        // No cookie comes of it without that page's form.
        assert_eq!(set_cookie_value(&page, COOKIE).is_none(), expected);
    }
    // What comes from elsewhere, or may be for another viewer, is asked for as ever.
    let publisher = publisher(all());
    let flow = {
        let first = publisher.get(&format!("/auth/login?origin={EVIL}"), &[]).await;
        let first = cookie_pair(&first, "__Host-iiif-flow").unwrap();
        let second = publisher.get(&format!("/auth/login?origin={V}"), &[("cookie", &first)]).await;
        cookie_pair(&second, "__Host-iiif-flow").unwrap()
    };
    for headers in [
        &[("cookie", &*flow), ("origin", EVIL), ("sec-fetch-site", "cross-site"), ("x-roles", "A")]
            [..],
        // Nothing tells whose tab it is.
        &[("cookie", &*flow), ("origin", BASE), ("referer", BASE), ("x-roles", "A")],
    ] {
        let page = publisher.send(request(Method::POST, "/auth/login", headers)).await;
        assert!(text(&page).contains("data-hand-off="), "{headers:?}");
        assert!(!text(&page).contains("data-clicked"), "{headers:?}");
        assert!(set_cookie_value(&page, COOKIE).is_none());
    }
}
