//! The checker of authorizing aspects, for routes that serve content.
//!
//! It asks the four questions of every request: what, who, still, may. A request that is allowed
//! goes to the inner service untouched, its response streams back untouched; only headers are kept
//! in check, see [`Check`]. Every other request is answered here, and the inner service hears
//! nothing of it. Access tokens are ignored: a token never opens content (2.0 §2).
//!
//! Where that is switched on, a refusal carries [`Refused`] among its extensions, by which an outer layer may
//! put a page of the application's own in its place, and a request that is let through carries [`Granted`].
//!
//! Information documents are let through unasked: [`describe`](crate::describe) around the checker puts
//! the services in and, where 1.0 or 0.9 are spoken, decides on their status. Never leave it out there:
//! without it the answer is 200, which tells a client of 1.0 or 0.9 that its user is in.
//!
//! # Example
//!
//! ```
//! use bytes::Bytes;
//! use http::{Request, Response, StatusCode};
//! use http_body_util::Full;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//! use tower_iiif_auth::{AccessService, IiifAuth, Keyring, Realm};
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let auth = IiifAuth::builder("https://iiif.example")
//!     .keyring(Keyring::generate()?)
//!     .images("/iiif/3")
//!     .realm(Realm::new().access(AccessService::active("login", "Example Library")))
//!     .authorize_with(|request| request.identifier() == "cover" || request.has_role("reader"))
//!     .build()?;
//!
//! let images = service_fn(async |_: Request<Full<Bytes>>| {
//!     Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::from("image bytes")))
//! });
//! let stack = ServiceBuilder::new().layer(auth.check()).service(images);
//!
//! for (identifier, status) in [("cover", StatusCode::OK), ("letter", StatusCode::UNAUTHORIZED)] {
//!     let uri = format!("/iiif/3/{identifier}/full/max/0/default.jpg");
//!     let request = Request::builder().uri(uri).body(Full::default())?;
//!     assert_eq!(stack.clone().oneshot(request).await?.status(), status);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod active;
mod course;
mod decide;
mod future;
mod layer;
mod lower;
mod private;
mod proofs;
mod refusal;
mod service;
mod signed;
mod unasked;

pub use active::keep_still;
pub use future::CheckFuture;
pub use layer::CheckLayer;
pub use proofs::{Granted, Refused};
pub use service::Check;
