//! The life of a store: what it still remembers, and what it may have forgotten.
//!
//! It stands in one key, without an end, for all nodes:
//!
//! ```text
//! MARK GENERATION ORIGIN EVICTED KEEPS
//! NODE AT BEAT [?]
//! …
//! ```
//!
//! The first line is the life: its mark, its number, of which server's memory it is, how many keys that
//! server had thrown away, and whether it writes down each change. The others are the nodes, each with
//! when it was last there: by the store's clock, to tell those who were there until the end, and by its
//! own, so that the node knows whether this is as new as what it saw. `?` marks those who have still to
//! say that nothing is missing after the server became another.

use std::fmt;
use std::time::Duration;

use super::StoreError;
use super::server::Server;
use crate::clock::{Clock, SystemClock};
use crate::revocation::mark::Mark;

/// How much older than what a node saw the data may be, in milliseconds: what is lost of it are
/// moments in which this node stored nothing. And how long a node may have been silent and yet be one
/// that was there.
const BLINK: u64 = 2_000;

/// After how long nodes that are silent are taken off the list, in milliseconds.
const GONE: u64 = 60_000;

/// How long the nodes have to say that nothing is missing.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);

/// What no sound entry exceeds.
const LONGEST: usize = 1 << 16;

/// A life as it stands in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Life {
    pub(super) mark: Mark,
    /// Later lives have greater ones.
    pub(super) generation: u64,
    pub(super) origin: String,
    pub(super) evicted: u64,
    keeps: bool,
    nodes: Vec<Node>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Node {
    id: u64,
    /// When it was last there, by the store's clock.
    at: u64,
    /// The same by its own.
    beat: u64,
    /// Whether it has still to say that nothing is missing.
    is_awaited: bool,
}

/// What a node remembers of the life that it has been in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) mark: Mark,
    pub(super) generation: u64,
    pub(super) origin: String,
    /// Its last beat that the store took.
    pub(super) beat: u64,
}

/// What a node has before it when it judges a store.
pub(super) struct Sight<'a> {
    pub(super) server: &'a Server,
    pub(super) node: u64,
    pub(super) known: Option<&'a Known>,
    /// Whether all is there that the node itself has stored and remembers.
    pub(super) has_proofs: bool,
    /// The node's own clock, in milliseconds.
    pub(super) beat: u64,
    /// How long it has been waiting for other nodes.
    pub(super) waited: Duration,
    /// How old the data may be that are believed though nobody vouches for them.
    pub(super) resume_within: Duration,
}

impl Life {
    /// What has to stand in the store: this life, if it is proved that nothing is missing; or a new
    /// one.
    pub(super) fn next(read: Option<Self>, sight: &Sight<'_>) -> Result<Self, StoreError> {
        let before = read.as_ref().map(|life| life.generation);
        let Some(mut life) = read.filter(|life| life.may_be_whole(sight)) else {
            let known = sight.known.map(|known| known.generation);
            return Self::begin(before.max(known), sight);
        };
        let vouches = life.is_known_to(sight);
        if life.origin != sight.server.origin {
            life.take_over(sight);
        }
        life.keeps &= sight.server.keeps;
        if sight.waited >= PATIENCE {
            // Only where it is to be believed: see `may_be_whole`.
            life.nodes.iter_mut().for_each(|node| node.is_awaited = false);
        }
        if vouches || !life.is_awaited() {
            life.sign(sight);
        }
        Ok(life)
    }

    fn begin(before: Option<u64>, sight: &Sight<'_>) -> Result<Self, StoreError> {
        let mark = Mark::random().map_err(|_| StoreError::NoRandomness)?;
        // A number of its own where nobody knows one before it.
        let generation = before.map_or(0, |before| before.saturating_add(1));
        let mut life = Self {
            mark,
            generation: generation.max(SystemClock.now().as_millis()),
            origin: sight.server.origin.clone(),
            evicted: sight.server.evicted,
            keeps: sight.server.keeps,
            nodes: Vec::new(),
        };
        life.sign(sight);
        Ok(life)
    }

    /// Whether the node has been in this life, so that it can say what has to be there.
    fn is_known_to(&self, sight: &Sight<'_>) -> bool {
        sight.known.is_some_and(|known| known.generation == self.generation)
    }

