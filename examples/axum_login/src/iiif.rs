//! What is added: pictures, who may see them, and the page that viewers open.

use axum::extract::Form;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use axum_login::AuthManager;
use serde::Deserialize;
use tower::layer::layer_fn;
use tower_http::csrf::CsrfLayer;
use tower_iiif_auth::access::{AccessFlow, AccessGrant};
use tower_iiif_auth::aspect::Session;
use tower_iiif_auth::authorizer::RolesFor;
use tower_iiif_auth::{AccessService, BoxError, IiifAuth, IiifAuthBuilder, Realm};
use tower_sessions::service::CookieController;
use tower_sessions::{SessionManagerLayer, SessionStore};

use crate::application::{self, AuthSession, Credentials, FORM, Users};
use crate::aspect::{AxumLogin, LOGIN};
use crate::images::{ImageApi, ImageServer};
use crate::session_cookie;

const PICTURES: [(&str, u32); 2] = [("open", 9000), ("reader", 9000)];

/// The application and the pictures, behind its session layer over `store`.
pub(crate) async fn app<S, C>(
    public_url: &str,
    builder: IiifAuthBuilder,
    store: S,
    sessions: SessionManagerLayer<S, C>,
) -> Result<(Router, IiifAuth), BoxError>
where
    S: SessionStore + Clone,
    C: CookieController + Sync,
{
    let login = AxumLogin::new(Users, store, |user| {
        Session::builder(user.name).roles(user.roles.iter().copied())
    });
    let auth = builder
        .images("/iiif/3")
        .authorizer(RolesFor::new().open("open").roles("*", ["reader"]))
        .realm(
            Realm::new()
                .access(AccessService::active("login", "Example Library"))
                .logout_label("Log out of Example Library")
                .aspect(login)
                // What the session layer really sends: `build` says if viewers cannot use it.
                .session_cookie(session_cookie::of(&sessions).await?),
        )
        .build()?;
    for warning in auth.warnings() {
        eprintln!("warning: {warning}");
    }

    let pictures = ImageServer::rendered(&PICTURES)
        .routes("/iiif/3", &format!("{public_url}/iiif/3"), ImageApi::V3)
        .layer(auth.check())
        .layer(auth.describe());
    let application = application::routes()
        .route("/auth/login", get(ask).post(log_in))
        .layer(layer_fn(|inner| AuthManager::new(inner, Users, LOGIN)))
        // A cookie with SameSite=None comes along with every site's forms.
        .layer(CsrfLayer::new().add_trusted_origin(public_url)?);
    // The session layer outermost: the layers of this crate read its sessions. axum-login's own
    // manager inside, as it answers 500 to everything while the store is down.
    Ok((application.merge(pictures).layer(auth.services()).layer(sessions), auth))
}

/// The page that a viewer opens in a tab: the login form, and for a user who is in a way to stay.
async fn ask(auth: AuthSession, flow: Option<Extension<AccessFlow>>) -> Html<String> {
    // An origin holds no character that HTML would read.
    let viewer = flow.as_ref().and_then(|flow| flow.viewer());
    let viewer = viewer.map_or_else(|| "the viewer".to_owned(), ToString::to_string);
    let stay = auth.user.map_or_else(String::new, |user| {
        format!(
            "<form method=\"post\"><button name=\"stay\" value=\"true\">Continue as {}</button></form>\
             <p>or log in as somebody else:</p>",
            user.name
        )
    });
    Html(format!("<h1>Log in to continue to {viewer}</h1>{stay}{FORM}"))
}

#[derive(Deserialize)]
struct Fields {
    #[serde(default)]
    stay: bool,
    #[serde(flatten)]
    credentials: Credentials,
}

/// The grant says that the user is in. The layers then tell the aspect of the viewer, and close the
/// tab; where the answer is not to a form of this site, they ask for a click first.
async fn log_in(auth: AuthSession, Form(fields): Form<Fields>) -> Response {
    if fields.stay && auth.user.is_some() {
        return Extension(AccessGrant::by_own_aspect()).into_response();
    }
    match application::begin_session(auth, fields.credentials).await {
        Ok(true) => Extension(AccessGrant::by_own_aspect()).into_response(),
        Ok(false) => (StatusCode::FORBIDDEN, Html(FORM)).into_response(),
        Err(unavailable) => unavailable.into_response(),
    }
}
