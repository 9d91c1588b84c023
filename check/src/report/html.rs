use std::fmt::Write as _;

use super::{Finding, Report, markup};
use crate::checks::{Severity, State};

/// One page that needs nothing else.
pub(super) fn write(report: &Report<'_>) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <title>IIIF authorization of {0}</title><style>{1}</style></head><body>\
         <h1>IIIF authorization</h1><p class=\"target\">{0}</p>\n<ul class=\"counts\">",
        markup(report.target),
        include_str!("page.css"),
    );
    for severity in Severity::ALL {
        let _ = write!(page, "<li><b>{}</b>{}</li>", report.count(severity), severity.name());
    }
    let _ = writeln!(page, "<li><b>{}</b>passed</li></ul>", report.checks(State::Pass).len());
    let failed = report.checks(State::Fail);
    let heading = if failed.is_empty() { "Nothing was found" } else { "What was found" };
    let _ = writeln!(page, "<h2>{heading}</h2>");
    for finding in &failed {
        article(finding, &mut page);
    }
    viewers(report, &mut page);
    let unclear = report.checks(State::Unknown);
    if !unclear.is_empty() {
        page.push_str("<h2>What cannot be told</h2><ul>");
        for finding in &unclear {
            let outcome = finding.outcomes[0];
            let _ = write!(
                page,
                "<li><code>{}</code> {}: {}</li>",
                finding.check.id,
                markup(&outcome.place),
                markup(&outcome.seen)
            );
        }
        page.push_str("</ul>\n");
    }
    page.push_str("<details><summary>What passed</summary><ul>");
    for finding in report.checks(State::Pass) {
        let check = finding.check;
        let _ = write!(
            page,
            "<li><code>{}</code> <span class=\"quiet\">{}</span></li>",
            check.id,
            markup(check.clause)
        );
    }
    let login = if report.login { "somebody was logged in" } else { "nobody was logged in" };
    let _ = writeln!(
        page,
        "</ul></details><footer>iiif-auth-check {}; {} requests; {login}.</footer></body></html>",
        env!("CARGO_PKG_VERSION"),
        report.requests
    );
    page
}

fn article(finding: &Finding<'_>, page: &mut String) {
    let check = finding.check;
    let severity = check.severity.name();
    let _ = write!(
        page,
        "<article class=\"{severity}\"><h3><code>{}</code><span class=\"badge\">{severity}</span>{}</h3><dl>",
        check.id,
        code(check.wrong)
    );
    for outcome in finding.outcomes.iter().take(8) {
        let _ = write!(
            page,
            "<dt>seen</dt><dd><code>{}</code> {}</dd>",
            markup(&outcome.place),
            markup(&outcome.seen)
        );
    }
    if finding.outcomes.len() > 8 {
        let _ = write!(page, "<dt></dt><dd>and {} more</dd>", finding.outcomes.len() - 8);
    }
    let _ = writeln!(
        page,
        "<dt>breaks</dt><dd>{}</dd><dt>change</dt><dd>{}</dd><dt>says</dt><dd class=\"quiet\">{} ({})</dd></dl></article>",
        code(check.breaks),
        code(check.change),
        markup(check.clause),
        markup(&check.rows.join(", "))
    );
}

/// A text of ours, with its backticks as code.
fn code(text: &str) -> String {
    let parts: Vec<_> = text.split('`').map(markup).collect();
    let tag = |at: usize| ["<code>", "</code>"][(at + 1) % 2];
    parts.iter().enumerate().fold(String::new(), |text, (at, part)| match at {
        0 => part.clone(),
        _ => format!("{text}{}{part}", tag(at)),
    })
}

fn viewers(report: &Report<'_>, page: &mut String) {
    page.push_str(
        "<h2>Which viewers will work</h2><table><tr><th>Viewer</th><th>Works</th><th>Why</th></tr>",
    );
    for row in &report.viewers {
        let reasons: Vec<_> = row.reasons.iter().map(|reason| code(reason)).collect();
        let works = row.works.name();
        let _ = write!(
            page,
            "<tr><td>{}</td><td class=\"{works}\">{works}</td><td>{}</td></tr>",
            markup(row.viewer),
            reasons.join("<br>")
        );
    }
    page.push_str("</table>\n");
}
