//! What was decided and why, told to the application: for counters, and for a log of its own.
//!
//! [`IiifAuthBuilder::observe`](crate::IiifAuthBuilder::observe) takes a function that hears of each
//! decision. The same is logged, see the guide's page on logs.

use std::fmt;
use std::time::Duration;

use crate::authorizer::Decision;
use crate::protocol::v2::probe_result::DeniedStatus;
use crate::resource::{Refusal, Resource};

/// One decision.
///
/// There is one for each request for content, each probe, and each `info.json` whose status is a
/// decision (1.0, 0.9). Requests that need none make none: preflights, public paths, `info.json` of
/// 2.0. Nor do methods that are not allowed (405), whoever's session would open the same to a GET.
#[derive(Clone, Copy)]
pub struct Observation<'a> {
    pub(crate) place: Place,
    pub(crate) path: &'a str,
    pub(crate) resource: Option<&'a Resource<'a>>,
    pub(crate) outcome: Outcome,
    pub(crate) reason: Reason,
    pub(crate) aspect: Option<&'a str>,
    pub(crate) elapsed: Duration,
}

impl<'a> Observation<'a> {
    /// On which way it was asked.
    #[must_use]
    pub fn place(&self) -> Place {
        self.place
    }

    /// The path of the request, without its query, however long it is. Of a signed location it is that of
    /// the resource.
    #[must_use]
    pub fn path(&self) -> &'a str {
        self.path
    }

    /// What was asked for; `None` for a path that names nothing.
    #[must_use]
    pub fn resource(&self) -> Option<&'a Resource<'a>> {
        self.resource
    }

    /// What was answered.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// The name of the aspect that the reason is about, `access token` for the session behind a
    /// token; `None` where the reason is about none.
    #[must_use]
    pub fn aspect(&self) -> Option<&'a str> {
        self.aspect
    }

    /// How long the decision took, the waits of aspects, authorizer and store included. The wrapped
    /// server's time is not in it.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }
}

impl fmt::Debug for Observation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observation")
            .field("place", &self.place)
            .field("path", &self.path)
            .field("outcome", &self.outcome)
            .field("reason", &self.reason)
            .field("aspect", &self.aspect)
            .field("elapsed", &self.elapsed)
            .finish_non_exhaustive()
    }
}

/// Words that are the same in logs, labels of metrics and code.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name { $($(#[$doc])* #[doc = concat!("\n\n`", $word, "`")] $variant,)* }

        impl $name {
            /// All of them, to set up a counter for each.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word for it in logs, in lower case with underscores.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// On which way a decision was asked for.
    Place {
        /// The resource itself: a tile, a file.
        Content = "content",
        /// The same under a [signed location](crate::authorizer::Decision::Signed).
        SignedLocation = "signed_location",
        /// Its probe service.
        Probe = "probe",
        /// An `info.json` whose status is a decision (1.0, 0.9).
        Description = "description",
    }
}

words! {
    /// What was answered. [`status`](Self::status) is its number: that of the response, or for a
    /// probe the one in its result. Only the base URI of an image service, where it is refused, leads
    /// to `info.json` with 303.
    Outcome {
        /// The wrapped server answers: 200.
        Granted = "granted",
        /// It is elsewhere, or there is a lesser version: 302.
        Redirected = "redirected",
        /// A login may help: 401.
        Unauthorized = "unauthorized",
        /// Nothing helps: 403.
        Forbidden = "forbidden",
        /// There is no such resource, or that there is one is not told: 404.
        NotFound = "not_found",
        /// The path can be read in two ways, or its identifier is too long: 400.
        BadRequest = "bad_request",
        /// It cannot be told now: 503.
        Unavailable = "unavailable",
    }
}

impl Outcome {
    /// Its number as an HTTP status.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::Granted => 200,
            Self::Redirected => 302,
            Self::BadRequest => 400,
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Unavailable => 503,
        }
    }
}

impl From<&Decision> for Outcome {
    fn from(decision: &Decision) -> Self {
        match decision {
            Decision::Grant | Decision::Signed(_) => Self::Granted,
            Decision::Redirect(_) => Self::Redirected,
            Decision::Deny(denial) => match denial.status() {
                DeniedStatus::BadRequest => Self::BadRequest,
                DeniedStatus::Unauthorized => Self::Unauthorized,
                DeniedStatus::Forbidden => Self::Forbidden,
                DeniedStatus::NotFound => Self::NotFound,
                DeniedStatus::Unavailable => Self::Unavailable,
            },
        }
    }
}

words! {
    /// Why it was answered so.
    Reason {
        /// It is the same for everyone.
        Open = "open",
        /// A session opens it.
        Session = "session",
        /// There is a session, and the authorizer denies it: a role is lacking.
        NotEnough = "not_enough",
        /// No aspect is in the request, and no token that could stand for one: nobody has logged in, or
        /// the browser keeps the cookie back.
        Missing = "missing",
        /// A cookie, token or header is there that proves nothing: forged, damaged, of another key; a token
        /// of another viewer or version.
        Invalid = "invalid",
        /// The session has ended, or the token has.
        Expired = "expired",
        /// The session was logged out, or the store does not vouch for it.
        Revoked = "revoked",
        /// The authorizer returned an error or panicked.
        AuthorizerFailed = "authorizer_failed",
        /// The aspect could not tell.
        AspectFailed = "aspect_failed",
        /// The store of revocations could not tell.
        StoreFailed = "store_failed",
        /// Authorizer, aspect or store took longer than
        /// [`max_decision_time`](crate::Limits::max_decision_time).
        TimedOut = "timed_out",
        /// A resource map panicked, or said itself that it cannot tell.
        MapFailed = "map_failed",
        /// The path names nothing.
        UnknownPath = "unknown_path",
        /// The path can be read in two ways.
        AmbiguousPath = "ambiguous_path",
        /// The path's identifier is longer than
        /// [`max_identifier_bytes`](crate::Limits::max_identifier_bytes).
        LongIdentifier = "long_identifier",
        /// A page of another site sent something else than a GET, with the user's cookie.
        ForeignPage = "foreign_page",
    }
}

impl From<Refusal> for Reason {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Ambiguous => Self::AmbiguousPath,
            Refusal::Unknown | Refusal::Shape => Self::UnknownPath,
            Refusal::Unavailable => Self::MapFailed,
            Refusal::TooLong => Self::LongIdentifier,
        }
    }
}

/// What hears of decisions.
pub(crate) type Observer = dyn Fn(&Observation<'_>) + Send + Sync;
