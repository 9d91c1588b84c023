//! `check --probe`: the image server and the store are asked.

use iiif_auth_proxy::config::Config;
use iiif_auth_proxy::probe::{Level, probe};

use super::{BoxError, say};

/// The identifier of an image that is there, if one was named.
pub(super) struct Sample(pub(super) Option<String>);

#[tokio::main]
pub(super) async fn run(config: Config, sample: &Sample) -> Result<(), BoxError> {
    let mut failures = 0;
    for finding in probe(config, sample.0.as_deref()).await {
        failures += usize::from(finding.level == Level::Failure);
        say(&format!("{finding}\n"));
    }
    match failures {
        0 => Ok(()),
        1 => Err("one thing does not work".into()),
        several => Err(format!("{several} things do not work").into()),
    }
}
