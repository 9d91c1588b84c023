//! An application's own login, axum-login over any tower-sessions store, lets viewers in: no second
//! cookie, and a logout at the application ends everything.
//!
//! ```sh
//! cargo run -p example-axum-login
//! ```
//!
//! `application.rs` is the application as it was before, `iiif.rs` what is added, `aspect.rs` the part
//! to copy.

mod application;
mod aspect;
mod iiif;
#[path = "../../support/images/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "the examples share it and use a part each")]
mod images;
mod session_cookie;
#[cfg(test)]
mod tests;

use std::path::Path;

use tokio::net::TcpListener;
use tower_iiif_auth::{BoxError, IiifAuth, Keyring};
use tower_sessions::cookie::SameSite;
use tower_sessions::cookie::time::Duration;
use tower_sessions::{Expiry, MemoryStore, SessionManagerLayer, SessionStore};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let setting = |name: &str, default: &str| std::env::var(name).unwrap_or(default.to_owned());
    let listen = setting("LISTEN", "127.0.0.1:3000");
    let public_url = setting("PUBLIC_URL", "http://localhost:3000");
    let keyring = match std::env::var("KEY_FILE") {
        Ok(path) => Keyring::from_file(Path::new(&path))?,
        Err(_) => Keyring::generate()?,
    };

    let store = MemoryStore::default();
    let builder = IiifAuth::builder(&public_url).keyring(keyring);
    let (app, _) = iiif::app(&public_url, builder, store.clone(), sessions(store)).await?;
    let listener = TcpListener::bind(&listen).await?;
    eprintln!("Open {public_url}/ in a browser.");
    axum::serve(listener, app).await?;
    Ok(())
}

/// The application's session layer. Viewers on other sites need `SameSite=None` and `Secure`.
fn sessions<S: SessionStore>(store: S) -> SessionManagerLayer<S> {
    SessionManagerLayer::new(store)
        .with_name("__Host-id")
        .with_same_site(SameSite::None)
        .with_secure(true)
        .with_expiry(Expiry::OnInactivity(Duration::hours(1)))
}
