//! The program as people call it: exit codes, formats, what is sent and what is not.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn model(arguments: &[&str]) -> (Server, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_iiif-auth-check"))
        .args(["serve", "--listen", "127.0.0.1:0"])
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn()
        .expect("a model server");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("output")).read_line(&mut line).expect("a line");
    (Server(child), line.trim().trim_end_matches('/').to_owned())
}

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_iiif-auth-check"))
        .arg("--quiet")
        .args(arguments)
        .output()
        .expect("the checker")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn exit_codes_follow_what_was_found() {
    let (_right, right) = model(&[]);
    let (_wrong, wrong) = model(&["--mutant", "plain-texts"]);
    let url = |base: &str| format!("{base}/iiif/3/login/info.json");
    let code = |arguments: &[&str]| run(arguments).status.code();
    assert_eq!(code(&["--rate", "0", &url(&right)]), Some(0));
    // A `should`, and by default a `must` is needed.
    assert_eq!(code(&["--rate", "0", &url(&wrong)]), Some(0));
    assert_eq!(code(&["--rate", "0", "--fail-on", "should", &url(&wrong)]), Some(1));
    assert_eq!(
        code(&["--rate", "0", "--fail-on", "should", "--skip", "plain-texts", &url(&wrong)]),
        Some(0)
    );
    assert_eq!(
        code(&["--rate", "0", "--fail-on", "viewer", "--only", "plain-", &url(&wrong)]),
        Some(1)
    );
    assert_eq!(code(&["--rate", "0", &format!("{right}/nothing")]), Some(2));
    assert_eq!(code(&["http://127.0.0.1:1/info.json"]), Some(2));
    assert_eq!(code(&["--nonsense"]), Some(2));
    assert_eq!(code(&["serve", "--mutant", "nonsense"]), Some(2));
}

#[test]
fn reports_say_what_where_and_why() {
    let (_server, base) = model(&["--mutant", "probe-http-200"]);
    let url = format!("{base}/iiif/3/login/info.json");
    let report = text(&run(&["--rate", "0", &url]));
    for part in [
        "MUST  probe-http-200",
        "HTTP 401",
        "2.0 §5.2",
        "V2-PROBE-4",
        "/probe/3/login",
        "Viewers:",
        "CanvasPanel",
    ] {
        assert!(report.contains(part), "{part}: {report}");
    }
    let junit = text(&run(&["--rate", "0", "--format", "junit", &url]));
    assert!(
        junit.contains("failures=\"1\"") && junit.contains("name=\"probe-http-200\""),
        "{junit}"
    );
    let page = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("report.html");
    let output =
        run(&["--rate", "0", "--format", "html", "--output", &page.to_string_lossy(), &url]);
    assert!(output.stdout.is_empty());
    assert!(std::fs::read_to_string(page).expect("a page").contains("probe-http-200"));
}

#[test]
fn a_dry_run_fetches_descriptions_and_tells_the_rest() {
    let (_server, base) = model(&[]);
    let url = format!("{base}/iiif/3/login/info.json");
    let plan = text(&run(&[
        "--rate",
        "0",
        "--dry-run",
        "--field",
        "user=reader",
        "--field",
        "password=verysecret",
        &url,
    ]));
    for part in ["GET ", "/probe/3/login", "/token/2/login", "/access/2/login", "OPTIONS "] {
        assert!(plan.contains(part), "{part}: {plan}");
    }
    assert!(!plan.contains("verysecret"));
}

#[test]
fn secrets_go_to_the_servers_own_origin_alone() {
    // The services are declared at another origin than the one that was named.
    let (_server, base) = model(&[]);
    let elsewhere = base.replace("127.0.0.1", "localhost");
    let url = format!("{elsewhere}/iiif/3/login/info.json");
    let report = text(&run(&[
        "--rate",
        "0",
        "--long",
        "--field",
        "user=reader",
        "--field",
        "password=reader",
        &url,
    ]));
    assert!(report.contains("not sent"), "{report}");
    assert!(!report.contains("token-object ("), "nobody was logged in there: {report}");
    let own = [
        "--rate",
        "0",
        "--long",
        "--own-origin",
        &base,
        "--field",
        "user=reader",
        "--field",
        "password=reader",
        &url,
    ];
    let report = text(&run(&own));
    assert!(report.contains("token-object ("), "{report}");
}

