//! A configuration is taken up while requests are answered.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::Method;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::program::{Program, command};
use crate::redis_server::{RedisServer, free_port};
use crate::support::{PIXELS, Proxy, SITE, Upstream, config, folder, image, request, with_keys};

/// A program with a folder of its own, whose files may change.
struct Site {
    folder: PathBuf,
    port: u16,
    upstream: Upstream,
}

impl Site {
    async fn new() -> Self {
        let (folder, port) = (folder(), free_port());
        let site = Self { folder, port, upstream: Upstream::new().await };
        site.write(&site.text());
        site
    }

    fn text(&self) -> String {
        let listen = format!("127.0.0.1:{}", self.port);
        let text = config(self.upstream.address).replace("127.0.0.1:0", &listen);
        with_keys(&text, "reload_interval = \"100ms\"")
    }

    fn write(&self, text: &str) {
        put(&self.folder, "proxy.toml", text);
    }

    async fn start(&self) -> (Program, Proxy) {
        let program = Program::start(command(&self.folder), self.port).await;
        let proxy = Proxy::at(program.address);
        (program, proxy)
    }
}

/// Waits for a status, as files are looked at now and then.
async fn until(proxy: &Proxy, path: &str, headers: &[(&str, &str)], status: u16) {
    let begun = Instant::now();
    while proxy.get(path, headers).await.status != status {
        assert!(begun.elapsed() < Duration::from_secs(10), "{path} is never {status}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn logs_in(proxy: &Proxy, name: &str, password: &str) -> bool {
    let form = format!("username={name}&password={password}");
    let headers = [("origin", SITE), ("content-type", "application/x-www-form-urlencoded")];
    request(proxy.address, Method::POST, "/auth/login", &headers, &form).await.status == 200
}

fn hashed(name: &str, password: &str) -> String {
    format!("{name}:{}:reader\n", bcrypt::hash(password, 4).unwrap())
}

/// Rules, users and texts are taken up, and who is in stays in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changes_is_taken_up_and_sessions_stay() {
    let site = Site::new().await;
    let (program, proxy) = site.start().await;
    let cookie = proxy.log_in("ada").await;
    let session = [("cookie", &*cookie)];
    assert_eq!(proxy.get(&image("sec"), &session).await.status, 200);
    assert_eq!(proxy.get(&image("new"), &session).await.status, 403);

    site.write(&site.text().replace("\"sec*\"", "\"sec*\", \"new\"").replace("Example", "Other"));
    until(&proxy, &image("new"), &session, 200).await;
    assert_eq!(proxy.get(&image("sec"), &session).await.status, 200);
    assert!(proxy.get("/auth/login", &[]).await.text().contains("Other Library"));

    assert!(!logs_in(&proxy, "eve", "pw").await);
    let users = site.folder.join("users");
    let text = std::fs::read_to_string(&users).unwrap();
    std::fs::write(&users, text + &hashed("eve", "pw")).unwrap();
    let begun = Instant::now();
    while !logs_in(&proxy, "eve", "pw").await {
        assert!(begun.elapsed() < Duration::from_secs(10), "eve never gets in");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(proxy.get(&image("sec"), &session).await.status, 200);
    let log = program.stop();
    assert!(log.contains("the configuration was taken up"), "{log}");
}

/// A logout from before is one afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_logged_out_stays_out() {
    let site = Site::new().await;
    let (_program, proxy) = site.start().await;
    let cookie = proxy.log_in("ada").await;
    let session = [("cookie", &*cookie)];
    assert_eq!(proxy.get("/auth/logout", &session).await.status, 200);
    assert_eq!(proxy.get(&image("sec"), &session).await.status, 401);
    site.write(&site.text().replace("\"pub*\"", "\"pub*\", \"open\""));
    until(&proxy, &image("open"), &[], 200).await;
    assert_eq!(proxy.get(&image("sec"), &session).await.status, 401);
}

/// Keys are rotated without a restart: with the old one kept nobody is logged out, and without it all are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_rotated() {
    let site = Site::new().await;
    let (program, proxy) = site.start().await;
    let cookie = proxy.log_in("ada").await;
    let session = [("cookie", &*cookie)];
    let rotate = |step: &[&str]| {
        let key = site.folder.join("key");
        let mut command = Command::new(env!("CARGO_BIN_EXE_iiif-auth-proxy"));
        command.args(["key", "rotate"]).arg(key).args(step);
        assert!(command.output().unwrap().status.success());
    };
    rotate(&[]);
    hang_up(&site, &program, &proxy, "one").await;
    assert_eq!(proxy.get(&image("sec"), &session).await.status, 200);
    let newer = proxy.log_in("ada").await;
    rotate(&["--drop"]);
    until(&proxy, &image("sec"), &session, 401).await;
    assert_eq!(proxy.get(&image("sec"), &[("cookie", &newer)]).await.status, 200);
}

