//! URIs of this publisher's, whichever of its names they are written with.

use super::Core;
use crate::config::PublicUrl;

/// A URI of this publisher's.
pub(crate) struct OwnUri<'u> {
    /// Without query and fragment.
    pub(crate) path: &'u str,
    /// From the path on.
    pub(crate) path_and_more: &'u str,
    /// Whether it begins with the public URL, to the letter.
    pub(crate) is_public: bool,
}

impl Core {
    /// What of a path lies below the path of the public URL, or of another URL that is known for it.
    pub(crate) fn own_path<'u>(&self, path: &'u str) -> Option<&'u str> {
        let below = |own: &str| path.strip_prefix(own).filter(|rest| rest.starts_with('/'));
        let others = self.also_known_as.iter().map(PublicUrl::path);
        let others = || others.filter(|own| !own.is_empty()).find_map(below);
        // A prefix that is named is one.
        others().or_else(|| below(self.public_url.path()))
    }

    /// The path of a URI below the public URL, or below another URL that is known for it.
    pub(crate) fn own_uri<'u>(&self, uri: &'u str) -> Option<OwnUri<'u>> {
        let below = self.public_url.part_below(uri);
        let others = || self.also_known_as.iter().find_map(|url| url.part_below(uri));
        let path_and_more = below.or_else(others)?;
        let end = path_and_more.find(['?', '#']).unwrap_or(path_and_more.len());
        let is_public = uri.len() == self.public_url.as_str().len() + path_and_more.len()
            && uri.starts_with(self.public_url.as_str());
        Some(OwnUri { path: &path_and_more[..end], path_and_more, is_public })
    }
}
