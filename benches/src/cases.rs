//! The cases, by group.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use http::{Request, Response, StatusCode};
use tower::{Layer, Service, ServiceExt};
use tower_iiif_auth::authorizer::{AccessRequest, Authorizer, RolesFor, from_async_fn, from_fn};

use crate::images::Images;
use crate::ours::{Publisher, VIEWER};
use crate::request::{TILE, Template, in_turn, repeat};
use crate::{Case, floor, peers, pipe};

/// Roles of the usual session.
pub const ROLES: &[&str] = &["member", "student", "reader"];

/// Makes the cases of a group.
pub type Make = fn() -> Vec<Case>;

/// The names of the groups and what is in them.
pub const GROUPS: &[(&str, Make)] = &[
    ("hot_path", hot_path),
    ("services", services),
    ("peers", peers),
    ("roles", roles),
    ("rules", rules),
    ("remembered", remembered),
    ("foreign_cookies", foreign_cookies),
    ("keys", keys),
    ("revocations", revocations),
    ("descriptions", descriptions),
    ("manifests", manifests),
    ("pipe", pipe),
];

/// The cost of the request itself, of the tile, and of nothing else.
const BARE: &str = "no layer";

fn bare() -> Case {
    let cookie = Publisher::new().cookie(ROLES);
    Case::gross(
        BARE,
        repeat(Images::small(), Template::get(TILE).header("cookie", &cookie), StatusCode::OK),
    )
}

fn over(name: impl Into<String>, run: impl FnMut() + 'static) -> Case {
    Case::over(BARE, name, run)
}

/// A layer that passes everything through.
#[derive(Clone, Debug)]
pub struct PassThrough<S>(S);

impl<S: Service<Request<Body>, Response = Response<Body>>> Service<Request<Body>>
    for PassThrough<S>
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(
        &mut self,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> S::Future {
        self.0.call(request)
    }
}

fn tile(cookie: &str) -> Template {
    Template::get(TILE).header("cookie", cookie)
}

/// More users than a thread recalls the cookies of: each comes as if for the first time.
const USERS: usize = 1000;

/// A tile for one user after the other.
fn tiles_of_many(publisher: &Publisher) -> impl FnMut() + use<> {
    let tiles = (0..USERS).map(|_| tile(&publisher.cookie(ROLES))).collect();
    in_turn(publisher.auth.check().layer(Images::small()), tiles, StatusCode::OK)
}

fn hot_path() -> Vec<Case> {
    use StatusCode as Is;
    let publisher = Publisher::new();
    let cookie = publisher.cookie(ROLES);
    let (_, value) = cookie.split_once('=').expect("a pair");
    let check = || publisher.auth.check().layer(Images::small());
    let whole = || publisher.auth.layer().layer(Images::small());
    let open = || Template::get(&TILE.replace("page1", "cover"));
    let escaped = || Template::get(&TILE.replace("page1", "ms%2F1"));
    // A letter of the tag is another one: all is done but for the session.
    let end = cookie.len() - 8;
    let other = if cookie.as_bytes()[end] == b'A' { "B" } else { "A" };
    let forged = format!("{}{other}{}", &cookie[..end], &cookie[end + 1..]);
    let garbage = format!("__Host-iiif={}", "QUJD".repeat(1020));
    let right_start = format!("__Host-iiif={}{}", &value[..4], "QUJD".repeat(1019));
    vec![
        bare(),
        over(
            "a layer that does nothing",
            repeat(PassThrough(Images::small()), tile(&cookie), Is::OK),
        ),
        Case::gross("ring: open these sealed bytes", floor::open(value)),
        over("check: allowed tile", repeat(check(), tile(&cookie), Is::OK)),
        over("check: allowed tile, each with another cookie", tiles_of_many(&publisher)),
        over(
            "check: allowed tile, a slash in its name",
            repeat(check(), escaped().header("cookie", &cookie), Is::OK),
        ),
        over("all layers: allowed tile", repeat(whole(), tile(&cookie), Is::OK)),
        over("check: open tile", repeat(check(), open().header("cookie", &cookie), Is::OK)),
        over("all layers: open tile", repeat(whole(), open().header("cookie", &cookie), Is::OK)),
        over("check: denied, no cookie", repeat(check(), Template::get(TILE), Is::UNAUTHORIZED)),
        over("check: denied, forged cookie", repeat(check(), tile(&forged), Is::UNAUTHORIZED)),
        over("check: denied, 4 KB of garbage", repeat(check(), tile(&garbage), Is::UNAUTHORIZED)),
        over(
            "check: denied, 4 KB that begin well",
            repeat(check(), tile(&right_start), Is::UNAUTHORIZED),
        ),
    ]
}

