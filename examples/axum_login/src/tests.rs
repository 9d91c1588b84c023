//! The whole flow, as a browser goes through it, and what must not happen on the way.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use axum::http::{Method, Request};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;
use tower_iiif_auth::clock::{Clock, SetClock, SystemClock};
use tower_iiif_auth::testing::SelfCheck;
use tower_iiif_auth::{BoxError, IiifAuth, IiifAuthBuilder, Keyring};
use tower_sessions::cookie::SameSite;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result as StoreResult};
use tower_sessions::{Expiry, MemoryStore, SessionManagerLayer, SessionStore};

use crate::iiif;

const BASE: &str = "https://iiif.example";
const V: &str = "https://viewer.example";
const EVIL: &str = "https://evil.example";
const COOKIE_NAME: &str = "__Host-id";
const PICTURE: &str = "/iiif/3/reader/0,0,64,64/64,/0/default.jpg";
const OPEN: &str = "/iiif/3/open/0,0,64,64/64,/0/default.jpg";

/// A store that can go down.
#[derive(Clone, Debug, Default)]
struct Store {
    inner: MemoryStore,
    is_down: Arc<AtomicBool>,
}

impl Store {
    fn go_down(&self) {
        self.is_down.store(true, Ordering::SeqCst);
    }

    fn up(&self) -> StoreResult<()> {
        let is_down = self.is_down.load(Ordering::SeqCst);
        if is_down { Err(Error::Backend("connection refused".to_owned())) } else { Ok(()) }
    }
}

#[async_trait]
impl SessionStore for Store {
    async fn create(&self, record: &mut Record) -> StoreResult<()> {
        self.up()?;
        self.inner.create(record).await
    }

    async fn save(&self, record: &Record) -> StoreResult<()> {
        self.up()?;
        self.inner.save(record).await
    }

    async fn load(&self, id: &Id) -> StoreResult<Option<Record>> {
        self.up()?;
        self.inner.load(id).await
    }

    async fn delete(&self, id: &Id) -> StoreResult<()> {
        self.up()?;
        self.inner.delete(id).await
    }
}

fn builder() -> IiifAuthBuilder {
    IiifAuth::builder(BASE).keyring(Keyring::generate().unwrap())
}

async fn app(store: &Store) -> Router {
    iiif::app(BASE, builder(), store.clone(), crate::sessions(store.clone())).await.unwrap().0
}

/// A browser: it keeps cookies, and says where its requests come from.
#[derive(Clone)]
struct Browser {
    app: Router,
    cookies: BTreeMap<String, String>,
}

struct Answer {
    status: u16,
    location: Option<String>,
    text: String,
}

impl Answer {
    fn closes(&self) -> bool {
        self.text.contains("window.close()")
    }
}

impl Browser {
    async fn at(store: &Store) -> Self {
        Self { app: app(store).await, cookies: BTreeMap::new() }
    }

    async fn send(&mut self, mut request: Request<Body>) -> Answer {
        let pairs: Vec<_> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !pairs.is_empty() {
            request.headers_mut().insert(COOKIE, pairs.join("; ").parse().unwrap());
        }
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

    /// Posts a form from a page of `origin`.
    async fn post(&mut self, path: &str, form: &str, origin: &str) -> Answer {
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ORIGIN, origin)
            .header("sec-fetch-site", if origin == BASE { "same-origin" } else { "cross-site" })
            .body(Body::from(form.to_owned()));
        self.send(request.unwrap()).await
    }

    async fn log_in_for_viewer(&mut self, name: &str) -> Answer {
        let page = self.get(&format!("/auth/login?origin={V}")).await;
        assert!(page.text.contains(&format!("continue to {V}")), "{}", page.text);
        self.post("/auth/login", &format!("name={name}&password={name}"), BASE).await
    }

    async fn tile(&mut self) -> u16 {
        self.get(PICTURE).await.status
    }

