//! `init`: a configuration to begin with, and the files that it names.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use url::Url;

use super::{BoxError, key, load, private_file, say};

pub(super) struct Init {
    pub(super) folder: PathBuf,
    pub(super) server: Server,
    pub(super) upstream: Option<String>,
    pub(super) public_url: Option<String>,
}

/// What stands behind the proxy.
#[derive(Clone, Copy, Default)]
pub(super) enum Server {
    IipImage,
    Cantaloupe,
    Static,
    #[default]
    Other,
}

impl FromStr for Server {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "iipimage" => Self::IipImage,
            "cantaloupe" => Self::Cantaloupe,
            "static" => Self::Static,
            "other" => Self::Other,
            _ => {
                return Err(format!(
                    "{text:?} is none of \"iipimage\", \"cantaloupe\", \"static\" and \"other\""
                ));
            }
        })
    }
}

const HEAD: &str = include_str!("templates/head.toml");
const TAIL: &str = include_str!("templates/tail.toml");
const USERS: &str = "# name:hash:role,role - one user a line; blank lines and comments are skipped.\n\
                     # Write it with: iiif-auth-proxy users add NAME --role ROLE\n";

impl Init {
    pub(super) fn run(self) -> Result<(), BoxError> {
        let public_url = self.public_url.as_deref().unwrap_or("http://localhost:8080");
        let public_url = url("--public-url", public_url, &["http", "https"])?;
        let upstream = self.upstream.as_deref().unwrap_or("http://127.0.0.1:8182");
        let upstream = url("--upstream", upstream, &["http", "https"])?;
        let text = text(self.server, &public_url, &upstream);

        let files = ["proxy.toml", "iiif-auth.key", "users"].map(|name| self.folder.join(name));
        if let Some(there) = files.iter().find(|path| path.exists()) {
            let message = format!("{} is there already: nothing was written", there.display());
            return Err(message.into());
        }
        std::fs::create_dir_all(&self.folder)
            .map_err(|error| format!("{}: {error}", self.folder.display()))?;
        let [config, key_file, users] = &files;
        for (path, text) in
            [(key_file, format!("{}\n", key::new()?)), (users, USERS.to_owned()), (config, text)]
        {
            private_file::create(path, &text)
                .map_err(|error| format!("{}: {error}", path.display()))?;
        }
        load(config)?;
        say(&next(config, &files));
        Ok(())
    }
}

fn next(config: &Path, files: &[PathBuf]) -> String {
    let written: Vec<_> = files.iter().map(|path| path.display().to_string()).collect();
    let option = if config == Path::new("./proxy.toml") {
        String::new()
    } else {
        format!(" --config {}", config.display())
    };
    format!(
        "wrote {}\n\nNext:\n  iiif-auth-proxy users add ada --role reader{option}\n  \
         iiif-auth-proxy check --probe{option}\n  iiif-auth-proxy serve{option}\n",
        written.join(", ")
    )
}

/// A URL that may stand in the file, without a slash at its end.
fn url(option: &str, text: &str, schemes: &[&str]) -> Result<String, BoxError> {
    let plain = !text.contains(|c: char| c.is_control() || c.is_whitespace() || "\"\\".contains(c));
    let good = Url::parse(text).is_ok_and(|url| {
        schemes.contains(&url.scheme()) && url.has_host() && url.query().is_none()
    });
    if plain && good {
        Ok(text.trim_end_matches('/').to_owned())
    } else {
        Err(format!("{option} {text:?} is no URL: write it like \"{}://iiif.example\"", schemes[0])
            .into())
    }
}

fn text(server: Server, public_url: &str, upstream: &str) -> String {
    let own = match server {
        Server::IipImage => include_str!("templates/iipimage.toml"),
        Server::Cantaloupe => include_str!("templates/cantaloupe.toml"),
        Server::Static => include_str!("templates/static.toml"),
        Server::Other => include_str!("templates/other.toml"),
    };
    // Browsers that come to this machine's port 8080 need no front.
    let alone = Url::parse(public_url)
        .is_ok_and(|url| url.scheme() == "http" && url.port_or_known_default() == Some(8080));
    let trusted = if alone {
        "# trusted_proxies = [\"127.0.0.1\", \"::1\"]"
    } else {
        "trusted_proxies = [\"127.0.0.1\", \"::1\"]"
    };
    format!("{HEAD}{own}{TAIL}")
        .replace("@PUBLIC_URL@", public_url)
        .replace("@TRUSTED@", trusted)
        .replace("@UPSTREAM@", upstream)
}
