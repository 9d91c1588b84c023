//! The walk of a viewer in a real browser: with third-party cookies, and where they are blocked.

#[cfg(feature = "browser")]
mod chromium;
#[cfg(feature = "browser")]
mod drive;
#[cfg(feature = "browser")]
mod page;

#[cfg(feature = "browser")]
pub(crate) use drive::walk;

use serde_json::Value;

use crate::checks::Severity::{Must, Viewer};
use crate::checks::{Check, Needs, Verdict, check};
use crate::evidence::Evidence;
use crate::http::origin;

pub(crate) const CHECKS: &[Check] = &[
    check("browser-message", Must, &["V2-TOK-3", "V2-TOK-12", "V1-TOK-1", "TC-08"], "2.0 §4.2, §4.3",
        ["In a browser the token service posts nothing within ten seconds.", "Viewers wait for ever, or give up.", "Post a message from every answer to a frame, also where no cookie came."], message)
        .needs(Needs::Browser),
    check("browser-origin", Must, &["V2-TOK-5", "V1-TOK-4"], "2.0 §4.3; seen in Universal Viewer",
        ["In a browser the message comes from another origin than the token service's.", "Universal Viewer and Ramp do not believe it.", "Answer at the declared URI itself, without a redirect or a sandbox."], from)
        .needs(Needs::Browser),
    check("browser-login", Must, &["V2-TOK-10", "V2-ACC-9", "V2-ACC-13"], "2.0 §3, §7.1",
        ["In a browser that takes third-party cookies the login leads to no token.", "Viewers offer the login again, for ever.", "See what the message says: it is quoted above."], login)
        .needs(Needs::Browser),
    check("browser-picture", Must, &["V2-PROBE-6", "V2-COOKIE-3"], "2.0 §1.1",
        ["In a browser that takes third-party cookies the picture stays closed after the login.", "Users are in and see nothing.", "Look at the cookie's attributes and at CORP."], picture)
        .needs(Needs::Browser),
    check("browser-blocked", Viewer, &["V2-COOKIE-3", "TC-08"], "2.0 Appendix A; seen in Chromium, Firefox and Safari",
        ["Where the browser blocks third-party cookies the login leads to no token.", "Users of such browsers stay outside, in every viewer of another site.", "Serve the viewer from the same site, or carry the login over (hand-off, Storage Access)."], blocked)
        .needs(Needs::Browser),
];

/// What a browser met at one access service.
pub(crate) struct Seen {
    /// The access service, as an index.
    pub(crate) access: usize,
    pub(crate) token_url: String,
    pub(crate) blocks_cookies: bool,
    /// Before anybody was in: the message, and the origin it came from.
    pub(crate) before: Option<(Value, String)>,
    /// The tab closed by itself.
    pub(crate) closed: bool,
    pub(crate) after: Option<(Value, String)>,
    /// The picture in an `<img>`.
    pub(crate) picture: Option<bool>,
    pub(crate) problem: Option<String>,
}

impl Seen {
    pub(crate) fn is_in(&self) -> bool {
        self.after.as_ref().is_some_and(|(message, _)| message["accessToken"].is_string())
    }

    fn said(&self) -> String {
        let tab = if self.closed { "" } else { "the tab did not close by itself; " };
        match &self.after {
            None => format!("{tab}no message"),
            Some((message, _)) => {
                let error = message.get("profile").or_else(|| message.get("error"));
                format!(
                    "{tab}{}",
                    error.map_or("a message without a token".to_owned(), Value::to_string)
                )
            }
        }
    }
}

fn message(evidence: &Evidence, v: &mut Verdict) {
    for seen in &evidence.browser {
        v.that(seen.before.is_some(), seen.token_url.clone(), || "nothing".to_owned());
    }
}

fn from(evidence: &Evidence, v: &mut Verdict) {
    for seen in &evidence.browser {
        for (_, from) in seen.before.iter().chain(&seen.after) {
            v.that(origin(&seen.token_url).as_ref() == Some(from), seen.token_url.clone(), || {
                format!("from {from}")
            });
        }
    }
}

