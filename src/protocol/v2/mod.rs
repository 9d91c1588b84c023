//! IIIF Authorization Flow API 2.0: descriptions, token messages and probe results as data.

pub(crate) mod content_resource;
pub(crate) mod description;
pub(crate) mod probe_result;
pub(crate) mod token_message;

pub(crate) use content_resource::ContentResource;
pub(crate) use description::{
    AccessReference, AccessService, Host, LogoutService, ProbeService, ProbeStyle, Profile,
    TokenService, error_members, json_string,
};
pub(crate) use probe_result::ProbeResult;
pub(crate) use token_message::{TokenErrorProfile, TokenMessage};

/// The JSON-LD context of every 2.0 message (2.0 §4.4, §5.2).
pub(crate) const CONTEXT: &str = "http://iiif.io/api/auth/2/context.json";
