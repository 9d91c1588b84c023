//! Time, side by side: every case gets a short turn in every round.
//!
//! A machine that other work makes faster and slower by turns would decide a comparison of cases that
//! are measured one after the other. Here the ratio of two cases is taken within each round, and the
//! median over the rounds is told, with the quartiles.

use std::time::{Duration, Instant};

use crate::Case;

/// How long a case's turn is.
const TURN: Duration = Duration::from_micros(400);

/// Nanoseconds per run, one row a round, one column a case.
#[derive(Debug)]
pub struct Rounds(Vec<Vec<f64>>);

impl Rounds {
    /// Runs `rounds` rounds.
    #[must_use]
    pub fn of(cases: &mut [Case], rounds: usize) -> Self {
        let runs: Vec<_> = cases.iter_mut().map(runs_per_turn).collect();
        let round = |_| cases.iter_mut().zip(&runs).map(|(case, runs)| turn(case, *runs)).collect();
        Self((0..rounds).map(round).collect())
    }

    /// The quartiles of `of` over the rounds.
    #[must_use]
    pub fn quartiles(&self, of: impl Fn(&[f64]) -> f64) -> [f64; 3] {
        let mut all: Vec<_> = self.0.iter().map(|round| of(round)).collect();
        all.sort_by(f64::total_cmp);
        [1, 2, 3].map(|quarter| all[(all.len() - 1) * quarter / 4])
    }
}

/// Nanoseconds of one run.
fn turn(case: &mut Case, runs: u32) -> f64 {
    let start = Instant::now();
    for _ in 0..runs {
        case.run();
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(runs)
}

fn runs_per_turn(case: &mut Case) -> u32 {
    let mut runs = 1;
    loop {
        let start = Instant::now();
        for _ in 0..runs {
            case.run();
        }
        if start.elapsed() >= TURN || runs > 1 << 20 {
            return runs;
        }
        runs *= 2;
    }
}
