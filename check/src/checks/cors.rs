//! What pages of other origins may read.

use super::Severity::{Must, Safety, Should, Viewer};
use super::{Check, Verdict, check};
use crate::discover::Family;
use crate::evidence::Evidence;
use crate::http::{Answer, Exchange};

pub(super) const CHECKS: &[Check] = &[
    check(
        "manifest-cors",
        Must,
        &["V2-GEN-7"],
        "Presentation 3 §6.3",
        [
            "A manifest may not be read by pages of other origins.",
            "No viewer can load it.",
            "Send `Access-Control-Allow-Origin: *`.",
        ],
        manifest,
    ),
    check(
        "info-cors",
        Must,
        &["V2-GEN-7", "V1-DESC-8", "CLI-6"],
        "1.0 §1.1, Image 3 §7.1",
        [
            "An info.json, or the redirect to a lesser one, may not be read by pages of other origins.",
            "No viewer of another host can load it.",
            "Send `Access-Control-Allow-Origin: *`, with 200, 302 and 401.",
        ],
        info,
    ),
    check(
        "content-cors",
        Should,
        &["V2-GEN-7"],
        "Image 3 §7.1",
        [
            "Pictures may not be read by pages of other origins.",
            "Universal Viewer and viewers that draw with WebGL show nothing.",
            "Send `Access-Control-Allow-Origin: *`, with refusals, too.",
        ],
        content,
    ),
    check(
        "info-preflight",
        Viewer,
        &["CLI-6"],
        "1.0 §2.2.5; Fetch; seen in Universal Viewer",
        [
            "info.json does not answer a browser's preflight for `Authorization`.",
            "With a token no browser asks at all. Universal Viewer sends one to every info.json of the host.",
            "Answer OPTIONS without a login: 204, `Access-Control-Allow-Headers: Authorization`.",
        ],
        info_preflight,
    ),
    check(
        "probe-preflight",
        Must,
        &["V2-PROBE-11"],
        "2.0 §5.1; Fetch",
        [
            "The probe does not answer a browser's preflight.",
            "No viewer of another host can send its token.",
            "Answer OPTIONS without a login: 204, `Access-Control-Allow-Origin: *`, `-Methods: GET`, `-Headers: Authorization` (`*` does not cover it).",
        ],
        probe_preflight,
    ),
    check(
        "probe-cors",
        Must,
        &["V2-PROBE-12"],
        "2.0 §5; Fetch",
        [
            "The probe's answer may not be read by pages of other origins.",
            "Viewers of other hosts take the server for broken.",
            "Send `Access-Control-Allow-Origin: *` on every answer.",
        ],
        probe,
    ),
    check(
        "probe-credentials",
        Safety,
        &["V2-PROBE-12", "SEC-8"],
        "implementation notes §2",
        [
            "The probe lets other origins send cookies along.",
            "Any page learns what its visitors may see.",
            "Leave out `Access-Control-Allow-Credentials`.",
        ],
        probe_credentials,
    ),
    check(
        "token-cors",
        Safety,
        &["SEC-8"],
        "implementation notes §2",
        [
            "The token service may be read by pages of other origins, with cookies.",
            "Any page can fetch its visitors' tokens.",
            "Send no `Access-Control-*` there.",
        ],
        token_credentials,
    ),
    check(
        "token-cors-none",
        Should,
        &["V2-TOK-14", "V1-TOK-6"],
        "implementation notes §2",
        [
            "The token service sends headers for reading by scripts.",
            "None by themselves: no script reads it, and whoever adds credentials later opens it.",
            "Send no `Access-Control-*` there.",
        ],
        token,
    ),
    check(
        "access-cors",
        Safety,
        &["SEC-8"],
        "implementation notes §2",
        [
            "The access service may be read by pages of other origins, with cookies.",
            "Any page can read the login's pages.",
            "Send no `Access-Control-Allow-Credentials` there.",
        ],
        access,
    ),
    check(
        "cors-once",
        Viewer,
        &["V2-GEN-7", "HT-03"],
        "Fetch",
        [
            "`Access-Control-Allow-Origin` stands twice.",
            "Browsers refuse the answer.",
            "Let one of the servers in the chain send it.",
        ],
        once,
    ),
];

fn lets_in(answer: &Answer, viewer: &str) -> bool {
    answer
        .header("access-control-allow-origin")
        .is_some_and(|origin| origin == "*" || origin == viewer)
}

fn readable(evidence: &Evidence, v: &mut Verdict, exchange: &Exchange) {
    if let Some(answer) = v.answered(exchange) {
        v.that(lets_in(answer, &evidence.viewer), exchange.place(), || {
            let sent = answer.header("access-control-allow-origin");
            format!(
                "HTTP {}, Access-Control-Allow-Origin {}",
                answer.status,
                sent.unwrap_or("missing")
            )
        });
    }
}

