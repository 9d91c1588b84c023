//! The access-cookie setter, around the application's own login.
//!
//! A viewer opens an access service in a tab, `/auth/login?origin=https://viewer.example` (2.0
//! §3). This layer remembers the viewer's origin in a short-lived sealed cookie, over any number of
//! redirects and forms, while the application logs the user in. When a response of the application
//! carries an [`AccessGrant`] among its extensions, the layer seals the access cookie and answers
//! with a page that closes the tab.
//!
//! Browsers want a user to have acted before they send cookies along with other sites' pages (2.0
//! Appendix A), and no foreign page may log a user in by itself. So a grant becomes a cookie at
//! once only in answer to a form that was posted from this very site. In any other case, such as
//! the return from an identity provider, the layer shows its gesture page first: "Continue to
//! viewer.example". It also does where several viewers wait, one button each, and with the hand-off
//! ([`ThirdPartyCookies`](crate::ThirdPartyCookies)), which needs the click.
//!
//! A user whom an aspect of the application's own knows is granted
//! [`by_own_aspect`](AccessGrant::by_own_aspect): the aspect is told of the viewer, and nothing is sealed.
//!
//! Click-through terms and kiosks need no application at all: the layer answers for
//! [`AccessService::click_through`](crate::AccessService::click_through) and
//! [`AccessService::kiosk`](crate::AccessService::kiosk) itself.
//!
//! Where [the hand-off](crate::ThirdPartyCookies::hand_off) is on, the layer also answers
//! `{endpoints}/hand-off`, its helper window, and `{endpoints}/redeem`, where the token service's frame
//! redeems a login.
//!
//! What browsers load in case the user goes there (a prefetch, a prerendered page) is answered with 503 at
//! every path of a login, and the application does not see it.
//!
//! # Example
//!
//! ```
//! use bytes::Bytes;
//! use http::{Request, Response, header};
//! use http_body_util::Full;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//! use tower_iiif_auth::access::AccessGrant;
//! use tower_iiif_auth::{AccessService, IiifAuth, Keyring, Realm};
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let auth = IiifAuth::builder("https://iiif.example")
//!     .keyring(Keyring::generate()?)
//!     .images("/iiif/3")
//!     .realm(Realm::new().access(AccessService::active("login", "Example Library")))
//!     .authorize_with(|request| request.has_role("reader"))
//!     .build()?;
//!
//! // The application's login; it has looked at a password.
//! let login = service_fn(async |_: Request<Full<Bytes>>| {
//!     let mut response = Response::new(Full::<Bytes>::default());
//!     response.extensions_mut().insert(AccessGrant::to("ada").role("reader"));
//!     Ok::<_, std::convert::Infallible>(response)
//! });
//! let stack = ServiceBuilder::new().layer(auth.set_access_cookie()).service(login);
//!
//! let request = Request::post("/auth/login")
//!     .header(header::ORIGIN, "https://iiif.example")
//!     .body(Full::default())?;
//! let response = stack.oneshot(request).await?;
//! assert!(response.headers()[header::SET_COOKIE].to_str()?.starts_with("__Host-iiif="));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod access_flow;
mod context;
mod declining;
mod endpoint;
mod flow;
mod form;
mod future;
mod gesture;
mod grant;
mod granting;
mod layer;
mod opener;
mod opening;
mod own_aspect;
mod pages;
mod pending;
mod service;
mod sessions;
mod steps;
mod tab;
mod terms_and_kiosks;
mod to_login;
mod viewer;
mod whom;

pub use access_flow::AccessFlow;
pub use future::SetAccessCookieFuture;
pub use grant::{AccessDeclined, AccessGrant};
pub use layer::SetAccessCookieLayer;
pub use service::SetAccessCookie;
pub use tab::AccessTab;
