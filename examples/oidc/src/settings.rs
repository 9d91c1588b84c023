//! What an operator says: flags, or environment variables.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

pub(crate) const HELP: &str = "\
Restricted pictures for users of an OpenID provider.

usage: cargo run -p example-oidc -- --issuer URL --client-id ID [FLAGS]

  --issuer URL                 the provider, as it names itself          OIDC_ISSUER
  --client-id ID               as registered there                       OIDC_CLIENT_ID
  --client-secret-file FILE    its secret; none for a public client      OIDC_CLIENT_SECRET_FILE
  --scope NAME                 asked for besides openid; may be repeated OIDC_SCOPES
  --roles-claim NAME           the claim that holds a user's roles; a dot leads into an object,
                               as in realm_access.roles (default roles)  OIDC_ROLES_CLAIM
  --role NAME                  a role that opens the restricted picture; may be repeated
                               (default reader)                          OIDC_ROLES
  --audience ID                who else an ID token may be for, beside this client; may be repeated
  --ca-file FILE               trust these certificates (PEM), too       OIDC_CA_FILE
  --wait SECONDS               how long to wait for the provider at start (default 30)
  --public-url URL             what browsers type
                               (default http://localhost:3000)           PUBLIC_URL
  --listen ADDRESS             (default 127.0.0.1:3000)                  LISTEN
  --key-file FILE              the keys behind cookies and tokens, one base64 line each
                               (default: a new one)                      KEY_FILE
  --help                       this text

Lists in variables have spaces between. Register {public URL}/oidc/callback at the provider as the
redirect URI. HTTPS_PROXY is used to reach the provider, if it is set.
";

/// Where the provider sends users back to.
pub(crate) const CALLBACK: &str = "/oidc/callback";

pub(crate) struct Settings {
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    pub(crate) client_secret_file: Option<PathBuf>,
    pub(crate) scopes: Vec<String>,
    pub(crate) roles_claim: String,
    pub(crate) roles: Vec<String>,
    pub(crate) audiences: Vec<String>,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) wait: Duration,
    pub(crate) public_url: String,
    pub(crate) listen: SocketAddr,
    pub(crate) key_file: Option<PathBuf>,
}

impl Settings {
    /// What this process was told; nothing if it is to show the help.
    pub(crate) fn parse() -> Result<Option<Self>, String> {
        let arguments = std::env::args_os().skip(1);
        Self::from(arguments, |name| std::env::var(name).ok())
    }

    pub(crate) fn from(
        arguments: impl IntoIterator<Item = impl Into<OsString>>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, String> {
        use lexopt::prelude::*;
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let list = |name: &str| -> Vec<String> {
            variable(name).iter().flat_map(|all| all.split_whitespace()).map(Into::into).collect()
        };
        let mut issuer = variable("OIDC_ISSUER");
        let mut client_id = variable("OIDC_CLIENT_ID");
        let mut client_secret_file = variable("OIDC_CLIENT_SECRET_FILE").map(PathBuf::from);
        let mut roles_claim = variable("OIDC_ROLES_CLAIM");
        let mut ca_file = variable("OIDC_CA_FILE").map(PathBuf::from);
        let mut public_url = variable("PUBLIC_URL");
        let mut listen = variable("LISTEN");
        let mut key_file = variable("KEY_FILE").map(PathBuf::from);
        let (mut scopes, mut roles, mut audiences) = (Vec::new(), Vec::new(), Vec::new());
        let mut wait = 30;
        let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
        let mut parser = lexopt::Parser::from_args(arguments);
        let said = |error: lexopt::Error| error.to_string();
        while let Some(argument) = parser.next().map_err(said)? {
            let Long(name) = argument else { return Err(said(argument.unexpected())) };
            let name = name.to_owned();
            if name == "help" {
                return Ok(None);
            }
            let mut value = || parser.value().and_then(ValueExt::string).map_err(said);
            match &*name {
                "issuer" => issuer = Some(value()?),
                "client-id" => client_id = Some(value()?),
                "client-secret-file" => client_secret_file = Some(value()?.into()),
                "scope" => scopes.push(value()?),
                "roles-claim" => roles_claim = Some(value()?),
                "role" => roles.push(value()?),
                "audience" => audiences.push(value()?),
                "ca-file" => ca_file = Some(value()?.into()),
                "wait" => {
                    let text = value()?;
                    wait =
                        text.parse().map_err(|_| format!("--wait {text}: give whole seconds"))?;
                }
                "public-url" => public_url = Some(value()?),
                "listen" => listen = Some(value()?),
                "key-file" => key_file = Some(value()?.into()),
                _ => return Err(format!("there is no flag --{name}")),
            }
        }
        if scopes.is_empty() {
            scopes = list("OIDC_SCOPES");
        }
        if roles.is_empty() {
            roles = list("OIDC_ROLES");
        }
        if roles.is_empty() {
            roles.push("reader".to_owned());
        }
        let listen = listen.unwrap_or_else(|| "127.0.0.1:3000".to_owned());
        let settings = Self {
            issuer: issuer.ok_or("--issuer is missing: the URL that the provider goes by")?,
            client_id: client_id.ok_or("--client-id is missing: register this server there")?,
            client_secret_file,
            scopes,
            roles_claim: roles_claim.unwrap_or_else(|| "roles".to_owned()),
            roles,
            audiences,
            ca_file,
            wait: Duration::from_secs(wait),
            public_url: public_url.map_or_else(
                || "http://localhost:3000".to_owned(),
                |url| url.trim_end_matches('/').to_owned(),
            ),
            listen: listen
                .parse()
                .map_err(|_| format!("--listen {listen}: write it like 127.0.0.1:3000"))?,
            key_file,
        };
        settings.check()?;
        Ok(Some(settings))
    }

    fn check(&self) -> Result<(), String> {
        let issuer = Url::parse(&self.issuer).map_err(|_| {
            format!("--issuer {}: write it like https://login.example", self.issuer)
        })?;
        let here = issuer
            .host_str()
            .is_some_and(|host| host == "localhost" || host == "127.0.0.1" || host == "[::1]");
        if issuer.scheme() != "https" && !(issuer.scheme() == "http" && here) {
            return Err(format!("--issuer {}: it has to be https", self.issuer));
        }
        Ok(())
    }

    /// What is known of the provider before it is asked.
    pub(crate) fn provider(&self) -> Result<iiif_auth_oidc::Settings, String> {
        let ca = match &self.ca_file {
            Some(path) => {
                let said = |error| format!("--ca-file {}: {error}", path.display());
                Some(std::fs::read(path).map_err(said)?)
            }
            None => None,
        };
        Ok(iiif_auth_oidc::Settings {
            issuer: self.issuer.clone(),
            client_id: self.client_id.clone(),
            client_secret: self.client_secret()?,
            scopes: self.scopes.clone(),
            roles_claim: self.roles_claim.clone(),
            audiences: self.audiences.clone(),
            ca,
            redirect: format!("{}{CALLBACK}", self.public_url),
            ..iiif_auth_oidc::Settings::default()
        })
    }

    /// The client's secret, without the end of its line.
    pub(crate) fn client_secret(&self) -> Result<Option<String>, String> {
        let Some(path) = &self.client_secret_file else { return Ok(None) };
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("--client-secret-file {}: {error}", path.display()))?;
        match text.trim() {
            "" => Err(format!("--client-secret-file {}: it is empty", path.display())),
            secret => Ok(Some(secret.to_owned())),
        }
    }
}
