//! tower-sessions with its store in memory: a cookie that names a session, looked up and read.

use axum::body::Body;
use axum::response::Response;
use http::{Request, StatusCode};
use tower::{Layer, service_fn};
use tower_sessions::session::{Id, Record};
use tower_sessions::{MemoryStore, Session, SessionManagerLayer, SessionStore};

use super::PeerSession;
use crate::pipe::now;
use crate::request::{TILE, Template, in_turn};

/// How many sessions live in the store.
const SESSIONS: usize = 10_000;
const KEY: &str = "session";

/// `SessionManagerLayer` over a `MemoryStore` of 10 000 sessions, for so many users in turn.
pub fn memory_store(users: usize) -> impl FnMut() {
    let store = MemoryStore::default();
    let ids = fill(&store);
    let tile = |id: &Id| Template::get(TILE).header("cookie", &format!("id={id}"));
    let tiles = ids.iter().take(users).map(tile).collect();
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
    in_turn(service, tiles, StatusCode::OK)
}

fn fill(store: &MemoryStore) -> Vec<Id> {
    let session = serde_json::to_value(PeerSession::with(crate::cases::ROLES)).expect("JSON");
    let admit = |_| {
        let mut record = Record {
            id: Id::default(),
            data: [(KEY.to_owned(), session.clone())].into(),
            expiry_date: tower_sessions::cookie::time::OffsetDateTime::now_utc()
                + tower_sessions::cookie::time::Duration::days(1),
        };
        now(store.create(&mut record)).expect("a store in memory");
        record.id
    };
    (0..SESSIONS).map(admit).collect()
}
