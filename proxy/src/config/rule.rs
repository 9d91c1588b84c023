//! `[[rule]]`: who may have what.

use std::sync::Arc;

use jiff::tz::TimeZone;
use tower_iiif_auth::Message;
use tower_iiif_auth::authorizer::{Authorizer, RolesFor, Substitute};
use tower_iiif_auth::resource::Pattern;

use super::mistakes::Span;
use super::section::{Found, Section};
use super::text;
use crate::dimensions::{Dimensions, Small};
use crate::rights::{self, When};

/// A rule, and where it stands.
pub(super) struct Rule {
    /// Its patterns, as they stand in the file.
    pub(super) texts: Vec<String>,
    /// The roles that it asks for.
    pub(super) roles: Vec<String>,
    pub(super) span: Span,
    /// Where in another file it stands, before a message.
    pub(super) place: String,
    pub(super) says: rights::Rule,
}

/// What rules are made with.
#[derive(Clone, Copy)]
pub(super) struct With<'w> {
    /// Without the image server's address, which is a mistake elsewhere, no rule with a threshold can be
    /// made.
    pub(super) dimensions: Option<&'w Arc<Dimensions>>,
    pub(super) zone: &'w TimeZone,
}

pub(super) fn read(mut section: Section<'_, '_>, with: With<'_>) -> Option<Rule> {
    let mistakes = section.mistakes;
    let patterns = section.list("match");
    if patterns.is_empty() {
        mistakes.add(&section.span, "match is missing in [[rule]]: list patterns, such as [\"*\"]");
    }
    let who = if section.has("allow") {
        who(&mut section)
    } else {
        mistakes.add(
            &section.span,
            "allow is missing in [[rule]]: write \"everyone\", \"nobody\" or a list of roles",
        );
        None
    };
    let refusal = text::message(&mut section, "heading", "note");
    let pixels = section.optional::<u32>("max_unauthorized").map(|found| found.value);
    let substitute = substitute(&mut section);
    let signed = section.or("signed_locations", false);
    let when = when(&mut section, with.zone);

    let span = section.span.clone();
    let says = Says { refusal, pixels, substitute, signed };
    if let Some(who) = &who {
        if let Err(message) = says.fits(who) {
            mistakes.add(&span, message);
        }
    }
    section.finish();

    let who = who?;
    let texts: Vec<_> = patterns.into_iter().map(|found| found.value).collect();
    let patterns = texts.iter().map(|text| Pattern::new(text.as_str())).collect();
    let roles = who.roles().to_vec();
    let rule =
        rights::Rule { patterns, when: when?, signed, authorizer: says.authorizer(who, with)? };
    Some(Rule { texts, roles, span, place: String::new(), says: rule })
}

fn when(section: &mut Section<'_, '_>, zone: &TimeZone) -> Option<When> {
    let mistakes = section.mistakes;
    let from = section.optional::<String>("from");
    let until = section.optional::<String>("until");
    let hours = section.list("hours");
    let span = section.span.clone();
    let texts: Vec<_> = hours.iter().map(|found| found.value.clone()).collect();
    let text = |found: &Option<Found<String>>| found.as_ref().map(|found| found.value.clone());
    let (from_text, until_text) = (text(&from), text(&until));
    let when = When::new(from_text.as_deref(), until_text.as_deref(), &texts, zone);
    // In the line of what is wrong.
    let span = match when.as_ref().err().map(|error| error.split(':').next().unwrap_or_default()) {
        Some("from") => from.map_or(span, |found| found.span),
        Some("until") => until.map_or(span, |found| found.span),
        Some("hours") => hours.first().map_or(span, |found| found.span.clone()),
        _ => span,
    };
    mistakes.check(&span, when)
}

/// What a rule says to those whom it does not let in.
#[derive(Default)]
pub(super) struct Says {
    pub(super) refusal: Option<Message>,
    pub(super) pixels: Option<u32>,
    pub(super) substitute: Option<Substitute>,
    /// Whether probes say where it is to be had without a cookie.
    pub(super) signed: bool,
}

