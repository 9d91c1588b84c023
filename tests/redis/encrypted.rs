//! A store behind TLS, with certificates of the test's own.

use std::path::Path;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tower_iiif_auth::revocation::{Redis, RedisBuilder, StoreError};

use crate::common::V;
use crate::redis_server::{RedisServer, free_port};
use crate::{log_out, node, tile};

const PASSWORD: &str = "hunter2-secret-word";

/// An authority of one test.
pub(crate) struct Authority {
    pub(crate) pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "of a test");
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// A certificate and its key.
    pub(crate) fn certify(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    /// What a server is started with that has a certificate of this name, and is spoken to on `port`.
    pub(crate) fn arguments(&self, folder: &Path, name: &str, port: u16) -> String {
        let (certificate, key) = self.certify(name);
        for (file, text) in [("ca.pem", &self.pem), ("own.pem", &certificate), ("key.pem", &key)] {
            std::fs::write(folder.join(file), text).unwrap();
        }
        let folder = folder.display();
        format!(
            "--tls-port {port} --tls-ca-cert-file {folder}/ca.pem --tls-cert-file {folder}/own.pem \
             --tls-key-file {folder}/key.pem"
        )
    }
}

pub(crate) fn folder() -> std::path::PathBuf {
    static MADE: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = MADE.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let name = format!("iiif-auth-redis-tls-{}-{number}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A server with TLS that knows clients by their user, and its authority.
struct Secured {
    authority: Authority,
    folder: std::path::PathBuf,
    port: u16,
    server: RedisServer,
}

impl Secured {
    fn start() -> Self {
        let (authority, folder, port) = (Authority::new(), folder(), free_port());
        let tls = authority.arguments(&folder, "127.0.0.1", port);
        let server = RedisServer::start(&format!("{tls} --tls-auth-clients optional"));
        let rights = "~iiif-auth:* -@all +info +watch +multi +exec +get +mget +set";
        let password = format!(">{PASSWORD}");
        let user = ["ACL", "SETUSER", "images", "on", &password];
        let words: Vec<_> = user.into_iter().chain(rights.split(' ')).collect();
        let () = server.ask(&words);
        let () = server.ask(&["CONFIG", "SET", "requirepass", "another"]);
        Self { authority, folder, port, server }
    }
}

/// CR-12: the store is known by its certificate, and knows the client by password or certificate. What is wrong
/// is told, at once, and without the password.
#[tokio::test]
async fn cr_12_certificates_and_passwords() {
    let other = Authority::new();
    let Secured { authority, folder, port, server: _server } = Secured::start();
    let misnamed = free_port();
    let strict = folder.join("strict");
    std::fs::create_dir(&strict).unwrap();
    let strict = RedisServer::start(&authority.arguments(&strict, "localhost", misnamed));

    let user = format!("images:{PASSWORD}@");
    let at = |user: &str, place: &str| Redis::builder(format!("rediss://{user}{place}"));
    let here =
        |user: &str| at(user, &format!("127.0.0.1:{port}")).authorities(authority.pem.clone());
    let strictly =
        |name: &str| at("", &format!("{name}:{misnamed}")).authorities(authority.pem.clone());
    let (mine, key) = authority.certify("a node");
    let (foreign, foreign_key) = other.certify("a node");
    let cases: Vec<(&str, RedisBuilder, &str)> = vec![
        ("user and password", here(&user), ""),
        (
            "valkeys",
            Redis::builder(format!("valkeys://{user}127.0.0.1:{port}/0"))
                .authorities(authority.pem.clone()),
            "",
        ),
        ("a wrong password", here("images:hunter2-wrong@"), "assword"),
        ("nobody", here(""), "Authentication required"),
        ("the system's authorities", at(&user, &format!("127.0.0.1:{port}")), "certificate"),
        (
            "another authority",
            at(&user, &format!("127.0.0.1:{port}")).authorities(other.pem.clone()),
            "certificate",
        ),
        ("another name", strictly("127.0.0.1"), "not valid for name"),
        ("no client certificate", strictly("localhost"), ""),
        (
            "a client certificate",
            strictly("localhost").client_certificate(mine.clone(), key.clone()),
            "",
        ),
        (
            "of another authority",
            strictly("localhost").client_certificate(foreign.clone(), foreign_key.clone()),
            "fatal alert",
        ),
        (
            "no TLS there",
            at("", &format!("127.0.0.1:{}", strict.port())).authorities(authority.pem.clone()),
            "",
        ),
        ("TLS there", Redis::builder(format!("redis://127.0.0.1:{misnamed}")), ""),
        (
            "a key for authorities",
            here(&user).authorities(key.clone()),
            "the authorities hold no PEM certificate",
        ),
        ("no authorities", here(&user).authorities(""), "the authorities hold no PEM certificate"),
        (
            "another's key",
            here(&user).client_certificate(mine.clone(), foreign_key.clone()),
            "do not fit",
        ),
        ("no key", here(&user).client_certificate(mine.clone(), mine.clone()), "no PEM key"),
        (
            "no certificate",
            here(&user).client_certificate(key.clone(), key.clone()),
            "client certificate hold no PEM",
        ),
        (
            "without TLS",
            Redis::builder("redis://127.0.0.1").authorities(authority.pem.clone()),
            "nothing would be encrypted",
        ),
    ];
    let fail = ["no client certificate", "no TLS there", "TLS there"];
    for (case, builder, expected) in cases {
        let shown = format!("{builder:?}");
        let begun = Instant::now();
        let connected = builder.timeout(Duration::from_millis(800)).connect().await;
        assert!(begun.elapsed() < Duration::from_secs(2), "{case}");
        let said = connected.as_ref().err().map(ToString::to_string).unwrap_or_default();
        let is_error = !expected.is_empty() || fail.contains(&case);
        assert_eq!(connected.is_err(), is_error, "{case}: {said}");
        assert!(said.contains(expected), "{case}: {said}");
        for text in [shown, format!("{connected:?}"), said] {
            assert!(!text.contains("hunter2") && !text.contains("PRIVATE"), "{case}: {text}");
        }
    }

    drop(std::fs::remove_dir_all(folder));
}

#[tokio::test]
async fn a_session_by_tls() {
    let Secured { authority, folder, port, server: _server } = Secured::start();
    let url = format!("rediss://images:{PASSWORD}@127.0.0.1:{port}");
    let builder = Redis::builder(url).authorities(authority.pem).staleness(Duration::ZERO);
    let connect = || builder.clone().connect();
    let (one, other) = (node(&connect().await.unwrap()), node(&connect().await.unwrap()));
    let cookie = one.log_in(&["A"], Some(V)).await;
    assert_eq!(tile(&other, &cookie).await, 200);
    assert_eq!(log_out(&other, &cookie).await, 200);
    assert_eq!((tile(&other, &cookie).await, tile(&one, &cookie).await), (401, 401));
    drop(std::fs::remove_dir_all(folder));
}

/// A cluster that speaks TLS to everyone: whom its nodes name is spoken to in the same way.
#[tokio::test]
async fn a_cluster_by_tls() {
    let (authority, folder, port) = (Authority::new(), folder(), free_port());
    let server = RedisServer::start(&format!(
        "{} --tls-auth-clients no --cluster-enabled yes --tls-cluster yes --cluster-port {}",
        authority.arguments(&folder, "127.0.0.1", port),
        free_port()
    ));
    let () = server.ask(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]);
    while !server.ask::<String>(&["CLUSTER", "INFO"]).contains("cluster_state:ok") {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let at = |scheme: &str| Redis::builder(format!("{scheme}://127.0.0.1:{port}"));
    let store = at("rediss+cluster").authorities(authority.pem.clone());
    let node = node(&store.staleness(Duration::ZERO).connect().await.unwrap());
    let cookie = node.log_in(&["A"], Some(V)).await;
    assert_eq!(tile(&node, &cookie).await, 200);
    assert_eq!(log_out(&node, &cookie).await, 200);
    assert_eq!(tile(&node, &cookie).await, 401);
    let error = at("rediss+cluster").authorities(Authority::new().pem).connect().await.unwrap_err();
    assert!(matches!(&error, StoreError::Unlocated(why) if why.contains("certificate")), "{error}");
    drop(std::fs::remove_dir_all(folder));
}

/// RE-01: a server that takes connections and shakes no hands is told within the time-out.
#[tokio::test]
async fn re_01_a_handshake_that_does_not_come() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("rediss://127.0.0.1:{}", silent.local_addr().unwrap().port());
    let begun = Instant::now();
    let builder = Redis::builder(url).authorities(Authority::new().pem);
    let error = builder.timeout(Duration::from_millis(300)).connect().await.unwrap_err();
    assert_eq!(error, StoreError::TooSlow(Duration::from_millis(300)));
    assert!(begun.elapsed() < Duration::from_millis(900));
}
