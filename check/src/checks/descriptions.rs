//! Services of 2.0, as they are declared.

use super::Severity::{Must, Should, Viewer};
use super::{CONTEXT, Check, Verdict, check, clip, is_map, short, texts};
use crate::discover::{self, Family, Kind, Role, Service, is_complete};
use crate::evidence::Evidence;
use crate::http::is_loopback;

pub(super) const CHECKS: &[Check] = &[
    check(
        "services-https",
        Must,
        &["V2-GEN-1", "CON-22"],
        "2.0 §2",
        [
            "A service is not https.",
            "Pages on https may not frame or fetch it, and tokens travel in the clear.",
            "Give it an https URI.",
        ],
        https,
    ),
    check(
        "service-ids",
        Must,
        &["V2-GEN-2", "V2-TOK-1"],
        "2.0 §3.1, §4.1, §5.1, §6.1",
        [
            "A service has no absolute URI as its id.",
            "Viewers cannot open it.",
            "Write `id` as a string with an absolute URI.",
        ],
        ids,
    ),
    check(
        "string-maps",
        Must,
        &["V2-GEN-3", "CON-16"],
        "2.0 §3.3.1, Presentation 3 §4.4",
        [
            "A text for users is no language map.",
            "Viewers show nothing, or crash.",
            "Write {\"en\": [\"…\"]} in place of a string.",
        ],
        maps,
    ),
    check(
        "plain-texts",
        Should,
        &["V2-GEN-3"],
        "Presentation 3 §4.5",
        ["A text for users holds HTML.", "Users read the tags.", "Leave out the markup."],
        plain,
    ),
    check(
        "service-arrays",
        Must,
        &["V2-GEN-4", "CON-18"],
        "2.0 §2.1, §3.1, §5.1",
        [
            "`service` is an object where an array belongs.",
            "CanvasPanel throws an error and shows no picture.",
            "Put the object into an array.",
        ],
        arrays,
    ),
    check(
        "types-exact",
        Must,
        &["V2-GEN-5"],
        "2.0 §3 to §6",
        [
            "A service is spelt with `@id` or `@type`, or with another type than 2.0 has.",
            "Viewers do not recognise it.",
            "Write `id` and `type`, and the types of 2.0 exactly.",
        ],
        types,
    ),
    check(
        "manifest-profiles",
        Viewer,
        &["V2-GEN-5"],
        "Presentation 2.1 §4.1, 3.0 §4.3; seen in Mirador and Universal Viewer",
        [
            "A probe in a manifest has no `profile`.",
            "Mirador up to 4.2 and Universal Viewer throw an error and show no picture.",
            "Give it one, whatever it says.",
        ],
        profiles,
    ),
    check(
        "manifest-profiles-inside",
        Should,
        &["V2-GEN-5"],
        "Presentation 2.1 §4.1, 3.0 §4.3",
        [
            "A token or logout service in a manifest has no `profile`.",
            "Readers that ask every service for it may stumble.",
            "Give every service in a manifest a `profile`, whatever it says.",
        ],
        profiles_inside,
    ),
    check(
        "nesting",
        Must,
        &["V2-DECL-1"],
        "2.0 §2.1",
        [
            "A service stands in the wrong one.",
            "Viewers do not find it.",
            "Nest resource, probe, access, and in it token and logout service.",
        ],
        nesting,
    ),
    check(
        "context-at-top",
        Must,
        &["V2-DECL-5", "CON-17"],
        "2.0 §2.1",
        [
            "The `@context` at the top does not name Authorization Flow 2.0 before the document's own context.",
            "To readers of JSON-LD the services mean nothing.",
            "Make `@context` an array: …, auth/2, and the document's own context last.",
        ],
        context_at_top,
    ),
    check(
        "context-inside",
        Should,
        &["V2-DECL-6"],
        "2.0 §2.1",
        [
            "A service has a `@context` of its own.",
            "The context is read twice.",
            "Leave it out: it stands at the top of the document.",
        ],
        context_inside,
    ),
    check(
        "context-on-service",
        Should,
        &["V2-DECL-7"],
        "2.0 §2.1, Image 2.1 §5.2",
        [
            "In a document of version 2 the outermost service does not name its `@context`.",
            "To readers of JSON-LD the services mean nothing.",
            "Put \"@context\": \"http://iiif.io/api/auth/2/context.json\" on the probe service.",
        ],
        context_on_service,
    ),
    check(
        "services-in-full",
        Must,
        &["V2-DECL-9", "SEC-11"],
        "Presentation 3 §3.3.1, 4",
        [
            "A service is only referred to.",
            "No viewer follows references; Ramp crashes at the second canvas.",
            "Write the access service in full wherever it stands.",
        ],
        complete,
    ),
    check(
        "one-family",
        Viewer,
        &["CON-1"],
        "seen in Mirador",
        [
            "2.0 and an older version stand in one document.",
            "Mirador without a `profile` on the probe shows nothing; its fork asks to log in twice.",
            "Let Image API 3 speak 2.0, and Image API 2 speak 1.0.",
        ],
        one_family,
    ),
];

