use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use bytes::Bytes;
use http::header::LOCATION;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body;
use tower_service::Service;

use super::flow::{Flow, Viewer};
use super::future::SetAccessCookieFuture;
use super::grant::AccessGrant;
use super::seal::{Context, append};
use super::tab::{AccessTab, Known, Opener, PARAMETER, is_opened_by_nobody, unnamed};
use super::{form, pages};
use crate::answer::BoxError;
use crate::aspect::Head;
use crate::body::ResponseBody;
use crate::client_identity::check_code;
use crate::config::Page;
use crate::core::{BoundAccess, Core};
use crate::fetch_metadata::{is_opened_in_tab, is_speculative, not_yet};
use crate::future::ResponseFuture;
use crate::hand_off;
use crate::page::{keep_opener, refuse_frames};
use crate::path;
use crate::posted::{self, TooSlow};
use crate::protocol::{Family, Message, Origin};
use crate::query;
use crate::respond;
use crate::token;

/// Turns grants of `S` into access cookies; see the [module](crate::access).
#[derive(Clone, Debug)]
pub struct SetAccessCookie<S> {
    inner: S,
    core: Arc<Core>,
}

impl<S> SetAccessCookie<S> {
    pub(super) fn new(inner: S, core: Arc<Core>) -> Self {
        Self { inner, core }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for SetAccessCookie<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ReqBody: Body + Send + 'static,
    ReqBody::Data: Send,
    ReqBody::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = SetAccessCookieFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let core = Arc::clone(&self.core);
        let path = request.uri().path();
        // Content goes by: it neither logs in nor pays for those who do.
        if core.is_content(path) {
            return SetAccessCookieFuture::settled(ResponseFuture::inner(self.inner.call(request)));
        }
        let is_continue = *path == *core.continue_path;
        let at_service = core.access_at(path);
        if is_speculative(request.headers()) && is_of_login(&core, path) {
            return SetAccessCookieFuture::own(not_yet());
        }
        let now = core.now();
        let flow = Flow::read(&core, request.headers(), now);
        let query = request.uri().query().unwrap_or_default();
        let mut context = Context {
            parts: Head::of(&request).to_parts(),
            service: at_service
                .map(|(service, _)| service)
                .or_else(|| nearest(&core, path, flow.as_ref())),
            is_shared: is_shared(&core, path),
            flow,
            opener: Opener::of(&core, path, query, request.headers(), now),
            keeps_flow: false,
            helper: false,
            core: Arc::clone(&core),
        };
        if core.third_party.hand_off {
            if *path == *core.hand_off_path {
                return SetAccessCookieFuture::own(match context.parts.method {
                    Method::GET => hand_off::helper(),
                    _ => respond::method_not_allowed("GET"),
                });
            }
            if *path == *core.redeem_path {
                if context.parts.method != Method::POST {
                    return SetAccessCookieFuture::own(respond::method_not_allowed("POST"));
                }
                let body = request.into_body();
                return SetAccessCookieFuture::working(async move {
                    match form::read(&context.core, body).await {
                        Ok(form) => token::redeem(context.core, context.parts.headers, form).await,
                        Err(TooSlow) => posted::too_slow(),
                    }
                });
            }
        }
        if is_continue {
            if context.parts.method != Method::POST {
                return SetAccessCookieFuture::own(respond::method_not_allowed("POST"));
            }
            let body = request.into_body();
            return SetAccessCookieFuture::working(async move {
                match form::read(&context.core, body).await {
                    Ok(form) => context.carry_out(form).await,
                    Err(TooSlow) => posted::too_slow(),
                }
            });
        }
        let mut remember = None;
        if let Some((service, family)) = at_service {
            match begin(&mut context, service, family, query) {
                Ok(flow) => remember = flow,
                Err(response) => return SetAccessCookieFuture::own(*response),
            }
            match (&core.access[service].page, family) {
                (Page::ClickThrough(terms), Family::V2) => {
                    return click_through(context, service, terms, request.into_body());
                }
                (page, family) if grants_at_once(page, family) => return at_once(context, service),
                (Page::Application, Family::V1 | Family::V09) => {
                    return SetAccessCookieFuture::own(to_login(
                        &context, service, query, remember,
                    ));
                }
                _ => {}
            }
        }
        if let Some(flow) = context.access_flow(now) {
            request.extensions_mut().insert(flow);
        }
        SetAccessCookieFuture::watched(self.inner.call(request), context, remember)
    }
}

