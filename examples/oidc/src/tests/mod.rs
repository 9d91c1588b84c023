//! The flow against a provider of the tests' own, honest and not.

mod fake;

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::json;
use tower::ServiceExt;

use iiif_auth_oidc::Provider;

use crate::settings::Settings;
use crate::site;
use fake::{CLIENT, Fake, SECRET};

/// What the provider says that is not so.
type Lie = fn(&mut fake::Words);

const BASE: &str = "https://iiif.example";
const LOGIN: &str = "/auth/login?origin=https://viewer.example";
const ACCESS: &str = "__Host-iiif";
const PENDING: &str = "__Host-oidc";
const PICTURE: &str = "/iiif/3/restricted/0,0,64,64/64,/0/default.jpg";

fn settings(issuer: &str, more: &[&str]) -> Settings {
    static FILE: LazyLock<String> = LazyLock::new(|| {
        let file = std::env::temp_dir().join(format!("oidc-secret-{}", std::process::id()));
        std::fs::write(&file, format!("{SECRET}\n")).unwrap();
        file.to_str().unwrap().to_owned()
    });
    let file = FILE.as_str();
    let mut all = vec!["--issuer", issuer, "--client-id", CLIENT, "--client-secret-file", file];
    all.extend(["--public-url", BASE, "--wait", "2"]);
    all.extend(more);
    Settings::from(all, |_| None).unwrap().unwrap()
}

/// A browser: it keeps cookies, and follows nothing by itself.
#[derive(Clone)]
struct Browser {
    app: Router,
    cookies: BTreeMap<String, String>,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn location(&self) -> &str {
        self.headers[LOCATION].to_str().unwrap()
    }

    fn is_gesture(&self) -> bool {
        self.status == 200 && self.text.contains("Continue to viewer.example")
    }

    fn closes(&self) -> bool {
        self.text.contains("window.close()")
    }
}

impl Browser {
    async fn before(fake: &Fake) -> Self {
        Self::with(fake, &[]).await
    }

    async fn with(fake: &Fake, more: &[&str]) -> Self {
        let settings = settings(&fake.issuer, more);
        let known = settings.provider().unwrap();
        let known = iiif_auth_oidc::Settings { keys_rest: Duration::ZERO, ..known };
        let provider = Provider::new(known).unwrap();
        provider.find(Duration::from_secs(2)).await.unwrap();
        Self { app: site::app(&settings, provider).unwrap(), cookies: BTreeMap::new() }
    }

    fn is_pending(&self) -> bool {
        self.cookies.keys().any(|name| name.starts_with(PENDING))
    }

    /// Another one, that visits the same server.
    fn other(&self) -> Self {
        Self { app: self.app.clone(), cookies: BTreeMap::new() }
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
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.into_body().collect().await.unwrap().to_bytes();
        Answer { status, headers, text: String::from_utf8_lossy(&body).into_owned() }
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    async fn post(&mut self, path: &str, form: String) -> Answer {
        let request = Request::builder().method(Method::POST).uri(path).header(ORIGIN, BASE);
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(form)).unwrap()).await
    }

    /// Opens the access service, and logs in at the provider; the URL that leads back.
    async fn back_from_provider(&mut self, fake: &Fake) -> String {
        let there = self.get(LOGIN).await;
        assert_eq!(there.status, 303, "{}", there.text);
        let (code, state) = fake.log_in(there.location());
        format!("/oidc/callback?code={code}&state={state}")
    }

    async fn press(&mut self, gesture: &Answer) -> Answer {
        let (_, grant) = gesture.text.split_once("name=\"grant\" value=\"").unwrap();
        let grant = grant.split_once('"').unwrap().0;
        self.post("/auth/continue", format!("grant={grant}&decision=continue")).await
    }

    async fn tile(&mut self) -> u16 {
        self.get(PICTURE).await.status
    }
}

