//! The layers as a publisher configures them, and users who have logged in.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Body;
use http::header::SET_COOKIE;
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use ring::rand::{SecureRandom, SystemRandom};
use tower::{Layer, Service};
use tower_iiif_auth::access::AccessGrant;
use tower_iiif_auth::aspect::SessionId;
use tower_iiif_auth::authorizer::{Authorizer, RolesFor};
use tower_iiif_auth::clock::Timestamp;
use tower_iiif_auth::revocation::{InMemory, Revocations};
use tower_iiif_auth::{
    AccessCookie, AccessService, Answer, IiifAuth, IiifAuthBuilder, Keyring, Realm,
};

use crate::images::Images;
use crate::request::{Template, answer, repeat};

/// The publisher's address.
pub const BASE: &str = "https://iiif.example";
/// The viewer's.
pub const VIEWER: &str = "https://viewer.example";

/// A publisher with one realm: `cover` is open, all else is for readers.
#[derive(Debug)]
pub struct Publisher {
    /// The layers.
    pub auth: IiifAuth,
    logins: IiifAuth,
}

/// What is configured in every case.
pub fn builder(keyring: Keyring) -> IiifAuthBuilder {
    IiifAuth::builder(BASE)
        .keyring(keyring)
        .images("/iiif/3")
        .realm(
            Realm::new()
                .access(AccessService::active("login", "Example Library"))
                .aspect(AccessCookie::new().lifetime(Duration::from_secs(24 * 3600))),
        )
        .authorizer(RolesFor::new().open("cover").roles("*", ["reader"]))
}

/// A key of random bytes.
#[must_use]
pub fn key() -> [u8; 32] {
    let mut key = [0; 32];
    SystemRandom::new().fill(&mut key).expect("random bytes");
    key
}

impl Publisher {
    /// With one key and no revocations.
    #[must_use]
    pub fn new() -> Self {
        let auth = builder(Keyring::from_bytes(&key()).expect("a key")).build().expect("checked");
        Self { logins: auth.clone(), auth }
    }

    /// With these layers.
    #[must_use]
    pub fn with(auth: IiifAuth) -> Self {
        Self { logins: auth.clone(), auth }
    }

    /// With these rules.
    #[must_use]
    pub fn with_rules(rules: impl Authorizer) -> Self {
        let ring = Keyring::from_bytes(&key()).expect("a key");
        let auth = builder(ring).authorizer(rules).build().expect("checked");
        Self { logins: auth.clone(), auth }
    }

    /// With files and manifests that show them.
    #[must_use]
    pub fn with_manifests() -> Self {
        let ring = Keyring::from_bytes(&key()).expect("a key");
        let builder = builder(ring).files("/files").manifests("/manifests");
        let auth = builder.public_paths(["/manifests/*"]).build().expect("checked");
        Self { logins: auth.clone(), auth }
    }

    /// With `keys` keys, of which the oldest sealed the cookies.
    #[must_use]
    pub fn with_keys(keys: usize) -> Self {
        let keys: Vec<_> = (0..keys).map(|_| key()).collect();
        let (oldest, newer) = keys.split_last().expect("one at least");
        let shared: Arc<InMemory> = Arc::new(InMemory::new().expect("random bytes"));
        let of = |keyring| builder(keyring).revocations(shared.clone()).build().expect("checked");
        let alone = || Keyring::from_bytes(oldest).expect("a key");
        let mut ring =
            newer.first().map_or_else(alone, |key| Keyring::from_bytes(key).expect("a key"));
        for key in keys.iter().skip(1) {
            ring = ring.with_former(key).expect("a key");
        }
        Self { auth: of(ring), logins: of(alone()) }
    }

