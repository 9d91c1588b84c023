//! Several proxies and one store of logouts: a real redis-server, which is killed, paused and filled.
//!
//! Needs Debian's package `redis-server`.

use std::time::{Duration, Instant};

use iiif_auth_proxy::Server;
use iiif_auth_proxy::config::Config;

use crate::program::{self, Program};
use crate::redis_server::{RedisServer, free_port};
use crate::support::{PIXELS, Proxy, Upstream, config, folder, image};

/// Nobody may read it anywhere.
const PASSWORD: &str = "Pa55-of-the-store";

fn with_store(upstream: &Upstream, keys: &str) -> String {
    format!("{}\n[store]\n{keys}\n", config(upstream.address))
}

/// The configuration's line of `[store]`, and what is said of each line.
fn mistakes(keys: &str, url: &str) -> (usize, Vec<(usize, String)>) {
    let before = config("127.0.0.1:1".parse().unwrap());
    let folder = folder();
    std::fs::write(folder.join("url"), url).unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("ca.pem"), made.cert.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let text = format!("{before}\n[store]\n{keys}\n");
    let found = match Config::read(&text, &folder) {
        Ok(config) => {
            assert!(!format!("{config:?}{:?}", config.store).contains(PASSWORD), "{config:?}");
            Vec::new()
        }
        Err(all) => all.iter().map(|own| (own.line, own.message.clone())).collect(),
    };
    (before.lines().count() + 2, found)
}

