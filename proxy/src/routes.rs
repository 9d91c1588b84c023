//! From the paths that browsers know to those of the image server, and back.

use std::borrow::Cow;

use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderName, HeaderValue, StatusCode, Uri};
use percent_encoding::percent_decode_str;
use tower_iiif_auth::resource::Resource;

use crate::config::{Base, Config, Kind, PublicPath};

/// The paths of a configuration.
pub(crate) struct Routes {
    public_url: String,
    pub(crate) public_scheme: Scheme,
    pub(crate) public_host: Authority,
    /// Under which address clients know this site, as image servers are told.
    pub(crate) forwarded: Vec<(HeaderName, HeaderValue)>,
    endpoints: String,
    bases: Vec<Base>,
    public_paths: Vec<PublicPath>,
}

/// A site's address in the words of proxies. Behind a path there is a front that takes it away.
fn forwarded(site: &Uri) -> Result<Vec<(HeaderName, HeaderValue)>, http::Error> {
    const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
    const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
    const PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
    const PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");
    let scheme = site.scheme_str().unwrap_or("https");
    let host = site.authority().map_or("localhost", Authority::as_str);
    let port = site.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
    let mut all = vec![
        (PROTO, HeaderValue::from_str(scheme)?),
        (HOST, HeaderValue::from_str(host)?),
        (PORT, HeaderValue::from(port)),
    ];
    let prefix = site.path().trim_end_matches('/');
    if !prefix.is_empty() {
        all.push((PREFIX, HeaderValue::from_str(prefix)?));
    }
    Ok(all)
}

/// Whether a path below no base goes on to the image server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Public {
    /// Without its query, or with it.
    Open { pass_query: bool },
    /// It is public, and could be read in two ways.
    Ambiguous,
    /// It does not: it is not listed, or the proxy's own.
    Closed,
}

impl Routes {
    pub(crate) fn new(config: &Config) -> Result<Self, http::Error> {
        let url: Uri = config.public_url.parse()?;
        let forwarded = forwarded(&url)?;
        let parts = url.into_parts();
        Ok(Self {
            public_url: config.public_url.clone(),
            public_scheme: parts.scheme.unwrap_or(Scheme::HTTPS),
            public_host: parts.authority.unwrap_or_else(|| Authority::from_static("localhost")),
            forwarded,
            endpoints: config.endpoints.clone(),
            bases: config.bases.clone(),
            public_paths: config.public_paths.clone(),
        })
    }

