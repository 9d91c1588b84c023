//! Holds ARCHITECTURE.md and the sources together: a module imports only from lines below its own, no two
//! files import each other, and files and functions stay readable.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Lines of a file without its tests.
const LONGEST_FILE: usize = 350;
/// Lines of a function that gives no reason.
const LONGEST_FUNCTION: usize = 60;
/// How the sentence begins that gives one, in a comment above the function.
const REASON: &str = "Long, as ";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The top modules in the order of ARCHITECTURE.md: those of one line have the same number.
fn order() -> BTreeMap<String, usize> {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let (_, folders) = page.split_once("\n## Folders\n").expect("a chapter on folders");
    let block = folders.split("```").nth(1).expect("a list of folders");
    let mut order = BTreeMap::new();
    for (line, text) in block.lines().skip(1).enumerate() {
        let names = text.split("  ").next().unwrap_or_default();
        for name in names.split_whitespace() {
            let name = name.trim_end_matches('/').trim_end_matches(".rs").to_owned();
            assert_eq!(order.insert(name.clone(), line), None, "{name} stands twice");
        }
    }
    order
}

struct Source {
    /// Below `src`, with slashes.
    path: String,
    /// Without comments and tests.
    code: String,
    /// As it is, without tests.
    text: String,
}

impl Source {
    fn top(&self) -> &str {
        self.path.split('/').next().unwrap_or_default().trim_end_matches(".rs")
    }
}

fn sources() -> Vec<Source> {
    sources_of("src")
}

/// Those of one folder of the workspace.
fn sources_of(name: &str) -> Vec<Source> {
    fn read(folder: &Path, into: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                read(&path, into);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                into.push(path);
            }
        }
    }
    let folder = root().join(name);
    let mut paths = Vec::new();
    read(&folder, &mut paths);
    paths.sort();
    let source = |path: PathBuf| {
        let whole = fs::read_to_string(&path).unwrap();
        let text = whole.split("#[cfg(test)]\nmod ").next().unwrap_or_default().to_owned();
        let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
        Source {
            code: code.collect::<Vec<_>>().join("\n"),
            path: path.strip_prefix(&folder).unwrap().to_str().unwrap().replace('\\', "/"),
            text,
        }
    };
    paths.into_iter().map(source).collect()
}

/// The names behind each `crate::` of a source, groups resolved: `crate::{a, b::c}` is `a` and `b::c`.
fn imports(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back();
        if before.is_none_or(|c| !(c.is_alphanumeric() || c == '_' || c == '$')) {
            tree(&code[at + "crate::".len()..], "", &mut found);
        }
    }
    found
}

/// Reads one path of a use tree and says how many bytes it took.
fn tree(code: &str, prefix: &str, found: &mut BTreeSet<String>) -> usize {
    let name =
        |code: &str| code.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(code.len());
    if let Some(group) = code.strip_prefix('{') {
        let mut at = 0;
        while at < group.len() && !group[at..].starts_with('}') {
            let skipped =
                group[at..].len() - group[at..].trim_start_matches([',', ' ', '\n']).len();
            at += skipped;
            if !group[at..].starts_with('}') {
                at += tree(&group[at..], prefix, found).max(1);
            }
        }
        return at + 2;
    }
    let end = name(code);
    let own = if prefix.is_empty() {
        code[..end].to_owned()
    } else {
        format!("{prefix}::{}", &code[..end])
    };
    match code[end..].strip_prefix("::") {
        Some(rest) if rest.starts_with('{') || name(rest) > 0 => end + 2 + tree(rest, &own, found),
        _ => {
            found.insert(own);
            end
        }
    }
}

