//! The specifications as types: no HTTP services, no I/O.
//!
//! Public is what applications say and are told: [`Origin`]s of viewers, [`AbsoluteUri`]s of resources, texts
//! as [`LanguageMap`] and [`Message`], and which [`Family`] a base speaks. How descriptions, tokens and
//! answers are written down is the layers' own.

mod absolute_uri;
mod family;
mod language_map;
mod message;
mod origin;
pub(crate) mod v1;
pub(crate) mod v2;

pub use absolute_uri::{AbsoluteUri, AbsoluteUriError};
pub use family::Family;
pub use language_map::LanguageMap;
pub use message::Message;
pub use origin::{Origin, OriginError};
