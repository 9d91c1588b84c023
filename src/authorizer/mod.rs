//! **May** they: the decision over a resource and, where there is one, a session.
//!
//! Most decisions need no waiting and are best written as a closure over [`AccessRequest`], see
//! [`from_fn`]. Those that ask a database or a policy server are `async` functions, see
//! [`from_async_fn`]. In the box are [`RolesFor`] (pattern → roles) and
//! [`MaxUnauthorized`] (small images are open); [`and`](Authorizer::and) and [`or`](Authorizer::or)
//! combine them.

mod combine;
mod decision;
mod from_fn;
mod many;
mod max_unauthorized;
mod roles_for;
mod signed;

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

pub use combine::{And, Or};
pub(crate) use decision::Target;
pub use decision::{Decision, Denial, Remedy, Substitute};
pub use from_fn::{FromAsyncFn, FromFn, from_async_fn, from_fn};
pub(crate) use many::NotAsked;
pub use max_unauthorized::MaxUnauthorized;
pub use roles_for::RolesFor;
pub use signed::{SignedLocation, SignedLocations};

use crate::answer::{Answer, BoxError};
use crate::clock::Timestamp;
use crate::resource::Resource;
use crate::session::Session;

/// Decides who may have which resource.
///
/// It is asked first as nobody, without a session; a grant then means that the resource is open to
/// everyone, needs no cookie and declares no services. If it is not open, it is asked again for each
/// session that the request has (mostly one), until one is granted. If none is, the denial of the
/// first session is told, or else that of nobody.
///
/// It sees the resource and the session, not the request's headers: the same question comes from
/// the content route and from the probe, whose headers differ, and has to get the same answer
/// (2.0 §5.2). What is true of a request (an address, a time of day, a header) belongs in an
/// [aspect](crate::aspect).
///
/// An error, a panic and a time-out all deny, with 503.
pub trait Authorizer: Send + Sync + 'static {
    /// The decision on `request`.
    fn authorize(&self, request: &AccessRequest<'_>) -> Answer<Result<Decision, BoxError>>;

    /// The decisions on `requests`, in their order: what a manifest shows is asked for in one go, and an
    /// authorizer that has a database can ask it once.
    ///
    /// Default: [`authorize`](Self::authorize) for each, up to 32 at a time where they have to wait. The
    /// answer to each has to be the same as there: it is what the content is then decided by. All together
    /// may take as long as one ([`max_decision_time`](crate::Limits::max_decision_time)). What is missing
    /// in an answer that is too short is denied.
    ///
    /// # Example
    ///
    /// ```
    /// use std::collections::HashSet;
    ///
    /// use tower_iiif_auth::authorizer::{AccessRequest, Authorizer, Decision};
    /// use tower_iiif_auth::{Answer, BoxError};
    ///
    /// # async fn those_that_are_open(asked: Vec<String>) -> Result<HashSet<String>, BoxError> {
    /// #     Ok(asked.into_iter().collect())
    /// # }
    /// struct Catalogue;
    ///
    /// impl Authorizer for Catalogue {
    ///     fn authorize(&self, request: &AccessRequest<'_>) -> Answer<Result<Decision, BoxError>> {
    ///         let asked = vec![request.identifier().to_owned()];
    ///         Answer::later(async move { Ok((those_that_are_open(asked).await?.len() == 1).into()) })
    ///     }
    ///
    ///     fn authorize_all(
    ///         &self,
    ///         requests: &[AccessRequest<'_>],
    ///     ) -> Answer<Vec<Result<Decision, BoxError>>> {
    ///         let asked: Vec<_> =
    ///             requests.iter().map(|request| request.identifier().to_owned()).collect();
    ///         Answer::later(async move {
    ///             match those_that_are_open(asked.clone()).await {
    ///                 Ok(open) => asked.iter().map(|own| Ok(open.contains(own).into())).collect(),
    ///                 Err(error) => vec![Err(error)],
    ///             }
    ///         })
    ///     }
    /// }
    /// ```
    fn authorize_all(
        &self,
        requests: &[AccessRequest<'_>],
    ) -> Answer<Vec<Result<Decision, BoxError>>> {
        many::one_by_one(self, requests)
    }

    /// Grants only what this authorizer and `other` both grant.
    fn and<B: Authorizer>(self, other: B) -> And<Self, B>
    where
        Self: Sized,
    {
        And::new(self, other)
    }

    /// Grants what this authorizer grants to a session under a signed location: see
    /// [`Decision::Signed`].
    ///
    /// # Example
    ///
    /// ```
    /// use tower_iiif_auth::authorizer::{Authorizer, RolesFor};
    ///
    /// let rules = RolesFor::new().roles("*", ["reader"]).signed_locations().only(["/files/*"]);
    /// ```
    fn signed_locations(self) -> SignedLocations<Self>
    where
        Self: Sized,
    {
        SignedLocations::new(self)
    }

    /// Grants what this authorizer or `other` grants; the denial, if both deny, is this one's.
    fn or<B: Authorizer>(self, other: B) -> Or<Self, B>
    where
        Self: Sized,
    {
        Or::new(self, other)
    }
}

impl<T: Authorizer + ?Sized> Authorizer for Arc<T> {
    fn authorize(&self, request: &AccessRequest<'_>) -> Answer<Result<Decision, BoxError>> {
        (**self).authorize(request)
    }

    fn authorize_all(
        &self,
        requests: &[AccessRequest<'_>],
    ) -> Answer<Vec<Result<Decision, BoxError>>> {
        (**self).authorize_all(requests)
    }
}

/// What an authorizer decides on: a resource, and who asks for it.
#[derive(Clone, Debug)]
pub struct AccessRequest<'a> {
    resource: Held<'a, Resource<'a>>,
    session: Option<Held<'a, Session<'a>>>,
    now: Timestamp,
}

/// A part of a question. The layers lend theirs, as a tile is asked about twice.
#[derive(Clone)]
enum Held<'a, T> {
    Own(T),
    Lent(&'a T),
}

impl<T> Deref for Held<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Self::Own(own) => own,
            Self::Lent(lent) => lent,
        }
    }
}

