//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::checks::Severity;
use crate::discover::Family;
use crate::report::Format;

pub(crate) const HELP: &str = "\
Looks at the authorization of a IIIF server as viewers and strangers do, and says what is wrong.

usage: iiif-auth-check [FLAGS] URL        of an info.json, a manifest or a probe service
       iiif-auth-check --list             every check, with its clause and its reason
       iiif-auth-check serve [FLAGS]      a model server, to test viewers with

what is looked at
  --resources N         pictures and files of a manifest (default 6)
  --family 2.0|1.0|0.9  services of this version alone; may be repeated
  --only ID, --skip ID  checks by their ids, or by the beginning of them; may be repeated
  --viewer ORIGIN       the viewer that is played (default https://viewer.example)
  --safety              what may do harm, too; with --this-server-is-mine

with a login
  --field NAME=VALUE    for the form of the access service; may be repeated. The value @FILE reads a
                        file, and $NAME a variable, so that passwords need not stand here
  --click               press what wants to be pressed, type nothing: click-through, kiosk
  --cookie COOKIE       be in already; @FILE and $NAME as above
  --own-origin ORIGIN   a further origin that may see the login's secrets; may be repeated. Otherwise
                        that of URL alone
  --browser[=PATH]      in Chromium as well, as a viewer does, with third-party cookies and without
  --by-hand             with --browser: a window opens, log in yourself

what comes out
  --format FORMAT       text, json, junit or html (default text)
  --output FILE         there, instead of to the terminal
  --long                what passed, too
  --fail-on SEVERITY    safety, must, should, viewer or never: exit with 1 from this severity on
                        (default must)
  --dry-run             fetch the descriptions alone, and tell what else would be sent
  --quiet               no progress

how it is asked
  --rate N              requests a second at most (default 4)
  --limit N             requests in all at most (default 2000)
  --timeout SECONDS     for each (default 20)
  --authority FILE      trust this certificate authority (PEM), and no other
  --insecure-certificates   trust every certificate; on this machine only

serve
  --listen ADDRESS      (default 127.0.0.1:8765)
  --public-url ORIGIN   what it calls itself, behind a front that passes on to it
  --tls FILE            https, by a new certificate authority whose certificate is written to FILE
  --mutant NAME         make one mistake on purpose
  --mutants             the list of them

Exit codes: 0 nothing found, 1 something was, 2 it could not be looked at.
";

pub(crate) enum Command {
    Help,
    Version,
    List,
    Mutants,
    Serve(Serve),
    Check(Box<Arguments>),
}

pub(crate) struct Serve {
    pub(crate) listen: SocketAddr,
    pub(crate) tls: Option<PathBuf>,
    pub(crate) public: Option<String>,
    pub(crate) mutant: Option<String>,
}

#[expect(clippy::struct_excessive_bools, reason = "flags are there or not")]
pub(crate) struct Arguments {
    pub(crate) target: String,
    pub(crate) resources: usize,
    pub(crate) families: Vec<Family>,
    pub(crate) only: Vec<String>,
    pub(crate) skip: Vec<String>,
    pub(crate) viewer: String,
    pub(crate) safety: bool,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) click: bool,
    pub(crate) cookie: Option<String>,
    pub(crate) own: Vec<String>,
    /// Whether, and by which program; by default wherever there is one.
    pub(crate) browser: bool,
    pub(crate) program: Option<PathBuf>,
    pub(crate) by_hand: bool,
    pub(crate) format: Format,
    pub(crate) output: Option<PathBuf>,
    pub(crate) long: bool,
    pub(crate) fail_on: Option<Severity>,
    pub(crate) dry: bool,
    pub(crate) quiet: bool,
    pub(crate) rate: Option<f64>,
    pub(crate) limit: usize,
    pub(crate) timeout: Duration,
    pub(crate) authority: Option<PathBuf>,
    pub(crate) insecure: bool,
}

