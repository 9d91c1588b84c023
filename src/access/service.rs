use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body::Body;
use tower_service::Service;

use super::flow::{AccessFlow, Flow};
use super::future::AccessCookieFuture;
use super::grant::AccessGrant;
use super::seal::{Context, append};
use super::{form, pages};
use crate::answer::BoxError;
use crate::body::ResponseBody;
use crate::config::{BoundAccess, Core, IiifAuth, Page};
use crate::fetch_metadata::is_opened_in_tab;
use crate::future::ResponseFuture;
use crate::protocol::{Message, Origin};
use crate::query;
use crate::respond;

/// Turns grants of `S` into access cookies; see the [module](crate::access).
#[derive(Clone, Debug)]
pub struct AccessCookie<S> {
    inner: S,
    auth: IiifAuth,
}

impl<S> AccessCookie<S> {
    pub(super) fn new(inner: S, auth: IiifAuth) -> Self {
        Self { inner, auth }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for AccessCookie<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ReqBody: Body + Send + 'static,
    ReqBody::Data: Send,
    ReqBody::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = AccessCookieFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let core = Arc::clone(&self.auth.core);
        let path = request.uri().path();
        // Content goes by: it neither logs in nor pays for those who do.
        if core.is_content(path) {
            return AccessCookieFuture::settled(ResponseFuture::inner(self.inner.call(request)));
        }
        let is_continue = *path == *core.continue_path;
        // The nearest one: a realm's services may lie below another service.
        let length = |access: &BoundAccess| access.path.as_deref().map_or(0, str::len);
        let covering = core.access.iter().enumerate().filter(|(_, access)| access.covers(path));
        let service = covering.max_by_key(|(_, access)| length(access)).map(|(index, _)| index);
        let at_service =
            service.filter(|service| core.access[*service].path.as_deref() == Some(path));
        let mut context = Context {
            method: request.method().clone(),
            headers: request.headers().clone(),
            flow: Flow::read(&core, request.headers(), core.now()),
            service,
            viewer: None,
            core: Arc::clone(&core),
        };
        if is_continue {
            if context.method != Method::POST {
                return AccessCookieFuture::own(respond::method_not_allowed("POST"));
            }
            let body = request.into_body();
            return AccessCookieFuture::working(async move {
                let form = form::read(body).await;
                context.carry_out(form).await
            });
        }
        let mut remember = None;
        if let Some(service) = at_service {
            match begin(&mut context, service, request.uri().query().unwrap_or_default()) {
                Ok(flow) => remember = flow,
                Err(response) => return AccessCookieFuture::own(*response),
            }
            match &core.access[service].page {
                Page::ClickThrough(terms) => {
                    return click_through(context, service, terms, request.into_body());
                }
                Page::Kiosk => return kiosk(context, service),
                Page::Application | Page::None => {}
            }
        }
        if let Some(flow) = &context.flow {
            let cookie = service
                .map(|service| core.access[service].realm)
                .or_else(|| core.realm_named(&flow.realm))
                .and_then(|realm| core.realms[realm].cookie.as_ref());
            let session = cookie.and_then(|cookie| context.current_session(cookie, core.now()));
            request.extensions_mut().insert(AccessFlow::new(flow, session));
        }
        AccessCookieFuture::watched(self.inner.call(request), context, remember)
    }
}

/// Remembers the viewer that opens a service; the flow is returned if the browser has to be told.
fn begin(
    context: &mut Context,
    service: usize,
    query: &str,
) -> Result<Option<Flow>, Box<Response<Bytes>>> {
    // Access services are opened in tabs. An image or frame of a foreign page may not smuggle its
    // origin into a login, nor a kiosk's session into a browser.
    if !is_opened_in_tab(&context.headers) {
        return match &context.core.access[service].page {
            Page::Application => Ok(None),
            _ => Err(Box::new(pages::form_refused(context))),
        };
    }
    if context.method != Method::GET {
        return Ok(None);
    }
    let viewer = match query::single(query, "origin") {
        Ok(None) => None,
        Ok(Some(text)) => match text.parse::<Origin>() {
            Ok(origin) => Some(origin),
            Err(_) => return Err(Box::new(pages::bad_origin(context))),
        },
        Err(_) => return Err(Box::new(pages::bad_origin(context))),
    };
    let core = Arc::clone(&context.core);
    if viewer.as_ref().is_some_and(|viewer| core.origins.refuses(viewer)) {
        return Err(Box::new(pages::viewer_refused(context)));
    }
    let now = core.now();
    let Some(mut flow) = context.flow.take().or_else(|| Flow::begin(now)) else {
        return Err(Box::new(pages::failed(context)));
    };
    flow.open(&core, &core.access[service], viewer.clone(), now);
    context.viewer = viewer;
    context.flow = Some(flow.clone());
    Ok(Some(flow))
}

/// Terms that are accepted by a click.
fn click_through<F, B>(
    mut context: Context,
    service: usize,
    terms: &Message,
    body: B,
) -> AccessCookieFuture<F>
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let path = context.core.access[service].path.as_deref().unwrap_or_default().to_owned();
    match context.method {
        Method::GET | Method::HEAD => {
            let Some(flow) = context.flow.clone().or_else(|| Flow::begin(context.core.now()))
            else {
                return AccessCookieFuture::own(pages::failed(&context));
            };
            let mut response = pages::terms(&context, &flow, terms, &path);
            append(&mut response, flow.set(&context.core).ok());
            AccessCookieFuture::own(respond::for_method(&context.method, response))
        }
        Method::POST => AccessCookieFuture::working(async move {
            let form = form::read(body).await;
            let Some(decision) = decision(&mut context, form.as_deref()) else {
                return pages::form_refused(&context);
            };
            if decision == "accept" {
                let grant = grant(&context.core, service);
                context.grant(grant).await
            } else {
                context.decline()
            }
        }),
        _ => AccessCookieFuture::own(respond::method_not_allowed("GET, HEAD, POST")),
    }
}

/// What the user decided, and for which viewer, if the form is one of ours for this browser.
fn decision(context: &mut Context, form: Option<&str>) -> Option<String> {
    let (form, flow) = (form?, context.flow.as_ref()?);
    let secret = query::single(form, "secret").ok()??;
    if !context.is_posted_here() || secret != Context::form_secret(flow) {
        return None;
    }
    context.viewer =
        query::single(form, "viewer").ok()?.map(|text| text.parse()).transpose().ok()?;
    query::single(form, "decision").ok()?.map(Into::into)
}

/// Grants by being opened (2.0 §3.3.2).
fn kiosk<F>(context: Context, service: usize) -> AccessCookieFuture<F> {
    match context.method {
        Method::GET => AccessCookieFuture::working(async move {
            let grant = grant(&context.core, service);
            context.grant(grant).await
        }),
        // HEAD is safe: it grants nothing.
        Method::HEAD => AccessCookieFuture::own(respond::empty(http::StatusCode::OK)),
        _ => AccessCookieFuture::own(respond::method_not_allowed("GET, HEAD")),
    }
}

fn grant(core: &Core, service: usize) -> AccessGrant {
    let service = &core.access[service];
    AccessGrant::to("").role(&*service.role).realm(&*core.realms[service.realm].name)
}
