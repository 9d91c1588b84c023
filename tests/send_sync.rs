//! What the types can do: shared between threads or kept on one, and stacked with others' layers.

mod common;

use std::any::Any;
use std::cell::Cell;
use std::convert::Infallible;
use std::fmt::Debug;
use std::future::{Future, Ready};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::cors::CorsLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;
use tower_iiif_auth::{IiifAuth, access, aspect, authorizer, check, clock, describe, logout};
use tower_iiif_auth::{probe, protocol, resource, revocation, stack, token};

use common::{Body, COOKIE, Publisher, V, builder, clock, image, image_server};

/// `Send`, `Sync`, `Clone` and `Debug`.
fn is_shared<T: Send + Sync + Clone + Debug + 'static>() {}
/// `Send`, `Sync` and `Debug`; to be cloned in an `Arc`.
fn is_shared_by_reference<T: Send + Sync + Debug + 'static>() {}
/// `Send` and `Debug`: futures, bodies, answers.
fn is_sent<T: Send + Debug + 'static>() {}

type Inner = tower::util::BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;
type InnerFuture = Ready<Result<Response<Body>, Infallible>>;
type Plain = fn(Request<Body>) -> InnerFuture;

#[test]
fn public_types_are_send_sync_clone_and_debug() {
    is_shared::<IiifAuth>();
    is_shared::<tower_iiif_auth::AccessService>();
    is_shared::<tower_iiif_auth::ConfigError>();
    is_shared::<tower_iiif_auth::Keyring>();
    is_shared::<tower_iiif_auth::KeyringError>();
    is_shared::<tower_iiif_auth::LanguageMap>();
    is_shared::<tower_iiif_auth::Message>();
    is_shared::<tower_iiif_auth::AbsoluteUri>();
    is_shared::<tower_iiif_auth::Origin>();
    is_shared::<tower_iiif_auth::OriginPolicy>();
    is_shared::<tower_iiif_auth::Realm>();
    is_shared::<tower_iiif_auth::Texts>();

    is_shared::<access::AccessDeclined>();
    is_shared::<access::AccessFlow>();
    is_shared::<access::AccessGrant>();
    is_shared::<tower_iiif_auth::AccessCookie>();
    is_shared::<aspect::Aspects>();
    is_shared::<tower_iiif_auth::CookieError>();
    is_shared::<aspect::FieldError>();
    is_shared::<aspect::Head<'static>>();
    is_shared::<aspect::IpRanges>();
    is_shared::<aspect::PeerAddr>();
    is_shared::<tower_iiif_auth::SameSite>();
    is_shared::<aspect::Session<'static>>();
    is_shared::<aspect::SessionError>();
    is_shared::<aspect::SessionId>();
    is_shared::<aspect::TrustedHeader>();
    is_shared::<authorizer::AccessRequest<'static>>();
    is_shared::<authorizer::Decision>();
    is_shared::<authorizer::Denial>();
    is_shared::<authorizer::FromAsyncFn<fn()>>();
    is_shared::<authorizer::FromFn<fn()>>();
    is_shared::<authorizer::Remedy>();
    is_shared::<authorizer::RolesFor>();
    is_shared::<authorizer::Substitute>();
    is_shared::<clock::SetClock>();
    is_shared::<clock::SystemClock>();
    is_shared::<clock::Timestamp>();
    is_shared::<protocol::AbsoluteUriError>();
    is_shared::<protocol::OriginError>();
    is_shared::<resource::Files>();
    is_shared::<resource::ImageApi>();
    is_shared::<resource::ImageRequest<'static>>();
    is_shared::<resource::Pattern>();
    is_shared::<resource::Refusal>();
    is_shared::<resource::Resource<'static>>();
    is_shared::<resource::ResourceKind<'static>>();

    is_shared_by_reference::<aspect::AspectError>();
    is_shared_by_reference::<aspect::Both<aspect::IpRanges, aspect::TrustedHeader>>();
    is_shared_by_reference::<authorizer::And<authorizer::RolesFor, authorizer::RolesFor>>();
    is_shared_by_reference::<authorizer::MaxUnauthorized>();
    is_shared_by_reference::<authorizer::Or<authorizer::RolesFor, authorizer::RolesFor>>();
    is_shared_by_reference::<revocation::InMemory>();
    is_shared_by_reference::<revocation::Share<'static>>();
    is_shared_by_reference::<tower_iiif_auth::IiifAuthBuilder>();

    is_shared::<resource::Named<'static>>();
    is_sent::<tower_iiif_auth::Answer<u8>>();
    is_sent::<tower_iiif_auth::ResponseBody<Body>>();
}

