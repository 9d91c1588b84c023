//! Headers of a response that needed a session: nobody else may keep or reuse it.

use std::time::Duration;

use http::header::{CACHE_CONTROL, SET_COOKIE, VARY, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::respond;

/// Makes a response private, for no longer than its session lasts.
#[derive(Clone, Debug)]
pub(super) struct Private {
    remaining: Duration,
    /// Where Storage Access Headers are spoken, the answer depends on them, too.
    storage_access: bool,
    /// For the viewer's partition.
    cookie: Option<HeaderValue>,
}

/// What would keep the image from viewers on other sites.
const REMOVED: [HeaderName; 2] = [
    HeaderName::from_static("cross-origin-resource-policy"),
    // Browsers would open a dialogue (requirements CON-11).
    WWW_AUTHENTICATE,
];

/// Ready-made values, so that none is put together for a tile: the largest that fits is taken.
const AGES: [(u64, &str); 10] = [
    (86_400, "private, max-age=86400"),
    (14_400, "private, max-age=14400"),
    (3_600, "private, max-age=3600"),
    (1_800, "private, max-age=1800"),
    (900, "private, max-age=900"),
    (600, "private, max-age=600"),
    (300, "private, max-age=300"),
    (120, "private, max-age=120"),
    (60, "private, max-age=60"),
    (0, "private, no-cache"),
];

impl Private {
    pub(super) fn until(remaining: Duration) -> Self {
        Self { remaining, storage_access: false, cookie: None }
    }

    /// The same where browsers may keep cookies from third parties.
    pub(super) fn for_third_parties(mut self, cookie: Option<HeaderValue>, varies: bool) -> Self {
        self.cookie = cookie;
        self.storage_access = varies;
        self
    }

    pub(super) fn apply(self, headers: &mut HeaderMap) {
        let cache = self.cache_control(headers);
        if let Some(cookie) = self.cookie {
            headers.append(SET_COOKIE, cookie);
        }
        if self.storage_access {
            headers.append(VARY, HeaderValue::from_static("Sec-Fetch-Storage-Access"));
        }
        headers.insert(CACHE_CONTROL, cache);
        for name in REMOVED {
            headers.remove(name);
        }
        respond::tell_caches_nothing_else(headers);
        respond::allow_any_origin(headers);
        let names_cookie = |value: &HeaderValue| {
            value.to_str().is_ok_and(|names| {
                names.split(',').any(|name| {
                    matches!(name.trim(), "*") || name.trim().eq_ignore_ascii_case("cookie")
                })
            })
        };
        if !headers.get_all(VARY).iter().any(names_cookie) {
            headers.append(VARY, HeaderValue::from_static("Cookie"));
        }
    }

    /// What the inner service wishes, within the session and in this browser only.
    fn cache_control(&self, headers: &HeaderMap) -> HeaderValue {
        let mut age = self.remaining.as_secs();
        let mut wished = false;
        for value in headers.get_all(CACHE_CONTROL) {
            for directive in value.to_str().unwrap_or("no-store").split(',') {
                let directive = directive.trim();
                if directive.eq_ignore_ascii_case("no-store") {
                    return HeaderValue::from_static("private, no-store");
                }
                if directive.eq_ignore_ascii_case("no-cache") {
                    age = 0;
                }
                let max_age = directive
                    .split_once('=')
                    .filter(|(name, _)| name.eq_ignore_ascii_case("max-age"))
                    .and_then(|(_, seconds)| seconds.trim_matches('"').parse::<u64>().ok());
                if let Some(seconds) = max_age {
                    age = age.min(seconds);
                    wished = true;
                }
            }
        }
        if !wished {
            age = 0;
        }
        let (_, text) = AGES.iter().find(|(least, _)| *least <= age).unwrap_or(&AGES[9]);
        HeaderValue::from_static(text)
    }
}

#[cfg(test)]
mod tests {
    use http::header::EXPIRES;

    use super::*;

    #[test]
    fn within_the_session_and_in_this_browser_only() {
        for (upstream, remaining, expected) in [
            (&["public, max-age=86400, s-maxage=86400"][..], 600, "private, max-age=600"),
            (&["public, max-age=86400"], 599, "private, max-age=300"),
            (&["max-age=90"], 600, "private, max-age=60"),
            (&["Max-Age=\"90\""], 600, "private, max-age=60"),
            (&["public", "max-age=700"], 600, "private, max-age=600"),
            (&["max-age=700, no-cache"], 600, "private, no-cache"),
            (&["no-store, max-age=700"], 600, "private, no-store"),
            (&["max-age=forever"], 600, "private, no-cache"),
            (&[], 600, "private, no-cache"),
        ] {
            let mut headers = HeaderMap::new();
            for value in upstream {
                headers.append(CACHE_CONTROL, HeaderValue::from_static(value));
            }
            headers.insert(EXPIRES, HeaderValue::from_static("x"));
            headers.insert(VARY, HeaderValue::from_static("Accept"));
            Private::until(Duration::from_secs(remaining)).apply(&mut headers);
            assert_eq!(headers[CACHE_CONTROL], expected, "{upstream:?}");
            assert_eq!(headers.get_all(CACHE_CONTROL).iter().count(), 1);
            assert!(!headers.contains_key(EXPIRES));
            let vary: Vec<_> = headers.get_all(VARY).iter().collect();
            assert_eq!(vary, ["Accept", "Cookie"]);
        }
    }
}
