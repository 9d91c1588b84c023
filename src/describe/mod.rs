//! The describer: puts the service descriptions into `info.json` and manifests.
//!
//! Whether a resource is open is asked of the authorizer as nobody. An open one is passed on
//! untouched. For every other the probe, with its access, token and logout services below it, goes
//! into the inner server's own answer (2.0 §2.1): everything else in the document stays as it is,
//! to the byte, and describing twice adds nothing. Image API 3, Presentation 3 and 4 documents get the
//! 2.0 context at their top; Image API 2 documents, whose top may not be touched, carry it in the
//! probe.
//!
//! The answer stays 200 and readable for everyone: a client learns from it where to ask. The document is
//! read as browsers read it: bytes that are no UTF-8 become replacement characters, and of two members of
//! one name the later counts.
//!
//! Of what is described nothing goes out but a description. An inner answer of another status than 200 is
//! answered anew, without its body, its validators and its headers: errors keep their status, a redirect
//! leads to another description below the same base, all else is 502.
//!
//! Manifests at configured paths, whatever their `Content-Type`, get the services of the protected content that they show, see
//! [`IiifAuthBuilder::manifests`]. An application that writes its own may finish them by
//! [`IiifAuth::probe_service`] and [`IiifAuth::describe_manifest`].
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
//! let images = service_fn(async |_: Request<Full<Bytes>>| {
//!     Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::from(
//!         r#"{"@context": "http://iiif.io/api/image/3/context.json", "width": 8000}"#,
//!     )))
//! });
//! let stack = ServiceBuilder::new().layer(auth.describe()).service(images);
//!
//! let request = Request::builder().uri("/iiif/3/letter/info.json").body(Full::default())?;
//! let body = stack.oneshot(request).await?.into_body().collect().await?.to_bytes();
//! let info: serde_json::Value = serde_json::from_slice(&body)?;
//! assert_eq!(info["service"][0]["id"], "https://iiif.example/auth/probe/iiif/3/letter");
//! assert_eq!(info["@context"][0], "http://iiif.io/api/auth/2/context.json");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`IiifAuthBuilder::manifests`]: crate::IiifAuthBuilder::manifests
//! [`IiifAuth::probe_service`]: crate::IiifAuth::probe_service
//! [`IiifAuth::describe_manifest`]: crate::IiifAuth::describe_manifest

mod answer;
mod collect;
mod described;
pub(crate) mod description;
mod edit;
mod future;
mod headers;
mod info;
mod json;
mod layer;
mod location;
mod long;
mod manifest;
mod plan;
mod refused;
mod scan;
mod sent;
mod service;
mod unpack;
mod values;
mod work;

pub use future::DescribeFuture;
pub use layer::DescribeLayer;
pub use manifest::{DescribedManifest, LeftOut, LeftOutReason, NotDescribed};
pub(crate) use manifest::{describe_text, describe_value, probe_service};
pub use service::Describe;