/// Whether a path is an endpoint of this layer's, an access service, or a step of a login: what is done
/// there is done once.
fn is_of_login(core: &Core, path: &str) -> bool {
    let of_hand_off =
        || [&core.hand_off_path, &core.redeem_path].into_iter().any(|own| path == &**own);
    *path == *core.continue_path
        || (core.third_party.hand_off && of_hand_off())
        || core.access_at(path).is_some()
        || core.access.iter().any(|access| access.covers(path))
}

/// The access service that a path belongs to. The nearest one, as a realm's services may lie below
/// another service; of those that share a step, the one whose realm was opened last.
fn nearest(core: &Core, path: &str, flow: Option<&Flow>) -> Option<usize> {
    let rank = |access: &BoundAccess| {
        let own = access.path.as_deref().filter(|own| path::below(path, own).is_some());
        let realm = &*core.realms[access.realm].name;
        (own.map_or(0, str::len), flow.is_some_and(|flow| flow.realm == realm))
    };
    let covering = core.access.iter().enumerate().filter(|(_, access)| access.covers(path));
    covering.max_by_key(|(_, access)| rank(access)).map(|(index, _)| index)
}

/// Whether a path is a step of logins of several realms, and of no service itself: it does not tell
/// whose tab it is.
fn is_shared(core: &Core, path: &str) -> bool {
    let is_own = |own: &str| path::below(path, own).is_some();
    let mut covering = core.access.iter().filter(|access| access.covers(path));
    let Some(first) = covering.next() else { return false };
    covering.any(|access| access.realm != first.realm)
        && !core.access.iter().filter_map(|access| access.path.as_deref()).any(is_own)
}

/// Remembers the viewer that opens a service; the flow is returned if the browser has to be told.
fn begin(
    context: &mut Context,
    service: usize,
    family: Family,
    query: &str,
) -> Result<Option<Flow>, Box<Response<Bytes>>> {
    let core = Arc::clone(&context.core);
    let realm = core.access[service].realm;
    let now = core.now();
    // Whatever the method: a client that is no browser may post to a login.
    if family == Family::V09 && check_code(&core, realm, query, now).is_err() {
        return Err(Box::new(pages::viewer_refused(context)));
    }
    // Access services are opened in tabs. An image or frame of a foreign page may not smuggle its
    // origin into a login, nor a kiosk's session into a browser.
    if !is_opened_in_tab(&context.parts.headers) {
        return match &context.core.access[service].page {
            Page::Application => Ok(None),
            _ => Err(Box::new(pages::form_refused(context))),
        };
    }
    if context.parts.method != Method::GET {
        return Ok(None);
    }
    let origin = match query::single(query, "origin") {
        Ok(None) => None,
        Ok(Some(text)) => match text.parse::<Origin>() {
            Ok(origin) => Some(origin),
            Err(_) => return Err(Box::new(pages::bad_origin(context))),
        },
        Err(_) => return Err(Box::new(pages::bad_origin(context))),
    };
    if origin.as_ref().is_some_and(|origin| core.origins.refuses(origin)) {
        return Err(Box::new(pages::viewer_refused(context)));
    }
    let viewer = match origin.map(Viewer::Named) {
        None if family == Family::V09 => unnamed(&core, &context.parts.headers),
        viewer => viewer,
    };
    let realm = core.realms[realm].name.to_string();
    let known = viewer.map(|viewer| Known { viewer, realm, needs_flow: false });
    let page = &core.access[service].page;
    if let Some(known) = known {
        context.opener = Opener::Viewer(known);
    } else if !matches!(page, Page::Application) {
        context.opener = Opener::Nobody;
    }
    if grants_at_once(page, family) {
        context.keeps_flow = true;
        return Ok(None);
    }
    let Some(mut flow) = context.flow.take().or_else(|| context.begin_flow(now)) else {
        return Err(Box::new(pages::failed(context)));
    };
    let viewer = match &context.opener {
        Opener::Viewer(known) => Some(known.viewer.clone()),
        Opener::Nobody | Opener::Untold | Opener::Silent => None,
    };
    flow.has_others |= viewer.is_none() && is_opened_by_nobody(&core, &context.parts.headers);
    flow.open(&core, &core.access[service], viewer, now);
    context.flow = Some(flow.clone());
    Ok(Some(flow))
}

/// Whether being opened is all that a service wants: a kiosk (2.0 §3.3.2), and terms of 1.0 and 0.9, to
/// which the user agreed in the viewer (1.0 §2.1.4).
fn grants_at_once(page: &Page, family: Family) -> bool {
    match page {
        Page::Kiosk => true,
        Page::ClickThrough(_) => family != Family::V2,
        Page::Application | Page::None => false,
    }
}