fn walked(evidence: &Evidence, blocks: bool) -> impl Iterator<Item = &Seen> {
    evidence.browser.iter().filter(move |seen| seen.blocks_cookies == blocks)
}

fn place(evidence: &Evidence, seen: &Seen) -> String {
    let service = &evidence.services[seen.access];
    service.id().map_or_else(|| evidence.place(service), str::to_owned)
}

fn entered(evidence: &Evidence, v: &mut Verdict, blocks: bool) {
    for seen in walked(evidence, blocks) {
        match &seen.problem {
            Some(problem) => v.unknown(place(evidence, seen), problem.clone()),
            None if !seen.is_in() && stays_home(evidence, seen.access) => {
                let why = "on plain http a cookie cannot be for other sites: serve it over https";
                v.unknown(place(evidence, seen), why);
            }
            None => v.that(seen.is_in(), place(evidence, seen), || seen.said()),
        }
    }
}

/// Whether a login without a browser got a token by a cookie that no browser sends to another site, on
/// plain http, where there is no other.
fn stays_home(evidence: &Evidence, access: usize) -> bool {
    evidence.walks.iter().any(|walk| {
        walk.access == access
            && walk.access_token.is_some()
            && walk.token_url.starts_with("http:")
            && walk.jar.cookies.iter().all(|cookie| cookie.same_site.as_deref() != Some("none"))
    })
}

fn login(evidence: &Evidence, v: &mut Verdict) {
    entered(evidence, v, false);
}

fn blocked(evidence: &Evidence, v: &mut Verdict) {
    // Where nobody gets in with cookies, nothing is said of those without.
    if walked(evidence, false).any(Seen::is_in) {
        entered(evidence, v, true);
    }
}

fn picture(evidence: &Evidence, v: &mut Verdict) {
    for seen in walked(evidence, false).filter(|seen| seen.is_in()) {
        if let Some(shown) = seen.picture {
            v.that(shown, place(evidence, seen), || "not shown in <img>".to_owned());
        }
    }
}

#[cfg(not(feature = "browser"))]
pub(crate) fn walk(_: &crate::arguments::Arguments, _: &mut Evidence) -> Result<(), String> {
    Err("--browser: this program was built without the feature `browser`".into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::checks::State;

    /// With what two browsers met, one that takes third-party cookies and one that does not.
    fn judged(with: bool, without: bool) -> Vec<(&'static str, State)> {
        let (base, _) = crate::serve::start(None, false);
        let mut arguments =
            crate::arguments::Arguments::for_target(&format!("{base}/iiif/3/login/info.json"));
        arguments.rate = None;
        let mut evidence = crate::run::gather(&arguments, &mut Vec::new()).expect("evidence");
        let access = evidence
            .services
            .iter()
            .position(|service| service.profile() == "active")
            .expect("a login");
        for (blocks_cookies, is_in) in [(false, with), (true, without)] {
            let message = if is_in {
                json!({ "accessToken": "t" })
            } else {
                json!({ "profile": "missingAspect" })
            };
            evidence.browser.push(Seen {
                access,
                token_url: format!("{base}/token/2/login"),
                blocks_cookies,
                before: Some((json!({}), base.clone())),
                closed: true,
                after: Some((message, base.clone())),
                picture: Some(true),
                problem: None,
            });
        }
        let outcomes = crate::checks::judge(&evidence, |check| check.needs == Needs::Browser);
        outcomes.iter().map(|outcome| (outcome.check.id, outcome.state)).collect()
    }

    /// TC-08: what is said of blocked cookies hangs on what happens without the block.
    #[test]
    fn blocked_cookies_are_told_apart_from_a_broken_login() {
        let state = |all: Vec<(&'static str, State)>| {
            all.into_iter().find(|(id, _)| *id == "browser-blocked").map(|(_, state)| state)
        };
        assert_eq!(state(judged(true, true)), Some(State::Pass));
        assert_eq!(state(judged(true, false)), Some(State::Fail));
        assert_eq!(state(judged(false, false)), None);
    }
}
