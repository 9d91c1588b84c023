//! Token services, asked by nobody.

use serde_json::Value;

use super::Severity::{Must, Should};
use super::{CONTEXT, Check, Verdict, check, short};
use crate::discover::Family;
use crate::evidence::{Evidence, Tokens, Told};
use crate::http::origin;
use crate::message::{Posted, Reading};

pub(super) const CHECKS: &[Check] = &[
    check(
        "token-page",
        Must,
        &["V2-TOK-3", "V2-TOK-12", "V1-TOK-1", "CLI-5", "V2-ACC-12", "DEMO-7"],
        "2.0 §4.3, 1.0 §2.2.4",
        [
            "The token service does not answer with a page that posts a message, HTTP 200.",
            "Mirador and CanvasPanel wait for ever.",
            "Answer every request of a frame with such a page: no redirect to a login, no JSON, no 401.",
        ],
        page,
    ),
    check(
        "token-recipient",
        Must,
        &["V2-TOK-4"],
        "2.0 §4.2, §4.3",
        [
            "The message is a string, or does not go to the parent of the frame.",
            "Viewers do not read it.",
            "Call window.parent.postMessage(object, origin).",
        ],
        recipient,
    ),
    check(
        "token-target",
        Must,
        &["V2-TOK-5", "V1-TOK-4"],
        "2.0 §4.3, 1.0 §2.2.4",
        [
            "The message is not addressed to the origin that asked.",
            "Any page that frames the service reads the token (`*`), or the viewer gets nothing.",
            "Make the `origin` parameter the targetOrigin.",
        ],
        target,
    ),
    check(
        "token-origin-slash",
        Must,
        &["CLI-3", "CON-6"],
        "1.0 §2.1.2; HTML",
        [
            "An `origin` with a slash at its end is not taken for the same.",
            "Viewers of 1.0 send it so, and get nothing.",
            "Compare scheme, host and port.",
        ],
        |evidence, v| slash(evidence, v, false),
    ),
    check(
        "token-origin-form",
        Should,
        &["CLI-3", "CON-6", "OR-03"],
        "2.0 §4.2; HTML",
        [
            "In 2.0 an `origin` with a slash at its end is not taken for the same.",
            "No viewer of 2.0 is known to send it so; clients that were written for 1.0 may.",
            "Compare scheme, host and port.",
        ],
        |evidence, v| slash(evidence, v, true),
    ),
    check(
        "token-message-id",
        Must,
        &["V2-TOK-6", "V1-TOK-3", "CLI-4"],
        "2.0 §4.4, §4.5, 1.0 §2.2.4",
        [
            "`messageId` does not come back as the same string.",
            "Mirador, which sends a URL, and CanvasPanel wait for ever.",
            "Echo the decoded parameter, always as a string.",
        ],
        message_id,
    ),
    check(
        "token-message",
        Must,
        &["V2-ERR-1"],
        "2.0 §4.4, §4.5",
        [
            "The message's `@context` or `type` is not that of 2.0.",
            "CanvasPanel takes it for an error.",
            "Send the context of 2.0 and AuthAccessTokenError2 (or AuthAccessToken2).",
        ],
        shape,
    ),
    check(
        "token-parameters",
        Must,
        &["CLI-2"],
        "2.0 §4.2",
        [
            "Another order of parameters, or one more, changes the answer.",
            "Viewers that add a cache buster fail.",
            "Read the parameters by name, ignore others.",
        ],
        extra,
    ),
    check(
        "token-origin-raw",
        Must,
        &["CLI-2", "CLI-3"],
        "2.0 §4.2",
        [
            "An `origin` that is not percent-encoded is not taken for the same.",
            "Universal Viewer and CanvasPanel send it so, as the specification prints it.",
            "Decode the query as forms are decoded: `:` and `/` may stand in it.",
        ],
        raw,
    ),
    check(
        "token-framed",
        Must,
        &["V2-TOK-12", "V1-TOK-6"],
        "2.0 §4, §4.2",
        [
            "Browsers do not show the token page in a frame, or do not run its script.",
            "No viewer gets a message.",
            "Send no X-Frame-Options and no frame-ancestors there, and let the policy admit the script.",
        ],
        framed,
    ),
    check(
        "token-no-store",
        Should,
        &["V2-TOK-14", "V1-TOK-6"],
        "2.0 §2",
        [
            "The token page may be stored.",
            "After a logout or a login the old message comes again.",
            "Send `Cache-Control: no-store`.",
        ],
        no_store,
    ),
    check(
        "token-nosniff",
        Should,
        &["V2-TOK-14"],
        "2.0 §2",
        [
            "The token page may be sniffed.",
            "Old browsers may take it for a script.",
            "Send `X-Content-Type-Options: nosniff`.",
        ],
        nosniff,
    ),
];

/// What is no page at all is told by `token-page`.
fn is_page(answer: &crate::http::Answer) -> bool {
    answer.status == 200 && answer.is_html()
}

pub(super) fn is_2(evidence: &Evidence, tokens: &Tokens) -> bool {
    evidence.services[tokens.service].family == Family::V2
}

fn page(evidence: &Evidence, v: &mut Verdict) {
    for tokens in &evidence.tokens {
        let place = tokens.plain.exchange.place();
        let Some(answer) = v.answered(&tokens.plain.exchange) else { continue };
        if answer.status != 200 || !answer.is_html() {
            let to = answer.header("location").map(|to| format!(" to {to}")).unwrap_or_default();
            v.fail(place, format!("HTTP {}, {:?}{to}", answer.status, answer.media_type()));
        } else if tokens.plain.reading == Reading::Nothing {
            v.fail(place, "a page without a script that posts");
        } else {
            v.pass(place);
        }
    }
}