fn services() -> Vec<Case> {
    let publisher = Publisher::new();
    let cookie = publisher.cookie(ROLES);
    let token = publisher.token(&cookie);
    let whole = || publisher.auth.layer().layer(Images::small());
    let probe = || Template::get("/auth/probe/iiif/3/page1").header("origin", VIEWER);
    let bearer = format!("Bearer {token}");
    let page = Template::get(&Publisher::token_path()).header("cookie", &cookie);
    vec![
        bare(),
        over(
            "probe, allowed",
            repeat(whole(), probe().header("authorization", &bearer), StatusCode::OK),
        ),
        over("probe, no token", repeat(whole(), probe(), StatusCode::OK)),
        over("token page", repeat(whole(), page, StatusCode::OK)),
        over("info.json of 1 KB described", described(&publisher, 1024)),
        over("grant: cookie sealed, tab closed", publisher.grant(ROLES)),
    ]
}

fn peers() -> Vec<Case> {
    let publisher = Publisher::new();
    let cookie = publisher.cookie(ROLES);
    let check = || publisher.auth.check().layer(Images::small());
    let crowded = after_foreign_cookies(5, 40, &cookie);
    vec![
        bare(),
        over("check: allowed tile", repeat(check(), tile(&cookie), StatusCode::OK)),
        over(
            "check: allowed tile, 5 other cookies",
            repeat(check(), tile(&crowded), StatusCode::OK),
        ),
        over("own RwLock<HashMap>: session looked at", peers::looked_at(1)),
        over("own RwLock<HashMap>: session copied out", peers::copied_out(1)),
        over("tower-http: fixed bearer string", peers::validate_bearer()),
        over("tower-cookies: private", peers::tower_cookies(0)),
        over("tower-cookies: private, 5 other cookies", peers::tower_cookies(5)),
        over("axum-extra: PrivateCookieJar", peers::private_cookie_jar(ROLES, 0)),
        over("axum-extra: PrivateCookieJar, 5 other cookies", peers::private_cookie_jar(ROLES, 5)),
        over("tower-sessions: MemoryStore", peers::memory_store(1)),
        over("axum-login: login_required", peers::login_required()),
        over("jsonwebtoken: HS256", peers::hs256()),
        over("jsonwebtoken: RS256", peers::rs256()),
        over("jsonwebtoken: EdDSA", peers::eddsa()),
        over("check: allowed tile, each with another cookie", tiles_of_many(&publisher)),
        over("own RwLock<HashMap>: looked at, another cookie each", peers::looked_at(USERS)),
        over("tower-sessions: MemoryStore, another cookie each", peers::memory_store(USERS)),
    ]
}

fn roles() -> Vec<Case> {
    let publisher = Publisher::new();
    // The role that opens the tile is the last one.
    let names: Vec<_> = (1..100).map(|number| format!("role-{number:05}")).collect();
    let all: Vec<_> = names.iter().map(String::as_str).chain(["reader"]).collect();
    let of = |roles: usize| {
        let cookie = publisher.cookie(&all[all.len() - roles..]);
        let status = if roles == 0 { StatusCode::FORBIDDEN } else { StatusCode::OK };
        let check = publisher.auth.check().layer(Images::small());
        over(format!("{roles} roles"), repeat(check, tile(&cookie), status))
    };
    let jar = peers::private_cookie_jar(&all, 0);
    let jar = over("100 roles, axum-extra: PrivateCookieJar", jar);
    vec![bare(), of(0), of(1), of(10), of(100), jar]
}

