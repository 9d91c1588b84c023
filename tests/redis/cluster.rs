//! A cluster of three nodes, and a replica of one: all of the store's keys are at one of them.

use std::time::{Duration, Instant};

use tower_iiif_auth::revocation::{Redis, RedisBuilder, StoreError};

use crate::back::{log_in_again, settled, stay_dead};
use crate::common::V;
use crate::redis_server::{RedisServer, free_port};
use crate::{log_out, node, tile};

struct Cluster {
    nodes: Vec<RedisServer>,
    /// Of the store's keys.
    slot: String,
}

impl Cluster {
    /// Three primaries with a third of the slots each, which know each other.
    fn start() -> Self {
        let nodes: Vec<_> = (0..3).map(|_| one()).collect();
        for (number, (node, range)) in
            nodes.iter().zip([("0", "5460"), ("5461", "10922"), ("10923", "16383")]).enumerate()
        {
            let () = node.ask(&["CLUSTER", "SET-CONFIG-EPOCH", &(number + 1).to_string()]);
            let () = node.ask(&["CLUSTER", "ADDSLOTSRANGE", range.0, range.1]);
            let () = node.ask(&["CONFIG", "SET", "cluster-require-full-coverage", "no"]);
        }
        let slot: u32 = nodes[0].ask(&["CLUSTER", "KEYSLOT", "{iiif-auth}"]);
        let cluster = Self { nodes, slot: slot.to_string() };
        for node in &cluster.nodes[1..] {
            cluster.meet(node);
        }
        cluster.settle(3);
        cluster
    }

