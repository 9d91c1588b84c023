//! Decisions that are remembered: what they are remembered by, for how long, and what is asked again.

mod common;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Method, StatusCode};
use tokio::sync::Notify;
use tower_iiif_auth::aspect::IpRanges;
use tower_iiif_auth::authorizer::{
    AccessRequest, Authorizer, Decision, Denial, MaxUnauthorized, from_async_fn, from_fn,
};
use tower_iiif_auth::clock::SetClock;
use tower_iiif_auth::protocol::Family;
use tower_iiif_auth::resource::ImageApi;
use tower_iiif_auth::{AccessService, Answer, BoxError, Realm};

use common::{COOKIE, Publisher, V, builder, clock, image, request};

const SECOND: Duration = Duration::from_secs(1);

/// A table of rights that counts its questions, waits where it is told to, and may be down.
#[derive(Clone, Default)]
struct Table {
    /// The role that opens an item; an empty one opens it to everyone.
    rights: Arc<Mutex<HashMap<String, &'static str>>>,
    asked: Arc<AtomicUsize>,
    is_down: Arc<Mutex<bool>>,
    gate: Arc<Mutex<Option<Arc<Notify>>>>,
}

impl Table {
    fn set(&self, item: &str, role: &'static str) {
        self.rights.lock().unwrap().insert(item.to_owned(), role);
    }

    fn asked(&self) -> usize {
        self.asked.swap(0, Ordering::SeqCst)
    }

    async fn decide(self, request: AccessRequest<'static>) -> Result<Decision, BoxError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        assert!(request.resource().image().is_none(), "it is asked about the whole");
        let role = self.rights.lock().unwrap().get(request.identifier()).copied();
        let is_down = *self.is_down.lock().unwrap();
        let gate = self.gate.lock().unwrap().clone();
        if let Some(gate) = gate {
            gate.notified().await;
        }
        if is_down {
            return Err("the table is down".into());
        }
        Ok(match role {
            None => Denial::later().into(),
            Some("") => Decision::Grant,
            Some(role) => request.has_role(role).into(),
        })
    }
}

fn published(table: &Table, at_most: usize) -> (Publisher, impl Authorizer + Clone, Handle) {
    let clock = clock();
    let own = table.clone();
    let rules =
        from_async_fn(move |request| own.clone().decide(request)).cached(10 * SECOND, at_most);
    let handle = {
        let (a, b, c, d) = (rules.clone(), rules.clone(), rules.clone(), rules.clone());
        Handle {
            resource: Box::new(move |id| a.forget_resource(id)),
            subject: Box::new(move |id| b.forget_subject(id)),
            all: Box::new(move || c.forget_all()),
            len: Box::new(move || d.len()),
        }
    };
    let publisher = Publisher::of(builder(&clock).authorizer(rules.clone()), clock);
    (publisher, rules, handle)
}

struct Handle {
    resource: Box<dyn Fn(&str) + Send + Sync>,
    subject: Box<dyn Fn(&str) + Send + Sync>,
    all: Box<dyn Fn() + Send + Sync>,
    len: Box<dyn Fn() -> usize + Send + Sync>,
}

async fn status(publisher: &Publisher, path: &str, cookie: Option<&str>) -> u16 {
    let pair = cookie.map(|value| format!("{COOKIE}={value}"));
    let headers: Vec<_> = pair.iter().map(|pair| ("cookie", &**pair)).collect();
    publisher.get(path, &headers).await.status().as_u16()
}

