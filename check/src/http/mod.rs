//! Requests, bounded in number, time, size and speed. Redirects are never followed unseen.

mod client;
mod jar;

pub(crate) use client::{Client, Settings};
pub(crate) use jar::{Jar, SetCookie};

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};

use serde_json::Value;
use url::Url;

/// What is to be sent. The URL is sent byte for byte: look-alike paths would not survive a parser.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<String>,
    /// It carries what the user logged in with: cookie, token, form.
    pub(crate) secret: bool,
    /// A description: the one kind of request that a dry run sends.
    pub(crate) description: bool,
}

impl Request {
    pub(crate) fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url)
    }

    pub(crate) fn new(method: &'static str, url: impl Into<String>) -> Self {
        let (headers, body) = (Vec::new(), None);
        Self { method, url: url.into(), headers, body, secret: false, description: false }
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn secret(mut self, name: &str, value: impl Into<String>) -> Self {
        self.secret = true;
        self.with(name, value)
    }

    /// With the cookies that the jar has for it.
    pub(crate) fn cookies(self, jar: &Jar) -> Self {
        match jar.header(&self.url) {
            Some(cookies) => self.secret("cookie", cookies),
            None => self,
        }
    }

    pub(crate) fn form(mut self, body: String) -> Self {
        self.body = Some(body);
        self.with("content-type", "application/x-www-form-urlencoded")
    }
}

/// A request and what came of it.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(crate) request: Request,
    pub(crate) outcome: Result<Answer, String>,
}

impl Exchange {
    pub(crate) fn answer(&self) -> Option<&Answer> {
        self.outcome.as_ref().ok()
    }

    pub(crate) fn status(&self) -> Option<u16> {
        self.answer().map(|answer| answer.status)
    }

    /// For people: the method, the URL without its query, and the status.
    pub(crate) fn place(&self) -> String {
        let url = self.request.url.split('?').next().unwrap_or_default();
        format!("{} {url}", self.request.method)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case, in the order of the answer.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// There was more of it than is read.
    pub(crate) cut: bool,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether a list-valued header, in one or several lines, has this member.
    pub(crate) fn lists(&self, name: &str, member: &str) -> bool {
        self.all(name)
            .flat_map(|value| value.split(','))
            .any(|part| part.trim().eq_ignore_ascii_case(member))
    }

    /// Whether `Cache-Control` has this directive, with or without a value.
    pub(crate) fn caches(&self, directive: &str) -> bool {
        self.all("cache-control").flat_map(|value| value.split(',')).any(|part| {
            part.split('=').next().unwrap_or_default().trim().eq_ignore_ascii_case(directive)
        })
    }

    pub(crate) fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// As `response.json()` reads it: a byte order mark and wrong bytes are forgiven.
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_str(self.text().trim_start_matches('\u{feff}')).ok()
    }

    /// The media type, in lower case and without parameters.
    pub(crate) fn media_type(&self) -> String {
        let value = self.header("content-type").unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    pub(crate) fn is_html(&self) -> bool {
        matches!(&*self.media_type(), "text/html" | "application/xhtml+xml")
    }

    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub(crate) fn is_redirect(&self) -> bool {
        matches!(self.status, 301 | 302 | 303 | 307 | 308)
    }

    /// Bytes of a picture, sound, film or document, told by its first bytes or its type.
    pub(crate) fn is_content(&self) -> bool {
        let magic: [&[u8]; 13] = [
            b"\xff\xd8\xff",
            b"\x89PNG",
            b"GIF8",
            b"RIFF",
            b"%PDF",
            b"II*\0",
            b"MM\0*",
            b"\x1a\x45\xdf\xa3",
            b"ID3",
            b"\0\0\0\x0cjP  ",
            b"OggS",
            b"fLaC",
            b"glTF",
        ];
        let kind = self.media_type();
        let named = ["image/", "audio/", "video/", "application/pdf", "model/"];
        self.is_success()
            && (magic.iter().any(|start| self.body.starts_with(start))
                || self.body.get(4..8) == Some(b"ftyp")
                || named.iter().any(|start| kind.starts_with(start)))
    }
}

/// `scheme://host[:port]` of a URL, as browsers write it.
pub(crate) fn origin(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let origin = url.origin();
    origin.is_tuple().then(|| origin.ascii_serialization())
}

/// Whether a URL is on this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.to_canonical().is_loopback(),
        None => false,
    }
}

/// Whether a URL names an address that belongs to a network of one's own.
pub(crate) fn is_private(url: &Url) -> bool {
    let four = |address: Ipv4Addr| {
        let shared = address.octets()[0] == 100 && address.octets()[1] & 0xc0 == 64;
        address.is_private()
            || address.is_link_local()
            || address.is_unspecified()
            || address.is_broadcast()
            || shared
    };
    match url.host() {
        Some(url::Host::Ipv4(address)) => four(address),
        Some(url::Host::Ipv6(address)) => match address.to_canonical() {
            IpAddr::V4(address) => four(address),
            IpAddr::V6(address) => {
                let first = address.segments()[0];
                first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfe80 || address.is_unspecified()
            }
        },
        _ => false,
    }
}

/// A URL with further query parameters, percent-encoded.
pub(crate) fn with_query(url: &str, parameters: &[(&str, &str)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in parameters {
        query.append_pair(name, value);
    }
    let query = query.finish();
    let join = if url.contains('?') { '&' } else { '?' };
    if query.is_empty() { url.to_owned() } else { format!("{url}{join}{query}") }
}
