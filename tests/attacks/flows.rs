//! Flows that lose their memory, and their neighbours.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use tower_iiif_auth::AccessCookie;
use tower_iiif_auth::access::{AccessDeclined, AccessFlow, AccessGrant, AccessTab};
use tower_iiif_auth::protocol::Family;
use tower_iiif_auth::resource::ImageApi;
use tower_iiif_auth::{
    AccessService, Compatibility, IiifAuth, IiifAuthBuilder, Keyring, OriginPolicy, Realm,
};

use crate::common::steps::{closes, forms};
use crate::common::{
    BASE, Body, COOKIE, Publisher, V, bare, builder, clock, cookie_pair, image, image_server, key,
    request, rules, set_cookies, text,
};

const EVIL: &str = "https://evil.example";
const B: &str = "https://b.example";
const FLOW: &str = "__Host-iiif-flow";
const LOGIN: &str = "/auth/login";

/// The fixture's application, with a button to give up, one to stay, and more words of its own.
fn application(request: &Request<Body>) -> Response<Body> {
    let headers = request.headers();
    let word = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let mut response = match word("x-action").as_deref() {
        Some("cancel") => with(AccessDeclined),
        Some("stay") => with(AccessGrant::current_session()),
        Some("any") => with(AccessGrant::to("u1").role("A").insecure_for_any_viewer()),
        Some("back") => with(AccessGrant::to("u1").role("A")),
        Some("gesture done") => {
            with(AccessGrant::to("u1").role("A").insecure_without_gesture_page())
        }
        Some(other) => panic!("{other}"),
        None => image_server(request),
    };
    if let Some(tab) = word("x-tab") {
        response.extensions_mut().insert(AccessTab::from(tab));
    }
    // What the application is told, told on.
    if let Some(flow) = request.extensions().get::<AccessFlow>() {
        let told = [
            ("x-viewer", flow.viewer().map_or("", |viewer| viewer.as_str())),
            ("x-own-tab", flow.tab().map_or("", AccessTab::as_str)),
        ];
        for (name, value) in told {
            response.headers_mut().insert(name, value.parse().unwrap());
        }
    }
    response
}

fn with<T: Clone + Send + Sync + 'static>(word: T) -> Response<Body> {
    let mut response = Response::new(Full::default());
    response.extensions_mut().insert(word);
    response
}

/// The fixture, with a login of several steps.
fn publisher() -> Publisher {
    let clock = clock();
    let login = AccessService::active("login", "Example Library")
        .steps(["/auth/login/password", "/auth/login/callback"]);
    let cookie = AccessCookie::new().lifetime(Duration::from_secs(600));
    let other = AccessService::active("login", "Other Library").protects(["sec2"]);
    let builder = bare(&clock)
        .realm(Realm::new().access(login).aspect(cookie))
        .realm(Realm::named("other").access(other));
    Publisher::before(builder, clock, application)
}

/// One browser: its cookies of this site.
struct Browser<'p> {
    publisher: &'p Publisher,
    flow: Option<String>,
    session: Option<String>,
}

impl<'p> Browser<'p> {
    fn new(publisher: &'p Publisher) -> Self {
        Self { publisher, flow: None, session: None }
    }

    async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Response<Bytes> {
        let body = String::new();
        self.send_form(method, path, headers, body).await
    }

