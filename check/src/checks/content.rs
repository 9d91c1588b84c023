//! Pictures and files, asked by nobody: what is closed, and whether it stays so.

use super::Severity::{Must, Safety, Viewer};
use super::{Check, Needs, Verdict, check};
use crate::evidence::{Alike, Asked, Evidence};
use crate::http::{Answer, Exchange};

pub(super) const CHECKS: &[Check] = &[
    check(
        "content-refusal-cached",
        Safety,
        &["HT-05"],
        "RFC 9111",
        [
            "A refusal may be stored by anybody.",
            "Users who are in get it from a cache.",
            "Send `Cache-Control: no-store` with refusals.",
        ],
        cached,
    ),
    check(
        "content-refusal-tells",
        Safety,
        &["HT-08"],
        "RFC 9110",
        [
            "A refusal tells of the bytes that it refuses.",
            "Strangers learn whether and when they changed.",
            "Send no ETag, Last-Modified or Content-Range with refusals.",
        ],
        tells,
    ),
    check(
        "content-bearer",
        Safety,
        &["SEC-1", "BE-05"],
        "implementation notes §7",
        [
            "A token opens the picture itself.",
            "Whoever sees a token, any viewer, has the picture.",
            "Do not read `Authorization` on content at all.",
        ],
        bearer,
    ),
    check(
        "content-head",
        Safety,
        &["PA-10"],
        "RFC 9110 §9.3.2",
        [
            "HEAD is answered where GET is refused.",
            "Strangers learn size and age of what is closed.",
            "Decide on HEAD as on GET.",
        ],
        head,
    ),
    check(
        "content-range",
        Safety,
        &["HT-08"],
        "RFC 9110 §14",
        [
            "A part is answered where the whole is refused.",
            "Strangers get the file in parts.",
            "Decide before ranges are read.",
        ],
        range,
    ),
    check(
        "content-corp",
        Viewer,
        &["HT-11"],
        "Fetch",
        [
            "Pages of other sites may not show the picture.",
            "Viewers of other sites show nothing.",
            "Send no `Cross-Origin-Resource-Policy` but `cross-origin`.",
        ],
        corp,
    ),
    check(
        "alike-dots",
        Safety,
        &["PA-01"],
        "RFC 3986 §5.2.4",
        [
            "Dots in the path open the picture.",
            "Anybody has it.",
            "Refuse paths with `.` and `..`, in any spelling.",
        ],
        |e, v| alike(e, v, Alike::Dots),
    ),
    check(
        "alike-slashes",
        Safety,
        &["PA-06"],
        "RFC 3986",
        [
            "Further slashes in the path open the picture.",
            "Anybody has it.",
            "Decide on the path as the image server reads it.",
        ],
        |e, v| alike(e, v, Alike::Slashes),
    ),
    check(
        "alike-encoding",
        Safety,
        &["PA-04", "AL-01", "AL-04"],
        "RFC 3986 §2",
        [
            "Another spelling of the name opens the picture.",
            "Anybody has it.",
            "Decide on the decoded identifier, once decoded.",
        ],
        |e, v| alike(e, v, Alike::Encoding),
    ),
    check(
        "alike-description",
        Safety,
        &["PA-08"],
        "2.0 §2.1",
        [
            "A path that looks like info.json opens the picture.",
            "Anybody has it.",
            "Let nothing but exactly {identifier}/info.json be open.",
        ],
        |e, v| alike(e, v, Alike::Description),
    ),
    check(
        "alike-query",
        Safety,
        &["PA-05"],
        "RFC 3986 §3.4",
        [
            "A query, or what follows the path, opens the picture.",
            "Anybody has it.",
            "Decide on the path alone.",
        ],
        |e, v| alike(e, v, Alike::Query),
    ),
    check(
        "other-protocols",
        Safety,
        &["PA-14", "PB-02"],
        "seen with IIPImage and Cantaloupe",
        [
            "The picture opens by another protocol of the image server.",
            "Anybody has it.",
            "Pass on what lies below the IIIF base alone.",
        ],
        |e, v| alike(e, v, Alike::Protocol),
    )
    .needs(Needs::Safety),
    check(
        "other-methods",
        Safety,
        &["PA-11", "PA-12"],
        "RFC 9110 §9",
        [
            "Another method, or a header that names one, opens the picture.",
            "Anybody has it.",
            "Answer other methods with 405, ignore overrides.",
        ],
        |e, v| alike(e, v, Alike::Method),
    )
    .needs(Needs::Safety),
    check(
        "forwarded-headers",
        Safety,
        &["PX-01", "PX-04"],
        "RFC 7239 §8",
        [
            "A header that only a front may send opens the picture.",
            "Anybody has it.",
            "Take such headers from listed peers alone, and drop them otherwise.",
        ],
        |e, v| alike(e, v, Alike::Forwarded),
    )
    .needs(Needs::Safety),
    check(
        "forwarded-address",
        Safety,
        &["PX-02", "PB-03"],
        "RFC 7239 §8",
        [
            "A forged address opens the picture.",
            "Anybody is in the reading room.",
            "Take `X-Forwarded-For` from listed peers alone.",
        ],
        |e, v| alike(e, v, Alike::Address),
    )
    .needs(Needs::Safety),
    check(
        "content-answers",
        Must,
        &["V2-PROBE-6"],
        "Fetch",
        [
            "A picture answers with a fault of the server.",
            "Nobody sees anything.",
            "Look into the server's log.",
        ],
        fault,
    ),
];

