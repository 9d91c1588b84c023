//! What `info.json` and manifests say of the services: V2-GEN and V2-DECL.

mod common;

use std::time::Duration;

use common::shapes::{
    AUTH_2, assert_access_service, assert_language_map, assert_members, assert_probe_service,
};
use common::steps::from_peer;
use common::{
    BASE, Body, COOKIE, Publisher, V, assert_denied, builder, clock, image, json, posted, request,
    text,
};
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use serde_json::{Value, json};
use tower_iiif_auth::aspect::{
    AspectError, AuthorizingAspect, Head, IpRanges, Reading, Session, TrustedHeader,
};
use tower_iiif_auth::authorizer::{Decision, Denial, from_fn};
use tower_iiif_auth::clock::Timestamp;
use tower_iiif_auth::{
    AccessCookie, AccessService, Answer, ConfigError, IiifAuth, IiifAuthBuilder, LanguageMap,
    Message, Realm, Texts,
};

const IMAGE_3: &str = "http://iiif.io/api/image/3/context.json";
const IMAGE_2: &str = "http://iiif.io/api/image/2/context.json";
const PRESENTATION_3: &str = "http://iiif.io/api/presentation/3/context.json";

/// The fixture with other realms.
fn with_realms(realms: impl IntoIterator<Item = Realm>) -> IiifAuthBuilder {
    let builder = IiifAuth::builder(BASE)
        .keyring(common::keyring())
        .clock(clock())
        .images("/iiif/3")
        .files("/files")
        .authorizer(common::rules());
    realms.into_iter().fold(builder, IiifAuthBuilder::realm)
}

/// An image server that answers every `info.json` with this document.
fn serving(document: Value) -> impl Fn(&Request<Body>) -> Response<Body> + Clone {
    move |_| {
        let mut response = Response::new(Full::from(document.to_string()));
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        response
    }
}

#[tokio::test]
async fn an_info_json_declares_the_whole_tree() {
    let publisher = Publisher::new();
    let info = json(&publisher.get("/iiif/3/sec/info.json", &[]).await);
    let denied = Texts::default().denied_login;
    let expected = json!([{
        // V2-GEN-2, V2-GEN-5: absolute https ids, exact types, `id` and `type`.
        "id": "https://iiif.example/auth/probe/iiif/3/sec",
        "type": "AuthProbeService2",
        // V2-DECL-1, V2-GEN-4, V2-PROBE-1, V2-PROBE-2: arrays, probe over access over token.
        "service": [{
            "id": "https://iiif.example/auth/login",
            // V2-ACC-1, V2-ACC-2
            "type": "AuthAccessService2",
            "profile": "active",
            // V2-ACC-5, V2-GEN-3
            "label": {"en": ["Example Library"]},
            "heading": {"en": ["Please log in"]},
            // V2-ACC-4
            "service": [
                // V2-TOK-1
                {"id": "https://iiif.example/auth/token", "type": "AuthAccessTokenService2"},
                // V2-LOGOUT-1, V2-LOGOUT-2: its label names the institution, too.
                {
                    "id": "https://iiif.example/auth/logout",
                    "type": "AuthLogoutService2",
                    "label": {
                        "en": ["Log out of Example Library"],
                        "de": ["Abmelden: Example Library"],
                        "fr": ["Se déconnecter : Example Library"],
                    },
                },
            ],
        }],
        // V2-PROBE-3
        "errorHeading": denied.heading(),
        "errorNote": denied.note_text(),
    }]);
    assert_eq!(info["service"], expected, "V2-DECL-3, V2-DECL-6: in info.json, without contexts");
    assert_eq!(info["@context"], json!([AUTH_2, IMAGE_3]));
    assert_eq!(info["width"], 8000, "the rest of the document stays");
}

