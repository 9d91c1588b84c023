//! `[upstream]`: the image server behind the proxy.

use std::time::Duration;

use http::uri::{Authority, Scheme};
use http::{HeaderName, Uri};

use super::parse;
use super::section::Section;

/// The image server behind the proxy.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// Where it listens: plain http, as it stands beside the proxy.
    pub authority: Authority,
    /// What `Host` it is sent; by default its own authority.
    pub host: Option<http::HeaderValue>,
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How long until the head of an answer.
    pub header_timeout: Duration,
    /// How long a body, of a request or of an answer, may stand still.
    pub idle_timeout: Duration,
    /// How long an unused connection is kept: less than the image server keeps it, which with many is
    /// 5 seconds.
    pub keep_alive: Duration,
    /// The header in which it is told who asks: the name of the user.
    pub user_header: Option<HeaderName>,
    /// The header with the user's roles, separated by commas. A comma in a role, a `%`, controls and what
    /// is not ASCII are percent-encoded, as in the name of the user.
    pub roles_header: Option<HeaderName>,
}

impl Upstream {
    /// Whether it is told who asks.
    #[must_use]
    pub fn wants_session(&self) -> bool {
        self.user_header.is_some() || self.roles_header.is_some()
    }
}

pub(super) fn read(mut section: Section<'_, '_>) -> Option<Upstream> {
    let mistakes = section.mistakes;
    let url = section.required::<String>("url").and_then(|found| {
        let authority = authority(&found.value).map_err(|error| format!("url: {error}"));
        mistakes.check(&found.span, authority)
    });
    let host = section.parsed("host", str::parse::<http::HeaderValue>);
    let mut duration = |key, default: u64| {
        let found = section.parsed(key, parse::duration);
        found.map_or(Duration::from_secs(default), |found| found.value)
    };
    let connect_timeout = duration("connect_timeout", 5);
    let header_timeout = duration("header_timeout", 60);
    let idle_timeout = duration("idle_timeout", 60);
    let keep_alive = duration("keep_alive", 4);
    let user_header = section.parsed("user_header", parse::header_name);
    let roles_header = section.parsed("roles_header", parse::header_name);
    section.finish();
    Some(Upstream {
        authority: url?,
        host: host.map(|found| found.value),
        connect_timeout,
        header_timeout,
        idle_timeout,
        keep_alive,
        user_header: user_header.map(|found| found.value),
        roles_header: roles_header.map(|found| found.value),
    })
}

fn authority(url: &str) -> Result<Authority, &'static str> {
    const FORM: &str =
        "write it like \"http://127.0.0.1:8182\"; paths belong to upstream_path of a [[base]]";
    let uri: Uri = url.parse().map_err(|_| FORM)?;
    let parts = uri.into_parts();
    let no_path = parts.path_and_query.is_none_or(|path| path == "/");
    match (parts.scheme, parts.authority) {
        (Some(scheme), Some(authority))
            if scheme == Scheme::HTTP && no_path && !authority.as_str().contains('@') =>
        {
            Ok(authority)
        }
        (Some(scheme), _) if scheme == Scheme::HTTPS => {
            Err("https is not spoken to the image server: it belongs beside the proxy, on http")
        }
        _ => Err(FORM),
    }
}
