//! Each check is proved twice: on the right server it passes, and on one that makes exactly this
//! mistake it fails.

use std::collections::{BTreeMap, BTreeSet};

use crate::arguments::Arguments;
use crate::checks::{self, Needs, State};
use crate::report::Report;
use crate::serve::{How, MUTANTS, start};

fn arguments(base: &str, at: &str, how: How) -> Arguments {
    let mut arguments = Arguments::for_target(&format!("{base}{at}"));
    arguments.rate = None;
    arguments.resources = 20;
    arguments.quiet = true;
    arguments.own = vec![base.replace("127.0.0.1", "localhost")];
    match how {
        How::Nobody => {}
        How::Login => {
            arguments.fields =
                ["user", "password"].map(|name| (name.to_owned(), "reader".to_owned())).into();
        }
        How::Click => arguments.click = true,
        How::Safety => arguments.safety = true,
        // Proved beside the browser.
        How::Browser => arguments.browser = true,
    }
    arguments
}

fn ids(report: &Report<'_>, state: State) -> BTreeSet<&'static str> {
    report.checks(state).iter().map(|finding| finding.check.id).collect()
}

fn seen(report: &Report<'_>) -> String {
    let failed = report.checks(State::Fail);
    failed
        .iter()
        .flat_map(|finding| &finding.outcomes)
        .map(|one| format!("{}: {} {}", one.check.id, one.place, one.seen))
        .collect::<Vec<_>>()
        .join("\n")
}

fn alone() -> impl Iterator<Item = &'static crate::serve::Mutant> {
    MUTANTS.iter().filter(|mutant| mutant.how != How::Browser)
}

/// Wherever a mutant is looked at, and in the other manifests.
const PLACES: [(&str, How); 6] = [
    ("/manifest-4.json", How::Nobody),
    ("/manifest-1.json", How::Nobody),
    ("/manifest-0.json", How::Nobody),
    ("/errors.json", How::Nobody),
    ("/iiif/3/terms/info.json", How::Click),
    ("/iiif/2/terms/info.json", How::Click),
];

#[test]
fn the_right_server_has_no_finding_and_each_mutant_exactly_its_own() {
    let (base, _) = start(None, false);
    let places: BTreeSet<_> = alone().map(|mutant| (mutant.at, mutant.how)).chain(PLACES).collect();
    let mut passed = BTreeMap::new();
    let mut wrong = String::new();
    for (at, how) in places {
        let arguments = arguments(&base, at, how);
        let report = crate::run::look(&arguments, &mut Vec::new()).expect(at);
        if !ids(&report, State::Fail).is_empty() {
            wrong.extend([format!("--- right server, {at} {how:?}\n{}", seen(&report))]);
        }
        passed.insert((at, how), ids(&report, State::Pass));
    }
    for mutant in alone() {
        let (base, _) = start(Some(mutant.name), false);
        let arguments = arguments(&base, mutant.at, mutant.how);
        let report = crate::run::look(&arguments, &mut Vec::new()).expect(mutant.name);
        let breaks: BTreeSet<_> = mutant.breaks.iter().copied().collect();
        if ids(&report, State::Fail) != breaks {
            wrong.extend([format!(
                "--- {}: {:?}\n{}",
                mutant.name,
                ids(&report, State::Fail),
                seen(&report)
            )]);
        }
        for id in breaks.iter().filter(|id| !passed[&(mutant.at, mutant.how)].contains(*id)) {
            wrong
                .extend([format!("--- {}: {id} does not pass on the right server\n", mutant.name)]);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_check_has_a_mutant_of_its_own() {
    for check in checks::all().filter(|check| check.needs != Needs::Browser) {
        let alone = MUTANTS.iter().any(|mutant| mutant.breaks == [check.id]);
        let among = MUTANTS.iter().any(|mutant| mutant.breaks.contains(&check.id));
        assert!(alone || among, "{} fails on no mutant", check.id);
    }
    let names: BTreeSet<_> = MUTANTS.iter().map(|mutant| mutant.name).collect();
    assert_eq!(names.len(), MUTANTS.len());
}