/// A hundred tiles ask twice: as nobody, and for the user. What is open is asked for once, for everybody.
#[tokio::test]
async fn one_question_for_many_tiles() {
    let table = Table::default();
    table.set("sec", "A");
    table.set("pub", "");
    let (publisher, ..) = published(&table, 100);
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    for x in 0..100 {
        let tile = format!("/iiif/3/sec/{},0,512,512/512,/0/default.jpg", x * 512);
        assert_eq!(status(&publisher, &tile, Some(&cookie)).await, 200);
    }
    assert_eq!(table.asked(), 2);
    assert_eq!(status(&publisher, &image("sec"), None).await, 401);
    assert_eq!(table.asked(), 0, "of nobody it is known");
    // Another user, and the same one with other roles, are asked for anew.
    let other = publisher.log_in(&["B"], Some(V)).await;
    assert_eq!(status(&publisher, &image("sec"), Some(&other)).await, 401);
    let both = publisher.log_in(&["A", "B"], Some(V)).await;
    assert_eq!(status(&publisher, &image("sec"), Some(&both)).await, 200);
    assert_eq!(table.asked(), 2);
    for cookie in [None, Some(&*cookie), Some(&*other)] {
        assert_eq!(status(&publisher, &image("pub"), cookie).await, 200);
    }
    assert_eq!(table.asked(), 1);
    // The probe comes to the same decision, and asks nothing.
    let token = publisher.token(&cookie).await;
    assert_eq!(publisher.probe_status("/iiif/3/sec", Some(&token)).await, 200);
    assert_eq!(table.asked(), 0);
    // The same identifier below another base is another resource.
    assert_eq!(status(&publisher, "/files/sec", Some(&cookie)).await, 200);
    assert_eq!(table.asked(), 2);
}

/// Rights that change are seen after ten seconds, or at once where it is said that they did.
#[tokio::test]
async fn changed_rights() {
    let table = Table::default();
    table.set("sec", "A");
    let (publisher, _, handle) = published(&table, 100);
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    let seen = async || status(&publisher, &image("sec"), Some(&cookie)).await;
    assert_eq!(seen().await, 200);
    for how in ["resource", "subject", "all", "time"] {
        table.set("sec", "B");
        publisher.clock.advance(9 * SECOND);
        assert_eq!(seen().await, 200, "{how}: it is not heard of");
        match how {
            "resource" => (handle.resource)("sec"),
            "subject" => (handle.subject)("u1"),
            "all" => (handle.all)(),
            _ => publisher.clock.advance(SECOND),
        }
        assert_eq!(seen().await, 401, "{how}");
        table.set("sec", "A");
        (handle.resource)("other");
        (handle.subject)("u2");
        assert_eq!(seen().await, 401, "{how}: others are");
        (handle.all)();
        assert_eq!(seen().await, 200, "{how}");
    }
    // To everyone, and back.
    table.set("sec", "");
    (handle.resource)("sec");
    assert_eq!(status(&publisher, &image("sec"), None).await, 200);
    table.set("sec", "A");
    (handle.resource)("sec");
    assert_eq!(status(&publisher, &image("sec"), None).await, 401);
}

/// Tiles that come together wait for one answer; one that was asked for before the rights changed is not
/// remembered.
#[tokio::test]
async fn one_question_at_a_time() {
    let table = Table::default();
    table.set("pub", "");
    let (publisher, _, handle) = published(&table, 100);
    let gate = Arc::new(Notify::new());
    *table.gate.lock().unwrap() = Some(Arc::clone(&gate));
    let ask = |number: usize| {
        let publisher = publisher.clone();
        let tile = format!("/iiif/3/pub/{number},0,9,9/max/0/default.jpg");
        tokio::spawn(async move { status(&publisher, &tile, None).await })
    };
    let tiles: Vec<_> = (0..50).map(ask).collect();
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
    assert_eq!(table.asked(), 1);
    // The answer is on its way while the rights change.
    table.set("pub", "A");
    (handle.resource)("pub");
    let late = ask(99);
    *table.gate.lock().unwrap() = None;
    gate.notify_one();
    assert_eq!(late.await.unwrap(), 401, "who came after the change sees it");
    let mut seen = Vec::new();
    for tile in tiles {
        seen.push(tile.await.unwrap());
    }
    assert!(seen.iter().filter(|status| **status == 200).count() <= 1, "{seen:?}");
    assert_eq!(status(&publisher, &image("pub"), None).await, 401);
    assert!(table.asked() <= 2);
}

