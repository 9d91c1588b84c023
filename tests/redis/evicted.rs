//! What a server may do while a node is connected to it.

use std::time::{Duration, Instant};

use tower_iiif_auth::revocation::Revocations;

use crate::back::{connected, log_in_again, settled, stay_dead};
use crate::common::{COOKIE, Publisher, V, clock, image};
use crate::redis_server::RedisServer;
use crate::{LATER, NOW, always_asked, log_out, new_id, node, tile, wait};

/// ST-03: from a moment to the next the server throws entries away.
#[tokio::test]
async fn st_03_eviction_is_switched_on() {
    for policy in ["volatile-lru", "volatile-ttl", "allkeys-random"] {
        for staleness in [Duration::ZERO, Duration::from_millis(300)] {
            let case = format!("{policy} {staleness:?}");
            let server = RedisServer::start("");
            let (here, there) = (
                connected(server.url(), staleness).await,
                connected(server.url(), staleness).await,
            );
            let mut dead = Vec::new();
            for number in 0..20 {
                let node = if number % 2 == 0 { &here } else { &there };
                let cookie = node.log_in(&["A"], Some(V)).await;
                assert_eq!(log_out(node, &cookie).await, 200);
                dead.push(cookie);
            }
            let living = here.log_in(&["A"], Some(V)).await;
            let () = server.ask(&["CONFIG", "SET", "maxmemory-policy", policy]);
            let () = server.ask(&["CONFIG", "SET", "maxmemory", "1"]);
            // It makes room, finds none, and refuses.
            drop(server.try_ask(&["SET", "other", "key"]));
            // Each is asked for those that the other logged out.
            for (number, cookie) in dead.iter().enumerate() {
                let node = if number % 2 == 0 { &there } else { &here };
                let status = tile(node, cookie).await;
                assert!(matches!(status, 401 | 503), "{case}: {status}");
            }
            tokio::time::sleep(Duration::from_millis(400)).await;
            for node in [&here, &there] {
                assert_eq!(tile(node, &living).await, 503, "{case}: it is no store");
            }

            let () = server.ask(&["CONFIG", "SET", "maxmemory", "0"]);
            let () = server.ask(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
            let dead: Vec<_> = dead.iter().map(String::as_str).collect();
            stay_dead(&[&here, &there], &dead, &case).await;
            log_in_again(&[&here, &there], &case).await;
        }
    }
}

/// ST-03: switched on, used and switched off again before anybody looked.
#[tokio::test]
async fn st_03_for_a_moment() {
    for policy in ["volatile-lru", "allkeys-random"] {
        let server = RedisServer::start("");
        let (here, there) = (
            connected(server.url(), Duration::ZERO).await,
            connected(server.url(), Duration::ZERO).await,
        );
        let out = here.log_in(&["A"], Some(V)).await;
        assert_eq!(log_out(&here, &out).await, 200);
        let mut set = redis::pipe();
        set.cmd("CONFIG").arg(&["SET", "maxmemory-policy", policy, "maxmemory", "1"]).ignore();
        set.cmd("SET").arg("other").arg("key").ignore();
        set.cmd("CONFIG")
            .arg(&["SET", "maxmemory", "0", "maxmemory-policy", "noeviction"])
            .ignore();
        let client = redis::Client::open(server.url()).unwrap();
        // The second is refused, as there is no room.
        drop(set.query::<()>(&mut client.get_connection().unwrap()));
        stay_dead(&[&there, &here], &[&out], policy).await;
        log_in_again(&[&there, &here], policy).await;
    }
}

/// RE-01: connections are cut while sessions are in use.
#[tokio::test]
async fn re_01_connections_are_cut() {
    let server = RedisServer::start("");
    let node = connected(server.url(), Duration::ZERO).await;
    let cookie = node.log_in(&["A"], Some(V)).await;
    for _ in 0..20 {
        let () = server.ask(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
        assert_eq!(tile(&node, &cookie).await, 200);
    }
}

/// RE-01: the server is busy for longer than it may be, and then goes on.
#[tokio::test]
async fn re_01_busy() {
    let server = RedisServer::start("--enable-debug-command yes");
    let node = connected(server.url(), Duration::ZERO).await;
    let cookie = node.log_in(&["A"], Some(V)).await;
    let url = server.url();
    let sleeping = std::thread::spawn(move || {
        let client = redis::Client::open(url).unwrap();
        let mut connection = client.get_connection().unwrap();
        redis::cmd("DEBUG").arg("SLEEP").arg("1.5").exec(&mut connection).unwrap();
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let begun = Instant::now();
    assert_eq!(tile(&node, &cookie).await, 503);
    assert!(begun.elapsed() < Duration::from_millis(1200), "{:?}", begun.elapsed());
    assert_eq!(settled(&node, &cookie).await, 200);
    sleeping.join().unwrap();
}

/// RE-01: what another application has put under a key is no answer.
#[tokio::test]
async fn re_01_somebody_elses_data() {
    let server = RedisServer::start("");
    let store = always_asked(&server).await;
    let id = new_id(&store);
    wait(store.revoke(id, LATER, NOW)).await.unwrap();
    let other = always_asked(&server).await;
    let keys: Vec<String> = server.ask(&["KEYS", "*"]);
    for key in keys.iter().filter(|key| !key.ends_with(":epoch")) {
        let () = server.ask(&["DEL", key]);
        let () = server.ask(&["RPUSH", key, "a list"]);
    }
    let error = wait(other.is_revoked(id, NOW)).await.unwrap_err().to_string();
    assert!(error.contains("a prefix of its own"), "{error}");
    let () = server.ask(&["DEL", "iiif-auth:epoch"]);
    let () = server.ask(&["RPUSH", "iiif-auth:epoch", "a list"]);
    let begun = Instant::now();
    let error = loop {
        let error = wait(other.is_revoked(new_id(&other), NOW)).await.unwrap_err().to_string();
        if error.contains("a prefix of its own") || begun.elapsed() > Duration::from_secs(2) {
            break error;
        }
    };
    assert!(error.contains("a prefix of its own"), "{error}");
    let connected = tower_iiif_auth::revocation::Redis::connect(server.url()).await;
    assert!(connected.unwrap_err().to_string().contains("a prefix of its own"));
}

/// LF-08: the clock of a node goes ahead and back again: who was logged out stays so, there and elsewhere.
#[tokio::test]
async fn lf_08_a_clock_goes_back() {
    let server = RedisServer::start("");
    let store = always_asked(&server).await;
    let clock = clock();
    let here = Publisher::of(crate::common::builder(&clock).revocations(store), clock.clone());
    let there = node(&always_asked(&server).await);
    let out = here.log_in(&["A"], Some(V)).await;
    assert_eq!(log_out(&here, &out).await, 200);
    let before = tower_iiif_auth::clock::Clock::now(&clock);
    clock.advance(Duration::from_secs(700));
    let other = here.log_in(&["A"], Some(V)).await;
    assert_eq!(log_out(&here, &other).await, 200);
    clock.set(before);
    assert_eq!((tile(&here, &out).await, tile(&there, &out).await), (401, 401));
    let cookie = format!("{COOKIE}={out}");
    assert_eq!(here.get(&image("sec"), &[("cookie", &cookie)]).await.status(), 401);
}
