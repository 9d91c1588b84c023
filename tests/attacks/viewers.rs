//! Which viewer a login is for, when pages of several sites open the same login: OR, SE and their
//! neighbours.

use std::time::Duration;

use http::{Method, StatusCode};
use tower_iiif_auth::aspect::SessionId;
use tower_iiif_auth::clock::Timestamp;
use tower_iiif_auth::protocol::Family;
use tower_iiif_auth::resource::ImageApi;
use tower_iiif_auth::revocation::{InMemory, Revocations};
use tower_iiif_auth::{AccessService, Answer, BoxError, Compatibility, IiifAuth, Realm};

use crate::common::steps::{closes, forms};
use crate::common::{
    BASE, COOKIE, Publisher, V, builder, clock, cookie_pair, form, image, request,
    set_cookie_value, text,
};

const EVIL: &str = "https://evil.example";
const FLOW: &str = "__Host-iiif-flow";

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

    fn cookies(&self) -> String {
        [&self.flow, &self.session].into_iter().flatten().cloned().collect::<Vec<_>>().join("; ")
    }

    fn keep(&mut self, response: &http::Response<bytes::Bytes>) {
        for (name, kept) in [(FLOW, &mut self.flow), (COOKIE, &mut self.session)] {
            if let Some(pair) = cookie_pair(response, name) {
                *kept = Some(pair).filter(|pair| !pair.ends_with('='));
            }
        }
    }

    async fn open(&mut self, path: &str) -> http::Response<bytes::Bytes> {
        let cookies = self.cookies();
        let page = self.publisher.get(path, &[("cookie", &cookies)]).await;
        self.keep(&page);
        page
    }

    async fn post(&mut self, path: &str, body: &str) -> http::Response<bytes::Bytes> {
        let cookies = self.cookies();
        let page = self.publisher.send(form(path, &[("cookie", &cookies)], body)).await;
        self.keep(&page);
        page
    }

    /// Sends the password form, as a user with role A.
    async fn log_in(&mut self) -> http::Response<bytes::Bytes> {
        self.log_in_as("A").await
    }

    async fn log_in_as(&mut self, roles: &str) -> http::Response<bytes::Bytes> {
        self.log_in_at("/auth/login", roles).await
    }

    /// The same from the tab that this viewer opened: a form is posted to its page's URL.
    async fn log_in_from(&mut self, viewer: &str) -> http::Response<bytes::Bytes> {
        self.log_in_at(&format!("/auth/login?origin={viewer}"), "A").await
    }

    async fn log_in_at(&mut self, path: &str, roles: &str) -> http::Response<bytes::Bytes> {
        let cookies = self.cookies();
        let headers = [("cookie", &*cookies), ("origin", BASE), ("x-roles", roles)];
        let page = self.publisher.send(request(Method::POST, path, &headers)).await;
        self.keep(&page);
        page
    }

    /// The token service's error for a viewer, or none.
    async fn refusal(&self, viewer: &str) -> Option<String> {
        let query = format!("messageId=1&origin={viewer}");
        let cookies = self.cookies();
        let (message, _) = self.publisher.token_message(&query, &[("cookie", &cookies)]).await;
        message["profile"].as_str().map(ToOwned::to_owned)
    }
}

fn with_terms() -> Publisher {
    let clock = clock();
    let realm = Realm::new()
        .access(AccessService::active("login", "Library"))
        .access(AccessService::click_through("terms", "Library", "Terms").role("A"))
        .access(AccessService::kiosk("room").role("A"));
    let builder = IiifAuth::builder(BASE)
        .keyring(crate::common::keyring())
        .clock(clock.clone())
        .images("/iiif/3")
        .realm(realm)
        .authorizer(crate::common::rules());
    Publisher::of(builder, clock)
}

