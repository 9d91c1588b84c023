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
        let authority = self.origin.as_str().split_once("://").map_or("", |(_, rest)| rest);
        match authority.rfind(':') {
            Some(colon) if !authority[colon..].contains(']') => &authority[..colon],
            _ => authority,
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// What stands behind the origin: nothing, or a path without a slash at its end.
    pub(crate) fn path(&self) -> &str {
        &self.text[self.origin.as_str().len()..]
    }

    /// The absolute URI of a path.
    pub(crate) fn join(&self, path: &str) -> String {
        format!("{}{path}", self.text)
    }

    /// The path as browsers see it.
    pub(crate) fn browser_path(&self, path: &str) -> String {
        format!("{}{path}", self.path())
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
}