    /// What the token service posts to a viewer.
    async fn message(&mut self, viewer: &str) -> Value {
        let page = self.get(&format!("/auth/token?messageId=1&origin={viewer}")).await;
        let (_, data) =
            page.text.split_once("id=\"post\">").unwrap_or_else(|| panic!("{}", page.text));
        let post: Value = serde_json::from_str(data.split_once("</script>").unwrap().0).unwrap();
        assert_eq!(post["targetOrigin"], viewer);
        post["message"].clone()
    }

    async fn token(&mut self) -> String {
        let message = self.message(V).await;
        message["accessToken"].as_str().unwrap_or_else(|| panic!("{message}")).to_owned()
    }

    /// What a viewer's script is told; it has a token and no cookie.
    async fn probe(&self, token: &str) -> u64 {
        let mut script = Self { cookies: BTreeMap::new(), ..self.clone() };
        let request = Request::get("/auth/probe/iiif/3/reader")
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .header(ORIGIN, V);
        let answer = script.send(request.body(Body::empty()).unwrap()).await;
        let result: Value = serde_json::from_str(&answer.text).unwrap();
        result["status"].as_u64().unwrap()
    }
}

#[tokio::test]
async fn a_login_opens_pictures_and_a_logout_at_the_application_ends_everything() {
    let mut browser = Browser::at(&Store::default()).await;
    assert_eq!((browser.get(OPEN).await.status, browser.tile().await), (200, 401));
    assert_eq!(browser.message(V).await["profile"], "missingAspect");

    assert_eq!(browser.post("/auth/login", "name=reader&password=no", BASE).await.status, 403);
    let done = browser.log_in_for_viewer("reader").await;
    assert!(done.closes(), "{}", done.text);
    // The one cookie that is left is the application's.
    assert_eq!(browser.cookies.keys().collect::<Vec<_>>(), [COOKIE_NAME]);

    assert_eq!(browser.tile().await, 200);
    let token = browser.token().await;
    assert_eq!(browser.probe(&token).await, 200);
    assert_eq!(browser.message(EVIL).await["profile"], "invalidOrigin");

    // A copy of the cookie, as a thief would have it.
    let mut thief = browser.clone();
    let out = browser.post("/logout", "", BASE).await;
    assert_eq!((out.status, out.location.as_deref()), (303, Some("/")));
    assert_eq!((browser.tile().await, thief.tile().await), (401, 401));
    assert_eq!(browser.probe(&token).await, 401);
    assert_eq!(thief.message(V).await["profile"], "invalidAspect");
}

#[tokio::test]
async fn a_login_in_no_viewers_tab_is_for_no_viewer_until_the_user_lets_it_in() {
    let mut browser = Browser::at(&Store::default()).await;
    let page = browser.post("/login", "name=reader&password=reader", BASE).await;
    assert_eq!(page.location.as_deref(), Some("/"));
    assert_eq!(browser.tile().await, 200);
    assert_eq!(browser.message(V).await["profile"], "invalidOrigin");

    let page = browser.get(&format!("/auth/login?origin={V}")).await;
    assert!(page.text.contains("Continue as reader"), "{}", page.text);
    assert_eq!(browser.message(V).await["profile"], "invalidOrigin", "no click yet");
    assert!(browser.post("/auth/login", "stay=true", BASE).await.closes());
    let token = browser.token().await;
    assert_eq!(browser.probe(&token).await, 200);
    assert_eq!(browser.message(EVIL).await["profile"], "invalidOrigin");

    // Two that wait: the user says for which.
    browser.get(&format!("/auth/login?origin={EVIL}")).await;
    browser.get("/auth/login?origin=https://other.example").await;
    let choice = browser.post("/auth/login", "stay=true", BASE).await;
    assert!(
        !choice.closes() && choice.text.contains("Continue to other.example"),
        "{}",
        choice.text
    );
    assert_eq!(browser.message(EVIL).await["profile"], "invalidOrigin");
}