#[tokio::test]
async fn services_of_every_profile_have_their_shape() {
    let message = || Message::new(LanguageMap::new("en", "Restricted")).note("For readers.");
    let inside = || IpRanges::new(["192.0.2.0/24"], "A").unwrap();
    let all = ["confirmLabel", "heading", "id", "label", "note", "profile", "service", "type"];
    for (realm, profile, members, logout) in [
        // V2-ACC-6: heading, note and confirmLabel are given where they are configured.
        (
            Realm::new().access(
                AccessService::active("login", LanguageMap::new("en", "Library").with("de", "B"))
                    .message(message())
                    .confirm_label("Log in"),
            ),
            "active",
            &all[..],
            true,
        ),
        (
            Realm::new().access(AccessService::active("login", "Library")),
            "active",
            &["id", "label", "profile", "service", "type"],
            true,
        ),
        (
            Realm::new().access(AccessService::click_through("terms", "Library", message())),
            "active",
            &["id", "label", "profile", "service", "type"],
            true,
        ),
        // V2-ACC-6: a kiosk and an external service need no label; some viewers do, so the host is it.
        (
            Realm::new().access(AccessService::kiosk("room")),
            "kiosk",
            &["id", "label", "profile", "service", "type"],
            true,
        ),
        (
            Realm::new().access(AccessService::kiosk("room").label("Library").message(message())),
            "kiosk",
            &["heading", "id", "label", "note", "profile", "service", "type"],
            true,
        ),
        // V2-ACC-3: an external service has no id.
        (
            Realm::new().access(AccessService::external()).aspect(inside()),
            "external",
            &["label", "profile", "service", "type"],
            false,
        ),
        (
            Realm::new().access(AccessService::external().label("Library")).aspect(inside()),
            "external",
            &["label", "profile", "service", "type"],
            false,
        ),
        // V2-LOGOUT-1: offered where there is a cookie to delete, unless it is left out.
        (
            Realm::new().access(AccessService::active("login", "Library")).without_logout(),
            "active",
            &["id", "label", "profile", "service", "type"],
            false,
        ),
    ] {
        // V2-TOK-2, V2-GEN-3: a heading alone, then with a note; never a note alone.
        for error in [None, Some(Message::new("No token")), Some(message())] {
            let realm = error.iter().cloned().fold(realm.clone(), Realm::token_error);
            let publisher = Publisher::of(with_realms([realm]), clock());
            let [probe] = &publisher.services("sec").await[..] else { panic!("one probe") };
            // V2-ACC-1, V2-ACC-2, V2-ACC-4, V2-GEN-2, V2-GEN-3, V2-GEN-4, V2-GEN-5: the shapes.
            assert_probe_service(probe, false);
            let access = &probe["service"][0];
            assert_eq!(access["profile"], profile);
            let own: Vec<_> = access.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(own, members, "{access}");
            assert_eq!(access["service"].as_array().unwrap().len(), 1 + usize::from(logout));
            let token = &access["service"][0];
            let heading = error.as_ref().map(|error| json!(error.heading()));
            let note = error.as_ref().and_then(|error| Some(json!(error.note_text()?)));
            assert_eq!(
                (token.get("errorHeading"), token.get("errorNote")),
                (heading.as_ref(), note.as_ref())
            );
        }
    }
}

#[tokio::test]
async fn probes_show_a_note_only_with_a_heading() {
    for (message, members) in [
        (Message::new("No"), &["errorHeading", "id", "service", "type"][..]),
        (
            Message::new("No").note("Log in."),
            &["errorHeading", "errorNote", "id", "service", "type"],
        ),
    ] {
        let mut texts = Texts::default();
        texts.denied_login = message;
        let clock = clock();
        let publisher = Publisher::of(builder(&clock).texts(texts), clock);
        let [probe] = &publisher.services("sec").await[..] else { panic!("one probe") };
        // V2-PROBE-3
        let own: Vec<_> = probe.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(own, members);
        assert_probe_service(probe, false);
    }
}

