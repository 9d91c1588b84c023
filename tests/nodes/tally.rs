//! What was asked, and what came of it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What an answer has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// For one who may.
    Open,
    /// For one who may not.
    Closed,
    /// For one who was logged out a moment ago: within the bound either is right.
    Either,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) sent: u64,
    /// Open for one who may not.
    pub(crate) opened: u64,
    /// Closed for one who may.
    pub(crate) refused: u64,
    pub(crate) errors: u64,
}

#[derive(Default)]
struct Counts {
    phase: &'static str,
    phases: BTreeMap<&'static str, Figures>,
    errors: BTreeMap<(&'static str, String), u64>,
    longest: Duration,
    logins: u64,
    logouts: u64,
}

#[derive(Clone, Default)]
pub(crate) struct Tally(Arc<Mutex<Counts>>);

impl Tally {
    fn with<T>(&self, work: impl FnOnce(&mut Counts) -> T) -> T {
        work(&mut self.0.lock().expect("nobody panics with it"))
    }

    /// What comes now is counted under this name.
    pub(crate) fn begin(&self, phase: &'static str) {
        self.with(|counts| counts.phase = phase);
    }

    pub(crate) fn phase(&self) -> &'static str {
        self.with(|counts| counts.phase)
    }

    /// Counts an answer that was asked for in this phase; true if it was 200.
    pub(crate) fn answer(
        &self,
        phase: &'static str,
        due: Due,
        answer: &Result<u16, String>,
    ) -> bool {
        let problem = match answer {
            Ok(200 | 401 | 403) => None,
            Ok(status) => Some(format!("status {status}")),
            Err(kind) => Some(kind.clone()),
        };
        let open = matches!(answer, Ok(200));
        self.with(|counts| {
            let figures = counts.phases.entry(phase).or_default();
            figures.sent += 1;
            match problem {
                Some(problem) => {
                    figures.errors += 1;
                    *counts.errors.entry((phase, problem)).or_default() += 1;
                }
                None if due == Due::Open && !open => figures.refused += 1,
                None if due == Due::Closed && open => figures.opened += 1,
                None => {}
            }
        });
        open
    }

    pub(crate) fn logged_in(&self) {
        self.with(|counts| counts.logins += 1);
    }

    /// A user was logged out, and the cookie still worked for so long.
    pub(crate) fn logged_out(&self, still: Duration) {
        self.with(|counts| {
            counts.logouts += 1;
            counts.longest = counts.longest.max(still);
        });
    }

    pub(crate) fn figures(&self, phase: &str) -> Figures {
        self.with(|counts| counts.phases.get(phase).copied().unwrap_or_default())
    }

    pub(crate) fn longest(&self) -> Duration {
        self.with(|counts| counts.longest)
    }

    pub(crate) fn logouts(&self) -> u64 {
        self.with(|counts| counts.logouts)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with(|counts| {
            writeln!(
                f,
                "{:<22}{:>9}{:>9}{:>9}{:>9}",
                "", "requests", "opened", "refused", "errors"
            )?;
            for (phase, figures) in &counts.phases {
                let Figures { sent, opened, refused, errors } = figures;
                writeln!(f, "{phase:<22}{sent:>9}{opened:>9}{refused:>9}{errors:>9}")?;
            }
            for ((phase, kind), count) in &counts.errors {
                writeln!(f, "errors, {phase}: {count} x {kind}")?;
            }
            writeln!(f, "logins {}, logouts {}", counts.logins, counts.logouts)?;
            write!(f, "longest time a revoked cookie still worked: {:?}", counts.longest)
        })
    }
}