    /// The base that a path lies below, and the rest of the path behind its slash. At the root everything
    /// does, but for what the layers set apart there: the services, and what is public and no image.
    pub(crate) fn base_of<'p>(&self, path: &'p str) -> Option<(&Base, &'p str)> {
        self.bases.iter().find_map(|base| {
            let below = path.strip_prefix(&*base.path)?.strip_prefix('/')?;
            let apart = base.is_root()
                && (self.is_own(path) || self.listed(path).is_some() && base.leaves(path));
            (!apart).then_some((base, below))
        })
    }

    /// Whether a path is one of the proxy's own services, or no resource at or below them, for servers that
    /// decode it, drop path parameters, or do not mind its case.
    fn is_own(&self, path: &str) -> bool {
        let decoded = percent_decode_str(path).decode_utf8_lossy();
        let start = decoded.get(..self.endpoints.len());
        let rest = decoded.get(self.endpoints.len()..).unwrap_or_default();
        start.is_some_and(|start| start.eq_ignore_ascii_case(&self.endpoints))
            && (rest.is_empty() || rest.starts_with(['/', ';']))
    }

    /// What `public_paths` say of a path.
    fn listed(&self, path: &str) -> Option<&PublicPath> {
        self.public_paths.iter().find(|own| own.pattern.matches(path))
    }

    /// What becomes of a path below no base. The layers let through public paths and the login's own; to
    /// the image server go the public ones alone, whatever else comes so far.
    pub(crate) fn public(&self, path: &str) -> Public {
        let open = path.starts_with('/') && !self.is_own(path);
        let Some(PublicPath { pass_query, .. }) = self.listed(path).filter(|_| open) else {
            return Public::Closed;
        };
        // Some servers drop what follows `;`, some end the path at a `?` or `#` that was encoded, and
        // IIPImage takes what follows `&` as a command, which is a query by another way.
        let decoded = percent_decode_str(path).decode_utf8_lossy();
        let has = |byte: u8| decoded.as_bytes().contains(&byte);
        if has(b';') || has(b'?') || has(b'#') || has(b'&') && !pass_query {
            return Public::Ambiguous;
        }
        Public::Open { pass_query: *pass_query }
    }

    /// Which image server has what lies at a path.
    pub(crate) fn upstream_of(&self, path: &str) -> usize {
        if let Some((base, _)) = self.base_of(path) {
            return base.upstream;
        }
        self.listed(path).map_or(0, |own| own.upstream)
    }

    /// What a path is called in logs and metrics: one of few words.
    pub(crate) fn name_of(&self, path: &str) -> &str {
        // Content below a signed location is content.
        let signed =
            path.strip_prefix(&*self.endpoints).and_then(|rest| rest.strip_prefix("/signed/"));
        let plain = signed.and_then(|rest| rest.find('/').map(|end| &rest[end..]));
        let path = plain.filter(|plain| self.base_of(plain).is_some()).unwrap_or(path);
        let below = |prefix: &str| {
            path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        match self.base_of(path) {
            Some((base, _)) => base.shown(),
            None if below(&self.endpoints) => "services",
            None => "other",
        }
    }

    /// What the image server is asked for, below the place that the base has there: of an image the one
    /// spelling of what was decided on, of a file the path to the byte as it came in. The query stays
    /// behind, unless base or public path say otherwise.
    pub(crate) fn upstream_target(&self, uri: &Uri) -> Result<PathAndQuery, http::Error> {
        let Some((base, _)) = self.base_of(uri.path()) else {
            let passed = self.public(uri.path()) == Public::Open { pass_query: true };
            let whole = uri.path_and_query().filter(|_| passed).map(PathAndQuery::as_str);
            return Ok(PathAndQuery::try_from(whole.unwrap_or(uri.path()))?);
        };
        let path = match (&base.kind, base.image(uri.path())) {
            (Kind::Images(_), Some(image)) => Cow::Owned(image.request_path()),
            (Kind::Files(_), _) => Cow::Borrowed(uri.path()),
            // The layers have refused it.
            (Kind::Images(_), None) => return Err(StatusCode::from_u16(0).unwrap_err().into()),
        };
        let mut target = base.upstream_path_of(&path);
        if let Some(query) = uri.query().filter(|_| base.pass_query) {
            target.to_mut().push('?');
            target.to_mut().push_str(query);
        }
        Ok(PathAndQuery::try_from(&*target)?)
    }

    /// What the image server is told in `X-IIIF-ID`: the public URI of the image that a path asks for.
    ///
    /// IIPImage prints what it is told in a way in which it may hold no escape: it is told a name of the
    /// proxy's, in place of which the URI is put afterwards ([`description`](crate::forward)). Cantaloupe
    /// is told nothing, as its version 4 takes it for an identifier.
    pub(crate) fn image_id(&self, path: &str) -> Option<String> {
        let (base, _) = self.base_of(path)?;
        let image = base.image(path)?;
        match base.dialect()? {
            dialect if dialect.is_cantaloupe() => None,
            dialect if dialect.is_iipimage() => Some(self.stand_in(base)),
            _ => Some(self.public_uri(&image)),
        }
    }

    /// The public URI of a resource as a whole.
    pub(crate) fn public_uri(&self, resource: &Resource<'_>) -> String {
        [&*self.public_url, &*resource.path()].concat()
    }

    /// A URI without an escape that stands for the public URI of any image of a base.
    pub(crate) fn stand_in(&self, base: &Base) -> String {
        format!("{}://{}{}/-", self.public_scheme, self.public_host, base.path)
    }

    /// The public URL of what the image server has at this path, told in an answer to a request below
    /// `asked`. What lies below no base has the same path there and here.
    pub(crate) fn public_url_of(&self, upstream_path: &str, asked: Option<&Base>) -> String {
        let below = |base: &&Base| {
            let rest = upstream_path.strip_prefix(&*base.upstream_path);
            rest.is_some_and(|rest| rest.starts_with('/'))
        };
        // Two bases may be one place of the image server: then the one that was asked. Or else the
        // longest that fits, as one place may lie below another.
        let base = asked.filter(below).or_else(|| {
            self.bases.iter().filter(below).max_by_key(|base| base.upstream_path.len())
        });
        match base {
            Some(base) => {
                let rest = &upstream_path[base.upstream_path.len()..];
                format!("{}{}{rest}", self.public_url, base.path)
            }
            None => format!("{}{upstream_path}", self.public_url),
        }
    }

    /// Whether a URL is one of the public ones.
    pub(crate) fn is_public(&self, url: &str) -> bool {
        url.strip_prefix(&*self.public_url)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
    }
}
