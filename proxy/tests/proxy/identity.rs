//! Who asks: told by the proxy only, and by no header that a client can write.

use crate::support::{Proxy, Upstream, config, image, raw, statuses, with_keys};

const TELLS: &str = "user_header = \"x-iiif-user\"\nroles_header = \"x-iiif-roles\"\n[[base]]";

/// PX-04: the image server gets exactly our value, under every spelling.
#[tokio::test]
async fn px_04_identity_header_smuggling() {
    let upstream = Upstream::new().await;
    let proxy = Proxy::with(&config(upstream.address).replacen("[[base]]", TELLS, 1)).await;
    let cookie = proxy.log_in("ada").await;
    for lines in [
        "X-IIIF-User: admin",
        "X_IIIF_User: admin",
        "x-iiif-USER: admin",
        "X-IIIF_User: admin",
        "X.IIIF.User: admin",
        "X-IIIF-User: admin\r\nX-IIIF-User: root",
        "Connection: X-IIIF-User, close\r\nX-IIIF-User: admin",
        "Connection: close, x-iiif-user, x-iiif-roles",
        "X_IIIF_Roles: admin\r\nX-IIIF-Roles: admin",
        "Remote-User: admin\r\nREMOTE_USER: admin\r\nX-Remote-User: admin\r\nX-Forwarded-User: admin",
    ] {
        for (identifier, cookie, user, roles) in
            [("sec", &*cookie, &["ada"][..], &["reader"][..]), ("pub", "", &[], &[])]
        {
            let text = format!(
                "GET {} HTTP/1.1\r\nHost: x\r\n{lines}\r\nCookie: {cookie}\r\n\r\n",
                image(identifier)
            );
            assert_eq!(statuses(&raw(proxy.address, text.as_bytes()).await), ["200"], "{lines}");
            let asked = upstream.last();
            assert_eq!(asked.folded("x-iiif-user"), user, "{lines}");
            assert_eq!(asked.folded("x-iiif-roles"), roles, "{lines}");
            let all = format!("{:?}", asked.headers);
            assert!(!all.contains("admin") && !all.contains("root"), "{lines}: {all}");
        }
    }
}

fn reading_room(proxies: &str) -> String {
    format!(
        "\n[[access]]\nname = \"room\"\nkind = \"reading-room\"\nlabel = \"Room\"\n\
         addresses = [\"10.0.0.0/8\", \"2001:db8::/32\"]\nrole = \"reader\"\n{proxies}"
    )
}

/// PX-02: with any chain of forwarding headers nobody gets into the reading room whom the peers do not
/// vouch for.
#[tokio::test]
async fn px_02_the_reading_room_is_not_spoofed() {
    let upstream = Upstream::new().await;
    let base = config(upstream.address) + &reading_room("");
    let spoofs = [
        "X-Forwarded-For: 10.0.0.1",
        "X-Forwarded-For: 10.0.0.1, 10.0.0.2",
        "X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-For: 10.0.0.1",
        "X-Forwarded-For: 2001:db8::1",
        "X_Forwarded_For: 10.0.0.1",
        "Forwarded: for=10.0.0.1",
        "Forwarded: for=\"[2001:db8::1]\"",
        "X-Real-IP: 10.0.0.1",
        "X-Client-IP: 10.0.0.1",
        "True-Client-IP: 10.0.0.1",
        "CF-Connecting-IP: 10.0.0.1",
        "X-Cluster-Client-IP: 10.0.0.1",
        "Via: 1.1 10.0.0.1",
    ];
    // Nobody is trusted by default.
    let proxy = Proxy::with(&base).await;
    for spoof in spoofs {
        assert_eq!(status(&proxy, spoof).await, "401", "{spoof}");
    }
    // Behind a trusted proxy, which appends its client's address: what stands left of that was written
    // by the client.
    let proxy =
        Proxy::with(&with_keys(&base, "trusted_proxies = [\"127.0.0.1\", \"198.51.100.1\"]")).await;
    for (chain, allowed) in [
        ("X-Forwarded-For: 10.0.0.1", true),
        ("X-Forwarded-For: 2001:db8::7", true),
        ("X-Forwarded-For: ::ffff:10.0.0.1", true),
        ("X-Forwarded-For: 203.0.113.9, 10.0.0.1", true),
        ("X-Forwarded-For: 10.0.0.1, 198.51.100.1", true),
        ("X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-For: 198.51.100.1", true),
        ("X-Forwarded-For: 10.0.0.1, 203.0.113.9", false),
        ("X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-For: 203.0.113.9", false),
        ("X-Forwarded-For: 10.0.0.1, 203.0.113.9, 198.51.100.1", false),
        ("X-Forwarded-For: 10.0.0.1, unknown", false),
        ("X-Forwarded-For: 10.0.0.1, ", false),
        ("X-Forwarded-For: 10.0.0.1, 203.0.113.9\r\nForwarded: for=10.0.0.1", false),
        ("X_Forwarded_For: 10.0.0.1", false),
        ("X-Real-IP: 10.0.0.1", false),
        ("Connection: x-forwarded-for\r\nX-Forwarded-For: 10.0.0.1, 203.0.113.9", false),
    ] {
        let expected = if allowed { "200" } else { "401" };
        assert_eq!(status(&proxy, chain).await, expected, "{chain}");
    }
}

