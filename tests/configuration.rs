//! Every mistake that a builder finds, and that each message says what to change.

mod common;

use std::collections::BTreeSet;
use std::time::Duration;

use common::{BASE, key};
use tower_iiif_auth::aspect::{
    AspectError, AuthorizingAspect, Head, IpRanges, Reading, SettingError, TrustedHeader,
};
use tower_iiif_auth::clock::Timestamp;
use tower_iiif_auth::protocol::Family;
use tower_iiif_auth::protocol::OriginError;
use tower_iiif_auth::resource::{Dialect, Families, ImageApi};
use tower_iiif_auth::revocation::InMemory;
use tower_iiif_auth::{
    AccessCookie, AccessService, Answer, ConfigError, ConfigErrors, ConfigWarning, CookieError,
    IiifAuth, IiifAuthBuilder, Keyring, LanguageMap, Limits, Manifests, Message, OriginPolicy,
    Realm, SameSite, Texts, ThirdPartyCookies,
};

/// An aspect with this name.
struct Named(String);

impl AuthorizingAspect for Named {
    fn name(&self) -> &str {
        &self.0
    }

    fn read(&self, _: &Head<'_>, _: Timestamp) -> Reading {
        Answer::Now(Err(AspectError::Missing))
    }
}

/// A configuration without a realm.
fn bare(url: &str) -> IiifAuthBuilder {
    IiifAuth::builder(url)
        .keyring(Keyring::from_bytes(&key(1)).unwrap())
        .images("/iiif/3")
        .authorize_with(|_| false)
}

fn login() -> AccessService {
    AccessService::active("login", "Library")
}

fn realm() -> Realm {
    Realm::new().access(login())
}

fn good() -> IiifAuthBuilder {
    bare(BASE).realm(realm())
}

fn of(realm: Realm) -> Option<ConfigErrors> {
    bare(BASE).realm(realm).build().err()
}

/// The application's own session cookie, set like this.
fn own_cookie(
    set_cookie: &str,
    cause: CookieError,
    advice: &'static str,
) -> (Option<ConfigErrors>, ConfigError, &'static str) {
    let realm = realm().aspect(Named("sid".to_owned())).session_cookie(set_cookie);
    (of(realm), ConfigError::Cookie { realm: String::new(), cause }, advice)
}

fn at(url: &str) -> Option<ConfigErrors> {
    bare(url).realm(realm()).build().err()
}

fn with_cookie(cookie: AccessCookie) -> Option<ConfigErrors> {
    of(realm().aspect(cookie))
}