    async fn send_form(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Response<Bytes> {
        let cookies: Vec<_> = [&self.flow, &self.session].into_iter().flatten().cloned().collect();
        let cookies = cookies.join("; ");
        let mut all = vec![("cookie", &*cookies)];
        all.extend(headers);
        let mut request = request(method, path, &all);
        *request.body_mut() = Full::from(body);
        let page = self.publisher.send(request).await;
        for (name, kept) in [(FLOW, &mut self.flow), (COOKIE, &mut self.session)] {
            if let Some(pair) = cookie_pair(&page, name) {
                *kept = Some(pair).filter(|pair| !pair.ends_with('='));
            }
        }
        page
    }

    /// A viewer opens the access service in a tab, as a browser says it.
    async fn open(&mut self, viewer: &str) -> Response<Bytes> {
        let referer = format!("{viewer}/");
        let headers = [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-dest", "document"),
            ("sec-fetch-mode", "navigate"),
            ("referer", &*referer),
        ];
        self.send(Method::GET, &format!("{LOGIN}?origin={viewer}"), &headers).await
    }

    /// The user opens the login by a link of the site's own.
    async fn open_from_menu(&mut self) -> Response<Bytes> {
        let referer = format!("{BASE}/catalogue");
        let headers = [("sec-fetch-site", "same-origin"), ("referer", &*referer)];
        self.send(Method::GET, LOGIN, &headers).await
    }

    /// Sends the form on the page at `page`, to its own URL, as a browser does.
    async fn submit(&mut self, page: &str, more: (&str, &str)) -> Response<Bytes> {
        let referer = format!("{BASE}{page}");
        let headers = [
            ("origin", BASE),
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-dest", "document"),
            ("referer", &*referer),
            more,
        ];
        self.send(Method::POST, page, &headers).await
    }

    /// The password form in the tab that a viewer opened.
    async fn log_in_at(&mut self, viewer: &str) -> Response<Bytes> {
        self.submit(&format!("{LOGIN}?origin={viewer}"), ("x-roles", "A")).await
    }

    /// The same where nothing tells whose tab it is.
    async fn log_in(&mut self) -> Response<Bytes> {
        self.submit(LOGIN, ("x-roles", "A")).await
    }

    /// The same by a client that says as little as one can.
    async fn log_in_silently(&mut self) -> Response<Bytes> {
        self.send(Method::POST, LOGIN, &[("origin", BASE), ("x-roles", "A")]).await
    }

    /// Presses the button on the gesture page that names this host, or the one that names nobody.
    async fn choose(&mut self, page: &Response<Bytes>, host: Option<&str>) -> Response<Bytes> {
        let wanted = host.map(|host| format!("Continue to {host}<"));
        let buttons: Vec<_> = text(page).split("<form ").skip(1).map(ToOwned::to_owned).collect();
        let place = buttons.iter().position(|form| match &wanted {
            Some(wanted) => form.contains(wanted),
            None => !form.contains("Continue to "),
        });
        let place = place.unwrap_or_else(|| panic!("{host:?} in {}", text(page)));
        let body = format!("{}continue", forms(page)[place]);
        let headers = [("origin", BASE), ("sec-fetch-site", "same-origin")];
        self.send_form(Method::POST, "/auth/continue", &headers, body).await
    }

    /// Whether a viewer gets a token, after a look at why not: because it is a stranger.
    async fn token_for(&self, viewer: &str) -> bool {
        let Some(session) = &self.session else { return false };
        let query = format!("messageId=1&origin={viewer}");
        let (message, _) = self.publisher.token_message(&query, &[("cookie", session)]).await;
        match message["profile"].as_str() {
            None => message["accessToken"].is_string(),
            Some(profile) => {
                assert_eq!(profile, "invalidOrigin", "{message}");
                false
            }
        }
    }

    async fn sees_content(&self) -> bool {
        let Some(session) = &self.session else { return false };
        let tile = self.publisher.get(&image("sec"), &[("cookie", session)]).await;
        tile.status() == StatusCode::OK
    }
}

/// The hosts that a gesture page names, in its order, and `-` for nobody.
fn named(page: &Response<Bytes>) -> Vec<String> {
    let name = |form: &str| match form.split_once("Continue to ") {
        Some((_, rest)) => rest.split('<').next().unwrap().to_owned(),
        None => "-".to_owned(),
    };
    text(page).split("<form ").skip(1).map(name).collect()
}

/// LF-01: whatever another site posts to the access service leaves the flow as it is.
#[tokio::test]
async fn lf_01_a_foreign_page_cancels_nothing() {
    let publisher = publisher();
    for headers in [
        &[("sec-fetch-site", "cross-site"), ("origin", EVIL)][..],
        &[("sec-fetch-site", "cross-site"), ("origin", "null")],
        &[("sec-fetch-site", "same-site"), ("origin", "https://app.iiif.example")],
        &[("sec-fetch-site", "same-site"), ("origin", BASE)],
        &[("sec-fetch-site", "none")],
        &[("sec-fetch-site", "bogus"), ("origin", BASE)],
        &[("origin", EVIL)],
        &[("origin", "null")],
        &[("origin", "https://iiif.example.evil.example")],
        &[("referer", "https://iiif.example/auth/login?origin=https://viewer.example")],
        &[],
    ] {
        for path in [LOGIN.to_owned(), format!("{LOGIN}?origin={V}"), format!("{LOGIN}/deeper")] {
            for method in [Method::POST, Method::GET] {
                let mut browser = Browser::new(&publisher);
                browser.open(V).await;
                let before = browser.flow.clone();
                let mut headers = headers.to_vec();
                headers.push(("x-action", "cancel"));
                // A GET of the service itself opens it.
                if method == Method::GET && !path.ends_with("deeper") {
                    continue;
                }
                let page = browser.send(method, &path, &headers).await;
                assert!(set_cookies(page.headers()).is_empty(), "{headers:?} {path}");
                assert_eq!(browser.flow, before);
                // The victim goes on, whatever the browser tells of the tab.
                assert!(closes(&browser.log_in_at(V).await), "{headers:?}");
                assert!(browser.token_for(V).await && !browser.token_for(EVIL).await);
            }
        }
    }
}

/// LF-01: the whole of what was seen: evil opens, cancels in the victim's name, and waits.
#[tokio::test]
async fn lf_01_evil_opens_and_cancels() {
    let publisher = publisher();
    for opens in [true, false] {
        let mut browser = Browser::new(&publisher);
        browser.open(V).await;
        if opens {
            browser.open(EVIL).await;
        }
        for _ in 0..3 {
            let foreign =
                [("x-action", "cancel"), ("sec-fetch-site", "cross-site"), ("origin", EVIL)];
            browser.send(Method::POST, LOGIN, &foreign).await;
        }
        let done = browser.log_in_silently().await;
        if opens {
            assert!(!closes(&done) && browser.session.is_none());
            assert_eq!(named(&done), ["evil.example", "viewer.example"]);
            browser.choose(&done, Some("viewer.example")).await;
        }
        assert!(browser.token_for(V).await && !browser.token_for(EVIL).await, "{opens}");
    }
}

/// LF-01: the user's own cancelling counts, from a page of this site.
#[tokio::test]
async fn lf_01_the_user_cancels() {
    let publisher = publisher();
    for headers in [
        &[("sec-fetch-site", "same-origin"), ("x-action", "cancel")][..],
        &[("origin", BASE), ("x-action", "cancel")],
    ] {
        let mut browser = Browser::new(&publisher);
        browser.open(V).await;
        let page = browser.send(Method::POST, LOGIN, headers).await;
        assert!(closes(&page) && browser.flow.is_none(), "{headers:?}");
        // And no login after it is for the viewer that was refused.
        assert!(closes(&browser.log_in().await));
        assert!(!browser.token_for(V).await && browser.sees_content().await);
    }
}

/// LF-02: a good login that no flow remembers is for no viewer.
#[tokio::test]
async fn lf_02_the_flow_is_gone() {
    let publisher = publisher();
    let elsewhere = {
        let clock = clock();
        let keyring = Keyring::from_bytes(&key(9)).unwrap();
        Publisher::before(builder(&clock).keyring(keyring), clock, application)
    };
    for how in ["evicted", "expired", "of other keys", "of another realm", "broken", "an hour late"]
    {
        let mut browser = Browser::new(&publisher);
        match how {
            "of other keys" => {
                let mut other = Browser::new(&elsewhere);
                other.open(V).await;
                browser.flow = other.flow;
            }
            "of another realm" => {
                browser.send(Method::GET, &format!("/auth/other/login?origin={V}"), &[]).await;
            }
            _ => {
                browser.open(V).await;
            }
        }
        match how {
            "evicted" => browser.flow = None,
            "expired" => publisher.clock.advance(Duration::from_secs(25 * 60 * 60)),
            "broken" => browser.flow = browser.flow.map(|flow| format!("{flow}A")),
            "an hour late" => publisher.clock.advance(Duration::from_secs(60 * 60)),
            _ => assert!(browser.flow.is_some()),
        }
        let done = browser.log_in_silently().await;
        assert!(closes(&done), "{how}: there is nobody to choose");
        assert!(browser.sees_content().await, "{how}");
        let is_remembered = how == "an hour late";
        assert_eq!(browser.token_for(V).await, is_remembered, "{how}");
        for stranger in [EVIL, B, BASE, "http://localhost:3000"] {
            assert!(!browser.token_for(stranger).await, "{how}: {stranger}");
        }
    }
}

/// LF-02: what a URL says of its viewer is asked about where no flow remembers it.
#[tokio::test]
async fn lf_02_a_tab_without_a_flow_asks() {
    let publisher = publisher();
    for flow in [None, Some(format!("{FLOW}=junk"))] {
        let mut browser = Browser::new(&publisher);
        browser.open(V).await;
        browser.flow = flow;
        let asked = browser.log_in_at(V).await;
        assert!(!closes(&asked) && browser.session.is_none());
        assert_eq!(named(&asked), ["viewer.example"]);
        assert!(closes(&browser.choose(&asked, Some("viewer.example")).await));
        assert!(browser.token_for(V).await && !browser.token_for(EVIL).await);
    }
    // Evil lost the victim's flow, and opened one of its own beside the tab.
    let mut browser = Browser::new(&publisher);
    browser.open(V).await;
    browser.flow = None;
    browser.open(EVIL).await;
    assert!(closes(&browser.log_in_at(V).await), "the tab tells whose it is");
    assert!(browser.token_for(V).await && !browser.token_for(EVIL).await);
    // The same where the login has left that URL.
    let mut browser = Browser::new(&publisher);
    browser.open(V).await;
    browser.flow = None;
    browser.open(EVIL).await;
    for page in [LOGIN, "/auth/login/password", "/catalogue"] {
        let referer = format!("{BASE}{page}");
        let headers = [("sec-fetch-site", "same-origin"), ("referer", &*referer), ("x-roles", "A")];
        let asked = browser.send(Method::POST, LOGIN, &headers).await;
        assert!(!closes(&asked) && browser.session.is_none(), "{page}");
    }
    // A page that hides where it is.
    let headers = [("sec-fetch-site", "same-origin"), ("origin", "null"), ("x-roles", "A")];
    assert!(!closes(&browser.send(Method::POST, LOGIN, &headers).await));
    assert!(browser.session.is_none());
}

/// LF-02: any viewer is a word of the application's own, and is not handed on to the next login.
#[tokio::test]
async fn lf_02_any_viewer_is_a_word() {
    let publisher = publisher();
    let mut browser = Browser::new(&publisher);
    assert!(closes(&browser.submit(LOGIN, ("x-action", "any")).await));
    for viewer in [V, EVIL] {
        assert!(browser.token_for(viewer).await, "{viewer}");
    }
    // Whoever waits, there is nothing to choose.
    for viewer in [V, B] {
        browser.open(viewer).await;
    }
    assert!(closes(&browser.log_in_silently_as("any").await));
    assert!(browser.token_for(EVIL).await);
    // The same user logs in again, in a viewer's tab.
    browser.open(V).await;
    assert!(closes(&browser.log_in_at(V).await));
    assert!(browser.token_for(V).await && !browser.token_for(EVIL).await);
}

impl Browser<'_> {
    async fn log_in_silently_as(&mut self, action: &str) -> Response<Bytes> {
        self.send(Method::POST, LOGIN, &[("origin", BASE), ("x-action", action)]).await
    }
}

