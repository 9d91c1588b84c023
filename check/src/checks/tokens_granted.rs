//! The token, what it opens, and what it must not.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::Severity::{Must, Safety, Should};
use super::{CONTEXT, Check, Needs, Verdict, check, short};
use crate::discover::Family;
use crate::evidence::{Evidence, Walk};
use crate::http::Exchange;
use crate::message::Reading;

pub(super) const CHECKS: &[Check] = &[
    check("token-object", Must, &["V2-TOK-7", "V1-TOK-2"], "2.0 §4.4, 1.0 §2.2.2",
        ["The token's message lacks a member, or the token is no string.", "CanvasPanel takes it for an error.", "Send @context, type AuthAccessToken2, messageId and accessToken."], object)
        .needs(Needs::Login),
    check("token-expires-in", Must, &["V2-TOK-8", "CON-21"], "2.0 §4.4",
        ["`expiresIn` is no whole number above 0.", "Viewers compute nonsense.", "Send seconds, or leave it out."], expires)
        .needs(Needs::Login),
    check("token-type-bearer", Must, &["V09-TOK-1", "V09-TOK-2"], "0.9.2 §2.2.2",
        ["A token of 0.9 has no `tokenType` \"Bearer\".", "Clients of 0.9.2 ask for it.", "Add \"tokenType\": \"Bearer\"."], token_type)
        .needs(Needs::Login),
    check("token-characters", Should, &["V2-TOK-14"], "RFC 6750 §2.1",
        ["The token has characters that do not go into a header.", "Browsers refuse to send it, or send something else.", "Use letters, digits and - . _ ~ + / ="], characters)
        .needs(Needs::Login),
    check("token-is-no-cookie", Safety, &["SEC-3", "BE-05", "DEMO-9"], "implementation notes §7",
        ["Token and cookie have one value, or one holds the other.", "Whoever sees a token, any viewer, has the session.", "Make two values, neither of which can be computed from the other."], differs)
        .needs(Needs::Login),
    check("token-opaque", Safety, &["SEC-3", "SEC-10"], "implementation notes §7",
        ["The token can be read.", "Any viewer learns who its user is.", "Send a random or sealed value."], opaque)
        .needs(Needs::Login),
    check("probe-takes-token", Must, &["V2-PROBE-10"], "2.0 §4.4, §7.1",
        ["The probe does not take the token of its own token service.", "Viewers say no to users who are in.", "Accept tokens of every service below the probe."], takes)
        .needs(Needs::Login),
    check("probe-scheme", Must, &["BE-01", "V2-PROBE-8"], "RFC 9110 §11.1",
        ["`bearer` in small letters is not read.", "Some clients write it so.", "Compare the scheme without regard to case."], scheme)
        .needs(Needs::Login),
    check("probe-bearer-only", Safety, &["BE-02", "V2-PROBE-8"], "2.0 §5.1",
        ["The probe takes a token by another scheme.", "Passwords of HTTP authentication are read as tokens.", "Read `Bearer` alone."], bearer_only)
        .needs(Needs::Login),
    check("probe-query-token", Safety, &["BE-04", "V2-PROBE-8", "DEMO-8"], "2.0 §5.1",
        ["The probe takes a token from the query.", "Tokens end up in logs and histories.", "Read `Authorization` alone."], query)
        .needs(Needs::Login),
    check("cookie-is-no-token", Safety, &["BE-06", "SEC-3"], "implementation notes §7",
        ["The cookie's value is taken for a token.", "What opens pictures can be read by scripts after all.", "Give the two different purposes, and check them."], cookie)
        .needs(Needs::Login),
    check("cookie-tampered", Safety, &["CR-01"], "RFC 6265 §8",
        ["A cookie with a letter changed is taken.", "Sessions can be guessed or altered.", "Check a signature, or look the session up."], tampered)
        .needs(Needs::Login),
    check("token-bad-cookie", Must, &["V2-ERR-7", "V1-ERR-4", "MAP-4"], "2.0 §4.5, 1.0 §2.2.6",
        ["A wrong cookie is not answered with `invalidAspect` (1.0: invalidCredentials).", "Users do not learn that logging in anew helps.", "Tell a missing cookie from a wrong one."], bad_cookie)
        .needs(Needs::Login),
    check("token-other-origin", Must, &["V2-ERR-5", "V1-ERR-5", "OR-07", "MAP-2", "CON-19"], "2.0 §4.5",
        ["An origin other than the login's is refused, and not by `invalidOrigin`.", "Viewers say the wrong thing.", "Post invalidOrigin."], other_origin)
        .needs(Needs::Login),
    check("content-credentialed", Safety, &["SEC-8", "HT-04"], "implementation notes §2; Fetch",
        ["A page that the user never opened a login from may read the pictures with the user's cookie.", "Any page can copy what its visitors may see.", "Allow credentials to origins that the session knows, and never echo `Origin`."], credentialed)
        .needs(Needs::Login),
    check("content-private", Safety, &["HT-05", "P12"], "RFC 9111 §3.5",
        ["A picture that a cookie opened may be stored by caches for everybody.", "Strangers get it from there.", "Send `Cache-Control: private` or no-store."], private)
        .needs(Needs::Login),
    check("description-opens", Must, &["V1-DESC-3", "CON-2"], "1.0 §3.1, §4",
        ["With the token info.json is not 200.", "Viewers of 1.0 offer the login again, for ever.", "Answer 200 with the document's own `@id`."], description)
        .needs(Needs::Login),
    check("description-agrees", Must, &["V09-DESC-3", "V1-DESC-2"], "1.0 §3.1, 0.9.2 §3.5, §4",
        ["The user is in and may not see the picture, and info.json says otherwise.", "Viewers ask for tiles that do not come, and say nothing.", "Let one decision answer both: 401 in 1.0, 403 in 0.9."], description_agrees)
        .needs(Needs::Login),
];

