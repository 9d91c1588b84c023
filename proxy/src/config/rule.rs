//! `[[rule]]`: who may have what.

use std::sync::Arc;

use tower_iiif_auth::authorizer::{
    AccessRequest, Authorizer, Decision, Denial, RolesFor, Substitute,
};
use tower_iiif_auth::resource::{Pattern, Patterns};
use tower_iiif_auth::{Answer, BoxError};

use super::mistakes::Span;
use super::section::{Found, Section};
use super::text;
use crate::dimensions::{Dimensions, Small};

/// Rules in order: the first whose pattern covers a resource decides; what none covers is denied.
#[derive(Clone, Default)]
pub(super) struct Rules(Arc<Indexed>);

#[derive(Default)]
struct Indexed {
    patterns: Patterns,
    /// The rule of each pattern.
    authorizers: Vec<Arc<dyn Authorizer>>,
}

pub(super) struct Rule {
    /// Its patterns, as they stand in the file.
    pub(super) texts: Vec<String>,
    /// The roles that it asks for.
    pub(super) roles: Vec<String>,
    pub(super) span: Span,
    patterns: Vec<Pattern>,
    authorizer: Arc<dyn Authorizer>,
}

impl FromIterator<Rule> for Rules {
    fn from_iter<I: IntoIterator<Item = Rule>>(rules: I) -> Self {
        let mut all = Indexed::default();
        for Rule { patterns, authorizer, .. } in rules {
            all.authorizers.resize(all.authorizers.len() + patterns.len(), authorizer);
            all.patterns.extend(patterns);
        }
        Self(Arc::new(all))
    }
}

impl Authorizer for Rules {
    fn authorize(&self, request: &AccessRequest<'_>) -> Answer<Result<Decision, BoxError>> {
        let place = self.0.patterns.first(request.resource());
        match place.and_then(|place| self.0.authorizers.get(place)) {
            Some(authorizer) => authorizer.authorize(request),
            None => Answer::Now(Ok(Denial::never().into())),
        }
    }
}

/// Without the image server's address, which is a mistake elsewhere, no rule with a threshold can be made.
pub(super) fn read(
    mut section: Section<'_, '_>,
    dimensions: Option<&Arc<Dimensions>>,
) -> Option<Rule> {
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
    let pixels = section.optional::<u32>("max_unauthorized");
    let substitute = substitute(&mut section);

    let limited = matches!(&who, Some(Who::Roles(_)));
    for (key, there) in [
        ("heading", refusal.is_some() && matches!(&who, Some(Who::Everyone))),
        ("max_unauthorized", pixels.is_some() && who.is_some() && !limited),
        ("substitute", substitute.is_some() && who.is_some() && !limited),
    ] {
        if there {
            let message = format!("{key} has no meaning in a [[rule]] that does not ask for roles");
            mistakes.add(&section.span, message);
        }
    }
    let span = section.span.clone();
    section.finish();

    let mut roles_asked = Vec::new();
    let mut rules = match who? {
        Who::Everyone => RolesFor::new().open("*"),
        Who::Roles(roles) => {
            roles_asked.clone_from(&roles);
            RolesFor::new().roles("*", roles)
        }
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
        Some(pixels) => Arc::new(rules.or(Small::new(pixels.value, Arc::clone(dimensions?)))),
        None => Arc::new(rules),
    };
    let texts: Vec<_> = patterns.into_iter().map(|found| found.value).collect();
    let patterns = texts.iter().map(|text| Pattern::new(text.as_str())).collect();
    Some(Rule { texts, roles: roles_asked, span, patterns, authorizer })
}

enum Who {
    Everyone,
    Roles(Vec<String>),
    Nobody,
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