impl Says {
    /// What has no meaning beside who is let in is a mistake.
    pub(super) fn fits(&self, who: &Who) -> Result<(), String> {
        let limited = matches!(who, Who::Roles(_));
        for (key, there) in [
            ("heading", self.refusal.is_some() && matches!(who, Who::Everyone)),
            ("max_unauthorized", self.pixels.is_some() && !limited),
            ("substitute", self.substitute.is_some() && !limited),
            ("signed_locations", self.signed && !limited),
        ] {
            if there {
                return Err(format!(
                    "{key} has no meaning in a [[rule]] that does not ask for roles"
                ));
            }
        }
        Ok(())
    }

    pub(super) fn authorizer(self, who: Who, with: With<'_>) -> Option<Arc<dyn Authorizer>> {
        let Self { refusal, pixels, substitute, signed } = self;
        let mut rules = match who {
            Who::Everyone => RolesFor::new().open("*"),
            Who::Roles(roles) => RolesFor::new().roles("*", roles),
            Who::Nobody => match &refusal {
                Some(refusal) => RolesFor::new().nobody("*", refusal.clone()),
                None => RolesFor::new().roles::<String>("*", []),
            },
        };
        if let Some(refusal) = refusal {
            rules = rules.refusing(refusal);
        }
        if let Some(substitute) = substitute {
            rules = rules.substitute(substitute);
        }
        let authorizer: Arc<dyn Authorizer> = match pixels {
            Some(pixels) => {
                let dimensions = Arc::clone(with.dimensions?);
                Arc::new(rules.or(Small::new(pixels, dimensions)))
            }
            None => Arc::new(rules),
        };
        Some(if signed { Arc::new(authorizer.signed_locations()) } else { authorizer })
    }
}

/// Whom a rule lets in.
pub(super) enum Who {
    Everyone,
    Roles(Vec<String>),
    Nobody,
}

impl Who {
    fn roles(&self) -> &[String] {
        match self {
            Self::Roles(roles) => roles,
            Self::Everyone | Self::Nobody => &[],
        }
    }
}

#[derive(serde::Deserialize)]
#[serde(untagged, expecting = "write \"everyone\", \"nobody\" or a list of roles")]
enum Allow {
    Word(String),
    Roles(Vec<String>),
}

fn who(section: &mut Section<'_, '_>) -> Option<Who> {
    let mistakes = section.mistakes;
    let Found { value, span } = section.optional("allow")?;
    match value {
        Allow::Word(word) if word == "everyone" => Some(Who::Everyone),
        Allow::Word(word) if word == "nobody" => Some(Who::Nobody),
        Allow::Roles(roles) if !roles.is_empty() => Some(Who::Roles(roles)),
        Allow::Word(word) => {
            let message = format!(
                "allow {word:?} is neither \"everyone\" nor \"nobody\"; roles are a list: [{word:?}]"
            );
            mistakes.add(&span, message);
            None
        }
        Allow::Roles(_) => {
            mistakes.add(&span, "allow has no role: list one, or write \"nobody\"");
            None
        }
    }
}

/// `substitute = { identifier = "…", label = "…" }`, or with a `uri` that is open to everyone.
fn substitute(section: &mut Section<'_, '_>) -> Option<Substitute> {
    let mistakes = section.mistakes;
    let mut table = section.section("substitute")?;
    let identifier = table.optional::<String>("identifier");
    let uri = table.parsed("uri", str::parse::<tower_iiif_auth::AbsoluteUri>);
    let label = text::text(&mut table, "label");
    let substitute = match (identifier, uri) {
        (Some(identifier), None) => Some(Substitute::of_same_base(identifier.value)),
        (None, Some(uri)) => Some(Substitute::elsewhere(uri.value)),
        _ => {
            mistakes.add(&table.span, "substitute needs either an identifier or a uri");
            None
        }
    };
    table.finish();
    match label {
        Some(label) => substitute.map(|substitute| substitute.label(label)),
        None => substitute,
    }
}
