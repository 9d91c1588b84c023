//! Other names of one picture, and other doors to it.

use super::image;
use crate::discover::Content;
use crate::http::Request;

/// By what another request may come to the same bytes. The check of the same name judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alike {
    Dots,
    Slashes,
    Encoding,
    Description,
    Query,
    Protocol,
    Method,
    Forwarded,
    Address,
}

/// Nothing here changes anything at a server. Those that a front could be misled by are asked for
/// with `hostile` alone.
pub(super) fn look_alikes(content: &Content, hostile: bool) -> Vec<(Alike, Request)> {
    let Some((origin, path)) = split(&content.url) else { return Vec::new() };
    let get = |path: &str| image("GET", &format!("{origin}{path}"));
    // Where the picture's own name begins: after the base of an image service, else the last segment.
    let at = match &content.image {
        Some((base, _)) => {
            split(base).map_or(0, |(_, base)| base.rfind('/').map_or(0, |at| at + 1))
        }
        None => path.rfind('/').map_or(0, |at| at + 1),
    };
    let (before, own) = path.split_at(at.min(path.len()));
    let parent = before.trim_end_matches('/');
    let mut found = vec![
        (Alike::Dots, get(&format!("{before}./{own}"))),
        (Alike::Dots, get(&format!("{before}x/../{own}"))),
        (Alike::Dots, get(&format!("{before}x/%2e%2e/{own}"))),
        (Alike::Dots, get(&format!("{before}x%2F..%2F{own}"))),
        (Alike::Slashes, get(&format!("/{path}"))),
        (Alike::Slashes, get(&format!("{parent}//{own}"))),
        (Alike::Slashes, get(&format!("{path}/"))),
        (Alike::Slashes, get(&format!("{parent}\\{own}"))),
        (Alike::Query, get(&format!("{path}?x=/info.json"))),
        (Alike::Query, get(&format!("{path}%23/info.json"))),
        (Alike::Query, get(&format!("{path};x"))),
        (Alike::Query, get(&format!("{path}%00"))),
    ];
    if let Some(first) = own.bytes().next().filter(u8::is_ascii_alphanumeric) {
        let rest = &own[1..];
        found.push((Alike::Encoding, get(&format!("{before}%{first:02X}{rest}"))));
        found.push((Alike::Encoding, get(&format!("{before}%25{first:02X}{rest}"))));
        let changed = own.split_once('/').map_or((own, ""), |(id, rest)| (id, rest));
        let upper = changed.0.to_ascii_uppercase();
        if upper != changed.0 {
            let slash = if own.contains('/') { "/" } else { "" };
            found.push((Alike::Encoding, get(&format!("{before}{upper}{slash}{}", changed.1))));
        }
    }
    if content.image.is_some() {
        let (id, rest) = own.split_once('/').unwrap_or((own, ""));
        found.push((Alike::Description, get(&format!("{before}{id}/info.json/{rest}"))));
        found.push((Alike::Description, get(&format!("{before}{id}/info.json%2f..%2f{rest}"))));
        found.push((Alike::Description, get(&format!("{before}{id}/full/max/0/info.json"))));
        found.push((Alike::Encoding, get(&format!("{before}{id}%3B1/{rest}"))));
        found.push((Alike::Encoding, get(&format!("{before}{id};1/{rest}"))));
    }
    if hostile {
        found.extend(doors(content, &origin, &path, before, own));
    }
    found
}

fn doors(
    content: &Content,
    origin: &str,
    path: &str,
    before: &str,
    own: &str,
) -> Vec<(Alike, Request)> {
    let url = &content.url;
    let (id, rest) = own.split_once('/').unwrap_or((own, ""));
    let mut found = vec![
        (
            Alike::Method,
            image("POST", url).with("x-http-method-override", "GET").form(String::new()),
        ),
        (Alike::Method, image("GET", url).with("x-http-method-override", "OPTIONS")),
        (Alike::Method, image("PROPFIND", url)),
        (Alike::Method, image("OPTIONS", url)),
        (
            Alike::Forwarded,
            image("GET", url).with("x-forwarded-uri", "/").with("x-original-uri", "/"),
        ),
        (
            Alike::Forwarded,
            image("GET", &format!("{origin}/"))
                .with("x-original-url", path)
                .with("x-rewrite-url", path),
        ),
        (
            Alike::Forwarded,
            image("GET", url).with("x-remote-user", "admin").with("x-forwarded-user", "admin"),
        ),
        (
            Alike::Forwarded,
            image("GET", url)
                .with("x-forwarded-host", "localhost")
                .with("x-forwarded-proto", "http"),
        ),
    ];
    for address in ["127.0.0.1", "10.0.0.1", "::1"] {
        let request = image("GET", url)
            .with("x-forwarded-for", address)
            .with("x-real-ip", address)
            .with("forwarded", format!("for=\"{address}\""));
        found.push((Alike::Address, request));
    }
    for query in ["FIF=", "IIIF=", "DeepZoom=", "Zoomify="] {
        let tail = match query {
            "FIF=" => "&WID=400&CVT=jpeg".to_owned(),
            "IIIF=" => format!("/{rest}"),
            "DeepZoom=" => "_files/0/0_0.jpg".to_owned(),
            _ => "/TileGroup0/0-0-0.jpg".to_owned(),
        };
        for at in ["/", before] {
            found.push((Alike::Protocol, image("GET", &format!("{origin}{at}?{query}{id}{tail}"))));
        }
    }
    if let Some((_, version)) = &content.image {
        let (from, to) = if *version >= 3 { ("/3/", "/2/") } else { ("/2/", "/3/") };
        if before.contains(from) {
            let other = before.replacen(from, to, 1);
            let rest = if to == "/2/" {
                rest.replace("/max/", "/full/")
            } else {
                rest.replace("full/full/", "full/max/")
            };
            found.push((Alike::Protocol, image("GET", &format!("{origin}{other}{id}/{rest}"))));
        }
    }
    found
}

/// Scheme and authority, and the path as it is spelt.
fn split(url: &str) -> Option<(String, String)> {
    let start = url.find("://")? + 3;
    let slash = url[start..].find('/')? + start;
    let path = url[slash..].split(['?', '#']).next()?;
    Some((url[..slash].to_owned(), path.to_owned()))
}