/// The tile's rule stands behind all others.
fn rules() -> Vec<Case> {
    let of = |name: &str, many: usize, pattern: fn(usize) -> String| {
        let all = (0..many).map(pattern);
        let rules =
            all.fold(RolesFor::new(), |rules, pattern| rules.roles(pattern, ["nobody-has"]));
        let publisher = Publisher::with_rules(rules.roles("page1", ["reader"]));
        let check = publisher.auth.check().layer(Images::small());
        over(name, repeat(check, tile(&publisher.cookie(ROLES)), StatusCode::OK))
    };
    vec![
        bare(),
        of("1 rule", 0, |_| String::new()),
        of("10 000 exact identifiers", 10_000, |n| format!("page{n:05}")),
        of("10 000 beginnings", 10_000, |n| format!("page{n:05}-*")),
        of("10 000 paths", 10_000, |n| format!("/iiif/3/page{n:05}")),
        of("10 000 with a star inside", 10_000, |n| format!("pa*{n:05}")),
    ]
}

/// A closure, and the same rule where its decisions are remembered.
fn remembered() -> Vec<Case> {
    let rule =
        |request: &AccessRequest<'_>| request.identifier() == "cover" || request.has_role("reader");
    let closure = Publisher::with_rules(from_fn(rule));
    let asked = from_async_fn(move |request: AccessRequest<'static>| async move {
        Ok::<_, Infallible>(rule(&request))
    });
    let remembered = Publisher::with_rules(asked.cached(Duration::from_secs(3600), 100_000));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime");
    let of = |publisher: &Publisher, path: &str| {
        let check = publisher.auth.check().layer(Images::small());
        let template = || Template::get(path).header("cookie", &publisher.cookie(ROLES));
        // Once before: it is asked for.
        let first = runtime.block_on(check.clone().oneshot(template().request()));
        assert_eq!(first.expect("nothing fails").status(), StatusCode::OK);
        repeat(check, template(), StatusCode::OK)
    };
    let open = TILE.replace("page1", "cover");
    vec![
        bare(),
        over("closure: allowed tile", of(&closure, TILE)),
        over("remembered: allowed tile", of(&remembered, TILE)),
        over("closure: open tile", of(&closure, &open)),
        over("remembered: open tile", of(&remembered, &open)),
    ]
}

fn foreign_cookies() -> Vec<Case> {
    let publisher = Publisher::new();
    let cookie = publisher.cookie(ROLES);
    let of = |foreign: usize| {
        let header = after_foreign_cookies(foreign, 100, &cookie);
        let check = publisher.auth.check().layer(Images::small());
        over(
            format!("{foreign} foreign cookies of 100 bytes"),
            repeat(check, tile(&header), StatusCode::OK),
        )
    };
    vec![bare(), of(0), of(1), of(5), of(10), of(20), of(50)]
}

/// A cookie header in which `own` comes after `foreign` cookies of `bytes` bytes.
#[must_use]
pub fn after_foreign_cookies(foreign: usize, bytes: usize, own: &str) -> String {
    let other = |number| {
        let name = format!("other-{number:03}=");
        format!("{name}{}; ", "x".repeat(bytes - name.len()))
    };
    (0..foreign).map(other).chain([own.to_owned()]).collect()
}

fn keys() -> Vec<Case> {
    let of = |keys: usize| {
        // Otherwise no key is used: the cookie is recalled.
        let tiles = tiles_of_many(&Publisher::with_keys(keys));
        over(format!("{keys} keys, the oldest in use"), tiles)
    };
    vec![bare(), of(1), of(2), of(4), of(8)]
}

fn revocations() -> Vec<Case> {
    let of = |revoked: usize| {
        // Which entries an id is looked for among is luck, which many users even out.
        let tiles = tiles_of_many(&Publisher::with_revoked(revoked));
        over(format!("{revoked} live revocations"), tiles)
    };
    vec![bare(), of(1), of(1_000), of(100_000), of(1_000_000)]
}

fn descriptions() -> Vec<Case> {
    let publisher = Publisher::new();
    let of = |kilobytes: usize| {
        over(format!("info.json of {kilobytes} KB"), described(&publisher, kilobytes * 1024))
    };
    vec![
        bare(),
        over("info.json of 500 bytes", described(&publisher, 500)),
        of(1),
        of(10),
        of(100),
        of(1024),
    ]
}

/// Where manifests are described.
const MANIFEST: &str = "/manifests/1";

