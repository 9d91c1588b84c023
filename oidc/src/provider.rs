//! The provider: found by its issuer, asked for logins, its answers checked.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use openidconnect::core::{
    CoreAuthPrompt, CoreGenderClaim, CoreJsonWebKey, CoreProviderMetadata, CoreResponseType,
};
use openidconnect::{
    AuthenticationFlow, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret,
    CsrfToken, IdTokenVerifier, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, Scope, SignatureVerificationError, SubjectIdentifier,
    TokenResponse, UserInfoClaims,
};
use serde_json::Value;
use tokio::sync::Mutex;
use url::Url;

use crate::discovery::{Claims, Client, Tokens, client_of, find_patiently};
use crate::errors::{
    LoginError, believed, chain, discovery_error, refused, token_error, unavailable,
};
use crate::pending::Login;
use crate::roles;
use crate::settings::Settings;

/// How long the provider may take to answer one request.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How long the provider is left alone after it could not be asked for its description.
const FAILURE_REST: Duration = Duration::from_secs(5);

/// How far the provider's clock may differ.
const LEEWAY: Duration = Duration::from_secs(30);

/// A provider: found by its issuer, asked for logins, its answers checked.
pub struct Provider {
    http: reqwest::Client,
    issuer: IssuerUrl,
    client_id: ClientId,
    client_secret: Option<ClientSecret>,
    redirect: RedirectUrl,
    scopes: Vec<Scope>,
    roles_claim: String,
    audiences: Vec<String>,
    /// Never held while the provider is asked: logins begin meanwhile.
    found: RwLock<Option<Found>>,
    /// When it was asked last. Who asks holds it.
    asked: Mutex<Option<Instant>>,
    keys_rest: Duration,
    warned: RwLock<HashSet<&'static str>>,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider").field("issuer", &*self.issuer).finish_non_exhaustive()
    }
}

/// What the provider said of itself.
#[derive(Clone)]
struct Found {
    client: Arc<Client>,
    at: Instant,
}

/// Who came back.
#[derive(Debug)]
pub struct User {
    /// As the provider knows them.
    pub subject: String,
    /// As the provider names them.
    pub roles: Vec<String>,
}

impl Provider {
    /// A provider that nobody asked yet.
    ///
    /// # Errors
    ///
    /// When issuer, redirect URI or certificates are none; the message says which.
    pub fn new(settings: Settings) -> Result<Self, String> {
        let mut http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            // The provider's endpoints are what it says they are; nothing leads elsewhere from there.
            .redirect(reqwest::redirect::Policy::none());
        if let Some(pem) = &settings.ca {
            let bundle = reqwest::Certificate::from_pem_bundle(pem)
                .map_err(|error| format!("the certificates cannot be read: {}", chain(&error)))?;
            http = bundle.into_iter().fold(http, reqwest::ClientBuilder::add_root_certificate);
        }
        let http = http.build().map_err(|error| chain(&error))?;
        let url = Url::parse(&settings.issuer).map_err(|_| {
            format!("issuer {}: write it like https://login.example", settings.issuer)
        })?;
        let here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        if url.scheme() != "https" && !(url.scheme() == "http" && here) {
            return Err(format!("issuer {}: it has to be https", settings.issuer));
        }
        let issuer = IssuerUrl::new(settings.issuer).map_err(|error| error.to_string())?;
        let redirect = RedirectUrl::new(settings.redirect).map_err(|error| error.to_string())?;
        Ok(Self {
            http,
            issuer,
            client_id: ClientId::new(settings.client_id),
            client_secret: settings.client_secret.map(ClientSecret::new),
            redirect,
            scopes: settings.scopes.into_iter().map(Scope::new).collect(),
            roles_claim: settings.roles_claim,
            audiences: settings.audiences,
            found: RwLock::default(),
            asked: Mutex::default(),
            keys_rest: settings.keys_rest,
            warned: RwLock::default(),
        })
    }

