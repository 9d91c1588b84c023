//! The event of a decision.

#[cfg(feature = "tracing")]
use tracing::Level;
#[cfg(feature = "tracing")]
use tracing::level_filters::LevelFilter;

use crate::observe::Observation;
#[cfg(feature = "tracing")]
use crate::trace::shown;

/// The target of decisions, below the one of everything else: they can be had or left out alone.
#[cfg(feature = "tracing")]
const DECISION: &str = "tower_iiif_auth::decision";

/// Whether anybody listens to decisions: while nobody does, no clock is read for them.
#[inline]
pub(super) fn is_heard() -> bool {
    // Without a call where nobody listens to anything so fine: this is on the way to every tile.
    #[cfg(feature = "tracing")]
    return LevelFilter::current() >= Level::DEBUG && is_listened_to();
    #[cfg(not(feature = "tracing"))]
    return false;
}

#[cfg(feature = "tracing")]
#[inline(never)]
fn is_listened_to() -> bool {
    tracing::event_enabled!(target: DECISION, Level::DEBUG)
}

/// A decision, or a path that names nothing to decide on.
#[cfg(feature = "tracing")]
pub(super) fn decided(told: &Observation<'_>) {
    tracing::event!(
        target: DECISION,
        Level::DEBUG,
        place = told.place().as_str(),
        path = &*shown(told.path()),
        resource = told.resource().map(|own| shown(&own.path()).into_owned()),
        outcome = told.outcome().as_str(),
        status = told.outcome().status(),
        reason = told.reason().as_str(),
        aspect = told.aspect(),
        elapsed_us = u64::try_from(told.elapsed().as_micros()).unwrap_or(u64::MAX),
        "decision"
    );
}

#[cfg(not(feature = "tracing"))]
pub(super) fn decided(_: &Observation<'_>) {}