fn granted(evidence: &Evidence) -> impl Iterator<Item = &Walk> {
    evidence.walks.iter().filter(|walk| walk.access_token.is_some())
}

/// The objects that hold a token, or should.
fn objects(evidence: &Evidence) -> Vec<(&Walk, Value)> {
    let mut found = Vec::new();
    for walk in &evidence.walks {
        if let Some(Reading::Posted(posted)) = walk.token.as_ref().map(|token| &token.reading) {
            if posted.message.get("accessToken").is_some() {
                found.push((walk, posted.message.clone()));
            }
        }
        let json = walk.token_json.as_ref().and_then(|json| json.answer()?.json());
        found
            .extend(json.filter(|json| json.get("accessToken").is_some()).map(|json| (walk, json)));
    }
    found
}

fn family(evidence: &Evidence, walk: &Walk) -> Family {
    evidence.services[walk.access].family
}

fn object(evidence: &Evidence, v: &mut Verdict) {
    for (walk, json) in objects(evidence) {
        let two = family(evidence, walk) == Family::V2;
        let token = json["accessToken"].as_str().is_some_and(|token| !token.is_empty());
        let named = crate::discover::contexts(&json).contains(&CONTEXT)
            && json["type"] == "AuthAccessToken2";
        v.that(token && (named || !two), walk.token_url.clone(), || {
            let kind = if json["accessToken"].is_string() { "a string" } else { "no string" };
            format!("@context {}, type {}, accessToken {kind}", json["@context"], json["type"])
        });
    }
}

fn expires(evidence: &Evidence, v: &mut Verdict) {
    for (walk, json) in objects(evidence) {
        if let Some(value) = json.get("expiresIn") {
            v.that(
                value.as_u64().is_some_and(|seconds| seconds > 0),
                walk.token_url.clone(),
                || short(value),
            );
        }
    }
}

fn token_type(evidence: &Evidence, v: &mut Verdict) {
    for (walk, json) in objects(evidence) {
        if family(evidence, walk) == Family::V0 {
            v.that(json["tokenType"] == "Bearer", walk.token_url.clone(), || {
                format!("tokenType {}", json["tokenType"])
            });
        }
    }
}

fn token(walk: &Walk) -> &str {
    walk.access_token.as_deref().unwrap_or_default()
}