/// SE-10: a cookie with `SameSite=None` comes along with every site's forms.
#[tokio::test]
async fn se_10_no_foreign_form_logs_in_lets_in_or_logs_out() {
    let mut browser = Browser::at(&Store::default()).await;
    for path in ["/login", "/auth/login"] {
        let answer = browser.post(path, "name=reader&password=reader", EVIL).await;
        assert_eq!(answer.status, 403, "{path}");
        assert!(!browser.cookies.contains_key(COOKIE_NAME), "{path}");
    }
    browser.log_in_for_viewer("reader").await;
    browser.get(&format!("/auth/login?origin={EVIL}")).await;
    for (path, form) in [("/auth/login", "stay=true"), ("/logout", ""), ("/auth/continue", "")] {
        assert_eq!(browser.post(path, form, EVIL).await.status, 403, "{path}");
    }
    assert_eq!(browser.tile().await, 200);
    assert_eq!(browser.message(EVIL).await["profile"], "invalidOrigin");
}

/// SE-04: an id from before a login, or of another user's login, is none afterwards.
#[tokio::test]
async fn se_04_every_login_changes_the_id() {
    let store = Store::default();
    // A session that an attacker began and planted in the user's browser.
    let now = tower_sessions::cookie::time::OffsetDateTime::now_utc();
    let mut planted = Record {
        id: Id::default(),
        data: [("theme".to_owned(), "dark".into())].into(),
        expiry_date: now + Duration::from_secs(600),
    };
    store.create(&mut planted).await.unwrap();
    let mut browser = Browser::at(&store).await;
    browser.cookies.insert(COOKIE_NAME.to_owned(), planted.id.to_string());
    let mut attacker = browser.clone();
    assert_eq!(browser.message(V).await["profile"], "missingAspect", "a visitor's session");
    assert!(browser.log_in_for_viewer("reader").await.closes());
    assert_ne!(browser.cookies[COOKIE_NAME], planted.id.to_string());
    assert_eq!((browser.tile().await, attacker.tile().await), (200, 401));

    // Somebody else logs in, in the same browser, without a logout.
    let (mut before, token) = (browser.clone(), browser.token().await);
    assert!(browser.log_in_for_viewer("guest").await.closes());
    assert_ne!(browser.cookies[COOKIE_NAME], before.cookies[COOKIE_NAME]);
    assert_eq!((browser.tile().await, before.tile().await), (403, 401));
    assert_eq!(browser.probe(&token).await, 401, "the reader's token is not the guest's");
    let token = browser.token().await;
    assert_eq!(browser.probe(&token).await, 403);
}

#[tokio::test]
async fn the_viewers_logout_ends_the_applications_session() {
    let mut browser = Browser::at(&Store::default()).await;
    browser.log_in_for_viewer("reader").await;
    let (mut copy, token) = (browser.clone(), browser.token().await);
    let out = browser.get("/auth/logout").await;
    assert!(out.status == 200 && out.closes());
    assert!(browser.get("/").await.text.contains("Nobody is logged in"));
    assert_eq!((copy.tile().await, copy.probe(&token).await), (401, 401));
}

/// RE-01
#[tokio::test]
async fn re_01_nothing_is_granted_while_the_store_is_down() {
    let store = Store::default();
    let mut browser = Browser::at(&store).await;
    browser.log_in_for_viewer("reader").await;
    let token = browser.token().await;
    let mut visitor = Browser::at(&store).await;
    visitor.get(&format!("/auth/login?origin={V}")).await;
    store.go_down();

    assert_eq!((browser.tile().await, browser.get(OPEN).await.status), (503, 200));
    assert_eq!(browser.probe(&token).await, 503);
    assert_eq!(browser.message(V).await["profile"], "unavailable");
    let failed = browser.get("/auth/logout").await;
    assert!(failed.status == 503 && !failed.closes(), "SE-16: the session lives");
    let failed = visitor.post("/auth/login", "name=reader&password=reader", BASE).await;
    assert!(failed.status >= 500 && !failed.closes(), "{}", failed.status);
    assert!(!visitor.cookies.contains_key(COOKIE_NAME));
    assert_eq!(visitor.tile().await, 401, "who has no session needs no store");
}

