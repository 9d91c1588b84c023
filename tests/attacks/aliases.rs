//! AL: one picture, many names. What is decided on is what the wrapped server answers with, in every
//! dialect, or the path is refused.

use bytes::Bytes;
use http::{Method, Response};
use serde_json::Value;
use tower_iiif_auth::Message;
use tower_iiif_auth::authorizer::{Authorizer, MaxUnauthorized, RolesFor};
use tower_iiif_auth::resource::{Dialect, ImageApi, Resource, ResourceKind};

use crate::common::{
    BASE, Publisher, assert_denied, builder, clock, image_server, json, request, text,
};

/// All is open but what is named: where a second name of one of these counts as another picture, it is
/// open.
fn closed() -> RolesFor {
    let no = || Message::new("Closed");
    ["letter.tif", "my song.tif", "dir/page.tif", "ark:/12148/btv/f29"]
        .into_iter()
        .fold(RolesFor::new(), |rules, one| rules.nobody(one, no()))
        .nobody("https://files.example/a/b.jp2", no())
        .nobody("https://files.example/160-Service%20File.jpg", no())
        .open("*")
}

/// A publisher whose images lie at `/iiif/2` before a server of this dialect.
fn before(dialect: Dialect) -> Publisher {
    let clock = clock();
    let map = ImageApi::new("/iiif/2").dialect(dialect);
    Publisher::of(builder(&clock).resources(map).authorizer(closed()), clock)
}

const TILE: &str = "full/max/0/default.jpg";

/// What is answered to the tile, the base URI, the description and the probe of a spelling.
struct Answers {
    tile: Response<Bytes>,
    info: Response<Bytes>,
    whole: Response<Bytes>,
    probe: Value,
}

async fn answers(publisher: &Publisher, spelling: &str) -> Answers {
    let base = format!("/iiif/2/{spelling}");
    Answers {
        tile: publisher.get(&format!("{base}/{TILE}"), &[]).await,
        info: publisher.get(&format!("{base}/info.json"), &[]).await,
        whole: publisher.get(&base, &[]).await,
        probe: publisher.probe(&base, &[]).await,
    }
}

/// Every way to it is 400, and the wrapped server hears nothing.
async fn assert_refused(publisher: &Publisher, spelling: &str) {
    let calls = publisher.calls();
    let Answers { tile, info, whole, probe } = answers(publisher, spelling).await;
    for answer in [&tile, &info, &whole] {
        assert_eq!(answer.status(), 400, "{spelling}: {}", text(answer));
    }
    assert_eq!(probe["status"], 400, "{spelling}");
    assert_eq!(publisher.calls(), calls, "{spelling}");
}

/// It is the closed picture whose canonical path is `path`.
async fn assert_closed(publisher: &Publisher, spelling: &str, path: &str) {
    let calls = publisher.calls();
    let Answers { tile, info, whole, probe } = answers(publisher, spelling).await;
    assert_denied(&tile, 401);
    assert_eq!(whole.status(), 303, "{spelling}");
    let location = whole.headers()["location"].to_str().unwrap();
    assert_eq!(location, format!("{BASE}{path}/info.json"), "{spelling}");
    assert_eq!(probe["status"], 401, "{spelling}");
    assert_eq!(publisher.calls(), calls + 1, "{spelling}: the description alone");
    let id = json(&info)["service"][0]["id"].as_str().unwrap().to_owned();
    // In a probe's URI an identifier is one segment.
    let below = path.strip_prefix("/iiif/2/").unwrap().replace('/', "%2F");
    let probe = format!("/iiif/2/{below}");
    assert_eq!(id, format!("{BASE}/auth/probe{probe}"), "{spelling}");
    // The probe that is declared leads back to it.
    for path in [&*probe, path] {
        let probed = publisher.probe(path, &[]).await;
        assert_eq!(probed["status"], 401, "{spelling}");
    }
}