/// A mistake of every kind: what was built, what is wrong, and what the message tells to do.
#[allow(clippy::too_many_lines)] // A list of mistakes.
fn mistakes() -> Vec<(Option<ConfigErrors>, ConfigError, &'static str)> {
    let keyring = || Keyring::from_bytes(&key(1)).unwrap();
    let own = str::to_owned;
    let bad_tag = || LanguageMap::new("english text", "x");
    let language = || ConfigError::Language(own("english text"));
    let public_url = |url: &str, cause| ConfigError::PublicUrl { url: own(url), cause };
    let cookie = |cause| ConfigError::Cookie { realm: String::new(), cause };
    let overlap = |inner: &str, outer: &str| ConfigError::BasesOverlap {
        inner: own(inner),
        outer: own(outer),
    };
    let in_base =
        |path: &str, base: &str| ConfigError::PathInBase { path: own(path), base: own(base) };
    let in_probe =
        |path: &str| ConfigError::PathInProbe { path: own(path), probe: own("/auth/probe") };
    let named = |bytes| Named("n".repeat(bytes));
    let aspect_name = |bytes| ConfigError::AspectName { realm: String::new(), bytes };
    let role = |bytes, most| ConfigError::Role { bytes, most };
    let long = |bytes| "r".repeat(bytes);
    let room = || IpRanges::new(["192.0.2.0/24"], "A").unwrap();
    let below = |base: &str, realm: Realm| {
        let builder = IiifAuth::builder(BASE).keyring(keyring()).authorize_with(|_| true);
        builder.images(base).realm(realm).build().err()
    };
    let of_families =
        |families| good().resources(ImageApi::new("/iiif/2").families(families)).build().err();
    let families = |fault| ConfigError::Families { base: own("/iiif/2"), fault };
    let secret = "sixteen letters!";
    let in_0_9 = |realm: Realm| {
        let base = ImageApi::new("/iiif/2").families([Family::V09]);
        bare(BASE).resources(base).realm(realm).build().err()
    };
    let of_clients = |ids: &[&str], secret: &str| {
        in_0_9(ids.iter().fold(realm(), |realm, id| realm.client(*id, secret)))
    };
    let texts = |change: fn(&mut Texts)| {
        let mut texts = Texts::default();
        change(&mut texts);
        good().texts(texts).build().err()
    };
    let no_keyring =
        IiifAuth::builder(BASE).images("/iiif/3").realm(realm()).authorize_with(|_| true).build();
    let no_authorizer =
        IiifAuth::builder(BASE).keyring(keyring()).images("/iiif/3").realm(realm()).build();
    let no_resources =
        IiifAuth::builder(BASE).keyring(keyring()).realm(realm()).authorize_with(|_| true).build();
    let many = (0..65).fold(bare(BASE), |builder, index| {
        builder.realm(Realm::named(format!("r{index}")).access(login()))
    });
    vec![
        (at("iiif.example"), public_url("iiif.example", OriginError::Scheme), "https://"),
        (at(""), public_url("", OriginError::Scheme), "give what browsers type"),
        (at("ftp://iiif.example"), public_url("ftp://iiif.example", OriginError::Scheme), "https"),
        (
            at("https://user@iiif.example"),
            public_url("https://user@iiif.example", OriginError::MoreThanOrigin),
            "give what browsers type",
        ),
        (
            at("https://iiif.example:99999"),
            public_url("https://iiif.example:99999", OriginError::Port),
            "port",
        ),
        (
            at("https://iiif.example/a?b"),
            ConfigError::PublicUrlPath(own("https://iiif.example/a?b")),
            "leave it out",
        ),
        (
            at("http://iiif.example"),
            ConfigError::PlainHttp(own("http://iiif.example")),
            "insecure_http()",
        ),
        (
            good().also_known_as(["http://inner.example", "inner.example"]).build().err(),
            ConfigError::OtherUrl(own("inner.example")),
            "give scheme, host",
        ),
        (no_keyring.err(), ConfigError::NoKeyring, "call keyring("),
        (no_authorizer.err(), ConfigError::NoAuthorizer, "call authorizer("),
        (no_resources.err(), ConfigError::NoResources, "call images("),
        (bare(BASE).build().err(), ConfigError::NoRealm, "call realm("),
        (good().images("iiif").build().err(), ConfigError::Path(own("iiif")), "start with a slash"),
        (good().files("").build().err(), ConfigError::Path(String::new()), "start with a slash"),
        (good().files("/a//b").build().err(), ConfigError::Path(own("/a//b")), "be plain"),
        (good().endpoints("/a b").build().err(), ConfigError::Path(own("/a b")), "be plain"),
        (good().endpoints("/auth/").build().err(), ConfigError::Path(own("/auth/")), "not end"),
        // No service with a query.
        (
            of(Realm::new().access(login().path("/login?a=b"))),
            ConfigError::Path(own("/login?a=b")),
            "be plain",
        ),
        // The first map would read the other one's paths, in some spelling or for some server.
        (
            good().images("/iiif/3").build().err(),
            overlap("/iiif/3", "/iiif/3"),
            "one map that asks both",
        ),
        (good().files("/iiif").build().err(), overlap("/iiif/3", "/iiif"), "move one"),
        (good().files("/iiif/3/files").build().err(), overlap("/iiif/3/files", "/iiif/3"), "move"),
        (good().images("/IIIF/3/a").build().err(), overlap("/IIIF/3/a", "/iiif/3"), "move one"),
        (
            good().files("/files").files("/a").files("/files/b").build().err(),
            overlap("/files/b", "/files"),
            "move one",
        ),
        (
            of(realm().access(AccessService::kiosk("login"))),
            ConfigError::PathTwice(own("/auth/login")),
            "another path",
        ),
        (
            of(realm().access(AccessService::kiosk("room").path("/auth/token"))),
            ConfigError::PathTwice(own("/auth/token")),
            "another path",
        ),
        (
            of(Realm::new().access(login().path("/auth/continue"))),
            ConfigError::PathTwice(own("/auth/continue")),
            "another path",
        ),
        (
            of(Realm::new().access(login().path("/auth/probe"))),
            ConfigError::PathTwice(own("/auth/probe")),
            "another path",
        ),
        (
            of(Realm::new().access(login().path("/iiif/3/login"))),
            in_base("/iiif/3/login", "/iiif/3"),
            "move the service with path(",
        ),
        (
            of(Realm::new().access(login().path("/IIIF/3"))),
            in_base("/IIIF/3", "/iiif/3"),
            "move the service with path(",
        ),
        (good().files("/auth").build().err(), in_base("/auth/probe", "/auth"), "or the base"),
        (
            good().files("/auth/probe").build().err(),
            in_base("/auth/probe", "/auth/probe"),
            "endpoints(",
        ),
        (
            good().files("/auth/login").build().err(),
            in_base("/auth/login", "/auth/login"),
            "or the base",
        ),
        (good().files("/auth/probe/files").build().err(), in_probe("/auth/probe/files"), "move it"),
        (
            of(Realm::new().access(login().path("/auth/probe/login"))),
            in_probe("/auth/probe/login"),
            "endpoints(",
        ),
        (
            of(Realm::new().access(AccessService::kiosk("token"))),
            ConfigError::Name(own("token")),
            "not one of",
        ),
        (
            of(Realm::new().access(AccessService::kiosk(""))),
            ConfigError::Name(String::new()),
            "letters, digits",
        ),
        (of(Realm::named("a/b").access(login())), ConfigError::Name(own("a/b")), "letters, digits"),
        (
            good().realm(Realm::new().access(login())).build().err(),
            ConfigError::RealmTwice(String::new()),
            "rename one",
        ),
        (of(Realm::named("x")), ConfigError::NoAccessService { realm: own("x") }, "call access("),
        (
            of(Realm::new().access(login().protects(["a"]))),
            ConfigError::NoDefaultAccessService,
            "leave it out on",
        ),
        (many.build().err(), ConfigError::TooManyRealms, "one realm"),
        (
            of(Realm::new().access(AccessService::external())),
            ConfigError::NoAspect { realm: String::new() },
            "call aspect(",
        ),
        (
            of(realm().aspect(
                tower_iiif_auth::aspect::Aspects::from(AccessCookie::new()).or(AccessCookie::new()),
            )),
            ConfigError::TwoCookies { realm: String::new() },
            "keep one",
        ),
        (
            of(realm().aspect(room().or(room()))),
            ConfigError::AspectTwice(own("ip-ranges:A")),
            "give them different names",
        ),
        // Names and roles go into tokens and cookies behind a length of one byte.
        (of(realm().aspect(named(0))), aspect_name(0), "1 to 255"),
        (of(realm().aspect(AccessCookie::new().or(named(256)))), aspect_name(256), "shorter name"),
        (of(realm().aspect(named(128).and(named(127)))), aspect_name(256), "1 to 255"),
        (
            IpRanges::new(["192.0.2.1"], long(246)).err().map(Into::into),
            SettingError::Role { bytes: 246, most: 245 }.into(),
            "at most 245",
        ),
        (
            of(realm().access(AccessService::kiosk("room").role(long(256)))),
            role(256, 255),
            "at most 255",
        ),
        (
            of(realm().access(AccessService::kiosk(long(256)).path("/room"))),
            role(256, 255),
            "at most 255",
        ),
        (
            of(realm().access(AccessService::click_through("terms", "x", "x").role(long(256)))),
            role(256, 255),
            "role(",
        ),
        // A dialect that no server has.
        (
            good()
                .resources(
                    ImageApi::new("/iiif/2").dialect(Dialect::general().slash_substitute("__")),
                )
                .build()
                .err(),
            ConfigError::Dialect {
                base: own("/iiif/2"),
                fault: "slash_substitute is Cantaloupe's: leave it out, or say that the server is Cantaloupe",
            },
            "slash_substitute",
        ),
        // Families that do not go together.
        (
            of_families(Families::new([])),
            families("it speaks no family: name at least one"),
            "at least one",
        ),
        (
            of_families(Families::from([Family::V2]).open()),
            families("open() is for 2.0 beside an older family: leave it out or name both"),
            "name both",
        ),
        (
            of_families(Families::from([Family::V1, Family::V2]).redirecting_content()),
            families("redirecting_content() cannot be had beside 2.0: leave one of them out"),
            "leave one of them out",
        ),
        (
            of_families(Families::from([Family::V1, Family::V09]).open()),
            families("open() is for 2.0 beside an older family: leave it out or name both"),
            "name both",
        ),
        (
            of_families(Families::default().redirecting_content()),
            families("redirecting_content() cannot be had beside 2.0: leave one of them out"),
            "leave one of them out",
        ),
        // Services of older families lie below their namesakes.
        (
            in_0_9(realm().access(AccessService::kiosk("room").path("/auth/login/0"))),
            ConfigError::PathTwice(own("/auth/login/0")),
            "another path",
        ),
        (
            in_0_9(realm().access(AccessService::kiosk("client"))),
            ConfigError::Name(own("client")),
            "not one of",
        ),
        (
            of(realm().client("app", secret)),
            ConfigError::ClientsUnused { realm: String::new() },
            "Family::V09",
        ),
        (of_clients(&["app", "app"], secret), ConfigError::Client(own("app")), "an id of its own"),
        (of_clients(&[&long(256)], secret), ConfigError::Client(long(256)), "1 to 255 bytes"),
        (of_clients(&[""], secret), ConfigError::Client(String::new()), "1 to 255 bytes"),
        (
            of_clients(&["app"], "fifteen letters"),
            ConfigError::ClientSecret { client: own("app") },
            "openssl",
        ),
        (
            of(Realm::new().access(login().steps(["sso/back"]))),
            ConfigError::Step(own("sso/back")),
            "begin it with a slash",
        ),
        // What would be of no effect, or the end of every request.
        (
            of(Realm::new().access(AccessService::kiosk("room").steps(["/sso/*"]))),
            ConfigError::StepsUnused(own("room")),
            "leave it out",
        ),
        (
            of(Realm::new().access(AccessService::external().path("/room")).aspect(room())),
            ConfigError::ExternalPath(own("/room")),
            "leave path(",
        ),
        (
            of(Realm::new().access(login().role("reader"))),
            ConfigError::RoleUnused(own("reader")),
            "AccessGrant",
        ),
        (
            of(Realm::new().access(AccessService::external().role("reader")).aspect(room())),
            ConfigError::RoleUnused(own("reader")),
            "leave role(",
        ),
        (
            IpRanges::new([""; 0], "A").err().map(Into::into),
            SettingError::NoIpRanges.into(),
            "list one",
        ),
        (
            good().origins(OriginPolicy::allow([""; 0]).unwrap()).build().err(),
            ConfigError::NoAllowedOrigins,
            "OriginPolicy::Any",
        ),
        (
            good().limits(Limits::new().max_info_bytes(0)).build().err(),
            ConfigError::Limit("max_info_bytes"),
            "more than zero",
        ),
        (
            good().limits(Limits::new().max_identifier_bytes(0)).build().err(),
            ConfigError::Limit("max_identifier_bytes"),
            "more than zero",
        ),
        (
            good().public_paths(["/", "manifests/*"]).build().err(),
            ConfigError::PublicPath(own("manifests/*")),
            "begin it with a slash",
        ),
        (
            good().manifests("manifests").build().err(),
            ConfigError::ManifestPath(own("manifests")),
            "begin it with a slash",
        ),
        (
            good().manifests("/manifests/").build().err(),
            ConfigError::ManifestPath(own("/manifests/")),
            "end it without one",
        ),
        (
            good().manifests(Manifests::at("/m").max_bytes(0)).build().err(),
            ConfigError::ManifestLimit("max_bytes"),
            "more than zero",
        ),
        (
            good().manifests(Manifests::at("/m").max_described_bytes(0)).build().err(),
            ConfigError::ManifestLimit("max_described_bytes"),
            "more than zero",
        ),
        (
            good().manifests(Manifests::at("/m").max_resources(0)).build().err(),
            ConfigError::ManifestLimit("max_resources"),
            "more than zero",
        ),
        (
            with_cookie(AccessCookie::new().name(long(256))),
            cookie(CookieError::NameTooLong { bytes: 256 }),
            "at most 255",
        ),
        (
            of(Realm::new().access(AccessService::kiosk("room")).aspect(room())),
            ConfigError::NoCookie { realm: String::new() },
            "add AccessCookie::new()",
        ),
        (
            with_cookie(AccessCookie::new().name("a b")),
            cookie(CookieError::Name(own("a b"))),
            "no cookie name",
        ),
        (
            with_cookie(AccessCookie::new().path("a")),
            cookie(CookieError::Path(own("a"))),
            "absolute path",
        ),
        (
            with_cookie(AccessCookie::new().domain("other.example")),
            cookie(CookieError::Domain { domain: own("other.example"), host: own("iiif.example") }),
            "cover the public host",
        ),
        (
            with_cookie(AccessCookie::new().name("__Host-x").domain("iiif.example")),
            cookie(CookieError::HostPrefix(own("__Host-x"))),
            "rename it, or leave them out",
        ),
        (
            bare("http://localhost")
                .realm(realm().aspect(AccessCookie::new().name("__Host-x")))
                .build()
                .err(),
            cookie(CookieError::PrefixNeedsHttps(own("__Host-x"))),
            "needs an https public URL",
        ),
        (
            bare("http://localhost")
                .realm(realm().aspect(AccessCookie::new().same_site(SameSite::None)))
                .build()
                .err(),
            cookie(CookieError::SameSiteNoneNeedsHttps),
            "needs an https public URL",
        ),
        (
            with_cookie(AccessCookie::new().lifetime(Duration::from_secs(86_401))),
            cookie(CookieError::Lifetime(Duration::from_secs(86_401))),
            "between 1 second and 24 hours",
        ),
        (
            good()
                .realm(
                    Realm::named("b")
                        .access(login())
                        .aspect(AccessCookie::new().name("__Host-iiif")),
                )
                .build()
                .err(),
            ConfigError::CookieTwice(own("__Host-iiif")),
            "rename one",
        ),
        (
            with_cookie(AccessCookie::new().name("__Host-iiif-flow")),
            ConfigError::CookieTwice(own("__Host-iiif-flow")),
            "rename one",
        ),
        (
            bare("https://iiif.example")
                .realm(realm())
                .realm(Realm::named("p").access(login()).aspect(AccessCookie::new()))
                .third_party_cookies(ThirdPartyCookies::default().hand_off())
                .build()
                .err(),
            ConfigError::CookieTwice(own("__Host-iiif-p")),
            "rename one",
        ),
        (
            bare("https://iiif.example")
                .realm(realm().aspect(AccessCookie::new().same_site(SameSite::Lax)))
                .third_party_cookies(ThirdPartyCookies::default().storage_access())
                .build()
                .err(),
            ConfigError::SameSiteCookie(own("__Host-iiif")),
            "leave same_site",
        ),
        // Access, token and content alike.
        (
            with_cookie(AccessCookie::new().path("/auth")),
            ConfigError::CookiePath { cookie: own("__Secure-iiif"), path: own("/iiif/3") },
            "covers both",
        ),
        (
            with_cookie(AccessCookie::new().path("/iiif")),
            ConfigError::CookiePath { cookie: own("__Secure-iiif"), path: own("/auth/login") },
            "covers both",
        ),
        (
            with_cookie(AccessCookie::new().path("/auth/login")),
            ConfigError::CookiePath { cookie: own("__Secure-iiif"), path: own("/auth/token") },
            "covers both",
        ),
        // A logout has to see what it ends, and a login what it replaces.
        (
            below(
                "/auth/token/iiif",
                Realm::new()
                    .access(login().path("/auth/token/login"))
                    .aspect(AccessCookie::new().path("/auth/token")),
            ),
            ConfigError::CookiePath { cookie: own("__Secure-iiif"), path: own("/auth/logout") },
            "covers both",
        ),
        (
            below(
                "/auth/a/iiif",
                Realm::named("a").access(login()).aspect(AccessCookie::new().path("/auth/a")),
            ),
            ConfigError::CookiePath { cookie: own("__Secure-iiif-a"), path: own("/auth/continue") },
            "covers both",
        ),
        // The application's own session cookie, before the first viewer fails.
        own_cookie(
            "sid=0; Path=/; Secure; HttpOnly; SameSite=Strict",
            CookieError::KeptFromOtherSites { name: own("sid"), same_site: Some(SameSite::Strict) },
            "make it SameSite=None and Secure",
        ),
        own_cookie(
            "sid=0; Path=/; Secure; HttpOnly; SameSite=Lax",
            CookieError::KeptFromOtherSites { name: own("sid"), same_site: Some(SameSite::Lax) },
            "is SameSite=Lax",
        ),
        own_cookie(
            "sid=0; Path=/; Secure; HttpOnly",
            CookieError::KeptFromOtherSites { name: own("sid"), same_site: None },
            "browsers take for Lax",
        ),
        own_cookie(
            "sid=0; Path=/; HttpOnly; SameSite=None",
            CookieError::KeptFromOtherSites { name: own("sid"), same_site: Some(SameSite::None) },
            "without Secure",
        ),
        own_cookie(
            "sid=0; Path=/; Secure; HttpOnly; SameSite=None; Partitioned",
            CookieError::Partitioned(own("sid")),
            "leave Partitioned out",
        ),
        own_cookie(
            "sid=0; Secure; HttpOnly; SameSite=None",
            CookieError::NoPath(own("sid")),
            "set Path=/",
        ),
        own_cookie(
            "__Host-sid=0; Path=/; Domain=iiif.example; Secure; HttpOnly; SameSite=None",
            CookieError::HostPrefix(own("__Host-sid")),
            "rename it",
        ),
        own_cookie(
            "sid=0; Path=/; Domain=other.example; Secure; HttpOnly; SameSite=None",
            CookieError::Domain { domain: own("other.example"), host: own("iiif.example") },
            "does not cover",
        ),
        own_cookie("Set-Cookie", CookieError::Unreadable, "like \"sid=0;"),
        (
            of(realm().session_cookie("sid=0; Path=/app; Secure; HttpOnly; SameSite=None")),
            ConfigError::CookiePath { cookie: own("sid"), path: own("/auth/login") },
            "covers both",
        ),
        // The tags of every text, wherever it stands.
        (of(Realm::new().access(AccessService::active("login", bad_tag()))), language(), "BCP 47"),
        (of(Realm::new().access(login().message(Message::new(bad_tag())))), language(), "BCP 47"),
        (
            of(Realm::new().access(login().message(Message::new("x").note(bad_tag())))),
            language(),
            "BCP 47",
        ),
        (of(Realm::new().access(login().confirm_label(bad_tag()))), language(), "BCP 47"),
        (
            of(Realm::new().access(AccessService::click_through(
                "terms",
                "Library",
                Message::new("x").note(bad_tag()),
            ))),
            language(),
            "BCP 47",
        ),
        (of(realm().logout_label(bad_tag())), language(), "BCP 47"),
        (of(realm().token_error(bad_tag())), language(), "BCP 47"),
        (of(realm().token_error(Message::new("x").note(bad_tag()))), language(), "BCP 47"),
        (
            texts(|texts| texts.granted = LanguageMap::new("english text", "x").into()),
            language(),
            "\"none\"",
        ),
        (texts(|texts| texts.accept = LanguageMap::new("english text", "x")), language(), "\"en\""),
        (
            OriginPolicy::allow([common::V, "*"]).err().map(Into::into),
            ConfigError::AllowedOrigin { origin: own("*"), cause: OriginError::Scheme },
            "https://",
        ),
        (
            OriginPolicy::allow(["https://viewer.example/path"]).err().map(Into::into),
            ConfigError::AllowedOrigin {
                origin: own("https://viewer.example/path"),
                cause: OriginError::MoreThanOrigin,
            },
            "write it like",
        ),
        (
            IpRanges::new(["10.0.0.0/33"], "A").err().map(Into::into),
            SettingError::IpRange(own("10.0.0.0/33")).into(),
            "write it like",
        ),
        (
            room().trusted_proxies(["proxy.example"]).err().map(Into::into),
            SettingError::IpRange(own("proxy.example")).into(),
            "write it like",
        ),
        (
            TrustedHeader::new("x-user", ["10.0.0.1"])
                .and_then(|own| own.with_secret("x-secret", "too-short"))
                .err()
                .map(Into::into),
            SettingError::FrontSecret.into(),
            "openssl rand",
        ),
        (
            TrustedHeader::new("x-user", [""; 0]).err().map(Into::into),
            SettingError::NoTrustedPeers.into(),
            "list the proxy's address",
        ),
        (
            TrustedHeader::new("x user", ["127.0.0.1"]).err().map(Into::into),
            SettingError::HeaderName(own("x user")).into(),
            "use letters",
        ),
        (
            good().limits(Limits::new().max_token_lifetime(Duration::ZERO)).build().err(),
            ConfigError::Duration("max_token_lifetime in whole seconds"),
            "more than zero",
        ),
        // A life of less than a second could not be told.
        (
            good()
                .limits(Limits::new().max_token_lifetime(Duration::from_millis(999)))
                .build()
                .err(),
            ConfigError::Duration("max_token_lifetime in whole seconds"),
            "whole seconds",
        ),
        (
            good()
                .limits(Limits::new().max_token_lifetime(Duration::from_secs(86_401)))
                .build()
                .err(),
            ConfigError::Duration("max_token_lifetime in whole seconds"),
            "at most 24 hours",
        ),
        (
            good().limits(Limits::new().max_decision_time(Duration::ZERO)).build().err(),
            ConfigError::Duration("max_decision_time"),
            "more than zero",
        ),
    ]
}

