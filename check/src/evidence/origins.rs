//! Origins as strangers may spell them.

use url::Url;

/// What breaks out of attributes and of scripts.
pub(crate) const MARKUP: &str = "https://viewer.example/\"'></script><script>alert(1)</script><!--";

/// Values of one `origin`: those that are an origin in another spelling, and those that are none.
pub(super) const SPELT: [&str; 17] = [
    "HTTPS://VIEWER.EXAMPLE",
    "https://viewer.example:443",
    "https://viewer.example.",
    "https://b\u{fc}cher.example",
    "https://xn--bcher-kva.example",
    "null",
    "/",
    "javascript:alert(1)",
    "file://",
    "https://viewer.example@evil.example",
    "https://evil.example\\@viewer.example",
    "https://viewer.example/page",
    "https://viewer.example?x",
    "https://viewer.example#x",
    "https://viewer.example https://evil.example",
    "https://viewer.example,https://evil.example",
    "https://viewer.example\r\nSet-Cookie: x=1",
];

/// Values that only look like the origin that a login was for; several are repeated parameters.
pub(super) fn disguises(viewer: &str) -> Vec<Vec<String>> {
    let Ok(url) = Url::parse(viewer) else { return Vec::new() };
    let (scheme, host) = (url.scheme(), url.host_str().unwrap_or_default());
    let elsewhere = super::walk::ELSEWHERE;
    let other = if scheme == "https" { "http" } else { "https" };
    let one = |value: String| vec![value];
    vec![
        one(format!("{scheme}://{host}.elsewhere.example")),
        one(format!("{scheme}://elsewhere{host}")),
        one(format!("{scheme}://{host}:8443")),
        one(format!("{other}://{host}")),
        one(format!("{viewer}@elsewhere.example")),
        one(format!("{elsewhere}\\@{host}")),
        one(format!("{elsewhere}/{viewer}")),
        one(format!("{elsewhere}#{viewer}")),
        one(format!("{elsewhere} {viewer}")),
        one("null".to_owned()),
        vec![viewer.to_owned(), elsewhere.to_owned()],
        vec![elsewhere.to_owned(), viewer.to_owned()],
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// OR-07, OR-12: none of them is the viewer's own origin, as browsers read it.
    #[test]
    fn no_disguise_is_the_origin_itself() {
        for viewer in ["https://viewer.example", "http://localhost:3000"] {
            let all = disguises(viewer);
            assert!(all.len() > 9);
            for one in all.iter().filter(|one| one.len() == 1) {
                assert_ne!(crate::http::origin(&one[0]).as_deref(), Some(viewer), "{one:?}");
            }
        }
    }
}
