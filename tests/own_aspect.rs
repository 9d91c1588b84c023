//! An aspect of the application's own, with a store: viewers are let in by a click, logouts reach the
//! store, and nobody's page lets itself in.

mod common;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use common::steps::{action, closes, fields, forms};
use common::{BASE, Body, Publisher, V, bare, clock, cookie_pair, form, image, request, text};
use http::header::COOKIE;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use tower_iiif_auth::access::AccessGrant;
use tower_iiif_auth::aspect::{AspectError, AuthorizingAspect, Head, Reading, Session, SessionId};
use tower_iiif_auth::clock::Timestamp;
use tower_iiif_auth::{
    AccessService, Answer, ConfigWarning, IiifAuthBuilder, Origin, Realm, ThirdPartyCookies,
};

const EVIL: &str = "https://evil.example";

/// The application's sessions: the viewers of each, by its number.
#[derive(Clone, Default)]
struct Store {
    sessions: Arc<Mutex<HashMap<u8, BTreeSet<String>>>>,
    is_down: Arc<Mutex<bool>>,
    /// Whether answers come later, as a database's do.
    waits: bool,
}

impl Store {
    fn with_session(waits: bool) -> Self {
        let store = Self { waits, ..Self::default() };
        store.sessions.lock().unwrap().insert(7, BTreeSet::new());
        store
    }

    fn viewers(&self) -> Option<Vec<String>> {
        self.sessions.lock().unwrap().get(&7).map(|viewers| viewers.iter().cloned().collect())
    }

    fn go_down(&self) {
        *self.is_down.lock().unwrap() = true;
    }

    fn change<T: Send + 'static>(
        &self,
        number: Option<u8>,
        change: impl FnOnce(&mut HashMap<u8, BTreeSet<String>>, u8) -> Option<T>,
    ) -> Answer<Result<T, AspectError>> {
        let outcome = match number {
            None => Err(AspectError::Missing),
            Some(_) if *self.is_down.lock().unwrap() => {
                Err(AspectError::Unavailable("down".into()))
            }
            Some(number) => {
                change(&mut self.sessions.lock().unwrap(), number).ok_or(AspectError::Invalid)
            }
        };
        if self.waits { Answer::later(async move { outcome }) } else { Answer::Now(outcome) }
    }

    fn session(&self, number: Option<u8>, now: Timestamp) -> Reading {
        self.change(number, |sessions, number| {
            let viewers = sessions.get(&number)?;
            Session::builder("ada")
                .role("A")
                .id(SessionId::from_bytes([number; 16]))
                .origins(viewers.iter().map(|own| own.parse().unwrap()))
                .lasting(now, Duration::from_secs(600))
                .ok()
        })
    }
}

fn number(head: &Head<'_>) -> Option<u8> {
    let cookies = head.headers().get(COOKIE)?.to_str().ok()?;
    cookies.split("; ").find_map(|one| one.strip_prefix("sid="))?.parse().ok()
}

impl AuthorizingAspect for Store {
    fn name(&self) -> &'static str {
        "application"
    }

    fn read(&self, head: &Head<'_>, now: Timestamp) -> Reading {
        self.session(number(head), now)
    }

    fn resume(&self, session: Session<'static>, now: Timestamp) -> Reading {
        self.session(Some(session.id().as_bytes()[0]), now)
    }

    fn bind(&self, head: &Head<'_>, viewer: &Origin) -> Answer<Result<(), AspectError>> {
        self.change(number(head), |sessions, number| {
            sessions.get_mut(&number)?.insert(viewer.as_str().to_owned());
            Some(())
        })
    }

    fn log_out(&self, head: &Head<'_>) -> Answer<Result<(), AspectError>> {
        self.change(number(head), |sessions, number| sessions.remove(&number).map(|_| ()))
    }
}

/// An application that says of everybody that its own aspect knows them.
fn application(request: &Request<Body>) -> Response<Body> {
    let path = request.uri().path();
    if !path.starts_with("/auth/") {
        return common::image_server(request);
    }
    let mut response = Response::new(Full::default());
    response.extensions_mut().insert(AccessGrant::by_own_aspect());
    response
}

fn configured(store: &Store) -> (IiifAuthBuilder, tower_iiif_auth::clock::SetClock) {
    let clock = clock();
    let realm = Realm::new()
        .access(AccessService::active("login", "Example Library"))
        .logout_label("Log out of Example Library")
        .aspect(store.clone());
    (bare(&clock).realm(realm), clock)
}

fn publisher(store: &Store) -> Publisher {
    let (builder, clock) = configured(store);
    Publisher::before(builder, clock, application)
}

/// Opens the access service for a viewer; the application grants at once.
async fn open(publisher: &Publisher, viewer: &str, cookies: &str) -> Response<Bytes> {
    publisher.get(&format!("/auth/login?origin={viewer}"), &[("cookie", cookies)]).await
}

async fn click(publisher: &Publisher, gesture: &Response<Bytes>, cookies: &str) -> Response<Bytes> {
    assert_eq!(action(gesture), "/auth/continue");
    let flow = cookie_pair(gesture, "__Host-iiif-flow").unwrap();
    let body = format!("{}continue", fields(gesture));
    let cookies = format!("{flow}; {cookies}");
    publisher.send(form("/auth/continue", &[("cookie", &cookies)], &body)).await
}