#[tokio::test]
async fn a_user_logs_in_at_the_provider_and_sees_the_picture() {
    let fake = Fake::start().await;
    let mut browser = Browser::before(&fake).await;
    assert_eq!(browser.tile().await, 401);
    let back = browser.back_from_provider(&fake).await;
    // The provider may have remembered the user: there was no click, so there is a page to click on.
    let gesture = browser.get(&back).await;
    assert!(gesture.is_gesture(), "{} {}", gesture.status, gesture.text);
    assert!(!browser.cookies.contains_key(ACCESS) && !browser.is_pending());
    assert!(browser.press(&gesture).await.closes());
    assert_eq!(browser.tile().await, 200);

    // Another viewer, or another try: the user may stay, or be somebody else.
    let page = browser.get(LOGIN).await;
    assert!(page.status == 200 && page.text.contains("Log in as somebody else"));
    assert!(browser.post("/auth/login", "as=before".to_owned()).await.closes());
    let there = browser.post("/auth/login", "as=other".to_owned()).await;
    assert!(there.location().contains("prompt=login"), "{}", there.location());
}

/// The cookie that binds a login to its browser.
#[tokio::test]
async fn a_login_is_bound_to_its_browser_by_a_host_cookie() {
    let fake = Fake::start().await;
    let mut browser = Browser::before(&fake).await;
    let there = browser.get(LOGIN).await;
    let mut cookies = there.headers.get_all(SET_COOKIE).iter().map(|own| own.to_str().unwrap());
    let own = cookies.find(|own| own.starts_with(PENDING)).unwrap();
    for attribute in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax", "; Max-Age=3600"] {
        assert!(own.contains(attribute), "{attribute} in {own}");
    }
    assert!(!own.contains("Domain"));
    // COOP would cut the viewer off from its tab.
    for step in [there, browser.get("/oidc/callback?state=none").await] {
        assert_eq!(step.headers["cross-origin-opener-policy"], "unsafe-none");
        assert_eq!(step.headers["cache-control"], "no-store");
    }
}

/// Login CSRF: an attacker's code and state, sent to somebody else's browser.
#[tokio::test]
async fn se_10_a_login_of_another_browser_is_refused() {
    let fake = Fake::start().await;
    let mut attacker = Browser::before(&fake).await;
    let back = attacker.back_from_provider(&fake).await;
    let mut nobody = attacker.other();
    let mut busy = attacker.other();
    let own = busy.back_from_provider(&fake).await;
    for victim in [&mut nobody, &mut busy] {
        let answer = victim.get(&back).await;
        assert_eq!(answer.status, 403);
        assert!(!answer.is_gesture() && !victim.cookies.contains_key(ACCESS));
    }
    assert_eq!(fake.words().redeemed, 0, "the code does not even go to the provider");
    // The attacker's code with the victim's state: the provider knows whose code it is.
    let code = back.split_once("code=").unwrap().1.split_once('&').unwrap().0;
    let state = own.split_once("state=").unwrap().1;
    let answer = busy.get(&format!("/oidc/callback?code={code}&state={state}")).await;
    assert_eq!((answer.status, fake.words().redeemed), (403, 1));
    assert!(!busy.cookies.contains_key(ACCESS));
}

#[tokio::test]
async fn a_return_is_good_once() {
    let fake = Fake::start().await;
    let mut browser = Browser::before(&fake).await;
    let back = browser.back_from_provider(&fake).await;
    // A thief has seen the URL, or all of the browser.
    let (mut thief, mut twin) = (browser.other(), browser.clone());
    assert_eq!(thief.get(&back).await.status, 403);
    assert!(browser.get(&back).await.is_gesture());
    assert_eq!(browser.get(&back).await.status, 403, "the state is used up");
    assert_eq!(fake.words().redeemed, 1);
    assert_eq!(twin.get(&back).await.status, 403, "the code is used up");
    assert_eq!(fake.words().redeemed, 2);

    // Several tabs at once do not get into each other's way.
    let first = browser.back_from_provider(&fake).await;
    let second = browser.back_from_provider(&fake).await;
    assert!(browser.get(&first).await.is_gesture() && browser.get(&second).await.is_gesture());
}

