//! `[[access]]`: by what users get in, and what viewers say of it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use http::HeaderName;
use iiif_auth_oidc::Provider;
use toml::de::DeValue;
use tower_iiif_auth::aspect::{IpRanges, TrustedHeader};
use tower_iiif_auth::{AccessCookie, AccessService, LanguageMap, Message, Realm, SameSite};

use super::section::{Found, Section};
use super::single_sign_on::trusted_header;
use super::users::{self, Users};
use super::{clients, mistakes::Span, openid, parse, text};

/// An access service with what its users are told by.
#[derive(Debug)]
pub(super) struct Access {
    pub(super) span: Span,
    pub(super) name: String,
    pub(super) realm: Realm,
    pub(super) login: Option<Login>,
    /// The roles that it gives; `None` where others say which.
    pub(super) roles: Option<Vec<String>>,
}

/// A login that the proxy itself answers.
#[derive(Clone, Debug)]
pub struct Login {
    /// Its path.
    pub path: String,
    /// What stands above it.
    pub label: LanguageMap,
    /// Who is let in.
    pub kind: LoginKind,
    /// What a role that somebody else names is called here. One that is not in it keeps its name.
    pub renamed: HashMap<String, String>,
}

impl Login {
    fn new(prefix: &str, label: LanguageMap, kind: LoginKind) -> Self {
        Self { path: format!("{prefix}/login"), label, kind, renamed: HashMap::new() }
    }
}

/// Who is let in.
#[derive(Clone, Debug)]
pub enum LoginKind {
    /// Who knows a password.
    Form(Arc<Users>),
    /// Whom an `OpenID` provider knows.
    OpenId {
        /// The provider.
        provider: Arc<Provider>,
        /// The path to which it sends users back.
        callback: String,
    },
    /// Who a single sign-on in front names in a header.
    SingleSignOn {
        /// The header, and who is believed.
        header: Box<TrustedHeader>,
        /// The headers' names, which nobody else may use.
        names: Vec<HeaderName>,
    },
}

/// What all access services share.
pub(super) struct Surroundings<'s> {
    pub(super) endpoints: &'s str,
    pub(super) public_url: &'s str,
    pub(super) folder: &'s Path,
    pub(super) trusted_proxies: &'s [String],
}

pub(super) fn read(mut section: Section<'_, '_>, around: &Surroundings<'_>) -> Option<Access> {
    let mistakes = section.mistakes;
    let name = section.optional::<String>("name").map(|found| found.value).unwrap_or_default();
    let prefix = match name.as_str() {
        "" => around.endpoints.to_owned(),
        name => format!("{}/{name}", around.endpoints),
    };
    let label = if section.has("label") {
        text::text(&mut section, "label")
    } else {
        mistakes.add(&section.span, "label is missing in [[access]]: name your institution");
        text::text(&mut section, "label")
    };
    let message = text::message(&mut section, "heading", "note");
    let confirm_label = text::text(&mut section, "confirm_label");
    let logout = logout(&mut section);
    let token_error = text::message(&mut section, "error_heading", "error_note");
    let protects: Vec<_> = section.list("protects").into_iter().map(|found| found.value).collect();
    let realm = clients::register(&mut section, around.folder, Realm::named(name.clone()));
    let kind = section.required::<String>("kind");
    let by = kind.and_then(|kind| by(&kind, &mut section, &prefix, label.clone(), around));
    let span = section.span.clone();
    section.finish();

    let By { mut service, aspects, login, roles } = by?;
    service = service.label(label?).protects(protects);
    if let Some(message) = message {
        service = service.message(message);
    }
    if let Some(label) = confirm_label {
        service = service.confirm_label(label);
    }
    let mut realm = realm?.access(service).aspect(aspects);
    realm = match logout {
        Logout::AsEver => realm,
        Logout::Labelled(label) => realm.logout_label(label),
        Logout::Without => realm.without_logout(),
    };
    if let Some(error) = token_error {
        realm = realm.token_error(error);
    }
    Some(Access { span, name, realm, login, roles })
}

