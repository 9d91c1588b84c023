//! Checking a password, which takes time on purpose.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::{Output, PasswordHash, PasswordHasher, SaltString};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::Semaphore;

use crate::config::{Hash, User, Users};

/// How many are checked at a time: each takes a core and some megabytes.
const AT_A_TIME: usize = 2;

/// How long one may wait for its turn, and how many may.
const PATIENCE: Duration = Duration::from_secs(5);
const WAITING: usize = 64;

pub(super) struct Passwords {
    turns: Arc<Semaphore>,
    places: Semaphore,
}

/// Too many are being checked.
pub(super) struct Busy;

impl Default for Passwords {
    fn default() -> Self {
        Self {
            turns: Arc::new(Semaphore::new(AT_A_TIME)),
            places: Semaphore::new(AT_A_TIME + WAITING),
        }
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
        let Ok(_place) = self.places.try_acquire() else { return Err(Busy) };
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned());
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
        Hash::Argon2(hash) => {
            PasswordHash::new(hash).is_ok_and(|hash| argon2_fits(&hash, password).unwrap_or(false))
        }
        Hash::Bcrypt(hash) => bcrypt::verify(password, hash).unwrap_or(false),
    }
}

/// How much is asked of the system at once, in blocks of 1 KiB, though hardly any hash needs it. What is
/// larger than 32 MiB the allocators of glibc and musl give back to the system when it is freed, and of
/// the rest nothing is ever touched. Smaller pieces they keep, once for each thread that had one.
const GIVEN_BACK: usize = 33 << 10;

/// As the crate's own verification, in memory that is given back.
fn argon2_fits(hash: &PasswordHash<'_>, password: &str) -> argon2::password_hash::Result<bool> {
    let (Some(salt), Some(expected)) = (hash.salt, hash.hash) else { return Ok(false) };
    let algorithm = Algorithm::try_from(hash.algorithm)?;
    let version = hash.version.map_or(Ok(Version::default()), Version::try_from)?;
    let params = Params::try_from(hash)?;
    let blocks = params.block_count();
    let mut memory: Vec<Block> = Vec::with_capacity(blocks.max(GIVEN_BACK));
    memory.resize_with(blocks, Block::default);
    let mut salt_bytes = [0; 64];
    let salt = salt.decode_b64(&mut salt_bytes)?;
    let computed = Output::init_with(expected.len(), |out| {
        let argon2 = Argon2::new(algorithm, version, params);
        Ok(argon2.hash_password_into_with_memory(password.as_bytes(), salt, out, &mut memory)?)
    })?;
    // In constant time.
    Ok(computed == expected)
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
