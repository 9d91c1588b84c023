//! The login, and the cookies that come of it.

use super::Severity::{Must, Safety, Should};
use super::{Check, Needs, Verdict, check};
use crate::discover::Family;
use crate::evidence::{Evidence, WANTS, Walk};
use crate::http::{SetCookie, is_loopback};
use crate::message::Reading;

pub(super) const CHECKS: &[Check] = &[
    check(
        "login-leads-in",
        Must,
        &["V2-TOK-10", "V09-ACC-2"],
        "2.0 §4.4",
        [
            "After the login the token service gives no token.",
            "Viewers offer the login again, for ever.",
            "Let access and token service look at the same cookie.",
        ],
        leads_in,
    )
    .needs(Needs::Login),
    check(
        "login-closes",
        Should,
        &["V2-ACC-9", "V1-ACC-3"],
        "2.0 §3, 1.0 §2.1",
        [
            "The last page of the login does not close its tab.",
            "The viewer goes on only when the user closes it by hand.",
            "Call window.close().",
        ],
        closes,
    )
    .needs(Needs::Login),
    check(
        "kiosk-at-once",
        Must,
        &["V2-ACC-11", "V1-ACC-4", "V1-ACC-5"],
        "2.0 §3.3.2, 1.0 §2.1.4, §2.1.5",
        [
            "A kiosk (or a click-through of 1.0) wants something of the user.",
            "Nobody is there to do it.",
            "Set the cookie and close, at the first GET.",
        ],
        at_once,
    )
    .needs(Needs::Login),
    check(
        "cookie-kept",
        Must,
        &["V2-COOKIE-5", "SE-02", "SE-03"],
        "RFC 6265bis §4.1.3, §5.7",
        [
            "Browsers drop a cookie of the login as it is set.",
            "Users log in and are not in.",
            "Let name, Secure, Path and Domain fit each other, and the host.",
        ],
        dropped,
    )
    .needs(Needs::Login),
    check(
        "cookie-third-party",
        Must,
        &["V2-COOKIE-3"],
        "2.0 §2, §4, Appendix A",
        [
            "The access cookie is not `SameSite=None; Secure`.",
            "Browsers do not send it to a viewer of another site.",
            "Set both.",
        ],
        third_party,
    )
    .needs(Needs::Login),
    check(
        "cookie-http-only",
        Must,
        &["V2-COOKIE-3"],
        "2.0 §2",
        [
            "Scripts can read the access cookie.",
            "One script in one page of the host takes it away.",
            "Set HttpOnly.",
        ],
        http_only,
    )
    .needs(Needs::Login),
    check(
        "cookie-not-partitioned",
        Must,
        &["V2-COOKIE-4"],
        "2.0 Appendix A; CHIPS",
        [
            "The access cookie is partitioned, and was set in a tab.",
            "It is not sent from within the viewer.",
            "Leave out Partitioned there.",
        ],
        partitioned,
    )
    .needs(Needs::Login),
    check(
        "cookie-reaches",
        Must,
        &["V2-COOKIE-5"],
        "2.0 §2, §4; RFC 6265 §5.1",
        [
            "The access cookie does not go to the token service or to the pictures.",
            "Users are in, and nothing opens.",
            "Let Path and Domain cover access, token and content.",
        ],
        reaches,
    )
    .needs(Needs::Login),
    check(
        "cookie-life",
        Safety,
        &["SEC-6", "P7"],
        "implementation notes §7",
        [
            "The access cookie lives for more than a week.",
            "Any page can have tokens made of it as long.",
            "Let it live for minutes or hours, and renew it.",
        ],
        life,
    )
    .needs(Needs::Login),
    check(
        "session-fresh",
        Safety,
        &["P9"],
        "OWASP ASVS 7.2.4",
        [
            "Two logins get one cookie.",
            "Who knows the cookie of one has the other's session.",
            "Make a new one at each login.",
        ],
        fresh,
    )
    .needs(Needs::Login),
];

fn service<'a>(evidence: &'a Evidence, walk: &Walk) -> &'a crate::discover::Service {
    &evidence.services[walk.access]
}

fn place(evidence: &Evidence, walk: &Walk) -> String {
    service(evidence, walk)
        .id()
        .map_or_else(|| evidence.place(service(evidence, walk)), str::to_owned)
}

fn leads_in(evidence: &Evidence, v: &mut Verdict) {
    for walk in &evidence.walks {
        if let Some(problem) = &walk.problem {
            v.unknown(place(evidence, walk), problem.clone());
            continue;
        }
        let Some(token) = &walk.token else { continue };
        if let Reading::Unclear(why) = &token.reading {
            v.unknown(walk.token_url.clone(), format!("{why}: cannot tell without --browser"));
            continue;
        }
        let said = match &token.reading {
            Reading::Posted(posted) => super::short(&posted.message),
            _ => format!("HTTP {}, no message", token.exchange.status().unwrap_or_default()),
        };
        // Of the token's shape others speak.
        let given = match &token.reading {
            Reading::Posted(posted) => {
                posted.message.get("accessToken").is_some() || posted.message.is_string()
            }
            _ => walk.access_token.is_some(),
        };
        v.that(given, walk.token_url.clone(), || said);
    }
}