/// Whether viewers are offered a logout, and what stands on its button.
enum Logout {
    AsEver,
    Labelled(LanguageMap),
    Without,
}

fn logout(section: &mut Section<'_, '_>) -> Logout {
    let offered = section.optional::<bool>("logout").is_none_or(|found| found.value);
    match text::text(section, "logout_label") {
        Some(_) if !offered => {
            let message = "logout_label has no meaning with logout = false";
            section.mistakes.add(&section.span, message);
            Logout::Without
        }
        Some(label) => Logout::Labelled(label),
        None if offered => Logout::AsEver,
        None => Logout::Without,
    }
}

/// What a kind of access service comes to.
struct By {
    service: AccessService,
    aspects: tower_iiif_auth::aspect::Aspects,
    login: Option<Login>,
    roles: Option<Vec<String>>,
}

fn by(
    kind: &Found<String>,
    section: &mut Section<'_, '_>,
    prefix: &str,
    label: Option<LanguageMap>,
    around: &Surroundings<'_>,
) -> Option<By> {
    let mistakes = section.mistakes;
    match kind.value.as_str() {
        "login" => form(section, prefix, label, around),
        "single-sign-on" => single_sign_on(section, prefix, label, around),
        "openid-connect" => open_id(section, prefix, label, around),
        "click-through" => {
            let cookie = cookie(section);
            let role = role(section);
            let terms = text::message(section, "terms_heading", "terms_note");
            if terms.is_none() {
                let message = "terms_heading is missing: say what users agree to";
                mistakes.add(&section.span, message);
            }
            let terms: Message = terms?;
            let role = role?;
            let service = AccessService::click_through("accept", label?, terms).role(role.clone());
            Some(By { service, aspects: cookie.into(), login: None, roles: Some(vec![role]) })
        }
        "kiosk" => {
            let cookie = cookie(section);
            let role = role(section)?;
            let service = AccessService::kiosk("enter").role(role.clone());
            Some(By { service, aspects: cookie.into(), login: None, roles: Some(vec![role]) })
        }
        "reading-room" => reading_room(section, around),
        other => {
            let message = format!(
                "kind {other:?} is none of \"login\", \"openid-connect\", \"single-sign-on\", \
                 \"click-through\", \"kiosk\" and \"reading-room\""
            );
            mistakes.add(&kind.span, message);
            // Which keys belong to it cannot be told.
            section.rest();
            None
        }
    }
}

fn form(
    section: &mut Section<'_, '_>,
    prefix: &str,
    label: Option<LanguageMap>,
    around: &Surroundings<'_>,
) -> Option<By> {
    let mistakes = section.mistakes;
    let cookie = cookie(section);
    let users = section.required::<String>("users_file").and_then(|file| {
        let path = around.folder.join(&file.value);
        mistakes.reads_secret(&file.span, &path);
        let users = mistakes.check(&file.span, users::read(&path))?;
        if users.is_empty() {
            let message = "the users file has no user yet, and nobody can log in: \
                           iiif-auth-proxy users add NAME --role ROLE";
            mistakes.warn(&file.span, message);
        }
        Some(users)
    });
    let (label, users) = (label?, users?);
    let service = AccessService::active("login", label.clone());
    let roles = Some(users.roles().map(str::to_owned).collect());
    let login = Login::new(prefix, label, LoginKind::Form(Arc::new(users)));
    Some(By { service, aspects: cookie.into(), login: Some(login), roles })
}

fn single_sign_on(
    section: &mut Section<'_, '_>,
    prefix: &str,
    label: Option<LanguageMap>,
    around: &Surroundings<'_>,
) -> Option<By> {
    let cookie = cookie(section);
    let every_request = section.or("every_request", false);
    let renamed = role_map(section);
    if every_request && !renamed.is_empty() {
        let message = "role_map has no meaning with every_request, which takes roles as they come";
        section.mistakes.add(&section.span, message);
    }
    let (header, names) = trusted_header(section, around)?;
    let label = label?;
    let service = AccessService::active("login", label.clone());
    let aspects = if every_request { cookie.or(header.clone()) } else { cookie.into() };
    let kind = LoginKind::SingleSignOn { header: Box::new(header), names };
    let login = Login { renamed, ..Login::new(prefix, label, kind) };
    Some(By { service, aspects, login: Some(login), roles: None })
}

