//! IIIF Authorization Flow API 2.0, and Authentication 1.0 and 0.9, as composable Tower layers.
//!
//! Put them around an image server and its login, and images open for those who may see them, in
//! every viewer that speaks [the flow]. The layers work with any [`tower_service::Service`] over
//! HTTP: hyper, axum, tonic, a reverse proxy. The [`guide`] tells how, page by page.
//!
//! ```
//! use http::{Request, Response, StatusCode};
//! use http_body_util::{BodyExt, Full};
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//! use tower_iiif_auth::authorizer::RolesFor;
//! use tower_iiif_auth::{AccessService, BoxError, IiifAuth, Keyring, Realm};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! let auth = IiifAuth::builder("https://iiif.example")
//!     .keyring(Keyring::generate()?) // in earnest: from_env or from_file
//!     .images("/iiif/3")
//!     .realm(Realm::new().access(AccessService::active("login", "Example Library")))
//!     .authorizer(RolesFor::new().open("covers-*").roles("*", ["reader"]))
//!     .build()?;
//!
//! let images = service_fn(async |_: Request<Full<&'static [u8]>>| {
//!     let info = r#"{"@context": "http://iiif.io/api/image/3/context.json", "width": 800}"#;
//!     Ok::<_, BoxError>(Response::new(Full::from(info)))
//! });
//! let stack = ServiceBuilder::new().layer(auth.layer()).service(images);
//!
//! let get = |path: &str| stack.clone().oneshot(Request::get(path).body(Full::default()).unwrap());
//! let tile = "full/max/0/default.jpg";
//! assert_eq!(get(&format!("/iiif/3/covers-1/{tile}")).await?.status(), StatusCode::OK);
//! assert_eq!(get(&format!("/iiif/3/letter-1/{tile}")).await?.status(), StatusCode::UNAUTHORIZED);
//!
//! // The image server's own description, with what a viewer needs to offer a login:
//! let info = get("/iiif/3/letter-1/info.json").await?.into_body().collect().await?.to_bytes();
//! assert!(info.windows(17).any(|text| text == b"AuthProbeService2"));
//! # Ok(())
//! # }
//! ```
//!
//! # The login
//!
//! The application logs users in as it always did, at the path of its access service (here
//! `/auth/login`). When a user is in, its response carries an [`AccessGrant`](access::AccessGrant)
//! among its extensions; the layer makes the access cookie of it and closes the tab:
//!
//! ```
//! use tower_iiif_auth::access::AccessGrant;
//!
//! let mut response = http::Response::new(String::new());
//! response.extensions_mut().insert(AccessGrant::to("ada").role("reader"));
//! ```
//!
//! See [`access`] for redirects to identity providers, and
//! [`AccessService`] for terms to click through, kiosks and users who need no page at all.
//!
//! # The layers, in order
//!
//! [`IiifAuth::layer`] is all of them, from the outside in. Each can be used alone.
//!
//! | layer | answers |
//! | --- | --- |
//! | [`probe`] | whether the user would see a resource, asked with an access token |
//! | [`token`] | an access token for a viewer's script, or why there is none; the grant page |
//! | [`client_identity`] | a code for registered clients of 0.9.2 |
//! | [`logout`] | the end of a session |
//! | [`access`] | around the login: a grant becomes a cookie; the hand-off to the viewer's partition |
//! | [`describe`] | `info.json` and manifests, with the services put in and, in 1.0 and 0.9, the status that goes with them |
//! | [`check`] | everything that is refused; what is allowed goes to the inner service |
//! | [`find_session`] | nothing: it tells the application's own pages who is in; by itself, around those |
//!
//! [`IiifAuth::services`] is the first five. [`describe`] and [`check`] belong around the routes that
//! serve content.
//!
//! # Families
//!
//! A base speaks 2.0 by default. Mirador and Universal Viewer, as published, speak Authentication 1.0
//! and 0.9: give them a base of their own, with the same login, cookie, decision and logout.
//!
//! ```
//! use tower_iiif_auth::protocol::Family;
//! use tower_iiif_auth::resource::ImageApi;
//!
//! let for_mirador = ImageApi::new("/iiif/2").families([Family::V1, Family::V09]);
//! ```
//!
//! See [`Families`](resource::Families) for what each choice costs.
//!
//! # The four questions
//!
//! Each is one trait, and the box holds answers to each.
//!
//! | question | trait | in the box |
//! | --- | --- | --- |
//! | what is asked for? | [`ResourceMap`](resource::ResourceMap) | [`ImageApi`](resource::ImageApi), [`Files`](resource::Files) |
//! | who asks? | [`AuthorizingAspect`](aspect::AuthorizingAspect) | [`IpRanges`](aspect::IpRanges), [`TrustedHeader`](aspect::TrustedHeader); and the access cookie, which is part of the layers and set up by [`AccessCookie`] |
//! | may they? | [`Authorizer`](authorizer::Authorizer) | closures, [`RolesFor`](authorizer::RolesFor), [`MaxUnauthorized`](authorizer::MaxUnauthorized); [`cached`](authorizer::Authorizer::cached) for those that ask a database |
//! | is it still true? | [`Revocations`](revocation::Revocations) | [`InMemory`](revocation::InMemory), `Redis` |
//!
//! # Features
//!
//! | feature | default | gives |
//! | --- | --- | --- |
//! | `tracing` | on | events with the target `tower_iiif_auth` and below it, none of which holds a secret; see also [`observe`] |
//! | `testing` | off | for an application's tests, whether its layers are where they have to be, and users of one's own making |
//! | `redis` | off | `revocation::Redis`: logouts that several processes share, in Redis or Valkey |
//! | `redis-rustls` | off | the same with TLS, by rustls and ring: URLs with `rediss`, `RedisBuilder::authorities` and `client_certificate`; switches `redis` on |
//!
//! "2.0 §4.3" in these pages is a section of [the flow]'s specification, "1.0" and "0.9.2" are versions
//! of the [Authentication API](https://iiif.io/api/auth/1.0/).
//!
//! [the flow]: https://iiif.io/api/auth/2.0/

pub mod access;
mod answer;
pub mod aspect;
pub mod authorizer;
mod body;
mod catch;
pub mod check;
pub mod client_identity;
pub mod clock;
mod config;
mod core;
pub mod describe;
mod fetch_metadata;
pub mod find_session;
mod future;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod gate;
mod hand_off;
mod iiif_auth;
pub mod logout;
mod media_type;
pub mod observe;
mod page;
mod path;
mod posted;
pub mod probe;
pub mod protocol;
mod query;
pub mod resource;
mod respond;
pub mod revocation;
mod said;
mod seal;
mod session;
mod signed;
mod storage_access;
#[cfg(feature = "testing")]
pub mod testing;
pub mod token;
mod trace;
mod walk;

pub use answer::{Answer, BoxError, BoxFuture};
pub use aspect::access_cookie::AccessCookie;
pub use aspect::cookie::{CookieError, SameSite};
pub use body::ResponseBody;
pub use config::{
    AccessService, Compatibility, ConfigError, ConfigErrors, ConfigWarning, ContentForScripts,
    Limits, Manifests, OriginPolicy, Realm, Texts, ThirdPartyCookies,
};
pub use future::ResponseFuture;
pub use iiif_auth::{IiifAuth, IiifAuthBuilder, LoggedOut, SessionsError, stack};
pub use protocol::{AbsoluteUri, LanguageMap, Message, Origin};
pub use seal::{Keyring, KeyringError};

// For the documentation alone, whose snippets are compiled with the other doctests.
#[cfg(any(doc, doctest))]
pub mod guide;