/// Asks by SIGHUP for what was written with a mark that can be seen from outside.
async fn hang_up(site: &Site, program: &Program, proxy: &Proxy, mark: &str) {
    site.write(&site.text().replace("\"pub*\"", &format!("\"pub*\", \"{mark}\"")));
    program.signal("HUP");
    until(proxy, &image(mark), &[], 200).await;
}

/// What is wrong is not taken up, whichever file it is in; why is said with its line; and when it is
/// mended, it is taken up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_leaves_the_old() {
    let site = Site::new().await;
    let (program, proxy) = site.start().await;
    let cookie = proxy.log_in("ada").await;
    let session = [("cookie", &*cookie)];
    let users = std::fs::read_to_string(site.folder.join("users")).unwrap();
    let good = site.text();
    let write = |name: &str, text: &str| std::fs::write(site.folder.join(name), text).unwrap();
    for (name, text) in [
        ("proxy.toml", good.replace("allow = \"everyone\"", "alow = \"everyone\"")),
        ("proxy.toml", "listen = ".to_owned()),
        ("proxy.toml", String::new()),
        ("users", "ada\n".to_owned()),
        ("key", "short\n".to_owned()),
    ] {
        write(name, &text);
        program.signal("HUP");
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(proxy.get(&image("sec"), &session).await.status, 200, "{name}: {text}");
        assert_eq!(proxy.get(&image("pub"), &[]).await.text(), PIXELS);
        if name == "proxy.toml" {
            write(name, &good);
        }
    }
    assert!(logs_in(&proxy, "ada", "ada%27s+secret").await);
    // The key was wrong all the time.
    write("users", &users);
    write("proxy.toml", &good.replace("\"pub*\"", "\"pub*\", \"open\""));
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(proxy.get(&image("open"), &[]).await.status, 403);
    write("key", "CzVBV8+5XftzzYn/F6HFU1sl8cc/iU0Lw535z0dR9UM=\n");
    until(&proxy, &image("open"), &[], 200).await;
    assert_eq!(proxy.get(&image("sec"), &session).await.status, 200);
    let log = program.stop();
    for said in
        ["was not taken up", "alow is not known in [[rule]]", "line 1 of it", "was taken up"]
    {
        assert!(log.contains(said), "{said}: {log}");
    }
    assert!(!log.contains("CzVBV8"), "{log}");
}

/// Under load: no connection ends, and no answer is another than before or after.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_load_nothing_is_dropped_and_nothing_wrong() {
    const CLIENTS: usize = 8;
    let site = Site::new().await;
    let (program, proxy) = site.start().await;
    let cookie = Arc::new(proxy.log_in("ada").await);
    let (going, asked) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicUsize::new(0)));
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let (going, asked) = (Arc::clone(&going), Arc::clone(&asked));
        let (address, cookie) = (program.address, Arc::clone(&cookie));
        clients.push(tokio::spawn(async move {
            let stream = TcpStream::connect(address).await.unwrap();
            let (mut sender, connection) =
                hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            while going.load(Ordering::Relaxed) {
                for (id, cookie, status) in
                    [("pub", "", 200), ("sec", &**cookie, 200), ("sec", "", 401)]
                {
                    let request = http::Request::get(image(id)).header("host", "x");
                    let request =
                        request.header("cookie", cookie).body(Empty::<bytes::Bytes>::new());
                    sender.ready().await.expect("the connection is kept");
                    let answer = sender.send_request(request.unwrap()).await.expect("an answer");
                    assert_eq!(answer.status(), status, "{id}");
                    let body = answer.into_body().collect().await.unwrap().to_bytes();
                    assert!(status == 401 || body == PIXELS, "{body:?}");
                    asked.fetch_add(1, Ordering::Relaxed);
                }
            }
        }));
    }
    for number in 0..20 {
        hang_up(&site, &program, &proxy, &format!("mark{number}")).await;
    }
    going.store(false, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }
    let asked = asked.load(Ordering::Relaxed);
    println!("{asked} requests over {CLIENTS} connections, 20 configurations");
    assert!(asked > 100, "{asked}");
    let log = program.stop();
    assert!(!log.contains("ERROR"), "{log}");
}

