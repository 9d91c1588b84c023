//! How large images are, as the image server itself says in `info.json`.
//!
//! A rule with `max_unauthorized` needs it: `full/400,` is small of a page and large of a stamp.

mod info;
mod memory;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{ACCEPT, LOCATION};
use http::uri::PathAndQuery;
use http::{HeaderValue, Request};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::sync::Semaphore;
use tower_iiif_auth::authorizer::{AccessRequest, Authorizer, Decision, MaxUnauthorized};
use tower_iiif_auth::resource::Resource;
use tower_iiif_auth::{Answer, BoxError};
use url::Url;

use crate::config::Base;
use crate::said::Once;
use crate::upstream::Servers;
use memory::{Known, LIFETIME, Memory, UNKNOWN_LIFETIME};

/// How many are asked for at a time, and how long an answer may take: within the time of a decision.
const AT_A_TIME: usize = 8;
const TIMEOUT: Duration = Duration::from_secs(2);

const LONGEST_INFO: usize = 1 << 20;

/// As browsers do, who follow twenty; image servers need one.
const MOST_REDIRECTS: usize = 5;

/// The sizes of images, asked for once and remembered.
pub(crate) struct Dimensions {
    upstreams: Vec<Arc<Servers>>,
    public_url: String,
    bases: Vec<Base>,
    turns: Semaphore,
    known: Mutex<Memory>,
    /// Images of which it was said that their size is not to be had.
    said: Once,
}

impl Dimensions {
    pub(crate) fn new(upstreams: &[Arc<Servers>], public_url: &str, bases: &[Base]) -> Self {
        Self {
            upstreams: upstreams.to_vec(),
            public_url: public_url.trim_end_matches('/').to_owned(),
            bases: bases.to_vec(),
            turns: Semaphore::new(AT_A_TIME),
            known: Mutex::default(),
            said: Once::default(),
        }
    }

    fn known(&self, path: &str) -> Option<Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(path)
    }

    /// Asks the image server, unless somebody did meanwhile.
    async fn learn(&self, path: &str) {
        let asked = async {
            let turn = self.turns.acquire().await;
            let _turn = turn.map_err(|_| "nobody is asked any more".to_owned())?;
            match self.known(path) {
                Some(known) => Ok(known.size),
                None => self.ask(path).await.map(Some),
            }
        };
        let asked = tokio::time::timeout(TIMEOUT, asked).await;
        let size = asked.unwrap_or_else(|_| Err("it did not answer in time".to_owned()));
        if let Err(why) = &size {
            if self.said.first(path) {
                let path = crate::said::shown(path);
                tracing::warn!(
                    path = &*path,
                    why,
                    "an image's size is not known: max_unauthorized opens nothing"
                );
            }
        }
        let size = size.ok().flatten();
        let lifetime = if size.is_some() { LIFETIME } else { UNKNOWN_LIFETIME };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.keep(path, Known { size, until: Instant::now() + lifetime });
    }

    async fn ask(&self, path: &str) -> Result<(u32, u32), String> {
        let (base, servers) = self.base_of(path).ok_or("it lies below no base")?;
        let mut target = format!("{}/info.json", base.upstream_path_of(path));
        let (mut head, ()) = Request::new(()).into_parts();
        head.headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        for _ in 0..=MOST_REDIRECTS {
            let path = PathAndQuery::try_from(&*target).map_err(|error| error.to_string())?;
            let answer = servers.send(&head, &path, None).await.map_err(|error| error.why)?;
            let (asked, response) = (answer.asked, answer.response);
            let status = response.status();
            if status.is_redirection() {
                let location = response.headers().get(LOCATION).and_then(|own| own.to_str().ok());
                let location = location.ok_or("it is a redirect to nowhere")?;
                let asked = Url::parse(&asked.to_string()).map_err(|error| error.to_string())?;
                target = self.followed(&asked, servers, location)?;
                continue;
            }
            if !status.is_success() {
                return Err(format!("info.json is {}", status.as_u16()));
            }
            let body = Limited::new(response.into_body(), LONGEST_INFO).collect().await;
            let body: Bytes = body.map_err(|error| broken(&error))?.to_bytes();
            return info::size(&body).map_err(str::to_owned);
        }
        Err("it is a redirect too often".to_owned())
    }

    fn base_of(&self, path: &str) -> Option<(&Base, &Servers)> {
        let base = self.bases.iter().find(|base| {
            path.strip_prefix(&*base.path).is_some_and(|below| below.starts_with('/'))
        })?;
        Some((base, self.upstreams.get(base.upstream)?))
    }

    /// Where a redirect leads, as the same image server has it: it may name its own place, or the public
    /// one.
    fn followed(&self, asked: &Url, servers: &Servers, location: &str) -> Result<String, String> {
        if let Some(path) = location.strip_prefix(&*self.public_url) {
            if let Some((base, _)) = self.base_of(path) {
                return Ok(base.upstream_path_of(path).into_owned());
            }
        }
        let place = asked.join(location).map_err(|error| error.to_string())?;
        let same = place.host() == asked.host()
            && place.port_or_known_default() == asked.port_or_known_default();
        if !same && !servers.is_address(&place) {
            return Err("it is a redirect to another server".to_owned());
        }
        let query = place.query().map(|query| format!("?{query}")).unwrap_or_default();
        Ok(format!("{}{query}", place.path()))
    }
}

fn broken(error: &BoxError) -> String {
    if error.is::<LengthLimitError>() {
        "info.json is longer than 1 MiB".to_owned()
    } else {
        format!("info.json broke off: {error}")
    }
}

impl fmt::Debug for Dimensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dimensions").finish_non_exhaustive()
    }
}

/// Opens what shows no more than the whole image at so many pixels.
pub(crate) struct Small {
    /// What can be told by the request alone.
    plain: MaxUnauthorized,
    sized: Arc<MaxUnauthorized>,
    dimensions: Arc<Dimensions>,
}

impl Small {
    pub(crate) fn new(pixels: u32, dimensions: Arc<Dimensions>) -> Self {
        let known = Arc::clone(&dimensions);
        let sized = MaxUnauthorized::new(pixels)
            .with_dimensions_of_pages(move |image: &Resource<'_>| known.known(&image.path())?.size);
        Self { plain: MaxUnauthorized::new(pixels), sized: Arc::new(sized), dimensions }
    }
}

impl Authorizer for Small {
    fn authorize(&self, request: &AccessRequest<'_>) -> Answer<Result<Decision, BoxError>> {
        let plain = self.plain.authorize(request);
        let settled = matches!(plain, Answer::Now(Ok(Decision::Grant)));
        if settled || request.resource().image().is_none() {
            return plain;
        }
        let path = request.resource().path();
        if self.dimensions.known(&path).is_some() {
            return self.sized.authorize(request);
        }
        let (dimensions, sized) = (Arc::clone(&self.dimensions), Arc::clone(&self.sized));
        let request = request.clone().into_owned();
        Answer::later(async move {
            dimensions.learn(&path).await;
            match sized.authorize(&request) {
                Answer::Now(decision) => decision,
                Answer::Later(decision) => decision.await,
            }
        })
    }
}
