//! Chromium, through its developer tools.

use std::ffi::OsStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use headless_chrome::{Browser, LaunchOptions, Tab};
use serde_json::Value;

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

type Failure = Box<dyn std::error::Error + Send + Sync>;

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
    let profile = Profile::new(blocks_cookies)?;
    let browser = launch(arguments, &profile)?;
    let tab = browser.new_tab()?;
    tab.set_default_timeout(Duration::from_secs(20));
    tab.navigate_to(viewer)?.wait_until_navigated()?;
    let mut seen = Seen {
        access,
        blocks_cookies,
        before: message(&tab, &token_url)?,
        closed: false,
        after: None,
        picture: None,
        problem: None,
        token_url,
    };
    let url = with_query(evidence.services[access].id().unwrap_or_default(), &[("origin", viewer)]);
    text(&tab, &format!("enter({})", Value::from(url)), false)?;
    match log_in(arguments, &browser, &tab) {
        Ok(closed) => seen.closed = closed,
        Err(problem) => seen.problem = Some(problem),
    }
    seen.after = message(&tab, &seen.token_url)?;
    if seen.is_in() {
        // What it wanted to know first is of no matter any more.
        seen.problem = None;
        if let Some(url) = picture(evidence, access) {
            seen.picture =
                Some(text(&tab, &format!("picture({})", Value::from(url)), true)? == "true");
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

/// What a script of the page says, as text.
fn text(tab: &Tab, script: &str, waits: bool) -> Result<String, Failure> {
    let value = tab.evaluate(script, waits)?.value;
    Ok(value.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned())
}

fn message(tab: &Tab, url: &str) -> Result<Option<(Value, String)>, Failure> {
    let told = text(tab, &format!("token({})", Value::from(url)), true)?;
    let json: Value = serde_json::from_str(&told).unwrap_or_default();
    let origin = json["origin"].as_str().unwrap_or_default().to_owned();
    Ok(json.get("message").map(|message| (message.clone(), origin)))
}

/// Until the tab of the login is closed. Whether it did so by itself.
fn log_in(arguments: &Arguments, browser: &Browser, viewer: &Arc<Tab>) -> Result<bool, String> {
    let until = Instant::now() + if arguments.by_hand { BY_HAND } else { PATIENCE };
    let script = press_script(arguments);
    let mut said = "the login's tab stays open".to_owned();
    let first = tabs(browser).len();
    while Instant::now() < until {
        std::thread::sleep(Duration::from_millis(400));
        if text(viewer, "closed()", false).is_ok_and(|closed| closed == "true") {
            return Ok(true);
        }
        // Not before it is there: the newest tab is the login's, or a helper of it.
        let Some(popup) = tabs(browser)
            .into_iter()
            .rev()
            .find(|tab| tab.get_target_id() != viewer.get_target_id())
        else {
            continue;
        };
        if arguments.by_hand || first == 0 || popup.get_url() == "about:blank" {
            continue;
        }
        match text(&popup, &script, false).as_deref() {
            Ok("press") => {
                // A click of the mouse: browsers tell it from a script's.
                let pressed = popup
                    .find_element("[data-iiif-auth-check]")
                    .and_then(|one| one.click().map(|_| ()));
                if let Err(error) = pressed {
                    said = format!("cannot press: {error}");
                }
            }
            Ok("") | Err(_) => {}
            Ok(other) => other.clone_into(&mut said),
        }
    }
    Err(said)
}

fn press_script(arguments: &Arguments) -> String {
    let fields: Vec<_> =
        arguments.fields.iter().map(|(name, value)| serde_json::json!([name, value])).collect();
    format!("{}({})", include_str!("press.js").trim_end(), Value::from(fields))
}

fn tabs(browser: &Browser) -> Vec<Arc<Tab>> {
    browser.get_tabs().lock().map(|tabs| tabs.clone()).unwrap_or_default()
}

fn launch(arguments: &Arguments, profile: &Profile) -> Result<Browser, Failure> {
    let mut args = vec![OsStr::new("--disable-quic"), OsStr::new("--disable-component-update")];
    if !arguments.by_hand {
        args.push(OsStr::new("--headless"));
    }
    let options = LaunchOptions {
        headless: !arguments.by_hand,
        // Chromium has none for root.
        sandbox: !is_root(),
        path: arguments.program.clone(),
        user_data_dir: Some(profile.0.clone()),
        ignore_certificate_errors: arguments.insecure || arguments.authority.is_some(),
        idle_browser_timeout: Duration::from_secs(330),
        args,
        ..LaunchOptions::default()
    };
    Ok(Browser::new(options)?)
}

#[cfg(unix)]
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}

/// A fresh one for each walk, gone afterwards.
struct Profile(std::path::PathBuf);

impl Profile {
    fn new(blocks_cookies: bool) -> std::io::Result<Self> {
        use std::sync::atomic::{AtomicU32, Ordering};
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "iiif-auth-check-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(path.join("Default"))?;
        let mode = u8::from(blocks_cookies);
        let preferences = format!("{{\"profile\":{{\"cookie_controls_mode\":{mode}}}}}");
        std::fs::write(path.join("Default/Preferences"), preferences)?;
        Ok(Self(path))
    }
}

impl Drop for Profile {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
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