#[tokio::test]
async fn descriptions_are_readable_by_anyone() {
    let decisions: [fn() -> Decision; 4] = [
        || Denial::login().into(),
        || Denial::never().into(),
        || Denial::later().into(),
        || Decision::Redirect("https://iiif.example/elsewhere".parse().unwrap()),
    ];
    for decide in decisions {
        let clock = clock();
        let authorizer = from_fn(move |_| decide());
        let publisher = Publisher::of(builder(&clock).authorizer(authorizer), clock);
        let plain = publisher.get("/iiif/3/sec/info.json", &[]).await;
        for headers in [
            &[][..],
            &[("cookie", "__Host-iiif=junk")],
            &[("authorization", "Bearer junk")],
            &[("authorization", "Basic YTpi"), ("origin", V)],
        ] {
            // V2-GEN-6, CON-1, CON-12: 200 for everyone, the same document, never sent elsewhere.
            let info = publisher.get("/iiif/3/sec/info.json", headers).await;
            assert_eq!(info.status(), StatusCode::OK);
            assert_eq!(info.body(), plain.body());
            assert_probe_service(&json(&info)["service"][0], false);
            // V2-GEN-7: readable from any page, without credentials.
            assert_eq!(info.headers()["access-control-allow-origin"], "*");
            assert!(!info.headers().contains_key("access-control-allow-credentials"));
        }
        let preflight =
            publisher.send(request(Method::OPTIONS, "/iiif/3/sec/info.json", &[])).await;
        assert_eq!(preflight.headers()["access-control-allow-origin"], "*");
    }
}

#[tokio::test]
async fn images_are_readable_from_any_page() {
    let publisher = Publisher::new();
    let cookie = format!("{COOKIE}={}", publisher.log_in(&["A"], Some(V)).await);
    for (headers, status) in [(&[("cookie", cookie.as_str())][..], 200), (&[], 401)] {
        let tile = publisher.get(&image("sec"), headers).await;
        // V2-GEN-7
        assert_eq!(tile.status().as_u16(), status);
        assert_eq!(tile.headers()["access-control-allow-origin"], "*");
        assert!(!tile.headers().contains_key("access-control-allow-credentials"));
    }
}

#[tokio::test]
async fn open_resources_declare_nothing() {
    let publisher = Publisher::new();
    for identifier in ["pub", "sec", "sec2", "dir%2Fsec"] {
        let info = publisher.get(&format!("/iiif/3/{identifier}/info.json"), &[]).await;
        let controlled = publisher.get(&image(identifier), &[]).await.status() != StatusCode::OK;
        // V2-DECL-2, V2-DECL-3: a probe exactly where the image itself is refused.
        assert_eq!(json(&info).get("service").is_some(), controlled, "{identifier}");
        assert_eq!(json(&info)["@context"].is_array(), controlled, "{identifier}");
    }
}

#[tokio::test]
async fn contexts_stand_in_order() {
    const GEO: &str = "http://geojson.org/geojson-ld/geojson-context.jsonld";
    for (before, after) in [
        (json!(IMAGE_3), json!([AUTH_2, IMAGE_3])),
        (json!([IMAGE_3]), json!([AUTH_2, IMAGE_3])),
        (json!([GEO, IMAGE_3]), json!([GEO, AUTH_2, IMAGE_3])),
        (json!([AUTH_2, GEO, IMAGE_3]), json!([AUTH_2, GEO, IMAGE_3])),
    ] {
        let mut document = json!({"@context": before, "id": "i", "type": "ImageService3"});
        // V2-DECL-5, CON-17: before the host's own, which stays last; a second time adds nothing.
        for _ in 0..2 {
            let clock = clock();
            let publisher = Publisher::before(builder(&clock), clock, serving(document));
            document = json(&publisher.get("/iiif/3/sec/info.json", &[]).await);
            assert_eq!(document["@context"], after);
            assert_eq!(document["service"].as_array().unwrap().len(), 1);
            // V2-DECL-6
            assert_probe_service(&document["service"][0], false);
        }
    }
}

