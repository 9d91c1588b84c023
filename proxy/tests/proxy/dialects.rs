//! AL: whichever spelling of a picture came in, what goes on is the one that was decided on.

use http::{Method, Response};
use http_body_util::Full;
use iiif_auth_proxy::config::Config;

use crate::support::{PIXELS, Proxy, SITE, Upstream, config, folder, request};

/// The usual configuration, whose base `/iiif/3` has these keys besides, and where all is open but
/// `letter.tif`, `dir/page.tif` and `my song.tif`.
fn with(upstream: &Upstream, keys: &str) -> String {
    config(upstream.address)
        .replace(
            "path = \"/iiif/3\"",
            &format!("path = \"/iiif/3\"\nupstream_path = \"/images\"\n{keys}"),
        )
        .replace("\"pub*\"", "\"nothing\"")
        .replace(
            "\"sec*\", \"dir/sec\"",
            "\"letter.tif\", \"dir/page.tif\", \"my song.tif\", \"http*/b.jp2\"",
        )
        .replace("[[access]]", "[[rule]]\nmatch = [\"*\"]\nallow = \"everyone\"\n\n[[access]]")
}

const TILE: &str = "full/max/0/default.jpg";

/// AL-01 to AL-05: closed is closed in every spelling; a reader's goes on in the canonical one, in the
/// request line and in `X-IIIF-ID`; descriptions, too.
#[tokio::test]
#[allow(clippy::too_many_lines, reason = "most of it is a table")]
async fn al_03_one_spelling_goes_on() {
    for (keys, cases) in [
        (
            "",
            &[
                ("l%65tter.tif", "letter.tif"),
                ("d%69r%2fpage.tif", "dir%2Fpage.tif"),
                ("my%20s%6fng.tif", "my%20song.tif"),
            ][..],
        ),
        (
            "dialect = \"cantaloupe\"\nslash_substitute = \"__\"",
            &[
                ("letter.tif%3b1", "letter.tif%3B1"),
                ("letter.tif;1:2", "letter.tif%3B1:2"),
                ("dir%2Fpage.tif", "dir__page.tif"),
                ("dir%2fpage.tif", "dir__page.tif"),
                ("dir__page.tif", "dir__page.tif"),
                ("dir%5F_page.tif;3", "dir__page.tif%3B3"),
            ],
        ),
        (
            "dialect = \"cantaloupe\"\nscale_by_hyphen = true",
            &[("letter.tif-1:2", "letter.tif%3B1:2")],
        ),
        (
            "dialect = \"iipimage\"",
            &[
                ("dir/page.tif", "dir%2Fpage.tif"),
                ("dir%2fpage.tif", "dir%2Fpage.tif"),
                ("my+song.tif", "my%20song.tif"),
                ("my%2Bsong.tif", "my%20song.tif"),
            ],
        ),
        (
            "several_segments = true",
            &[("dir%2Fpage.tif", "dir/page.tif"), ("d%69r/page.tif", "dir/page.tif")],
        ),
        (
            "url_identifiers = true",
            &[
                (
                    "https%3A%2F%2Ffiles.example%2Fa%2Fb.jp2",
                    "https%3A%2F%2Ffiles.example%2Fa%2Fb.jp2",
                ),
                (
                    "https:%2f%2Ffiles.example%2Fa%2520(1)%2Fb.jp2",
                    "https%3A%2F%2Ffiles.example%2Fa%2520(1)%2Fb.jp2",
                ),
            ],
        ),
    ] {
        let upstream = Upstream::new().await;
        let proxy = Proxy::with(&with(&upstream, keys)).await;
        let cookie = proxy.log_in("ada").await;
        for (spelling, canonical) in cases {
            let path = format!("/iiif/3/{spelling}/{TILE}");
            let before = upstream.count();
            assert_eq!(proxy.get(&path, &[]).await.status, 401, "{spelling}");
            assert_eq!(upstream.count(), before, "{spelling}");
            assert_eq!(proxy.get(&path, &[("cookie", &cookie)]).await.status, 200, "{spelling}");
            let asked = upstream.last();
            assert_eq!(asked.target, format!("/images/{canonical}/{TILE}"), "{spelling}");
            let told = asked.folded("x-iiif-id");
            match keys {
                keys if keys.contains("cantaloupe") => assert!(told.is_empty(), "{told:?}"),
                keys if keys.contains("iipimage") => assert!(!told[0].contains('%'), "{told:?}"),
                _ => assert_eq!(told, [format!("{SITE}/iiif/3/{canonical}")]),
            }
            for (name, value) in &asked.headers {
                let value = String::from_utf8_lossy(value.as_bytes());
                assert!(spelling == canonical || !value.contains(spelling), "{name}: {value}");
            }
            let info = proxy.get(&format!("/iiif/3/{spelling}/info.json"), &[]).await;
            assert_eq!(info.status, 200, "{spelling}");
            assert_eq!(upstream.last().target, format!("/images/{canonical}/info.json"));
            // In a probe's URI an identifier is one segment.
            let one_segment = canonical.replace('/', "%2F");
            let probe = format!("{SITE}/auth/probe/iiif/3/{one_segment}");
            assert!(info.text().contains(&probe), "{spelling}: {}", info.text());
            let probed = proxy.get(probe.strip_prefix(SITE).unwrap(), &[]).await;
            assert!(probed.text().contains("\"status\":401"), "{spelling}: {}", probed.text());
        }
        for odd in [
            "letter.tif%3B",
            "x%26FIF=letter.tif",
            "l%2565tter.tif",
            "letter.tif.",
            "letter.tif%20",
            "letter.tif%00",
            "letter.tif%5C",
            "letter.tif%2Ffull%2Fmax%2F0%2Fdefault.jpg",
        ] {
            if keys.contains("cantaloupe") && odd.contains("%26")
                || keys.contains("iipimage") && odd.ends_with("%3B")
            {
                continue;
            }
            let before = upstream.count();
            for rest in ["", "/info.json", "/full/max/0/default.jpg"] {
                let answer = proxy.get(&format!("/iiif/3/{odd}{rest}"), &[]).await;
                assert_eq!(answer.status, 400, "{odd}{rest} with {keys}");
            }
            assert_eq!(upstream.count(), before, "{odd}");
        }
    }
}

