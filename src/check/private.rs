//! Headers of a response that needed a session: nobody else may keep or reuse it.

use std::sync::LazyLock;
use std::time::Duration;

use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, LAST_MODIFIED,
    SET_COOKIE, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::active::{Kind, Still};
use crate::gate::Renewal;
use crate::respond::{self, Sharing};
use crate::signed::no_referrer;

/// What is done to the headers of a response that is passed on.
#[derive(Clone, Debug, Default)]
pub(super) struct Care {
    /// It needed a session.
    private: Option<Private>,
    /// It may have been deposited by users, and must not run.
    still: Still,
    /// What few responses get besides.
    more: Option<Box<More>>,
}

#[derive(Clone, Debug, Default)]
struct More {
    /// For a page whose scripts may read it.
    sharing: Option<Sharing>,
    /// For the session to go on: for the viewer's partition, and for the cookie itself.
    due: [Option<Box<Renewal>>; 2],
    /// It was asked for below a signed location.
    is_located: bool,
}

impl Care {
    #[inline]
    pub(super) fn new(private: Option<Private>, still: Still) -> Self {
        Self { private, still, more: None }
    }

    /// Cookies are due for the session to go on.
    pub(super) fn renew(&mut self, due: [Option<Box<Renewal>>; 2]) {
        self.more().due = due;
    }

    /// It was asked for below a signed location: its address is told to nobody.
    pub(super) fn tell_no_referrer(&mut self) {
        self.more().is_located = true;
    }

    /// Lets a page's scripts read it.
    pub(super) fn share(&mut self, sharing: Sharing) {
        self.more().sharing = Some(sharing);
    }

    #[cold]
    fn more(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }

    #[inline]
    pub(super) fn apply(&mut self, status: StatusCode, headers: &mut HeaderMap) {
        match &mut self.private {
            Some(private) => private.apply(status, headers, self.still),
            None => self.still.apply(status, headers),
        }
        if let Some(more) = self.more.take() {
            more.apply(headers);
        }
    }
}

impl More {
    #[cold]
    fn apply(self, headers: &mut HeaderMap) {
        for cookie in self.due.into_iter().flatten().filter_map(|own| own.cookie()) {
            headers.append(SET_COOKIE, cookie);
            // Kept, it would put that session in the place of a later one.
            headers.insert(CACHE_CONTROL, NO_STORE.clone());
        }
        if self.is_located {
            // Whoever has the location may read it anyway.
            no_referrer(headers);
        } else if let Some(sharing) = self.sharing {
            sharing.apply(headers);
        }
    }
}

/// Makes a response private, for no longer than its session lasts.
#[derive(Clone, Debug)]
pub(super) struct Private {
    /// How long the session still lasts, in seconds.
    remaining: u64,
    /// Where Storage Access Headers are spoken, the answer depends on them, too.
    storage_access: bool,
}

/// Ready-made values, so that none is put together for a tile: the largest that fits is taken. Sixteen steps
/// to each doubling, so that nothing is kept for less than 0.94 of the time that it may be kept.
///
/// Made once and for good: of what is static no references are counted, which all threads would write to.
static AGES: LazyLock<Box<[HeaderValue]>> = LazyLock::new(|| {
    let value = |step| match age_at(step) {
        0 => HeaderValue::from_static("private, no-cache"),
        age => HeaderValue::from_static(Box::leak(format!("private, max-age={age}").into())),
    };
    (0..=step_of(LONG)).map(value).collect()
});

/// How many steps there are to each doubling.
const STEPS: u64 = 16;

/// The last step that is no longer than an age: each second up to the first doublings, then fewer.
#[inline]
fn step_of(age: u64) -> usize {
    let doublings = (age | STEPS).ilog2() - STEPS.ilog2();
    let step = u64::from(doublings) * STEPS + (age >> doublings);
    usize::try_from(step).unwrap_or(usize::MAX)
}

/// The seconds of a step.
fn age_at(step: usize) -> u64 {
    let step = step as u64;
    let doublings = (step / STEPS).saturating_sub(1);
    (step - doublings * STEPS) << doublings
}

/// The longest age in seconds that is told: a year, as in RFC 2616.
const LONG: u64 = 31_536_000;
static NO_STORE: HeaderValue = HeaderValue::from_static("private, no-store");

/// Made before the program runs.
const fn any_origin() -> HeaderValue {
    const { HeaderValue::from_static("*") }
}

const fn cookie() -> HeaderValue {
    const { HeaderValue::from_static("Cookie") }
}

impl Private {
    #[inline]
    pub(super) fn until(remaining: Duration) -> Self {
        Self { remaining: remaining.as_secs(), storage_access: false }
    }

    /// The same where browsers may keep cookies from third parties.
    #[inline]
    pub(super) fn for_third_parties(mut self, varies: bool) -> Self {
        self.storage_access = varies;
        self
    }