/// OR-07's neighbour: a page that opens the login behind another viewer's back gets nothing of it
/// unless the user chooses it by name.
#[tokio::test]
async fn of_several_viewers_the_user_chooses_one() {
    for (chosen, other) in [(V, EVIL), (EVIL, V)] {
        let publisher = Publisher::new();
        let mut browser = Browser::new(&publisher);
        browser.open(&format!("/auth/login?origin={V}")).await;
        browser.open(&format!("/auth/login?origin={EVIL}")).await;
        let choice = browser.log_in().await;
        assert!(browser.session.is_none(), "no cookie without a choice");
        assert!(!closes(&choice));
        let forms = forms(&choice);
        let named: Vec<_> = [V, EVIL]
            .iter()
            .map(|viewer| viewer.trim_start_matches("https://"))
            .filter(|host| text(&choice).contains(&format!("Continue to {host}<")))
            .collect();
        assert_eq!((forms.len(), named.len()), (2, 2), "each is named: {}", text(&choice));

        // The one that came last stands first.
        let form = &forms[usize::from(chosen == V)];
        let done = browser.post("/auth/continue", &format!("{form}continue")).await;
        assert!(closes(&done));
        assert_eq!(browser.refusal(chosen).await, None);
        assert_eq!(browser.refusal(other).await.as_deref(), Some("invalidOrigin"));

        // The other one's tab goes on by itself, with a user who is logged in.
        assert!(browser.flow.is_some(), "it still waits");
        // LF-04: it is not taken for the viewer of a tab that does not tell.
        assert!(!closes(&browser.log_in().await));
        let done = browser.log_in_from(other).await;
        assert!(closes(&done));
        assert_eq!(browser.refusal(other).await, None);
        assert!(browser.flow.is_none(), "nobody waits");
    }
}

/// A page whose viewer is known asks for no choice, and no other viewer gains by it.
#[tokio::test]
async fn terms_and_kiosks_are_for_the_viewer_that_opened_them() {
    let publisher = with_terms();
    let mut browser = Browser::new(&publisher);
    let page = browser.open(&format!("/auth/terms?origin={V}")).await;
    browser.open(&format!("/auth/terms?origin={EVIL}")).await;
    let body = format!("{}accept", forms(&page)[0]);
    let done = browser.post("/auth/terms", &body).await;
    assert!(closes(&done));
    assert_eq!(browser.refusal(V).await, None);
    assert_eq!(browser.refusal(EVIL).await.as_deref(), Some("invalidOrigin"));

    let mut browser = Browser::new(&publisher);
    browser.open(&format!("/auth/login?origin={EVIL}")).await;
    let done = browser.open(&format!("/auth/room?origin={V}")).await;
    assert!(closes(&done));
    assert_eq!(browser.refusal(V).await, None);
    assert_eq!(browser.refusal(EVIL).await.as_deref(), Some("invalidOrigin"));
}

/// A grant in one realm ends nobody's wait for another, even the same viewer's.
#[tokio::test]
async fn a_grant_of_another_realm_leaves_the_login_bound() {
    let clock = clock();
    let room = Realm::named("room").access(AccessService::kiosk("enter").role("B"));
    let publisher = Publisher::of(builder(&clock).realm(room), clock);
    let mut browser = Browser::new(&publisher);
    browser.open(&format!("/auth/login?origin={V}")).await;
    assert!(closes(&browser.open(&format!("/auth/room/enter?origin={V}")).await));
    assert!(closes(&browser.log_in().await));
    assert_eq!(browser.refusal(V).await, None);
    assert_eq!(browser.refusal(EVIL).await.as_deref(), Some("invalidOrigin"));
}