    /// False where something is missing, or may be missing and nobody can tell any more.
    fn may_be_whole(&self, sight: &Sight<'_>) -> bool {
        let server = sight.server;
        let is_moved = self.origin != server.origin;
        if let Some(known) = sight.known {
            let is_known = known.generation == self.generation;
            if known.generation > self.generation || is_known && known.mark != self.mark {
                return false;
            }
            let as_new = match self.nodes.iter().find(|node| node.id == sight.node) {
                Some(node) => node.beat.saturating_add(BLINK) >= known.beat,
                // The others took it off the list while it slept.
                None => !is_moved && known.origin == self.origin,
            };
            if is_known && !(as_new && sight.has_proofs) {
                return false;
            }
        }
        let believed = self.is_younger_than(sight.resume_within, server);
        if self.is_awaited() && sight.waited >= PATIENCE && !believed {
            return false;
        }
        if !is_moved {
            return self.evicted == server.evicted;
        }
        let others = self.nodes.iter().any(|node| node.id != sight.node);
        self.keeps && server.keeps && (self.is_known_to(sight) || others || believed)
    }

    /// The server is another one, or its data are of another history: who was there until its end has
    /// to say that nothing is missing.
    fn take_over(&mut self, sight: &Sight<'_>) {
        let server = sight.server;
        let believed = self.is_younger_than(sight.resume_within, server);
        let newest = self.newest();
        for node in &mut self.nodes {
            node.is_awaited |= node.at.saturating_add(BLINK) >= newest;
            node.is_awaited &= !believed && node.id != sight.node;
            // By the clock of the server that is asked from now on.
            node.at = server.time.saturating_sub(newest - node.at);
        }
        self.origin.clone_from(&server.origin);
        self.evicted = server.evicted;
    }

    /// Says that the node is there, and, if it has been, that it misses nothing.
    fn sign(&mut self, sight: &Sight<'_>) {
        let (id, at) = (sight.node, sight.server.time);
        let node = Node { id, at, beat: sight.beat, is_awaited: false };
        self.nodes.retain(|other| other.id != id);
        self.nodes.push(node);
        let newest = self.newest();
        self.nodes.retain(|node| node.is_awaited || node.at.saturating_add(GONE) >= newest);
    }

    fn newest(&self) -> u64 {
        self.nodes.iter().map(|node| node.at).max().unwrap_or_default()
    }

    fn is_younger_than(&self, age: Duration, server: &Server) -> bool {
        let age = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        age > 0 && self.newest().saturating_add(age) >= server.time
    }

    /// Whether nodes have still to say that nothing is missing.
    pub(super) fn is_awaited(&self) -> bool {
        self.nodes.iter().any(|node| node.is_awaited)
    }

    /// The first line.
    pub(super) fn head(&self) -> String {
        let Self { mark, generation, origin, evicted, keeps, .. } = self;
        let keeps = u8::from(*keeps);
        let mut head = String::new();
        for byte in mark.0 {
            head.push_str(&format!("{byte:02x}"));
        }
        head + &format!(" {generation} {origin} {evicted} {keeps}\n")
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut lines = Some(text).filter(|text| text.len() <= LONGEST)?.lines();
        let head: Vec<_> = lines.next()?.split(' ').collect();
        let [mark, generation, origin, evicted, keeps] = head[..] else { return None };
        let mark = (mark.len() == 12).then(|| u64::from_str_radix(mark, 16).ok())??;
        let [_, _, mark @ ..] = mark.to_be_bytes();
        let nodes = lines.map(|line| {
            let (line, is_awaited) = match line.strip_suffix(" ?") {
                Some(line) => (line, true),
                None => (line, false),
            };
            let [id, at, beat] = line.split(' ').collect::<Vec<_>>()[..] else { return None };
            let id = u64::from_str_radix(id, 16).ok()?;
            Some(Node { id, at: at.parse().ok()?, beat: beat.parse().ok()?, is_awaited })
        });
        Some(Self {
            mark: Mark(mark),
            generation: generation.parse().ok()?,
            origin: origin.to_owned(),
            evicted: evicted.parse().ok()?,
            keeps: keeps == "1",
            nodes: nodes.collect::<Option<_>>()?,
        })
    }
}

impl fmt::Display for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.head())?;
        for Node { id, at, beat, is_awaited } in &self.nodes {
            writeln!(f, "{id:016x} {at} {beat}{}", if *is_awaited { " ?" } else { "" })?;
        }
        Ok(())
    }
}
