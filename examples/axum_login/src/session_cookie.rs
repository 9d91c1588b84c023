//! The application's session cookie as its session layer sends it, found out at start.

use std::convert::Infallible;

use axum::body::Body;
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{Request, Response, StatusCode};
use tower::{Layer, ServiceExt, service_fn};
use tower_iiif_auth::BoxError;
use tower_sessions::service::CookieController;
use tower_sessions::{Session, SessionManagerLayer, SessionStore};

/// The `Set-Cookie` value of a session that is begun and ended here. That the store works shows, too.
pub(crate) async fn of<S, C>(sessions: &SessionManagerLayer<S, C>) -> Result<String, BoxError>
where
    S: SessionStore + Clone,
    C: CookieController,
{
    let service = sessions.layer(service_fn(async |request: Request<Body>| {
        let session = request.extensions().get::<Session>().cloned();
        let done = match session {
            Some(session) if session.id().is_some() => session.flush().await,
            Some(session) => session.insert("iiif.check", true).await,
            None => Ok(()),
        };
        let mut response = Response::new(Body::empty());
        if done.is_err() {
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        }
        Ok::<_, Infallible>(response)
    }));
    let begun = service.clone().oneshot(Request::new(Body::empty())).await?;
    let cookie = begun.headers().get(SET_COOKIE).and_then(|cookie| cookie.to_str().ok());
    let Some(cookie) = cookie.filter(|_| begun.status().is_success()) else {
        return Err("no session could be begun: is the session store up?".into());
    };
    let pair = cookie.split(';').next().unwrap_or_default();
    let request = Request::builder().header(COOKIE, pair).body(Body::empty())?;
    if service.oneshot(request).await?.status().is_success() {
        Ok(cookie.to_owned())
    } else {
        Err("a session could not be ended: is the session store up?".into())
    }
}