/// AL-03: a dialect that no server has. V2-GEN-1: plain http. V2-GEN-3: tags of no language. CLI-1: a query in a service's path. CON-1,
/// CON-3, CON-13: families that do not go together. V2-COOKIE-3, V2-COOKIE-5, SEC-6: attributes, path
/// and life of a cookie. V2-TOK-8, V2-TOK-9: the life of a token.
#[test]
fn every_mistake_is_found_and_its_message_says_what_to_change() {
    assert!(good().build().is_ok());
    let mut tried = BTreeSet::new();
    for (found, expected, advice) in mistakes() {
        assert_eq!(found, Some(expected.clone().into()));
        let message = expected.to_string().replace(&"r".repeat(256), "…");
        assert!(message.contains(advice), "{message:?} does not say {advice:?}");
        assert!(!message.contains("  ") && message.len() < 240, "{message}");
        let shown = format!("{expected:?}");
        let shown = shown.strip_prefix("Aspect(").unwrap_or(&shown);
        tried.insert(shown.split([' ', '(', '{', ')']).next().unwrap().to_owned());
    }
    assert_eq!(tried, kinds(), "no kind of mistake is left out");
}

/// The variants of the error, but for the one that the system has to fail for.
fn kinds() -> BTreeSet<String> {
    let sources = [
        (include_str!("../src/config/error.rs"), "pub enum ConfigError {"),
        (include_str!("../src/aspect/setting_error.rs"), "pub enum SettingError {"),
    ];
    let variants = sources.iter().flat_map(|(source, head)| {
        let body = source.split_once(head).unwrap().1.split_once("\n}").unwrap().0;
        body.lines().filter_map(|line| line.strip_prefix("    "))
    });
    variants
        .filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase()))
        .map(|line| line.split([' ', '(', '{', ',']).next().unwrap().to_owned())
        .filter(|name| name != "NoRandomness" && name != "Aspect")
        .collect()
}

