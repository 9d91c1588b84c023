//! Checking a password, which takes time on purpose.

use std::sync::Arc;
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::Semaphore;

use crate::config::{Hash, User, Users};

/// How many are checked at a time: each takes a core and some megabytes.
const AT_A_TIME: usize = 2;

/// How long one may wait for its turn.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) struct Passwords(Arc<Semaphore>);

/// Too many are being checked.
pub(super) struct Busy;

impl Default for Passwords {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_A_TIME)))
    }
}

impl Passwords {
    /// The user, if the password is theirs. It takes as long for a name that nobody has.
    pub(super) async fn check(
        &self,
        users: Arc<Users>,
        name: String,
        password: String,
    ) -> Result<Option<User>, Busy> {
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.0).acquire_owned());
        let Ok(Ok(turn)) = turn.await else { return Err(Busy) };
        let checked = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let user = users.get(&name);
            let right = user.or(users.any()).is_some_and(|own| fits(&own.hash, &password));
            user.filter(|_| right).cloned()
        });
        checked.await.map_err(|_| Busy)
    }
}

fn fits(hash: &Hash, password: &str) -> bool {
    match hash {
        Hash::Argon2(hash) => PasswordHash::new(hash).is_ok_and(|hash| {
            Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()
        }),
        Hash::Bcrypt(hash) => bcrypt::verify(password, hash).unwrap_or(false),
    }
}

/// The hash of a password for the users file: argon2id with the crate's parameters.
///
/// # Errors
///
/// When the password is too long, or the system gives no random bytes.
pub fn hash(password: &str) -> Result<String, String> {
    let mut salt = [0; 16];
    SystemRandom::new().fill(&mut salt).map_err(|_| "the system gives no random bytes")?;
    let salt = SaltString::encode_b64(&salt).map_err(|error| error.to_string())?;
    let hash = Argon2::default().hash_password(password.as_bytes(), &salt);
    hash.map(|hash| hash.to_string()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_are_checked() {
        let argon2 = Hash::Argon2(hash("open sesame").unwrap());
        // By `htpasswd -nbB`.
        let bcrypt = Hash::Bcrypt(bcrypt::hash("open sesame", 4).unwrap());
        for own in [argon2, bcrypt] {
            assert!(fits(&own, "open sesame"));
            for wrong in ["", "open sesame ", "Open sesame"] {
                assert!(!fits(&own, wrong), "{own:?} {wrong}");
            }
        }
    }
}
