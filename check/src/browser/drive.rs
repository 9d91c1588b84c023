//! What a viewer does, done in Chromium.

use std::io::Write as _;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::chromium::{Chromium, Failure, Options, Tab};
use super::{Seen, page};
use crate::arguments::Arguments;
use crate::discover::Role;
use crate::evidence::Evidence;
use crate::http::{origin, with_query};

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

/// Where secrets may be typed.
fn own(arguments: &Arguments) -> Vec<String> {
    origin(&arguments.target).into_iter().chain(arguments.own.clone()).collect()
}

/// Access services with an address of the server's own, each once.
fn services(arguments: &Arguments, evidence: &Evidence) -> Vec<usize> {
    let own = own(arguments);
    let mut seen = Vec::new();
    (0..evidence.services.len())
        .filter(|index| {
            let service = &evidence.services[*index];
            let id = service.id().filter(|id| {
                origin(id).is_some_and(|origin| own.contains(&origin))
                    && !seen.contains(&(*id).to_owned())
            });
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
    if arguments.by_hand && !arguments.quiet {
        let cookies = if blocks_cookies { "blocked" } else { "allowed" };
        let _ = writeln!(
            std::io::stderr(),
            "A window opens (third-party cookies are {cookies} in it): log in there, and close the tab if it does not close itself."
        );
    }
    browser.text(&tab, &format!("enter({})", Value::from(url)), false)?;
    match log_in(arguments, &mut browser, &tab) {
        Ok(closed) => seen.closed = closed,
        Err(problem) => seen.problem = Some(problem),
    }
    match message(&mut browser, &tab, &seen.token_url) {
        Ok(after) => seen.after = after,
        // Whoever logs in by hand may close the window: what was seen until then counts.
        Err(_) if seen.problem.is_some() => return Ok(seen),
        Err(error) => return Err(error),
    }
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
    let (script, own) = (press_script(arguments), own(arguments));
    let mut said = "the login's tab stays open".to_owned();
    let mut popup: Option<Tab> = None;
    while Instant::now() < until {
        std::thread::sleep(Duration::from_millis(400));
        match browser.text(viewer, "closed()", false) {
            Ok(closed) if closed == "true" => return Ok(true),
            Err(error) if !browser.lives() => return Err(format!("the browser ended: {error}")),
            Ok(_) | Err(_) => {}
        }
        if arguments.by_hand {
            continue;
        }
        match newest(browser, viewer, popup.take()) {
            // What a page says of itself is not believed where passwords are typed.
            Some((_, url)) if !origin(&url).is_some_and(|origin| own.contains(&origin)) => {
                let origin = origin(&url).unwrap_or_default();
                said = format!(
                    "the login goes on at {origin}, which is not the server's own (--own-origin {origin})"
                );
            }
            Some((tab, _)) => {
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

/// The login's tab, or a window that it opened, and where it is.
fn newest(browser: &mut Chromium, viewer: &Tab, known: Option<Tab>) -> Option<(Tab, String)> {
    let pages = browser.pages().ok()?;
    let (target, url) = pages
        .into_iter()
        .find(|(target, url)| *target != viewer.target && url.starts_with("http"))?;
    let tab = match known {
        Some(tab) if tab.target == target => tab,
        _ => browser.attach(&target).ok()?,
    };
    Some((tab, url))
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
    let script = include_str!("press.js").trim_end();
    format!("{script}({}, {})", Value::from(fields), Value::from(own(arguments)))
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
    use std::collections::{BTreeMap, BTreeSet};
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
    use std::time::Duration;

    use crate::arguments::Arguments;
    use crate::checks::{Needs, State, all};
    use crate::serve::start;

    /// One at a time: a hand comes to every browser of this process.
    fn alone() -> MutexGuard<'static, ()> {
        static ONE: Mutex<()> = Mutex::new(());
        ONE.lock().unwrap_or_else(PoisonError::into_inner)
    }

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
        let _alone = alone();
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

    /// A login at another origin gets no password, and is said to be there.
    #[test]
    #[ignore = "needs Chromium"]
    fn nothing_is_typed_elsewhere() {
        let _alone = alone();
        let (base, _) = start(Some("browser-elsewhere"), false);
        let mut arguments = Arguments::for_target(&format!("{base}/iiif/3/login/info.json"));
        arguments.rate = None;
        arguments.browser = true;
        arguments.only = vec!["browser-login".to_owned()];
        arguments.fields =
            ["user", "password"].map(|name| (name.to_owned(), "reader".to_owned())).into();
        let mut sent = Vec::new();
        let report = crate::run::look(&arguments, &mut sent).expect("a report");
        let unknown = report.checks(State::Unknown);
        let seen = unknown.first().map(|one| one.outcomes[0].seen.clone()).unwrap_or_default();
        assert!(seen.contains("--own-origin http://localhost:"), "{seen}");
        // With the word for it, it is.
        arguments.own = vec![base.replace("127.0.0.1", "localhost")];
        let report = crate::run::look(&arguments, &mut Vec::new()).expect("a report");
        assert!(report.checks(State::Unknown).is_empty());
    }

    /// Another connection to the same browser: the hand of whoever sits before it. It comes to every
    /// window that is opened until the test is over.
    #[cfg(unix)]
    struct Hand {
        stop: Arc<AtomicBool>,
        thread: Option<std::thread::JoinHandle<()>>,
    }

    #[cfg(unix)]
    impl Hand {
        fn new(at: &'static str, does: &'static str) -> Self {
            let stop = Arc::new(AtomicBool::new(false));
            let end = stop.clone();
            let thread = std::thread::spawn(move || {
                let mut done = BTreeSet::new();
                while !end.load(Ordering::SeqCst) {
                    std::thread::sleep(Duration::from_millis(200));
                    for address in open_browsers() {
                        if !done.contains(&address) && act(&address, at, does).is_some() {
                            done.insert(address);
                        }
                    }
                }
            });
            Self { stop, thread: Some(thread) }
        }
    }

    #[cfg(unix)]
    impl Drop for Hand {
        fn drop(&mut self) {
            self.stop.store(true, Ordering::SeqCst);
            let _ = self.thread.take().map(std::thread::JoinHandle::join);
        }
    }

    /// Where the browsers of this process listen.
    #[cfg(unix)]
    fn open_browsers() -> Vec<String> {
        let own = format!("iiif-auth-check-{}-", std::process::id());
        let Ok(folders) = std::fs::read_dir(std::env::temp_dir()) else { return Vec::new() };
        folders
            .flatten()
            .filter(|folder| folder.file_name().to_string_lossy().starts_with(&own))
            .filter_map(|folder| {
                let text =
                    std::fs::read_to_string(folder.path().join("DevToolsActivePort")).ok()?;
                let (port, path) = text.trim().split_once('\n')?;
                Some(format!("ws://127.0.0.1:{port}{path}"))
            })
            .collect()
    }

    /// Runs a script in the page of the login, if it is there; without one it closes the window.
    #[cfg(unix)]
    fn act(address: &str, at: &str, script: &str) -> Option<()> {
        use serde_json::{Value, json};
        let (mut socket, _) = tungstenite::connect(address).ok()?;
        let mut count = 0;
        let mut call = |session: Option<&str>, method: &str, params: Value| -> Option<Value> {
            count += 1;
            let mut command = json!({ "id": count, "method": method, "params": params });
            if let Some(session) = session {
                command["sessionId"] = session.into();
            }
            socket.send(tungstenite::Message::text(command.to_string())).ok()?;
            loop {
                let answer: Value =
                    serde_json::from_str(socket.read().ok()?.to_text().ok()?).ok()?;
                if answer["id"] == count {
                    return Some(answer["result"].clone());
                }
            }
        };
        let all = call(None, "Target.getTargets", json!({}))?;
        let page = all["targetInfos"].as_array()?.iter().find(|target| {
            target["type"] == "page" && target["url"].as_str().is_some_and(|url| url.contains(at))
        })?;
        if script.is_empty() {
            return call(None, "Browser.close", json!({})).map(drop);
        }
        let params = json!({ "targetId": page["targetId"], "flatten": true });
        let attached = call(None, "Target.attachToTarget", params)?;
        let params = json!({ "expression": script, "userGesture": true, "returnByValue": true });
        let said = call(Some(attached["sessionId"].as_str()?), "Runtime.evaluate", params)?;
        (said["result"]["value"] == "done").then_some(())
    }

    /// A program that opens no window, as there is no desktop where this is tested.
    #[cfg(unix)]
    fn without_a_desktop() -> std::path::PathBuf {
        use std::os::unix::fs::PermissionsExt as _;
        let path = std::env::temp_dir().join(format!("headless-{}", std::process::id()));
        std::fs::write(&path, "#!/bin/sh\nexec chromium --headless \"$@\"\n").expect("a script");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("its mode");
        path
    }

    #[cfg(unix)]
    fn by_hand(does: &'static str) -> BTreeMap<&'static str, State> {
        let (base, _) = start(None, false);
        let mut arguments = Arguments::for_target(&format!("{base}/iiif/3/login/info.json"));
        arguments.rate = None;
        arguments.browser = true;
        arguments.by_hand = true;
        arguments.quiet = true;
        arguments.program = Some(without_a_desktop());
        arguments.only = vec!["browser-".to_owned()];
        let _hand = Hand::new("/access/", does);
        let report = crate::run::look(&arguments, &mut Vec::new()).expect("a report");
        let states = [State::Fail, State::Unknown, State::Pass];
        states
            .into_iter()
            .flat_map(|state| {
                report.checks(state).into_iter().map(move |one| (one.check.id, state))
            })
            .collect()
    }

    /// TC-08: the user logs in, in both windows.
    #[test]
    #[cfg(unix)]
    #[ignore = "needs Chromium"]
    fn somebody_logs_in_by_hand() {
        let _alone = alone();
        let logs_in = "(() => { const form = document.forms[0]; if (!form) return \"\"; \
            for (const name of [\"user\", \"password\"]) form.elements[name].value = \"reader\"; \
            form.querySelector(\"button\").click(); return \"done\"; })()";
        let states = by_hand(logs_in);
        for id in ["browser-message", "browser-origin", "browser-login", "browser-picture"] {
            assert_eq!(states.get(id), Some(&State::Pass), "{id}: {states:?}");
        }
        assert_eq!(states.get("browser-blocked"), Some(&State::Fail), "{states:?}");
    }

    /// Whoever closes the tab, or the whole window, without logging in ends the wait, not the run.
    #[test]
    #[cfg(unix)]
    #[ignore = "needs Chromium"]
    fn nobody_waits_for_a_window_that_is_closed() {
        let _alone = alone();
        let begin = std::time::Instant::now();
        let states = by_hand("setTimeout(() => close()), \"done\"");
        assert_eq!(states.get("browser-login"), Some(&State::Fail), "{states:?}");
        let states = by_hand("");
        assert_eq!(states.get("browser-login"), Some(&State::Unknown), "{states:?}");
        assert!(begin.elapsed() < Duration::from_secs(150), "{:?}", begin.elapsed());
    }
}
