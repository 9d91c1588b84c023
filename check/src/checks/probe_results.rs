//! What a probe result holds, and what comes with it.

use serde_json::Value;

use super::Severity::{Must, Safety, Should, Viewer};
use super::probe::{asked_of, results, status};
use super::{Check, Needs, Verdict, check, is_map, short};
use crate::evidence::Evidence;

pub(super) const CHECKS: &[Check] = &[
    check(
        "probe-location",
        Must,
        &["V2-PROBE-13", "DEMO-5"],
        "2.0 §5.2",
        [
            "`location` stands beside another status than 30x, or is no object, or a 30x has none.",
            "Viewers do not find the picture.",
            "Send `location` as one object, with `status` 302 and the like only.",
        ],
        location,
    ),
    check(
        "probe-location-type",
        Must,
        &["V2-PROBE-14"],
        "2.0 §5.2",
        [
            "`location` has no id or type, or another type than the resource.",
            "Viewers cannot show it.",
            "Give it the type of what was asked for.",
        ],
        location_type,
    ),
    check(
        "probe-texts",
        Should,
        &["V2-PROBE-15", "DEMO-6"],
        "2.0 §5.2",
        [
            "A refusal has no heading or no note.",
            "Users see an empty place and no reason.",
            "Add `heading` and `note`.",
        ],
        texts,
    ),
    check(
        "probe-maps",
        Must,
        &["V2-PROBE-16"],
        "2.0 §5.2",
        [
            "`heading` or `note` of a result is no language map, or the note stands alone.",
            "Viewers show nothing, or crash.",
            "Write {\"en\": [\"…\"]}, and no note without a heading.",
        ],
        maps,
    ),
    check(
        "probe-no-service",
        Must,
        &["V2-PROBE-18", "DEMO-2"],
        "2.0 §5.2",
        [
            "A result declares services.",
            "Viewers do not look for them there.",
            "Declare them in the description.",
        ],
        no_service,
    ),
    check(
        "probe-no-store",
        Should,
        &["V2-PROBE-19"],
        "2.0 §1",
        [
            "The probe's answer may be stored.",
            "After a login viewers get the old refusal.",
            "Send `Cache-Control: no-store`.",
        ],
        no_store,
    ),
    check(
        "probe-media-type",
        Should,
        &["V2-PROBE-19"],
        "Presentation 3 §6.3",
        [
            "The probe's answer is not called JSON.",
            "Some clients do not read it.",
            "Send `Content-Type: application/json` or `application/ld+json`.",
        ],
        media_type,
    ),
    check(
        "probe-no-cookie",
        Safety,
        &["BE-07"],
        "implementation notes §7",
        [
            "The probe sets a cookie that opens the picture.",
            "A token, which any viewer sees, becomes a key to the pictures.",
            "Set cookies in the access service only.",
        ],
        no_cookie,
    )
    .needs(Needs::Login),
    check(
        "no-basic-dialogue",
        Viewer,
        &["V09-DESC-1", "CON-11"],
        "0.9 §3.1; HTML",
        [
            "An answer asks for HTTP authentication.",
            "Browsers open a dialogue of their own over the viewer, for each tile.",
            "Leave out `WWW-Authenticate`.",
        ],
        dialogue,
    ),
];

fn location(evidence: &Evidence, v: &mut Verdict) {
    for (probed, json) in results(evidence) {
        let redirects =
            status(&json).is_some_and(|status| (300..309).contains(&status) && status != 304);
        let location = json.get("location");
        let right =
            if redirects { location.is_some_and(Value::is_object) } else { location.is_none() };
        v.that(right, probed.plain.place(), || {
            format!("status {}, location {}", json["status"], short(&json["location"]))
        });
    }
}

fn location_type(evidence: &Evidence, v: &mut Verdict) {
    for (probed, json) in results(evidence) {
        let Some(location) = json.get("location").filter(|location| location.is_object()) else {
            continue;
        };
        let asked = asked_of(evidence, probed).filter(|asked| asked.content.kind != "Choice");
        let kind = location["type"].as_str().unwrap_or_default();
        let same = asked.is_none_or(|asked| {
            asked.content.kind == kind
                || kind.starts_with("ImageService") == asked.content.image.is_some()
                    && kind.starts_with("ImageService")
        });
        v.that(
            location["id"].is_string() && !kind.is_empty() && same,
            probed.plain.place(),
            || short(location),
        );
    }
}

fn texts(evidence: &Evidence, v: &mut Verdict) {
    for (probed, json) in
        results(evidence).filter(|(_, json)| status(json).is_some_and(|status| status >= 400))
    {
        let missing: Vec<_> =
            ["heading", "note"].into_iter().filter(|key| json.get(*key).is_none()).collect();
        v.that(missing.is_empty(), probed.plain.place(), || {
            format!("no {}", missing.join(", no "))
        });
    }
}

fn maps(evidence: &Evidence, v: &mut Verdict) {
    for (probed, json) in results(evidence) {
        for key in ["heading", "note"] {
            if let Some(value) = json.get(key) {
                v.that(is_map(value), probed.plain.place(), || format!("{key}: {}", short(value)));
            }
        }
        // Without either, `probe-texts` speaks.
        if json.get("note").is_some() {
            v.that(json.get("heading").is_some(), probed.plain.place(), || {
                "note without heading".to_owned()
            });
        }
    }
}

fn no_service(evidence: &Evidence, v: &mut Verdict) {
    for (probed, json) in results(evidence) {
        v.that(json.get("service").is_none(), probed.plain.place(), || short(&json["service"]));
    }
}

fn no_store(evidence: &Evidence, v: &mut Verdict) {
    for probed in &evidence.probes {
        let Some(answer) = v.answered(&probed.plain) else { continue };
        let kept = answer.caches("no-store") || answer.caches("no-cache");
        v.that(kept, probed.plain.place(), || {
            format!("Cache-Control {}", answer.header("cache-control").unwrap_or("missing"))
        });
    }
}

fn media_type(evidence: &Evidence, v: &mut Verdict) {
    for probed in &evidence.probes {
        let Some(answer) = v.answered(&probed.plain) else { continue };
        let kind = answer.media_type();
        v.that(
            matches!(&*kind, "application/json" | "application/ld+json"),
            probed.plain.place(),
            || format!("{kind:?}"),
        );
    }
}

fn no_cookie(evidence: &Evidence, v: &mut Verdict) {
    for probe in evidence.walks.iter().flat_map(|walk| &walk.probes) {
        let Some(exchange) = &probe.keyed else {
            v.pass(probe.opened.place());
            continue;
        };
        if let Some(answer) = v.answered(exchange) {
            v.that(!answer.is_content(), probe.opened.place(), || {
                format!("its cookie opens {}", exchange.request.url)
            });
        }
    }
}

fn dialogue(evidence: &Evidence, v: &mut Verdict) {
    let documents = evidence.documents.iter().flat_map(|document| &document.chain);
    let probes = evidence.probes.iter().flat_map(|probed| [&probed.plain, &probed.junk]);
    let contents = evidence.contents.iter().map(|asked| &asked.plain);
    for exchange in documents.chain(probes).chain(contents) {
        if let Some(answer) = exchange.answer() {
            let header = answer.header("www-authenticate");
            v.that(header.is_none(), exchange.place(), || {
                format!("WWW-Authenticate: {}", header.unwrap_or_default())
            });
        }
    }
}
