//! The pictures, who may see them, and the login beside them.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use iiif_auth_oidc::{Desk, Provider, Roles};
use tower_iiif_auth::authorizer::RolesFor;
use tower_iiif_auth::{AccessService, BoxError, IiifAuth, Keyring, Realm};

use crate::images::{ImageApi, ImageServer};
use crate::login;
use crate::settings::{CALLBACK, Settings};

const PICTURES: [(&str, u32); 2] = [("open", 9000), ("restricted", 9000)];

/// The provider, as soon as it answers.
pub(crate) async fn provider(settings: &Settings) -> Result<Provider, String> {
    let provider = Provider::new(settings.provider()?)?;
    provider.find(settings.wait).await?;
    Ok(provider)
}

pub(crate) fn app(settings: &Settings, provider: Provider) -> Result<Router, BoxError> {
    let url = &settings.public_url;
    let keyring = match &settings.key_file {
        Some(path) => Keyring::from_file(path)?,
        None => Keyring::generate()?,
    };
    let login = AccessService::active("login", "Example Library")
        // The provider leads back to a path that is not below the service's own.
        .steps([CALLBACK]);
    let auth = IiifAuth::builder(url)
        .keyring(keyring)
        .images("/iiif/3")
        .realm(Realm::new().access(login))
        .authorizer(RolesFor::new().open("open").roles("*", settings.roles.iter().cloned()))
        .build()?;
    for warning in auth.warnings() {
        tracing::warn!("{warning}");
    }
    let pictures = ImageServer::rendered(&PICTURES);
    // Those that open something here. Others would only make the cookie too large.
    let counting = Some(settings.roles.iter().cloned().collect());
    let roles = Roles { counting, renamed: HashMap::new() };
    let provider = Arc::new(provider);
    let desk = Desk { provider, roles, secure: url.starts_with("https:") };
    Ok(pictures
        .routes("/iiif/3", &format!("{url}/iiif/3"), ImageApi::V3)
        .merge(login::routes(desk))
        .layer(auth.layer()))
}
