//! All that is wrong with a configuration, at once.

use std::fmt;

use crate::aspect::SettingError;
use crate::config::ConfigError;

/// Every mistake of a configuration: one at least, each once.
///
/// `Display` puts each on a line of its own.
///
/// # Example
///
/// ```
/// use tower_iiif_auth::{ConfigError, IiifAuth};
///
/// let mistakes = IiifAuth::builder("https://iiif.example").images("/iiif/3").build().unwrap_err();
/// assert!(mistakes.contains(&ConfigError::NoKeyring));
/// for mistake in mistakes.iter() {
///     eprintln!("{mistake}");
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors {
    first: ConfigError,
    others: Vec<ConfigError>,
}

impl ConfigErrors {
    /// None where there is none.
    pub(crate) fn of(mistakes: Vec<ConfigError>) -> Option<Self> {
        let mut mistakes = mistakes.into_iter();
        Some(Self { first: mistakes.next()?, others: mistakes.collect() })
    }

    /// The first of them.
    #[must_use]
    pub fn first(&self) -> &ConfigError {
        &self.first
    }

    /// All of them, in the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = &ConfigError> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// How many there are.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "it never is")]
    pub fn len(&self) -> usize {
        1 + self.others.len()
    }

    /// Whether this is one of them.
    #[must_use]
    pub fn contains(&self, mistake: &ConfigError) -> bool {
        self.iter().any(|own| own == mistake)
    }
}

impl IntoIterator for ConfigErrors {
    type Item = ConfigError;
    type IntoIter = std::iter::Chain<std::iter::Once<ConfigError>, std::vec::IntoIter<ConfigError>>;

    fn into_iter(self) -> Self::IntoIter {
        std::iter::once(self.first).chain(self.others)
    }
}

impl From<ConfigError> for ConfigErrors {
    fn from(mistake: ConfigError) -> Self {
        Self { first: mistake, others: Vec::new() }
    }
}

impl From<SettingError> for ConfigErrors {
    fn from(mistake: SettingError) -> Self {
        ConfigError::from(mistake).into()
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first.fmt(f)?;
        self.others.iter().try_for_each(|mistake| write!(f, "\n{mistake}"))
    }
}

impl std::error::Error for ConfigErrors {
    /// Why the first is one.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.first.source()
    }
}