/// An answer's ID token has to be this provider's, for this client, of this login, in time.
#[tokio::test]
async fn an_id_token_that_is_not_good_opens_nothing() {
    let lies: [(&str, Lie); 12] = [
        ("wrong nonce", |words| words.claims = json!({ "nonce": "other" })),
        ("no nonce", |words| words.claims = json!({ "nonce": null })),
        ("wrong issuer", |words| words.claims = json!({ "iss": "https://evil.example" })),
        ("wrong audience", |words| words.claims = json!({ "aud": "somebody-else" })),
        ("no audience", |words| words.claims = json!({ "aud": [] })),
        ("another audience besides", |words| words.claims = json!({ "aud": [CLIENT, "evil"] })),
        ("expired", |words| words.claims = json!({ "exp": 1_000_000_000 })),
        ("no signature", |words| words.alg = "none"),
        ("the public key as a secret", |words| words.alg = "HS256"),
        ("a key that is not the provider's", |words| words.signing = 9),
        ("no subject", |words| words.claims = json!({ "sub": null })),
        ("another user's info", |words| {
            words.claims = json!({ "roles": null });
            words.userinfo = Some(json!({ "sub": "eve", "roles": ["reader"] }));
        }),
    ];
    for (what, lie) in lies.into_iter().map(|(what, lie)| (what, Some(lie))).chain([("", None)]) {
        let fake = Fake::start().await;
        if what == "another user's info" {
            fake.words().userinfo = Some(json!({}));
        }
        let mut browser = Browser::before(&fake).await;
        if let Some(lie) = lie {
            lie(&mut fake.words());
        }
        let back = browser.back_from_provider(&fake).await;
        let answer = browser.get(&back).await;
        assert_eq!(answer.is_gesture(), lie.is_none(), "{what}: {} {}", answer.status, answer.text);
        assert!(!browser.cookies.contains_key(ACCESS), "{what}");
        if lie.is_some() {
            assert!(matches!(answer.status, 403 | 503), "{what}: {}", answer.status);
        }
    }
}

/// RFC 9207: the code of another provider, which the user was led to, is not sent to this one.
#[tokio::test]
async fn another_providers_answer_is_refused() {
    let fake = Fake::start().await;
    for (issuer, good) in [("https://evil.example", false), (&*fake.issuer, true)] {
        let mut browser = Browser::before(&fake).await;
        let back = browser.back_from_provider(&fake).await;
        let before = fake.words().redeemed;
        let answer = browser.get(&format!("{back}&iss={issuer}")).await;
        assert_eq!(answer.is_gesture(), good, "{issuer}");
        assert_eq!(fake.words().redeemed - before, usize::from(good), "{issuer}");
    }
}

#[tokio::test]
async fn what_the_provider_says_instead_of_a_code() {
    let fake = Fake::start().await;
    for (error, status, closes) in [
        ("access_denied", 200, true),
        ("server_error", 503, false),
        ("temporarily_unavailable", 503, false),
        ("invalid_scope", 403, false),
        ("%3Cscript%3Ealert(1)%3C/script%3E", 403, false),
    ] {
        let mut browser = Browser::before(&fake).await;
        let back = browser.back_from_provider(&fake).await;
        let state = back.split_once("state=").unwrap().1;
        let path = format!("/oidc/callback?error={error}&error_description=%3Cb%3E&state={state}");
        assert_eq!(browser.other().get(&path).await.status, 403, "only for whom it is");
        let answer = browser.get(&path).await;
        assert_eq!((answer.status, answer.closes()), (status, closes), "{error}");
        assert!(!answer.text.contains("<script>alert") && !answer.text.contains("<b>"), "{error}");
        assert!(!browser.cookies.contains_key(ACCESS) && !browser.is_pending());
    }
    let mut browser = Browser::before(&fake).await;
    let back = browser.back_from_provider(&fake).await;
    let (_, state) = back.split_once("state=").unwrap();
    for broken in [
        "/oidc/callback".to_owned(),
        format!("/oidc/callback?state={state}&state=other&code=1"),
        format!("{back}&code=2"),
        "/oidc/callback?state=%FF".to_owned(),
    ] {
        assert_eq!(browser.get(&broken).await.status, 403, "{broken}");
    }
    assert!(browser.get(&back).await.is_gesture(), "and nothing of that has used it up");
}

