//! What the layers cost: the cases that all benchmarks share.
//!
//! A [`Case`] is one request, from its making to the drop of its response, through one stack of
//! services, without sockets. The programs beside this file measure the same cases by different
//! means: time in interleaved rounds, instructions, heap allocations, criterion.

#![allow(clippy::missing_panics_doc, reason = "a benchmark that cannot run says why and ends")]

pub mod cases;
pub mod floor;
pub mod images;
pub mod ours;
pub mod peers;
pub mod pipe;
pub mod request;
pub mod rounds;

use std::fmt;

/// One thing that is measured.
pub struct Case {
    /// What it is, for a table.
    pub name: String,
    /// The case whose cost is no part of this one's: the same request without the layer.
    pub base: Option<&'static str>,
    run: Box<dyn FnMut()>,
}

impl Case {
    /// A case whose every cost counts.
    pub fn gross(name: impl Into<String>, run: impl FnMut() + 'static) -> Self {
        Self { name: name.into(), base: None, run: Box::new(run) }
    }

    /// A case from which the cost of the case `base` is taken away.
    pub fn over(base: &'static str, name: impl Into<String>, run: impl FnMut() + 'static) -> Self {
        Self { name: name.into(), base: Some(base), run: Box::new(run) }
    }

    /// Does it once.
    pub fn run(&mut self) {
        (self.run)();
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case").field("name", &self.name).finish_non_exhaustive()
    }
}
