//! Keys that the library has settings for: each does what the settings page says.

use std::time::Duration;

use http::Method;
use iiif_auth_proxy::config::Config;

use crate::support::{
    PIXELS, Proxy, SITE, Upstream, config, folder, image, raw, request, with_keys,
};

/// The shared configuration, with more keys for its login.
fn with_access(upstream: &Upstream, keys: &str) -> String {
    format!("{}{keys}\n", config(upstream.address))
}

async fn log_in(proxy: &Proxy) -> String {
    let headers = [("origin", SITE), ("content-type", "application/x-www-form-urlencoded")];
    let form = "username=ada&password=ada%27s+secret";
    let answer = request(proxy.address, Method::POST, "/auth/login", &headers, form).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let cookies = answer.headers.get_all("set-cookie").iter();
    let cookies = cookies.map(|own| own.to_str().unwrap().to_owned());
    cookies.filter(|own| !own.contains("Max-Age=0")).collect::<Vec<_>>().join("\n")
}

fn pair(set_cookie: &str) -> &str {
    set_cookie.split(';').next().unwrap()
}

/// A session that is used goes on, one that is not used ends, and both end at last.
#[tokio::test]
async fn sessions_are_renewed_while_they_are_used() {
    let upstream = Upstream::new().await;
    let keys = "lifetime = \"4s\"\nrenewed_up_to = \"1h\"";
    let proxy = Proxy::with(&with_access(&upstream, keys)).await;
    let first = log_in(&proxy).await;
    assert_eq!(
        pair(&log_in(&Proxy::before(&upstream).await).await).split('=').next(),
        Some("__Host-iiif")
    );
    let fresh = proxy.get(&image("sec"), &[("cookie", pair(&first))]).await;
    assert_eq!((fresh.status.as_u16(), fresh.header("set-cookie")), (200, ""));
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let used = proxy.get(&image("sec"), &[("cookie", pair(&first))]).await;
    assert_eq!(used.status, 200, "a busy machine?");
    let renewed = used.header("set-cookie").to_owned();
    assert!(renewed.starts_with("__Host-iiif=") && renewed != first, "{renewed}");
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(proxy.get(&image("sec"), &[("cookie", pair(&first))]).await.status, 401);
    assert_eq!(proxy.get(&image("sec"), &[("cookie", pair(&renewed))]).await.status, 200);
}

/// The cookie's name, domain and path; whatever it is called, the image server never sees it.
#[tokio::test]
async fn the_cookie_is_as_it_was_told() {
    let upstream = Upstream::new().await;
    for (keys, name, attributes) in [
        ("cookie_name = \"__Secure-lib\"", "__Secure-lib", &["Path=/;"][..]),
        (
            "cookie_name = \"lib\"\ncookie_domain = \"iiif.example\"",
            "lib",
            &["Domain=iiif.example"],
        ),
        (
            "insecure_longer_than_a_day = true\nlifetime = \"90d\"",
            "__Host-iiif",
            &["Max-Age=7776000"],
        ),
    ] {
        let proxy = Proxy::with(&with_access(&upstream, keys)).await;
        let set = log_in(&proxy).await;
        assert!(set.starts_with(&format!("{name}=")), "{keys}: {set}");
        assert!(attributes.iter().all(|own| set.contains(own)), "{keys}: {set}");
        let cookies = format!("{}; other=1", pair(&set));
        let tile = proxy.get(&image("sec"), &[("cookie", &cookies)]).await;
        assert_eq!(tile.text(), PIXELS, "{keys}");
        assert_eq!(upstream.last().folded("cookie"), ["other=1"], "{keys}");
    }
}

/// Without a logout none is offered, and there is none.
#[tokio::test]
async fn a_logout_may_be_left_out() {
    let upstream = Upstream::new().await;
    for (keys, offered) in [("", true), ("logout = true", true), ("logout = false", false)] {
        let proxy = Proxy::with(&with_access(&upstream, keys)).await;
        let info = proxy.get("/iiif/3/sec/info.json", &[]).await.text();
        assert_eq!(info.contains("/auth/logout"), offered, "{keys}: {info}");
    }
}

