//! Logins at an `OpenID` provider: the same body of code as the `oidc` example, behind the proxy.

use std::time::{Duration, Instant};

use http::Method;
use serde_json::json;

use crate::fake::{CLIENT, Fake, SECRET};
use crate::program::{Program, command};
use crate::redis_server::free_port;
use crate::support::{Answer, Proxy, SITE, Upstream, config, folder, image, request};

const LOGIN: &str = "/auth/login?origin=https://viewer.example";

/// A browser that keeps cookies.
struct Browser<'p> {
    proxy: &'p Proxy,
    cookies: Vec<(String, String)>,
}

impl<'p> Browser<'p> {
    fn new(proxy: &'p Proxy) -> Self {
        Self { proxy, cookies: Vec::new() }
    }

    async fn send(
        &mut self,
        method: Method,
        path: &str,
        more: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let pairs: Vec<_> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let pairs = pairs.join("; ");
        let headers = [&[("cookie", &*pairs)][..], more].concat();
        let answer = request(self.proxy.address, method, path, &headers, body).await;
        for cookie in answer.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.retain(|(own, _)| own != name);
            if !cookie.contains("Max-Age=0") {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        answer
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], "").await
    }

    async fn post(&mut self, path: &str, form: &str) -> Answer {
        let headers = [("origin", SITE), ("content-type", "application/x-www-form-urlencoded")];
        self.send(Method::POST, path, &headers, form).await
    }

    /// Where the browser is sent back to, after a login at the provider.
    async fn back(&mut self, fake: &Fake) -> String {
        let there = self.get(LOGIN).await;
        assert_eq!(there.status, 303, "{}", there.text());
        let (code, state) = fake.log_in(there.header("location"));
        format!("/auth/callback?code={code}&state={state}")
    }

    /// The whole way in.
    async fn log_in(&mut self, fake: &Fake) {
        let back = self.back(fake).await;
        let gesture = self.get(&back).await;
        assert!(is_gesture(&gesture), "{} {}", gesture.status, gesture.text());
        let text = gesture.text();
        let (_, grant) = text.split_once("name=\"grant\" value=\"").unwrap();
        let grant = grant.split_once('"').unwrap().0;
        let done = self.post("/auth/continue", &format!("grant={grant}&decision=continue")).await;
        assert_eq!(done.status, 200, "{}", done.text());
    }

    async fn tile(&mut self) -> u16 {
        self.get(&image("sec")).await.status.as_u16()
    }
}

fn is_gesture(answer: &Answer) -> bool {
    answer.status == 200 && answer.text().contains("Continue to viewer.example")
}

/// A proxy whose users a provider knows.
async fn before(fake: &Fake, upstream: &Upstream, keys: &str) -> Proxy {
    let folder = folder();
    std::fs::write(folder.join("client-secret"), format!("{SECRET}\n")).unwrap();
    Proxy::within(&text_before(fake, upstream, keys), &folder).await
}

fn text_before(fake: &Fake, upstream: &Upstream, keys: &str) -> String {
    config(upstream.address).replace("kind = \"login\"", "kind = \"openid-connect\"").replace(
        "users_file = \"users\"\n",
        &format!(
            "issuer = \"{}\"\nclient_id = \"{CLIENT}\"\nclient_secret_file = \"client-secret\"\n{keys}\n",
            fake.issuer
        ),
    )
}

#[tokio::test]
async fn a_user_of_the_provider_sees_the_picture() {
    let (fake, upstream) = (Fake::start().await, Upstream::new().await);
    let proxy = before(&fake, &upstream, "").await;
    let mut browser = Browser::new(&proxy);
    assert_eq!(browser.tile().await, 401);
    let there = browser.get(LOGIN).await;
    let callback = "redirect_uri=https%3A%2F%2Fiiif.example%2Fauth%2Fcallback";
    assert!(there.header("location").contains(callback), "{}", there.header("location"));
    browser.log_in(&fake).await;
    assert_eq!(browser.tile().await, 200);
    // Who is in may stay, or be somebody else.
    assert!(browser.get(LOGIN).await.text().contains("Log in as somebody else"));
    let other = browser.post("/auth/login", "as=other").await;
    assert!(other.header("location").contains("prompt=login"), "{}", other.status);
    assert_eq!(browser.post("/auth/login", "as=before").await.status, 200);
    for (method, path) in [(Method::PUT, LOGIN), (Method::POST, "/auth/callback")] {
        assert_eq!(browser.send(method, path, &[], "").await.status, 405, "{path}");
    }
    assert_eq!(upstream.asked().iter().filter(|own| own.target.contains("callback")).count(), 0);
}