    /// With `revoked` revoked sessions that have not ended.
    #[must_use]
    pub fn with_revoked(revoked: usize) -> Self {
        let list = InMemory::new().expect("random bytes").at_most(revoked);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        let now = Timestamp::from_millis(u64::try_from(now.as_millis()).expect("this age"));
        for _ in 0..revoked {
            let id = list.admit(SessionId::random().expect("random bytes"));
            let done = list.revoke(id, now.after(Duration::from_secs(24 * 3600)), now);
            assert!(matches!(done, Answer::Now(Ok(()))));
        }
        assert_eq!(list.len(), revoked);
        let ring = Keyring::from_bytes(&key()).expect("a key");
        let auth = builder(ring).revocations(list).build().expect("checked");
        Self { logins: auth.clone(), auth }
    }

    /// The header `Cookie` of somebody who is logged in with these roles.
    #[must_use]
    pub fn cookie(&self, roles: &[&str]) -> String {
        let page = self
            .login(&Template::get(&format!("/auth/login?origin={VIEWER}")).page("cross-site"), &[]);
        let flow = cookie_pair(&page, "__Host-iiif-flow");
        let form = Template::post(&format!("/auth/login?origin={VIEWER}"))
            .page("same-origin")
            .header("origin", BASE)
            .header("cookie", &flow);
        cookie_pair(&self.login(&form, roles), "__Host-iiif")
    }

    fn login(&self, request: &Template, roles: &[&str]) -> Response<()> {
        let mut stack = self.logins.layer().layer(Login::of(roles));
        let response = answer(&mut stack, request.request());
        assert_eq!(response.status(), StatusCode::OK);
        response.map(|_| ())
    }

    /// Logs a user with these roles in, again and again.
    pub fn grant(&self, roles: &[&str]) -> impl FnMut() + use<> {
        let page = self
            .login(&Template::get(&format!("/auth/login?origin={VIEWER}")).page("cross-site"), &[]);
        let form = Template::post(&format!("/auth/login?origin={VIEWER}"))
            .page("same-origin")
            .header("origin", BASE)
            .header("cookie", &cookie_pair(&page, "__Host-iiif-flow"));
        repeat(self.logins.layer().layer(Login::of(roles)), form, StatusCode::OK)
    }

    /// The path of the token service, asked as viewers ask.
    #[must_use]
    pub fn token_path() -> String {
        format!("/auth/token?messageId=m1&origin={VIEWER}")
    }

    /// An access token for this cookie.
    #[must_use]
    pub fn token(&self, cookie: &str) -> String {
        let mut stack = self.auth.layer().layer(Images::small());
        let request = Template::get(&Self::token_path()).header("cookie", cookie);
        let body = answer(&mut stack, request.request()).into_body().collect();
        let body = crate::pipe::now(body).expect("a page").to_bytes();
        let page = std::str::from_utf8(&body).expect("text");
        let (_, rest) = page.split_once("\"accessToken\":\"").expect("a token");
        rest.split_once('"').expect("its end").0.to_owned()
    }
}

impl Default for Publisher {
    fn default() -> Self {
        Self::new()
    }
}

/// The application's login: it lets everybody in who posts, with these roles.
#[derive(Clone)]
struct Login {
    roles: Vec<String>,
}

impl Login {
    fn of(roles: &[&str]) -> Self {
        Self { roles: roles.iter().map(|role| (*role).to_owned()).collect() }
    }
}

impl Service<Request<Body>> for Login {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let mut response = Response::new(Body::from("login page"));
        if request.method() == Method::POST {
            let grant = AccessGrant::to("5f0c2f2b-9d1e-4e77").roles(&self.roles);
            response.extensions_mut().insert(grant);
        }
        ready(Ok(response))
    }
}

/// `name=value` of the one cookie of this name that a response sets.
fn cookie_pair<B>(response: &Response<B>, name: &str) -> String {
    let all = response.headers().get_all(SET_COOKIE);
    let mut own = all.iter().filter_map(|value| {
        let pair = value.to_str().ok()?.split(';').next()?;
        pair.strip_prefix(name)?.starts_with('=').then(|| pair.to_owned())
    });
    own.next().unwrap_or_else(|| panic!("no {name}"))
}
