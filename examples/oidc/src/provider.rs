//! The provider: found by its issuer, asked for logins, its answers checked.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreClientAuthMethod, CoreErrorResponseType, CoreGenderClaim,
    CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm,
    CoreProviderMetadata, CoreResponseType, CoreRevocableToken, CoreRevocationErrorResponse,
    CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AdditionalClaims, AuthType, AuthenticationFlow, AuthorizationCode, ClaimsVerificationError,
    ClientId, ClientSecret, CsrfToken, DiscoveryError, EmptyExtraTokenFields, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, IdTokenFields, IssuerUrl, Nonce, OAuth2TokenResponse,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope,
    SignatureVerificationError, StandardErrorResponse, StandardTokenResponse, SubjectIdentifier,
    TokenResponse, UserInfoClaims,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::sync::RwLock;
use url::Url;

use crate::pending::Login;
use crate::settings::{CALLBACK, Settings};

/// How long the provider may take to answer one request.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How old the provider's keys are at least when an unknown one has them fetched again: strangers
/// must not make this server ask the provider all the time.
const KEYS_REST: Duration = Duration::from_secs(60);

/// Every claim that the specification does not name.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Claims(Map<String, Value>);

impl AdditionalClaims for Claims {}

type Tokens = StandardTokenResponse<
    IdTokenFields<
        Claims,
        EmptyExtraTokenFields,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    >,
    CoreTokenType,
>;

type Client = openidconnect::Client<
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

pub(crate) struct Provider {
    http: reqwest::Client,
    issuer: IssuerUrl,
    client_id: ClientId,
    client_secret: Option<ClientSecret>,
    redirect: RedirectUrl,
    scopes: Vec<Scope>,
    roles_claim: String,
    found: RwLock<Found>,
    keys_rest: Duration,
}

/// What the provider said of itself.
#[derive(Clone)]
struct Found {
    client: Arc<Client>,
    at: Instant,
}

/// Who came back.
#[derive(Debug)]
pub(crate) struct User {
    pub(crate) subject: String,
    pub(crate) roles: Vec<String>,
}

/// Why nobody did.
#[derive(Debug)]
pub(crate) enum LoginError {
    /// The provider cannot be reached, or says that it cannot answer now.
    Unavailable(String),
    /// What came back is not to be believed, or was used before.
    Refused(String),
}

impl fmt::Display for LoginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(why) | Self::Refused(why) => f.write_str(why),
        }
    }
}

impl Provider {
    /// Asks the provider for its endpoints and keys, again and again while it cannot be reached.
    pub(crate) async fn find(settings: &Settings) -> Result<Self, String> {
        let mut http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            // The provider's endpoints are what it says they are; nothing leads elsewhere from there.
            .redirect(reqwest::redirect::Policy::none());
        if let Some(path) = &settings.ca_file {
            let said = |error: &dyn fmt::Display| format!("--ca-file {}: {error}", path.display());
            let pem = std::fs::read(path).map_err(|error| said(&error))?;
            let bundle = reqwest::Certificate::from_pem_bundle(&pem)
                .map_err(|error| said(&chain(&error)))?;
            http = bundle.into_iter().fold(http, reqwest::ClientBuilder::add_root_certificate);
        }
        let http = http.build().map_err(|error| chain(&error))?;
        let issuer = IssuerUrl::new(settings.issuer.clone()).map_err(|error| error.to_string())?;
        let redirect = RedirectUrl::new(format!("{}{CALLBACK}", settings.public_url))
            .map_err(|error| format!("--public-url {}: {error}", settings.public_url))?;
        let client_id = ClientId::new(settings.client_id.clone());
        let client_secret = settings.client_secret()?.map(ClientSecret::new);
        let client = find_patiently(&http, &issuer, settings.wait).await?;
        let client = client_of(client, &client_id, client_secret.as_ref(), &redirect);
        Ok(Self {
            http,
            issuer,
            client_id,
            client_secret,
            redirect,
            scopes: settings.scopes.iter().cloned().map(Scope::new).collect(),
            roles_claim: settings.roles_claim.clone(),
            found: RwLock::new(Found { client: Arc::new(client), at: Instant::now() }),
            keys_rest: KEYS_REST,
        })
    }

    #[cfg(test)]
    pub(crate) fn without_rest(mut self) -> Self {
        self.keys_rest = Duration::ZERO;
        self
    }

