//! The four services as a description names them (2.0 §3.1, §4.1, §5.1, §6.1).

use serde::Serialize;
use serde_json::value::RawValue;

use crate::protocol::{LanguageMap, Message};

/// The profiles of services in manifests, where Presentation 2.1 §4.1 and 3.0 §4.3 want one of each, and
/// viewers throw without.
const PROBE_PROFILE: &str = "http://iiif.io/api/auth/2/probe";
const TOKEN_PROFILE: &str = "http://iiif.io/api/auth/2/token";
const LOGOUT_PROFILE: &str = "http://iiif.io/api/auth/2/logout";

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
#[derive(Clone, Debug)]
pub(crate) struct LogoutService {
    /// Its URI, without a query.
    pub(crate) id: String,
    /// Names the institution.
    pub(crate) label: LanguageMap,
}

/// A probe service as text; its access services are written beforehand, once. What stands before its id
/// and behind it is the same for every resource with the same access services.
#[derive(Clone, Debug)]
pub(crate) struct ProbeService {
    pub(crate) before_id: &'static str,
    pub(crate) behind_id: String,
}

/// How a probe service is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct ProbeStyle {
    /// Carries the 2.0 context itself, for Image API 2 and Presentation 2 hosts.
    pub(crate) own_context: bool,
    /// Has a `profile`. Presentation 2.1 and 3.0 say that every service should; 2.0 does not know it.
    pub(crate) profile: bool,
}

impl ProbeService {
    /// The probe that is opened by any of `access`, with the members that [`error_members`] wrote.
    pub(crate) fn new(access: &[&RawValue], error: &str, style: ProbeStyle) -> Self {
        // A test holds it to the one context of 2.0.
        let before_id = if style.own_context {
            r#"{"@context":"http://iiif.io/api/auth/2/context.json","id":"#
        } else {
            r#"{"id":"#
        };
        let length: usize = access.iter().map(|access| access.get().len() + 1).sum();
        let mut behind_id = String::with_capacity(length + error.len() + 96);
        behind_id.push_str(r#","type":"AuthProbeService2","#);
        if style.profile {
            behind_id.push_str(r#""profile":""#);
            behind_id.push_str(PROBE_PROFILE);
            behind_id.push_str(r#"","#);
        }
        behind_id.push_str(r#""service":["#);
        for (index, access) in access.iter().enumerate() {
            if index > 0 {
                behind_id.push(',');
            }
            behind_id.push_str(access.get());
        }
        behind_id.push_str("],");
        behind_id.push_str(error);
        behind_id.push('}');
        Self { before_id, behind_id }
    }

    /// The probe at `id`.
    pub(crate) fn at(&self, id: &str) -> String {
        [&*self.up_to(id), &self.behind_id].concat()
    }

    /// The same as far as it is not shared.
    pub(crate) fn up_to(&self, id: &str) -> String {
        if is_plain(id) {
            return [self.before_id, r#"""#, id, r#"""#].concat();
        }
        [self.before_id, &json_string(id)].concat()
    }
}

/// Whether a text stands in a string of JSON as it is. Each byte is looked at, which is quicker than to stop.
fn is_plain(text: &str) -> bool {
    let is_odd = |b: u8| b < b' ' || b == b'"' || b == b'\\';
    !text.bytes().fold(false, |odd, b| odd | is_odd(b))
}

/// A string of JSON.
pub(crate) fn json_string(text: &str) -> String {
    if is_plain(text) {
        return [r#"""#, text, r#"""#].concat();
    }
    serde_json::Value::from(text).to_string()
}

/// `errorHeading` and `errorNote` of a probe service (2.0 §5.1), as they stand in it.
pub(crate) fn error_members(error: &Message) -> String {
    #[derive(Serialize)]
    struct Members<'a> {
        #[serde(rename = "errorHeading")]
        heading: &'a LanguageMap,
        #[serde(rename = "errorNote", skip_serializing_if = "Option::is_none")]
        note: Option<&'a LanguageMap>,
    }
    let members = Members { heading: error.heading(), note: error.note_text() };
    let text = serde_json::to_string(&members).expect("strings and maps with text keys are JSON");
    text[1..text.len() - 1].to_owned()
}

/// An access service that stands in full at the top of the document.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct AccessReference<'a> {
    pub(crate) id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    profile: Profile,
}

impl<'a> AccessReference<'a> {
    pub(crate) fn new(id: &'a str, profile: Profile) -> Self {
        Self { id, kind: "AuthAccessService2", profile }
    }
}

/// Where an access service is described.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    Information,
    /// With a profile of each service.
    Manifest,
}

impl AccessService {
    /// The JSON of an access service, with everything below it.
    pub(crate) fn described_in(&self, host: Host) -> impl Serialize {
        let in_manifest = |profile: &'static str| (host == Host::Manifest).then_some(profile);
        let error = self.token.error.as_ref();
        let mut service = vec![Child::Token(Token {
            id: &self.token.id,
            kind: "AuthAccessTokenService2",
            profile: in_manifest(TOKEN_PROFILE),
            error_heading: error.map(Message::heading),
            error_note: error.and_then(Message::note_text),
        })];
        service.extend(self.logout.as_ref().map(|logout| {
            Child::Logout(LogoutJson {
                id: &logout.id,
                kind: "AuthLogoutService2",
                profile: in_manifest(LOGOUT_PROFILE),
                label: &logout.label,
            })
        }));
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
    }
}

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
    Logout(LogoutJson<'a>),
}

#[derive(Serialize)]
struct Token<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<&'static str>,
    #[serde(rename = "errorHeading", skip_serializing_if = "Option::is_none")]
    error_heading: Option<&'a LanguageMap>,
    #[serde(rename = "errorNote", skip_serializing_if = "Option::is_none")]
    error_note: Option<&'a LanguageMap>,
}

#[derive(Serialize)]
struct LogoutJson<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<&'static str>,
    label: &'a LanguageMap,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::v2::CONTEXT;

    #[test]
    fn a_probe_is_written_in_halves() {
        let access = serde_json::value::to_raw_value("a").unwrap();
        let message = Message::new(LanguageMap::new("en", "No \"entry\""));
        for (own_context, profile) in [(false, false), (true, false), (false, true), (true, true)] {
            let style = ProbeStyle { own_context, profile };
            let both = [&*access, &*access];
            let probe = ProbeService::new(&both, &error_members(&message), style);
            let read: serde_json::Value = serde_json::from_str(&probe.at("p\"q")).unwrap();
            let mut expected = serde_json::json!({"id": "p\"q", "type": "AuthProbeService2",
                "service": ["a", "a"], "errorHeading": {"en": ["No \"entry\""]}});
            if own_context {
                expected["@context"] = CONTEXT.into();
            }
            if profile {
                expected["profile"] = PROBE_PROFILE.into();
            }
            assert_eq!(read, expected);
        }
    }
}
