//! Services for the content of manifests.

mod edit;
mod find;
mod held;
mod kinds;
mod left_out;
mod object;
mod response;
mod services;
mod standing;
mod watch;

pub use held::{DescribedManifest, NotDescribed};
pub(crate) use held::{describe_text, describe_value, probe_service};
pub use left_out::{LeftOut, LeftOutReason};

pub(super) use response::{ManifestPlan, respond};
