//! The session of any request: who is in, for an application's own pages.
//!
//! The layer looks for the live session of each request and puts it among the extensions, as
//! [`LiveSession`]: by the same aspects, in time and not logged out, as it would be asked for a tile. A
//! page shows "log in" or "log out" by it. It decides nothing; it goes around the application's own routes,
//! where [`check`](crate::check) is not.
//!
//! Of several realms, the first that has a session counts, in the order in which they were given;
//! [`of_realm`](FindSessionLayer::of_realm) asks one of them. Where it cannot be found out, as a store is
//! down, the request goes on as nobody's, with [`SessionUnknown`] among its extensions. A session that is
//! [renewed](crate::AccessCookie::renewed_up_to) is renewed by it, and the answer is then not stored.
//!
//! An answer that depends on who is in has to say so itself: `Cache-Control: private` or `no-store`.
//!
//! # Example
//!
//! ```
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use http_body_util::Full;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//! use tower_iiif_auth::find_session::LiveSession;
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
//! let catalogue = service_fn(async |request: Request<Full<Bytes>>| {
//!     let menu = match request.extensions().get::<LiveSession>() {
//!         Some(live) => format!("Log out {}", live.session().subject()),
//!         None => "Log in".to_owned(),
//!     };
//!     Ok::<_, std::convert::Infallible>(Response::new(menu))
//! });
//! let stack = ServiceBuilder::new().layer(auth.find_session()).service(catalogue);
//!
//! let request = Request::builder().uri("/").body(Full::default())?;
//! assert_eq!(stack.oneshot(request).await?.body(), "Log in");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod future;
mod layer;
mod service;

pub use crate::gate::LiveSession;
pub use future::FindSessionFuture;
pub use layer::FindSessionLayer;
pub use service::FindSession;

/// Whether there is a session could not be found out, as a store or an aspect is down or too slow: among the
/// extensions of the request, which goes on as nobody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionUnknown;
