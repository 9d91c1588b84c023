//! Which server is the store at the moment, by those who know: Sentinels, or nodes of a cluster.
//!
//! All are asked at once, and the latest election counts. One that was away while the others chose a new
//! primary still names the old one; whoever asked it alone would go on there.

use std::sync::Arc;
use std::time::Duration;

use redis::{
    ConnectionAddr, FromRedisValue, Pipeline, RedisConnectionInfo, Value, from_redis_value,
};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::StoreError;
use super::address::{Address, Leads};
use super::dial::Dialled;
use super::tls::Tls;

/// A store that can be connected to.
pub(super) struct Target {
    pub(super) address: Address,
    pub(super) tls: Option<Tls>,
    /// How long those are waited for who answer later than the first.
    pub(super) patience: Duration,
    /// A key of the store's: all of them are at one node.
    pub(super) key: String,
}

/// What one of them says.
struct Word {
    /// Of which election.
    epoch: u64,
    place: ConnectionAddr,
}

impl Target {
    /// A new connection, to wherever the address leads now.
    pub(super) async fn dial(self: &Arc<Self>) -> Result<Dialled, StoreError> {
        let found;
        let place = match &self.address.leads {
            Leads::To(place) => place,
            Leads::Sentinels { places, .. } | Leads::Nodes(places) => {
                found = self.newest(places).await?;
                &found
            }
        };
        self.dial_as(place, &self.address.settings).await
    }

    async fn dial_as(
        &self,
        place: &ConnectionAddr,
        settings: &RedisConnectionInfo,
    ) -> Result<Dialled, StoreError> {
        let dialled = Dialled::new(place, settings, self.tls.as_ref()).await;
        dialled.map_err(|error| StoreError::failed(&error))
    }

    async fn newest(
        self: &Arc<Self>,
        places: &[ConnectionAddr],
    ) -> Result<ConnectionAddr, StoreError> {
        let mut asked = JoinSet::new();
        for place in places {
            let (target, place) = (Arc::clone(self), place.clone());
            asked.spawn(async move { target.ask(&place).await });
        }
        let mut newest: Option<Word> = None;
        let mut error = "it was not asked".to_owned();
        let end = Instant::now() + self.patience;
        loop {
            let next = match &newest {
                None => asked.join_next().await,
                Some(_) => timeout_at(end, asked.join_next()).await.unwrap_or_default(),
            };
            match next {
                None => break,
                Some(Ok(Ok(word))) => {
                    if newest.as_ref().is_none_or(|newest| newest.epoch < word.epoch) {
                        newest = Some(word);
                    }
                }
                Some(Ok(Err(own))) => error = own.to_string(),
                Some(Err(panicked)) => error = panicked.to_string(),
            }
        }
        newest.map(|word| word.place).ok_or(StoreError::Unlocated(error))
    }

    /// Asks one of them.
    async fn ask(&self, place: &ConnectionAddr) -> Result<Word, StoreError> {
        let mut question = redis::pipe();
        match &self.address.leads {
            Leads::Sentinels { service, settings, .. } => {
                question.cmd("SENTINEL").arg("GET-MASTER-ADDR-BY-NAME").arg(service);
                question.cmd("SENTINEL").arg("MASTER").arg(service);
                self.put(place, settings, &question).await.and_then(of_sentinel)
            }
            Leads::Nodes(_) => {
                question.cmd("CLUSTER").arg("KEYSLOT").arg(&self.key);
                question.cmd("CLUSTER").arg("SLOTS").cmd("CLUSTER").arg("NODES");
                let settings = &self.address.settings;
                let told = self.put(place, settings, &question).await?;
                of_node(&told, place)
            }
            Leads::To(place) => Ok(Word { epoch: 0, place: place.clone() }),
        }
    }

    async fn put<T: FromRedisValue>(
        &self,
        place: &ConnectionAddr,
        settings: &RedisConnectionInfo,
        question: &Pipeline,
    ) -> Result<T, StoreError> {
        let mut dialled = self.dial_as(place, settings).await?;
        let mut connection = dialled.connection.clone();
        let answer = dialled.while_driven(question.query_async(&mut connection)).await;
        answer.map_err(|error| StoreError::failed(&error))
    }
}

fn unread(what: &str) -> StoreError {
    StoreError::Unlocated(format!("{what} cannot be read"))
}

/// Reads what a Sentinel says: where the primary is, and all that it knows of it.
fn of_sentinel(told: (Option<(String, u16)>, Vec<String>)) -> Result<Word, StoreError> {
    let (Some((host, port)), fields) = told else { return Err(unread("a Sentinel's answer")) };
    let epoch = fields.chunks_exact(2).find(|pair| pair[0] == "config-epoch");
    let epoch = epoch.and_then(|pair| pair[1].parse().ok());
    let epoch = epoch.ok_or_else(|| unread("a Sentinel's config-epoch"))?;
    Ok(Word { epoch, place: ConnectionAddr::Tcp(host, port) })
}

