//! Absolute URIs of the web.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use http::Uri;

use super::Origin;

/// An absolute `http` or `https` URI without a fragment, as the specification wants wherever it
/// names a resource.
///
/// # Example
///
/// ```
/// use tower_iiif_auth::AbsoluteUri;
///
/// let uri: AbsoluteUri = "https://cdn.example/small.jpg".parse()?;
/// assert_eq!(uri.to_string(), "https://cdn.example/small.jpg");
/// assert!("/small.jpg".parse::<AbsoluteUri>().is_err());
/// # Ok::<(), tower_iiif_auth::protocol::AbsoluteUriError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AbsoluteUri(
    /// Shared and small: a decision may hold one, and decisions are handed about for every tile.
    Arc<Uri>,
);

impl AbsoluteUri {
    /// The URI.
    #[must_use]
    pub fn as_uri(&self) -> &Uri {
        &self.0
    }
}

/// Why a URI does not name a resource of the web for everyone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AbsoluteUriError {
    /// It cannot be parsed, or holds characters that have to be percent-encoded.
    Malformed,
    /// It has no scheme or no host.
    Relative,
    /// It begins with neither `http://` nor `https://`.
    Scheme,
    /// Its host is no name or address in its ordinary spelling, or its port is no port.
    Host,
    /// It holds a user name.
    UserInfo,
    /// It holds a `#`.
    Fragment,
}

impl fmt::Display for AbsoluteUriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "not a URI: other characters than ASCII have to be percent-encoded",
            Self::Relative => "not an absolute URI: begin it with a scheme and a host",
            Self::Scheme => "neither http nor https",
            Self::Host => "a URI without a host in ordinary spelling, or with a bad port",
            Self::UserInfo => "a URI with a user name: leave out what stands before the @",
            Self::Fragment => "a URI with a fragment: leave out what follows the #",
        })
    }
}

impl std::error::Error for AbsoluteUriError {}

impl FromStr for AbsoluteUri {
    type Err = AbsoluteUriError;

    fn from_str(text: &str) -> Result<Self, AbsoluteUriError> {
        // `Uri` drops a fragment without a word.
        if text.contains('#') {
            return Err(AbsoluteUriError::Fragment);
        }
        text.parse::<Uri>().map_err(|_| AbsoluteUriError::Malformed)?.try_into()
    }
}

impl TryFrom<Uri> for AbsoluteUri {
    type Error = AbsoluteUriError;

    fn try_from(uri: Uri) -> Result<Self, AbsoluteUriError> {
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(AbsoluteUriError::Relative);
        };
        if !matches!(scheme, "http" | "https") {
            return Err(AbsoluteUriError::Scheme);
        }
        if authority.as_str().contains('@') {
            return Err(AbsoluteUriError::UserInfo);
        }
        if authority.host().is_empty() {
            return Err(AbsoluteUriError::Relative);
        }
        // `Uri` takes more than browsers do, such as `[:0::]1300`.
        if format!("{scheme}://{authority}").parse::<Origin>().is_err() {
            return Err(AbsoluteUriError::Host);
        }
        // And more than RFC 3986 does, also what no header can hold.
        let stands = |b: u8| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b);
        let after = uri.path_and_query().map_or("", |after| after.as_str());
        if !after.bytes().all(stands) {
            return Err(AbsoluteUriError::Malformed);
        }
        Ok(Self(Arc::new(uri)))
    }
}

impl fmt::Display for AbsoluteUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// V2-GEN-2
    #[test]
    fn only_absolute_uris_of_the_web() {
        use AbsoluteUriError::{Fragment, Host, Malformed, Relative, Scheme, UserInfo};
        for (text, expected) in [
            ("https://iiif.example/a%20b?c=d", Ok("https://iiif.example/a%20b?c=d")),
            ("http://localhost:3000", Ok("http://localhost:3000/")),
            ("HTTPS://iiif.example/A", Ok("https://iiif.example/A")),
            ("https://[2001:db8::1]:8443/a", Ok("https://[2001:db8::1]:8443/a")),
            (
                "https://iiif.example/ark:/1/x;y,z!$&'()*+=@~",
                Ok("https://iiif.example/ark:/1/x;y,z!$&'()*+=@~"),
            ),
            ("", Err(Malformed)),
            ("/a", Err(Relative)),
            ("*", Err(Relative)),
            ("iiif.example", Err(Relative)),
            ("iiif.example:443", Err(Relative)),
            ("//iiif.example/a", Err(Relative)),
            ("https:///a", Err(Malformed)),
            ("https://", Err(Malformed)),
            ("https://:443/a", Err(Relative)),
            ("https://iiif.example:a/b", Err(Host)),
            ("https://iiif.example:65536/b", Err(Host)),
            ("ftp://iiif.example/a", Err(Scheme)),
            ("javascript://iiif.example/%0aalert(1)", Err(Scheme)),
            ("https://user:word@iiif.example/a", Err(UserInfo)),
            ("http://[:0::]1300", Err(Host)),
            ("http://[::1]3000/a", Err(Host)),
            ("https://[iiif]/a", Err(Host)),
            ("https://iiif..example/a", Err(Host)),
            ("https://127.1/a", Err(Host)),
            ("https://iiif.example/a#t=10", Err(Fragment)),
            ("https://iiif.example/a b", Err(Malformed)),
            ("https://iiif.example/é", Err(Malformed)),
            ("https://iiif.example/\"><script>", Err(Malformed)),
            ("https://iiif.example/a\r\nSet-Cookie: a=b", Err(Malformed)),
        ] {
            let parsed = text.parse::<AbsoluteUri>().map(|uri| uri.to_string());
            assert_eq!(parsed, expected.map(str::to_owned), "{text}");
        }
    }
}