fn manifest(evidence: &Evidence, v: &mut Verdict) {
    for document in evidence.documents.iter().filter(|document| document.kind.is_manifest()) {
        readable(evidence, v, document.last());
    }
}

fn info(evidence: &Evidence, v: &mut Verdict) {
    for document in evidence.documents.iter().filter(|document| document.kind.is_info()) {
        for exchange in &document.chain {
            readable(evidence, v, exchange);
        }
    }
}

fn content(evidence: &Evidence, v: &mut Verdict) {
    for asked in evidence.contents.iter().filter(|asked| asked.content.image.is_some()) {
        readable(evidence, v, &asked.plain);
    }
}

fn preflight(evidence: &Evidence, v: &mut Verdict, exchange: &Exchange) {
    let Some(answer) = v.answered(exchange) else { return };
    let wrong = if !answer.is_success() {
        Some(format!("HTTP {}", answer.status))
    } else if !lets_in(answer, &evidence.viewer) {
        Some("no Access-Control-Allow-Origin".to_owned())
    } else if !answer.lists("access-control-allow-headers", "authorization") {
        let named = answer.header("access-control-allow-headers").unwrap_or("missing");
        Some(format!("Access-Control-Allow-Headers {named}"))
    } else {
        None
    };
    v.that(wrong.is_none(), exchange.place(), || wrong.unwrap_or_default());
}

fn info_preflight(evidence: &Evidence, v: &mut Verdict) {
    for exchange in evidence.documents.iter().filter_map(|document| document.preflight.as_ref()) {
        preflight(evidence, v, exchange);
    }
}

fn probe_preflight(evidence: &Evidence, v: &mut Verdict) {
    for probed in &evidence.probes {
        preflight(evidence, v, &probed.preflight);
    }
}

fn probe(evidence: &Evidence, v: &mut Verdict) {
    for probed in &evidence.probes {
        readable(evidence, v, &probed.plain);
        readable(evidence, v, &probed.junk);
    }
}

fn credentials(v: &mut Verdict, exchange: &Exchange) {
    if let Some(answer) = v.answered(exchange) {
        let sent = answer.header("access-control-allow-credentials");
        v.that(sent.is_none(), exchange.place(), || "Access-Control-Allow-Credentials".to_owned());
    }
}

fn probe_credentials(evidence: &Evidence, v: &mut Verdict) {
    for probed in &evidence.probes {
        credentials(v, &probed.plain);
        credentials(v, &probed.preflight);
    }
}

fn token_credentials(evidence: &Evidence, v: &mut Verdict) {
    for tokens in &evidence.tokens {
        for exchange in [Some(&tokens.plain.exchange), tokens.bare.as_ref()].into_iter().flatten() {
            if let Some(answer) = v.answered(exchange) {
                let sent = answer.header("access-control-allow-credentials") == Some("true");
                // With `*` browsers let no credentials through.
                let named = answer
                    .header("access-control-allow-origin")
                    .is_some_and(|origin| origin != "*");
                v.that(!(sent && named), exchange.place(), || {
                    "Access-Control-Allow-Credentials for a named origin".to_owned()
                });
            }
        }
    }
}

fn token(evidence: &Evidence, v: &mut Verdict) {
    for tokens in &evidence.tokens {
        for exchange in [Some(&tokens.plain.exchange), tokens.bare.as_ref()].into_iter().flatten() {
            let Some(answer) = v.answered(exchange) else { continue };
            let header = answer.headers.iter().find(|(name, value)| {
                // JSON for whoever sends no cookie tells nothing.
                let credentials = answer.header("access-control-allow-credentials").is_some();
                let harmless = credentials
                    || evidence.services[tokens.service].family != Family::V2
                        && name == "access-control-allow-origin"
                        && value == "*";
                name.starts_with("access-control-allow-") && !harmless
            });
            v.that(header.is_none(), exchange.place(), || {
                header.map_or(String::new(), |(name, _)| name.clone())
            });
        }
    }
}

fn access(evidence: &Evidence, v: &mut Verdict) {
    for exchange in evidence.accesses.iter().flat_map(|accessed| &accessed.chain) {
        credentials(v, exchange);
    }
}

fn once(evidence: &Evidence, v: &mut Verdict) {
    let documents = evidence.documents.iter().flat_map(|document| &document.chain);
    let probes = evidence.probes.iter().flat_map(|probed| [&probed.plain, &probed.junk]);
    let contents = evidence.contents.iter().map(|asked| &asked.plain);
    for exchange in documents.chain(probes).chain(contents) {
        let Some(answer) = exchange.answer() else { continue };
        let count =
            answer.all("access-control-allow-origin").flat_map(|value| value.split(',')).count();
        v.that(count < 2, exchange.place(), || format!("{count} times"));
    }
}