/// EX-05: logins under way survive each other, and what is not opened in a tab begins none.
#[tokio::test]
async fn ex_05_logins_under_way_survive_each_other() {
    let (fake, upstream) = (Fake::start().await, Upstream::new().await);
    let proxy = before(&fake, &upstream, "").await;
    let mut browser = Browser::new(&proxy);
    let mut back = Vec::new();
    for _ in 0..5 {
        back.push(browser.back(&fake).await);
    }
    let dest = [("sec-fetch-dest", "image")];
    for _ in 0..4 {
        let image = browser.send(Method::GET, LOGIN, &dest, "").await;
        assert!(image.status == 403 && image.header("location").is_empty());
    }
    let mut foreign = Browser::new(&proxy);
    let headers =
        [("sec-fetch-site", "cross-site"), ("content-type", "application/x-www-form-urlencoded")];
    let answer = foreign.send(Method::POST, "/auth/login", &headers, "as=other").await;
    assert!(answer.status == 403 && !foreign.cookies.iter().any(|(name, _)| name.contains("oidc")));
    for back in back {
        assert!(is_gesture(&browser.get(&back).await), "{back}");
    }
}

/// EX-06: what the flow forgets, the login that comes back knows.
#[tokio::test]
async fn ex_06_a_login_comes_back_for_its_viewer() {
    let (fake, upstream) = (Fake::start().await, Upstream::new().await);
    let proxy = before(&fake, &upstream, "").await;
    let mut browser = Browser::new(&proxy);
    let back = browser.back(&fake).await;
    browser.get("/auth/login?origin=https://other.example").await;
    browser.cookies.retain(|(name, _)| name != "__Host-iiif-flow");
    let gesture = browser.get(&back).await;
    assert!(
        is_gesture(&gesture) && !gesture.text().contains("other.example"),
        "{}",
        gesture.text()
    );
}

/// EX-07: roles are read where providers put them, hundreds of groups fit, and `role_map` renames.
#[tokio::test]
async fn ex_07_what_real_providers_send() {
    let groups: Vec<_> = (0..800).map(|n| format!("group-{n}")).collect();
    let many = [&groups[..], &["0f3a-77".to_owned()]].concat();
    let map = "role_map = { \"0f3a-77\" = \"reader\" }";
    let both = json!([CLIENT, "archive"]);
    for (keys, claims, status) in [
        ("", json!({ "roles": { "reader": { "1": "x" } } }), 200),
        ("", json!({ "roles": [{ "name": "reader" }] }), 200),
        ("", json!({ "roles": many }), 403),
        (map, json!({ "roles": many }), 200),
        (map, json!({ "roles": ["reader"] }), 200),
        ("roles_claim = \"groups\"", json!({ "groups": ["reader"] }), 200),
        (
            "roles_claim = \"resource_access.my.client.roles\"",
            json!({ "resource_access": { "my.client": { "roles": ["reader"] } } }),
            200,
        ),
        ("", json!({ "roles": null, "_claim_names": { "roles": "src1" } }), 403),
        ("audiences = [\"archive\"]", json!({ "aud": both, "azp": CLIENT }), 200),
    ] {
        let (fake, upstream) = (Fake::start().await, Upstream::new().await);
        fake.words().claims = claims.clone();
        let proxy = before(&fake, &upstream, keys).await;
        let mut browser = Browser::new(&proxy);
        browser.log_in(&fake).await;
        assert_eq!(browser.tile().await, status, "{keys} {claims}");
    }
}

