//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use tower_iiif_auth::Origin;
use url::Url;

pub(crate) const HELP: &str = "\
A small collection behind the IIIF Authorization Flow API 2.0, 1.0 and 0.9: /iiif/3 speaks 2.0,
/iiif/2 speaks 1.0, /iiif/0.9 speaks 0.9, /iiif/all speaks all three.

usage: cargo run --example quickstart -- [FLAGS]

  --listen ADDRESS      where to listen (default 127.0.0.1:3000)
  --public-url URL      what browsers type (default http://localhost and the port of --listen);
                        https, unless it is this machine
  --images DIR          serve the JPEG, PNG and TIFF pictures of a folder
  --key-file FILE       the keys behind cookies and tokens, one base64 line each, the newest first
                        (default: a new key, and everybody is logged out when the server stops)
  --reading-room CIDR   who is in the reading room, by the address that connects; may be repeated
                        (default: this machine if --public-url is on it, or else nobody)
  --trusted-proxy CIDR  a front whose X-Forwarded-For says who connects; may be repeated
  --no-hand-off         do not carry the login into the viewer's page. By default that is done, with
                        one more click and a small window, for browsers that block third-party
                        cookies; on https only, as are the Storage Access Headers
  --signed-locations    let probes, and descriptions of 1.0 at /iiif/2, say where a protected picture or file is
                        to be had without a cookie, for five minutes. Whoever has such a link has the file
                        until it ends
  --kiosk               serve the picture `foyer` to whoever opens its kiosk service
  --redis URL           share logouts with other processes, like redis://127.0.0.1:6379; they need the
                        same --key-file (cargo run --features redis --example quickstart)
  --client ID:SECRET    register a client of 0.9: its login then wants the client identity service
  --help                this text

Accounts: reader/reader and curator/curator. RUST_LOG=tower_iiif_auth=debug shows every decision.
";

pub(crate) enum Command {
    Help,
    Serve(Box<Arguments>),
}

pub(crate) struct Arguments {
    pub(crate) listen: SocketAddr,
    pub(crate) public_url: String,
    pub(crate) images: Option<PathBuf>,
    pub(crate) key_file: Option<PathBuf>,
    /// Ranges of addresses; none means nobody.
    pub(crate) reading_room: Vec<String>,
    /// Fronts that say who connects.
    pub(crate) trusted_proxies: Vec<String>,
    pub(crate) hand_off: bool,
    pub(crate) signed_locations: bool,
    pub(crate) kiosk: bool,
    pub(crate) client: Option<Client>,
    pub(crate) redis: Option<String>,
}

/// A registered client of 0.9.
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl Arguments {
    /// What browsers type, without a slash at its end.
    pub(crate) fn public_url(&self) -> &str {
        self.public_url.trim_end_matches('/')
    }

    /// Who is in the reading room, in words.
    pub(crate) fn reading_room(&self) -> String {
        match &*self.reading_room {
            [] => "nobody (--reading-room says who)".to_owned(),
            ranges => ranges.join(", "),
        }
    }

    /// What is done where browsers block third-party cookies, in words.
    pub(crate) fn third_party_cookies(&self) -> &'static str {
        match (self.public_url.starts_with("https:"), self.hand_off) {
            (false, _) => "nothing, that needs https",
            (true, false) => "Storage Access Headers",
            (true, true) => "hand-off and Storage Access Headers",
        }
    }

    /// The arguments of this process.
    pub(crate) fn parse() -> Result<Command, String> {
        Self::from(lexopt::Parser::from_env())
    }

    fn from(mut parser: lexopt::Parser) -> Result<Command, String> {
        let mut listen = SocketAddr::from(([127, 0, 0, 1], 3000));
        let (mut public_url, mut images, mut key_file, mut redis) = (None, None, None, None);
        let (mut reading_room, mut trusted_proxies) = (Vec::new(), Vec::new());
        let (mut hand_off, mut kiosk, mut client) = (true, false, None);
        let mut signed_locations = false;
        while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
            let lexopt::Arg::Long(flag) = argument else {
                return Err(argument.unexpected().to_string());
            };
            let flag = flag.to_owned();
            match flag.as_str() {
                "help" => return Ok(Command::Help),
                "no-hand-off" => {
                    hand_off = false;
                    continue;
                }
                "kiosk" => {
                    kiosk = true;
                    continue;
                }
                "signed-locations" => {
                    signed_locations = true;
                    continue;
                }
                _ => {}
            }
            let known = [
                "listen",
                "public-url",
                "images",
                "key-file",
                "reading-room",
                "trusted-proxy",
                "client",
                "redis",
            ];
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
                "client" => client = Some(text()?.parse()?),
                "redis" => redis = Some(text()?),
                "trusted-proxy" => trusted_proxies.push(text()?),
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
        // A public URL elsewhere means a front, perhaps on this machine: then every visitor comes
        // from a loopback address.
        if reading_room.is_empty() && on_this_machine(&public_url) {
            reading_room = vec!["127.0.0.0/8".to_owned(), "::1".to_owned()];
        }
        Ok(Command::Serve(Box::new(Self {
            listen,
            public_url,
            images,
            key_file,
            reading_room,
            trusted_proxies,
            hand_off,
            signed_locations,
            kiosk,
            client,
            redis,
        })))
    }
}

