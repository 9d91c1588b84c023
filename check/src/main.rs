//! `iiif-auth-check`: looks at the authorization of a IIIF server from outside, and says what is wrong,
//! where the specification says so, what to change, and which viewers will work.

mod arguments;
mod browser;
mod checks;
mod discover;
mod evidence;
mod html;
mod http;
mod list;
mod message;
#[cfg(test)]
mod proof;
mod report;
mod run;
mod serve;
mod viewers;

use std::io::Write as _;
use std::process::ExitCode;

use arguments::Command;

fn main() -> ExitCode {
    let outcome = arguments::parse(std::env::args_os()).and_then(|command| match command {
        Command::Help => print(arguments::HELP),
        Command::Version => print(concat!("iiif-auth-check ", env!("CARGO_PKG_VERSION"), "\n")),
        Command::List => print(&list::checks()),
        Command::Mutants => print(&list::mutants()),
        Command::Serve(serve) => serve::run(&serve).map(|()| ExitCode::SUCCESS),
        Command::Check(arguments) => check(&arguments),
    });
    outcome.unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "iiif-auth-check: {}", report::plain(&error));
        ExitCode::from(2)
    })
}

fn check(arguments: &arguments::Arguments) -> Result<ExitCode, String> {
    let done = run::run(arguments)?;
    match &arguments.output {
        Some(path) => std::fs::write(path, &done.text)
            .map_err(|error| format!("{}: {error}", path.display()))?,
        None => {
            print(&done.text)?;
        }
    }
    Ok(if done.found { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// A closed pipe is no fault.
fn print(text: &str) -> Result<ExitCode, String> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.to_string()),
        _ => Ok(ExitCode::SUCCESS),
    }
}
