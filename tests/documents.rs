//! The documents lead to what is there: in the repository, in the package, and in the crate's own
//! documentation, which holds the guide.
//!
//! `UPDATE_DOCUMENTS=1 cargo test --test documents` brings the links of docs/ into the form that works
//! in all of them, and writes src/guide/links.md. The run after it tells whether they lead somewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Markdown files directly in a folder, as paths from the root.
fn pages(folder: &str) -> Vec<String> {
    let mut found: Vec<_> = fs::read_dir(root().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .map(|name| if folder.is_empty() { name } else { format!("{folder}/{name}") })
        .collect();
    found.sort();
    found
}

/// What the crate's documentation holds.
fn documents() -> Vec<String> {
    [pages("docs"), pages("docs/guide")].concat()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The lines of a document that are no code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        is_code ^= fence;
        !is_code && !fence
    })
}

/// Targets of inline links, `[text](target)`, and of definitions, `[label]: target`.
fn targets(text: &str) -> (Vec<String>, Vec<String>) {
    let (mut inline, mut defined) = (Vec::new(), Vec::new());
    for line in prose(text) {
        let definition = line.strip_prefix('[').and_then(|rest| rest.split_once("]: "));
        if let Some((_, target)) = definition.filter(|(label, _)| !label.contains(']')) {
            defined.push(target.to_owned());
        }
        let behind =
            line.match_indices("](").filter_map(|(at, _)| line[at + 2..].split(')').next());
        inline.extend(behind.map(str::to_owned));
    }
    let is_ours =
        |target: &String| !target.starts_with("https://") && !target.starts_with("http://");
    inline.retain(is_ours);
    defined.retain(is_ours);
    (inline, defined)
}

/// Labels of references: `[text][label]`.
fn labels(text: &str) -> Vec<String> {
    prose(text)
        .flat_map(|line| line.match_indices("][").map(|(at, _)| &line[at + 2..]))
        .filter_map(|rest| Some(rest.split_once(']')?.0.to_owned()))
        .collect()
}

/// The file that a link of this document leads to, from the root, and the heading in it.
fn resolve(document: &str, target: &str) -> (String, Option<String>) {
    let (file, heading) = target.split_once('#').map_or((target, None), |(f, h)| (f, Some(h)));
    let mut path = PathBuf::from(document);
    if !file.is_empty() {
        path.pop();
    }
    for part in Path::new(file).components() {
        match part {
            Component::ParentDir => assert!(path.pop(), "{document} links out: {target}"),
            part => path.push(part),
        }
    }
    (path.to_str().unwrap().to_owned(), heading.map(str::to_owned))
}

/// The ids that headings get, on the web as in rustdoc.
fn headings(text: &str) -> BTreeSet<String> {
    let id = |heading: &str| {
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.flat_map(char::to_lowercase).collect::<String>().replace(' ', "-")
    };
    prose(text)
        .filter(|line| line.starts_with('#'))
        .map(|line| id(line.trim_start_matches('#').trim()))
        .collect()
}

/// A page's module in the crate's documentation.
fn module(page: &str) -> String {
    let name = page.rsplit('/').next().unwrap().trim_end_matches(".md").replace('-', "_");
    if name == "README" { "crate::guide".to_owned() } else { format!("crate::guide::{name}") }
}

/// The document with references in place of inline links to files, defined at its end.
fn with_references(text: &str) -> String {
    let mut made = text.to_owned();
    let (inline, _) = targets(text);
    for target in inline.iter().filter(|target| !target.starts_with('#')) {
        made = made.replace(&format!("]({target})"), &format!("][{target}]"));
    }
    let defined: BTreeSet<_> = targets(&made).1.into_iter().collect();
    let is_definition = |line: &&str| defined.iter().any(|own| **line == format!("[{own}]: {own}"));
    let body: Vec<_> = made.lines().filter(|line| !is_definition(line)).collect();
    let used: BTreeSet<_> = labels(&made).into_iter().filter(|own| own.contains(".md")).collect();
    let mut made = body.join("\n").trim_end().to_owned() + "\n";
    if !used.is_empty() {
        made.push('\n');
        for own in used {
            made.extend(["[", &own, "]: ", &own, "\n"]);
        }
    }
    made
}

/// src/guide/links.md: what is a file in the repository is a module in the crate's documentation.
fn links() -> String {
    let mut all = BTreeMap::new();
    for document in documents() {
        for label in labels(&read(&document)).into_iter().filter(|label| label.contains(".md")) {
            let (file, heading) = resolve(&document, &label);
            let heading = heading.map(|heading| format!("#{heading}")).unwrap_or_default();
            let place = module(&file) + &heading;
            let before = all.insert(label.clone(), place.clone());
            assert!(before.is_none_or(|before| before == place), "{label} has two meanings");
        }
    }
    let lines: Vec<_> = all.iter().map(|(label, place)| format!("[{label}]: {place}")).collect();
    lines.join("\n") + "\n"
}

const UPDATE: &str = "UPDATE_DOCUMENTS=1 cargo test --test documents";

