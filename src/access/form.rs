//! Forms of our own pages: where they may come from, and what they bring.

use http::{HeaderMap, Method};
use http_body::Body;
use http_body_util::{BodyExt, Limited};

use crate::answer::BoxError;
use crate::config::Core;
use crate::fetch_metadata::is_made_here;

/// Longest form that is read, in bytes: a sealed session and a word.
const LONGEST: usize = 16 * 1024;

/// Whether a request is a form that the user sent from a page of this very site.
pub(super) fn is_posted_here(core: &Core, method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::POST && is_made_here(core, headers)
}

/// The text of a form; `None` if it is too long, broken or no text.
pub(super) async fn read<B>(body: B) -> Option<String>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    let body = Limited::new(body, LONGEST).collect().await.ok()?;
    String::from_utf8(body.to_bytes().into()).ok()
}
