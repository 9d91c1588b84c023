//! A proxy on a port of this machine, an image server behind it, and clients that send what they like.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use iiif_auth_proxy::Server;
use iiif_auth_proxy::config::Config;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// What the image server answers for every picture.
pub(crate) const PIXELS: &str = "0123456789";

pub(crate) const SITE: &str = "https://iiif.example";

/// What an image server was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Asked {
    /// Every value of a name, as one server or another would fold it.
    pub(crate) fn folded(&self, name: &str) -> Vec<String> {
        let fold = |name: &str| name.replace('_', "-").to_lowercase();
        let own = self.headers.iter().filter(|(other, _)| fold(other.as_str()) == fold(name));
        own.map(|(_, value)| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
    }
}

/// An image server that remembers what it was asked.
#[derive(Clone)]
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Upstream {
    /// One that answers a picture or a description to everything.
    pub(crate) async fn new() -> Self {
        Self::answering(|asked| {
            let (kind, body) = if asked.target.ends_with("/info.json") {
                ("application/json", r#"{"@context":"http://iiif.io/api/image/3/context.json","width":9000,"height":6000}"#)
            } else {
                ("image/jpeg", PIXELS)
            };
            Response::builder().header("content-type", kind).body(Full::from(body)).unwrap()
        })
        .await
    }

    pub(crate) async fn answering(
        answer: impl Fn(&Asked) -> Response<Full<Bytes>> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (all, answer) = (Arc::clone(&asked), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (all, answer) = (Arc::clone(&all), Arc::clone(&answer));
                let service = service_fn(move |request: Request<Incoming>| {
                    let (all, answer) = (Arc::clone(&all), Arc::clone(&answer));
                    async move {
                        let (head, body) = request.into_parts();
                        let body = body.collect().await.unwrap().to_bytes();
                        let target = head.uri.path_and_query().unwrap().to_string();
                        let asked =
                            Asked { method: head.method, target, headers: head.headers, body };
                        let response = answer(&asked);
                        all.lock().unwrap().push(asked);
                        Ok::<_, Infallible>(response)
                    }
                });
                tokio::spawn(async move {
                    let builder = auto::Builder::new(TokioExecutor::new());
                    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { address, asked }
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn last(&self) -> Asked {
        self.asked.lock().unwrap().last().expect("the image server was asked").clone()
    }

    /// Forgets what it was asked so far.
    pub(crate) fn forget(&self) {
        self.asked.lock().unwrap().clear();
    }

    pub(crate) fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

/// A folder for one test, with a key and users: `ada` is a reader, `bob` a visitor.
pub(crate) fn folder() -> PathBuf {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("proxy-{}-{number}", std::process::id());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("key"), "CzVBV8+5XftzzYn/F6HFU1sl8cc/iU0Lw535z0dR9UM=\n").unwrap();
    let users = [("ada", "reader"), ("bob", "visitor")].map(|(name, role)| {
        format!("{name}:{}:{role}\n", bcrypt::hash(format!("{name}'s secret"), 4).unwrap())
    });
    std::fs::write(folder.join("users"), users.concat()).unwrap();
    for secret in ["key", "users"] {
        let only_ours = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(folder.join(secret), only_ours).unwrap();
    }
    folder
}

/// The configuration that most tests share: patient, as the machine may be busy with other tests.
pub(crate) fn config(upstream: SocketAddr) -> String {
    format!(
        r#"
listen = "127.0.0.1:0"
public_url = "{SITE}"
key_file = "key"

[upstream]
url = "http://{upstream}"
connect_timeout = "5s"
header_timeout = "20s"
idle_timeout = "20s"

[[base]]
path = "/iiif/3"

[[base]]
path = "/iiif/2"
families = ["1.0", "0.9"]

[[rule]]
match = ["pub*"]
allow = "everyone"

[[rule]]
match = ["sec*", "dir/sec"]
allow = ["reader"]

[[access]]
kind = "login"
label = {{ en = "Example Library" }}
users_file = "users"
"#
    )
}

/// Puts further keys before the first table.
pub(crate) fn with_keys(config: &str, keys: &str) -> String {
    format!("{keys}\n{config}")
}

/// A proxy that runs until it is dropped.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    pub(crate) forward_auth: Option<SocketAddr>,
    pub(crate) admin: Option<SocketAddr>,
    pub(crate) redirect: Option<SocketAddr>,
    stop: Option<oneshot::Sender<()>>,
    pub(crate) ended: Option<tokio::task::JoinHandle<()>>,
}

impl Proxy {
    pub(crate) async fn before(upstream: &Upstream) -> Self {
        Self::with(&config(upstream.address)).await
    }

    pub(crate) async fn with(config: &str) -> Self {
        Self::within(config, &folder()).await
    }

    /// With the files of a folder.
    pub(crate) async fn within(config: &str, folder: &Path) -> Self {
        let config = Config::read(config, folder).unwrap_or_else(|all| panic!("{all}"));
        let server = Server::bind(config).await.unwrap();
        let (address, forward_auth) = (server.address().unwrap(), server.forward_auth_address());
        let (admin, redirect) = (server.admin_address(), server.redirect_address());
        let (stop, stopped) = oneshot::channel();
        let running = server.run(async move {
            let _ = stopped.await;
        });
        let ended = tokio::spawn(async move { running.await.unwrap() });
        Self { address, forward_auth, admin, redirect, stop: Some(stop), ended: Some(ended) }
    }

    /// One that runs as a process of its own.
    pub(crate) fn at(address: SocketAddr) -> Self {
        let (forward_auth, admin, redirect) = (None, None, None);
        Self { address, forward_auth, admin, redirect, stop: None, ended: None }
    }

    pub(crate) fn stop(&mut self) {
        self.stop.take().map(|stop| stop.send(()));
    }

    pub(crate) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        request(self.address, Method::GET, path, headers, "").await
    }

    /// Logs in by the form, and gives the cookie as the browser sends it.
    pub(crate) async fn log_in(&self, name: &str) -> String {
        let form = format!("username={name}&password={name}%27s+secret");
        let headers = [("origin", SITE), ("content-type", "application/x-www-form-urlencoded")];
        let answer = request(self.address, Method::POST, "/auth/login", &headers, &form).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let cookies = answer.headers.get_all("set-cookie").iter();
        let cookies = cookies.map(|value| value.to_str().unwrap().split(';').next().unwrap());
        cookies.filter(|own| own.starts_with("__Host-iiif=")).collect::<Vec<_>>().join("; ")
    }
}

/// An answer that is all there.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

pub(crate) async fn request(
    address: SocketAddr,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let mut request = Request::builder().method(method).uri(format!("http://{address}{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::from(body.to_owned())).unwrap();
    let (head, body) = client.request(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer { status: head.status, headers: head.headers, body }
}

/// Sends bytes, and reads what comes until the connection ends or is silent: for long before the first byte,
/// as the machine may be busy.
pub(crate) async fn raw(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    let mut silence = Duration::from_secs(20);
    while let Ok(Ok(read)) = tokio::time::timeout(silence, stream.read(&mut buffer)).await {
        if read == 0 {
            break;
        }
        answer.extend(&buffer[..read]);
        silence = Duration::from_secs(2);
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// The statuses of the answers in a stream of them.
pub(crate) fn statuses(answers: &str) -> Vec<&str> {
    let lines = answers.split("HTTP/1.1 ").skip(1);
    lines.filter_map(|answer| answer.get(..3)).collect()
}

pub(crate) fn image(identifier: &str) -> String {
    format!("/iiif/3/{identifier}/full/max/0/default.jpg")
}