#[tokio::test]
async fn version_2_hosts_keep_their_context() {
    let mut document = json!({
        "@context": IMAGE_2,
        "@id": "https://iiif.example/iiif/3/sec",
        "protocol": "http://iiif.io/api/image",
        "profile": ["http://iiif.io/api/image/2/level2.json"],
    });
    for _ in 0..2 {
        let clock = clock();
        let publisher = Publisher::before(builder(&clock), clock, serving(document));
        document = json(&publisher.get("/iiif/3/sec/info.json", &[]).await);
        // V2-DECL-7, CON-17: the context stands on the outermost service, and nowhere below it.
        assert_eq!(document["@context"], IMAGE_2);
        let [probe] = &document["service"].as_array().unwrap()[..] else { panic!("{document}") };
        assert_probe_service(probe, true);
    }
}

#[tokio::test]
async fn other_services_stay() {
    let geo = json!({"id": "https://geo.example/1", "type": "Geo", "profile": "x"});
    let other = json!({"@id": "https://other.example/1", "profile": "y"});
    for (before, kept) in [
        (None, vec![]),
        (Some(json!([])), vec![]),
        (Some(geo.clone()), vec![geo.clone()]),
        (Some(json!([geo, other])), vec![geo.clone(), other.clone()]),
    ] {
        let mut document = json!({"@context": IMAGE_3, "id": "i", "type": "ImageService3"});
        if let Some(before) = before {
            document["service"] = before;
        }
        let clock = clock();
        let publisher = Publisher::before(builder(&clock), clock, serving(document));
        let services = publisher.services("sec").await;
        // V2-DECL-8, V2-GEN-4, CON-18: an object or an array is read, an array is written.
        assert_eq!(services[..services.len() - 1], kept);
        assert_probe_service(services.last().unwrap(), false);
    }
}

/// A manifest with a video, its sound track, an open file, a foreign file and an image.
fn manifest() -> Value {
    json!({
        "@context": PRESENTATION_3,
        "id": "https://iiif.example/manifests/1",
        "type": "Manifest",
        "label": {"en": ["One"]},
        "items": [{
            "id": "https://iiif.example/manifests/1/canvas",
            "type": "Canvas",
            "items": [{
                "id": "https://iiif.example/manifests/1/page",
                "type": "AnnotationPage",
                "items": [
                    {"type": "Annotation", "body": {
                        "id": "https://iiif.example/files/sec/reel.mp4", "type": "Video",
                        "service": {"id": "https://geo.example/1", "type": "Geo"},
                    }},
                    {"type": "Annotation", "body": {
                        "id": "https://iiif.example/files/sec/track.mp3", "type": "Sound",
                    }},
                    {"type": "Annotation", "body": {
                        "id": "https://iiif.example/files/pub", "type": "Dataset",
                    }},
                    {"type": "Annotation", "body": {
                        "id": "https://elsewhere.example/files/sec/reel.mp4", "type": "Video",
                    }},
                    {"type": "Annotation", "body": {
                        "id": "https://iiif.example/iiif/3/sec/full/max/0/default.jpg",
                        "type": "Image",
                        "service": [
                            {"id": "https://iiif.example/iiif/3/sec", "type": "ImageService3"},
                        ],
                    }},
                ],
            }],
        }],
    })
}

fn bodies(manifest: &Value) -> Vec<&Value> {
    let page = &manifest["items"][0]["items"][0]["items"];
    page.as_array().unwrap().iter().map(|annotation| &annotation["body"]).collect()
}

fn media(realm: Realm) -> IiifAuthBuilder {
    with_realms([realm]).authorize_with(|request| request.identifier() == "pub")
}

