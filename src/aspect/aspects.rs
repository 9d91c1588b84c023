//! Several aspects of a realm.

use std::fmt;
use std::sync::Arc;

use super::{AccessCookie, AuthorizingAspect, BoundCookie};

/// The aspects of a realm, any of which may open a resource; asked in order.
#[derive(Clone)]
pub struct Aspects(Vec<Part>);

#[derive(Clone)]
pub(crate) enum Part {
    /// The crate's own cookie: bound to its realm when the configuration is built.
    Cookie(AccessCookie),
    Other(Arc<dyn AuthorizingAspect>),
}

impl Aspects {
    /// Adds further aspects.
    #[must_use]
    pub fn or(mut self, other: impl Into<Self>) -> Self {
        self.0.extend(other.into().0);
        self
    }

    /// The access cookie among them.
    pub(crate) fn cookie(&self) -> Option<&AccessCookie> {
        self.0.iter().find_map(|part| match part {
            Part::Cookie(cookie) => Some(cookie),
            Part::Other(_) => None,
        })
    }

    pub(crate) fn into_parts(self) -> Vec<Part> {
        self.0
    }
}

impl<A: AuthorizingAspect> From<A> for Aspects {
    fn from(aspect: A) -> Self {
        Self(vec![Part::Other(Arc::new(aspect))])
    }
}

impl From<AccessCookie> for Aspects {
    fn from(cookie: AccessCookie) -> Self {
        Self(vec![Part::Cookie(cookie)])
    }
}

impl fmt::Debug for Aspects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.0.iter().map(|part| match part {
            Part::Cookie(_) => BoundCookie::NAME,
            Part::Other(aspect) => aspect.name(),
        });
        f.debug_list().entries(names).finish()
    }
}
