//! The life of a store: what it still remembers, and what it must have forgotten.

use std::fmt;

use redis::InfoDict;

use super::StoreError;
use crate::revocation::mark::Mark;

/// What a server says of itself.
pub(super) struct Server {
    /// Random, and another after every start.
    run: String,
    /// Whether it writes down each change, so that it starts with all of them.
    keeps: bool,
}

impl Server {
    /// Reads the answer to `INFO`; a server that is no use as a store is an error.
    pub(super) fn read(info: &InfoDict) -> Result<Self, StoreError> {
        let text = |field: &str| info.get::<String>(field);
        let lacks = |field: &str| StoreError::NoInfo(format!("{field} is missing"));
        let run = text("run_id").ok_or_else(|| lacks("run_id"))?;
        if text("cluster_enabled").is_some_and(|enabled| enabled != "0") {
            return Err(StoreError::Cluster);
        }
        if text("role").is_some_and(|role| role != "master") {
            return Err(StoreError::Replica);
        }
        let policy = text("maxmemory_policy").ok_or_else(|| lacks("maxmemory_policy"))?;
        let limited = text("maxmemory").is_none_or(|bytes| bytes != "0");
        if limited && policy != "noeviction" {
            return Err(StoreError::Evicts { policy });
        }
        let keeps = text("aof_enabled").is_some_and(|enabled| enabled == "1");
        Ok(Self { run, keeps })
    }
}

/// The life that a store is in, as it stands there: `MARK`, or `MARK RUN` where a restart ends it.
pub(super) struct Epoch {
    pub(super) mark: Mark,
    run: Option<String>,
}

impl Epoch {
    /// A new life.
    pub(super) fn begin(server: &Server) -> Result<Self, StoreError> {
        let mark = Mark::random().map_err(|_| StoreError::NoRandomness)?;
        Ok(Self { mark, run: (!server.keeps).then(|| server.run.clone()) })
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let (mark, run) = match text.split_once(' ') {
            Some((mark, run)) => (mark, Some(run.to_owned())),
            None => (text, None),
        };
        let mark = (mark.len() == 12).then(|| u64::from_str_radix(mark, 16).ok())??;
        let [_, _, mark @ ..] = mark.to_be_bytes();
        Some(Self { mark: Mark(mark), run })
    }

    /// Whether the server still remembers all that was revoked in this life. One that was restarted
    /// from a snapshot knows the life and not what came after.
    pub(super) fn goes_on(&self, server: &Server) -> bool {
        match &self.run {
            Some(run) => *run == server.run,
            None => server.keeps,
        }
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.mark.0 {
            write!(f, "{byte:02x}")?;
        }
        match &self.run {
            Some(run) => write!(f, " {run}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(changed: &[(&str, &str)]) -> InfoDict {
        let mut fields = vec![
            ("run_id", "r1"),
            ("cluster_enabled", "0"),
            ("role", "master"),
            ("maxmemory", "0"),
            ("maxmemory_policy", "noeviction"),
            ("aof_enabled", "1"),
        ];
        for (name, value) in changed {
            fields.retain(|(own, _)| own != name);
            if !value.is_empty() {
                fields.push((name, value));
            }
        }
        let lines: Vec<_> = fields.iter().map(|(name, value)| format!("{name}:{value}")).collect();
        InfoDict::new(&lines.join("\r\n"))
    }

    #[test]
    fn servers() {
        let evicts = |policy: &str| Err(StoreError::Evicts { policy: policy.to_owned() });
        for (changed, expected) in [
            (&[][..], Ok(("r1", true))),
            (&[("aof_enabled", "0")], Ok(("r1", false))),
            (&[("aof_enabled", "")], Ok(("r1", false))),
            (&[("cluster_enabled", "")], Ok(("r1", true))),
            (&[("maxmemory", "1000")], Ok(("r1", true))),
            (&[("maxmemory_policy", "volatile-lru")], Ok(("r1", true))),
            (&[("maxmemory", "9"), ("maxmemory_policy", "volatile-lru")], evicts("volatile-lru")),
            (&[("maxmemory", ""), ("maxmemory_policy", "allkeys-lfu")], evicts("allkeys-lfu")),
            (&[("role", "slave")], Err(StoreError::Replica)),
            (&[("cluster_enabled", "1")], Err(StoreError::Cluster)),
            (&[("run_id", "")], Err(StoreError::NoInfo("run_id is missing".to_owned()))),
            (
                &[("maxmemory_policy", "")],
                Err(StoreError::NoInfo("maxmemory_policy is missing".to_owned())),
            ),
        ] {
            let read = Server::read(&info(changed));
            let read = read.as_ref().map(|server| (&*server.run, server.keeps));
            assert_eq!(read, expected.as_ref().copied(), "{changed:?}");
        }
    }

    /// RE-10: what a restart from a snapshot, or from nothing, does not know is not vouched for.
    #[test]
    fn lives() {
        let server = |run: &str, keeps| Server { run: run.to_owned(), keeps };
        for (begun, met, goes_on) in [
            (server("r1", true), server("r1", true), true),
            (server("r1", true), server("r2", true), true),
            (server("r1", true), server("r2", false), false),
            (server("r1", true), server("r1", false), false),
            (server("r1", false), server("r1", false), true),
            (server("r1", false), server("r1", true), true),
            (server("r1", false), server("r2", false), false),
            (server("r1", false), server("r2", true), false),
        ] {
            let epoch = Epoch::begin(&begun).unwrap();
            let read = Epoch::parse(&epoch.to_string()).unwrap();
            assert!(read.mark == epoch.mark && read.run == epoch.run);
            assert_eq!(read.goes_on(&met), goes_on, "{read} meets {} {}", met.run, met.keeps);
        }
        for bad in ["", "12", "12345678901", "1234567890123", "12345678901g r", "é2345678901"] {
            assert!(Epoch::parse(bad).is_none(), "{bad:?}");
        }
    }
}
