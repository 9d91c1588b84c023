//! Content for scripts with the cookie, and under signed locations without one.

use http::Method;

use crate::program::{Program, command};
use crate::redis_server::free_port;
use crate::support::{PIXELS, Proxy, SITE, Upstream, config, folder, image, request, with_keys};

const VIEWER: &str = "https://viewer.example";

fn signing(config: &str) -> String {
    let rule = "allow = [\"reader\"]";
    let config = config.replace(rule, &format!("{rule}\nsigned_locations = true"));
    with_keys(&config, "origins = \"any\"\nlocation_lifetime = \"2m\"\n")
}

/// The path that a reader's probe says.
async fn located(address: std::net::SocketAddr, cookie: &str) -> String {
    let headers = [("cookie", cookie)];
    let token = format!("/auth/token?messageId=1&origin={VIEWER}");
    let page = request(address, Method::GET, &token, &headers, "").await.text();
    let (_, token) = page.split_once("\"accessToken\":\"").unwrap_or_else(|| panic!("{page}"));
    let bearer = format!("Bearer {}", token.split('"').next().unwrap());
    let headers = [("authorization", &*bearer)];
    let probe = request(address, Method::GET, "/auth/probe/iiif/3/sec", &headers, "").await.text();
    let probe: serde_json::Value = serde_json::from_str(&probe).unwrap();
    assert_eq!(probe["status"], 302, "{probe}");
    probe["location"]["id"].as_str().unwrap().strip_prefix(SITE).unwrap().to_owned()
}

/// The image server is asked for the ordinary path, in the one spelling that was decided on.
#[tokio::test]
async fn pictures_under_signed_locations() {
    let upstream = Upstream::new().await;
    let proxy = Proxy::with(&signing(&config(upstream.address))).await;
    let cookie = proxy.log_in("ada").await;
    let path = located(proxy.address, &cookie).await;
    let answer = proxy.get(&path, &[("range", "bytes=0-3")]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.text(), PIXELS);
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let asked = upstream.last();
    assert_eq!(asked.target, image("sec"));
    assert_eq!(asked.folded("range"), ["bytes=0-3"]);
    let capability = path.split('/').nth(3).unwrap();
    let told = asked.headers.values().any(|own| own.to_str().unwrap().contains(capability));
    assert!(!told, "{asked:?}");

    let info = path.replace("/full/max/0/default.jpg", "/info.json");
    let answer: serde_json::Value =
        serde_json::from_str(&proxy.get(&info, &[]).await.text()).unwrap();
    assert_eq!(answer["id"], format!("{SITE}{}", info.strip_suffix("/info.json").unwrap()));

    let before = upstream.count();
    for other in [path.replace("/sec/", "/sec2/"), path.replace("/iiif/3/", "/iiif/2/")] {
        assert_eq!(proxy.get(&other, &[("cookie", &cookie)]).await.status, 401, "{other}");
    }
    proxy.get("/auth/logout", &[("cookie", &cookie)]).await;
    assert_eq!(proxy.get(&path, &[]).await.status, 401);
    assert_eq!(upstream.count(), before);
}

/// A description of 1.0 leads there where the base says so.
#[tokio::test]
async fn descriptions_under_signed_locations() {
    let upstream = Upstream::new().await;
    for (keys, is_signed) in [
        ("families = [\"1.0\"]\nsigned_descriptions = true", true),
        ("families = [\"1.0\"]", false),
    ] {
        let base = "path = \"/iiif/3\"";
        let text = config(upstream.address);
        assert!(text.contains(base), "{text}");
        let text = signing(&text.replacen(base, &format!("{base}\n{keys}"), 1));
        let proxy = Proxy::with(&text).await;
        let cookie = proxy.log_in("ada").await;
        let token = format!("/auth/token/1?messageId=1&origin={VIEWER}");
        let page = proxy.get(&token, &[("cookie", &cookie)]).await.text();
        let token = page.split_once("\"accessToken\":\"").unwrap().1.split('"').next().unwrap();
        let bearer = format!("Bearer {token}");
        let info = proxy.get("/iiif/3/sec/info.json", &[("authorization", &bearer)]).await.text();
        let info: serde_json::Value = serde_json::from_str(&info).unwrap();
        let id = info["id"].as_str().or(info["@id"].as_str()).unwrap_or_default();
        assert_eq!(id.starts_with(&format!("{SITE}/auth/signed/")), is_signed, "{keys}: {info}");
        assert_eq!(info.get("service").is_none(), is_signed, "{info}");
    }
}

