//! Holds docs/conformance.md and the tests together: which test proves which row.
//!
//! `UPDATE_CONFORMANCE=1 cargo test --test conformance` writes the document's last column anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// How many rows each family has: they are numbered from one.
const FAMILIES: [(&str, usize); 26] = [
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

/// A row's tests: file, then functions in the order they stand.
type Proofs = BTreeMap<String, Vec<(String, String)>>;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The row ids in a text.
fn rows(text: &str) -> Vec<String> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
        .filter(|word| {
            let Some((family, number)) = word.rsplit_once('-') else { return false };
            let known = FAMILIES.iter().any(|(own, _)| *own == family);
            known && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
        })
        .map(str::to_owned)
        .collect()
}

/// One function of a test file, with the comments and attributes above it.
struct Function {
    name: String,
    is_test: bool,
    text: String,
}

/// The functions at the left margin of a source, and what stands outside of them.
fn functions(source: &str) -> (Vec<Function>, String) {
    let (mut found, mut outside, mut above) = (Vec::new(), String::new(), String::new());
    let mut open: Option<Function> = None;
    for line in source.lines() {
        if let Some(function) = &mut open {
            function.text += line;
            function.text.push('\n');
            if line == "}" {
                found.extend(open.take());
            }
            continue;
        }
        let head = line.trim_start_matches("pub ").trim_start_matches("async ");
        if let Some(rest) = head.strip_prefix("fn ") {
            let name = rest.split(['(', '<']).next().unwrap_or_default().to_owned();
            let is_test = above.contains("test]");
            let text = format!("{above}{line}\n");
            above.clear();
            let function = Function { name, is_test, text };
            if line.ends_with('}') {
                found.push(function);
            } else {
                open = Some(function);
            }
        } else if line.starts_with("///") || line.starts_with("#[") {
            above += line;
            above.push('\n');
        } else {
            outside += &above;
            above.clear();
            outside += line;
            outside.push('\n');
        }
    }
    assert!(open.is_none(), "a function has no end");
    (found, outside)
}

/// What the test functions of a file prove. A helper's rows are those of the tests that use it.
fn proofs(source: &str) -> Vec<(String, Vec<String>)> {
    let (functions, outside) = functions(source);
    assert_eq!(rows(&outside), [""; 0], "rows outside of any function");
    let mut known: Vec<BTreeSet<String>> =
        functions.iter().map(|function| rows(&function.text).into_iter().collect()).collect();
    let uses = |user: &Function, used: &Function| {
        user.text.match_indices(&format!("{}(", used.name)).any(|(at, _)| {
            let before = user.text[..at].chars().next_back();
            before.is_none_or(|c| !(c.is_alphanumeric() || c == '_')) && user.name != used.name
        })
    };
    // As often as helpers may use helpers.
    for _ in 0..4 {
        for (user, function) in functions.iter().enumerate() {
            for (used, helper) in functions.iter().enumerate() {
                if !helper.is_test && uses(function, helper) {
                    let more = known[used].clone();
                    known[user].extend(more);
                }
            }
        }
    }
    let tests = functions.iter().zip(known).filter(|(function, _)| function.is_test);
    tests.map(|(function, rows)| (function.name.clone(), rows.into_iter().collect())).collect()
}

