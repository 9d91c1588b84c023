//! Listeners and logs.

use std::net::SocketAddr;
use std::time::Duration;

use tower_iiif_auth::aspect::TrustedProxies;

use super::parse;
use super::section::Section;

/// The listener that answers nginx's `auth_request`.
#[derive(Clone, Debug)]
pub struct ForwardAuth {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Who may ask.
    pub peers: TrustedProxies,
    /// How long a browser may keep a picture that needed a session; at most as long as it lasts.
    pub max_age: Option<Duration>,
    /// Also answers yes for paths with percent-encoded bytes.
    pub allow_escapes: bool,
}

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
    let max_age = section.parsed("max_age", parse::duration);
    let allow_escapes = section.or("allow_escapes", false);
    section.finish();
    Some(ForwardAuth {
        listen: listen?,
        peers: peers?,
        max_age: max_age.map(|found| found.value),
        allow_escapes,
    })
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
