//! What a viewer does, done in Chromium.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::chromium::{Chromium, Failure, Options, Tab};
use super::{Seen, page};
use crate::arguments::Arguments;
use crate::discover::Role;
use crate::evidence::Evidence;
use crate::http::with_query;

/// For a login that presses for itself; by hand it may take minutes.
const PATIENCE: Duration = Duration::from_secs(25);
const BY_HAND: Duration = Duration::from_secs(300);

pub(crate) fn walk(arguments: &Arguments, evidence: &mut Evidence) -> Result<(), String> {
    let viewer = page::serve(&arguments.target)?;
    for access in services(arguments, evidence) {
        for blocks_cookies in [false, true] {
            let seen = one(arguments, evidence, access, blocks_cookies, &viewer)
                .map_err(|error| format!("--browser: {error}"))?;
            evidence.browser.push(seen);
        }
    }
    Ok(())
}

/// Access services with an address of the server's own, each once.
fn services(arguments: &Arguments, evidence: &Evidence) -> Vec<usize> {
    let own = |url: &str| {
        let origin = crate::http::origin(url);
        origin == crate::http::origin(&arguments.target)
            || origin.is_some_and(|origin| arguments.own.contains(&origin))
    };
    let mut seen = Vec::new();
    (0..evidence.services.len())
        .filter(|index| {
            let service = &evidence.services[*index];
            let id = service.id().filter(|id| own(id) && !seen.contains(&(*id).to_owned()));
            let found =
                service.role == Role::Access && service.profile() != "external" && id.is_some();
            if let (true, Some(id)) = (found, id) {
                seen.push(id.to_owned());
            }
            found && seen.len() <= 4
        })
        .collect()
}

fn one(
    arguments: &Arguments,
    evidence: &Evidence,
    access: usize,
    blocks_cookies: bool,
    viewer: &str,
) -> Result<Seen, Failure> {
    let token =
        evidence.below_access(access, Role::Token).and_then(|token| evidence.services[token].id());
    let token_url = token.unwrap_or_default().to_owned();
    let mut browser = launch(arguments, blocks_cookies)?;
    let tab = browser.open(viewer)?;
    let mut seen = Seen {
        access,
        blocks_cookies,
        before: message(&mut browser, &tab, &token_url)?,
        closed: false,
        after: None,
        picture: None,
        problem: None,
        token_url,
    };
    let url = with_query(evidence.services[access].id().unwrap_or_default(), &[("origin", viewer)]);
    browser.text(&tab, &format!("enter({})", Value::from(url)), false)?;
    match log_in(arguments, &mut browser, &tab) {
        Ok(closed) => seen.closed = closed,
        Err(problem) => seen.problem = Some(problem),
    }
    seen.after = message(&mut browser, &tab, &seen.token_url)?;
    if seen.is_in() {
        // What it wanted to know first is of no matter any more.
        seen.problem = None;
        if let Some(url) = picture(evidence, access) {
            seen.picture = Some(
                browser.text(&tab, &format!("picture({})", Value::from(url)), true)? == "true",
            );
        }
    }
    Ok(seen)
}

/// A picture that this service opens.
fn picture(evidence: &Evidence, access: usize) -> Option<String> {
    let own = |service: usize| {
        let (service, access) = (&evidence.services[service], &evidence.services[access]);
        service.role == Role::Access
            && service.family == access.family
            && service.id() == access.id()
    };
    let opens = |top: &usize| own(*top) || evidence.children(*top).any(|(child, _)| own(child));
    let asked = evidence.contents.iter().find(|asked| {
        asked.is_closed() && asked.content.image.is_some() && asked.services.iter().any(opens)
    })?;
    Some(asked.content.url.clone())
}

fn message(
    browser: &mut Chromium,
    tab: &Tab,
    url: &str,
) -> Result<Option<(Value, String)>, Failure> {
    let told = browser.text(tab, &format!("token({})", Value::from(url)), true)?;
    let json: Value = serde_json::from_str(&told).unwrap_or_default();
    let origin = json["origin"].as_str().unwrap_or_default().to_owned();
    Ok(json.get("message").map(|message| (message.clone(), origin)))
}

