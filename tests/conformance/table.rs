//! The tables of the documents, whose last column is made from the tests.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use crate::sources::{is_row, root};

/// A row's tests: file and name, in the order they stand.
pub(crate) type Proofs = BTreeMap<String, Vec<(String, String)>>;

/// A document with tables of rows, whose lines have this many columns.
#[derive(Clone, Copy)]
pub(crate) struct Document {
    path: &'static str,
    columns: usize,
}

/// Row, level, requirement, proof.
pub(crate) const CONFORMANCE: Document = Document { path: "docs/conformance.md", columns: 4 };
/// Row, attack, proof.
pub(crate) const ATTACKS: Document = Document { path: "docs/attacks.md", columns: 3 };

/// The cells of a line that stands for a row.
fn cells(line: &str) -> Option<Vec<&str>> {
    let inside = line.strip_prefix("| ")?.strip_suffix('|')?;
    let cells: Vec<_> = inside.split('|').map(str::trim).collect();
    is_row(cells[0]).then_some(cells)
}

/// The same, where it has as many cells as are asked for.
pub(crate) fn columns<const N: usize>(line: &str) -> Option<[&str; N]> {
    cells(line)?.try_into().ok()
}

/// The last cell of a row.
fn proof(proofs: &[(String, String)]) -> String {
    let (mut text, mut last) = (String::new(), "");
    for (file, test) in proofs {
        if file == last {
            text += ", ";
        } else {
            let between = if text.is_empty() { "" } else { "; " };
            text.extend([between, "`", file.strip_prefix("tests/").unwrap_or(file), "` "]);
        }
        text.extend(["`", &test.replace(['|', '`'], "\""), "`"]);
        last = file;
    }
    text
}

impl Document {
    fn file(self) -> PathBuf {
        root().join(self.path)
    }

    pub(crate) fn read(self) -> String {
        fs::read_to_string(self.file()).unwrap()
    }

    /// The line as the tests would have it. A row without a test keeps its reason, if it has one.
    fn made(self, line: &str, proofs: &Proofs) -> String {
        let Some(mut cells) = cells(line).filter(|cells| cells.len() == self.columns) else {
            return line.to_owned();
        };
        let old = cells.pop().unwrap();
        let made = match proofs.get(cells[0]) {
            Some(found) => proof(found),
            None if old.starts_with('—') => old.to_owned(),
            None => String::new(),
        };
        format!("| {} | {made} |", cells.join(" | "))
    }

    /// Fails where the document says something else than the tests; writes it where that is asked for.
    pub(crate) fn compare(self, proofs: &Proofs) {
        let document = self.read();
        let made: Vec<_> = document.lines().map(|line| self.made(line, proofs)).collect();
        if std::env::var_os("UPDATE_CONFORMANCE").is_some() {
            fs::write(self.file(), made.join("\n") + "\n").unwrap();
            return;
        }
        for (old, new) in document.lines().zip(&made) {
            assert_eq!(
                old, new,
                "{} is not up to date: UPDATE_CONFORMANCE=1 cargo test --test conformance",
                self.path
            );
        }
    }
}