/// Sessions of one realm share one cookie: the last one is there.
#[test]
fn operators_are_warned_of_sessions_that_replace_each_other() {
    let terms = |name: &str| AccessService::click_through(name, "Library", "Terms");
    let kiosk = AccessService::kiosk;
    for (what, builder, warned) in [
        ("a login", good(), false),
        (
            "two logins, of one application",
            { bare(BASE).realm(realm().access(AccessService::active("staff", "Library"))) },
            false,
        ),
        ("a login and terms", bare(BASE).realm(realm().access(terms("terms"))), true),
        (
            "a login and a kiosk",
            bare(BASE).realm(Realm::new().access(kiosk("a")).access(login())),
            true,
        ),
        ("two roles", bare(BASE).realm(Realm::new().access(kiosk("a")).access(terms("b"))), true),
        (
            "one role",
            { bare(BASE).realm(Realm::new().access(kiosk("a")).access(terms("b").role("a"))) },
            false,
        ),
        ("the remedy", good().realm(Realm::named("visitors").access(terms("terms"))), false),
        (
            "terms and an address",
            {
                let room = IpRanges::new(["192.0.2.1"], "A").unwrap();
                let realm = Realm::new().access(terms("terms")).access(AccessService::external());
                bare(BASE).realm(realm.aspect(AccessCookie::new().or(room)))
            },
            false,
        ),
        (
            "a login by an aspect of the application's own, and terms",
            {
                let aspects = AccessCookie::new().or(Named("sid".to_owned()));
                bare(BASE).realm(realm().access(terms("terms")).aspect(aspects))
            },
            true,
        ),
    ] {
        let auth = builder.build().unwrap();
        let replaced = ConfigWarning::SessionsReplaced { realm: String::new() };
        assert_eq!(auth.warnings().contains(&replaced), warned, "{what}: {:?}", auth.warnings());
        assert!(!warned || replaced.to_string().contains("Realm::named"));
    }
}

