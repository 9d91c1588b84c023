//! The four questions in order: what is asked for has been found; now who, still, may.
//!
//! Content route, probe and token service all come here, so that they cannot disagree. What is
//! answered at once is decided within the call. Where something has to wait, the place and what is
//! needed later are kept in a [`Pending`], and [`finish_decision`] goes on from there: one set of
//! rules for both.

mod cause;
mod decide;
mod ending;
mod event;
mod identify;
mod limits;
mod live;
mod live_session;
mod lower;
mod next;
mod own;
mod renewal;
mod sharing;
mod source;
mod store;
mod tally;
mod token_session;
mod verdict;
mod watch;

pub(crate) use decide::{Progress, Question, decide_and_wait, finish_decision};
pub(crate) use ending::Ended;
pub use live_session::LiveSession;
pub(crate) use lower::first_granted_sibling;
pub(crate) use renewal::Renewal;
pub(crate) use source::Source;
pub(crate) use token_session::TokenSession;
pub(crate) use verdict::{Basis, Verdict};
pub(crate) use watch::Watch;
