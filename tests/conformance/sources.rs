//! The tests of the project, each with the text that is its own: name, comment above, body.

use std::fs;
use std::path::{Path, PathBuf};

/// Rows of docs/conformance.md: how many each family has, numbered from one.
pub(crate) const FAMILIES: [(&str, usize); 26] = [
    ("V2-GEN", 8),
    ("V2-DECL", 10),
    ("V2-ACC", 14),
    ("V2-TOK", 14),
    ("V2-ERR", 12),
    ("V2-PROBE", 19),
    ("V2-SUB", 9),
    ("V2-LOGOUT", 6),
    ("V2-COOKIE", 6),
    ("CLI", 6),
    ("V1-DECL", 8),
    ("V1-ACC", 6),
    ("V1-TOK", 6),
    ("V1-ERR", 7),
    ("V1-DESC", 8),
    ("V1-LOGOUT", 1),
    ("V09-DECL", 5),
    ("V09-ACC", 2),
    ("V09-TOK", 4),
    ("V09-CID", 5),
    ("V09-ERR", 4),
    ("V09-DESC", 4),
    ("V09-LOGOUT", 1),
    ("SEC", 13),
    ("CON", 24),
    ("MAP", 7),
];

/// Groups of docs/attacks.md, in its order. Their rows have two digits, and gaps.
pub(crate) const GROUPS: [&str; 19] = [
    "TP", "OR", "BE", "CR", "SE", "PA", "IN", "HT", "PX", "RE", "TC", "AL", "DS", "LF", "LM", "PB",
    "AC", "ST", "EX",
];

/// Whether this word is a row of one of the documents, or would be.
pub(crate) fn is_row(word: &str) -> bool {
    let Some((family, number)) = word.rsplit_once('-') else { return false };
    let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    let attack = GROUPS.contains(&family) && number.len() == 2;
    digits && (attack || FAMILIES.iter().any(|(name, _)| *name == family))
}

/// The rows that a text names.
pub(crate) fn rows(text: &str) -> Vec<String> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
        .filter(|word| is_row(word))
        .map(str::to_owned)
        .collect()
}

/// The attacks that a test's name holds: `se_13_logout`, `pa_10, pa_11 other methods`.
fn rows_of_name(name: &str) -> Vec<String> {
    let words: Vec<_> = name.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let pairs = words.windows(2).map(|pair| format!("{}-{}", pair[0].to_uppercase(), pair[1]));
    pairs.filter(|word| is_row(word)).collect()
}

/// One test.
#[derive(Debug, PartialEq)]
pub(crate) struct Test {
    pub(crate) name: String,
    /// The comment above it and its body.
    pub(crate) text: String,
}

impl Test {
    /// The rows that it names, each once.
    pub(crate) fn rows(&self) -> Vec<String> {
        let mut all = rows(&self.text);
        all.extend(rows_of_name(&self.name));
        all.sort();
        all.dedup();
        all
    }
}

/// A file's tests, and what else there is in it.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct File {
    pub(crate) tests: Vec<Test>,
    pub(crate) outside: String,
}

impl File {
    fn add_outside(&mut self, line: &str) {
        self.outside += line;
        self.outside.push('\n');
    }

    fn add(&mut self, name: String, text: String, is_test: bool) {
        if is_test {
            self.tests.push(Test { name, text });
        } else {
            self.outside += &text;
        }
    }
}

fn margin(line: &str) -> &str {
    &line[..line.len() - line.trim_start().len()]
}

/// The name of the function that begins in this line.
fn function(line: &str) -> Option<String> {
    let mut head = line.trim_start();
    for word in ["pub ", "pub(crate) ", "pub(super) ", "const ", "async "] {
        head = head.strip_prefix(word).unwrap_or(head);
    }
    let rest = head.strip_prefix("fn ")?;
    Some(rest.split(['(', '<']).next()?.to_owned())
}

/// `#[test]`, `#[tokio::test]`, `#[tokio::test(start_paused = true)]`.
fn is_test_attribute(line: &str) -> bool {
    let path = line.trim_start().strip_prefix("#[").unwrap_or_default();
    path.split(['(', ']']).next().is_some_and(|path| path.rsplit(':').next() == Some("test"))
}

