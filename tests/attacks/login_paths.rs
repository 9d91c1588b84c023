//! Beside the door: what lies below the login and is no page of it.

use http::Method;

use crate::common::{BASE, Publisher, V, bare, clock, request};
use tower_iiif_auth::{AccessService, IiifAuthBuilder, Limits, Realm};

fn with_login(login: AccessService) -> IiifAuthBuilder {
    bare(&clock()).realm(Realm::new().access(login))
}

fn login() -> AccessService {
    AccessService::active("login", "Example Library")
}

/// PB-01: only the login's own path and its steps are let through, by whatever method.
#[tokio::test]
async fn pb_01_only_the_login_and_its_steps_are_public() {
    let plain = Publisher::of(with_login(login()), clock());
    let with_steps = with_login(login().steps(["/auth/login/callback", "/sso/*"]));
    let with_steps = Publisher::of(with_steps, clock());
    let moved = Publisher::of(with_login(login().path("/account/sign-in")), clock());
    for (publisher, path, public) in [
        (&plain, "/auth/login", true),
        (&plain, "/auth/login?FIF=sec.tif", true),
        (&plain, "/auth/login/", false),
        (&plain, "/auth/login/?IIIF=sec/full/max/0/default.jpg", false),
        (&plain, "/auth/login/x?FIF=sec.tif&WID=4000&CVT=jpeg", false),
        (&plain, "/auth/login/callback", false),
        (&plain, "/auth/login/1", false),
        (&plain, "/auth/login/2", false),
        (&plain, "/auth/loginx", false),
        (&plain, "/auth/LOGIN", false),
        (&plain, "/auth/%6cogin", false),
        (&plain, "/auth/login%2Fx", false),
        (&plain, "/auth/login%3FFIF=sec.tif", false),
        (&plain, "/auth/login/..;/iiif/3/sec", false),
        (&plain, "/auth/login;x", false),
        (&plain, "/auth/", false),
        (&plain, "/auth", false),
        (&plain, "/auth/token/x", false),
        (&plain, "/auth/logout/x", false),
        (&plain, "/auth/continue/x", false),
        (&plain, "/auth/hand-off", false),
        (&plain, "/auth/redeem/", false),
        (&plain, "/auth/client/x", false),
        (&with_steps, "/auth/login", true),
        (&with_steps, "/auth/login/callback", true),
        (&with_steps, "/auth/login/callback?code=x", true),
        (&with_steps, "/auth/login/callback/", false),
        (&with_steps, "/auth/login/callback/x", false),
        (&with_steps, "/auth/login/x", false),
        (&with_steps, "/sso/back", true),
        (&moved, "/account/sign-in", true),
        (&moved, "/account/sign-in/x", false),
        (&moved, "/auth/login", false),
    ] {
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PROPFIND"] {
            let before = publisher.calls();
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let response = publisher.send(request(method.clone(), path, &[("origin", BASE)])).await;
            let reached = publisher.calls() - before;
            assert_eq!(reached, usize::from(public), "{method} {path}: {response:?}");
            let status = response.status().as_u16();
            // An open redirect of ours and the like would be no refusal.
            assert!(public || [400, 404, 405].contains(&status), "{method} {path}: {response:?}");
        }
    }
}

/// PB-01: what is refused below the login keeps the tie of the tab, and is framed by nobody.
#[tokio::test]
async fn pb_01_a_refusal_below_the_login_is_not_framed() {
    let publisher = Publisher::of(with_login(login()), clock());
    let refused = publisher.get(&format!("/auth/login/x?origin={V}"), &[]).await;
    assert_eq!(refused.status(), 404);
    assert_eq!(refused.headers()["x-frame-options"], "DENY");
}

/// PB-01: in each family that is spoken the login has a path of its own, and none besides.
#[tokio::test]
async fn pb_01_the_paths_of_older_families() {
    use tower_iiif_auth::protocol::Family;
    use tower_iiif_auth::resource::ImageApi;
    let older = ImageApi::new("/iiif/2").families(Family::V1);
    let builder = with_login(login()).resources(older);
    let publisher = Publisher::of(builder, clock());
    assert_eq!(publisher.get("/auth/login/1", &[]).await.status(), 307);
    for path in ["/auth/login/0", "/auth/login/1/", "/auth/login/1/x", "/auth/login/01"] {
        assert_eq!(publisher.get(path, &[]).await.status(), 404, "{path}");
    }
    assert_eq!(publisher.calls(), 0);
}