#[tokio::test]
async fn a_manifest_declares_its_files() {
    let realm = Realm::new().access(AccessService::active("login", "Example Library"));
    let auth = media(realm).build().unwrap();
    let mut described = manifest();
    let _ = auth.describe_manifest(&mut described).await.unwrap();
    // V2-DECL-5
    assert_eq!(described["@context"], json!([AUTH_2, PRESENTATION_3]));
    let [video, sound, open, foreign, picture] = &bodies(&described)[..] else { panic!() };
    // V2-DECL-4, V2-DECL-8: the file's other service stays, as a member of an array.
    assert_eq!(video["service"][0], json!({"id": "https://geo.example/1", "type": "Geo"}));
    let probe = &video["service"][1];
    // V2-DECL-1, V2-DECL-2, V2-DECL-9, SEC-11: complete.
    assert_eq!(probe["id"], "https://iiif.example/auth/probe/files/sec/reel.mp4");
    assert_probe_service(probe, false);
    // V2-DECL-9, SEC-11: and so at each place; V2-GEN-4: in arrays.
    let again = &sound["service"][0];
    assert_eq!(again["id"], "https://iiif.example/auth/probe/files/sec/track.mp3");
    assert_probe_service(again, false);
    assert_eq!(again["service"], probe["service"]);
    // V2-DECL-2: what is open or not ours declares nothing.
    assert_eq!(open.get("service"), None);
    assert_eq!(foreign.get("service"), None);
    // V2-DECL-3: an image's probe is in its info.json, which counts; its image service stays as it is.
    assert_eq!(picture["service"][0], bodies(&manifest())[4]["service"][0]);
    assert_probe_service(&picture["service"][1], false);

    let once = described.clone();
    let _ = auth.describe_manifest(&mut described).await.unwrap();
    assert_eq!(described, once, "twice adds nothing");
}

/// Where a resource stands below another one, whatever member it stands in.
#[tokio::test]
async fn every_appearance_in_a_manifest_is_complete() {
    let realm = Realm::new().access(AccessService::active("login", "Example Library"));
    let auth = media(realm).build().unwrap();
    for member in ["annotations", "items", "rendering", "seeAlso"] {
        let mut described = json!({
            "@context": [PRESENTATION_3],
            "id": "https://iiif.example/files/sec/manifest.json",
            "type": "Manifest",
            member: [{"id": "https://iiif.example/files/sec/below", "type": "Dataset"}],
        });
        let _ = auth.describe_manifest(&mut described).await.unwrap();
        // V2-DECL-9
        for place in [&described, &described[member][0]] {
            assert_probe_service(&place["service"][0], false);
        }
    }
}

#[tokio::test]
async fn an_external_service_is_always_complete() {
    let realm = Realm::new()
        .access(AccessService::external().label("Reading room"))
        .aspect(IpRanges::new(["192.0.2.0/24"], "A").unwrap());
    let auth = media(realm).build().unwrap();
    let mut described = manifest();
    let _ = auth.describe_manifest(&mut described).await.unwrap();
    for (body, index) in [(0, 1), (1, 0)] {
        // V2-DECL-9: it has no id that a reference could name.
        let access = &bodies(&described)[body]["service"][index]["service"][0];
        assert_access_service(access);
        assert_eq!(access["profile"], "external");
    }
}

#[tokio::test]
async fn manifests_of_open_files_stay_as_they_are() {
    let realm = Realm::new().access(AccessService::active("login", "Example Library"));
    let auth = with_realms([realm]).authorize_with(|_| true).build().unwrap();
    let mut described = manifest();
    let _ = auth.describe_manifest(&mut described).await.unwrap();
    // V2-DECL-2
    assert_eq!(described, manifest());
    assert_eq!(auth.probe_service("/files/sec/reel.mp4").await, None);
}

#[tokio::test]
async fn several_services_for_one_and_one_for_several() {
    let publisher = Publisher::of(
        with_realms([
            Realm::new()
                .access(AccessService::active("login", "Library"))
                .access(AccessService::kiosk("room")),
            Realm::named("terms").access(AccessService::click_through("agree", "Archive", "Terms")),
        ]),
        clock(),
    );
    let (one, other) = (publisher.services("sec").await, publisher.services("dir%2Fsec").await);
    // V2-DECL-10: several for one probe, the same ones below another probe.
    assert_probe_service(&one[0], false);
    assert_ne!(one[0]["id"], other[0]["id"]);
    assert_eq!(one[0]["service"], other[0]["service"]);
    let below = |index: usize| {
        let access = &one[0]["service"][index];
        (access["id"].clone(), access["service"][0]["id"].clone())
    };
    let id = |path: &str| json!(format!("{BASE}{path}"));
    assert_eq!(below(0), (id("/auth/login"), id("/auth/token")));
    assert_eq!(below(1), (id("/auth/room"), id("/auth/token")));
    assert_eq!(below(2), (id("/auth/terms/agree"), id("/auth/terms/token")));
    assert_eq!(one[0]["service"].as_array().unwrap().len(), 3);

    // V2-DECL-10: a service of its own for some resources.
    let publisher = Publisher::new();
    let [probe] = &publisher.services("sec2").await[..] else { panic!("one probe") };
    let ids: Vec<_> = probe["service"].as_array().unwrap().iter().map(|own| &own["id"]).collect();
    assert_eq!(ids, [&id("/auth/other/login")]);
}

