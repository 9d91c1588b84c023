//! Documents as other people write them: a table of what real ones do, each made small. Each case tells
//! what is right on JSON pointers.

mod common;

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use http::header::{HeaderName, HeaderValue};
use http::{Response, StatusCode};
use serde_json::{Value, json};
use tower_iiif_auth::aspect::IpRanges;
use tower_iiif_auth::authorizer::RolesFor;
use tower_iiif_auth::resource::{Dialect, ImageApi};
use tower_iiif_auth::{
    AccessCookie, AccessService, IiifAuth, IiifAuthBuilder, LanguageMap, Manifests, Realm,
};

use common::shapes::AUTH_2;
use common::{BASE, Body, Publisher, clock, keyring, logs};

const P2: &str = "http://iiif.io/api/presentation/2/context.json";
const P3: &str = "http://iiif.io/api/presentation/3/context.json";
const P4: &str = "http://iiif.io/api/presentation/4/context.json";
const I2: &str = "http://iiif.io/api/image/2/context.json";
const I3: &str = "http://iiif.io/api/image/3/context.json";
const PATH: &str = "/manifests/m";

/// What is right at a place.
#[derive(Clone, Copy)]
enum Right {
    /// A probe of ours, with access, token and logout service written out.
    Complete(&'static str),
    /// The probe's `profile` and those below it are strings.
    Profiles(&'static str),
    /// There is no probe of ours.
    None(&'static str),
    /// As in the input.
    Same(&'static str),
    /// The whole body, to the byte.
    Untouched,
    Equals(&'static str, &'static str),
    /// Not an array.
    Object(&'static str),
    Count(&'static str, usize),
    /// Our context before this one.
    Before(&'static str),
    Status(u16),
}

use Right::{
    Before, Complete, Count, Equals, None as Without, Object, Profiles, Same, Status, Untouched,
};

struct Case {
    name: &'static str,
    configure: fn(IiifAuthBuilder) -> IiifAuthBuilder,
    manifests: fn(Manifests) -> Manifests,
    path: &'static str,
    fields: &'static [(&'static str, &'static str)],
    input: Vec<u8>,
    right: Vec<Right>,
}

impl Case {
    fn new(name: &'static str, input: &Value, right: impl Into<Vec<Right>>) -> Self {
        Self {
            name,
            configure: library,
            manifests: |own| own,
            path: PATH,
            fields: &[("content-type", "application/json")],
            input: serde_json::to_vec(input).unwrap(),
            right: right.into(),
        }
    }

    fn how(mut self, manifests: fn(Manifests) -> Manifests) -> Self {
        self.manifests = manifests;
        self
    }

    fn with(mut self, configure: fn(IiifAuthBuilder) -> IiifAuthBuilder) -> Self {
        self.configure = configure;
        self
    }

    fn at(mut self, path: &'static str) -> Self {
        self.path = path;
        self
    }

    fn fields(mut self, fields: &'static [(&'static str, &'static str)]) -> Self {
        self.fields = fields;
        self
    }

    fn bytes(mut self, change: impl Fn(&[u8]) -> Vec<u8>) -> Self {
        self.input = change(&self.input);
        self
    }

    async fn check(&self) {
        let builder = IiifAuth::builder(BASE).keyring(keyring()).clock(clock());
        let manifests = (self.manifests)(Manifests::at("/manifests/*"));
        let builder = (self.configure)(builder).manifests(manifests);
        let (body, fields) = (Bytes::from(self.input.clone()), self.fields);
        let publisher = Publisher::before(builder, clock(), move |_| {
            let mut response = Response::new(Body::new(body.clone()));
            for (name, value) in fields {
                let name = HeaderName::from_static(name);
                response.headers_mut().append(name, HeaderValue::from_static(value));
            }
            response
        });
        let response = publisher.get(self.path, &[]).await;
        let name = self.name;
        if self.right.iter().all(|right| !matches!(right, Status(_))) {
            assert_eq!(response.status(), StatusCode::OK, "{name}: {response:?}");
        }
        let output: Value = serde_json::from_slice(response.body()).unwrap_or_default();
        let input: Value = serde_json::from_slice(&self.input).unwrap_or_default();
        for right in &self.right {
            right.check(name, &response, &output, &input, &self.input);
        }
        // Doing it twice adds nothing.
        if response.headers().contains_key("etag") {
            let again = Self { input: response.body().to_vec(), fields: &[], ..self.copy() };
            let twice = Box::pin(again.answer()).await;
            assert!(twice.body() == response.body(), "{name}: twice adds something");
        }
    }

    fn copy(&self) -> Self {
        Self { input: Vec::new(), right: Vec::new(), ..*self }
    }

    async fn answer(&self) -> Response<Bytes> {
        let builder = IiifAuth::builder(BASE).keyring(keyring()).clock(clock());
        let manifests = (self.manifests)(Manifests::at("/manifests/*"));
        let builder = (self.configure)(builder).manifests(manifests);
        let body = Bytes::from(self.input.clone());
        let publisher =
            Publisher::before(builder, clock(), move |_| Response::new(Body::new(body.clone())));
        publisher.get(self.path, &[]).await
    }
}

impl Right {
    fn check(
        self,
        name: &str,
        response: &Response<Bytes>,
        output: &Value,
        input: &Value,
        bytes: &[u8],
    ) {
        let at = |pointer: &str| {
            output.pointer(pointer).unwrap_or_else(|| panic!("{name}: no {pointer} in {output:#}"))
        };
        match self {
            Complete(pointer) => assert_complete(name, probe_of(at(pointer)), at(pointer)),
            Profiles(pointer) => {
                let probe = probe_of(at(pointer)).unwrap_or_else(|| panic!("{name}: {output:#}"));
                let mut services = vec![probe];
                while let Some(service) = services.pop() {
                    assert!(service["profile"].is_string(), "{name}: {service:#}");
                    services.extend(service["service"].as_array().into_iter().flatten());
                }
            }
            Without(pointer) => assert!(probe_of(at(pointer)).is_none(), "{name}: {output:#}"),
            Same(pointer) => assert_eq!(Some(at(pointer)), input.pointer(pointer), "{name}"),
            Untouched => assert!(*response.body() == *bytes, "{name}: {output:#}"),
            Equals(pointer, text) => assert_eq!(at(pointer), text, "{name}: {output:#}"),
            Object(pointer) => assert!(at(pointer).is_object(), "{name}: {output:#}"),
            Count(pointer, count) => {
                assert_eq!(at(pointer).as_array().map(Vec::len), Some(count), "{name}: {output:#}");
            }
            Before(other) => {
                let contexts = at("/@context").as_array().unwrap();
                let place = |own: &str| contexts.iter().position(|context| context == own);
                assert!(place(AUTH_2).unwrap() < place(other).unwrap(), "{name}: {contexts:?}");
            }
            Status(status) => assert_eq!(response.status(), status, "{name}"),
        }
    }
}

fn probe_of(object: &Value) -> Option<&Value> {
    let services = object.get("service")?;
    let services = services.as_array().map_or(std::slice::from_ref(services), Vec::as_slice);
    services.iter().find(|own| own["type"] == "AuthProbeService2")
}

fn assert_complete(name: &str, probe: Option<&Value>, object: &Value) {
    let probe = probe.unwrap_or_else(|| panic!("{name}: no probe in {object:#}"));
    assert!(probe["id"].as_str().unwrap().starts_with(&format!("{BASE}/auth/probe/")), "{name}");
    let access = probe["service"].as_array().unwrap();
    assert!(!access.is_empty());
    for access in access {
        assert_eq!(access["type"], "AuthAccessService2", "{name}");
        assert!(access["profile"].is_string() && access["label"].is_object(), "{name}: {access:#}");
        let below = access["service"].as_array().unwrap_or_else(|| panic!("{name}: {access:#}"));
        assert!(below.iter().any(|own| own["type"] == "AuthAccessTokenService2"), "{name}");
    }
}

fn rules() -> RolesFor {
    RolesFor::new().open("open").roles("*", ["reader"])
}

fn with_login(builder: IiifAuthBuilder) -> IiifAuthBuilder {
    let library = AccessService::active("login", LanguageMap::new("en", "Harbour Library"));
    builder.realm(Realm::new().access(library).aspect(AccessCookie::new())).authorizer(rules())
}

/// Images and files, and manifests that are open.
fn library(builder: IiifAuthBuilder) -> IiifAuthBuilder {
    with_login(builder).images("/iiif").files("/files").public_paths(["/manifests/*"])
}

/// Manifests that are files, of which one is open.
fn manifests_as_files(builder: IiifAuthBuilder) -> IiifAuthBuilder {
    with_login(builder).files("/manifests").authorizer(RolesFor::new().open("m"))
}

fn manifest(context: impl Into<Value>, bodies: &[Value]) -> Value {
    let canvas = |(number, body): (usize, &Value)| {
        let id = |kind| format!("{BASE}/{kind}/{number}");
        json!({"id": id("canvas"), "type": "Canvas", "height": 600, "width": 400, "items": [
            {"id": id("page"), "type": "AnnotationPage", "items": [{"id": id("annotation"),
                "type": "Annotation", "motivation": "painting", "body": body, "target": id("canvas")}]}]})
    };
    let canvases: Vec<_> = bodies.iter().enumerate().map(canvas).collect();
    json!({"@context": context.into(), "id": format!("{BASE}{PATH}"), "type": "Manifest",
        "label": {"en": ["Log of the harbour"]}, "items": canvases})
}

fn of_kind(kind: &str, name: &str) -> Value {
    json!({"id": format!("{BASE}/files/{name}"), "type": kind})
}

fn film(name: &str) -> Value {
    of_kind("Video", name)
}

fn three(bodies: &[Value]) -> Value {
    manifest(P3, bodies)
}

/// One canvas, whose body's probe is at [`BODY`].
const BODY: &str = "/items/0/items/0/items/0/body";
const SECOND: &str = "/items/1/items/0/items/0/body";

fn two(resource: &Value) -> Value {
    json!({"@context": P2, "@id": format!("{BASE}{PATH}"), "@type": "sc:Manifest", "label": "Log",
        "sequences": [{"@type": "sc:Sequence", "canvases": [{"@id": format!("{BASE}/canvas/1"),
            "@type": "sc:Canvas", "height": 600, "width": 400, "images": [{"@type": "oa:Annotation",
                "motivation": "sc:painting", "resource": resource}]}]}]})
}

const RESOURCE: &str = "/sequences/0/canvases/0/images/0/resource";

fn leaf_of_two() -> Value {
    json!({"@id": format!("{BASE}/files/leaf.jpg"), "@type": "dctypes:Image"})
}

fn image_of_two(slash: &str) -> Value {
    json!({"@id": format!("{BASE}/iiif/x/full/full/0/default.jpg"), "@type": "dctypes:Image",
        "service": {"@context": I2, "@id": format!("{BASE}/iiif/x{slash}"),
            "profile": "http://iiif.io/api/image/2/level1.json"}})
}

fn image_of_three(service: &str) -> Value {
    json!({"id": format!("{BASE}/iiif/x/full/max/0/default.jpg"), "type": "Image",
        "service": [{"id": format!("{BASE}{service}"), "type": "ImageService3", "profile": "level1"}]})
}

fn info(id: &str) -> Value {
    json!({"@context": I3, "id": id, "type": "ImageService3", "profile": "level1",
        "protocol": "http://iiif.io/api/image", "width": 8000, "height": 6000})
}

async fn check(cases: impl IntoIterator<Item = Case>) {
    for case in cases {
        case.check().await;
    }
}

/// V2-DECL-9: services are complete wherever they stand.
#[tokio::test]
async fn services_stand_in_full() {
    let choice =
        json!({"type": "Choice", "items": [film("a.mp4"), film("a.webm"), film("a.m3u8")]});
    let scene = |name| {
        json!({"id": format!("{BASE}/scene/{name}"), "type": "Scene", "items": [{"type": "AnnotationPage",
            "items": [{"type": "Annotation", "motivation": ["painting"], "body": of_kind("Model", name)}]}]})
    };
    let models = json!({"@context": P4, "id": format!("{BASE}{PATH}"), "type": "Manifest",
        "items": [scene("a.glb"), scene("b.glb")]});
    check([
        Case::new(
            "two films",
            &three(&[film("a.mp4"), film("b.mp4")]),
            [Complete(BODY), Complete(SECOND), Profiles(BODY), Profiles(SECOND)],
        ),
        Case::new(
            "one film twice",
            &three(&[film("a"), film("a")]),
            [Complete(BODY), Complete(SECOND)],
        ),
        Case::new(
            "a choice of three",
            &three(&[choice]),
            [
                Complete("/items/0/items/0/items/0/body/items/0"),
                Complete("/items/0/items/0/items/0/body/items/1"),
                Complete("/items/0/items/0/items/0/body/items/2"),
                Without(BODY),
            ],
        ),
        Case::new("two models", &models, [Complete(BODY), Complete(SECOND), Before(P4)]),
        Case::new(
            "a rendering and what is linked",
            &json!({"@context": P3, "id": format!("{BASE}{PATH}"), "type": "Manifest", "items": [],
                "rendering": [of_kind("Text", "a.pdf")], "seeAlso": [of_kind("Dataset", "a.xml")]}),
            [Complete("/rendering/0"), Complete("/seeAlso/0")],
        ),
    ])
    .await;
    // In a value, as an application has it.
    let builder = IiifAuth::builder(BASE).keyring(keyring()).clock(clock());
    let auth = library(builder).build().unwrap();
    let mut value = three(&[film("a.mp4"), film("b.mp4")]);
    assert_eq!(auth.describe_manifest(&mut value).await.unwrap().places(), 2);
    for pointer in [BODY, SECOND] {
        let object = value.pointer(pointer).unwrap();
        assert_complete("a value", probe_of(object), object);
    }
}

/// V2-DECL-9: by reference only where that was asked for, and then in full in `services`.
#[tokio::test]
async fn references_lead_to_the_top() {
    let films = three(&[film("a.mp4"), film("b.mp4")]);
    let mut with_services = films.clone();
    with_services["services"] = json!([{"id": "https://geo.example/1", "type": "Geo"}]);
    for (input, index) in [(&films, 0), (&with_services, 1)] {
        let case = Case::new("references", input, []).how(Manifests::by_reference);
        let output: Value = serde_json::from_slice(case.answer().await.body()).unwrap();
        let at_top = &output["services"][index];
        assert_eq!(at_top["id"], format!("{BASE}/auth/login"));
        assert_eq!(at_top["type"], "AuthAccessService2");
        assert_eq!(at_top["service"][0]["type"], "AuthAccessTokenService2");
        assert_eq!(output["services"].as_array().unwrap().len(), index + 1);
        for (pointer, name) in [(BODY, "a.mp4"), (SECOND, "b.mp4")] {
            let probe = probe_of(output.pointer(pointer).unwrap()).unwrap();
            assert_eq!(probe["id"], format!("{BASE}/auth/probe/files/{name}"));
            assert!(probe["errorHeading"].is_object(), "the probe itself is no reference");
            let reference =
                json!({"id": at_top["id"], "type": at_top["type"], "profile": "active"});
            assert_eq!(probe["service"], json!([reference]));
        }
        let text = output.to_string();
        let case = Case::new("references", &output, [Untouched]).how(Manifests::by_reference);
        assert_eq!(serde_json::from_slice::<Value>(case.answer().await.body()).unwrap(), output);
        // And back.
        let in_full = Case::new(
            "in full again",
            &serde_json::from_str(&text).unwrap(),
            [Complete(BODY), Complete(SECOND)],
        );
        in_full.check().await;
    }
    // Presentation 2 knows none.
    check([Case::new("references in 2", &two(&leaf_of_two()), [Complete(RESOURCE)])
        .how(Manifests::by_reference)])
    .await;
}

/// V2-GEN-5: every service in a manifest has a profile, as manifesto.js asks each of them for one.
#[tokio::test]
async fn services_have_profiles() {
    let leaf = json!({"id": format!("{BASE}/files/leaf.jpg"), "type": "Image"});
    check([
        Case::new("2", &two(&leaf_of_two()), [Complete(RESOURCE), Profiles(RESOURCE)]),
        Case::new("3", &three(std::slice::from_ref(&leaf)), [Profiles(BODY)]),
        Case::new("4", &manifest(P4, &[leaf]), [Profiles(BODY)]),
    ])
    .await;
    // An info.json of 2.0 alone is as 2.0 has it.
    let case = Case::new("info", &info(&format!("{BASE}/iiif/x")), [Complete("")]);
    let case = case.at("/iiif/x/info.json");
    let output: Value = serde_json::from_slice(case.answer().await.body()).unwrap();
    assert!(output["service"][0].get("profile").is_none(), "{output:#}");
    assert!(output["service"][0]["service"][0]["service"][0].get("profile").is_none());
    case.check().await;
}

/// Thumbnails and logos stay, whatever they are: no viewer offers a login for one.
#[tokio::test]
async fn previews_are_left_alone() {
    let mut with_thumbnail = three(&[film("a.mp4")]);
    with_thumbnail["items"][0]["thumbnail"] = json!([of_kind("Image", "thumbnail.jpg")]);
    with_thumbnail["thumbnail"] = json!([image_of_three("/iiif/x")]);
    with_thumbnail["provider"] = json!([{"id": "https://harbour.example/", "type": "Agent",
        "logo": [of_kind("Image", "logo.png")]}]);
    let mut of_two = two(&leaf_of_two());
    of_two["thumbnail"] =
        json!({"@id": format!("{BASE}/files/thumbnail.jpg"), "@type": "dctypes:Image"});
    of_two["logo"] = json!({"@id": format!("{BASE}/files/logo.jpg")});
    let left_alone =
        [Complete(BODY), Same("/items/0/thumbnail"), Same("/thumbnail"), Same("/provider")];
    check([
        Case::new("3", &with_thumbnail, left_alone),
        Case::new("3, with images", &with_thumbnail, left_alone).how(Manifests::images),
        Case::new("2", &of_two, [Complete(RESOURCE), Same("/thumbnail"), Same("/logo")]),
        Case::new("only previews", &three(&[]), [Untouched]),
    ])
    .await;
}

/// DS-04: viewers look at no type, and nor do we where a path was named.
#[tokio::test]
async fn content_types_do_not_matter() {
    for fields in [
        &[("content-type", "application/octet-stream")][..],
        &[("content-type", "binary/octet-stream")],
        &[("content-type", "text/plain; charset=windows-1252")],
        &[("content-type", "text/html")],
        &[("content-type", "")],
        &[("content-type", "application/json"), ("content-type", "text/plain")],
        &[],
    ] {
        check([Case::new("types", &three(&[film("a.mp4")]), [Complete(BODY)]).fields(fields)])
            .await;
    }
}

fn compressed(coding: &str) -> impl Fn(&[u8]) -> Vec<u8> + use<'_> {
    move |bytes| match coding {
        "gzip" => {
            let mut own = flate2::write::GzEncoder::new(Vec::new(), Compression::fast());
            own.write_all(bytes).unwrap();
            own.finish().unwrap()
        }
        "zlib" => {
            let mut own = flate2::write::ZlibEncoder::new(Vec::new(), Compression::fast());
            own.write_all(bytes).unwrap();
            own.finish().unwrap()
        }
        "deflate" => {
            let mut own = flate2::write::DeflateEncoder::new(Vec::new(), Compression::fast());
            own.write_all(bytes).unwrap();
            own.finish().unwrap()
        }
        other => panic!("{other}"),
    }
}

/// DS-03, IN-02: what browsers forgive is forgiven; what came compressed is unpacked.
#[tokio::test]
async fn bytes_are_read_as_browsers_read_them() {
    let films = || Case::new("bytes", &three(&[film("a.mp4")]), [Complete(BODY)]);
    let marked = |bytes: &[u8]| [b"\xef\xbb\xbf", bytes].concat();
    let one_byte = |bytes: &[u8]| {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let (before, behind) = text.split_once("Log of").unwrap();
        [before.as_bytes(), b"Log\x92 of", behind.as_bytes()].concat()
    };
    check([
        films().bytes(marked),
        films().bytes(one_byte),
        films().bytes(|bytes| marked(&one_byte(bytes))),
        films().bytes(compressed("gzip")).fields(&[("content-encoding", "gzip")]),
        films().bytes(compressed("gzip")).fields(&[("content-encoding", "X-Gzip")]),
        films().bytes(compressed("zlib")).fields(&[("content-encoding", "deflate")]),
        films().bytes(compressed("deflate")).fields(&[("content-encoding", "deflate")]),
        films()
            .bytes(|bytes| compressed("gzip")(&marked(bytes)))
            .fields(&[("content-encoding", "identity"), ("content-encoding", "gzip")]),
        films()
            .bytes(|bytes| compressed("gzip")(&compressed("zlib")(bytes)))
            .fields(&[("content-encoding", "deflate, gzip")]),
        // A word that browsers do not know makes them pass over it.
        films().fields(&[("content-encoding", "aws-chunked")]),
        films().fields(&[("content-encoding", "utf-8")]),
        Case::new("info.json", &info(&format!("{BASE}/iiif/x")), [Complete("")])
            .at("/iiif/x/info.json")
            .bytes(compressed("gzip"))
            .fields(&[("content-encoding", "gzip")]),
        Case::new("nothing to put in", &three(&[]), [Untouched])
            .bytes(compressed("gzip"))
            .fields(&[("content-encoding", "gzip")]),
        // What no browser reads.
        films().fields(&[("content-encoding", "gzip")]).right([Status(502)]),
        films()
            .bytes(compressed("gzip"))
            .fields(&[("content-encoding", "gzip")])
            .how(|own| own.max_bytes(300))
            .right([Status(502)]),
    ])
    .await;
}

impl Case {
    fn right(mut self, right: impl Into<Vec<Right>>) -> Self {
        self.right = right.into();
        self
    }
}

/// Brotli and Zstandard, written by their own tools once.
#[tokio::test]
async fn other_codings_are_unpacked() {
    let plain = format!(
        r#"{{"@context":"{P3}","type":"Manifest","items":[{{"id":"{BASE}/files/a","type":"Video"}}]}}"#
    );
    let value: Value = serde_json::from_str(&plain).unwrap();
    let right = [Complete("/items/0")];
    check([
        Case::new("br", &value, right)
            .bytes(|_| stored_brotli(plain.as_bytes()))
            .fields(&[("content-encoding", "br")]),
        Case::new("zstd", &value, right)
            .bytes(|_| stored_zstd(plain.as_bytes()))
            .fields(&[("content-encoding", "zstd")]),
    ])
    .await;
}

/// One meta-block that is not compressed, and an empty last one (RFC 7932 §9.2).
fn stored_brotli(plain: &[u8]) -> Vec<u8> {
    let length = u32::try_from(plain.len() - 1).unwrap();
    // WBITS 16: 0; ISLAST 0; MNIBBLES 4: 00; MLEN - 1: 16 bits; ISUNCOMPRESSED 1.
    let bits = (length << 4) | (1 << 20);
    let mut packed = bits.to_le_bytes()[..3].to_vec();
    packed.extend_from_slice(plain);
    packed.push(0b11);
    packed
}

/// One raw block (RFC 8878 §3.1.1).
fn stored_zstd(plain: &[u8]) -> Vec<u8> {
    let length = u32::try_from(plain.len()).unwrap();
    let mut packed = vec![0x28, 0xb5, 0x2f, 0xfd, 0b1010_0000];
    packed.extend_from_slice(&length.to_le_bytes());
    packed.extend_from_slice(&((length << 3) | 1).to_le_bytes()[..3]);
    packed.extend_from_slice(plain);
    packed
}

fn known(builder: IiifAuthBuilder) -> IiifAuthBuilder {
    let others =
        ["http://iiif.example", "https://cdn.iiif.example/", "http://localhost:8182/inner"];
    library(builder).also_known_as(others)
}

/// DS-04: one publisher however its name is spelled, and by the other names that were told.
#[tokio::test]
async fn ids_are_this_publishers() {
    let at = |id: &str| three(&[json!({"id": id, "type": "Video"})]);
    for id in ["https://iiif.example:443/files/a", "HTTPS://IIIF.Example/files/a"] {
        check([Case::new("spellings", &at(id), [Complete(BODY)])]).await;
    }
    for id in [
        "http://iiif.example/files/a",
        "http://iiif.example:80/files/a",
        "https://cdn.iiif.example/files/a",
        "http://LOCALHOST:8182/inner/files/a#t=1",
    ] {
        let cases = [
            Case::new("not told", &at(id), [Untouched]),
            Case::new(
                "told",
                &at(id),
                [
                    Complete(BODY),
                    Equals(
                        "/items/0/items/0/items/0/body/service/0/id",
                        "https://iiif.example/auth/probe/files/a",
                    ),
                ],
            )
            .with(known),
        ];
        check(cases).await;
    }
    for id in [
        "https://iiif.example:8443/files/a",
        "https://iiif.example.evil.example/files/a",
        "http://localhost:8182/files/a",
        "http://localhost/inner/files/a",
        "ftp://iiif.example/files/a",
    ] {
        check([Case::new("others", &at(id), [Untouched]).with(known)]).await;
    }
}

/// Image services with a slash at the end, raw slashes in identifiers, and a server that is nothing but
/// images. AL-06
#[tokio::test]
async fn image_services_are_found() {
    const SERVICE: &str = "/sequences/0/canvases/0/images/0/resource/service";
    fn arks(builder: IiifAuthBuilder) -> IiifAuthBuilder {
        let dialect = Dialect::general().several_segments();
        with_login(builder).resources(ImageApi::new("/iiif").dialect(dialect))
    }
    fn root(builder: IiifAuthBuilder) -> IiifAuthBuilder {
        with_login(builder).images("/").public_paths(["/manifests/*"])
    }
    let nested = "/items/0/items/0/items/0/body/service/0";
    check([
        Case::new("slash in 2", &two(&image_of_two("/")), [Object(SERVICE), Complete(SERVICE)])
            .how(Manifests::images),
        Case::new("none in 2", &two(&image_of_two("")), [Object(SERVICE), Complete(SERVICE)])
            .how(Manifests::images),
        Case::new(
            "slash in 3",
            &three(&[image_of_three("/iiif/x/")]),
            [
                Complete(nested),
                Equals("/items/0/items/0/items/0/body/service/0/type", "ImageService3"),
            ],
        )
        .how(Manifests::images),
        Case::new(
            "no other slash",
            &three(&[image_of_three("/iiif/x//")]),
            [Same("/items/0/items/0/items/0/body/service/0")],
        )
        .how(Manifests::images),
        Case::new(
            "an ARK",
            &info(&format!("{BASE}/iiif/ark:/12148/b1/f1")),
            [
                Complete(""),
                // Tiles are asked for under it.
                Equals("/id", "https://iiif.example/iiif/ark:/12148/b1/f1"),
                Equals(
                    "/service/0/id",
                    "https://iiif.example/auth/probe/iiif/ark:%2F12148%2Fb1%2Ff1",
                ),
            ],
        )
        .with(arks)
        .at("/iiif/ark:/12148/b1/f1/info.json"),
        Case::new(
            "the root",
            &info(&format!("{BASE}/x")),
            [Complete(""), Equals("/service/0/id", "https://iiif.example/auth/probe/x")],
        )
        .with(root)
        .at("/x/info.json"),
        Case::new(
            "a manifest beside the root",
            &three(&[json!({"id": format!("{BASE}/x/full/max/0/default.jpg"), "type": "Image",
                "service": [{"id": format!("{BASE}/x"), "type": "ImageService3"}]})]),
            [Complete(nested)],
        )
        .with(root)
        .how(Manifests::images),
    ])
    .await;
}

/// Ours stands before the host's own context, wherever that stands (2.0 §2.1). V2-DECL-5
#[tokio::test]
async fn contexts_stand_before_the_hosts_own() {
    let films = |contexts: Value| manifest(contexts, &[film("a.mp4")]);
    let at = |id: &str| json!({"@context": [id, "https://museum.example/x.json"], "id": "x", "width": 1});
    check([
        Case::new(
            "3 first",
            &films(json!([P3, "https://schema.org/"])),
            [Before(P3), Count("/@context", 3)],
        ),
        Case::new("4 first", &films(json!([P4, "https://museum.example/x.json"])), [Before(P4)]),
        Case::new(
            "3 last",
            &films(json!(["https://schema.org/", P3])),
            [Before(P3), Equals("/@context/0", "https://schema.org/")],
        ),
        Case::new("3 alone", &films(json!(P3)), [Before(P3)]),
        Case::new("ours behind", &films(json!([P3, AUTH_2])), [Before(P3)]),
        Case::new("ours before", &films(json!([AUTH_2, P3])), [Count("/@context", 2)]),
        Case::new("an image first", &at(I3), [Before(I3)]).at("/iiif/x/info.json"),
    ])
    .await;
}

/// Content is told by a positive list of types: how documents are built gets nothing, wherever it lies.
#[tokio::test]
async fn structure_is_no_content() {
    let below =
        |what: &str, kind: &str| json!({"id": format!("{BASE}{PATH}/{what}"), "type": kind});
    let mut scene = below("scene", "Scene");
    scene["items"] = json!([{"id": format!("{BASE}{PATH}/page"), "type": "AnnotationPage", "items": [
        {"type": "Annotation", "body": below("camera", "PerspectiveCamera"),
            "target": below("target", "SpecificResource")},
        {"type": "Annotation", "body": below("light", "SpotLight"), "target": below("scene", "Scene")},
        {"type": "Annotation", "body": below("note", "TextualBody"), "selector": below("s", "PointSelector")},
        {"type": "Annotation", "body": below("place", "Feature"), "creator": below("who", "Agent")},
        {"type": "Annotation", "body": below("choice", "Choice"), "target": below("time", "Timeline")},
    ]}]);
    let structure = json!({"@context": P4, "id": format!("{BASE}{PATH}"), "type": "Manifest",
        "items": [scene, below("range", "Range"), below("canvas", "Canvas")],
        "partOf": [below("all", "Collection")], "annotations": [below("more", "AnnotationCollection")]});
    let level_0 = json!({"@id": format!("{BASE}/files/tiles/x/full/full/0/default.jpg"),
        "@type": "dctypes:Image", "service": {"@context": I2, "@id": format!("{BASE}/files/tiles/x"),
            "profile": "http://iiif.io/api/image/2/level0.json"}});
    let of_three = json!({"id": format!("{BASE}/files/tiles/x/full/max/0/default.jpg"), "type": "Image",
        "service": [{"id": format!("{BASE}/files/tiles/x"), "type": "ImageService3", "profile": "level0"}]});
    check([
        Case::new("structure", &structure, [Untouched]).with(manifests_as_files),
        Case::new("tiles in files", &two(&level_0), [Untouched]),
        Case::new(
            "tiles in files, in 3",
            &three(&[of_three]),
            [
                Same("/items/0/items/0/items/0/body/service/0"),
                Complete(BODY),
                Equals("/items/0/items/0/items/0/body/service/0/type", "ImageService3"),
            ],
        ),
    ])
    .await;
    for kind in ["Image", "Video", "Sound", "Audio", "Text", "Dataset", "Model"] {
        check([Case::new("content", &three(&[of_kind(kind, "a")]), [Complete(BODY)])]).await;
    }
    for kind in ["dctypes:Sound", "dctypes:MovingImage", "dctypes:Text", "dctypes:Dataset"] {
        let resource = json!({"@id": format!("{BASE}/files/a"), "@type": kind});
        check([Case::new("content", &two(&resource), [Complete(RESOURCE)])]).await;
    }
    let untyped = json!({"id": format!("{BASE}/files/a"), "format": "video/mp4"});
    check([Case::new("untyped", &three(&[untyped]), [Complete(BODY)])]).await;
}

/// Annotation pages and lists, collections, and what is too long to be held and shows nothing of ours.
#[tokio::test]
async fn other_documents() {
    let page = json!({"@context": P3, "id": format!("{BASE}/manifests/page"), "type": "AnnotationPage",
        "items": [{"type": "Annotation", "motivation": "supplementing", "body": of_kind("Text", "a.vtt")}]});
    let list = json!({"@context": P2, "@id": format!("{BASE}/manifests/list"), "@type": "sc:AnnotationList",
        "resources": [{"@type": "oa:Annotation", "resource":
            {"@id": format!("{BASE}/files/a.txt"), "@type": "dctypes:Text"}}]});
    let entries: Vec<_> = (0..300)
        .map(|number| json!({"id": format!("{BASE}/manifests/{number}"), "type": "Manifest",
            "thumbnail": [of_kind("Image", "thumbnail.jpg")], "label": {"none": [number.to_string()]}}))
        .collect();
    let collection = json!({"@context": P3, "id": format!("{BASE}/manifests/all"), "type": "Collection",
        "items": entries});
    let mut with_film = collection.clone();
    with_film["placeholderCanvas"] = three(&[film("a.mp4")])["items"][0].clone();
    let mut late = collection.clone();
    late["zuletzt"] = film("a.mp4");
    check([
        Case::new("a page", &page, [Complete("/items/0/body"), Before(P3)]),
        Case::new("a list", &list, [Complete("/resources/0/resource"), Equals("/@context", P2)]),
        Case::new(
            "a placeholder",
            &with_film,
            [Complete("/placeholderCanvas/items/0/items/0/body"), Same("/items")],
        ),
        Case::new(
            "a page of a collection",
            &json!({"@context": P4, "type": "CollectionPage",
            "items": [], "rendering": [of_kind("Text", "a.pdf")]}),
            [Complete("/rendering/0")],
        ),
        Case::new("long", &collection, [Untouched]).how(|own| own.max_bytes(20_000)),
        Case::new(
            "long, and not ours",
            &json!({"type": "Manifest", "x": "y".repeat(30_000)}),
            [Untouched],
        )
        .how(|own| own.max_bytes(20_000)),
        Case::new("long with a film", &with_film, [Status(502)]).how(|own| own.max_bytes(20_000)),
        Case::new("something else", &json!({"hello": film("a.mp4")}), [Untouched]),
    ])
    .await;
    // What stands behind the limit breaks the response off: no viewer reads half a document.
    let case = Case::new("late", &late, []).how(|own| own.max_bytes(20_000));
    let response = case.answer().await;
    assert!(!common::text(&response).contains("a.mp4"));
    assert!(
        response.body().is_empty() || serde_json::from_slice::<Value>(response.body()).is_err()
    );
}

/// External access services get an id only where that was asked for (Presentation 3.0 §3.2: a service
/// must have one; 2.0 §3.1: it should have none, and any is ignored).
#[tokio::test]
async fn external_services_may_have_an_id() {
    fn reading_room(builder: IiifAuthBuilder) -> IiifAuthBuilder {
        let room = Realm::new()
            .access(AccessService::external().label("Reading room"))
            .aspect(IpRanges::new(["192.0.2.0/24"], "reader").unwrap());
        builder.files("/files").public_paths(["/manifests/*"]).realm(room).authorizer(rules())
    }
    let films = three(&[film("a.mp4")]);
    for (how, id) in [
        ((|own| own) as fn(Manifests) -> Manifests, false),
        (Manifests::external_ids, true),
        (|own| own.external_ids().by_reference(), true),
    ] {
        let case = Case::new("external", &films, []).with(reading_room).how(how);
        let output: Value = serde_json::from_slice(case.answer().await.body()).unwrap();
        let access = output.pointer(&format!("{BODY}/service/0/service/0")).unwrap();
        assert_eq!(access["profile"], "external");
        assert_eq!(access["service"][0]["type"], "AuthAccessTokenService2", "{access:#}");
        assert_eq!(access["id"].is_string(), id, "{access:#}");
        check([Case::new("twice", &films, [Complete(BODY)]).with(reading_room).how(how)]).await;
    }
}

/// What worked goes on working.
#[tokio::test]
async fn what_was_right_stays_right() {
    let emitter = json!({"id": format!("{BASE}/emit/1"), "type": "AmbientAudio",
        "source": of_kind("Audio", "a.mp3")});
    let light = json!({"id": format!("{BASE}/light/1"), "type": "ImageBasedLight",
        "environmentMap": of_kind("Image", "sky.hdr")});
    let canvas = three(&[film("b.mp4")])["items"][0].clone();
    let mut scene = manifest(P4, &[emitter, light, canvas]);
    scene["items"][0]["placeholderContainer"] = three(&[film("p.mp4")])["items"][0].clone();
    let mut with_old = film("a.mp4");
    with_old["service"] = json!({"@context": "http://iiif.io/api/auth/1/context.json",
        "@id": "https://old.example/login", "profile": "http://iiif.io/api/auth/1/login", "label": "Old"});
    check([
        Case::new(
            "containers of 4",
            &scene,
            [
                Complete("/items/0/items/0/items/0/body/source"),
                Complete("/items/0/placeholderContainer/items/0/items/0/body"),
                Complete("/items/1/items/0/items/0/body/environmentMap"),
                Complete("/items/2/items/0/items/0/body/items/0/items/0/body"),
                Without(BODY),
                Without(SECOND),
            ],
        ),
        Case::new(
            "services of others",
            &three(&[with_old]),
            [
                Equals("/items/0/items/0/items/0/body/service/0/@id", "https://old.example/login"),
                Complete(BODY),
            ],
        ),
        Case::new(
            "the image service first",
            &three(&[image_of_three("/iiif/x")]),
            [
                Equals("/items/0/items/0/items/0/body/service/0/type", "ImageService3"),
                Complete("/items/0/items/0/items/0/body/service/0"),
            ],
        )
        .how(Manifests::images),
    ])
    .await;
}

/// V2-DECL-3: a painted image has a probe of its own beside its image service, which stays as it is.
#[tokio::test]
async fn painted_images_have_probes() {
    let image = image_of_three("/iiif/x");
    let mut manifest = three(&[image.clone(), image_of_three("/iiif/open")]);
    manifest["items"][1]["items"][0]["items"][0]["body"]["id"] =
        json!(format!("{BASE}/iiif/open/full/max/0/default.jpg"));
    manifest["rendering"] = json!([image]);
    let mut choice = json!({"type": "Choice", "items": [image]});
    choice["items"][0]["service"][0]["id"] = json!(format!("{BASE}/iiif/x/"));
    check([
        Case::new(
            "3",
            &manifest,
            [
                Complete(BODY),
                Profiles(BODY),
                Same("/items/0/items/0/items/0/body/service/0"),
                Count("/items/0/items/0/items/0/body/service", 2),
                Same("/items/1"),
                Same("/rendering"),
            ],
        ),
        Case::new(
            "a choice",
            &three(&[choice]),
            [Complete("/items/0/items/0/items/0/body/items/0")],
        ),
        Case::new("2, where it is an object", &two(&image_of_two("")), [Untouched]),
        Case::new("not wanted", &manifest, [Untouched]).how(Manifests::without_probes_on_images),
    ])
    .await;
}

/// DS-04: an `info.json` whose id is not the public URI is told of once, and mended where that was asked for.
#[tokio::test]
async fn ids_may_be_made_public() {
    fn mended(builder: IiifAuthBuilder) -> IiifAuthBuilder {
        library(builder).public_ids().also_known_as(["http://inner.example:8182"])
    }
    const INFO: &str = "/iiif/x/info.json";
    for id in [
        "http://inner.example:8182/iiif/x",
        "http://iiif.example/iiif/x",
        "https://iiif.example/other/x",
        "https://iiif.example/iiif/y",
        "/iiif/x",
    ] {
        let right = [Complete(""), Equals("/id", "https://iiif.example/iiif/x")];
        check([
            Case::new("mended", &info(id), right).with(mended).at(INFO),
            Case::new("told of", &info(id), [Complete(""), Same("/id")]).at(INFO),
            Case::new(
                "open",
                &info(id),
                [Equals("/id", "https://iiif.example/iiif/open"), Without("")],
            )
            .with(mended)
            .at("/iiif/open/info.json"),
        ])
        .await;
        let mut of_two = info(id);
        of_two["@context"] = json!(I2);
        of_two["@id"] = of_two["id"].take();
        check([Case::new("2", &of_two, [Equals("/@id", "https://iiif.example/iiif/x")])
            .with(mended)
            .at(INFO)])
        .await;
    }
    // As it was asked for, which is what viewers compare it with.
    check([Case::new(
        "spelled",
        &info("http://inner.example/a/b"),
        [Equals("/id", "https://iiif.example/iiif/a%2fb")],
    )
    .with(mended)
    .at("/iiif/a%2fb/info.json")])
    .await;
    // In manifests, for the names that were told.
    let inner = json!({"id": "http://inner.example:8182/files/a.mp4?x#t=1", "type": "Video"});
    let canvas = json!({"id": "http://inner.example:8182/manifests/c", "type": "Canvas"});
    check([Case::new(
        "manifest",
        &three(&[inner, canvas]),
        [
            Complete(BODY),
            Equals("/items/0/items/0/items/0/body/id", "https://iiif.example/files/a.mp4?x#t=1"),
            Equals("/items/1/items/0/items/0/body/id", "https://iiif.example/manifests/c"),
        ],
    )
    .with(mended)])
    .await;

    let log = logs::record();
    let told = |path: &'static str, id: &str| Case::new("log", &info(id), []).at(path);
    told(INFO, "http://inner.example/iiif/x?secret").answer().await;
    let text = log.text();
    assert_eq!(text.matches("the id is not the URI that was asked for").count(), 1, "{text}");
    assert!(text.contains("https://iiif.example/iiif/x") && !text.contains("secret"), "{text}");
    drop(log);
    let log = logs::record();
    told(INFO, "https://iiif.example/iiif/x").answer().await;
    told(INFO, "https://iiif.example:443/iiif/x/").answer().await;
    told("/iiif/a%2fb/info.json", "https://iiif.example/iiif/a%2Fb").answer().await;
    let warned = log.text().contains("the id is not");
    assert!(warned, "another spelling of the host is another id to viewers");
    drop(log);
}
