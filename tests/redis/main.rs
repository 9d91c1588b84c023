//! Revocations in Redis, against a real server that is killed, paused, filled and restarted.
//!
//! Needs Debian's package `redis-server`.

mod back;
mod cache;
mod cluster;
#[path = "../common/mod.rs"]
mod common;
mod down;
mod encrypted;
mod evicted;
mod forwarder;
mod lives;
mod moved;
#[path = "../common/redis_server.rs"]
mod redis_server;
mod sentinel;
mod set_up;
mod shared;
mod subjects;

use std::time::Duration;

use tower_iiif_auth::aspect::SessionId;
use tower_iiif_auth::clock::Timestamp;
use tower_iiif_auth::revocation::{Redis, Revocations};
use tower_iiif_auth::{Answer, BoxError};

use common::{COOKIE, Publisher, builder, clock, image};
use redis_server::RedisServer;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const LATER: Timestamp = Timestamp::from_millis(1_800_000_060_000);

/// A store that is asked for every tile.
async fn always_asked(server: &RedisServer) -> Redis {
    with_staleness(server, Duration::ZERO).await
}

async fn with_staleness(server: &RedisServer, staleness: Duration) -> Redis {
    let builder = Redis::builder(server.url()).staleness(staleness);
    builder.timeout(Duration::from_millis(500)).connect().await.unwrap()
}

/// A node with this store.
fn node(store: &Redis) -> Publisher {
    let clock = clock();
    Publisher::of(builder(&clock).revocations(store.clone()), clock)
}

async fn wait<T>(answer: Answer<Result<T, BoxError>>) -> Result<T, BoxError> {
    match answer {
        Answer::Now(outcome) => outcome,
        Answer::Later(outcome) => outcome.await,
    }
}

fn new_id(store: &Redis) -> SessionId {
    store.admit(SessionId::random().unwrap())
}

/// The status of a protected tile with this access cookie.
async fn tile(node: &Publisher, cookie: &str) -> u16 {
    let cookie = format!("{COOKIE}={cookie}");
    node.get(&image("sec"), &[("cookie", &cookie)]).await.status().as_u16()
}

/// The status of the logout page.
async fn log_out(node: &Publisher, cookie: &str) -> u16 {
    let cookie = format!("{COOKIE}={cookie}");
    node.get("/auth/logout", &[("cookie", &cookie)]).await.status().as_u16()
}
