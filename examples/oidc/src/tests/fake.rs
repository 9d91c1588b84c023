//! A provider of the tests' own, on a port of this machine: it checks what a provider checks, and
//! tells the lies that it is asked to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::{Form, State};
use axum::http::header::{AUTHORIZATION, CONNECTION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use url::Url;

pub(super) const CLIENT: &str = "iiif";
pub(super) const SECRET: &str = "a secret with spaces & signs";

#[derive(Clone)]
pub(super) struct Fake {
    pub(super) issuer: String,
    state: Arc<Mutex<Words>>,
    task: Arc<JoinHandle<()>>,
}

/// What it says, and what it knows.
pub(super) struct Words {
    /// Claims that take the place of the right ones; null takes one away.
    pub(super) claims: Value,
    pub(super) userinfo: Option<Value>,
    pub(super) alg: &'static str,
    /// Which key it publishes, and which it signs with.
    pub(super) published: u8,
    pub(super) signing: u8,
    /// The status of everything but the description.
    pub(super) status: Option<StatusCode>,
    /// The issuer that the description names.
    pub(super) described: Option<String>,
    codes: HashMap<String, Code>,
    pub(super) redeemed: usize,
    /// How long its keys take.
    pub(super) slow: std::time::Duration,
    /// Everything that must be in no log.
    pub(super) secrets: Vec<String>,
}

/// What a code was given for.
#[derive(Clone)]
struct Code {
    challenge: String,
    nonce: String,
    redirect: String,
    is_used: bool,
}

impl Fake {
    pub(super) async fn start() -> Self {
        Self::start_at("127.0.0.1:0").await
    }

    pub(super) async fn start_at(address: &str) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let words = Words {
            claims: json!({}),
            userinfo: None,
            alg: "EdDSA",
            published: 1,
            signing: 1,
            status: None,
            described: None,
            codes: HashMap::new(),
            redeemed: 0,
            slow: std::time::Duration::ZERO,
            secrets: vec![SECRET.to_owned(), STANDARD.encode(SECRET)],
        };
        let state = Arc::new(Mutex::new(words));
        let shared = Shared { issuer: issuer.clone(), state: Arc::clone(&state) };
        let app = Router::new()
            .route("/.well-known/openid-configuration", get(describe))
            .route("/jwks", get(keys))
            .route("/token", post(token))
            .route("/userinfo", get(userinfo))
            // Nothing is left of it when it goes down.
            .layer(map_response(async |mut response: Response| {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                response
            }))
            .with_state(shared);
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { issuer, state, task: Arc::new(task) }
    }

    pub(super) fn words(&self) -> MutexGuard<'_, Words> {
        self.state.lock().unwrap()
    }

    /// Nobody listens any more.
    pub(super) async fn go_down(&self) {
        self.task.abort();
        while !self.task.is_finished() {
            tokio::task::yield_now().await;
        }
    }

    /// What the user's browser comes back with from this authorization URL, after the login there.
    pub(super) fn log_in(&self, authorization: &str) -> (String, String) {
        let url = Url::parse(authorization).unwrap();
        let query: HashMap<_, _> = url.query_pairs().into_owned().collect();
        assert!(authorization.starts_with(&format!("{}/authorize?", self.issuer)));
        assert_eq!(query["response_type"], "code");
        assert_eq!((&*query["client_id"], &*query["code_challenge_method"]), (CLIENT, "S256"));
        assert!(query["scope"].split(' ').any(|scope| scope == "openid"));
        let mut words = self.words();
        let code = format!("code-{}-{}", words.codes.len(), query["nonce"]);
        words.codes.insert(
            code.clone(),
            Code {
                challenge: query["code_challenge"].clone(),
                nonce: query["nonce"].clone(),
                redirect: query["redirect_uri"].clone(),
                is_used: false,
            },
        );
        words.secrets.extend([code.clone(), query["nonce"].clone(), query["state"].clone()]);
        (code, query["state"].clone())
    }
}

#[derive(Clone)]
struct Shared {
    issuer: String,
    state: Arc<Mutex<Words>>,
}

fn pair(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
}

async fn describe(State(shared): State<Shared>) -> Json<Value> {
    let Shared { issuer, state } = shared;
    let words = state.lock().unwrap();
    Json(json!({
        "issuer": words.described.clone().unwrap_or_else(|| issuer.clone()),
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "userinfo_endpoint": words.userinfo.is_some().then(|| format!("{issuer}/userinfo")),
        "jwks_uri": format!("{issuer}/jwks"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA"],
    }))
}

async fn keys(State(shared): State<Shared>) -> Json<Value> {
    let (seed, slow) = {
        let words = shared.state.lock().unwrap();
        (words.published, words.slow)
    };
    tokio::time::sleep(slow).await;
    let public = URL_SAFE_NO_PAD.encode(pair(seed).public_key().as_ref());
    Json(json!({ "keys": [{
        "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig",
        "kid": format!("key-{seed}"), "x": public,
    }] }))
}

async fn token(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let mut words = shared.state.lock().unwrap();
    words.redeemed += 1;
    if let Some(status) = words.status {
        return (status, "no JSON").into_response();
    }
    words.secrets.push(form["code_verifier"].clone());
    let error =
        |error: &str| (StatusCode::BAD_REQUEST, Json(json!({ "error": error }))).into_response();
    // RFC 6749 §2.3.1: both are form-encoded first.
    let secret: String = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
    let basic = format!("Basic {}", STANDARD.encode(format!("{CLIENT}:{secret}")));
    if headers.get(AUTHORIZATION).is_none_or(|given| given.as_bytes() != basic.as_bytes()) {
        return error("invalid_client");
    }
    words.secrets.push(basic);
    let digest = ring::digest::digest(&ring::digest::SHA256, form["code_verifier"].as_bytes());
    let challenge = URL_SAFE_NO_PAD.encode(digest);
    let Some(code) = words.codes.get_mut(&form["code"]) else { return error("invalid_grant") };
    let fits = challenge == code.challenge && form["redirect_uri"] == code.redirect;
    if code.is_used || !fits {
        return error("invalid_grant");
    }
    code.is_used = true;
    let nonce = code.nonce.clone();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let mut claims = json!({
        "iss": shared.issuer, "aud": CLIENT, "sub": "ada-lovelace", "nonce": nonce,
        "iat": now, "exp": now + 300, "roles": ["reader", "walks-the-dog"],
    });
    for (name, value) in words.claims.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    let header = json!({ "alg": words.alg, "kid": format!("key-{}", words.signing) });
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", encode(&header), encode(&claims));
    let signature = match words.alg {
        "none" => String::new(),
        "HS256" => {
            // Signed with what everybody knows, as if it were a secret.
            let key = pair(words.published);
            let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key.public_key().as_ref());
            URL_SAFE_NO_PAD.encode(ring::hmac::sign(&key, signed.as_bytes()))
        }
        _ => URL_SAFE_NO_PAD.encode(pair(words.signing).sign(signed.as_bytes())),
    };
    let id_token = format!("{signed}.{signature}");
    words.secrets.extend([id_token.clone(), "the-access-token".to_owned()]);
    Json(json!({
        "access_token": "the-access-token", "token_type": "Bearer", "id_token": id_token,
    }))
    .into_response()
}

async fn userinfo(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    let words = shared.state.lock().unwrap();
    match &words.userinfo {
        Some(claims) if headers[AUTHORIZATION] == "Bearer the-access-token" => {
            Json(claims.clone()).into_response()
        }
        _ => StatusCode::UNAUTHORIZED.into_response(),
    }
}