/// AL-04: what IIPImage is told has no escape, and what it writes becomes the public URI.
#[tokio::test]
async fn al_04_the_id_is_put_right() {
    let upstream = Upstream::answering(|asked| {
        if !asked.target.ends_with("/info.json") {
            return Response::new(Full::from(PIXELS));
        }
        let told = asked.folded("x-iiif-id").concat();
        let info = format!(
            "{{\n  \"@context\" : \"http://iiif.io/api/image/2/context.json\",\n  \"@id\" : \"{told}\",\n  \
             \"width\" : 9, \"height\" : 9\n}}"
        );
        assert_eq!(asked.folded("range"), [""; 0]);
        Response::builder().header("etag", "\"a\"").body(Full::from(info)).unwrap()
    })
    .await;
    let proxy = Proxy::with(&with(&upstream, "dialect = \"iipimage\"")).await;
    for (spelling, canonical) in [
        ("dir/page.tif", "dir%2Fpage.tif"),
        ("m%79+song.tif", "my%20song.tif"),
        ("open/quo%22te.tif", "open%2Fquo%22te.tif"),
        ("open/plain.tif", "open%2Fplain.tif"),
        ("t%65st.tif", "test.tif"),
    ] {
        let path = format!("/iiif/3/{spelling}/info.json");
        let headers = [("range", "bytes=0-9"), ("x-iiif-id", "https://evil.example/%n")];
        let info = proxy.get(&path, &headers).await;
        assert_eq!(info.status, 200, "{spelling}");
        let id = format!("\"@id\" : \"{SITE}/iiif/3/{canonical}\"");
        let compact = id.replace(" : ", ":");
        let text = info.text();
        assert!(text.contains(&id) || text.contains(&compact), "{spelling}: {text}");
        assert_ne!(info.header("etag"), "\"a\"");
        let head = request(proxy.address, Method::HEAD, &path, &[], "").await;
        assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
        let length = head.header("content-length");
        assert!(length.is_empty() || length == text.len().to_string(), "{spelling}: {length}");
        // The base URI leads there; the image server would not know it in a folder.
        let before = upstream.count();
        let whole = proxy.get(&format!("/iiif/3/{spelling}"), &[]).await;
        assert_eq!(whole.status, 303);
        assert_eq!(whole.header("location"), format!("{SITE}/iiif/3/{canonical}/info.json"));
        assert_eq!(upstream.count(), before);
    }
}

