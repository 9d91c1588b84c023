//! The store is where Sentinels say.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tower_iiif_auth::revocation::{Redis, RedisBuilder, StoreError};

use crate::back::{cut_off, in_sync, log_in_again, replica_of, settled, stay_dead};
use crate::common::V;
use crate::redis_server::{RedisServer, free_port};
use crate::{log_out, node, tile};

const PASSWORD: &str = "hunter2-of-sentinels";

struct Sentinel {
    port: u16,
    file: PathBuf,
    process: Child,
}

impl Sentinel {
    /// One that watches this server under the name `main`, and thinks that it was elected in `epoch`.
    fn of(primary: &RedisServer, epoch: u64) -> Self {
        let port = free_port();
        let file = std::env::temp_dir().join(format!("iiif-auth-sentinel-{port}.conf"));
        let text = format!(
            "port {port}\nbind 127.0.0.1\nsave \"\"\nloglevel warning\nrequirepass {PASSWORD}\n\
             sentinel monitor main 127.0.0.1 {} 1\nsentinel config-epoch main {epoch}\n\
             sentinel down-after-milliseconds main 300\nsentinel failover-timeout main 2000\n",
            primary.port()
        );
        std::fs::write(&file, text).unwrap();
        let process = Command::new("redis-server")
            .arg(&file)
            .arg("--sentinel")
            .stdout(Stdio::null())
            .stdin(Stdio::null())
            .spawn()
            .expect("redis-server is needed for this test");
        let sentinel = Self { port, file, process };
        let begun = Instant::now();
        while sentinel.ask(&["SENTINEL", "MASTER", "main"]).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(20), "the Sentinel does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
        let rights = "-@all +sentinel|get-master-addr-by-name +sentinel|master";
        let user = ["ACL", "SETUSER", "nodes", "on", ">hunter2-nodes"];
        let words: Vec<_> = user.into_iter().chain(rights.split(' ')).collect();
        sentinel.ask(&words).unwrap();
        sentinel
    }

    fn ask(&self, command: &[&str]) -> redis::RedisResult<redis::Value> {
        let client = redis::Client::open(format!("redis://:{PASSWORD}@127.0.0.1:{}", self.port))?;
        let mut connection = client.get_connection_with_timeout(Duration::from_secs(2))?;
        redis::cmd(command[0]).arg(&command[1..]).query(&mut connection)
    }

