//! The origin of a viewer: parsed, compared and printed, never guessed.

use std::borrow::Cow;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Longest `origin` that is looked at, in bytes: a scheme, a DNS name of at most 253 and a port make
/// no more than 267, and sessions keep texts of up to 255. Names that long are not seen in earnest.
const MAX_LENGTH: usize = 255;

/// A web origin in canonical form: `scheme://host[:port]`, lower case, default port dropped.
///
/// It accepts what browsers and the specifications' examples send as `origin=`: an `http` or
/// `https` URL without a path, or with the single `/` that Authentication 1.0 writes. Everything
/// that a `postMessage` target must not be is refused: `*`, `null`, other schemes, user names,
/// paths, queries, fragments, white space and control characters, and odd spellings of IP
/// addresses. (2.0 §4.3, HTML `postMessage`.)
///
/// # Example
///
/// ```
/// use tower_iiif_auth::Origin;
///
/// let origin: Origin = "HTTPS://Viewer.Example:443/".parse()?;
/// assert_eq!(origin.as_str(), "https://viewer.example");
/// assert!("*".parse::<Origin>().is_err());
/// # Ok::<(), tower_iiif_auth::protocol::OriginError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin(Box<str>);

impl Origin {
    /// The canonical text, as a browser prints `location.origin`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether browsers treat this origin as private to the machine: `localhost` or a loopback
    /// address.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let authority = self.0.split_once("://").map_or("", |(_, authority)| authority);
        if authority.starts_with("[::1]") {
            return true;
        }
        let host = authority.split_once(':').map_or(authority, |(host, _)| host);
        host == "localhost"
            || host.ends_with(".localhost")
            || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
    }

    /// Whether the scheme is `https`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https:")
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no usable origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OriginError {
    /// Longer than 255 bytes.
    TooLong,
    /// Neither `http://` nor `https://`.
    Scheme,
    /// A user name, path, query or fragment is there.
    MoreThanOrigin,
    /// The host is not a name or address in its ordinary spelling.
    Host,
    /// The port is not a number below 65536.
    Port,
}

impl fmt::Display for OriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "origin is longer than 255 bytes",
            Self::Scheme => "origin does not start with http:// or https://",
            Self::MoreThanOrigin => "origin has a user name, path, query or fragment",
            Self::Host => "origin has no host in ordinary spelling",
            Self::Port => "origin has a bad port",
        })
    }
}

impl std::error::Error for OriginError {}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        if text.len() > MAX_LENGTH {
            return Err(OriginError::TooLong);
        }
        let (scheme, rest) = text.split_once(':').ok_or(OriginError::Scheme)?;
        let rest = rest.strip_prefix("//").ok_or(OriginError::Scheme)?;
        let (scheme, default_port) = match scheme {
            _ if scheme.eq_ignore_ascii_case("https") => ("https", 443),
            _ if scheme.eq_ignore_ascii_case("http") => ("http", 80),
            _ => return Err(OriginError::Scheme),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.bytes().any(|byte| matches!(byte, b'/' | b'\\' | b'?' | b'#' | b'@')) {
            return Err(OriginError::MoreThanOrigin);
        }
        let (host, port) = split_port(authority)?;
        let host = canonical_host(host)?;
        let port = match port {
            None | Some("") => default_port,
            Some(digits) => parse_port(digits)?,
        };
        Ok(Self(if port == default_port {
            [scheme, "://", &host].concat().into()
        } else {
            format!("{scheme}://{host}:{port}").into()
        }))
    }
}

fn split_port(authority: &str) -> Result<(&str, Option<&str>), OriginError> {
    if let Some(after) = authority.strip_prefix('[') {
        let (_, tail) = after.split_once(']').ok_or(OriginError::Host)?;
        let host = &authority[..authority.len() - tail.len()];
        return match tail.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if tail.is_empty() => Ok((host, None)),
            None => Err(OriginError::Host),
        };
    }
    Ok(match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    })
}

fn parse_port(digits: &str) -> Result<u16, OriginError> {
    if digits.len() > 5 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(OriginError::Port);
    }
    digits.parse().map_err(|_| OriginError::Port)
}

