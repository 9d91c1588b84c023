//! Every requirement of the project's table is named by a check, or by a reason why it cannot be seen.

use std::collections::BTreeSet;
use std::process::Command;

/// What begins a line of the table: `| V2-GEN-1 |`.
fn requirements() -> BTreeSet<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/conformance.md");
    let table = std::fs::read_to_string(path).expect("the table of requirements");
    table
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(' ').next())
        .filter(|word| word.contains('-') && word.ends_with(|c: char| c.is_ascii_digit()))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_requirement_is_checked_or_said_to_be_out_of_sight() {
    let output = Command::new(env!("CARGO_BIN_EXE_iiif-auth-check"))
        .arg("--list")
        .output()
        .expect("the list");
    let list = String::from_utf8_lossy(&output.stdout);
    let (checks, unseen) = list.split_once("Not seen from outside:").expect("two parts");
    let seen: BTreeSet<_> = checks
        .lines()
        .filter_map(|line| line.strip_prefix("    says    "))
        .filter_map(|line| line.rsplit_once('(')?.1.strip_suffix(')'))
        .flat_map(|rows| rows.split(", "))
        .map(str::to_owned)
        .collect();
    let unseen: BTreeSet<_> = unseen
        .lines()
        .filter_map(|line| Some(line.trim().split_once(": ")?.0.to_owned()))
        .collect();
    let rows = requirements();
    assert!(rows.len() > 200, "{} rows were read", rows.len());
    let missing: Vec<_> =
        rows.iter().filter(|row| !seen.contains(*row) && !unseen.contains(*row)).collect();
    assert!(missing.is_empty(), "neither checked nor explained: {missing:?}");
    let both: Vec<_> = seen.intersection(&unseen).collect();
    assert!(both.is_empty(), "checked and yet out of sight: {both:?}");
    let unknown: Vec<_> = unseen.difference(&rows).collect();
    assert!(unknown.is_empty(), "explained, and in no table: {unknown:?}");
    let counted = seen.intersection(&rows).count();
    assert!(list.contains(&format!("{} rows cannot be seen from outside", unseen.len())));
    assert_eq!(counted + unseen.len(), rows.len());
}
