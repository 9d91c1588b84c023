//! Authorizers from closures and `async` functions.

use std::fmt;
use std::future::Future;

use super::{AccessRequest, Answer, Authorizer, BoxError, Decision, IntoDecision};

/// An authorizer from a closure that decides at once: the path that costs nothing.
///
/// # Example
///
/// ```
/// use tower_iiif_auth::authorizer::{AccessRequest, Decision, Denial, from_fn};
///
/// let authorizer = from_fn(|request: &AccessRequest<'_>| match request.identifier() {
///     "cover" => Decision::Grant,
///     _ if request.has_role("reader") => Decision::Grant,
///     _ => Denial::login().into(),
/// });
/// ```
pub fn from_fn<F, D>(decide: F) -> FromFn<F>
where
    F: Fn(&AccessRequest<'_>) -> D + Send + Sync + 'static,
    D: IntoDecision,
{
    FromFn(decide)
}

/// See [`from_fn`].
#[derive(Clone)]
pub struct FromFn<F>(F);

impl<F, D> Authorizer for FromFn<F>
where
    F: Fn(&AccessRequest<'_>) -> D + Send + Sync + 'static,
    D: IntoDecision,
{
    fn authorize(&self, request: &AccessRequest<'_>) -> Answer<Result<Decision, BoxError>> {
        Answer::Now(Ok((self.0)(request).into_decision()))
    }
}

/// An authorizer from an `async` function that waits: for a database, for a policy server.
///
/// It gets the question as its own, and a limited time
/// ([`max_decision_time`](crate::Limits::max_decision_time)). Its question, its future and
/// what waits for it go onto the heap, for nobody and again for each session: what can be decided at
/// once belongs in [`from_fn`].
///
/// # Example
///
/// ```
/// use tower_iiif_auth::authorizer::{AccessRequest, Decision, from_async_fn};
///
/// async fn ask_the_catalogue(request: AccessRequest<'static>) -> Result<Decision, std::io::Error> {
///     // … await a query here …
///     Ok(request.has_role("reader").into())
/// }
///
/// let authorizer = from_async_fn(ask_the_catalogue);
/// ```
pub fn from_async_fn<F, Fut, D, E>(decide: F) -> FromAsyncFn<F>
where
    F: Fn(AccessRequest<'static>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<D, E>> + Send + 'static,
    D: IntoDecision,
    E: Into<BoxError>,
{
    FromAsyncFn(decide)
}

/// See [`from_async_fn`].
#[derive(Clone)]
pub struct FromAsyncFn<F>(F);

impl<F, Fut, D, E> Authorizer for FromAsyncFn<F>
where
    F: Fn(AccessRequest<'static>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<D, E>> + Send + 'static,
    D: IntoDecision,
    E: Into<BoxError>,
{
    fn authorize(&self, request: &AccessRequest<'_>) -> Answer<Result<Decision, BoxError>> {
        let decision = (self.0)(request.clone().into_owned());
        Answer::later(
            async move { decision.await.map(IntoDecision::into_decision).map_err(Into::into) },
        )
    }
}

impl<F> fmt::Debug for FromFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FromFn(..)")
    }
}

impl<F> fmt::Debug for FromAsyncFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FromAsyncFn(..)")
    }
}