fn canonical_host(host: &str) -> Result<Cow<'_, str>, OriginError> {
    if let Some(inside) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let address: Ipv6Addr = inside.parse().map_err(|_| OriginError::Host)?;
        // Browsers print these with hexadecimal groups, Rust with dots: refuse rather than differ.
        if address.to_ipv4_mapped().is_some() || address.to_string().contains('.') {
            return Err(OriginError::Host);
        }
        return Ok(format!("[{address}]").into());
    }
    // Browsers print international names in Punycode, so that only ASCII ever arrives.
    let ordinary = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if host.is_empty() || host.len() > 254 || !host.bytes().all(ordinary) {
        return Err(OriginError::Host);
    }
    let host = if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(host.to_ascii_lowercase())
    } else {
        Cow::Borrowed(host)
    };
    let name = host.strip_suffix('.').unwrap_or(&host);
    if name.split('.').any(str::is_empty) {
        return Err(OriginError::Host);
    }
    // URL parsers read a host whose last label looks like a number as an IPv4 address, in many
    // spellings; only the ordinary one is taken.
    let last = name.rsplit('.').next().unwrap_or_default();
    let numeric = last.bytes().all(|b| b.is_ascii_digit())
        || last.strip_prefix("0x").is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
    if numeric && (name.len() != host.len() || host.parse::<Ipv4Addr>().is_err()) {
        return Err(OriginError::Host);
    }
    Ok(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_forms() {
        for (text, canonical) in [
            ("https://viewer.example", "https://viewer.example"),
            ("https://viewer.example/", "https://viewer.example"),
            ("HTTPS://VIEWER.example:443/", "https://viewer.example"),
            ("http://viewer.example:80", "http://viewer.example"),
            ("https://viewer.example:8443", "https://viewer.example:8443"),
            ("https://viewer.example:0443", "https://viewer.example"),
            ("https://viewer.example:", "https://viewer.example"),
            ("https://[::1]:8443", "https://[::1]:8443"),
            ("https://[2001:DB8:0:0::1]", "https://[2001:db8::1]"),
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
            ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
            ("https://viewer.example.", "https://viewer.example."),
            ("http://localhost:5173", "http://localhost:5173"),
        ] {
            let origin: Origin = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(origin.as_str(), canonical);
            // The `url` crate follows the browsers' standard: it has to agree.
            let oracle = url::Url::parse(text).unwrap().origin().ascii_serialization();
            assert_eq!(origin.as_str(), oracle, "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "*",
            "/",
            "null",
            "viewer.example",
            "//viewer.example",
            "https:viewer.example",
            "https://",
            "https:///",
            "https:/viewer.example",
            "https:x://viewer.example",
            "a:https://viewer.example",
            "https://viewer.example//",
            "https://viewer.example/viewer",
            "https://viewer.example?x",
            "https://viewer.example#x",
            "https://viewer.example/?",
            "javascript:alert(1)",
            "data:text/html,x",
            "file://",
            "blob:https://viewer.example/1",
            "about:blank",
            "ws://viewer.example",
            "chrome-extension://abc",
            "https://viewer.example@evil.example",
            "https://u:p@viewer.example",
            "https://0x7f.1",
            "https://127.1",
            "https://2130706433",
            "https://127.0.0.01",
            "https://[::1",
            "https://::1",
            "https://[::ffff:127.0.0.1]",
            "https://[::1]x",
            "https://viewer.example:99999",
            "https://viewer.example:-1",
            "https://viewer.example:+1",
            "https://viewer.example:80:80",
            " https://viewer.example",
            "https://viewer.example ",
            "https://viewer.exa\tmple",
            "https://viewer.example\r\nSet-Cookie:x=1",
            "https:\\\\viewer.example",
            "https://viewer.example\\@evil.example",
            "https://viewer..example",
            "https://bücher.example",
            "https://viewer.example\0",
            "https://%76iewer.example",
            "https://1.2.3.4.",
        ] {
            assert!(text.parse::<Origin>().is_err(), "{text:?} was accepted");
        }
        assert_eq!(
            format!("https://{}.example", "a".repeat(600)).parse::<Origin>(),
            Err(OriginError::TooLong)
        );
    }

    #[test]
    fn loopback_is_known() {
        for (text, expected) in [
            ("http://localhost:3000", true),
            ("http://127.0.0.1", true),
            ("http://[::1]:8080", true),
            ("http://a.localhost", true),
            ("http://localhost.example", false),
            ("http://10.0.0.1", false),
        ] {
            assert_eq!(text.parse::<Origin>().unwrap().is_loopback(), expected, "{text}");
        }
    }
}