#[test]
fn it_is_never_faster_than_was_said() {
    let (_server, base) = model(&[]);
    let begin = Instant::now();
    let output = run(&["--rate", "20", "--limit", "30", &format!("{base}/iiif/3/login/info.json")]);
    assert!(begin.elapsed() >= Duration::from_millis(1300), "{:?}", begin.elapsed());
    assert!(text(&output).contains("30 requests"), "{}", text(&output));
}

#[test]
fn https_with_an_authority_of_its_own() {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("authority.pem");
    let (_server, base) = model(&["--tls", &file.to_string_lossy()]);
    let url = format!("{base}/iiif/3/login/info.json");
    assert!(base.starts_with("https://"));
    assert_eq!(run(&["--rate", "0", &url]).status.code(), Some(2), "nobody knows this authority");
    let trusted = [
        "--rate",
        "0",
        "--fail-on",
        "viewer",
        "--authority",
        &file.to_string_lossy(),
        "--field",
        "user=reader",
        "--field",
        "password=reader",
        &url,
    ];
    let output = run(&trusted);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert_eq!(run(&["--rate", "0", "--insecure-certificates", &url]).status.code(), Some(0));
}

/// A server that answers every request by this, until the test ends.
fn hostile(
    answer: impl Fn(&mut TcpStream, usize) -> std::io::Result<()> + Send + Clone + 'static,
) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let address = listener.local_addr().expect("its address");
    std::thread::spawn(move || {
        for (count, stream) in listener.incoming().flatten().enumerate() {
            let answer = answer.clone();
            std::thread::spawn(move || {
                let mut stream = stream;
                let _ = stream.read(&mut [0; 8192]);
                let _ = answer(&mut stream, count);
            });
        }
    });
    format!("http://{address}")
}

