//! The pages of access services.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Severity::{Must, Safety, Should};
use super::{Check, Needs, Verdict, check};
use crate::discover::Family;
use crate::evidence::{Accessed, Evidence, MARKUP};
use crate::http::{Answer, SetCookie};

pub(super) const CHECKS: &[Check] = &[
    check(
        "access-opens",
        Must,
        &["V2-ACC-7", "V1-ACC-1"],
        "2.0 §3.2, 1.0 §2.1.2",
        [
            "The access service does not open in a tab.",
            "Users meet an error in place of the login.",
            "Answer a GET with `?origin=…` with a page, or a redirect to one.",
        ],
        opens,
    ),
    check(
        "access-without-origin",
        Should,
        &["V2-ACC-11", "V09-ACC-1"],
        "2.0 §3.3.2, 0.9.2 §2.1",
        [
            "A kiosk (or a service of 0.9) does not open without `origin`.",
            "Clients that are no browsers, and viewers of 0.9, name none.",
            "Let a visit without it in, too.",
        ],
        without_origin,
    ),
    check(
        "access-opener",
        Must,
        &["V2-ACC-13"],
        "2.0 §3.3.1.1; HTML",
        [
            "A page of the access service cuts the tie to the viewer's window.",
            "The viewer sees the tab as closed at once, and asks for the token before anybody is in.",
            "Send no `Cross-Origin-Opener-Policy` but `unsafe-none`, on no page of the way.",
        ],
        opener,
    ),
    check(
        "access-unframed",
        Should,
        &["V2-ACC-14"],
        "2.0 §3.3.1.1",
        [
            "Other pages may frame the access service.",
            "Users can be made to click there unseen, or to type their password into a stranger's page.",
            "Send `Content-Security-Policy: frame-ancestors 'none'`.",
        ],
        unframed,
    ),
    check(
        "access-gesture",
        Must,
        &["V2-COOKIE-1", "CON-14"],
        "2.0 Appendix A",
        [
            "The access service sets its cookie and closes without a click.",
            "Browsers that ask for a gesture do not send the cookie later.",
            "Show a page with a button, and set the cookie when it is pressed.",
        ],
        gesture,
    ),
    check(
        "access-speculation",
        Safety,
        &["LF-05"],
        "HTML, speculative loads",
        [
            "A page that a browser only loads ahead lets its user in.",
            "Users get a session that they never asked for.",
            "Refuse requests with `Sec-Purpose: prefetch`, with 503.",
        ],
        speculation,
    )
    .needs(Needs::Safety),
    check(
        "access-escaped",
        Safety,
        &["TP-01", "V2-TOK-13"],
        "2.0 §3.2; HTML",
        [
            "`origin` breaks out of the page of the access service.",
            "Any page can run scripts as the image server: it reads passwords as they are typed.",
            "Escape it in attributes and scripts, or refuse what is no origin.",
        ],
        escaped,
    )
    .needs(Needs::Safety),
];

/// Why browsers would not frame the page or not run its own script; `None` if they would.
pub(super) fn blocks(answer: &Answer, scripts: bool) -> Option<String> {
    if let Some(value) = answer.header("x-frame-options") {
        return Some(format!("X-Frame-Options: {value}"));
    }
    for policy in answer.all("content-security-policy").flat_map(|value| value.split(',')) {
        let directive = |name: &str| {
            policy.split(';').map(str::trim).find_map(|part| {
                let (key, value) = part.split_once(char::is_whitespace).unwrap_or((part, ""));
                key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
            })
        };
        if let Some(ancestors) =
            directive("frame-ancestors").filter(|value| !value.split(' ').any(|one| one == "*"))
        {
            return Some(format!("frame-ancestors {ancestors}"));
        }
        if !scripts {
            continue;
        }
        if let Some(sandbox) = directive("sandbox").filter(|value| !value.contains("allow-scripts"))
        {
            return Some(format!("sandbox {sandbox}"));
        }
        let sources = directive("script-src-elem")
            .or_else(|| directive("script-src"))
            .or_else(|| directive("default-src"));
        let page = crate::html::read(&answer.text());
        let inline = page.scripts.iter().find(|script| {
            script.runs() && script.src.is_none() && script.text.contains("postMessage")
        });
        if let (Some(sources), Some(script)) = (sources, inline) {
            let digest = ring::digest::digest(&ring::digest::SHA256, script.text.as_bytes());
            let hash = format!("'sha256-{}'", STANDARD.encode(digest));
            let nonce = script.nonce.as_ref().map(|nonce| format!("'nonce-{nonce}'"));
            let strict = sources.contains("'nonce-") || sources.contains("'sha");
            let admitted = sources.contains(&hash)
                || nonce.is_some_and(|nonce| sources.contains(&nonce))
                || (!strict && sources.contains("'unsafe-inline'"))
                // Longer hashes are not computed here.
                || sources.contains("'sha384-")
                || sources.contains("'sha512-");
            if !admitted {
                return Some(format!("its script does not pass {sources}"));
            }
        }
    }
    None
}

