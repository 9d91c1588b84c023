//! The header of a single sign-on in front, and who is believed.

use http::HeaderName;
use tower_iiif_auth::aspect::TrustedHeader;

use super::access::Surroundings;
use super::mistakes::Span;
use super::parse;
use super::section::{Found, Section};

pub(super) fn trusted_header(
    section: &mut Section<'_, '_>,
    around: &Surroundings<'_>,
) -> Option<(TrustedHeader, Vec<HeaderName>)> {
    let mistakes = section.mistakes;
    if !section.has("user_header") {
        let message =
            "user_header is missing: name the header with the user, like \"x-remote-user\"";
        mistakes.add(&section.span, message);
    }
    let user = section.parsed("user_header", parse::header_name);
    let roles = section.parsed("roles_header", parse::header_name);
    let separator = section.parsed("roles_separator", |text| {
        text.parse::<char>().map_err(|_| format!("{text:?} is not one character"))
    });
    let peers = section.list("peers");
    if peers.is_empty() {
        let message = "peers is missing: list the address of the single sign-on's web server";
        mistakes.add(&section.span, message);
    }
    let readable = peers
        .iter()
        .filter(|peer| mistakes.check(&peer.span, parse::range(&peer.value)).is_none())
        .count()
        == 0;
    let secret = secret(section, around);
    let user = user?;
    if peers.is_empty() || !readable {
        return None;
    }
    let mut names = vec![user.value.clone()];
    let peers = peers.iter().map(|peer| peer.value.as_str());
    let mut header = TrustedHeader::new(user.value.as_str(), peers);
    if let Some(roles) = roles {
        let separator = separator.map_or(';', |found| found.value);
        header = header.and_then(|header| header.roles_from(roles.value.as_str(), separator));
        names.push(roles.value);
    }
    let mut header = mistakes.check(&user.span, header)?;
    if let Some(Secret { name, text, span }) = secret {
        let with_secret = header.with_secret(name.as_str(), text.trim());
        header =
            mistakes.check(&span, with_secret.map_err(|error| format!("secret_file: {error}")))?;
        names.push(name);
    } else {
        let message = format!(
            "whatever comes from peers under the name {} is a user: the front has to clear it from what \
             clients send at every path that it passes on; with secret_file only who knows the secret \
             names users",
            user.value
        );
        mistakes.warn(&user.span, message);
    }
    Some((header, names))
}

/// What only the single sign-on's web server knows, and where it says it.
struct Secret {
    name: HeaderName,
    text: String,
    span: Span,
}

fn secret(section: &mut Section<'_, '_>, around: &Surroundings<'_>) -> Option<Secret> {
    let mistakes = section.mistakes;
    let name = section.parsed("secret_header", parse::header_name);
    let Some(Found { value, span }) = section.optional::<String>("secret_file") else {
        if let Some(name) = name {
            mistakes.add(&name.span, "secret_header has no meaning without secret_file");
        }
        return None;
    };
    let path = around.folder.join(&value);
    mistakes.reads_secret(&span, &path);
    let secret = std::fs::read_to_string(path)
        .map_err(|error| format!("secret_file {value} can not be read: {error}"));
    let text = mistakes.check(&span, secret)?;
    let name = name.map_or(HeaderName::from_static("x-front-secret"), |name| name.value);
    Some(Secret { name, text, span })
}
