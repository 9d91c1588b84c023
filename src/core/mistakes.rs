//! Collects what is wrong with a configuration.

use crate::config::{ConfigError, ConfigErrors};

/// All that was found so far, each once, in the order in which it was found.
#[derive(Debug, Default)]
pub(super) struct Mistakes(Vec<ConfigError>);

impl Mistakes {
    pub(super) fn add(&mut self, mistake: ConfigError) {
        if !self.0.contains(&mistake) {
            self.0.push(mistake);
        }
    }

    /// The value, or else the mistake is kept.
    pub(super) fn check<T>(&mut self, outcome: Result<T, ConfigError>) -> Option<T> {
        outcome.map_err(|mistake| self.add(mistake)).ok()
    }

    /// Leaves out those of which this is not true.
    pub(super) fn retain(&mut self, test: impl FnMut(&ConfigError) -> bool) {
        self.0.retain(test);
    }

    pub(super) fn append(&mut self, others: Self) {
        others.0.into_iter().for_each(|mistake| self.add(mistake));
    }

    pub(super) fn finish(self) -> Result<(), ConfigErrors> {
        ConfigErrors::of(self.0).map_or(Ok(()), Err)
    }
}