fn closes(evidence: &Evidence, v: &mut Verdict) {
    for walk in evidence.walks.iter().filter(|walk| !walk.given && walk.access_token.is_some()) {
        let Some(last) = walk.login.last() else { continue };
        let Some(answer) = last.answer() else { continue };
        match crate::html::read(&answer.text()).closes() {
            None => v.unknown(last.place(), "its script is loaded from another file"),
            Some(closes) => v.that(closes, last.place(), || "no close()".to_owned()),
        }
    }
}

fn at_once(evidence: &Evidence, v: &mut Verdict) {
    for walk in evidence.walks.iter().filter(|walk| !walk.given) {
        let service = service(evidence, walk);
        let older = service.family != Family::V2 && service.profile() == "clickthrough";
        if service.profile() == "kiosk" || older {
            match &walk.problem {
                Some(problem) if !problem.starts_with(WANTS) => {
                    v.unknown(place(evidence, walk), problem.clone());
                }
                problem => v.that(!walk.acted && problem.is_none(), place(evidence, walk), || {
                    problem.clone().unwrap_or_else(|| "a form".to_owned())
                }),
            }
        }
    }
}

/// The cookies that are left, and that go to the token service; those for other sites, if there are any.
fn kept(walk: &Walk) -> Vec<&SetCookie> {
    let all: Vec<_> =
        walk.jar.cookies.iter().filter(|cookie| cookie.reaches(&walk.token_url)).collect();
    let other: Vec<_> =
        all.iter().copied().filter(|cookie| cookie.same_site.as_deref() == Some("none")).collect();
    if other.is_empty() { all } else { other }
}

fn logged_in(evidence: &Evidence) -> impl Iterator<Item = &Walk> {
    evidence.walks.iter().filter(|walk| !walk.given && walk.access_token.is_some())
}

fn dropped(evidence: &Evidence, v: &mut Verdict) {
    for walk in evidence.walks.iter().filter(|walk| !walk.given) {
        // Whoever is in, is in by another one.
        let is_in = walk.access_token.is_some();
        for exchange in &walk.login {
            let Some(answer) = exchange.answer() else { continue };
            let Ok(url) = url::Url::parse(&exchange.request.url) else { continue };
            for cookie in answer.all("set-cookie").filter_map(|line| SetCookie::parse(&url, line)) {
                let why = cookie.refused(&url);
                v.that(is_in || why.is_none(), exchange.place(), || {
                    format!("{}: {}", cookie.name, why.unwrap_or_default())
                });
            }
        }
    }
}

fn third_party(evidence: &Evidence, v: &mut Verdict) {
    for walk in logged_in(evidence) {
        for cookie in kept(walk) {
            // Over plain http on this machine a cookie can be neither.
            let local = url::Url::parse(&walk.token_url)
                .is_ok_and(|url| url.scheme() == "http" && is_loopback(&url));
            let none = cookie.same_site.as_deref() == Some("none") && cookie.secure;
            let lax = local && !cookie.secure && cookie.same_site.as_deref() != Some("none");
            if lax {
                v.unknown(
                    place(evidence, walk),
                    format!("{}: on plain http a cookie cannot be for other sites", cookie.name),
                );
            } else {
                v.that(none, place(evidence, walk), || {
                    format!(
                        "{}: SameSite={}, Secure {}",
                        cookie.name,
                        cookie.same_site.as_deref().unwrap_or("missing"),
                        cookie.secure
                    )
                });
            }
        }
    }
}

fn http_only(evidence: &Evidence, v: &mut Verdict) {
    for walk in logged_in(evidence) {
        for cookie in kept(walk) {
            v.that(cookie.http_only, place(evidence, walk), || cookie.name.clone());
        }
    }
}

fn partitioned(evidence: &Evidence, v: &mut Verdict) {
    for walk in logged_in(evidence) {
        for cookie in kept(walk) {
            v.that(!cookie.partitioned, place(evidence, walk), || cookie.name.clone());
        }
    }
}

fn reaches(evidence: &Evidence, v: &mut Verdict) {
    for walk in evidence.walks.iter().filter(|walk| !walk.given && !walk.set.is_empty()) {
        let urls = walk.contents.iter().map(|content| content.opened.request.url.as_str());
        for url in urls.chain([walk.token_url.as_str()]) {
            let right = walk.jar.cookies.iter().any(|cookie| cookie.reaches(url));
            v.that(right, place(evidence, walk), || format!("not sent to {url}"));
        }
    }
}

fn life(evidence: &Evidence, v: &mut Verdict) {
    for walk in logged_in(evidence) {
        for cookie in kept(walk) {
            if let Some(age) = cookie.max_age {
                v.that(age <= 7 * 24 * 3600, place(evidence, walk), || {
                    format!("{}: {} days", cookie.name, age / 86_400)
                });
            }
        }
    }
}

fn fresh(evidence: &Evidence, v: &mut Verdict) {
    for walk in logged_in(evidence) {
        for cookie in kept(walk) {
            let again =
                walk.second.iter().rev().find(|other| other.name == cookie.name && !other.gone);
            if let Some(again) = again {
                v.that(again.value != cookie.value, place(evidence, walk), || cookie.name.clone());
            }
        }
    }
}