    #[inline(never)]
    fn apply(&mut self, status: StatusCode, headers: &mut HeaderMap, still: Still) {
        let given = Given::of(headers, self.remaining);
        if given.unwelcome {
            respond::remove_all(headers, is_unwelcome);
        }
        if given.cache_controls != 1 {
            headers.insert(CACHE_CONTROL, given.wish.within(self.remaining));
        }
        if given.any_origins != 1 {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, any_origin());
        }
        if !given.varies {
            headers.insert(VARY, cookie());
        } else if !given.varies_with_cookie {
            headers.append(VARY, cookie());
        }
        if self.storage_access {
            headers.append(VARY, HeaderValue::from_static("Sec-Fetch-Storage-Access"));
        }
        still.apply_to(given.kind, status, headers);
    }
}

/// What the inner service's headers say that matters here. It is told, and `Cache-Control` written
/// anew, in one pass: a tile has few headers, and to look up each name that may be among them costs
/// more.
struct Given {
    cache_controls: usize,
    wish: Wish,
    any_origins: usize,
    varies: bool,
    varies_with_cookie: bool,
    /// Whether something has to go.
    unwelcome: bool,
    /// Of the content.
    kind: Kind,
}

impl Given {
    #[inline]
    fn of(headers: &mut HeaderMap, remaining: u64) -> Self {
        let mut given = Self {
            cache_controls: 0,
            wish: Wish::Nothing,
            any_origins: 0,
            varies: false,
            varies_with_cookie: false,
            unwelcome: false,
            kind: Kind::Unsaid,
        };
        for (name, value) in headers.iter_mut() {
            if *name == CACHE_CONTROL {
                given.cache_controls += 1;
                given.wish = given.wish.and(value);
                *value = given.wish.within(remaining);
            } else if *name == CONTENT_TYPE {
                given.kind = given.kind.and(value);
            } else if *name == ACCESS_CONTROL_ALLOW_ORIGIN {
                given.any_origins += 1;
                *value = any_origin();
            } else if *name == VARY {
                given.varies = true;
                given.varies_with_cookie |= names_cookie(value);
            } else if !is_usual(name) {
                given.unwelcome |= is_unwelcome(name.as_str());
            }
        }
        given
    }
}

/// Whether a header is one that nearly every tile has, and which may stay.
#[inline]
fn is_usual(name: &HeaderName) -> bool {
    *name == ETAG || *name == LAST_MODIFIED || *name == CONTENT_LENGTH
}

/// Whether a header has to go: it would keep the image from viewers on other sites, open a dialogue in
/// the browser (`WWW-Authenticate`, requirements CON-11), or is for caches alone.
fn is_unwelcome(name: &str) -> bool {
    match name {
        "cross-origin-resource-policy"
        | "access-control-allow-credentials"
        | "www-authenticate" => true,
        _ => respond::is_for_caches(name),
    }
}

fn names_cookie(vary: &HeaderValue) -> bool {
    vary.as_bytes().split(|byte| *byte == b',').any(|name| {
        let name = name.trim_ascii();
        name == b"*" || name.eq_ignore_ascii_case(b"cookie")
    })
}

/// How long the inner service wishes its response to be kept.
#[derive(Clone, Copy)]
enum Wish {
    Nothing,
    /// At most so many seconds.
    Seconds(u64),
    NoStore,
}

impl Wish {
    /// This wish and those of one more `Cache-Control` field.
    fn and(mut self, field: &HeaderValue) -> Self {
        let field = field.as_bytes();
        // Many begin so, and it says nothing here. Most end with a plain age then.
        let rest = field.strip_prefix(b"public, ").unwrap_or(field);
        if let Some(seconds) = rest.strip_prefix(b"max-age=").and_then(seconds) {
            return self.at_most(seconds);
        }
        for directive in rest.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            if directive.eq_ignore_ascii_case(b"no-store") {
                return Self::NoStore;
            } else if directive.eq_ignore_ascii_case(b"no-cache") {
                self = self.at_most(0);
            } else if let Some(seconds) = max_age(directive) {
                self = self.at_most(seconds);
            }
        }
        self
    }

    #[inline]
    fn at_most(self, seconds: u64) -> Self {
        match self {
            Self::Nothing => Self::Seconds(seconds),
            Self::Seconds(own) => Self::Seconds(own.min(seconds)),
            Self::NoStore => Self::NoStore,
        }
    }

    /// As a header: within the session and in this browser only.
    fn within(self, remaining: u64) -> HeaderValue {
        let age = match self {
            Self::NoStore => return NO_STORE.clone(),
            Self::Nothing => 0,
            Self::Seconds(most) => most.min(remaining),
        };
        AGES[step_of(age.min(LONG))].clone()
    }
}

/// The seconds of `max-age=…`; of one that is no number nothing is kept.
fn max_age(directive: &[u8]) -> Option<u64> {
    let (name, digits) = directive.split_at_checked("max-age=".len())?;
    if !name.eq_ignore_ascii_case(b"max-age=") {
        return None;
    }
    let digits = digits.trim_ascii();
    let quoted = digits.strip_prefix(b"\"").and_then(|digits| digits.strip_suffix(b"\""));
    Some(seconds(quoted.unwrap_or(digits)).unwrap_or(0))
}