#[tokio::test]
async fn a_provider_that_is_down_is_said_to_be() {
    let fake = Fake::start().await;
    let mut browser = Browser::before(&fake).await;
    for status in [StatusCode::INTERNAL_SERVER_ERROR, StatusCode::BAD_GATEWAY] {
        let back = browser.back_from_provider(&fake).await;
        fake.words().status = Some(status);
        let answer = browser.get(&back).await;
        assert_eq!(answer.status, 503, "{status}");
        fake.words().status = None;
    }
    let back = browser.back_from_provider(&fake).await;
    fake.go_down().await;
    let answer = browser.get(&back).await;
    assert_eq!(answer.status, 503);
    assert!(
        answer.text.contains("cannot be reached") && answer.headers.contains_key("retry-after")
    );
    assert!(!browser.cookies.contains_key(ACCESS));
    // What needs no provider goes on.
    let open = browser.get("/iiif/3/open/0,0,64,64/64,/0/default.jpg").await;
    assert_eq!((open.status, browser.tile().await), (200, 401));
}

/// SE-11: nothing in a query says where to go.
#[tokio::test]
async fn se_11_no_open_redirect() {
    let fake = Fake::start().await;
    for more in [
        "&redirect=https://evil.example",
        "&return_to=/%5Cevil.example",
        "&redirect_uri=https://evil.example",
        "&next=//evil.example",
        "&state=x&nonce=y&client_id=z",
    ] {
        let mut browser = Browser::before(&fake).await;
        let there = browser.get(&format!("{LOGIN}{more}")).await;
        assert!(!there.location().contains("evil"), "{}", there.location());
        let callback = "redirect_uri=https%3A%2F%2Fiiif.example%2Foidc%2Fcallback";
        assert_eq!(there.location().matches("redirect_uri=").count(), 1);
        assert!(there.location().contains(callback), "{}", there.location());
        let (code, state) = fake.log_in(there.location());
        let path =
            format!("/oidc/callback?code={code}&state={state}{}", more.replace("&state=x", ""));
        let back = browser.get(&path).await;
        assert!(back.is_gesture() && !back.headers.contains_key(LOCATION));
        assert!(!back.text.contains("evil"), "{}", back.text);
    }
}

/// EX-07: as providers send them, a standard claim too.
#[tokio::test]
async fn claims_become_roles() {
    for (claim, claims, status) in [
        ("roles", json!({}), 200),
        ("roles", json!({ "roles": ["guest"] }), 403),
        ("roles", json!({ "roles": "reader" }), 200),
        ("roles", json!({ "roles": [] }), 403),
        ("roles", json!({ "roles": null }), 403),
        ("roles", json!({ "roles": ["Reader", "reader "] }), 403),
        ("roles", json!({ "roles": { "reader": true } }), 200),
        ("roles", json!({ "roles": { "reader": false } }), 403),
        ("roles", json!({ "roles": [{ "name": "reader" }] }), 200),
        (
            "resource_access.my.client.roles",
            json!({ "resource_access": { "my.client": { "roles": ["reader"] } } }),
            200,
        ),
        ("email", json!({ "email": "reader" }), 200),
        ("realm_access.roles", json!({ "realm_access": { "roles": ["reader"] } }), 200),
        ("realm_access.roles", json!({ "realm_access": "reader" }), 403),
        ("https://a.example/r", json!({ "https://a.example/r": ["reader"] }), 200),
        // More than a cookie holds: what does not count here is left out.
        (
            "roles",
            json!({ "roles": (0..2000).map(|n| format!("group-{n}")).chain(["reader".to_owned()]).collect::<Vec<_>>() }),
            200,
        ),
    ] {
        let fake = Fake::start().await;
        fake.words().claims = claims.clone();
        let mut browser = Browser::with(&fake, &["--roles-claim", claim]).await;
        let back = browser.back_from_provider(&fake).await;
        let gesture = browser.get(&back).await;
        assert!(browser.press(&gesture).await.closes(), "{claim} {claims}");
        assert_eq!(browser.tile().await, status, "{claim} {claims}");
    }
    // A provider that tells only its user info endpoint.
    let fake = Fake::start().await;
    fake.words().claims = json!({ "roles": null });
    fake.words().userinfo = Some(json!({ "sub": "ada-lovelace", "roles": ["reader"] }));
    let mut browser = Browser::before(&fake).await;
    let back = browser.back_from_provider(&fake).await;
    let gesture = browser.get(&back).await;
    assert!(browser.press(&gesture).await.closes());
    assert_eq!(browser.tile().await, 200);
}

