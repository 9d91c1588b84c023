//! What token services of 1.0 and 0.9 answer that those of 2.0 do not.

use serde_json::Value;

use super::Severity::Must;
use super::{Check, Verdict, check, short};
use crate::discover::Family;
use crate::evidence::{Evidence, Tokens};

pub(super) const CHECKS: &[Check] = &[
    check(
        "older-json",
        Must,
        &["V1-TOK-1", "CON-4"],
        "1.0 §2.2.3",
        [
            "Without `messageId` the token service does not answer with JSON.",
            "Scripts without a browser cannot get in.",
            "Answer with a JSON object where `messageId` is missing.",
        ],
        json_mode,
    ),
    check(
        "older-json-status",
        Must,
        &["V1-ERR-7", "V09-ERR-4", "MAP-3"],
        "1.0 §2.2.6",
        [
            "An error in JSON has a status of success.",
            "Scripts without a browser take it for a token.",
            "Answer 400, 401, 403 or 503.",
        ],
        json_status,
    ),
    check(
        "older-error",
        Must,
        &["V1-ERR-1", "V09-ERR-1", "CON-7"],
        "1.0 §2.2.6",
        [
            "An error has a name that 1.0 does not know.",
            "Viewers show the wrong text, or none.",
            "Use invalidRequest, missingCredentials, invalidCredentials, invalidOrigin or unavailable.",
        ],
        error,
    ),
    check(
        "older-missing",
        Must,
        &["V1-ERR-3", "V09-TOK-3", "MAP-3"],
        "1.0 §2.2.6",
        [
            "Without a cookie the error is not `missingCredentials`.",
            "Users read that their login is wrong, and have none.",
            "Say missingCredentials where no cookie came.",
        ],
        missing,
    ),
    check(
        "older-plain",
        Must,
        &["V1-TOK-2", "CON-3"],
        "1.0 §2.2.2, §2.2.6",
        [
            "A message of 1.0 has `@context` or `type`.",
            "It is a message of 2.0, which viewers of 1.0 do not read.",
            "Give each family a token service of its own.",
        ],
        plain,
    ),
];

fn tokens(evidence: &Evidence) -> impl Iterator<Item = &Tokens> {
    evidence.tokens.iter().filter(|tokens| evidence.services[tokens.service].family != Family::V2)
}

fn json_mode(evidence: &Evidence, v: &mut Verdict) {
    for exchange in tokens(evidence).filter_map(|tokens| tokens.bare.as_ref()) {
        let Some(answer) = v.answered(exchange) else { continue };
        let right = answer.json().is_some_and(|json| json.is_object())
            && answer.media_type().contains("json");
        v.that(right, exchange.place(), || {
            format!("HTTP {}, {:?}", answer.status, answer.media_type())
        });
    }
}

fn json_status(evidence: &Evidence, v: &mut Verdict) {
    for exchange in tokens(evidence).filter_map(|tokens| tokens.bare.as_ref()) {
        let Some(answer) = v.answered(exchange) else { continue };
        if answer.json().is_some_and(|json| json.get("error").is_some()) {
            v.that(answer.status >= 400, exchange.place(), || format!("HTTP {}", answer.status));
        }
    }
}

/// Errors of both ways to ask, with where they came from.
fn errors(evidence: &Evidence, v: &mut Verdict) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for tokens in tokens(evidence) {
        let posted = v.posted(&tokens.plain).map(|posted| posted.message.clone());
        let json = tokens.bare.as_ref().and_then(|bare| bare.answer()?.json());
        let ways = [("message of", posted), ("JSON of", json)];
        let errors = ways.into_iter().filter_map(|(way, json)| {
            Some((way, json.filter(|json| json.get("accessToken").is_none() && json.is_object())?))
        });
        found.extend(errors.map(|(way, json)| (format!("{way} {}", tokens.url), json)));
    }
    found
}

fn error(evidence: &Evidence, v: &mut Verdict) {
    let names = [
        "invalidRequest",
        "missingCredentials",
        "invalidCredentials",
        "invalidOrigin",
        "unavailable",
        "invalidClient",
        "invalidClientSecret",
    ];
    for (place, json) in errors(evidence, v) {
        let name = json["error"].as_str().unwrap_or_default();
        let text = json.get("description").is_none_or(Value::is_string);
        v.that(names.contains(&name) && text, place, || short(&json));
    }
}

fn missing(evidence: &Evidence, v: &mut Verdict) {
    for (place, json) in errors(evidence, v) {
        // Of names that do not exist another check speaks.
        let wrong = matches!(json["error"].as_str(), Some("invalidCredentials" | "invalidRequest"));
        v.that(!wrong, place, || short(&json["error"]));
    }
}

fn plain(evidence: &Evidence, v: &mut Verdict) {
    let mut messages = errors(evidence, v);
    for walk in &evidence.walks {
        if evidence.services[walk.access].family != Family::V2 {
            let told = walk.token.as_ref().and_then(|told| v.posted(told));
            messages.extend(
                told.map(|posted| {
                    (format!("message of {}", walk.token_url), posted.message.clone())
                }),
            );
        }
    }
    for (place, json) in messages {
        let odd = ["@context", "type"].into_iter().find(|key| json.get(key).is_some());
        v.that(odd.is_none(), place, || format!("has {}", odd.unwrap_or_default()));
    }
}