/// Reads what a node says: the slot of the store's keys, who has which slots, and of which election each is.
fn of_node(told: &(u16, Vec<Value>, String), asked: &ConnectionAddr) -> Result<Word, StoreError> {
    let (slot, ranges, nodes) = told;
    let has_it = |range: &&Value| match range {
        Value::Array(range) => {
            let bound =
                |at: usize| range.get(at).cloned().and_then(|own| from_redis_value(own).ok());
            matches!((bound(0), bound(1)), (Some(first), Some(last)) if (first..=last).contains(slot))
        }
        _ => false,
    };
    let Some(Value::Array(range)) = ranges.iter().find(has_it) else {
        return Err(StoreError::Unlocated(
            "no node of the cluster has the store's slot".to_owned(),
        ));
    };
    let Some(Value::Array(primary)) = range.get(2) else { return Err(unread("CLUSTER SLOTS")) };
    let [host, port, id, ..] = &primary[..] else { return Err(unread("CLUSTER SLOTS")) };
    let read = |value: &Value| from_redis_value::<Option<String>>(value.clone()).ok().flatten();
    let port = from_redis_value(port.clone()).map_err(|_| unread("CLUSTER SLOTS"))?;
    let id = read(id).ok_or_else(|| unread("CLUSTER SLOTS"))?;
    let host = match (read(host), asked) {
        // It does not know by which name it was reached.
        (None, ConnectionAddr::Tcp(host, _)) => host.clone(),
        (Some(host), ConnectionAddr::Tcp(own, _)) if host.is_empty() => own.clone(),
        (Some(host), _) if host != "?" => host,
        _ => return Err(StoreError::Unlocated("the store's node has no address".to_owned())),
    };
    let line = nodes.lines().find_map(|line| line.strip_prefix(&*id)?.strip_prefix(' '));
    // Address, flags, primary, ping, pong, epoch.
    let epoch = line.and_then(|line| line.split(' ').nth(5)?.parse().ok());
    let epoch = epoch.ok_or_else(|| unread("CLUSTER NODES"))?;
    Ok(Word { epoch, place: ConnectionAddr::Tcp(host, port) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    fn place(host: &str, port: u16) -> ConnectionAddr {
        ConnectionAddr::Tcp(host.to_owned(), port)
    }

    #[test]
    fn what_a_node_says() {
        let range = |first, last, host, id| {
            let primary = Value::Array(vec![host, Value::Int(7001), text(id)]);
            Value::Array(vec![Value::Int(first), Value::Int(last), primary])
        };
        let nodes = "aa 10.0.0.1:7001@17001 master - 0 0 3 connected 0-99\n\
                     bb 10.0.0.2:7001@17001,b.example myself,master - 0 0 5 connected 100-16383\n";
        let asked = place("seed.example", 7000);
        for (host, id, expected) in [
            (text("10.0.0.2"), "bb", Some((5, "10.0.0.2"))),
            (text("b.example"), "bb", Some((5, "b.example"))),
            (Value::Nil, "bb", Some((5, "seed.example"))),
            (text(""), "bb", Some((5, "seed.example"))),
            (text("?"), "bb", None),
            (text("10.0.0.2"), "cc", None),
            (text("10.0.0.2"), "b", None),
        ] {
            let ranges = vec![range(0, 99, text("10.0.0.1"), "aa"), range(100, 16_383, host, id)];
            let told = of_node(&(100, ranges, nodes.to_owned()), &asked).ok();
            let expected = expected.map(|(epoch, host)| (epoch, place(host, 7001)));
            assert_eq!(told.map(|word| (word.epoch, word.place)), expected, "{id}");
        }
        for ranges in [
            vec![],
            vec![Value::Nil],
            vec![Value::Array(vec![])],
            vec![Value::Array(vec![Value::Int(0), Value::Int(16_383)])],
            vec![Value::Array(vec![Value::Int(0), Value::Int(16_383), Value::Array(vec![])])],
            vec![range(0, 99, text("10.0.0.1"), "aa")],
        ] {
            let told = of_node(&(100, ranges, nodes.to_owned()), &asked);
            assert!(matches!(told, Err(StoreError::Unlocated(_))));
        }
    }

    #[test]
    fn what_a_sentinel_says() {
        let address = Some(("10.0.0.2".to_owned(), 6379));
        for (address, fields, expected) in [
            (address.clone(), &["name", "main", "config-epoch", "7"][..], Some(7)),
            (address.clone(), &["config-epoch", "config-epoch"], None),
            (address.clone(), &["name", "config-epoch", "7"], None),
            (address, &[], None),
            (None, &["config-epoch", "7"], None),
        ] {
            let fields = fields.iter().map(|field| (*field).to_owned()).collect();
            let told = of_sentinel((address, fields)).ok();
            assert_eq!(told.map(|word| word.epoch), expected);
        }
    }
}
