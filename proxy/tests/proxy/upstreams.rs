//! Image servers over TLS, through a socket, several for the same images, and several for different ones.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use iiif_auth_proxy::config::Config;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::redis_server::free_port;
use crate::support::{Proxy, Upstream, config, folder, image, request};

/// The address that an upstream's `url` has in the common configuration.
const PLACE: &str = "127.0.0.1:1";

fn with_url(url: &str) -> String {
    config(PLACE.parse().unwrap()).replace(&format!("\"http://{PLACE}\""), url)
}

/// Answers one connection with what it was asked: target and `Host`.
async fn answer(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
    let service = service_fn(|request: Request<Incoming>| async move {
        let host = request.headers()["host"].to_str().unwrap().to_owned();
        let target = request.uri().to_string();
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let text = format!("{target} {host} {}", body.len());
        let mut response = Response::new(Full::<bytes::Bytes>::from(text));
        if target.contains("pub-moved") {
            *response.status_mut() = http::StatusCode::FOUND;
            let location = format!("https://{host}/iiif/3/pub/info.json");
            response.headers_mut().insert("location", location.parse().unwrap());
        }
        Ok::<_, Infallible>(response)
    });
    let builder = auto::Builder::new(TokioExecutor::new());
    drop(builder.serve_connection(TokioIo::new(stream), service).await);
}

/// A server with a certificate for `localhost`, which is also its own authority: `ca.pem`.
async fn over_tls(folder: &Path) -> SocketAddr {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("ca.pem"), made.cert.pem()).unwrap();
    let certificate = CertificateDer::from_pem_slice(made.cert.pem().as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(made.signing_key.serialize_pem().as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    answer(stream).await;
                }
            });
        }
    });
    address
}

/// An https server is asked if its certificate is of a known authority and for its name, and else not.
#[tokio::test]
async fn an_image_server_over_tls() {
    let folder = folder();
    let port = over_tls(&folder).await.port();
    let right = format!("\"https://localhost:{port}\"\nca_file = \"ca.pem\"");
    let proxy = Proxy::within(&with_url(&right), &folder).await;
    let got = proxy.get(&image("pub"), &[]).await;
    assert_eq!(got.text(), format!("{} localhost:{port} 0", image("pub")));
    // Its own address in a redirect is the public one outside.
    let moved = proxy.get(&image("pub-moved"), &[]).await;
    assert_eq!(moved.header("location"), "https://iiif.example/iiif/3/pub/info.json");
    assert_eq!(proxy.get(&image("sec"), &[]).await.status, 401);

    for wrong in [
        // Of another name, and of an authority that nobody knows.
        format!("\"https://127.0.0.1:{port}\"\nca_file = \"ca.pem\""),
        format!("\"https://localhost:{port}\""),
        format!("\"http://localhost:{port}\""),
    ] {
        let proxy = Proxy::within(&with_url(&wrong), &folder).await;
        let got = proxy.get(&image("pub"), &[]).await;
        assert!(
            [400, 502].contains(&got.status.as_u16()),
            "{wrong}: {} {}",
            got.status,
            got.text()
        );
        assert!(!got.text().contains("localhost"), "{wrong}: {}", got.text());
    }
}

#[tokio::test]
async fn an_image_server_through_a_socket() {
    let folder = folder();
    let path = folder.join("s");
    let listener = UnixListener::bind(&path).unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream));
        }
    });
    let text = with_url(&format!("\"unix:{}\"", path.display()));
    let text = format!("{text}[admin]\nlisten = \"127.0.0.1:0\"\n");
    let proxy = Proxy::within(&text, &folder).await;
    for _ in 0..3 {
        let got = proxy.get(&image("pub"), &[]).await;
        assert_eq!(got.text(), format!("{} localhost 0", image("pub")));
    }
    let ready = || request(proxy.admin.unwrap(), Method::GET, "/readyz", &[], "");
    assert_eq!(ready().await.status, 200);
    let named = with_url(&format!("\"unix:{}\"\nhost = \"images.example\"", path.display()));
    let named = Proxy::within(&named, &folder).await;
    assert!(named.get(&image("pub"), &[]).await.text().ends_with(" images.example 0"));

    // The public address of a place inside has no port that nobody listens on.
    std::fs::remove_file(&path).unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let ready = ready().await;
    assert!(ready.status == 503 && ready.text().contains("unix:"), "{}", ready.text());
}