/// RE-11: a logout at one proxy counts at the other within the bound; a session is at home in both.
#[tokio::test]
async fn re_11_two_proxies_share_logouts() {
    let server = RedisServer::start(&format!("--requirepass {PASSWORD}"));
    let upstream = Upstream::new().await;
    let folder = folder();
    let url = format!("redis://:{PASSWORD}@127.0.0.1:{}", server.port());
    std::fs::write(folder.join("url"), format!("{url}\n")).unwrap();
    for (staleness, bound) in [
        ("", Duration::from_secs(2)),
        ("staleness = \"300ms\"", Duration::from_millis(300)),
        ("staleness = \"0s\"", Duration::ZERO),
    ] {
        let text = with_store(&upstream, &format!("url_file = \"url\"\n{staleness}"));
        let (one, other) =
            (Proxy::within(&text, &folder).await, Proxy::within(&text, &folder).await);
        let cookie = one.log_in("ada").await;
        let headers = [("cookie", &*cookie)];
        for proxy in [&one, &other, &one, &other] {
            let picture = proxy.get(&image("sec"), &headers).await;
            assert_eq!((picture.status.as_u16(), &*picture.text()), (200, PIXELS));
        }
        assert_eq!(other.get("/auth/logout", &headers).await.status, 200);
        let out = Instant::now();
        assert_eq!(
            other.get(&image("sec"), &headers).await.status,
            401,
            "at once where it was made"
        );
        let mut longest = Duration::ZERO;
        while one.get(&image("sec"), &headers).await.status == 200 {
            longest = out.elapsed();
            assert!(longest < Duration::from_secs(5), "{staleness}: it is served on and on");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        println!("{bound:?}: served for {longest:?} after the logout");
        assert!(longest <= bound, "{bound:?}: still served after {longest:?}");
        assert_eq!(one.get(&image("sec"), &headers).await.status, 401);
    }
}

/// Without a store two proxies with the same keys refuse each other's users.
#[tokio::test]
async fn without_a_store_each_proxy_knows_its_own() {
    let upstream = Upstream::new().await;
    let folder = folder();
    let text = config(upstream.address);
    let (one, other) = (Proxy::within(&text, &folder).await, Proxy::within(&text, &folder).await);
    let cookie = one.log_in("ada").await;
    let headers = [("cookie", &*cookie)];
    assert_eq!(one.get(&image("sec"), &headers).await.status, 200);
    assert_eq!(other.get(&image("sec"), &headers).await.status, 401);
}

/// RE-01: while the store is down or silent, what needs a session is refused in time and does not reach
/// the image server; what is open is served; afterwards it goes on.
#[tokio::test]
async fn re_01_the_store_is_down() {
    let mut server = RedisServer::keeping();
    let upstream = Upstream::new().await;
    let folder = folder();
    let keys = format!("url = \"{}\"\nstaleness = \"0s\"\ntimeout = \"500ms\"", server.url());
    let proxy = Proxy::within(&with_store(&upstream, &keys), &folder).await;
    let cookie = proxy.log_in("ada").await;
    let headers = [("cookie", &*cookie)];
    assert_eq!(proxy.get(&image("sec"), &headers).await.status, 200);

    for silent in [false, true] {
        if silent {
            server.pause();
        } else {
            server.kill();
        }
        let asked = upstream.count();
        let begun = Instant::now();
        for _ in 0..3 {
            let refused = proxy.get(&image("sec"), &headers).await;
            assert_eq!(refused.status, 503, "{}", refused.text());
            assert_eq!(refused.header("cache-control"), "no-store");
        }
        let logout = proxy.get("/auth/logout", &headers).await;
        assert_eq!(logout.status, 503);
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        assert_eq!(upstream.count(), asked, "the image server was not asked");
        assert_eq!(proxy.get(&image("sec"), &[]).await.status, 401);
        assert_eq!(proxy.get(&image("pub"), &headers).await.text(), PIXELS);
        if silent {
            server.resume();
        } else {
            server.begin();
        }
        let back = Instant::now();
        while proxy.get(&image("sec"), &headers).await.status != 200 {
            assert!(back.elapsed() < Duration::from_secs(5), "it is not found again");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Each wrong key has its line, and none of them quotes a password.
#[test]
fn a_wrong_store_is_told_with_its_line() {
    let good = format!("redis://:{PASSWORD}@127.0.0.1:6379/0\n");
    let inline = format!("url = \"redis://:{PASSWORD}@127.0.0.1\"");
    let by_unix = format!("url = \"redis+unix:///run/redis.sock?pass={PASSWORD}\"");
    let as_file = format!("url_file = \"redis://:{PASSWORD}@127.0.0.1\"");
    let as_variable = format!("url_env = \"redis://:{PASSWORD}@127.0.0.1\"");
    let as_list = format!("url = [\"redis://:{PASSWORD}@127.0.0.1\"]");
    let misspelt = format!("ulr = \"redis://:{PASSWORD}@127.0.0.1\"");
    let broken = format!("redis://:{PASSWORD}@127.0.0.1:port");
    let other = format!("https://:{PASSWORD}@127.0.0.1");
    let tls = format!("rediss://:{PASSWORD}@127.0.0.1");
    let unverified = format!("rediss://:{PASSWORD}@127.0.0.1#insecure");
    let sentinel = format!("rediss+sentinel://u:{PASSWORD}@a,b/main?sentinel_password={PASSWORD}");
    let nameless = format!("redis+sentinel://:{PASSWORD}@a,b");
    let cluster = format!("redis+cluster://u:{PASSWORD}@a,b:7000,c");
    let by_sentinel = format!("url = \"redis+sentinel://a/main?sentinel_password={PASSWORD}\"");
    let both = "url_file = \"url\"\ncertificate_file = \"ca.pem\"\nkey_file = \"key.pem\"";
    let swapped = "url_file = \"url\"\ncertificate_file = \"key.pem\"\nkey_file = \"ca.pem\"";
    let spaced = format!("redis://:{PASSWORD} more@127.0.0.1 x");
    for (keys, url, line, said) in [
        ("url_file = \"url\"", &*good, 0, ""),
        ("url = \"redis://127.0.0.1:6379\"", "", 0, ""),
        ("url = \"redis+unix:///run/redis/redis.sock\"", "", 0, ""),
        ("url_file = \"url\"\nstaleness = \"0s\"\ntimeout = \"60s\"\nprefix = \"p\"", &good, 0, ""),
        ("", "", 0, "url_file is missing in [store]"),
        ("url_file = \"url\"\nurl_env = \"X\"", &good, 0, "give one"),
        ("url_file = \"url\"", "", 1, "the URL names no store"),
        ("url_file = \"url\"", &broken, 1, "the URL names no store"),
        ("url_file = \"url\"", &other, 1, "the URL names no store"),
        ("url_file = \"url\"", &tls, 0, ""),
        ("url_file = \"url\"", &unverified, 1, "the URL names no store"),
        ("url_file = \"url\"", &sentinel, 0, ""),
        ("url_file = \"url\"", &nameless, 1, "the URL names no store"),
        ("url_file = \"url\"", &cluster, 0, ""),
        (&by_sentinel, "", 1, "url holds a password"),
        ("url_file = \"url\"\nca_file = \"ca.pem\"", &tls, 0, ""),
        (both, &tls, 0, ""),
        (both, &good, 2, "nothing would be encrypted"),
        ("url_file = \"url\"\nca_file = \"none.pem\"", &tls, 2, "none.pem cannot be read"),
        ("url_file = \"url\"\nca_file = \"key.pem\"", &tls, 2, "hold no PEM certificate"),
        ("url_file = \"url\"\nca_file = \"url\"", &tls, 2, "hold no PEM certificate"),
        ("url_file = \"url\"\ncertificate_file = \"ca.pem\"", &tls, 2, "belong together"),
        ("url_file = \"url\"\nkey_file = \"key.pem\"", &tls, 2, "belong together"),
        (swapped, &tls, 2, "hold no PEM certificate"),
        ("url_file = \"url\"", &spaced, 1, "the URL names no store"),
        ("url_file = \"none\"", "", 1, "none cannot be read"),
        ("url_env = \"IIIF_NO_SUCH_STORE\"", "", 1, "no text IIIF_NO_SUCH_STORE"),
        ("url = \"127.0.0.1:6379\"", "", 1, "the URL names no store"),
        (&inline, "", 1, "url holds a password"),
        (&by_unix, "", 1, "url holds a password"),
        (&as_file, "", 1, "url_file is the name of a file"),
        (&as_variable, "", 1, "url_env is the name of a variable"),
        (&as_list, "", 1, "expected a string"),
        (&misspelt, "", 1, "ulr is not known in [store]"),
        ("url_file = \"url\"\nprefix = \"a b\"", &good, 2, "prefix \"a b\""),
        ("url_file = \"url\"\nstaleness = \"2m\"", &good, 2, "a minute is the most"),
        ("url_file = \"url\"\nstaleness = 2", &good, 2, "staleness: "),
        ("url_file = \"url\"\ntimeout = \"0s\"", &good, 2, "between nothing and a day"),
        ("url_file = \"url\"\ntimeout = \"2m\"", &good, 2, "at most a minute"),
        ("url_file = \"url\"\ncache_at_most = -1", &good, 2, "cache_at_most: "),
        ("url_file = \"url\"\nreplicas = 1\ninsecure_resume_within = \"10m\"", &good, 0, ""),
        ("url_file = \"url\"\nreplicas = 300", &good, 2, "replicas: "),
        (
            "url_file = \"url\"\ninsecure_resume_within = \"2d\"",
            &good,
            2,
            "between nothing and a day",
        ),
        // One that is wrong does not hide the next.
        ("url_file = \"url\"\nprefix = \"\"\ntimeout = \"2m\"", &broken, 1, "names no store"),
        ("url_file = \"url\"\nprefix = \"\"\ntimeout = \"2m\"", &broken, 2, "prefix \"\""),
        ("url_file = \"url\"\nprefix = \"\"\ntimeout = \"2m\"", &broken, 3, "at most a minute"),
    ] {
        let (table, found) = mistakes(keys, url);
        let told = found.iter().any(|(own, all)| *own == table + line && all.contains(said));
        assert!(told || said.is_empty() && found.is_empty(), "{keys}\n{said}\n{found:#?}");
        assert!(!format!("{found:?}").contains(PASSWORD), "{keys}\n{found:#?}");
    }
}

/// A store that cannot be relied on is told of at the start, and nothing is answered.
#[tokio::test]
async fn a_proxy_without_its_store_does_not_start() {
    let locked = RedisServer::start(&format!("--requirepass {PASSWORD}"));
    let forgetful = RedisServer::start("--maxmemory 50mb --maxmemory-policy allkeys-lru");
    let silent = RedisServer::start("");
    silent.pause();
    let at = |user: &str, port: u16| format!("redis://{user}127.0.0.1:{port}");
    let wrong = format!(":{PASSWORD}-wrong@");
    for (url, said) in [
        (at("", free_port()), "Connection refused"),
        (at("", locked.port()), "Authentication required"),
        (at(&wrong, locked.port()), "assword"),
        (at("", forgetful.port()), "noeviction"),
        (at("", silent.port()), "did not answer within 500ms"),
    ] {
        let folder = folder();
        std::fs::write(folder.join("url"), &url).unwrap();
        let keys = "[store]\nurl_file = \"url\"\ntimeout = \"500ms\"";
        let text = format!("{}\n{keys}\n", config("127.0.0.1:1".parse().unwrap()));
        let config = Config::read(&text, &folder).unwrap();
        let error = Server::bind(config).await.expect_err("there is no store").to_string();
        assert!(error.starts_with("[store]: ") && error.contains(said), "{said}: {error}");
        assert!(!error.contains(PASSWORD), "{error}");
    }
    silent.resume();
}

/// The command's own words, with the URL in a variable: neither the check nor the log quotes it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_says_no_password() {
    let mut server = RedisServer::start(&format!("--requirepass {PASSWORD}"));
    let upstream = Upstream::new().await;
    let folder = folder();
    let port = free_port();
    let text = with_store(&upstream, "url_env = \"IIIF_STORE\"\nstaleness = \"0s\"")
        .replace("127.0.0.1:0", &format!("127.0.0.1:{port}"));
    let text = format!("{text}\n[log]\nfilter = \"trace\"\n");
    std::fs::write(folder.join("proxy.toml"), text).unwrap();
    let command = |url: &str| {
        let mut command = program::command(&folder);
        command.env("IIIF_STORE", url);
        command
    };
    let said = |url: &str, arguments: &[&str]| {
        let output = command(url).args(arguments).output().unwrap();
        let said = format!("{output:?}");
        assert!(!said.contains(PASSWORD), "{said}");
        (output.status.code(), said)
    };
    let url = format!("redis://:{PASSWORD}@127.0.0.1:{}", server.port());
    let (code, checked) = said(&url, &["--check"]);
    assert!(code == Some(0) && checked.contains("the store was not asked"), "{checked}");
    let (code, checked) = said(&format!("{url}/x"), &["--check"]);
    assert!(code == Some(1) && checked.contains("the URL names no store"), "{checked}");
    let (code, started) = said(&url.replace(&server.port().to_string(), "1"), &[]);
    assert!(code == Some(1) && started.contains("Connection refused"), "{started}");

    let program = Program::start(command(&url), port).await;
    let proxy = Proxy::at(program.address);
    let cookie = proxy.log_in("ada").await;
    server.kill();
    assert_eq!(proxy.get(&image("sec"), &[("cookie", &cookie)]).await.status, 503);
    let log = program.stop();
    assert!(log.contains("store_failed"), "{log}");
    assert!(!log.contains(PASSWORD), "{log}");
}

/// Over TLS, with a user and a certificate of an authority of one's own; the command finds both in order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cr_12_a_store_behind_tls() {
    let folder = folder();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("store.pem"), made.cert.pem()).unwrap();
    std::fs::write(folder.join("store.key"), made.signing_key.serialize_pem()).unwrap();
    let port = free_port();
    let shown = folder.display();
    let server = RedisServer::start(&format!(
        "--tls-port {port} --tls-ca-cert-file {shown}/store.pem --tls-cert-file {shown}/store.pem \
         --tls-key-file {shown}/store.key --tls-auth-clients no"
    ));
    let rights =
        format!("on >{PASSWORD} ~iiif-auth:* -@all +info +watch +multi +exec +get +mget +set");
    let words: Vec<_> = ["ACL", "SETUSER", "images"].into_iter().chain(rights.split(' ')).collect();
    let () = server.ask(&words);
    std::fs::write(folder.join("url"), format!("rediss://images:{PASSWORD}@localhost:{port}"))
        .unwrap();
    let upstream = Upstream::new().await;
    let text =
        with_store(&upstream, "url_file = \"url\"\nca_file = \"store.pem\"\nstaleness = \"0s\"");
    let (one, other) = (Proxy::within(&text, &folder).await, Proxy::within(&text, &folder).await);
    let cookie = one.log_in("ada").await;
    let headers = [("cookie", &*cookie)];
    assert_eq!(other.get(&image("sec"), &headers).await.text(), PIXELS);
    assert_eq!(other.get("/auth/logout", &headers).await.status, 200);
    assert_eq!(one.get(&image("sec"), &headers).await.status, 401);

    for (text, ends, said) in [
        (text.clone(), 0, "ok: the store answers"),
        (text.replace("ca_file = \"store.pem\"\n", ""), 1, "certificate"),
    ] {
        std::fs::write(folder.join("proxy.toml"), text).unwrap();
        let output = program::command(&folder).args(["check", "--probe"]).output().unwrap();
        let told = format!("{output:?}");
        assert!(told.contains(said) && !told.contains(PASSWORD), "{told}");
        assert_eq!(told.contains("ok: the store answers"), ends == 0, "{told}");
    }
}
