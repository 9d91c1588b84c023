//! The parameters of a token request (2.0 §4.3), as clients really send them.

use crate::protocol::Origin;
use crate::query;

/// Longest `messageId`, in bytes. It may be any text: a number, a whole URL.
const LONGEST_MESSAGE_ID: usize = 2048;

/// A token request that can be answered by a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TokenRequest {
    /// Where the message goes.
    pub(super) origin: Origin,
    /// The `messageId`; `None` if it is missing, empty, doubled or too long.
    pub(super) message_id: Option<String>,
}

/// There is no origin that a message could be posted to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoTarget;

impl TokenRequest {
    pub(super) fn parse(query: &str) -> Result<Self, NoTarget> {
        let origin = query::single(query, "origin").map_err(|_| NoTarget)?.ok_or(NoTarget)?;
        let origin = origin.parse().map_err(|_| NoTarget)?;
        let message_id = query::single(query, "messageId")
            .ok()
            .flatten()
            .filter(|id| !id.is_empty() && id.len() <= LONGEST_MESSAGE_ID);
        Ok(Self { origin, message_id: message_id.map(Into::into) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const V: &str = "https://viewer.example";

    /// CLI-2, CLI-3, CLI-4, TP-03, TP-05, V2-ERR-4, V2-ERR-11, V2-ERR-12
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
            ("origin=https://viewer.example", Some(None)),
            ("messageId=a&messageId=b&origin=https://viewer.example", Some(None)),
            ("messageId=%ff&origin=https://viewer.example", Some(None)),
            (&long, Some(None)),
            (&longest_query, Some(Some(&*longest))),
            ("messageId=m1", None),
            ("messageId=m1&origin=", None),
            ("messageId=m1&origin=*", None),
            ("messageId=m1&origin=https://viewer.example&origin=https://evil.example", None),
            ("messageId=m1&origin=https://viewer.example&origin=https://viewer.example", None),
            ("", None),
        ] {
            let parsed = TokenRequest::parse(query).ok();
            let expected = expected.map(|message_id| TokenRequest {
                origin: V.parse().unwrap(),
                message_id: message_id.map(str::to_owned),
            });
            assert_eq!(parsed, expected, "{query:.80}");
        }
    }
}
