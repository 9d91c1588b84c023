//! Paths: however one is escaped, it is the same resource or refused, and nobody sees `sec` by any
//! reading of a path that some server may have. The first 16 bytes say what is escaped.
//!
//! Where the server behind is known, what is decided on is what it opens, by its own reading, and
//! `decision(path) = decision(any spelling that it takes for the same picture)`.

#![no_main]

use http::header::{COOKIE, HeaderName};
use http::{Method, StatusCode, Uri};
use libfuzzer_sys::fuzz_target;
use percent_encoding::percent_decode_str;
use tower_iiif_auth_fuzz::readings::{self, Server};
use tower_iiif_auth_fuzz::{COOKIE as NAME, COOKIE_A, DIALECTS, PUBLISHER, request};

/// What nobody, and what a user with the role `A`, is answered.
fn decision(path: &str) -> Option<(StatusCode, StatusCode, bool)> {
    let uri = path.parse::<Uri>().ok()?;
    let nobody = PUBLISHER.send(request(Method::GET, uri.clone(), &[]));
    let cookie = format!("{NAME}={}", *COOKIE_A);
    let headers: &[(HeaderName, &[u8])] = &[(COOKIE, cookie.as_bytes())];
    let reader = PUBLISHER.send(request(Method::GET, uri, headers));
    Some((nobody.status(), reader.status(), nobody.body() == "image bytes"))
}

/// The path as the most lenient of servers reads it.
fn lenient(path: &str) -> Vec<String> {
    let mut text = path.split(['?', '#']).next().unwrap_or_default().to_owned();
    for _ in 0..4 {
        text = percent_decode_str(&text).decode_utf8_lossy().into_owned();
    }
    let mut segments = Vec::new();
    for segment in text.replace('\\', "/").split('/') {
        match segment.split([';', '\0']).next().unwrap_or_default() {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment.to_owned()),
        }
    }
    segments
}

fn is_secret(path: &str) -> bool {
    let segments = lenient(path);
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match &segments[..] {
        ["iiif", "3" | "2" | "all" | "iip" | "can" | "can4" | "ark", rest @ ..] | ["files", rest @ ..] => {
            matches!(rest, ["sec", ..] | ["dir", "sec", ..])
        }
        _ => false,
    }
}

/// The same path with some of its unreserved characters escaped, but none within an escape.
fn respelled(path: &str, which: &[u8]) -> String {
    let bytes = path.as_bytes();
    let mut written = String::new();
    for (at, &byte) in bytes.iter().enumerate() {
        let in_escape = bytes[at.saturating_sub(2)..at].contains(&b'%');
        let unreserved = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let bit = which[at / 8 % which.len()] >> (at % 8) & 1;
        if unreserved && !in_escape && bit == 1 {
            written.push_str(&format!("%{byte:02x}"));
        } else {
            written.push(char::from(byte));
        }
    }
    written
}

/// Whoever may not see `sec` does not see it by the reading of the server behind, and a reader sees it under
/// every spelling of that server's.
fn as_the_server_reads(base: &str, server: Server, below: &str, which: &[u8]) {
    let Some((nobody, reader, seen)) = decision(&format!("{base}{below}")) else { return };
    for file in readings::files(server, below) {
        let is_secret = matches!(&*file, "sec" | "dir/sec");
        assert!(!(is_secret && seen), "{base}{below} is {file} to {server:?}");
        // What is open to nobody but readers is this very picture.
        let is_open = matches!(&*file, "pub" | "dir/pub");
        assert!(!seen || is_open, "{base}{below} is open, and {file} to {server:?}");
        let readers = reader.is_success() && !nobody.is_success();
        let image = !below.ends_with("/info.json");
        assert!(!(readers && image) || is_secret, "{base}{below} is a reader's, and {file} to {server:?}");
    }
    let name = ["sec", "pub", "dir/sec", "dir/pub", "a b/c", "x"][usize::from(which[0]) % 6];
    let part = ["", ";2", ";1:2", ";3;1:2"][usize::from(which[1]) % 4];
    let name = match server {
        Server::Cantaloupe { .. } => format!("{name}{part}"),
        _ => name.to_owned(),
    };
    let spelled = |from: usize| readings::spelled(server, &name, |at| which[(at + from) % which.len()]);
    for rest in ["full/max/0/default.jpg", "info.json"] {
        let (one, two) = (format!("{base}{}/{rest}", spelled(2)), format!("{base}{}/{rest}", spelled(9)));
        let decisions = (decision(&one), decision(&two));
        assert_eq!(decisions.0, decisions.1, "{one} and {two}");
        let is_known = name.starts_with("sec") || name.starts_with("dir/sec");
        let status = decisions.0.map(|(nobody, reader, _)| (nobody.as_u16(), reader.as_u16()));
        assert!(!is_known || rest == "info.json" || status == Some((401, 200)), "{one}: {status:?}");
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((which, path)) = input.split_at_checked(16) else { return };
    let Ok(path) = std::str::from_utf8(path) else { return };
    if !path.starts_with('/') || !path.is_ascii() || path.contains(['?', '#']) {
        return;
    }
    PUBLISHER.set_info(br#"{"id":"i"}"#);
    let Some(plain) = decision(path) else { return };
    if is_secret(path) {
        assert!(!plain.2, "{path} is seen by nobody who may");
    }
    for (base, server) in DIALECTS {
        if let Some(below) = path.strip_prefix(base) {
            as_the_server_reads(base, server, below, which);
        }
    }
    // Services lie at their own spelling, and what lies beside them is the application's.
    if path.starts_with("/auth/") {
        return;
    }
    let other = respelled(path, which);
    let Some(again) = decision(&other) else { return };
    // The escapes name the same, and where servers differ on that, it is refused.
    for (one, two) in [(plain.0, again.0), (plain.1, again.1)] {
        // A base URI that leads to its description (303) opens nothing.
        let is_open = |status: StatusCode| status.is_success() || status == StatusCode::FOUND;
        assert!(!is_open(two) || one == two, "{path}: {one}, {other}: {two}");
    }
    // Where it is the identifier alone that is escaped, nothing is refused for it.
    for base in ["/iiif/3/", "/iiif/2/", "/iiif/all/"] {
        let Some((identifier, rest)) =
            path.strip_prefix(base).and_then(|below| below.split_once('/'))
        else {
            continue;
        };
        let other = format!("{base}{}/{rest}", respelled(identifier, which));
        assert_eq!(decision(&other), Some(plain), "{path} and {other}");
    }
});