/// RE-04: an error is not remembered, nor is "not now"; who gives up leaves the question to the next.
#[tokio::test(start_paused = true)]
async fn re_04_errors_are_not_remembered() {
    let table = Table::default();
    table.set("pub", "");
    let (publisher, _, handle) = published(&table, 100);
    *table.is_down.lock().unwrap() = true;
    for _ in 0..3 {
        assert_eq!(status(&publisher, &image("pub"), None).await, 503);
    }
    assert_eq!((table.asked(), (handle.len)()), (3, 0));
    *table.is_down.lock().unwrap() = false;
    assert_eq!(status(&publisher, &image("new"), None).await, 503, "not now");
    table.set("new", "");
    assert_eq!(status(&publisher, &image("new"), None).await, 200);
    // A question that hangs: each waits for as long as it may.
    *table.gate.lock().unwrap() = Some(Arc::new(Notify::new()));
    let (tile, square) = (image("pub"), "/iiif/3/pub/square/max/0/default.jpg");
    let (one, other) =
        tokio::join!(status(&publisher, &tile, None), status(&publisher, square, None));
    assert_eq!((one, other), (503, 503));
    *table.gate.lock().unwrap() = None;
    assert_eq!(status(&publisher, &image("pub"), None).await, 200);
    // One whose client goes away.
    *table.gate.lock().unwrap() = Some(Arc::new(Notify::new()));
    (handle.all)();
    let gone = tokio::time::timeout(SECOND, status(&publisher, &image("pub"), None)).await;
    assert!(gone.is_err());
    *table.gate.lock().unwrap() = None;
    assert_eq!(status(&publisher, &image("pub"), None).await, 200);
    let _ = table.asked();
}