/// All that is wrong is told at once, each once, and what is lacking hides nothing of the rest.
#[test]
fn all_mistakes_are_told_at_once() {
    let own = str::to_owned;
    let readers = Realm::named("readers")
        .access(login().role("reader").steps(["back"]))
        .access(AccessService::kiosk("token"))
        .logout_label(LanguageMap::new("english text", "x"));
    let twice = Realm::named("readers").access(login().message(LanguageMap::new("no tag", "x")));
    let builder = IiifAuth::builder("ftp://iiif.example")
        .images("/iiif/3/")
        .files("/files")
        .files("/files/b")
        .public_paths(["a", "b"])
        .realm(readers)
        .realm(twice)
        .realm(Realm::named("a b").access(AccessService::external()))
        .limits(Limits::new().max_info_bytes(0).max_form_time(Duration::ZERO));
    let mistakes = builder.build().unwrap_err();
    let expected = [
        ConfigError::PublicUrl { url: own("ftp://iiif.example"), cause: OriginError::Scheme },
        ConfigError::NoKeyring,
        ConfigError::NoAuthorizer,
        ConfigError::Limit("max_info_bytes"),
        ConfigError::Duration("max_form_time"),
        ConfigError::PublicPath(own("a")),
        ConfigError::PublicPath(own("b")),
        ConfigError::Language(own("english text")),
        ConfigError::Step(own("back")),
        ConfigError::RoleUnused(own("reader")),
        ConfigError::Name(own("token")),
        ConfigError::RealmTwice(own("readers")),
        ConfigError::Language(own("no tag")),
        ConfigError::Name(own("a b")),
        ConfigError::NoAspect { realm: own("a b") },
        ConfigError::BasesOverlap { inner: own("/files/b"), outer: own("/files") },
    ];
    assert_eq!(mistakes.iter().collect::<Vec<_>>(), expected.iter().collect::<Vec<_>>());
    assert_eq!(mistakes.first(), &expected[0]);
    assert_eq!(mistakes.len(), expected.len());
    assert!(expected.iter().all(|own| mistakes.contains(own)));
    let text = mistakes.to_string();
    let lines: Vec<_> = expected.iter().map(ToString::to_string).collect();
    assert_eq!(text.lines().collect::<Vec<_>>(), lines);
    assert_eq!(mistakes.into_iter().collect::<Vec<_>>(), expected);
}

