//! Forms of our own pages: where they may come from, and what they bring.

use http::{HeaderMap, Method};
use http_body::Body;

use crate::answer::BoxError;
use crate::core::Core;
use crate::fetch_metadata::is_made_here;
use crate::posted::{self, TooSlow};

/// Longest form that is read, in bytes: a sealed session and a word.
const LONGEST: usize = 16 * 1024;

/// Whether a request is a form that the user sent from a page of this very site.
pub(super) fn is_posted_here(core: &Core, method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::POST && is_made_here(core.public_url.origin(), headers)
}

/// The text of a form; `None` if it is too long, broken or no text.
pub(super) async fn read<B>(core: &Core, body: B) -> Result<Option<String>, TooSlow>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    let body = posted::read(core.limits.form_time(), LONGEST, body).await?;
    Ok(body.and_then(|body| String::from_utf8(body.into()).ok()))
}