/// What looks at regions goes around what is remembered: a thumbnail opens no tile.
#[tokio::test]
async fn small_for_all_beside_it() {
    let clock = clock();
    let rules = from_fn(|request: &AccessRequest<'_>| request.has_role("A"));
    let rules = rules.cached(10 * SECOND, 100).or(MaxUnauthorized::new(400));
    let publisher = Publisher::of(builder(&clock).authorizer(rules), clock);
    let thumbnail = "/iiif/3/sec/full/!400,400/0/default.jpg";
    for _ in 0..3 {
        assert_eq!(status(&publisher, thumbnail, None).await, 200);
        assert_eq!(status(&publisher, &image("sec"), None).await, 401);
    }
    // And what it is asked by has no region, so that nothing inside can decide by one.
    let inside = from_fn(|request: &AccessRequest<'_>| request.resource().image().is_some());
    let clock = SetClock::at(tower_iiif_auth::clock::Timestamp::from_millis(1_800_000_000_000));
    let inside = builder(&clock).authorizer(inside.cached(SECOND, 9));
    let publisher = Publisher::of(inside, clock);
    assert_eq!(status(&publisher, thumbnail, None).await, 401);
}

/// LM-01: strangers who ask for whatever comes to mind take no more room than there is.
#[tokio::test]
async fn lm_01_bounded() {
    let table = Table::default();
    let (publisher, rules, handle) = published(&table, 100);
    for number in 0..1000 {
        table.set(&format!("item-{number}"), "A");
        assert_eq!(status(&publisher, &image(&format!("item-{number}")), None).await, 401);
        assert!((handle.len)() <= 110);
    }
    let whole = tower_iiif_auth::resource::Resource::new(
        "/iiif/3",
        "item-999",
        tower_iiif_auth::resource::ResourceKind::ImageService,
        "Image",
    );
    let question =
        AccessRequest::new(whole, None, tower_iiif_auth::clock::Clock::now(&publisher.clock));
    assert!(matches!(rules.authorize(&question), Answer::Now(Ok(Decision::Deny(_)))));
}

/// Time that goes back, and none at all to be remembered for.
#[tokio::test]
async fn times() {
    let table = Table::default();
    table.set("pub", "");
    let clock = clock();
    let own = table.clone();
    let rules = from_async_fn(move |request| own.clone().decide(request)).cached(Duration::ZERO, 9);
    let publisher = Publisher::of(builder(&clock).authorizer(rules), clock);
    for _ in 0..3 {
        assert_eq!(status(&publisher, &image("pub"), None).await, 200);
    }
    assert_eq!(table.asked(), 3);
    let head = publisher.send(request(Method::HEAD, &image("pub"), &[])).await;
    assert_eq!(head.status(), StatusCode::OK);
}

/// The item's record says which access services lead to it: they are declared, and sessions of their realms
/// count, whatever patterns say. One that there is not opens nothing.
#[tokio::test]
async fn services_from_the_same_answer() {
    let clock = clock();
    let rules = from_fn(|request: &AccessRequest<'_>| -> Decision {
        let (role, service) = match request.identifier() {
            "terms" => ("accept", "terms/accept"),
            "campus" => ("campus", "campus"),
            "typo" => ("A", "logn"),
            "either" if request.has_role("A") || request.has_role("accept") => {
                return Decision::Grant;
            }
            "either" => return Denial::login().through(["login", "terms/accept"]).into(),
            _ => ("A", "login"),
        };
        if request.has_role(role) {
            Decision::Grant
        } else {
            Denial::login().through([service]).into()
        }
    });
    let terms = AccessService::click_through("accept", "Library", "Terms").protects(["none"]);
    let campus = AccessService::external().label("Campus").protects(["none"]);
    let address = IpRanges::new(["192.0.2.0/24"], "campus").unwrap();
    let configured = builder(&clock)
        .resources(ImageApi::new("/iiif/2").families(Family::V1))
        .manifests("/manifests")
        .realm(Realm::named("terms").access(terms))
        .realm(Realm::named("campus").access(campus).aspect(address))
        .authorizer(rules.cached(10 * SECOND, 100));
    let publisher = Publisher::of(configured, clock);
    for (item, profiles, ids) in [
        ("sec", vec!["active"], vec!["https://iiif.example/auth/login"]),
        ("terms", vec!["active"], vec!["https://iiif.example/auth/terms/accept"]),
        ("campus", vec!["external"], vec![]),
        (
            "either",
            vec!["active", "active"],
            vec!["https://iiif.example/auth/login", "https://iiif.example/auth/terms/accept"],
        ),
    ] {
        let info = publisher.get(&format!("/iiif/3/{item}/info.json"), &[]).await;
        let services = common::json(&info)["service"][0]["service"].clone();
        let services = services.as_array().unwrap();
        let told = |member: &str| {
            let told = services.iter().filter_map(|own| own[member].as_str().map(str::to_owned));
            told.collect::<Vec<_>>()
        };
        assert_eq!((told("profile"), told("id")), (strings(&profiles), strings(&ids)), "{item}");
        let info = publisher.get(&format!("/iiif/2/{item}/info.json"), &[]).await;
        let older = common::json(&info)["service"].clone();
        let older = older.as_array().map_or(1, Vec::len);
        assert_eq!((info.status().as_u16(), older), (401, profiles.len()), "{item}");
        let probe = publisher.auth.probe_service(&format!("/iiif/3/{item}")).await.unwrap();
        assert_eq!(probe["service"].as_array().unwrap().len(), profiles.len(), "{item}");
    }
    let login = publisher.log_in(&["A", "accept", "campus"], Some(V)).await;
    for (item, expected) in [("sec", 200), ("either", 200), ("terms", 401), ("campus", 401)] {
        // The session of another realm does not count, whatever its roles are called.
        assert_eq!(status(&publisher, &image(item), Some(&login)).await, expected, "{item}");
    }
    assert_eq!(status(&publisher, &image("typo"), Some(&login)).await, 503);
    assert_eq!(status(&publisher, &image("typo"), None).await, 503);
    assert_eq!(publisher.probe_status("/iiif/3/typo", None).await, 503);
}

fn strings(all: &[&str]) -> Vec<String> {
    all.iter().map(|text| (*text).to_owned()).collect()
}
