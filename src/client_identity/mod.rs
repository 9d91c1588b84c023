//! The client identity service of 0.9.2: registered client software proves itself by a secret.
//!
//! A client posts its id and secret to `{endpoints}/client` and gets an authorization code, which it
//! sends as `code` to the login and token services of 0.9 (0.9.2 §2.4). Later versions dropped this;
//! it is there only for realms with [clients](crate::Realm::client).
//!
//! # Example
//!
//! ```
//! use bytes::Bytes;
//! use http::{Request, Response, StatusCode};
//! use http_body_util::Full;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//! use tower_iiif_auth::protocol::Family;
//! use tower_iiif_auth::resource::ImageApi;
//! use tower_iiif_auth::{AccessService, IiifAuth, Keyring, Realm};
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let auth = IiifAuth::builder("https://iiif.example")
//!     .keyring(Keyring::generate()?)
//!     .resources(ImageApi::new("/iiif/2").families(Family::V09))
//!     .realm(
//!         Realm::new()
//!             .access(AccessService::active("login", "Example Library"))
//!             .client("reader-app", "0123456789abcdef0123456789abcdef"),
//!     )
//!     .authorize_with(|request| request.has_role("reader"))
//!     .build()?;
//! let inner = service_fn(async |_: Request<Full<Bytes>>| {
//!     Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::default()))
//! });
//! let stack = ServiceBuilder::new().layer(auth.client_identity()).service(inner);
//!
//! let identity = r#"{"clientId": "reader-app", "clientSecret": "wrong"}"#;
//! let request = Request::post("/auth/client").body(Full::from(identity))?;
//! assert_eq!(stack.oneshot(request).await?.status(), StatusCode::UNAUTHORIZED);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod code;
mod layer;
mod service;

pub(crate) use code::check as check_code;
pub use layer::ClientIdentityLayer;
pub use service::ClientIdentity;

/// The response of [`ClientIdentity`].
pub type ClientIdentityFuture<F> = crate::future::ResponseFuture<F>;
