//! What a token service must not be talked into.

use super::Severity::{Must, Safety};
use super::{Check, Needs, Verdict, check, short};
use crate::evidence::{Evidence, Told};
use crate::message::Reading;

pub(super) const CHECKS: &[Check] = &[
    check("token-without-origin", Must, &["V2-ERR-11", "CON-5", "OR-02"], "2.0 §4.3",
        ["Without `origin` the token service posts all the same.", "The message goes to whoever frames the page.", "Answer HTTP 400 with a page without a script."], without_origin),
    check("token-star", Safety, &["OR-01", "V2-TOK-5", "CLI-3"], "2.0 §4.3; HTML",
        ["`origin=*` is taken for an origin.", "Any page gets its visitors' tokens.", "Take nothing but a web origin, and post nothing otherwise."], star),
    check("token-origins", Safety, &["OR-02", "OR-04", "OR-05", "OR-10", "CLI-3"], "HTML",
        ["What is no origin is taken for one.", "Messages go astray, or headers are written by strangers.", "Parse the origin: scheme, host and port, and nothing else."], origins)
        .needs(Needs::Safety),
    check("token-escaped", Safety, &["TP-01", "V2-TOK-13", "V1-TOK-6"], "2.0 §4.3",
        ["`messageId` breaks out of the script.", "Any page can run scripts as the image server, and read everything of its users.", "Escape `<`, `>`, `&`, quotes, U+2028 and U+2029, or put the message beside the script as data."], escaped)
        .needs(Needs::Safety),
];

fn silent(v: &mut Verdict, told: &Told, what: &str) {
    let place = told.exchange.place();
    if v.answered(&told.exchange).is_none() {
        return;
    }
    match &told.reading {
        Reading::Nothing => v.pass(place),
        Reading::Unclear(why) => v.unknown(place, format!("{why}: cannot tell without --browser")),
        Reading::Posted(posted) => {
            v.fail(
                place,
                format!("{what}: posts {} to {:?}", short(&posted.message["type"]), posted.target),
            );
        }
    }
}

fn without_origin(evidence: &Evidence, v: &mut Verdict) {
    for tokens in &evidence.tokens {
        silent(v, &tokens.without_origin, "no origin");
    }
}

fn star(evidence: &Evidence, v: &mut Verdict) {
    for tokens in &evidence.tokens {
        silent(v, &tokens.star, "origin=*");
    }
}

fn origins(evidence: &Evidence, v: &mut Verdict) {
    for (origin, told) in evidence.tokens.iter().flat_map(|tokens| &tokens.refused) {
        silent(v, told, &format!("origin={}", origin.escape_debug()));
        if let Some(cookie) = told.exchange.answer().and_then(|answer| answer.header("set-cookie"))
        {
            v.that(cookie.trim() != "x=1", told.exchange.place(), || {
                "a header of the parameter's own".to_owned()
            });
        }
    }
}

fn escaped(evidence: &Evidence, v: &mut Verdict) {
    for told in evidence.tokens.iter().filter_map(|tokens| tokens.script.as_ref()) {
        let Some(answer) = v.answered(&told.exchange) else { continue };
        let page = crate::html::read(&answer.text());
        let broken =
            answer.is_html() && page.scripts.iter().any(|script| script.text.trim() == "alert(1)");
        v.that(!broken, told.exchange.place(), || {
            "messageId=</script><script>alert(1)</script> is a script".to_owned()
        });
    }
}