#[test]
fn nothing_is_endless() {
    let begin = Instant::now();
    let limits = ["--rate", "0", "--timeout", "2", "--limit", "40"];
    let code =
        |base: &str| run(&[&limits[..], &[&format!("{base}/info.json")]].concat()).status.code();
    // A body without an end, and one that never comes.
    let endless = hostile(|stream, _| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[")?;
        loop {
            stream.write_all(&[b' '; 8192])?;
        }
    });
    assert_eq!(code(&endless), Some(2));
    let silent = hostile(|_, _| {
        std::thread::sleep(Duration::from_secs(30));
        Ok(())
    });
    assert_eq!(code(&silent), Some(2));
    // Redirects in a circle, each to another path.
    let circle = hostile(|stream, count| {
        write!(
            stream,
            "HTTP/1.1 302 Found\r\nLocation: /{count}/info.json\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
    });
    assert_eq!(code(&circle), Some(2));
    // JSON as deep as it gets.
    let deep = hostile(|stream, _| {
        let body = "[".repeat(100_000);
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    });
    assert_eq!(code(&deep), Some(2));
    assert!(begin.elapsed() < Duration::from_secs(60), "{:?}", begin.elapsed());
}

fn answer(stream: &mut TcpStream, kind: &str, body: &str) -> std::io::Result<()> {
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// A description that names services of the server itself.
fn description(base: &str, further: &str) -> String {
    format!(
        "{{\"@context\": \"http://iiif.io/api/image/3/context.json\", \"id\": \"{base}/x\", {further}\"service\": [{{\"id\": \"{base}/probe\", \
         \"type\": \"AuthProbeService2\", \"service\": [{{\"id\": \"{base}/access\", \"type\": \"AuthAccessService2\", \"profile\": \"active\", \
         \"service\": [{{\"id\": \"{base}/token\", \"type\": \"AuthAccessTokenService2\"}}]}}]}}]}}"
    )
}

#[test]
fn a_server_that_falls_silent_is_left_alone() {
    let begin = Instant::now();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let own = Arc::new(std::sync::OnceLock::<String>::new());
    let known = own.clone();
    let base = hostile(move |stream, _| {
        if count.fetch_add(1, Ordering::SeqCst) == 0 {
            let base = known.wait().clone();
            return answer(stream, "application/json", &description(&base, ""));
        }
        std::thread::sleep(Duration::from_secs(30));
        Ok(())
    });
    own.set(base.clone()).expect("once");
    let output = run(&["--rate", "0", "--timeout", "1", "--long", &format!("{base}/x/info.json")]);
    assert!(text(&output).contains("did not answer several times"), "{}", text(&output));
    assert!(asked.load(Ordering::SeqCst) <= 6, "{asked:?}");
    assert!(begin.elapsed() < Duration::from_secs(15), "{:?}", begin.elapsed());
}

/// Names of a megabyte, thousands of services, pages without an end.
#[test]
fn long_documents_are_read_in_short_time() {
    let begin = Instant::now();
    let own = Arc::new(std::sync::OnceLock::<String>::new());
    let known = own.clone();
    let base = hostile(move |stream, count| {
        let base = known.wait().clone();
        if count > 2 {
            return answer(
                stream,
                "text/html",
                &"<form><input name=a><script>const {".repeat(100_000),
            );
        }
        let service = "{\"id\": \"https://a.example/p\", \"type\": \"AuthProbeService2\"}";
        let many = vec![service; 15_000].join(",");
        let name = "x".repeat(1 << 20);
        let further = format!("\"{name}\": {{\"service\": [{many}]}}, ");
        answer(stream, "application/json", &description(&base, &further))
    });
    own.set(base.clone()).expect("once");
    let output = run(&["--rate", "0", "--long", &format!("{base}/x/info.json")]);
    assert!(output.status.code().is_some());
    assert!(output.stdout.len() < 1 << 20, "{} bytes", output.stdout.len());
    assert!(begin.elapsed() < Duration::from_secs(90), "{:?}", begin.elapsed());
}

#[test]
fn what_servers_send_does_not_reach_the_terminal_raw() {
    let base = hostile(|stream, _| {
        let body = "{\"@context\": \"http://iiif.io/api/image/2/context.json\", \"@id\": \"http://127.0.0.1/\\u001b[2J\\u202e\", \
             \"width\": 1, \"service\": {\"profile\": \"http://iiif.io/api/auth/1/login\", \"label\": {\"x\": \"\\u001b]0;owned\\u0007\"}}}";
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    });
    let output = run(&["--rate", "0", "--long", &format!("{base}/info.json")]);
    let text = text(&output);
    assert!(text.contains("owned"), "{text}");
    assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text:?}");
}

#[test]
fn other_servers_words_lead_nowhere_inside() {
    // Services at an address inside: nothing is asked there.
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let inside = hostile(move |stream, _| {
        count.fetch_add(1, Ordering::SeqCst);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    });
    let declared = inside.clone();
    let base = hostile(move |stream, _| {
        let body = format!(
            "{{\"@context\": \"http://iiif.io/api/image/3/context.json\", \"id\": \"https://a.example/x\", \"service\": [{{\"id\": \"{declared}/probe\", \
             \"type\": \"AuthProbeService2\", \"service\": [{{\"id\": \"{declared}/access\", \"type\": \"AuthAccessService2\", \"profile\": \"active\"}}]}}]}}"
        );
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    });
    let output = run(&["--rate", "0", "--field", "user=reader", &format!("{base}/info.json")]);
    assert_ne!(output.status.code(), Some(2), "{}", text(&output));
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}