/// LF-02: who logged in from the site's own menu lets each viewer in by one click.
#[tokio::test]
async fn lf_02_the_menu_first_and_a_viewer_later() {
    let publisher = publisher();
    let mut browser = Browser::new(&publisher);
    browser.open_from_menu().await;
    assert!(closes(&browser.log_in().await));
    assert!(browser.sees_content().await);
    assert!(!browser.token_for(V).await && !browser.token_for(EVIL).await);
    browser.open(V).await;
    let done = browser.submit(&format!("{LOGIN}?origin={V}"), ("x-action", "stay")).await;
    assert!(closes(&done));
    assert!(browser.token_for(V).await && !browser.token_for(EVIL).await);
    // The site's own menu once more: the viewer of before stays, no other comes.
    browser.open_from_menu().await;
    assert!(closes(&browser.log_in().await));
    assert!(browser.token_for(V).await && !browser.token_for(EVIL).await);
}

/// LF-02: viewers of one user are none of the next one's, in whichever tab that one logs in.
#[tokio::test]
async fn lf_02_the_next_user_has_viewers_of_their_own() {
    let publisher = {
        let clock = clock();
        let terms = AccessService::click_through("terms", "Library", "Terms").role("A");
        let realm = Realm::new().access(AccessService::active("login", "Library")).access(terms);
        Publisher::before(builder_with(&clock, realm), clock, application)
    };
    let mut browser = Browser::new(&publisher);
    let page = browser.send(Method::GET, &format!("/auth/terms?origin={V}"), &[]).await;
    let body = format!("{}accept", forms(&page)[0]);
    let headers = [("origin", BASE), ("sec-fetch-site", "same-origin")];
    browser.send_form(Method::POST, "/auth/terms", &headers, body).await;
    assert!(browser.token_for(V).await, "a guest has let it in");
    assert!(closes(&browser.log_in().await));
    assert!(browser.sees_content().await && !browser.token_for(V).await);
}