/// A callback that lies outside of every service may be of any tab: with viewers of two realms waiting,
/// the user says for whom it is.
#[tokio::test]
async fn a_callback_of_no_service_guesses_at_no_viewer() {
    for (realm, tab) in [(None, "/auth/login"), (Some("other"), "/auth/other/login")] {
        let clock = clock();
        let application = move |request: &http::Request<crate::common::Body>| {
            let mut response = crate::common::image_server(request);
            if request.uri().path() == "/callback" {
                let grant = tower_iiif_auth::access::AccessGrant::to("u1").role("A");
                let grant = match realm {
                    Some(realm) => grant.realm(realm),
                    None => grant,
                };
                response.extensions_mut().insert(grant);
            }
            response
        };
        let builder = builder(&clock).public_paths(["/callback"]);
        let publisher = Publisher::before(builder, clock, application);
        let mut browser = Browser::new(&publisher);
        browser.open(&format!("{tab}?origin={V}")).await;
        let elsewhere = if realm.is_some() { "/auth/login" } else { "/auth/other/login" };
        browser.open(&format!("{elsewhere}?origin={EVIL}")).await;
        let answer = browser.post("/callback", "").await;
        if realm.is_some() {
            // The application has said which realm it is, and one viewer waits for that.
            assert!(closes(&answer));
        } else {
            assert!(!closes(&answer));
            assert_eq!(forms(&answer).len(), 2, "{}", text(&answer));
        }
    }
}

/// Nor does a callback that the logins of two realms share.
#[tokio::test]
async fn a_shared_step_guesses_at_no_viewer() {
    let clock = clock();
    let login = || AccessService::active("login", "Library").steps(["/sso/*"]);
    let builder = IiifAuth::builder(BASE)
        .keyring(crate::common::keyring())
        .clock(clock.clone())
        .images("/iiif/3")
        .realm(Realm::new().access(login()))
        .realm(Realm::named("staff").access(login().protects(["sec2"])))
        .authorizer(crate::common::rules());
    let application = |request: &http::Request<crate::common::Body>| {
        let mut response = crate::common::image_server(request);
        if request.uri().path() == "/sso/back" {
            response
                .extensions_mut()
                .insert(tower_iiif_auth::access::AccessGrant::to("u1").role("A"));
        }
        response
    };
    let publisher = Publisher::before(builder, clock, application);
    let mut browser = Browser::new(&publisher);
    browser.open(&format!("/auth/login?origin={V}")).await;
    browser.open(&format!("/auth/staff/login?origin={EVIL}")).await;
    let answer = browser.post("/sso/back", "").await;
    assert!(!closes(&answer));
    assert_eq!(forms(&answer).len(), 2, "{}", text(&answer));
    // With one viewer there is nothing to guess.
    let mut browser = Browser::new(&publisher);
    browser.open(&format!("/auth/login?origin={V}")).await;
    assert!(closes(&browser.post("/sso/back", "").await));
    assert_eq!(browser.refusal(EVIL).await.as_deref(), Some("invalidOrigin"));
}

/// Two gesture pages that are open at the same time: who was granted first stays.
#[tokio::test]
async fn the_second_of_two_clicks_takes_nothing_from_the_first() {
    let publisher = Publisher::new();
    let mut browser = Browser::new(&publisher);
    browser.open(&format!("/auth/login?origin={V}")).await;
    browser.open(&format!("/auth/login?origin={EVIL}")).await;
    let page = browser.log_in().await;
    for form in forms(&page) {
        assert!(closes(&browser.post("/auth/continue", &format!("{form}continue")).await));
    }
    assert_eq!(browser.refusal(V).await, None);
    assert_eq!(browser.refusal(EVIL).await, None);
}

/// A session that takes the place of a bound one is no less bound, whoever the user is now.
#[tokio::test]
async fn a_login_in_a_second_tab_stays_bound() {
    let publisher = with_terms();
    let mut browser = Browser::new(&publisher);
    // Two tabs of one viewer: the first ends as nobody in particular, the second as a user.
    let page = browser.open(&format!("/auth/terms?origin={V}")).await;
    browser.open(&format!("/auth/login?origin={V}")).await;
    let body = format!("{}accept", forms(&page)[0]);
    assert!(closes(&browser.post("/auth/terms", &body).await));
    assert!(browser.flow.is_none());
    // LF-02: without a flow the tab's word alone is not enough.
    let asked = browser.log_in_from(V).await;
    assert!(!closes(&asked) && text(&asked).contains("Continue to viewer.example<"));
    let body = format!("{}continue", forms(&asked)[0]);
    assert!(closes(&browser.post("/auth/continue", &body).await));
    assert_eq!(browser.refusal(V).await, None);
    assert_eq!(browser.refusal(EVIL).await.as_deref(), Some("invalidOrigin"));
}

