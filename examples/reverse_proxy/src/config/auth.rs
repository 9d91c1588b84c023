//! From the file to the layers.
//!
//! The library checks a configuration as a whole and stops at the first mistake. Here it is asked
//! again for each piece that is added, so that every mistake is found, and its line is known.

use std::path::Path;

use tower_iiif_auth::{
    Compatibility, ConfigError, IiifAuth, IiifAuthBuilder, Keyring, OriginPolicy, Realm,
    ThirdPartyCookies,
};

use super::access::Access;
use super::base::Base;
use super::manifests::Described;
use super::mistakes::{Collector, Span};
use super::parse;
use super::public::{self, PublicPath};
use super::rule::Rules;
use super::section::{Found, Section};

type Apply = Box<dyn Fn(IiifAuthBuilder) -> IiifAuthBuilder + Send + Sync>;

/// One entry of the file, as it is told to the builder.
struct Piece {
    span: Span,
    apply: Apply,
}

impl Piece {
    fn new(
        span: &Span,
        apply: impl Fn(IiifAuthBuilder) -> IiifAuthBuilder + Send + Sync + 'static,
    ) -> Self {
        Self { span: span.clone(), apply: Box::new(apply) }
    }
}

/// What stands at the top of the file.
pub(super) struct Settings {
    pub(super) public_url: Option<String>,
    pub(super) public_url_span: Span,
    pub(super) endpoints: String,
    insecure_http: bool,
    keyring: Option<Keyring>,
    pub(super) public_paths: Vec<PublicPath>,
    pieces: Vec<Piece>,
}

