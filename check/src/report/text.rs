use std::fmt::Write as _;

use super::{Finding, Report, plain};
use crate::checks::{Severity, State};
use crate::viewers::Works;

/// Places that are printed of a finding.
const PLACES: usize = 4;

pub(super) fn write(report: &Report<'_>) -> String {
    let mut text = format!("{}\n\n", plain(report.target));
    for finding in report.checks(State::Fail) {
        one(report, &finding, &mut text);
    }
    let unclear = report.checks(State::Unknown);
    if !unclear.is_empty() {
        text.push_str("Cannot be told:\n");
        for finding in &unclear {
            let outcome = finding.outcomes[0];
            let _ = writeln!(
                text,
                "  {}  {}: {}",
                finding.check.id,
                plain(&outcome.place),
                plain(&outcome.seen)
            );
        }
        text.push('\n');
    }
    if report.long {
        text.push_str("Passed:\n");
        for finding in report.checks(State::Pass) {
            let _ = writeln!(text, "  {} ({})", finding.check.id, finding.check.clause);
        }
        text.push('\n');
    }
    text.push_str("Viewers:\n");
    for row in &report.viewers {
        let works = match row.works {
            Works::Yes => paint(report, "32", "yes"),
            Works::No => paint(report, "31", "no "),
            Works::Unknown => paint(report, "33", "?  "),
        };
        let _ = writeln!(text, "  {works} {}", row.viewer);
        for reason in &row.reasons {
            let _ = writeln!(text, "        {}", plain(reason));
        }
    }
    let _ = writeln!(text, "\n{}; {} requests.", report.summary(), report.requests);
    if !report.login {
        text.push_str("Nobody was logged in: --field NAME=VALUE, --cookie or --browser look behind the door.\n");
    }
    text
}

fn one(report: &Report<'_>, finding: &Finding<'_>, text: &mut String) {
    let check = finding.check;
    let colour = match check.severity {
        Severity::Safety => "1;31",
        Severity::Must => "31",
        Severity::Should => "33",
        Severity::Viewer => "35",
    };
    let severity = paint(report, colour, &check.severity.name().to_uppercase());
    let _ = writeln!(text, "{severity}  {}  {}", check.id, check.wrong);
    for outcome in finding.outcomes.iter().take(PLACES) {
        let _ = writeln!(text, "    at      {}", plain(&outcome.place));
        if !outcome.seen.is_empty() {
            let _ = writeln!(text, "    seen    {}", plain(&outcome.seen));
        }
    }
    if finding.outcomes.len() > PLACES {
        let _ = writeln!(text, "            and {} more", finding.outcomes.len() - PLACES);
    }
    let _ = writeln!(text, "    breaks  {}", check.breaks);
    let _ = writeln!(text, "    change  {}", check.change);
    let _ = writeln!(text, "    says    {} ({})\n", check.clause, check.rows.join(", "));
}

fn paint(report: &Report<'_>, colour: &str, text: &str) -> String {
    if report.colour { format!("\u{1b}[{colour}m{text}\u{1b}[0m") } else { text.to_owned() }
}