/// Another password ends a session for the layers as it does for axum-login.
#[tokio::test]
async fn a_session_of_an_older_password_is_none() {
    let store = Store::default();
    let mut browser = Browser::at(&store).await;
    browser.log_in_for_viewer("reader").await;
    let token = browser.token().await;
    let id: Id = browser.cookies[COOKIE_NAME].parse().unwrap();
    let mut record = store.load(&id).await.unwrap().unwrap();
    record.data.get_mut("axum-login.data").unwrap()["auth_hash"] = b"older"[..].into();
    store.save(&record).await.unwrap();
    assert_eq!((browser.tile().await, browser.probe(&token).await), (401, 401));
}

/// CR-08: the store's record bounds session and token.
#[tokio::test]
async fn cr_08_no_token_outlives_the_session() {
    let (store, clock) = (Store::default(), SetClock::at(SystemClock.now()));
    let sessions = crate::sessions(store.clone())
        .with_expiry(Expiry::OnInactivity(tower_sessions::cookie::time::Duration::seconds(100)));
    let (app, _) = iiif::app(BASE, builder().clock(clock.clone()), store, sessions).await.unwrap();
    let mut browser = Browser { app, cookies: BTreeMap::new() };
    browser.log_in_for_viewer("reader").await;
    let message = browser.message(V).await;
    let seconds = message["expiresIn"].as_u64().unwrap();
    assert!((1..=100).contains(&seconds), "{message}");
    let token = message["accessToken"].as_str().unwrap();
    assert_eq!((browser.tile().await, browser.probe(token).await), (200, 200));
    clock.advance(Duration::from_secs(101));
    assert_eq!((browser.tile().await, browser.probe(token).await), (401, 401));
    assert_eq!(browser.message(V).await["profile"], "expiredAspect");
}

/// Every service is answered, and every picture decided on.
#[tokio::test]
async fn the_wiring() {
    let store = Store::default();
    let sessions = crate::sessions(store.clone());
    let (app, auth) = iiif::app(BASE, builder(), store, sessions).await.unwrap();
    let findings = SelfCheck::of(&auth).run(app, Body::empty).await;
    assert!(findings.is_empty(), "{findings:#?}");
}

