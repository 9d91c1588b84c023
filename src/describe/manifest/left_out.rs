//! Content of a manifest that looks like this publisher's, and is not: its id is spelled in another way.

use std::fmt;

use crate::core::{Core, Found};
use crate::resource::Resource;

/// An object that got no services although its id looks like one of this publisher's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    id: String,
    reason: LeftOutReason,
}

/// Why an object got no services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LeftOutReason {
    /// Its id has another scheme than the public URL: `http:` for `https:`.
    Scheme,
    /// Its id names another host, or another port, with a path of one of this publisher's bases.
    Host,
    /// Its id names the host of the public URL in another spelling, or without the path behind it. Case and
    /// the default port do not matter.
    Spelling,
    /// Its id lies below a base, and its path is refused: it could be read in two ways, or has no known
    /// shape.
    Path,
    /// Its id is a path, and no absolute URI.
    Relative,
    /// Its one service is an image service that is an object, in Presentation 2: viewers would lose the
    /// picture if it became an array.
    Service,
}

impl LeftOutReason {
    /// The reason as a few words for people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheme => "its id has another scheme than the public URL",
            Self::Host => "its id names another host than the public URL",
            Self::Spelling => "its id spells the public URL in another way",
            Self::Path => "its id has a path that is refused",
            Self::Relative => "its id is a path and no URI",
            Self::Service => "its service is one object, which viewers read as the image service",
        }
    }
}

impl fmt::Display for LeftOutReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl LeftOut {
    pub(super) fn new(id: &str, reason: LeftOutReason) -> Self {
        Self { id: id.to_owned(), reason }
    }

    /// The object's id, as it stands there.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Why it got no services.
    #[must_use]
    pub fn reason(&self) -> LeftOutReason {
        self.reason
    }
}

/// What is wrong with an id that is none of this publisher's, if it looks like one whose resource is
/// `wanted`.
pub(super) fn of(core: &Core, id: &str, wanted: impl Fn(&Resource<'_>) -> bool) -> Option<LeftOut> {
    let reason = reason(core, id.trim(), wanted)?;
    Some(LeftOut::new(id, reason))
}

fn reason(core: &Core, id: &str, wanted: impl Fn(&Resource<'_>) -> bool) -> Option<LeftOutReason> {
    let looks_right = |path: &str| {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        matches!(core.find(path), Found::Resource(resource) if wanted(&resource))
    };
    if let Some(own) = core.own_uri(id) {
        // It was refused.
        return core.is_content(own.path).then_some(LeftOutReason::Path);
    }
    if id.starts_with('/') && !id.starts_with("//") {
        let path = id.strip_prefix(core.public_url.path()).filter(|path| path.starts_with('/'));
        return looks_right(path.unwrap_or(id)).then_some(LeftOutReason::Relative);
    }
    let own = Parts::of(core.public_url.as_str())?;
    let parts = Parts::of(id)?;
    let behind = parts.path.strip_prefix(core.public_url.path());
    let below = behind.is_some_and(looks_right);
    if !below && !looks_right(parts.path) {
        return None;
    }
    Some(if !parts.host.eq_ignore_ascii_case(own.host) || parts.other_port(&own) {
        LeftOutReason::Host
    } else if !parts.scheme.eq_ignore_ascii_case(own.scheme) {
        LeftOutReason::Scheme
    } else {
        LeftOutReason::Spelling
    })
}

/// A URI, as far as a browser would find the same server by it.
struct Parts<'u> {
    scheme: &'u str,
    host: &'u str,
    port: Option<&'u str>,
    path: &'u str,
}

impl<'u> Parts<'u> {
    /// `None` for what is no `http` or `https` URI.
    fn of(uri: &'u str) -> Option<Self> {
        let (scheme, rest) = uri.split_once(':')?;
        if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
            return None;
        }
        // Browsers do not mind how many slashes there are, nor which.
        let rest = rest.trim_start_matches(['/', '\\']);
        let end = rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let authority = authority.rsplit('@').next().unwrap_or_default();
        let colon = authority.rfind(':').filter(|colon| !authority[*colon..].contains(']'));
        let (host, port) = match colon {
            Some(colon) => (&authority[..colon], Some(&authority[colon + 1..])),
            None => (authority, None),
        };
        Some(Self { scheme, host: host.trim_end_matches('.'), port, path })
    }

    /// Whether it is another port, said aloud: `http` for `https` has another one by itself.
    fn other_port(&self, own: &Self) -> bool {
        let default = |parts: &Self| if parts.scheme.len() == 5 { "443" } else { "80" };
        let named = |parts: &Self| {
            let port = parts.port.filter(|port| !port.is_empty());
            port.filter(|port| *port != default(parts)).map(ToOwned::to_owned)
        };
        named(self) != named(own)
    }
}
