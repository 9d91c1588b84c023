//! The logout, and that it holds.

use super::Severity::{Must, Safety, Should};
use super::{Check, Needs, Verdict, check};
use crate::evidence::Evidence;
use crate::message::Reading;

pub(super) const CHECKS: &[Check] = &[
    check(
        "logout-page",
        Should,
        &["V2-LOGOUT-3", "V1-LOGOUT-1", "V09-LOGOUT-1"],
        "2.0 §6.2",
        [
            "The logout service does not answer a plain visit with a page.",
            "Users see an error, and do not know whether they are out.",
            "Answer GET with a page that says so, session or not.",
        ],
        page,
    ),
    check(
        "logout-deletes",
        Must,
        &["V2-LOGOUT-5", "V2-LOGOUT-3", "CON-20"],
        "2.0 §6.2; RFC 6265",
        [
            "The logout does not delete the access cookie.",
            "The browser goes on sending it.",
            "Set it anew, with the same name, Path and Domain, and Max-Age=0.",
        ],
        deletes,
    )
    .needs(Needs::Login),
    check(
        "logout-ends-token-service",
        Safety,
        &["V2-LOGOUT-6", "V2-LOGOUT-4", "CON-20"],
        "2.0 §6.2",
        [
            "After the logout the old cookie still gets a token.",
            "Whoever copied it stays in.",
            "Revoke the session, not the cookie alone.",
        ],
        token,
    )
    .needs(Needs::Login),
    check(
        "logout-ends-tokens",
        Safety,
        &["V2-LOGOUT-6", "V2-LOGOUT-4", "V2-PROBE-9"],
        "2.0 §6.2",
        [
            "After the logout the old token still opens the probe.",
            "The viewer goes on as if the user were in.",
            "Let a token stand for a live session.",
        ],
        probe,
    )
    .needs(Needs::Login),
    check(
        "logout-closes-content",
        Safety,
        &["V2-LOGOUT-6", "CR-01"],
        "2.0 §6.2",
        [
            "After the logout the old cookie still opens the picture.",
            "Whoever copied it stays in.",
            "Revoke the session, not the cookie alone.",
        ],
        content,
    )
    .needs(Needs::Login),
];

fn page(evidence: &Evidence, v: &mut Verdict) {
    let walked = evidence.walks.iter().filter_map(|walk| walk.logout.last());
    for exchange in evidence.logouts.iter().chain(walked) {
        if let Some(answer) = v.answered(exchange) {
            let right = answer.is_redirect() || (answer.status == 200 && !answer.body.is_empty());
            v.that(right, exchange.place(), || {
                format!("HTTP {}, {} bytes", answer.status, answer.body.len())
            });
        }
    }
}

fn deletes(evidence: &Evidence, v: &mut Verdict) {
    for walk in evidence.walks.iter().filter(|walk| !walk.given && walk.after.is_some()) {
        // Cookies of one login may stay: forms', languages'. The one that went to the token service may not.
        let left = walk.out.cookies.iter().find(|cookie| {
            cookie.reaches(&walk.token_url)
                && (cookie.same_site.as_deref() == Some("none") || walk.unset.is_empty())
        });
        let place = walk.logout.last().map_or_else(String::new, crate::http::Exchange::place);
        v.that(left.is_none(), place, || {
            format!("{} is still there", left.map_or("", |cookie| cookie.name.as_str()))
        });
    }
}

fn token(evidence: &Evidence, v: &mut Verdict) {
    for walk in &evidence.walks {
        let Some(after) = &walk.after else { continue };
        match &after.token.reading {
            Reading::Posted(posted) => {
                v.that(!posted.message["accessToken"].is_string(), walk.token_url.clone(), || {
                    "a token".to_owned()
                });
            }
            Reading::Unclear(why) => v.unknown(walk.token_url.clone(), *why),
            Reading::Nothing => {}
        }
    }
}

fn probe(evidence: &Evidence, v: &mut Verdict) {
    for after in evidence.walks.iter().filter_map(|walk| walk.after.as_ref()) {
        for (_, exchange) in &after.probes {
            let json = exchange.answer().and_then(crate::http::Answer::json).unwrap_or_default();
            v.that(json["status"] != 200, exchange.place(), || "status 200".to_owned());
        }
    }
}

fn content(evidence: &Evidence, v: &mut Verdict) {
    for after in evidence.walks.iter().filter_map(|walk| walk.after.as_ref()) {
        for (_, exchange) in &after.contents {
            if let Some(answer) = v.answered(exchange) {
                v.that(!answer.is_content(), exchange.place(), || {
                    format!("HTTP {}", answer.status)
                });
            }
        }
    }
}
