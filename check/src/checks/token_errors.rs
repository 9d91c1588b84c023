//! What a token service says to whom it gives no token.

use super::Severity::{Must, Should};
use super::token::{is_2, is_error, of_2, plain};
use super::{Check, Verdict, check, is_map, short};
use crate::evidence::Evidence;
use crate::message::Reading;

pub(super) const CHECKS: &[Check] = &[
    check(
        "token-error-profile",
        Must,
        &["V2-ERR-3", "CON-7"],
        "2.0 §4.5",
        [
            "An error has a profile that 2.0 does not know.",
            "Viewers cannot say what is wrong.",
            "Use one of the six: invalidRequest, invalidOrigin, missingAspect, invalidAspect, expiredAspect, unavailable.",
        ],
        profile,
    ),
    check(
        "token-missing-aspect",
        Must,
        &["V2-ERR-6", "MAP-3", "CON-9"],
        "2.0 §4.5",
        [
            "Without a cookie the error is not `missingAspect`.",
            "Users read that their login is wrong, and have none.",
            "Say missingAspect where nothing came.",
        ],
        missing,
    ),
    check(
        "token-error-texts",
        Must,
        &["V2-ERR-2"],
        "2.0 §4.5",
        [
            "`heading` or `note` of an error is no language map, or the note stands alone.",
            "Viewers show nothing, or crash.",
            "Write {\"en\": [\"…\"]}, and no note without a heading.",
        ],
        texts,
    ),
    check(
        "token-error-without-token",
        Must,
        &["V2-ERR-10"],
        "2.0 §4.2",
        [
            "An error has a member `accessToken`.",
            "The specification's own client takes it for success.",
            "Leave the member out, do not send null.",
        ],
        no_token,
    ),
    check(
        "token-without-id",
        Must,
        &["V2-ERR-12", "V2-ERR-4", "MAP-1", "CON-8"],
        "2.0 §4.5",
        [
            "A request without `messageId` is not answered with `invalidRequest` and an empty id.",
            "Clients wait for ever.",
            "Post the error, with \"messageId\": \"\".",
        ],
        without_id,
    ),
    check(
        "token-repeated",
        Should,
        &["CLI-2", "V1-ERR-2"],
        "2.0 §4.5, 1.0 §2.2.6",
        [
            "A parameter that stands twice is not `invalidRequest`.",
            "Which of the two was believed is chance.",
            "Refuse it.",
        ],
        twice,
    ),
];

fn profile(evidence: &Evidence, v: &mut Verdict) {
    let six = [
        "invalidRequest",
        "invalidOrigin",
        "missingAspect",
        "invalidAspect",
        "expiredAspect",
        "unavailable",
    ];
    for (tokens, message) in of_2(evidence, v).into_iter().filter(|(_, message)| is_error(message))
    {
        let profile = message["profile"].as_str().unwrap_or_default();
        v.that(six.contains(&profile), tokens.plain.exchange.place(), || {
            format!("profile {profile:?}")
        });
    }
}

fn missing(evidence: &Evidence, v: &mut Verdict) {
    for (tokens, message) in of_2(evidence, v).into_iter().filter(|(_, message)| is_error(message))
    {
        let profile = message["profile"].as_str().unwrap_or_default();
        // Origins may be refused, and stores be down; of names that do not exist another check speaks.
        let wrong = matches!(profile, "invalidAspect" | "expiredAspect" | "invalidRequest");
        let place = tokens.plain.exchange.place();
        if profile == "invalidOrigin" {
            v.unknown(
                place,
                format!(
                    "the service refuses {}: name a viewer that it takes (--viewer)",
                    evidence.viewer
                ),
            );
        } else {
            v.that(!wrong, place, || format!("profile {profile:?}"));
        }
    }
}

fn texts(evidence: &Evidence, v: &mut Verdict) {
    for (tokens, message) in of_2(evidence, v).into_iter().filter(|(_, message)| is_error(message))
    {
        let place = tokens.plain.exchange.place();
        for key in ["heading", "note"] {
            if let Some(value) = message.get(key) {
                v.that(is_map(value), place.clone(), || format!("{key}: {}", short(value)));
            }
        }
        if message.get("note").is_some() {
            v.that(message.get("heading").is_some(), place, || "note without heading".to_owned());
        }
    }
}

fn no_token(evidence: &Evidence, v: &mut Verdict) {
    for (tokens, message) in of_2(evidence, v).into_iter().filter(|(_, message)| is_error(message))
    {
        let found = message.get("accessToken");
        v.that(found.is_none(), tokens.plain.exchange.place(), || {
            "accessToken in an error".to_owned()
        });
    }
}

fn without_id(evidence: &Evidence, v: &mut Verdict) {
    for tokens in evidence.tokens.iter().filter(|tokens| is_2(evidence, tokens)) {
        let place = tokens.without_id.exchange.place();
        if tokens.without_id.reading == Reading::Nothing
            && matches!(tokens.plain.reading, Reading::Posted(_))
        {
            v.fail(place, "no message");
        } else if let Some(posted) =
            v.posted(&tokens.without_id).filter(|posted| posted.message.is_object())
        {
            let message = &posted.message;
            v.that(
                message["profile"] == "invalidRequest" && message["messageId"] == "",
                place,
                || short(message),
            );
        }
    }
}

fn twice(evidence: &Evidence, v: &mut Verdict) {
    for (tokens, _) in plain(evidence, v) {
        let told = &tokens.twice;
        let Some(posted) = v.posted(told).filter(|posted| posted.message.is_object()) else {
            continue;
        };
        let (message, place) = (&posted.message, told.exchange.place());
        let refused =
            message["profile"] == "invalidRequest" || message["error"] == "invalidRequest";
        v.that(refused, place, || short(message));
    }
}