#[test]
fn a_module_imports_only_from_lines_below_its_own() {
    let order = order();
    let mut wrong = Vec::new();
    for source in sources() {
        if source.top() == "fuzzing" {
            continue;
        }
        let own = *order.get(source.top()).unwrap_or_else(|| {
            panic!("{} is not in the list of folders in ARCHITECTURE.md", source.path)
        });
        for import in imports(&source.code) {
            let top = import.split("::").next().unwrap_or_default();
            let Some(line) = order.get(top) else { continue };
            if top != source.top() && *line <= own && source.top() != "lib" {
                wrong.push(format!("{} imports {import}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "these point up or across:\n{}", wrong.join("\n"));
}

/// The file of `src` that a path of modules leads to, as far as there is one.
fn file_of(segments: &[&str], paths: &BTreeSet<&str>) -> Option<String> {
    (1..=segments.len()).rev().find_map(|length| {
        let stem = segments[..length].join("/");
        let named = [format!("{stem}.rs"), format!("{stem}/mod.rs")];
        named.into_iter().find(|path| paths.contains(path.as_str()))
    })
}

/// `mod.rs` declares its files and passes their names on: that is no import.
#[test]
fn no_two_files_import_each_other() {
    let sources = sources();
    let paths: BTreeSet<&str> = sources.iter().map(|source| &*source.path).collect();
    let mut edges = BTreeSet::new();
    for source in &sources {
        let folder: Vec<_> = source.path.split('/').collect();
        let folder = &folder[..folder.len() - 1];
        let mut names: Vec<String> = imports(&source.code).into_iter().collect();
        for (word, up) in [("super::super::", 2), ("super::", 1)] {
            let base = if source.path.ends_with("/mod.rs") {
                folder.len().checked_sub(up)
            } else {
                (folder.len() + 1).checked_sub(up)
            };
            let Some(base) = base else { continue };
            for (at, _) in source.code.match_indices(word) {
                // `super::super::a` is no `super::a`.
                if source.code[..at].ends_with("super::") {
                    continue;
                }
                let mut found = BTreeSet::new();
                tree(&source.code[at + word.len()..], "", &mut found);
                names.extend(found.into_iter().filter(|name| !name.starts_with("super")).map(
                    |name| {
                        let above = folder[..base.min(folder.len())].join("::");
                        if above.is_empty() { name } else { format!("{above}::{name}") }
                    },
                ));
            }
        }
        for name in names {
            let segments: Vec<_> = name.split("::").collect();
            if let Some(file) = file_of(&segments, &paths) {
                if file != source.path
                    && !file.ends_with("mod.rs")
                    && !source.path.ends_with("mod.rs")
                {
                    edges.insert((source.path.clone(), file));
                }
            }
        }
    }
    let both: Vec<_> = edges
        .iter()
        .filter(|(one, other)| one < other && edges.contains(&(other.clone(), one.clone())))
        .collect();
    assert!(both.is_empty(), "these import each other: {both:?}");
}

#[test]
fn files_and_functions_stay_readable() {
    let mut long = Vec::new();
    // The proxy and its logins, too.
    let folders = ["src", "proxy/src", "oidc/src"];
    let all = folders.map(|folder| sources_of(folder).into_iter().map(move |own| (folder, own)));
    for (folder, source) in all.into_iter().flatten() {
        let lines: Vec<_> = source.text.lines().collect();
        if lines.len() > LONGEST_FILE {
            long.push(format!("{folder}/{} has {} lines", source.path, lines.len()));
        }
        for (start, line) in lines.iter().enumerate() {
            let head = line.trim_start();
            let indent = line.len() - head.len();
            let is_function = head.split("fn ").next().is_some_and(|before| {
                head.contains("fn ")
                    && before.split_whitespace().all(|word| {
                        matches!(word, "const" | "async")
                            || word.starts_with("pub")
                            || word == "super)"
                    })
            });
            if !is_function {
                continue;
            }
            let end = lines[start..].iter().position(|own| {
                own.starts_with('}') && indent == 0 || *own == format!("{}}}", " ".repeat(indent))
            });
            let length = end.map_or(0, |end| end + 1);
            let above = lines[..start].iter().rev().take_while(|own| {
                let own = own.trim_start();
                own.starts_with("//") || own.starts_with("#[")
            });
            if length > LONGEST_FUNCTION && !above.into_iter().any(|own| own.contains(REASON)) {
                let place = format!("{folder}/{}:{}", source.path, start + 1);
                long.push(format!("{place} has {length} lines: {head}"));
            }
        }
    }
    assert!(long.is_empty(), "too long, or without a reason (\"{REASON}…\"):\n{}", long.join("\n"));
}

#[test]
fn the_reading_of_imports() {
    let code = "use crate::{a, b::{C, d::E}};\nuse crate::f::G;\nlet x = crate::h::i();\nuse mycrate::z;\npub(in crate::j) fn k() {}";
    let expected = ["a", "b::C", "b::d::E", "f::G", "h::i", "j"].map(str::to_owned);
    assert_eq!(imports(code), BTreeSet::from(expected));
}
