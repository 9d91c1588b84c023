//! The access token of a request (2.0 §5.1, 1.0 §3, RFC 6750 §2.1).

use http::HeaderMap;
use http::header::AUTHORIZATION;

/// Longest token that is looked at, in bytes: longer than any that we issue.
const LONGEST: usize = 16 * 1024;

/// The token of the one `Authorization: Bearer` header. Everything else counts as no token.
pub(crate) fn token(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() || value.len() > LONGEST {
        return None;
    }
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim_start_matches(' ');
    let ours = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    (scheme.eq_ignore_ascii_case("Bearer") && !token.is_empty() && token.bytes().all(ours))
        .then_some(token)
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
            ("Bearer abc=", None),
            (&huge, None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, value.parse().unwrap());
            assert_eq!(token(&headers), expected, "{value:.40}");
        }
        let mut headers = HeaderMap::new();
        headers.append(AUTHORIZATION, "Bearer a".parse().unwrap());
        headers.append(AUTHORIZATION, "Bearer b".parse().unwrap());
        assert_eq!(token(&headers), None);
        headers.insert(AUTHORIZATION, http::HeaderValue::from_bytes(b"Bearer \x80\xff").unwrap());
        assert_eq!(token(&headers), None);
    }
}
