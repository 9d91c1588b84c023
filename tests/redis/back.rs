//! A store that went back in time, or lost everything.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tower_iiif_auth::revocation::{Redis, RedisBuilder};

use crate::common::{Publisher, V};
use crate::forwarder::Forwarder;
use crate::redis_server::RedisServer;
use crate::{log_out, node, tile, with_staleness};

pub(crate) const TIMEOUT: Duration = Duration::from_millis(500);

pub(crate) fn store(url: String, staleness: Duration) -> RedisBuilder {
    Redis::builder(url).staleness(staleness).timeout(TIMEOUT)
}

pub(crate) async fn connected(url: String, staleness: Duration) -> Publisher {
    node(&store(url, staleness).connect().await.unwrap())
}

/// A replica of this server that has all that it has.
pub(crate) fn replica_of(primary: &RedisServer, arguments: &str) -> RedisServer {
    let address = format!("--replicaof 127.0.0.1 {} {arguments}", primary.port());
    let replica = RedisServer::start(&format!("{address} --repl-diskless-sync-delay 0"));
    in_sync(primary);
    replica
}

/// Waits until the one replica of this server has all that it has.
pub(crate) fn in_sync(primary: &RedisServer) {
    let () = primary.ask(&["CONFIG", "SET", "repl-diskless-sync-delay", "0"]);
    let begun = Instant::now();
    loop {
        let info: redis::InfoDict = primary.ask(&["INFO", "replication"]);
        let all = info.get::<String>("master_repl_offset").unwrap();
        let replica = info.get::<String>("slave0").unwrap_or_default();
        if replica.contains("state=online") && replica.contains(&format!("offset={all},")) {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "the replica is not in sync: {replica}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The replica hears nothing of its primary any more.
pub(crate) fn cut_off(replica: &RedisServer) {
    let port = crate::redis_server::free_port().to_string();
    let () = replica.ask(&["REPLICAOF", "127.0.0.1", &port]);
}

pub(crate) fn promote(replica: &RedisServer) {
    let () = replica.ask(&["REPLICAOF", "NO", "ONE"]);
}

/// Nobody is let in with these cookies, now or later, and in the end it is said that they are dead.
pub(crate) async fn stay_dead(nodes: &[&Publisher], dead: &[&str], case: &str) {
    let begun = Instant::now();
    let mut told = 0;
    // Until well after each node has looked at the store again.
    while told == 0 || begun.elapsed() < Duration::from_millis(500) {
        told = 1;
        for (number, node) in nodes.iter().enumerate() {
            for cookie in dead {
                match tile(node, cookie).await {
                    401 => {}
                    503 => told = 0,
                    other => panic!("{case}: {other} at node {number} after {:?}", begun.elapsed()),
                }
            }
        }
        assert!(begun.elapsed() < Duration::from_secs(15), "{case}: it does not come back");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A login at each works the first time and counts at all.
pub(crate) async fn log_in_again(nodes: &[&Publisher], case: &str) {
    for one in nodes {
        let cookie = one.log_in(&["A"], Some(V)).await;
        for other in nodes {
            assert_eq!(tile(other, &cookie).await, 200, "{case}: all are in the same life");
        }
        assert_eq!(log_out(one, &cookie).await, 200, "{case}");
        assert_eq!(tile(one, &cookie).await, 401, "{case}");
    }
}

/// The status once it is no longer 503.
pub(crate) async fn settled(node: &Publisher, cookie: &str) -> u16 {
    let begun = Instant::now();
    loop {
        match tile(node, cookie).await {
            503 if begun.elapsed() < Duration::from_secs(10) => {}
            status => return status,
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// ST-01: a replica that lacks two logouts takes over: neither the nodes that were there nor one that is
/// started at once let anybody in with a logged-out cookie.
#[tokio::test]
async fn st_01_a_replica_that_lacks_logouts_takes_over() {
    for (arguments, staleness) in [
        ("--appendonly yes", Duration::ZERO),
        ("--appendonly yes", Duration::from_millis(300)),
        ("", Duration::ZERO),
    ] {
        let case = format!("{arguments:?} {staleness:?}");
        let mut primary = RedisServer::start(arguments);
        let replica = replica_of(&primary, arguments);
        let address = Forwarder::to(&primary).await;
        let (here, there) =
            (connected(address.url(), staleness).await, connected(address.url(), staleness).await);
        let (one, two) = (here.log_in(&["A"], Some(V)).await, there.log_in(&["A"], Some(V)).await);
        assert_eq!((tile(&here, &two).await, tile(&there, &one).await), (200, 200), "{case}");
        in_sync(&primary);

        cut_off(&replica);
        assert_eq!((log_out(&here, &one).await, log_out(&there, &two).await), (200, 200), "{case}");
        primary.kill();
        promote(&replica);
        address.lead_to(&replica);
        let late = tokio::spawn(connected(address.url(), staleness));
        tokio::time::sleep(staleness).await;
        stay_dead(&[&there, &here], &[&one, &two], &case).await;
        let late = late.await.unwrap();
        stay_dead(&[&late, &here, &there], &[&one, &two], &case).await;
        log_in_again(&[&late, &here, &there], &case).await;
    }
}

/// ST-01: what only the node knows that is not asked is told to the others before they let anybody in.
#[tokio::test]
async fn st_01_the_other_node_is_heard_first() {
    let mut primary = RedisServer::keeping();
    let replica = replica_of(&primary, "--appendonly yes");
    let address = Forwarder::to(&primary).await;
    let (here, there) = (
        connected(address.url(), Duration::ZERO).await,
        connected(address.url(), Duration::ZERO).await,
    );
    let out = here.log_in(&["A"], Some(V)).await;
    assert_eq!(tile(&there, &out).await, 200);
    in_sync(&primary);
    cut_off(&replica);
    assert_eq!(log_out(&here, &out).await, 200);
    primary.kill();
    promote(&replica);
    address.lead_to(&replica);
    stay_dead(&[&there], &[&out], "the node that knows nothing of it").await;
}

/// ST-01: where nothing was lost, a promotion goes unnoticed.
#[tokio::test]
async fn st_01_a_replica_that_has_everything_takes_over() {
    let mut primary = RedisServer::keeping();
    let replica = replica_of(&primary, "--appendonly yes");
    let address = Forwarder::to(&primary).await;
    let (here, there) = (
        connected(address.url(), Duration::ZERO).await,
        connected(address.url(), Duration::ZERO).await,
    );
    let (out, cookie) = (here.log_in(&["A"], Some(V)).await, here.log_in(&["A"], Some(V)).await);
    assert_eq!(log_out(&there, &out).await, 200);
    in_sync(&primary);
    primary.kill();
    promote(&replica);
    address.lead_to(&replica);
    let late = tokio::spawn(connected(address.url(), Duration::ZERO));
    assert_eq!((settled(&here, &cookie).await, settled(&there, &cookie).await), (200, 200));
    let late = late.await.unwrap();
    assert_eq!(settled(&late, &cookie).await, 200);
    for node in [&here, &there, &late] {
        assert_eq!(tile(node, &out).await, 401);
    }
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("sh")
        .args(["-c", "rm -rf \"$2\" && mkdir \"$2\" && cp -r \"$1\"/append* \"$2\"", "copy"])
        .args([from, to])
        .status();
    assert!(copied.is_ok_and(|status| status.success()), "the files are copied");
}

/// ST-01: the server starts with older data than it had; with the nodes that were there, and with new
/// ones alone.
#[tokio::test]
async fn st_01_older_data_are_read_at_a_start() {
    for (goes_back, stay) in [(true, true), (true, false), (false, true), (false, false)] {
        let case = format!("goes back: {goes_back}, nodes stay: {stay}");
        let mut server = RedisServer::keeping();
        let staleness = Duration::from_millis(200);
        let mut nodes = vec![
            with_staleness(&server, staleness).await,
            with_staleness(&server, staleness).await,
        ];
        let here = node(&nodes[0]);
        let (out, cookie) =
            (here.log_in(&["A"], Some(V)).await, here.log_in(&["A"], Some(V)).await);
        let backup = server.folder().join("backup");
        copy(server.folder(), &backup);
        assert_eq!(log_out(&here, &out).await, 200);
        drop(here);
        server.kill();
        if !stay {
            nodes.clear();
        }
        if goes_back {
            let files = server.folder().join("back");
            copy(&backup, &files);
            let moved = Command::new("sh")
                .args(["-c", "rm -r append* && mv back/append* .", "restore"])
                .current_dir(server.folder())
                .status();
            assert!(moved.is_ok_and(|status| status.success()));
        }
        server.begin();
        let late = connected(server.url(), staleness).await;
        let old: Vec<_> = nodes.iter().map(node).collect();
        let all: Vec<_> = old.iter().chain([&late]).collect();
        tokio::time::sleep(staleness).await;
        stay_dead(&all, &[&out], &case).await;
        // What nobody can vouch for ends everything; what all vouch for nothing.
        let expected = if !goes_back && stay { 200 } else { 401 };
        for node in &all {
            assert_eq!(settled(node, &cookie).await, expected, "{case}");
        }
        log_in_again(&all, &case).await;
    }
}

/// ST-01: everything was down; the operator has said that young data are to be believed.
#[tokio::test]
async fn st_01_a_restart_of_everything() {
    for (age, expected) in [(0, 401), (3600, 200)] {
        let mut server = RedisServer::keeping();
        let begin = |url| {
            let builder = store(url, Duration::ZERO);
            builder.insecure_resume_within(Duration::from_secs(age)).connect()
        };
        let before = node(&begin(server.url()).await.unwrap());
        let (out, cookie) =
            (before.log_in(&["A"], Some(V)).await, before.log_in(&["A"], Some(V)).await);
        assert_eq!(log_out(&before, &out).await, 200);
        drop(before);
        server.kill();
        server.begin();
        let after = node(&begin(server.url()).await.unwrap());
        assert_eq!(
            (tile(&after, &out).await, tile(&after, &cookie).await),
            (401, expected),
            "{age}"
        );
    }
}

/// ST-01: while the server goes on, all nodes may be restarted.
#[tokio::test]
async fn st_01_all_nodes_are_restarted() {
    let server = RedisServer::start("");
    let before = connected(server.url(), Duration::ZERO).await;
    let (out, cookie) =
        (before.log_in(&["A"], Some(V)).await, before.log_in(&["A"], Some(V)).await);
    assert_eq!(log_out(&before, &out).await, 200);
    drop(before);
    let after = connected(server.url(), Duration::ZERO).await;
    assert_eq!((tile(&after, &out).await, tile(&after, &cookie).await), (401, 200));
}

/// ST-01: a key of a logout that is gone while the server goes on, as after a backup was read into it.
#[tokio::test]
async fn st_01_a_logout_vanishes() {
    let server = RedisServer::start("");
    let (here, there) = (
        connected(server.url(), Duration::ZERO).await,
        connected(server.url(), Duration::ZERO).await,
    );
    let out = here.log_in(&["A"], Some(V)).await;
    let epoch: String = server.ask(&["GET", "iiif-auth:epoch"]);
    assert_eq!(log_out(&here, &out).await, 200);
    let keys: Vec<String> = server.ask(&["KEYS", "*"]);
    for key in keys.iter().filter(|key| !key.ends_with(":epoch")) {
        let () = server.ask(&["DEL", key]);
    }
    let () = server.ask(&["SET", "iiif-auth:epoch", &epoch]);
    tokio::time::sleep(Duration::from_millis(400)).await;
    stay_dead(&[&here, &there], &[&out], "read into the server").await;
}

/// ST-04: after the store was emptied the first login at each node works, and counts at all.
#[tokio::test]
async fn st_04_the_first_login_works() {
    for staleness in [Duration::ZERO, Duration::from_secs(2)] {
        let case = format!("{staleness:?}");
        let server = RedisServer::start("");
        let (here, there) =
            (connected(server.url(), staleness).await, connected(server.url(), staleness).await);
        for _ in 0..5 {
            let before = here.log_in(&["A"], Some(V)).await;
            assert_eq!((tile(&here, &before).await, tile(&there, &before).await), (200, 200));
            let () = server.ask(&["FLUSHALL"]);
            log_in_again(&[&there, &here], &case).await;
            let () = server.ask(&["FLUSHALL"]);
            log_in_again(&[&here, &there], &case).await;
            stay_dead_at_once(&[&here, &there], &before).await;
        }
    }
}

async fn stay_dead_at_once(nodes: &[&Publisher], cookie: &str) {
    for node in nodes {
        assert_eq!(tile(node, cookie).await, 401);
    }
}