/// AL-01, AL-02, AL-05, PA-01: by default nothing passes that a server is known to read in another way.
#[tokio::test]
async fn al_01_al_02_al_05_nothing_ambiguous_passes_by_default() {
    let publisher = before(Dialect::general());
    for spelling in [
        // AL-01
        "letter.tif;1",
        "letter.tif%3B1",
        "letter.tif%3b1",
        "letter.tif%3b1%3b1:2",
        "book.pdf%3B2",
        "letter.tif%3B",
        "%3Bletter.tif",
        // AL-02
        "x%26FIF=letter.tif%26WID=4000%26CVT=jpeg",
        "x&FIF=letter.tif",
        "a%26b",
        // AL-05
        "https%3A%2F%2Ffiles.example%2Fa%2Fb.jp2",
        "https:%2F%2Ffiles.example%2Fa%2Fb.jp2",
        "HTTPS%3A%2F%2Ffiles.example%2Fa%2Fb.jp2",
        "https%3A%2Ffiles.example%2Fa%2Fb.jp2",
        "file%3A%2F%2F%2Fetc%2Fpasswd",
        "s3%3A%2F%2Fbucket%2Fa",
        "https%3A%2F%2Ffiles.example%2F160-Service%2520File.jpg",
        "160-Service%2520File.jpg",
        "l%2565tter.tif",
        "l%25u0065tter.tif",
        // Plus signs, pages of other servers, queries and fragments.
        "my+song.tif",
        "my%2Bsong.tif",
        "letter.tif@1",
        "letter.tif%401",
        // Ends of names.
        "letter.tif.",
        "letter.tif%2E",
        "letter.tif%20",
        "%20letter.tif",
        "letter.tif...",
        "letter.tif%09",
        "dir%20%2Fpage.tif",
        "dir.%2Fpage.tif",
        "let..%2Fter.tif",
        "letter.tif::$DATA",
        "letter.tif%3A%3A%24DATA",
        "letter.tif:%24DATA",
        "seq_pyr_000_090.tif",
        "seq%5Fpyr_000_090.tif",
        // What nobody sees.
        "letter.tif%00",
        "letter%7F.tif",
        // Bytes and slashes.
        "letter%C0%AEtif",
        "letter%FF.tif",
        "letter%",
        "letter%2",
        "dir%5Cpage.tif",
        "dir\\page.tif",
        "dir%2F%2Fpage.tif",
        "dir%2F.%2Fpage.tif",
        "dir%2F..%2Fletter.tif",
        "%2Fletter.tif",
        "letter.tif%2F",
        // A picture or a description within the identifier.
        "letter.tif%2Ffull%2Fmax%2F0%2Fdefault.jpg",
        "letter.tif%2FFULL%2Fmax%2F0%2Fdefault.jpg",
        "letter.tif%2F0,0,9,9%2F9,%2F0%2Fdefault.jpg",
    ] {
        assert_refused(&publisher, spelling).await;
    }
    // The same picture in harmless spellings.
    for spelling in ["letter.tif", "l%65tter.tif", "%6c%65tter%2Etif", "%6C%65tter%2etif"] {
        assert_closed(&publisher, spelling, "/iiif/2/letter.tif").await;
    }
    for spelling in ["dir%2Fpage.tif", "dir%2fpage.tif", "d%69r%2fp%61ge.tif"] {
        assert_closed(&publisher, spelling, "/iiif/2/dir%2Fpage.tif").await;
    }
    assert_closed(&publisher, "my%20song.tif", "/iiif/2/my%20song.tif").await;
    // The name of a description behind an encoded slash: never passed on as a base URI.
    for spelling in ["letter.tif%2Finfo.json", "letter.tif%2FINFO.json"] {
        let calls = publisher.calls();
        let whole = publisher.get(&format!("/iiif/2/{spelling}"), &[]).await;
        assert_eq!(whole.status(), 303, "{spelling}");
        let posted =
            publisher.send(request(Method::POST, &format!("/iiif/2/{spelling}"), &[])).await;
        assert_eq!(posted.status(), 405);
        assert_eq!(publisher.calls(), calls);
    }
    for open in
        ["other.tif", "a-1.2", "1:2", "100%25", "ark:%2F1%2Fx", "a,b=c!(d)*'~$e", "b%C3%BCcher"]
    {
        let answer = publisher.get(&format!("/iiif/2/{open}/{TILE}"), &[]).await;
        assert_eq!(answer.status(), 200, "{open}: {}", text(&answer));
    }
}

