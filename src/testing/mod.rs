//! For an application's tests (feature `testing`): whether its layers are where they have to be, users of
//! one's own making, and a clock that is set.
//!
//! ```toml
//! [dev-dependencies]
//! tower-iiif-auth = { version = "0.1", features = ["testing"] }
//! ```
//!
//! # Example
//!
//! ```
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use http_body_util::Full;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//! use tower_iiif_auth::testing::{SelfCheck, TestUser};
//! use tower_iiif_auth::{AccessService, IiifAuth, Keyring, Realm};
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let auth = IiifAuth::builder("https://iiif.example")
//!     .keyring(Keyring::generate()?)
//!     .images("/iiif/3")
//!     .realm(Realm::new().access(AccessService::active("login", "Example Library")))
//!     .authorize_with(|request| request.has_role("reader"))
//!     .build()?;
//! let application = service_fn(async |_: Request<Full<Bytes>>| {
//!     Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::default()))
//! });
//! let stack = ServiceBuilder::new().layer(auth.layer()).service(application);
//!
//! // Everything is answered, and decided on before it is.
//! let findings = SelfCheck::of(&auth).run(stack.clone(), Full::default).await;
//! assert!(findings.is_empty(), "{findings:#?}");
//!
//! // A picture, as a reader sees it.
//! let cookie = TestUser::new("ada").role("reader").cookie(&auth).await?;
//! let tile = Request::get("/iiif/3/page1/full/max/0/default.jpg").header("cookie", cookie);
//! assert_eq!(stack.oneshot(tile.body(Full::default())?).await?.status(), 200);
//! # Ok::<(), tower_iiif_auth::BoxError>(())
//! # })?;
//! # Ok::<(), tower_iiif_auth::BoxError>(())
//! ```

mod self_check;
mod user;

pub use crate::clock::SetClock;
pub use self_check::{Finding, SelfCheck};
pub use user::TestUser;
