//! IIIF Authorization Flow API 2.0 as composable Tower layers.

pub mod access;
mod answer;
pub mod aspect;
pub mod authorizer;
mod body;
pub mod check;
pub mod clock;
mod config;
pub mod describe;
mod future;
mod gate;
pub mod logout;
mod page;
pub mod probe;
pub mod protocol;
mod query;
pub mod resource;
mod respond;
pub mod revocation;
mod seal;
pub mod stack;
pub mod token;
mod trace;

pub use answer::{Answer, BoxError, BoxFuture};
pub use body::ResponseBody;
pub use config::{
    AccessService, ConfigError, IiifAuth, IiifAuthBuilder, OriginPolicy, Realm, Texts,
};
pub use future::ResponseFuture;
pub use protocol::{LanguageMap, Message, Origin};
pub use seal::{Keyring, KeyringError};