#[test]
fn plain_http_has_to_be_said_aloud() {
    let build = |url: &str, insecure: bool| {
        let builder = IiifAuth::builder(url)
            .keyring(common::keyring())
            .files("/files")
            .realm(Realm::new().access(AccessService::active("login", "Library")))
            .authorize_with(|_| false);
        if insecure { builder.insecure_http().build() } else { builder.build() }
    };
    // V2-GEN-1, CON-22: only https, unless it is this machine or the switch is set.
    for url in ["http://iiif.example", "http://10.0.0.1", "HTTP://iiif.example:443"] {
        let plain = ConfigError::PlainHttp(url.to_owned());
        assert_eq!(build(url, false).err(), Some(plain.into()), "{url}");
        assert!(build(url, true).is_ok(), "{url}");
    }
    for url in ["https://iiif.example", "http://localhost:3000", "http://127.0.0.1:3000"] {
        assert!(build(url, false).is_ok(), "{url}");
    }
}

#[tokio::test]
async fn ids_can_be_extended_by_concatenation() {
    for base in ["https://iiif.example", "https://iiif.example/", "https://iiif.example:8443/a/b/"]
    {
        let auth = IiifAuth::builder(base)
            .keyring(common::keyring())
            .files("/files")
            .realm(Realm::new().access(AccessService::active("login", "Library")))
            .authorize_with(|_| false)
            .build()
            .unwrap();
        let probe = auth.probe_service("/files/a%20b/%C3%A9.mp4").await.unwrap();
        // CLI-1, V2-GEN-2: no query, no fragment, parsed back to itself.
        assert_probe_service(&probe, false);
        for id in [
            &probe["id"],
            &probe["service"][0]["id"],
            &probe["service"][0]["service"][0]["id"],
            &probe["service"][0]["service"][1]["id"],
        ] {
            let id = id.as_str().unwrap();
            let extended = url::Url::parse(&format!("{id}?origin={V}")).unwrap();
            assert_eq!(extended.query(), Some(&*format!("origin={V}")), "{id}");
            let trimmed = base.trim_end_matches('/');
            assert!(id.starts_with(&format!("{trimmed}/auth/")), "{id}");
        }
    }
    // CLI-1: a public URL that would bring a query along is refused.
    for bad in ["https://iiif.example/?a=b", "https://iiif.example/a?b", "https://iiif.example/#a"]
    {
        let built = IiifAuth::builder(bad)
            .keyring(common::keyring())
            .files("/files")
            .realm(Realm::new().access(AccessService::active("login", "Library")))
            .authorize_with(|_| false)
            .build();
        assert!(built.is_err(), "{bad}");
    }
}

/// An aspect of a test's own: a badge that names its role.
struct Badge;

impl AuthorizingAspect for Badge {
    fn name(&self) -> &'static str {
        "badge"
    }

    fn read(&self, head: &Head<'_>, now: Timestamp) -> Reading {
        Answer::Now(match head.headers().get("x-badge").map(|badge| badge.to_str().unwrap()) {
            None => Err(AspectError::Missing),
            Some("old") => Err(AspectError::Expired),
            Some(role) => Session::builder("b")
                .role(role)
                .for_any_viewer()
                .lasting(now, Duration::from_secs(60))
                .map_err(|_| AspectError::Invalid),
        })
    }
}

