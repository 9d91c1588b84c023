//! The four services as a description names them (2.0 §3.1, §4.1, §5.1, §6.1).

use serde::Serialize;
use serde_json::value::RawValue;

use super::CONTEXT;
use crate::protocol::{LanguageMap, Message};

/// The profile of probe services, for viewers that cannot do without one.
const PROFILE: &str = "http://iiif.io/api/auth/2/probe";

/// How the user gets through an access service (2.0 §3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Profile {
    /// The user has to act: log in, or agree to terms.
    Active,
    /// A page that grants by being opened.
    Kiosk,
    /// The aspect is there already, or cannot be had in a browser tab: an address, for example.
    External,
}

/// An access service with its token service and, where there is one, its logout service.
#[derive(Clone, Debug)]
pub(crate) struct AccessService {
    /// Absent for the external profile.
    pub(crate) id: Option<String>,
    /// How the user gets through.
    pub(crate) profile: Profile,
    /// Names the institution; required for the active profile.
    pub(crate) label: Option<LanguageMap>,
    /// Shown above the button that opens the access service.
    pub(crate) message: Option<Message>,
    /// The text of that button.
    pub(crate) confirm_label: Option<LanguageMap>,
    /// Where access tokens come from.
    pub(crate) token: TokenService,
    /// Where the user logs out.
    pub(crate) logout: Option<LogoutService>,
}

/// A token service.
#[derive(Clone, Debug)]
pub(crate) struct TokenService {
    /// Its URI, without a query.
    pub(crate) id: String,
    /// What to show when no token can be had and the service gives no reason of its own.
    pub(crate) error: Option<Message>,
}

/// A logout service.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct LogoutService {
    /// Its URI, without a query.
    pub(crate) id: String,
    /// Always `AuthLogoutService2`.
    #[serde(rename = "type")]
    pub(crate) kind: LogoutType,
    /// Names the institution.
    pub(crate) label: LanguageMap,
}

/// The one type that a logout service has.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) enum LogoutType {
    /// `AuthLogoutService2`
    #[default]
    AuthLogoutService2,
}

/// A probe service; its access services are written beforehand, once.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ProbeService<'a> {
    /// The 2.0 context, in hosts that cannot carry it at their top (Image API 2).
    #[serde(rename = "@context", skip_serializing_if = "Option::is_none")]
    context: Option<&'static str>,
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    /// No member of a probe service; there for viewers that cannot do without.
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<&'static str>,
    service: &'a [&'a RawValue],
    #[serde(rename = "errorHeading")]
    error_heading: &'a LanguageMap,
    #[serde(rename = "errorNote", skip_serializing_if = "Option::is_none")]
    error_note: Option<&'a LanguageMap>,
}

impl<'a> ProbeService<'a> {
    /// The probe at `id`, opened by any of `access`.
    #[must_use]
    pub(crate) fn new(id: &'a str, access: &'a [&'a RawValue], error: &'a Message) -> Self {
        Self {
            context: None,
            id,
            kind: "AuthProbeService2",
            profile: None,
            service: access,
            error_heading: error.heading(),
            error_note: error.note_text(),
        }
    }

    /// Has a `profile`, which 2.0 does not know: see
    /// [`Compatibility::profile_on_probe`](crate::Compatibility::profile_on_probe).
    #[must_use]
    pub(crate) fn with_profile(mut self) -> Self {
        self.profile = Some(PROFILE);
        self
    }

    /// Carries the context itself, for Image API 2 and Presentation 2 hosts.
    #[must_use]
    pub(crate) fn with_context(mut self) -> Self {
        self.context = Some(CONTEXT);
        self
    }
}

/// A probe service that is described elsewhere in the document (Presentation 3.0 §3.3.1).
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ProbeReference<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<&'static str>,
}

impl<'a> ProbeReference<'a> {
    /// The probe at `id`; with the `profile` that [`ProbeService::with_profile`] gives it.
    #[must_use]
    pub(crate) fn new(id: &'a str, has_profile: bool) -> Self {
        Self { id, kind: "AuthProbeService2", profile: has_profile.then_some(PROFILE) }
    }
}

/// The JSON of an access service, with everything below it.
impl Serialize for AccessService {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Access<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            id: Option<&'a str>,
            #[serde(rename = "type")]
            kind: &'static str,
            profile: Profile,
            #[serde(skip_serializing_if = "Option::is_none")]
            label: Option<&'a LanguageMap>,
            #[serde(skip_serializing_if = "Option::is_none")]
            heading: Option<&'a LanguageMap>,
            #[serde(skip_serializing_if = "Option::is_none")]
            note: Option<&'a LanguageMap>,
            #[serde(rename = "confirmLabel", skip_serializing_if = "Option::is_none")]
            confirm_label: Option<&'a LanguageMap>,
            service: Vec<Child<'a>>,
        }

        #[derive(Serialize)]
        #[serde(untagged)]
        enum Child<'a> {
            Token(Token<'a>),
            Logout(&'a LogoutService),
        }

        #[derive(Serialize)]
        struct Token<'a> {
            id: &'a str,
            #[serde(rename = "type")]
            kind: &'static str,
            #[serde(rename = "errorHeading", skip_serializing_if = "Option::is_none")]
            error_heading: Option<&'a LanguageMap>,
            #[serde(rename = "errorNote", skip_serializing_if = "Option::is_none")]
            error_note: Option<&'a LanguageMap>,
        }

        let error = self.token.error.as_ref();
        let mut service = vec![Child::Token(Token {
            id: &self.token.id,
            kind: "AuthAccessTokenService2",
            error_heading: error.map(Message::heading),
            error_note: error.and_then(Message::note_text),
        })];
        service.extend(self.logout.as_ref().map(Child::Logout));
        let message = self.message.as_ref();
        Access {
            id: self.id.as_deref(),
            kind: "AuthAccessService2",
            profile: self.profile,
            label: self.label.as_ref(),
            heading: message.map(Message::heading),
            note: message.and_then(Message::note_text),
            confirm_label: self.confirm_label.as_ref(),
            service,
        }
        .serialize(serializer)
    }
}