impl Arguments {
    pub(crate) fn for_target(target: &str) -> Self {
        Self {
            target: target.to_owned(),
            resources: 6,
            families: Vec::new(),
            only: Vec::new(),
            skip: Vec::new(),
            viewer: "https://viewer.example".to_owned(),
            safety: false,
            fields: Vec::new(),
            click: false,
            cookie: None,
            own: Vec::new(),
            browser: false,
            program: None,
            by_hand: false,
            format: Format::Text,
            output: None,
            long: false,
            fail_on: Some(Severity::Must),
            dry: false,
            quiet: false,
            rate: Some(4.0),
            limit: 2000,
            timeout: Duration::from_secs(20),
            authority: None,
            insecure: false,
        }
    }

    /// What the command line has to agree on.
    fn checked(self, mine: bool) -> Result<Self, String> {
        let url =
            url::Url::parse(&self.target).map_err(|error| format!("{}: {error}", self.target))?;
        if self.safety && !mine {
            return Err(
                "--safety asks for what may do harm: add --this-server-is-mine if it is yours"
                    .into(),
            );
        }
        if self.insecure && !crate::http::is_loopback(&url) {
            return Err("--insecure-certificates is for servers on this machine".into());
        }
        if self.by_hand && !self.browser {
            return Err("--by-hand needs --browser".into());
        }
        if self.cookie.is_some() && (self.click || !self.fields.is_empty()) {
            return Err("--cookie is in already: leave out --field and --click".into());
        }
        let unknown = self
            .only
            .iter()
            .chain(&self.skip)
            .find(|id| !crate::checks::all().any(|check| check.id.starts_with(id.as_str())));
        match unknown {
            Some(id) => Err(format!("no check is called {id} (--list)")),
            None => Ok(self),
        }
    }
}

pub(crate) fn parse(args: impl IntoIterator<Item = std::ffi::OsString>) -> Result<Command, String> {
    let mut parser = lexopt::Parser::from_iter(args);
    read(&mut parser)
}

fn read(parser: &mut lexopt::Parser) -> Result<Command, String> {
    use lexopt::prelude::*;
    let fail = |error: lexopt::Error| error.to_string();
    let mut arguments = Arguments::for_target("");
    let mut mine = false;
    let mut target = None;
    while let Some(argument) = parser.next().map_err(fail)? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Help),
            Long("version") | Short('V') => return Ok(Command::Version),
            Long("list") => return Ok(Command::List),
            Long("resources") => arguments.resources = number(&text(parser)?)?,
            Long("family") => arguments.families.push(family(&text(parser)?)?),
            Long("only") => arguments.only.push(text(parser)?),
            Long("skip") => arguments.skip.push(text(parser)?),
            Long("viewer") => arguments.viewer = origin(&text(parser)?)?,
            Long("safety") => arguments.safety = true,
            Long("this-server-is-mine") => mine = true,
            Long("field") => {
                let field = text(parser)?;
                let (name, value) = field.split_once('=').ok_or("--field wants NAME=VALUE")?;
                arguments.fields.push((name.to_owned(), secret(value)?));
            }
            Long("click") => arguments.click = true,
            Long("cookie") => arguments.cookie = Some(secret(&text(parser)?)?),
            Long("own-origin") => arguments.own.push(origin(&text(parser)?)?),
            Long("browser") => {
                arguments.browser = true;
                arguments.program = parser.optional_value().map(PathBuf::from);
            }
            Long("by-hand") => arguments.by_hand = true,
            Long("format") => arguments.format = format(&text(parser)?)?,
            Long("output") => arguments.output = Some(text(parser)?.into()),
            Long("long") => arguments.long = true,
            Long("fail-on") => arguments.fail_on = severity(&text(parser)?)?,
            Long("dry-run") => arguments.dry = true,
            Long("quiet") => arguments.quiet = true,
            Long("rate") => {
                let rate: f64 = number(&text(parser)?)?;
                arguments.rate = (rate > 0.0).then_some(rate);
            }
            Long("limit") => arguments.limit = number(&text(parser)?)?,
            Long("timeout") => arguments.timeout = Duration::from_secs(number(&text(parser)?)?),
            Long("authority") => arguments.authority = Some(text(parser)?.into()),
            Long("insecure-certificates") => arguments.insecure = true,
            Value(value) if target.is_none() => {
                let value = value.into_string().map_err(|_| "the URL is not UTF-8".to_owned())?;
                if value == "serve" {
                    return serve(parser);
                }
                target = Some(value);
            }
            other => return Err(other.unexpected().to_string()),
        }
    }
    arguments.target = target.ok_or("a URL is missing")?;
    Ok(Command::Check(Box::new(arguments.checked(mine)?)))
}

