//! The servers of one `[upstream]`: who is asked, and who is asked next.

use std::error::Error as _;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::header::HOST;
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderValue, Method, Request, Response, Uri};
use hyper::body::Incoming;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use url::Url;

use super::Address;
use super::connect::Connector;
use crate::body::{Body, empty};
use crate::config::Upstream;
use crate::metrics::Fault;
use crate::server::BUFFER;
use crate::workers;

/// How long a server that could not be reached is passed over, where another can be asked.
const REST: Duration = Duration::from_secs(5);

/// How long an answer about health may take.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(2);

/// Servers that have the same images.
pub(crate) struct Servers {
    pub(crate) upstream: Upstream,
    all: Vec<Server>,
    next: AtomicUsize,
    begun: Instant,
}

struct Server {
    address: Address,
    /// One for each thread, which keeps its connections.
    clients: Box<[Client<Connector, Body>]>,
    /// Each request of it has a connection of its own.
    fresh: Client<Connector, Body>,
    /// Until when others are asked first: milliseconds since the beginning.
    resting: AtomicU64,
}

impl Server {
    fn client(&self) -> &Client<Connector, Body> {
        &self.clients[workers::number() % self.clients.len()]
    }
}

/// An answer's head, its body, and who gave it.
pub(crate) struct Answer {
    pub(crate) response: Response<Incoming>,
    pub(crate) asked: Uri,
}

/// Why there is none.
pub(crate) struct Unanswered {
    pub(crate) fault: Fault,
    pub(crate) why: String,
}

impl Unanswered {
    fn new(fault: Fault, why: impl fmt::Display) -> Self {
        Self { fault, why: why.to_string() }
    }
}

