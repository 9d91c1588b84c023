//! The login in progress, as one of its requests is of it.

use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};

use super::flow::Flow;
use super::grant::AccessGrant;
use super::opener::Opener;
use super::tab::{Known, Sure};
use super::viewer::Viewer;
use super::whom::Whom;
use super::{form, opener, steps};
use crate::aspect::Head;
use crate::clock::Timestamp;
use crate::core::{Core, RealmId, ServiceId};
use crate::respond;

/// What of a request matters to a grant in its response.
pub(super) struct Context {
    pub(super) core: Arc<Core>,
    pub(super) parts: Parts,
    pub(super) flow: Option<Flow>,
    /// The access service that the request's path belongs to.
    pub(super) service: Option<ServiceId>,
    /// Whether it may as well be a service of another realm's.
    pub(super) is_shared: bool,
    /// Who opened the tab of this request.
    pub(super) opener: Opener,
    /// Where the login leads back to if no viewer opened it.
    pub(super) back: Option<String>,
    /// Whether the flow stays as it is: what is granted at once ends nobody's wait.
    pub(super) keeps_flow: bool,
    /// Whether a click on a page of ours opened the helper window of the hand-off.
    pub(super) helper: bool,
}

impl Context {
    pub(super) fn of<B>(core: &Arc<Core>, request: &Request<B>, now: Timestamp) -> Self {
        let (uri, headers) = (request.uri(), request.headers());
        let (path, query) = (uri.path(), uri.query().unwrap_or_default());
        let flow = Flow::read(core, headers, now);
        let of_service = core.access_at(path).map(|(service, _)| service);
        let returning = opener::returning(core, path, query, headers);
        let back = returning.as_ref().or_else(|| flow.as_ref()?.return_to());
        Self {
            parts: Head::of(request).to_parts(),
            service: of_service.or_else(|| steps::nearest(core, path, flow.as_ref())),
            is_shared: steps::is_shared(core, path),
            opener: Opener::of(core, path, query, headers, flow.as_ref(), now),
            back: back.map(|back| back.as_str().to_owned()),
            flow,
            keeps_flow: false,
            helper: false,
            core: Arc::clone(core),
        }
    }

    /// The realm that a grant is of; none where it names one that is not configured.
    pub(super) fn realm(&self, grant: &AccessGrant) -> Option<RealmId> {
        if let Some(name) = &grant.realm {
            return self.core.realm_named(name);
        }
        let of_service = self.service.map(|service| self.core.access[service].realm());
        let of_tab = || match &self.opener {
            Opener::Viewer(known) => self.core.realm_named(&known.realm),
            Opener::Nobody | Opener::Untold | Opener::Silent => None,
        };
        let of_flow = || self.core.realm_named(&self.flow.as_ref()?.realm);
        of_service.or_else(of_tab).or_else(of_flow).or(Some(RealmId::FIRST))
    }

    /// Whom a grant in this tab may be for; `named` is the realm that the application granted by name.
    pub(super) fn whom(&self, named: Option<&str>) -> Whom {
        let realm = self.opened(named);
        let told = |viewers, realm| Whom { viewers, realm, is_guess: false, has_others: false };
        match (&self.opener, &self.flow) {
            (Opener::Viewer(Known { viewer, realm, sure }), flow) => Whom {
                is_guess: match sure {
                    Sure::Yes => false,
                    Sure::WithFlow => flow.is_none(),
                    Sure::No => true,
                },
                // A tab of another browser's may be of nobody here.
                has_others: *sure == Sure::No,
                ..told(vec![viewer.clone()], realm.clone())
            },
            (Opener::Nobody, _) | (_, None) => told(Vec::new(), realm),
            (Opener::Untold | Opener::Silent, Some(flow)) => {
                let (own, all) = (flow.viewers(&realm), flow.all_viewers());
                // A path of the service itself tells whose tab it is. Elsewhere the realm that was
                // opened last may be another tab's: then nobody is chosen for the user.
                let is_of_service = self.service.is_some() && !self.is_shared;
                let is_told = is_of_service || named.is_some() && !own.is_empty();
                let is_realms = is_told || own.len() == all.len();
                let is_guess = !is_realms || matches!(self.opener, Opener::Untold);
                let viewers = if is_realms { own } else { all };
                Whom { viewers, realm, is_guess, has_others: flow.has_others }
            }
        }
    }

    /// The viewer that this tab is known or taken to be for.
    pub(super) fn viewer(&self) -> Option<Viewer> {
        let whom = self.whom(None);
        whom.only().filter(|_| !whom.has_others).cloned()
    }

    /// The name of the realm whose service was opened in this tab.
    pub(super) fn opened(&self, named: Option<&str>) -> String {
        let realm = |own| self.core.realms[self.core.access[own].realm()].name().to_owned();
        let of_flow = || self.flow.as_ref().map(|flow| flow.realm.clone());
        let elsewhere = || named.map(ToOwned::to_owned).or_else(of_flow).unwrap_or_default();
        self.service.filter(|_| !self.is_shared).map_or_else(elsewhere, realm)
    }

    /// Whether it is a form that the user sent from a page of this very site.
    pub(super) fn is_posted_here(&self) -> bool {
        form::is_posted_here(&self.core, &self.parts.method, &self.parts.headers)
    }

    /// A new flow for this browser, which may have lost one.
    pub(super) fn begin_flow(&self, now: Timestamp) -> Option<Flow> {
        Flow::begin(now, Flow::is_sent(&self.core, &self.parts.headers))
    }

    /// Remembers the flow, after a change, for the viewers of other tabs, or forgets it.
    pub(super) fn close_flow(
        &self,
        mut response: Response<Bytes>,
        change: impl FnOnce(&mut Flow),
    ) -> Response<Bytes> {
        if self.keeps_flow {
            return response;
        }
        let mut flow = self.flow.clone();
        if let Some(flow) = &mut flow {
            change(flow);
        }
        respond::set_cookie(&mut response, Flow::close(flow.as_ref(), &self.core).ok());
        response
    }
}
