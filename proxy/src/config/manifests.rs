//! `[[manifests]]`: which documents of the image server's declare the login of what they show.

use tower_iiif_auth::Manifests;

use super::base::{Base, Kind};
use super::mistakes::Span;
use super::public::PublicPath;
use super::section::{Found, Section};

/// Manifests that are described while they pass through.
#[derive(Clone)]
pub(super) struct Described {
    pub(super) span: Span,
    pub(super) manifests: Manifests,
    path: String,
}

pub(super) fn read(mut section: Section<'_, '_>) -> Option<Described> {
    let path = section.required::<String>("path");
    let images = section.or("images", false);
    let in_full = section.or("in_full", true);
    let on_images = section.or("probes_on_images", true);
    let external_ids = section.or("external_ids", false);
    let mut size = |key| section.size(key).map(|found| found.value);
    let (longest, most) = (size("longest"), size("most"));
    let longest_described = size("longest_described");
    section.finish();

    let Found { value: path, span } = path?;
    let mut manifests = Manifests::at(path.as_str());
    if images {
        manifests = manifests.images();
    }
    if !in_full {
        manifests = manifests.by_reference();
    }
    if !on_images {
        manifests = manifests.without_probes_on_images();
    }
    if external_ids {
        manifests = manifests.external_ids();
    }
    if let Some(bytes) = longest_described {
        manifests = manifests.max_described_bytes(bytes);
    }
    if let Some(bytes) = longest {
        manifests = manifests.max_bytes(bytes);
    }
    if let Some(resources) = most {
        manifests = manifests.max_resources(resources);
    }
    Some(Described { span, manifests, path })
}

impl Described {
    /// Whether any of them can be asked for: the path alone opens nothing.
    pub(super) fn is_reached(&self, public_paths: &[PublicPath], bases: &[Base]) -> bool {
        let own = if self.path.contains('*') {
            vec![self.path.clone()]
        } else {
            vec![self.path.clone(), format!("{}/*", self.path)]
        };
        let files = bases.iter().filter(|base| matches!(base.kind, Kind::Files(_)));
        let files = files.map(|base| format!("{}/*", base.path));
        public_paths
            .iter()
            .map(|own| own.text.clone())
            .chain(files)
            .any(|served| own.iter().any(|own| meet(own.as_bytes(), served.as_bytes())))
    }
}

/// Whether some text fits both patterns, in which `*` stands for any text.
fn meet(one: &[u8], other: &[u8]) -> bool {
    match (one.split_first(), other.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) if meet(rest, other) => true,
        (_, Some((b'*', rest))) if meet(one, rest) => true,
        (Some((b'*', _)), Some((_, rest))) => meet(one, rest),
        (Some((_, rest)), Some((b'*', _))) => meet(rest, other),
        (Some((a, rest)), Some((b, other))) => a == b && meet(rest, other),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::meet;

    #[test]
    fn patterns_meet_where_a_text_fits_both() {
        for (one, other, expected) in [
            ("/a", "/a", true),
            ("/a", "/b", false),
            ("/a/*", "/a", false),
            ("/a/*", "/a/b", true),
            ("/*/manifest", "/works/*", true),
            ("/works/*", "/*/manifest", true),
            ("/works/*/manifest", "/works/a*", true),
            ("/works/*/manifest", "/static/*", false),
            ("*", "/a*b", true),
            ("/a*b", "/a*c", false),
            ("/a**b", "/ab", true),
            ("", "*", true),
        ] {
            assert_eq!(meet(one.as_bytes(), other.as_bytes()), expected, "{one} {other}");
            assert_eq!(meet(other.as_bytes(), one.as_bytes()), expected, "{other} {one}");
        }
    }
}
