//! hyper by itself, both versions of HTTP.

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tower::ServiceBuilder;

use crate::suite::app::App;
use crate::suite::{Host, auth, behaves_like_every_host, listen};

async fn start() -> Host {
    let (listener, address) = listen().await;
    let app = App::default();
    let stack = ServiceBuilder::new().layer(auth("").layer()).service(app.clone());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = TowerToHyperService::new(stack.clone());
            tokio::spawn(async move {
                let builder = auto::Builder::new(TokioExecutor::new());
                // Clients that hang up early are none of the test's business.
                let _ = builder.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    Host::new(app, address)
}

mod http1 {
    use super::*;

    behaves_like_every_host! { start() }
}

mod http2 {
    use super::*;

    async fn start_http2() -> Host {
        Host { http2: true, ..start().await }
    }

    behaves_like_every_host! { start_http2() }
}