/// AL-01, AL-02: also in the parts of an image request.
#[tokio::test]
async fn al_02_no_part_of_an_image_request_ends_it() {
    for dialect in [
        Dialect::general(),
        Dialect::iipimage(),
        Dialect::cantaloupe(),
        Dialect::general().several_segments(),
    ] {
        let publisher = before(dialect.clone());
        let calls = publisher.calls();
        for rest in [
            "full/max/0/default.jpg%26FIF=reader.tif",
            "full/max/0/default.jpg&FIF=reader.tif",
            "full/max%26FIF=x/0/default.jpg",
            "full/max/0%26FIF=x/default.jpg",
            "0,0,1,1%26FIF=x/max/0/default.jpg",
            "full/max/0/default.jpg%3B1",
            "full/max/0/default.jpg;1",
            "full/max%3b1/0/default.jpg",
            "full/max/0/default.jpg%3Fx",
            "full/max/0/default.jpg%23x",
            "full/max/0/default.jpg%2B",
            "full/max/0/default.jpg%00",
            "full/max/0/default.jpg%2520",
            "full/max/0/%64efault.jpg%0A",
        ] {
            let path = format!("/iiif/2/letter.tif/{rest}");
            let answer = publisher.get(&path, &[]).await;
            assert_eq!(answer.status(), 400, "{path} with {dialect:?}: {}", text(&answer));
        }
        assert_eq!(publisher.calls(), calls);
    }
}

/// AL-01: Cantaloupe's pages and scales are the document, to the rules; and pictures of their own, to
/// viewers.
#[tokio::test]
async fn al_01_pages_are_their_document_s() {
    let publisher = before(Dialect::cantaloupe());
    for (spelling, path) in [
        ("letter.tif", "letter.tif"),
        ("letter.tif%3B1", "letter.tif%3B1"),
        ("letter.tif;1", "letter.tif%3B1"),
        ("letter.tif%3b1%3b1:2", "letter.tif%3B1%3B1:2"),
        ("l%65tter.tif;12;1%3A2", "letter.tif%3B12%3B1:2"),
        ("letter.tif;1:2", "letter.tif%3B1:2"),
        ("dir%2Fpage.tif%3b2", "dir%2Fpage.tif%3B2"),
    ] {
        assert_closed(&publisher, spelling, &format!("/iiif/2/{path}")).await;
    }
    for spelling in [
        "letter.tif;",
        "letter.tif;0",
        "letter.tif;01",
        "letter.tif;x",
        "letter.tif;1;2",
        "letter.tif;1:2;1",
        "letter.tif;1:0",
        "letter.tif%3B1%3B",
        "letter.tif%253B1",
        "my+song.tif",
        ";1",
        "letter.tif.;1",
        "letter.tif%20;1",
        "letter.tif%00;1",
    ] {
        assert_refused(&publisher, spelling).await;
    }
    assert_eq!(publisher.get(&format!("/iiif/2/book.pdf%3B2/{TILE}"), &[]).await.status(), 200);

    // Version 4 by choice.
    let four = before(Dialect::cantaloupe().scale_by_hyphen());
    assert_closed(&four, "letter.tif-1:2", "/iiif/2/letter.tif%3B1:2").await;
    assert_refused(&four, "letter.tif-1:2-1:2").await;
    assert_refused(&four, "letter.tif-01:2").await;
}

/// AL-03: a slash is a slash, by whichever text it was written.
#[tokio::test]
async fn al_03_slash_substitutes() {
    for (substitute, spelled, path) in [
        ("__", "dir__page.tif", "dir__page.tif"),
        ("!", "dir!page.tif", "dir%21page.tif"),
        (":", "dir:page.tif", "dir:page.tif"),
        ("-_-", "dir-_-page.tif", "dir-_-page.tif"),
        ("|", "dir%7Cpage.tif", "dir%7Cpage.tif"),
    ] {
        let publisher = before(Dialect::cantaloupe().slash_substitute(substitute));
        let path = format!("/iiif/2/{path}");
        for spelling in [spelled, "dir%2Fpage.tif", "d%69r%2fpage.tif"] {
            assert_closed(&publisher, spelling, &path).await;
        }
        let page = format!("{path}%3B2");
        assert_closed(&publisher, &format!("{spelled}%3B2"), &page).await;
        assert_closed(&publisher, "dir%2Fpage.tif;2", &page).await;
        for odd in [
            "dirS..Sletter.tif",
            "SdirSpage.tif",
            "dirSSpage.tif",
            "letter.tifSfullSmaxS0Sdefault.jpg",
        ] {
            // Where the substitute may stand in a name, twice it may be one and a bit.
            assert_refused(&publisher, &odd.replace('S', substitute)).await;
        }
    }
}

