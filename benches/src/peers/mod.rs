//! Peers that do comparable work: each recognises a user by what the request carries, reads the
//! session, sees that it has not ended and that it holds a role.

mod axum_login;
mod bearer;
mod jwt;
mod own_table;
mod private_cookies;
mod tower_sessions;

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

pub use axum_login::login_required;
pub use bearer::validate_bearer;
pub use jwt::{eddsa, hs256, rs256};
pub use own_table::{copied_out, looked_at};
pub use private_cookies::{private_cookie_jar, tower_cookies};
pub use tower_sessions::memory_store;

/// What our cookie holds, as the peers keep it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PeerSession {
    /// As text, as it is in practice: bytes would be a list of numbers in JSON.
    id: String,
    sub: String,
    roles: Vec<String>,
    iat: u64,
    exp: u64,
}

impl PeerSession {
    /// With these roles, for a day.
    fn with(roles: &[&str]) -> Self {
        let now = seconds();
        Self {
            id: "f81d4fae-7dec-41d0-a765-00a0c91e6bf6".into(),
            sub: "5f0c2f2b-9d1e-4e77".into(),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            iat: now,
            exp: now + 24 * 3600,
        }
    }

    /// Whether it opens the tile.
    fn may(&self) -> bool {
        self.exp > seconds() && self.roles.iter().any(|role| role == "reader")
    }
}

fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}
