//! The project's own servers have no finding: the quickstart, and the reverse proxy in front of the
//! model server's open pictures.
//!
//! `QUICKSTART_BIN` and `REVERSE_PROXY_BIN` name programs that are built already; otherwise cargo
//! builds them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// A server that ends with its test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(command: &mut Command, port: u16) -> Server {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a server");
    let until = Instant::now() + Duration::from_secs(30);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(child.try_wait().expect("its state").is_none(), "the server ended");
        assert!(Instant::now() < until, "the server does not listen");
        std::thread::sleep(Duration::from_millis(50));
    }
    Server(child)
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("its address").port()
}

/// A program of the workspace.
fn program(variable: &str, arguments: &[&str], place: &str) -> PathBuf {
    if let Some(path) = std::env::var_os(variable) {
        return path.into();
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let built =
        Command::new(env!("CARGO")).arg("build").args(arguments).current_dir(&root).status();
    assert!(built.expect("cargo").success());
    let target = Path::new(env!("CARGO_BIN_EXE_iiif-auth-check")).parent().expect("a folder");
    target.join(place)
}

fn check(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_iiif-auth-check"))
        .args(["--rate", "0", "--format", "json", "--fail-on", "should", "--quiet"])
        .args(arguments)
        .output()
        .expect("the checker")
}

/// No finding of any weight but `viewer`, and these many checks passed.
fn is_right(arguments: &[&str], least: usize) -> Value {
    let output = check(arguments);
    let text = String::from_utf8_lossy(&output.stdout);
    let report: Value = serde_json::from_str(&text).unwrap_or_else(|_| {
        panic!("{arguments:?}: {text}{}", String::from_utf8_lossy(&output.stderr))
    });
    for severity in ["must", "should", "safety"] {
        assert_eq!(
            report["counts"][severity], 0,
            "{arguments:?} {severity}: {:#}",
            report["findings"]
        );
    }
    assert!(output.status.success(), "{arguments:?}");
    let passed = report["passed"].as_array().map_or(0, Vec::len);
    assert!(passed >= least, "{arguments:?}: only {passed} checks passed: {:#}", report["unclear"]);
    report
}

const READER: [&str; 4] = ["--field", "username=curator", "--field", "password=curator"];
const SAFETY: [&str; 2] = ["--safety", "--this-server-is-mine"];

#[test]
fn the_quickstart_has_no_finding() {
    let program = program("QUICKSTART_BIN", &["--example", "quickstart"], "examples/quickstart");
    let port = free_port();
    let listen = format!("127.0.0.1:{port}");
    let base = format!("http://{listen}");
    let mut command = Command::new(program);
    command.args([
        "--listen",
        &listen,
        "--public-url",
        &base,
        "--kiosk",
        "--reading-room",
        "192.0.2.0/24",
    ]);
    let _server = start(&mut command, port);
    for (path, least) in [
        ("/iiif/3/reader/info.json", 100),
        ("/iiif/2/reader/info.json", 75),
        ("/iiif/0.9/reader/info.json", 75),
        ("/iiif/3/tiered/info.json", 100),
        ("/iiif/2/tiered/info.json", 75),
    ] {
        let url = format!("{base}{path}");
        is_right(&[&READER[..], &SAFETY[..], &[url.as_str()]].concat(), least);
    }
    for (path, least) in [
        ("/iiif/3/terms/info.json", 100),
        ("/iiif/2/terms/info.json", 75),
        ("/iiif/3/foyer/info.json", 100),
    ] {
        let url = format!("{base}{path}");
        is_right(&[&SAFETY[..], &["--click", url.as_str()]].concat(), least);
    }
    for path in
        ["/iiif/3/reading-room/info.json", "/iiif/3/embargoed/info.json", "/iiif/3/open/info.json"]
    {
        let url = format!("{base}{path}");
        is_right(&[&SAFETY[..], &[url.as_str()]].concat(), 5);
    }
    for path in ["/manifests/all.json", "/manifests/2/all.json"] {
        let url = format!("{base}{path}");
        is_right(&[&READER[..], &SAFETY[..], &["--resources", "12", url.as_str()]].concat(), 75);
    }
}

/// The first line that a program prints.
fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("output")).read_line(&mut line).expect("a line");
    line.trim().trim_end_matches('/').to_owned()
}

fn model(arguments: &[&str]) -> (Server, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_iiif-auth-check"))
        .args(["serve", "--listen", "127.0.0.1:0"])
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn()
        .expect("a model server");
    let base = first_line(&mut child);
    (Server(child), base)
}

#[test]
fn the_reverse_proxy_has_no_finding() {
    let program = program("REVERSE_PROXY_BIN", &["-p", "iiif-auth-proxy"], "iiif-auth-proxy");
    let (_model, upstream) = model(&[]);
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("proxy");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("key"), key()).expect("a key");
    let hash = hashed(&program, "reader");
    std::fs::write(folder.join("users"), format!("ada:{hash}:reader\n")).expect("users");
    let port = free_port();
    let base = format!("http://127.0.0.1:{port}");
    let configuration = format!(
        "listen = \"127.0.0.1:{port}\"\npublic_url = \"{base}\"\nkey_file = \"key\"\n\
         [upstream]\nurl = \"{upstream}\"\n[[base]]\npath = \"/iiif/3\"\n\
         [[base]]\npath = \"/iiif/2\"\nfamilies = [\"1.0\"]\n\
         [[rule]]\nmatch = [\"*\"]\nallow = [\"reader\"]\n\
         [[access]]\nkind = \"login\"\nlabel = {{ en = \"Example Library\" }}\nusers_file = \"users\"\n\
         heading = {{ en = \"Please log in\" }}\nnote = {{ en = \"With your card.\" }}\nconfirm_label = {{ en = \"Log in\" }}\n"
    );
    let file = folder.join("proxy.toml");
    std::fs::write(&file, configuration).expect("a configuration");
    let _server = start(Command::new(program).arg("--config").arg(&file), port);
    for (path, least) in [("/iiif/3/open/info.json", 80), ("/iiif/2/open/info.json", 60)] {
        let url = format!("{base}{path}");
        let login = ["--field", "username=ada", "--field", "password=reader"];
        is_right(&[&login[..], &SAFETY[..], &[url.as_str()]].concat(), least);
    }
}

/// A random one.
fn key() -> String {
    use base64::Engine as _;
    use ring::rand::{SecureRandom as _, SystemRandom};
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).expect("random bytes");
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// As the proxy's own command writes it.
fn hashed(program: &Path, password: &str) -> String {
    let mut child = Command::new(program)
        .arg("--hash-password")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the proxy");
    writeln!(child.stdin.take().expect("input"), "{password}").expect("a password");
    let output = child.wait_with_output().expect("a hash");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
