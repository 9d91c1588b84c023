//! Of what is to be described nothing goes out but a description: every other answer of the inner
//! service's is answered anew.

use bytes::Bytes;
use http::header::{LOCATION, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use super::answer::{plain, undescribed};
use super::described::Described;
use super::location;
use crate::respond;

/// The answer to an inner one of another status than 200.
///
/// A viewer that is told of an error does right, so that its status stays. A redirect stays where it
/// leads to another description of the same base. All else would be taken for a description (203, 206),
/// for one that is known (304), or have the browser do something (401 with a password, 408 again): 502.
pub(super) fn answer(
    described: &Described,
    status: StatusCode,
    headers: &HeaderMap,
) -> Response<Bytes> {
    match status.as_u16() {
        301 | 302 | 303 | 307 | 308 => match leads_to(described, headers) {
            Some(location) => {
                let mut response = respond::empty(status);
                let headers = response.headers_mut();
                headers.insert(LOCATION, location);
                respond::allow_any_origin(headers);
                response
            }
            None => undescribed(described, "it leads elsewhere"),
        },
        407 | 408 | 421 | 425 => undescribed(described, "its status is about the connection"),
        400..=599 => {
            let mut response = plain(status);
            if let Some(seconds) = retry_after(headers) {
                response.headers_mut().insert(RETRY_AFTER, seconds);
            }
            response
        }
        _ => undescribed(described, "its status is neither 200 nor an error"),
    }
}

fn leads_to(described: &Described, headers: &HeaderMap) -> Option<HeaderValue> {
    let mut locations = headers.get_all(LOCATION).iter();
    let (Some(one), None) = (locations.next(), locations.next()) else { return None };
    location::on_base(described, one)
}

/// Seconds; a date is as well left out.
fn retry_after(headers: &HeaderMap) -> Option<HeaderValue> {
    let value = headers.get(RETRY_AFTER)?;
    let is_number =
        (1..=9).contains(&value.len()) && value.as_bytes().iter().all(u8::is_ascii_digit);
    is_number.then(|| value.clone())
}