/// As the part itself: whose it is says nothing.
impl<T: fmt::Debug> fmt::Debug for Held<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: Clone> Held<'_, T> {
    fn into_inner(self) -> T {
        match self {
            Self::Own(own) => own,
            Self::Lent(lent) => lent.clone(),
        }
    }
}

impl<'a> AccessRequest<'a> {
    /// The question whether `session` may have `resource`; without a session, whether everyone may.
    #[must_use]
    pub fn new(resource: Resource<'a>, session: Option<Session<'a>>, now: Timestamp) -> Self {
        Self { resource: Held::Own(resource), session: session.map(Held::Own), now }
    }

    /// The same over parts that somebody else keeps.
    #[inline]
    pub(crate) fn lent(
        resource: &'a Resource<'a>,
        session: Option<&'a Session<'a>>,
        now: Timestamp,
    ) -> Self {
        Self { resource: Held::Lent(resource), session: session.map(Held::Lent), now }
    }

    /// The resource that is asked for.
    #[must_use]
    #[inline]
    pub fn resource(&self) -> &Resource<'a> {
        &self.resource
    }

    /// Its identifier, percent-decoded once.
    #[must_use]
    #[inline]
    pub fn identifier(&self) -> &str {
        self.resource.identifier()
    }

    /// Who asks; `None` for nobody in particular.
    #[must_use]
    #[inline]
    pub fn session(&self) -> Option<&Session<'a>> {
        self.session.as_deref()
    }

    /// Whether there is a session and it has the role `role`.
    #[must_use]
    #[inline]
    pub fn has_role(&self, role: &str) -> bool {
        self.session().is_some_and(|session| session.has_role(role))
    }

    /// When it is asked.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The same question, owning its parts.
    #[must_use]
    pub fn into_owned(self) -> AccessRequest<'static> {
        AccessRequest {
            resource: Held::Own(self.resource.into_inner().into_owned()),
            session: self.session.map(|session| Held::Own(session.into_inner().into_owned())),
            now: self.now,
        }
    }
}
