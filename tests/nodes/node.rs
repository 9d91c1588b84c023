//! A node: the quickstart as a process of its own.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Builds the quickstart with the store, and says where it is. `QUICKSTART_BIN` names one that is there.
pub(crate) fn build() -> PathBuf {
    if let Some(built) = std::env::var_os("QUICKSTART_BIN") {
        return built.into();
    }
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--example", "quickstart", "--features", "redis"]);
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    // What cargo tells this test about its package would make build scripts run anew.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            build.env_remove(&name);
        }
    }
    let done = build.current_dir(env!("CARGO_MANIFEST_DIR")).status();
    assert!(done.is_ok_and(|status| status.success()), "the quickstart does not build");
    // This test is in target/PROFILE/deps.
    let here = std::env::current_exe().expect("the test's own path");
    let profile = here.parent().and_then(Path::parent).expect("cargo's folder");
    profile.join("examples").join("quickstart")
}

pub(crate) struct Node {
    program: PathBuf,
    pub(crate) address: SocketAddr,
    arguments: Vec<String>,
    process: Option<Child>,
}

impl Node {
    pub(crate) fn start(program: &Path, port: u16, arguments: Vec<String>) -> Self {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut node = Self { program: program.to_owned(), address, arguments, process: None };
        node.begin();
        node
    }

    pub(crate) fn begin(&mut self) {
        assert!(self.process.is_none(), "it runs already");
        let process = Command::new(&self.program)
            .args(["--listen", &self.address.to_string()])
            .args(&self.arguments)
            .env("RUST_LOG", "off")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("the quickstart starts");
        self.process = Some(process);
        let begun = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            let process = self.process.as_mut().expect("it was just started");
            if let Ok(Some(status)) = process.try_wait() {
                panic!("a node ended with {status}");
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "a node does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Lets it finish what it is at, and waits for its end.
    pub(crate) fn stop(&mut self) {
        let mut process = self.process.take().expect("it runs");
        let sent = Command::new("sh").args(["-c", &format!("kill -INT {}", process.id())]).status();
        assert!(sent.is_ok_and(|status| status.success()), "SIGINT was not sent");
        process.wait().expect("it ends");
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        let mut process = self.process.take().expect("it runs");
        process.kill().expect("it can be killed");
        process.wait().expect("it ends");
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            // It may be gone already.
            drop(process.kill());
            drop(process.wait());
        }
    }
}