pub(super) fn v2(evidence: &Evidence) -> impl Iterator<Item = (usize, &Service)> {
    let services = evidence.services.iter().enumerate();
    services.filter(|(_, service)| {
        service.family == Family::V2 && (service.host.is_info() || service.host.is_manifest())
    })
}

pub(super) fn of(evidence: &Evidence, role: Role) -> impl Iterator<Item = (usize, &Service)> {
    v2(evidence).filter(move |(_, service)| service.role == role)
}

fn https(evidence: &Evidence, v: &mut Verdict) {
    let services = evidence.services.iter().filter(|service| service.host != Kind::ProbeResult);
    for service in services {
        let Some(url) = service.id().and_then(|id| url::Url::parse(id).ok()) else { continue };
        // Development on this machine is nobody else's matter.
        let right = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
        v.that(right, evidence.place(service), || format!("{url}"));
    }
}

fn ids(evidence: &Evidence, v: &mut Verdict) {
    for (_, service) in v2(evidence) {
        let Some(id) = service.json.get("id").or_else(|| service.json.get("@id")) else {
            if service.role == Role::Probe || service.role == Role::Token {
                v.fail(evidence.place(service), "no id");
            }
            continue;
        };
        let absolute = id.as_str().is_some_and(|id| {
            url::Url::parse(id).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
        });
        v.that(absolute, evidence.place(service), || short(id));
    }
}

const TEXTS: [&str; 6] = ["label", "heading", "note", "confirmLabel", "errorHeading", "errorNote"];

fn maps(evidence: &Evidence, v: &mut Verdict) {
    for (_, service) in v2(evidence) {
        for (key, value) in texts(service, &TEXTS) {
            v.that(is_map(value), evidence.place(service), || format!("{key}: {}", short(value)));
        }
    }
}

fn plain(evidence: &Evidence, v: &mut Verdict) {
    for (_, service) in v2(evidence) {
        for (key, value) in texts(service, &TEXTS) {
            let text = value.to_string();
            let tag = text.split('<').skip(1).any(|rest| {
                rest.trim_start_matches('/').starts_with(|c: char| c.is_ascii_alphabetic())
                    && rest.contains('>')
            });
            v.that(!tag, evidence.place(service), || format!("{key}: {}", clip(&text)));
        }
    }
}

fn arrays(evidence: &Evidence, v: &mut Verdict) {
    for (_, service) in v2(evidence) {
        // Version 2 documents have objects of their own.
        if service.parent.is_some() || service.host.is_version_3() {
            v.that(service.listed, evidence.place(service), || "an object".to_owned());
        }
    }
}

