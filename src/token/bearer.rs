//! The access token of a request (2.0 §5.1, 1.0 §3, RFC 6750 §2.1).

use http::header::{AUTHORIZATION, Entry};
use http::{HeaderMap, HeaderValue};

use crate::core::Core;
use crate::seal::Scratch;

/// Longest token that is looked at, in bytes: longer than any that we issue.
const LONGEST: usize = 16 * 1024;

const SCHEME: &[u8] = b"Bearer";

/// The token of the one `Authorization: Bearer` header. Everything else counts as no token.
pub(crate) fn token(headers: &HeaderMap) -> Option<&[u8]> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next()?.as_bytes();
    if values.next().is_some() || value.len() > LONGEST {
        return None;
    }
    let (scheme, rest) = value.split_at_checked(SCHEME.len())?;
    let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
    let token = &rest[spaces..];
    let is_bearer = scheme.eq_ignore_ascii_case(SCHEME) && spaces > 0;
    // Every byte is looked at in any case, so that many can be looked at at once.
    let ours = |byte: u8| {
        u8::from(byte.is_ascii_digit())
            | u8::from((byte | 0x20).is_ascii_lowercase())
            | u8::from(byte == b'-')
            | u8::from(byte == b'_')
    };
    let is_ours = token.iter().fold(0, |strange, byte| strange | (1 ^ ours(*byte))) == 0;
    (is_bearer && !token.is_empty() && is_ours).then_some(token)
}

/// Takes away what is a token of ours, also one whose time is over: it is for these layers and nobody behind
/// them. What a host sends of its own, by this scheme or another, stays.
#[inline]
pub(crate) fn remove_own(core: &Core, headers: &mut HeaderMap) {
    if headers.contains_key(AUTHORIZATION) {
        retain_others(core, headers);
    }
}

#[cold]
fn retain_others(core: &Core, headers: &mut HeaderMap) {
    let Entry::Occupied(all) = headers.entry(AUTHORIZATION) else { return };
    let (name, values) = all.remove_entry_mult();
    let mut scratch = Scratch::new();
    let mut is_own = |value: &HeaderValue| {
        let (scheme, rest) = value.as_bytes().split_at_checked(SCHEME.len())?;
        let token = rest.trim_ascii();
        let is_bearer = scheme.eq_ignore_ascii_case(SCHEME) && token.len() <= LONGEST;
        is_bearer.then(|| core.seals.token().open(token, &mut scratch).ok())?
    };
    let kept: Vec<_> = values.filter(|value| is_own(value).is_none()).collect();
    for value in kept {
        headers.append(&name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// BE-01, BE-02, BE-11
    #[test]
    fn only_a_bearer_token_counts() {
        let huge = format!("Bearer {}", "A".repeat(1 << 20));
        for (value, expected) in [
            ("Bearer abc-_1", Some("abc-_1")),
            ("bearer abc", Some("abc")),
            ("BEARER abc", Some("abc")),
            ("Bearer  abc", Some("abc")),
            ("Bearer undefined", Some("undefined")),
            ("Basic abc", None),
            ("Token abc", None),
            ("Bearer", None),
            ("Bearer ", None),
            ("Bearerabc", None),
            ("Bearer abc extra", None),
            ("Bearer \"abc\"", None),
            ("Bearer abc,", None),
            ("Bearer\tabc", None),
            ("Bearer \tabc", None),
            ("Bearer abc=", None),
            (&huge, None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, value.parse().unwrap());
            assert_eq!(token(&headers), expected.map(str::as_bytes), "{value:.40}");
        }
        let mut headers = HeaderMap::new();
        headers.append(AUTHORIZATION, "Bearer a".parse().unwrap());
        headers.append(AUTHORIZATION, "Bearer b".parse().unwrap());
        assert_eq!(token(&headers), None);
        headers.insert(AUTHORIZATION, http::HeaderValue::from_bytes(b"Bearer \x80\xff").unwrap());
        assert_eq!(token(&headers), None);
    }
}
