//! The specifications as types: no HTTP services, no I/O.

pub mod absolute_uri;
pub mod family;
pub mod language_map;
pub mod message;
pub mod origin;
pub mod v1;
pub mod v2;

pub use absolute_uri::AbsoluteUri;
pub use family::Family;
pub use language_map::LanguageMap;
pub use message::Message;
pub use origin::Origin;
