//! Forms of our own pages: where they may come from, and what they bring.

use http::{HeaderMap, Method};
use http_body::Body;
use http_body_util::{BodyExt, Limited};

use crate::answer::BoxError;
use crate::config::Core;
use crate::same_site::is_made_here;

/// Longest form that is read, in bytes: a sealed session and a word.
const LONGEST: usize = 16 * 1024;

/// Whether a request is a form that the user sent from a page of this very site.
pub(super) fn is_posted_here(core: &Core, method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::POST && is_made_here(core, headers)
}

/// Whether a request loads a page into a tab, as far as the browser says: clients that say nothing
/// are no browsers of today.
pub(super) fn is_opened_in_tab(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-dest").is_none_or(|destination| destination.as_bytes() == b"document")
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