/// Who was declined does not wait for the next login.
#[tokio::test]
async fn a_declined_viewer_is_forgotten() {
    let publisher = with_terms();
    let mut browser = Browser::new(&publisher);
    let page = browser.open(&format!("/auth/terms?origin={EVIL}")).await;
    let body = format!("{}decline", forms(&page)[0]);
    assert!(closes(&browser.post("/auth/terms", &body).await));
    assert!(browser.flow.is_none(), "nobody waits");
    browser.open(&format!("/auth/login?origin={V}")).await;
    assert!(closes(&browser.log_in().await), "there is nothing to choose");
    assert_eq!(browser.refusal(EVIL).await.as_deref(), Some("invalidOrigin"));
}

/// CON-19: however late the form is sent, the session is bound.
#[tokio::test]
async fn a_late_login_is_bound_all_the_same() {
    for wait in [Duration::from_secs(59 * 60), Duration::from_secs(3 * 3600)] {
        let publisher = Publisher::new();
        let mut browser = Browser::new(&publisher);
        browser.open(&format!("/auth/login?origin={V}")).await;
        // An hour later the page is opened anew, without a word of the viewer.
        publisher.clock.advance(wait);
        browser.open("/auth/login").await;
        publisher.clock.advance(wait);
        // LF-04: whose tab that is, is not known.
        let asked = browser.log_in().await;
        assert!(!closes(&asked) && text(&asked).contains("Continue to viewer.example<"));
        let body = format!("{}continue", forms(&asked)[0]);
        assert!(closes(&browser.post("/auth/continue", &body).await));
        assert_eq!(browser.refusal(V).await, None);
        assert_eq!(browser.refusal(EVIL).await.as_deref(), Some("invalidOrigin"), "{wait:?}");
    }
}

/// OR-02's neighbour: no origin is too long to be remembered and short enough to be taken.
#[tokio::test]
async fn an_origin_is_remembered_or_refused() {
    for length in [200, 253, 254, 255, 256, 268, 300, 512] {
        let host = format!("{}.example", ["a"; 300].join(".")[..].to_owned());
        let host = &host[host.len() - (length - "https://".len())..];
        let origin = format!("https://{}", host.trim_start_matches('.'));
        let publisher = Publisher::new();
        let mut browser = Browser::new(&publisher);
        let page = browser.open(&format!("/auth/login?origin={origin}")).await;
        if page.status() == StatusCode::BAD_REQUEST {
            assert!(origin.len() > 253, "{length}");
            continue;
        }
        assert!(closes(&browser.log_in().await));
        let refusal = browser.refusal(EVIL).await;
        assert_eq!(refusal.as_deref(), Some("invalidOrigin"), "{length}: {origin}");
        assert_eq!(browser.refusal(&origin).await, None);
    }
}

/// However many viewers a user comes from, the cookie stays one that browsers keep.
#[tokio::test]
async fn many_viewers_fit_one_cookie() {
    let publisher = Publisher::new();
    let mut browser = Browser::new(&publisher);
    let viewer = |number: usize| format!("https://{}{number}.example", "a".repeat(60));
    for number in 0..100 {
        browser.open(&format!("/auth/login?origin={}", viewer(number))).await;
        let done = browser.log_in().await;
        assert!(closes(&done), "{number}: {done:?}");
        assert!(browser.session.as_ref().is_some_and(|pair| pair.len() <= 4096));
    }
    assert_eq!(browser.refusal(&viewer(99)).await, None);
    assert_eq!(browser.refusal(&viewer(98)).await, None, "the latest are remembered");
    assert_eq!(browser.refusal(&viewer(0)).await.as_deref(), Some("invalidOrigin"));
}