#[tokio::test]
async fn the_providers_new_keys_are_fetched() {
    let fake = Fake::start().await;
    let mut browser = Browser::before(&fake).await;
    fake.words().published = 2;
    fake.words().signing = 2;
    let back = browser.back_from_provider(&fake).await;
    assert!(browser.get(&back).await.is_gesture());
}

#[tokio::test]
async fn the_provider_is_waited_for_at_start_and_not_for_ever() {
    let fake = Fake::start().await;
    let address = fake.issuer.trim_start_matches("http://").to_owned();
    fake.go_down().await;
    let begun = Instant::now();
    let error = site::provider(&settings(&fake.issuer, &["--wait", "1"])).await.err().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5));
    for part in ["issuer", &fake.issuer, "cannot be reached", ".well-known/openid-configuration"] {
        assert!(error.contains(part), "{part} in {error}");
    }
    // It comes up while it is waited for.
    let settings = settings(&format!("http://{address}"), &["--wait", "20"]);
    let later = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        Fake::start_at(&address).await
    };
    let (found, _later) = tokio::join!(site::provider(&settings), later);
    assert!(found.is_ok(), "{:?}", found.err());
}

#[tokio::test]
async fn a_provider_that_calls_itself_otherwise_is_an_error_at_start() {
    let fake = Fake::start().await;
    fake.words().described = Some("https://evil.example".to_owned());
    let begun = Instant::now();
    let error = site::provider(&settings(&fake.issuer, &["--wait", "60"])).await.err().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10), "waiting does not help");
    assert!(error.contains("https://evil.example") && error.contains(&fake.issuer), "{error}");
}

#[test]
fn mistakes_of_the_operator() {
    let none = |_: &str| None;
    for (arguments, expected) in [
        (&[][..], "--issuer is missing"),
        (&["--issuer", "https://a.example"], "--client-id is missing"),
        (&["--issuer", "http://a.example", "--client-id", "x"], "has to be https"),
        (&["--issuer", "a.example", "--client-id", "x"], "write it like"),
        (
            &["--issuer", "https://a.example", "--client-id", "x", "--listen", "here"],
            "--listen here",
        ),
        (&["--issuer", "https://a.example", "--client-id", "x", "--wait", "a while"], "--wait"),
        (&["--colour"], "no flag --colour"),
    ] {
        let error = Settings::from(arguments, none).err().unwrap();
        assert!(error.contains(expected), "{error}");
    }
    let variable = |name: &str| match name {
        "OIDC_ISSUER" => Some("https://a.example".to_owned()),
        "OIDC_CLIENT_ID" => Some("iiif".to_owned()),
        "OIDC_ROLES" => Some("reader curator".to_owned()),
        "OIDC_CLIENT_SECRET_FILE" => Some("/nowhere/secret".to_owned()),
        _ => None,
    };
    let settings = Settings::from([""; 0], variable).unwrap().unwrap();
    assert_eq!(settings.roles, ["reader", "curator"]);
    assert!(settings.client_secret().unwrap_err().contains("--client-secret-file /nowhere/secret"));
    assert!(Settings::from(["--help"], none).unwrap().is_none());
}

