//! Listeners and logs.

use std::net::SocketAddr;
use std::time::Duration;

use tower_iiif_auth::aspect::TrustedProxies;

use super::parse;
use super::section::Section;

/// The listener that answers a front's question.
#[derive(Clone, Debug)]
pub struct ForwardAuth {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Who may ask.
    pub peers: TrustedProxies,
    /// In which way.
    pub front: Front,
    /// How long a browser may keep a picture that needed a session; at most as long as it lasts. A day by default;
    /// `None`, written `"0s"`, says nothing.
    pub max_age: Option<Duration>,
    /// Also answers yes for paths with percent-encoded bytes.
    pub allow_escapes: bool,
}

/// How a front tells what it was asked for, and what it makes of the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Front {
    /// By the path of its question, and `X-Original-Method`. Of a no it makes an answer of its own.
    Nginx,
    /// In `X-Forwarded-Uri` and `X-Forwarded-Method`. A no is handed on as it is.
    Traefik,
    /// In the same way.
    Caddy,
    /// By method and path of its question. A no is handed on as it is.
    Envoy {
        /// What it puts before the path.
        path_prefix: String,
    },
}

/// How long browsers may keep a tile that needed a session, if nobody says otherwise: as long as the session
/// lasts, which is never longer.
const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// What is logged.
#[derive(Clone, Debug)]
pub struct Log {
    /// In which form.
    pub format: LogFormat,
    /// From which level, as `tracing-subscriber` reads it.
    pub filter: String,
    /// A line for each request.
    pub access: AccessLog,
}

/// Whether there is a line for each request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessLog {
    /// At `info`.
    On,
    /// At `debug`, so that the filter decides.
    IfAsked,
    /// Whatever the filter says.
    Off,
}

/// The form of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// A JSON object a line.
    Json,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Text, filter: FILTER.to_owned(), access: AccessLog::IfAsked }
    }
}

/// What goes wrong, and what is refused, once each: a tile writes nothing.
const FILTER: &str = "info";

pub(super) fn listen(section: &mut Section<'_, '_>) -> Option<SocketAddr> {
    let mistakes = section.mistakes;
    let text = section.required::<String>("listen")?;
    mistakes.check(&text.span, parse::socket(&text.value))
}

/// Ranges that can be read; others are mistakes.
pub(super) fn ranges(section: &mut Section<'_, '_>, key: &'static str) -> Vec<String> {
    let mistakes = section.mistakes;
    let ranges = section.list(key).into_iter();
    ranges
        .filter(|range| mistakes.check(&range.span, parse::range(&range.value)).is_some())
        .map(|range| range.value)
        .collect()
}

pub(super) fn forward_auth(mut section: Section<'_, '_>) -> Option<ForwardAuth> {
    let mistakes = section.mistakes;
    let listen = listen(&mut section);
    let named = section.has("peers");
    let mut peers = ranges(&mut section, "peers");
    if !named {
        peers = vec!["127.0.0.1".to_owned(), "::1".to_owned()];
    }
    let peers = TrustedProxies::new(peers.iter().map(String::as_str));
    let peers = mistakes.check(&section.span, peers);
    let front = front(&mut section);
    let max_age = section.parsed("max_age", parse::duration_or_none);
    let max_age = max_age.map_or(MAX_AGE, |found| found.value);
    let allow_escapes = section.or("allow_escapes", false);
    section.finish();
    Some(ForwardAuth {
        listen: listen?,
        peers: peers?,
        front: front?,
        max_age: (!max_age.is_zero()).then_some(max_age),
        allow_escapes,
    })
}

fn front(section: &mut Section<'_, '_>) -> Option<Front> {
    let mistakes = section.mistakes;
    let named = section.has("front");
    let front = section.parsed("front", |text| match text {
        "nginx" => Ok(Front::Nginx),
        "traefik" => Ok(Front::Traefik),
        "caddy" => Ok(Front::Caddy),
        "envoy" => Ok(Front::Envoy { path_prefix: String::new() }),
        _ => Err(format!("{text:?} is none of \"nginx\", \"traefik\", \"caddy\" and \"envoy\"")),
    });
    let prefix = section.parsed("path_prefix", |text| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
        let good = text.starts_with('/') && !text.ends_with('/') && text.bytes().all(is_plain);
        if good {
            Ok(text.to_owned())
        } else {
            Err(format!(
                "{text:?} is no prefix of a path: write it as Envoy has it, like \"/decide\""
            ))
        }
    });
    let front = if named { front?.value } else { Front::Nginx };
    match (front, prefix) {
        (Front::Envoy { .. }, Some(prefix)) => Some(Front::Envoy { path_prefix: prefix.value }),
        (front, None) => Some(front),
        (_, Some(prefix)) => {
            mistakes.add(&prefix.span, "path_prefix goes with front = \"envoy\" alone");
            None
        }
    }
}

pub(super) fn log(mut section: Section<'_, '_>) -> Log {
    let mut log = Log::default();
    let format = section.parsed("format", |text| match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err(format!("{text:?} is neither \"text\" nor \"json\"")),
    });
    if let Some(format) = format {
        log.format = format.value;
    }
    let filter = section.parsed("filter", |text| {
        tracing_subscriber::EnvFilter::builder()
            .parse(text)
            .map(|_| text.to_owned())
            .map_err(|error| format!("{error}; write it like \"info,tower_iiif_auth=debug\""))
    });
    if let Some(filter) = filter {
        log.filter = filter.value;
    }
    if let Some(access) = section.optional::<bool>("access") {
        log.access = if access.value { AccessLog::On } else { AccessLog::Off };
    }
    section.finish();
    log
}
