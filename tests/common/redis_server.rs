//! A redis-server of a test's own: on a free port of this machine, with its files in a folder that
//! goes with it.

#![allow(dead_code, unreachable_pub, reason = "no test file uses all of it")]

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

pub struct RedisServer {
    port: u16,
    folder: PathBuf,
    arguments: Vec<String>,
    process: Option<Child>,
}

impl RedisServer {
    /// Starts one that keeps nothing, with further arguments such as `--maxmemory 2mb`.
    pub fn start(arguments: &str) -> Self {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let name = format!("iiif-auth-redis-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).expect("a folder for redis-server");
        let port = free_port();
        let arguments = arguments.split_whitespace().map(str::to_owned).collect();
        let mut server = Self { port, folder, arguments, process: None };
        server.begin();
        server
    }

    /// One that writes down each change.
    pub fn keeping() -> Self {
        Self::start("--appendonly yes --appendfsync always")
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub fn socket_url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    /// Where it keeps its files.
    pub fn folder(&self) -> &std::path::Path {
        &self.folder
    }

    fn socket(&self) -> PathBuf {
        self.folder.join("socket")
    }

    /// Starts it again after [`kill`](Self::kill) or [`stop`](Self::stop), with what it kept.
    pub fn begin(&mut self) {
        assert!(self.process.is_none(), "it runs already");
        let process = Command::new("redis-server")
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", ""])
            .args(["--daemonize", "no", "--loglevel", "warning"])
            .arg("--dir")
            .arg(&self.folder)
            .arg("--unixsocket")
            .arg(self.socket())
            .args(&self.arguments)
            .stdout(Stdio::null())
            .stdin(Stdio::null())
            .spawn()
            .expect("redis-server is needed for this test: install Debian's package redis-server");
        self.process = Some(process);
        let begun = Instant::now();
        // One that wants a password first has begun, too.
        let waits = |error: redis::RedisError| {
            error.is_io_error() || error.kind() == redis::ServerErrorKind::BusyLoading.into()
        };
        while self.try_ask(&["PING"]).is_err_and(waits) {
            let process = self.process.as_mut().expect("it was just started");
            if let Ok(Some(status)) = process.try_wait() {
                panic!("redis-server ended with {status}");
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "redis-server does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it as a crash would.
    pub fn kill(&mut self) {
        let mut process = self.process.take().expect("it runs");
        process.kill().expect("it can be killed");
        process.wait().expect("it ends");
    }

    /// Holds it up: connections stay, and nobody answers.
    pub fn pause(&self) {
        self.signal("STOP");
    }

    pub fn resume(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let id = self.process.as_ref().expect("it runs").id();
        let sent = Command::new("sh").args(["-c", &format!("kill -{name} {id}")]).status();
        assert!(sent.is_ok_and(|status| status.success()), "SIG{name} was not sent");
    }

    /// Sends a command past the library.
    pub fn ask<T: redis::FromRedisValue>(&self, command: &[&str]) -> T {
        let answer = self.try_ask(command).unwrap_or_else(|error| panic!("{command:?}: {error}"));
        redis::from_redis_value(answer).expect("an answer of this type")
    }

    pub fn try_ask(&self, command: &[&str]) -> redis::RedisResult<redis::Value> {
        let client = redis::Client::open(self.url())?;
        let mut connection = client.get_connection_with_timeout(Duration::from_secs(2))?;
        connection.set_read_timeout(Some(Duration::from_secs(5)))?;
        let mut packed = redis::cmd(command[0]);
        packed.arg(&command[1..]).query(&mut connection)
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            // It may be gone already.
            drop(process.kill());
            drop(process.wait());
        }
        drop(fs::remove_dir_all(&self.folder));
    }
}

/// A port that nobody listens on.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("it is bound").port()
}
