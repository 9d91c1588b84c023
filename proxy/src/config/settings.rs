//! What stands at the top of the file, told to the builder entry by entry.

use std::path::Path;
use std::time::Duration;

use tower_iiif_auth::{
    Compatibility, ConfigError, IiifAuthBuilder, Keyring, Limits, Origin, OriginPolicy,
    ThirdPartyCookies,
};

use super::auth::{Piece, of};
use super::mistakes::Span;
use super::parse;
use super::public::{self, PublicPath};
use super::scripts;
use super::section::{Found, Section};
use super::texts::{self, FormTexts};
use super::upstreams::Named;

/// How long a form may take to come in, where nothing else is said.
const FORM_TIMEOUT: Duration = Duration::from_secs(10);

/// What stands at the top of the file.
pub(super) struct Settings {
    pub(super) public_url: Option<String>,
    pub(super) public_url_span: Span,
    pub(super) endpoints: String,
    pub(super) insecure_http: bool,
    pub(super) keyring: Option<Keyring>,
    pub(super) public_paths: Vec<PublicPath>,
    pub(super) form_timeout: Duration,
    pub(super) form_texts: FormTexts,
    pub(super) pieces: Vec<Piece>,
}

impl Settings {
    pub(super) fn read(section: &mut Section<'_, '_>, folder: &Path, upstreams: &Named) -> Self {
        let insecure_http = section.or("insecure_http", false);
        let (public_url, public_url_span) = public_url(section, insecure_http);
        let keyring = keyring(section, folder);
        let mut pieces = Vec::new();
        let endpoints = endpoints(section, &mut pieces);
        names(section, &mut pieces);
        let public_paths = public::read(section, &endpoints, upstreams);
        for PublicPath { text, span, .. } in public_paths.clone() {
            pieces.push(Piece::new(&span, move |own| own.public_paths([text.as_str()])));
        }
        let form_timeout = limits(section, &mut pieces);
        viewers(section, &mut pieces);
        let form_texts = texts(section, &mut pieces);
        Self {
            public_url,
            public_url_span,
            endpoints,
            insecure_http,
            keyring,
            public_paths,
            form_timeout,
            form_texts,
            pieces,
        }
    }
}

fn public_url(section: &mut Section<'_, '_>, insecure_http: bool) -> (Option<String>, Span) {
    let Some(Found { value, span }) = section.required::<String>("public_url") else {
        return (None, 0..0);
    };
    let url = checked_url(&value, insecure_http).map(|()| value);
    (section.mistakes.check(&span, url), span)
}

fn checked_url(url: &str, insecure_http: bool) -> Result<(), ConfigError> {
    let found = of(url, None, insecure_http).build().err();
    let of_url = |mistake: &ConfigError| {
        use ConfigError::{PlainHttp, PublicUrl, PublicUrlPath};
        matches!(mistake, PublicUrl { .. } | PublicUrlPath(_) | PlainHttp(_))
    };
    found.into_iter().flatten().find(of_url).map_or(Ok(()), Err)
}

fn keyring(section: &mut Section<'_, '_>, folder: &Path) -> Option<Keyring> {
    let mistakes = section.mistakes;
    let Found { value, span } = section.required::<String>("key_file")?;
    let path = folder.join(&value);
    mistakes.reads_secret(&span, &path);
    mistakes.check(&span, Keyring::from_file(path))
}

fn endpoints(section: &mut Section<'_, '_>, pieces: &mut Vec<Piece>) -> String {
    let Some(Found { value, span }) = section.optional::<String>("endpoints") else {
        return "/auth".to_owned();
    };
    let endpoints = value.clone();
    pieces.push(Piece::new(&span, move |builder| builder.endpoints(value.clone())));
    endpoints
}

/// Other names of this publisher's, and whether descriptions get the public one.
fn names(section: &mut Section<'_, '_>, pieces: &mut Vec<Piece>) {
    if let Some(Found { value, span }) = section.optional::<Vec<String>>("also_known_as") {
        pieces.push(Piece::new(&span, move |builder| builder.also_known_as(value.clone())));
    }
    if section.or("public_ids", false) {
        pieces.push(Piece::new(&(0..0), IiifAuthBuilder::public_ids));
    }
}

