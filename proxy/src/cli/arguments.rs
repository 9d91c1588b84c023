//! What stands on the command line.

use std::path::PathBuf;

use lexopt::prelude::*;

use super::init::{Init, Server};
use super::key::{Key, Step};
use super::probe::Sample;
use super::users::{Action, Users, Whose};

pub(super) enum Command {
    Help,
    Version,
    HashPassword,
    Init(Init),
    Users(Users),
    Key(Key),
    Check { config: PathBuf, probe: Option<Sample> },
    Serve { config: PathBuf },
}

/// Where the configuration is, if nobody says.
const CONFIG: &str = "proxy.toml";

/// Every option, whichever command it belongs to.
#[derive(Default)]
struct Given {
    words: Vec<String>,
    config: Option<PathBuf>,
    check: bool,
    probe: bool,
    hash_password: bool,
    sample: Option<String>,
    server: Option<Server>,
    upstream: Option<String>,
    public_url: Option<String>,
    roles: Vec<String>,
    file: Option<PathBuf>,
    steps: Vec<Step>,
    /// Their names, to tell which do not belong to the command.
    names: Vec<&'static str>,
}

pub(super) fn read(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let mut given = Given::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(Command::Help),
            Short('V') | Long("version") => return Ok(Command::Version),
            Value(word) => given.words.push(word.string()?),
            Short('c') | Long("config") => given.config = Some(parser.value()?.into()),
            Long("check") => given.flag("--check", |own| own.check = true),
            Long("probe") => given.flag("--probe", |own| own.probe = true),
            Long("hash-password") => given.flag("--hash-password", |own| own.hash_password = true),
            Long("add") => given.flag("--add", |own| own.steps.push(Step::Add)),
            Long("switch") => given.flag("--switch", |own| own.steps.push(Step::Switch)),
            Long("drop") => given.flag("--drop", |own| own.steps.push(Step::Drop)),
            Long("for") => {
                let server = parser.value()?.parse()?;
                given.flag("--for", |own| own.server = Some(server));
            }
            Long("sample") => {
                let sample = parser.value()?.string()?;
                given.flag("--sample", |own| own.sample = Some(sample));
            }
            Long("upstream") => {
                let url = parser.value()?.string()?;
                given.flag("--upstream", |own| own.upstream = Some(url));
            }
            Long("public-url") => {
                let url = parser.value()?.string()?;
                given.flag("--public-url", |own| own.public_url = Some(url));
            }
            Long("role" | "roles") => {
                let roles = parser.value()?.string()?;
                let roles = roles.split(',').map(|role| role.trim().to_owned()).collect::<Vec<_>>();
                given.flag("--role", |own| own.roles.extend(roles));
            }
            Long("file") => {
                let file = parser.value()?.into();
                given.flag("--file", |own| own.file = Some(file));
            }
            other => return Err(other.unexpected()),
        }
    }
    given.command()
}

impl Given {
    fn flag(&mut self, name: &'static str, set: impl FnOnce(&mut Self)) {
        self.names.push(name);
        set(self);
    }

    fn command(self) -> Result<Command, lexopt::Error> {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        match words[..] {
            [] if self.hash_password => {
                self.only(&["--hash-password"])?;
                Ok(Command::HashPassword)
            }
            // As it was before there were commands.
            [] => {
                self.only(&["--check", "--probe", "--sample"])?;
                let Some(config) = self.config.clone() else {
                    return Err("a command is missing, or --config".into());
                };
                if self.check { Ok(self.into_check()) } else { Ok(Command::Serve { config }) }
            }
            ["serve"] => {
                self.only(&[])?;
                Ok(Command::Serve { config: self.config() })
            }
            ["check"] => {
                self.only(&["--check", "--probe", "--sample"])?;
                Ok(self.into_check())
            }
            ["init"] | ["init", _] => self.init(),
            ["users", ..] => self.users(),
            ["key", ..] => self.key(),
            [word, ..] => Err(format!("{word:?} is no command, or is followed by too much").into()),
        }
    }

    /// Other options than these belong to another command.
    fn only(&self, own: &[&str]) -> Result<(), lexopt::Error> {
        match self.names.iter().find(|name| !own.contains(name)) {
            Some(name) => Err(format!("{name} does not belong to this command").into()),
            None => Ok(()),
        }
    }

    fn config(&self) -> PathBuf {
        self.config.clone().unwrap_or_else(|| PathBuf::from(CONFIG))
    }

    fn into_check(self) -> Command {
        let probe = (self.probe || self.sample.is_some()).then(|| Sample(self.sample.clone()));
        Command::Check { config: self.config(), probe }
    }

    fn init(self) -> Result<Command, lexopt::Error> {
        self.only(&["--for", "--upstream", "--public-url"])?;
        if self.config.is_some() {
            return Err("init writes proxy.toml into a folder: name that, without --config".into());
        }
        let folder = self.words.get(1).map_or_else(|| PathBuf::from("."), PathBuf::from);
        let server = self.server.unwrap_or_default();
        Ok(Command::Init(Init {
            folder,
            server,
            upstream: self.upstream,
            public_url: self.public_url,
        }))
    }

    fn users(self) -> Result<Command, lexopt::Error> {
        let words: Vec<&str> = self.words.iter().skip(1).map(String::as_str).collect();
        let action = match words[..] {
            ["add", name] => {
                self.only(&["--role", "--file"])?;
                Action::Add { name: name.to_owned(), roles: self.roles.clone() }
            }
            ["passwd", name] => {
                self.only(&["--file"])?;
                Action::Passwd { name: name.to_owned() }
            }
            ["remove", name] => {
                self.only(&["--file"])?;
                Action::Remove { name: name.to_owned() }
            }
            ["list"] => {
                self.only(&["--file"])?;
                Action::List
            }
            _ => {
                return Err(
                    "users is followed by add NAME, passwd NAME, remove NAME or list".into()
                );
            }
        };
        let whose = match self.file.clone() {
            Some(_) if self.config.is_some() => {
                return Err("--file and --config name two files of users: give one".into());
            }
            Some(file) => Whose::File(file),
            None => Whose::Config(self.config()),
        };
        Ok(Command::Users(Users { action, whose }))
    }

    fn key(self) -> Result<Command, lexopt::Error> {
        let words: Vec<&str> = self.words.iter().skip(1).map(String::as_str).collect();
        match words[..] {
            ["generate", file] => {
                self.only(&[])?;
                Ok(Command::Key(Key { file: file.into(), step: Step::Generate }))
            }
            ["rotate", file] => {
                self.only(&["--add", "--switch", "--drop"])?;
                let step = match self.steps[..] {
                    [] => Step::Rotate,
                    [step] => step,
                    _ => return Err("--add, --switch and --drop are three steps: give one".into()),
                };
                Ok(Command::Key(Key { file: file.into(), step }))
            }
            _ => Err("key is followed by generate FILE or rotate FILE".into()),
        }
    }
}
