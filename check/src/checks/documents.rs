//! info.json and manifests, as they are answered.

use super::Severity::{Must, Viewer};
use super::{Check, Verdict, check};
use crate::discover::{Family, Role};
use crate::evidence::{Document, Evidence};
use crate::http::origin;

pub(super) const CHECKS: &[Check] = &[
    check(
        "description-open",
        Must,
        &["V2-GEN-6", "DEMO-1"],
        "2.0 §2.1, §4.4",
        [
            "A description with services of 2.0 alone is not readable for everyone.",
            "Viewers cannot learn where to ask: the token goes to the probe only.",
            "Answer info.json with HTTP 200, for nobody, too.",
        ],
        open,
    ),
    check(
        "declared-in-info",
        Must,
        &["V2-DECL-3"],
        "2.0 §2.1",
        [
            "A manifest declares a probe for an image, and its info.json does not.",
            "Viewers that read info.json show nothing and offer no login.",
            "Put the probe service into info.json.",
        ],
        in_info,
    ),
    check(
        "closed-declares",
        Must,
        &["V2-DECL-2"],
        "2.0 §2",
        [
            "Something is kept from everybody, and no service says how to get in.",
            "Viewers show an empty frame.",
            "Declare the services in info.json or beside the file in the manifest.",
        ],
        closed,
    ),
    check(
        "probe-for-one",
        Must,
        &["V2-PROBE-18"],
        "2.0 §5",
        [
            "Two resources have one probe service.",
            "The probe can speak for one of them only.",
            "Give every resource a probe URI of its own.",
        ],
        one_probe,
    ),
    check(
        "gated-body",
        Must,
        &["V1-DESC-1", "SEC-4", "SEC-5", "V09-DECL-5"],
        "1.0 §3; implementation notes §7",
        [
            "A refused info.json has no info.json as its body.",
            "Mirador fails, Universal Viewer waits for ever.",
            "Send the whole document with HTTP 401, services and all, and no page of your own; for 2.0 with HTTP 200.",
        ],
        body,
    ),
    check(
        "gated-status",
        Must,
        &["V1-DESC-2", "V09-DESC-1"],
        "1.0 §3.1, 0.9 §3.1",
        [
            "A refused info.json has another status than 401 or 302.",
            "Viewers of 1.0 take it for a fault and offer no login.",
            "Answer 401, or 302 to a lesser version.",
        ],
        status,
    ),
    check(
        "gated-id",
        Must,
        &["V1-DESC-3", "V1-DESC-6"],
        "1.0 §3.1, §4",
        [
            "The id in info.json is not its own URI, byte for byte.",
            "Viewers take it for a lesser version of something else.",
            "Write `@id` as it is requested, escapes and all.",
        ],
        own_id,
    ),
    check(
        "tier-services",
        Must,
        &["V1-DESC-6", "CON-12"],
        "1.0 §4, implementation notes §5",
        [
            "The lesser version that an info.json leads to declares no login.",
            "Viewers see this document alone: nobody can log in.",
            "Declare the services of the better version in the lesser one, too.",
        ],
        tier_services,
    ),
    check(
        "tier-open",
        Must,
        &["V1-DESC-5", "V09-DESC-2", "V1-DESC-4"],
        "1.0 §3.2",
        [
            "An info.json leads to a lesser version by another status than 302, or that version is not there.",
            "Users see nothing in place of the small picture.",
            "Answer 302 with the URI of a lesser version that everyone may read.",
        ],
        tier_open,
    ),
    check(
        "tier-origin",
        Must,
        &["V1-DESC-8"],
        "1.0 §3.2; Fetch",
        [
            "An info.json leads to another origin.",
            "Browsers take the token away on the way.",
            "Keep all versions on one host.",
        ],
        tier_origin,
    ),
    check(
        "same-domain",
        Must,
        &["V1-DECL-7"],
        "1.0 §1.3",
        [
            "A description names another host as its own.",
            "Cookies of one host do not open pictures of another.",
            "Serve description and content from one host.",
        ],
        domain,
    ),
    check(
        "undefined-token",
        Viewer,
        &["V1-DESC-3", "V2-PROBE-9"],
        "seen in Universal Viewer",
        [
            "`Authorization: Bearer undefined` changes what info.json answers.",
            "Universal Viewer sends it after a failed login, for public pictures, too.",
            "Take an unknown token for no token.",
        ],
        undefined,
    ),
];

fn speaks(evidence: &Evidence, index: usize, two: bool) -> bool {
    evidence.services.iter().any(|service| {
        service.document == index
            && !service.json.is_null()
            && (service.family == Family::V2) == two
    })
}

fn infos(evidence: &Evidence) -> impl Iterator<Item = (usize, &Document)> {
    evidence.documents.iter().enumerate().filter(|(_, document)| document.kind.is_info())
}

/// Whether some document declares services of 2.0, and none those of an older version.
fn only_two(evidence: &Evidence) -> bool {
    let any = |two: bool| (0..evidence.documents.len()).any(|index| speaks(evidence, index, two));
    any(true) && !any(false)
}

/// Documents of 1.0 and 0.9: with their services, or refused so that none can be seen.
fn gated(evidence: &Evidence) -> impl Iterator<Item = (usize, &Document)> {
    infos(evidence).filter(|(index, document)| {
        let refused = matches!(document.last().status(), Some(401 | 403));
        let unknown = !speaks(evidence, *index, true) && !only_two(evidence);
        speaks(evidence, *index, false) || (refused && unknown)
    })
}

