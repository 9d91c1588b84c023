//! The registered clients of a realm, and how often a secret may be guessed.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ring::hmac;
use ring::rand::SystemRandom;

use super::mistakes::Mistakes;
use crate::clock::Timestamp;
use crate::config::{Client, ConfigError};
use crate::seal::LONGEST_TEXT;
use crate::seal::Sealer;

/// Shortest secret, in bytes.
const SHORTEST: usize = 16;

/// How many wrong secrets are looked at for one client within [`WINDOW`].
const MOST_GUESSES: u32 = 10;
const WINDOW: Duration = Duration::from_secs(60);

/// The clients of a realm. Their secrets are kept as keyed hashes only.
pub(crate) struct BoundClients {
    path: Box<str>,
    /// Random, of this process: comparing under it takes the same time for every wrong secret.
    key: hmac::Key,
    clients: HashMap<Box<str>, Known>,
    codes: Sealer,
}

struct Known {
    secret: hmac::Tag,
    guesses: Mutex<Guesses>,
}

#[derive(Default)]
struct Guesses {
    since: Timestamp,
    wrong: u32,
}

/// What became of a client's secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Identified {
    Yes,
    UnknownClient,
    WrongSecret,
    /// Too many wrong ones lately: it was not looked at.
    TooManyGuesses,
}

impl BoundClients {
    pub(super) fn new(
        path: String,
        registered: &[Client],
        codes: Sealer,
        mistakes: &mut Mistakes,
    ) -> Option<Self> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new());
        let key = mistakes.check(key.map_err(|_| ConfigError::NoRandomness))?;
        let mut clients = HashMap::new();
        for Client { id, secret } in registered {
            if secret.len() < SHORTEST {
                mistakes.add(ConfigError::ClientSecret { client: id.clone() });
            }
            let secret = hmac::sign(&key, secret.as_bytes());
            let known = Known { secret, guesses: Mutex::default() };
            let fits = (1..=LONGEST_TEXT).contains(&id.len());
            if !fits || clients.insert(id.as_str().into(), known).is_some() {
                mistakes.add(ConfigError::Client(id.clone()));
            }
        }
        Some(Self { path: path.into(), key, clients, codes })
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// What seals the codes that they are given.
    pub(crate) fn codes(&self) -> &Sealer {
        &self.codes
    }

    pub(crate) fn contains(&self, id: &str) -> bool {
        self.clients.contains_key(id)
    }

    pub(crate) fn identify(&self, id: &str, secret: &str, now: Timestamp) -> Identified {
        let Some(known) = self.clients.get(id) else { return Identified::UnknownClient };
        // Nothing panics while it is held.
        let mut guesses = known.guesses.lock().unwrap_or_else(PoisonError::into_inner);
        if guesses.since.after(WINDOW) <= now {
            *guesses = Guesses { since: now, wrong: 0 };
        }
        if guesses.wrong >= MOST_GUESSES {
            return Identified::TooManyGuesses;
        }
        if hmac::verify(&self.key, secret.as_bytes(), known.secret.as_ref()).is_ok() {
            return Identified::Yes;
        }
        guesses.wrong += 1;
        Identified::WrongSecret
    }
}

/// Shows how many there are.
impl fmt::Debug for BoundClients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundClients").field("clients", &self.clients.len()).finish_non_exhaustive()
    }
}
