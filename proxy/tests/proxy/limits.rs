//! Limits that strangers would use up: wrong passwords, long identifiers, memory.

use std::collections::BTreeMap;
use std::time::Duration;

use http::Method;
use tokio::task::JoinSet;

use crate::program::{Program, command};
use crate::redis_server::free_port;
use crate::support::{Proxy, SITE, Upstream, config, folder, image, request, with_keys};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const LISTED: &str = "trusted_proxies = [\"127.0.0.1\"]";
const MIB: u64 = 1 << 20;

/// A try at the login, by a client behind the front; its status.
async fn guess(proxy: &Proxy, client: &str, name: &str, password: &str) -> u16 {
    let form = format!("username={name}&password={password}");
    let headers = [FORM, ("origin", SITE), ("x-forwarded-for", client)];
    request(proxy.address, Method::POST, "/auth/login", &headers, &form).await.status.as_u16()
}

const ADA: &str = "ada%27s+secret";
const BOB: &str = "bob%27s+secret";

/// LM-03: a good login of one's own between the guesses takes none of them back.
#[tokio::test]
async fn lm_03_a_good_login_between_guesses() {
    let proxy = Proxy::with(&with_keys(&config(Upstream::new().await.address), LISTED)).await;
    for _ in 0..10 {
        assert_eq!(guess(&proxy, "192.0.2.1", "ada", "wrong").await, 403);
        assert_eq!(guess(&proxy, "192.0.2.1", "bob", BOB).await, 200);
    }
    assert_eq!(guess(&proxy, "192.0.2.1", "ada", "wrong").await, 429);
    assert_eq!(guess(&proxy, "192.0.2.1", "ada", ADA).await, 429);
    // Nobody else pays: neither another name, nor the same name elsewhere.
    assert_eq!(guess(&proxy, "192.0.2.1", "bob", BOB).await, 200);
    assert_eq!(guess(&proxy, "192.0.2.2", "ada", ADA).await, 200);
}

/// LM-03: a right password counts for nothing, and takes back nothing either.
#[tokio::test]
async fn lm_03_right_ones_are_not_counted() {
    let proxy = Proxy::with(&with_keys(&config(Upstream::new().await.address), LISTED)).await;
    for _ in 0..9 {
        assert_eq!(guess(&proxy, "192.0.2.1", "ada", "wrong").await, 403);
    }
    for _ in 0..20 {
        assert_eq!(guess(&proxy, "192.0.2.1", "ada", ADA).await, 200);
    }
    assert_eq!(guess(&proxy, "192.0.2.1", "ada", "wrong").await, 403);
    assert_eq!(guess(&proxy, "192.0.2.1", "ada", ADA).await, 429);
}

/// LM-03: 400 guesses at once are no more than ten.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lm_03_guesses_at_once() {
    let upstream = Upstream::new().await;
    let text = with_keys(&config(upstream.address), LISTED);
    let text = format!("{text}\n[admin]\nlisten = \"127.0.0.1:0\"\n");
    let proxy = Proxy::with(&text).await;
    let address = proxy.address;
    let mut all = JoinSet::new();
    for number in 0..400 {
        all.spawn(async move {
            let form = format!("username=ada&password={number}");
            let headers = [FORM, ("origin", SITE), ("x-forwarded-for", "192.0.2.1")];
            request(address, Method::POST, "/auth/login", &headers, &form).await.status.as_u16()
        });
    }
    let mut statuses = BTreeMap::<u16, usize>::new();
    while let Some(status) = all.join_next().await {
        *statuses.entry(status.unwrap()).or_default() += 1;
    }
    assert_eq!(statuses, BTreeMap::from([(403, 10), (429, 390)]));
    let metrics = request(proxy.admin.unwrap(), Method::GET, "/metrics", &[], "").await.text();
    assert!(metrics.contains("iiif_proxy_logins_total{kind=\"wrong\"} 10"), "{metrics}");
    assert_eq!(guess(&proxy, "192.0.2.2", "ada", ADA).await, 200);
}

/// LM-03: behind a front that nobody listed a stranger locks out one name and not everybody, and the
/// operator is told of it once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lm_03_behind_a_front_that_is_not_listed() {
    let upstream = Upstream::new().await;
    for (keys, told) in [("", 2), (LISTED, 0)] {
        let folder = folder();
        let port = free_port();
        let text = config(upstream.address).replace("127.0.0.1:0", &format!("127.0.0.1:{port}"));
        std::fs::write(folder.join("proxy.toml"), with_keys(&text, keys)).unwrap();
        let program = Program::start(command(&folder), port).await;
        let proxy = Proxy::at(program.address);
        for _ in 0..11 {
            guess(&proxy, "203.0.113.9", "stranger", "wrong").await;
        }
        assert_eq!(guess(&proxy, "203.0.113.9", "stranger", "wrong").await, 429);
        assert_eq!(guess(&proxy, "192.0.2.1", "ada", ADA).await, 200);
        assert_eq!(guess(&proxy, "192.0.2.1", "bob", BOB).await, 200);
        let log = program.stop();
        // At start, as TLS has to end somewhere, and at the first forwarding header.
        let lines = log.lines().filter(|line| line.contains("trusted_proxies"));
        assert_eq!(lines.clone().count(), told, "{log}");
        assert!(lines.clone().all(|line| line.contains("WARN")), "{log}");
    }
}