fn builder_with(clock: &tower_iiif_auth::clock::SetClock, realm: Realm) -> IiifAuthBuilder {
    IiifAuth::builder(BASE)
        .keyring(crate::common::keyring())
        .clock(clock.clone())
        .images("/iiif/3")
        .realm(realm)
        .authorizer(rules())
}

/// LF-02: terms and kiosks that nobody opened are for nobody, whoever waits elsewhere.
#[tokio::test]
async fn lf_02_terms_and_kiosks_that_no_viewer_opened() {
    let clock = clock();
    let realm = Realm::new()
        .access(AccessService::active("login", "Library"))
        .access(AccessService::click_through("terms", "Library", "Terms").role("A"))
        .access(AccessService::kiosk("room").role("A"));
    let publisher = Publisher::before(builder_with(&clock, realm), clock, application);
    for waiting in [&[][..], &[EVIL], &[V, EVIL]] {
        let mut browser = Browser::new(&publisher);
        for viewer in waiting {
            browser.open(viewer).await;
        }
        let page = browser.send(Method::GET, "/auth/terms", &[]).await;
        let body = format!("{}accept", forms(&page)[0]);
        let headers = [("origin", BASE), ("sec-fetch-site", "same-origin")];
        let done = browser.send_form(Method::POST, "/auth/terms", &headers, body).await;
        assert!(closes(&done) && browser.sees_content().await);
        assert!(!browser.token_for(V).await && !browser.token_for(EVIL).await, "{waiting:?}");

        let flow = browser.flow.clone();
        browser.session = None;
        assert!(closes(&browser.send(Method::GET, "/auth/room", &[]).await));
        assert!(browser.sees_content().await);
        assert!(!browser.token_for(V).await && !browser.token_for(EVIL).await, "{waiting:?}");
        assert_eq!(browser.flow, flow, "nobody waits less");
    }
}

