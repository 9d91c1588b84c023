//! Identifiers that are whole URLs, and what a URL may look like to have one name.

use super::Refusal;

/// Whether an identifier is a URL to a server that asks for it, also with one slash of its two.
pub(super) fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let known = ["http", "https", "ftp", "file", "s3", "data", "jar"];
    rest.starts_with("//") || known.iter().any(|known| scheme.eq_ignore_ascii_case(known))
}

/// The path of a URL that [`check`] has let through, without its first slash and its query.
pub(super) fn path_of(text: &str) -> &str {
    let behind = text.split_once("://").map_or("", |(_, behind)| behind);
    let path = behind.split_once('/').map_or("", |(_, path)| path);
    path.split('?').next().unwrap_or_default()
}

/// Refuses what has another name: see [`Dialect::urls`](super::Dialect::urls).
///
/// # Errors
///
/// [`Refusal::Ambiguous`].
pub(super) fn check(text: &str) -> Result<(), Refusal> {
    let good = has_good_escapes(text) && (!is_url(text) || is_good_url(text));
    if good { Ok(()) } else { Err(Refusal::Ambiguous) }
}

fn is_good_url(text: &str) -> bool {
    let (scheme, own_port) = match text.split_once("://") {
        Some(("http", behind)) => (behind, "80"),
        Some(("https", behind)) => (behind, "443"),
        _ => return false,
    };
    let Some((authority, path)) = scheme.split_once('/') else { return false };
    let (host, port) = authority.split_once(':').unwrap_or((authority, "8080"));
    let is_host =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
    let is_number = !port.starts_with('0') && port.bytes().all(|byte| byte.is_ascii_digit());
    !host.is_empty()
        && host.bytes().all(is_host)
        && !host.starts_with('.')
        && !host.ends_with('.')
        && !host.contains("..")
        && !is_odd_address(host)
        && is_number
        && (1..=5).contains(&port.len())
        && port != own_port
        && !path.is_empty()
        && path.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}#".contains(&byte))
}

/// Whether a host is an address that is not in its one spelling: `127.1`, `2130706433`, `0x7f.0.0.1` (WHATWG
/// URL, "ends in a number").
fn is_odd_address(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or_default();
    let hex = last.strip_prefix("0x").is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
    let is_number = hex || last.bytes().all(|byte| byte.is_ascii_digit());
    is_number && host.parse::<std::net::Ipv4Addr>().is_err()
}

/// Whether what is escaped has to be, and in the one way.
fn has_good_escapes(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'%', bytes).all(|at| match bytes.get(at + 1..at + 3) {
        Some(hex) => {
            let is_digit = |byte: &u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(byte);
            let byte = hex.iter().all(is_digit).then(|| decoded(hex)).flatten();
            byte.is_some_and(|byte| {
                let needless = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
                !needless && !byte.is_ascii_control() && !b"/\\%?#&".contains(&byte)
            })
        }
        None => false,
    })
}

fn decoded(hex: &[u8]) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()
}

/// The same with those characters plain that mean the same escaped and plain, where there are any.
pub(super) fn for_rules(text: &str) -> Option<String> {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('%') {
        let byte = behind.get(..2).and_then(|hex| decoded(hex.as_bytes()));
        plain.push_str(before);
        if let Some(byte) = byte.filter(|byte| b"!$'()*+,;=:@".contains(byte)) {
            plain.push(char::from(byte));
            rest = behind.get(2..).unwrap_or_default();
        } else {
            plain.push('%');
            rest = behind;
        }
    }
    plain.push_str(rest);
    (plain != text).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// AL-05: a URL in its one spelling.
    #[test]
    fn urls_have_one_name() {
        for (text, good) in [
            ("https://files.example/a/b.jp2", true),
            ("http://files.example:8080/a.jp2", true),
            ("https://files.example/160-Service%20File.jpg", true),
            ("https://files.example/a%28b%29.jpg", true),
            ("https://files.example/%C3%A9.jpg?id=1", true),
            ("dir/file name%20x", true),
            ("HTTPS://files.example/a", false),
            ("https://Files.example/a", false),
            ("https://files.example:443/a", false),
            ("http://files.example:80/a", false),
            ("http://files.example:0081/a", false),
            ("https://user@files.example/a", false),
            ("https://files.example./a", false),
            ("http://127.0.0.1/a", true),
            ("http://127.1/a", false),
            ("http://2130706433/a", false),
            ("http://0x7f.0.0.1/a", false),
            ("http://127.0.0.0x1/a", false),
            ("http://127.0.0.01/a", false),
            ("http://files.0xf0/a", false),
            ("http://4files/a", true),
            ("https://files.example/", false),
            ("https://files.example", false),
            ("https:/files.example/a", false),
            ("https:files.example/a", false),
            ("file:///etc/passwd", false),
            ("ftp://files.example/a", false),
            ("https://files.example/%61", false),
            ("https://files.example/a%2Fb", false),
            ("https://files.example/%2E%2E/b", false),
            ("https://files.example/%c3%a9", false),
            ("https://files.example/\u{e9}", false),
            ("https://files.example/a b", false),
            ("https://files.example/a#b", false),
            ("https://files.example/100%", false),
            ("https://files.example/%2541", false),
        ] {
            assert_eq!(check(text).is_ok(), good, "{text}");
        }
        let same = "https://files.example/a%28b%29%20c.jpg";
        assert_eq!(for_rules(same).unwrap(), "https://files.example/a(b)%20c.jpg");
        assert_eq!(for_rules("a%20b"), None);
    }
}
