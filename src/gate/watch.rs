//! From a decision to those who hear of it.

use std::time::Instant;

use http::Uri;

use super::event;
use super::verdict::Basis;
use crate::catch::catch;
use crate::core::Core;
use crate::observe::{Observation, Outcome, Place, Reason};
use crate::resource::{Refusal, Resource};

/// A decision on its way. It looks at no clock while nobody listens.
#[derive(Clone, Copy)]
pub(crate) struct Watch {
    place: Place,
    began: Option<Instant>,
}

impl Watch {
    #[inline]
    pub(crate) fn begin(core: &Core, place: Place) -> Self {
        let heard = core.observer.is_some() || event::is_heard();
        Self { place, began: heard.then(Instant::now) }
    }

    /// Whether anybody hears of it.
    #[inline]
    pub(crate) fn is_heard(self) -> bool {
        self.began.is_some()
    }

    /// A resource was decided on.
    #[inline]
    pub(crate) fn decided(
        self,
        core: &Core,
        uri: &Uri,
        resource: &Resource<'_>,
        outcome: Outcome,
        basis: &Basis,
    ) {
        if self.began.is_some() {
            let path = uri.path();
            self.tell(core, path, Some(resource), outcome, (basis.reason(), basis.aspect(core)));
        }
    }

    /// A form or call of a foreign page was refused.
    pub(crate) fn foreign_page(self, core: &Core, path: &str, resource: &Resource<'_>) {
        let why = (Reason::ForeignPage, None);
        self.tell(core, path, Some(resource), Outcome::Forbidden, why);
    }

    /// The path names nothing.
    pub(crate) fn refused(self, core: &Core, path: &str, refusal: Refusal) {
        let outcome = match refusal {
            Refusal::Ambiguous | Refusal::TooLong => Outcome::BadRequest,
            Refusal::Unknown | Refusal::Shape => Outcome::NotFound,
            Refusal::Unavailable => Outcome::Unavailable,
        };
        if self.began.is_some() {
            // What is nearly a signed location holds what opens one.
            let path = core.endpoints.without_capability(path);
            self.tell(core, &path, None, outcome, (refusal.into(), None));
        }
    }

    fn tell(
        self,
        core: &Core,
        path: &str,
        resource: Option<&Resource<'_>>,
        outcome: Outcome,
        (reason, aspect): (Reason, Option<&str>),
    ) {
        let Some(began) = self.began else { return };
        let elapsed = began.elapsed();
        let place = self.place;
        let told = Observation { place, path, resource, outcome, reason, aspect, elapsed };
        event::decided(&told);
        if let Some(observer) = &core.observer {
            // What was decided stays so, whatever becomes of who hears of it.
            if let Err(panic) = catch(|| observer(&told)) {
                crate::trace::failure("observer", &panic);
            }
        }
    }
}