/// LF-02: viewers of 0.9 that name no origin, as Universal Viewer in that mode.
#[tokio::test]
async fn lf_02_a_viewer_of_0_9_without_a_name() {
    let plain = Compatibility::default();
    let (any, referer) = (plain.insecure_any_viewer_in_0_9(), plain.origin_from_referer());
    for (compatibility, family, for_v, for_evil) in [
        (plain, "0", false, false),
        (any, "0", true, true),
        // It is a word about 0.9 alone.
        (any, "1", false, false),
        (any, "", false, false),
        (referer, "0", true, false),
        (referer, "1", false, false),
        (any.origin_from_referer(), "0", true, false),
    ] {
        let clock = clock();
        let login = AccessService::active("login", "Library");
        let builder = builder_with(&clock, Realm::new().access(login))
            .resources(ImageApi::new("/iiif/2").families([Family::V1, Family::V09]))
            .compatibility(compatibility);
        let publisher = Publisher::before(builder, clock, application);
        let mut browser = Browser::new(&publisher);
        let cross_site = [("sec-fetch-site", "cross-site"), ("referer", "https://viewer.example/")];
        let path = format!("{LOGIN}/{family}");
        let start = browser.send(Method::GET, path.trim_end_matches('/'), &cross_site).await;
        let location = start.headers().get("location").map_or(LOGIN, |at| at.to_str().unwrap());
        let location = location.to_owned();
        browser.send(Method::GET, &location, &cross_site).await;
        let done = browser.submit(&location, ("x-roles", "A")).await;
        assert!(closes(&done), "{compatibility:?} {family}");
        assert!(browser.sees_content().await);
        let found = (browser.token_for(V).await, browser.token_for(EVIL).await);
        assert_eq!(found, (for_v, for_evil), "{compatibility:?} {family}");
    }
    // Where 0.9 is not spoken, the word opens nothing.
    let clock = clock();
    let publisher = Publisher::before(builder(&clock).compatibility(any), clock, application);
    let mut browser = Browser::new(&publisher);
    browser.send(Method::GET, &format!("{LOGIN}/0"), &[]).await;
    browser.log_in_silently().await;
    assert!(!browser.token_for(V).await);
    // Nor does it go on once it is taken back.
    let (with, without) = {
        let older = |compatibility| {
            let clock = crate::common::clock();
            let builder = builder(&clock)
                .resources(ImageApi::new("/iiif/2").families(Family::V09))
                .compatibility(compatibility);
            Publisher::before(builder, clock, application)
        };
        (older(any), older(plain))
    };
    let mut browser = Browser::new(&with);
    let start = browser.send(Method::GET, &format!("{LOGIN}/0"), &[]).await;
    let location = start.headers()["location"].to_str().unwrap().to_owned();
    let mut later = Browser { publisher: &without, ..browser };
    later.submit(&location, ("x-roles", "A")).await;
    assert!(later.sees_content().await && !later.token_for(V).await);
}

