//! Where an image server listens.

use std::fmt;
use std::path::{Path, PathBuf};

use http::Uri;
use http::uri::{Authority, Scheme};

/// A host and port, or a socket of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    scheme: Scheme,
    authority: Authority,
    socket: Option<PathBuf>,
}

const FORM: &str = "write it like \"http://127.0.0.1:8182\", \"https://images.example\" or \
                    \"unix:/run/images.sock\"; paths belong to upstream_path of a [[base]]";

impl Address {
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        if let Some(path) = text.strip_prefix("unix:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if !path.starts_with('/') || path.contains('\0') {
                return Err(FORM);
            }
            let authority = Authority::from_static("localhost");
            return Ok(Self { scheme: Scheme::HTTP, authority, socket: Some(path.into()) });
        }
        let uri: Uri = text.parse().map_err(|_| FORM)?;
        let parts = uri.into_parts();
        let no_path = parts.path_and_query.is_none_or(|path| path == "/");
        match (parts.scheme, parts.authority) {
            (Some(scheme), Some(authority))
                if (scheme == Scheme::HTTP || scheme == Scheme::HTTPS)
                    && no_path
                    && !authority.host().is_empty()
                    && !authority.as_str().contains('@') =>
            {
                Ok(Self { scheme, authority, socket: None })
            }
            _ => Err(FORM),
        }
    }

    pub(crate) fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// What a request's URI and `Host` name.
    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }

    pub(crate) fn socket(&self) -> Option<&Path> {
        self.socket.as_deref()
    }

    pub(crate) fn is_https(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.socket {
            Some(path) => write!(f, "unix:{}", path.display()),
            None => write!(f, "{}://{}", self.scheme, self.authority),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn addresses_have_three_forms() {
        for (text, shown) in [
            ("http://127.0.0.1:8182", "http://127.0.0.1:8182"),
            ("http://127.0.0.1:8182/", "http://127.0.0.1:8182"),
            ("http://[::1]:8182", "http://[::1]:8182"),
            ("https://images.example", "https://images.example"),
            ("unix:/run/a.sock", "unix:/run/a.sock"),
            ("unix:///run/a.sock", "unix:/run/a.sock"),
        ] {
            assert_eq!(Address::parse(text).unwrap().to_string(), shown);
        }
        for wrong in [
            "",
            "127.0.0.1:8182",
            "ftp://a",
            "http://a/iiif",
            "http://a?x",
            "http://u:p@a",
            "http://",
            "unix:",
            "unix:run/a.sock",
            "unix:/a\0b",
            "https:///x",
        ] {
            assert!(Address::parse(wrong).is_err(), "{wrong}");
        }
    }
}