/// AL-04: IIPImage's folders, spaces and plus signs.
#[tokio::test]
async fn al_04_names_of_files() {
    let publisher = before(Dialect::iipimage());
    for (spelling, path) in [
        ("dir%2Fpage.tif", "dir%2Fpage.tif"),
        ("dir/page.tif", "dir%2Fpage.tif"),
        ("d%69r/p%61ge.tif", "dir%2Fpage.tif"),
        ("my%20song.tif", "my%20song.tif"),
        ("my+song.tif", "my%20song.tif"),
        ("my%2Bsong.tif", "my%20song.tif"),
        ("l%65tter.tif", "letter.tif"),
    ] {
        assert_closed(&publisher, spelling, &format!("/iiif/2/{path}")).await;
    }
    for spelling in [
        "seq_pyr_000_090.tif",
        "dir/seq_pyr_000_090.tif",
        "x%26FIF=letter.tif%26CVT=jpeg",
        "x&FIF=letter.tif",
        "l%2565tter.tif",
        "dir%252Fpage.tif",
        "100%25.tif",
        "dir//page.tif",
        "dir/./page.tif",
        "dir/../letter.tif",
        "dir%2F..%2Fletter.tif",
        "/letter.tif",
        "let..%2Fter.tif",
        "let../ter.tif",
        "letter.tif+",
        "+letter.tif",
        "letter.tif/full/max",
        "letter.tif%2Ffull%2Fmax%2F0%2Fdefault.jpg",
        "letter.tif/full/max/0/default",
        "https://files.example/a.tif",
    ] {
        assert_refused(&publisher, spelling).await;
    }
    for open in [
        "a%23b.tif",
        "a%3Fb.tif",
        "a;b.tif",
        "a@2.tif",
        "it's.tif",
        "br[0].tif",
        "dir/other.tif",
        "f/full.tif",
    ] {
        let answer = publisher.get(&format!("/iiif/2/{open}/{TILE}"), &[]).await;
        assert_eq!(answer.status(), 200, "{open}: {}", text(&answer));
    }
}

/// AL-05: a switch for identifiers that are URLs, or hold an escape.
#[tokio::test]
async fn al_05_identifiers_that_are_urls() {
    for dialect in [Dialect::general().urls(), Dialect::cantaloupe().urls()] {
        let publisher = before(dialect);
        for path in [
            "https%3A%2F%2Ffiles.example%2Fa%2Fb.jp2",
            "https%3A%2F%2Ffiles.example%2F160-Service%2520File.jpg",
        ] {
            let canonical = format!("/iiif/2/{path}");
            assert_closed(&publisher, path, &canonical).await;
            assert_closed(&publisher, &path.replace("%3A", ":").replace("%2F", "%2f"), &canonical)
                .await;
        }
        for spelling in [
            "https%3A%2F%2Ffiles.example%2Fa%2F%62.jp2%2F",
            "https%3A%2F%2Ffiles.example%2Fa%2F%2562.jp2",
            "https%3A%2F%2FFiles.example%2Fa%2Fb.jp2",
            "HTTPS%3A%2F%2Ffiles.example%2Fa%2Fb.jp2",
            "https%3A%2F%2Ffiles.example%3A443%2Fa%2Fb.jp2",
            "https%3A%2F%2Fu%40files.example%2Fa%2Fb.jp2",
            "https%3A%2F%2Ffiles.example%2Fx%2F..%2Fa%2Fb.jp2",
            "https%3A%2F%2Ffiles.example%2F%2Fa%2Fb.jp2",
            "https%3A%2F%2Ffiles.example%2Fa%2Fb.jp2%23x",
            "https%3A%2F%2Ffiles.example%2Fa%2Fb.jp2%3Fx",
            "https%3A%2F%2Ffiles.example%2Fa%2Fb.jp2%3F",
            "https%3A%2F%2Ffiles.example%2Fa%252Fb.jp2",
            "https%3A%2Ffiles.example%2Fa%2Fb.jp2",
            "https%3A%2F%2Ffiles.example%2F160-Service%20File.jpg",
            "https%3A%2F%2Ffiles.example%2Fa%252Db.jp2",
            "file%3A%2F%2F%2Fsrv%2Fa.jp2",
            "https%253A%252F%252Ffiles.example%252Fa%252Fb.jp2",
        ] {
            assert_refused(&publisher, spelling).await;
        }
        let open = "https%3A%2F%2Ffiles.example%2Fother%2520file.jpg";
        assert_eq!(publisher.get(&format!("/iiif/2/{open}/{TILE}"), &[]).await.status(), 200);
    }
    // With pages besides.
    let publisher = before(Dialect::cantaloupe().urls());
    let page = "https%3A%2F%2Ffiles.example%2Fa%2Fb.jp2%3B2";
    assert_closed(&publisher, page, &format!("/iiif/2/{page}")).await;
}

