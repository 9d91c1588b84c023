//! The proxy's own logins, to the picture.

use std::io::Write;
use std::process::{Command, Stdio};

use http::Method;

use crate::support::{PIXELS, Proxy, SITE, Upstream, config, folder, image, request};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// The form, a wrong password, the right one, the picture, the logout.
#[tokio::test]
async fn a_form_leads_to_the_picture() {
    let upstream = Upstream::new().await;
    let proxy = Proxy::before(&upstream).await;
    let page =
        proxy.get("/auth/login?origin=https://viewer.example", &[("accept-language", "de")]).await;
    assert_eq!(page.status, 200);
    let html = page.text();
    assert!(html.contains("Example Library") && html.contains("Passwort"), "{html}");
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(page.header("cache-control"), "no-store");

    for (form, status) in [
        ("username=ada&password=wrong", 403),
        ("username=nobody&password=ada%27s+secret", 403),
        ("username=ada", 403),
        ("", 403),
    ] {
        let headers = [FORM, ("origin", SITE)];
        let answer = request(proxy.address, Method::POST, "/auth/login", &headers, form).await;
        assert_eq!(answer.status, status, "{form}");
        assert!(
            !answer
                .headers
                .get_all("set-cookie")
                .iter()
                .any(|own| own.to_str().unwrap().starts_with("__Host-iiif="))
        );
    }
    let cookie = proxy.log_in("ada").await;
    let picture = proxy.get(&image("sec"), &[("cookie", &cookie)]).await;
    assert_eq!((picture.status.as_u16(), &*picture.text()), (200, PIXELS));
    assert!(picture.header("cache-control").starts_with("private"));
    let visitor = proxy.log_in("bob").await;
    assert_eq!(proxy.get(&image("sec"), &[("cookie", &visitor)]).await.status, 403);

    let out = proxy.get("/auth/logout", &[("cookie", &cookie)]).await;
    assert_eq!(out.status, 200);
    assert_eq!(proxy.get(&image("sec"), &[("cookie", &cookie)]).await.status, 401);
    assert!(upstream.asked().iter().all(|asked| asked.target.starts_with("/iiif/")));
}

/// After ten wrong passwords a name has to wait at an address, also for the right one.
#[tokio::test]
async fn wrong_passwords_are_limited() {
    let proxy = Proxy::before(&Upstream::new().await).await;
    let post = |form: &'static str| {
        let headers = [FORM, ("origin", SITE), ("x-forwarded-for", "10.0.0.1")];
        async move { request(proxy.address, Method::POST, "/auth/login", &headers, form).await }
    };
    for _ in 0..10 {
        assert_eq!(post("username=ada&password=wrong").await.status, 403);
    }
    let limited = post("username=ada&password=ada%27s+secret").await;
    assert_eq!((limited.status.as_u16(), limited.header("retry-after")), (429, "600"));
}

