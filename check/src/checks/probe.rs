//! Probe services, asked by nobody.

use serde_json::Value;

use super::Severity::{Must, Safety, Should};
use super::{CONTEXT, Check, Verdict, check};
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
        &["V2-PROBE-6", "V2-GEN-8", "CON-13"],
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

pub(super) fn results(evidence: &Evidence) -> impl Iterator<Item = (&Probed, Value)> {
    evidence.probes.iter().filter_map(|probed| Some((probed, probed.result()?)))
}

pub(super) fn status(json: &Value) -> Option<u64> {
    // Of a status that is text, `probe-result` speaks.
    json["status"].as_u64().or_else(|| json["status"].as_str()?.parse().ok())
}

pub(super) fn asked_of<'a>(evidence: &'a Evidence, probed: &Probed) -> Option<&'a Asked> {
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

fn status_401(evidence: &Evidence, v: &mut Verdict) {
    for (probed, json) in results(evidence) {
        let login = evidence.children(probed.service).next().is_some();
        if let Some(status) = status(&json).filter(|status| login && matches!(status, 400..=403)) {
            v.that(status == 401, probed.plain.place(), || format!("status {status}"));
        }
    }
}