#[test]
fn layers_services_and_futures_are_what_their_inner_service_is() {
    is_shared::<access::SetAccessCookieLayer>();
    is_shared::<check::CheckLayer>();
    is_shared::<describe::DescribeLayer>();
    is_shared::<logout::LogoutLayer>();
    is_shared::<probe::ProbeLayer>();
    is_shared::<stack::IiifAuthLayer>();
    is_shared::<stack::ServicesLayer>();
    is_shared::<token::TokenLayer>();
    is_shared::<stack::Stack<Inner>>();
    is_shared::<stack::Services<Inner>>();
    is_shared::<check::Check<Inner>>();
    is_shared::<describe::Describe<Inner>>();

    is_sent::<access::SetAccessCookieFuture<InnerFuture>>();
    is_sent::<check::CheckFuture<tower::util::ServiceFn<Plain>, Body>>();
    is_sent::<describe::DescribeFuture<tower::util::ServiceFn<Plain>, Body, Body>>();
    is_sent::<logout::LogoutFuture<InnerFuture>>();
    is_sent::<probe::ProbeFuture<InnerFuture>>();
    is_sent::<token::TokenFuture<InnerFuture>>();
    is_sent::<tower_iiif_auth::ResponseFuture<InnerFuture>>();
}

/// An image server that stays on its thread, and so does its future.
#[derive(Clone, Default)]
struct Local(Rc<Cell<usize>>);

impl Service<Request<Body>> for Local {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let calls = Rc::clone(&self.0);
        Box::pin(async move {
            tokio::task::yield_now().await;
            calls.set(calls.get() + 1);
            Ok(image_server(&request))
        })
    }
}

#[tokio::test]
async fn an_inner_service_may_stay_on_its_thread() {
    let publisher = Publisher::new();
    let auth = &publisher.auth;
    let cookie = format!("{COOKIE}={}", publisher.log_in(&["A"], Some(V)).await);
    let tile = || common::request(Method::GET, &image("sec"), &[("cookie", &cookie)]);

    let images = Local::default();
    let check = ServiceBuilder::new().layer(auth.check()).service(images.clone());
    assert_eq!(check.oneshot(tile()).await.unwrap().status(), StatusCode::OK);
    let describe = ServiceBuilder::new().layer(auth.describe()).service(images.clone());
    assert_eq!(describe.oneshot(tile()).await.unwrap().status(), StatusCode::OK);
    let probe = ServiceBuilder::new().layer(auth.probe()).service(images.clone());
    assert_eq!(probe.oneshot(tile()).await.unwrap().status(), StatusCode::OK);
    let stack = ServiceBuilder::new().layer(auth.layer()).service(images.clone());
    assert_eq!(stack.oneshot(tile()).await.unwrap().status(), StatusCode::OK);
    assert_eq!(images.0.get(), 4);
}

/// Where even the decision has to wait, and the services work for a while.
#[tokio::test]
async fn an_inner_service_may_stay_on_its_thread_while_others_wait() {
    let clock = clock();
    let late = authorizer::from_async_fn(async |request: authorizer::AccessRequest<'static>| {
        tokio::task::yield_now().await;
        Ok::<_, Infallible>(request.identifier() == "pub")
    });
    let auth = builder(&clock).authorizer(late).build().unwrap();
    let images = Local::default();
    let stack = ServiceBuilder::new().layer(auth.layer()).service(images.clone());
    for (path, status) in [
        (&*image("pub"), StatusCode::OK),
        (&image("sec"), StatusCode::UNAUTHORIZED),
        ("/iiif/3/sec/info.json", StatusCode::OK),
        ("/auth/probe/iiif/3/sec", StatusCode::OK),
        ("/auth/token?messageId=1&origin=https://viewer.example", StatusCode::OK),
        ("/auth/login", StatusCode::OK),
        ("/auth/logout", StatusCode::OK),
    ] {
        let request = common::request(Method::GET, path, &[]);
        let response = stack.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), status, "{path}");
    }
    assert_eq!(images.0.get(), 3);
}

