//! A store that forgot something ends every session that it may have forgotten the end of.

use std::time::Duration;

use tower_iiif_auth::revocation::Revocations;

use crate::back::settled;
use crate::common::V;
use crate::redis_server::RedisServer;
use crate::{LATER, NOW, always_asked, log_out, new_id, node, tile, wait, with_staleness};

/// What happens to the store.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// `kill -9`, and a new start with what it kept.
    Crash,
    /// A snapshot before the logout, then a crash.
    CrashAfterSnapshot,
    Emptied,
}

/// Waits until the system has all that the server has answered. With `everysec` it holds writes back for up to
/// two seconds while the disk is busy, and a crash loses them: of a life that is younger than that it then
/// knows nothing, and everybody logs in again.
async fn handed_over(server: &RedisServer) {
    let begun = std::time::Instant::now();
    loop {
        let info: redis::InfoDict = server.ask(&["INFO", "persistence"]);
        match info.get::<u64>("aof_buffer_length") {
            Some(0) | None => return,
            Some(waits) => assert!(begun.elapsed().as_secs() < 20, "{waits} bytes are held back"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn re_10_nothing_comes_back_to_life() {
    for (arguments, event, lives_on) in [
        ("--appendonly yes --appendfsync always", Event::Crash, true),
        ("--appendonly yes --appendfsync everysec", Event::Crash, true),
        ("", Event::Crash, false),
        ("", Event::CrashAfterSnapshot, false),
        ("", Event::Emptied, false),
        ("--appendonly yes", Event::Emptied, false),
    ] {
        for staleness in [Duration::ZERO, Duration::from_millis(500)] {
            let case = format!("{arguments:?} {event:?} {staleness:?}");
            let mut server = RedisServer::start(arguments);
            // One that knows nothing of it until it asks, and one that was there.
            let (here, there) =
                (with_staleness(&server, staleness).await, always_asked(&server).await);
            let (here, there) = (node(&here), node(&there));
            let out = here.log_in(&["A"], Some(V)).await;
            let cookie = here.log_in(&["A"], Some(V)).await;
            assert_eq!(
                (tile(&here, &cookie).await, tile(&there, &out).await),
                (200, 200),
                "{case}"
            );
            if matches!(event, Event::CrashAfterSnapshot) {
                let () = server.ask(&["SAVE"]);
            }
            assert_eq!(log_out(&there, &out).await, 200, "{case}");

            if matches!(event, Event::Emptied) {
                let () = server.ask(&["FLUSHALL"]);
            } else {
                if lives_on {
                    handed_over(&server).await;
                }
                server.kill();
                server.begin();
            }
            tokio::time::sleep(staleness + Duration::from_millis(10)).await;
            let expected = if lives_on { 200 } else { 401 };
            for node in [&here, &there] {
                assert_eq!(settled(node, &out).await, 401, "{case}: a logged-out cookie");
                assert_eq!(settled(node, &cookie).await, expected, "{case}");
            }
            for (one, other) in [(&here, &there), (&there, &here)] {
                let again = one.log_in(&["A"], Some(V)).await;
                assert_eq!(tile(other, &again).await, 200, "{case}: both are in the same life");
                assert_eq!(log_out(other, &again).await, 200, "{case}");
                assert_eq!(tile(other, &again).await, 401, "{case}");
            }
        }
    }
}

/// Processes that find an empty store at the same moment begin one life.
#[tokio::test]
async fn one_life_for_all() {
    let server = RedisServer::start("");
    let connecting: Vec<_> = (0..20)
        .map(|_| {
            let url = server.url();
            tokio::spawn(
                async move { tower_iiif_auth::revocation::Redis::connect(url).await.unwrap() },
            )
        })
        .collect();
    let mut stores = Vec::new();
    for store in connecting {
        stores.push(store.await.unwrap());
    }
    for round in 0..3 {
        for one in &stores {
            let id = new_id(one);
            for other in &stores {
                assert!(!wait(other.is_revoked(id, NOW)).await.unwrap(), "round {round}");
            }
        }
        let () = server.ask(&["FLUSHALL"]);
        // All ask at once, with sessions of the life that has ended.
        let asking: Vec<_> = stores
            .iter()
            .map(|store| {
                let store = store.clone();
                tokio::spawn(async move { wait(store.is_revoked(new_id(&store), NOW)).await })
            })
            .collect();
        for asked in asking {
            assert!(asked.await.unwrap().unwrap());
        }
    }
}

/// Many sessions in use when the store is emptied end without an error.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn re_10_emptied_under_load() {
    let server = RedisServer::start("");
    let store = always_asked(&server).await;
    for _ in 0..5 {
        let () = server.ask(&["FLUSHALL"]);
        let asking: Vec<_> = (0..500)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move { wait(store.is_revoked(new_id(&store), NOW)).await })
            })
            .collect();
        for asked in asking {
            // Those that came after the new life began belong to it.
            asked.await.unwrap().unwrap();
        }
        assert!(!wait(store.is_revoked(new_id(&store), NOW)).await.unwrap());
    }
}

/// A code of an earlier life may have been claimed there.
#[tokio::test]
async fn re_10_no_code_is_claimed_twice() {
    let mut server = RedisServer::start("");
    let store = always_asked(&server).await;
    for emptied in [true, false] {
        let (claimed, unclaimed) = (new_id(&store), new_id(&store));
        assert!(wait(store.claim(claimed, LATER, NOW)).await.unwrap());
        if emptied {
            let () = server.ask(&["FLUSHALL"]);
        } else {
            server.kill();
            server.begin();
        }
        for code in [claimed, unclaimed] {
            assert!(!wait(store.claim(code, LATER, NOW)).await.unwrap());
        }
        assert!(wait(store.claim(new_id(&store), LATER, NOW)).await.unwrap());
    }
}

/// What does not stand in the store as it was written there is no life to go on with.
#[tokio::test]
async fn a_mark_that_can_not_be_read() {
    let server = RedisServer::keeping();
    let store = always_asked(&server).await;
    let id = new_id(&store);
    assert!(!wait(store.is_revoked(id, NOW)).await.unwrap());
    let () = server.ask(&["SET", "iiif-auth:epoch", "something else"]);
    assert!(wait(store.is_revoked(id, NOW)).await.unwrap());
    assert!(!wait(store.is_revoked(new_id(&store), NOW)).await.unwrap());
}
