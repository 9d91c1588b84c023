//! Paths as text: which lie below which.

/// A base without slashes at its end, unless it is the root.
pub(crate) fn base_of(base: &str) -> &str {
    let trimmed = base.trim_end_matches('/');
    if trimmed.is_empty() && !base.is_empty() { "/" } else { trimmed }
}

/// What of `path` lies behind `base`, if it is at or below it: nothing, or from a slash on.
pub(crate) fn below<'p>(path: &'p str, base: &str) -> Option<&'p str> {
    split(path, base).and_then(|(start, rest)| (start == base).then_some(rest))
}

/// The same for a server that does not mind case.
pub(crate) fn below_in_any_case<'p>(path: &'p str, base: &str) -> Option<&'p str> {
    split(path, base).and_then(|(start, rest)| start.eq_ignore_ascii_case(base).then_some(rest))
}

fn split<'p>(path: &'p str, base: &str) -> Option<(&'p str, &'p str)> {
    path.split_at_checked(base.len()).filter(|(_, rest)| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a path is absolute, has no slash at its end, and needs no escape.
pub(crate) fn is_plain(path: &str) -> bool {
    path.strip_prefix('/').is_some_and(|path| {
        path.split('/').all(|segment| {
            !matches!(segment, "" | "." | "..")
                && segment.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_or_below() {
        for (path, base, expected, in_any_case) in [
            ("/a", "/a", Some(""), Some("")),
            ("/a/b", "/a", Some("/b"), Some("/b")),
            ("/a/", "/a", Some("/"), Some("/")),
            ("/A/b", "/a", None, Some("/b")),
            ("/ab", "/a", None, None),
            ("/a", "/a/b", None, None),
            ("/b/a", "/a", None, None),
            ("/é", "/a", None, None),
            ("é", "/", None, None),
            ("/a", "", Some("/a"), Some("/a")),
        ] {
            assert_eq!(below(path, base), expected, "{path} {base}");
            assert_eq!(below_in_any_case(path, base), in_any_case, "{path} {base}");
        }
    }
}
