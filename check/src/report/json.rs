use serde_json::{Value, json};

use super::{Finding, Report, plain};
use crate::checks::{Severity, State};

pub(super) fn write(report: &Report<'_>) -> String {
    let findings = |state| report.checks(state).iter().map(one).collect::<Vec<_>>();
    let counts: serde_json::Map<_, _> = Severity::ALL
        .into_iter()
        .map(|severity| (severity.name().to_owned(), report.count(severity).into()))
        .collect();
    let viewers: Vec<_> = report
        .viewers
        .iter()
        .map(|row| {
            let reasons: Vec<_> = row.reasons.iter().map(|reason| plain(reason)).collect();
            json!({ "viewer": row.viewer, "works": row.works.name(), "reasons": reasons })
        })
        .collect();
    let json = json!({
        "target": plain(report.target),
        "version": env!("CARGO_PKG_VERSION"),
        "requests": report.requests,
        "login": report.login,
        "safety": report.safety,
        "counts": counts,
        "findings": findings(State::Fail),
        "unclear": findings(State::Unknown),
        "passed": report.checks(State::Pass).iter().map(|finding| finding.check.id).collect::<Vec<_>>(),
        "viewers": viewers,
    });
    format!("{json:#}\n")
}

fn one(finding: &Finding<'_>) -> Value {
    let check = finding.check;
    let places: Vec<_> = finding
        .outcomes
        .iter()
        .map(|outcome| json!({ "place": plain(&outcome.place), "seen": plain(&outcome.seen) }))
        .collect();
    json!({
        "check": check.id,
        "severity": check.severity.name(),
        "rows": check.rows,
        "clause": check.clause,
        "wrong": check.wrong,
        "breaks": check.breaks,
        "change": check.change,
        "places": places,
    })
}