fn characters(evidence: &Evidence, v: &mut Verdict) {
    for walk in granted(evidence) {
        let odd =
            token(walk).chars().find(|c| !(c.is_ascii_alphanumeric() || "-._~+/=".contains(*c)));
        v.that(odd.is_none(), walk.token_url.clone(), || format!("{:?}", odd.unwrap_or_default()));
    }
}

fn differs(evidence: &Evidence, v: &mut Verdict) {
    for walk in granted(evidence) {
        let token = token(walk);
        let same = walk
            .jar
            .values()
            .into_iter()
            .any(|value| value.len() > 7 && (value.contains(token) || token.contains(&value)));
        v.that(!same, walk.token_url.clone(), || "one holds the other".to_owned());
    }
}

fn opaque(evidence: &Evidence, v: &mut Verdict) {
    for walk in granted(evidence) {
        let claims = token(walk).split('.').find_map(|part| {
            let bytes = URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()?;
            let json: Value = serde_json::from_slice(&bytes).ok()?;
            let object = json.as_object()?;
            ["sub", "name", "email", "preferred_username", "roles", "groups", "user"]
                .into_iter()
                .find(|key| object.contains_key(*key))
        });
        v.that(claims.is_none(), walk.token_url.clone(), || {
            format!("it says {:?} in plain JSON", claims.unwrap_or_default())
        });
    }
}

fn status(exchange: &Exchange) -> Option<u64> {
    let json = exchange.answer()?.json()?;
    json["status"].as_u64().or_else(|| json["status"].as_str()?.parse().ok())
}

fn takes(evidence: &Evidence, v: &mut Verdict) {
    for walk in granted(evidence).filter(|walk| family(evidence, walk) == Family::V2) {
        for probe in &walk.probes {
            let status = status(&probe.opened).unwrap_or_default();
            let content = walk.contents.iter().any(|content| {
                let opens = content.opened.status() == Some(200);
                opens
                    && evidence.contents[content.index].services.iter().any(|service| {
                        evidence.services[*service].id() == evidence.services[probe.service].id()
                    })
            });
            // Who is in may still not have the right.
            if status >= 400 && !content {
                v.unknown(
                    probe.opened.place(),
                    format!("status {status}; has this user the right?"),
                );
            } else {
                v.that(status < 400, probe.opened.place(), || {
                    format!("status {status}, and the picture opens")
                });
            }
        }
    }
}

/// The probes that the token opens.
fn opened(evidence: &Evidence) -> impl Iterator<Item = &crate::evidence::WalkedProbe> {
    granted(evidence)
        .flat_map(|walk| &walk.probes)
        .filter(|probe| status(&probe.opened) == Some(200))
}

fn scheme(evidence: &Evidence, v: &mut Verdict) {
    for probe in opened(evidence) {
        let status = status(&probe.lower).unwrap_or_default();
        v.that(status == 200, probe.lower.place(), || format!("status {status}"));
    }
}

fn closed(v: &mut Verdict, exchange: &Exchange) {
    if v.answered(exchange).is_some() {
        v.that(status(exchange) != Some(200), exchange.place(), || "status 200".to_owned());
    }
}

fn bearer_only(evidence: &Evidence, v: &mut Verdict) {
    for probe in opened(evidence) {
        closed(v, &probe.basic);
    }
}

fn query(evidence: &Evidence, v: &mut Verdict) {
    for probe in opened(evidence) {
        closed(v, &probe.query);
    }
}

fn cookie(evidence: &Evidence, v: &mut Verdict) {
    for walk in granted(evidence) {
        // Where the two are one value, `token-is-no-cookie` speaks.
        if walk.jar.values().iter().any(|value| value == token(walk)) {
            continue;
        }
        for exchange in walk.probes.iter().filter_map(|probe| probe.cookie.as_ref()) {
            closed(v, exchange);
        }
    }
}

fn tampered(evidence: &Evidence, v: &mut Verdict) {
    for walk in granted(evidence) {
        if let Some(Reading::Posted(posted)) =
            walk.token_tampered.as_ref().map(|told| &told.reading)
        {
            v.that(!posted.message["accessToken"].is_string(), walk.token_url.clone(), || {
                "a token".to_owned()
            });
        }
        for content in &walk.contents {
            if let Some(answer) = v.answered(&content.tampered) {
                v.that(!answer.is_content(), content.tampered.place(), || {
                    format!("HTTP {}", answer.status)
                });
            }
        }
    }
}

