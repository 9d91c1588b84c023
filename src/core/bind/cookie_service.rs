//! A configured access service in the words of 1.0 and 0.9.

use serde_json::value::RawValue;

use crate::config::{Compatibility, Page};
use crate::core::BoundCookieService;
use crate::core::services::raw;
use crate::protocol::v1::{AccessCookieService, Host, InteractionPattern, Version};
use crate::protocol::v2::Profile;
use crate::protocol::{LanguageMap, Message, v2};

/// The access service `of` in `version`: texts flattened, URIs of its own (requirements CON-3,
/// CON-15, CON-16).
pub(super) fn bind(
    version: Version,
    of: &v2::AccessService,
    page: &Page,
    client_identity: Option<&str>,
    language: &str,
    compatibility: Compatibility,
) -> BoundCookieService {
    let own = |id: &str| format!("{id}/{}", version.digit());
    let plain = |text: &LanguageMap| text.best(language);
    let heading = |message: &Option<Message>| message.as_ref().map(|own| plain(own.heading()));
    let note = |message: &Option<Message>| message.as_ref()?.note_text().map(plain);
    // The terms are shown by the viewer, and the page that it opens then grants at once.
    let message = match page {
        Page::ClickThrough(terms) if of.message.is_none() => Some(terms.clone()),
        _ => of.message.clone(),
    };
    let id = of.id.as_deref().map(own);
    let service = AccessCookieService {
        version,
        pattern: match (of.profile, page) {
            (Profile::Active, Page::ClickThrough(_)) => InteractionPattern::Clickthrough,
            (Profile::Active, _) => InteractionPattern::Login,
            (Profile::Kiosk, _) => InteractionPattern::Kiosk,
            (Profile::External, _) => InteractionPattern::External,
        },
        id: id.clone(),
        label: of.label.as_ref().map(plain).unwrap_or_default(),
        confirm_label: of.confirm_label.as_ref().map(plain),
        header: heading(&message),
        description: note(&message),
        failure_header: heading(&of.token.error),
        failure_description: note(&of.token.error),
        token: own(&of.token.id),
        logout: of.logout.as_ref().map(|logout| (own(&logout.id), plain(&logout.label))),
        client_identity: client_identity
            .filter(|_| version == Version::ZeroNine)
            .map(ToOwned::to_owned),
    };
    let three =
        if compatibility.context_in_services { Host::ThreeWithContext } else { Host::Three };
    let write = |host| -> Box<RawValue> { raw(&service.in_host(host)) };
    BoundCookieService {
        version,
        id: id.map(Into::into),
        for_two: write(Host::Two),
        for_three: write(three),
    }
}
