//! The probe responder: what would happen if the browser asked for the resource itself.
//!
//! A viewer sends its access token to `{endpoints}/probe` followed by the resource's own path. The
//! token is resolved to the session as it is now, and the same decision is taken as on the content
//! route. The answer is always HTTP 200 with an `AuthProbeResult2` (2.0 §5). Preflights are
//! answered, no cookie is ever set, and all other requests go to the inner service.
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
//! let stack = ServiceBuilder::new().layer(auth.probe()).service(inner);
//!
//! let request = Request::builder().uri("/auth/probe/iiif/3/letter").body(Full::default())?;
//! let body = stack.oneshot(request).await?.into_body().collect().await?.to_bytes();
//! let result: serde_json::Value = serde_json::from_slice(&body)?;
//! assert_eq!(result["status"], 401);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answer;
mod layer;
mod location;
mod result;
mod service;

pub use layer::ProbeLayer;
pub use service::Probe;

/// The response of [`Probe`].
pub type ProbeFuture<F> = crate::future::ResponseFuture<F>;
