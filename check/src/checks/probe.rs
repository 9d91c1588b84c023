//! Probe services, asked by nobody.

use serde_json::Value;

use super::Severity::{Must, Safety, Should, Viewer};
use super::{CONTEXT, Check, Verdict, check, is_map, short};
use crate::evidence::{Asked, Evidence, Probed};

pub(super) const CHECKS: &[Check] = &[
    check(
        "probe-http-200",
        Must,
        &["V2-PROBE-4", "V2-PROBE-7", "DEMO-4"],
        "2.0 §5.2",
        [
            "The probe does not answer HTTP 200.",
            "Clients that follow the specification take it for a fault and do not read `status`.",
            "Answer HTTP 200 always, and say the rest in `status`.",
        ],
        http_200,
    ),
    check(
        "probe-result",
        Must,
        &["V2-PROBE-5"],
        "2.0 §5.2",
        [
            "The probe's answer is no AuthProbeResult2 with an integer `status`.",
            "CanvasPanel and others say \"unknown error\".",
            "Send {\"@context\": \"http://iiif.io/api/auth/2/context.json\", \"type\": \"AuthProbeResult2\", \"status\": 401}.",
        ],
        result,
    ),
    check(
        "probe-agrees",
        Must,
        &["V2-PROBE-6"],
        "2.0 §5.2",
        [
            "The probe says one thing, and the picture does another.",
            "Viewers show a login where none is needed, or nothing where one is.",
            "Let one decision answer both.",
        ],
        agrees,
    ),
    check(
        "probe-junk-token",
        Must,
        &["V2-PROBE-9"],
        "2.0 §5.2",
        [
            "An unknown token is not answered as no token.",
            "Viewers with an old token show an error in place of the login.",
            "Answer HTTP 200 with the status that nobody would get.",
        ],
        junk,
    ),
    check(
        "probe-opens-for-junk",
        Safety,
        &["V2-PROBE-9", "SEC-2"],
        "2.0 §5.2",
        ["Any token opens the probe.", "What it says cannot be believed.", "Look the token up."],
        junk_opens,
    ),
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
        "probe-status-401",
        Should,
        &["V2-PROBE-17", "CON-10"],
        "2.0 §7.1",
        [
            "Nobody gets another refusal than 401, although a login is declared.",
            "Viewers go on to the login at 401 alone.",
            "Say 403 only to those who are in and still may not.",
        ],
        status_401,
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
            "The probe sets a cookie.",
            "A token could become a key to the pictures.",
            "Set cookies in the access service only.",
        ],
        no_cookie,
    ),
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

fn http_200(evidence: &Evidence, v: &mut Verdict) {
    for probed in &evidence.probes {
        for exchange in [&probed.plain, &probed.junk] {
            if let Some(answer) = v.answered(exchange) {
                v.that(answer.status == 200, exchange.place(), || {
                    format!("HTTP {}", answer.status)
                });
            }
        }
    }
}

fn result(evidence: &Evidence, v: &mut Verdict) {
    for probed in &evidence.probes {
        let Some(answer) = v.answered(&probed.plain) else { continue };
        let Some(json) = answer.json().filter(Value::is_object) else {
            v.fail(probed.plain.place(), "no JSON object");
            continue;
        };
        let status = json["status"].as_u64().is_some_and(|status| (100..600).contains(&status));
        let context = crate::discover::contexts(&json).contains(&CONTEXT);
        v.that(
            status && context && json["type"] == "AuthProbeResult2",
            probed.plain.place(),
            || {
                format!(
                    "@context {}, type {}, status {}",
                    json["@context"], json["type"], json["status"]
                )
            },
        );
    }
}

fn results(evidence: &Evidence) -> impl Iterator<Item = (&Probed, Value)> {
    evidence.probes.iter().filter_map(|probed| Some((probed, probed.result()?)))
}

fn status(json: &Value) -> Option<u64> {
    // Of a status that is text, `probe-result` speaks.
    json["status"].as_u64().or_else(|| json["status"].as_str()?.parse().ok())
}