/// AL-06: told so, a base takes identifiers of several segments; else it says what they look like.
#[tokio::test]
async fn al_06_several_segments() {
    let upstream = Upstream::new().await;
    let path = "/iiif/3/ark:/12148/btv1b8449691v/f29/info.json";
    let proxy = Proxy::with(&with(&upstream, "")).await;
    let answer = proxy.get(path, &[]).await;
    assert_eq!(answer.status, 404);
    assert!(answer.text().contains("%2F"), "{}", answer.text());
    assert_eq!(upstream.count(), 0);
    let proxy = Proxy::with(&with(&upstream, "several_segments = true")).await;
    assert_eq!(proxy.get(path, &[]).await.status, 200);
    assert_eq!(upstream.last().target, "/images/ark:/12148/btv1b8449691v/f29/info.json");
}

/// AL-07: the size of what was decided on is asked for, and what servers compute differently is closed.
#[tokio::test]
async fn al_07_sizes() {
    let upstream = Upstream::new().await;
    let limited = with(&upstream, "dialect = \"cantaloupe\"")
        .replace("allow = [\"reader\"]", "allow = [\"reader\"]\nmax_unauthorized = 400");
    let proxy = Proxy::with(&limited).await;
    for (spelling, size, expected) in [
        ("l%65tter.tif", "full/400,/0", 200),
        ("letter.tif%3b2", "full/400,/0", 200),
        ("letter.tif", "full/!99999,1/0", 401),
        ("letter.tif", "full/400.5,/0", 401),
        ("letter.tif", "full/!400,400/45", 401),
    ] {
        let answer = proxy.get(&format!("/iiif/3/{spelling}/{size}/default.jpg"), &[]).await;
        assert_eq!(answer.status, expected, "{spelling} {size}");
    }
    let asked: Vec<_> = upstream.asked().into_iter().map(|asked| asked.target).collect();
    for target in ["/images/letter.tif/info.json", "/images/letter.tif%3B2/info.json"] {
        assert!(asked.iter().any(|own| own == target), "{target}: {asked:?}");
    }
}

/// What no server could have is told with its line.
#[test]
fn dialects_are_checked() {
    let right = config("127.0.0.1:1".parse().unwrap());
    for (keys, said) in [
        ("dialect = \"sipi\"", "none of \"general\""),
        ("slash_substitute = \"__\"", "Cantaloupe"),
        ("dialect = \"cantaloupe\"\nslash_substitute = \"\"", "empty"),
        ("dialect = \"cantaloupe\"\nslash_substitute = \"%2F\"", "slash_substitute"),
        ("dialect = \"cantaloupe\"\nseveral_segments = true", "one segment"),
        ("dialect = \"iipimage\"\nurl_identifiers = true", "one segment"),
        ("insecure_characters = \"x\"", "insecure_characters"),
        ("kind = \"files\"\ndialect = \"iipimage\"", "dialect is not known"),
    ] {
        let text = right.replace("path = \"/iiif/3\"", &format!("path = \"/iiif/3\"\n{keys}"));
        let mistakes = Config::read(&text, &folder()).expect_err(keys).to_string();
        assert!(mistakes.contains(said) && mistakes.contains("line 1"), "{keys}: {mistakes}");
    }
    for keys in
        ["insecure_path_parameters = true", "dialect = \"general\"", "insecure_characters = \"@;\""]
    {
        let text = right.replace("path = \"/iiif/3\"", &format!("path = \"/iiif/3\"\n{keys}"));
        Config::read(&text, &folder()).unwrap_or_else(|all| panic!("{keys}: {all}"));
    }
}
