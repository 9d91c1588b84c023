//! Descriptions of an image server that can not be told the public URI.

use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, ETAG, IF_RANGE, LOCATION, RANGE,
};
use http::request::Parts as RequestParts;
use http::response::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
use http_body::Body as HttpBody;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tower_iiif_auth::resource::{Resource, ResourceKind};

use crate::body::{Body, BoxError, empty};
use crate::routes::Routes;

/// The longest description, in bytes.
const LONGEST: usize = 1 << 20;

/// What an image server of this kind wrote as the image's URI, and what it is.
pub(super) struct Ids {
    written: String,
    right: String,
}

/// What is to be put right in the answer to a request, if anything is: the `id` in a description of
/// IIPImage's.
pub(super) fn ids(routes: &Routes, path: &str) -> Option<Ids> {
    let (base, _) = routes.base_of(path)?;
    let image = base.image(path)?;
    let wanted = base.dialect()?.is_iipimage() && is(&image, &ResourceKind::ImageInformation);
    let ids = || Ids { written: routes.stand_in(base), right: routes.public_uri(&image) };
    wanted.then(ids)
}

/// The answer to the base URI of an image, which IIPImage does not know in folders: 303 to its
/// description (Image API 3.0 §2).
pub(super) fn base_uri(routes: &Routes, path: &str) -> Option<Response<Body>> {
    let (base, _) = routes.base_of(path)?;
    let image = base.image(path)?;
    if !base.dialect()?.is_iipimage() || !is(&image, &ResourceKind::ImageService) {
        return None;
    }
    let info = HeaderValue::try_from(format!("{}/info.json", routes.public_uri(&image))).ok()?;
    let mut response = Response::new(empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(LOCATION, info);
    Some(response)
}

fn is(image: &Resource<'_>, kind: &ResourceKind<'_>) -> bool {
    image.kind() == kind
}

/// Asks for the whole document as it is.
pub(super) fn ask_for_all(head: &mut RequestParts) {
    for name in [RANGE, IF_RANGE, ACCEPT_ENCODING] {
        head.headers.remove(name);
    }
}

/// What is said where a document does not name what its server was told.
pub(super) const NOT_TOLD: &str = "its description does not name the X-IIIF-ID it was told: is it IIPImage, \
                                   and does the web server before it pass the header on?";

/// A document with the right URI in it.
pub(super) struct PutRight {
    pub(super) document: Bytes,
    /// Whether the server named what it was told, or nobody looked.
    pub(super) is_told: bool,
}

/// The document with the right URI in it.
///
/// # Errors
///
/// When it is too long, breaks off or comes compressed.
pub(super) async fn put_right<B>(
    ids: &Ids,
    method: &Method,
    head: &mut Parts,
    body: B,
) -> Result<PutRight, &'static str>
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError>>,
{
    // They are of other bytes.
    head.headers.remove(CONTENT_LENGTH);
    head.headers.remove(ETAG);
    if *method == Method::HEAD {
        return Ok(PutRight { document: Bytes::new(), is_told: true });
    }
    if head.headers.contains_key(CONTENT_ENCODING) {
        return Err("info.json is compressed although that was not asked for");
    }
    let body = Limited::new(body, LONGEST).collect().await;
    let body = body.map_err(|error| too_long_or_broken(&error))?.to_bytes();
    let document = replaced(&body, ids);
    let is_told = document.is_some();
    Ok(PutRight { document: document.unwrap_or(body), is_told })
}

fn too_long_or_broken(error: &BoxError) -> &'static str {
    if error.is::<LengthLimitError>() {
        "info.json is longer than 1 MiB"
    } else {
        "info.json broke off, or stood still for too long"
    }
}

fn replaced(body: &Bytes, ids: &Ids) -> Option<Bytes> {
    let quoted = |uri: &str| format!("\"{uri}\"");
    let text = std::str::from_utf8(body).ok()?;
    let (written, right) = (quoted(&ids.written), quoted(&ids.right));
    text.contains(&written).then(|| text.replace(&written, &right).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stand_in_is_replaced() {
        let ids = Ids { written: "https://a/b/-".into(), right: "https://a/b/c%2Fd".into() };
        let body = Bytes::from_static(b"{\"@id\" : \"https://a/b/-\", \"x\": \"https://a/b/-x\"}");
        let right = b"{\"@id\" : \"https://a/b/c%2Fd\", \"x\": \"https://a/b/-x\"}";
        assert_eq!(replaced(&body, &ids).unwrap(), right[..]);
        assert_eq!(replaced(&Bytes::from_static(b"{}"), &ids), None);
    }
}
