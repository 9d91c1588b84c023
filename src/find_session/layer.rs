use std::sync::Arc;

use tower_layer::Layer;

use super::FindSession;
use crate::core::Core;

/// Puts [`FindSession`] around a service; made by [`IiifAuth::find_session`](crate::IiifAuth::find_session).
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct FindSessionLayer {
    core: Arc<Core>,
    realm: Option<Arc<str>>,
}

impl FindSessionLayer {
    /// The finder of this configuration's sessions.
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core, realm: None }
    }

    /// Looks in this realm alone; empty for the unnamed one. Where there is no realm of this name, nobody
    /// has a session in it.
    pub fn of_realm(self, name: &str) -> Self {
        Self { realm: Some(name.into()), ..self }
    }
}

impl<S> Layer<S> for FindSessionLayer {
    type Service = FindSession<S>;

    fn layer(&self, inner: S) -> FindSession<S> {
        FindSession::new(inner, Arc::clone(&self.core), self.realm.clone())
    }
}
