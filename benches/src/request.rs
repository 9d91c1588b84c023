//! Requests as browsers send them, and one poll to answer them.

use std::convert::Infallible;
use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use axum::body::Body;
use http::header::{AUTHORIZATION, COOKIE, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use tower::Service;

/// The tile that is asked for.
pub const TILE: &str = "/iiif/3/page1/0,0,512,512/512,/0/default.jpg";

/// What Firefox sends for an image.
const HEADERS: [(&str, &str); 9] = [
    ("host", "iiif.example"),
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    ("accept", "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5"),
    ("accept-language", "en-GB,en;q=0.5"),
    ("accept-encoding", "gzip, deflate, br"),
    ("referer", "https://viewer.example/"),
    ("sec-fetch-dest", "image"),
    ("sec-fetch-mode", "no-cors"),
    ("sec-fetch-site", "cross-site"),
];

/// A request that is sent again and again.
#[derive(Clone, Debug)]
pub struct Template(Parts);

impl Template {
    /// GET of `path`.
    #[must_use]
    pub fn get(path: &str) -> Self {
        Self::new(Method::GET, path)
    }

    /// POST to `path`.
    #[must_use]
    pub fn post(path: &str) -> Self {
        Self::new(Method::POST, path)
    }

    fn new(method: Method, path: &str) -> Self {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in HEADERS {
            request = request.header(name, value);
        }
        Self(request.body(()).expect("a request").into_parts().0)
    }

    /// As a page that somebody opens, or a form that is sent, on this site.
    #[must_use]
    pub fn page(self, site: &str) -> Self {
        self.instead("sec-fetch-dest", "document")
            .instead("sec-fetch-mode", "navigate")
            .instead("sec-fetch-site", site)
    }

    /// With this header field besides.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        let mut value = HeaderValue::try_from(value).expect("a header value");
        // As hyper's callers do with credentials; it changes nothing for the layers.
        value.set_sensitive(name == COOKIE.as_str() || name == AUTHORIZATION.as_str());
        self.0.headers.append(name, value);
        self
    }

    /// With this header field in the place of the browser's.
    #[must_use]
    pub fn instead(mut self, name: &'static str, value: &str) -> Self {
        self.0.headers.remove(name);
        self.header(name, value)
    }

    /// The request, made anew.
    #[must_use]
    pub fn request(&self) -> Request<Body> {
        Request::from_parts(self.0.clone(), Body::empty())
    }
}

/// The response to `request`. Nothing in the cases waits: one poll is enough.
pub fn answer<S, B>(service: &mut S, request: Request<Body>) -> Response<B>
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible>,
{
    let mut cx = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut cx).is_ready());
    let response = pin!(service.call(request));
    let Poll::Ready(Ok(response)) = response.poll(&mut cx) else { panic!("nothing waits") };
    response
}

/// A request and its response, again and again; the status has to be `status`.
pub fn repeat<S, B>(service: S, template: Template, status: StatusCode) -> impl FnMut()
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible>,
{
    in_turn(service, vec![template], status)
}

/// These requests one after the other, again and again.
pub fn in_turn<S, B>(mut service: S, templates: Vec<Template>, status: StatusCode) -> impl FnMut()
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible>,
{
    // The first copy of a header value allocates what later ones share.
    for template in &templates {
        drop(template.request());
    }
    let mut next = 0;
    move || {
        let template = &templates[next];
        next = if next + 1 < templates.len() { next + 1 } else { 0 };
        let response = answer(&mut service, template.request());
        assert_eq!(black_box(&response).status(), status);
    }
}