/// CR-12: codes, tokens, states, secrets and names are in no log, down to the finest level.
#[test]
fn cr_12_no_secret_is_logged() {
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);
    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tracing::subscriber::with_default(subscriber, || {
        runtime.block_on(async {
            let fake = Fake::start().await;
            let mut browser = Browser::before(&fake).await;
            for alg in ["EdDSA", "none"] {
                fake.words().alg = alg;
                let back = browser.back_from_provider(&fake).await;
                let first = browser.get(&back).await;
                assert_eq!(first.is_gesture(), alg == "EdDSA");
                assert_eq!(browser.get(&back).await.status, 403);
            }
            let back = browser.back_from_provider(&fake).await;
            fake.words().status = Some(StatusCode::BAD_GATEWAY);
            assert_eq!(browser.get(&back).await.status, 503);
            let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
            assert!(text.contains("login refused") && text.contains("login unavailable"), "{text}");
            for secret in fake.words().secrets.iter().map(|own| &**own).chain(["ada-lovelace"]) {
                assert!(!text.contains(secret), "{secret} in {text}");
            }
            for cookie in browser.cookies.values() {
                assert!(!text.contains(&**cookie), "a cookie in {text}");
            }
        });
    });
}

/// EX-06, LF-02: what the flow forgets while the user is at the provider, the login that comes back knows;
/// of two tabs, each comes back for its own viewer.
#[tokio::test]
async fn a_login_comes_back_for_the_viewer_that_began_it() {
    let fake = Fake::start().await;
    for is_lost in [false, true] {
        let mut browser = Browser::before(&fake).await;
        let back = browser.back_from_provider(&fake).await;
        browser.get("/auth/login?origin=https://other.example").await;
        if is_lost {
            browser.cookies.remove("__Host-iiif-flow");
        }
        let gesture = browser.get(&back).await;
        assert!(gesture.is_gesture(), "{} {}", gesture.status, gesture.text);
        assert!(!gesture.text.contains("other.example"), "{}", gesture.text);
        assert!(browser.press(&gesture).await.closes());
        for (viewer, refused) in [("viewer.example", false), ("other.example", true)] {
            let token = format!("/auth/token?messageId=1&origin=https://{viewer}");
            let page = browser.get(&token).await;
            assert_eq!(page.text.contains("invalidOrigin"), refused, "{viewer}: {}", page.text);
        }
    }
}

/// EX-05: each login under way survives what other tabs and other sites do, and what is not opened in a tab
/// begins none.
#[tokio::test]
async fn ex_05_logins_under_way_survive_each_other() {
    let fake = Fake::start().await;
    let mut browser = Browser::before(&fake).await;
    let mut back = Vec::new();
    for _ in 0..5 {
        back.push(browser.back_from_provider(&fake).await);
    }
    for (dest, begins) in
        [("image", false), ("iframe", false), ("empty", false), ("document", true)]
    {
        let request = Request::get(LOGIN).header("sec-fetch-dest", dest);
        let answer = browser.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status == 303, begins, "{dest}");
        assert_eq!(answer.headers.contains_key(LOCATION), begins, "{dest}");
    }
    // A form of another site comes without the cookies of this one.
    let mut foreign = browser.other();
    let request = Request::post("/auth/login").header("sec-fetch-site", "cross-site");
    let request = request.header(ORIGIN, "https://evil.example");
    let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let answer = foreign.send(request.body(Body::from("as=other")).unwrap()).await;
    assert!(answer.status == 403 && !foreign.is_pending(), "{}", answer.status);
    browser.cookies.extend(foreign.cookies);
    for back in back {
        assert!(browser.get(&back).await.is_gesture(), "{back}");
    }
}

