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
        let mut expired = None;
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
                "expires" => expired = is_past(value).or(expired),
                _ => {}
            }
        }
        cookie.gone = cookie.max_age.map_or(expired == Some(true), |age| age <= 0);
        Some(cookie)
    }

    /// Why browsers do not take it from this address; `None` if they do.
    pub(crate) fn refused(&self, url: &Url) -> Option<&'static str> {
        let secure_place = url.scheme() == "https" || super::is_loopback(url);
        let name = self.name.to_ascii_lowercase();
        let host = url.host_str().unwrap_or_default();
        let covers = |domain: &String| {
            // A name without a dot belongs to nobody, or to this host.
            host == domain || (domain.contains('.') && host.ends_with(&format!(".{domain}")))
        };
        if !self.domain.as_ref().is_none_or(covers) {
            Some("its Domain is not that of the host")
        } else if self.secure && !secure_place {
            Some("Secure, and set over plain http")
        } else if name.starts_with("__secure-") && !self.secure {
            Some("__Secure- without Secure")
        } else if name.starts_with("__host-")
            && !(self.secure && self.domain.is_none() && self.path == "/")
        {
            Some("__Host- without Secure, or with a Domain, or with another Path than /")
        } else if self.same_site.as_deref() == Some("none") && !self.secure {
            Some("SameSite=None without Secure")
        } else if self.partitioned && !self.secure {
            Some("Partitioned without Secure")
        } else if self.name.len() + self.value.len() > 4096 {
            Some("longer than 4096 bytes")
        } else {
            None
        }
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

/// Whether a date is over, in the spellings that servers use. `None` if it is none.
fn is_past(date: &str) -> Option<bool> {
    let plain = date.replace('-', " ");
    let date = [date, &plain].into_iter().find_map(|date| httpdate::parse_http_date(date).ok())?;
    Some(date <= std::time::SystemTime::now())
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
        for cookie in set.iter().filter(|cookie| cookie.refused(&url).is_none()) {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn cookie(line: &str) -> SetCookie {
        SetCookie::parse(&url("https://auth.a.example/in"), line).expect("a cookie")
    }

    fn url(url: &str) -> Url {
        Url::parse(url).expect("a URL")
    }

    #[test]
    fn deletions_are_told_in_every_spelling() {
        for line in [
            "a=; Max-Age=0",
            "a=; Max-Age=-1",
            "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
            "a=; expires=Thu, 01-Jan-1970 00:00:01 GMT",
            "a=; Expires=Sunday, 06-Nov-94 08:49:37 GMT",
            "a=; Expires=Mon, 02 Jan 2023 10:00:00 GMT; Path=/",
        ] {
            assert!(cookie(line).gone, "{line}");
        }
        for line in [
            "a=b",
            "a=b; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
            "a=b; Expires=Fri, 01 Jan 2100 00:00:00 GMT",
            "a=b; Expires=1970",
        ] {
            assert!(!cookie(line).gone, "{line}");
        }
    }

    /// SE-02, SE-03: a cookie that browsers drop does not let anybody in.
    #[test]
    fn what_browsers_drop_is_dropped() {
        let here = url("https://auth.a.example/in");
        let long = format!("a={}; Secure", "x".repeat(4096));
        for line in [
            "a=b; Domain=b.example",
            "a=b; Domain=www.auth.a.example",
            "a=b; Domain=example",
            "a=b; Domain=th.a.example",
            "__Secure-a=b",
            "__Host-a=b; Secure; Path=/in",
            "__Host-a=b; Secure; Path=/; Domain=a.example",
            "__host-a=b; Path=/",
            "a=b; SameSite=None",
            "a=b; Partitioned",
            &long,
        ] {
            assert!(cookie(line).refused(&here).is_some(), "{line}");
        }
        for line in [
            "a=b",
            "a=b; Domain=a.example",
            "a=b; Domain=.auth.a.example",
            "__Host-a=b; Secure; Path=/; SameSite=None",
            "a=b; SameSite=None; Secure; Partitioned",
        ] {
            assert_eq!(cookie(line).refused(&here), None, "{line}");
        }
        assert!(cookie("a=b; Secure").refused(&url("http://auth.a.example/in")).is_some());
        assert_eq!(cookie("a=b; Secure").refused(&url("http://127.0.0.1:1/in")), None);
    }
}
