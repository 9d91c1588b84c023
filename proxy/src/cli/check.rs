//! `check`: what is wrong with a configuration, and what is not as it may be meant.

use std::path::Path;

use iiif_auth_proxy::config::{Config, Mistake};
use tower_iiif_auth::resource::Dialect;

use super::probe::{self, Sample};
use super::{BoxError, load, say};

pub(super) fn run(file: &Path, sample: Option<&Sample>) -> Result<(), BoxError> {
    let config = load(file)?;
    checked(file, &config, sample.is_some());
    match sample {
        Some(sample) => probe::run(config, sample),
        None => Ok(()),
    }
}

fn checked(file: &Path, config: &Config, probed: bool) {
    let shown = file.display();
    let store = match &config.store {
        Some(_) if !probed => "; the store was not asked",
        _ => "",
    };
    for Mistake { line, message } in &config.warnings {
        say(&format!("{shown}: warning: line {line}: {message}\n"));
    }
    say(&format!("{shown}: no mistakes{store}\n"));
    for base in &config.bases {
        let dialect = base.dialect().map(Dialect::name);
        let kind = dialect.map_or("files".into(), |name| format!("images, dialect {name}"));
        say(&format!("{}: {kind}\n", base.shown()));
    }
}