/// A Rust source. A function ends with the brace at its own margin, as rustfmt writes it.
pub(crate) fn of_rust(source: &str) -> File {
    let (mut file, mut above) = (File::default(), String::new());
    let mut open: Option<(String, String, String, bool)> = None;
    for line in source.lines() {
        if let Some((_, text, margin, _)) = &mut open {
            text.extend([line, "\n"]);
            let rest = line.strip_prefix(margin.as_str()).unwrap_or_default();
            if rest == "}" || rest.starts_with(')') && line.ends_with(';') {
                let (name, text, _, is_test) = open.take().unwrap();
                file.add(name, text, is_test);
            }
            continue;
        }
        let start = line.trim_start();
        if let Some(name) = function(line) {
            let is_test = above.lines().any(is_test_attribute);
            let text = format!("{}{line}\n", std::mem::take(&mut above));
            if line.ends_with(['}', ';']) {
                file.add(name, text, is_test);
            } else {
                open = Some((name, text, margin(line).to_owned(), is_test));
            }
        } else if start.starts_with("///") || start.starts_with("#[") {
            above.extend([line, "\n"]);
        } else {
            file.add_outside(&std::mem::take(&mut above));
            file.add_outside(line);
        }
    }
    assert!(open.is_none(), "a function has no end: {open:?}");
    file.add_outside(&above);
    file
}

/// The name of the test that begins in this line of a script: `test('name', …`, `visiting('name', …`.
fn script_test(line: &str) -> Option<String> {
    let start = line.trim_start();
    let rest = start.strip_prefix("test(").or_else(|| start.strip_prefix("visiting("))?;
    let quote = rest.chars().next().filter(|quote| ['\'', '`'].contains(quote))?;
    let (mut name, mut escaped) = (String::new(), false);
    for c in rest.chars().skip(1) {
        match c {
            '\\' if !escaped => escaped = true,
            c if c == quote && !escaped => return Some(name),
            c => {
                name.push(c);
                escaped = false;
            }
        }
    }
    None
}

/// A script of the browser's or proxy's suite. A test ends where its margin comes again.
pub(crate) fn of_script(source: &str) -> File {
    let (mut file, mut above) = (File::default(), String::new());
    let mut lines = source.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(name) = script_test(line) {
            let mut text = format!("{}{line}\n", std::mem::take(&mut above));
            let own = margin(line).len();
            let inside = |next: &&str| next.is_empty() || margin(next).len() > own;
            while let Some(next) = lines.next_if(inside) {
                text.extend([next, "\n"]);
            }
            if let Some(next) = lines.next_if(|next| next.trim_start().starts_with(['}', ')'])) {
                text.extend([next, "\n"]);
            }
            file.add(name, text, true);
        } else if line.trim_start().starts_with("//") {
            above.extend([line, "\n"]);
        } else {
            file.add_outside(&std::mem::take(&mut above));
            file.add_outside(line);
        }
    }
    file.add_outside(&above);
    file
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a folder that end like this, in order.
pub(crate) fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            if !path.ends_with("node_modules") && !path.ends_with("target") {
                files(&path, ending, found);
            }
        } else if path.to_str().is_some_and(|name| name.ends_with(ending)) {
            found.push(path);
        }
    }
}

/// Every file that may hold tests, but these: its path from the root, and its text.
pub(crate) fn all() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for folder in ["tests", "src", "examples", "oidc", "proxy"] {
        files(&root().join(folder), ".rs", &mut found);
    }
    files(&root().join("tests"), ".test.mjs", &mut found);
    let name = |path: &Path| path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
    found
        .iter()
        .map(|path| (name(path), fs::read_to_string(path).unwrap()))
        .filter(|(name, _)| !name.starts_with("tests/conformance/"))
        .collect()
}

/// The part of a file that is tests: all of it, or what stands below `mod tests`.
fn tests_in<'a>(name: &str, source: &'a str) -> &'a str {
    if name.starts_with("tests/") || name.contains("/tests/") || name.ends_with("/tests.rs") {
        return source;
    }
    source.find("mod tests {").map_or("", |at| &source[at..])
}

/// The tests of a file.
pub(crate) fn read(name: &str, source: &str) -> File {
    let source = tests_in(name, source);
    let is_script = name.strip_suffix(".test.mjs").is_some();
    if is_script { of_script(source) } else { of_rust(source) }
}
