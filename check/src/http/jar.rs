use url::Url;

use super::Answer;

/// A cookie as it was set.
#[expect(clippy::struct_excessive_bools, reason = "attributes are there or not")]
#[derive(Clone, Debug)]
pub(crate) struct SetCookie {
    pub(crate) name: String,
    pub(crate) value: String,
    /// The host that set it.
    pub(crate) host: String,
    pub(crate) domain: Option<String>,
    pub(crate) path: String,
    pub(crate) secure: bool,
    pub(crate) http_only: bool,
    pub(crate) same_site: Option<String>,
    pub(crate) partitioned: bool,
    pub(crate) max_age: Option<i64>,
    /// By `Max-Age` or `Expires`, it is to be forgotten.
    pub(crate) gone: bool,
}

impl SetCookie {
    pub(crate) fn parse(url: &Url, line: &str) -> Option<Self> {
        let mut parts = line.split(';');
        let (name, value) = parts.next()?.split_once('=')?;
        let mut cookie = Self {
            name: name.trim().to_owned(),
            value: value.trim().to_owned(),
            host: url.host_str()?.to_owned(),
            domain: None,
            path: default_path(url),
            secure: false,
            http_only: false,
            same_site: None,
            partitioned: false,
            max_age: None,
            gone: false,
        };
        let mut expired = false;
        for part in parts {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let value = value.trim();
            match &*name.trim().to_ascii_lowercase() {
                "domain" => {
                    cookie.domain = Some(value.trim_start_matches('.').to_ascii_lowercase());
                }
                "path" if value.starts_with('/') => value.clone_into(&mut cookie.path),
                "secure" => cookie.secure = true,
                "httponly" => cookie.http_only = true,
                "samesite" => cookie.same_site = Some(value.to_ascii_lowercase()),
                "partitioned" => cookie.partitioned = true,
                "max-age" => cookie.max_age = value.parse().ok(),
                // Deletions name the beginning of time.
                "expires" => expired = value.contains("1970") || value.contains("-70 "),
                _ => {}
            }
        }
        cookie.gone = cookie.max_age.map_or(expired, |age| age <= 0);
        Some(cookie)
    }

    /// Whether a browser would send it there.
    pub(crate) fn reaches(&self, url: &str) -> bool {
        let Ok(url) = Url::parse(url) else { return false };
        let host = url.host_str().unwrap_or_default();
        let by_host = match &self.domain {
            Some(domain) => host == domain || host.ends_with(&format!(".{domain}")),
            None => host == self.host,
        };
        let path = url.path();
        let by_path = path == self.path
            || path
                .strip_prefix(&*self.path)
                .is_some_and(|rest| self.path.ends_with('/') || rest.starts_with('/'));
        let by_scheme = !self.secure || url.scheme() == "https" || super::is_loopback(&url);
        by_host && by_path && by_scheme
    }
}

fn default_path(url: &Url) -> String {
    match url.path().rsplit_once('/') {
        Some((path, _)) if !path.is_empty() => path.to_owned(),
        _ => "/".to_owned(),
    }
}

/// The cookies of one walk. A cookie goes where a browser would send it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Jar {
    pub(crate) cookies: Vec<SetCookie>,
    /// As the user gave it, for the server's own origins.
    pub(crate) given: Option<String>,
    /// Values that were replaced on purpose, to see what comes of it.
    tampered: bool,
}

impl Jar {
    /// Takes in what an answer sets, and returns it.
    pub(crate) fn store(&mut self, url: &str, answer: &Answer) -> Vec<SetCookie> {
        let Ok(url) = Url::parse(url) else { return Vec::new() };
        let set: Vec<_> =
            answer.all("set-cookie").filter_map(|line| SetCookie::parse(&url, line)).collect();
        for cookie in &set {
            self.cookies.retain(|other| {
                (&other.name, &other.host, &other.path)
                    != (&cookie.name, &cookie.host, &cookie.path)
            });
            if !cookie.gone {
                self.cookies.push(cookie.clone());
            }
        }
        set
    }

    pub(crate) fn header(&self, url: &str) -> Option<String> {
        let mut pairs: Vec<_> = self.given.iter().map(|given| self.spoil(given)).collect();
        let reaching = self.cookies.iter().filter(|cookie| cookie.reaches(url));
        pairs.extend(
            reaching.map(|cookie| format!("{}={}", cookie.name, self.spoil(&cookie.value))),
        );
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// The same cookies, each with its last characters changed.
    pub(crate) fn tampered(&self) -> Self {
        Self { tampered: true, ..self.clone() }
    }

    /// Every value, for comparison with a token.
    pub(crate) fn values(&self) -> Vec<String> {
        let given = self.given.iter().flat_map(|given| given.split(';'));
        let given =
            given.filter_map(|pair| pair.split_once('=')).map(|(_, value)| value.trim().to_owned());
        given.chain(self.cookies.iter().map(|cookie| cookie.value.clone())).collect()
    }

    fn spoil(&self, value: &str) -> String {
        if !self.tampered {
            return value.to_owned();
        }
        // In the middle: the last character of base64 may hold no bit that counts.
        let middle = value.chars().count() / 2;
        let changed = |c: char| if c == 'A' { 'B' } else { 'A' };
        value
            .chars()
            .enumerate()
            .map(|(at, c)| if at == middle && c != '=' && c != ';' { changed(c) } else { c })
            .collect()
    }
}