fn manifests() -> Vec<Case> {
    let of = |canvases: usize| {
        let stack = Publisher::with_manifests().auth.layer();
        let stack = stack.layer(Images::description(manifest(canvases)));
        (stack, Template::get(MANIFEST))
    };
    let whole = |canvases: usize| {
        let (stack, request) = of(canvases);
        over(format!("{canvases} canvases"), repeat(stack, request, StatusCode::OK))
    };
    let (mut stack, request) = of(1000);
    let first = crate::request::answer(&mut stack, request.request());
    let tag = first.headers()["etag"].to_str().expect("a tag").to_owned();
    let known = request.header("if-none-match", &tag);
    let deep = format!(
        r#"{{"type":"Manifest","x":{}"{}"{}}}"#,
        "[".repeat(60),
        "x".repeat(256 * 1024),
        "]".repeat(60)
    );
    let deep = Publisher::with_manifests().auth.layer().layer(Images::description(deep));
    vec![
        bare(),
        whole(10),
        whole(1000),
        over("1000 canvases that the client has", repeat(stack, known, StatusCode::NOT_MODIFIED)),
        over("256 KB below 60 levels", repeat(deep, Template::get(MANIFEST), StatusCode::OK)),
    ]
}

/// Canvases of about 720 bytes, each with a protected film.
#[must_use]
pub fn manifest(canvases: usize) -> String {
    let mut text = String::from(
        r#"{"@context":"http://iiif.io/api/presentation/3/context.json","id":"https://iiif.example/manifests/1","type":"Manifest","label":{"en":["A book"]},"items":["#,
    );
    for number in 0..canvases {
        if number > 0 {
            text.push(',');
        }
        text.push_str(&CANVAS.replace("{n}", &format!("{number:05}")));
    }
    text.push_str("]}");
    text
}

const CANVAS: &str = r#"{"id":"https://iiif.example/manifests/1/canvas/{n}","type":"Canvas","label":{"none":["Page {n}, recto and verso"]},"width":1920,"height":1080,"duration":61.5,"thumbnail":[{"id":"https://iiif.example/thumbnails/{n}.jpg","type":"Image","format":"image/jpeg","width":192,"height":108}],"items":[{"id":"https://iiif.example/manifests/1/page/{n}","type":"AnnotationPage","items":[{"id":"https://iiif.example/manifests/1/painting/{n}","type":"Annotation","motivation":"painting","body":{"id":"https://iiif.example/files/{n}.mp4","type":"Video","format":"video/mp4","width":1920,"height":1080,"duration":61.5},"target":"https://iiif.example/manifests/1/canvas/{n}"}]}]}"#;

/// An `info.json` of `bytes` bytes, most of them sizes and tiles.
fn described(publisher: &Publisher, bytes: usize) -> impl FnMut() + use<> {
    let sizes = (1..).map(|n| format!(r#"{{"width":{},"height":{}}}"#, n * 8, n * 6));
    let mut text = String::from(
        r#"{"@context":"http://iiif.io/api/image/3/context.json","id":"https://iiif.example/iiif/3/page1","type":"ImageService3","protocol":"http://iiif.io/api/image","profile":"level1","width":8000,"height":6000,"sizes":["#,
    );
    for size in sizes {
        text.push_str(&size);
        if text.len() >= bytes {
            break;
        }
        text.push(',');
    }
    text.push_str("]}");
    let stack = publisher.auth.layer().layer(Images::description(text));
    repeat(stack, Template::get("/iiif/3/page1/info.json"), StatusCode::OK)
}

fn pipe() -> Vec<Case> {
    let publisher = Publisher::new();
    let cookie = publisher.cookie(ROLES);
    let of = |name: &str, router| Case::gross(name, pipe::repeat(router, tile(&cookie)));
    let router = || pipe::router(pipe::tiles());
    vec![
        of("pipe: no layer", router()),
        of("pipe: no layer, the checker's headers", pipe::router(pipe::tiles().private())),
        of("pipe: a layer that does nothing", router().layer(tower::layer::util::Identity::new())),
        of("pipe: check", router().layer(publisher.auth.check())),
        of("pipe: all layers", router().layer(publisher.auth.layer())),
    ]
}