impl Servers {
    pub(crate) fn new(upstream: Upstream) -> Self {
        let servers = upstream.servers.iter().map(|address| {
            let connector = Connector::new(address, &upstream.tls, upstream.connect_timeout);
            let client = |kept| {
                Client::builder(TokioExecutor::new())
                    .pool_timer(TokioTimer::new())
                    .pool_idle_timeout(upstream.keep_alive)
                    .pool_max_idle_per_host(kept)
                    .http1_max_buf_size(BUFFER)
                    .build(connector.clone())
            };
            Server {
                address: address.clone(),
                clients: (0..workers::usual()).map(|_| client(64)).collect(),
                fresh: client(0),
                resting: AtomicU64::new(0),
            }
        });
        let all = servers.collect();
        Self { upstream, all, next: AtomicUsize::new(0), begun: Instant::now() }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// In the order in which they are asked: in turn, and those that rest last.
    fn in_turn(&self) -> impl Iterator<Item = &Server> {
        let count = self.all.len();
        let first = self.next.fetch_add(1, Ordering::Relaxed) % count.max(1);
        let now = self.now();
        let all = move || (0..count).map(move |at| &self.all[(first + at) % count]);
        let rests = move |own: &&Server| own.resting.load(Ordering::Relaxed) > now;
        all().filter(move |own| !rests(own)).chain(all().filter(rests))
    }

    /// Sends a request with this body. What has none is sent again: on a fresh connection where a kept one
    /// was closed, and to the next server where one cannot be reached.
    pub(crate) async fn send(
        &self,
        head: &Parts,
        target: &PathAndQuery,
        body: Option<Body>,
    ) -> Result<Answer, Unanswered> {
        let mut last = Unanswered::new(Fault::Connect, "no server is configured");
        let repeatable = body.is_none();
        let mut body = body;
        for server in self.in_turn() {
            let request = self.request(head, target, server)?;
            let asked = request.uri().clone();
            let sent = body.take().unwrap_or_else(empty);
            let mut answered = server.client().request(request.map(|()| sent)).await;
            if let Err(error) = &answered {
                if can_be_asked_again(&head.method) && was_closed(error) {
                    tracing::debug!(%error, "the image server closed the connection: asked again");
                    let request = self.request(head, target, server)?;
                    answered = server.fresh.request(request.map(|()| empty())).await;
                }
            }
            match answered {
                Ok(response) => {
                    server.resting.store(0, Ordering::Relaxed);
                    return Ok(Answer { response, asked });
                }
                Err(error) => {
                    let unreached = error.is_connect();
                    let why = format!("{}: {}", server.address, causes(&error));
                    last = Unanswered::new(fault_of(&error), why);
                    if unreached {
                        let until = self.now().saturating_add(millis(REST));
                        server.resting.store(until, Ordering::Relaxed);
                    }
                    if !unreached || !repeatable {
                        break;
                    }
                    if self.all.len() > 1 {
                        tracing::warn!(why = last.why, "an image server cannot be reached");
                    }
                }
            }
        }
        Err(last)
    }

    /// The head as this server gets it.
    fn request(
        &self,
        head: &Parts,
        target: &PathAndQuery,
        server: &Server,
    ) -> Result<Request<()>, Unanswered> {
        let unsaid = |error: http::Error| Unanswered::new(Fault::Answer, error);
        let uri = Uri::builder()
            .scheme(server.address.scheme().clone())
            .authority(server.address.authority().clone())
            .path_and_query(target.clone())
            .build()
            .map_err(unsaid)?;
        let host = match &self.upstream.host {
            Some(host) => host.clone(),
            None => HeaderValue::from_str(server.address.authority().as_str())
                .map_err(|error| unsaid(error.into()))?,
        };
        let mut request = Request::new(());
        *request.method_mut() = head.method.clone();
        *request.uri_mut() = uri;
        *request.version_mut() = head.version;
        *request.headers_mut() = head.headers.clone();
        request.headers_mut().insert(HOST, host);
        Ok(request)
    }

    /// Whether each server answers. A server is well when a connection can be made, or, with a
    /// `health_path`, when it has an answer there that is no fault of its own.
    pub(crate) async fn health(&self) -> Vec<(String, Result<(), String>)> {
        let mut health = Vec::new();
        for server in &self.all {
            let asked = tokio::time::timeout(HEALTH_TIMEOUT, self.is_well(server)).await;
            let well = asked.unwrap_or_else(|_| Err("it did not answer in time".to_owned()));
            if well.is_ok() {
                server.resting.store(0, Ordering::Relaxed);
            }
            health.push((server.address.to_string(), well));
        }
        health
    }

    async fn is_well(&self, server: &Server) -> Result<(), String> {
        let (mut head, ()) = Request::new(()).into_parts();
        let path = self.upstream.health_path.clone();
        head.method = if path.is_some() { Method::GET } else { Method::HEAD };
        let target = path.clone().unwrap_or_else(|| PathAndQuery::from_static("/"));
        let request = self.request(&head, &target, server).map_err(|error| error.why)?;
        let answer = server.fresh.request(request.map(|()| empty())).await;
        match (answer, path) {
            (Ok(answer), Some(path)) if answer.status().is_server_error() => {
                Err(format!("{path} is {}", answer.status().as_u16()))
            }
            (Ok(_), _) => Ok(()),
            (Err(error), None) if !error.is_connect() => Ok(()),
            (Err(error), _) => Err(causes(&error)),
        }
    }

    /// Whether a URL leads to one of the servers.
    pub(crate) fn is_address(&self, url: &Url) -> bool {
        self.all.iter().filter(|own| own.address.socket().is_none()).any(|own| {
            let known = Url::parse(&own.address.to_string());
            known.is_ok_and(|known| {
                known.host() == url.host()
                    && known.port_or_known_default() == url.port_or_known_default()
            })
        })
    }

    /// Whether a text names one of the servers.
    pub(crate) fn is_named_in(&self, text: &str) -> bool {
        let names = self.all.iter().filter(|own| own.address.socket().is_none());
        names.map(|own| own.address.authority().as_str()).any(|name| text.contains(name))
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Whether nothing comes of it if the image server gets it twice (RFC 9110 §9.2.2), and nothing of its
/// body is gone.
fn can_be_asked_again(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// Whether the connection ended before an answer: most often one that was kept, and that the image
/// server closed as the request came in.
fn was_closed(error: &Error) -> bool {
    if error.is_connect() {
        return false;
    }
    let mut cause = error.source();
    while let Some(error) = cause {
        let closed = error
            .downcast_ref::<hyper::Error>()
            .is_some_and(|own| own.is_incomplete_message() || own.is_canceled() || own.is_closed());
        let broken = error.downcast_ref::<io::Error>().is_some_and(|own| {
            use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected};
            matches!(own.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected)
        });
        if closed || broken {
            return true;
        }
        cause = error.source();
    }
    false
}

fn fault_of(error: &Error) -> Fault {
    if !error.is_connect() {
        return Fault::Answer;
    }
    let mut cause = error.source();
    while let Some(error) = cause {
        let timed_out = error
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::TimedOut);
        if timed_out {
            return Fault::ConnectTimeout;
        }
        cause = error.source();
    }
    Fault::Connect
}

/// An error with what is behind it.
fn causes(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let own = error.to_string();
        if !text.ends_with(&own) {
            text.push_str(": ");
            text.push_str(&own);
        }
        cause = error.source();
    }
    text
}