fn asked_of<'a>(evidence: &'a Evidence, probed: &Probed) -> Option<&'a Asked> {
    let id = evidence.services[probed.service].id();
    evidence
        .contents
        .iter()
        .find(|asked| asked.services.iter().any(|service| evidence.services[*service].id() == id))
}

fn agrees(evidence: &Evidence, v: &mut Verdict) {
    for (probed, json) in results(evidence) {
        let (Some(said), Some(asked)) = (status(&json), asked_of(evidence, probed)) else {
            continue;
        };
        let Some(answer) = v.answered(&asked.plain) else { continue };
        let kind = |status: u64| {
            if (400..500).contains(&status) && status != 404 && status != 410 {
                401
            } else {
                status / 100
            }
        };
        let did = u64::from(answer.status);
        v.that(kind(said) == kind(did), probed.plain.place(), || {
            format!("says {said}, and {} answers {did}", asked.content.url)
        });
    }
    for walk in &evidence.walks {
        for probe in &walk.probes {
            let said = probe
                .opened
                .answer()
                .and_then(crate::http::Answer::json)
                .and_then(|json| status(&json));
            let content = walk.contents.iter().find(|content| {
                evidence.contents[content.index].services.iter().any(|service| {
                    evidence.services[*service].id() == evidence.services[probe.service].id()
                })
            });
            let (Some(said), Some(content)) = (said, content) else { continue };
            let did = u64::from(content.opened.status().unwrap_or_default());
            v.that(said / 100 == did / 100, probe.opened.place(), || {
                format!(
                    "says {said} after the login, and {} answers {did}",
                    content.opened.request.url
                )
            });
        }
    }
}

fn junk(evidence: &Evidence, v: &mut Verdict) {
    for probed in &evidence.probes {
        let (Some(with), Some(without)) = (v.answered(&probed.junk), probed.plain.answer()) else {
            continue;
        };
        let said = |answer: &crate::http::Answer| answer.json().and_then(|json| status(&json));
        let (with, without) = ((with.status, said(with)), (without.status, said(without)));
        let opened = with.1 == Some(200) && without.1 != Some(200);
        if !opened {
            v.that(with == without, probed.junk.place(), || {
                format!("HTTP {}, status {:?}", with.0, with.1)
            });
        }
    }
}

fn junk_opens(evidence: &Evidence, v: &mut Verdict) {
    for probed in &evidence.probes {
        let said = |exchange: &crate::http::Exchange| {
            exchange.answer()?.json().and_then(|json| status(&json))
        };
        if said(&probed.plain).is_some_and(|status| status >= 400) {
            v.that(said(&probed.junk) != Some(200), probed.junk.place(), || {
                "status 200 for `Bearer undefined`".to_owned()
            });
        }
    }
    for probe in evidence.walks.iter().flat_map(|walk| &walk.probes) {
        let json = probe.broken.answer().and_then(crate::http::Answer::json).unwrap_or_default();
        v.that(status(&json) != Some(200), probe.broken.place(), || {
            "status 200 for a token with a letter more".to_owned()
        });
    }
}

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

fn status_401(evidence: &Evidence, v: &mut Verdict) {
    for (probed, json) in results(evidence) {
        let login = evidence.children(probed.service).next().is_some();
        if let Some(status) = status(&json).filter(|status| login && matches!(status, 400..=403)) {
            v.that(status == 401, probed.plain.place(), || format!("status {status}"));
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
    let anonymous = evidence.probes.iter().flat_map(|probed| [&probed.plain, &probed.junk]);
    let walked = evidence.walks.iter().flat_map(|walk| &walk.probes).map(|probe| &probe.opened);
    for exchange in anonymous.chain(walked) {
        if let Some(answer) = exchange.answer() {
            v.that(answer.header("set-cookie").is_none(), exchange.place(), || {
                "Set-Cookie".to_owned()
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
