//! For the tests of applications: whether a map keeps what the layers rely on.

use std::borrow::Cow;

use super::{Refusal, Resource, ResourceMap};

/// Checks, in an application's tests, that a [`ResourceMap`] of its own keeps [what it has to
/// keep](ResourceMap#what-it-has-to-keep), by whole paths of resources that there are.
///
/// # Panics
///
/// Says what is amiss where
///
/// - a path names nothing;
/// - [`Resource::path`] of what is found does not find the same again: its probe would tell of nothing, or of
///   another resource;
/// - another spelling of the path, of which each server makes the same (RFC 3986 §6.2.2.2), names another
///   resource: rules would be asked about one, and the server would answer with the other;
/// - a dot segment is read as part of a name.
///
/// # Example
///
/// A map that takes what follows its base as it stands:
///
/// ```should_panic
/// use tower_iiif_auth::resource::{Named, Refusal, ResourceKind, ResourceMap, assert_unambiguous};
///
/// struct Naive;
///
/// impl ResourceMap for Naive {
///     fn base(&self) -> &str {
///         "/files"
///     }
///
///     fn find<'a>(&'a self, below: &'a str) -> Result<Named<'a>, Refusal> {
///         Ok(Named::new(below, ResourceKind::Content, "Text")) // and not decode_path(below)?
///     }
/// }
///
/// assert_unambiguous(&Naive, ["/files/letter.pdf"]); // it reads %6Cetter.pdf as another file
/// ```
#[track_caller]
pub fn assert_unambiguous<M, P>(map: &M, paths: impl IntoIterator<Item = P>)
where
    M: ResourceMap + ?Sized,
    P: AsRef<str>,
{
    for path in paths {
        let path = path.as_ref();
        let found = find(map, path).unwrap_or_else(|why| panic!("{path}: {why}"));
        let expected = found.to_whole();
        let canonical = expected.path();
        match find(map, &canonical) {
            Ok(again) => assert!(
                again == expected,
                "{path} is {expected:?}, and its own path {canonical} is {again:?}"
            ),
            Err(why) => panic!("{path} is found, and its own path {canonical} is not: {why}"),
        }
        let below = &canonical[map.base().len() + 1..];
        for other in spellings(below) {
            let other = format!("{}/{other}", map.base());
            if let Ok(again) = find(map, &other) {
                let same = again.to_whole() == expected;
                assert!(
                    same,
                    "{canonical} is {expected:?}, and {other}, the same to a server, is {again:?}"
                );
            }
        }
        for (before, behind) in
            [("../", ""), ("x/../", ""), ("%2e%2e%2f", ""), ("", "/.."), ("", "%2F.")]
        {
            let other = format!("{}/{before}{below}{behind}", map.base());
            if let Ok(again) = find(map, &other) {
                panic!("{other} has a dot segment, and is read as {again:?}");
            }
        }
    }
}

fn find<M: ResourceMap + ?Sized>(map: &M, path: &str) -> Result<Resource<'static>, Refusal> {
    Resource::find(map, path).map(Resource::into_owned)
}

/// The same with each unreserved character escaped, and with one after the other.
fn spellings(below: &str) -> impl Iterator<Item = String> {
    let escaped = move |which: &dyn Fn(usize) -> bool| {
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let bytes = below.as_bytes();
        let in_escape = |at: usize| bytes[at.saturating_sub(2)..at].contains(&b'%');
        let each = below.char_indices().map(|(at, character)| {
            let escapes =
                character.is_ascii() && unreserved(bytes[at]) && !in_escape(at) && which(at);
            if escapes {
                Cow::Owned(format!("%{:02X}", bytes[at]))
            } else {
                Cow::Owned(character.to_string())
            }
        });
        each.collect::<String>()
    };
    let all = escaped(&|_| true);
    let ones = (0..below.len()).map(move |own| escaped(&|at| at == own));
    std::iter::once(all).chain(ones).filter(move |other| other != below)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::{Dialect, Files, ImageApi};

    #[test]
    fn the_maps_in_the_box_are_unambiguous() {
        assert_unambiguous(&Files::new("/files"), ["/files/1923/reel%202.mp4", "/files/%C3%BC"]);
        for dialect in [
            Dialect::general(),
            Dialect::iipimage(),
            Dialect::cantaloupe(),
            Dialect::cantaloupe().slash_substitute("__"),
            Dialect::general().several_segments(),
            Dialect::general().urls(),
        ] {
            let map = ImageApi::new("/iiif/3").dialect(dialect);
            let paths = ["ms%2F117", "ms%2f117/info.json", "a%20b/full/max/0/default.jpg"];
            assert_unambiguous(&map, paths.map(|below| format!("/iiif/3/{below}")));
        }
    }

    #[test]
    fn each_spelling_escapes_what_may_be_escaped() {
        let spellings: Vec<_> = spellings("a%2Fb/ü").collect();
        assert_eq!(spellings, ["%61%2F%62/ü", "%61%2Fb/ü", "a%2F%62/ü"]);
    }
}