/// Until the tab of the login is closed. Whether it did so by itself.
fn log_in(arguments: &Arguments, browser: &mut Chromium, viewer: &Tab) -> Result<bool, String> {
    let until = Instant::now() + if arguments.by_hand { BY_HAND } else { PATIENCE };
    let script = press_script(arguments);
    let mut said = "the login's tab stays open".to_owned();
    let mut popup: Option<Tab> = None;
    while Instant::now() < until {
        std::thread::sleep(Duration::from_millis(400));
        if browser.text(viewer, "closed()", false).is_ok_and(|closed| closed == "true") {
            return Ok(true);
        }
        if arguments.by_hand {
            continue;
        }
        match newest(browser, viewer, popup.take()) {
            Some(tab) => {
                if let Err(error) = press(browser, &tab, &script) {
                    said = error.to_string();
                }
                popup = Some(tab);
            }
            None => popup = None,
        }
    }
    Err(said)
}

/// The login's tab, or a window that it opened.
fn newest(browser: &mut Chromium, viewer: &Tab, known: Option<Tab>) -> Option<Tab> {
    let pages = browser.pages().ok()?;
    let (target, _) = pages
        .into_iter()
        .find(|(target, url)| *target != viewer.target && url.starts_with("http"))?;
    match known {
        Some(tab) if tab.target == target => Some(tab),
        _ => browser.attach(&target).ok(),
    }
}

fn press(browser: &mut Chromium, tab: &Tab, script: &str) -> Result<(), Failure> {
    let said = browser.text(tab, script, false)?;
    let mut words = said.split(' ');
    match (words.next(), words.next().map(str::parse), words.next().map(str::parse)) {
        (Some("press"), Some(Ok(x)), Some(Ok(y))) => browser.click(tab, x, y),
        _ if said.is_empty() => Ok(()),
        _ => Err(said.into()),
    }
}

fn press_script(arguments: &Arguments) -> String {
    let fields: Vec<_> =
        arguments.fields.iter().map(|(name, value)| serde_json::json!([name, value])).collect();
    format!("{}({})", include_str!("press.js").trim_end(), Value::from(fields))
}

fn launch(arguments: &Arguments, blocks_cookies: bool) -> Result<Chromium, Failure> {
    Chromium::launch(&Options {
        program: arguments.program.clone(),
        visible: arguments.by_hand,
        ignores_certificates: arguments.insecure || arguments.authority.is_some(),
        blocks_cookies,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::arguments::Arguments;
    use crate::checks::{Needs, State, all};
    use crate::serve::start;

    fn failed(mutant: Option<&str>) -> (BTreeSet<&'static str>, BTreeSet<&'static str>) {
        let (base, _) = start(mutant, false);
        let mut arguments = Arguments::for_target(&format!("{base}/iiif/3/login/info.json"));
        arguments.rate = None;
        arguments.browser = true;
        arguments.only = vec!["browser-".to_owned()];
        arguments.fields =
            ["user", "password"].map(|name| (name.to_owned(), "reader".to_owned())).into();
        let report = crate::run::look(&arguments, &mut Vec::new()).expect("a report");
        let ids = |state| report.checks(state).iter().map(|finding| finding.check.id).collect();
        (ids(State::Fail), ids(State::Pass))
    }

    /// TC-08, and each check of a browser twice.
    #[test]
    #[ignore = "needs Chromium"]
    fn a_browser_tells_right_from_wrong() {
        let (wrong, right) = failed(None);
        // A right server without a hand-off: blocked cookies keep users out, and that is said.
        assert_eq!(wrong, BTreeSet::from(["browser-blocked"]));
        let cases = [
            ("token-page", "browser-message"),
            ("login-leads-in", "browser-login"),
            ("content-corp", "browser-picture"),
            ("browser-origin", "browser-origin"),
        ];
        for (mutant, check) in cases {
            assert!(right.contains(check), "{check}");
            assert!(failed(Some(mutant)).0.contains(check), "{mutant}");
        }
        let proved: BTreeSet<_> =
            cases.iter().map(|(_, check)| *check).chain(["browser-blocked"]).collect();
        let all: BTreeSet<_> =
            all().filter(|check| check.needs == Needs::Browser).map(|check| check.id).collect();
        assert_eq!(proved, all);
    }
}