/// AL-06: more segments than the Image API has are never a tile, and the answer says what an identifier
/// looks like; or they are one identifier, where the base is told so.
#[tokio::test]
async fn al_06_several_segments() {
    let general = before(Dialect::general());
    let calls = general.calls();
    for below in [
        "ark:/12148/btv1b8449691v/f29/info.json",
        "ark:/12148/12345/29/info.json",
        "open/x/y/f29/info.json",
        "folder/page/info.json",
        "a/b/c/d/e.jpg",
        "dir/page.tif",
    ] {
        let answer = general.get(&format!("/iiif/2/{below}"), &[]).await;
        assert_eq!(answer.status(), 404, "{below}");
        let said = text(&answer);
        assert!(said.contains("identifier") && said.contains("%2F"), "{below}: {said}");
    }
    assert_eq!(general.calls(), calls);

    let publisher = before(Dialect::general().several_segments());
    for spelling in ["ark:/12148/btv/f29", "ark:%2F12148/btv%2Ff29", "%61rk:/12148/btv/f%329"] {
        assert_closed(&publisher, spelling, "/iiif/2/ark:/12148/btv/f29").await;
    }
    for open in ["ark:/12148/12345/29", "open/x/y/f29", "full/x", "a/b/c/d/e"] {
        for rest in [TILE, "info.json", "0,0,1,1/1,/0/gray.png"] {
            let answer = publisher.get(&format!("/iiif/2/{open}/{rest}"), &[]).await;
            assert_eq!(answer.status(), 200, "{open}/{rest}: {}", text(&answer));
        }
    }
    for spelling in [
        "ark:/12148/btv/f29/full/max",
        "ark:/12148/btv/f29/full/max/0/default",
        "ark:/12148//btv/f29",
        "ark:/12148/x/../btv/f29",
        "https://files.example/a/b.jp2",
        "ark:/12148/btv/f29;1",
        "ark:/12148/btv/f29.",
    ] {
        assert_refused(&publisher, spelling).await;
    }
}

/// A lesser version that is told by its identifier is read as the server reads it, pages included.
#[test]
fn paths_lead_back_to_their_resource() {
    let names = ["a", "a b", "dir/page", "ark:/1/x", "a_/b", "ü", "book.pdf", "100%"];
    for dialect in [
        Dialect::general(),
        Dialect::iipimage(),
        Dialect::cantaloupe(),
        Dialect::cantaloupe().slash_substitute("__"),
        Dialect::general().several_segments(),
        Dialect::general().urls(),
        Dialect::cantaloupe().scale_by_hyphen(),
    ] {
        let map = ImageApi::new("/iiif/2").dialect(dialect.clone());
        for name in names {
            let encoded: Vec<_> = name.bytes().map(|byte| format!("%{byte:02x}")).collect();
            let encoded = encoded.concat();
            for part in ["", "%3B2", "%3B2%3B1:2"] {
                let path = format!("/iiif/2/{encoded}{part}");
                let Ok(found) = Resource::find(&map, &path) else { continue };
                if dialect.is_cantaloupe() || part.is_empty() {
                    assert_eq!(found.identifier(), name, "{path}");
                }
                let canonical = found.path();
                let again = Resource::find(&map, &canonical);
                assert_eq!(again, Ok(found), "{path} of {dialect:?}");
            }
        }
    }
}

