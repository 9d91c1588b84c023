//! What a probe offers in place of what is refused.

use serde_json::Value;

use super::Severity::{Must, Should};
use super::{Check, Verdict, check, is_map, short};
use crate::evidence::{Evidence, Probed};

pub(super) const CHECKS: &[Check] = &[
    check(
        "substitute-when-refused",
        Must,
        &["V2-SUB-1"],
        "2.0 §5.2",
        [
            "`substitute` stands beside a status that is no refusal.",
            "Viewers show the small picture to those who may see the large one.",
            "Send it with 401 only.",
        ],
        when,
    ),
    check(
        "substitute-shape",
        Must,
        &["V2-SUB-2"],
        "2.0 §5.2",
        [
            "`substitute` is no array of objects with id and type.",
            "Viewers cannot show any.",
            "Write [{\"id\": …, \"type\": …}].",
        ],
        shape,
    ),
    check(
        "substitute-label-map",
        Must,
        &["V2-SUB-2", "V2-GEN-3"],
        "2.0 §5.2",
        [
            "The label of a substitute is no language map.",
            "Viewers show nothing, or crash.",
            "Write {\"en\": [\"…\"]}.",
        ],
        label_map,
    ),
    check(
        "substitute-type",
        Should,
        &["V2-SUB-3"],
        "2.0 §5.2",
        [
            "A substitute has another type than the resource.",
            "Viewers may not know how to show it there.",
            "Offer the same type.",
        ],
        same_type,
    ),
    check(
        "substitute-opens",
        Must,
        &["V2-SUB-4"],
        "2.0 §5.2",
        [
            "A substitute without services of its own does not open.",
            "Users see an empty frame in place of the small picture.",
            "List only what this very requester gets, or declare its services.",
        ],
        opens,
    ),
    check(
        "substitute-own-probe",
        Must,
        &["V2-SUB-5"],
        "2.0 §7.1",
        [
            "A substitute declares the probe of the original.",
            "Viewers go round in circles.",
            "Give it a probe of its own.",
        ],
        own_probe,
    ),
    check(
        "substitute-own-uri",
        Must,
        &["V2-SUB-8"],
        "2.0 §1, §7.1",
        [
            "A substitute has the URI of the original.",
            "Caches mix the two up.",
            "Give each version a URI of its own.",
        ],
        own_uri,
    ),
    check(
        "substitute-labels",
        Should,
        &["V2-SUB-9"],
        "2.0 §5.2",
        ["Of several substitutes one has no label.", "Users cannot choose.", "Name each."],
        labels,
    ),
];

fn offered(evidence: &Evidence) -> impl Iterator<Item = (&Probed, &Value)> {
    evidence
        .probes
        .iter()
        .flat_map(|probed| probed.substitutes.iter().map(move |(value, _)| (probed, value)))
}

/// The result, where it has the member at all.
fn with_substitute(evidence: &Evidence) -> impl Iterator<Item = (&Probed, Value)> {
    evidence.probes.iter().filter_map(|probed| {
        Some((probed, probed.result().filter(|json| json.get("substitute").is_some())?))
    })
}

fn when(evidence: &Evidence, v: &mut Verdict) {
    for (probed, json) in with_substitute(evidence) {
        let refused = json["status"].as_u64().is_some_and(|status| (401..=403).contains(&status));
        v.that(refused, probed.plain.place(), || format!("status {}", json["status"]));
    }
    for probe in evidence.walks.iter().flat_map(|walk| &walk.probes) {
        let json = probe.opened.answer().and_then(crate::http::Answer::json).unwrap_or_default();
        if json["status"] == 200 {
            v.that(json.get("substitute").is_none(), probe.opened.place(), || {
                "status 200".to_owned()
            });
        }
    }
}

fn shape(evidence: &Evidence, v: &mut Verdict) {
    for (probed, json) in with_substitute(evidence) {
        let right = json["substitute"].as_array().is_some_and(|all| {
            all.iter().all(|one| one["id"].is_string() && one["type"].is_string())
        });
        v.that(right, probed.plain.place(), || short(&json["substitute"]));
    }
}

fn label_map(evidence: &Evidence, v: &mut Verdict) {
    for (probed, one) in offered(evidence) {
        if let Some(label) = one.get("label") {
            v.that(is_map(label), probed.plain.place(), || short(label));
        }
    }
}

fn original(evidence: &Evidence, probed: &Probed) -> Option<(String, String)> {
    let id = evidence.services[probed.service].id();
    let asked = evidence.contents.iter().find(|asked| {
        asked.services.iter().any(|service| evidence.services[*service].id() == id)
    })?;
    Some((asked.content.kind.clone(), asked.content.of.clone()))
}

fn same_type(evidence: &Evidence, v: &mut Verdict) {
    for (probed, one) in offered(evidence) {
        let (Some((kind, _)), Some(own)) = (original(evidence, probed), one["type"].as_str())
        else {
            continue;
        };
        let same = own == kind || (kind == "Image" && own.starts_with("ImageService"));
        v.that(same, probed.plain.place(), || format!("{own} for {kind}"));
    }
}

fn opens(evidence: &Evidence, v: &mut Verdict) {
    for probed in &evidence.probes {
        for exchange in probed.substitutes.iter().filter_map(|(_, exchange)| exchange.as_ref()) {
            if let Some(answer) = v.answered(exchange) {
                v.that(answer.status < 400, exchange.place(), || format!("HTTP {}", answer.status));
            }
        }
    }
}

fn own_probe(evidence: &Evidence, v: &mut Verdict) {
    for (probed, one) in offered(evidence) {
        for service in crate::discover::members(one.get("service")) {
            let id = crate::discover::id(service);
            v.that(id != Some(&*probed.url), probed.plain.place(), || probed.url.clone());
        }
    }
}

fn own_uri(evidence: &Evidence, v: &mut Verdict) {
    for (probed, one) in offered(evidence) {
        let (Some((_, of)), Some(id)) = (original(evidence, probed), crate::discover::id(one))
        else {
            continue;
        };
        v.that(of != id, probed.plain.place(), || id.to_owned());
    }
}

fn labels(evidence: &Evidence, v: &mut Verdict) {
    for probed in evidence.probes.iter().filter(|probed| probed.substitutes.len() > 1) {
        let bare = probed.substitutes.iter().filter(|(one, _)| one.get("label").is_none()).count();
        v.that(bare == 0, probed.plain.place(), || format!("{bare} without a label"));
    }
}
