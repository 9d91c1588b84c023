use std::fmt::Write as _;

use super::{Report, markup};
use crate::checks::State;

/// A test case for each check; what cannot be told is skipped, with its reason.
pub(super) fn write(report: &Report<'_>) -> String {
    let (failed, unclear) = (report.checks(State::Fail), report.checks(State::Unknown));
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"iiif-auth-check {}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\">\n",
        markup(report.target),
        report.made(),
        failed.len(),
        unclear.len()
    );
    for finding in report.checks(State::Pass) {
        let check = finding.check;
        let _ = writeln!(
            xml,
            "  <testcase classname=\"{}\" name=\"{}\"/>",
            check.severity.name(),
            check.id
        );
    }
    for finding in &failed {
        let check = finding.check;
        let _ = write!(
            xml,
            "  <testcase classname=\"{}\" name=\"{}\"><failure message=\"{}\">",
            check.severity.name(),
            check.id,
            markup(check.wrong)
        );
        for outcome in &finding.outcomes {
            let _ = writeln!(xml, "{}: {}", markup(&outcome.place), markup(&outcome.seen));
        }
        let _ = writeln!(
            xml,
            "{}\n{}</failure></testcase>",
            markup(check.change),
            markup(check.clause)
        );
    }
    for finding in &unclear {
        let check = finding.check;
        let _ = writeln!(
            xml,
            "  <testcase classname=\"{}\" name=\"{}\"><skipped message=\"{}\"/></testcase>",
            check.severity.name(),
            check.id,
            markup(&finding.outcomes[0].seen)
        );
    }
    xml.push_str("</testsuite>\n");
    xml
}