/// The rules are asked about the document, and may ask which page.
#[test]
fn rules_see_document_and_page() {
    let map = ImageApi::new("/iiif/2").dialect(Dialect::cantaloupe());
    let found = |path: &str| Resource::find(&map, path).unwrap().into_owned();
    let page = found("/iiif/2/book.pdf;2;1:2/info.json");
    assert_eq!((page.identifier(), page.page(), page.scale()), ("book.pdf", Some(2), Some((1, 2))));
    assert!(matches!(page.kind(), ResourceKind::ImageInformation));
    let whole: Resource<'_> = found("/iiif/2/book.pdf");
    assert_eq!((whole.page(), whole.scale()), (None, None));
}

/// AL-07: what `MaxUnauthorized` opens is small before every server.
#[tokio::test]
async fn al_07_sizes_that_servers_do_not_compute_alike() {
    let clock = clock();
    let known = || MaxUnauthorized::new(400).with_dimensions(|_| Some((4000, 3000)));
    let rules = RolesFor::new().roles("*", ["A"]).or(known());
    let map = ImageApi::new("/iiif/2").dialect(Dialect::cantaloupe());
    let publisher = Publisher::of(builder(&clock).resources(map).authorizer(rules), clock);
    for small in [
        "full/!400,400/0",
        "full/400,/0",
        "full/,300/0",
        "full/400,300/0",
        "full/pct:10/0",
        "full/!400,300/!90",
        "full/%5E!400,400/0",
        "0,0,4000,3000/400,/0",
        "pct:0,0,100,100/400,/0",
    ] {
        let answer = publisher.get(&format!("/iiif/3/x/{small}/default.jpg"), &[]).await;
        assert_eq!(answer.status(), 200, "{small}");
    }
    for large in [
        "full/!99999,1/0",
        "full/!1,99999/0",
        "full/!401,1/0",
        "full/99999,1/0",
        "full/1,99999/0",
        "full/401,/0",
        "full/,301/0",
        "full/max/0",
        "full/full/0",
        "full/%5Emax/0",
        "full/400.9,/0",
        "full/!400.5,400/0",
        "full/pct:10.02/0",
        "full/pct:9.99/0",
        "full/0,/0",
        "full/!0,400/0",
        "full/0,0/0",
        "full/4294967696,/0",
        "full/18446744073709552016,400/0",
        "full/0400,/0",
        "full/!400,400/45",
        "full/!400,400/0.5",
        "full/!400,400/!359.9",
        "full/400,400/1",
        "pct:0,0,50,50/100,/0",
        "0,0,1,1/pct:1/0",
        "0,0,100,100/100,/0",
        "0,0,4000,1/400,1/0",
        "0.5,0,4000,3000/400,/0",
        "square/400,/0",
        "full/-400,/0",
    ] {
        let path = format!("/iiif/3/x/{large}/default.jpg");
        let calls = publisher.calls();
        assert_denied(&publisher.get(&path, &[]).await, 401);
        assert_eq!(publisher.calls(), calls);
    }
    assert_eq!(publisher.probe("/iiif/3/x", &[]).await["status"], 401);
    // A page is another picture, of another size.
    assert_denied(&publisher.get("/iiif/2/x%3B2/full/400,/0/default.jpg", &[]).await, 401);
    assert_eq!(publisher.get("/iiif/2/x%3B2/full/!400,400/0/default.jpg", &[]).await.status(), 200);
}

/// What no server could have is said when the configuration is built, and which dialect there is, too.
#[test]
fn dialects_are_checked_and_named() {
    let built = |dialect: Dialect| {
        let clock = clock();
        builder(&clock).resources(ImageApi::new("/iiif/2").dialect(dialect)).build()
    };
    let with = |substitute| Dialect::cantaloupe().slash_substitute(substitute);
    for (dialect, said) in [
        (with(""), "empty"),
        (with("/"), "slash_substitute"),
        (with("%2F"), "slash_substitute"),
        (with("%"), "slash_substitute"),
        (with(";"), "slash_substitute"),
        (with("a/b"), "slash_substitute"),
        (with("\\"), "slash_substitute"),
        (with("?"), "slash_substitute"),
        (with("#"), "slash_substitute"),
        (with(","), "slash_substitute"),
        (with("."), "slash_substitute"),
        (with(" "), "slash_substitute"),
        (with("\n"), "slash_substitute"),
        (with("ü"), "slash_substitute"),
        (with("1"), "slash_substitute"),
        (Dialect::general().slash_substitute("__"), "Cantaloupe"),
        (Dialect::iipimage().slash_substitute("__"), "Cantaloupe"),
        (Dialect::general().scale_by_hyphen(), "Cantaloupe"),
        (Dialect::cantaloupe().several_segments(), "one segment"),
        (Dialect::iipimage().urls(), "one segment"),
        (Dialect::general().several_segments().urls(), "one segment"),
        (with("__").urls(), "slash substitute"),
        (Dialect::general().with_insecure_characters("a"), "insecure_characters"),
        (Dialect::general().with_insecure_characters("/"), "insecure_characters"),
        (Dialect::cantaloupe().with_insecure_characters(";"), "Cantaloupe"),
    ] {
        let error = built(dialect.clone()).expect_err("no such server").to_string();
        assert!(error.contains(said) && error.contains("/iiif/2"), "{dialect:?}: {error}");
    }
    let named = format!("{:?}", built(with("__")).unwrap());
    assert!(named.contains("/iiif/2") && named.contains("Cantaloupe, slash substitute"), "{named}");
    assert!(named.contains("/iiif/3") && named.contains("general"), "{named}");
    assert_eq!(Dialect::iipimage().name(), "IIPImage");
}