fn types(evidence: &Evidence, v: &mut Verdict) {
    let names = [
        "AuthProbeService2",
        "AuthAccessService2",
        "AuthAccessTokenService2",
        "AuthLogoutService2",
    ];
    for (_, service) in v2(evidence) {
        let at = ["@id", "@type"].into_iter().find(|key| service.json.get(*key).is_some());
        let kind = service.text("type").unwrap_or_default();
        v.that(at.is_none() && names.contains(&kind), evidence.place(service), || match at {
            Some(key) => format!("has {key}"),
            None => format!("type {kind:?}"),
        });
    }
}

fn profiles(evidence: &Evidence, v: &mut Verdict) {
    for (_, service) in of(evidence, Role::Probe).filter(|(_, service)| service.host.is_manifest())
    {
        v.that(service.text("profile").is_some(), evidence.place(service), || {
            "no profile".to_owned()
        });
    }
}

fn profiles_inside(evidence: &Evidence, v: &mut Verdict) {
    let inner =
        v2(evidence).filter(|(_, service)| matches!(service.role, Role::Token | Role::Logout));
    for (_, service) in inner.filter(|(_, service)| service.host.is_manifest()) {
        v.that(service.text("profile").is_some(), evidence.place(service), || {
            "no profile".to_owned()
        });
    }
}

fn nesting(evidence: &Evidence, v: &mut Verdict) {
    for (_, service) in v2(evidence) {
        let parent = service.parent.map(|parent| &evidence.services[parent]);
        let role = parent.map(|parent| parent.role);
        let right = match service.role {
            Role::Probe => role.is_none(),
            Role::Access => role == Some(Role::Probe) || (role.is_none() && service.shared),
            _ => role == Some(Role::Access) || (role.is_none() && service.shared),
        };
        v.that(right, evidence.place(service), || {
            let kind = service.text("type").unwrap_or("a service").to_owned();
            format!(
                "{kind} in {}",
                parent.map_or("a resource", |parent| parent.text("type").unwrap_or("a service"))
            )
        });
    }
}

fn context_at_top(evidence: &Evidence, v: &mut Verdict) {
    for (index, document) in evidence.documents.iter().enumerate() {
        let Some(json) = document.json.as_ref().filter(|_| document.kind.is_version_3()) else {
            continue;
        };
        if !v2(evidence).any(|(_, service)| service.document == index) {
            continue;
        }
        let contexts = discover::contexts(json);
        let at = contexts.iter().position(|context| *context == CONTEXT);
        let last = contexts
            .last()
            .is_some_and(|last| last.contains("/image/") || last.contains("/presentation/"));
        v.that(at.is_some() && last && json["@context"].is_array(), document.url.clone(), || {
            short(&json["@context"])
        });
    }
}

fn context_inside(evidence: &Evidence, v: &mut Verdict) {
    for (_, service) in v2(evidence).filter(|(_, service)| service.host.is_version_3()) {
        let context = service.json.get("@context");
        v.that(context.is_none(), evidence.place(service), || {
            context.map(short).unwrap_or_default()
        });
    }
}

fn context_on_service(evidence: &Evidence, v: &mut Verdict) {
    for (_, service) in v2(evidence).filter(|(_, service)| !service.host.is_version_3()) {
        if service.parent.is_none() {
            let contexts = discover::contexts(&service.json);
            v.that(contexts.contains(&CONTEXT), evidence.place(service), || {
                format!("@context {contexts:?}")
            });
        }
    }
}

fn complete(evidence: &Evidence, v: &mut Verdict) {
    for (_, service) in of(evidence, Role::Access) {
        v.that(is_complete(service), evidence.place(service), || short(&service.json));
    }
}

fn one_family(evidence: &Evidence, v: &mut Verdict) {
    for (index, document) in evidence.documents.iter().enumerate() {
        let here = |two: bool| {
            evidence.services.iter().any(|service| {
                service.document == index
                    && !service.json.is_null()
                    && (service.family == Family::V2) == two
            })
        };
        if here(true) || here(false) {
            v.that(!(here(true) && here(false)), document.url.clone(), || {
                "2.0 beside an older version".to_owned()
            });
        }
    }
}
