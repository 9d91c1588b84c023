//! **Who** asks: the authorizing aspect of a request.
//!
//! An aspect reads a request's head and finds a [`Session`], or says why there is none. In the box
//! are the [`IpRanges`] of a reading room and the [`TrustedHeader`] of an upstream single sign-on, and
//! the layers read the cookie that they set themselves: an [`AccessCookie`] among a
//! realm's aspects says what it is like. A realm takes several with [`or`](AuthorizingAspect::or): any of
//! them may open a resource. With [`and`](AuthorizingAspect::and) both have to be there; the access
//! cookie takes part in `or` only.

pub(crate) mod access_cookie;
pub(crate) mod aspects;
mod both;
mod bound_cookie;
mod chosen;
mod client_ip;
pub(crate) mod cookie;
mod found_session;
mod ip_ranges;
mod setting_error;
mod times;
mod trusted_header;

use std::fmt;
use std::sync::Arc;

use http::request::Parts;
use http::{Extensions, HeaderMap, Method, Request, Uri};

pub use crate::session::{
    FieldError, Session, SessionBuilder, SessionError, SessionId, ViewerOrigins, Viewers,
};
pub use aspects::Aspects;
pub use both::Both;
pub use client_ip::{PeerAddr, TrustedProxies};
pub use cookie::cookies;
pub use ip_ranges::IpRanges;
pub use setting_error::SettingError;
pub use trusted_header::TrustedHeader;

pub(crate) use access_cookie::{AccessCookie, cookie_covers};
pub(crate) use bound_cookie::{BoundCookie, Sessions};
pub(crate) use chosen::Chosen;
pub(crate) use cookie::{CookieAttributes, CookieError, SameSite};
pub(crate) use found_session::FoundSession;

use crate::answer::{Answer, BoxError};
use crate::clock::Timestamp;
use crate::protocol::Origin;
use crate::session::NotNow;

/// Finds out who asks.
///
/// The same aspect is read on content routes and by the token service (2.0 §2, §4). It looks only
/// at the head of the request, never at an access token: the layers do that.
///
/// # Example
///
/// Sessions of an application's own, found by a header:
///
/// ```
/// use tower_iiif_auth::aspect::{AspectError, AuthorizingAspect, Head, Reading, Session};
/// use tower_iiif_auth::{Answer, clock::Timestamp};
/// use std::time::Duration;
///
/// #[derive(Debug)]
/// struct Badge;
///
/// impl AuthorizingAspect for Badge {
///     fn name(&self) -> &str {
///         "badge"
///     }
///
///     fn read(&self, head: &Head<'_>, now: Timestamp) -> Reading {
///         Answer::Now(match head.headers().get("x-badge").map(|badge| badge.as_bytes()) {
///             None => Err(AspectError::Missing),
///             Some(b"librarian") => Session::builder("librarian")
///                 .role("staff")
///                 .for_any_viewer() // nobody logs in, so that no viewer can be let in
///                 .lasting(now, Duration::from_secs(300))
///                 .map_err(|_| AspectError::Invalid),
///             Some(_) => Err(AspectError::Invalid),
///         })
///     }
/// }
/// ```
pub trait AuthorizingAspect: Send + Sync + 'static {
    /// A name that tells this aspect from the others of its realm, of at most 255 bytes. It goes
    /// into access tokens, so that a token is resumed by the aspect that it stands for.
    fn name(&self) -> &str;

    /// Who asks, as far as this aspect can tell.
    ///
    /// The session counts as long as it says itself; it is read anew for every request. A panic,
    /// and a [`Later`](Answer::Later) that takes longer than
    /// [`max_decision_time`](crate::Limits::max_decision_time), count as
    /// [`AspectError::Unavailable`].
    fn read(&self, head: &Head<'_>, now: Timestamp) -> Reading;

    /// The session as it is now behind an access token that was issued for `session`.
    ///
    /// A session of another subject than the token's is refused by the layers.
    ///
    /// The default is the session as it was: right for aspects that hold no state. An aspect with
    /// a store looks the session up again, so that a logout shows at once. An aspect that is only
    /// true of the request at hand, such as an address, answers [`AspectError::Missing`]: then the
    /// probe request's own aspects decide.
    fn resume(&self, session: Session<'static>, now: Timestamp) -> Reading {
        let _ = now;
        Answer::Now(Ok(session))
    }

    /// The user who is behind `head` has let a viewer in: its tab opened an access service, and the
    /// application answered with
    /// [`AccessGrant::by_own_aspect`](crate::access::AccessGrant::by_own_aspect).
    ///
    /// An aspect with a store remembers `viewer` there and gives it to the sessions that it reads from
    /// now on ([`SessionBuilder::origins`]), so that no other viewer has tokens for them. The default
    /// remembers nothing: right where viewers [are listed](crate::OriginPolicy::AllowList), or sessions
    /// are for [any viewer](SessionBuilder::for_any_viewer).
    ///
    /// Viewers belong to a user: where another one logs in over the first, they are forgotten. And as a
    /// logout may come in the same moment, `bind` must not bring the session back: it writes with a
    /// condition, or beside the session.
    ///
    /// `head` is that of the request whose answer lets the viewer in. What its extensions share with
    /// outer layers, the session of a session layer for example, is as the application left it.
    /// An error is answered with a page that says so: with 503 for [`AspectError::Unavailable`], and
    /// otherwise with 403, as nobody is in.
    fn bind(&self, head: &Head<'_>, viewer: &Origin) -> Answer<Result<(), AspectError>> {
        let _ = (head, viewer);
        Answer::Now(Ok(()))
    }

    /// The user opened the realm's logout service: ends the session in `head`, and with it every
    /// access token that stands for it.
    ///
    /// The default does nothing: right for aspects that cannot be taken back here. It is asked
    /// where the realm [offers a logout](crate::Realm::logout_label). An error is shown to the user.
    fn log_out(&self, head: &Head<'_>) -> Answer<Result<(), AspectError>> {
        let _ = head;
        Answer::Now(Ok(()))
    }

    /// This aspect and further ones, any of which may open a resource.
    fn or(self, other: impl Into<Aspects>) -> Aspects
    where
        Self: Sized,
    {
        Aspects::from(self).or(other)
    }

    /// This aspect, if `other` is there as well: a single sign-on that counts only in the reading
    /// room.
    ///
    /// The session is this aspect's, with the roles of both, and ends with the earlier of the two.
    fn and<B: AuthorizingAspect>(self, other: B) -> Both<Self, B>
    where
        Self: Sized,
    {
        Both::new(self, other)
    }
}

