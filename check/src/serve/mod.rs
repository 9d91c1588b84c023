//! A server that does everything right, and on demand one thing wrong: to test viewers with, and to
//! prove the checks.

mod content;
mod describe;
mod items;
mod login;
mod manifests;
mod model;
mod mutants;
mod pages;
mod probe;
mod tls;
mod token;

pub(crate) use mutants::MUTANTS;
#[cfg(test)]
pub(crate) use mutants::{How, Mutant};

use std::convert::Infallible;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use model::{Asked, Model};

/// Forms are short.
const BODY: usize = 64 << 10;

/// Listens, and says where. The certificate, if there is one, is that of an authority of its own.
async fn listen(
    listen: SocketAddr,
    tls: bool,
    public: Option<&str>,
    mutant: Option<String>,
) -> Result<Ready, String> {
    if let Some(name) = &mutant {
        if !MUTANTS.iter().any(|mutant| mutant.name == name) {
            return Err(format!("no mutant is called {name} (serve --mutants)"));
        }
    }
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|error| format!("cannot listen on {listen}: {error}"))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let tls = tls.then(tls::authority).transpose()?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let (acceptor, authority) = tls.map_or((None, None), |tls| (Some(tls.acceptor), Some(tls.pem)));
    let base = public.map_or_else(|| format!("{scheme}://{address}"), str::to_owned);
    let model = Arc::new(Model::new(base.clone(), mutant));
    Ok(Ready { listener, acceptor, authority, model, base })
}

struct Ready {
    listener: TcpListener,
    acceptor: Option<tokio_rustls::TlsAcceptor>,
    authority: Option<String>,
    model: Arc<Model>,
    base: String,
}

impl Ready {
    async fn serve(self) {
        loop {
            let Ok((stream, _)) = self.listener.accept().await else {
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            };
            let (model, acceptor) = (self.model.clone(), self.acceptor.clone());
            tokio::spawn(async move {
                let service = service_fn(move |request| one(model.clone(), request));
                let http = hyper::server::conn::http1::Builder::new();
                let _ = match acceptor {
                    None => http.serve_connection(TokioIo::new(stream), service).await,
                    Some(acceptor) => match acceptor.accept(stream).await {
                        Ok(stream) => http.serve_connection(TokioIo::new(stream), service).await,
                        Err(_) => Ok(()),
                    },
                };
            });
        }
    }
}

async fn one(
    model: Arc<Model>,
    request: hyper::Request<Incoming>,
) -> Result<hyper::Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, BODY).collect().await.map(http_body_util::Collected::to_bytes);
    let asked = Asked {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().map(str::to_owned),
        headers: head.headers,
        body: body.unwrap_or_default(),
    };
    Ok(model.answer(&asked).map(Full::new))
}

fn runtime() -> Result<tokio::runtime::Runtime, String> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())
}

/// `iiif-auth-check serve`, until it is stopped.
pub(crate) fn run(serve: &crate::arguments::Serve) -> Result<(), String> {
    runtime()?.block_on(async {
        let (tls, public) = (serve.tls.is_some(), serve.public.as_deref());
        let ready = listen(serve.listen, tls, public, serve.mutant.clone()).await?;
        if let (Some(path), Some(pem)) = (&serve.tls, &ready.authority) {
            std::fs::write(path, pem).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        let _ = writeln!(std::io::stdout(), "{}/", ready.base);
        ready.serve().await;
        Ok(())
    })
}

/// For tests: on any free port, until the process ends.
#[cfg(test)]
pub(crate) fn start(mutant: Option<&str>, tls: bool) -> (String, Option<String>) {
    let (sender, receiver) = std::sync::mpsc::channel();
    let mutant = mutant.map(str::to_owned);
    std::thread::spawn(move || {
        runtime().expect("a runtime").block_on(async {
            let ready = listen(SocketAddr::from(([127, 0, 0, 1], 0)), tls, None, mutant)
                .await
                .expect("a server");
            sender.send((ready.base.clone(), ready.authority.clone())).expect("a test");
            ready.serve().await;
        });
    });
    receiver.recv().expect("an address")
}
