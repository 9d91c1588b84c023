//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

pub(crate) const HELP: &str = "\
A small collection behind the IIIF Authorization Flow API 2.0.

usage: cargo run --example quickstart -- [FLAGS]

  --listen ADDRESS      where to listen (default 127.0.0.1:3000)
  --public-url URL      what browsers type (default http://localhost and the port of --listen);
                        https, unless it is this machine
  --images DIR          serve the JPEG, PNG and TIFF pictures of a folder
  --key-file FILE       the keys behind cookies and tokens, one base64 line each, the newest first
                        (default: a new key, and everybody is logged out when the server stops)
  --reading-room CIDR   who is in the reading room (default 127.0.0.0/8 and ::1; may be repeated)
  --help                this text

Accounts: reader/reader and curator/curator. RUST_LOG=tower_iiif_auth=debug shows every decision.
";

pub(crate) enum Command {
    Help,
    Serve(Arguments),
}

pub(crate) struct Arguments {
    pub(crate) listen: SocketAddr,
    pub(crate) public_url: String,
    pub(crate) images: Option<PathBuf>,
    pub(crate) key_file: Option<PathBuf>,
    pub(crate) reading_room: Vec<String>,
}

impl Arguments {
    /// The arguments of this process.
    pub(crate) fn parse() -> Result<Command, String> {
        Self::from(lexopt::Parser::from_env())
    }

    fn from(mut parser: lexopt::Parser) -> Result<Command, String> {
        let mut listen = SocketAddr::from(([127, 0, 0, 1], 3000));
        let (mut public_url, mut images, mut key_file) = (None, None, None);
        let mut reading_room = Vec::new();
        while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
            let lexopt::Arg::Long(flag) = argument else {
                return Err(argument.unexpected().to_string());
            };
            let flag = flag.to_owned();
            if flag == "help" {
                return Ok(Command::Help);
            }
            let known = ["listen", "public-url", "images", "key-file", "reading-room"];
            if !known.contains(&flag.as_str()) {
                return Err(format!("there is no flag --{flag}"));
            }
            let value = parser.value().map_err(|error| error.to_string())?;
            let text = || value.to_str().map(str::to_owned).ok_or(format!("--{flag} is no text"));
            match flag.as_str() {
                "listen" => {
                    let value = text()?;
                    listen = value.parse().map_err(|_| {
                        format!("--listen {value:?} is no address, write it like 127.0.0.1:3000")
                    })?;
                }
                "public-url" => public_url = Some(text()?),
                "images" => images = Some(PathBuf::from(value)),
                "key-file" => key_file = Some(PathBuf::from(value)),
                _ => reading_room.push(text()?),
            }
        }
        let public_url = match public_url {
            Some(url) => url,
            None if listen.ip().is_loopback() => format!("http://localhost:{}", listen.port()),
            None => {
                return Err(format!(
                    "listening on {listen} needs --public-url: what browsers type"
                ));
            }
        };
        if reading_room.is_empty() {
            reading_room = vec!["127.0.0.0/8".to_owned(), "::1".to_owned()];
        }
        Ok(Command::Serve(Self { listen, public_url, images, key_file, reading_room }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<String, String> {
        let parser = lexopt::Parser::from_args(arguments);
        Arguments::from(parser).map(|command| match command {
            Command::Help => "help".to_owned(),
            Command::Serve(arguments) => format!("{} {}", arguments.listen, arguments.public_url),
        })
    }

    #[test]
    fn flags() {
        for (arguments, expected) in [
            (&[][..], Ok("127.0.0.1:3000 http://localhost:3000")),
            (&["--listen", "127.0.0.1:4000"], Ok("127.0.0.1:4000 http://localhost:4000")),
            (&["--listen=[::1]:4000"], Ok("[::1]:4000 http://localhost:4000")),
            (
                &["--listen", "0.0.0.0:80", "--public-url", "https://iiif.example"],
                Ok("0.0.0.0:80 https://iiif.example"),
            ),
            (&["--help"], Ok("help")),
            (&["--listen", "0.0.0.0:80"], Err("needs --public-url")),
            (&["--listen", "nowhere"], Err("is no address")),
            (&["--wrong"], Err("no flag --wrong")),
            (&["--images"], Err("missing argument")),
            (&["stray"], Err("stray")),
        ] {
            match (parse(arguments), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected),
                (Err(found), Err(expected)) => assert!(found.contains(expected), "{found}"),
                (found, expected) => panic!("{arguments:?}: {found:?}, expected {expected:?}"),
            }
        }
    }
}
