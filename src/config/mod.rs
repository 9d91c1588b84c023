//! What a publisher says: words alone, checked and bound in `core/`.

mod access_service;
mod compatibility;
mod content_for_scripts;
mod error;
mod error_message;
mod errors;
mod limits;
mod manifests;
mod origin_policy;
mod public_url;
mod realm;
mod texts;
mod third_party_cookies;
mod warning;

pub use access_service::AccessService;
pub use compatibility::Compatibility;
pub use content_for_scripts::ContentForScripts;
pub use error::ConfigError;
pub use errors::ConfigErrors;
pub use limits::Limits;
pub use manifests::Manifests;
pub use origin_policy::OriginPolicy;
pub use realm::Realm;
pub use texts::Texts;
pub use third_party_cookies::ThirdPartyCookies;
pub use warning::ConfigWarning;

pub(crate) use access_service::Page;
pub(crate) use manifests::How;
pub(crate) use public_url::PublicUrl;
pub(crate) use realm::{Client, Logout};
