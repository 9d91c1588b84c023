//! The token issuer: turns an authorizing aspect into an access token for a viewer.
//!
//! A viewer opens `{endpoints}/token?messageId=…&origin=…` in a hidden iframe. Whatever comes of
//! it, the answer is HTTP 200 with a page whose script posts one message to that origin and to no
//! other: an access token, or an error that says why not (2.0 §4). Only where the origin itself
//! cannot be used is there nobody to post to: then it is a plain 400.
//!
//! Services of 1.0 and 0.9 lie at `…/token/1` and `…/token/0`. Without a `messageId` they answer with
//! the message as JSON.
//!
//! Where it is [switched on](crate::ThirdPartyCookies::grant_page), the layer also answers
//! `{endpoints}/grant`: the page on which a viewer asks for the use of cookies.
//!
//! A token is no copy of the cookie: it is sealed under a key of its own, bound to realm and
//! viewer, short-lived, and resolved to the live session whenever it is used.
//!
//! # Example
//!
//! ```
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use http_body_util::{BodyExt, Full};
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
//! let stack = ServiceBuilder::new().layer(auth.token()).service(inner);
//!
//! let request = Request::builder()
//!     .uri("/auth/token?messageId=1&origin=https://viewer.example")
//!     .body(Full::default())?;
//! let page = stack.oneshot(request).await?.into_body().collect().await?.to_bytes();
//! assert!(std::str::from_utf8(&page)?.contains("missingAspect"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answer;
pub(crate) mod bearer;
mod grant_page;
mod issue;
mod layer;
mod message;
mod outcome;
mod page;
mod redeem;
mod request;
pub(crate) mod sealed;
mod service;
mod waiting;

pub use layer::TokenLayer;
pub(crate) use redeem::answer as redeem;
pub use service::Token;

/// The response of [`Token`].
pub type TokenFuture<F> = crate::future::ResponseFuture<F>;
