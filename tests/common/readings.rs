//! How image servers read a path: written down from their sources and from trying them, with nothing of
//! the crate's own.

use percent_encoding::percent_decode_str;

/// A server behind a base.
#[derive(Clone, Copy, Debug)]
pub enum Server {
    /// IIPImage 1.1: decoded twice by rules of its own, split from the end.
    IipImage,
    /// Cantaloupe: decoded once, substitute undone, page and scale split off; 4 had a scale by hyphen.
    Cantaloupe { substitute: Option<&'static str>, four: bool },
    /// Static files and others whose identifiers have raw slashes.
    Segments,
    /// All of them, and more that decode, cut and trim as they like.
    Any,
}

/// The files that such a server may open for a path below its base; none where it gives an error or
/// leads elsewhere.
pub fn files(server: Server, below: &str) -> Vec<String> {
    let first = below.split('/').next().unwrap_or_default();
    let found: Vec<Option<String>> = match server {
        Server::IipImage => vec![iipimage(below)],
        Server::Cantaloupe { substitute, four } => vec![Some(cantaloupe(first, substitute, four))],
        Server::Segments => {
            vec![from_the_end(below).map(|own| decoded(&own)), from_the_end(&decoded(below))]
        }
        Server::Any => {
            let cut =
                |text: &str, at: &[char]| text.split(at).next().unwrap_or_default().to_owned();
            let once = decoded(first);
            vec![
                Some(once.clone()),
                Some(decoded(&once)),
                Some(decoded(&cut(first, &[';', '@']))),
                Some(cut(&once, &[';', '&', '@', '\0', '#', '?'])),
                Some(cantaloupe(first, None, true)),
                Some(once.replace('+', " ")),
                Some(once.replace('\\', "/")),
                Some(trimmed(&once)),
                iipimage(below),
                from_the_end(&decoded(below)).filter(|_| below.contains('/') || once.contains('/')),
            ]
        }
    };
    found.into_iter().flatten().map(|file| folded(&file)).collect()
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// As the file system has it: `.`, `..` and nothing lead where they lead.
fn folded(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// As Windows has it.
fn trimmed(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').map(|part| part.trim_end_matches(['.', ' '])).collect();
    parts.join("/")
}

/// What stands before a description's name or an image request.
fn from_the_end(path: &str) -> Option<String> {
    let parts: Vec<&str> = path.split('/').collect();
    if let [before @ .., "info.json"] = &parts[..] {
        return Some(before.join("/"));
    }
    let [before @ .., region, size, _, _] = &parts[..] else { return None };
    let is_region = region.eq_ignore_ascii_case("full")
        || region.eq_ignore_ascii_case("square")
        || region.matches(',').count() == 3;
    let is_size = size.contains(',')
        || ["max", "^max", "full"].iter().any(|word| size.eq_ignore_ascii_case(word))
        || size.starts_with("pct:");
    (is_region && is_size && !before.is_empty()).then(|| before.join("/"))
}

/// Its own decoder: a plus sign is a space, `%00` is nothing.
fn by_cgicc(text: &str) -> String {
    let (mut bytes, mut read) = (Vec::new(), text.as_bytes());
    while let [byte, rest @ ..] = read {
        let hex = rest.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let escaped = hex.filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match (byte, escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'+', _) => bytes.push(b' '),
            (b'%', Some(value)) => {
                if value != 0 {
                    bytes.push(value);
                }
                read = &read[3..];
                continue;
            }
            (byte, _) => bytes.push(*byte),
        }
        read = rest;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn iipimage(below: &str) -> Option<String> {
    // Behind a front that makes a query of the path, another command begins here.
    let commands: Vec<String> = [below.to_owned(), decoded(below)]
        .iter()
        .filter_map(|text| {
            text.split('&')
                .skip(1)
                .find_map(|command| command.strip_prefix("FIF="))
                .map(str::to_owned)
        })
        .collect();
    if let Some(file) = commands.first() {
        return Some(format!("a command: {file}"));
    }
    let file = by_cgicc(&from_the_end(&by_cgicc(below))?);
    Some(file.replace("../", ""))
}

fn cantaloupe(first: &str, substitute: Option<&str>, four: bool) -> String {
    let mut name = decoded(first);
    if let Some(substitute) = substitute {
        name = name.replace(substitute, "/");
    }
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_scale =
        |text: &str| text.split_once(':').is_some_and(|(a, b)| is_number(a) && is_number(b));
    if four && name.rsplit_once('-').is_some_and(|(_, last)| is_scale(last)) {
        name.truncate(name.rfind('-').unwrap_or_default());
    }
    if name.rsplit_once(';').is_some_and(|(_, last)| is_scale(last)) {
        name.truncate(name.rfind(';').unwrap_or_default());
    }
    if name.rsplit_once(';').is_some_and(|(_, last)| is_number(last)) {
        name.truncate(name.rfind(';').unwrap_or_default());
    }
    // `HttpSource` makes a URL of it.
    name.truncate(name.find(['#', '?']).unwrap_or(name.len()));
    name
}

/// A way to write a picture's name that a server of this kind takes for it; `choice` says which.
pub fn spelled(server: Server, name: &str, choice: impl Fn(usize) -> u8) -> String {
    let mut written = String::new();
    for (at, character) in name.char_indices() {
        let choice = choice(at);
        let escaped =
            || {
                let mut buffer = [0; 4];
                let bytes = character.encode_utf8(&mut buffer).bytes();
                bytes
                    .map(|byte| {
                        if choice & 4 == 0 {
                            format!("%{byte:02x}")
                        } else {
                            format!("%{byte:02X}")
                        }
                    })
                    .collect()
            };
        let spelling: String = match (server, character, choice & 3) {
            (Server::IipImage, ' ', 0) => "+".to_owned(),
            (Server::IipImage, ' ', 1) => "%2B".to_owned(),
            (Server::IipImage | Server::Segments, '/', 0 | 1) => "/".to_owned(),
            (Server::Cantaloupe { substitute: Some(text), .. }, '/', 0 | 1) => text.to_owned(),
            (Server::Cantaloupe { .. }, ';', 0 | 1) => ";".to_owned(),
            (_, character, 0..=2)
                if character.is_ascii_alphanumeric() || "-._~:".contains(character) =>
            {
                character.to_string()
            }
            _ => escaped(),
        };
        written.push_str(&spelling);
    }
    written
}
