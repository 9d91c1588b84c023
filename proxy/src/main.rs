//! IIIF authorization in front of an image server: `iiif-auth-proxy --help`.

mod cli;

use std::future::Future;
use std::process::ExitCode;

use iiif_auth_proxy::config::Config;
use iiif_auth_proxy::{Server, log};
use mimalloc::MiMalloc;
use tokio::signal::unix::{SignalKind, signal};

// A tile takes some eighty pieces of memory for a moment, one of them as large as itself.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    cli::run(serve)
}

#[tokio::main]
async fn serve(config: Config) -> Result<(), BoxError> {
    log::begin(&config.log);
    let public_url = config.public_url.clone();
    let stop = stop()?;
    let server = Server::bind(config).await?.on_own_threads();
    tracing::info!(address = %server.address()?, public_url, "listening");
    server.run(stop).await
}

/// The end of the process is asked for.
fn stop() -> Result<impl Future<Output = ()>, std::io::Error> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
