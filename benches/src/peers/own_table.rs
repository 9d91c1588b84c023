//! What an application would write by itself: its sessions in a table behind a lock, by the text in a cookie.
//!
//! It does less than all others here. A restart ends every session, another process knows none of them, and
//! each login takes memory until somebody clears it away, which nothing here does. One thread's login holds up
//! the others' tiles. It reads no path, so that each rule is as good as its author's idea of how the image
//! server reads one, and leaves the answer as it is, for shared caches to keep.

use std::collections::HashMap;
use std::sync::RwLock;

use axum::body::Body;
use http::header::COOKIE;
use http::{Request, StatusCode};

use super::PeerSession;
use super::private_cookies::Allow;
use crate::images::Images;
use crate::request::{TILE, Template, in_turn};

/// How many sessions live in the table.
const SESSIONS: u64 = 10_000;

type Table = RwLock<HashMap<String, PeerSession>>;

/// The table, and tiles for so many of its users.
fn filled(users: usize) -> (Table, Vec<Template>) {
    let id = |number: u64| {
        let spread = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        format!("{spread:016x}{:016x}", !spread)
    };
    let session = PeerSession::with(crate::cases::ROLES);
    let of = |number| (id(number), PeerSession { id: id(number), ..session.clone() });
    let tile = |number| Template::get(TILE).header("cookie", &format!("session={}", id(number)));
    (RwLock::new((0..SESSIONS).map(of).collect()), (0..SESSIONS).take(users).map(tile).collect())
}

fn named_by(request: &Request<Body>) -> Option<&str> {
    let cookies = request.headers().get(COOKIE)?.to_str().ok()?;
    cookies.split(';').find_map(|cookie| cookie.trim_start().strip_prefix("session="))
}

/// The session is copied out of the table, as extractors hand it on; for so many users in turn.
pub fn copied_out(users: usize) -> impl FnMut() {
    let (table, tiles) = filled(users);
    let find = move |request: &Request<Body>| {
        table.read().expect("nobody panics").get(named_by(request)?).cloned()
    };
    in_turn(Allow::new(find, Images::small()), tiles, StatusCode::OK)
}

/// The session is looked at where it is.
pub fn looked_at(users: usize) -> impl FnMut() {
    let (table, tiles) = filled(users);
    let find = move |request: &Request<Body>| {
        let table = table.read().expect("nobody panics");
        table.get(named_by(request)?).map(PeerSession::may)
    };
    in_turn(Allow::new(find, Images::small()), tiles, StatusCode::OK)
}