#[tokio::test]
async fn the_aspect_can_be_replaced() {
    let external = |aspect: tower_iiif_auth::aspect::Aspects| {
        let realm = Realm::new().access(AccessService::external()).aspect(aspect);
        Publisher::of(with_realms([realm]), clock())
    };
    let header = TrustedHeader::new("x-user", ["127.0.0.1"])
        .and_then(|header| header.roles_from("x-roles", ','))
        .unwrap();
    let room = IpRanges::new(["192.0.2.0/24"], "A").unwrap();
    for (publisher, peer, fields, content, outcome) in [
        (external(Badge.into()), "127.0.0.1", &[("x-badge", "A")][..], 200, "AuthAccessToken2"),
        (external(Badge.into()), "127.0.0.1", &[("x-badge", "old")], 401, "expiredAspect"),
        (external(Badge.into()), "127.0.0.1", &[], 401, "missingAspect"),
        (external(room.clone().into()), "192.0.2.7", &[], 200, "AuthAccessToken2"),
        // CON-9: an address outside is an aspect that is missing, not one that is wrong.
        (external(room.clone().into()), "198.51.100.7", &[], 401, "missingAspect"),
        (
            external(header.clone().into()),
            "127.0.0.1",
            &[("x-user", "ada"), ("x-roles", "A")],
            200,
            "AuthAccessToken2",
        ),
        (
            external(header.clone().into()),
            "198.51.100.7",
            &[("x-user", "ada"), ("x-roles", "A")],
            401,
            "invalidAspect",
        ),
        (external(Badge.or(room)), "192.0.2.7", &[("x-badge", "old")], 200, "AuthAccessToken2"),
        (external(AccessCookie::new().into()), "127.0.0.1", &[], 401, "missingAspect"),
    ] {
        // V2-GEN-8: token service and content route read the same aspect.
        let ask = |path: &str| publisher.send(from_peer(request(Method::GET, path, fields), peer));
        let tile = ask(&image("sec")).await;
        if content == 200 {
            assert_eq!(tile.status(), StatusCode::OK, "{fields:?}");
        } else {
            assert_denied(&tile, content);
        }
        let page = ask(&format!("/auth/token?messageId=1&origin={V}")).await;
        let (message, _) = posted(&page).unwrap();
        let found = message.get("profile").unwrap_or(&message["type"]);
        assert_eq!(found, outcome, "{fields:?} from {peer}");
    }
}

#[tokio::test]
async fn texts_are_language_maps_of_plain_text() {
    let publisher = Publisher::new();
    let texts = Texts::default();
    for message in [
        &texts.denied_login,
        &texts.denied_never,
        &texts.denied_absent,
        &texts.denied_later,
        &texts.denied_foreign,
        &texts.missing_aspect,
        &texts.expired_aspect,
        &texts.invalid_origin,
        &texts.unavailable,
        &texts.bad_request,
    ] {
        // V2-GEN-3: what goes into JSON by default.
        assert_language_map(&json!(message.heading()));
        message.note_text().iter().for_each(|note| assert_language_map(&json!(note)));
    }
    // V2-GEN-3: a plain text becomes a map as well.
    assert_eq!(json!(LanguageMap::from("Library")), json!({"none": ["Library"]}));
    let result = publisher.result("/iiif/3/sec", None).await;
    assert_language_map(&result["heading"]);
    assert_members(&result["heading"], &["en", "de", "fr"], &[]);
}

#[tokio::test]
async fn of_a_refused_description_the_status_is_passed_on() {
    for status in [404, 410, 500, 503] {
        let clock = clock();
        let publisher = Publisher::before(builder(&clock), clock, move |_| {
            let mut response = Response::new(Full::from("the image server's own words"));
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            response
        });
        let info = publisher.get("/iiif/3/sec/info.json", &[]).await;
        // SEC-5
        assert_eq!(info.status().as_u16(), status);
        // DS-01
        assert!(!text(&info).contains("the image server's own words"));
    }
}
