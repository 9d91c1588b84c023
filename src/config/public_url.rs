//! The URL that browsers know the publisher by.

use crate::config::ConfigError;
use crate::path::is_plain;
use crate::protocol::Origin;

/// An origin with an optional path, which a front removes before requests arrive.
#[derive(Clone, Debug)]
pub(crate) struct PublicUrl {
    origin: Origin,
    text: Box<str>,
}

impl PublicUrl {
    pub(crate) fn parse(url: &str, insecure_http: bool) -> Result<Self, ConfigError> {
        let trimmed = url.trim_end_matches('/');
        let authority = trimmed.find("://").map_or(0, |at| at + 3);
        let split = trimmed[authority..].find('/').map_or(trimmed.len(), |at| authority + at);
        let (origin, path) = trimmed.split_at(split);
        let origin: Origin = origin
            .parse()
            .map_err(|cause| ConfigError::PublicUrl { url: url.to_owned(), cause })?;
        if !path.is_empty() && !is_plain(path) {
            return Err(ConfigError::PublicUrlPath(url.to_owned()));
        }
        if !origin.is_https() && !origin.is_loopback() && !insecure_http {
            return Err(ConfigError::PlainHttp(url.to_owned()));
        }
        let text = format!("{origin}{path}").into();
        Ok(Self { origin, text })
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(crate) fn is_https(&self) -> bool {
        self.origin.is_https()
    }

    /// The host, without scheme and port.
    pub(crate) fn host(&self) -> &str {
        host_and_port(self.authority()).0
    }

    fn authority(&self) -> &str {
        self.origin.as_str().split_once("://").map_or("", |(_, authority)| authority)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// What stands behind the origin: nothing, or a path without a slash at its end.
    pub(crate) fn path(&self) -> &str {
        &self.text[self.origin.as_str().len()..]
    }

    /// What of a URI lies below this URL, from the slash on, with query and fragment: scheme and host in
    /// any case, the default port written out or not (RFC 3986 §6.2.2, §6.2.3).
    pub(crate) fn part_below<'u>(&self, uri: &'u str) -> Option<&'u str> {
        if let Some(rest) = uri.strip_prefix(self.as_str()).filter(|rest| rest.starts_with('/')) {
            return Some(rest);
        }
        let (scheme, rest) = uri.split_once("://")?;
        let (own_scheme, _) = self.text.split_once("://")?;
        if !scheme.eq_ignore_ascii_case(own_scheme) {
            return None;
        }
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        let (host, port) = host_and_port(authority);
        let (own_host, own_port) = host_and_port(self.authority());
        let default = if self.is_https() { "443" } else { "80" };
        let or_default = |port: Option<&'u str>| port.filter(|port| !port.is_empty());
        let same = host.eq_ignore_ascii_case(own_host)
            && or_default(port).unwrap_or(default) == own_port.unwrap_or(default);
        let rest = rest.strip_prefix(self.path()).filter(|rest| rest.starts_with('/'));
        rest.filter(|_| same)
    }

    /// The absolute URI of a path.
    pub(crate) fn join(&self, path: &str) -> String {
        format!("{}{path}", self.text)
    }

    /// The path as browsers see it.
    pub(crate) fn browser_path(&self, path: &str) -> String {
        let path = if path.is_empty() { "/" } else { path };
        format!("{}{path}", self.path())
    }
}

fn host_and_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rfind(':') {
        Some(colon) if !authority[colon..].contains(']') => {
            (&authority[..colon], Some(&authority[colon + 1..]))
        }
        _ => (authority, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parsing() {
        for (url, expected, host, browser) in [
            ("https://iiif.example", "https://iiif.example", "iiif.example", "/auth"),
            ("https://iiif.example/", "https://iiif.example", "iiif.example", "/auth"),
            (
                "https://iiif.example:8443/a/b/",
                "https://iiif.example:8443/a/b",
                "iiif.example",
                "/a/b/auth",
            ),
            ("http://localhost:3000", "http://localhost:3000", "localhost", "/auth"),
            ("http://[::1]:3000", "http://[::1]:3000", "[::1]", "/auth"),
            ("https://[2001:db8::1]", "https://[2001:db8::1]", "[2001:db8::1]", "/auth"),
        ] {
            let parsed = PublicUrl::parse(url, false).unwrap();
            assert_eq!((parsed.as_str(), parsed.host()), (expected, host), "{url}");
            assert_eq!(parsed.browser_path("/auth"), browser, "{url}");
        }
        // V2-GEN-1: plain http only on this machine, or said aloud.
        assert!(matches!(
            PublicUrl::parse("http://iiif.example", false),
            Err(ConfigError::PlainHttp(_))
        ));
        assert!(PublicUrl::parse("http://iiif.example", true).is_ok());
        for bad in [
            "",
            "iiif.example",
            "ftp://x",
            "https://x?y",
            "https://x/a?y",
            "https://x//a",
            "https://x/a b",
        ] {
            assert!(PublicUrl::parse(bad, false).is_err(), "{bad}");
        }
    }

    /// DS-04: one server however its name is written, and no other.
    #[test]
    fn what_lies_below() {
        for (url, uri, below) in [
            ("https://iiif.example", "https://iiif.example/a?b#c", Some("/a?b#c")),
            ("https://iiif.example", "https://iiif.example:443/a", Some("/a")),
            ("https://iiif.example", "HTTPS://IIIF.example:/a", Some("/a")),
            ("http://iiif.example", "http://iiif.example:80/a", Some("/a")),
            ("https://iiif.example:8443/x", "https://IIIF.example:8443/x/a", Some("/a")),
            ("https://[2001:db8::1]", "https://[2001:DB8::1]:443/a", Some("/a")),
            ("https://iiif.example", "https://iiif.example", None),
            ("https://iiif.example", "https://iiif.example?a", None),
            ("https://iiif.example", "http://iiif.example/a", None),
            ("https://iiif.example", "https://iiif.example:8443/a", None),
            ("https://iiif.example:8443", "https://iiif.example/a", None),
            ("https://iiif.example", "https://iiif.example.evil.example/a", None),
            ("https://iiif.example", "https://user@iiif.example/a", None),
            ("https://iiif.example", "https://iiif.example\\@evil.example/a", None),
            ("https://iiif.example", "https:/iiif.example/a", None),
            ("https://iiif.example", "//iiif.example/a", None),
            ("https://iiif.example/x", "https://iiif.example/y/a", None),
            ("https://iiif.example/x", "https://iiif.example/X/a", None),
            ("https://iiif.example/x", "https://iiif.example/xa", None),
        ] {
            let parsed = PublicUrl::parse(url, true).unwrap();
            assert_eq!(parsed.part_below(uri), below, "{url} {uri}");
        }
    }
}
