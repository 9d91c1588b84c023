//! `clients_file`: clients of 0.9.2 that are registered, with the secrets that they prove it by.

use std::path::Path;

use tower_iiif_auth::Realm;

use super::section::{Found, Section};

/// Reads `id:secret` from each line; blank lines and those that begin with `#` are skipped. No message
/// quotes a secret.
pub(super) fn register(
    section: &mut Section<'_, '_>,
    folder: &Path,
    realm: Realm,
) -> Option<Realm> {
    let mistakes = section.mistakes;
    let Some(Found { value, span }) = section.optional::<String>("clients_file") else {
        return Some(realm);
    };
    let path = folder.join(&value);
    mistakes.reads_secret(&span, &path);
    let text = std::fs::read_to_string(&path)
        .map_err(|error| format!("clients_file {} cannot be read: {error}", path.display()));
    let text = mistakes.check(&span, text)?;
    let mut registered = realm;
    for (index, line) in text.lines().map(str::trim).enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((id, secret)) = line.split_once(':') else {
            let message = format!("line {} of the clients_file is not id:secret", index + 1);
            mistakes.add(&span, message);
            return None;
        };
        registered = registered.client(id.trim(), secret.trim());
    }
    Some(registered)
}
