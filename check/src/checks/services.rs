//! What the services of 2.0 hold, one by one.

use std::collections::HashMap;

use super::Severity::{Must, Should, Viewer};
use super::descriptions::{of, v2};
use super::{Check, Verdict, check, clip};
use crate::discover::{self, Kind, Role, Service, is_complete};
use crate::evidence::Evidence;

pub(super) const CHECKS: &[Check] = &[
    check(
        "probe-described",
        Must,
        &["V2-PROBE-1", "V2-PROBE-2"],
        "2.0 §5.1",
        [
            "A probe service lists no access service, or something else.",
            "Viewers do not know where to log in.",
            "Give it a `service` array of AuthAccessService2.",
        ],
        probe_described,
    ),
    check(
        "access-profile",
        Must,
        &["V2-ACC-1"],
        "2.0 §3.1",
        [
            "An access service has another profile than `active`, `kiosk` or `external`.",
            "Viewers ignore it.",
            "Use one of the three words.",
        ],
        access_profile,
    ),
    check(
        "access-id",
        Must,
        &["V2-ACC-2"],
        "2.0 §3.1",
        [
            "An active or kiosk access service has no id.",
            "There is nothing to open.",
            "Give it the URI of the login.",
        ],
        access_id,
    ),
    check(
        "external-without-id",
        Should,
        &["V2-ACC-3"],
        "2.0 §3.1, §3.3.3",
        ["An external access service has an id.", "None; it is ignored.", "Leave it out."],
        external_id,
    ),
    check(
        "one-token-service",
        Must,
        &["V2-ACC-4"],
        "2.0 §3.1",
        [
            "An access service has not exactly one token service, or more than one logout service.",
            "Without a token no viewer learns that the user is in.",
            "Put one AuthAccessTokenService2, and at most one AuthLogoutService2, into its `service`.",
        ],
        one_token,
    ),
    check(
        "active-label",
        Must,
        &["V2-ACC-5"],
        "2.0 §3.3.1",
        [
            "An active access service has no label.",
            "Users do not learn who asks them to log in; Mirador's window dies.",
            "Name the institution in `label`.",
        ],
        active_label,
    ),
    check(
        "active-texts",
        Should,
        &["V2-ACC-6"],
        "2.0 §3.3.1",
        [
            "An active access service has no heading or no note.",
            "Users get a bare button. (`confirmLabel` is not asked for here: as a language map it crashes a published Mirador.)",
            "Add `heading` and `note`.",
        ],
        active_texts,
    ),
    check(
        "error-heading",
        Must,
        &["V2-TOK-2", "V2-PROBE-3"],
        "2.0 §4.1, §5.1",
        [
            "`errorNote` stands without `errorHeading`.",
            "Viewers show a text without its title, or nothing.",
            "Add `errorHeading`.",
        ],
        error_heading,
    ),
    check(
        "logout-described",
        Must,
        &["V2-LOGOUT-2"],
        "2.0 §6.1",
        [
            "A logout service has no id or no label.",
            "Viewers cannot offer it.",
            "Give it an id and a label that names the institution.",
        ],
        logout_described,
    ),
    check(
        "logout-offered",
        Should,
        &["V2-LOGOUT-1"],
        "2.0 §6",
        [
            "An active access service offers no logout.",
            "Users at shared computers stay logged in.",
            "Add an AuthLogoutService2.",
        ],
        logout_offered,
    ),
    check(
        "ids-without-query",
        Viewer,
        &["CLI-1"],
        "2.0 §3.2, §4.2; all viewers put `?origin=` behind",
        [
            "The id of an access, token or logout service has a query or a fragment.",
            "Viewers send `…?a=b?origin=…`, and the login fails.",
            "Put what the query says into the path.",
        ],
        queries,
    ),
    check(
        "ids-differ",
        Viewer,
        &["CON-3"],
        "seen in CanvasPanel and Mirador",
        [
            "Services of two kinds have one URI in a document.",
            "CanvasPanel refuses the manifest.",
            "Give services of 2.0 and of 1.0 different URIs.",
        ],
        ids_differ,
    ),
];

