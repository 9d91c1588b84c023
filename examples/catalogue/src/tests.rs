//! The catalogue over HTTP, as browsers and viewers use it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use axum::http::{Method, Request};
use http_body_util::BodyExt;
use tower::ServiceExt;
use tower_iiif_auth::aspect::PeerAddr;
use tower_iiif_auth::clock::{Clock, SetClock, SystemClock};
use tower_iiif_auth::testing::{SelfCheck, TestUser};
use tower_iiif_auth::{IiifAuth, Keyring};

use crate::database::Database;
use crate::iiif;

const BASE: &str = "https://iiif.example";
const V: &str = "https://viewer.example";
const MINUTE: Duration = Duration::from_secs(60);

struct Site {
    app: Router,
    auth: IiifAuth,
    clock: SetClock,
    database: Database,
}

impl Site {
    async fn new() -> Self {
        let clock = SetClock::at(SystemClock.now());
        let builder = IiifAuth::builder(BASE).keyring(Keyring::generate().unwrap());
        let database = Database::open(None).await.unwrap();
        let builder = builder.clock(clock.clone());
        let (app, auth) = iiif::app(BASE, builder, &database, &["192.0.2.0/24"]).unwrap();
        Self { app, auth, clock, database }
    }

    fn browser(&self) -> Browser {
        Browser { app: self.app.clone(), cookies: BTreeMap::new(), address: "203.0.113.9" }
    }

    async fn logged_in(&self, name: &str) -> Browser {
        let mut browser = self.browser();
        let answer = browser.log_in("/auth/login", name).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        browser
    }
}

/// A browser: it keeps cookies, and says where its requests come from.
#[derive(Clone)]
struct Browser {
    app: Router,
    cookies: BTreeMap<String, String>,
    address: &'static str,
}

struct Answer {
    status: u16,
    location: Option<String>,
    text: String,
}

