//! IIIF authorization in front of an image server: `cargo run -p iiif-auth-proxy -- --config proxy.toml`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command talks to who runs it")]

use std::future::Future;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use iiif_auth_proxy::config::{Config, Mistake};
use iiif_auth_proxy::{Server, log};
use lexopt::prelude::*;
use tokio::signal::unix::{SignalKind, signal};
use tower_iiif_auth::resource::Dialect;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

const HELP: &str = "\
IIIF authorization in front of an image server.

Usage: iiif-auth-proxy --config FILE [--check]
       iiif-auth-proxy --hash-password

  --config FILE    the configuration; proxy.toml beside the sources is a sample with every key
  --check          check it, tell every mistake with its line, and stop
  --hash-password  read a password and print its hash for the users file
";

enum Command {
    Help,
    HashPassword,
    Serve(PathBuf),
    Check(PathBuf),
}

fn main() -> ExitCode {
    let command = match arguments() {
        Ok(command) => command,
        Err(error) => {
            eprintln!("{error}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    let done = match command {
        Command::Help => {
            print!("{HELP}");
            Ok(())
        }
        Command::HashPassword => hash_password(),
        Command::Check(file) => load(&file).map(|config| checked(&file, &config)),
        Command::Serve(file) => load(&file).and_then(serve),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn load(file: &Path) -> Result<Config, BoxError> {
    Config::load(file).map_err(|error| format!("{}:\n{error}", file.display()).into())
}

fn checked(file: &Path, config: &Config) {
    let store = config.store.as_ref().map_or("", |_| "; the store was not asked");
    for Mistake { line, message } in &config.warnings {
        println!("{}: warning: line {line}: {message}", file.display());
    }
    println!("{}: no mistakes{store}", file.display());
    for base in &config.bases {
        let dialect = base.dialect().map(Dialect::name);
        println!(
            "{}: {}",
            base.path,
            dialect.map_or("files".into(), |name| format!("images, dialect {name}"))
        );
    }
}

fn hash_password() -> Result<(), BoxError> {
    if std::io::stdin().is_terminal() {
        eprint!("Password (it is shown): ");
    }
    let mut password = String::new();
    std::io::stdin().read_line(&mut password)?;
    println!("{}", iiif_auth_proxy::hash_password(password.trim_end_matches(['\r', '\n']))?);
    Ok(())
}

#[tokio::main]
async fn serve(config: Config) -> Result<(), BoxError> {
    log::begin(&config.log);
    let public_url = config.public_url.clone();
    let server = Server::bind(config).await?;
    tracing::info!(address = %server.address()?, public_url, "listening");
    server.run(stop()?).await
}

/// The end of the process is asked for.
fn stop() -> Result<impl Future<Output = ()>, std::io::Error> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

fn arguments() -> Result<Command, lexopt::Error> {
    let (mut config, mut check) = (None, false);
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("config") => config = Some(PathBuf::from(parser.value()?)),
            Long("check") => check = true,
            Long("hash-password") => return Ok(Command::HashPassword),
            Short('h') | Long("help") => return Ok(Command::Help),
            other => return Err(other.unexpected()),
        }
    }
    let config = config.ok_or("--config is missing")?;
    Ok(if check { Command::Check(config) } else { Command::Serve(config) })
}
