//! IIIF Authorization Flow API 2.0: descriptions, token messages and probe results as data.

pub mod content_resource;
pub mod description;
pub mod probe_result;
pub mod token_message;

pub use content_resource::ContentResource;
pub use description::{
    AccessService, LogoutService, ProbeReference, ProbeService, Profile, TokenService,
};
pub use probe_result::ProbeResult;
pub use token_message::{TokenErrorProfile, TokenMessage};

/// The JSON-LD context of every 2.0 message (2.0 §4.4, §5.2).
pub const CONTEXT: &str = "http://iiif.io/api/auth/2/context.json";