/// EX-07: whoever gets in without a role that counts is no riddle: one line says what was missing, however
/// many come, and it names nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ex_07_what_was_missing_is_said_once() {
    for (claims, said) in [
        (json!({ "roles": null }), "neither the ID token nor the user info"),
        (json!({ "roles": 7 }), "holds neither texts nor names"),
        (json!({ "roles": [{ "x": 1 }] }), "holds neither texts nor names"),
        (json!({ "roles": null, "_claim_names": { "roles": "src1" } }), "_claim_names"),
        (json!({ "roles": ["other"] }), "no rule asks for one"),
    ] {
        let (fake, upstream) = (Fake::start().await, Upstream::new().await);
        fake.words().claims = claims.clone();
        let (folder, port) = (folder(), free_port());
        let text = text_before(&fake, &upstream, "");
        std::fs::write(folder.join("client-secret"), format!("{SECRET}\n")).unwrap();
        let text = text.replace("127.0.0.1:0", &format!("127.0.0.1:{port}"));
        std::fs::write(folder.join("proxy.toml"), text).unwrap();
        let program = Program::start(command(&folder), port).await;
        let proxy = Proxy::at(program.address);
        for _ in 0..3 {
            let mut browser = Browser::new(&proxy);
            browser.log_in(&fake).await;
            assert_eq!(browser.tile().await, 403, "{claims}");
        }
        let log = program.stop();
        let lines: Vec<_> = log.lines().filter(|line| line.contains(said)).collect();
        assert!(lines.len() == 1 && lines[0].contains("WARN"), "{claims}: {log}");
        assert!(!log.contains("ada") && !log.contains("other\""), "{log}");
    }
}

/// EX-08: what must not pass does not.
#[tokio::test]
async fn ex_08_claims_that_must_not_pass() {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    for (claims, good) in [
        (json!({ "azp": "another-client" }), false),
        (json!({ "aud": [CLIENT, "archive"], "azp": CLIENT }), false),
        (json!({ "sub": "" }), false),
        (json!({ "iat": now + 3600 }), false),
        (json!({ "exp": now - 5 }), true),
        (json!({ "exp": now - 120 }), false),
        (json!({ "nonce": "other" }), false),
    ] {
        let (fake, upstream) = (Fake::start().await, Upstream::new().await);
        fake.words().claims = claims.clone();
        let proxy = before(&fake, &upstream, "").await;
        let mut browser = Browser::new(&proxy);
        let back = browser.back(&fake).await;
        let answer = browser.get(&back).await;
        assert_eq!(is_gesture(&answer), good, "{claims}: {}", answer.status);
        assert!(good || answer.status == 403);
    }
}

/// EX-09: the proxy starts without its provider, says so to those who log in, and finds it when it is there.
#[tokio::test]
async fn ex_09_a_provider_that_is_not_there() {
    let (fake, upstream) = (Fake::start().await, Upstream::new().await);
    let address = fake.issuer.trim_start_matches("http://").to_owned();
    fake.go_down().await;
    let proxy = before(&fake, &upstream, "").await;
    let mut browser = Browser::new(&proxy);
    for _ in 0..3 {
        let begun = Instant::now();
        let answer = browser.get(LOGIN).await;
        assert!(answer.status == 503 && answer.text().contains("cannot be reached"));
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
    assert_eq!(proxy.get(&image("pub"), &[]).await.status, 200, "what needs no provider goes on");
    let back = Fake::start_at(&address).await;
    let begun = Instant::now();
    while browser.get(LOGIN).await.status != 303 {
        assert!(begun.elapsed() < Duration::from_secs(15), "it is never asked again");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    browser.log_in(&back).await;
    assert_eq!(browser.tile().await, 200);
}

/// A single sign-on's groups are renamed, and those that count are kept, in the same way.
#[tokio::test]
async fn a_single_sign_on_s_roles_are_renamed() {
    let upstream = Upstream::new().await;
    let text =
        config(upstream.address).replace("kind = \"login\"", "kind = \"single-sign-on\"").replace(
            "users_file = \"users\"\n",
            "user_header = \"x-user\"\nroles_header = \"x-groups\"\npeers = [\"127.0.0.1\"]\n\
         role_map = { \"staff:7\" = \"reader\" }\n",
        );
    let proxy = Proxy::with(&text).await;
    let mut browser = Browser::new(&proxy);
    let groups =
        (0..400).map(|n| format!("g{n}")).chain(["staff:7".to_owned()]).collect::<Vec<_>>();
    let groups = groups.join(";");
    let headers = [("x-user", "ada"), ("x-groups", &*groups)];
    let gesture = browser.send(Method::GET, LOGIN, &headers, "").await;
    let text = gesture.text();
    let (_, grant) = text.split_once("name=\"grant\" value=\"").unwrap();
    let grant = grant.split_once('"').unwrap().0;
    browser.post("/auth/continue", &format!("grant={grant}&decision=continue")).await;
    assert_eq!(browser.tile().await, 200);
}