impl<T: AuthorizingAspect + ?Sized> AuthorizingAspect for Arc<T> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn read(&self, head: &Head<'_>, now: Timestamp) -> Reading {
        (**self).read(head, now)
    }

    fn resume(&self, session: Session<'static>, now: Timestamp) -> Reading {
        (**self).resume(session, now)
    }

    fn bind(&self, head: &Head<'_>, viewer: &Origin) -> Answer<Result<(), AspectError>> {
        (**self).bind(head, viewer)
    }

    fn log_out(&self, head: &Head<'_>) -> Answer<Result<(), AspectError>> {
        (**self).log_out(head)
    }
}

/// What an aspect found.
pub type Reading = Answer<Result<Session<'static>, AspectError>>;

/// Why an aspect found no session.
#[derive(Debug)]
#[non_exhaustive]
pub enum AspectError {
    /// It is not in the request at all. The token service says `missingAspect`.
    Missing,
    /// It is there and not valid: `invalidAspect`.
    Invalid,
    /// It was valid once: `expiredAspect`.
    Expired,
    /// Its session was logged out: `invalidAspect`.
    Revoked,
    /// It could not be found out, as a store is down or too slow: `unavailable`, and 503 where no
    /// other aspect helps. The error is logged and told to nobody.
    Unavailable(BoxError),
}

impl AspectError {
    /// The more telling of two: an aspect that is down hides what another one lacks, an expired
    /// one says more than an invalid one, and anything more than a missing one.
    pub(crate) fn or_better(self, other: Self) -> Self {
        if other.says_more_than(&self) { other } else { self }
    }

    pub(crate) fn says_more_than(&self, other: &Self) -> bool {
        let weight = |error: &Self| match error {
            Self::Missing => 0,
            Self::Invalid => 1,
            Self::Revoked => 2,
            Self::Expired => 3,
            Self::Unavailable(_) => 4,
        };
        weight(self) > weight(other)
    }

    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Invalid => "invalid",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Unavailable(_) => "unavailable",
        }
    }
}

impl From<NotNow> for AspectError {
    fn from(error: NotNow) -> Self {
        match error {
            NotNow::Invalid => Self::Invalid,
            NotNow::Expired => Self::Expired,
        }
    }
}

impl fmt::Display for AspectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "authorizing aspect {}", self.as_str())
    }
}

impl std::error::Error for AspectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unavailable(error) => Some(&**error),
            _ => None,
        }
    }
}

/// A request without its body, as aspects see it.
#[derive(Clone, Copy)]
pub struct Head<'a> {
    method: &'a Method,
    uri: &'a Uri,
    headers: &'a HeaderMap,
    extensions: &'a Extensions,
}

impl<'a> Head<'a> {
    /// The head of `request`.
    #[must_use]
    pub fn of<B>(request: &'a Request<B>) -> Self {
        Self {
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
            extensions: request.extensions(),
        }
    }

    /// The same of a request that was taken apart.
    #[must_use]
    pub fn of_parts(parts: &'a Parts) -> Self {
        Self {
            method: &parts.method,
            uri: &parts.uri,
            headers: &parts.headers,
            extensions: &parts.extensions,
        }
    }

    /// A copy to keep while waiting.
    pub(crate) fn to_parts(self) -> Parts {
        let (mut parts, ()) = Request::new(()).into_parts();
        parts.method = self.method.clone();
        parts.uri = self.uri.clone();
        parts.headers = self.headers.clone();
        parts.extensions = self.extensions.clone();
        parts
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &'a Method {
        self.method
    }

    /// The URI.
    #[must_use]
    pub fn uri(&self) -> &'a Uri {
        self.uri
    }

    /// The header fields.
    #[must_use]
    pub fn headers(&self) -> &'a HeaderMap {
        self.headers
    }

    /// What the server and outer layers left with the request, the peer's address for example.
    #[must_use]
    pub fn extensions(&self) -> &'a Extensions {
        self.extensions
    }
}

/// Shows method and path: header values may be secret, and so may a query.
impl fmt::Debug for Head<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Head")
            .field("method", self.method)
            .field("path", &self.uri.path())
            .finish_non_exhaustive()
    }
}