/// What viewers on other sites could not use is said at start.
#[tokio::test]
async fn a_cookie_that_stays_at_home_is_an_error_at_start() {
    type Change = fn(SessionManagerLayer<Store>) -> SessionManagerLayer<Store>;
    let cases: [(&str, Change); 4] = [
        ("SameSite=Strict", |_| SessionManagerLayer::new(Store::default())),
        ("SameSite=Lax", |layer| layer.with_same_site(SameSite::Lax)),
        ("without Secure", |layer| layer.with_name("id").with_secure(false)),
        ("path", |layer| layer.with_name("id").with_path("/app")),
    ];
    for (expected, change) in cases {
        let store = Store::default();
        let sessions = change(crate::sessions(store.clone()));
        let error: BoxError =
            iiif::app(BASE, builder(), store, sessions).await.expect_err(expected);
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[tokio::test]
async fn a_store_that_is_down_is_an_error_at_start() {
    let store = Store::default();
    store.go_down();
    let sessions = crate::sessions(store.clone());
    let error = iiif::app(BASE, builder(), store, sessions).await.err().unwrap();
    assert!(error.to_string().contains("is the session store up?"), "{error}");
}

/// EX-01: the viewers that one user let in are not the next one's, whether or not the application gives
/// the session a new id.
#[tokio::test]
async fn ex_01_viewers_belong_to_a_user() {
    let store = Store::default();
    let mut browser = Browser::at(&store).await;
    browser.log_in_for_viewer("guest").await;
    let token = browser.token().await;
    let page = browser.post("/login", "name=reader&password=reader", BASE).await;
    assert_eq!((page.status, browser.tile().await), (303, 200), "the reader is in");
    assert_eq!(browser.message(V).await["profile"], "invalidOrigin", "and has let nobody in");
    assert_eq!(browser.probe(&token).await, 401, "the guest's token is not the reader's");
    browser.get(&format!("/auth/login?origin={V}")).await;
    assert!(browser.post("/auth/login", "stay=true", BASE).await.closes());
    assert_eq!(browser.probe(&browser.clone().token().await).await, 200);

    // An application that forgets to change the id: the record has another user than before.
    let mut browser = Browser::at(&store).await;
    browser.log_in_for_viewer("guest").await;
    let token = browser.token().await;
    let id: Id = browser.cookies[COOKIE_NAME].parse().unwrap();
    let mut record = store.load(&id).await.unwrap().unwrap();
    let login = record.data.get_mut("axum-login.data").unwrap();
    login["user_id"] = "reader".into();
    login["auth_hash"] = b"reader"[..].into();
    store.save(&record).await.unwrap();
    assert_eq!(browser.tile().await, 200, "the reader is in");
    assert_eq!(browser.message(V).await["profile"], "invalidOrigin");
    assert_eq!(browser.probe(&token).await, 401);
}

/// EX-02: a session that is logged out while a viewer is let in stays logged out, whoever is faster.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ex_02_no_logout_is_overtaken() {
    for path in ["/auth/logout", "/logout"] {
        for _ in 0..200 {
            let store = Store::default();
            let mut browser = Browser::at(&store).await;
            browser.log_in_for_viewer("reader").await;
            let token = browser.token().await;
            browser.get(&format!("/auth/login?origin={EVIL}")).await;
            let (mut copy, mut one, mut other) =
                (browser.clone(), browser.clone(), browser.clone());
            let stay =
                tokio::spawn(async move { one.post("/auth/login", "stay=true", BASE).await });
            let out = tokio::spawn(async move {
                match path {
                    "/logout" => other.post(path, "", BASE).await,
                    _ => other.get(path).await,
                }
            });
            let (_, out) = (stay.await.unwrap(), out.await.unwrap());
            assert!(out.status == 200 || out.status == 303, "{}", out.status);
            assert_eq!(copy.tile().await, 401, "{path}");
            assert_eq!(copy.probe(&token).await, 401);
            for viewer in [V, EVIL] {
                assert!(copy.message(viewer).await.get("accessToken").is_none());
            }
        }
    }
}

/// EX-02: also where the application itself writes the session once more after the viewer's logout.
#[tokio::test]
async fn ex_02_what_is_written_late_opens_nothing() {
    let store = Store::default();
    let mut browser = Browser::at(&store).await;
    browser.log_in_for_viewer("reader").await;
    let (mut copy, token) = (browser.clone(), browser.token().await);
    let id: Id = browser.cookies[COOKIE_NAME].parse().unwrap();
    let record = store.load(&id).await.unwrap().unwrap();
    assert_eq!(browser.get("/auth/logout").await.status, 200);
    store.save(&record).await.unwrap();
    assert_eq!((copy.tile().await, copy.probe(&token).await), (401, 401));
    copy.get(&format!("/auth/login?origin={V}")).await;
    copy.post("/auth/login", "stay=true", BASE).await;
    assert_eq!(copy.tile().await, 401);
    assert!(copy.message(V).await.get("accessToken").is_none());
    // Who is nobody writes nothing.
    let mut stranger = Browser::at(&store).await;
    let made_up = Id(42);
    stranger.cookies.insert(COOKIE_NAME.to_owned(), made_up.to_string());
    assert_eq!(stranger.get("/auth/logout").await.status, 200);
    assert!(store.load(&Id(!42)).await.unwrap().is_none());
}

/// Two viewers at once are both let in, and the ninth takes the place of the first.
#[tokio::test]
async fn viewers_at_once_are_all_let_in() {
    let mut browser = Browser::at(&Store::default()).await;
    browser.log_in_for_viewer("reader").await;
    let viewers: Vec<_> = (0..8).map(|number| format!("https://viewer-{number}.example")).collect();
    let mut tabs = Vec::new();
    for viewer in &viewers {
        let mut tab = browser.clone();
        tab.get(&format!("/auth/login?origin={viewer}")).await;
        tabs.push(tokio::spawn(async move {
            assert!(tab.post("/auth/login", "stay=true", BASE).await.closes());
        }));
    }
    for tab in tabs {
        tab.await.unwrap();
    }
    for viewer in &viewers {
        assert!(browser.message(viewer).await["accessToken"].is_string(), "{viewer}");
    }
    assert_eq!(browser.message(V).await["profile"], "invalidOrigin");
}
