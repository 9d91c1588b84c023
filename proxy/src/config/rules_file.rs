//! `rules_file`: rules that somebody else writes, as CSV or TOML. They are asked before those of the
//! configuration.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use csv::StringRecord;
use toml::de::DeTable;
use tower_iiif_auth::authorizer::{Authorizer, Substitute};
use tower_iiif_auth::resource::Pattern;
use tower_iiif_auth::{LanguageMap, Message};

use super::mistakes::{Collector, Span};
use super::rule::{self, Rule, Says, Who, With};
use super::section::{Found, Section};
use crate::rights::{self, When};

/// How many mistakes of a file are told: one that is no list of rules has one in each line.
const MOST: usize = 20;

const COLUMNS: [&str; 9] = [
    "match",
    "allow",
    "from",
    "until",
    "hours",
    "heading",
    "note",
    "max_unauthorized",
    "substitute",
];

pub(super) fn read(section: &mut Section<'_, '_>, folder: &Path, with: With<'_>) -> Vec<Rule> {
    let mistakes = section.mistakes;
    let Some(Found { value, span }) = section.optional::<String>("rules_file") else {
        return Vec::new();
    };
    let path = folder.join(&value);
    mistakes.reads(&path);
    let text = std::fs::read_to_string(&path)
        .map_err(|error| format!("rules_file {} cannot be read: {error}", path.display()));
    let Some(text) = mistakes.check(&span, text) else { return Vec::new() };
    let kind = path.extension().and_then(std::ffi::OsStr::to_str).unwrap_or_default();
    let (rules, wrong) = match kind.to_ascii_lowercase().as_str() {
        "csv" => of_csv(&text, &span, with),
        "toml" => of_toml(&text, &span, with),
        _ => {
            let message = format!("rules_file {value:?} ends in neither .csv nor .toml");
            mistakes.add(&span, message);
            return Vec::new();
        }
    };
    for (line, message) in wrong.iter().take(MOST) {
        mistakes.add(&span, format!("{value} line {line}: {message}"));
    }
    if wrong.len() > MOST {
        mistakes.add(&span, format!("{value}: {} mistakes more", wrong.len() - MOST));
    }
    let placed = |rule: Rule| Rule { place: format!("{value} {}", rule.place), ..rule };
    rules.into_iter().map(placed).collect()
}

type Wrong = Vec<(u64, String)>;

/// Each with its line in `place`.
fn of_toml(text: &str, span: &Span, with: With<'_>) -> (Vec<Rule>, Wrong) {
    let own = Collector::new(text);
    let (table, faults) = DeTable::parse_recoverable(text);
    for fault in &faults {
        own.add(&fault.span().unwrap_or(0..0), fault.message());
    }
    let mut rules = Vec::new();
    if faults.is_empty() {
        let mut section = Section::new("", 0..0, table.into_inner(), &own);
        for table in section.sections("rule") {
            let line = own.line(&table.span);
            if let Some(rule) = rule::read(table, with) {
                rules.push(Rule { span: span.clone(), place: format!("line {line}: "), ..rule });
            }
        }
        section.finish();
    }
    let wrong = match own.finish(Some(())) {
        Ok(()) => Vec::new(),
        Err(all) => all.iter().map(|own| (own.line as u64, own.message.clone())).collect(),
    };
    (rules, wrong)
}

fn of_csv(text: &str, span: &Span, with: With<'_>) -> (Vec<Rule>, Wrong) {
    let (mut rules, mut wrong) = (Vec::new(), Wrong::new());
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let columns = match reader.headers().map(Columns::new) {
        Ok(Ok(columns)) => columns,
        Ok(Err(message)) => return (rules, vec![(1, message)]),
        Err(error) => return (rules, vec![(1, error.to_string())]),
    };
    // Most rules say the same of another identifier.
    let mut made: HashMap<Vec<String>, Made> = HashMap::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = line(text, error.position());
                wrong.push((line, "it has more or fewer columns than the first line".to_owned()));
                continue;
            }
        };
        let line = line(text, record.position());
        match columns.rule(&record, with, &mut made) {
            Ok((text, Made { when, authorizer, roles })) => rules.push(Rule {
                texts: vec![text.clone()],
                roles,
                span: span.clone(),
                place: format!("line {line}: "),
                says: rights::Rule {
                    patterns: vec![Pattern::new(text)],
                    when,
                    signed: false,
                    authorizer,
                },
            }),
            Err(message) => wrong.push((line, message)),
        }
    }
    (rules, wrong)
}

