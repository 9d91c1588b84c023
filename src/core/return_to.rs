//! Where a browser goes on to after a login or logout of the site's own: an address of this site, or of one
//! that is listed. It is parsed, and written anew.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::Core;
use crate::path;
use crate::protocol::Origin;
use crate::query;

/// The name of the parameter.
const PARAMETER: &str = "return_to";

/// The longest address, in bytes: it has to fit a cookie beside the viewers that wait.
const LONGEST: usize = 1024;

/// What stands for itself in an address (RFC 3986), and the escapes that are there.
const AS_IT_IS: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b':')
    .remove(b'/')
    .remove(b'?')
    .remove(b'#')
    .remove(b'[')
    .remove(b']')
    .remove(b'@')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b'%');

/// An absolute URL that may be gone on to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReturnTo(Box<str>);

impl ReturnTo {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Core {
    /// The address that a query asks for, if it asks for one and it is good.
    pub(crate) fn return_to(&self, query: &str) -> Option<ReturnTo> {
        let text = query::single(query, PARAMETER).ok().flatten()?;
        let address = self.parse_return_to(&text);
        if address.is_none() {
            crate::trace::access("", "return address refused");
        }
        address
    }

    /// The same for the address itself.
    pub(crate) fn parse_return_to(&self, text: &str) -> Option<ReturnTo> {
        let own = self.public_url.origin();
        let (origin, rest) = parse(text, own)?;
        if origin == *own {
            let path = rest.split(['?', '#']).next().unwrap_or_default();
            // To come back is no login, and no logout.
            let path = path::below(path, self.public_url.path())?;
            if self.is_service(path) {
                return None;
            }
        } else if !self.return_origins.contains(&origin) {
            return None;
        }
        let rest = utf8_percent_encode(rest, AS_IT_IS);
        Some(ReturnTo(format!("{origin}{rest}").into()))
    }

    fn is_service(&self, path: &str) -> bool {
        self.logout_at(path).is_some()
            || self.token_at(path).is_some()
            || self.access_at(path).is_some()
            || self.endpoints.all().iter().any(|own| path::below(path, own).is_some())
    }
}

/// The origin of an address, and what follows it. Browsers read addresses more kindly than anything else:
/// what they would read in another way is none.
fn parse<'t>(text: &'t str, own: &Origin) -> Option<(Origin, &'t str)> {
    let is_kept = |byte: u8| byte > b' ' && byte != 0x7f && byte != b'\\';
    if text.len() > LONGEST || !text.bytes().all(is_kept) {
        return None;
    }
    let (origin, rest) = if text.starts_with('/') {
        (own.clone(), text)
    } else {
        let authority = text.find("://")? + "://".len();
        let end = text[authority..].find(['/', '?', '#']).map_or(text.len(), |end| authority + end);
        (text[..end].parse().ok()?, &text[end..])
    };
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    // Two slashes begin another host, and dots lead out of the path that is looked at.
    (!path.starts_with("//") && !path.split('/').any(is_dots)).then_some((origin, rest))
}

fn is_dots(segment: &str) -> bool {
    let plain = segment.to_ascii_lowercase().replace("%2e", ".");
    plain == "." || plain == ".."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parsed_as_browsers_do() {
        let own: Origin = "https://iiif.example".parse().unwrap();
        let long = format!("/{}", "a".repeat(LONGEST));
        for (text, expected) in [
            ("/", Some(("https://iiif.example", "/"))),
            ("/items/7?page=2#top", Some(("https://iiif.example", "/items/7?page=2#top"))),
            (
                "/a?next=https://evil.example/",
                Some(("https://iiif.example", "/a?next=https://evil.example/")),
            ),
            ("/a?b=../c", Some(("https://iiif.example", "/a?b=../c"))),
            ("/a//b", Some(("https://iiif.example", "/a//b"))),
            ("https://iiif.example", Some(("https://iiif.example", ""))),
            ("https://IIIF.example:443/a", Some(("https://iiif.example", "/a"))),
            ("https://evil.example/a", Some(("https://evil.example", "/a"))),
            (
                "https://evil.example?https://iiif.example/",
                Some(("https://evil.example", "?https://iiif.example/")),
            ),
            ("http://iiif.example/a", Some(("http://iiif.example", "/a"))),
            ("/größe", Some(("https://iiif.example", "/größe"))),
            ("", None),
            ("items/7", None),
            ("?a=b", None),
            ("//evil.example/", None),
            ("///evil.example/", None),
            ("/\\evil.example/", None),
            ("\\\\evil.example/", None),
            ("/a/../auth/logout", None),
            ("/a/%2E%2e/auth/logout", None),
            ("/.", None),
            ("/a\tb", None),
            ("\t//evil.example", None),
            ("/ a", None),
            (" /a", None),
            ("/a\r\nSet-Cookie: a=b", None),
            ("/\u{7f}", None),
            ("javascript:alert(1)", None),
            ("javascript://iiif.example/%0aalert(1)", None),
            ("data:text/html,x", None),
            ("https:/iiif.example/", None),
            ("https:iiif.example", None),
            ("https://iiif.example@evil.example/", None),
            ("https://iiif.example:pass@evil.example/", None),
            ("https://iiif.example\\.evil.example/", None),
            ("https://iiif.example//evil.example", None),
            ("ftp://iiif.example/", None),
            (&*long, None),
        ] {
            let parsed = parse(text, &own);
            let parsed = parsed.as_ref().map(|(origin, rest)| (origin.as_str(), *rest));
            assert_eq!(parsed, expected, "{text:?}");
        }
        assert_eq!(
            utf8_percent_encode("/größe<\"%20", AS_IT_IS).to_string(),
            "/gr%C3%B6%C3%9Fe%3C%22%20"
        );
    }
}
