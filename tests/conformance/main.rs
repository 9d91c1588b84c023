//! Holds docs/conformance.md and docs/attacks.md and the tests together: which test proves which row.
//!
//! A row counts for a test where its id stands in the test's own body, in the comment above it, or,
//! as `se_13`, in its name. Helpers name none.
//!
//! `UPDATE_CONFORMANCE=1 cargo test --test conformance` writes the last column of both anew.

mod sources;
mod table;

use std::collections::{BTreeMap, BTreeSet};

use sources::{FAMILIES, File, GROUPS, Test, of_rust, of_script, read, rows};
use table::{ATTACKS, CONFORMANCE, Proofs, columns};

/// What the tests prove.
fn proofs() -> Proofs {
    let mut all = Proofs::new();
    for (file, source) in sources::all() {
        for test in read(&file, &source).tests {
            for row in test.rows() {
                all.entry(row).or_default().push((file.clone(), test.name.clone()));
            }
        }
    }
    all
}

#[test]
fn the_documents_say_what_the_tests_prove() {
    let proofs = proofs();
    for document in [CONFORMANCE, ATTACKS] {
        document.compare(&proofs);
    }
}

#[test]
fn every_requirement_stands_once_and_every_duty_is_proved() {
    let document = CONFORMANCE.read();
    let lines: Vec<[&str; 4]> = document.lines().filter_map(columns).collect();
    let listed: Vec<_> = lines.iter().map(|[row, ..]| (*row).to_owned()).collect();
    let numbered = |(family, count)| (1..=count).map(move |number| format!("{family}-{number}"));
    assert_eq!(listed, FAMILIES.into_iter().flat_map(numbered).collect::<Vec<_>>());
    let proofs = proofs();
    for [row, level, requirement, proof] in lines {
        let levels = ["must", "must*", "should", "should*", "may", "note", "choice"];
        assert!(levels.contains(&level), "{row}");
        assert!(requirement.ends_with('.'), "{row} has no sentence");
        let excused = proof.starts_with('—') && !level.starts_with("must");
        assert!(excused || proofs.contains_key(row), "no test proves {row}");
    }
}

#[test]
fn every_attack_stands_once_in_order_and_is_proved_or_said_to_be_open() {
    let document = ATTACKS.read();
    let lines: Vec<[&str; 3]> = document.lines().filter_map(columns).collect();
    let order = |row: &str| {
        let (group, number) = row.split_once('-').unwrap();
        (GROUPS.iter().position(|own| *own == group).unwrap(), number.to_owned())
    };
    let listed: Vec<_> = lines.iter().map(|[row, ..]| order(row)).collect();
    assert!(listed.is_sorted_by(|a, b| a < b), "twice, or out of order: {listed:?}");
    let proofs = proofs();
    for [row, attack, proof] in lines {
        assert!(attack.ends_with('.'), "{row} has no sentence");
        let known = proofs.contains_key(row) || proof == "— open";
        assert!(known, "no test names {row}: write one, or mark the row `— open`");
    }
}

#[test]
fn every_row_that_is_named_is_in_a_document() {
    let conformance = CONFORMANCE.read();
    let attacks = ATTACKS.read();
    let listed: BTreeSet<_> = (conformance.lines().filter_map(columns))
        .map(|[row, ..]: [&str; 4]| row)
        .chain(attacks.lines().filter_map(columns).map(|[row, ..]: [&str; 3]| row))
        .collect();
    for (file, source) in sources::all() {
        let named = read(&file, &source).tests;
        let in_names = named.iter().flat_map(Test::rows);
        for row in rows(&source).into_iter().chain(in_names) {
            assert!(listed.contains(&*row), "{row}, which {file} names, is in no document");
        }
    }
}

#[test]
fn only_tests_name_rows() {
    let mut strays = BTreeMap::new();
    for (file, source) in sources::all() {
        let found = rows(&read(&file, &source).outside);
        if !found.is_empty() {
            strays.insert(file, found);
        }
    }
    assert!(strays.is_empty(), "rows outside of any test, where they prove nothing: {strays:#?}");
}

/// Names and rows of a file's tests, and the rows outside of them.
fn told(file: &File) -> (Vec<(&str, Vec<String>)>, Vec<String>) {
    let tests = file.tests.iter().map(|test| (&*test.name, test.rows())).collect();
    (tests, rows(&file.outside))
}

fn owned(rows: &[&str]) -> Vec<String> {
    rows.iter().map(|row| (*row).to_owned()).collect()
}

#[test]
fn the_reading_of_rust() {
    let file = of_rust(
        "\
//! V2-TOK-7
/// V2-TOK-1
#[test]
fn one() {
    helper(); // V2-TOK-2
}

fn helper() {
    // CLI-1
}

fn empty() {}

trait Lines {
    fn declared(
        &self,
    ) -> u8;
}

#[tokio::test(start_paused = true)]
async fn se_13_two() {
    fn inner() {
    }
    my_helper(); // V2-TOK-3, not V2-TOK or XV2-TOK-4; BE-05's neighbour
}

mod more {
    /// MAP-1
    #[test]
    fn three() {
    }
}
",
    );
    let expected = vec![
        ("one", owned(&["V2-TOK-1", "V2-TOK-2"])),
        ("se_13_two", owned(&["BE-05", "SE-13", "V2-TOK-3"])),
        ("three", owned(&["MAP-1"])),
    ];
    assert_eq!(told(&file), (expected, owned(&["V2-TOK-7", "CLI-1"])));
}

#[test]
fn the_reading_of_scripts() {
    let file = of_script(
        "\
// PA-14
const x = 1;
const visiting = (name, body) =>
  test(name, () => body()); // PA-12

describe('all', () => {
  // PA-02: twice
  visiting('it\\'s pa_01', async () => {
    await x; // PA-03

  });
  test(`of ${x}`, () =>
    run(() => {
      x(); // PA-04
    }));
});
",
    );
    let expected =
        vec![("it's pa_01", owned(&["PA-01", "PA-02", "PA-03"])), ("of ${x}", owned(&["PA-04"]))];
    assert_eq!(told(&file), (expected, owned(&["PA-14", "PA-12"])));
}

#[test]
fn the_reading_of_tables() {
    let line = columns("| V2-TOK-1 | must | Text. | — no |");
    assert_eq!(line, Some(["V2-TOK-1", "must", "Text.", "— no"]));
    assert_eq!(columns("| BE-01 | Text. | — open |"), Some(["BE-01", "Text.", "— open"]));
    assert_eq!(columns::<4>("| Row | Level | Requirement | Proved by |"), None);
    assert_eq!(columns::<4>("| BE-01 | Text. | — open |"), None);
}
