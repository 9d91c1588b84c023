//! What is judged. A check is a row of a table: what it is about, where the specification says so, and
//! a function that reads the evidence.

mod access;
mod content;
mod cookies;
mod cors;
mod descriptions;
mod documents;
mod older;
mod older_tokens;
mod out;
mod probe;
mod probe_results;
mod rows;
mod services;
mod substitutes;
mod token;
mod token_errors;
mod token_safety;
mod tokens_granted;

pub(crate) use rows::{UNSEEN, coverage};

use std::collections::HashSet;

use serde_json::Value;

use crate::discover::Service;
use crate::evidence::{Evidence, Told};
use crate::http::Exchange;
use crate::message::{Posted, Reading};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// Somebody gets what is not theirs, or could.
    Safety,
    /// The specification says MUST, or nothing works otherwise.
    Must,
    Should,
    /// The specification allows it, and published viewers break.
    Viewer,
}

impl Severity {
    pub(crate) const ALL: [Self; 4] = [Self::Safety, Self::Must, Self::Should, Self::Viewer];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Safety => "safety",
            Self::Must => "must",
            Self::Should => "should",
            Self::Viewer => "viewer",
        }
    }
}

/// What has to be given for a check to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    Nothing,
    Login,
    /// `--safety`
    Safety,
    Browser,
}

pub(crate) struct Check {
    pub(crate) id: &'static str,
    pub(crate) severity: Severity,
    /// Requirements and attacks, by the ids of this project.
    pub(crate) rows: &'static [&'static str],
    /// Where it is said.
    pub(crate) clause: &'static str,
    /// What is wrong when it fails.
    pub(crate) wrong: &'static str,
    /// What that breaks for users.
    pub(crate) breaks: &'static str,
    /// What to change.
    pub(crate) change: &'static str,
    pub(crate) needs: Needs,
    pub(crate) run: fn(&Evidence, &mut Verdict),
}

/// The words of a check, in the order in which they are read.
pub(crate) const fn check(
    id: &'static str,
    severity: Severity,
    rows: &'static [&'static str],
    clause: &'static str,
    [wrong, breaks, change]: [&'static str; 3],
    run: fn(&Evidence, &mut Verdict),
) -> Check {
    Check { id, severity, rows, clause, wrong, breaks, change, needs: Needs::Nothing, run }
}

impl Check {
    pub(crate) const fn needs(self, needs: Needs) -> Self {
        Self { needs, ..self }
    }
}

/// Every check, by themes.
pub(crate) fn all() -> impl Iterator<Item = &'static Check> {
    [
        descriptions::CHECKS,
        services::CHECKS,
        documents::CHECKS,
        older::CHECKS,
        older_tokens::CHECKS,
        cors::CHECKS,
        probe::CHECKS,
        probe_results::CHECKS,
        substitutes::CHECKS,
        token::CHECKS,
        token_errors::CHECKS,
        token_safety::CHECKS,
        access::CHECKS,
        content::CHECKS,
        cookies::CHECKS,
        tokens_granted::CHECKS,
        out::CHECKS,
        crate::browser::CHECKS,
    ]
    .into_iter()
    .flatten()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum State {
    Pass,
    Fail,
    /// Neither can be said.
    Unknown,
}

pub(crate) struct Outcome {
    pub(crate) check: &'static Check,
    pub(crate) state: State,
    pub(crate) place: String,
    /// What was seen, or why nothing can be said.
    pub(crate) seen: String,
}

/// What a check says. A check that says nothing had nothing to look at.
pub(crate) struct Verdict {
    check: &'static Check,
    outcomes: Vec<Outcome>,
    /// What was said already.
    said: HashSet<(State, String, String)>,
}

/// What servers send may be as long as they like.
const LONGEST: usize = 600;

