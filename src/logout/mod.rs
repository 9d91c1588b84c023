//! The logout service: ends the session everywhere, deletes the cookie, closes the tab.
//!
//! A viewer opens `{endpoints}/logout` in a tab (2.0 §6). The session is revoked, so that its
//! cookie and every token standing for it are refused at once, wherever copies of them are. If that
//! could not be stored, the page says so (503), and the cookie is deleted all the same. So it does where
//! a request holds more than the eight sessions that one ends. Images, frames and scripts of other sites
//! log nobody out (403), nor does what a browser loads in advance (503).
//!
//! # Example
//!
//! ```
//! use bytes::Bytes;
//! use http::{Request, Response, header};
//! use http_body_util::Full;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//! use tower_iiif_auth::{AccessService, IiifAuth, Keyring, Realm};
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let auth = IiifAuth::builder("https://iiif.example")
//!     .keyring(Keyring::generate()?)
//!     .images("/iiif/3")
//!     .realm(Realm::new().access(AccessService::active("login", "Example Library")))
//!     .authorize_with(|request| request.has_role("reader"))
//!     .build()?;
//! let inner = service_fn(async |_: Request<Full<Bytes>>| {
//!     Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::default()))
//! });
//! let stack = ServiceBuilder::new().layer(auth.logout()).service(inner);
//!
//! let request = Request::builder().uri("/auth/logout").body(Full::default())?;
//! let response = stack.oneshot(request).await?;
//! assert!(response.headers()[header::SET_COOKIE].to_str()?.contains("Max-Age=0"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod end;
mod layer;
mod service;

pub use layer::LogoutLayer;
pub use service::Logout;

/// The response of [`Logout`].
pub type LogoutFuture<F> = crate::future::ResponseFuture<F>;
