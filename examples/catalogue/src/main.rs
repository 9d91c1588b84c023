//! A catalogue with its own users, pages and rights per item, all in a database, and its pictures open for
//! those who may see them, in every viewer.
//!
//! ```sh
//! cargo run -p example-catalogue
//! ```
//!
//! `database.rs` is what an application has already, `rights.rs` and `iiif.rs` are the parts to copy, `pages.rs`
//! and `admin.rs` show what handlers do with sessions.

mod admin;
mod database;
mod iiif;
#[path = "../../support/images/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "the examples share it and use a part each")]
mod images;
mod pages;
mod rights;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::Path;

use tokio::net::TcpListener;
use tower_iiif_auth::{BoxError, IiifAuth, Keyring};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let setting = |name: &str, default: &str| std::env::var(name).unwrap_or(default.to_owned());
    let listen = setting("LISTEN", "127.0.0.1:3000");
    let public_url = setting("PUBLIC_URL", "http://localhost:3000");
    let campus = setting("CAMPUS", "192.0.2.0/24");
    let keyring = match std::env::var("KEY_FILE") {
        Ok(path) => Keyring::from_file(Path::new(&path))?,
        Err(_) => Keyring::generate()?,
    };
    let file = std::env::var("DATABASE").ok();
    let database = database::Database::open(file.as_deref()).await?;
    let builder = IiifAuth::builder(&public_url).keyring(keyring);
    let campus: Vec<_> = campus.split(',').collect();
    let (app, _) = iiif::app(&public_url, builder, &database, &campus)?;
    let listener = TcpListener::bind(&listen).await?;
    eprintln!("Open {public_url}/ in a browser.");
    // Addresses are told to the layers, which know the campus by them.
    let app = app.layer(axum::middleware::map_request(peer));
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}

async fn peer<B>(mut request: axum::http::Request<B>) -> axum::http::Request<B> {
    let address = request.extensions().get::<axum::extract::ConnectInfo<SocketAddr>>();
    if let Some(address) = address.map(|info| info.0.ip()) {
        request.extensions_mut().insert(tower_iiif_auth::aspect::PeerAddr(address));
    }
    request
}