/// LM-04: long identifiers are refused, cost no memory, and make no long log.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lm_04_long_identifiers() {
    let upstream = Upstream::new().await;
    let folder = folder();
    let port = free_port();
    let text = config(upstream.address)
        .replace("127.0.0.1:0", &format!("127.0.0.1:{port}"))
        .replace("allow = [\"reader\"]", "allow = [\"reader\"]\nmax_unauthorized = 400");
    let text = format!("{text}[log]\naccess = true\nfilter = \"info,tower_iiif_auth=debug\"\n");
    std::fs::write(folder.join("proxy.toml"), text).unwrap();
    let program = Program::start(command(&folder), port).await;
    let address = program.address;
    request(address, Method::GET, &image("sec"), &[], "").await;
    let before = program.memory("VmRSS");
    let mut all = JoinSet::new();
    for worker in 0..11 {
        all.spawn(async move {
            let client =
                hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new())
                    .build_http::<http_body_util::Empty<bytes::Bytes>>();
            for number in 0..900 {
                let identifier = format!("sec{:a>26000}", worker * 1000 + number);
                let uri = format!("http://{address}/iiif/3/{identifier}/full/400,/0/default.jpg");
                let answer = client.get(uri.parse().unwrap()).await.unwrap();
                assert_eq!(answer.status(), 400);
            }
        });
    }
    while let Some(done) = all.join_next().await {
        done.unwrap();
    }
    let grown = program.memory("VmHWM").saturating_sub(before);
    println!("9900 long identifiers moved the peak by {} KiB", grown >> 10);
    assert!(grown < 64 * MIB, "{grown}");
    // The longest that are allowed are asked for and remembered, within bounds.
    for number in 0..200 {
        let path = format!("/iiif/3/sec{number:a>1000}/full/400,/0/default.jpg");
        assert_eq!(request(address, Method::GET, &path, &[], "").await.status, 200);
    }
    // Of other parts of a path, too.
    let path = format!("/iiif/3/sec/{}/400,/0/default.jpg", "a".repeat(26_000));
    request(address, Method::GET, &path, &[], "").await;
    request(address, Method::GET, &format!("/{}", "a".repeat(26_000)), &[], "").await;
    let log = program.stop();
    let longest = log.lines().map(str::len).max().unwrap();
    assert!(longest < 2048, "{longest}");
    assert!(log.lines().count() > 9900 * 2, "a line a request and one a decision");
}

/// LM-05: a burst of wrong passwords takes a bounded memory and gives it back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lm_05_a_burst_of_logins() {
    let upstream = Upstream::new().await;
    let folder = folder();
    let hash = iiif_auth_proxy::hash_password("right").unwrap();
    std::fs::write(folder.join("users"), format!("ada:{hash}:reader\n")).unwrap();
    let port = free_port();
    let text = config(upstream.address).replace("127.0.0.1:0", &format!("127.0.0.1:{port}"));
    std::fs::write(folder.join("proxy.toml"), with_keys(&text, LISTED)).unwrap();
    let program = Program::start(command(&folder), port).await;
    let proxy = Proxy::at(program.address);
    assert_eq!(guess(&proxy, "192.0.2.1", "ada", "right").await, 200);
    let before = program.memory("VmRSS");
    let address = program.address;
    for burst in 0..3 {
        let mut all = JoinSet::new();
        for number in 0..400 {
            all.spawn(async move {
                let form = format!("username=user{burst}-{number}&password=wrong");
                let client = format!("192.0.2.{}", number % 200);
                let headers = [FORM, ("origin", SITE), ("x-forwarded-for", &client)];
                request(address, Method::POST, "/auth/login", &headers, &form).await
            });
        }
        while let Some(answer) = all.join_next().await {
            let status = answer.unwrap().status.as_u16();
            assert!([403, 503].contains(&status), "{status}");
        }
    }
    let peak = program.memory("VmHWM").saturating_sub(before);
    // Threads that check passwords end after ten idle seconds, and with them what they keep.
    tokio::time::sleep(Duration::from_secs(12)).await;
    assert_eq!(request(address, Method::GET, &image("pub"), &[], "").await.status, 200);
    let kept = program.memory("VmRSS").saturating_sub(before);
    println!("1200 wrong passwords: peak {} KiB, kept {} KiB", peak >> 10, kept >> 10);
    // Two at a time, of 19 MiB, and 400 connections.
    assert!(peak < 80 * MIB, "{peak}");
    assert!(kept < 24 * MIB, "{kept}");
    assert_eq!(guess(&proxy, "192.0.2.1", "ada", "right").await, 200);
}