fn opens(evidence: &Evidence, v: &mut Verdict) {
    for accessed in &evidence.accesses {
        let Some(last) = accessed.chain.last() else { continue };
        let Some(answer) = v.answered(last) else { continue };
        v.that(answer.status < 400, last.place(), || format!("HTTP {} with origin", answer.status));
    }
}

fn without_origin(evidence: &Evidence, v: &mut Verdict) {
    // Elsewhere clients have to name one, and a service may insist.
    let named = |accessed: &&Accessed| {
        let service = &evidence.services[accessed.service];
        match service.family {
            Family::V2 => service.profile() == "kiosk",
            Family::V1 => false,
            Family::V0 => true,
        }
    };
    for exchange in evidence.accesses.iter().filter(named).map(|accessed| &accessed.bare) {
        let Some(answer) = v.answered(exchange) else { continue };
        v.that(answer.status < 400, exchange.place(), || {
            format!("HTTP {} without origin", answer.status)
        });
    }
}

fn pages(evidence: &Evidence) -> impl Iterator<Item = &crate::http::Exchange> {
    let walked = evidence.walks.iter().flat_map(|walk| &walk.login);
    evidence.accesses.iter().flat_map(|accessed| &accessed.chain).chain(walked)
}

fn opener(evidence: &Evidence, v: &mut Verdict) {
    for exchange in pages(evidence) {
        let Some(answer) = exchange.answer() else { continue };
        let policy = answer
            .header("cross-origin-opener-policy")
            .filter(|policy| !policy.starts_with("unsafe-none"));
        v.that(policy.is_none(), exchange.place(), || {
            format!("Cross-Origin-Opener-Policy: {}", policy.unwrap_or_default())
        });
    }
}

fn unframed(evidence: &Evidence, v: &mut Verdict) {
    for exchange in pages(evidence) {
        let Some(answer) =
            exchange.answer().filter(|answer| answer.is_html() && answer.is_success())
        else {
            continue;
        };
        v.that(blocks(answer, false).is_some(), exchange.place(), || {
            "neither frame-ancestors nor X-Frame-Options".to_owned()
        });
    }
}

/// Cookies for other sites that an answer sets.
fn sets(accessed: &Accessed) -> bool {
    accessed.chain.iter().any(|exchange| {
        let Some(answer) = exchange.answer() else { return false };
        let Ok(url) = url::Url::parse(&exchange.request.url) else { return false };
        answer
            .all("set-cookie")
            .filter_map(|line| SetCookie::parse(&url, line))
            .any(|cookie| !cookie.gone && cookie.same_site.as_deref() == Some("none"))
    })
}

fn gesture(evidence: &Evidence, v: &mut Verdict) {
    for accessed in &evidence.accesses {
        let service = &evidence.services[accessed.service];
        if service.family != Family::V2 || service.profile() != "active" {
            continue;
        }
        let Some(last) = accessed.chain.last() else { continue };
        let Some(answer) = v.answered(last) else { continue };
        let page = crate::html::read(&answer.text());
        let at_once = sets(accessed) && page.closes() == Some(true) && page.forms.is_empty();
        v.that(!at_once, last.place(), || "a cookie, and a page that closes itself".to_owned());
    }
}

fn speculation(evidence: &Evidence, v: &mut Verdict) {
    for exchange in evidence.accesses.iter().filter_map(|accessed| accessed.speculative.as_ref()) {
        if let Some(answer) = v.answered(exchange) {
            v.that(answer.header("set-cookie").is_none(), exchange.place(), || {
                "Set-Cookie".to_owned()
            });
        }
    }
}

fn escaped(evidence: &Evidence, v: &mut Verdict) {
    for exchange in evidence.accesses.iter().flat_map(|accessed| &accessed.markup) {
        let Some(answer) = v.answered(exchange).filter(|answer| answer.is_html()) else { continue };
        let page = crate::html::read(&answer.text());
        let broken = page.scripts.iter().any(|script| script.text.trim() == "alert(1)");
        v.that(!broken, exchange.place(), || format!("a script of origin={MARKUP}"));
    }
}