    /// Asks the provider for its endpoints and keys, again and again while it cannot be reached.
    ///
    /// # Errors
    ///
    /// When it does not answer in time, or is not what it is said to be.
    pub async fn find(&self, patience: Duration) -> Result<(), String> {
        let metadata = find_patiently(&self.http, &self.issuer, patience).await?;
        self.keep(metadata);
        Ok(())
    }

    /// What was found, if anything was.
    fn known(&self) -> Option<Found> {
        self.found.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, metadata: CoreProviderMetadata) -> Found {
        let secret = self.client_secret.as_ref();
        let client = client_of(metadata, &self.client_id, secret, &self.redirect);
        let found = Found { client: Arc::new(client), at: Instant::now() };
        *self.found.write().unwrap_or_else(PoisonError::into_inner) = Some(found.clone());
        found
    }

    /// The provider as it is known; it is asked if nobody did, and left alone for a while when it could not
    /// be.
    async fn client(&self) -> Result<Arc<Client>, LoginError> {
        if let Some(found) = self.known() {
            return Ok(found.client);
        }
        let mut asked = self.asked.lock().await;
        if let Some(found) = self.known() {
            return Ok(found.client);
        }
        if asked.is_some_and(|at| at.elapsed() < FAILURE_REST) {
            return Err(unavailable("the provider could not be asked a moment ago"));
        }
        Ok(self.discover(&mut asked).await?.client)
    }

    async fn discover(&self, asked: &mut Option<Instant>) -> Result<Found, LoginError> {
        let metadata = CoreProviderMetadata::discover_async(self.issuer.clone(), &self.http).await;
        // Of a failure, too: whoever comes next does not wait as long.
        *asked = Some(Instant::now());
        Ok(self.keep(metadata.map_err(|error| unavailable(discovery_error(&error)))?))
    }

