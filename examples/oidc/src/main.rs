//! Restricted pictures for the users of an `OpenID` provider: the access service sends them there, and
//! claims become roles.
//!
//! ```sh
//! cargo run -p example-oidc -- --issuer https://login.example --client-id iiif --client-secret-file secret
//! ```

#[path = "../../support/images/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "the examples share it and use a part each")]
mod images;
mod login;
mod settings;
mod site;
#[cfg(test)]
mod tests;

use std::process::ExitCode;

use settings::Settings;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into()),
        )
        .with_writer(std::io::stderr)
        .init();
    let outcome = match Settings::parse() {
        Ok(Some(settings)) => serve(&settings).await,
        Ok(None) => {
            eprint!("{}", settings::HELP);
            Ok(())
        }
        Err(message) => Err(format!("{message} (try --help)")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("oidc: {message}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(settings: &Settings) -> Result<(), String> {
    let listener = TcpListener::bind(settings.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", settings.listen))?;
    let provider = site::provider(settings).await?;
    let app = site::app(settings, provider).map_err(|error| error.to_string())?;
    tracing::info!("{} is ready", settings.public_url);
    axum::serve(listener, app)
        .with_graceful_shutdown(async { drop(tokio::signal::ctrl_c().await) })
        .await
        .map_err(|error| format!("the server stopped: {error}"))
}