/// Sends an image request and returns the status: for services that a host could run, so `Clone`,
/// `Send`, and with a body that can be sent.
async fn ask<S, B>(service: S, path: &str, headers: &[(&str, &str)]) -> Response<Bytes>
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Future: Send,
    S::Error: Debug,
    B: http_body::Body<Data = Bytes, Error: Debug> + Send + 'static,
{
    let response = service.oneshot(common::request(Method::GET, path, headers)).await.unwrap();
    let (parts, body) = response.into_parts();
    Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
}

fn images() -> impl Service<
    Request<Body>,
    Response = Response<Body>,
    Error = Infallible,
    Future = impl Future<Output = Result<Response<Body>, Infallible>> + Send,
> + Clone
+ Send
+ Sync
+ 'static {
    service_fn(async |request: Request<Body>| Ok(image_server(&request)))
}

fn timeout() -> TimeoutLayer {
    TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, Duration::from_secs(9))
}

#[tokio::test]
async fn other_layers_fit_around_and_below() {
    let publisher = Publisher::new();
    let cookie = format!("{COOKIE}={}", publisher.log_in(&["A"], Some(V)).await);
    let layer = || publisher.auth.layer();
    macro_rules! fits {
        ($($other:expr),* $(,)?) => {$(
            let around = ServiceBuilder::new().layer($other).layer(layer()).service(images());
            let below = ServiceBuilder::new().layer(layer()).layer($other).service(images());
            let refused = ask(around.clone(), &image("sec"), &[]).await;
            assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
            let shown = ask(around, &image("sec"), &[("cookie", &cookie)]).await;
            assert_eq!(shown.body(), "0123456789 image bytes");
            let refused = ask(below.clone(), &image("sec"), &[]).await;
            assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
            let shown = ask(below, &image("sec"), &[("cookie", &cookie)]).await;
            assert_eq!(shown.body(), "0123456789 image bytes");
        )*};
    }
    fits!(
        TraceLayer::new_for_http(),
        CompressionLayer::new(),
        CorsLayer::permissive(),
        timeout(),
        CatchPanicLayer::new(),
        tower::layer::util::Identity::new(),
        ServiceBuilder::new()
            .layer(TraceLayer::new_for_http())
            .layer(CompressionLayer::new())
            .layer(CorsLayer::permissive())
            .layer(timeout())
            .layer(CatchPanicLayer::new()),
    );
}

#[tokio::test]
async fn the_stack_fits_into_itself() {
    let publisher = Publisher::new();
    let cookie = format!("{COOKIE}={}", publisher.log_in(&["A"], Some(V)).await);
    let twice = ServiceBuilder::new()
        .layer(CorsLayer::permissive())
        .layer(publisher.auth.layer())
        .layer(timeout())
        .layer(publisher.auth.layer())
        .layer(CompressionLayer::new())
        .service(images());
    assert_eq!(ask(twice.clone(), &image("sec"), &[]).await.status(), StatusCode::UNAUTHORIZED);
    let shown = ask(twice.clone(), &image("sec"), &[("cookie", &cookie)]).await;
    assert_eq!(shown.body(), "0123456789 image bytes");
    // The describer asks for it plain, so that the layer below does not compress it.
    let info = ask(twice, "/iiif/3/sec/info.json", &[("accept-encoding", "gzip")]).await;
    let info: serde_json::Value = serde_json::from_slice(info.body()).unwrap();
    assert_eq!(info["service"].as_array().unwrap().len(), 1, "described once");
}

#[tokio::test]
async fn bodies_default_to_none_whatever_is_inside() {
    struct NoDefault;
    let body = tower_iiif_auth::ResponseBody::<NoDefault>::default();
    assert!((&body as &dyn Any).is::<tower_iiif_auth::ResponseBody<NoDefault>>());
    let body = tower_iiif_auth::ResponseBody::<Full<Bytes>>::default();
    assert!(body.collect().await.unwrap().to_bytes().is_empty());
}