    /// Waits until it knows a replica that could take over.
    fn know_a_replica(&self) {
        let begun = Instant::now();
        loop {
            let told = self.ask(&["SENTINEL", "REPLICAS", "main"]).unwrap();
            let told: Vec<Vec<String>> = redis::from_redis_value(told).unwrap();
            let is_up = |fields: &Vec<String>| {
                fields.contains(&"slave".to_owned()) && fields.contains(&"ok".to_owned())
            };
            if told.iter().any(is_up) {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "it knows no replica: {told:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn signal(&self, name: &str) {
        let id = self.process.id();
        let sent = Command::new("sh").args(["-c", &format!("kill -{name} {id}")]).status();
        assert!(sent.is_ok_and(|status| status.success()));
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
        drop(std::fs::remove_file(&self.file));
    }
}

/// A store that is asked for every tile, by these Sentinels.
fn store(sentinels: &[u16]) -> RedisBuilder {
    let hosts: Vec<_> = sentinels.iter().map(|port| format!("127.0.0.1:{port}")).collect();
    let hosts = hosts.join(",");
    let url =
        format!("redis+sentinel://images:secret-word@{hosts}/main?sentinel_password={PASSWORD}");
    Redis::builder(url).staleness(Duration::ZERO).timeout(Duration::from_millis(800))
}

/// The user of the nodes, who may do nothing but what the guide says.
fn let_in(server: &RedisServer) {
    let rights = "on >secret-word ~iiif-auth:* -@all +info +watch +multi +exec +get +mget +set";
    let words: Vec<_> = ["ACL", "SETUSER", "images"].into_iter().chain(rights.split(' ')).collect();
    let () = server.ask(&words);
}

/// ST-01 and RE-01: the primary dies, and Sentinel has a replica take over, which lacks nothing, or lacks a
/// logout. Meanwhile what needs the store is refused; it is found again by itself, though one Sentinel is
/// down and one hangs; and nobody who was logged out is let in.
#[tokio::test]
async fn st_01_sentinel_chooses_another_primary() {
    for lacks in [false, true] {
        let case = format!("lacks a logout: {lacks}");
        let mut primary = RedisServer::keeping();
        let replica = replica_of(&primary, "--appendonly yes");
        let_in(&primary);
        let_in(&replica);
        let (sentinel, hanging) = (Sentinel::of(&primary, 0), Sentinel::of(&primary, 0));
        hanging.signal("STOP");
        sentinel.know_a_replica();
        let sentinels = [free_port(), hanging.port, sentinel.port];
        let here = node(&store(&sentinels).connect().await.unwrap());
        let there = node(&store(&sentinels).connect().await.unwrap());
        let (out, cookie) =
            (here.log_in(&["A"], Some(V)).await, here.log_in(&["A"], Some(V)).await);
        assert_eq!(tile(&there, &cookie).await, 200, "{case}");
        if lacks {
            in_sync(&primary);
            cut_off(&replica);
        }
        assert_eq!(log_out(&there, &out).await, 200, "{case}");
        if !lacks {
            in_sync(&primary);
        }
        primary.kill();
        assert_eq!(tile(&here, &cookie).await, 503, "{case}: nobody knows");
        assert_eq!(log_out(&here, &cookie).await, 503, "{case}: and nobody is told to be out");
        stay_dead(&[&here, &there], &[&out], &case).await;
        let expected = if lacks { 401 } else { 200 };
        for node in [&here, &there] {
            assert_eq!(settled(node, &cookie).await, expected, "{case}");
        }
        assert!(
            replica.ask::<redis::InfoDict>(&["INFO"]).get::<String>("role").unwrap() == "master"
        );
        log_in_again(&[&here, &there], &case).await;
        // The old primary comes back, with all that it had.
        primary.begin();
        stay_dead(&[&here, &there], &[&out], &case).await;
        log_in_again(&[&there, &here], &case).await;
    }
}

/// ST-02: of two Sentinels who name different primaries the one counts that knows of the later election.
#[tokio::test]
async fn st_02_the_latest_election_counts() {
    let (old, new) = (RedisServer::keeping(), RedisServer::keeping());
    let_in(&old);
    let_in(&new);
    let (before, after) = (Sentinel::of(&old, 3), Sentinel::of(&new, 4));
    for sentinels in [[before.port, after.port], [after.port, before.port]] {
        let node = node(&store(&sentinels).connect().await.unwrap());
        let cookie = node.log_in(&["A"], Some(V)).await;
        assert_eq!(log_out(&node, &cookie).await, 200);
        assert_eq!((old.ask::<u32>(&["DBSIZE"]), new.ask::<u32>(&["DBSIZE"])), (0, 2));
        let () = new.ask(&["FLUSHALL"]);
    }
}

/// CR-12: what is wrong with Sentinels is told, without passwords.
#[tokio::test]
async fn cr_12_sentinels_that_do_not_know() {
    let server = RedisServer::start("");
    let sentinel = Sentinel::of(&server, 0);
    let at =
        |port: u16, rest: &str| Redis::builder(format!("redis+sentinel://127.0.0.1:{port}/{rest}"));
    let known = format!("main?sentinel_password={PASSWORD}");
    for (builder, expected) in [
        (at(sentinel.port, &known), ""),
        (at(sentinel.port, &known.replace("main", "other")), "No such master"),
        (at(sentinel.port, "main"), "Authentication required"),
        (at(sentinel.port, "main?sentinel_password=hunter2-wrong"), "assword"),
        (at(server.port(), "main"), "unknown command"),
        (at(free_port(), &known), "Connection refused"),
    ] {
        let shown = format!("{builder:?}");
        let connected = builder.connect().await;
        if expected.is_empty() {
            connected.unwrap();
            continue;
        }
        let error = connected.unwrap_err();
        assert!(matches!(error, StoreError::Unlocated(_)), "{error}");
        assert!(error.to_string().contains(expected), "{expected}: {error}");
        assert!(!format!("{error} {error:?} {shown}").contains("hunter2"), "{error}");
    }
    sentinel.signal("STOP");
    let builder = at(sentinel.port, &known).timeout(Duration::from_millis(300));
    let error = builder.connect().await.unwrap_err();
    assert_eq!(error, StoreError::TooSlow(Duration::from_millis(300)));
    sentinel.signal("CONT");
}