/// SE-13's neighbour: a login that cannot be carried out ends no session.
#[tokio::test]
async fn a_session_that_fits_no_cookie_takes_the_place_of_none() {
    let publisher = Publisher::new();
    let mut browser = Browser::new(&publisher);
    browser.open(&format!("/auth/login?origin={V}")).await;
    browser.log_in().await;
    let cookies = browser.cookies();
    let roles: Vec<_> = (0..400).map(|number| format!("role-number-{number}")).collect();
    for viewers in [&[V][..], &[V, EVIL]] {
        for viewer in viewers {
            browser.open(&format!("/auth/login?origin={viewer}")).await;
        }
        let failed = browser.log_in_as(&roles.join(",")).await;
        assert_eq!(failed.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(set_cookie_value(&failed, COOKIE).is_none());
        let tile = publisher.get(&image("sec"), &[("cookie", &cookies)]).await;
        assert_eq!(tile.status(), StatusCode::OK, "the session of before lives");
    }
}

/// A store that is asked over the network.
struct Remote(InMemory);

impl Revocations for Remote {
    fn admit(&self, id: SessionId) -> SessionId {
        self.0.admit(id)
    }

    fn is_revoked(&self, id: SessionId, now: Timestamp) -> Answer<Result<bool, BoxError>> {
        later(self.0.is_revoked(id, now))
    }

    fn revoke(
        &self,
        id: SessionId,
        until: Timestamp,
        now: Timestamp,
    ) -> Answer<Result<(), BoxError>> {
        later(self.0.revoke(id, until, now))
    }
}

fn later<T: Send + 'static>(answer: Answer<T>) -> Answer<T> {
    Answer::Later(Box::pin(async {
        tokio::task::yield_now().await;
        match answer {
            Answer::Now(answer) => answer,
            Answer::Later(answer) => answer.await,
        }
    }))
}

/// SE-06: with a store that has to be waited for, too, a dead cookie hides no live one.
#[tokio::test]
async fn a_dead_cookie_hides_no_live_one_from_a_slow_store() {
    let clock = clock();
    let builder = builder(&clock).revocations(Remote(InMemory::new().unwrap()));
    let publisher = Publisher::of(builder, clock);
    let mut dead = Vec::new();
    for _ in 0..2 {
        let cookie = format!("{COOKIE}={}", publisher.log_in(&["A"], Some(V)).await);
        publisher.get("/auth/logout", &[("cookie", &cookie)]).await;
        let tile = publisher.get(&image("sec"), &[("cookie", &cookie)]).await;
        assert_eq!(tile.status(), StatusCode::UNAUTHORIZED);
        dead.push(cookie);
    }
    let live = format!("{COOKIE}={}", publisher.log_in(&["A"], Some(V)).await);
    for cookies in [
        format!("{}; {}; {live}", dead[0], dead[1]),
        format!("{}; {live}; {}", dead[0], dead[1]),
        format!("{live}; {}; {}", dead[0], dead[1]),
    ] {
        let tile = publisher.get(&image("sec"), &[("cookie", &cookies)]).await;
        assert_eq!(tile.status(), StatusCode::OK);
        let message = publisher.token_message_at("/auth/token", &cookies).await;
        assert!(message["accessToken"].is_string(), "{message}");
    }
    let all_dead = format!("{}; {}", dead[0], dead[1]);
    let message = publisher.token_message_at("/auth/token", &all_dead).await;
    assert_eq!(message["profile"], "invalidAspect");
    let expired = format!("{}; {live}", dead[0]);
    publisher.clock.advance(Duration::from_secs(601));
    let message = publisher.token_message_at("/auth/token", &expired).await;
    assert_eq!(message["profile"], "expiredAspect");
}

fn in_every_family(compatibility: Compatibility) -> Publisher {
    let clock = clock();
    let realm = Realm::new()
        .access(AccessService::active("login", "Library"))
        .access(AccessService::click_through("terms", "Library", "Terms").role("A"))
        .access(AccessService::kiosk("room").role("A"));
    let builder = IiifAuth::builder(BASE)
        .keyring(crate::common::keyring())
        .clock(clock.clone())
        .resources(ImageApi::new("/iiif/2").families(Family::ALL))
        .compatibility(compatibility)
        .realm(realm)
        .authorizer(crate::common::rules());
    Publisher::of(builder, clock)
}

