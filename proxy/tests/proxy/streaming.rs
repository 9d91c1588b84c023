//! Bodies are streamed, however long they are, in the proxy as it is run.

use std::convert::Infallible;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::pin::Pin;
use std::process::{Child, Command, Stdio};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{PIXELS, config, folder, image, request, with_keys};

const GIB: u64 = 1 << 30;

/// That many zeros.
struct Zeros(u64);

impl Body for Zeros {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        static CHUNK: [u8; 64 << 10] = [0; 64 << 10];
        let length = self.0.min(CHUNK.len() as u64);
        self.0 -= length;
        let chunk = Bytes::from_static(&CHUNK[..usize::try_from(length).unwrap()]);
        Poll::Ready((length > 0).then(|| Ok(Frame::data(chunk))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0)
    }
}

/// An image server with one very large picture, which counts what it is sent.
async fn large() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = service_fn(async |request: Request<Incoming>| {
                let (head, mut body) = request.into_parts();
                let mut counted = 0;
                while let Some(Ok(frame)) = body.frame().await {
                    counted += frame.data_ref().map_or(0, |data| data.len() as u64);
                }
                let body = match head.uri.path() {
                    path if path.contains("pub-large") => Zeros(GIB).boxed(),
                    path if path.starts_with("/app") => Full::from(counted.to_string()).boxed(),
                    _ => Full::from(PIXELS).boxed(),
                };
                Ok::<_, Infallible>(Response::new(body))
            });
            tokio::spawn(async move {
                let builder = auto::Builder::new(TokioExecutor::new());
                let _ = builder.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    address
}

/// The program itself.
struct Program {
    child: Child,
    address: SocketAddr,
}

impl Program {
    fn before(upstream: SocketAddr) -> Self {
        let folder = folder();
        let file = folder.join("proxy.toml");
        let config = config(upstream).replace("idle_timeout = \"20s\"", "idle_timeout = \"2s\"");
        let keys = "public_paths = [\"/app/*\"]";
        std::fs::write(&file, with_keys(&config, keys)).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_iiif-auth-proxy"))
            .arg("--config")
            .arg(&file)
            .env_remove("RUST_LOG")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("listening") {
            line.clear();
            assert!(log.read_line(&mut line).unwrap() > 0, "it has ended");
        }
        // A log that nobody reads would stop the program.
        std::thread::spawn(move || log.lines().map_while(Result::ok).for_each(drop));
        let plain: String = line.replace("\u{1b}[0m", "");
        let address = plain.split("127.0.0.1:").nth(1).unwrap();
        let port = address.chars().take_while(char::is_ascii_digit).collect::<String>();
        Self { child, address: format!("127.0.0.1:{port}").parse().unwrap() }
    }

    /// The most memory that it has had, in bytes.
    fn peak(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const MIB: u64 = 1 << 20;

/// A body of 1 GiB moves the program's peak memory by less than 16 MiB, in either direction.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_of_1_gib_is_streamed() {
    let program = Program::before(large().await);
    for _ in 0..20 {
        request(program.address, Method::GET, &image("pub"), &[], "").await;
    }
    let before = program.peak();

    let mut stream = TcpStream::connect(program.address).await.unwrap();
    let path = image("pub-large");
    let text = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut buffer = vec![0; 256 << 10];
    let mut received = 0;
    while let read @ 1.. = stream.read(&mut buffer).await.unwrap() {
        received += read as u64;
    }
    assert!(received > GIB && received < GIB + 1000, "{received}");
    let down = program.peak() - before;
    println!("1 GiB down moved the peak by {} KiB", down >> 10);
    assert!(down < 16 * MIB, "{down}");

    let mut stream = TcpStream::connect(program.address).await.unwrap();
    let head = format!(
        "POST /app/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        GIB / 4
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = vec![0; 1 << 20];
    for _ in 0..256 {
        stream.write_all(&chunk).await.unwrap();
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with(&(GIB / 4).to_string()), "{answer}");
    let both = program.peak() - before;
    println!("256 MiB up moved it to {} KiB", both >> 10);
    assert!(both < 16 * MIB, "{both}");
}

/// RE-15: a reader who takes a byte a second keeps no more than 256 KiB of a picture in memory, and
/// nobody from theirs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn re_15_slow_readers_are_no_burden() {
    const READERS: u64 = 64;
    let program = Program::before(large().await);
    for _ in 0..20 {
        request(program.address, Method::GET, &image("pub"), &[], "").await;
    }
    let before = program.peak();
    let mut readers = Vec::new();
    for _ in 0..READERS {
        let mut stream = TcpStream::connect(program.address).await.unwrap();
        let text = format!("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", image("pub-large"));
        stream.write_all(text.as_bytes()).await.unwrap();
        readers.push(stream);
    }
    // Longer than idle_timeout: that the reader is slow is no fault of the image server's.
    for _ in 0..4 {
        for reader in &mut readers {
            assert!(reader.read_u8().await.is_ok());
        }
        let path = image("pub");
        let quick = request(program.address, Method::GET, &path, &[], "");
        let quick = tokio::time::timeout(Duration::from_secs(30), quick).await.expect("in time");
        assert_eq!(quick.text(), PIXELS);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let grown = program.peak() - before;
    println!("{READERS} slow readers moved the peak by {} KiB", grown >> 10);
    assert!(grown < READERS * (256 << 10), "{grown}");
    // And they can go on.
    let mut buffer = vec![0; 1 << 20];
    for reader in &mut readers {
        let mut received = 0;
        while received < 8 << 20 {
            let read = reader.read(&mut buffer).await.unwrap();
            assert!(read > 0, "cut off");
            received += read;
        }
    }
}