fn probe_described(evidence: &Evidence, v: &mut Verdict) {
    for (index, service) in of(evidence, Role::Probe) {
        let named = discover::members(service.json.get("service")).len();
        let access =
            evidence.children(index).filter(|(_, child)| child.role == Role::Access).count();
        v.that(named > 0 && access == named, evidence.place(service), || {
            format!("{access} of the {named} in `service` are access services")
        });
    }
}

fn access_profile(evidence: &Evidence, v: &mut Verdict) {
    for (_, service) in of(evidence, Role::Access).filter(|(_, service)| is_complete(service)) {
        let profile = service.text("profile").unwrap_or_default();
        v.that(matches!(profile, "active" | "kiosk" | "external"), evidence.place(service), || {
            format!("profile {profile:?}")
        });
    }
}

fn access_id(evidence: &Evidence, v: &mut Verdict) {
    for (_, service) in of(evidence, Role::Access) {
        if matches!(service.profile(), "active" | "kiosk") {
            v.that(service.id().is_some(), evidence.place(service), || "no id".to_owned());
        }
    }
}

fn external_id(evidence: &Evidence, v: &mut Verdict) {
    for (_, service) in
        of(evidence, Role::Access).filter(|(_, service)| service.profile() == "external")
    {
        v.that(service.id().is_none(), evidence.place(service), || {
            clip(service.id().unwrap_or_default())
        });
    }
}

fn one_token(evidence: &Evidence, v: &mut Verdict) {
    for (index, service) in of(evidence, Role::Access).filter(|(_, service)| is_complete(service)) {
        let count = |role| evidence.children(index).filter(|(_, child)| child.role == role).count();
        let (tokens, logouts) = (count(Role::Token), count(Role::Logout));
        v.that(tokens == 1 && logouts <= 1, evidence.place(service), || {
            format!("{tokens} token services, {logouts} logout services")
        });
    }
}

fn active(evidence: &Evidence) -> impl Iterator<Item = (usize, &Service)> {
    of(evidence, Role::Access)
        .filter(|(_, service)| service.profile() == "active" && is_complete(service))
}

fn active_label(evidence: &Evidence, v: &mut Verdict) {
    for (_, service) in active(evidence) {
        v.that(service.json.get("label").is_some(), evidence.place(service), || {
            "no label".to_owned()
        });
    }
}

fn active_texts(evidence: &Evidence, v: &mut Verdict) {
    for (_, service) in active(evidence) {
        for key in ["heading", "note"] {
            v.that(service.json.get(key).is_some(), evidence.place(service), || {
                format!("no {key}")
            });
        }
    }
}

fn error_heading(evidence: &Evidence, v: &mut Verdict) {
    for (_, service) in v2(evidence) {
        if service.json.get("errorNote").is_some() {
            v.that(service.json.get("errorHeading").is_some(), evidence.place(service), || {
                "errorNote alone".to_owned()
            });
        }
    }
}

fn logout_described(evidence: &Evidence, v: &mut Verdict) {
    for (_, service) in of(evidence, Role::Logout) {
        for key in ["id", "label"] {
            v.that(service.json.get(key).is_some(), evidence.place(service), || {
                format!("no {key}")
            });
        }
    }
}

fn logout_offered(evidence: &Evidence, v: &mut Verdict) {
    for (index, service) in active(evidence) {
        let offered = evidence.children(index).any(|(_, child)| child.role == Role::Logout);
        v.that(offered, evidence.place(service), || "no logout service".to_owned());
    }
}

fn queries(evidence: &Evidence, v: &mut Verdict) {
    for service in evidence.services.iter().filter(|service| service.host != Kind::ProbeResult) {
        if let (Some(id), false) = (service.id(), service.role == Role::Probe) {
            v.that(!id.contains(['?', '#']), evidence.place(service), || clip(id));
        }
    }
}

fn ids_differ(evidence: &Evidence, v: &mut Verdict) {
    let mut first = HashMap::new();
    for service in &evidence.services {
        let Some(id) = service.id() else { continue };
        let seen = *first.entry((service.document, id)).or_insert(service);
        let same = (seen.role, seen.family) == (service.role, service.family);
        let other = Some(seen).filter(|_| !same);
        v.that(other.is_none(), evidence.place(service), || {
            format!(
                "{} stands for {}, too",
                clip(id),
                other.map_or("", |other| other.place.as_str())
            )
        });
    }
}
