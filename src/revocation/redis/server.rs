//! What a server says of itself.

use redis::InfoDict;

use super::StoreError;
use crate::clock::{Clock, SystemClock};

/// What a server says of itself, when it is of use as a store.
pub(super) struct Server {
    /// Which process it is, and which history its data are of. A restart changes the former, a
    /// promotion the latter.
    pub(super) origin: String,
    /// Whether it writes down each change, so that it starts with all of them.
    pub(super) keeps: bool,
    /// How many keys it has thrown away since it was started.
    pub(super) evicted: u64,
    /// Its own clock, in milliseconds since the Unix epoch.
    pub(super) time: u64,
}

impl Server {
    /// Reads the answer to `INFO`; a server that is no use as a store is an error. One of a cluster is, where
    /// its keys are not known to be all at one node.
    pub(super) fn read(info: &InfoDict, in_cluster: bool) -> Result<Self, StoreError> {
        let text = |field: &str| info.get::<String>(field);
        let lacks = |field: &str| StoreError::NoInfo(format!("{field} is missing"));
        let run = text("run_id").ok_or_else(|| lacks("run_id"))?;
        if !in_cluster && text("cluster_enabled").is_some_and(|enabled| enabled != "0") {
            return Err(StoreError::Cluster);
        }
        if text("role").is_some_and(|role| role != "master") {
            return Err(StoreError::Replica);
        }
        // Also without a limit, as that can be set at any time.
        let policy = text("maxmemory_policy").ok_or_else(|| lacks("maxmemory_policy"))?;
        if policy != "noeviction" {
            return Err(StoreError::Evicts { policy });
        }
        let history = text("master_replid").unwrap_or_default();
        let keeps = text("aof_enabled").is_some_and(|enabled| enabled == "1");
        let time = info.get::<u64>("server_time_usec").map(|micros| micros / 1000);
        Ok(Self {
            origin: format!("{run}/{history}"),
            keeps,
            evicted: evicted(info),
            time: time.unwrap_or_else(|| SystemClock.now().as_millis()),
        })
    }
}

/// How many keys the server has thrown away, of an answer to `INFO`.
pub(super) fn evicted(info: &InfoDict) -> u64 {
    info.get("evicted_keys").unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(changed: &[(&str, &str)]) -> InfoDict {
        let mut fields = vec![
            ("run_id", "r1"),
            ("server_time_usec", "1800000000000999"),
            ("cluster_enabled", "0"),
            ("role", "master"),
            ("master_replid", "h1"),
            ("maxmemory", "0"),
            ("maxmemory_policy", "noeviction"),
            ("aof_enabled", "1"),
            ("evicted_keys", "3"),
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

    /// ST-03: a policy that evicts is refused, whether or not there is a limit yet.
    #[test]
    fn servers() {
        let evicts = |policy: &str| Err(StoreError::Evicts { policy: policy.to_owned() });
        let lacks = |field: &str| Err(StoreError::NoInfo(format!("{field} is missing")));
        for (changed, expected) in [
            (&[][..], Ok(("r1/h1", true))),
            (&[("aof_enabled", "0")], Ok(("r1/h1", false))),
            (&[("aof_enabled", "")], Ok(("r1/h1", false))),
            (&[("master_replid", "")], Ok(("r1/", true))),
            (&[("cluster_enabled", "")], Ok(("r1/h1", true))),
            (&[("maxmemory", "1000")], Ok(("r1/h1", true))),
            (&[("maxmemory_policy", "volatile-lru")], evicts("volatile-lru")),
            (&[("maxmemory", "9"), ("maxmemory_policy", "volatile-lru")], evicts("volatile-lru")),
            (&[("maxmemory", ""), ("maxmemory_policy", "allkeys-lfu")], evicts("allkeys-lfu")),
            (&[("role", "slave")], Err(StoreError::Replica)),
            (&[("cluster_enabled", "1")], Err(StoreError::Cluster)),
            (&[("run_id", "")], lacks("run_id")),
            (&[("maxmemory_policy", "")], lacks("maxmemory_policy")),
        ] {
            let read = Server::read(&info(changed), false);
            let read = read.as_ref().map(|server| (&*server.origin, server.keeps));
            assert_eq!(read, expected.as_ref().copied(), "{changed:?}");
        }
        let server = Server::read(&info(&[]), false).unwrap();
        assert_eq!((server.time, server.evicted), (1_800_000_000_000, 3));
        assert!(Server::read(&info(&[("cluster_enabled", "1")]), true).is_ok());
    }
}