/// All Rust files below a folder, in order.
fn sources(folder: &Path, deep: bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && deep && !path.ends_with("node_modules") {
            found.extend(sources(&path, deep));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// What the files directly below tests/ prove.
fn all_proofs() -> Proofs {
    let mut all = Proofs::new();
    for path in sources(&root().join("tests"), false) {
        let file = path.file_name().unwrap().to_str().unwrap().to_owned();
        if file == "conformance.rs" {
            continue;
        }
        for (function, rows) in proofs(&fs::read_to_string(&path).unwrap()) {
            for row in rows {
                all.entry(row).or_default().push((file.clone(), function.clone()));
            }
        }
    }
    all
}

/// The last cell of a row.
fn cell(proofs: &[(String, String)]) -> String {
    let mut text = String::new();
    let mut file = "";
    for (own, function) in proofs {
        match (file == own, text.is_empty()) {
            (true, _) => text += ", ",
            (false, true) => text.extend(["`", own, "` "]),
            (false, false) => text.extend(["; `", own, "` "]),
        }
        text.extend(["`", function, "`"]);
        file = own;
    }
    text
}

/// A line of a table: row id, level, requirement, proof.
fn columns(line: &str) -> Option<[&str; 4]> {
    let inside = line.strip_prefix("| ")?.strip_suffix('|')?;
    let columns: Vec<_> = inside.split('|').map(str::trim).collect();
    let columns: [&str; 4] = columns.try_into().ok()?;
    (rows(columns[0]) == [columns[0]]).then_some(columns)
}

#[test]
fn the_document_says_what_the_tests_prove() {
    let path = root().join("docs/conformance.md");
    let document = fs::read_to_string(&path).unwrap();
    let proofs = all_proofs();
    let mut made = String::new();
    for line in document.lines() {
        match columns(line) {
            Some([row, level, requirement, proof]) => {
                let proof = match proofs.get(row) {
                    Some(found) => cell(found),
                    None if proof.starts_with('—') => proof.to_owned(),
                    None => String::new(),
                };
                made += &["|", row, "|", level, "|", requirement, "|", &proof, "|"].join(" ");
            }
            None => made += line,
        }
        made.push('\n');
    }
    if std::env::var_os("UPDATE_CONFORMANCE").is_some() {
        fs::write(&path, &made).unwrap();
        return;
    }
    for (old, new) in document.lines().zip(made.lines()) {
        assert_eq!(
            old, new,
            "docs/conformance.md is not up to date: UPDATE_CONFORMANCE=1 cargo test --test conformance"
        );
    }
}

#[test]
fn every_row_stands_once_and_every_duty_is_proved() {
    let document = fs::read_to_string(root().join("docs/conformance.md")).unwrap();
    let lines: Vec<_> = document.lines().filter_map(columns).collect();
    let listed: Vec<_> = lines.iter().map(|[row, ..]| (*row).to_owned()).collect();
    for (family, count) in FAMILIES {
        let own: Vec<_> =
            listed.iter().filter(|row| row.rsplit_once('-').unwrap().0 == family).collect();
        let all: Vec<_> = (1..=count).map(|number| format!("{family}-{number}")).collect();
        assert_eq!(own, all.iter().collect::<Vec<_>>());
    }
    assert_eq!(listed.iter().collect::<BTreeSet<_>>().len(), listed.len(), "a row stands twice");
    let proofs = all_proofs();
    for [row, level, requirement, proof] in lines {
        let levels = ["must", "must*", "should", "should*", "may", "note", "choice"];
        assert!(levels.contains(&level), "{row}");
        assert!(requirement.ends_with('.'), "{row} has no sentence");
        let excused = proof.starts_with('—') && !level.starts_with("must");
        assert!(excused || proofs.contains_key(row), "no test proves {row}");
    }
}

#[test]
fn every_row_that_a_test_names_is_in_the_document() {
    let document = fs::read_to_string(root().join("docs/conformance.md")).unwrap();
    let listed: BTreeSet<_> =
        document.lines().filter_map(columns).map(|[row, ..]| row.to_owned()).collect();
    for folder in ["tests", "src", "examples"] {
        for path in sources(&root().join(folder), true) {
            for row in rows(&fs::read_to_string(&path).unwrap()) {
                let known = listed.contains(&row);
                assert!(known, "{row}, which {} names, is not in the document", path.display());
            }
        }
    }
}

#[test]
fn the_reading_of_sources() {
    let source = "\
/// V2-TOK-1
#[test]
fn one() {
    helper(); // V2-TOK-2
}

fn helper() {
    deeper();
}

fn empty() {}

fn deeper() {
    // CLI-1
}

#[tokio::test]
async fn two() {
    my_helper(); // V2-TOK-3, not V2-TOK or XV2-TOK-4
}
";
    let expected = [("one", &["CLI-1", "V2-TOK-1", "V2-TOK-2"][..]), ("two", &["V2-TOK-3"])];
    let expected = expected.map(|(function, rows)| {
        (function.to_owned(), rows.iter().map(|row| (*row).to_owned()).collect())
    });
    assert_eq!(proofs(source), expected);
    let line = columns("| V2-TOK-1 | must | Text. | — no |");
    assert_eq!(line, Some(["V2-TOK-1", "must", "Text.", "— no"]));
    assert_eq!(columns("| Row | Level | Requirement | Proved by |"), None);
}
