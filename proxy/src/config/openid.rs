//! `kind = "openid-connect"`: users log in at a provider.

use iiif_auth_oidc::{Provider, Settings};

use super::access::Surroundings;
use super::section::{Found, Section};

/// The provider; it is asked when the first user logs in.
pub(super) fn read(
    section: &mut Section<'_, '_>,
    around: &Surroundings<'_>,
    callback: &str,
) -> Option<Provider> {
    let mistakes = section.mistakes;
    let issuer = section.required::<String>("issuer");
    let client_id = section.required::<String>("client_id");
    let client_secret = section.optional::<String>("client_secret_file").map(|file| {
        let path = around.folder.join(&file.value);
        mistakes.reads_secret(&file.span, &path);
        let text = std::fs::read_to_string(&path).map_err(|error| {
            format!("client_secret_file {} cannot be read: {error}", path.display())
        });
        let text = text.map(|text| text.trim().to_owned()).and_then(|text| {
            if text.is_empty() { Err("client_secret_file is empty".to_owned()) } else { Ok(text) }
        });
        mistakes.check(&file.span, text)
    });
    let ca = section.optional::<String>("ca_file").map(|file| {
        let path = around.folder.join(&file.value);
        mistakes.reads(&path);
        let pem = std::fs::read(&path)
            .map_err(|error| format!("ca_file {} cannot be read: {error}", path.display()));
        mistakes.check(&file.span, pem)
    });
    let texts = |found: Vec<Found<String>>| found.into_iter().map(|own| own.value).collect();
    let scopes = texts(section.list("scopes"));
    let audiences = texts(section.list("audiences"));
    let roles_claim = section.optional::<String>("roles_claim");
    let (issuer, client_id) = (issuer?, client_id?);
    // One that is named and cannot be read is a mistake, and no client without one.
    let (client_secret, ca) = (transposed(client_secret)?, transposed(ca)?);
    let settings = Settings {
        issuer: issuer.value,
        client_id: client_id.value,
        client_secret,
        scopes,
        roles_claim: roles_claim.map_or_else(|| "roles".to_owned(), |found| found.value),
        audiences,
        ca,
        redirect: format!("{}{callback}", around.public_url.trim_end_matches('/')),
        ..Settings::default()
    };
    mistakes.check(&issuer.span, Provider::new(settings))
}

/// Nothing where it is not given; `None` where it is and is no good.
#[allow(clippy::option_option, reason = "it may be missing, and it may be wrong")]
fn transposed<T>(found: Option<Option<T>>) -> Option<Option<T>> {
    match found {
        Some(None) => None,
        Some(Some(value)) => Some(Some(value)),
        None => Some(None),
    }
}
