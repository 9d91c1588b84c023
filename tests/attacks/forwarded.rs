//! PX: what forwarding headers cannot do. (The proxy's own rows come with the proxy.)

use std::net::SocketAddr;

use http::Method;
use tower_iiif_auth::aspect::{AuthorizingAspect, IpRanges, PeerAddr, TrustedHeader};
use tower_iiif_auth::{AccessCookie, AccessService, IiifAuth, IiifAuthBuilder, Realm};

use crate::common::steps::from_peer;
use crate::common::{
    BASE, Publisher, assert_denied, clock, image, json, keyring, request, rules, text,
};
use crate::setup::{probe, status_of};

/// PX-01: forged forwarding headers neither change what is decided on nor what is said.
#[tokio::test]
async fn px_01_forged_forwarding_headers() {
    let publisher = Publisher::new();
    let open = image("pub");
    for (name, value) in [
        ("x-forwarded-uri", &*open),
        ("x-original-url", &open),
        ("x-original-uri", &open),
        ("x-rewrite-url", &open),
        ("x-forwarded-path", &open),
        ("x-forwarded-prefix", "/iiif/3/pub"),
        ("x-forwarded-method", "OPTIONS"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-port", "80"),
        ("x-forwarded-user", "admin"),
        ("x-forwarded-groups", "A"),
        ("x-remote-user", "admin"),
        ("remote-user", "admin"),
        ("x-real-ip", "127.0.0.1"),
        ("forwarded", "for=127.0.0.1;host=evil.example;proto=http"),
        ("via", "1.1 localhost"),
        ("host", "evil.example"),
        ("x-accel-redirect", &open),
        ("user-agent", "GoogleHC/1.0"),
    ] {
        let headers = [(name, value)];
        let calls = publisher.calls();
        assert_denied(&publisher.get(&image("sec"), &headers).await, 401);
        assert_eq!(status_of(&publisher.probe(&probe("sec"), &headers).await), 401, "{name}");
        assert_eq!(publisher.calls(), calls, "{name}");
        let response = publisher.get("/iiif/3/sec/info.json", &headers).await;
        let service = json(&response)["service"][0].to_string();
        assert!(service.contains(BASE) && !service.contains("http://iiif."), "{name}: {service}");
        assert!(!text(&response).contains("evil.example"), "{name}");
        let to_info = publisher.get("/iiif/3/sec", &headers).await;
        assert_eq!(to_info.headers()["location"], "https://iiif.example/iiif/3/sec/info.json");
        let login = publisher.get("/auth/login?origin=https://viewer.example", &headers).await;
        assert!(login.headers()["set-cookie"].to_str().unwrap().contains("; Secure"), "{name}");
    }
}

fn with_aspect(aspect: impl AuthorizingAspect) -> IiifAuthBuilder {
    IiifAuth::builder(BASE)
        .keyring(keyring())
        .clock(clock())
        .images("/iiif/3")
        .realm(
            Realm::new()
                .access(AccessService::active("login", "Library"))
                .aspect(AccessCookie::new().or(aspect)),
        )
        .authorizer(rules())
}

/// PX-02: an address is the connection's, unless its proxy is trusted.
#[tokio::test]
async fn px_02_addresses() {
    let inside = || IpRanges::new(["10.0.0.0/8", "::1/128"], "A").unwrap();
    let untrusting = Publisher::of(with_aspect(inside()), clock());
    let behind = inside().trusted_proxies(["192.0.2.1"]).unwrap();
    let trusting = Publisher::of(with_aspect(behind), clock());
    let forged: &[&[(&str, &str)]] = &[
        &[("x-forwarded-for", "10.0.0.1")],
        &[("forwarded", "for=10.0.0.1")],
        &[("x-real-ip", "10.0.0.1")],
        &[("x-forwarded-for", "10.0.0.1, 10.0.0.2")],
        &[("x-forwarded-for", "10.0.0.1"), ("x-forwarded-for", "10.0.0.2")],
        &[("x-client-ip", "10.0.0.1"), ("true-client-ip", "10.0.0.1")],
        &[("cf-connecting-ip", "10.0.0.1"), ("x-cluster-client-ip", "10.0.0.1")],
        &[("x_forwarded_for", "10.0.0.1")],
        &[("x-forwarded-for", "::1")],
        &[("x-forwarded-for", "[::1]:80")],
        &[("x-forwarded-for", "::ffff:10.0.0.1")],
    ];
    for headers in forged {
        for publisher in [&untrusting, &trusting] {
            for peer in ["198.51.100.9", "2001:db8::9", "192.0.2.10", "::ffff:198.51.100.9"] {
                let asked = from_peer(request(Method::GET, &image("sec"), headers), peer);
                assert_denied(&publisher.send(asked).await, 401);
                let asked = request(
                    Method::GET,
                    "/auth/token?messageId=m1&origin=https://v.example",
                    headers,
                );
                let page = publisher.send(from_peer(asked, peer)).await;
                crate::html::assert_error(&page, "missingAspect", "https://v.example");
            }
            // Without a peer nobody is known, whatever is claimed.
            assert_denied(&publisher.get(&image("sec"), headers).await, 401);
        }
    }
    assert_eq!(untrusting.calls() + trusting.calls(), 0);
    for peer in ["10.0.0.1", "::ffff:10.0.0.1", "::1"] {
        let asked = from_peer(request(Method::GET, &image("sec"), &[]), peer);
        assert_eq!(untrusting.send(asked).await.status(), 200, "{peer}");
    }
    // A proxy that is trusted vouches for the nearest address only.
    for (value, expected) in [
        ("10.0.0.1", 200),
        ("10.0.0.1, 198.51.100.9", 401),
        ("198.51.100.9, 10.0.0.1", 200),
        ("10.0.0.1, unknown", 401),
        ("10.0.0.1,", 401),
        ("10.0.0.1 198.51.100.9", 401),
        ("0x0a.0.0.1", 401),
        ("010.0.0.1", 401),
        ("10.1", 401),
        ("\"10.0.0.1\"", 401),
        ("10.0.0.1%00", 401),
    ] {
        let asked = request(Method::GET, &image("sec"), &[("x-forwarded-for", value)]);
        let response = trusting.send(from_peer(asked, "192.0.2.1")).await;
        assert_eq!(response.status(), expected, "{value}");
    }
    // What the framework says counts, and ours before a plain socket address.
    let mut asked = request(Method::GET, &image("sec"), &[]);
    asked.extensions_mut().insert("10.0.0.1:80".parse::<SocketAddr>().unwrap());
    assert_eq!(untrusting.send(asked).await.status(), 200);
    let mut asked = request(Method::GET, &image("sec"), &[]);
    asked.extensions_mut().insert("10.0.0.1:80".parse::<SocketAddr>().unwrap());
    asked.extensions_mut().insert(PeerAddr("198.51.100.9".parse().unwrap()));
    assert_denied(&untrusting.send(asked).await, 401);
}

/// A header that names the user is believed only from the listed peer.
#[tokio::test]
async fn a_trusted_header_needs_its_peer() {
    let sso = TrustedHeader::new("x-remote-user", ["192.0.2.1"])
        .and_then(|sso| sso.roles_from("x-remote-groups", ','))
        .unwrap();
    let publisher = Publisher::of(with_aspect(sso), clock());
    let claim = [("x-remote-user", "ada"), ("x-remote-groups", "A")];
    for (peer, headers, expected) in [
        ("192.0.2.1", &claim[..], 200),
        ("192.0.2.2", &claim, 401),
        ("198.51.100.9", &[claim[0], claim[1], ("x-forwarded-for", "192.0.2.1")], 401),
        ("192.0.2.1", &[claim[0], claim[0], claim[1]], 401),
        ("192.0.2.1", &[claim[0], claim[1], ("x-remote-groups", "B")], 401),
        ("192.0.2.1", &[("x_remote_user", "ada"), claim[1]], 401),
        ("192.0.2.1", &[("x-remote-user", ""), claim[1]], 401),
        ("192.0.2.1", &[("x-remote-user", "ada"), ("x-remote-groups", "a")], 403),
        ("192.0.2.1", &[("x-remote-user", "ada"), ("x-remote-groups", "AB")], 403),
    ] {
        let asked = from_peer(request(Method::GET, &image("sec"), headers), peer);
        assert_eq!(publisher.send(asked).await.status(), expected, "{peer} {headers:?}");
    }
    assert_denied(&publisher.get(&image("sec"), &claim).await, 401);
}
