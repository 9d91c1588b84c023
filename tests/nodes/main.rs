//! Two nodes of the quickstart with one keyring and one store behind a round-robin front, under load
//! while keys are rotated, a node is killed and the store is restarted. It prints what it counted.
//!
//! ```sh
//! cargo test --features redis --test nodes
//! ```
//!
//! Needs Debian's package `redis-server`.

mod front;
mod node;
#[path = "../common/redis_server.rs"]
mod redis_server;
mod tally;
mod users;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use front::Front;
use node::Node;
use redis_server::{RedisServer, free_port};
use tally::{Due, Tally};
use users::{STALENESS, Site, come_and_go, stay};

const READERS: &str = "/iiif/3/reader/full/9,/0/default.jpg";

/// 32 bytes that look random, different for each seed.
fn key(seed: u8) -> String {
    let key: Vec<u8> = (0..32).map(|i: u8| i.wrapping_mul(37).wrapping_add(seed)).collect();
    STANDARD.encode(key)
}

/// The two nodes, what is before them and what they read.
struct Cluster {
    front: Front,
    nodes: Vec<Node>,
    keys: Vec<std::path::PathBuf>,
}

impl Cluster {
    /// Gives one node these keys, the primary first, without anybody noticing.
    async fn restart(&mut self, node: usize, keys: &[String]) {
        self.front.take_out(node).await;
        fs::write(&self.keys[node], keys.join("\n")).expect("the key file is written");
        tokio::task::block_in_place(|| {
            self.nodes[node].stop();
            self.nodes[node].begin();
        });
        self.front.put_back(node);
    }

    /// The same for one node after the other, with a while in between.
    async fn rotate(&mut self, keys: &[String]) {
        for node in 0..self.nodes.len() {
            self.restart(node, keys).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}

/// RE-11, and what comes with a life of several nodes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn re_11_two_nodes_under_load() {
    let program = tokio::task::block_in_place(node::build);
    let mut store = RedisServer::keeping();
    let folder = std::env::temp_dir().join(format!("iiif-auth-nodes-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder for keys");
    let (old, new, newest) = (key(1), key(2), key(3));
    let port = free_port();
    let start = |name: &str| {
        let file = folder.join(name);
        fs::write(&file, &old).expect("the key file is written");
        (Node::start(&program, free_port(), flags(port, &store, &file)), file)
    };
    let (nodes, keys): (Vec<_>, Vec<_>) = ["a.keys", "b.keys"].into_iter().map(start).unzip();
    let addresses: Vec<_> = nodes.iter().map(|node| node.address).collect();
    let front = Front::start(port, &addresses).await;
    let mut cluster = Cluster { front, nodes, keys };

    let tally = Tally::default();
    tally.begin("1 steady");
    let site = Site::at(port, tally.clone());
    let mut users = Vec::new();
    let mut stays = Vec::new();
    for _ in 0..4 {
        let cookie = site.log_in().await;
        stays.push(cookie.clone());
        users.push(tokio::spawn(stay(site.clone(), cookie)));
    }
    for _ in 0..8 {
        users.push(tokio::spawn(come_and_go(site.clone())));
    }
    tokio::time::sleep(Duration::from_secs(5)).await;

    // First every node reads the new key, then they seal under it.
    tally.begin("2 rotation");
    cluster.rotate(&[old.clone(), new.clone()]).await;
    cluster.rotate(&[new.clone(), old.clone()]).await;
    let after = site.log_in().await;

    tally.begin("3 node killed");
    tokio::time::sleep(Duration::from_millis(500)).await;
    tokio::task::block_in_place(|| cluster.nodes[0].kill());
    tokio::time::sleep(Duration::from_secs(2)).await;
    tokio::task::block_in_place(|| cluster.nodes[0].begin());
    tokio::time::sleep(Duration::from_secs(1)).await;

    tally.begin("4 store restarted");
    tokio::time::sleep(Duration::from_millis(500)).await;
    tokio::task::block_in_place(|| store.kill());
    tokio::time::sleep(Duration::from_millis(500)).await;
    tokio::task::block_in_place(|| store.begin());
    tokio::time::sleep(Duration::from_secs(2)).await;

    tally.begin("5 steady again");
    tokio::time::sleep(Duration::from_secs(2)).await;
    site.closing.store(true, std::sync::atomic::Ordering::SeqCst);
    for user in users {
        user.await.expect("no user panics");
    }

    // Without the old key its cookies end, and those under the new one do not: keys were rotated.
    tally.begin("6 old key removed");
    for node in 0..2 {
        cluster.restart(node, std::slice::from_ref(&new)).await;
    }
    for _ in 0..4 {
        site.look(READERS, Some(&after), Due::Open).await;
        site.look(READERS, Some(&stays[0]), Due::Closed).await;
    }

    // The counter-proof: a key that seals on one node before the other reads it.
    tally.begin("7 rotation in one step");
    cluster.restart(0, &[newest, new]).await;
    for _ in 0..8 {
        let cookie = site.log_in().await;
        for _ in 0..4 {
            site.look(READERS, Some(&cookie), Due::Open).await;
        }
    }
    drop(cluster);
    drop(fs::remove_dir_all(&folder));

    // Past the harness, which would keep it to itself.
    writeln!(std::io::stdout(), "{tally}").expect("it can be printed");
    check(&tally);
}

fn flags(port: u16, store: &RedisServer, keys: &Path) -> Vec<String> {
    let url = format!("http://localhost:{port}");
    let keys = keys.display().to_string();
    ["--public-url", &url, "--redis", &store.url(), "--key-file", &keys].map(str::to_owned).into()
}

fn check(tally: &Tally) {
    for (phase, least, may_err) in [
        ("1 steady", 200, false),
        ("2 rotation", 200, false),
        ("3 node killed", 100, true),
        ("4 store restarted", 100, true),
        ("5 steady again", 100, false),
        ("6 old key removed", 8, false),
    ] {
        let figures = tally.figures(phase);
        assert!(figures.sent >= least, "{phase}: {figures:?}: too few to say anything");
        assert_eq!((figures.opened, figures.refused), (0, 0), "{phase}: wrong answers");
        assert!(may_err || figures.errors == 0, "{phase}: {figures:?}");
    }
    let killed = tally.figures("3 node killed");
    assert!(killed.errors < killed.sent / 10, "{killed:?}: more than was under way");
    let restarted = tally.figures("4 store restarted");
    assert!(restarted.errors < restarted.sent / 2, "{restarted:?}: it did not come back");
    let one_step = tally.figures("7 rotation in one step");
    assert!(one_step.refused > 0 && one_step.opened == 0, "{one_step:?}: it would not be noticed");
    assert!(tally.logouts() >= 16, "{} logouts are too few to say anything", tally.logouts());
    assert!(tally.longest() <= STALENESS, "a revoked cookie worked for {:?}", tally.longest());
}
