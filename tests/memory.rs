//! Memory: a million logins and logouts leave it where it was.
//!
//! ```sh
//! SESSIONS=1000000 cargo test --features redis --test memory
//! ```
//!
//! Without the variable it does a tenth of it. It has no harness: what is measured is the memory of the
//! whole process, in which no other test may run.

mod common;
#[cfg(feature = "redis")]
#[path = "common/redis_server.rs"]
mod redis_server;

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tower_iiif_auth::clock::SetClock;
use tower_iiif_auth::revocation::InMemory;
use tower_iiif_auth::{AccessCookie, AccessService, IiifAuth, IiifAuthBuilder, LanguageMap, Realm};

use common::{BASE, COOKIE, Publisher, clock, image, keyring, rules};

/// How long sessions live, and how many are begun in that time.
const LIFETIME: Duration = Duration::from_secs(10);
const IN_A_LIFETIME: u32 = 5000;

/// How many sessions there are in all, and after how many memory is what it needs to go on.
fn sessions() -> (usize, usize) {
    let all = std::env::var("SESSIONS").ok();
    let all = all.map_or(100_000, |all| all.parse().expect("SESSIONS is a number"));
    (all, all / 5)
}

/// The memory that this process has in use, in KiB.
fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells it");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

fn builder(clock: &SetClock) -> IiifAuthBuilder {
    let library = AccessService::active("login", LanguageMap::new("en", "Example Library"));
    let cookie = AccessCookie::new().lifetime(LIFETIME);
    IiifAuth::builder(BASE)
        .keyring(keyring())
        .clock(clock.clone())
        .images("/iiif/3")
        .realm(Realm::new().access(library).aspect(cookie))
        .authorizer(rules())
}

/// Logs a user in, shows a tile, logs the user out, and shows no tile.
async fn come_and_go(node: Publisher) {
    let cookie = format!("{COOKIE}={}", node.log_in_directly(&["A"]).await);
    let headers = [("cookie", &*cookie)];
    let tile = image("sec");
    assert_eq!(node.get(&tile, &headers).await.status(), 200);
    assert_eq!(node.get("/auth/logout", &headers).await.status(), 200);
    assert_eq!(node.get(&tile, &headers).await.status(), 401);
}

fn say(text: &str) {
    writeln!(std::io::stdout(), "{text}").expect("it can be printed");
}

/// Lets this many come and go while time goes on, some at once.
async fn run(node: &Publisher, sessions: usize, at_once: usize) {
    for _ in 0..sessions / at_once {
        let users: Vec<_> = (0..at_once).map(|_| tokio::spawn(come_and_go(node.clone()))).collect();
        for user in users {
            user.await.expect("no user panics");
        }
        node.clock.advance(LIFETIME / IN_A_LIFETIME * u32::try_from(at_once).expect("a few"));
    }
}

/// Measures one store, of which `held` says how many sessions it holds.
async fn measure(name: &str, node: &Publisher, at_once: usize, held: impl Fn() -> usize) {
    let (all, first) = sessions();
    let begun = Instant::now();
    run(node, first, at_once).await;
    let plateau = memory();
    let mut highest = plateau;
    for _ in 0..8 {
        run(node, (all - first) / 8, at_once).await;
        highest = highest.max(memory());
    }
    let (end, took) = (memory(), begun.elapsed());
    say(&format!(
        "{name}: {all} logins and logouts in {took:.0?}. {plateau} KiB after {first}, at most \
         {highest}, {end} at the end, {} sessions remembered",
        held()
    ));
    assert!(end * 10 <= plateau * 11, "{name}: {plateau} KiB have become {end}");
    assert!(held() <= 4 * IN_A_LIFETIME as usize, "{name}: {} are remembered", held());
}

async fn in_memory() {
    let clock = clock();
    let store = Arc::new(InMemory::new().expect("random bytes"));
    let node = Publisher::of(builder(&clock).revocations(Arc::clone(&store)), clock);
    measure("InMemory", &node, 1, || store.len()).await;

    // The counter-proof: where time stands still nothing may be forgotten, and it shows.
    let before = memory();
    for _ in 0..sessions().1 {
        come_and_go(node.clone()).await;
    }
    say(&format!("where time stands still: {} KiB, {} sessions", memory(), store.len()));
    assert!(memory() * 10 > before * 11, "what is measured does not show what is held");
}

#[cfg(feature = "redis")]
async fn redis() {
    let server = redis_server::RedisServer::start("");
    let store = tower_iiif_auth::revocation::Redis::connect(server.url()).await;
    let store = store.expect("it runs");
    let clock = clock();
    let node = Publisher::of(builder(&clock).revocations(store.clone()), clock);
    measure("Redis", &node, 50, || store.cached()).await;
}

/// Each store has a process of its own: what another one has left would hide what it takes.
const STORES: &[&str] =
    if cfg!(feature = "redis") { &["InMemory", "Redis"] } else { &["InMemory"] };
const STORE: &str = "MEMORY_OF";

fn main() {
    let Ok(store) = std::env::var(STORE) else {
        for store in STORES {
            let program = std::env::current_exe().expect("this program");
            let status = std::process::Command::new(program).env(STORE, store).status();
            assert!(status.is_ok_and(|status| status.success()), "{store} failed");
        }
        say(&format!("{} passed, 0 failed", STORES.len()));
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        match store.as_str() {
            "InMemory" => in_memory().await,
            #[cfg(feature = "redis")]
            "Redis" => redis().await,
            other => panic!("there is no store {other}"),
        }
    });
}
