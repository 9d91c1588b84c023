//! What an operator reads: a line a decision, a line a request, counts; and no secret in any of them.

use http::Method;

use crate::program::{Program, command};
use crate::redis_server::free_port;
use crate::support::{Proxy, SITE, Upstream, config, folder, image, request};

/// Everything that the program writes while requests with secrets come in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p_20_no_secret_is_logged() {
    for format in ["text", "json"] {
        let upstream = Upstream::new().await;
        let folder = folder();
        let port = free_port();
        let text = config(upstream.address).replace("127.0.0.1:0", &format!("127.0.0.1:{port}"));
        let text = format!(
            "{text}\n[log]\nformat = \"{format}\"\nfilter = \"debug,tower_iiif_auth=trace\"\n"
        );
        std::fs::write(folder.join("proxy.toml"), text).unwrap();
        let program = Program::start(command(&folder), port).await;
        let address = program.address;

        let form = "username=ada&password=ada%27s+secret";
        let headers = [("origin", SITE), ("content-type", "application/x-www-form-urlencoded")];
        let login = request(address, Method::POST, "/auth/login", &headers, form).await;
        let cookie = login.header("set-cookie").split(';').next().unwrap().to_owned();
        let secret = cookie.split_once('=').unwrap().1.to_owned();
        assert!(secret.len() > 40, "{cookie}");
        request(address, Method::POST, "/auth/login", &headers, "username=ada&password=Hunter2")
            .await;
        let headers = [("cookie", &*cookie), ("authorization", "Bearer TopSecret")];
        request(address, Method::GET, &image("sec"), &headers, "").await;
        request(address, Method::GET, &image("sec"), &[], "").await;
        let token = "/auth/token?messageId=Message1&origin=https://viewer.example";
        let token = request(address, Method::GET, token, &headers, "").await.text();
        request(address, Method::GET, "/auth/probe/iiif/3/sec", &headers, "").await;

        let log = program.stop();
        for word in ["TopSecret", "Hunter2", "secret", "Message1", "CzVBV8", "ada", &*secret] {
            assert!(!log.contains(word), "{format}: {word} in\n{log}");
        }
        assert!(!token.is_empty() && !log.contains("viewer.example"), "{log}");

        // One line for each request, and one for each decision.
        let lines = |words: &[&str]| {
            log.lines().filter(|line| words.iter().all(|word| line.contains(word))).count()
        };
        let plain =
            |word: &str| if format == "json" { format!("\"{word}\"") } else { word.to_owned() };
        assert_eq!(lines(&["access", "milliseconds"]), 6, "{log}");
        assert_eq!(lines(&["decision", &image("sec"), "401"]), 1, "{log}");
        assert_eq!(lines(&["decision", &image("sec"), "200"]), 1, "{log}");
        assert!(log.contains(&plain("listening")) && log.contains("stopping"), "{log}");
    }
}

/// Metrics tell what happened; nobody's identifier is a label.
#[tokio::test]
async fn metrics_count_without_identifiers() {
    let upstream = Upstream::new().await;
    let config = format!("{}\n[admin]\nlisten = \"127.0.0.1:0\"\n", config(upstream.address));
    let proxy = Proxy::with(&config).await;
    let admin = proxy.admin.unwrap();
    let cookie = proxy.log_in("ada").await;
    for identifier in ["sec1", "sec2", "sec3"] {
        proxy.get(&image(identifier), &[("cookie", &cookie)]).await;
        proxy.get(&image(identifier), &[]).await;
    }
    proxy.get("/unknown/path", &[]).await;
    request(proxy.address, Method::from_bytes(b"BREW").unwrap(), &image("sec1"), &[], "").await;
    let answer = request(admin, Method::GET, "/metrics", &[], "").await;
    assert_eq!(answer.status, 200);
    let text = answer.text();
    for line in [
        "iiif_proxy_requests_total{route=\"/iiif/3\",method=\"GET\",status=\"200\"} 3",
        "iiif_proxy_requests_total{route=\"/iiif/3\",method=\"GET\",status=\"401\"} 3",
        "iiif_proxy_requests_total{route=\"/iiif/3\",method=\"other\",status=\"401\"} 1",
        "iiif_proxy_requests_total{route=\"other\",method=\"GET\",status=\"404\"} 1",
        "iiif_proxy_requests_total{route=\"services\",method=\"POST\",status=\"200\"} 1",
        "iiif_proxy_decisions_total{place=\"content\",outcome=\"granted\",reason=\"session\"} 3",
        "iiif_proxy_decisions_total{place=\"content\",outcome=\"unauthorized\",reason=\"missing\"} 4",
        "iiif_proxy_logins_total{kind=\"granted\"} 1",
        "iiif_proxy_requests_in_flight 0",
        "iiif_proxy_response_bytes_total{route=\"/iiif/3\"}",
        "iiif_proxy_request_duration_seconds_count{route=\"/iiif/3\"} 7",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    for word in ["sec1", "sec2", "/unknown", "BREW", "ada"] {
        assert!(!text.contains(word), "{word}\n{text}");
    }
    assert_eq!(request(admin, Method::GET, "/healthz", &[], "").await.text(), "ok\n");
    assert_eq!(request(admin, Method::GET, "/", &[], "").await.status, 404);
    // Not where browsers ask.
    assert_eq!(proxy.get("/metrics", &[]).await.status, 404);
    assert_eq!(proxy.get("/healthz", &[]).await.status, 404);
}
