//! The parameters of a token request (2.0 §4.3, 1.0 §2.2.3–2.2.4), as clients really send them.

use http::HeaderMap;

use crate::config::Compatibility;
use crate::fetch_metadata::referring_origin;
use crate::protocol::v1::Version;
use crate::protocol::{Family, Origin};
use crate::query;

/// Longest `messageId`, in bytes. It may be any text: a number, a whole URL.
const LONGEST_MESSAGE_ID: usize = 2048;

/// A token request that can be answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TokenRequest {
    /// By a message that a page posts to the viewer.
    Posted(Family, Addressee),
    /// By a JSON body, for a client that is no browser: only 1.0 and 0.9 know it. It needs no origin;
    /// one that is named all the same has to be good.
    Body(Version, Result<Option<Origin>, BadOrigin>),
}

/// Who the message is for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Addressee {
    /// Where it goes.
    pub(super) origin: Origin,
    /// The `messageId`; `None` if it is missing, empty, doubled or too long.
    pub(super) message_id: Option<String>,
}

/// There is no origin that a message could be posted to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoTarget;

/// The `origin` is no origin, or stands more than once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BadOrigin;

impl TokenRequest {
    pub(super) fn parse(
        query: &str,
        headers: &HeaderMap,
        family: Family,
        compatibility: Compatibility,
    ) -> Result<Self, NoTarget> {
        let message_id = query::single(query, "messageId");
        let origin = origin(query);
        if let (Some(version), Ok(None)) = (family.authentication(), &message_id) {
            return Ok(Self::Body(version, origin));
        }
        let origin = match origin.map_err(|_| NoTarget)? {
            Some(origin) => origin,
            None if family == Family::V09 && compatibility.origin_from_referer => {
                referring_origin(headers).ok_or(NoTarget)?
            }
            None => return Err(NoTarget),
        };
        let message_id = message_id
            .ok()
            .flatten()
            .filter(|id| !id.is_empty() && id.len() <= LONGEST_MESSAGE_ID)
            .map(Into::into);
        Ok(Self::Posted(family, Addressee { origin, message_id }))
    }

    pub(super) fn family(&self) -> Family {
        match self {
            Self::Posted(family, _) => *family,
            Self::Body(version, _) => (*version).into(),
        }
    }
}

/// The origin that the request names, if it names one.
fn origin(query: &str) -> Result<Option<Origin>, BadOrigin> {
    let Some(origin) = query::single(query, "origin").map_err(|_| BadOrigin)? else {
        return Ok(None);
    };
    origin.parse().map(Some).map_err(|_| BadOrigin)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::REFERER;

    const V: &str = "https://viewer.example";

    fn parse(query: &str, family: Family) -> Result<TokenRequest, NoTarget> {
        TokenRequest::parse(query, &HeaderMap::new(), family, Compatibility::default())
    }

    /// CLI-2, CLI-3, CLI-4, TP-03, TP-05, V2-ERR-4, V2-ERR-11, V2-ERR-12, CON-4, CON-5
    #[test]
    fn parameters() {
        let long = format!("messageId={}&origin={V}", "x".repeat(2049));
        let longest = "x".repeat(2048);
        let longest_query = format!("messageId={longest}&origin={V}");
        for (query, expected) in [
            ("messageId=m1&origin=https://viewer.example", Some(Some("m1"))),
            ("origin=https%3A%2F%2Fviewer.example%2F&messageId=1234&t=99", Some(Some("1234"))),
            (
                "messageId=https%3A%2F%2Fa%2Fb%7C1712&origin=https://viewer.example",
                Some(Some("https://a/b|1712")),
            ),
            ("messageId=a+b&origin=https://viewer.example", Some(Some("a b"))),
            ("messageId=a%2Bb&origin=https://viewer.example", Some(Some("a+b"))),
            ("messageId=http://x/?y=z&origin=https://viewer.example", Some(Some("http://x/?y=z"))),
            ("messageId=&origin=https://viewer.example", Some(None)),
            ("messageId=a&messageId=b&origin=https://viewer.example", Some(None)),
            ("messageId=%ff&origin=https://viewer.example", Some(None)),
            (&long, Some(None)),
            (&longest_query, Some(Some(&*longest))),
            ("messageId=m1", None),
            ("messageId=m1&origin=", None),
            ("messageId=m1&origin=*", None),
            ("messageId=m1&origin=https://viewer.example&origin=https://evil.example", None),
            ("messageId=m1&origin=https://viewer.example&origin=https://viewer.example", None),
        ] {
            for family in Family::ALL {
                let expected = expected.map(|message_id| {
                    let origin = V.parse().unwrap();
                    let message_id = message_id.map(str::to_owned);
                    TokenRequest::Posted(family, Addressee { origin, message_id })
                });
                assert_eq!(parse(query, family).ok(), expected, "{query:.80}");
            }
        }
    }

    /// CON-4, CON-5: what a request without `messageId` asks for depends on the family.
    #[test]
    fn without_a_message_id() {
        let own = || Ok(Some(V.parse().unwrap()));
        for (query, origin) in [
            ("", Ok(None)),
            ("t=1", Ok(None)),
            ("origin=https://viewer.example", own()),
            ("origin=https://viewer.example/", own()),
            ("origin=", Err(BadOrigin)),
            ("origin=*", Err(BadOrigin)),
            ("origin=https://viewer.example&origin=https://viewer.example", Err(BadOrigin)),
        ] {
            for version in Version::ALL {
                let expected = TokenRequest::Body(version, origin.clone());
                assert_eq!(parse(query, version.into()), Ok(expected), "{query}");
            }
        }
        let posted = parse("origin=https://viewer.example", Family::V2).unwrap();
        let addressee = Addressee { origin: V.parse().unwrap(), message_id: None };
        assert_eq!(posted, TokenRequest::Posted(Family::V2, addressee));
        assert_eq!(parse("", Family::V2), Err(NoTarget));
    }

    /// CON-5: for the 0.9 mode of Universal Viewer, if it is switched on.
    #[test]
    fn the_referer_may_name_the_origin() {
        let on = Compatibility::default().origin_from_referer();
        let parse = |referer: &str, family, compatibility| {
            let headers = HeaderMap::from_iter([(REFERER, referer.parse().unwrap())]);
            TokenRequest::parse("messageId=1", &headers, family, compatibility)
        };
        for (referer, family, compatibility, expected) in [
            ("https://viewer.example/uv?x#y", Family::V09, on, true),
            ("https://viewer.example", Family::V09, on, true),
            ("https://user@viewer.example/", Family::V09, on, false),
            ("about:blank", Family::V09, on, false),
            ("https://viewer.example/", Family::V1, on, false),
            ("https://viewer.example/", Family::V2, on, false),
            ("https://viewer.example/", Family::V09, Compatibility::default(), false),
        ] {
            let parsed = parse(referer, family, compatibility);
            assert_eq!(parsed.is_ok(), expected, "{referer} {family:?}");
            if let Ok(TokenRequest::Posted(_, addressee)) = parsed {
                assert_eq!(addressee.origin.as_str(), V);
            }
        }
    }
}
