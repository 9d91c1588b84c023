//! From the file to the layers.
//!
//! The library tells all mistakes of a configuration at once. It knows no lines: a mistake is in the
//! line of the entry with which it is first told.

use std::path::Path;

use tower_iiif_auth::{
    Compatibility, ConfigError, IiifAuth, IiifAuthBuilder, Keyring, Limits, OriginPolicy,
    ThirdPartyCookies,
};

use super::access::Access;
use super::base::Base;
use super::manifests::Described;
use super::mistakes::{Collector, Span};
use super::parse;
use super::public::{self, PublicPath};
use super::scripts;
use super::section::{Found, Section};
use super::upstreams::Named;
use crate::rights::Rules;

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
    pub(super) fn read(section: &mut Section<'_, '_>, folder: &Path, upstreams: &Named) -> Self {
        let mistakes = section.mistakes;
        let insecure_http = section.or("insecure_http", false);
        let public_url = section.required::<String>("public_url");
        let public_url_span = public_url.as_ref().map_or(0..0, |found| found.span.clone());
        let public_url = public_url.and_then(|found| {
            let url = checked_url(&found.value, insecure_http).map(|()| found.value);
            mistakes.check(&found.span, url)
        });
        let keyring = section.required::<String>("key_file").and_then(|file| {
            let path = folder.join(&file.value);
            mistakes.reads_secret(&file.span, &path);
            mistakes.check(&file.span, Keyring::from_file(path))
        });

        let mut pieces = Vec::new();
        let mut own_endpoints = "/auth".to_owned();
        if let Some(Found { value, span }) = section.optional::<String>("endpoints") {
            own_endpoints.clone_from(&value);
            pieces.push(Piece::new(&span, move |builder| builder.endpoints(value.clone())));
        }
        names(section, &mut pieces);
        let public_paths = public::read(section, &own_endpoints, upstreams);
        for PublicPath { text, span, .. } in public_paths.clone() {
            pieces.push(Piece::new(&span, move |own| own.public_paths([text.as_str()])));
        }
        let mut limits = Limits::new();
        if let Some(bytes) = size(section, "longest_identifier") {
            limits = limits.max_identifier_bytes(bytes);
        }
        if let Some(bytes) = size(section, "longest_info") {
            limits = limits.max_info_bytes(bytes);
        }
        if let Some(bytes) = size(section, "described_at_once") {
            limits = limits.max_described_bytes_at_once(bytes);
        }
        let lifetime = section.parsed("token_lifetime", parse::duration);
        let of_locations = section.parsed("location_lifetime", parse::duration);
        let span = lifetime.as_ref().or(of_locations.as_ref());
        let span = span.map_or(0..0, |found| found.span.clone());
        if let Some(found) = of_locations {
            limits = limits.max_location_lifetime(found.value);
        }
        if let Some(found) = lifetime {
            limits = limits.max_token_lifetime(found.value);
        }
        pieces.push(Piece::new(&span, move |builder| builder.limits(limits)));
        if let Some(Found { value, span }) = section.optional::<String>("plain_language") {
            pieces.push(Piece::new(&span, move |own| own.plain_language(value.clone())));
        }
        if let Some((span, policy)) = origins(section) {
            pieces.push(Piece::new(&span, move |builder| builder.origins(policy.clone())));
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

/// Other names of this publisher's, and whether descriptions get the public one.
fn names(section: &mut Section<'_, '_>, pieces: &mut Vec<Piece>) {
    if let Some(Found { value, span }) = section.optional::<Vec<String>>("also_known_as") {
        pieces.push(Piece::new(&span, move |builder| builder.also_known_as(value.clone())));
    }
    if section.or("public_ids", false) {
        pieces.push(Piece::new(&(0..0), IiifAuthBuilder::public_ids));
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
        if rules.are_signed() {
            pieces.push(Piece::new(&(0..0), IiifAuthBuilder::signed_locations));
        }
        if hand_on_session {
            pieces.push(Piece::new(&(0..0), IiifAuthBuilder::session_extension));
        }
        let start = of(public_url.as_deref().unwrap_or_default(), keyring.as_ref(), insecure_http);
        place(start.authorizer(rules.clone()), &pieces, mistakes);
        Some(Self { public_url: public_url?, insecure_http, keyring: keyring?, rules, pieces })
    }

    pub(super) fn builder(&self) -> IiifAuthBuilder {
        let start = of(&self.public_url, Some(&self.keyring), self.insecure_http);
        let start = start.authorizer(self.rules.clone());
        self.pieces.iter().fold(start, |builder, piece| (piece.apply)(builder))
    }
}

/// What the builder begins with.
fn of(public_url: &str, keyring: Option<&Keyring>, insecure_http: bool) -> IiifAuthBuilder {
    let mut builder = IiifAuth::builder(public_url);
    if insecure_http {
        builder = builder.insecure_http();
    }
    match keyring {
        Some(keyring) => builder.keyring(keyring.clone()),
        None => builder,
    }
}

/// Tells what is wrong with the whole, each in the line of the entry that brought it in.
///
/// What is wrong before the first entry was told where it was read: a key or URL that is missing.
fn place(start: IiifAuthBuilder, pieces: &[Piece], mistakes: &Collector<'_>) {
    let whole = pieces.iter().fold(start.clone(), |builder, piece| (piece.apply)(builder));
    let Err(wrong) = whole.build() else { return };
    let before = start.clone().build().err();
    let is_told = |mistake: &ConfigError| before.as_ref().is_some_and(|own| own.contains(mistake));
    let mut left: Vec<_> = wrong.into_iter().filter(|mistake| !is_told(mistake)).collect();
    let mut builder = start;
    for piece in pieces {
        builder = (piece.apply)(builder);
        let Err(found) = builder.clone().build() else { continue };
        left.retain(|mistake| {
            let is_here = found.contains(mistake);
            if is_here {
                mistakes.add(&piece.span, mistake.to_string());
            }
            !is_here
        });
    }
}

fn checked_url(url: &str, insecure_http: bool) -> Result<(), ConfigError> {
    let found = of(url, None, insecure_http).build().err();
    let of_url = |mistake: &ConfigError| {
        use ConfigError::{PlainHttp, PublicUrl, PublicUrlPath};
        matches!(mistake, PublicUrl { .. } | PublicUrlPath(_) | PlainHttp(_))
    };
    found.into_iter().flatten().find(of_url).map_or(Ok(()), Err)
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

/// A number of bytes or of things, more than none.
pub(super) fn size(section: &mut Section<'_, '_>, key: &'static str) -> Option<usize> {
    let mistakes = section.mistakes;
    let Found { value, span } = section.optional::<u32>(key)?;
    if value == 0 {
        mistakes.add(&span, format!("{key} has to be more than zero"));
        return None;
    }
    Some(usize::try_from(value).unwrap_or(usize::MAX))
}
