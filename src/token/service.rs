use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::SET_COOKIE;
use http::{Method, Request, Response};
use tower_service::Service;

use super::request::TokenRequest;
use super::{TokenFuture, answer, grant_page, issue, page};
use crate::body::ResponseBody;
use crate::core::Core;
use crate::fetch_metadata::{is_framed, is_speculative, not_yet};
use crate::page::accept_language;
use crate::respond;
use crate::walk::{Station, comes_by};

/// Answers token requests and passes on everything else; see the [module](crate::token).
#[derive(Clone, Debug)]
pub struct Token<S> {
    inner: S,
    core: Arc<Core>,
}

impl<S> Token<S> {
    pub(super) fn new(inner: S, core: Arc<Core>) -> Self {
        Self { inner, core }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Token<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = TokenFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        comes_by(&request, Station::Token, &*self.core);
        let core = &self.core;
        let path = request.uri().path();
        if core.third_party.grant_page && path == core.endpoints.grant() {
            return TokenFuture::own(match *request.method() {
                Method::GET => {
                    let language = accept_language(request.headers());
                    let query = request.uri().query().unwrap_or_default();
                    grant_page::answer(core, query, language)
                }
                _ => respond::method_not_allowed("GET"),
            });
        }
        let Some((realm, family)) = core.token_at(path) else {
            return TokenFuture::inner(self.inner.call(request));
        };
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return TokenFuture::own(respond::method_not_allowed("GET, HEAD"));
        }
        // The frame of a page that is prerendered gets its answer, or that page would wait for ever.
        let is_speculative = is_speculative(request.headers());
        if is_speculative && !is_framed(request.headers()) {
            return TokenFuture::own(not_yet());
        }
        let query = request.uri().query().unwrap_or_default();
        let parsed = TokenRequest::parse(query, request.headers(), family, core.compatibility);
        if *request.method() == Method::HEAD {
            return TokenFuture::own(answer::head(parsed.as_ref().ok()));
        }
        match parsed {
            Err(_) => {
                crate::trace::token(core.realms[realm].name(), "no usable origin");
                TokenFuture::own(page::no_target())
            }
            Ok(token_request) => {
                // The request goes no further: nothing of it has to be copied.
                let (parts, _) = request.into_parts();
                let answer = issue::answer(Arc::clone(core), realm, parts, token_request);
                TokenFuture::working(async move {
                    let mut response = answer.await;
                    if is_speculative {
                        response.headers_mut().remove(SET_COOKIE);
                    }
                    response
                })
            }
        }
    }
}
