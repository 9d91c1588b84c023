//! What a URL says of a store: where it is or who knows that, and who it is spoken to as.

use percent_encoding::percent_decode_str;
use redis::{ConnectionAddr, IntoConnectionInfo, ProtocolVersion, RedisConnectionInfo};

use super::StoreError;

/// The port of a Sentinel that names none.
const SENTINEL: u16 = 26_379;

/// The address of a store.
pub(super) struct Address {
    pub(super) leads: Leads,
    /// User, password and database.
    pub(super) settings: RedisConnectionInfo,
    /// Whether all is spoken over TLS.
    pub(super) is_encrypted: bool,
}

/// How the server is found.
pub(super) enum Leads {
    To(ConnectionAddr),
    /// By those who watch it.
    Sentinels {
        places: Vec<ConnectionAddr>,
        service: String,
        settings: RedisConnectionInfo,
    },
    /// By any node of a cluster.
    Nodes(Vec<ConnectionAddr>),
}

impl Address {
    /// Reads a URL. The error quotes nothing of it: a password may stand anywhere.
    pub(super) fn parse(url: &str) -> Result<Self, StoreError> {
        let (scheme, rest) = url.split_once("://").ok_or(StoreError::Url)?;
        let scheme = scheme.to_ascii_lowercase();
        let (protocol, kind) = scheme.split_once('+').unwrap_or((&scheme, ""));
        let is_encrypted = match protocol {
            "redis" | "valkey" => false,
            // There is no `#insecure`.
            "rediss" | "valkeys" if kind != "unix" && !rest.contains('#') => true,
            "unix" if kind.is_empty() => return Self::single(url, false),
            _ => return Err(StoreError::Url),
        };
        match kind {
            "" => Self::single(&format!("redis://{rest}"), is_encrypted),
            "unix" => Self::single(url, false),
            "sentinel" => Self::sentinels(rest, is_encrypted),
            "cluster" => Self::nodes(rest, is_encrypted),
            _ => Err(StoreError::Url),
        }
    }

    pub(super) fn is_cluster(&self) -> bool {
        matches!(self.leads, Leads::Nodes(_))
    }

    fn single(url: &str, is_encrypted: bool) -> Result<Self, StoreError> {
        let (place, settings) = read(url)?;
        Ok(Self { leads: Leads::To(place), settings, is_encrypted })
    }

    /// `[user:password@]host[:port],…/service[/database][?sentinel_user=…&sentinel_password=…]`
    fn sentinels(rest: &str, is_encrypted: bool) -> Result<Self, StoreError> {
        let Parts { user, hosts, path, query } = Parts::of(rest)?;
        let (service, database) = path.split_once('/').unwrap_or((path, ""));
        let service = decoded(service)?;
        if service.is_empty() {
            return Err(StoreError::Url);
        }
        let mut of_sentinels = RedisConnectionInfo::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or(StoreError::Url)?;
            of_sentinels = match name {
                "sentinel_user" => of_sentinels.set_username(decoded(value)?),
                "sentinel_password" => of_sentinels.set_password(decoded(value)?),
                _ => return Err(StoreError::Url),
            };
        }
        let mut places = Vec::new();
        for host in hosts.split(',') {
            let has_port = host.rsplit(']').next().is_some_and(|rest| rest.contains(':'));
            let port = if has_port { String::new() } else { format!(":{SENTINEL}") };
            places.push(read(&format!("redis://{host}{port}"))?.0);
        }
        let (_, settings) = read(&format!("redis://{user}store/{database}"))?;
        let leads = Leads::Sentinels { places, service, settings: of_sentinels };
        Ok(Self { leads, settings, is_encrypted })
    }

    /// `[user:password@]host[:port],…`
    fn nodes(rest: &str, is_encrypted: bool) -> Result<Self, StoreError> {
        let Parts { user, hosts, path, query } = Parts::of(rest)?;
        // A cluster has one database.
        if !matches!(path, "" | "0") || !query.is_empty() {
            return Err(StoreError::Url);
        }
        let read = |host| read(&format!("redis://{host}"));
        let places = hosts.split(',').map(|host| read(host).map(|(place, _)| place));
        let leads = Leads::Nodes(places.collect::<Result<_, _>>()?);
        let (_, settings) = self::read(&format!("redis://{user}store"))?;
        Ok(Self { leads, settings, is_encrypted })
    }
}

/// What stands behind `://`.
struct Parts<'u> {
    /// With the `@` at its end, or empty.
    user: &'u str,
    hosts: &'u str,
    /// Without the slash before it.
    path: &'u str,
    query: &'u str,
}

