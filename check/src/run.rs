//! One run: asks, judges, reports.

use std::io::{IsTerminal as _, Write as _};

use crate::arguments::Arguments;
use crate::checks::{self, Check, Needs, Severity};
use crate::discover::Family;
use crate::evidence::{self, Login, Plan};
use crate::http::{Client, Settings, origin};
use crate::report::{Format, Report, plain};
use crate::viewers;

pub(crate) struct Done {
    pub(crate) text: String,
    /// Something at or above the severity that was asked for.
    pub(crate) found: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Done, String> {
    let mut sent = Vec::new();
    let report = look(arguments, &mut sent);
    if arguments.dry {
        report?;
        let mut text = "Only the descriptions were fetched. Further requests depend on answers; these would follow:\n".to_owned();
        for line in sent {
            text.push_str(&plain(&line));
            text.push('\n');
        }
        return Ok(Done { text, found: false });
    }
    let report = report?;
    let found = arguments.fail_on.is_some_and(|from| {
        Severity::ALL
            .into_iter()
            .filter(|severity| *severity <= from)
            .any(|severity| report.count(severity) > 0)
    });
    Ok(Done { text: report.write(arguments.format), found })
}

/// Everything but the words.
pub(crate) fn look<'a>(
    arguments: &'a Arguments,
    sent: &mut Vec<String>,
) -> Result<Report<'a>, String> {
    let mut evidence = gather(arguments, sent)?;
    if arguments.browser && !arguments.dry {
        crate::browser::walk(arguments, &mut evidence)?;
    }
    let outcomes = checks::judge(&evidence, |check| wanted(arguments, check));
    let login = arguments.cookie.is_some()
        || arguments.click
        || !arguments.fields.is_empty()
        || arguments.browser;
    let viewers = viewers::table(&evidence, &outcomes, login);
    let colour = arguments.output.is_none()
        && std::io::stdout().is_terminal()
        && std::env::var_os("NO_COLOR").is_none()
        && arguments.format == Format::Text;
    let (target, requests) = (&*arguments.target, sent.len());
    let (safety, long) = (arguments.safety, arguments.long);
    Ok(Report { target, outcomes, viewers, requests, login, safety, colour, long })
}

/// What the server answers, and what was sent for it.
pub(crate) fn gather(
    arguments: &Arguments,
    sent: &mut Vec<String>,
) -> Result<evidence::Evidence, String> {
    let client = client(arguments)?;
    let login = match (&arguments.cookie, arguments.click || !arguments.fields.is_empty()) {
        (Some(cookie), _) => Some(Login::Cookie(cookie.clone())),
        (None, true) => Some(Login::Form(arguments.fields.clone())),
        (None, false) => None,
    };
    let families = match &*arguments.families {
        [] => vec![Family::V2, Family::V1, Family::V0],
        some => some.to_vec(),
    };
    let plan = Plan {
        target: arguments.target.clone(),
        viewer: arguments.viewer.clone(),
        hostile: arguments.safety,
        resources: arguments.resources,
        families,
        login,
    };
    let evidence = evidence::gather(&client, &plan);
    *sent = client.sent();
    evidence
}

fn wanted(arguments: &Arguments, check: &Check) -> bool {
    let named = |ids: &[String]| ids.iter().any(|id| check.id.starts_with(id.as_str()));
    let safety = check.needs != Needs::Safety || arguments.safety;
    let browser = check.needs != Needs::Browser || arguments.browser;
    safety
        && browser
        && (arguments.only.is_empty() || named(&arguments.only))
        && !named(&arguments.skip)
}

fn client(arguments: &Arguments) -> Result<Client, String> {
    let read = |path: &std::path::PathBuf| {
        std::fs::read(path).map_err(|error| format!("--authority: {}: {error}", path.display()))
    };
    let target =
        origin(&arguments.target).ok_or_else(|| format!("{}: no web address", arguments.target))?;
    let own = std::iter::once(target).chain(arguments.own.iter().cloned()).collect();
    Client::new(Settings {
        rate: arguments.rate,
        timeout: arguments.timeout,
        limit: arguments.limit,
        dry: arguments.dry,
        own,
        authority: arguments.authority.as_ref().map(read).transpose()?,
        insecure: arguments.insecure,
        progress: (!arguments.quiet && !arguments.dry && std::io::stderr().is_terminal())
            .then_some(progress),
    })
}

/// One line that is written over and over.
fn progress(line: &str) {
    let line: String = plain(line).chars().take(76).collect();
    let _ = write!(std::io::stderr(), "\r\u{1b}[K{line}\r");
}
