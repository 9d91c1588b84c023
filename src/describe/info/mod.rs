//! Services for `info.json`.

mod document;
pub(super) mod gated;
pub(super) mod open;
mod response;
pub(super) mod signed;

pub(super) use response::respond;
