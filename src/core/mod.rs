//! The configuration as the layers use it: checked, and prepared once, in parts.

mod bind;
mod build;
mod candidates;
mod checks;
mod clients;
mod endpoints;
mod given;
mod mistakes;
mod own_urls;
mod probe_denials;
mod realms;
mod return_to;
mod routes;
mod seals;
mod services;
mod session_cookie;
mod signed_paths;
mod sites;
mod time;
mod warnings;

pub(crate) use build::build;
pub(crate) use candidates::{Candidate, CandidateAspect, CandidateId, Candidates};
pub(crate) use clients::{BoundClients, Identified};
pub(crate) use endpoints::{Endpoints, flow_cookie_name};
pub(crate) use given::Given;
pub(crate) use own_urls::OwnUri;
pub(crate) use probe_denials::ProbeDenials;
pub(crate) use realms::{BoundRealm, RealmId, RealmSet, Realms};
pub(crate) use return_to::ReturnTo;
pub(crate) use seals::Seals;
pub(crate) use services::{AccessServices, BoundAccess, BoundCookieService, ServiceId};
pub(crate) use sites::{Found, SignedPath, Sites};
use time::Time;

use std::fmt;
use std::sync::Arc;

use crate::authorizer::Authorizer;
use crate::body::Room;
use crate::config::{
    Compatibility, ConfigWarning, ContentForScripts, Limits, OriginPolicy, PublicUrl, Texts,
    ThirdPartyCookies,
};
use crate::observe::Observer;
use crate::protocol::Origin;
use crate::revocation::Revocations;

/// Everything that the layers share. Its parts are seen by all; what is in them they tell themselves.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct Core {
    pub(crate) public_url: PublicUrl,
    /// Other URLs that mean the public one.
    pub(crate) also_known_as: Vec<PublicUrl>,
    /// Whether descriptions are given ids below the public URL.
    pub(crate) public_ids: bool,
    pub(crate) endpoints: Endpoints,
    pub(crate) sites: Sites,
    pub(crate) realms: Realms,
    pub(crate) access: AccessServices,
    pub(crate) candidates: Candidates,
    pub(crate) authorizer: Arc<dyn Authorizer>,
    pub(crate) revocations: Arc<dyn Revocations>,
    pub(crate) observer: Option<Arc<Observer>>,
    pub(crate) seals: Seals,
    pub(crate) limits: Limits,
    /// What descriptions may use of the memory.
    pub(crate) room: Arc<Room>,
    pub(crate) origins: OriginPolicy,
    /// Where else than to this site a login or logout may lead back.
    pub(crate) return_origins: Vec<Origin>,
    pub(crate) texts: Texts,
    /// What probes say to who is not in, as members of JSON.
    pub(crate) probe_errors: Box<str>,
    pub(crate) probe_denials: ProbeDenials,
    pub(crate) hands_session_on: bool,
    pub(crate) marks_refusals: bool,
    /// Whether a grant is told with its session.
    pub(crate) keeps_session: bool,
    pub(crate) signed_locations: bool,
    pub(crate) scripts: ContentForScripts,
    /// Whether a realm's sessions are renewed.
    pub(crate) renews: bool,
    /// Whether an answer to a tile may have a cookie at all.
    pub(crate) refreshes: bool,
    pub(crate) compatibility: Compatibility,
    /// What is in effect: nothing on plain http.
    pub(crate) third_party: ThirdPartyCookies,
    /// The language of plain texts in 1.0 and 0.9; empty for each text's first.
    pub(crate) plain_language: Box<str>,
    pub(crate) warnings: Vec<ConfigWarning>,
    time: Time,
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core")
            .field("public_url", &self.public_url.as_str())
            .field("realms", &self.realms.iter().map(BoundRealm::name).collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
