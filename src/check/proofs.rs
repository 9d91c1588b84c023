//! What the checker leaves with what it lets through and with what it refuses.

use http::{Response, StatusCode};

use crate::core::Core;
use crate::observe::Reason;
use crate::resource::Resource;
use crate::session::Session;

/// The checker let this request through: among the extensions of each that it decided to forward, where
/// [handing on](crate::IiifAuthBuilder::session_extension) is switched on.
///
/// Nobody but the checker makes one, so a handler that takes it cannot be reached around the checker. Requests
/// for [public paths](crate::IiifAuthBuilder::public_paths) and information documents are not decided on, and
/// have none.
///
/// # Example
///
/// With axum a handler takes `Extension<Granted>`, and answers 500 where the layers were forgotten. With any
/// other service:
///
/// ```
/// use http::{Request, Response, StatusCode};
/// use tower_iiif_auth::check::Granted;
///
/// fn tile<B>(request: &Request<B>) -> Response<String> {
///     let Some(granted) = request.extensions().get::<Granted>() else {
///         let mut response = Response::new("not behind the checker".to_owned());
///         *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
///         return response;
///     };
///     Response::new(match granted.session() {
///         Some(session) => format!("for {}", session.subject()),
///         None => "for everyone".to_owned(),
///     })
/// }
///
/// assert_eq!(tile(&Request::new(())).status(), 500);
/// ```
#[derive(Clone, Debug)]
pub struct Granted {
    session: Option<Session<'static>>,
}

impl Granted {
    pub(super) fn to(session: Option<Session<'static>>) -> Self {
        Self { session }
    }

    /// The session that the grant rests on; `None` for what is open to everyone.
    #[must_use]
    pub fn session(&self) -> Option<&Session<'static>> {
        self.session.as_ref()
    }

    /// Whether everyone is granted it, with a session or without.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.session.is_none()
    }
}

/// The checker refused this request: among the extensions of the **response**, where
/// [marking](crate::IiifAuthBuilder::refusal_extension) is switched on, so that a layer around the checker can
/// answer with a page of the application's own.
///
/// Keep status and header fields, other than those of the body: viewers and caches go by them. Redirects,
/// preflights and methods that are not allowed are no refusals, and a probe's answer is never replaced.
///
/// # Example
///
/// ```
/// use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
/// use http::{HeaderValue, Response};
/// use http_body_util::{Either, Full};
/// use tower_iiif_auth::check::Refused;
///
/// fn with_page<B>(response: Response<B>) -> Response<Either<B, Full<&'static [u8]>>> {
///     let Some(refused) = response.extensions().get::<Refused>() else {
///         return response.map(Either::Left);
///     };
///     let page: &[u8] = match refused.status().as_u16() {
///         401 => b"<p>For readers only: <a href='/account/login'>log in</a>.",
///         _ => b"<p>There is nothing to see here.",
///     };
///     let (mut parts, _) = response.into_parts();
///     parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
///     parts.headers.remove(CONTENT_LENGTH);
///     Response::from_parts(parts, Either::Right(Full::new(page)))
/// }
/// # assert!(matches!(with_page(Response::new(())).into_body(), Either::Left(())));
/// ```
///
/// It is put around a stack with tower's `map_response(with_page)`.
#[derive(Clone, Debug)]
pub struct Refused {
    status: StatusCode,
    reason: Reason,
    resource: Option<Resource<'static>>,
}

impl Refused {
    /// Marks a response as this refusal, where that is wanted.
    pub(super) fn mark<B>(
        core: &Core,
        status: StatusCode,
        reason: Reason,
        resource: Option<&Resource<'_>>,
        mut response: Response<B>,
    ) -> Response<B> {
        if !core.marks_refusals {
            return response;
        }
        let resource = resource.map(|resource| resource.to_whole().into_owned());
        response.extensions_mut().insert(Self { status, reason, resource });
        response
    }

    /// What it means in HTTP, also where a gRPC call is answered with a status of its own.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Why, in the words that operators [hear](crate::observe) it by. For logs: a page that tells strangers
    /// more than the status does may tell too much.
    #[must_use]
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// What was asked for, as a whole; `None` where the path names nothing for sure. Where the status is 404 it may exist
    /// all the same, and the page must not tell.
    #[must_use]
    pub fn resource(&self) -> Option<&Resource<'static>> {
        self.resource.as_ref()
    }
}
