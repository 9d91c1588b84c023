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
        // The history has another name also where the first replica comes or the last one has gone.
        let is_restarted = run(&self.origin) != run(&server.origin);
        if !is_restarted && self.evicted != server.evicted {
            return false;
        }
        if !is_moved {
            return true;
        }
        let keeps = self.keeps && server.keeps || !is_restarted;
        let others = self.nodes.iter().any(|node| node.id != sight.node);
        keeps && (self.is_known_to(sight) || others || believed)
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
        let mark = mark.0.iter().fold(0, |all, byte| all << 8 | u64::from(*byte));
        format!("{mark:012x} {generation} {origin} {evicted} {keeps}\n")
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

/// The process, of an origin.
fn run(origin: &str) -> &str {
    origin.split('/').next().unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn server(origin: &str) -> Server {
        Server { origin: origin.to_owned(), keeps: true, evicted: 0, time: 1_000_000 }
    }

    fn sight<'a>(server: &'a Server, node: u64, known: Option<&'a Known>) -> Sight<'a> {
        let (waited, resume_within) = (Duration::ZERO, Duration::ZERO);
        Sight { server, node, known, has_proofs: true, beat: 5_000, waited, resume_within }
    }

    /// What a node remembers that saw this life a moment ago.
    fn knows(life: &Life) -> Known {
        let Life { mark, generation, ref origin, .. } = *life;
        Known { mark, generation, origin: origin.clone(), beat: 5_000 }
    }

    /// A life at the server `r1/h1`, with these nodes.
    fn life(nodes: &[u64]) -> Life {
        let server = server("r1/h1");
        let mut life = Life::next(None, &sight(&server, nodes[0], None)).unwrap();
        for node in nodes {
            life.sign(&sight(&server, *node, None));
        }
        life
    }

    #[test]
    fn written_and_read() {
        let mut life = life(&[1, 2, 3]);
        life.nodes[1].is_awaited = true;
        let text = life.to_string();
        assert_eq!(Life::parse(&text).as_ref(), Some(&life));
        assert!(text.starts_with(&life.head()) && life.is_awaited());
        for bad in [
            "",
            "12",
            "123456789012",
            "123456789012 r",
            "12345678901g 1 r/h 0 1\n",
            "é2345678901 1 r/h 0 1\n",
            "1234567890123 1 r/h 0 1\n",
            "123456789012 1 r/h 0 1\nz 1 1\n",
            "123456789012 1 r/h 0 1\n1 1\n",
            &"1".repeat(LONGEST + 1),
        ] {
            assert!(Life::parse(bad).is_none(), "{bad:?}");
        }
    }

    /// RE-10 and ST-01: which lives go on, and who is waited for.
    #[test]
    fn lives() {
        let before = life(&[1, 2]);
        let known = knows(&before);
        let same = server("r1/h1");
        let (restarted, promoted) = (server("r2/h2"), server("r3/h3"));
        let renamed = server("r1/h9");
        let forgets = Server { keeps: false, ..server("r2/h2") };
        let evicted = Server { evicted: 1, ..server("r1/h1") };
        let renamed_too = Server { evicted: 1, ..server("r1/h9") };
        let ahead = Known { beat: 5_000 + BLINK + 1, ..known.clone() };
        let later = Known { generation: known.generation + 1, ..known.clone() };
        let other = Known { mark: Mark([9; 6]), ..known.clone() };
        let lost = |server| Sight { has_proofs: false, ..sight(server, 1, Some(&known)) };
        for (sight, goes_on, awaited, why) in [
            (sight(&same, 1, Some(&known)), true, false, "nothing happened"),
            (sight(&same, 7, None), true, false, "a new node"),
            (sight(&same, 7, Some(&known)), true, false, "taken off the list in its sleep"),
            (sight(&evicted, 1, Some(&known)), false, false, "something was thrown away"),
            (sight(&renamed_too, 1, Some(&known)), false, false, "and then a replica came"),
            (lost(&same), false, false, "what this node stored is gone"),
            (sight(&same, 1, Some(&ahead)), false, false, "older than what was seen"),
            (sight(&same, 1, Some(&later)), false, false, "a life of before"),
            (sight(&same, 1, Some(&other)), false, false, "another life of the same number"),
            (sight(&restarted, 1, Some(&known)), true, true, "2 has to say so, too"),
            (sight(&promoted, 7, None), true, true, "1 and 2 have to"),
            (sight(&renamed, 1, Some(&known)), true, true, "a replica came"),
            (sight(&forgets, 1, Some(&known)), false, false, "started with a snapshot"),
            (sight(&restarted, 7, Some(&known)), false, false, "this node is not in it"),
            (lost(&restarted), false, false, "a replica that lacked a logout"),
        ] {
            let next = Life::next(Some(before.clone()), &sight).unwrap();
            assert_eq!(next.mark == before.mark, goes_on, "{why}");
            assert_eq!(next.generation > before.generation, !goes_on, "{why}");
            assert_eq!(next.is_awaited(), awaited, "{why}");
            assert_eq!(next.origin, sight.server.origin, "{why}");
            let again =
                Life::next(Some(next.clone()), &self::sight(sight.server, 1, Some(&knows(&next))));
            assert_eq!(again.unwrap().mark, next.mark, "{why}: it goes on");
        }
    }

    /// ST-01: when all that were there have said that nothing is missing, it goes on; who is silent
    /// ends it.
    #[test]
    fn everybody_who_was_there_is_waited_for() {
        let mut before = life(&[1, 2, 3]);
        // 3 has gone before the end.
        before.nodes[2].at -= BLINK + 1;
        let known = knows(&before);
        let moved = server("r2/h2");
        let one = Life::next(Some(before.clone()), &sight(&moved, 1, Some(&known))).unwrap();
        assert!(one.is_awaited());
        let stranger = Life::next(Some(one.clone()), &sight(&moved, 7, None)).unwrap();
        assert_eq!(stranger, one, "who was not there says nothing");
        let both = Life::next(Some(one.clone()), &sight(&moved, 2, Some(&known))).unwrap();
        assert!(!both.is_awaited() && both.mark == before.mark);
        assert!(
            Life::next(Some(both), &sight(&moved, 3, Some(&known))).unwrap().mark == before.mark
        );

        let patient = |mut sight: Sight<'_>, age| {
            sight.waited = PATIENCE;
            sight.resume_within = age;
            Life::next(Some(one.clone()), &sight).unwrap()
        };
        let ended = patient(sight(&moved, 1, Some(&known)), Duration::ZERO);
        assert!(!ended.is_awaited() && ended.mark != before.mark);
        let believed = patient(sight(&moved, 1, Some(&known)), Duration::from_secs(60));
        assert!(!believed.is_awaited() && believed.mark == before.mark);
    }

    /// ST-01: when everything was down nobody knows; only what is said to be young enough is believed.
    #[test]
    fn nobody_was_there() {
        let alone = Life { nodes: Vec::new(), ..life(&[1]) };
        let moved = server("r2/h2");
        let next = Life::next(Some(alone.clone()), &sight(&moved, 7, None)).unwrap();
        assert_ne!(next.mark, alone.mark);

        let before = life(&[1]);
        for (seconds, goes_on) in [(0, true), (59, true), (60, true), (61, false)] {
            let mut moved = server("r2/h2");
            moved.time += seconds * 1000;
            let mut sight = sight(&moved, 7, None);
            sight.resume_within = Duration::from_secs(60);
            let next = Life::next(Some(before.clone()), &sight).unwrap();
            assert!(next.mark == before.mark && next.is_awaited() != goes_on, "{seconds}");
        }
    }

    #[test]
    fn those_who_have_gone_are_taken_off() {
        let mut life = life(&[1]);
        let mut server = server("r1/h1");
        for node in 2..1000 {
            server.time += 1000;
            life = Life::next(Some(life), &sight(&server, node, None)).unwrap();
            assert!(life.nodes.len() <= 62 && life.to_string().len() < 4000);
        }
    }
}
