//! Sizes and times that requests are held to.

use std::time::Duration;

use crate::config::ConfigError;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How large and how slow things may be. Given to
/// [`IiifAuthBuilder::limits`](crate::IiifAuthBuilder::limits).
///
/// | limit | default |
/// | --- | --- |
/// | [`max_token_lifetime`](Self::max_token_lifetime) | 5 minutes |
/// | [`max_location_lifetime`](Self::max_location_lifetime) | 5 minutes |
/// | [`max_decision_time`](Self::max_decision_time) | 5 seconds |
/// | [`max_form_time`](Self::max_form_time) | 10 seconds |
/// | [`max_info_bytes`](Self::max_info_bytes) | 4 MiB |
/// | [`max_identifier_bytes`](Self::max_identifier_bytes) | 1024 |
/// | [`max_described_bytes_at_once`](Self::max_described_bytes_at_once) | 256 MiB |
/// | [`max_read_pause`](Self::max_read_pause) | 1 minute |
///
/// Manifests have limits of their own: [`Manifests`](crate::Manifests).
///
/// # Example
///
/// ```
/// use std::time::Duration;
///
/// use tower_iiif_auth::Limits;
///
/// let limits =
///     Limits::new().max_decision_time(Duration::from_secs(2)).max_info_bytes(256 * 1024);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "limits do nothing until they are given to a builder"]
pub struct Limits {
    token_lifetime: Duration,
    location_lifetime: Duration,
    decision_time: Duration,
    form_time: Duration,
    info_bytes: usize,
    identifier_bytes: usize,
    described_bytes_at_once: usize,
    read_pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}

impl Limits {
    /// The defaults.
    pub const fn new() -> Self {
        Self {
            token_lifetime: Duration::from_secs(300),
            location_lifetime: Duration::from_secs(300),
            decision_time: Duration::from_secs(5),
            form_time: Duration::from_secs(10),
            info_bytes: 4 << 20,
            identifier_bytes: 1024,
            described_bytes_at_once: 256 << 20,
            read_pause: Duration::from_secs(60),
        }
    }

    /// How long an access token lives at the most; never longer than its session. From one second
    /// to 24 hours. Default: five minutes.
    ///
    /// A token is looked at anew whenever it is used, so a longer life does not outlast a logout.
    pub const fn max_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.token_lifetime = lifetime;
        self
    }

    /// How long a [signed location](crate::IiifAuthBuilder::signed_locations) opens its resource at the
    /// most; never longer than its session. From one second to 24 hours. Default: five minutes.
    ///
    /// A recording that is to be played in one go, from a location that the player asks for parts of, needs
    /// as long as it lasts. Whoever passes the link on passes on as much.
    pub const fn max_location_lifetime(mut self, lifetime: Duration) -> Self {
        self.location_lifetime = lifetime;
        self
    }

    /// How long each answer of an asynchronous aspect, authorizer or store may take before the
    /// request is refused with 503. More than zero, up to 24 hours. Default: five seconds.
    ///
    /// It needs a tokio runtime with its timer. What answers at once has no limit.
    pub const fn max_decision_time(mut self, time: Duration) -> Self {
        self.decision_time = time;
        self
    }

    /// How long the body of a request to the crate's own endpoints may take to arrive, all of it: forms
    /// of the access services and of the hand-off, and the client identity service's JSON. What takes
    /// longer is answered with 408. More than zero, up to 24 hours. Default: ten seconds.
    ///
    /// It needs a tokio runtime with its timer; a body that is there at once needs none.
    pub const fn max_form_time(mut self, time: Duration) -> Self {
        self.form_time = time;
        self
    }

    /// The largest `info.json` that is described, in bytes; a larger one of a protected image is
    /// answered with 502. More than zero. Default: 4 MiB.
    pub const fn max_info_bytes(mut self, bytes: usize) -> Self {
        self.info_bytes = bytes;
        self
    }

    /// The longest identifier of an image or file, decoded, in bytes; a longer one is answered with
    /// 400, whoever asks. More than zero. Default: 1024.
    ///
    /// It bounds what strangers can put into logs, and into what authorizers and stores remember of a
    /// resource.
    pub const fn max_identifier_bytes(mut self, bytes: usize) -> Self {
        self.identifier_bytes = bytes;
        self
    }

    /// How many bytes of `info.json` and manifests are held at a time, on their way in and out, all
    /// together. What says its length waits for room, at most ten seconds; what finds none is answered
    /// with 503 and `Retry-After`. More than zero. Default: 256 MiB.
    ///
    /// A document needs room for itself, for as much again while it is read, and for what it becomes, all
    /// three at once: keep this well above
    /// [`Manifests::max_described_bytes`](crate::Manifests::max_described_bytes).
    pub const fn max_described_bytes_at_once(mut self, bytes: usize) -> Self {
        self.described_bytes_at_once = bytes;
        self
    }

    /// How long a client may read nothing of a described document of more than 64 KiB; after that the
    /// response breaks off and its memory is given back. Where others need the room, five seconds are
    /// enough. More than zero, up to 24 hours. Default: one minute.
    pub const fn max_read_pause(mut self, time: Duration) -> Self {
        self.read_pause = time;
        self
    }

    pub(crate) fn described_bytes_at_once(&self) -> usize {
        self.described_bytes_at_once
    }

    pub(crate) fn read_pause(&self) -> Duration {
        self.read_pause
    }

    pub(crate) fn token_lifetime(&self) -> Duration {
        self.token_lifetime
    }

    pub(crate) fn location_lifetime(&self) -> Duration {
        self.location_lifetime
    }

    #[inline]
    pub(crate) fn decision_time(&self) -> Duration {
        self.decision_time
    }

    pub(crate) fn form_time(&self) -> Duration {
        self.form_time
    }

    pub(crate) fn info_bytes(&self) -> usize {
        self.info_bytes
    }

    #[inline]
    pub(crate) fn identifier_bytes(&self) -> usize {
        self.identifier_bytes
    }

    /// Those that nothing fits, or that are no limits.
    pub(crate) fn mistakes(&self) -> Vec<ConfigError> {
        let sizes = [
            (self.info_bytes, "max_info_bytes"),
            (self.identifier_bytes, "max_identifier_bytes"),
            (self.described_bytes_at_once, "max_described_bytes_at_once"),
        ];
        let sizes = sizes.into_iter().filter(|(size, _)| *size == 0);
        // A token's life is told in whole seconds (2.0 §4.4).
        let times = [
            (self.token_lifetime, Duration::from_secs(1), "max_token_lifetime in whole seconds"),
            (self.location_lifetime, Duration::from_secs(1), "max_location_lifetime"),
            (self.decision_time, Duration::from_nanos(1), "max_decision_time"),
            (self.form_time, Duration::from_nanos(1), "max_form_time"),
            (self.read_pause, Duration::from_nanos(1), "max_read_pause"),
        ];
        let times = times.into_iter().filter(|(time, least, _)| time < least || *time > DAY);
        let sizes = sizes.map(|(_, limit)| ConfigError::Limit(limit));
        sizes.chain(times.map(|(_, _, limit)| ConfigError::Duration(limit))).collect()
    }
}
