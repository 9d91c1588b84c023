//! What is wrong with a configuration, all of it, each with its place.

use std::cell::RefCell;
use std::fmt;
use std::ops::Range;

/// Where something stands in the file: bytes.
pub(super) type Span = Range<usize>;

/// Every mistake of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes(Vec<Mistake>);

/// One mistake, and the line it is in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// Counted from one.
    pub line: usize,
    /// What is wrong, and what to write.
    pub message: String,
}

impl Mistakes {
    /// In the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Mistake> {
        self.0.iter()
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Mistake { line, message }) in self.0.iter().enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            write!(f, "{end}line {line}: {message}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}

/// Where the parts of the configuration put what they find.
pub(super) struct Collector<'t> {
    text: &'t str,
    found: RefCell<Vec<Mistake>>,
    warnings: RefCell<Vec<Mistake>>,
}

impl<'t> Collector<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, found: RefCell::default(), warnings: RefCell::default() }
    }

    pub(super) fn add(&self, span: &Span, message: impl Into<String>) {
        self.found.borrow_mut().push(self.at(span, message.into()));
    }

    /// What works, and is not what is wanted.
    pub(super) fn warn(&self, span: &Span, message: impl Into<String>) {
        self.warnings.borrow_mut().push(self.at(span, message.into()));
    }

    fn at(&self, span: &Span, message: String) -> Mistake {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        Mistake { line: before.matches('\n').count() + 1, message }
    }

    /// In the order of the file.
    pub(super) fn warnings(&self) -> Vec<Mistake> {
        let mut warnings = self.warnings.borrow().clone();
        warnings.sort();
        warnings
    }

    /// The value, or its error as a mistake.
    pub(super) fn check<T, E: fmt::Display>(&self, span: &Span, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.add(span, error.to_string())).ok()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.borrow().is_empty()
    }

    /// What was read, if nothing is wrong with it.
    pub(super) fn finish<T>(self, read: Option<T>) -> Result<T, Mistakes> {
        let mut found = self.found.into_inner();
        found.sort();
        found.dedup();
        match read {
            Some(read) if found.is_empty() => Ok(read),
            None if found.is_empty() => {
                let message = "something is missing".to_owned();
                Err(Mistakes(vec![Mistake { line: 1, message }]))
            }
            _ => Err(Mistakes(found)),
        }
    }
}
