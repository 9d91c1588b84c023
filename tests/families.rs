//! One login, one cookie, one decision and one logout for every family.

mod common;

use common::families::{self, service};
use common::{COOKIE, V, assert_denied, image, json};
use http::StatusCode;

const LOGIN_1: &str = "http://iiif.io/api/auth/1/login";
const LOGIN_0: &str = "http://iiif.io/api/auth/0/login";

#[tokio::test]
async fn one_session_for_all() {
    let publisher = families::publisher();
    // CON-3, CON-20: however the user logged in, whichever logout is taken.
    for (login, logout) in [
        ("/auth/login", "/auth/logout/1"),
        ("/auth/login/1", "/auth/logout/0"),
        ("/auth/login/0", "/auth/logout"),
    ] {
        let page = publisher.get(&format!("{login}?origin={V}"), &[]).await;
        let flow =
            common::cookie_pair(&page, "__Host-iiif-flow").expect("the viewer is remembered");
        if login != "/auth/login" {
            assert_eq!(page.status(), StatusCode::TEMPORARY_REDIRECT);
            assert_eq!(page.headers()["location"], format!("/auth/login?origin={V}"));
        }
        let headers = [("cookie", &*flow), ("origin", common::BASE), ("x-roles", "A")];
        let done =
            publisher.send(common::request(http::Method::POST, "/auth/login", &headers)).await;
        let cookie = format!("{COOKIE}={}", common::set_cookie_value(&done, COOKIE).unwrap());

        // Content of every base, by the cookie.
        for base in ["3", "2", "0.9", "all", "open"] {
            let tile = format!("/iiif/{base}/sec/full/max/0/default.jpg");
            assert_denied(&publisher.get(&tile, &[]).await, 401);
            let tile = publisher.get(&tile, &[("cookie", &cookie)]).await;
            assert_eq!(tile.status(), StatusCode::OK, "{base}");
        }
        // 2.0: the token's probe.
        let token = publisher.token_at("/auth/token", &cookie).await;
        assert_eq!(publisher.probe_status("/iiif/3/sec", Some(&token)).await, 200);
        // 1.0 and 0.9: the description.
        let mut older = Vec::new();
        for (family, base) in [("1", "2"), ("0", "0.9")] {
            let bearer = publisher.bearer_at(&format!("/auth/token/{family}"), &cookie).await;
            let resource = format!("/iiif/{base}/sec");
            let (status, info) = publisher.info(&resource, &[]).await;
            assert_eq!(status, 401);
            assert_eq!(info["@id"], format!("{}{resource}", common::BASE));
            let (status, info) = publisher.info(&resource, &[("authorization", &bearer)]).await;
            assert_eq!(status, 200, "{info}");
            service(&info, if family == "1" { LOGIN_1 } else { LOGIN_0 });
            older.push((resource, bearer));
        }
        // V1-LOGOUT-1, V09-LOGOUT-1: a GET is enough, and takes the cookie away.
        let done = publisher.get(logout, &[("cookie", &cookie)]).await;
        assert_eq!(done.status(), StatusCode::OK);
        assert_eq!(common::cookie_pair(&done, COOKIE), Some(format!("{COOKIE}=")));
        assert_denied(&publisher.get(&image("sec"), &[("cookie", &cookie)]).await, 401);
        assert_eq!(publisher.probe_status("/iiif/3/sec", Some(&token)).await, 401);
        for (resource, bearer) in older {
            assert_eq!(publisher.info(&resource, &[("authorization", &bearer)]).await.0, 401);
        }
    }
}

#[tokio::test]
async fn without_a_browser() {
    let publisher = families::publisher();
    let cookie = format!("{COOKIE}={}", publisher.log_in(&["A"], None).await);
    for (family, base) in [("1", "2"), ("0", "0.9")] {
        let token = publisher.get(&format!("/auth/token/{family}"), &[("cookie", &cookie)]).await;
        assert_eq!(token.status(), StatusCode::OK);
        assert_eq!(token.headers()["content-type"], "application/json");
        let bearer = format!("Bearer {}", json(&token)["accessToken"].as_str().unwrap());
        let info =
            publisher.info(&format!("/iiif/{base}/sec"), &[("authorization", &bearer)]).await;
        assert_eq!(info.0, 200);
    }
}