/// A number, and nothing else. More seconds than any session lasts are as good as that.
#[inline]
fn seconds(digits: &[u8]) -> Option<u64> {
    let add =
        |sum: u64, digit: &u8| digit.is_ascii_digit().then(|| sum * 10 + u64::from(digit - b'0'));
    // No sum of so few is too large.
    if digits.len() < 19 {
        return digits.iter().try_fold(0, add).map(|sum| sum.min(LONG));
    }
    digits.iter().try_fold(0, |sum, digit| Some(add(sum, digit)?.min(LONG)))
}

#[cfg(test)]
mod tests {
    use http::header::{ACCESS_CONTROL_ALLOW_CREDENTIALS, EXPIRES, WWW_AUTHENTICATE};

    use super::*;

    #[test]
    fn an_age_is_nearly_what_it_may_be() {
        for age in (0..100_000).chain((100_000..LONG + 9).step_by(997)) {
            let step = step_of(age.min(LONG));
            let told = age_at(step);
            assert!(told <= age && told * 16 >= age.min(LONG) * 15, "{age}: {told}");
            let value = Wish::Seconds(age).within(u64::MAX);
            let expected = match told {
                0 => "private, no-cache".to_owned(),
                told => format!("private, max-age={told}"),
            };
            assert_eq!(value, expected, "{age}");
        }
    }

    #[test]
    fn within_the_session_and_in_this_browser_only() {
        for (upstream, remaining, expected) in [
            (&["public, max-age=86400, s-maxage=86400"][..], 600, "private, max-age=576"),
            (&["public, max-age=86400"], 599, "private, max-age=576"),
            (&["max-age=90"], 600, "private, max-age=88"),
            (&["Max-Age=\"90\""], 600, "private, max-age=88"),
            (&["public", "max-age=700"], 600, "private, max-age=576"),
            (&["max-age=700, no-cache"], 600, "private, no-cache"),
            (&["no-store, max-age=700"], 600, "private, no-store"),
            (&["public, max-age=700, no-store"], 600, "private, no-store"),
            (&["public, no-cache"], 600, "private, no-cache"),
            (&["max-age=700, max-age=90"], 600, "private, max-age=88"),
            (&["max-age=700", "max-age=90"], 600, "private, max-age=88"),
            (&["max-age=700", "no-store"], 600, "private, no-store"),
            (&["max-age=+700"], 600, "private, no-cache"),
            (&["public, max-age=forever"], 600, "private, no-cache"),
            (&["max-age=forever"], 600, "private, no-cache"),
            (&["max-age=", "max-age=700"], 600, "private, no-cache"),
            (&["max-age=99999999999999999999999999"], 600, "private, max-age=576"),
            (&["max-age=9999999999999999999"], 600, "private, max-age=576"),
            (&["max-age=999999999999999999"], 600, "private, max-age=576"),
            (&["max-age=00000000000000000000000090"], 600, "private, max-age=88"),
            (&["max-age=99999999999999999999999x"], 600, "private, no-cache"),
            (&["s-maxage=700, max-ages=700"], 600, "private, no-cache"),
            (&["no-store", "max-age=700"], 600, "private, no-store"),
            (&[], 600, "private, no-cache"),
        ] {
            let mut headers = HeaderMap::new();
            for value in upstream {
                headers.append(CACHE_CONTROL, HeaderValue::from_static(value));
            }
            for name in [EXPIRES, WWW_AUTHENTICATE, ACCESS_CONTROL_ALLOW_CREDENTIALS] {
                headers.insert(name, HeaderValue::from_static("x"));
            }
            headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-site"));
            headers.insert(VARY, HeaderValue::from_static("Accept"));
            for origin in ["https://viewer.example", "*"] {
                headers.append(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static(origin));
            }
            let private = Private::until(Duration::from_secs(remaining));
            Care::new(Some(private), Still::No).apply(StatusCode::OK, &mut headers);
            assert_eq!(headers[CACHE_CONTROL], expected, "{upstream:?}");
            assert_eq!(headers.get_all(CACHE_CONTROL).iter().count(), 1);
            for name in [EXPIRES, WWW_AUTHENTICATE, ACCESS_CONTROL_ALLOW_CREDENTIALS] {
                assert!(!headers.contains_key(name));
            }
            assert!(!headers.contains_key("cross-origin-resource-policy"));
            let origins: Vec<_> = headers.get_all(ACCESS_CONTROL_ALLOW_ORIGIN).iter().collect();
            assert_eq!(origins, ["*"]);
            let vary: Vec<_> = headers.get_all(VARY).iter().collect();
            assert_eq!(vary, ["Accept", "Cookie"]);
        }
    }
}
