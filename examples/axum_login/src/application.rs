//! The application as it was before: accounts, a login with axum-login, a page that says who is in.

use std::convert::Infallible;

use axum::Router;
use axum::extract::Form;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum_login::{AuthUser, AuthnBackend};
use serde::Deserialize;

pub(crate) type AuthSession = axum_login::AuthSession<Users>;

/// The accounts: a database, in an application of more than two.
#[derive(Clone, Debug)]
pub(crate) struct Users;

#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) name: &'static str,
    password: &'static str,
    pub(crate) roles: &'static [&'static str],
}

const ACCOUNTS: [User; 2] = [
    User { name: "reader", password: "reader", roles: &["reader"] },
    User { name: "guest", password: "guest", roles: &[] },
];

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Credentials {
    name: String,
    password: String,
}

impl AuthUser for User {
    type Id = String;

    fn id(&self) -> String {
        self.name.to_owned()
    }

    // In earnest the hash of a password, which ends a session when it changes.
    fn session_auth_hash(&self) -> &[u8] {
        self.password.as_bytes()
    }
}

impl AuthnBackend for Users {
    type User = User;
    type Credentials = Credentials;
    type Error = Infallible;

    async fn authenticate(&self, given: Credentials) -> Result<Option<User>, Infallible> {
        let fits = |own: &&User| own.name == given.name && own.password == given.password;
        Ok(ACCOUNTS.iter().find(fits).cloned())
    }

    async fn get_user(&self, name: &String) -> Result<Option<User>, Infallible> {
        Ok(ACCOUNTS.iter().find(|own| own.name == name).cloned())
    }
}

pub(crate) const FORM: &str = "<form method=\"post\"><input name=\"name\" placeholder=\"Name\" autofocus> \
    <input name=\"password\" type=\"password\" placeholder=\"Password\"> <button>Log in</button></form>\
    <p>Accounts to try: reader / reader, who may see the pictures, and guest / guest, who may not.</p>";

pub(crate) fn routes() -> Router {
    Router::new()
        .route("/", get(home))
        .route("/login", get(Html(FORM)).post(log_in))
        .route("/logout", post(log_out))
}

async fn home(auth: AuthSession) -> Html<String> {
    Html(match auth.user {
        Some(user) => format!(
            "<p>You are {}.</p><form method=\"post\" action=\"/logout\"><button>Log out</button></form>",
            user.name
        ),
        None => "<p>Nobody is logged in.</p><a href=\"/login\">Log in</a>".to_owned(),
    })
}

async fn log_in(auth: AuthSession, Form(given): Form<Credentials>) -> Response {
    match begin_session(auth, given).await {
        Ok(true) => Redirect::to("/").into_response(),
        Ok(false) => (StatusCode::FORBIDDEN, Html(FORM)).into_response(),
        Err(unavailable) => unavailable.into_response(),
    }
}

/// Begins a session; `false` if name and password do not fit.
pub(crate) async fn begin_session(
    mut auth: AuthSession,
    given: Credentials,
) -> Result<bool, Unavailable> {
    let Some(user) = auth.authenticate(given).await? else { return Ok(false) };
    let was_in = auth.user.is_some();
    auth.login(&user).await?;
    // axum-login gives a visitor's session a new id, and not that of a user: the tokens of that one
    // would be the next one's.
    if was_in {
        auth.session.cycle_id().await?;
    }
    Ok(true)
}

async fn log_out(mut auth: AuthSession) -> Result<Redirect, Unavailable> {
    auth.logout().await?;
    Ok(Redirect::to("/"))
}

/// The session store cannot be asked.
pub(crate) struct Unavailable;

impl<E: std::error::Error> From<E> for Unavailable {
    fn from(_: E) -> Self {
        Self
    }
}

impl IntoResponse for Unavailable {
    fn into_response(self) -> Response {
        (StatusCode::SERVICE_UNAVAILABLE, "Please try again later.\n").into_response()
    }
}