/// EX-07: who else a token is for has to be listed, and the provider has to say that it is for us.
#[tokio::test]
async fn ex_07_several_audiences() {
    let both = json!([CLIENT, "archive"]);
    for (more, claims, good) in [
        (&[][..], json!({ "aud": both, "azp": CLIENT }), false),
        (&["--audience", "archive"], json!({ "aud": both, "azp": CLIENT }), true),
        (&["--audience", "archive"], json!({ "aud": both, "azp": "archive" }), false),
        (&["--audience", "archive"], json!({ "aud": ["archive"], "azp": CLIENT }), false),
        (&["--audience", "archive"], json!({ "aud": both }), false),
        (&["--audience", "other"], json!({ "aud": both, "azp": CLIENT }), false),
    ] {
        let fake = Fake::start().await;
        fake.words().claims = claims.clone();
        let mut browser = Browser::with(&fake, more).await;
        let back = browser.back_from_provider(&fake).await;
        assert_eq!(browser.get(&back).await.is_gesture(), good, "{more:?} {claims}");
    }
}

/// EX-08: what must not pass does not, and clocks may differ a little.
#[tokio::test]
async fn ex_08_claims_that_must_not_pass() {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    for (claims, good) in [
        (json!({ "azp": "another-client" }), false),
        (json!({ "azp": CLIENT }), true),
        (json!({ "sub": "" }), false),
        (json!({ "sub": " " }), false),
        (json!({ "iat": now + 3600 }), false),
        (json!({ "iat": now + 10 }), true),
        (json!({ "exp": now - 5 }), true),
        (json!({ "exp": now - 120 }), false),
    ] {
        let fake = Fake::start().await;
        fake.words().claims = claims.clone();
        let mut browser = Browser::before(&fake).await;
        let back = browser.back_from_provider(&fake).await;
        let answer = browser.get(&back).await;
        assert_eq!(answer.is_gesture(), good, "{claims}: {}", answer.status);
    }
    // Where the password was asked for again, an older login is none.
    for (auth_time, good) in [(now - 3600, false), (now, true)] {
        let fake = Fake::start().await;
        let mut browser = Browser::before(&fake).await;
        let back = browser.back_from_provider(&fake).await;
        let gesture = browser.get(&back).await;
        browser.press(&gesture).await;
        fake.words().claims = json!({ "auth_time": auth_time });
        let there = browser.post("/auth/login", "as=other".to_owned()).await;
        assert!(there.location().contains("max_age=0"), "{}", there.location());
        let (code, state) = fake.log_in(there.location());
        let answer = browser.get(&format!("/oidc/callback?code={code}&state={state}")).await;
        assert_eq!(answer.status == 200, good, "{auth_time}: {}", answer.text);
    }
}

/// EX-09: while the provider is slow with its keys, others begin their logins; and its failures are rested.
#[tokio::test]
async fn ex_09_a_provider_that_answers_slowly() {
    let fake = Fake::start().await;
    let mut browser = Browser::before(&fake).await;
    let back = browser.back_from_provider(&fake).await;
    fake.words().signing = 2;
    fake.words().published = 2;
    fake.words().slow = Duration::from_secs(2);
    let mut other = browser.other();
    let waiting = tokio::spawn(async move { browser.get(&back).await.is_gesture() });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let begun = Instant::now();
    assert_eq!(other.get(LOGIN).await.status, 303);
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert!(waiting.await.unwrap(), "the keys came");

    let gone = Fake::start().await;
    let settings = settings(&gone.issuer, &[]);
    gone.go_down().await;
    let provider = Provider::new(settings.provider().unwrap()).unwrap();
    let mut browser =
        Browser { app: site::app(&settings, provider).unwrap(), cookies: BTreeMap::new() };
    for _ in 0..3 {
        assert_eq!(browser.get(LOGIN).await.status, 503);
    }
}