fn open_id(
    section: &mut Section<'_, '_>,
    prefix: &str,
    label: Option<LanguageMap>,
    around: &Surroundings<'_>,
) -> Option<By> {
    let cookie = cookie(section);
    let callback = format!("{prefix}/callback");
    let provider = openid::read(section, around, &callback);
    let renamed = role_map(section);
    let (label, provider) = (label?, Arc::new(provider?));
    let service = AccessService::active("login", label.clone()).steps([callback.as_str()]);
    let kind = LoginKind::OpenId { provider, callback };
    let login = Login { renamed, ..Login::new(prefix, label, kind) };
    Some(By { service, aspects: cookie.into(), login: Some(login), roles: None })
}

fn reading_room(section: &mut Section<'_, '_>, around: &Surroundings<'_>) -> Option<By> {
    let mistakes = section.mistakes;
    let addresses = section.list("addresses");
    let role = role(section);
    let mut readable = true;
    for Found { value, span } in &addresses {
        readable &= mistakes.check(span, parse::range(value)).is_some();
    }
    if addresses.is_empty() {
        mistakes.add(&section.span, "addresses is missing: list ranges, like \"192.0.2.0/24\"");
    }
    if addresses.is_empty() || !readable {
        return None;
    }
    let role = role?;
    let roles = Some(vec![role.clone()]);
    let ranges = IpRanges::new(addresses.iter().map(|range| range.value.as_str()), role)
        .and_then(|room| room.trusted_proxies(around.trusted_proxies.iter().map(String::as_str)));
    let ranges = mistakes.check(&section.span, ranges)?;
    let service = AccessService::external();
    Some(By { service, aspects: ranges.into(), login: None, roles })
}

/// What roles are called here, by what somebody else calls them.
fn role_map(section: &mut Section<'_, '_>) -> HashMap<String, String> {
    let Some(mut table) = section.section("role_map") else { return HashMap::new() };
    let mut renamed = HashMap::new();
    for (key, value) in table.rest() {
        match value.get_ref() {
            DeValue::String(name) if !name.is_empty() => {
                renamed.insert(key.value, name.to_string());
            }
            _ => table.mistakes.add(&value.span(), format!("role_map: {} is no role", key.value)),
        }
    }
    renamed
}

fn role(section: &mut Section<'_, '_>) -> Option<String> {
    section.required::<String>("role").map(|found| found.value)
}

fn cookie(section: &mut Section<'_, '_>) -> AccessCookie {
    let mut cookie = AccessCookie::new();
    let longer = section.or("insecure_longer_than_a_day", false);
    if longer {
        cookie = cookie.insecure_longer_than_a_day();
    }
    let time = if longer { parse::long_lifetime } else { parse::lifetime };
    if let Some(lifetime) = section.parsed("lifetime", time) {
        cookie = cookie.lifetime(lifetime.value);
    }
    if let Some(end) = section.parsed("renewed_up_to", time) {
        cookie = cookie.renewed_up_to(end.value);
    }
    if let Some(name) = section.optional::<String>("cookie_name") {
        cookie = cookie.name(name.value);
    }
    if let Some(domain) = section.optional::<String>("cookie_domain") {
        cookie = cookie.domain(domain.value);
    }
    if let Some(path) = section.optional::<String>("cookie_path") {
        cookie = cookie.path(path.value);
    }
    let same_site = section.parsed("same_site", |text| match text {
        "None" => Ok(SameSite::None),
        "Lax" => Ok(SameSite::Lax),
        "Strict" => Ok(SameSite::Strict),
        _ => Err(format!("{text:?} is none of \"None\", \"Lax\" and \"Strict\"")),
    });
    if let Some(same_site) = same_site {
        cookie = cookie.same_site(same_site.value);
    }
    cookie
}
