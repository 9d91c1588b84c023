//! `authorize_url`: somebody else decides what no rule does.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use http::uri::PathAndQuery;
use url::Url;

use super::parse;
use super::section::{Found, Section};
use super::upstream::{self, Upstream};
use crate::rights::{External, ExternalSettings};
use crate::upstream::{Address, Servers};

const FORM: &str = "write it like \"http://127.0.0.1:9000/decide\"";

pub(super) fn read(
    section: &mut Section<'_, '_>,
    folder: &Path,
    public_url: &str,
) -> Option<External> {
    let mistakes = section.mistakes;
    let url = section.parsed("authorize_url", parse_url);
    let timeout = section.parsed("authorize_timeout", parse::duration);
    let max_age = section.parsed("authorize_max_age", parse::duration_or_none);
    let cache = section.optional::<u32>("authorize_cache");
    let secret = section.optional::<String>("authorize_secret_file");
    let Some(Found { value: (address, target), span }) = url else {
        for (key, span) in [
            ("authorize_timeout", timeout.map(|own| own.span)),
            ("authorize_max_age", max_age.map(|own| own.span)),
            ("authorize_cache", cache.map(|own| own.span)),
            ("authorize_secret_file", secret.map(|own| own.span)),
        ] {
            if let Some(span) = span.filter(|_| !section.was_given("authorize_url")) {
                mistakes.add(&span, format!("{key} has no meaning without authorize_url"));
            }
        }
        return None;
    };
    let secret = match secret {
        Some(Found { value, span }) => {
            let path = folder.join(&value);
            mistakes.reads_secret(&span, &path);
            let read = std::fs::read_to_string(&path)
                .map_err(|error| format!("authorize_secret_file {value} cannot be read: {error}"))
                .and_then(|text| bearer(text.trim()));
            Some(mistakes.check(&span, read)?)
        }
        None => None,
    };
    let tls = upstream::tls_of(&address, &span, mistakes)?;
    let upstream = Upstream::plain(address, tls);
    Some(External::new(ExternalSettings {
        servers: Arc::new(Servers::new(upstream)),
        target,
        public_url: public_url.trim_end_matches('/').to_owned(),
        timeout: timeout.map_or(Duration::from_secs(2), |found| found.value),
        max_age: max_age.map_or(Duration::from_secs(60), |found| found.value),
        cache: cache.map_or(100_000, |found| usize::try_from(found.value).unwrap_or(usize::MAX)),
        secret,
    }))
}

fn parse_url(text: &str) -> Result<(Address, PathAndQuery), String> {
    let url = Url::parse(text).map_err(|_| FORM.to_owned())?;
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    if !plain || !url.has_host() {
        return Err(FORM.to_owned());
    }
    let target = text.find("://").and_then(|at| text[at + 3..].find('/').map(|own| at + 3 + own));
    let (address, target) = text.split_at(target.unwrap_or(text.len()));
    let address = Address::parse(address).map_err(|_| FORM.to_owned())?;
    let target = if target.is_empty() { "/" } else { target };
    Ok((address, target.parse().map_err(|_| FORM.to_owned())?))
}

fn bearer(secret: &str) -> Result<HeaderValue, String> {
    if secret.len() < 16 {
        return Err("authorize_secret_file has less than 16 bytes".to_owned());
    }
    let mut value = HeaderValue::try_from(format!("Bearer {secret}"))
        .map_err(|_| "authorize_secret_file holds what no header may")?;
    value.set_sensitive(true);
    Ok(value)
}
