//! What the checker leaves with requests that it lets through, and with responses by which it refuses.

mod common;

use std::convert::Infallible;

use common::{Body, COOKIE, Publisher, V, builder, clock, image, request};
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Either, Full};
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tower_iiif_auth::IiifAuth;
use tower_iiif_auth::check::{Granted, Refused};
use tower_iiif_auth::observe::Reason;
use tower_iiif_auth::resource::Resource;

/// Says how it was reached.
async fn reached(auth: &IiifAuth, cookie: Option<&str>, path: &str) -> String {
    let handler = service_fn(async |request: Request<Body>| {
        let text = match request.extensions().get::<Granted>() {
            None => "unasked".to_owned(),
            Some(granted) => {
                assert_eq!(granted.is_open(), granted.session().is_none());
                granted.session().map_or("open".to_owned(), |own| own.roles().collect())
            }
        };
        Ok::<_, Infallible>(Response::new(Body::from(text)))
    });
    let stack = ServiceBuilder::new().layer(auth.check()).service(handler);
    let cookie = cookie.map(|cookie| ("cookie", cookie));
    let asking = request(Method::GET, path, cookie.as_slice());
    let response = stack.oneshot(asking).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

#[tokio::test]
async fn a_grant_is_handed_on_where_that_is_switched_on() {
    for (hands_on, is_in, path, expected) in [
        (true, true, &*image("sec"), "A"),
        (true, true, &image("pub"), "open"),
        (true, false, &image("pub"), "open"),
        (true, true, "/iiif/3/sec/info.json", "unasked"),
        (false, true, &image("sec"), "unasked"),
        (false, false, &image("pub"), "unasked"),
    ] {
        let clock = clock();
        let builder = builder(&clock);
        let builder = if hands_on { builder.session_extension() } else { builder };
        let publisher = Publisher::of(builder, clock);
        let cookie = format!("{COOKIE}={}", publisher.log_in(&["A"], Some(V)).await);
        let reached = reached(&publisher.auth, is_in.then_some(&*cookie), path).await;
        assert_eq!(reached, expected, "{hands_on} {path}");
    }
}

/// The refusal's response, in all layers.
async fn refused(asking: Request<Body>) -> Response<()> {
    let images =
        service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Body::default())));
    let auth = builder(&clock()).refusal_extension().build().unwrap();
    let stack = ServiceBuilder::new().layer(auth.layer()).service(images);
    stack.oneshot(asking).await.unwrap().map(drop)
}

#[tokio::test]
async fn a_refusal_says_what_it_is() {
    let get = |path: &str, fields: &[(&str, &str)]| request(Method::GET, path, fields);
    let forged = format!("{COOKIE}=AAAA");
    let grpc = [("content-type", "application/grpc")];
    let sec = image("sec");
    for (asking, status, reason, identifier) in [
        (get(&sec, &[]), 401, Reason::Missing, Some("sec")),
        (get(&sec, &[("cookie", &forged)]), 401, Reason::Invalid, Some("sec")),
        (get("/files/sec", &[]), 401, Reason::Missing, Some("sec")),
        (request(Method::POST, "/files/sec", &grpc), 401, Reason::Missing, Some("sec")),
        (get("/nowhere", &[]), 404, Reason::UnknownPath, None),
        (get("/iiif/3/a/../sec", &[]), 400, Reason::AmbiguousPath, None),
    ] {
        let what = format!("{asking:?}");
        let response = refused(asking).await;
        let told = response.extensions().get::<Refused>().expect("it is a refusal");
        assert_eq!((told.status().as_u16(), told.reason()), (status, reason), "{what}");
        assert_eq!(told.resource().map(Resource::identifier), identifier, "{what}");
    }
    let preflight = refused(request(Method::OPTIONS, &sec, &[])).await;
    assert!(preflight.extensions().get::<Refused>().is_none());
    let allowed = refused(get(&image("pub"), &[])).await;
    assert!(allowed.extensions().get::<Refused>().is_none());
}

/// A page of the application's own in place of the line of text; status and header fields stay.
#[tokio::test]
async fn an_outer_layer_puts_a_page_in_its_place() {
    let images =
        service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Body::default())));
    let auth = builder(&clock()).refusal_extension().build().unwrap();
    let stack = ServiceBuilder::new()
        .map_response(|response: Response<_>| match response.extensions().get::<Refused>() {
            None => response.map(Either::Left),
            Some(_) => response.map(|_| Either::Right(Full::from("<p>For readers only."))),
        })
        .layer(auth.layer())
        .service(images);
    let response = stack.oneshot(request(Method::GET, &image("sec"), &[])).await.unwrap();
    assert_eq!(
        (response.status().as_u16(), response.headers()["vary"].as_bytes()),
        (401, &b"Cookie"[..])
    );
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "<p>For readers only.");
}