impl Settings {
    pub(super) fn read(section: &mut Section<'_, '_>, folder: &Path) -> Self {
        let mistakes = section.mistakes;
        let insecure_http = section.or("insecure_http", false);
        let public_url = section.required::<String>("public_url");
        let public_url_span = public_url.as_ref().map_or(0..0, |found| found.span.clone());
        let public_url = public_url.and_then(|found| {
            let url = checked_url(&found.value, insecure_http).map(|()| found.value);
            mistakes.check(&found.span, url)
        });
        let keyring = section.required::<String>("key_file").and_then(|file| {
            mistakes.check(&file.span, Keyring::from_file(folder.join(&file.value)))
        });

        let mut pieces = Vec::new();
        let mut own_endpoints = "/auth".to_owned();
        if let Some(Found { value, span }) = section.optional::<String>("endpoints") {
            own_endpoints.clone_from(&value);
            pieces.push(Piece::new(&span, move |builder| builder.endpoints(value.clone())));
        }
        let public_paths = public::read(section, &own_endpoints);
        for PublicPath { text, span, .. } in public_paths.clone() {
            pieces.push(Piece::new(&span, move |own| own.public_paths([text.as_str()])));
        }
        if let Some(Found { value, span }) = section.optional::<u32>("longest_identifier") {
            let bytes = usize::try_from(value).unwrap_or(usize::MAX);
            pieces.push(Piece::new(&span, move |own| own.longest_identifier(bytes)));
        }
        if let Some(found) = section.parsed("token_lifetime", parse::duration) {
            pieces.push(Piece::new(&found.span, move |own| own.token_lifetime(found.value)));
        }
        if let Some(Found { value, span }) = section.optional::<String>("plain_language") {
            pieces.push(Piece::new(&span, move |own| own.plain_language(value.clone())));
        }
        if let Some(Found { value, span }) = section.optional::<u32>("longest_info") {
            let bytes = usize::try_from(value).unwrap_or(usize::MAX);
            pieces.push(Piece::new(&span, move |own| own.longest_info(bytes)));
        }
        if let Some((span, policy)) = origins(section) {
            pieces.push(Piece::new(&span, move |builder| builder.origins(policy.clone())));
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
        let endpoints = own_endpoints;
        Self {
            public_url,
            public_url_span,
            endpoints,
            insecure_http,
            keyring,
            public_paths,
            pieces,
        }
    }
}

/// Everything that the builder is told, in order.
pub(super) struct Parts {
    public_url: String,
    insecure_http: bool,
    keyring: Keyring,
    rules: Rules,
    pieces: Vec<Piece>,
}

/// What stands in the file's tables, beside the bases.
pub(super) struct Given {
    pub(super) manifests: Vec<Described>,
    pub(super) accesses: Vec<Access>,
    pub(super) rules: Rules,
    pub(super) hand_on_session: bool,
}

impl Parts {
    pub(super) fn check(
        settings: Settings,
        bases: &[Base],
        given: Given,
        mistakes: &Collector<'_>,
    ) -> Option<Self> {
        let Settings { public_url, insecure_http, keyring, public_paths, mut pieces, .. } =
            settings;
        let Given { manifests, accesses, rules, hand_on_session } = given;
        if bases.is_empty() && mistakes.is_empty() {
            mistakes
                .add(&(0..0), "[[base]] is missing: list at least one, like path = \"/iiif/3\"");
        }
        if accesses.is_empty() && mistakes.is_empty() {
            mistakes.add(&(0..0), "[[access]] is missing: say by what users get in");
        }
        for base in bases.iter().cloned() {
            let span = base.span.clone();
            pieces.push(Piece::new(&span, move |builder| base.add_to(builder)));
        }
        for own in manifests.iter().filter(|own| !own.is_reached(&public_paths, bases)) {
            let message = "nothing at this path is passed on: list it in public_paths, like \
                           \"/manifests/*\", or let it lie below a [[base]] of kind \"files\"";
            mistakes.add(&own.span, message);
        }
        for Described { span, manifests, .. } in manifests {
            pieces.push(Piece::new(&span, move |builder| builder.manifests(manifests.clone())));
        }
        for Access { span, realm, .. } in accesses {
            pieces.push(Piece::new(&span, move |builder| builder.realm(realm.clone())));
        }
        if hand_on_session {
            pieces.push(Piece::new(&(0..0), IiifAuthBuilder::hand_on_session));
        }
        // What a piece needs beside it may come later, so it is lent.
        quietly(|| {
            let lent_url = public_url.as_deref().unwrap_or("https://iiif.example");
            let mut kept: Vec<&Piece> = Vec::new();
            for piece in &pieces {
                let lent = stand_in(lent_url).insecure_http();
                let with = kept.iter().copied().chain([piece]);
                match with.fold(lent, |builder, piece| (piece.apply)(builder)).build() {
                    Ok(_) => kept.push(piece),
                    Err(error) => mistakes.add(&piece.span, error.to_string()),
                }
            }
        });
        let parts =
            Self { public_url: public_url?, insecure_http, keyring: keyring?, rules, pieces };
        if mistakes.is_empty() {
            // Now without what was lent.
            let place = parts.pieces.last().map_or(0..0, |piece| piece.span.clone());
            quietly(|| mistakes.check(&place, parts.builder().build()))?;
        }
        Some(parts)
    }

    pub(super) fn builder(&self) -> IiifAuthBuilder {
        let mut builder = IiifAuth::builder(&self.public_url)
            .keyring(self.keyring.clone())
            .authorizer(self.rules.clone());
        if self.insecure_http {
            builder = builder.insecure_http();
        }
        self.pieces.iter().fold(builder, |builder, piece| (piece.apply)(builder))
    }
}

fn checked_url(url: &str, insecure_http: bool) -> Result<(), ConfigError> {
    let builder = stand_in(url);
    let builder = if insecure_http { builder.insecure_http() } else { builder };
    quietly(|| builder.build().map(drop))
}

/// A builder that lacks nothing.
fn stand_in(public_url: &str) -> IiifAuthBuilder {
    let builder = IiifAuth::builder(public_url)
        .images("/stand-in/images")
        .realm(Realm::named("stand-in").access(tower_iiif_auth::AccessService::kiosk("enter")))
        .authorizer(Rules::default());
    match quietly(Keyring::generate) {
        Ok(keyring) => builder.keyring(keyring),
        Err(_) => builder,
    }
}

/// Without the warnings of configurations that are only tried.
fn quietly<T>(work: impl FnOnce() -> T) -> T {
    tracing::subscriber::with_default(tracing::subscriber::NoSubscriber::default(), work)
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
    let switches: [(&'static str, Switch); 6] = [
        ("profile_on_probe", Compatibility::profile_on_probe),
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