fn bounded(mut text: String) -> String {
    if let Some((at, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(at);
        text.push('…');
    }
    text
}

impl Verdict {
    fn add(&mut self, state: State, place: impl Into<String>, seen: impl Into<String>) {
        let (place, seen) = (bounded(place.into()), bounded(seen.into()));
        if self.said.insert((state, place.clone(), seen.clone())) {
            self.outcomes.push(Outcome { check: self.check, state, place, seen });
        }
    }

    pub(crate) fn pass(&mut self, place: impl Into<String>) {
        self.add(State::Pass, place, "");
    }

    pub(crate) fn fail(&mut self, place: impl Into<String>, seen: impl Into<String>) {
        self.add(State::Fail, place, seen);
    }

    pub(crate) fn unknown(&mut self, place: impl Into<String>, why: impl Into<String>) {
        self.add(State::Unknown, place, why);
    }

    pub(crate) fn that(
        &mut self,
        right: bool,
        place: impl Into<String>,
        seen: impl FnOnce() -> String,
    ) {
        if right {
            self.pass(place);
        } else {
            self.fail(place, seen());
        }
    }

    /// The answer, or that there was none.
    fn answered<'a>(&mut self, exchange: &'a Exchange) -> Option<&'a crate::http::Answer> {
        match &exchange.outcome {
            Ok(answer) => Some(answer),
            Err(error) => {
                self.unknown(exchange.place(), error.clone());
                None
            }
        }
    }

    /// The message, if the page can be read. That there is none is said by `token-page` alone.
    fn posted<'a>(&mut self, told: &'a Told) -> Option<&'a Posted> {
        match &told.reading {
            Reading::Posted(posted) => Some(posted),
            Reading::Nothing => None,
            Reading::Unclear(why) => {
                let why = format!("{why}: cannot tell without --browser");
                self.unknown(told.exchange.place(), why);
                None
            }
        }
    }
}

/// Runs the checks that are wanted.
pub(crate) fn judge(evidence: &Evidence, wanted: impl Fn(&Check) -> bool) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for check in all().filter(|check| wanted(check)) {
        let mut verdict = Verdict { check, outcomes: Vec::new(), said: HashSet::new() };
        (check.run)(evidence, &mut verdict);
        outcomes.append(&mut verdict.outcomes);
    }
    outcomes
}

const CONTEXT: &str = "http://iiif.io/api/auth/2/context.json";

/// A language map: tags to arrays of strings.
fn is_map(value: &Value) -> bool {
    value.as_object().is_some_and(|map| {
        !map.is_empty()
            && map.keys().all(|tag| {
                tag == "none" || tag.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            })
            && map.values().all(|texts| {
                texts
                    .as_array()
                    .is_some_and(|texts| !texts.is_empty() && texts.iter().all(Value::is_string))
            })
    })
}

/// A value in a few words.
fn short(value: &Value) -> String {
    clip(&value.to_string())
}

fn clip(text: &str) -> String {
    match text.char_indices().nth(120) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// How a 2.0 service or object names its strings.
fn texts<'a>(service: &'a Service, keys: &'a [&str]) -> impl Iterator<Item = (&'a str, &'a Value)> {
    keys.iter().filter_map(|key| Some((*key, service.json.get(*key)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_words_and_stand_once() {
        let mut ids: Vec<_> = all().map(|check| check.id).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
        for check in all() {
            assert!(
                check.id.chars().all(|c| c.is_ascii_lowercase() || c == '-' || c.is_ascii_digit())
            );
            assert!(!check.rows.is_empty(), "{} names no row", check.id);
            for text in [check.clause, check.wrong, check.breaks, check.change] {
                assert!(!text.is_empty(), "{}", check.id);
            }
        }
    }

    #[test]
    fn language_maps_are_maps_of_arrays_of_strings() {
        use serde_json::json;
        for right in [json!({"en": ["a"]}), json!({"none": ["a", "b"], "de-CH": ["c"]})] {
            assert!(is_map(&right), "{right}");
        }
        for wrong in [
            json!("a"),
            json!({"en": "a"}),
            json!({"en": []}),
            json!({}),
            json!([{"en": ["a"]}]),
            json!({"en": [1]}),
        ] {
            assert!(!is_map(&wrong), "{wrong}");
        }
    }
}
