//! What is wrong with a configuration, all of it, each with its place.

use std::cell::RefCell;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Where something stands in the file: bytes.
pub(super) type Span = Range<usize>;

/// Every mistake of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes {
    found: Vec<Mistake>,
    files: Vec<PathBuf>,
}

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
        self.found.iter()
    }

    /// The files that were read, or looked for: when one changes, the mistake may be gone.
    pub(crate) fn files(&self) -> &[PathBuf] {
        &self.files
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Mistake { line, message }) in self.found.iter().enumerate() {
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
    files: RefCell<Vec<PathBuf>>,
}

impl<'t> Collector<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            found: RefCell::default(),
            warnings: RefCell::default(),
            files: RefCell::default(),
        }
    }

    /// A file is read besides.
    pub(super) fn reads(&self, path: &Path) {
        self.files.borrow_mut().push(path.to_owned());
    }

    /// A file with a secret is read besides: that others can read it, too, is warned of.
    pub(super) fn reads_secret(&self, span: &Span, path: &Path) {
        use std::os::unix::fs::MetadataExt;
        self.reads(path);
        if std::fs::metadata(path).is_ok_and(|own| own.is_file() && own.mode() & 0o004 != 0) {
            let shown = path.display();
            let message = format!("every user of this machine can read {shown}: chmod o= {shown}");
            self.warn(span, message);
        }
    }

    /// The files that were read so far.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        self.files.borrow().clone()
    }

    pub(super) fn add(&self, span: &Span, message: impl Into<String>) {
        self.found.borrow_mut().push(self.at(span, message.into()));
    }

    /// What works, and is not what is wanted.
    pub(super) fn warn(&self, span: &Span, message: impl Into<String>) {
        self.warnings.borrow_mut().push(self.at(span, message.into()));
    }

    fn at(&self, span: &Span, message: String) -> Mistake {
        Mistake { line: self.line(span), message }
    }

    /// The line that something stands in.
    pub(super) fn line(&self, span: &Span) -> usize {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        before.matches('\n').count() + 1
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
        let files = self.files.into_inner();
        found.sort();
        found.dedup();
        match read {
            Some(read) if found.is_empty() => Ok(read),
            None if found.is_empty() => {
                let message = "something is missing".to_owned();
                Err(Mistakes { found: vec![Mistake { line: 1, message }], files })
            }
            _ => Err(Mistakes { found, files }),
        }
    }
}