/// Terms, a kiosk and a second login beside each other, each for its own resources.
#[tokio::test]
async fn several_kinds_of_access_stand_beside_each_other() {
    let upstream = Upstream::new().await;
    let more = r#"
[[rule]]
match = ["terms-*"]
allow = ["visitor"]
heading = "For visitors"
max_unauthorized = 100
substitute = { identifier = "pub-small" }

[[rule]]
match = ["poster"]
allow = ["foyer"]

[[access]]
name = "terms"
kind = "click-through"
label = { en = "Example Library", de = "Bücherei" }
terms_heading = { en = "Terms of use" }
terms_note = { en = "For private study only." }
role = "visitor"
protects = ["terms-*"]

[[access]]
name = "foyer"
kind = "kiosk"
label = "The screen in the foyer"
role = "foyer"
protects = ["poster"]
"#;
    let proxy = Proxy::with(&(config(upstream.address) + more)).await;
    for (identifier, services) in [
        ("sec", &["/auth/login"][..]),
        ("terms-1", &["/auth/terms/accept", "Bücherei"]),
        ("poster", &["/auth/foyer/enter"]),
    ] {
        let info = proxy.get(&format!("/iiif/3/{identifier}/info.json"), &[]).await.text();
        for service in services {
            assert!(info.contains(service), "{identifier}: {info}");
        }
    }
    let terms = proxy.get("/auth/terms/accept?origin=https://viewer.example", &[]).await;
    assert!(terms.text().contains("For private study only."), "{}", terms.text());
    // Small is open to everyone, and more of it is not.
    let small = proxy.get("/iiif/3/terms-1/full/!90,90/0/default.jpg", &[]).await;
    assert_eq!(small.status, 200);
    for more in ["full/!200,200", "0,0,90,90/max", "full/max"] {
        assert_eq!(
            proxy.get(&format!("/iiif/3/terms-1/{more}/0/default.jpg"), &[]).await.status,
            401
        );
    }
    let probe = proxy.get("/auth/probe/iiif/3/terms-1", &[]).await;
    assert!(probe.text().contains("/iiif/3/pub-small"), "{}", probe.text());
}

/// What is small is told by region and size together, and by how large the image is.
#[tokio::test]
async fn small_views_are_open_and_add_up_to_nothing() {
    let upstream = Upstream::answering(|asked| {
        let body = match asked.target.as_str() {
            "/inner/sec-page/info.json" => r#"{"width":4000,"height":3000}"#,
            "/inner/sec-stamp/info.json" => r#"{"width":300,"height":200}"#,
            target if target.ends_with("/info.json") => "none",
            _ => PIXELS,
        };
        http::Response::new(http_body_util::Full::from(body))
    })
    .await;
    let config = config(upstream.address)
        .replace("allow = [\"reader\"]", "allow = [\"reader\"]\nmax_unauthorized = 400")
        .replace("path = \"/iiif/3\"", "path = \"/iiif/3\"\nupstream_path = \"/inner\"");
    let proxy = Proxy::with(&config).await;
    for (view, status) in [
        ("sec-page/full/400,", 200),
        ("sec-page/full/,300", 200),
        ("sec-page/full/!400,400", 200),
        ("sec-page/full/401,", 401),
        ("sec-page/full/max", 401),
        ("sec-page/0,0,4000,3000/400,", 200),
        ("sec-page/0,0,2000,1500/400,", 401),
        ("sec-page/0,0,400,400/max", 401),
        ("sec-page/0,0,2000,1500/200,", 200),
        ("sec-stamp/full/max", 200),
        ("sec-nothing/full/max", 401),
        ("sec-nothing/full/400,", 401),
        ("sec-nothing/full/!400,400", 200),
    ] {
        let answer = proxy.get(&format!("/iiif/3/{view}/0/default.jpg"), &[]).await;
        assert_eq!(answer.status, status, "{view}");
    }
    let asked = upstream.asked();
    let infos = asked.iter().filter(|asked| asked.target.ends_with("info.json")).count();
    assert_eq!(infos, 3, "each image once");
}

/// What `--hash-password` prints belongs into the users file as it is.
#[tokio::test]
async fn a_hash_of_the_command_s_own_lets_in() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_iiif-auth-proxy"))
        .arg("--hash-password")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    command.stdin.take().unwrap().write_all(b"eve's secret\n").unwrap();
    let hash = String::from_utf8(command.wait_with_output().unwrap().stdout).unwrap();
    assert!(hash.starts_with("$argon2id$"), "{hash}");
    let folder = folder();
    let users = format!("# readers\n\neve:{}:reader, visitor\n", hash.trim());
    std::fs::write(folder.join("users"), users).unwrap();
    let upstream = Upstream::new().await;
    let proxy = Proxy::within(&config(upstream.address), &folder).await;
    let cookie = proxy.log_in("eve").await;
    assert_eq!(proxy.get(&image("sec"), &[("cookie", &cookie)]).await.status, 200);
}