/// The plain message of each token service.
pub(super) fn plain<'a>(evidence: &'a Evidence, v: &mut Verdict) -> Vec<(&'a Tokens, &'a Posted)> {
    evidence.tokens.iter().filter_map(|tokens| Some((tokens, v.posted(&tokens.plain)?))).collect()
}

fn recipient(evidence: &Evidence, v: &mut Verdict) {
    for (tokens, posted) in plain(evidence, v) {
        let right = posted.message.is_object() && posted.recipient == "parent";
        v.that(right, tokens.plain.exchange.place(), || {
            if posted.message.is_object() {
                format!("to {}", posted.recipient)
            } else {
                "a string".to_owned()
            }
        });
    }
}

fn target(evidence: &Evidence, v: &mut Verdict) {
    for (tokens, posted) in plain(evidence, v) {
        let right = origin(&posted.target) == origin(&evidence.viewer);
        v.that(right, tokens.plain.exchange.place(), || format!("to {:?}", posted.target));
    }
}

/// What kind of answer it is: the type and the error.
fn kind(message: &Value) -> (String, String) {
    let error = message.get("profile").or_else(|| message.get("error"));
    (message["type"].to_string(), error.map(Value::to_string).unwrap_or_default())
}

/// Whether another way to ask comes to the same.
fn same(evidence: &Evidence, v: &mut Verdict, other: impl Fn(&Tokens) -> Option<&Told>) {
    for (tokens, posted) in plain(evidence, v) {
        let Some(told) = other(tokens) else { continue };
        let place = told.exchange.place();
        let query = told.exchange.request.url.split_once('?').map_or("", |(_, query)| query);
        match &told.reading {
            Reading::Unclear(why) => v.unknown(place, *why),
            Reading::Nothing => v.fail(place, format!("no message for {query}")),
            Reading::Posted(again) => {
                let right = kind(&again.message) == kind(&posted.message)
                    && origin(&again.target) == origin(&posted.target);
                v.that(right, place, || format!("{} for {query}", short(&again.message)));
            }
        }
    }
}

fn slash(evidence: &Evidence, v: &mut Verdict, two: bool) {
    same(evidence, v, |tokens| Some(&tokens.slash).filter(|_| is_2(evidence, tokens) == two));
    // A login that was for the origin without it.
    for walk in evidence.walks.iter().filter(|walk| walk.access_token.is_some()) {
        if (evidence.services[walk.access].family == Family::V2) != two {
            continue;
        }
        let Some(told) = &walk.token_slash else { continue };
        if let Some(posted) = v.posted(told) {
            v.that(posted.error() != "invalidOrigin", told.exchange.place(), || {
                "invalidOrigin after the login".to_owned()
            });
        }
    }
}

fn raw(evidence: &Evidence, v: &mut Verdict) {
    same(evidence, v, |tokens| Some(&tokens.raw));
}

fn extra(evidence: &Evidence, v: &mut Verdict) {
    same(evidence, v, |tokens| Some(&tokens.extra));
}

fn message_id(evidence: &Evidence, v: &mut Verdict) {
    for tokens in &evidence.tokens {
        let long = format!("{}|1712345678", tokens.url);
        for (told, id) in [(&tokens.plain, "1234"), (&tokens.long_id, long.as_str())] {
            if let Some(posted) = v.posted(told).filter(|posted| posted.message.is_object()) {
                let came = &posted.message["messageId"];
                v.that(came == id, told.exchange.place(), || {
                    format!("{} for \"{id}\"", short(came))
                });
            }
        }
    }
}

/// Messages of 2.0 to nobody that are objects.
pub(super) fn of_2<'a>(evidence: &'a Evidence, v: &mut Verdict) -> Vec<(&'a Tokens, &'a Value)> {
    plain(evidence, v)
        .into_iter()
        .filter(|(tokens, posted)| is_2(evidence, tokens) && posted.message.is_object())
        .map(|(tokens, posted)| (tokens, &posted.message))
        .collect()
}

pub(super) fn is_error(message: &Value) -> bool {
    message["type"] == "AuthAccessTokenError2" || message.get("profile").is_some()
}

fn shape(evidence: &Evidence, v: &mut Verdict) {
    for (tokens, message) in of_2(evidence, v) {
        let context = crate::discover::contexts(message).contains(&CONTEXT);
        let kind = if is_error(message) { "AuthAccessTokenError2" } else { "AuthAccessToken2" };
        v.that(context && message["type"] == kind, tokens.plain.exchange.place(), || {
            format!("@context {}, type {}", message["@context"], message["type"])
        });
    }
}

fn framed(evidence: &Evidence, v: &mut Verdict) {
    for tokens in &evidence.tokens {
        let Some(answer) = v.answered(&tokens.plain.exchange).filter(|answer| answer.is_html())
        else {
            continue;
        };
        let wrong = super::access::blocks(answer, true);
        v.that(wrong.is_none(), tokens.plain.exchange.place(), || wrong.unwrap_or_default());
    }
}

fn no_store(evidence: &Evidence, v: &mut Verdict) {
    for tokens in &evidence.tokens {
        let Some(answer) = v.answered(&tokens.plain.exchange).filter(|answer| is_page(answer))
        else {
            continue;
        };
        v.that(answer.caches("no-store"), tokens.plain.exchange.place(), || {
            format!("Cache-Control {}", answer.header("cache-control").unwrap_or("missing"))
        });
    }
}

fn nosniff(evidence: &Evidence, v: &mut Verdict) {
    for tokens in &evidence.tokens {
        let Some(answer) = v.answered(&tokens.plain.exchange).filter(|answer| is_page(answer))
        else {
            continue;
        };
        v.that(
            answer.lists("x-content-type-options", "nosniff"),
            tokens.plain.exchange.place(),
            || "missing".to_owned(),
        );
    }
}
