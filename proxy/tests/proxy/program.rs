//! The program itself, as an operator starts it, and what it writes.

use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

/// Its command, with the `proxy.toml` in this folder.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_iiif-auth-proxy"));
    command.arg("--config").arg(folder.join("proxy.toml")).env_remove("RUST_LOG");
    command
}

/// It ends with the test, also where that fails.
pub(crate) struct Program {
    pub(crate) address: SocketAddr,
    child: Child,
    log: Option<JoinHandle<String>>,
}

impl Program {
    /// Waits until it listens at this port.
    pub(crate) async fn start(mut command: Command, port: u16) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut log = child.stderr.take().unwrap();
        let log = std::thread::spawn(move || {
            let mut text = String::new();
            log.read_to_string(&mut text).unwrap();
            text
        });
        let program = Self { address: ([127, 0, 0, 1], port).into(), child, log: Some(log) };
        while TcpStream::connect(program.address).is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        program
    }

    /// A size of the kernel's account of it, in bytes: `VmRSS`, or `VmHWM` for the largest so far.
    pub(crate) fn memory(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let size = line.unwrap().trim().strip_suffix(" kB").unwrap();
        size.parse::<u64>().unwrap() << 10
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let kill = Command::new("kill").args([&format!("-{name}"), &id]).status();
        assert!(kill.unwrap().success());
    }

    /// Ends it as service managers do; all that it has written.
    pub(crate) fn stop(mut self) -> String {
        self.signal("TERM");
        assert!(self.child.wait().unwrap().success());
        self.log.take().expect("only once").join().unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may be gone already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