/// What lasts for the life of the process is said to do so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_counts_from_the_next_start_is_told() {
    let site = Site::new().await;
    let (program, proxy) = site.start().await;
    let text = site.text().replace("\"pub*\"", "\"pub*\", \"open\"");
    site.write(
        &text.replace(&format!("127.0.0.1:{}", site.port), &format!("127.0.0.1:{}", free_port())),
    );
    until(&proxy, &image("open"), &[], 200).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let log = program.stop();
    assert!(log.contains("count from the next start"), "{log}");
}

/// A change that comes while another is taken up is taken up, too, in whichever file it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_one_behind_the_other_are_all_taken_up() {
    let site = Site::new().await;
    let (_program, proxy) = site.start().await;
    for number in 0..40 {
        let rules = format!("match,allow\nrow{number},everyone\n");
        let name = format!("rules{}.csv", number % 2);
        put(&site.folder, &name, &rules);
        site.write(&with_keys(&site.text(), &format!("rules_file = {name:?}")));
        until(&proxy, &image(&format!("row{number}")), &[], 200).await;
        // At once, and without a change of the configuration itself.
        put(&site.folder, &name, &format!("{rules}again{number},everyone\n"));
        until(&proxy, &image(&format!("again{number}")), &[], 200).await;
    }
}

/// Which of them, each by its name: also what stands in files of `[store]`; what is the same is not named.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_counts_from_the_next_start_is_told_by_name() {
    let redis = RedisServer::start("");
    let site = Site::new().await;
    let url = format!("{}\n", redis.url());
    put(&site.folder, "url", &url);
    let with = |more: &str, store: &str| format!("{more}\n{}{store}\n", site.text());
    let store = "\n[store]\nprefix = \"a\"\nurl_file = \"url\"\n";
    site.write(&with("", store));
    let (program, proxy) = site.start().await;
    let rule = "[[rule]]\nmatch = [\"MARK\"]\nallow = \"everyone\"\n";
    for (mark, more, store, url) in [
        ("same", "", "\n# a comment\n[store]\nurl_file = \"url\"\nprefix = \"a\"\n", &*url),
        ("prefix", "", "\n[store]\nprefix = \"b\"\nurl_file = \"url\"\n", &*url),
        ("file", "", store, &format!("{}\n\n", url.trim())),
        ("none", "", "", &*url),
        ("delay", "shutdown_delay = \"10ms\"\nshutdown_timeout = \"9s\"", store, &*url),
        ("format", "", &format!("{store}\n[log]\nformat = \"json\"\n"), &*url),
        ("admin", "", &format!("{store}\n[admin]\nlisten = \"127.0.0.1:0\"\n"), &*url),
    ] {
        put(&site.folder, "url", url);
        site.write(&format!("{}{}", with(more, store), rule.replace("MARK", mark)));
        until(&proxy, &image(mark), &[], 200).await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let log = program.stop();
    let what: Vec<_> = log
        .lines()
        .filter(|line| line.contains("count from the next start"))
        .filter_map(|line| line.split("what=").nth(1))
        .map(|own| own.trim_matches('"'))
        .collect();
    // A file that was written meanwhile may have been taken up in between.
    let mut told = what.clone();
    told.dedup();
    let expected =
        ["[store]", "shutdown_delay, shutdown_timeout", "format of [log]", "listen of [admin]"];
    assert_eq!(told, expected, "{log}");
}

/// The filter of the log is another from then on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_filter_of_the_log_is_taken_up() {
    let site = Site::new().await;
    let (program, proxy) = site.start().await;
    proxy.get(&image("pub-before"), &[]).await;
    let text = site.text().replace("\"pub*\"", "\"pub*\", \"open\"");
    site.write(&format!("{text}\n[log]\nfilter = \"info,tower_iiif_auth::decision=debug\"\n"));
    until(&proxy, &image("open"), &[], 200).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    proxy.get(&image("pub-after"), &[]).await;
    let log = program.stop();
    assert!(!log.contains("pub-before") && log.contains("pub-after"), "{log}");
}

/// A file that is named and was not there is looked for again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_comes_later_is_found() {
    let site = Site::new().await;
    let (_program, proxy) = site.start().await;
    site.write(&site.text().replace("users_file = \"users\"", "users_file = \"more\""));
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(logs_in(&proxy, "ada", "ada%27s+secret").await, "the old one stays");
    put(&site.folder, "more", &hashed("eve", "pw"));
    let begun = Instant::now();
    while !logs_in(&proxy, "eve", "pw").await {
        assert!(begun.elapsed() < Duration::from_secs(10), "eve never gets in");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// As editors and configuration managers do: another file in the place of the old.
fn put(folder: &Path, name: &str, text: &str) {
    let beside = folder.join(".beside");
    std::fs::write(&beside, text).unwrap();
    std::fs::rename(beside, folder.join(name)).unwrap();
}