/// CON-19: whichever family's service each of them opened, the user chooses; who did not say who it
/// is, is chosen by name as little as it has one.
#[tokio::test]
async fn viewers_of_several_families_wait_together() {
    let publisher = in_every_family(Compatibility::default().insecure_any_viewer_in_0_9());
    for (chosen, v, evil) in [
        (format!("Continue to {}<", &V[8..]), None, Some("invalidOrigin")),
        (format!("Continue to {}<", &EVIL[8..]), Some("invalidOrigin"), None),
        (">Continue<".to_owned(), None, None),
    ] {
        let mut browser = Browser::new(&publisher);
        browser.open(&format!("/auth/login/1?origin={V}")).await;
        browser.open(&format!("/auth/login?origin={EVIL}")).await;
        browser.open("/auth/login/0").await;
        let choice = browser.log_in().await;
        assert!(browser.session.is_none() && !closes(&choice));
        let all = forms(&choice);
        let buttons: Vec<_> = text(&choice).split("<form ").skip(1).collect();
        assert_eq!((all.len(), buttons.len()), (3, 3), "{}", text(&choice));
        let place = buttons.iter().position(|form| form.contains(&chosen)).expect("its button");
        let body = format!("{}continue", all[place]);
        assert!(closes(&browser.post("/auth/continue", &body).await));
        assert_eq!(browser.refusal(V).await.as_deref(), v, "{chosen}");
        assert_eq!(browser.refusal(EVIL).await.as_deref(), evil, "{chosen}");
        assert!(browser.flow.is_some(), "the others still wait");
    }
}

/// CON-19: what is granted at once is for the viewer that opened it, whoever else waits.
#[tokio::test]
async fn what_is_granted_at_once_is_for_who_opened_it() {
    let publisher = in_every_family(Compatibility::default());
    let of_any = in_every_family(Compatibility::default().insecure_any_viewer_in_0_9());
    for service in ["terms", "room"] {
        for family in ["1", "0"] {
            let mut browser = Browser::new(&publisher);
            browser.open(&format!("/auth/login/1?origin={EVIL}")).await;
            browser.open(&format!("/auth/login/0?origin={EVIL}")).await;
            let page = browser.open(&format!("/auth/{service}/{family}?origin={V}")).await;
            assert!(closes(&page) && browser.session.is_some());
            assert_eq!(browser.refusal(V).await, None);
            assert_eq!(browser.refusal(EVIL).await.as_deref(), Some("invalidOrigin"));
            assert!(browser.flow.is_some(), "the login of the other still waits");
        }
        // Who does not say who they are get a session for no viewer: the page has to close at once,
        // whoever else waits (V1-ACC-4, V2-ACC-11), and another tab's viewer is not guessed at. LF-02: it
        // is one for any in 0.9 alone, and only by the configuration's word.
        for path in
            [format!("/auth/{service}/0"), format!("/auth/{service}/1"), "/auth/room".into()]
        {
            for (publisher, waiting) in
                [(&publisher, &[V][..]), (&publisher, &[V, EVIL]), (&of_any, &[V, EVIL])]
            {
                let mut browser = Browser::new(publisher);
                for viewer in waiting {
                    browser.open(&format!("/auth/login/1?origin={viewer}")).await;
                }
                assert!(closes(&browser.open(&path).await), "{path}");
                let is_any = std::ptr::eq(publisher, &raw const of_any) && path.ends_with("/0");
                let refused = (!is_any).then(|| "invalidOrigin".to_owned());
                for viewer in [V, EVIL] {
                    assert_eq!(browser.refusal(viewer).await, refused, "{path}");
                }
                let cookies = browser.cookies();
                let tile = "/iiif/2/sec/full/full/0/default.jpg";
                let tile = publisher.get(tile, &[("cookie", &cookies)]).await;
                assert_eq!(tile.status(), StatusCode::OK, "{path}");
            }
        }
    }
}
