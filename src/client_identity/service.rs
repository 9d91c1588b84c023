use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body;
use tower_service::Service;

use super::{ClientIdentityFuture, code};
use crate::answer::BoxError;
use crate::body::ResponseBody;
use crate::core::{Core, Identified, RealmId};
use crate::posted::{self, TooSlow};
use crate::protocol::v1::client_identity::ClientIdentity as Identity;
use crate::protocol::v1::{ClientIdentityMessage, TokenError, TokenMessage};
use crate::respond;
use crate::walk::{Station, comes_by};

/// Longest body that is read, in bytes.
const LONGEST: usize = 8 * 1024;

/// Answers client identity requests and passes on everything else; see the
/// [module](crate::client_identity).
#[derive(Clone, Debug)]
pub struct ClientIdentity<S> {
    inner: S,
    core: Arc<Core>,
}

impl<S> ClientIdentity<S> {
    pub(super) fn new(inner: S, core: Arc<Core>) -> Self {
        Self { inner, core }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for ClientIdentity<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ReqBody: Body + Send + 'static,
    ReqBody::Data: Send,
    ReqBody::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = ClientIdentityFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        comes_by(&request, Station::ClientIdentity, &*self.core);
        let core = &self.core;
        let path = request.uri().path();
        let Some(realm) = core.clients_at(path) else {
            return ClientIdentityFuture::inner(self.inner.call(request));
        };
        match *request.method() {
            Method::POST => {
                let core = Arc::clone(core);
                ClientIdentityFuture::working(async move {
                    match posted::read(core.limits.form_time(), LONGEST, request.into_body()).await
                    {
                        Ok(body) => answer(&core, realm, body),
                        Err(TooSlow) => too_slow(),
                    }
                })
            }
            Method::OPTIONS => {
                let preflight = respond::preflight_for("POST, OPTIONS", request.headers());
                ClientIdentityFuture::own(preflight)
            }
            _ => {
                let mut response = refused(TokenError::InvalidRequest, "POST a JSON object");
                *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
                let allow = HeaderValue::from_static("POST, OPTIONS");
                response.headers_mut().insert(http::header::ALLOW, allow);
                ClientIdentityFuture::own(respond::for_method(request.method(), response))
            }
        }
    }
}

/// The answer to a posted body; `None` if it is too long or broke off.
fn answer(core: &Core, realm: RealmId, body: Option<Bytes>) -> Response<Bytes> {
    let now = core.now();
    // A list of two texts would be read as one, too.
    let object = body.filter(|body| body.trim_ascii_start().starts_with(b"{"));
    let identity = object.and_then(|object| serde_json::from_slice::<Identity>(&object).ok());
    let Some(identity) = identity else {
        return refused(TokenError::InvalidRequest, "the body is no JSON object of two strings");
    };
    let (Some(id), Some(secret)) = (identity.client_id, identity.client_secret) else {
        return refused(TokenError::MissingCredentials, "clientId or clientSecret is missing");
    };
    let Some(clients) = core.realms[realm].clients() else {
        return refused(TokenError::Unavailable, "no client is registered");
    };
    let identified = clients.identify(&id, &secret, now);
    crate::trace::client(core.realms[realm].name(), identified == Identified::Yes);
    match identified {
        Identified::Yes => {}
        Identified::UnknownClient => {
            return refused(TokenError::InvalidClient, "no client has this id");
        }
        Identified::WrongSecret => {
            return refused(TokenError::InvalidClientSecret, "the client has another secret");
        }
        Identified::TooManyGuesses => {
            let mut response = refused(TokenError::InvalidRequest, "too many wrong secrets");
            *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("60"));
            return response;
        }
    }
    match code::issue(core, realm, &id, now) {
        Ok(sealed) => json(StatusCode::OK, &ClientIdentityMessage { authorization_code: &sealed }),
        Err(_) => refused(TokenError::Unavailable, "no code could be made"),
    }
}

fn too_slow() -> Response<Bytes> {
    let mut response = refused(TokenError::InvalidRequest, "the body came too slowly");
    *response.status_mut() = StatusCode::REQUEST_TIMEOUT;
    response
}

fn refused(error: TokenError, description: &str) -> Response<Bytes> {
    let status = error.status();
    // The service is of 0.9.2, and so are its words.
    let error = error.in_0_9_2();
    let message = TokenMessage::Error { message_id: None, error, description: Some(description) };
    json(status, &message)
}

fn json(status: StatusCode, body: &impl serde::Serialize) -> Response<Bytes> {
    let mut response = respond::json(status, body);
    // The request carries no credentials of a user's: any page may be such a client.
    respond::allow_any_origin(response.headers_mut());
    response
}
