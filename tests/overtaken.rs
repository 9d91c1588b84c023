//! What a slow answer may still set, when it goes out, of what was true as the request came in.

mod common;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use common::{BASE, COOKIE, V, builder, clock, image, request, set_cookies};
use http::header::{CACHE_CONTROL, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use tokio::sync::Notify;
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tower_iiif_auth::access::AccessGrant;
use tower_iiif_auth::aspect::Head;
use tower_iiif_auth::{ResponseBody, ThirdPartyCookies};

/// TC-05's cookie of the viewer's partition: a logout, another login or the end of all of a user's sessions while
/// the picture is on its way is not undone by it, and the answer that sets it is not kept.
#[tokio::test]
async fn a_partition_gets_no_cookie_of_a_session_that_is_over() {
    for how in ["log out", "subject", "login", "time", "nothing"] {
        let clock = clock();
        let go = Arc::new(Notify::new());
        let gate = Arc::clone(&go);
        let ways = ThirdPartyCookies::default().storage_access();
        let auth = builder(&clock).third_party_cookies(ways).build().unwrap();
        let inner = service_fn(move |request: Request<Full<bytes::Bytes>>| {
            let gate = Arc::clone(&gate);
            async move {
                if request.uri().path().starts_with("/iiif/") {
                    gate.notified().await;
                }
                let mut response = Response::new(Full::from("a tile"));
                let long = HeaderValue::from_static("public, max-age=86400");
                response.headers_mut().insert(CACHE_CONTROL, long);
                if request.uri().path() == "/auth/login" && request.method() == Method::POST {
                    response.extensions_mut().insert(AccessGrant::to("u1").role("A"));
                }
                Ok::<_, Infallible>(response)
            }
        });
        let stack = ServiceBuilder::new().layer(auth.layer()).service(inner);
        let login = |cookie: &str| {
            let headers = [("origin", BASE), ("cookie", cookie)];
            stack.clone().oneshot(request(Method::POST, "/auth/login", &headers))
        };
        let first = login("").await.unwrap();
        let own = set_cookies(first.headers()).into_iter().find(|own| own.starts_with(COOKIE));
        let pair = own.unwrap().split(';').next().unwrap().to_owned();
        let headers = [("cookie", &*pair), ("sec-fetch-storage-access", "active"), ("origin", V)];
        let asked = request(Method::GET, &image("sec"), &headers);
        let tile = tokio::spawn(stack.clone().oneshot(asked));
        tokio::task::yield_now().await;
        let own = request(Method::GET, "/", &[("cookie", &pair)]);
        match how {
            "log out" => auth.log_out(Head::of(&own)).await.outcome().unwrap(),
            "subject" => auth.end_sessions_of("", "u1").await.unwrap(),
            "login" => drop(login(&pair).await.unwrap()),
            "time" => clock.advance(Duration::from_secs(601)),
            _ => {}
        }
        go.notify_one();
        let tile: Response<ResponseBody<_>> = tile.await.unwrap().unwrap();
        assert_eq!(tile.status(), StatusCode::OK, "it was allowed when it was asked for");
        let kept = tile.headers()[CACHE_CONTROL].to_str().unwrap();
        let set = set_cookies(tile.headers());
        if how == "nothing" {
            assert!(set[0].starts_with("__Host-iiif-p="), "{set:?}");
            assert_eq!(kept, "private, no-store", "kept, it would bring an ended session back");
        } else {
            assert_eq!(set, [""; 0], "{how}");
            assert!(kept.starts_with("private, "), "{how}: {kept}");
        }
    }
}
