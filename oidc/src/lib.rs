//! A login at an `OpenID` provider, for servers of any kind: code flow with PKCE, discovery, and roles from a
//! claim.
//!
//! [`Desk`] answers three requests of `http`'s types: the login's own path, the form that it may show, and
//! the way back from the provider. What the layers of `tower-iiif-auth` have to know goes along in the
//! answers' extensions.

mod desk;
mod discovery;
mod errors;
mod pending;
mod provider;
mod roles;
mod settings;

pub use desk::Desk;
pub use errors::LoginError;
pub use provider::{Provider, User};
pub use roles::Roles;
pub use settings::Settings;
