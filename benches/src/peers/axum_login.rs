//! axum-login's `login_required`: a session from the store, and its user from the backend. It checks
//! no role.

use std::convert::Infallible;

use axum::body::Body;
use axum_login::{AuthManagerLayerBuilder, AuthSession, AuthUser, AuthnBackend, UserId};
use http::{Request, Response, StatusCode};
use tower::{Layer, ServiceBuilder, service_fn};
use tower_sessions_of_axum_login::{MemoryStore, SessionManagerLayer};

use crate::images::Images;
use crate::request::{TILE, Template, answer, repeat};

/// How many users have logged in.
const USERS: u32 = 10_000;

#[derive(Clone, Debug)]
struct User(u32);

impl AuthUser for User {
    type Id = u32;

    fn id(&self) -> u32 {
        self.0
    }

    fn session_auth_hash(&self) -> &[u8] {
        b"a hash of the password"
    }
}

#[derive(Clone, Debug)]
struct Users;

impl AuthnBackend for Users {
    type User = User;
    type Credentials = u32;
    type Error = Infallible;

    async fn authenticate(&self, number: u32) -> Result<Option<User>, Infallible> {
        Ok(Some(User(number)))
    }

    async fn get_user(&self, number: &UserId<Self>) -> Result<Option<User>, Infallible> {
        Ok(Some(User(*number)))
    }
}

/// `login_required!` over a `MemoryStore` of 10 000 sessions.
pub fn login_required() -> impl FnMut() {
    let layer =
        AuthManagerLayerBuilder::new(Users, SessionManagerLayer::new(MemoryStore::default()))
            .build();
    let log_in = service_fn(|request: Request<Body>| async move {
        let mut session = request.extensions().get::<AuthSession<Users>>().expect("its").clone();
        let number: u32 = request.uri().path()[1..].parse().expect("a number");
        session.login(&User(number)).await.expect("a store in memory");
        Ok::<_, Infallible>(Response::new(Body::empty()))
    });
    let mut logins = layer.clone().layer(log_in);
    let mut cookie = String::new();
    for number in 0..USERS {
        let response = answer(&mut logins, Template::get(&format!("/{number}")).request());
        let set = response.headers()["set-cookie"].to_str().expect("text");
        set.split(';').next().expect("a pair").clone_into(&mut cookie);
    }
    let service = ServiceBuilder::new()
        .layer(layer)
        .layer(axum_login::login_required!(Users))
        .service(Images::small());
    repeat(service, Template::get(TILE).header("cookie", &cookie), StatusCode::OK)
}