    /// Where a login begins, and what its return has to fit. With `again` the provider asks for the
    /// password also of a user that it remembers.
    pub(crate) async fn begin(&self, again: bool) -> (Url, Login) {
        let client = self.found.read().await.client.clone();
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut request = client
            .authorize_url(
                AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .add_scopes(self.scopes.iter().cloned())
            .set_pkce_challenge(challenge);
        if again {
            request = request.add_prompt(CoreAuthPrompt::Login);
        }
        let (url, state, nonce) = request.url();
        let secret = verifier.into_secret();
        (url, Login::new(state.into_secret(), nonce.secret().clone(), secret))
    }

    /// Whether an answer that names its issuer is this provider's (RFC 9207): another one's code must
    /// not be sent to this one.
    pub(crate) fn is_issuer(&self, named: &str) -> bool {
        *self.issuer == *named
    }

    /// Redeems a code for the user that it stands for.
    pub(crate) async fn redeem(&self, code: String, login: Login) -> Result<User, LoginError> {
        let client = self.found.read().await.client.clone();
        let tokens = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|_| unavailable("the provider names no token endpoint"))?
            .set_pkce_verifier(PkceCodeVerifier::new(login.verifier))
            .request_async(&self.http)
            .await
            .map_err(token_error)?;
        let (nonce, id_token) = (Nonce::new(login.nonce), tokens.id_token());
        let id_token = id_token.ok_or_else(|| refused("the provider sent no ID token"))?;
        let is_of_unknown_key = matches!(
            id_token.claims(&client.id_token_verifier(), &nonce),
            Err(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey
            ))
        );
        let client = if is_of_unknown_key { self.with_new_keys().await? } else { client };
        let claims = id_token
            .claims(&client.id_token_verifier(), &nonce)
            .map_err(|error| believed(&error))?;
        let subject = claims.subject();
        let roles = match values_at(&claims.additional_claims().0, &self.roles_claim) {
            Some(roles) => roles,
            // Many providers tell this endpoint more than the token.
            None => self.roles_of(&client, &tokens, subject).await?,
        };
        Ok(User { subject: subject.to_string(), roles })
    }

    async fn roles_of(
        &self,
        client: &Client,
        tokens: &Tokens,
        subject: &SubjectIdentifier,
    ) -> Result<Vec<String>, LoginError> {
        // Not every provider has it.
        let Ok(request) = client.user_info(tokens.access_token().clone(), Some(subject.clone()))
        else {
            return Ok(Vec::new());
        };
        let claims: UserInfoClaims<Claims, CoreGenderClaim> =
            request.request_async(&self.http).await.map_err(|error| match error {
                openidconnect::UserInfoError::ClaimsVerification(error) => believed(&error),
                openidconnect::UserInfoError::Request(error) => unavailable(chain(&error)),
                _ => unavailable("the provider's user info cannot be read"),
            })?;
        Ok(values_at(&claims.additional_claims().0, &self.roles_claim).unwrap_or_default())
    }

    /// Asks for the provider's keys again: it changes them from time to time.
    async fn with_new_keys(&self) -> Result<Arc<Client>, LoginError> {
        let mut found = self.found.write().await;
        if found.at.elapsed() < self.keys_rest {
            return Ok(found.client.clone());
        }
        let metadata = CoreProviderMetadata::discover_async(self.issuer.clone(), &self.http)
            .await
            .map_err(|error| unavailable(discovery_error(&error)))?;
        let secret = self.client_secret.as_ref();
        let client = client_of(metadata, &self.client_id, secret, &self.redirect);
        *found = Found { client: Arc::new(client), at: Instant::now() };
        Ok(found.client.clone())
    }
}

async fn find_patiently(
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
                "--issuer {}: {why}; its /.well-known/openid-configuration has to be there",
                issuer.as_str()
            ));
        }
        tracing::warn!(error = why, "the provider does not answer yet");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}

fn client_of(
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

/// The texts at a claim, if it is there. A name with dots may stand as it is, or lead into objects.
fn values_at(claims: &Map<String, Value>, name: &str) -> Option<Vec<String>> {
    let value = claims.get(name).or_else(|| {
        let (first, rest) = name.split_once('.')?;
        rest.split('.').try_fold(claims.get(first)?, |value, name| value.get(name))
    })?;
    let texts = match value {
        Value::Array(values) => values.iter().filter_map(Value::as_str).map(Into::into).collect(),
        Value::String(text) => vec![text.clone()],
        _ => Vec::new(),
    };
    Some(texts)
}

/// None of these shows a code, a token or a secret: an answer's body is left out.
fn token_error(
    error: RequestTokenError<
        openidconnect::HttpClientError<reqwest::Error>,
        StandardErrorResponse<CoreErrorResponseType>,
    >,
) -> LoginError {
    match error {
        RequestTokenError::ServerResponse(response) => match response.error() {
            // The code was used before, is too old, or is not this login's.
            CoreErrorResponseType::InvalidGrant => refused("the provider refuses the code"),
            CoreErrorResponseType::InvalidClient | CoreErrorResponseType::UnauthorizedClient => {
                unavailable("the provider refuses --client-id and --client-secret-file")
            }
            _ => unavailable("the provider refuses to answer the code"),
        },
        RequestTokenError::Request(error) => unavailable(chain(&error)),
        _ => unavailable("the provider's answer to the code cannot be read"),
    }
}

fn believed(error: &ClaimsVerificationError) -> LoginError {
    refused(match error {
        ClaimsVerificationError::InvalidIssuer(_) => "the ID token is another issuer's",
        ClaimsVerificationError::InvalidAudience(_) => "the ID token is for another client",
        ClaimsVerificationError::InvalidNonce(_) => "the ID token is of another login",
        ClaimsVerificationError::Expired(_) => "the ID token has expired",
        ClaimsVerificationError::InvalidSubject(_) => "the user info is another user's",
        ClaimsVerificationError::SignatureVerification(_) => "the ID token's signature is not good",
        _ => "the ID token is not good",
    })
}

fn discovery_error(
    error: &DiscoveryError<openidconnect::HttpClientError<reqwest::Error>>,
) -> String {
    match error {
        DiscoveryError::Request(error) => format!("cannot be reached: {}", chain(error)),
        DiscoveryError::Response(status, ..) => format!("answers {status}"),
        DiscoveryError::Parse(_) => "its description cannot be read".to_owned(),
        // Such as an issuer that calls itself otherwise.
        error => chain(error),
    }
}

fn unavailable(why: impl Into<String>) -> LoginError {
    LoginError::Unavailable(why.into())
}

fn refused(why: impl Into<String>) -> LoginError {
    LoginError::Refused(why.into())
}

/// An error with what caused it.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
