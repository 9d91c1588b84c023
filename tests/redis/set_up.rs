//! Which servers are taken as a store, and what is said of the others.

use std::time::{Duration, Instant};

use tower_iiif_auth::revocation::{Redis, Revocations, StoreError};

use crate::redis_server::{RedisServer, free_port};
use crate::{LATER, NOW, new_id, wait};

#[tokio::test]
async fn settings() {
    let server = RedisServer::start("");
    let builder = || Redis::builder(server.url());
    for (builder, error) in [
        (builder(), None),
        (builder().prefix("a.b_c-9"), None),
        (builder().prefix("p".repeat(64)), None),
        (builder().prefix("p".repeat(65)), Some("prefix")),
        (builder().prefix(""), Some("prefix \"\": use 1 to 64")),
        (builder().prefix("a b"), Some("prefix")),
        (builder().prefix("a:b"), Some("prefix")),
        (builder().staleness(Duration::ZERO), None),
        (builder().staleness(Duration::from_secs(60)), None),
        (builder().staleness(Duration::from_millis(60_001)), Some("a minute is the most")),
        (builder().timeout(Duration::ZERO), Some("more than zero")),
        (builder().timeout(Duration::from_secs(61)), Some("at most a minute")),
        (builder().cache_at_most(0), None),
        (Redis::builder("127.0.0.1:6379"), Some("the URL names no store")),
        (Redis::builder("http://127.0.0.1"), Some("the URL names no store")),
        (Redis::builder("redis://127.0.0.1/one"), Some("the URL names no store")),
        (Redis::builder("rediss://127.0.0.1#insecure"), Some("the URL names no store")),
        (Redis::builder("redis+sentinel://127.0.0.1"), Some("the URL names no store")),
        (Redis::builder("redis+cluster://127.0.0.1/1"), Some("the URL names no store")),
        (Redis::builder("redis+unix://"), Some("the URL names no store")),
    ] {
        let shown = format!("{builder:?}");
        let checked = builder.check().map_err(|found| found.to_string());
        assert_eq!(checked.is_ok(), error.is_none(), "{shown}: {checked:?}, without asking");
        match (builder.connect().await, error) {
            (Ok(_), None) => {}
            (Err(found), Some(expected)) => {
                assert!(found.to_string().contains(expected), "{shown}: {found}");
            }
            (outcome, expected) => panic!("{shown}: {outcome:?}, expected {expected:?}"),
        }
    }
}

/// A store that forgets while it runs, or takes no logouts, is none.
#[tokio::test]
async fn servers_that_are_no_use() {
    let evicts = |policy: &str| Err(StoreError::Evicts { policy: policy.to_owned() });
    let limited = "--maxmemory 50mb --maxmemory-policy";
    for (arguments, expected) in [
        (format!("{limited} allkeys-lru"), evicts("allkeys-lru")),
        (format!("{limited} volatile-ttl"), evicts("volatile-ttl")),
        (format!("{limited} noeviction"), Ok(())),
        // ST-03: a limit can be set at any time.
        ("--maxmemory-policy allkeys-lru".to_owned(), evicts("allkeys-lru")),
        ("--maxmemory-policy volatile-lru".to_owned(), evicts("volatile-lru")),
        ("--cluster-enabled yes".to_owned(), Err(StoreError::Cluster)),
        (format!("--replicaof 127.0.0.1 {}", free_port()), Err(StoreError::Replica)),
    ] {
        let server = RedisServer::start(&arguments);
        let connected = Redis::connect(server.url()).await.map(|_| ());
        assert_eq!(connected, expected, "{arguments}");
    }
}

/// The rights that the docs list are enough, and over a socket it is the same.
#[tokio::test]
async fn rights_and_sockets() {
    let server = RedisServer::start("");
    let rights = "on >secret-word ~iiif-auth:* -@all +info +watch +multi +exec +get +mget +set";
    let user = |name, rights: &str| {
        let words: Vec<_> = ["ACL", "SETUSER", name].into_iter().chain(rights.split(' ')).collect();
        let () = server.ask(&words);
    };
    user("images", rights);
    user("blind", &rights.replace(" +info", ""));
    let at = |user: &str| format!("redis://{user}@127.0.0.1:{}", server.port());
    for url in [at("images:secret-word"), server.socket_url()] {
        let store = Redis::connect(url).await.unwrap();
        let id = new_id(&store);
        assert!(wait(store.claim(id, LATER, NOW)).await.unwrap());
        wait(store.revoke(id, LATER, NOW)).await.unwrap();
        assert!(wait(store.is_revoked(id, NOW)).await.unwrap());
    }
    let blind = Redis::connect(at("blind:secret-word")).await.unwrap_err();
    assert!(matches!(blind, StoreError::NoInfo(_)), "{blind}");
    assert!(blind.to_string().contains("+info"), "{blind}");
}

/// Passwords and addresses stay out of what may be logged.
#[tokio::test]
async fn cr_12_errors_and_debug_hold_no_password() {
    let secret = "hunter2-secret-word";
    let server = RedisServer::start("--requirepass right");
    let old = RedisServer::start("--requirepass right --rename-command HELLO \"\"");
    let mut shown = Vec::new();
    for url in [
        format!("redis://:{secret}@127.0.0.1:{}?protocol=resp3", old.port()),
        format!("redis://someone:{secret}@127.0.0.1:{}?protocol=3", old.port()),
        format!("redis://:{secret}@127.0.0.1:{}", server.port()),
        format!("redis://someone:{secret}@127.0.0.1:{}", server.port()),
        format!("redis://:{secret}@127.0.0.1:{}", free_port()),
        format!("redis://:{secret}@127.0.0.1:6379/{secret}"),
        format!("rediss://:{secret}@127.0.0.1:{}", free_port()),
        format!("rediss://:{secret}@127.0.0.1:{}", server.port()),
        format!(
            "redis+sentinel://:{secret}@127.0.0.1:{}/{secret}?sentinel_password={secret}",
            free_port()
        ),
        format!("redis+sentinel://:{secret}@127.0.0.1/{secret}/{secret}"),
        format!("redis+cluster://:{secret}@127.0.0.1:{}", free_port()),
        format!("redis+cluster://:{secret}@127.0.0.1:{}", server.port()),
        format!("redis+unix://:{secret}@/nowhere?pass={secret}"),
        format!("{secret}://{secret}"),
    ] {
        let builder = Redis::builder(url);
        shown.push(format!("{builder:?} {builder:#?}"));
        let error = builder.connect().await.unwrap_err();
        shown.push(format!("{error} {error:?}"));
    }
    let url = format!("redis://:right@127.0.0.1:{}", server.port());
    let store = Redis::connect(url).await.unwrap();
    shown.push(format!("{store:?} {store:#?}"));
    for text in shown {
        assert!(!text.contains("hunter2") && !text.contains("right"), "{text}");
    }
}

/// RE-01: a server that is not there, or does not answer, is told within the time-out.
#[tokio::test]
async fn re_01_connecting_takes_no_longer_than_it_may() {
    let server = RedisServer::start("");
    server.pause();
    let nowhere = format!("redis://127.0.0.1:{}", free_port());
    for url in [server.url(), nowhere] {
        let before = Instant::now();
        let builder = Redis::builder(url).timeout(Duration::from_millis(500));
        let error = builder.connect().await.unwrap_err();
        assert!(before.elapsed() < Duration::from_millis(700), "{error}");
    }
    server.resume();
    Redis::connect(server.url()).await.unwrap();
}