/// An inline link to a file would lead nowhere in the crate's documentation.
#[test]
fn pages_link_to_each_other_by_references() {
    let update = std::env::var_os("UPDATE_DOCUMENTS").is_some();
    let mut made: Vec<_> =
        documents().into_iter().map(|path| (path.clone(), with_references(&read(&path)))).collect();
    if update {
        for (path, text) in &made {
            fs::write(root().join(path), text).unwrap();
        }
    }
    made.push(("src/guide/links.md".to_owned(), links()));
    for (path, text) in made {
        if update {
            fs::write(root().join(&path), text).unwrap();
        } else {
            assert!(read(&path) == text, "links of {path} are not in form: {UPDATE}");
        }
    }
}

/// Every page is a module of the crate's documentation, and every module a page.
#[test]
fn the_guide_holds_every_page() {
    let source = read("src/guide/mod.rs");
    let held: BTreeSet<_> = source
        .lines()
        .filter_map(|line| line.trim().strip_suffix("\";")?.split_once(" = \""))
        .map(|(name, path)| (format!("crate::guide::{name}"), format!("docs/{path}")))
        .chain([("crate::guide".to_owned(), "docs/guide/README.md".to_owned())])
        .collect();
    let pages: BTreeSet<_> = documents().into_iter().map(|page| (module(&page), page)).collect();
    assert_eq!(held, pages);
    let contents = read("docs/guide/README.md");
    for page in self::pages("docs/guide") {
        let name = page.rsplit('/').next().unwrap();
        let listed = name == "README.md" || contents.contains(&format!("]: {name}\n"));
        assert!(listed, "{page} is not in the guide's contents");
    }
}

/// A block without a language is Rust to rustdoc.
#[test]
fn every_block_says_what_it_is() {
    for page in documents() {
        let text = read(&page);
        let fences = text.lines().filter_map(|line| line.trim_start().strip_prefix("```"));
        for language in fences.step_by(2) {
            assert!(!language.is_empty(), "a block of {page} does not say what it is");
        }
    }
}

/// Every link of every document leads to a file, and to a heading if it names one.
#[test]
fn links_lead_to_what_is_there() {
    let beside = ["proxy/README.md", "tests/browser/README.md", "tests/proxy/README.md"];
    let others = beside.map(str::to_owned);
    for document in pages("").into_iter().chain(documents()).chain(others) {
        let text = read(&document);
        let (inline, defined) = targets(&text);
        for target in inline.into_iter().chain(defined.clone()) {
            let (file, heading) = resolve(&document, &target);
            assert!(root().join(&file).exists(), "{document} links to {target}");
            if let Some(heading) = heading {
                let known = headings(&read(&file)).contains(&heading);
                assert!(known, "{document} links to {target}, where no such heading is");
            }
        }
        for label in labels(&text).into_iter().filter(|label| label.contains(".md")) {
            assert!(defined.contains(&label), "{document} does not define {label}");
        }
    }
}

/// Whoever has the package alone finds what its documents link to.
#[test]
fn what_is_linked_to_is_in_the_package() {
    let cargo = Command::new(env!("CARGO"))
        .args(["package", "--list", "--allow-dirty", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(cargo.status.success(), "{}", String::from_utf8_lossy(&cargo.stderr));
    let listed = String::from_utf8(cargo.stdout).unwrap();
    let files: Vec<_> = listed.lines().collect();
    for document in [vec!["README.md".to_owned()], documents()].concat() {
        assert!(files.contains(&&*document), "{document} is not in the package");
        let (inline, defined) = targets(&read(&document));
        for target in inline.into_iter().chain(defined) {
            let (file, _) = resolve(&document, &target);
            let inside = files.iter().any(|own| {
                own.strip_prefix(&*file)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            });
            assert!(inside, "{document} links to {target}, which is not in the package");
        }
    }
}

#[test]
fn the_forms_of_links() {
    let text = "\
A [page](flow.md), [the same][flow.md], a [part](login.md#a-b), [here](#x), [web](https://a.example/).

```toml
[not](a.md)
```

[flow.md]: flow.md
[old.md]: old.md
";
    let expected = "\
A [page][flow.md], [the same][flow.md], a [part][login.md#a-b], [here](#x), [web](https://a.example/).

```toml
[not](a.md)
```

[flow.md]: flow.md
[login.md#a-b]: login.md#a-b
";
    assert_eq!(with_references(text), expected);
    assert_eq!(with_references(expected), expected);
    assert_eq!(targets(expected).0, ["#x"]);
    let part = ("docs/guide/login.md".to_owned(), Some("a-b".to_owned()));
    assert_eq!(resolve("docs/guide/flow.md", "login.md#a-b"), part);
    assert_eq!(resolve("docs/guide/flow.md", "../a.md").0, "docs/a.md");
    assert_eq!(resolve("docs/guide/flow.md", "#x").0, "docs/guide/flow.md");
    let ids = headings("# A `b_c`: d\n## Über-uns\n```sh\n# no\n```\n");
    assert_eq!(ids.into_iter().collect::<Vec<_>>(), ["a-b_c-d", "über-uns"]);
}
