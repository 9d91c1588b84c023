//! Parameters of queries and small forms, decoded strictly.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// Why a parameter has no one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadParameter {
    /// It stands more than once.
    Repeated,
    /// Its value is no UTF-8.
    NotText,
}

/// The value of the parameter `name`, which may stand once.
pub(crate) fn single<'q>(query: &'q str, name: &str) -> Result<Option<Cow<'q, str>>, BadParameter> {
    let mut found = None;
    let mut rest = Some(query);
    while let Some((pair, behind)) = rest.map(|rest| cut(rest, b'&')) {
        rest = behind;
        let (own, value) = cut(pair, b'=');
        let is_own = own == name || is_encoded(own) && decode(own).is_ok_and(|own| own == name);
        if is_own && found.replace(value.unwrap_or_default()).is_some() {
            return Err(BadParameter::Repeated);
        }
    }
    found.map(decode).transpose()
}

/// The query without these parameters.
pub(crate) fn without(query: &str, names: &[&str]) -> String {
    let stays = |pair: &&str| {
        let name = pair.split_once('=').map_or(*pair, |(name, _)| name);
        !pair.is_empty() && !decode(name).is_ok_and(|own| names.contains(&&*own))
    };
    query.split('&').filter(stays).collect::<Vec<_>>().join("&")
}

/// What stands before the first `mark`, and what behind it.
fn cut(text: &str, mark: u8) -> (&str, Option<&str>) {
    debug_assert!(mark.is_ascii());
    match memchr::memchr(mark, text.as_bytes()) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

fn is_encoded(text: &str) -> bool {
    text.bytes().any(|byte| matches!(byte, b'%' | b'+'))
}

fn decode(text: &str) -> Result<Cow<'_, str>, BadParameter> {
    if !is_encoded(text) {
        return Ok(Cow::Borrowed(text));
    }
    let spaced =
        if text.contains('+') { Cow::Owned(text.replace('+', " ")) } else { Cow::Borrowed(text) };
    match spaced {
        Cow::Borrowed(text) => {
            percent_decode_str(text).decode_utf8().map_err(|_| BadParameter::NotText)
        }
        Cow::Owned(text) => percent_decode_str(&text)
            .decode_utf8()
            .map(|text| Cow::Owned(text.into_owned()))
            .map_err(|_| BadParameter::NotText),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_are_taken_out() {
        for (query, rest) in [
            ("a=1&b=2&c=3", "b=2"),
            ("%61=1&b", "b"),
            ("", ""),
            ("a=1&a=2", ""),
            ("x=%ff&%ff=1", "x=%ff&%ff=1"),
        ] {
            assert_eq!(without(query, &["a", "c"]), rest, "{query}");
        }
    }

    #[test]
    fn one_value() {
        for (query, expected) in [
            ("a=1", Ok(Some("1"))),
            ("b=2&a=1&c", Ok(Some("1"))),
            ("%61=1", Ok(Some("1"))),
            ("a", Ok(Some(""))),
            ("a=x=y", Ok(Some("x=y"))),
            ("A=1", Ok(None)),
            ("", Ok(None)),
            ("&a=1&", Ok(Some("1"))),
            ("a=&b", Ok(Some(""))),
            ("a+=1", Ok(None)),
            ("%ff=1&a=1", Ok(Some("1"))),
            ("a=1&a=1", Err(BadParameter::Repeated)),
            ("a=1&%61=2", Err(BadParameter::Repeated)),
            ("a=%ff", Err(BadParameter::NotText)),
        ] {
            let found = single(query, "a");
            assert_eq!(found.as_ref().map(Option::as_deref), expected.as_ref().copied(), "{query}");
        }
    }
}