/// LF-02: lists and `Any` are words of the operator's, and go on to count.
#[tokio::test]
async fn lf_02_policies_that_ask_for_no_viewer() {
    for (policy, for_v, for_evil) in [
        (OriginPolicy::Bound, false, false),
        (OriginPolicy::allow([V]).unwrap(), true, false),
        (OriginPolicy::Any, true, true),
    ] {
        let clock = clock();
        let publisher =
            Publisher::before(builder(&clock).origins(policy.clone()), clock, application);
        let mut browser = Browser::new(&publisher);
        assert!(closes(&browser.log_in().await));
        let found = (browser.token_for(V).await, browser.token_for(EVIL).await);
        assert_eq!(found, (for_v, for_evil), "{policy:?}");
    }
}

/// LF-03: cancelled in B's tab, logged in at A's.
#[tokio::test]
async fn lf_03_cancelled_in_the_other_tab() {
    let publisher = publisher();
    let cancel = ("x-action", "cancel");
    let own = |viewer: &str| format!("{LOGIN}?origin={viewer}");
    for (first, second) in [(B, V), (V, B)] {
        // The form is at the URL that the viewer opened, or is posted from there.
        for by_referer in [false, true] {
            let mut browser = Browser::new(&publisher);
            browser.open(first).await;
            browser.open(second).await;
            if by_referer {
                let page = format!("{BASE}{}", own(B));
                let headers = [("sec-fetch-site", "same-origin"), ("referer", &*page), cancel];
                browser.send(Method::POST, LOGIN, &headers).await;
            } else {
                browser.submit(&own(B), cancel).await;
            }
            assert!(browser.flow.is_some(), "the other still waits");
            assert!(closes(&browser.log_in_at(V).await));
            assert!(browser.token_for(V).await && !browser.token_for(B).await, "{by_referer}");
        }
        // Where nothing tells whose tab it is, nobody's wait ends, and the user is asked.
        let mut browser = Browser::new(&publisher);
        browser.open(first).await;
        browser.open(second).await;
        browser.submit(LOGIN, cancel).await;
        let asked = browser.log_in().await;
        assert_eq!(named(&asked).len(), 2, "{}", text(&asked));
        assert!(closes(&browser.choose(&asked, Some("viewer.example")).await));
        assert!(browser.token_for(V).await && !browser.token_for(B).await);
    }
}