/// Terms that are accepted by a click.
fn click_through<F, B>(
    mut context: Context,
    service: usize,
    terms: &Message,
    body: B,
) -> SetAccessCookieFuture<F>
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let path = context.core.access[service].path.as_deref().unwrap_or_default().to_owned();
    match context.parts.method {
        Method::GET | Method::HEAD => {
            let flow = context.flow.clone().or_else(|| context.begin_flow(context.core.now()));
            let Some(flow) = flow else {
                return SetAccessCookieFuture::own(pages::failed(&context));
            };
            let mut response = pages::terms(&context, &flow, terms, &path);
            append(&mut response, flow.set(&context.core).ok());
            SetAccessCookieFuture::own(respond::for_method(&context.parts.method, response))
        }
        Method::POST => SetAccessCookieFuture::working(async move {
            let form = match form::read(&context.core, body).await {
                Ok(form) => form,
                Err(TooSlow) => return posted::too_slow(),
            };
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
        _ => SetAccessCookieFuture::own(respond::method_not_allowed("GET, HEAD, POST")),
    }
}

/// What the user decided, and for which viewer, if the form is one of ours for this browser.
fn decision(context: &mut Context, form: Option<&str>) -> Option<String> {
    let (form, flow) = (form?, context.flow.as_ref()?);
    let secret = query::single(form, "secret").ok()??;
    if !context.is_posted_here() || secret != Context::form_secret(flow) {
        return None;
    }
    let viewer = query::single(form, "viewer").ok()?.map(|text| text.parse()).transpose().ok()?;
    // The page that the form is on knew its viewer.
    context.opener = viewer.map_or(Opener::Nobody, |viewer| {
        let (viewer, realm) = (Viewer::Named(viewer), context.opened(None));
        Opener::Viewer(Known { viewer, realm, needs_flow: false })
    });
    let is_named = matches!(context.opener, Opener::Viewer(_));
    context.helper = context.core.third_party.hand_off && is_named;
    query::single(form, "decision").ok()?.map(Into::into)
}

/// Grants by being opened. Viewers of other tabs have nothing to do with it, and there is no page to
/// choose on.
fn at_once<F>(context: Context, service: usize) -> SetAccessCookieFuture<F> {
    match context.parts.method {
        Method::GET => SetAccessCookieFuture::working(async move {
            let grant = grant(&context.core, service).insecure_without_gesture_page();
            context.grant(grant).await
        }),
        // HEAD is safe: it grants nothing.
        Method::HEAD => SetAccessCookieFuture::own(respond::empty(StatusCode::OK)),
        _ => SetAccessCookieFuture::own(respond::method_not_allowed("GET, HEAD")),
    }
}

fn grant(core: &Core, service: usize) -> AccessGrant {
    let service = &core.access[service];
    let grant = AccessGrant::to("").role(&*service.role).realm(&*core.realms[service.realm].name);
    grant.by_a_click()
}

/// Leads from the URI that 1.0 or 0.9 know to the application's login. The viewer is remembered
/// here, and told to the login's URL, so that its tab is known by it; what is left of the query goes
/// along.
fn to_login(
    context: &Context,
    service: usize,
    query: &str,
    remember: Option<Flow>,
) -> Response<Bytes> {
    let core = &context.core;
    let path = core.access[service].path.as_deref().unwrap_or_default();
    let mut rest = query::without(query, &["origin", "code", PARAMETER]);
    let told = match &context.opener {
        Opener::Viewer(Known { viewer: Viewer::Named(origin), .. }) => format!("origin={origin}"),
        Opener::Viewer(Known { viewer, realm, .. }) => {
            let tab = AccessTab::seal(core, viewer, realm, core.now());
            tab.map_or_else(String::new, |tab| format!("{PARAMETER}={}", tab.as_str()))
        }
        Opener::Nobody | Opener::Untold | Opener::Silent => String::new(),
    };
    if !told.is_empty() && !rest.is_empty() {
        rest.insert(0, '&');
    }
    let mut location = core.public_url.browser_path(path);
    if !told.is_empty() || !rest.is_empty() {
        location = format!("{location}?{told}{rest}");
    }
    // The method stays: clients that are no browsers may post what they know (1.0 §2.1.3).
    let mut response = respond::empty(StatusCode::TEMPORARY_REDIRECT);
    let Ok(location) = HeaderValue::try_from(location) else { return pages::failed(context) };
    response.headers_mut().insert(LOCATION, location);
    keep_opener(response.headers_mut());
    refuse_frames(response.headers_mut());
    append(&mut response, remember.and_then(|flow| flow.set(core).ok()));
    response
}
