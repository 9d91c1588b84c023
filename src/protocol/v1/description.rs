//! The access cookie service with its token, logout and client identity services (1.0 §2, 0.9.2 §2).

use serde::{Serialize, Serializer};

use super::Version;

/// How the user gets through an access cookie service (1.0 §2.1.3–2.1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InteractionPattern {
    /// The user logs in on a page of the publisher's.
    Login,
    /// The viewer shows the terms; the page that is opened then grants at once.
    Clickthrough,
    /// The viewer opens the page unasked; it grants at once.
    Kiosk,
    /// The user has the aspect already, or not.
    External,
}

impl InteractionPattern {
    /// The last part of its profile URI.
    #[must_use]
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Clickthrough => "clickthrough",
            Self::Kiosk => "kiosk",
            Self::External => "external",
        }
    }
}

/// An access cookie service, with all services below it.
///
/// Its texts are plain strings: 1.0 and 0.9 have no language maps.
#[derive(Clone, Debug)]
pub(crate) struct AccessCookieService {
    /// Which version's URIs it has.
    pub(crate) version: Version,
    /// How the user gets through.
    pub(crate) pattern: InteractionPattern,
    /// Absent for the external pattern.
    pub(crate) id: Option<String>,
    /// Names the institution; required on every pattern.
    pub(crate) label: String,
    /// The text of the button that opens the service.
    pub(crate) confirm_label: Option<String>,
    /// Shown above that button.
    pub(crate) header: Option<String>,
    /// The longer text below the header.
    pub(crate) description: Option<String>,
    /// Shown when no token could be had.
    pub(crate) failure_header: Option<String>,
    /// The longer text below that.
    pub(crate) failure_description: Option<String>,
    /// The URI of the token service.
    pub(crate) token: String,
    /// URI and label of the logout service.
    pub(crate) logout: Option<(String, String)>,
    /// The URI of the client identity service (0.9.2 §2.4).
    pub(crate) client_identity: Option<String>,
}

/// The kind of document that a service is put into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// Image API 2 and Presentation 2: each outer service brings its context.
    Two,
    /// Image API 3 and Presentation 3: services have types, and the context stands at the top.
    Three,
    /// The same with a context in the service all the same, as 1.0 §2.1.1 demands to the letter.
    ThreeWithContext,
}

impl AccessCookieService {
    /// The service as it stands in such a document.
    #[must_use]
    pub(crate) fn in_host(&self, host: Host) -> InHost<'_> {
        InHost { service: self, host }
    }
}

/// An [`AccessCookieService`] in a document; it is serialized.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InHost<'a> {
    service: &'a AccessCookieService,
    host: Host,
}

impl Serialize for InHost<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let AccessCookieService { version, pattern, .. } = self.service;
        let typed = |kind| (self.host != Host::Two).then_some(kind);
        let child =
            |id, profile, kind, label| Child { id, kind, profile: version.profile(profile), label };
        let own = self.service;
        let mut service = vec![child(&own.token, "token", typed("AuthTokenService1"), None)];
        if let Some((id, label)) = &own.logout {
            service.push(child(id, "logout", typed("AuthLogoutService1"), Some(label)));
        }
        if let Some(id) = &own.client_identity {
            service.push(child(id, "clientId", None, None));
        }
        Cookie {
            context: (self.host != Host::Three).then(|| version.context()),
            id: own.id.as_deref(),
            kind: typed("AuthCookieService1"),
            profile: version.profile(pattern.as_str()),
            label: &own.label,
            confirm_label: own.confirm_label.as_deref(),
            header: own.header.as_deref(),
            description: own.description.as_deref(),
            failure_header: own.failure_header.as_deref(),
            failure_description: own.failure_description.as_deref(),
            service,
        }
        .serialize(serializer)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Cookie<'a> {
    #[serde(rename = "@context", skip_serializing_if = "Option::is_none")]
    context: Option<&'static str>,
    #[serde(rename = "@id", skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(rename = "@type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    profile: String,
    label: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirm_label: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    header: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_header: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_description: Option<&'a str>,
    service: Vec<Child<'a>>,
}

#[derive(Serialize)]
struct Child<'a> {
    #[serde(rename = "@id")]
    id: &'a str,
    #[serde(rename = "@type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    profile: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
}
