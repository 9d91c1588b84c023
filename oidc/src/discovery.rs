//! The provider's description of itself, and the client that is made of it.

use std::time::{Duration, Instant};

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreClientAuthMethod, CoreErrorResponseType, CoreGenderClaim,
    CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm,
    CoreProviderMetadata, CoreRevocableToken, CoreRevocationErrorResponse,
    CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AdditionalClaims, AuthType, ClientId, ClientSecret, DiscoveryError, EmptyExtraTokenFields,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, IdTokenFields, IssuerUrl, RedirectUrl,
    StandardErrorResponse, StandardTokenResponse,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::errors::discovery_error;

/// Every claim that the specification does not name.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Claims(Map<String, Value>);

impl AdditionalClaims for Claims {}

pub(crate) type Tokens = StandardTokenResponse<
    IdTokenFields<
        Claims,
        EmptyExtraTokenFields,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    >,
    CoreTokenType,
>;

pub(crate) type Client = openidconnect::Client<
    Claims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

pub(crate) async fn find_patiently(
    http: &reqwest::Client,
    issuer: &IssuerUrl,
    patience: Duration,
) -> Result<CoreProviderMetadata, String> {
    let (begun, mut pause) = (Instant::now(), Duration::from_millis(500));
    loop {
        let error = match CoreProviderMetadata::discover_async(issuer.clone(), http).await {
            Ok(metadata) => return Ok(metadata),
            Err(error) => error,
        };
        let why = discovery_error(&error);
        let may_pass = match &error {
            DiscoveryError::Request(_) => true,
            DiscoveryError::Response(status, ..) => status.is_server_error(),
            _ => false,
        };
        if !may_pass || begun.elapsed() + pause > patience {
            return Err(format!(
                "issuer {}: {why}; its /.well-known/openid-configuration has to be there",
                issuer.as_str()
            ));
        }
        tracing::warn!(error = why, "the provider does not answer yet");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}

pub(crate) fn client_of(
    metadata: CoreProviderMetadata,
    id: &ClientId,
    secret: Option<&ClientSecret>,
    redirect: &RedirectUrl,
) -> Client {
    let methods = metadata.token_endpoint_auth_methods_supported().cloned().unwrap_or_default();
    let has = |method| methods.contains(&method);
    let by_form = has(CoreClientAuthMethod::ClientSecretPost)
        && !has(CoreClientAuthMethod::ClientSecretBasic);
    let client = Client::from_provider_metadata(metadata, id.clone(), secret.cloned())
        .set_redirect_uri(redirect.clone());
    if by_form { client.set_auth_type(AuthType::RequestBody) } else { client }
}