/// A mistake is no reason for another: what is only lent in place of what is lacking is not judged.
#[test]
fn one_mistake_makes_no_others() {
    let cookie = || AccessCookie::new().domain("iiif.example");
    let realm = || realm().aspect(cookie());
    let of =
        |builder: IiifAuthBuilder| builder.build().unwrap_err().into_iter().collect::<Vec<_>>();
    let plain = ConfigError::PlainHttp("http://iiif.example".to_owned());
    assert_eq!(of(bare("http://iiif.example").realm(realm())), [plain]);
    // The services would lie at a base, if they lay where they lie by default.
    let path = |path: &str| ConfigError::Path(path.to_owned());
    let builder = bare(BASE).realm(realm()).files("/auth");
    assert_eq!(of(builder.clone().endpoints("/a b")), [path("/a b")]);
    // All services that are moved together are told of once.
    let in_base = |path: &str| ConfigError::PathInBase { path: path.into(), base: "/auth".into() };
    let elsewhere = Realm::named("b").access(login().path("/AUTH/b"));
    assert_eq!(of(builder.clone()), [in_base("/auth/probe")]);
    assert_eq!(of(builder.realm(elsewhere).endpoints("/x")), [in_base("/AUTH/b")]);
    // Without a base nothing is content, and clients of 0.9 need not be in vain.
    let older = ImageApi::new("iiif/2").families([Family::V09]);
    let clients = realm().client("app", "sixteen letters!");
    assert_eq!(of(bare(BASE).resources(older).realm(clients)), [path("iiif/2")]);
}

