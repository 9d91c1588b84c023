//! What was found, for people and for machines. Everything that a server sent is escaped here.

mod html;
mod json;
mod junit;
mod text;

use crate::checks::{Check, Outcome, Severity, State};
use crate::viewers::Row;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    Json,
    Junit,
    Html,
}

#[expect(clippy::struct_excessive_bools, reason = "what was asked for, each by itself")]
pub(crate) struct Report<'a> {
    pub(crate) target: &'a str,
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) viewers: Vec<Row>,
    pub(crate) requests: usize,
    /// Whether there was a login, and whether what may do harm was asked.
    pub(crate) login: bool,
    pub(crate) safety: bool,
    pub(crate) colour: bool,
    /// Everything that passed and what could not be told, too.
    pub(crate) long: bool,
}

/// A check with what it says, over all places.
pub(crate) struct Finding<'a> {
    pub(crate) check: &'static Check,
    pub(crate) outcomes: Vec<&'a Outcome>,
}

impl Report<'_> {
    pub(crate) fn write(&self, format: Format) -> String {
        match format {
            Format::Text => text::write(self),
            Format::Json => json::write(self),
            Format::Junit => junit::write(self),
            Format::Html => html::write(self),
        }
    }

    /// Checks in this state. A check that fails in one place fails; one that passes somewhere and is
    /// unclear elsewhere is unclear.
    pub(crate) fn checks(&self, state: State) -> Vec<Finding<'_>> {
        let mut found: Vec<Finding<'_>> = Vec::new();
        for check in crate::checks::all() {
            let of: Vec<_> =
                self.outcomes.iter().filter(|outcome| outcome.check.id == check.id).collect();
            let has = |state| of.iter().any(|outcome| outcome.state == state);
            let is = if has(State::Fail) {
                State::Fail
            } else if has(State::Unknown) {
                State::Unknown
            } else {
                State::Pass
            };
            if !of.is_empty() && is == state {
                let outcomes = of.into_iter().filter(|outcome| outcome.state == state).collect();
                found.push(Finding { check, outcomes });
            }
        }
        found.sort_by_key(|finding| finding.check.severity);
        found
    }

    pub(crate) fn count(&self, severity: Severity) -> usize {
        self.checks(State::Fail).iter().filter(|finding| finding.check.severity == severity).count()
    }

    /// In one line.
    fn summary(&self) -> String {
        let counts =
            Severity::ALL.map(|severity| format!("{} {}", self.count(severity), severity.name()));
        format!(
            "{} (of {} checks made, {} passed)",
            counts.join(", "),
            self.made(),
            self.checks(State::Pass).len()
        )
    }

    fn made(&self) -> usize {
        [State::Pass, State::Fail, State::Unknown]
            .map(|state| self.checks(state).len())
            .iter()
            .sum()
    }
}

/// Text of a server's for a terminal or a log: one line, no control characters, nothing that turns
/// the direction of writing.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .map(|c| {
            let odd = c.is_control()
                || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                    | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}');
            if odd { c.escape_unicode().to_string() } else { c.to_string() }
        })
        .collect()
}

/// For HTML and XML: text and attributes.
fn markup(text: &str) -> String {
    let mut escaped = String::new();
    for c in plain(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // No part of XML 1.0.
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::all;

    fn hostile() -> Report<'static> {
        let check = all().next().expect("a check");
        let seen = "\u{1b}[2J\u{9b}31m\u{61c}\u{2063}\u{e0041}<script>alert(1)</script>]]>\r\n::warning::\u{202e}\"'&".to_owned();
        let outcome = Outcome { check, state: State::Fail, place: seen.clone(), seen };
        Report {
            target: "https://a.example/<b>\u{1b}[1m",
            outcomes: vec![outcome],
            viewers: vec![Row {
                viewer: "Mirador",
                works: crate::viewers::Works::No,
                reasons: vec!["<i>".into()],
            }],
            requests: 1,
            login: false,
            safety: false,
            colour: false,
            long: true,
        }
    }

    #[test]
    fn what_servers_send_is_escaped_in_every_format() {
        for format in [Format::Text, Format::Json, Format::Junit, Format::Html] {
            let text = hostile().write(format);
            assert!(!text.contains('\u{1b}'), "{format:?}");
            assert!(
                !text.contains(['\u{202e}', '\u{9b}', '\u{61c}', '\u{2063}', '\u{e0041}']),
                "{format:?}"
            );
            assert!(!text.contains('\r'), "{format:?}");
            if matches!(format, Format::Junit | Format::Html) {
                assert!(!text.contains("<script>alert"), "{format:?}");
                assert!(!text.contains("<b>\\u"), "{format:?}");
                assert!(!text.contains("]]>"), "{format:?}");
            }
        }
        let json: serde_json::Value =
            serde_json::from_str(&hostile().write(Format::Json)).expect("JSON");
        assert!(
            json["findings"][0]["places"][0]["seen"]
                .as_str()
                .is_some_and(|seen| seen.contains("<script>"))
        );
        let page = hostile().write(Format::Html);
        // One page that asks nothing of anybody.
        assert!(!page.contains("http-equiv=\"refresh") && !page.contains(" src="));
    }
}