impl<'u> Parts<'u> {
    fn of(rest: &'u str) -> Result<Self, StoreError> {
        if rest.contains('#') {
            return Err(StoreError::Url);
        }
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, hosts) = authority.split_at(authority.find('@').map_or(0, |at| at + 1));
        // Of each host one, or one that is not percent-encoded: which is meant nobody knows.
        if hosts.contains('@') {
            return Err(StoreError::Url);
        }
        Ok(Self { user, hosts, path, query })
    }
}

/// One address, and who it is spoken to as, as the client reads it. The cause of an error is dropped: it
/// could quote the URL.
fn read(url: &str) -> Result<(ConnectionAddr, RedisConnectionInfo), StoreError> {
    let info = url.into_connection_info().map_err(|_| StoreError::Url)?;
    // By RESP3 the password is an argument of HELLO, and a server that does not know that quotes it in its error.
    let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP2);
    Ok((info.addr().clone(), settings))
}

fn decoded(text: &str) -> Result<String, StoreError> {
    let text = percent_decode_str(text).decode_utf8().map_err(|_| StoreError::Url)?;
    Ok(text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In one line, without the password.
    fn shown(address: &Address) -> String {
        let Address { leads, settings, is_encrypted } = address;
        let list = |places: &[ConnectionAddr]| {
            places.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        let leads = match leads {
            Leads::To(place) => place.to_string(),
            Leads::Sentinels { places, service, settings } => {
                let (user, password) = (settings.username(), settings.password());
                format!("{service} of {} as {user:?} {password:?}", list(places))
            }
            Leads::Nodes(places) => format!("cluster {}", list(places)),
        };
        let (user, password, db) = (settings.username(), settings.password(), settings.db());
        format!("{leads} | {user:?} {password:?} {db} {is_encrypted}")
    }

    #[test]
    fn urls() {
        for (url, expected) in [
            ("redis://h", "h:6379 | None None 0 false"),
            ("REDIS://h:1/2", "h:1 | None None 2 false"),
            ("valkey://u:p%40@[::1]:1", "::1:1 | Some(\"u\") Some(\"p@\") 0 false"),
            ("rediss://:p@h", "h:6379 | None Some(\"p\") 0 true"),
            ("valkeys://h/3", "h:6379 | None None 3 true"),
            ("redis+unix:///run/s?db=2", "/run/s | None None 2 false"),
            ("unix:///run/s", "/run/s | None None 0 false"),
            (
                "redis+sentinel://u:p@a,b:1,[::1]/main/2?sentinel_user=s&sentinel_password=x%26y",
                "main of a:26379 b:1 ::1:26379 as Some(\"s\") Some(\"x&y\") | Some(\"u\") Some(\"p\") 2 false",
            ),
            (
                "valkeys+sentinel://a/reading%20room",
                "reading room of a:26379 as None None | None None 0 true",
            ),
            ("rediss+cluster://u:p@a:1,b/0", "cluster a:1 b:6379 | Some(\"u\") Some(\"p\") 0 true"),
            ("redis+cluster://a", "cluster a:6379 | None None 0 false"),
        ] {
            let address = Address::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"));
            assert_eq!(shown(&address), expected, "{url}");
        }
    }

    /// CR-12: what is no URL is not quoted, and nothing turns off what TLS verifies.
    #[test]
    fn cr_12_what_is_no_url() {
        for url in [
            "",
            "h:6379",
            "http://h",
            "redis://",
            "redis://h/x",
            "redis+tls://h",
            "rediss+unix:///run/s",
            "rediss://h#insecure",
            "rediss://h/#insecure",
            "rediss+sentinel://h/main#insecure",
            "rediss+cluster://h#insecure",
            "redis+sentinel://h",
            "redis+sentinel://h/",
            "redis+sentinel:///main",
            "redis+sentinel://h,/main",
            "redis+sentinel://h/main/x",
            "redis+sentinel://h/main/0/1",
            "redis+sentinel://h/main?password=p",
            "redis+sentinel://h/main?sentinel_password",
            "redis+sentinel://u:p@a,u:p@b/main",
            "redis+cluster://",
            "redis+cluster://a,,b",
            "redis+cluster://a/1",
            "redis+cluster://a?x=y",
            "redis+cluster://0.0.0.0",
            "unix+cluster://a",
        ] {
            assert_eq!(Address::parse(url).err(), Some(StoreError::Url), "{url}");
        }
    }
}