/// The line of a record: its position is before the blank lines and comments that it passed over.
fn line(text: &str, position: Option<&csv::Position>) -> u64 {
    let Some(position) = position else { return 0 };
    let start = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let rest = text.get(start..).unwrap_or_default();
    let skipped = rest.lines().take_while(|line| line.trim().is_empty() || line.starts_with('#'));
    position.line() + skipped.count() as u64
}

/// What a row says, its identifier aside.
#[derive(Clone)]
struct Made {
    when: When,
    authorizer: Arc<dyn Authorizer>,
    roles: Vec<String>,
}

/// In which place a column stands.
struct Columns(HashMap<&'static str, usize>);

impl Columns {
    fn new(header: &StringRecord) -> Result<Self, String> {
        let mut places = HashMap::new();
        for (place, name) in header.iter().enumerate() {
            let Some(known) = COLUMNS.iter().find(|own| **own == name) else {
                let message =
                    format!("there is no column {name:?}; known are {}", COLUMNS.join(", "));
                return Err(message);
            };
            if places.insert(*known, place).is_some() {
                return Err(format!("there are two columns {name:?}"));
            }
        }
        match ["match", "allow"].iter().find(|name| !places.contains_key(*name)) {
            Some(missing) => Err(format!("the column {missing} is missing in the first line")),
            None => Ok(Self(places)),
        }
    }

    fn cell<'r>(&self, record: &'r StringRecord, name: &str) -> Option<&'r str> {
        let cell = self.0.get(name).and_then(|place| record.get(*place));
        cell.filter(|cell| !cell.is_empty())
    }

    fn rule(
        &self,
        record: &StringRecord,
        with: With<'_>,
        made: &mut HashMap<Vec<String>, Made>,
    ) -> Result<(String, Made), String> {
        let pattern = self.cell(record, "match").ok_or("match is empty")?.to_owned();
        let says: Vec<String> = COLUMNS[1..]
            .iter()
            .map(|name| self.cell(record, name).unwrap_or_default().to_owned())
            .collect();
        if let Some(same) = made.get(&says) {
            return Ok((pattern, same.clone()));
        }
        let own = self.made(record, with)?;
        made.insert(says, own.clone());
        Ok((pattern, own))
    }

    fn made(&self, record: &StringRecord, with: With<'_>) -> Result<Made, String> {
        let cell = |name| self.cell(record, name);
        let list = |text: &str| -> Vec<String> {
            let parts = text.split(';').map(str::trim).filter(|part| !part.is_empty());
            parts.map(str::to_owned).collect()
        };
        let missing = "allow is empty: write everyone, nobody or roles with ; between";
        let who = match cell("allow").ok_or(missing)? {
            "everyone" => Who::Everyone,
            "nobody" => Who::Nobody,
            roles => Who::Roles(list(roles)),
        };
        let roles = match &who {
            Who::Roles(roles) if roles.is_empty() => return Err(missing.to_owned()),
            Who::Roles(roles) => roles.clone(),
            Who::Everyone | Who::Nobody => Vec::new(),
        };
        let hours = cell("hours").map(list).unwrap_or_default();
        let when = When::new(cell("from"), cell("until"), &hours, with.zone)?;
        let text = |text: &str| LanguageMap::from(text);
        let refusal = match (cell("heading"), cell("note")) {
            (Some(heading), Some(note)) => Some(Message::new(text(heading)).note(text(note))),
            (Some(heading), None) => Some(Message::new(text(heading))),
            (None, Some(_)) => return Err("a note needs a heading".to_owned()),
            (None, None) => None,
        };
        let pixels = cell("max_unauthorized").map(|text| {
            text.parse().map_err(|_| format!("max_unauthorized {text:?} is no number of pixels"))
        });
        let substitute = cell("substitute").map(Substitute::of_same_base);
        let says = Says { refusal, pixels: pixels.transpose()?, substitute, signed: false };
        says.fits(&who)?;
        let authorizer = says.authorizer(who, with).ok_or("there is no image server to ask")?;
        Ok(Made { when, authorizer, roles })
    }
}