async fn token_error(publisher: &Publisher, viewer: &str) -> serde_json::Value {
    let query = format!("messageId=m1&origin={viewer}");
    publisher.token_message(&query, &[("cookie", "sid=7")]).await.0["profile"].clone()
}

#[tokio::test]
async fn a_viewer_is_let_in_by_a_click() {
    for waits in [false, true] {
        let store = Store::with_session(waits);
        let publisher = publisher(&store);
        // Logged in to the application, in no viewer's tab: pictures yes, tokens for nobody's page.
        let tile = publisher.get(&image("sec"), &[("cookie", "sid=7")]).await;
        assert_eq!(tile.status(), StatusCode::OK);
        assert_eq!(token_error(&publisher, V).await, "invalidOrigin");

        let gesture = open(&publisher, V, "sid=7").await;
        assert!(!closes(&gesture) && text(&gesture).contains("Continue to viewer.example"));
        assert_eq!(store.viewers().unwrap(), [""; 0], "no click yet");

        let done = click(&publisher, &gesture, "sid=7").await;
        assert!(closes(&done), "{done:?}");
        assert_eq!(store.viewers().unwrap(), [V]);
        assert_eq!(token_error(&publisher, EVIL).await, "invalidOrigin");
        let token = publisher.token_at("/auth/token", "sid=7").await;
        assert_eq!(publisher.probe_status("/iiif/3/sec", Some(&token)).await, 200);

        // Ended at the application, by whatever it does to its store.
        store.sessions.lock().unwrap().clear();
        assert_eq!(publisher.probe_status("/iiif/3/sec", Some(&token)).await, 401);
        let tile = publisher.get(&image("sec"), &[("cookie", "sid=7")]).await;
        common::assert_denied(&tile, 401);
    }
}

/// SE-10: which answers let a viewer in at once, and which ask first.
#[tokio::test]
async fn only_a_form_of_this_site_needs_no_click() {
    for (method, headers, at_once) in [
        (Method::POST, &[("sec-fetch-site", "same-origin")][..], true),
        (Method::POST, &[("origin", BASE)], true),
        (Method::POST, &[("sec-fetch-site", "cross-site"), ("origin", EVIL)], false),
        (Method::POST, &[("sec-fetch-site", "same-site")], false),
        (Method::GET, &[("sec-fetch-site", "same-origin")], false),
        (Method::GET, &[], false),
    ] {
        let store = Store::with_session(true);
        let publisher = publisher(&store);
        let gesture = open(&publisher, V, "sid=7").await;
        let flow = cookie_pair(&gesture, "__Host-iiif-flow").unwrap();
        let cookies = format!("{flow}; sid=7");
        let mut all = vec![("cookie", cookies.as_str())];
        all.extend(headers);
        let answer = publisher.send(request(method.clone(), "/auth/login", &all)).await;
        assert_eq!(closes(&answer), at_once, "{method} {headers:?}");
        let viewers: &[&str] = if at_once { &[V] } else { &[] };
        assert_eq!(store.viewers().unwrap(), viewers, "{method} {headers:?}");
    }
}

/// SE-10: a second tab, opened by another page, is not let in by the first one's click.
#[tokio::test]
async fn each_viewer_that_waits_has_a_button_of_its_own() {
    let store = Store::with_session(false);
    let publisher = publisher(&store);
    let first = open(&publisher, V, "sid=7").await;
    let flow = cookie_pair(&first, "__Host-iiif-flow").unwrap();
    let second = open(&publisher, EVIL, &format!("{flow}; sid=7")).await;
    let flow = cookie_pair(&second, "__Host-iiif-flow").unwrap();
    let page =
        publisher.send(form("/auth/login", &[("cookie", &format!("{flow}; sid=7"))], "")).await;
    assert_eq!(forms(&page).len(), 2, "{page:?}");
    assert_eq!(store.viewers().unwrap(), [""; 0]);

    // The first tab's button is for the first tab's viewer.
    let body = format!("{}continue", fields(&first));
    let cookies = format!("{flow}; sid=7");
    let done = publisher.send(form("/auth/continue", &[("cookie", &cookies)], &body)).await;
    assert!(closes(&done));
    assert_eq!(store.viewers().unwrap(), [V]);
}

#[tokio::test]
async fn forms_that_are_not_the_users() {
    let store = Store::with_session(true);
    let publisher = publisher(&store);
    let gesture = open(&publisher, V, "sid=7").await;
    let flow = cookie_pair(&gesture, "__Host-iiif-flow").unwrap();
    let other = cookie_pair(&open(&publisher, V, "").await, "__Host-iiif-flow").unwrap();
    let body = format!("{}continue", fields(&gesture));
    for (cookies, site) in [
        (format!("{flow}; sid=7"), "cross-site"),
        // Another browser's page.
        (format!("{other}; sid=7"), "same-origin"),
        ("sid=7".to_owned(), "same-origin"),
        // Nobody is in any more.
        (flow.clone(), "same-origin"),
        (format!("{flow}; sid=8"), "same-origin"),
    ] {
        let mut request = form("/auth/continue", &[("cookie", &cookies)], &body);
        request.headers_mut().insert("sec-fetch-site", site.parse().unwrap());
        let refused = publisher.send(request).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{site} {cookies}");
        assert!(!closes(&refused));
        assert_eq!(store.viewers().unwrap(), [""; 0]);
    }
}