    /// Where a login begins, and what its return has to fit. With `again` the provider asks for the
    /// password also of a user that it remembers.
    pub(crate) async fn begin(&self, again: bool) -> Result<(Url, Login), LoginError> {
        let client = self.client().await?;
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
            request = request.add_prompt(CoreAuthPrompt::Login).set_max_age(Duration::ZERO);
        }
        let (url, state, nonce) = request.url();
        let secret = verifier.into_secret();
        Ok((url, Login::new(state.into_secret(), nonce.secret().clone(), secret, again)))
    }

    /// Whether an answer that names its issuer is this provider's (RFC 9207): another one's code must
    /// not be sent to this one.
    pub(crate) fn is_issuer(&self, named: &str) -> bool {
        *self.issuer == *named
    }

    /// Redeems a code for the user that it stands for.
    pub(crate) async fn redeem(&self, code: String, login: Login) -> Result<User, LoginError> {
        let client = self.client().await?;
        let Login { nonce, verifier, again, since, .. } = login;
        let tokens = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|_| unavailable("the provider names no token endpoint"))?
            .set_pkce_verifier(PkceCodeVerifier::new(verifier))
            .request_async(&self.http)
            .await
            .map_err(token_error)?;
        let (nonce, id_token) = (Nonce::new(nonce), tokens.id_token());
        let id_token = id_token.ok_or_else(|| refused("the provider sent no ID token"))?;
        let asked_again = again.then_some(since);
        let is_of_unknown_key = matches!(
            id_token.claims(&self.verifier(&client, asked_again), &nonce),
            Err(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey
            ))
        );
        let client = if is_of_unknown_key { self.with_new_keys(&client).await? } else { client };
        let claims = id_token
            .claims(&self.verifier(&client, asked_again), &nonce)
            .map_err(|error| believed(&error))?;
        // OpenID Connect Core §3.1.3.7, steps 4 and 5.
        let party = claims.authorized_party().map(|own| own.as_str());
        let is_ours = party.is_none_or(|own| own == self.client_id.as_str());
        if !is_ours || party.is_none() && claims.audiences().len() > 1 {
            return Err(refused("the ID token was given to another client"));
        }
        let subject = claims.subject();
        if subject.trim().is_empty() {
            return Err(refused("the ID token names nobody"));
        }
        let all = serde_json::to_value(claims).unwrap_or_default();
        let roles = match self.roles_in(&all) {
            Some(roles) => roles,
            // Many providers tell this endpoint more than the token.
            None => self.roles_of(&client, &tokens, subject, &all).await?,
        };
        Ok(User { subject: subject.to_string(), roles })
    }

    /// As the specification has it, for clocks that differ a little.
    fn verifier<'c>(
        &'c self,
        client: &'c Client,
        asked_again: Option<u64>,
    ) -> IdTokenVerifier<'c, CoreJsonWebKey> {
        let verifier = client.id_token_verifier();
        let verifier = verifier
            .set_time_fn(|| Utc::now() - LEEWAY)
            .set_issue_time_verifier_fn(|at| {
                if at > Utc::now() + LEEWAY {
                    Err("it is of the future".to_owned())
                } else {
                    Ok(())
                }
            })
            .set_other_audience_verifier_fn(|other| self.audiences.contains(other));
        let Some(since) = asked_again else { return verifier };
        let since = DateTime::from_timestamp(i64::try_from(since).unwrap_or(i64::MAX), 0);
        verifier.set_auth_time_verifier_fn(move |at| match (at, since) {
            (Some(at), Some(since)) if at < since - LEEWAY => {
                Err("the user logged in before that was asked for".to_owned())
            }
            _ => Ok(()),
        })
    }

    fn roles_in(&self, claims: &Value) -> Option<Vec<String>> {
        let value = roles::at(claims.as_object()?, &self.roles_claim)?;
        let read = roles::read(value);
        if read.is_none() {
            self.warn_once("the claim with the roles holds neither texts nor names");
        }
        Some(read.unwrap_or_default())
    }

    /// Says once what is missing: never of whom.
    pub(crate) fn warn_once(&self, what: &'static str) {
        if self.warned.write().unwrap_or_else(PoisonError::into_inner).insert(what) {
            tracing::warn!(claim = self.roles_claim, "{what}");
        }
    }

    async fn roles_of(
        &self,
        client: &Client,
        tokens: &Tokens,
        subject: &SubjectIdentifier,
        told: &Value,
    ) -> Result<Vec<String>, LoginError> {
        // Not every provider has it.
        let Ok(request) = client.user_info(tokens.access_token().clone(), Some(subject.clone()))
        else {
            self.miss(told);
            return Ok(Vec::new());
        };
        let claims: UserInfoClaims<Claims, CoreGenderClaim> =
            request.request_async(&self.http).await.map_err(|error| match error {
                openidconnect::UserInfoError::ClaimsVerification(error) => believed(&error),
                openidconnect::UserInfoError::Request(error) => unavailable(chain(&error)),
                _ => unavailable("the provider's user info cannot be read"),
            })?;
        let info = serde_json::to_value(&claims).unwrap_or_default();
        let roles = self.roles_in(&info);
        if roles.is_none() {
            self.miss(if info.get("_claim_names").is_some() { &info } else { told });
        }
        Ok(roles.unwrap_or_default())
    }

    /// The claim is nowhere.
    fn miss(&self, told: &Value) {
        self.warn_once(if told.get("_claim_names").is_some() {
            "the provider tells the roles elsewhere (_claim_names), as there are too many: let it send \
             those alone that are assigned to this application"
        } else {
            "neither the ID token nor the user info has the claim with the roles: let the provider send it, \
             or name another"
        });
    }

    /// Asks for the provider's keys again: it changes them from time to time. Logins of others begin
    /// meanwhile, and failures are rested.
    async fn with_new_keys(&self, used: &Arc<Client>) -> Result<Arc<Client>, LoginError> {
        let mut asked = self.asked.lock().await;
        if let Some(found) = self.known() {
            let is_newer = !Arc::ptr_eq(&found.client, used);
            let is_fresh = found.at.elapsed() < self.keys_rest;
            let was_asked = asked.is_some_and(|at| at.elapsed() < self.keys_rest);
            if is_newer || is_fresh || was_asked {
                return Ok(found.client);
            }
        }
        Ok(self.discover(&mut asked).await?.client)
    }
}
