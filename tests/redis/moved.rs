//! The server that a node is connected to is the store no more.

use std::time::{Duration, Instant};

use tower_iiif_auth::revocation::StoreError;

use crate::back::{
    TIMEOUT, connected, cut_off, in_sync, log_in_again, promote, replica_of, stay_dead, store,
};
use crate::common::{Publisher, V};
use crate::forwarder::Forwarder;
use crate::redis_server::RedisServer;
use crate::{log_out, node, tile};

/// For how long the cookie is still good there, which is never long.
async fn good_for(node: &Publisher, cookie: &str) -> Duration {
    let out = Instant::now();
    let mut last = Duration::ZERO;
    loop {
        let sent = out.elapsed();
        match tile(node, cookie).await {
            200 => last = sent,
            401 | 503 => return last,
            other => panic!("{other}"),
        }
        assert!(sent < Duration::from_secs(10), "it is served on and on");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A machine under load may answer late.
const SLACK: Duration = Duration::from_millis(250);

/// ST-02: the address moves to the promoted replica, and the old primary goes on: alone, as a replica
/// of the new one, or as one that hears nothing.
#[tokio::test]
async fn st_02_the_connection_stays_at_the_old_primary() {
    for (old, staleness) in [
        ("goes on", Duration::ZERO),
        ("goes on", Duration::from_millis(600)),
        ("becomes a replica", Duration::ZERO),
        ("becomes one that hears nothing", Duration::from_millis(600)),
    ] {
        let case = format!("{old}, {staleness:?}");
        let primary = RedisServer::keeping();
        let replica = replica_of(&primary, "--appendonly yes");
        let address = Forwarder::to(&primary).await;
        let here = connected(address.url(), staleness).await;
        let cookie = here.log_in(&["A"], Some(V)).await;
        assert_eq!(tile(&here, &cookie).await, 200, "{case}");
        in_sync(&primary);

        promote(&replica);
        address.lead_to(&replica);
        match old {
            "becomes a replica" => {
                let port = replica.port().to_string();
                let () = primary.ask(&["REPLICAOF", "127.0.0.1", &port]);
            }
            "becomes one that hears nothing" => cut_off(&primary),
            _ => {}
        }
        // One that was started since is at the new primary, and knows nobody else.
        let there = connected(replica.url(), staleness).await;
        let logged_out = log_out(&there, &cookie).await;
        assert_eq!(logged_out, 200, "{case}");
        let good = good_for(&here, &cookie).await;
        assert!(good <= staleness + TIMEOUT + SLACK, "{case}: good for {good:?}");
        stay_dead(&[&here, &there], &[&cookie], &case).await;
        log_in_again(&[&here, &there], &case).await;
    }
}

/// ST-02: the node can only reach the old primary, which goes on. One that has to reach its replicas is
/// found out.
#[tokio::test]
async fn st_02_cut_off_with_the_old_primary() {
    for by_server in [true, false] {
        let case = format!("min-replicas-to-write: {by_server}");
        let primary = RedisServer::keeping();
        let replica = replica_of(&primary, "--appendonly yes");
        let staleness = Duration::from_millis(200);
        let replicas = u8::from(!by_server);
        if by_server {
            let () = primary.ask(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
        }
        let here = store(primary.url(), staleness).replicas(replicas).connect().await.unwrap();
        let here = node(&here);
        let cookie = here.log_in(&["A"], Some(V)).await;
        assert_eq!(tile(&here, &cookie).await, 200, "{case}");
        in_sync(&primary);

        promote(&replica);
        let there = connected(replica.url(), staleness).await;
        assert_eq!(log_out(&there, &cookie).await, 200, "{case}");
        let good = good_for(&here, &cookie).await;
        assert!(good <= staleness + TIMEOUT + SLACK, "{case}: good for {good:?}");
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(1) {
            assert!(matches!(tile(&here, &cookie).await, 401 | 503), "{case}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(
            log_out(&here, &cookie).await,
            503,
            "{case}: a logout that nobody would know of"
        );
    }
}

/// ST-01: a logout that no replica has is told as not stored.
#[tokio::test]
async fn st_01_a_logout_waits_for_replicas() {
    let primary = RedisServer::keeping();
    let alone = store(primary.url(), Duration::ZERO).replicas(1).connect().await.unwrap_err();
    assert_eq!(alone, StoreError::Replicas { wanted: 1, found: 0 });
    let mut replica = replica_of(&primary, "");
    // That both are at the beginning does not say that it has loaded it.
    let () = primary.ask(&["SET", "something", "else"]);
    in_sync(&primary);
    let here = store(primary.url(), Duration::ZERO).replicas(1).connect().await.unwrap();
    let here = node(&here);
    let (one, two) = (here.log_in(&["A"], Some(V)).await, here.log_in(&["A"], Some(V)).await);
    assert_eq!(log_out(&here, &one).await, 200);
    assert_eq!((tile(&here, &one).await, tile(&here, &two).await), (401, 200));
    replica.kill();
    assert_eq!(log_out(&here, &two).await, 503);
    replica.begin();
    let begun = Instant::now();
    while log_out(&here, &two).await != 200 {
        assert!(begun.elapsed() < Duration::from_secs(20), "it does not come back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stay_dead(&[&here], &[&one, &two], "logged out").await;
}