/// LF-03: a tab is known by what the application carries along, over any detour.
#[tokio::test]
async fn lf_03_a_tab_that_the_application_carries_along() {
    let publisher = publisher();
    let mut browser = Browser::new(&publisher);
    let page = browser.open(V).await;
    assert_eq!(page.headers()["x-viewer"], V);
    let tab = page.headers()["x-own-tab"].to_str().unwrap().to_owned();
    assert!(
        tab.len() <= 500 && tab.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    );
    browser.open(EVIL).await;
    let flow = browser.flow.clone();
    let cross_site = [("sec-fetch-site", "cross-site"), ("referer", "https://idp.example/")];
    let back = |tab: &str| {
        let mut headers: Vec<_> =
            cross_site.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        headers.extend([("x-action", "back".to_owned()), ("x-tab", tab.to_owned())]);
        headers
    };
    // Back from the identity provider; the flow may be gone meanwhile (EX-06).
    for flow in [flow.clone(), None] {
        let mut browser = Browser { publisher: &publisher, flow, session: None };
        let headers = back(&tab);
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, &**value)).collect();
        let asked = browser.send(Method::GET, "/auth/login/callback", &headers).await;
        assert_eq!(named(&asked), ["viewer.example"]);
        assert!(closes(&browser.choose(&asked, Some("viewer.example")).await));
        assert!(browser.token_for(V).await && !browser.token_for(EVIL).await);
    }
    // In the URL of a further step of this site's, and of the page that a form is on.
    for (path, page) in [
        (format!("/auth/login/password?tab={tab}"), LOGIN.to_owned()),
        ("/auth/login/password".to_owned(), format!("/auth/login/password?x=1&tab={tab}")),
    ] {
        let mut browser = Browser { publisher: &publisher, flow: flow.clone(), session: None };
        let referer = format!("{BASE}{page}");
        let headers = [("sec-fetch-site", "same-origin"), ("referer", &*referer)];
        let step = browser.send(Method::GET, &path, &headers).await;
        assert_eq!(step.headers()["x-viewer"], V, "{path}");
        let mut headers = headers.to_vec();
        headers.push(("x-roles", "A"));
        assert!(closes(&browser.send(Method::POST, &path, &headers).await), "{path}");
        assert!(browser.token_for(V).await && !browser.token_for(EVIL).await);
    }
    // What is none, is out of time or comes from another site counts as no tab.
    let sealed_flow = flow.clone().unwrap()[FLOW.len() + 1..].to_owned();
    for (tab, late) in [("junk", 0), (&*sealed_flow, 0), (&tab, 25)] {
        let mut browser = Browser::new(&publisher);
        publisher.clock.advance(Duration::from_secs(late * 60 * 60));
        browser.open(B).await;
        browser.open(EVIL).await;
        let headers = back(tab);
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, &**value)).collect();
        let asked = browser.send(Method::GET, "/auth/login/callback", &headers).await;
        assert_eq!(named(&asked), ["evil.example", "b.example"], "{tab:.10}");
    }
    let foreign = format!("/auth/login/callback?tab={tab}");
    let mut browser = Browser::new(&publisher);
    browser.open(B).await;
    let headers = [cross_site[0], cross_site[1], ("x-action", "back")];
    assert_eq!(named(&browser.send(Method::GET, &foreign, &headers).await), ["b.example"]);
}

/// LF-04: A's tab is old, and another page opens the service beside it.
#[tokio::test]
async fn lf_04_an_old_tab_and_a_new_one() {
    let publisher = publisher();
    for minutes in [0, 59, 61, 3 * 60, 23 * 60, 25 * 60, 48 * 60] {
        for silent in [true, false] {
            let mut browser = Browser::new(&publisher);
            browser.open(V).await;
            publisher.clock.advance(Duration::from_secs(minutes * 60));
            browser.open(EVIL).await;
            // A browser that forgot nothing, in a tab that does not tell.
            let asked =
                if silent { browser.log_in_silently().await } else { browser.log_in().await };
            assert!(!closes(&asked) && browser.session.is_none(), "{minutes}");
            let expected = if minutes < 24 * 60 { "viewer.example" } else { "-" };
            assert_eq!(named(&asked), ["evil.example", expected], "{minutes}");
            let host = Some(expected).filter(|host| *host != "-");
            assert!(closes(&browser.choose(&asked, host).await));
            assert!(!browser.token_for(EVIL).await, "{minutes}");
            assert_eq!(browser.token_for(V).await, host.is_some(), "{minutes}");
        }
        // In the tab that A opened there is nothing to ask.
        let mut browser = Browser::new(&publisher);
        browser.open(V).await;
        publisher.clock.advance(Duration::from_secs(minutes * 60));
        browser.open(EVIL).await;
        assert!(closes(&browser.log_in_at(V).await));
        assert!(browser.token_for(V).await && !browser.token_for(EVIL).await);
    }
}