/// Each says what to change, and where.
#[test]
fn warnings_are_data() {
    let named = |realm: &str| realm.to_owned();
    let room = || IpRanges::new(["192.0.2.1"], "A").unwrap();
    let app = || Realm::new().access(login()).aspect(Named("sid".to_owned()));
    let sid = "sid=0; Path=/; Secure; SameSite=None";
    let hand_off = ThirdPartyCookies::default().hand_off();
    for (builder, expected, advice) in [
        (good(), None, ""),
        (bare("http://localhost").realm(realm()), Some(ConfigWarning::PlainHttp), "development"),
        (
            good().realm(Realm::named("room").access(AccessService::kiosk("enter"))),
            Some(ConfigWarning::CookieWithoutClick { realm: named("room") }),
            "realm \"room\" has a kiosk",
        ),
        (
            good().realm(Realm::named("r").access(AccessService::external()).aspect(room())),
            None,
            "",
        ),
        (
            bare(BASE).realm(app()).third_party_cookies(hand_off),
            Some(ConfigWarning::NothingToHandOff { realm: named("") }),
            "the realm, which has no access cookie",
        ),
        (bare(BASE).realm(app()), None, ""),
        (
            bare(BASE).realm(app().session_cookie(sid)),
            Some(ConfigWarning::CookieOpenToScripts { cookie: named("sid") }),
            "\"sid\" is not HttpOnly",
        ),
        (bare(BASE).realm(app().session_cookie(format!("{sid}; HttpOnly"))), None, ""),
    ] {
        let auth = builder.build().unwrap();
        assert_eq!(auth.warnings(), expected.as_slice());
        let text = expected.map(|own| own.to_string()).unwrap_or_default();
        assert!(text.contains(advice), "{text}");
        assert!(!text.contains("  ") && !text.contains('\n'), "{text}");
    }
}

/// Who builds says what is logged: a configuration is tried as often as one likes.
#[cfg(feature = "tracing")]
#[test]
fn building_logs_nothing() {
    let log = common::logs::record();
    let kiosk = Realm::new().access(AccessService::kiosk("room")).session_cookie("sid=0; Path=/");
    assert_eq!(bare("http://localhost").realm(kiosk).build().unwrap().warnings().len(), 3);
    assert!(IiifAuth::builder("").build().is_err());
    assert_eq!(log.text(), "");
}

