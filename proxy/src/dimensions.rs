//! How large images are, as the image server itself says in `info.json`.
//!
//! A rule with `max_unauthorized` needs it: `full/400,` is small of a page and large of a stamp.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{ACCEPT, HOST};
use http::{HeaderValue, Request, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use tokio::sync::Semaphore;
use tower_iiif_auth::authorizer::{AccessRequest, Authorizer, Decision, MaxUnauthorized};
use tower_iiif_auth::resource::Resource;
use tower_iiif_auth::{Answer, BoxError};

use crate::config::{Base, Upstream};

/// How many images are remembered, with how many bytes of paths, and for how long.
const CAPACITY: usize = 10_000;
const MOST_BYTES: usize = 4 << 20;
const LIFETIME: Duration = Duration::from_secs(3600);

/// How long it is remembered that an image's size is not to be had.
const UNKNOWN_LIFETIME: Duration = Duration::from_secs(60);

/// How many are asked for at a time, and how long an answer may take: within the time of a decision.
const AT_A_TIME: usize = 8;
const TIMEOUT: Duration = Duration::from_secs(2);

const LONGEST_INFO: usize = 1 << 20;

/// The sizes of images, asked for once and remembered.
pub(crate) struct Dimensions {
    client: Client<HttpConnector, Empty<Bytes>>,
    upstream: Upstream,
    bases: Vec<Base>,
    turns: Semaphore,
    known: Mutex<Memory>,
}

/// What is remembered, bounded by number and bytes: strangers choose the paths.
#[derive(Default)]
struct Memory {
    images: HashMap<String, Known>,
    bytes: usize,
}

impl Memory {
    fn keep(&mut self, path: &str, known: Known) {
        if self.images.len() >= CAPACITY || self.bytes + path.len() > MOST_BYTES {
            let now = Instant::now();
            self.images.retain(|_, own| now < own.until);
            self.bytes = self.images.keys().map(String::len).sum();
        }
        if self.images.len() >= CAPACITY || self.bytes + path.len() > MOST_BYTES {
            *self = Self::default();
        }
        if let Some(own) = self.images.get_mut(path) {
            *own = known;
        } else if path.len() <= MOST_BYTES {
            self.bytes += path.len();
            self.images.insert(path.to_owned(), known);
        }
    }
}

#[derive(Clone, Copy)]
struct Known {
    size: Option<(u32, u32)>,
    until: Instant,
}

#[derive(Deserialize)]
struct Info {
    width: u32,
    height: u32,
}

impl Dimensions {
    pub(crate) fn new(upstream: &Upstream, bases: &[Base]) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(upstream.connect_timeout));
        let client = Client::builder(TokioExecutor::new())
            // An image is asked for once: no connection is kept, which the image server could close.
            .pool_max_idle_per_host(0)
            .build(connector);
        Self {
            client,
            upstream: upstream.clone(),
            bases: bases.to_vec(),
            turns: Semaphore::new(AT_A_TIME),
            known: Mutex::default(),
        }
    }

    fn known(&self, path: &str) -> Option<Known> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.images.get(path).filter(|own| Instant::now() < own.until).copied()
    }

    /// Asks the image server, unless somebody did meanwhile.
    async fn learn(&self, path: &str) {
        let asked = async {
            let _turn = self.turns.acquire().await.ok()?;
            match self.known(path) {
                Some(known) => known.size,
                None => self.ask(path).await,
            }
        };
        let size = tokio::time::timeout(TIMEOUT, asked).await.ok().flatten();
        let lifetime = if size.is_some() { LIFETIME } else { UNKNOWN_LIFETIME };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.keep(path, Known { size, until: Instant::now() + lifetime });
    }

    async fn ask(&self, path: &str) -> Option<(u32, u32)> {
        let base = self.bases.iter().find(|base| {
            path.strip_prefix(&*base.path).is_some_and(|below| below.starts_with('/'))
        })?;
        let uri = Uri::builder()
            .scheme("http")
            .authority(self.upstream.authority.clone())
            .path_and_query(format!("{}{}/info.json", base.upstream_path, &path[base.path.len()..]))
            .build()
            .ok()?;
        let mut request = Request::get(uri).body(Empty::new()).ok()?;
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(host) = &self.upstream.host {
            request.headers_mut().insert(HOST, host.clone());
        }
        let response = self.client.request(request).await.ok()?;
        if !response.status().is_success() {
            return None;
        }
        let body = Limited::new(response.into_body(), LONGEST_INFO).collect().await.ok()?;
        let info: Info = serde_json::from_slice(&body.to_bytes()).ok()?;
        Some((info.width, info.height))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// LM-04: what is remembered is bounded by bytes, too.
    #[test]
    fn lm_04_the_memory_is_bounded_by_bytes() {
        let mut memory = Memory::default();
        let known = |seconds| Known {
            size: Some((1, 1)),
            until: Instant::now() + Duration::from_secs(seconds),
        };
        for number in 0..3000 {
            memory.keep(&format!("{number:_>26000}"), known(60));
            let bytes: usize = memory.images.keys().map(String::len).sum();
            assert!(bytes == memory.bytes && bytes <= MOST_BYTES, "{bytes}");
        }
        memory.keep("a", known(60));
        memory.keep("a", known(60));
        assert!(memory.images.contains_key("a"));
        for number in 0..2 * CAPACITY {
            memory.keep(&number.to_string(), known(60));
            assert!(memory.images.len() <= CAPACITY);
        }
    }
}
