//! What a process knows without asking.

use std::collections::HashMap;
use std::time::Duration;

use tower_iiif_auth::Answer;
use tower_iiif_auth::revocation::{Redis, Revocations};

use crate::common::V;
use crate::redis_server::RedisServer;
use crate::{LATER, NOW, always_asked, log_out, new_id, node, tile, wait, with_staleness};

/// How often the server was asked whether a session was revoked.
fn questions(server: &RedisServer) -> u64 {
    let info: redis::InfoDict = server.ask(&["INFO", "commandstats"]);
    let stats: HashMap<_, _> = info
        .get::<String>("cmdstat_mget")
        .unwrap_or_default()
        .split(',')
        .filter_map(|field| field.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    stats.get("calls").map_or(0, |calls| calls.parse().unwrap())
}

/// The tiles of a page come together: one question for all of them, and none for the next page.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_question_for_the_tiles_of_a_page() {
    let server = RedisServer::start("");
    for (staleness, expected) in [(Duration::from_secs(60), 1), (Duration::ZERO, 200)] {
        let elsewhere = node(&always_asked(&server).await);
        let cookie = elsewhere.log_in(&["A"], Some(V)).await;
        let node = node(&with_staleness(&server, staleness).await);
        let before = questions(&server);
        for _ in 0..2 {
            let tiles: Vec<_> = (0..100)
                .map(|_| {
                    let (node, cookie) = (node.clone(), cookie.clone());
                    tokio::spawn(async move { tile(&node, &cookie).await })
                })
                .collect();
            for tile in tiles {
                assert_eq!(tile.await.unwrap(), 200);
            }
        }
        assert_eq!(questions(&server) - before, expected);
    }
}

/// A session in use is asked for ahead, so that nobody waits, and its end is seen all the same.
#[tokio::test]
async fn sessions_in_use_are_asked_for_ahead() {
    let server = RedisServer::start("");
    let staleness = Duration::from_secs(1);
    let (store, other) =
        (with_staleness(&server, staleness).await, with_staleness(&server, staleness).await);
    let id = new_id(&store);
    assert!(!wait(store.is_revoked(id, NOW)).await.unwrap());
    let (mut now, mut waited) = (0, 0);
    for _ in 0..100 {
        match store.is_revoked(id, NOW) {
            Answer::Now(outcome) => {
                now += 1;
                assert!(!outcome.unwrap());
            }
            Answer::Later(outcome) => {
                waited += 1;
                assert!(!outcome.await.unwrap());
            }
        }
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    // Four seconds are four times the staleness. A machine under load may be late once or twice.
    assert!(now >= 97, "{now} at once, {waited} waited");
    wait(other.revoke(id, LATER, NOW)).await.unwrap();
    tokio::time::sleep(staleness).await;
    assert!(wait(store.is_revoked(id, NOW)).await.unwrap());
}

/// The hot path: at once, and without the heap.
#[tokio::test]
async fn what_is_known_costs_no_allocation() {
    let server = RedisServer::start("");
    let store = Redis::builder(server.url()).staleness(Duration::from_secs(60)).connect().await;
    let store = store.unwrap();
    let (lives, dead) = (new_id(&store), new_id(&store));
    wait(store.revoke(dead, LATER, NOW)).await.unwrap();
    assert!(!wait(store.is_revoked(lives, NOW)).await.unwrap());
    let mut answers = Vec::with_capacity(2);
    let counted = allocation_counter::measure(|| {
        for id in [lives, dead] {
            answers.push(matches!(store.is_revoked(id, NOW), Answer::Now(Ok(true))));
        }
    });
    assert_eq!(answers, [false, true]);
    assert_eq!(counted.count_total, 0);
}

/// More sessions than fit are asked for, and none is let in for it.
#[tokio::test]
async fn more_sessions_than_fit() {
    let server = RedisServer::start("");
    let store = Redis::builder(server.url()).cache_at_most(10).connect().await.unwrap();
    let mut all = Vec::new();
    for number in 0..300 {
        let id = new_id(&store);
        if number % 2 == 0 {
            wait(store.revoke(id, LATER, NOW)).await.unwrap();
        }
        all.push(id);
    }
    for _ in 0..2 {
        for (number, id) in all.iter().enumerate() {
            let revoked = wait(store.is_revoked(*id, NOW)).await.unwrap();
            assert_eq!(revoked, number % 2 == 0, "{number}");
            assert!(store.cached() <= 10);
        }
    }
}

/// A logged-out cookie is refused without a question, whoever sends it and however often.
#[tokio::test]
async fn a_revoked_session_is_not_asked_for_again() {
    let server = RedisServer::start("");
    let node = node(&Redis::connect(server.url()).await.unwrap());
    let cookie = node.log_in(&["A"], Some(V)).await;
    assert_eq!(log_out(&node, &cookie).await, 200);
    let before = questions(&server);
    for _ in 0..50 {
        assert_eq!(tile(&node, &cookie).await, 401);
    }
    assert_eq!(questions(&server), before);
}