/// A logout leads back to this site, and to those that are listed.
#[tokio::test]
async fn a_link_leads_back_to_sites_that_are_listed() {
    let upstream = Upstream::new().await;
    let text = config(upstream.address);
    let listed = with_keys(&text, "return_to = [\"https://catalogue.example\"]");
    for (text, there) in [(&text, false), (&listed, true)] {
        let proxy = Proxy::with(text).await;
        for (to, known) in [
            ("https://catalogue.example/a", there),
            ("/here", true),
            ("https://evil.example/", false),
            ("https://catalogue.example.evil.example/", false),
        ] {
            let answer = proxy.get(&format!("/auth/logout?return_to={to}"), &[]).await;
            let place = answer.header("location");
            assert_eq!(place.ends_with(to), known, "{to}: {} {place}", answer.status);
        }
    }
}

/// How long a form may take is said, and holds for the proxy's own login.
#[tokio::test]
async fn a_form_has_its_time() {
    let upstream = Upstream::new().await;
    let proxy =
        Proxy::with(&with_keys(&config(upstream.address), "form_timeout = \"300ms\"")).await;
    let head = "POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n\
                Origin: https://iiif.example\r\nContent-Length: 99\r\n\r\nusername=";
    let answer = raw(proxy.address, head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
}

/// Who decides elsewhere has so long: shorter than its own time-out, it is 503 sooner.
#[tokio::test]
async fn a_decision_has_its_time() {
    let upstream = Upstream::new().await;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let asked = silent.local_addr().unwrap();
    let keys = format!(
        "authorize_url = \"http://{asked}/\"\nauthorize_timeout = \"1h\"\ndecision_timeout = \"200ms\""
    );
    let proxy = Proxy::with(&with_keys(&config(upstream.address), &keys)).await;
    let answer =
        tokio::time::timeout(Duration::from_secs(60), proxy.get(&image("other"), &[])).await;
    assert_eq!(answer.expect("it has an end").status, 503);
}

/// What files are is told where their extension does not.
#[tokio::test]
async fn files_are_what_they_were_said_to_be() {
    let manifest = r#"{"@context":"http://iiif.io/api/presentation/3/context.json","id":"https://iiif.example/manifests/1","type":"Manifest","label":{"en":["A"]},"items":[{"id":"https://iiif.example/c","type":"Canvas","duration":1,"items":[{"id":"https://iiif.example/p","type":"AnnotationPage","items":[{"id":"https://iiif.example/a","type":"Annotation","motivation":"painting","target":"https://iiif.example/c","body":{"id":"https://iiif.example/av/sec","type":"Sound"}}]}]}]}"#;
    let upstream = Upstream::answering(move |_| {
        let builder = http::Response::builder().header("content-type", "application/json");
        builder.body(manifest.into()).unwrap()
    })
    .await;
    let text = config(upstream.address).replace(
        "[[rule]]\nmatch = [\"pub",
        "[[base]]\npath = \"/av\"\nkind = \"files\"\ncontent_type = \"Sound\"\n\n[[manifests]]\npath = \"/manifests\"\n\n\
         [[rule]]\nmatch = [\"pub",
    );
    let proxy = Proxy::with(&with_keys(&text, "public_paths = [\"/manifests/*\"]")).await;
    let described = proxy.get("/manifests/1", &[]).await;
    assert!(described.text().contains("/auth/probe/av/sec"), "{}", described.text());
}

/// What is wrong is told in its own line.
#[test]
fn mistakes_of_these_keys() {
    let upstream = "127.0.0.1:1".parse().unwrap();
    let text = config(upstream);
    for (keys, at_top, said) in [
        ("lifetime = \"2d\"", false, "insecure_longer_than_a_day"),
        ("lifetime = \"500d\"\ninsecure_longer_than_a_day = true", false, "400 days"),
        ("renewed_up_to = \"1m\"", false, "renewed"),
        ("cookie_name = \"a b\"", false, "a b"),
        ("cookie_domain = \"other.example\"\ncookie_name = \"lib\"", false, "other.example"),
        ("cookie_domain = \"iiif.example\"\ncookie_name = \"__Host-lib\"", false, "__Host-"),
        ("cookie_path = \"/elsewhere\"\ncookie_name = \"lib\"", false, "is not sent to"),
        ("logout = false\nlogout_label = \"Out\"", false, "no meaning"),
        ("return_to = [\"catalogue\"]", true, "return_to"),
        ("return_to = \"https://a.example\"", true, "return_to"),
        ("form_timeout = \"0s\"", true, "form_timeout"),
        ("decision_timeout = \"2d\"", true, "decision_timeout"),
        ("described_timeout = \"x\"", true, "described_timeout"),
        ("token_lifetime = \"10ms\"", true, "token"),
    ] {
        let text = if at_top { with_keys(&text, keys) } else { format!("{text}{keys}\n") };
        let mistakes = Config::read(&text, &folder()).expect_err(keys);
        assert!(mistakes.to_string().contains(said), "{keys}: {mistakes}");
        let key = keys.split(' ').next().unwrap();
        let line = text.lines().position(|line| line.starts_with(key)).unwrap() + 1;
        let of_access = text.lines().position(|line| line == "[[access]]").unwrap() + 1;
        let told = mistakes.iter().next().unwrap().line;
        assert!(told == line || !at_top && told == of_access, "{keys}: {mistakes}");
    }
    let files =
        text.replace("families = [\"1.0\", \"0.9\"]", "kind = \"files\"\ncontent_type = \"Movie\"");
    let mistakes = Config::read(&files, &folder()).expect_err("no such type").to_string();
    assert!(
        mistakes.contains("\"Movie\" is none of") && mistakes.contains("\"Video\""),
        "{mistakes}"
    );
}

/// Texts of the library's and of the form are what the table says, in the reader's language; what is not
/// given stays.
#[tokio::test]
async fn texts_are_the_publisher_s() {
    let upstream = Upstream::new().await;
    let texts = "[texts]\nlogin_button = { en = \"Come in\", cy = \"Mewngofnodi\" }\n\
                 login_wrong = \"No <b>\"\nlogged_out = { en = \"Goodbye!\", cy = \"Hwyl fawr!\" }\n\
                 denied_login = \"For readers\"\ndenied_login_note = \"Ask at the desk.\"\n";
    let proxy = Proxy::with(&format!("{}{texts}", config(upstream.address))).await;
    let welsh = [("accept-language", "cy, en;q=0.5")];
    let form = proxy.get("/auth/login", &welsh).await.text();
    assert!(form.contains("lang=\"cy\"") && form.contains(">Mewngofnodi</button>"), "{form}");
    assert!(form.contains(">Name<"), "what is not given stays: {form}");
    assert!(proxy.get("/auth/login", &[]).await.text().contains(">Come in</button>"));
    let headers = [("origin", SITE), ("content-type", "application/x-www-form-urlencoded")];
    let wrong =
        request(proxy.address, Method::POST, "/auth/login", &headers, "username=ada&password=x");
    assert!(wrong.await.text().contains("No &lt;b&gt;"));
    assert!(proxy.get("/auth/logout", &welsh).await.text().contains("Hwyl fawr!"));
    let denied = proxy.get(&image("sec"), &[]).await.text();
    assert!(denied.contains("For readers") && denied.contains("Ask at the desk."), "{denied}");

    let wrong = format!("{}[texts]\ngranted_note = \"x\"\n", config(upstream.address));
    let mistakes = Config::read(&wrong, &folder()).expect_err("a note alone").to_string();
    assert!(mistakes.contains("granted_note needs granted"), "{mistakes}");
}

/// Registered clients of 0.9.2 are those of the file, and no message quotes a secret.
#[tokio::test]
async fn clients_are_those_of_the_file() {
    let upstream = Upstream::new().await;
    let folder = folder();
    let clients = folder.join("clients");
    let text = with_access(&upstream, "clients_file = \"clients\"");
    std::fs::write(&clients, "# ours\n\napp: sixteen-bytes-or-more\n").unwrap();
    let proxy = Proxy::within(&text, &folder).await;
    for (secret, said) in
        [("sixteen-bytes-or-more", "authorizationCode"), ("wrong", "invalidClientSecret")]
    {
        let body = format!("{{\"clientId\":\"app\",\"clientSecret\":\"{secret}\"}}");
        let headers = [("content-type", "application/json")];
        let answer = request(proxy.address, Method::POST, "/auth/client", &headers, &body).await;
        assert!(answer.text().contains(said), "{}", answer.text());
    }
    for (lines, said) in [
        ("app", "line 1 of the clients_file is not id:secret"),
        ("app:short-secret", "secret"),
        ("\n:sixteen-bytes-or-more", "id"),
    ] {
        std::fs::write(&clients, lines).unwrap();
        let mistakes = Config::read(&text, &folder).expect_err(lines).to_string();
        assert!(mistakes.contains(said), "{lines}: {mistakes}");
        assert!(!mistakes.contains("sixteen") && !mistakes.contains("short-"), "{mistakes}");
    }
    std::fs::remove_file(&clients).unwrap();
    let mistakes = Config::read(&text, &folder).expect_err("no file").to_string();
    assert!(mistakes.contains("cannot be read"), "{mistakes}");
}