fn open(evidence: &Evidence, v: &mut Verdict) {
    for (index, document) in evidence.documents.iter().enumerate() {
        // A refusal that declares nothing is 2.0's where a manifest declares 2.0.
        let silent = document.kind.is_info() && only_two(evidence);
        let two = speaks(evidence, index, true) || silent;
        if two && !speaks(evidence, index, false) {
            let status = document.first().status().unwrap_or_default();
            v.that(status == 200, document.first().place(), || format!("HTTP {status}"));
        }
    }
}

fn in_info(evidence: &Evidence, v: &mut Verdict) {
    for asked in &evidence.contents {
        let Some(info) = asked.info.filter(|info| *info != asked.content.document) else {
            continue;
        };
        let probe = |document: usize| {
            asked.services.iter().any(|service| {
                let service = &evidence.services[*service];
                service.document == document
                    && service.family == Family::V2
                    && service.role == Role::Probe
            })
        };
        if probe(asked.content.document) {
            v.that(probe(info), evidence.documents[info].url.clone(), || {
                "no probe service".to_owned()
            });
        }
    }
}

fn closed(evidence: &Evidence, v: &mut Verdict) {
    for asked in evidence.contents.iter().filter(|asked| asked.is_closed()) {
        let status = asked.plain.status().unwrap_or_default();
        v.that(!asked.services.is_empty(), asked.plain.place(), || {
            format!("HTTP {status}, and nothing is declared")
        });
    }
}

fn one_probe(evidence: &Evidence, v: &mut Verdict) {
    let probes = |at: usize| {
        let services =
            evidence.contents[at].services.iter().map(|service| &evidence.services[*service]);
        services
            .filter(|service| service.role == Role::Probe)
            .filter_map(crate::discover::Service::id)
    };
    for at in 0..evidence.contents.len() {
        for probe in probes(at) {
            let other = (0..at).find(|other| probes(*other).any(|id| id == probe));
            v.that(other.is_none(), probe.to_owned(), || {
                let other = other.map_or("", |other| evidence.contents[other].content.url.as_str());
                format!("for {} and {other}", evidence.contents[at].content.url)
            });
        }
    }
}

fn body(evidence: &Evidence, v: &mut Verdict) {
    for (index, document) in gated(evidence) {
        if !matches!(document.last().status(), Some(401 | 403)) {
            continue;
        }
        let json = document.json.as_ref();
        let whole = json.is_some_and(|json| {
            crate::discover::Kind::of(json).is_info()
                && crate::discover::id(json).is_some()
                && json["width"].is_u64()
        });
        let declares = speaks(evidence, index, false);
        v.that(whole && declares, document.last().place(), || match json {
            None => "no JSON".to_owned(),
            Some(_) if !whole => "no info.json: id, width or context is missing".to_owned(),
            Some(_) => "no services".to_owned(),
        });
    }
}

fn status(evidence: &Evidence, v: &mut Verdict) {
    for (_, document) in gated(evidence) {
        let status = document.first().status().unwrap_or_default();
        v.that(matches!(status, 200 | 302 | 401), document.first().place(), || {
            format!("HTTP {status}")
        });
    }
}

fn own_id(evidence: &Evidence, v: &mut Verdict) {
    for (_, document) in gated(evidence) {
        let Some(id) = document.json.as_ref().and_then(crate::discover::id) else { continue };
        // A query says how one came there.
        let url = document.last().request.url.split('?').next().unwrap_or_default();
        let own = url.strip_suffix("/info.json").unwrap_or(url);
        // Another host is told by `same-domain`.
        if origin(id) == origin(own) {
            v.that(id == own, document.last().place(), || id.to_owned());
        }
    }
}

fn led(evidence: &Evidence) -> impl Iterator<Item = (usize, &Document)> {
    infos(evidence).filter(|(_, document)| document.chain.len() > 1)
}

fn tier_services(evidence: &Evidence, v: &mut Verdict) {
    for (index, document) in led(evidence) {
        if document.last().status() == Some(200) {
            let declares = evidence.services.iter().any(|service| service.document == index);
            v.that(declares, document.last().place(), || "no services".to_owned());
        }
    }
}

fn tier_open(evidence: &Evidence, v: &mut Verdict) {
    for (_, document) in led(evidence) {
        let (first, last) = (document.first().status(), document.last().status());
        v.that(first == Some(302) && last == Some(200), document.first().place(), || {
            format!("HTTP {} and then {}", first.unwrap_or_default(), last.unwrap_or_default())
        });
    }
}

fn tier_origin(evidence: &Evidence, v: &mut Verdict) {
    for (_, document) in led(evidence) {
        let (first, last) = (&document.first().request.url, &document.last().request.url);
        v.that(origin(first) == origin(last), document.first().place(), || format!("to {last}"));
    }
}

fn domain(evidence: &Evidence, v: &mut Verdict) {
    for (index, document) in infos(evidence).filter(|(index, _)| speaks(evidence, *index, false)) {
        let Some(id) = evidence.documents[index].json.as_ref().and_then(crate::discover::id) else {
            continue;
        };
        let host =
            |url: &str| url::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
        let here = host(&document.last().request.url);
        v.that(host(id) == here, document.last().place(), || id.to_owned());
    }
}

fn undefined(evidence: &Evidence, v: &mut Verdict) {
    for (_, document) in infos(evidence) {
        let Some(with) = document.undefined.as_ref().and_then(|with| v.answered(with)) else {
            continue;
        };
        let without = document.first().status().unwrap_or_default();
        v.that(with.status == without, document.first().place(), || {
            format!("HTTP {} in place of {without}", with.status)
        });
    }
}