fn closed(evidence: &Evidence) -> impl Iterator<Item = &Asked> {
    evidence.contents.iter().filter(|asked| asked.is_closed())
}

fn cached(evidence: &Evidence, v: &mut Verdict) {
    for asked in closed(evidence) {
        let Some(answer) = asked.plain.answer() else { continue };
        let kept =
            answer.caches("no-store") || answer.caches("private") || answer.caches("no-cache");
        // Without a word, 401 and 403 are stored by nobody.
        let stored = !kept
            && (answer.caches("public") || answer.caches("max-age") || answer.caches("s-maxage"));
        v.that(!stored, asked.plain.place(), || {
            format!("Cache-Control: {}", answer.header("cache-control").unwrap_or_default())
        });
    }
}

fn tells(evidence: &Evidence, v: &mut Verdict) {
    for asked in closed(evidence) {
        let Some(answer) = asked.plain.answer() else { continue };
        let header = ["etag", "last-modified", "content-range"]
            .into_iter()
            .find(|name| answer.header(name).is_some());
        v.that(header.is_none(), asked.plain.place(), || header.unwrap_or_default().to_owned());
    }
}

/// Whether what came is what nobody may have.
fn opened(answer: &Answer) -> bool {
    answer.is_content()
}

fn stays_closed(v: &mut Verdict, exchange: Option<&Exchange>, how: &str) {
    let Some(exchange) = exchange else { return };
    if let Some(answer) = v.answered(exchange) {
        v.that(!opened(answer), exchange.place(), || format!("HTTP {} {how}", answer.status));
    }
}

fn bearer(evidence: &Evidence, v: &mut Verdict) {
    for asked in closed(evidence) {
        stays_closed(v, asked.bearer.as_ref(), "with `Bearer undefined`");
    }
    for content in evidence.walks.iter().flat_map(|walk| &walk.contents) {
        stays_closed(v, Some(&content.bearer), "with the token");
        stays_closed(v, content.token_as_cookie.as_ref(), "with the token as the cookie");
    }
}

fn head(evidence: &Evidence, v: &mut Verdict) {
    for exchange in closed(evidence).filter_map(|asked| asked.head.as_ref()) {
        if let Some(answer) = v.answered(exchange) {
            v.that(!answer.is_success(), exchange.place(), || format!("HTTP {}", answer.status));
        }
    }
}

fn range(evidence: &Evidence, v: &mut Verdict) {
    for exchange in closed(evidence).filter_map(|asked| asked.range.as_ref()) {
        if let Some(answer) = v.answered(exchange) {
            let tells = answer.is_success() || answer.status == 416;
            v.that(!tells, exchange.place(), || {
                format!("HTTP {} with Range: bytes=0-0", answer.status)
            });
        }
    }
}

fn corp(evidence: &Evidence, v: &mut Verdict) {
    let walked =
        evidence.walks.iter().flat_map(|walk| &walk.contents).map(|content| &content.opened);
    for exchange in evidence.contents.iter().map(|asked| &asked.plain).chain(walked) {
        let Some(answer) = exchange.answer() else { continue };
        let policy = answer
            .header("cross-origin-resource-policy")
            .filter(|policy| *policy != "cross-origin");
        v.that(policy.is_none(), exchange.place(), || {
            format!("Cross-Origin-Resource-Policy: {}", policy.unwrap_or_default())
        });
    }
}

fn alike(evidence: &Evidence, v: &mut Verdict, kind: Alike) {
    for asked in closed(evidence) {
        for (_, exchange) in asked.alike.iter().filter(|(alike, _)| *alike == kind) {
            match &exchange.outcome {
                // What cannot be sent cannot open anything.
                Err(_) => {}
                Ok(answer) => {
                    let request = &exchange.request;
                    let headers: Vec<_> = request
                        .headers
                        .iter()
                        .filter(|(name, _)| name.starts_with("x-"))
                        .map(|(name, value)| format!("{name}: {value}"))
                        .collect();
                    v.that(!opened(answer), format!("{} {}", request.method, request.url), || {
                        format!("HTTP {} {}", answer.status, headers.join(", "))
                    });
                }
            }
        }
    }
}

fn fault(evidence: &Evidence, v: &mut Verdict) {
    for asked in &evidence.contents {
        if let Some(answer) = v.answered(&asked.plain) {
            // Maintenance is no fault.
            v.that(answer.status < 500 || answer.status == 503, asked.plain.place(), || {
                format!("HTTP {}", answer.status)
            });
        }
    }
}