/// RE-01: the store is down.
#[tokio::test]
async fn re_01_nothing_is_granted_without_the_store() {
    for waits in [false, true] {
        let store = Store::with_session(waits);
        let publisher = publisher(&store);
        let done = click(&publisher, &open(&publisher, V, "sid=7").await, "sid=7").await;
        assert!(closes(&done));
        let token = publisher.token_at("/auth/token", "sid=7").await;
        let gesture = open(&publisher, V, "sid=7").await;
        store.go_down();

        let failed = click(&publisher, &gesture, "sid=7").await;
        assert_eq!(failed.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(!closes(&failed));
        common::assert_denied(&publisher.get(&image("sec"), &[("cookie", "sid=7")]).await, 503);
        assert_eq!(publisher.probe_status("/iiif/3/sec", Some(&token)).await, 503);
        assert_eq!(token_error(&publisher, V).await, "unavailable");
        let logout = publisher.get("/auth/logout", &[("cookie", "sid=7")]).await;
        assert_eq!(logout.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(!closes(&logout), "SE-16: the session lives");
        let open = publisher.get(&image("pub"), &[("cookie", "sid=7")]).await;
        assert_eq!(open.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn the_logout_service_ends_the_applications_session() {
    for waits in [false, true] {
        let store = Store::with_session(waits);
        let publisher = publisher(&store);
        click(&publisher, &open(&publisher, V, "sid=7").await, "sid=7").await;
        let token = publisher.token_at("/auth/token", "sid=7").await;
        let image_elsewhere =
            [("cookie", "sid=7"), ("sec-fetch-dest", "image"), ("sec-fetch-site", "cross-site")];
        publisher.get("/auth/logout", &image_elsewhere).await;
        assert!(store.viewers().is_some(), "a foreign page's image logs nobody out");

        for _ in 0..2 {
            let done = publisher.get("/auth/logout", &[("cookie", "sid=7")]).await;
            assert_eq!(done.status(), StatusCode::OK);
            assert!(closes(&done));
            assert_eq!(store.viewers(), None);
        }
        assert_eq!(publisher.probe_status("/iiif/3/sec", Some(&token)).await, 401);
    }
}

/// TC-01, TC-03: a browser that has the user's permission is told to send the application's cookie.
#[tokio::test]
async fn tc_01_storage_access_is_for_the_applications_cookie_too() {
    let set_cookie = "sid=0; Path=/; Secure; HttpOnly; SameSite=None";
    for (named, offered) in [(Some(set_cookie), true), (None, false)] {
        let (store, clock) = (Store::with_session(false), clock());
        let realm = Realm::new()
            .access(AccessService::active("login", "Example Library"))
            .aspect(store.clone());
        let realm = named.into_iter().fold(realm, Realm::session_cookie);
        let builder = bare(&clock)
            .realm(realm)
            .third_party_cookies(ThirdPartyCookies::default().storage_access());
        let publisher = Publisher::before(builder, clock, application);
        let token = format!("/auth/token?messageId=1&origin={V}");
        for path in [&image("sec"), &token] {
            for (cookie, expected) in [("other=1", offered), ("sid=8", false), ("sid=7", false)] {
                let headers =
                    [("sec-fetch-storage-access", "inactive"), ("origin", V), ("cookie", cookie)];
                let answer = publisher.get(path, &headers).await;
                let offer = answer.headers().get("activate-storage-access");
                assert_eq!(offer.is_some(), expected, "{path} {cookie} {named:?}");
            }
        }
    }
}

/// There is no cookie of ours to carry: the click opens no helper window that would wait for one.
#[tokio::test]
async fn there_is_no_hand_off() {
    let store = Store::with_session(false);
    let (builder, clock) = configured(&store);
    let builder = builder.third_party_cookies(ThirdPartyCookies::default().hand_off());
    let publisher = Publisher::before(builder, clock, application);
    let gesture = open(&publisher, V, "sid=7").await;
    assert!(!text(&gesture).contains("hand-off"), "{gesture:?}");
    let done = click(&publisher, &gesture, "sid=7").await;
    assert!(closes(&done) && !text(&done).contains("hand-off"));
}

#[test]
fn operators_are_warned_that_there_is_no_hand_off() {
    for (third_party, warned) in [
        (ThirdPartyCookies::default().hand_off(), true),
        (ThirdPartyCookies::default().storage_access(), false),
    ] {
        let (builder, _) = configured(&Store::default());
        let auth = builder.third_party_cookies(third_party).build().unwrap();
        let warning = ConfigWarning::NothingToHandOff { realm: String::new() };
        assert_eq!(auth.warnings().contains(&warning), warned, "{:?}", auth.warnings());
    }
}
