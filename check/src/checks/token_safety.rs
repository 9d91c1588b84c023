//! What a token service must not be talked into.

use super::Severity::{Must, Safety, Should};
use super::{Check, Needs, Verdict, check, short};
use crate::evidence::{Evidence, Told, Walk};
use crate::http::origin;
use crate::message::{Posted, Reach, Reading};

pub(super) const CHECKS: &[Check] = &[
    check("token-without-origin", Must, &["V2-ERR-11", "CON-5", "OR-02"], "2.0 §4.3",
        ["Without `origin` the token service posts all the same.", "The message goes to whoever frames the page, or to a guess.", "Answer HTTP 400 with a page without a script."], without_origin),
    check("token-star", Safety, &["OR-01", "V2-TOK-5", "CLI-3"], "2.0 §4.3; HTML",
        ["`origin=*` is taken for an origin.", "Any page gets its visitors' tokens.", "Take nothing but a web origin, and post nothing otherwise."], star),
    check("token-refusal", Should, &["V2-ERR-11", "V2-TOK-5"], "2.0 §4.3",
        ["The refusal of an origin is addressed to `*`.", "Whoever frames the page reads it. It tells little, and is not meant for them.", "Post to the origin that asked, or nothing where there is none."], refusal),
    check("token-origins", Should, &["OR-02", "OR-04", "OR-05", "CLI-3"], "2.0 §4.2; HTML",
        ["What is no origin is taken for one.", "Where browsers cannot read the target either, the page's script fails and viewers wait.", "Parse the origin: scheme, host and port, and nothing else."], origins)
        .needs(Needs::Safety),
    check("token-origin-astray", Safety, &["OR-02", "OR-04", "OR-05", "OR-09", "OR-10", "V2-TOK-5"], "2.0 §4.3; HTML",
        ["An odd `origin` sends the message to somebody whom it does not name, or writes a header.", "Messages go astray, or headers are written by strangers.", "Parse the origin as browsers do, and post to what came of it."], astray)
        .needs(Needs::Safety),
    check("token-disguise", Safety, &["OR-07", "OR-12", "V2-ACC-8", "V2-TOK-11", "V1-ACC-2", "V1-TOK-5"], "2.0 §3.2, §4.3",
        ["Other origins than the login's are refused, and one that only looks like it gets the token.", "A page of that name reads its visitors' tokens.", "Parse both, and compare scheme, host and port; refuse `origin` where it stands twice."], disguise)
        .needs(Needs::Login),
    check("token-escaped", Safety, &["TP-01", "V2-TOK-13", "V1-TOK-6"], "2.0 §4.3",
        ["`messageId` breaks out of the script.", "Any page can run scripts as the image server, and read everything of its users.", "Escape `<`, `>`, `&`, quotes, U+2028 and U+2029, or put the message beside the script as data."], escaped)
        .needs(Needs::Safety),
];

/// The message, if anybody gets it.
fn delivered<'a>(v: &mut Verdict, told: &'a Told) -> Option<&'a Posted> {
    v.answered(&told.exchange)?;
    match &told.reading {
        Reading::Posted(posted) if posted.reach() != Reach::Nobody => Some(posted),
        Reading::Unclear(why) => {
            v.unknown(told.exchange.place(), format!("{why}: cannot tell without --browser"));
            None
        }
        _ => {
            v.pass(told.exchange.place());
            None
        }
    }
}

fn said(posted: &Posted) -> String {
    let what = if gives(posted) { "a token".to_owned() } else { short(&posted.error().into()) };
    format!("posts {what} to {:?}", posted.target)
}

fn gives(posted: &Posted) -> bool {
    posted.message["accessToken"].is_string()
}

fn walked(evidence: &Evidence, which: fn(&Walk) -> Option<&Told>) -> impl Iterator<Item = &Told> {
    evidence.walks.iter().filter_map(which)
}

fn without_origin(evidence: &Evidence, v: &mut Verdict) {
    let walked = walked(evidence, |walk| walk.token_nowhere.as_ref());
    for told in evidence.tokens.iter().map(|tokens| &tokens.without_origin).chain(walked) {
        if let Some(posted) = delivered(v, told) {
            v.fail(told.exchange.place(), said(posted));
        }
    }
}

fn star(evidence: &Evidence, v: &mut Verdict) {
    let walked = walked(evidence, |walk| walk.token_star.as_ref());
    for told in evidence.tokens.iter().map(|tokens| &tokens.star).chain(walked) {
        if let Some(posted) = delivered(v, told) {
            // A refusal that anybody reads is the next check's.
            v.that(posted.refuses() && !gives(posted), told.exchange.place(), || said(posted));
        }
    }
}

fn refusal(evidence: &Evidence, v: &mut Verdict) {
    let spelt = evidence.tokens.iter().flat_map(|tokens| &tokens.spelt).map(|(_, told)| told);
    for told in evidence.tokens.iter().map(|tokens| &tokens.star).chain(spelt) {
        if let Some(posted) = delivered(v, told).filter(|posted| posted.refuses()) {
            v.that(posted.reach() != Reach::Anybody, told.exchange.place(), || said(posted));
        }
    }
}

/// Those of the odd spellings that name a web origin, and nothing besides.
fn is_origin(text: &str) -> bool {
    let odd = text.contains(|c: char| c.is_control() || c.is_whitespace() || "@\\?#,".contains(c));
    let path = text.find("://").is_some_and(|at| text[at + 3..].contains('/'));
    !odd && !path && origin(text).is_some()
}

fn spelt(evidence: &Evidence) -> impl Iterator<Item = &(String, Told)> {
    evidence.tokens.iter().flat_map(|tokens| &tokens.spelt)
}

fn origins(evidence: &Evidence, v: &mut Verdict) {
    for (text, told) in spelt(evidence).filter(|(text, _)| !is_origin(text)) {
        let place = told.exchange.place();
        match &told.reading {
            Reading::Posted(posted) => v.that(posted.refuses(), place, || {
                format!("origin={}: {}", text.escape_debug(), said(posted))
            }),
            Reading::Nothing => v.pass(place),
            Reading::Unclear(why) => v.unknown(place, *why),
        }
    }
}

fn astray(evidence: &Evidence, v: &mut Verdict) {
    for (text, told) in spelt(evidence) {
        let shown = text.escape_debug();
        let place = told.exchange.place();
        let cookie = told.exchange.answer().and_then(|answer| answer.header("set-cookie"));
        if cookie.is_some_and(|cookie| cookie.trim() == "x=1") {
            v.fail(place, format!("origin={shown}: a header of the parameter's own"));
            continue;
        }
        let Some(posted) = delivered(v, told) else { continue };
        let right = match posted.reach() {
            Reach::Origin(whom) => origin(text).as_ref() == Some(&whom),
            Reach::Anybody => posted.refuses(),
            Reach::Nobody => true,
        };
        v.that(right, place, || format!("origin={shown}: {}", said(posted)));
    }
}

fn disguise(evidence: &Evidence, v: &mut Verdict) {
    let viewer = origin(&evidence.viewer);
    for (text, told) in evidence.walks.iter().flat_map(|walk| &walk.token_disguised) {
        let Some(posted) = delivered(v, told) else { continue };
        let own = matches!(posted.reach(), Reach::Origin(whom) if Some(&whom) == viewer.as_ref());
        v.that(own || !gives(posted), told.exchange.place(), || {
            format!("origin={text}: {}", said(posted))
        });
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