/// LM-04: identifiers are bounded by default, and so is what is logged of them.
#[tokio::test]
async fn lm_04_long_identifiers() {
    let publisher = Publisher::new();
    let letters = |bytes: usize| "a".repeat(bytes);
    for (path, status) in [
        (format!("/iiif/3/{}/full/max/0/default.jpg", letters(1024)), 403),
        (format!("/iiif/3/{}/full/max/0/default.jpg", letters(1025)), 400),
        (format!("/iiif/3/{}/full/max/0/default.jpg", letters(26_000)), 400),
        (format!("/iiif/3/{}/full/max/0/default.jpg", "%C3%BC".repeat(512)), 403),
        (format!("/iiif/3/{}/full/max/0/default.jpg", "%C3%BC".repeat(513)), 400),
        (format!("/iiif/3/{}/info.json", letters(1025)), 400),
        (format!("/iiif/3/{}", letters(1025)), 400),
        (format!("/files/{}", letters(1025)), 400),
        (format!("/files/{}/{}", letters(512), letters(512)), 400),
        (format!("/files/{}/{}", letters(512), letters(511)), 403),
    ] {
        let log = crate::common::logs::record();
        let response = publisher.get(&path, &[]).await;
        assert_eq!(response.status(), status, "{}", path.len());
        let logged = log.text();
        assert!(logged.contains("decision"), "{logged}");
        assert!(logged.lines().all(|line| line.len() < 2048), "{logged}");
        assert_eq!(logged.contains("long_identifier"), status == 400, "{logged}");
        drop(log);
        let probe = publisher.get(&format!("/auth/probe{path}"), &[]).await;
        assert_eq!(probe.status(), 200);
    }
    assert_eq!(publisher.calls(), 0);

    let longer = Publisher::of(
        crate::common::builder(&clock()).limits(Limits::new().max_identifier_bytes(4096)),
        clock(),
    );
    let path = format!("/iiif/3/{}/full/max/0/default.jpg", letters(4096));
    assert_eq!(longer.get(&path, &[]).await.status(), 403);
    assert!(
        crate::common::builder(&clock())
            .limits(Limits::new().max_identifier_bytes(0))
            .build()
            .is_err()
    );
}

/// PB-03: a front's own address is not the reader's.
#[tokio::test]
async fn pb_03_a_front_is_not_in_the_room() {
    use std::net::IpAddr;
    use tower_iiif_auth::aspect::{IpRanges, PeerAddr};
    let room = |proxies: &[&'static str]| {
        let room = IpRanges::new(["10.0.0.0/8"], "A").unwrap();
        let room = room.trusted_proxies(proxies.iter().copied()).unwrap();
        let realm = Realm::new().access(AccessService::external().label("Room")).aspect(room);
        Publisher::of(bare(&clock()).realm(realm), clock())
    };
    let unlisted: &[&str] = &[];
    let listed: &[&str] = &["10.0.0.1"];
    for (proxies, headers, allowed, said) in [
        (unlisted, &[][..], true, ""),
        (unlisted, &[("x-forwarded-for", "203.0.113.9")], false, "none of trusted_proxies"),
        (unlisted, &[("x-forwarded-for", "10.0.0.7")], false, "none of trusted_proxies"),
        (unlisted, &[("forwarded", "for=203.0.113.9")], false, "none of trusted_proxies"),
        (unlisted, &[("x-real-ip", "203.0.113.9")], false, "none of trusted_proxies"),
        (unlisted, &[("via", "1.1 front")], false, "none of trusted_proxies"),
        (listed, &[], false, "for whom it speaks"),
        (listed, &[("x-forwarded-for", "")], false, "for whom it speaks"),
        (listed, &[("x-forwarded-for", "10.0.0.1")], false, "for whom it speaks"),
        (listed, &[("forwarded", "for=10.0.0.7")], false, "for whom it speaks"),
        (listed, &[("x-forwarded-for", "203.0.113.9")], false, ""),
        (listed, &[("x-forwarded-for", "10.0.0.7")], true, ""),
        (listed, &[("x-forwarded-for", "::ffff:10.0.0.7")], true, ""),
        (listed, &[("x-forwarded-for", "10.0.0.7:4711")], true, ""),
    ] {
        let publisher = room(proxies);
        let log = crate::common::logs::record();
        for _ in 0..3 {
            let mut asked = request(Method::GET, "/iiif/3/sec/full/max/0/default.jpg", headers);
            asked.extensions_mut().insert(PeerAddr(IpAddr::from([10, 0, 0, 1])));
            let status = publisher.send(asked).await.status().as_u16();
            assert_eq!(status, if allowed { 200 } else { 401 }, "{proxies:?} {headers:?}");
        }
        let logged = log.text();
        let warnings: Vec<_> = logged.lines().filter(|line| line.contains("WARN")).collect();
        assert_eq!(warnings.len(), usize::from(!said.is_empty()), "{headers:?}: {logged}");
        assert!(warnings.iter().all(|line| line.contains(said)), "{headers:?}: {logged}");
    }
}
