//! What goes on to the server behind the layers: no access token, in whatever way it came.

mod common;

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use common::{COOKIE, Publisher, V, builder, clock, image_server, request};
use http::header::AUTHORIZATION;
use http::{Method, Request, Response};
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tower_iiif_auth::IiifAuthBuilder;

/// A publisher, and the `Authorization` fields of the request that went on last.
fn publisher(
    change: impl Fn(IiifAuthBuilder) -> IiifAuthBuilder,
) -> (Publisher, Arc<Mutex<Vec<String>>>) {
    let clock = clock();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ear = Arc::clone(&heard);
    let builder = builder(&clock).manifests("/manifests").public_paths(["/manifests/*", "/app/*"]);
    let publisher = Publisher::before(change(builder), clock, move |request| {
        let values = request.headers().get_all(AUTHORIZATION).iter();
        *ear.lock().unwrap() = values.map(|value| value.to_str().unwrap().to_owned()).collect();
        image_server(request)
    });
    (publisher, heard)
}

/// BE-05's neighbour: a token that a viewer sends with a description, a manifest or a file stops here, in any
/// spelling of its scheme, also when its time is over; what a host sends of its own goes on.
#[tokio::test]
async fn an_access_token_stops_here() {
    let (publisher, heard) = publisher(|builder| builder);
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    let token = publisher.token(&cookie).await;
    let cookie = format!("{COOKIE}={cookie}");
    let own = ["Basic YTpi", "Bearer abc", "Bearer undefined", "Bearer", "DPoP abc"];
    for is_over in [false, true] {
        for path in [
            "/iiif/3/pub/info.json",
            "/iiif/3/sec/info.json",
            "/files/pub",
            "/files/sec",
            "/manifests/a",
        ] {
            if is_over && path == "/files/sec" {
                continue;
            }
            for method in [Method::GET, Method::HEAD] {
                for scheme in ["Bearer ", "bearer ", "BEARER  "] {
                    let value = format!("{scheme}{token}");
                    let headers = [("authorization", &*value), ("cookie", &*cookie)];
                    let calls = publisher.calls();
                    publisher.send(request(method.clone(), path, &headers)).await;
                    assert_eq!(publisher.calls(), calls + 1, "{path}");
                    assert_eq!(*heard.lock().unwrap(), [""; 0], "{method} {path} {scheme}");
                }
                for value in own {
                    let headers = [("authorization", value), ("cookie", &*cookie)];
                    publisher.send(request(method.clone(), path, &headers)).await;
                    assert_eq!(*heard.lock().unwrap(), [value], "{method} {path}");
                }
                // Two are nobody's token, and ours is still not for the server.
                let value = format!("Bearer {token}");
                let both = [("authorization", &*value), ("authorization", "Basic YTpi")];
                publisher
                    .send(request(
                        method.clone(),
                        path,
                        &[&both[..], &[("cookie", &cookie)]].concat(),
                    ))
                    .await;
                assert_eq!(*heard.lock().unwrap(), ["Basic YTpi"], "{method} {path}");
            }
        }
        publisher.clock.advance(std::time::Duration::from_secs(700));
    }
}

/// A token of another publisher's is none of ours, and pages of the application's own keep what they get.
#[tokio::test]
async fn what_is_no_token_of_ours_goes_on() {
    let (publisher, heard) = publisher(|builder| builder);
    let foreign = {
        let clock = clock();
        let keyring = tower_iiif_auth::Keyring::from_bytes(&common::key(99)).unwrap();
        let other = Publisher::of(builder(&clock).keyring(keyring), clock);
        let cookie = other.log_in(&["A"], Some(V)).await;
        format!("Bearer {}", other.token(&cookie).await)
    };
    for path in ["/iiif/3/pub/info.json", "/files/pub", "/manifests/a", "/app/page"] {
        publisher.get(path, &[("authorization", &foreign)]).await;
        assert_eq!(*heard.lock().unwrap(), [&*foreign], "{path}");
    }
}

/// The checker alone, without the describer around it, passes none on with a description either.
#[tokio::test]
async fn the_checker_alone() {
    let (publisher, _) = publisher(|builder| builder);
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    let token = format!("Bearer {}", publisher.token(&cookie).await);
    let inner = service_fn(async |request: Request<common::Body>| {
        let passed = request.headers().contains_key(AUTHORIZATION);
        let mut response = Response::new(common::Body::default());
        response.headers_mut().insert("x-passed", passed.to_string().parse().unwrap());
        Ok::<_, Infallible>(response)
    });
    let stack = ServiceBuilder::new().layer(publisher.auth.check()).service(inner);
    for path in ["/iiif/3/pub/info.json", "/iiif/3/sec/info.json", "/files/pub"] {
        for (value, passed) in [(&*token, "false"), ("Basic YTpi", "true")] {
            let request = request(Method::GET, path, &[("authorization", value)]);
            let response = stack.clone().oneshot(request).await.unwrap();
            assert_eq!(response.headers()["x-passed"], passed, "{path}");
        }
    }
}
