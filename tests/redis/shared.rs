//! Several nodes, one store.

use std::time::{Duration, Instant};

use tower_iiif_auth::Keyring;
use tower_iiif_auth::aspect::SessionId;
use tower_iiif_auth::revocation::{Redis, Revocations};

use crate::common::{COOKIE, Publisher, V, builder, clock, key};
use crate::redis_server::RedisServer;
use crate::{LATER, NOW, always_asked, log_out, new_id, node, tile, wait, with_staleness};

/// RE-11: a logout counts at once where it was made, and elsewhere within the staleness.
#[tokio::test]
async fn re_11_logged_out_on_the_other_node() {
    let server = RedisServer::start("");
    for staleness in [Duration::ZERO, Duration::from_millis(600), Duration::from_secs(2)] {
        let (here, there) =
            (with_staleness(&server, staleness).await, with_staleness(&server, staleness).await);
        let (here, there) = (node(&here), node(&there));
        let cookie = here.log_in(&["A"], Some(V)).await;
        let token = here.token(&cookie).await;
        for node in [&here, &there, &here, &there] {
            assert_eq!(tile(node, &cookie).await, 200);
            assert_eq!(node.probe_status("/iiif/3/sec", Some(&token)).await, 200);
        }
        assert_eq!(log_out(&here, &cookie).await, 200);
        let out = Instant::now();
        assert_eq!(tile(&here, &cookie).await, 401, "at once where it was made");
        assert_eq!(here.probe_status("/iiif/3/sec", Some(&token)).await, 401);
        let mut longest = Duration::ZERO;
        while tile(&there, &cookie).await == 200 {
            longest = out.elapsed();
            assert!(longest < Duration::from_secs(5), "it is served on and on");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(longest <= staleness, "still served after {longest:?}, of {staleness:?}");
        assert_eq!(there.probe_status("/iiif/3/sec", Some(&token)).await, 401);
    }
}

/// RE-11: another keyring makes strangers, not errors.
#[tokio::test]
async fn re_11_other_keys() {
    let server = RedisServer::start("");
    let store = always_asked(&server).await;
    let here = node(&store);
    let clock = clock();
    let other = Keyring::from_bytes(&key(200)).unwrap();
    let there = Publisher::of(builder(&clock).revocations(store).keyring(other), clock);
    let cookie = here.log_in(&["A"], Some(V)).await;
    assert_eq!((tile(&here, &cookie).await, tile(&there, &cookie).await), (200, 401));
    let query = format!("messageId=m1&origin={V}");
    let pair = format!("{COOKIE}={cookie}");
    let (message, _) = there.token_message(&query, &[("cookie", &pair)]).await;
    assert_eq!(message["profile"], "invalidAspect");
}

/// Of many who claim a code at the same moment, on two nodes, one gets it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_fifty_claims() {
    let server = RedisServer::start("");
    let stores = [always_asked(&server).await, Redis::connect(server.url()).await.unwrap()];
    for _ in 0..20 {
        let code = new_id(&stores[0]);
        let claiming: Vec<_> = (0..50)
            .map(|number| {
                let store = stores[number % 2].clone();
                tokio::spawn(async move { wait(store.claim(code, LATER, NOW)).await.unwrap() })
            })
            .collect();
        let mut won = 0;
        for claim in claiming {
            won += u32::from(claim.await.unwrap());
        }
        assert_eq!(won, 1);
    }
}

#[tokio::test]
async fn what_can_be_claimed() {
    let server = RedisServer::start("");
    let store = Redis::connect(server.url()).await.unwrap();
    let revoked = new_id(&store);
    wait(store.revoke(revoked, LATER, NOW)).await.unwrap();
    for (code, until, claimed, why) in [
        (new_id(&store), LATER, true, "new"),
        (new_id(&store), NOW, false, "too late"),
        (SessionId::random().unwrap(), LATER, false, "of another life"),
        (revoked, LATER, false, "revoked"),
    ] {
        assert_eq!(wait(store.claim(code, until, NOW)).await.unwrap(), claimed, "{why}");
        assert!(!wait(store.claim(code, until, NOW)).await.unwrap(), "{why}, again");
    }
}

/// Entries name nobody and go away by themselves.
#[tokio::test]
async fn what_stands_in_the_store() {
    let server = RedisServer::start("");
    let store = Redis::builder(server.url()).prefix("reading-room").connect().await.unwrap();
    let other = Redis::builder(server.url()).prefix("elsewhere").connect().await.unwrap();
    let ids: Vec<_> = (0..20).map(|_| new_id(&store)).collect();
    for (number, id) in ids.iter().enumerate() {
        if number % 2 == 0 {
            wait(store.revoke(*id, LATER, NOW)).await.unwrap();
        } else {
            assert!(wait(store.claim(*id, LATER, NOW)).await.unwrap());
        }
    }
    let keys: Vec<String> = server.ask(&["KEYS", "*"]);
    assert_eq!(keys.len(), 22);
    for key in &keys {
        let (prefix, rest) = key.split_once(':').unwrap();
        assert!(matches!(prefix, "reading-room" | "elsewhere"), "{key}");
        let lives: i64 = server.ask(&["PTTL", key]);
        if rest == "epoch" {
            assert_eq!(lives, -1);
            continue;
        }
        assert!((50_000..=60_000).contains(&lives), "{key} for {lives} ms");
        assert_eq!(server.ask::<u64>(&["GET", key]), LATER.as_millis());
        for id in &ids {
            let hex = format!("{:032x}", u128::from_be_bytes(*id.as_bytes()));
            for part in [&hex[..12], &hex[12..]] {
                assert!(!key.to_lowercase().contains(part), "{key}");
            }
        }
    }
    assert!(wait(store.is_revoked(ids[0], NOW)).await.unwrap());
    assert!(wait(other.is_revoked(ids[1], NOW)).await.unwrap(), "it is of another life there");
    let brief = new_id(&store);
    wait(store.revoke(brief, NOW.after(Duration::from_millis(50)), NOW)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(80)).await;
    let keys: Vec<String> = server.ask(&["KEYS", "*"]);
    assert_eq!(keys.len(), 22, "a session that has ended is dropped");
}