fn error(message: &Value) -> &str {
    message
        .get("profile")
        .or_else(|| message.get("error"))
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn bad_cookie(evidence: &Evidence, v: &mut Verdict) {
    for walk in granted(evidence) {
        let Some(Reading::Posted(posted)) = walk.token_tampered.as_ref().map(|told| &told.reading)
        else {
            continue;
        };
        if posted.message["accessToken"].is_string() {
            continue;
        }
        let error = error(&posted.message);
        let right = matches!(error, "invalidAspect" | "expiredAspect" | "invalidCredentials");
        // A cookie of another layer (a session of the application) may be unreadable to this service.
        if walk.given && !right {
            v.unknown(
                walk.token_url.clone(),
                format!("{error}, for a cookie that was given whole"),
            );
        } else {
            v.that(right, walk.token_url.clone(), || format!("{error:?}"));
        }
    }
}

fn other_origin(evidence: &Evidence, v: &mut Verdict) {
    for walk in granted(evidence) {
        let Some(Reading::Posted(posted)) = walk.token_elsewhere.as_ref().map(|told| &told.reading)
        else {
            continue;
        };
        let right =
            posted.message["accessToken"].is_string() || error(&posted.message) == "invalidOrigin";
        v.that(right, walk.token_url.clone(), || format!("{:?}", error(&posted.message)));
    }
}

fn credentialed(evidence: &Evidence, v: &mut Verdict) {
    for content in granted(evidence).flat_map(|walk| &walk.contents) {
        let Some(answer) = v.answered(&content.opened) else { continue };
        let allowed = answer.header("access-control-allow-credentials") == Some("true");
        let echoed =
            answer.header("access-control-allow-origin").is_some_and(|origin| origin != "*");
        v.that(!(allowed && echoed), content.opened.place(), || {
            "for an origin that it does not know".to_owned()
        });
    }
}

fn private(evidence: &Evidence, v: &mut Verdict) {
    for content in granted(evidence).flat_map(|walk| &walk.contents) {
        let Some(answer) = v.answered(&content.opened).filter(|answer| answer.is_success()) else {
            continue;
        };
        // With `no-cache` each cache asks the server again, which decides.
        let kept =
            answer.caches("private") || answer.caches("no-store") || answer.caches("no-cache");
        v.that(kept, content.opened.place(), || {
            format!("Cache-Control {}", answer.header("cache-control").unwrap_or("missing"))
        });
    }
}

/// For a user who is in and may not have the picture.
fn description_agrees(evidence: &Evidence, v: &mut Verdict) {
    for walk in granted(evidence) {
        for (document, exchange) in &walk.descriptions {
            let content = walk
                .contents
                .iter()
                .find(|content| evidence.contents[content.index].info == Some(*document));
            let refused = content.and_then(|content| content.opened.status());
            let Some(refused) = refused.filter(|status| matches!(status, 401 | 403)) else {
                continue;
            };
            let Some(answer) = v.answered(exchange) else { continue };
            // 0.9 has a status for those who are in and still may not; 1.0 has not.
            let right = match family(evidence, walk) {
                Family::V0 if refused == 403 => answer.status == 403,
                _ => answer.status != 200,
            };
            v.that(right, exchange.place(), || {
                format!("HTTP {}, and the picture answers {refused}", answer.status)
            });
        }
    }
}

fn description(evidence: &Evidence, v: &mut Verdict) {
    for walk in granted(evidence) {
        for (document, exchange) in &walk.descriptions {
            let Some(answer) = v.answered(exchange) else { continue };
            let may = walk.contents.iter().any(|content| {
                content.opened.status() == Some(200)
                    && evidence.contents[content.index].info == Some(*document)
            });
            if answer.status != 200 && !may {
                v.unknown(
                    exchange.place(),
                    format!("HTTP {}; has this user the right?", answer.status),
                );
            } else {
                v.that(answer.status == 200, exchange.place(), || {
                    format!("HTTP {}, and the picture opens", answer.status)
                });
            }
        }
    }
}