/// Servers with the same images are asked in turn; one that is down is passed over, and asked again when
/// it is back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_servers_for_the_same_images() {
    let (one, two) = (Upstream::new().await, Upstream::new().await);
    let down = format!("127.0.0.1:{}", free_port());
    let urls =
        format!("[\"http://{}\", \"http://{down}\", \"http://{}\"]", one.address, two.address);
    let text = format!("{}[admin]\nlisten = \"127.0.0.1:0\"\n", with_url(&urls));
    let proxy = Proxy::with(&text).await;
    for _ in 0..30 {
        assert_eq!(proxy.get(&image("pub"), &[]).await.status, 200);
    }
    let (first, second) = (one.count(), two.count());
    assert!(first + second == 30 && first.min(second) >= 8, "{first} {second}");
    let ready = request(proxy.admin.unwrap(), Method::GET, "/readyz", &[], "").await;
    assert_eq!(ready.status, 200, "one is enough: {}", ready.text());
    assert!(ready.text().contains(&format!("upstream http://{down}: ")), "{}", ready.text());

    // It is there now, and is found when its rest is over.
    let listener = TcpListener::bind(&down).await.unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream));
        }
    });
    let begun = Instant::now();
    while !proxy.get(&image("pub"), &[]).await.text().contains(&down) {
        assert!(begun.elapsed() < Duration::from_secs(15), "it is never asked again");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// None of them can be reached: the answer is 502, in time.
#[tokio::test]
async fn no_server_can_be_reached() {
    let urls =
        format!("[\"http://127.0.0.1:{}\", \"http://127.0.0.1:{}\"]", free_port(), free_port());
    let proxy = Proxy::with(&with_url(&urls)).await;
    for _ in 0..3 {
        let begun = Instant::now();
        assert_eq!(proxy.get(&image("pub"), &[]).await.status, 502);
        assert!(begun.elapsed() < Duration::from_secs(4));
    }
}

/// Bases and public paths say which image server has them, and each is told in its own words.
#[tokio::test]
async fn each_base_has_its_server() {
    let (images, files) = (Upstream::new().await, Upstream::new().await);
    let text = config(images.address)
        .replace("[upstream]", "[[upstream]]")
        .replace(
            "[[base]]\npath = \"/iiif/3\"",
            &format!(
                "[[upstream]]\nname = \"files\"\nurl = \"http://{}\"\nuser_header = \"x-user\"\n\
                 [[base]]\npath = \"/files\"\nkind = \"files\"\nupstream = \"files\"\n\
                 [[base]]\npath = \"/iiif/3\"",
                files.address
            ),
        )
        .replace(
            "key_file",
            "public_paths = [\"/a/*\", { path = \"/b/*\", upstream = \"files\" }]\nkey_file",
        );
    let proxy = Proxy::with(&text).await;
    let cookie = proxy.log_in("ada").await;
    let headers = [("cookie", &*cookie), ("x-user", "eve")];
    for (path, server, user) in [
        (&*image("sec"), &images, &[][..]),
        ("/files/sec.pdf", &files, &["ada"]),
        ("/a/x", &images, &[]),
        ("/b/x", &files, &[]),
    ] {
        let before = server.count();
        assert_eq!(proxy.get(path, &headers).await.status, 200, "{path}");
        assert_eq!((server.count(), &*server.last().target), (before + 1, path));
        assert_eq!(server.last().folded("x-user"), user, "{path}");
    }
}

/// What is wrong with a server has its line.
#[test]
fn mistakes_have_their_lines() {
    let right = with_url("\"http://127.0.0.1:1\"");
    let line = right[..right.find("\nurl = ").unwrap()].matches('\n').count() + 2;
    for (url, behind, said) in [
        ("\"ftp://x\"", 0, "write it like"),
        ("\"http://x/iiif\"", 0, "upstream_path of a [[base]]"),
        ("\"unix:x\"", 0, "write it like"),
        ("3", 0, "expected a string"),
        ("[]", -1, "at least one"),
        ("[\"http://a\", \"b\"]", 0, "write it like"),
        ("\"http://a\"\nca_file = \"users\"", 1, "no meaning without an https"),
        ("\"https://a\"\nca_file = \"none\"", 1, "cannot be read"),
        ("\"https://a\"\nca_file = \"users\"", 1, "has no certificate"),
        ("\"http://a\"\nhealth_path = \"x\"", 1, "\"x\" is no path"),
        ("\"http://a\"\n[[rule]]\nmatch = [\"x\"]\nallow = \"nobody\"", 0, ""),
    ] {
        let text = right.replace("\"http://127.0.0.1:1\"", url);
        let found = match Config::read(&text, &folder()) {
            Ok(_) => Vec::new(),
            Err(mistakes) => mistakes.iter().map(|own| (own.line, own.message.clone())).collect(),
        };
        let told = found.iter().any(|(own, text)| {
            *own == line.checked_add_signed(behind).unwrap() && text.contains(said)
        });
        assert!(told || said.is_empty(), "{url}: {said}\n{found:#?}");
    }
    for (upstreams, key, said) in [
        (
            "[[upstream]]\nurl = \"http://a\"\n[[upstream]]\nurl = \"http://b\"",
            "",
            "two [[upstream]] have no name",
        ),
        (
            "[[upstream]]\nname = \"a\"\nurl = \"http://a\"\n[[upstream]]\nname = \"a\"\nurl = \"http://b\"",
            "upstream = \"a\"",
            "two [[upstream]] are called \"a\"",
        ),
        ("[[upstream]]\nname = \"a\"\nurl = \"http://a\"", "", "every [[upstream]] has a name"),
        ("[upstream]\nurl = \"http://a\"", "upstream = \"b\"", "no [[upstream]] is called \"b\""),
        ("[upstream]\nurl = \"x\"", "upstream = \"b\"", "url: "),
    ] {
        let text = format!(
            "listen = \"127.0.0.1:0\"\npublic_url = \"https://a.example\"\nkey_file = \"key\"\n\
             {upstreams}\n[[base]]\npath = \"/iiif/3\"\n{key}\n[[access]]\nkind = \"login\"\n\
             label = \"L\"\nusers_file = \"users\"\n"
        );
        let mistakes = Config::read(&text, &folder()).expect_err(upstreams).to_string();
        assert!(
            mistakes.contains(said) && mistakes.lines().count() == 1,
            "{upstreams}: {mistakes}"
        );
    }
}
