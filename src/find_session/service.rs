use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::request::Parts;
use http::{Request, Response};
use tower_service::Service;

use super::future::{FindSessionFuture, Found};
use super::{LiveSession, SessionUnknown};
use crate::aspect::{AspectError, Head};
use crate::core::Core;
use crate::gate::Renewal;

/// Tells `S` who is in; see the [module](crate::find_session).
#[derive(Clone, Debug)]
pub struct FindSession<S> {
    inner: S,
    core: Arc<Core>,
    /// The name of the one realm that is asked.
    realm: Option<Arc<str>>,
}

impl<S> FindSession<S> {
    pub(super) fn new(inner: S, core: Arc<Core>, realm: Option<Arc<str>>) -> Self {
        Self { inner, core, realm }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for FindSession<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = FindSessionFuture<S, ReqBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let (parts, body) = request.into_parts();
        let finding = Box::pin(find(Arc::clone(&self.core), self.realm.clone(), parts));
        // The service that was polled ready goes along; its clone stays behind.
        let clone = self.inner.clone();
        FindSessionFuture::finding(finding, mem::replace(&mut self.inner, clone), body)
    }
}

async fn find(core: Arc<Core>, realm: Option<Arc<str>>, mut parts: Parts) -> Found {
    let is_asked = |name: &str| realm.as_deref().is_none_or(|realm| realm == name);
    let realms = core.realms.with_ids().filter(|(_, own)| is_asked(own.name())).map(|(id, _)| id);
    let realms: Vec<_> = realms.collect();
    let live: Result<LiveSession, _> = core.live_session(realms, &Head::of_parts(&parts)).await;
    let mut renewal = None;
    match live {
        Ok(live) => {
            renewal = Renewal::due(&core, live.session().id(), &parts.headers, core.now());
            parts.extensions.insert(live);
        }
        Err(AspectError::Unavailable(_)) => {
            parts.extensions.insert(SessionUnknown);
        }
        Err(_) => {}
    }
    Found { parts, renewal }
}