impl FromStr for Client {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (id, secret) = text
            .split_once(':')
            .ok_or("--client is written ID:SECRET, like app:16-bytes-or-more")?;
        Ok(Self { id: id.to_owned(), secret: secret.to_owned() })
    }
}

fn on_this_machine(url: &str) -> bool {
    let origin = Url::parse(url).map(|url| url.origin().ascii_serialization());
    origin.is_ok_and(|origin| origin.parse().is_ok_and(|origin: Origin| origin.is_loopback()))
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
            (
                &["--no-hand-off", "--kiosk", "--signed-locations"],
                Ok("127.0.0.1:3000 http://localhost:3000"),
            ),
            (&["--no-hand-off=yes"], Err("yes")),
            (&["--client", "app"], Err("ID:SECRET")),
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

    #[test]
    fn third_party_cookies() {
        for (arguments, expected) in [
            (&[][..], "nothing, that needs https"),
            (&["--public-url", "https://iiif.example"], "hand-off and Storage Access Headers"),
            (&["--public-url", "https://iiif.example", "--no-hand-off"], "Storage Access Headers"),
        ] {
            let Ok(Command::Serve(parsed)) = Arguments::from(lexopt::Parser::from_args(arguments))
            else {
                panic!("{arguments:?} are no arguments")
            };
            assert_eq!(parsed.third_party_cookies(), expected, "{arguments:?}");
        }
    }

    #[test]
    fn reading_room() {
        let this_machine = "127.0.0.0/8, ::1";
        let nobody = "nobody (--reading-room says who)";
        for (arguments, expected) in [
            (&[][..], this_machine),
            (&["--public-url", "http://localhost:80"], this_machine),
            (&["--public-url", "https://LOCALHOST/pictures/"], this_machine),
            (&["--public-url", "http://127.1.2.3:80"], this_machine),
            (&["--public-url", "http://[::1]"], this_machine),
            (&["--public-url", "https://iiif.example"], nobody),
            (&["--public-url", "https://localhost.example"], nobody),
            (&["--public-url", "https://localhost@iiif.example"], nobody),
            (&["--public-url", "localhost"], nobody),
            (&["--public-url", "https://iiif.example", "--reading-room", "::1"], "::1"),
            (&["--reading-room", "10.0.0.0/8", "--reading-room=::1"], "10.0.0.0/8, ::1"),
        ] {
            let parser = lexopt::Parser::from_args(arguments);
            let Ok(Command::Serve(parsed)) = Arguments::from(parser) else {
                panic!("{arguments:?} are no arguments")
            };
            assert_eq!(parsed.reading_room(), expected, "{arguments:?}");
        }
    }
}