fn serve(parser: &mut lexopt::Parser) -> Result<Command, String> {
    use lexopt::prelude::*;
    let fail = |error: lexopt::Error| error.to_string();
    let listen = SocketAddr::from(([127, 0, 0, 1], 8765));
    let mut serve = Serve { listen, tls: None, public: None, mutant: None };
    while let Some(argument) = parser.next().map_err(fail)? {
        match argument {
            Long("help") => return Ok(Command::Help),
            Long("listen") => serve.listen = number(&text(parser)?)?,
            Long("public-url") => serve.public = Some(origin(&text(parser)?)?),
            Long("tls") => serve.tls = Some(text(parser)?.into()),
            Long("mutant") => serve.mutant = Some(text(parser)?),
            Long("mutants") => return Ok(Command::Mutants),
            other => return Err(other.unexpected().to_string()),
        }
    }
    if !serve.listen.ip().is_loopback() {
        return Err(
            "--listen: its passwords are known to everyone, so it serves this machine alone".into(),
        );
    }
    Ok(Command::Serve(serve))
}

fn text(parser: &mut lexopt::Parser) -> Result<String, String> {
    let value = parser.value().map_err(|error| error.to_string())?;
    value.into_string().map_err(|_| "not UTF-8".to_owned())
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text} is no such value"))
}

fn origin(text: &str) -> Result<String, String> {
    let parsed = crate::http::origin(text).ok_or_else(|| format!("{text} is no origin"))?;
    Ok(parsed)
}

fn family(text: &str) -> Result<Family, String> {
    [Family::V2, Family::V1, Family::V0]
        .into_iter()
        .find(|family| family.name() == text || family.name().strip_suffix(".0") == Some(text))
        .ok_or_else(|| format!("{text} is none of 2.0, 1.0 and 0.9"))
}

fn format(text: &str) -> Result<Format, String> {
    Ok(match text {
        "text" => Format::Text,
        "json" => Format::Json,
        "junit" => Format::Junit,
        "html" => Format::Html,
        _ => return Err(format!("{text} is none of text, json, junit and html")),
    })
}

fn severity(text: &str) -> Result<Option<Severity>, String> {
    if text == "never" {
        return Ok(None);
    }
    let found = Severity::ALL.into_iter().find(|severity| severity.name() == text);
    found.map(Some).ok_or_else(|| format!("{text} is no severity"))
}

/// As it stands, or from a file, or from the environment.
fn secret(text: &str) -> Result<String, String> {
    if let Some(path) = text.strip_prefix('@') {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
        return Ok(text.trim_end_matches(['\r', '\n']).to_owned());
    }
    match text.strip_prefix('$') {
        Some(name) => std::env::var(name).map_err(|_| format!("the variable {name} is not set")),
        None => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(line: &str) -> Result<Command, String> {
        parse(std::iter::once("iiif-auth-check").chain(line.split_whitespace()).map(Into::into))
    }

    #[test]
    fn what_may_do_harm_needs_two_words() {
        assert!(arguments("--safety https://a.example/info.json").is_err());
        assert!(arguments("--safety --this-server-is-mine https://a.example/info.json").is_ok());
        assert!(arguments("--insecure-certificates https://a.example/info.json").is_err());
        assert!(arguments("--insecure-certificates https://localhost/info.json").is_ok());
        assert!(arguments("serve --listen 0.0.0.0:1").is_err());
    }

    #[test]
    fn mistakes_are_named() {
        for wrong in [
            "",
            "nowhere",
            "--only nothing https://a.example/",
            "--format xml https://a.example/",
            "--family 3 https://a.example/",
            "--cookie a=b --click https://a.example/",
        ] {
            assert!(arguments(wrong).is_err(), "{wrong}");
        }
        let Ok(Command::Check(found)) =
            arguments("--field a=b=c --family 2 --fail-on never https://a.example/x")
        else {
            panic!("a check")
        };
        assert_eq!(found.fields, [("a".to_owned(), "b=c".to_owned())]);
        assert_eq!((found.families, found.fail_on), (vec![Family::V2], None));
    }
}