/// Where logins are handed off, the login's page lets its own click open the small window.
#[tokio::test]
async fn the_login_s_click_is_enough() {
    let upstream = Upstream::new().await;
    for is_on in [true, false] {
        let text =
            format!("{}\n[third_party_cookies]\nhand_off = {is_on}\n", config(upstream.address));
        let proxy = Proxy::with(&text).await;
        let page = proxy.get(&format!("/auth/login?origin={VIEWER}"), &[]).await;
        let script = "<script src=\"/auth/hand-off/open.js\" defer></script>";
        assert_eq!(page.text().contains(script), is_on);
        assert!(page.header("content-security-policy").contains("script-src 'self'"));
        let script = proxy.get("/auth/hand-off/open.js", &[]).await;
        assert_eq!(script.status == 200 && script.text().contains("window.open"), is_on);
    }
}

/// No line of the log, of any level, holds what opens something; no metric does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_opens_is_not_logged() {
    let upstream = Upstream::new().await;
    let folder = folder();
    let (port, admin) = (free_port(), free_port());
    let text =
        signing(&config(upstream.address)).replace("127.0.0.1:0", &format!("127.0.0.1:{port}"));
    let text = format!(
        "{text}\n[log]\nfilter = \"debug,tower_iiif_auth=trace\"\n[admin]\nlisten = \"127.0.0.1:{admin}\"\n"
    );
    std::fs::write(folder.join("proxy.toml"), text).unwrap();
    let program = Program::start(command(&folder), port).await;
    let form = "username=ada&password=ada%27s+secret";
    let headers = [("origin", SITE), ("content-type", "application/x-www-form-urlencoded")];
    let login = request(program.address, Method::POST, "/auth/login", &headers, form).await;
    let cookie = login.header("set-cookie").split(';').next().unwrap().to_owned();
    let path = located(program.address, &cookie).await;
    let capability = path.split('/').nth(3).unwrap().to_owned();
    for path in [path.clone(), path.replace("/sec/", "/other/"), path.replace("/iiif/", "/../")] {
        request(program.address, Method::GET, &path, &[("referer", &path)], "").await;
    }
    let admin = std::net::SocketAddr::from(([127, 0, 0, 1], admin));
    let metrics = request(admin, Method::GET, "/metrics", &[], "").await.text();
    let log = program.stop();
    assert!(capability.len() > 100 && !log.contains(&capability), "{log}");
    assert!(log.contains("/auth/signed/…/iiif/3/sec/full/max/0/default.jpg"), "{log}");
    assert!(!metrics.contains(&capability), "{metrics}");
    let line = "iiif_proxy_requests_total{route=\"/iiif/3\",method=\"GET\",status=\"200\"} 1";
    assert!(metrics.contains(line), "{metrics}");
}

/// `content_for_scripts` reaches the layers, and its mistakes are told in their line.
#[tokio::test]
async fn pages_that_read_with_the_cookie() {
    let upstream = Upstream::new().await;
    for (key, page, allowed) in [
        ("", VIEWER, false),
        ("content_for_scripts = [\"bound\", \"https://viewer.example\"]", VIEWER, true),
        ("content_for_scripts = [\"https://viewer.example\"]", "https://evil.example", false),
        ("content_for_scripts = \"bound\"", VIEWER, false),
    ] {
        let proxy = Proxy::with(&with_keys(&config(upstream.address), key)).await;
        let cookie = proxy.log_in("ada").await;
        let answer = proxy.get(&image("sec"), &[("cookie", &cookie), ("origin", page)]).await;
        assert_eq!(answer.status, 200);
        let expected = if allowed { page } else { "*" };
        assert_eq!(answer.header("access-control-allow-origin"), expected, "{key}");
    }
    for (key, message) in [
        ("content_for_scripts = \"any\"", "\"any\" is not \"bound\""),
        ("content_for_scripts = [\"viewer\"]", "is no origin"),
        ("content_for_scripts = true", "write \"bound\" or a list of origins"),
        ("location_lifetime = \"0s\"", "location_lifetime"),
    ] {
        let text = with_keys(&config(upstream.address), key);
        let mistakes =
            iiif_auth_proxy::config::Config::read(&text, &folder()).unwrap_err().to_string();
        assert!(mistakes.contains(message) && mistakes.contains('1'), "{mistakes}");
    }
}
