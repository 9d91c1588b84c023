//! The proxy ends TLS itself.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{Method, Request, Version};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use iiif_auth_proxy::config::Config;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::program::{Program, command};
use crate::redis_server::free_port;
use crate::support::{PIXELS, Proxy, Upstream, config, folder, image, request, with_keys};

/// A certificate and its key, as files; the certificate.
fn certify(folder: &Path) -> String {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    std::fs::write(folder.join("certificate.pem"), made.cert.pem()).unwrap();
    made.cert.pem()
}

async fn connect(
    address: SocketAddr,
    certificate: &str,
    protocol: &str,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

/// A tile by HTTP/1.1 or 2: its version, text and HSTS.
async fn tile(stream: TlsStream<TcpStream>, version: Version) -> (Version, String, String) {
    let uri = format!("https://localhost{}", image("pub"));
    let request = Request::get(uri).header("host", "localhost").body(Empty::<bytes::Bytes>::new());
    let (io, request) = (TokioIo::new(stream), request.unwrap());
    let answer = if version == Version::HTTP_2 {
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
        tokio::spawn(connection);
        sender.send_request(request).await.unwrap()
    } else {
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
        tokio::spawn(connection);
        sender.send_request(request).await.unwrap()
    };
    let hsts = answer.headers().get("strict-transport-security");
    let hsts = hsts.map_or("", |own| own.to_str().unwrap()).to_owned();
    let version = answer.version();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (version, String::from_utf8(body.to_vec()).unwrap(), hsts)
}

const TLS: &str = "[tls]\ncertificate_file = \"certificate.pem\"\nkey_file = \"key.pem\"\n";

#[tokio::test]
async fn both_versions_are_spoken_and_plain_http_is_sent_on() {
    let upstream = Upstream::new().await;
    let folder = folder();
    let certificate = certify(&folder);
    let keys = "redirect_from = \"127.0.0.1:0\"\nhsts = \"365d\"\n";
    let proxy = Proxy::within(&format!("{}{TLS}{keys}", config(upstream.address)), &folder).await;
    for (protocol, version) in [("http/1.1", Version::HTTP_11), ("h2", Version::HTTP_2)] {
        let stream = connect(proxy.address, &certificate, protocol).await.unwrap();
        let got = tile(stream, version).await;
        assert_eq!(got, (version, PIXELS.to_owned(), "max-age=31536000".to_owned()));
    }
    let plain = proxy.redirect.unwrap();
    for (method, path, status, location) in [
        (
            Method::GET,
            "/iiif/3/a%2Fb/info.json?x=y",
            308,
            "https://iiif.example/iiif/3/a%2Fb/info.json?x=y",
        ),
        (Method::HEAD, "/", 308, "https://iiif.example/"),
        (Method::POST, "/auth/login", 403, ""),
    ] {
        let answer = request(plain, method, path, &[("host", "evil.example")], "").await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (status, location));
        assert_eq!(answer.header("strict-transport-security"), "");
    }
    // Who speaks plainly to the wrong port is not answered, and nobody else waits.
    let silent = TcpStream::connect(proxy.address).await.unwrap();
    assert!(connect(proxy.address, &certificate, "h2").await.is_ok());
    drop(silent);
}

/// Without `hsts` nothing is promised; a front is not missed where TLS ends here.
#[tokio::test]
async fn hsts_is_a_choice() {
    let upstream = Upstream::new().await;
    let folder = folder();
    let certificate = certify(&folder);
    let text = format!("{}{TLS}", config(upstream.address));
    let warnings = Config::read(&text, &folder).unwrap().warnings;
    assert!(!warnings.iter().any(|own| own.message.contains("trusted_proxies")), "{warnings:?}");
    let proxy = Proxy::within(&text, &folder).await;
    let stream = connect(proxy.address, &certificate, "http/1.1").await.unwrap();
    assert_eq!(tile(stream, Version::HTTP_11).await.2, "");
}

/// A renewed certificate greets the next connection; those that are open stay.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewed_certificate_is_taken_up() {
    let upstream = Upstream::new().await;
    let (folder, port) = (folder(), free_port());
    let before = certify(&folder);
    let text = format!("{}{TLS}", config(upstream.address));
    let text = text.replace("127.0.0.1:0", &format!("127.0.0.1:{port}"));
    let text = with_keys(&text, "reload_interval = \"100ms\"");
    std::fs::write(folder.join("proxy.toml"), text).unwrap();
    let program = Program::start(command(&folder), port).await;
    let open = connect(program.address, &before, "http/1.1").await.unwrap();
    let after = certify(&folder);
    let begun = Instant::now();
    let fresh = loop {
        if let Ok(stream) = connect(program.address, &after, "http/1.1").await {
            break stream;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "it is never taken up");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(connect(program.address, &before, "http/1.1").await.is_err());
    for stream in [open, fresh] {
        assert_eq!(tile(stream, Version::HTTP_11).await.1, PIXELS);
    }
    // Half a certificate leaves the old one.
    std::fs::write(folder.join("key.pem"), "-----BEGIN").unwrap();
    program.signal("HUP");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(connect(program.address, &after, "http/1.1").await.is_ok());
    let log = program.stop();
    assert!(log.contains("key_file") && log.contains("cannot be read"), "{log}");
}

#[test]
fn mistakes_have_their_lines() {
    let right = config("127.0.0.1:1".parse().unwrap());
    let (folder, other) = (folder(), folder());
    certify(&folder);
    certify(&other);
    std::fs::copy(other.join("key.pem"), folder.join("other.pem")).unwrap();
    let first = right.matches('\n').count() + 1;
    for (text, line, said) in [
        ("[tls]\nkey_file = \"key.pem\"", 0, "certificate_file is missing in [tls]"),
        ("[tls]\ncertificate_file = \"none\"\nkey_file = \"key.pem\"", 1, "none cannot be read"),
        (
            "[tls]\ncertificate_file = \"certificate.pem\"\nkey_file = \"users\"",
            2,
            "cannot be read",
        ),
        (
            "[tls]\ncertificate_file = \"certificate.pem\"\nkey_file = \"other.pem\"",
            0,
            "do not go together",
        ),
        (&format!("{TLS}redirect_from = \"80\""), 3, "no address to listen on"),
        (&format!("{TLS}hsts = \"ever\""), 3, "is no time"),
        (&format!("{TLS}hst = \"1d\""), 3, "hst is not known in [tls]"),
    ] {
        let mistakes = Config::read(&format!("{right}{text}\n"), &folder).expect_err(said);
        let told =
            mistakes.iter().any(|own| own.line == first + line && own.message.contains(said));
        assert!(told, "line {}: {said}\n{mistakes}", first + line);
    }
}