async fn status(proxy: &Proxy, lines: &str) -> String {
    let text = format!("GET {} HTTP/1.1\r\nHost: x\r\n{lines}\r\n\r\n", image("sec"));
    statuses(&raw_once(proxy, &text).await).concat()
}

async fn raw_once(proxy: &Proxy, text: &str) -> String {
    let text = if text.contains("Connection:") {
        text.to_owned()
    } else {
        text.replace("Host: x", "Host: x\r\nConnection: close")
    };
    raw(proxy.address, text.as_bytes()).await
}

fn single_sign_on(peers: &str, every_request: bool) -> String {
    format!(
        "kind = \"single-sign-on\"\nuser_header = \"x-remote-user\"\nroles_header = \"x-remote-groups\"\n\
         peers = [\"{peers}\"]\nevery_request = {every_request}"
    )
}

/// PX-04: a single sign-on's header is believed from its own web server only, and goes no further.
#[tokio::test]
async fn px_04_the_single_sign_on_is_not_spoofed() {
    let upstream = Upstream::new().await;
    let base = config(upstream.address).replace("users_file = \"users\"", "");
    let with = |peers, every| base.replace("kind = \"login\"", &single_sign_on(peers, every));
    let honest = "X-Remote-User: ada\r\nX-Remote-Groups: staff;reader";

    // A listed peer, on every request.
    let proxy = Proxy::with(&with("127.0.0.1", true)).await;
    assert_eq!(status(&proxy, honest).await, "200");
    assert_eq!(upstream.last().folded("x-remote-user"), [""; 0]);
    assert_eq!(upstream.last().folded("x-remote-groups"), [""; 0]);
    for (lines, expected) in [
        ("X-Remote-User: ada", "403"),
        ("X_Remote_User: ada\r\nX_Remote_Groups: reader", "401"),
        ("X-Remote-User: ada\r\nX-Remote-User: bob\r\nX-Remote-Groups: reader", "401"),
        ("X-Remote-User: ada\r\nX-Remote-Groups: x\r\nX-Remote-Groups: reader", "401"),
        ("X-Remote-User: \r\nX-Remote-Groups: reader", "401"),
    ] {
        assert_eq!(status(&proxy, lines).await, expected, "{lines}");
    }
    // Another peer.
    let proxy = Proxy::with(&with("198.51.100.1", true)).await;
    for more in ["", "\r\nX-Forwarded-For: 198.51.100.1", "\r\nForwarded: for=198.51.100.1"] {
        assert_eq!(status(&proxy, &format!("{honest}{more}")).await, "401", "{more}");
    }
    let login = proxy.get("/auth/login", &[("x-remote-user", "ada")]).await;
    assert_eq!(login.status, 403);

    // At the login only: the cookie is ours, and the header opens nothing elsewhere.
    let proxy = Proxy::with(&with("127.0.0.1", false)).await;
    assert_eq!(status(&proxy, honest).await, "401");
    let login = proxy
        .get(
            "/auth/login?origin=https://viewer.example",
            &[("x-remote-user", "ada"), ("x-remote-groups", "reader")],
        )
        .await;
    // A click is asked for, as the request is no form of this site.
    assert_eq!(login.status, 200, "{}", login.text());
    assert!(
        login.text().contains("viewer.example") && login.text().contains("<form"),
        "{}",
        login.text()
    );
}