/// Sizes and times, each told with those before it, so that a mistake is in its own line. How long a form
/// may take is for the proxy's own logins, too.
fn limits(section: &mut Section<'_, '_>, pieces: &mut Vec<Piece>) -> Duration {
    type Size = fn(Limits, usize) -> Limits;
    type Time = fn(Limits, Duration) -> Limits;
    const SIZES: [(&str, Size); 3] = [
        ("longest_identifier", Limits::max_identifier_bytes),
        ("longest_info", Limits::max_info_bytes),
        ("described_at_once", Limits::max_described_bytes_at_once),
    ];
    const TIMES: [(&str, Time); 5] = [
        ("described_timeout", Limits::max_read_pause),
        ("decision_timeout", Limits::max_decision_time),
        ("form_timeout", Limits::max_form_time),
        ("location_lifetime", Limits::max_location_lifetime),
        ("token_lifetime", Limits::max_token_lifetime),
    ];
    let mut limits = Limits::new();
    let mut form_timeout = FORM_TIMEOUT;
    let mut told = |limits: Limits, span: &Span| {
        pieces.push(Piece::new(span, move |builder| builder.limits(limits)));
    };
    for (key, set) in SIZES {
        if let Some(Found { value, span }) = section.size(key) {
            limits = set(limits, value);
            told(limits, &span);
        }
    }
    for (key, set) in TIMES {
        if let Some(Found { value, span }) = section.parsed(key, parse::duration) {
            limits = set(limits, value);
            told(limits, &span);
            if key == "form_timeout" {
                form_timeout = value;
            }
        }
    }
    form_timeout
}

/// What users read; of the form, too.
fn texts(section: &mut Section<'_, '_>, pieces: &mut Vec<Piece>) -> FormTexts {
    let Some(own) = section.section("texts") else { return FormTexts::default() };
    let span = own.span.clone();
    let (texts, form) = texts::read(own);
    pieces.push(Piece::new(&span, move |builder| builder.texts(texts.clone())));
    form
}

/// What viewers and browsers are told.
fn viewers(section: &mut Section<'_, '_>, pieces: &mut Vec<Piece>) {
    if let Some(Found { value, span }) = section.optional::<String>("plain_language") {
        pieces.push(Piece::new(&span, move |own| own.plain_language(value.clone())));
    }
    if let Some((span, policy)) = origins(section) {
        pieces.push(Piece::new(&span, move |builder| builder.origins(policy.clone())));
    }
    for Found { value, span } in section.list("return_to") {
        let origin = value.parse::<Origin>().map_err(|error| format!("return_to: {error}"));
        if let Some(origin) = section.mistakes.check(&span, origin) {
            pieces.push(Piece::new(&span, move |builder| builder.return_to([origin.clone()])));
        }
    }
    if let Some((span, pages)) = scripts::read(section) {
        pieces.push(Piece::new(&span, move |own| own.content_for_scripts(pages.clone())));
    }
    if let Some(own) = section.section("third_party_cookies") {
        let span = own.span.clone();
        let ways = third_party_cookies(own);
        pieces.push(Piece::new(&span, move |builder| builder.third_party_cookies(ways)));
    }
    if let Some(own) = section.section("compatibility") {
        let span = own.span.clone();
        let compatibility = compatibility(own);
        pieces.push(Piece::new(&span, move |builder| builder.compatibility(compatibility)));
    }
}

#[derive(serde::Deserialize)]
#[serde(untagged, expecting = "write \"bound\", \"any\" or a list of origins")]
enum Origins {
    Word(String),
    List(Vec<String>),
}

fn origins(section: &mut Section<'_, '_>) -> Option<(Span, OriginPolicy)> {
    let mistakes = section.mistakes;
    let Found { value, span } = section.optional("origins")?;
    let policy = match value {
        Origins::Word(word) if word == "bound" => OriginPolicy::Bound,
        Origins::Word(word) if word == "any" => OriginPolicy::Any,
        Origins::Word(word) => {
            let message =
                format!("origins {word:?} is neither \"bound\" nor \"any\"; origins are a list");
            mistakes.add(&span, message);
            return None;
        }
        Origins::List(list) => {
            mistakes.check(&span, OriginPolicy::allow(list.iter().map(String::as_str)))?
        }
    };
    Some((span, policy))
}

fn third_party_cookies(mut section: Section<'_, '_>) -> ThirdPartyCookies {
    let mut ways = ThirdPartyCookies::default();
    if section.or("storage_access", false) {
        ways = ways.storage_access();
    }
    if section.or("hand_off", false) {
        ways = ways.hand_off();
    }
    if section.or("grant_page", false) {
        ways = ways.grant_page();
    }
    section.finish();
    ways
}

fn compatibility(mut section: Section<'_, '_>) -> Compatibility {
    type Switch = fn(Compatibility) -> Compatibility;
    let switches: [(&'static str, Switch); 7] = [
        ("profile_on_probe", Compatibility::profile_on_probe),
        ("resource_in_probe_query", Compatibility::resource_in_probe_query),
        ("without_confirm_label", Compatibility::without_confirm_label),
        ("context_in_services", Compatibility::context_in_services),
        ("strict_0_9_2", Compatibility::strict_0_9_2),
        ("origin_from_referer", Compatibility::origin_from_referer),
        ("insecure_any_viewer_in_0_9", Compatibility::insecure_any_viewer_in_0_9),
    ];
    let mut compatibility = Compatibility::default();
    for (key, switch) in switches {
        if section.or(key, false) {
            compatibility = switch(compatibility);
        }
    }
    section.finish();
    compatibility
}