/// What an operator says the server takes for itself is part of the identifier, raw and encoded.
#[tokio::test]
async fn characters_that_the_operator_answers_for() {
    let clock = clock();
    let map = ImageApi::new("/iiif/2").with_insecure_path_parameters();
    let other = ImageApi::new("/iiif/1").dialect(Dialect::general().with_insecure_characters("@+"));
    let rules = RolesFor::new().roles("book;2", ["A"]).roles("a@b+c", ["A"]).open("*");
    let builder = builder(&clock).resources(map).resources(other).authorizer(rules);
    let publisher = Publisher::before(builder, clock, image_server);
    for (path, expected) in [
        ("/iiif/2/book;2", 401),
        ("/iiif/2/book%3B2", 401),
        ("/iiif/2/book;3", 200),
        ("/iiif/2/book@3", 400),
        ("/iiif/2/..;x", 400),
        ("/iiif/2/dir%2F..;x%2Fy", 400),
        ("/iiif/1/a@b+c", 401),
        ("/iiif/1/a%40b%2bc", 401),
        ("/iiif/1/a@b", 200),
        ("/iiif/1/a;b", 400),
    ] {
        let answer = publisher.get(&format!("{path}/{TILE}"), &[]).await;
        assert_eq!(answer.status(), expected, "{path}");
    }
    let head = publisher.send(request(Method::HEAD, "/iiif/2/book%3B2/info.json", &[])).await;
    assert_eq!(head.status(), 200);
}

/// AL-01, AL-05: to a server that makes a URL of an identifier, as Cantaloupe's `HttpSource` does by putting
/// a prefix before it, the path of that URL ends at a `?` or `#`; and to Cantaloupe 4 `-1:2` is a scale.
#[tokio::test]
async fn al_01_what_is_no_name_but_the_end_of_one() {
    for dialect in
        [Dialect::general(), Dialect::cantaloupe(), Dialect::general().several_segments()]
    {
        let publisher = before(dialect);
        for spelling in [
            "letter.tif%3F",
            "letter.tif%3fx",
            "letter.tif%23",
            "letter.tif%23x",
            "my%20song.tif%3Fa=b",
            "dir%2Fpage.tif%23%3F",
        ] {
            assert_refused(&publisher, spelling).await;
        }
    }
    let general = before(Dialect::general());
    for spelling in
        ["letter.tif-1:2", "letter.tif-1%3A2", "l%65tter.tif%2D1:2", "letter.tif-01:02", "a-1:2"]
    {
        assert_refused(&general, spelling).await;
    }
    // Where the operator knows better.
    let publisher = before(Dialect::general().with_insecure_characters("#?:"));
    for open in ["a%3Fb", "a%23b", "repo-1:2"] {
        let answer = publisher.get(&format!("/iiif/2/{open}/{TILE}"), &[]).await;
        assert_eq!(answer.status(), 200, "{open}: {}", text(&answer));
    }
    let urls = before(Dialect::general().urls().with_insecure_characters("?"));
    let open = "https%3A%2F%2Ffiles.example%2Fimage%3Fid=1";
    assert_eq!(urls.get(&format!("/iiif/2/{open}/{TILE}"), &[]).await.status(), 200);
}
