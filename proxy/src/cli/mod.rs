//! The command: what it was told to do, and by what it is done.

mod arguments;
mod check;
mod help;
mod init;
mod key;
mod password;
mod private_file;
mod probe;
mod users;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use iiif_auth_proxy::config::Config;

use arguments::Command;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Does what the arguments say; `serve` answers requests.
pub(crate) fn run(serve: impl FnOnce(Config) -> Result<(), BoxError>) -> ExitCode {
    let command = match arguments::read(lexopt::Parser::from_env()) {
        Ok(command) => command,
        Err(error) => {
            complain(&format!("{error}\n\n{}", help::HELP));
            return ExitCode::from(2);
        }
    };
    let done = match command {
        Command::Help => {
            say(help::HELP);
            Ok(())
        }
        Command::Version => {
            say(help::VERSION);
            Ok(())
        }
        Command::HashPassword => password::hash_one(),
        Command::Init(init) => init.run(),
        Command::Users(users) => users.run(),
        Command::Key(key) => key.run(),
        Command::Check { config, probe } => check::run(&config, probe.as_ref()),
        Command::Serve { config } => load(&config).and_then(serve),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("{error}\n"));
            ExitCode::FAILURE
        }
    }
}

fn load(file: &Path) -> Result<Config, BoxError> {
    Config::load(file).map_err(|error| format!("{}:\n{error}", file.display()).into())
}

/// To standard output. Who reads no further is told nothing more.
fn say(text: &str) {
    drop(std::io::stdout().write_all(text.as_bytes()));
}

fn complain(text: &str) {
    drop(std::io::stderr().write_all(text.as_bytes()));
}
