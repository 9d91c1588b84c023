//! The forms that single values have.

use std::net::SocketAddr;
use std::time::Duration;

use http::HeaderName;
use ipnet::IpNet;
use std::net::IpAddr;

/// `30s`, `5m`: more than zero and at most a day.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(duration) if duration.is_zero() || duration > Duration::from_secs(86_400) => {
            Err(format!("{text:?} is not between nothing and a day"))
        }
        Ok(duration) => Ok(duration),
        Err(_) => Err(format!("{text:?} is no time: write it like \"30s\" or \"5m\"")),
    }
}

/// How long a session may last where nothing insecure is said.
pub(super) fn lifetime(text: &str) -> Result<Duration, String> {
    duration(text).map_err(|error| match long_lifetime(text) {
        Ok(_) => format!("{error}; a longer one needs insecure_longer_than_a_day = true"),
        Err(_) => error,
    })
}

/// More than zero, and at most as long as browsers keep a cookie: 400 days.
pub(super) fn long_lifetime(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(duration) if duration.is_zero() || duration > Duration::from_secs(400 * 86_400) => {
            Err(format!("{text:?} is not between nothing and 400 days"))
        }
        Ok(duration) => Ok(duration),
        Err(_) => Err(format!("{text:?} is no time: write it like \"12h\" or \"90d\"")),
    }
}

/// As [`duration`], or `0s`.
pub(super) fn duration_or_none(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(none) if none.is_zero() => Ok(none),
        _ => duration(text),
    }
}

pub(super) fn socket(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        format!("{text:?} is no address to listen on: write it like \"127.0.0.1:8080\"")
    })
}

/// A range of addresses, or a single one.
pub(super) fn range(text: &str) -> Result<IpNet, String> {
    let single = text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
    text.parse::<IpNet>().or(single).map_err(|_| {
        format!("{text:?} is no address range: write it like \"192.0.2.0/24\" or \"2001:db8::1\"")
    })
}

pub(super) fn header_name(text: &str) -> Result<HeaderName, String> {
    text.parse().map_err(|_| format!("{text:?} is no header name: use letters, digits and -"))
}
