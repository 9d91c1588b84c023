//! What image server and store really answer, and what a viewer will see of it.
//!
//! `iiif-auth-proxy check --probe` runs it: nothing of it is done while requests are answered.

mod image;
mod viewer;

use std::fmt;

use crate::config::{Base, Config};

/// What was found, in the order in which it was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether it has to be mended.
    pub level: Level,
    /// What was seen, and what to change.
    pub text: String,
}

/// How bad a [`Finding`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// As it should be.
    Fine,
    /// It works, and will disappoint.
    Warning,
    /// It does not work.
    Failure,
}

impl Finding {
    fn fine(text: impl Into<String>) -> Self {
        Self { level: Level::Fine, text: text.into() }
    }

    fn warning(text: impl Into<String>) -> Self {
        Self { level: Level::Warning, text: text.into() }
    }

    fn failure(text: impl Into<String>) -> Self {
        Self { level: Level::Failure, text: text.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Fine => "ok",
            Level::Warning => "warning",
            Level::Failure => "FAILED",
        };
        write!(f, "{level}: {}", self.text)
    }
}

/// Asks the store, each image server, and for the image of this identifier, if one is given, whatever a
/// viewer would ask.
pub async fn probe(config: Config, sample: Option<&str>) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(store) = &config.store {
        found.push(match store.connect().await {
            Ok(_) => Finding::fine("the store answers"),
            Err(error) => Finding::failure(format!("the store: {error}")),
        });
    }
    let mut reached = true;
    for servers in &config.servers {
        for (server, health) in servers.health().await {
            reached &= health.is_ok();
            found.push(match health {
                Ok(()) => Finding::fine(format!("the image server {server} can be reached")),
                Err(why) => Finding::failure(format!("the image server {server}: {why}")),
            });
        }
    }
    let images: Vec<Base> =
        config.bases.iter().filter(|own| own.dialect().is_some()).cloned().collect();
    let Some(sample) = sample else {
        if !images.is_empty() {
            let text = "what a viewer will see is told with --sample IDENTIFIER, of an image that is there";
            found.push(Finding::warning(text));
        }
        return found;
    };
    if !reached {
        return found;
    }
    for base in &images {
        found.extend(image::look_at(&config, base, sample).await);
    }
    found.extend(viewer::look_at(config, &images, sample).await);
    found
}

/// The path of a sample's description below a base, encoded as the base takes it.
fn info_path(base: &Base, sample: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const ESCAPED: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':');
    // As it was written, if the base takes it so: with raw slashes, or escaped already.
    let raw = format!("{}/{sample}/info.json", base.path);
    if raw.parse::<http::Uri>().is_ok() && base.image(&raw).is_some() {
        return raw;
    }
    format!("{}/{}/info.json", base.path, utf8_percent_encode(sample, ESCAPED))
}