    fn meet(&self, node: &RedisServer) {
        let (port, bus) = address(&self.nodes[0]);
        let () = node.ask(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]);
    }

    /// Waits until each knows so many, and that all is well.
    fn settle(&self, count: usize) {
        let begun = Instant::now();
        while !self.nodes.iter().all(|node| {
            let info: String = node.ask(&["CLUSTER", "INFO"]);
            info.contains("cluster_state:ok") && info.contains(&format!("known_nodes:{count}"))
        }) {
            assert!(begun.elapsed() < Duration::from_secs(20), "the cluster does not come up");
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Which node has the store's keys.
    fn owner(&self) -> usize {
        let has = |node: &RedisServer| node.try_ask(&["GET", "{iiif-auth}:x"]).is_ok();
        self.nodes.iter().position(has).expect("one of them has the slot")
    }

    /// The store, asked for every tile, by way of this node.
    fn store(&self, seed: usize) -> RedisBuilder {
        let url = format!("redis+cluster://images:secret@127.0.0.1:{}", self.nodes[seed].port());
        Redis::builder(url).staleness(Duration::ZERO).timeout(Duration::from_millis(800))
    }
}

/// A node of no cluster yet.
fn one() -> RedisServer {
    let rights = "on >secret ~{iiif-auth}:* -@all +info +watch +multi +exec +get +mget +set \
                  +cluster|keyslot +cluster|slots +cluster|nodes";
    // By default the bus is at a port that may be another's.
    RedisServer::start(&format!(
        "--cluster-enabled yes --cluster-node-timeout 1000 --cluster-port {} --appendonly yes \
         --appendfsync always --repl-diskless-sync-delay 0 --user images {rights}",
        free_port()
    ))
}

/// Its ports: for clients, and of the bus.
fn address(node: &RedisServer) -> (String, String) {
    let bus: Vec<String> = node.ask(&["CONFIG", "GET", "cluster-port"]);
    (node.port().to_string(), bus[1].clone())
}

fn id(node: &RedisServer) -> String {
    node.ask(&["CLUSTER", "MYID"])
}

/// RE-11, ST-01: one session and one logout, by whichever node of the cluster; the slot moves to another
/// node, its node is restarted, a replica takes its place: nothing is lost, and nobody comes back.
#[tokio::test]
async fn st_01_the_keys_move_within_a_cluster() {
    let mut cluster = Cluster::start();
    let owner = cluster.owner();
    let others: Vec<_> = (0..3).filter(|number| *number != owner).collect();
    let here = node(&cluster.store(others[0]).connect().await.unwrap());
    let there = node(&cluster.store(others[1]).connect().await.unwrap());
    let (out, cookie) = (here.log_in(&["A"], Some(V)).await, here.log_in(&["A"], Some(V)).await);
    here.auth.end_sessions_of("", "u2").await.unwrap();
    assert_eq!((tile(&here, &out).await, tile(&there, &out).await), (200, 200));
    assert_eq!(log_out(&there, &out).await, 200);
    assert_eq!((tile(&here, &out).await, tile(&there, &out).await), (401, 401));
    let keys: Vec<String> = cluster.nodes[owner].ask(&["KEYS", "*"]);
    assert_eq!(keys.len(), 3, "{keys:?}");
    assert!(keys.iter().all(|key| key.starts_with("{iiif-auth}:")), "{keys:?}");
    for other in &others {
        assert_eq!(cluster.nodes[*other].ask::<u32>(&["DBSIZE"]), 0);
    }

    let to = others[0];
    move_slot(&cluster, owner, to);
    stay_dead(&[&here, &there], &[&out], "moved").await;
    assert_eq!((settled(&here, &cookie).await, settled(&there, &cookie).await), (200, 200));
    assert_eq!(cluster.owner(), to);

    cluster.nodes[to].kill();
    // By a node that is there: whoever asks the dead one alone learns nothing.
    assert_eq!((tile(&there, &cookie).await, log_out(&there, &cookie).await), (503, 503));
    cluster.nodes[to].begin();
    stay_dead(&[&here, &there], &[&out], "restarted").await;
    assert_eq!((settled(&here, &cookie).await, settled(&there, &cookie).await), (200, 200));

    let replica = one();
    cluster.meet(&replica);
    cluster.nodes.push(replica);
    cluster.settle(4);
    let (primary, replica) = (&cluster.nodes[to], &cluster.nodes[3]);
    let () = replica.ask(&["CLUSTER", "REPLICATE", &id(primary)]);
    crate::back::in_sync(primary);
    let both = [others[1], 3].map(|seed| cluster.nodes[seed].port().to_string());
    let url = format!("redis+cluster://images:secret@127.0.0.1:{},127.0.0.1:{}", both[0], both[1]);
    let late = Redis::builder(url).staleness(Duration::ZERO).timeout(Duration::from_millis(800));
    let late = node(&late.connect().await.unwrap());
    assert_eq!((tile(&late, &cookie).await, tile(&late, &out).await), (200, 401));
    let () = replica.ask(&["CLUSTER", "FAILOVER"]);
    stay_dead(&[&there, &late], &[&out], "another primary").await;
    assert_eq!((settled(&late, &cookie).await, settled(&there, &cookie).await), (200, 200));
    log_in_again(&[&there, &late], "another primary").await;
}

fn move_slot(cluster: &Cluster, from: usize, to: usize) {
    let (source, target) = (&cluster.nodes[from], &cluster.nodes[to]);
    let slot = &*cluster.slot;
    let () = target.ask(&["CLUSTER", "SETSLOT", slot, "IMPORTING", &id(source)]);
    let () = source.ask(&["CLUSTER", "SETSLOT", slot, "MIGRATING", &id(target)]);
    loop {
        let keys: Vec<String> = source.ask(&["CLUSTER", "GETKEYSINSLOT", slot, "100"]);
        if keys.is_empty() {
            break;
        }
        let port = target.port().to_string();
        let mut migrate = vec!["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "KEYS"];
        migrate.extend(keys.iter().map(String::as_str));
        let () = source.ask(&migrate);
    }
    let new = id(target);
    let () = target.ask(&["CLUSTER", "SETSLOT", slot, "NODE", &new]);
    for node in &cluster.nodes {
        let () = node.ask(&["CLUSTER", "SETSLOT", slot, "NODE", &new]);
    }
}

/// What is a cluster is said to be one, and what is none is told.
#[tokio::test]
async fn a_cluster_is_named_as_one() {
    let node = one();
    let at = |scheme: &str, port: u16| Redis::connect(format!("{scheme}://127.0.0.1:{port}"));
    let error = at("redis", node.port()).await.unwrap_err();
    assert_eq!(error, StoreError::Cluster);
    assert!(error.to_string().contains("redis+cluster://"), "{error}");
    let alone = RedisServer::start("");
    for (port, said) in [
        (alone.port(), "cluster support disabled"),
        (node.port(), "no node of the cluster has the store's slot"),
        (free_port(), "Connection refused"),
    ] {
        let error = at("redis+cluster", port).await.unwrap_err();
        assert!(matches!(error, StoreError::Unlocated(_)), "{error}");
        assert!(error.to_string().contains(said), "{error}");
    }
}
