//! What the builder was told, before anything of it is checked.

use std::sync::Arc;

use crate::authorizer::Authorizer;
use crate::clock::{Clock, SystemClock};
use crate::config::{
    Compatibility, ContentForScripts, Limits, Manifests, OriginPolicy, Realm, Texts,
    ThirdPartyCookies,
};
use crate::observe::Observer;
use crate::protocol::Origin;
use crate::resource::{Pattern, ResourceMap};
use crate::revocation::Revocations;
use crate::seal::Keyring;

/// A configuration in the words of its publisher.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
#[derive(Clone)]
pub(crate) struct Given {
    pub(crate) public_url: String,
    pub(crate) insecure_http: bool,
    pub(crate) also_known_as: Vec<String>,
    pub(crate) public_ids: bool,
    pub(crate) keyring: Option<Keyring>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) maps: Vec<Arc<dyn ResourceMap>>,
    pub(crate) public_paths: Vec<Pattern>,
    pub(crate) realms: Vec<Realm>,
    pub(crate) authorizer: Option<Arc<dyn Authorizer>>,
    pub(crate) revocations: Option<Arc<dyn Revocations>>,
    pub(crate) origins: OriginPolicy,
    pub(crate) return_origins: Vec<Origin>,
    pub(crate) texts: Texts,
    pub(crate) endpoints: String,
    pub(crate) limits: Limits,
    pub(crate) manifests: Vec<Manifests>,
    pub(crate) hands_session_on: bool,
    pub(crate) marks_refusals: bool,
    pub(crate) observer: Option<Arc<Observer>>,
    pub(crate) compatibility: Compatibility,
    pub(crate) plain_language: String,
    pub(crate) third_party: ThirdPartyCookies,
    pub(crate) scripts: ContentForScripts,
    pub(crate) signed_locations: bool,
}

impl Given {
    /// The defaults.
    pub(crate) fn new(public_url: String) -> Self {
        Self {
            public_url,
            insecure_http: false,
            also_known_as: Vec::new(),
            public_ids: false,
            keyring: None,
            clock: Arc::new(SystemClock),
            maps: Vec::new(),
            public_paths: Vec::new(),
            realms: Vec::new(),
            authorizer: None,
            revocations: None,
            origins: OriginPolicy::default(),
            return_origins: Vec::new(),
            texts: Texts::default(),
            endpoints: "/auth".to_owned(),
            limits: Limits::default(),
            manifests: Vec::new(),
            hands_session_on: false,
            marks_refusals: false,
            observer: None,
            compatibility: Compatibility::default(),
            plain_language: String::new(),
            third_party: ThirdPartyCookies::default(),
            scripts: ContentForScripts::default(),
            signed_locations: false,
        }
    }
}
