//! `[store]`: where proxies that serve the same users tell each other who was logged out.
//!
//! A password may stand in its URL, so the URL stands in a file or variable of its own, and in no
//! message: not even where somebody wrote it in place of the file's name.

use std::path::Path;

use tower_iiif_auth::revocation::{Redis, RedisBuilder, StoreError};

use super::mistakes::{Collector, Span};
use super::parse;
use super::section::{Found, Section};

/// A store that is to be connected to.
#[derive(Clone, Debug)]
pub struct Store(RedisBuilder);

impl Store {
    /// Connects, and looks whether the server can be relied on.
    ///
    /// # Errors
    ///
    /// When it does not answer, or forgets who was logged out.
    pub async fn connect(&self) -> Result<Redis, StoreError> {
        self.0.clone().connect().await
    }
}

/// A setting that is no good is a mistake, and left out: the next is looked at all the same.
pub(super) fn read(mut section: Section<'_, '_>, folder: &Path) -> Store {
    let mistakes = section.mistakes;
    let url = url(&mut section, folder);
    let certificates = Certificates::read(&mut section, folder);
    // Lent: without a URL there is a mistake, and no configuration.
    let mut builder = url
        .and_then(|url| certificates.given_with(url, mistakes))
        .unwrap_or_else(|| Redis::builder("redis://127.0.0.1"));
    let or = |before: RedisBuilder, span: &Span, with: RedisBuilder| {
        mistakes.check(span, with.check()).map_or(before, |()| with)
    };
    if let Some(Found { value, span }) = section.optional::<String>("prefix") {
        builder = or(builder.clone(), &span, builder.prefix(value));
    }
    if let Some(Found { value, span }) = section.parsed("staleness", parse::duration_or_none) {
        builder = or(builder.clone(), &span, builder.staleness(value));
    }
    if let Some(Found { value, span }) = section.parsed("timeout", parse::duration) {
        builder = or(builder.clone(), &span, builder.timeout(value));
    }
    if let Some(Found { value, .. }) = section.optional::<u32>("cache_at_most") {
        builder = builder.cache_at_most(usize::try_from(value).unwrap_or(usize::MAX));
    }
    if let Some(Found { value, .. }) = section.optional::<u8>("replicas") {
        builder = builder.replicas(value);
    }
    if let Some(Found { value, span }) = section.parsed("insecure_resume_within", parse::duration) {
        builder = or(builder.clone(), &span, builder.insecure_resume_within(value));
    }
    section.finish();
    Store(builder)
}

/// Certificates for TLS, as they are read; a client's own and its key belong together.
struct Certificates {
    authorities: Option<Found<Vec<u8>>>,
    own: Option<(Found<Vec<u8>>, Vec<u8>)>,
}

impl Certificates {
    fn read(section: &mut Section<'_, '_>, folder: &Path) -> Self {
        let mistakes = section.mistakes;
        let mut file = |key: &'static str| {
            let Found { value, span } = section.optional::<String>(key)?;
            let path = folder.join(value);
            if key == "key_file" {
                mistakes.reads_secret(&span, &path);
            } else {
                mistakes.reads(&path);
            }
            let read = std::fs::read(&path)
                .map_err(|error| format!("{key} {} cannot be read: {error}", path.display()));
            Some(Found { value: mistakes.check(&span, read), span })
        };
        let (authorities, certificate, key) =
            (file("ca_file"), file("certificate_file"), file("key_file"));
        let own = match (certificate, key) {
            (None, None) => None,
            (Some(Found { value, span }), Some(key)) => {
                value.zip(key.value).map(|(value, key)| (Found { value, span }, key))
            }
            (Some(alone), None) | (None, Some(alone)) => {
                mistakes.add(
                    &alone.span,
                    "certificate_file and key_file of [store] belong together: give both, or none",
                );
                None
            }
        };
        let authorities =
            authorities.and_then(|Found { value, span }| Some(Found { value: value?, span }));
        Self { authorities, own }
    }

    /// The store at this URL with them: the URL is looked at with its authorities, as without them those of the
    /// system count, of which there may be none.
    fn given_with(self, url: Found<String>, mistakes: &Collector<'_>) -> Option<RedisBuilder> {
        let mut builder = Redis::builder(url.value);
        let mut span = &url.span;
        if let Some(Found { value, span: own }) = &self.authorities {
            builder = builder.authorities(value.clone());
            span = own;
        }
        let checked = builder.check();
        if !matches!(checked, Err(StoreError::Certificates(_))) {
            span = &url.span;
        }
        mistakes.check(span, checked)?;
        if let Some((Found { value, span }, key)) = self.own {
            builder = builder.client_certificate(value, key);
            mistakes.check(&span, builder.check())?;
        }
        Some(builder)
    }
}

/// The URL, from where it stands.
fn url(section: &mut Section<'_, '_>, folder: &Path) -> Option<Found<String>> {
    let mistakes = section.mistakes;
    let named: Vec<_> = ["url", "url_file", "url_env"]
        .into_iter()
        .filter_map(|key| Some((key, section.optional::<String>(key)?)))
        .collect();
    let [(key, Found { value, span })] = <[_; 1]>::try_from(named)
        .map_err(|named| {
            let message = match named.len() {
                0 => "url_file is missing in [store]: name the file with the store's URL, or give url_env or url",
                _ => "[store] has several of url, url_file and url_env: give one",
            };
            mistakes.add(&section.span, message);
        })
        .ok()?;
    let url = match key {
        "url" => without_password(value),
        "url_file" => from_file(&value, &span, folder, mistakes),
        _ => from_environment(&value),
    };
    mistakes.check(&span, url).map(|value| Found { value, span })
}

fn without_password(url: String) -> Result<String, String> {
    if ["@", "pass=", "sentinel_"].iter().any(|part| url.contains(part)) {
        let message = "url holds a password or a user: put it into a file that only the proxy reads, \
                       and name that with url_file, or into a variable for url_env";
        return Err(message.to_owned());
    }
    Ok(url)
}

fn from_file(
    file: &str,
    span: &Span,
    folder: &Path,
    mistakes: &Collector<'_>,
) -> Result<String, String> {
    if file.contains("://") {
        return Err("url_file is the name of a file, in which the URL stands".to_owned());
    }
    let path = folder.join(file);
    mistakes.reads_secret(span, &path);
    let text = std::fs::read_to_string(&path)
        .map_err(|error| format!("url_file {} cannot be read: {error}", path.display()))?;
    Ok(text.trim().to_owned())
}

fn from_environment(variable: &str) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if variable.is_empty() || !variable.bytes().all(plain) {
        return Err("url_env is the name of a variable, in which the URL stands".to_owned());
    }
    match std::env::var(variable) {
        Ok(url) => Ok(url.trim().to_owned()),
        Err(_) => Err(format!("url_env: the environment has no text {variable}")),
    }
}