impl Browser {
    async fn send(&mut self, mut request: Request<Body>) -> Answer {
        let pairs: Vec<_> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !pairs.is_empty() {
            request.headers_mut().insert(COOKIE, pairs.join("; ").parse().unwrap());
        }
        request.extensions_mut().insert(PeerAddr(self.address.parse().unwrap()));
        let response = self.app.clone().oneshot(request).await.unwrap();
        for cookie in response.headers().get_all(SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let location = response.headers().get(LOCATION).map(|own| own.to_str().unwrap().to_owned());
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        Answer { status, location, text: String::from_utf8_lossy(&body).into_owned() }
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    async fn post(&mut self, path: &str, form: &str, from: &str) -> Answer {
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ORIGIN, from)
            .header("sec-fetch-site", if from == BASE { "same-origin" } else { "cross-site" })
            .body(Body::from(form.to_owned()));
        self.send(request.unwrap()).await
    }

    async fn log_in(&mut self, at: &str, name: &str) -> Answer {
        self.get(at).await;
        self.post(at, &format!("name={name}&password={name}"), BASE).await
    }

    /// The statuses of a tile and of a thumbnail.
    async fn sees(&mut self, item: &str) -> (u16, u16) {
        let tile = self.get(&format!("/iiif/3/{item}/0,0,64,64/64,/0/default.jpg")).await;
        let small = self.get(&format!("/iiif/3/{item}/full/!100,100/0/default.jpg")).await;
        (tile.status, small.status)
    }
}

/// Everything is answered, and decided on before it is.
#[tokio::test]
async fn the_wiring() {
    let site = Site::new().await;
    let findings = SelfCheck::of(&site.auth).run(site.app.clone(), Body::empty).await;
    assert!(findings.is_empty(), "{findings:#?}");
}

/// Each kind of rights, for each kind of visitor.
#[tokio::test]
async fn who_sees_what() {
    let site = Site::new().await;
    let (mut nobody, mut terms) = (site.browser(), site.browser());
    let mut campus = Browser { address: "192.0.2.7", ..site.browser() };
    let (mut member, mut staff) = (site.logged_in("ada").await, site.logged_in("grace").await);
    let page = terms.get("/auth/terms/accept?return_to=/items/songbook").await;
    let secret = page.text.split("name=\"secret\" value=\"").nth(1).unwrap();
    let form = format!("secret={}&decision=accept", secret.split('"').next().unwrap());
    let accepted = terms.post("/auth/terms/accept", &form, BASE).await;
    assert_eq!(accepted.location.as_deref(), Some("https://iiif.example/items/songbook"));
    for (item, expected) in [
        ("poster", [(200, 200); 5]),
        ("songbook", [(401, 401), (200, 200), (401, 401), (401, 401), (401, 401)]),
        ("atlas", [(401, 401), (401, 401), (401, 401), (200, 200), (200, 200)]),
        ("map", [(401, 200), (401, 200), (401, 200), (200, 200), (200, 200)]),
        ("newspaper", [(401, 401), (401, 401), (200, 200), (401, 401), (401, 401)]),
        ("thesis", [(401, 401), (401, 401), (401, 401), (403, 403), (200, 200)]),
        ("ledger", [(401, 401), (401, 401), (401, 401), (403, 403), (200, 200)]),
        ("nothing", [(404, 404); 5]),
    ] {
        let visitors = [&mut nobody, &mut terms, &mut campus, &mut member, &mut staff];
        for (index, (visitor, expected)) in visitors.into_iter().zip(expected).enumerate() {
            assert_eq!(visitor.sees(item).await, expected, "{item}, visitor {index}");
            // The page says the same.
            let list = visitor.get("/").await.text;
            let link = format!("<a href=\"/items/{item}\">");
            let row = list.split(&link).nth(1).map(|rest| rest.split("<li>").next().unwrap());
            let is_open = row.map(|row| row.contains("(open to you)"));
            let told = (expected.0 != 404).then_some(expected.0 == 200);
            assert_eq!(is_open, told, "{item}, visitor {index}: {row:?}");
        }
    }
    // The embargo ends by itself; what was remembered for half a minute is asked for again.
    site.clock.advance(24 * 60 * MINUTE + MINUTE);
    assert_eq!(nobody.sees("thesis").await, (200, 200));
}

/// What a viewer offers comes from the item's record.
#[tokio::test]
async fn what_viewers_offer() {
    let site = Site::new().await;
    let mut viewer = site.browser();
    for (item, expected) in [
        ("songbook", "\"https://iiif.example/auth/terms/accept\""),
        ("atlas", "\"https://iiif.example/auth/login\""),
        ("newspaper", "\"external\""),
    ] {
        let info = viewer.get(&format!("/iiif/3/{item}/info.json")).await.text;
        assert_eq!(info.matches("AuthAccessService2").count(), 1, "{item}");
        let access = info.split("AuthAccessService2").nth(1).unwrap();
        assert!(info.contains(expected) && !access.is_empty(), "{item}: {info}");
    }
}

/// The menu's login and logout come back to the page; the tab that a viewer opened closes.
#[tokio::test]
async fn there_and_back() {
    let site = Site::new().await;
    let mut browser = site.browser();
    let page = browser.get("/items/atlas").await.text;
    let link = page.split("href=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert!(link.starts_with("/auth/login?return_to="), "{page}");
    let wrong = browser.post(&link, "name=ada&password=wrong", BASE).await;
    assert_eq!(wrong.status, 403);
    let nobody = browser.post(&link, "name=nobody&password=wrong", BASE).await;
    assert_eq!(nobody.status, 403);
    let back = browser.log_in(&link, "ada").await;
    assert_eq!(
        (back.status, back.location.as_deref()),
        (303, Some("https://iiif.example/items/atlas"))
    );
    let page = browser.get("/items/atlas").await.text;
    assert!(page.contains("You are ada.") && page.contains("(open to you)"), "{page}");
    let out = page.split("action=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    // Not by a form of another site's.
    let foreign = browser.post(&out, "", "https://evil.example").await;
    assert_eq!(foreign.status, 403);
    let back = browser.post(&out, "", BASE).await;
    assert_eq!((back.status, back.location.as_deref()), (303, Some("/items/atlas")));
    assert!(browser.get("/items/atlas").await.text.contains("Log in"));
    assert_eq!(browser.sees("atlas").await, (401, 401));
    let elsewhere = browser.post("/logout?to=//evil.example/", "", BASE).await;
    assert_eq!(elsewhere.location.as_deref(), Some("/"));
    let closed = browser.log_in(&format!("/auth/login?origin={V}"), "ada").await;
    assert!(closed.status == 200 && closed.text.contains("window.close()"), "{}", closed.text);
}

/// The staff ends all sessions of a user: each browser's and each viewer's.
#[tokio::test]
async fn all_sessions_of_a_user() {
    let site = Site::new().await;
    let (mut home, mut work) = (site.logged_in("ada").await, site.logged_in("ada").await);
    let mut staff = site.logged_in("grace").await;
    let viewer = V.parse().unwrap();
    let token = TestUser::new("1").role("member").token(&site.auth, &viewer).await.unwrap();
    let probed = async |browser: &mut Browser| {
        let request = Request::get("/auth/probe/iiif/3/atlas").header(AUTHORIZATION, &token);
        browser.send(request.body(Body::empty()).unwrap()).await.text
    };
    let mut viewers = site.browser();
    assert!(probed(&mut viewers).await.contains("\"status\":200"));
    for browser in [&mut home, &mut work] {
        assert_eq!(browser.sees("atlas").await.0, 200);
        // Members may not.
        assert_eq!(browser.post("/admin/sessions", "user=2", BASE).await.status, 403);
        assert_eq!(browser.get("/admin").await.status, 403);
    }
    let page = staff.get("/admin").await.text;
    assert!(page.contains("ada (member)") && page.contains("value=\"1\""), "{page}");
    let foreign = staff.post("/admin/sessions", "user=1", "https://evil.example").await;
    assert_eq!(foreign.status, 403);
    assert_eq!(staff.post("/admin/sessions", "user=1", BASE).await.status, 303);
    for browser in [&mut home, &mut work] {
        assert_eq!(browser.sees("atlas").await.0, 401);
        assert!(browser.get("/").await.text.contains("Log in"));
    }
    assert!(probed(&mut viewers).await.contains("\"status\":401"));
    assert_eq!(staff.sees("atlas").await.0, 200);
    assert_eq!(site.logged_in("ada").await.sees("atlas").await.0, 200);
}

/// An item's rights change while a viewer is open: the next tile is decided on by the new ones.
#[tokio::test]
async fn rights_that_change() {
    let site = Site::new().await;
    let (mut member, mut staff) = (site.logged_in("ada").await, site.logged_in("grace").await);
    let mut nobody = site.browser();
    for (rights, of_member, of_nobody) in [
        ("members", (200, 200), (401, 401)),
        ("staff", (403, 403), (401, 401)),
        ("public", (200, 200), (200, 200)),
        ("small", (200, 200), (401, 200)),
        ("terms", (401, 401), (401, 401)),
        ("members", (200, 200), (401, 401)),
    ] {
        let form = format!("item=atlas&rights={rights}");
        assert_eq!(member.post("/admin/rights", &form, BASE).await.status, 403);
        assert_eq!(staff.post("/admin/rights", &form, BASE).await.status, 303);
        assert_eq!(member.sees("atlas").await, of_member, "{rights}");
        assert_eq!(nobody.sees("atlas").await, of_nobody, "{rights}");
    }
    for form in ["item=atlas&rights=none", "item=nothing&rights=public"] {
        assert_eq!(staff.post("/admin/rights", form, BASE).await.status, 400);
    }
    // A change that did not come by the page shows within half a minute.
    site.database.set_rights("atlas", "public").await.unwrap();
    assert_eq!(nobody.sees("atlas").await, (401, 401));
    site.clock.advance(Duration::from_secs(30));
    assert_eq!(nobody.sees("atlas").await, (200, 200));
}

/// Who looks at pictures or pages stays in, up to ten hours; who does nothing for half an hour is out.
#[tokio::test]
async fn sessions_that_last() {
    let site = Site::new().await;
    let (mut busy, mut idle) = (site.logged_in("ada").await, site.logged_in("ada").await);
    for round in 0..29 {
        site.clock.advance(20 * MINUTE);
        if round % 2 == 0 {
            assert_eq!(busy.sees("atlas").await.0, 200, "round {round}");
        } else {
            assert!(busy.get("/").await.text.contains("You are ada."), "round {round}");
        }
    }
    assert_eq!(idle.sees("atlas").await.0, 401);
    site.clock.advance(20 * MINUTE);
    assert_eq!(busy.sees("atlas").await.0, 401, "ten hours are over");
}

/// 100 000 items and 10 000 users: a tile takes as long as with ten.
#[tokio::test]
async fn a_large_catalogue() {
    let mut medians = Vec::new();
    for (items, users) in [(10, 10), (100_000, 10_000)] {
        let site = Site::new().await;
        site.database.grow(items, users).await.unwrap();
        let mut member = site.logged_in("ada").await;
        let mut times: Vec<_> = Vec::new();
        for _ in 0..300 {
            let begun = Instant::now();
            assert_eq!(member.get("/iiif/3/atlas/0,0,8,8/8,/0/default.jpg").await.status, 200);
            times.push(begun.elapsed());
        }
        times.sort_unstable();
        medians.push(times[times.len() / 2]);
        // One that nobody asked for before: a look at an index.
        let begun = Instant::now();
        let last = member.get(&format!("/iiif/3/item-{items}/full/max/0/default.jpg")).await;
        assert_eq!(last.status, 404, "it may be seen, and there is no picture");
        assert!(begun.elapsed() < Duration::from_millis(500), "{:?}", begun.elapsed());
    }
    eprintln!("a tile: {medians:?}");
    assert!(medians[1] < medians[0] * 2, "{medians:?}");
}
