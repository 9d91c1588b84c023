//! What is legal in a configuration, and foolish.

use std::collections::HashSet;

use super::access::Access;
use super::base::{Base, Kind};
use super::mistakes::Collector;
use super::rule::Rule;
use super::settings::Settings;

/// How many rules are told that are never reached: a file may have many.
const MOST: usize = 20;

/// What is looked at.
pub(super) struct Given<'g> {
    pub(super) settings: &'g Settings,
    pub(super) bases: &'g [Base],
    pub(super) accesses: &'g [Access],
    pub(super) rules: &'g [Rule],
    /// Somebody says who asks, or nobody has to.
    pub(super) has_front: bool,
    pub(super) mistakes: &'g Collector<'g>,
}

pub(super) fn find(given: &Given<'_>) {
    fronts(given);
    roles_that_nobody_has(given);
    rules_that_are_never_reached(given);
    bases_with_everything(given);
    public_paths_below_bases(given);
}

fn fronts(given: &Given<'_>) {
    let Given { settings, mistakes, has_front, .. } = given;
    let https = settings.public_url.as_deref().is_some_and(|url| url.starts_with("https:"));
    if https && !has_front {
        let message = "trusted_proxies is missing, though TLS has to end in a front: list its \
                       address, or all its clients are one for the limit of wrong passwords and \
                       for the log, and none of them is in a reading room";
        mistakes.warn(&settings.public_url_span, message);
    }
}

fn roles_that_nobody_has(given: &Given<'_>) {
    let mut known = HashSet::new();
    for access in given.accesses {
        match &access.roles {
            Some(roles) => known.extend(roles.iter().map(String::as_str)),
            // They come from outside.
            None => return,
        }
    }
    // Once for the same roles: a file may have many rules.
    let mut told = HashSet::new();
    for rule in given.rules {
        let missing: Vec<_> =
            rule.roles.iter().filter(|role| !known.contains(role.as_str())).collect();
        let none = missing.len() == rule.roles.len() && !missing.is_empty();
        if none && told.insert(missing.clone()) {
            let message = format!(
                "nobody has {}: no [[access]] and no user gives it, so what this rule covers is closed to \
                 everyone",
                missing.iter().map(|role| format!("{role:?}")).collect::<Vec<_>>().join(" or ")
            );
            given.mistakes.warn(&rule.span, format!("{}{message}", rule.place));
        }
    }
}

fn rules_that_are_never_reached(given: &Given<'_>) {
    let mut seen: HashSet<&str> = HashSet::new();
    let mut told = 0;
    for rule in given.rules.iter().filter(|own| own.says.when.is_always()) {
        let covered = |text: &str| seen.contains("*") || seen.contains(text);
        let texts: Vec<_> = rule.texts.iter().map(String::as_str).collect();
        let never: Vec<_> = texts.iter().copied().filter(|text| covered(text)).collect();
        if told >= MOST {
            return;
        }
        if seen.contains("*") && !texts.is_empty() {
            told += 1;
            let message = "a rule above matches \"*\", which is everything: this one is never reached. \
                           The first rule that fits decides";
            given.mistakes.warn(&rule.span, format!("{}{message}", rule.place));
        } else if let [first, ..] = never[..] {
            told += 1;
            let message = format!(
                "{first:?} stands in a rule above, which decides: here it is never reached"
            );
            given.mistakes.warn(&rule.span, format!("{}{message}", rule.place));
        }
        seen.extend(texts);
    }
}

fn bases_with_everything(given: &Given<'_>) {
    for base in given.bases {
        let (root, top) = (base.is_root(), base.upstream_path.is_empty());
        let message = match base.kind {
            Kind::Files(_) if top => {
                "everything that the image server has lies below this base, pages of its administration \
                 included, and is had by whom a rule lets in: give it an upstream_path, if that is not meant"
                    .to_owned()
            }
            Kind::Images(_) if root => format!(
                "a base at the root leaves room for no other: every path of one segment is an image there, \
                 such as /robots.txt, whatever public_paths say, and no image below {} is to be had, where \
                 the services are",
                given.settings.endpoints
            ),
            _ => continue,
        };
        given.mistakes.warn(&base.span, message);
    }
}

fn public_paths_below_bases(given: &Given<'_>) {
    for public in &given.settings.public_paths {
        for base in given.bases {
            let below =
                public.text.strip_prefix(&*base.path).is_some_and(|rest| rest.starts_with('/'));
            if !below || base.leaves(&public.text.replace('*', "x")) {
                continue;
            }
            let what = match base.kind {
                Kind::Images(_) if base.is_root() => {
                    "the base at {}, where it has the shape of an image's: its rules decide, and \
                     public_paths do not"
                }
                Kind::Images(_) => {
                    "the base of images at {}: what is no image there, such as a manifest, is not passed \
                     on. Give the manifests a path of their own"
                }
                Kind::Files(_) => "the base at {}: its rules decide, and public_paths do not",
            };
            let message =
                format!("{:?} lies below {}", public.text, what.replace("{}", base.shown()));
            given.mistakes.warn(&public.span, message);
        }
    }
}
