//! Listeners and logs.

use std::net::SocketAddr;

use ipnet::IpNet;

use super::parse;
use super::section::Section;

/// The listener that answers nginx's `auth_request`.
#[derive(Clone, Debug)]
pub struct ForwardAuth {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Who may ask.
    pub peers: Vec<IpNet>,
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
    pub access: bool,
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
        Self { format: LogFormat::Text, filter: FILTER.to_owned(), access: true }
    }
}

/// Every decision, and what goes wrong.
const FILTER: &str = "info,tower_iiif_auth=debug";

pub(super) fn listen(section: &mut Section<'_, '_>) -> Option<SocketAddr> {
    let mistakes = section.mistakes;
    let text = section.required::<String>("listen")?;
    mistakes.check(&text.span, parse::socket(&text.value))
}

pub(super) fn forward_auth(mut section: Section<'_, '_>) -> Option<ForwardAuth> {
    let mistakes = section.mistakes;
    let listen = listen(&mut section);
    let named = section.has("peers");
    let peers = section.list("peers");
    let mut peers: Vec<_> = peers
        .iter()
        .filter_map(|peer| mistakes.check(&peer.span, parse::range(&peer.value)))
        .collect();
    if !named {
        peers = [[127, 0, 0, 1].into(), std::net::Ipv6Addr::LOCALHOST.into()]
            .map(|address: std::net::IpAddr| IpNet::from(address))
            .to_vec();
    }
    let allow_escapes = section.or("allow_escapes", false);
    section.finish();
    Some(ForwardAuth { listen: listen?, peers, allow_escapes })
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
    log.access = section.or("access", true);
    section.finish();
    log
}
