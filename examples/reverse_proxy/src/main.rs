//! IIIF authorization in front of an image server: `cargo run -p reverse_proxy -- --config proxy.toml`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command talks to who runs it")]

use std::path::PathBuf;
use std::process::ExitCode;

use lexopt::prelude::*;
use reverse_proxy::config::Config;

const HELP: &str = "\
IIIF authorization in front of an image server.

Usage: reverse_proxy --config FILE [--check]
       reverse_proxy --hash-password

  --config FILE    the configuration; proxy.toml beside the sources is a sample with every key
  --check          check it, tell every mistake with its line, and stop
  --hash-password  read a password and print its hash for the users file
";

enum Command {
    Help,
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
    match command {
        Command::Help => {
            print!("{HELP}");
            ExitCode::SUCCESS
        }
        Command::Check(file) | Command::Serve(file) => match Config::load(&file) {
            Ok(_) => {
                println!("{}: no mistakes", file.display());
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("{}:\n{error}", file.display());
                ExitCode::FAILURE
            }
        },
    }
}

fn arguments() -> Result<Command, lexopt::Error> {
    let (mut config, mut check) = (None, false);
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("config") => config = Some(PathBuf::from(parser.value()?)),
            Long("check") => check = true,
            Short('h') | Long("help") => return Ok(Command::Help),
            other => return Err(other.unexpected()),
        }
    }
    let config = config.ok_or("--config is missing")?;
    Ok(if check { Command::Check(config) } else { Command::Serve(config) })
}