/// A clone is a configuration of its own.
#[test]
fn builders_are_cloned() {
    let builder = bare(BASE).revocations(InMemory::new().unwrap());
    let (one, other) = (builder.clone(), builder.clone());
    assert!(one.realm(realm()).build().is_ok());
    assert!(other.realm(Realm::named("x").access(login())).build().is_ok());
    assert_eq!(builder.build().err(), Some(ConfigError::NoRealm.into()));
}

#[test]
fn what_looks_odd_and_is_right() {
    for (name, builder) in vec![
        ("a slash behind the public URL", bare("https://iiif.example/").realm(realm())),
        ("a slash behind a base", good().files("/files/")),
        ("bases that only begin alike", good().files("/iiif/30").files("/iii")),
        ("a base below a login, where content is content", {
            bare(BASE).realm(Realm::new().access(login().path("/iiif")))
        }),
        ("a service below another", { good().realm(Realm::named("login").access(login())) }),
        ("a base beside the probe", good().files("/auth/probes")),
        ("an address as host", bare("https://[2001:db8::1]:8443").realm(realm())),
        ("development", bare("http://localhost:3000").realm(realm())),
        ("languages of every form", {
            let label =
                LanguageMap::new("zh-Hant-TW", "a").with("none", "b").with("x-private", "c");
            bare(BASE).realm(Realm::new().access(AccessService::active("login", label)))
        }),
        ("64 realms", {
            (0..64).fold(bare(BASE), |builder, index| {
                builder.realm(Realm::named(format!("r{index}")).access(login()))
            })
        }),
        ("the same service name in two realms", {
            good().realm(Realm::named("b").access(login()))
        }),
        (
            "a wait of milliseconds",
            good().limits(Limits::new().max_decision_time(Duration::from_millis(50))),
        ),
        ("a cookie for a domain", {
            bare(BASE).realm(realm().aspect(AccessCookie::new().domain("example")))
        }),
        ("an application's own cookie, as viewers on other sites need it", {
            let cookie = "__Host-sid=0; Path=/; Secure; HttpOnly; SameSite=None";
            bare(BASE).realm(realm().aspect(Named("sid".to_owned())).session_cookie(cookie))
        }),
        ("an application's own cookie during development", {
            let cookie = "sid=0; Path=/; HttpOnly; SameSite=Lax";
            bare("http://localhost:3000").realm(realm().session_cookie(cookie))
        }),
        ("the longest names and roles", {
            let most = |bytes: usize| "n".repeat(bytes);
            let room = IpRanges::new(["192.0.2.1"], most(245)).unwrap();
            let aspects = AccessCookie::new().name(most(255)).or(room).or(Named(most(255)));
            let kiosk = AccessService::kiosk("room").role(most(255));
            bare(BASE).realm(realm().access(kiosk).aspect(aspects))
        }),
        ("every family", {
            good().resources(ImageApi::new("/iiif/2").families(Families::from(Family::ALL).open()))
        }),
        ("older families that redirect content", {
            let older = Families::from([Family::V1, Family::V09]).redirecting_content();
            good().resources(ImageApi::new("/iiif/2").families(older))
        }),
        ("paths of older families where none is spoken", {
            bare(BASE).realm(realm().access(AccessService::kiosk("room").path("/auth/login/1")))
        }),
        ("the longest client id and the shortest secret", {
            let realm = realm().client("n".repeat(255), "0123456789abcdef");
            bare(BASE).resources(ImageApi::new("/iiif/2").families(Family::V09)).realm(realm)
        }),
        ("steps anywhere", {
            let login = login().steps(["/consent/*", "/saml", "*/callback"]);
            bare(BASE).realm(Realm::new().access(login))
        }),
        ("public paths of any beginning", good().public_paths(["/", "*.css", "/docs/*"])),
        ("an application's own aspect behind its login", {
            let room = IpRanges::new(["192.0.2.1"], "A").unwrap();
            bare(BASE).realm(realm().aspect(room))
        }),
    ] {
        assert_eq!(builder.build().err(), None, "{name}");
    }
}

#[test]
fn the_layers_know_their_own_cookies() {
    let terms = Realm::named("terms")
        .access(AccessService::kiosk("enter"))
        .aspect(AccessCookie::new().name("__Host-terms"));
    let ways = ThirdPartyCookies::default().hand_off();
    let https = good().realm(terms).third_party_cookies(ways).build().unwrap();
    let http = bare("http://localhost").realm(realm()).build().unwrap();
    for (name, on_https, on_http) in [
        ("__Host-iiif", true, false),
        ("__HOST-IIIF", true, false),
        ("__Host-iiif-p", true, false),
        ("__Host-iiif-flow", true, false),
        ("__Host-terms", true, false),
        ("__Host-terms-p", true, false),
        ("iiif", false, true),
        ("iiif-flow", false, true),
        ("__Host-iiif2", false, false),
        ("__Host-", false, false),
        ("PHPSESSID", false, false),
        ("", false, false),
    ] {
        assert_eq!(https.is_own_cookie(name), on_https, "{name}");
        assert_eq!(http.is_own_cookie(name), on_http, "{name}");
    }
}