/// LF-04: more viewers than are remembered.
#[tokio::test]
async fn lf_04_eight_at_once() {
    let publisher = publisher();
    for count in [1, 7, 8, 9, 50] {
        let mut browser = Browser::new(&publisher);
        browser.open(V).await;
        for number in 0..count {
            browser.open(&format!("https://evil{number}.example")).await;
            assert!(browser.flow.as_ref().is_some_and(|flow| flow.len() < 4096));
        }
        let tab = browser.flow.clone();
        let asked = browser.log_in_silently().await;
        assert!(!closes(&asked) && browser.session.is_none());
        let all = named(&asked);
        let is_forgotten = count > 7;
        assert_eq!(all.contains(&"viewer.example".to_owned()), !is_forgotten, "{all:?}");
        assert_eq!(all.contains(&"-".to_owned()), is_forgotten, "{all:?}");
        let host = (!is_forgotten).then_some("viewer.example");
        assert!(closes(&browser.choose(&asked, host).await));
        for number in 0..count {
            assert!(!browser.token_for(&format!("https://evil{number}.example")).await);
        }
        // A's own tab still knows.
        let mut browser = Browser { publisher: &publisher, flow: tab, session: None };
        assert!(closes(&browser.log_in_at(V).await));
        assert!(browser.token_for(V).await);
    }
}

/// LF-04: a page that opened the login at some time does not get what the menu's login is.
#[tokio::test]
async fn lf_04_the_login_of_the_site_s_own_menu() {
    let publisher = publisher();
    let typed = [("sec-fetch-site", "none"), ("sec-fetch-dest", "document")];
    let sibling = [("sec-fetch-site", "same-site"), ("referer", "https://www.iiif.example/")];
    for headers in [None, Some(&typed[..]), Some(&sibling), Some(&[])] {
        for silent in [true, false] {
            let mut browser = Browser::new(&publisher);
            browser.open(EVIL).await;
            let page = match headers {
                None => browser.open_from_menu().await,
                Some(headers) => browser.send(Method::GET, LOGIN, headers).await,
            };
            assert_eq!(page.headers()["x-viewer"], "", "nobody is named who is not known");
            let asked =
                if silent { browser.log_in_silently().await } else { browser.log_in().await };
            assert!(!closes(&asked) && browser.session.is_none(), "{headers:?}");
            assert_eq!(named(&asked), ["evil.example", "-"]);
            assert!(closes(&browser.choose(&asked, None).await));
            assert!(browser.sees_content().await && !browser.token_for(EVIL).await);
        }
    }
    // Nor by the word that the user has acted.
    let mut browser = Browser::new(&publisher);
    browser.open(EVIL).await;
    browser.open_from_menu().await;
    let asked = browser.submit(LOGIN, ("x-action", "gesture done")).await;
    assert!(!closes(&asked) && browser.session.is_none());
}

/// LF-04: nobody makes another viewer leave, so as to be left alone.
#[tokio::test]
async fn lf_04_nobody_is_left_alone() {
    let clock = clock();
    let realm = Realm::new()
        .access(AccessService::active("login", "Library"))
        .access(AccessService::kiosk("room").role("A"))
        .access(AccessService::click_through("terms", "Library", "Terms").role("A"));
    let builder = builder_with(&clock, realm)
        .resources(ImageApi::new("/iiif/2").families([Family::V1, Family::V09]));
    let publisher = Publisher::before(builder, clock, application);
    for path in ["/auth/room", "/auth/room/1", "/auth/terms/1", "/auth/terms/0"] {
        let mut browser = Browser::new(&publisher);
        browser.open(V).await;
        browser.open(EVIL).await;
        // What needs no click, in V's name.
        let cross_site = [("sec-fetch-site", "cross-site"), ("sec-fetch-dest", "document")];
        browser.send(Method::GET, &format!("{path}?origin={V}"), &cross_site).await;
        browser.session = None;
        let asked = browser.log_in_silently().await;
        assert!(!closes(&asked), "{path}");
        assert_eq!(named(&asked), ["evil.example", "viewer.example"], "{path}");
    }
    // One of two tabs of V's is done: who else waits is not taken for the other.
    let mut browser = Browser::new(&publisher);
    browser.open(V).await;
    browser.open(EVIL).await;
    assert!(closes(&browser.log_in_at(V).await));
    browser.session = None;
    let asked = browser.log_in_silently().await;
    assert!(!closes(&asked));
    assert_eq!(named(&asked), ["evil.example", "-"]);
}
