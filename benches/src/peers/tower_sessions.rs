//! tower-sessions with its store in memory: a cookie that names a session, looked up and read.

use axum::body::Body;
use axum::response::Response;
use http::{Request, StatusCode};
use tower::{Layer, service_fn};
use tower_sessions::session::{Id, Record};
use tower_sessions::{MemoryStore, Session, SessionManagerLayer, SessionStore};

use super::PeerSession;
use crate::pipe::now;
use crate::request::{TILE, Template, repeat};

/// How many sessions live in the store.
const SESSIONS: usize = 10_000;
const KEY: &str = "session";

/// `SessionManagerLayer` over a `MemoryStore` of 10 000 sessions.
pub fn memory_store() -> impl FnMut() {
    let store = MemoryStore::default();
    let id = fill(&store);
    let inner = service_fn(|request: Request<Body>| async move {
        let session = request.extensions().get::<Session>().expect("the layer's").clone();
        let session: Option<PeerSession> = session.get(KEY).await.expect("a store in memory");
        let mut response = Response::new(Body::from("a tile"));
        if !session.is_some_and(|session| session.may()) {
            *response.status_mut() = StatusCode::UNAUTHORIZED;
        }
        Ok::<_, std::convert::Infallible>(response)
    });
    let service = SessionManagerLayer::new(store).layer(inner);
    repeat(service, Template::get(TILE).header("cookie", &format!("id={id}")), StatusCode::OK)
}

fn fill(store: &MemoryStore) -> Id {
    let session = serde_json::to_value(PeerSession::with(crate::cases::ROLES)).expect("JSON");
    let mut last = Id::default();
    for _ in 0..SESSIONS {
        let mut record = Record {
            id: Id::default(),
            data: [(KEY.to_owned(), session.clone())].into(),
            expiry_date: tower_sessions::cookie::time::OffsetDateTime::now_utc()
                + tower_sessions::cookie::time::Duration::days(1),
        };
        now(store.create(&mut record)).expect("a store in memory");
        last = record.id;
    }
    last
}
