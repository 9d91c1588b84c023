//! Paths of the IIIF Image API 2.1 and 3.0.

use std::borrow::Cow;

use super::encoding::{self, Plain};
use super::{Families, ImageRequest, Match, Refusal, Resource, ResourceKind, ResourceMap};

/// An Image API base: `{base}/{identifier}/info.json` and
/// `{base}/{identifier}/{region}/{size}/{rotation}/{quality}.{format}`.
///
/// The two versions of the Image API have the same paths. The identifier is one path segment, in
/// which slashes are percent-encoded (Image API 3.0 §9). Other shapes below the base are refused, and
/// so is a raw `&`: `IIPImage` takes what follows it as a command on another image. Write `%26`.
///
/// # Example
///
/// ```
/// use tower_iiif_auth::resource::{ImageApi, Match, ResourceMap};
///
/// let map = ImageApi::new("/iiif/3");
/// let Match::Found(page) = map.find("/iiif/3/ms%2F117/info.json") else { unreachable!() };
/// assert_eq!(page.identifier(), "ms/117");
/// assert_eq!(page.path(), "/iiif/3/ms%2F117");
/// ```
#[derive(Clone, Debug)]
pub struct ImageApi {
    base: Box<str>,
    path_parameters: bool,
    families: Families,
    active_content: bool,
}

impl ImageApi {
    /// The images below `base`, a path such as `/iiif/3`.
    #[must_use]
    pub fn new(base: &str) -> Self {
        let base = base.trim_end_matches('/').into();
        Self { base, path_parameters: false, families: Families::default(), active_content: false }
    }

    /// The families of the specification that this base speaks. Default: 2.0.
    #[must_use]
    pub fn families(mut self, families: impl Into<Families>) -> Self {
        self.families = families.into();
        self
    }

    /// Takes a raw `;` in a path as part of the identifier, as Cantaloupe's page numbers need
    /// (`book.pdf;2`).
    ///
    /// The default refuses it with 400: servers that drop what follows a `;` (Jetty and Tomcat do)
    /// would answer with another resource than was decided on. Switch it on only before a server
    /// that does not.
    #[must_use]
    pub fn with_insecure_path_parameters(mut self) -> Self {
        self.path_parameters = true;
        self
    }

    /// Lets what the image server answers run in browsers as pages of this site: see
    /// [`ResourceMap::insecure_active_content`]. Right where it has pages of its own below this base, and
    /// reflects nothing of a request in them.
    #[must_use]
    pub fn insecure_active_content(mut self) -> Self {
        self.active_content = true;
        self
    }

    fn read<'a>(&'a self, below: &'a str) -> Result<Resource<'a>, Refusal> {
        let (identifier, kind) = match Plain::of(below) {
            Some(plain) => (Cow::Borrowed(plain.first), plain_kind(&plain)?),
            None => self.read_closely(below)?,
        };
        Ok(Resource::new(&*self.base, identifier, kind, "Image"))
    }

    /// The same where something has to be decoded or refused.
    #[inline(never)]
    fn read_closely<'a>(
        &self,
        below: &'a str,
    ) -> Result<(Cow<'a, str>, ResourceKind<'a>), Refusal> {
        // Also in a description, which everyone may read: `x&FIF=secret.tif&CVT=jpeg/info.json`.
        if memchr::memchr(b'&', below.as_bytes()).is_some() {
            return Err(Refusal::Ambiguous);
        }
        let mut segments = below.split('/');
        let identifier = segments.next().unwrap_or_default();
        let decode = |segment| encoding::decode(segment, self.path_parameters);
        let kind = match [(); 5].map(|()| segments.next()) {
            [None, ..] => ResourceKind::ImageService,
            [Some("info.json"), None, ..] => ResourceKind::ImageInformation,
            [Some(region), Some(size), Some(rotation), Some(last), None] => {
                let parts = [decode(region)?, decode(size)?, decode(rotation)?, decode(last)?];
                let written = below.get(identifier.len() + 1..).unwrap_or_default();
                ResourceKind::Image(ImageRequest::of(&parts, written)?)
            }
            // Servers that fold `a//b` and `a/./b` would make a known shape of these.
            _ if encoding::ambiguous_segments(below) => return Err(Refusal::Ambiguous),
            _ => return Err(Refusal::Unknown),
        };
        Ok((decode(identifier)?, kind))
    }
}

fn plain_kind<'p>(path: &Plain<'p>) -> Result<ResourceKind<'p>, Refusal> {
    match path.slashes {
        0 => Ok(ResourceKind::ImageService),
        1 if path.rest == "info.json" => Ok(ResourceKind::ImageInformation),
        4 if path.has_suffix => Ok(ResourceKind::Image(ImageRequest::plain(path.rest))),
        _ => Err(Refusal::Unknown),
    }
}

impl ResourceMap for ImageApi {
    fn base(&self) -> &str {
        &self.base
    }

    fn find<'a>(&'a self, path: &'a str) -> Match<'a> {
        match path.strip_prefix(&*self.base).and_then(|below| below.strip_prefix('/')) {
            None => Match::Elsewhere,
            Some(below) => self.read(below).map_or_else(Match::Refused, Match::Found),
        }
    }

    fn may_be_information(&self, path: &str) -> bool {
        path.ends_with("/info.json")
    }

    fn families(&self) -> Families {
        self.families
    }

    fn insecure_active_content(&self) -> bool {
        self.active_content
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(path: &str) -> Result<(String, &'static str), Refusal> {
        let map = ImageApi::new("/iiif/3/");
        let found = map.find(path);
        if let Match::Found(resource) = &found {
            let is_information = matches!(resource.kind(), ResourceKind::ImageInformation);
            assert!(!is_information || map.may_be_information(path), "{path}");
        }
        match found {
            Match::Found(resource) => Ok((
                resource.identifier().to_owned(),
                match resource.kind() {
                    ResourceKind::ImageService => "service",
                    ResourceKind::ImageInformation => "info",
                    ResourceKind::Image(_) => "image",
                    ResourceKind::Content => "content",
                },
            )),
            Match::Elsewhere => Ok((String::new(), "elsewhere")),
            Match::Refused(refusal) => Err(refusal),
        }
    }

    #[test]
    fn known_shapes() {
        for (path, identifier, kind) in [
            ("/iiif/3/sec", "sec", "service"),
            ("/iiif/3/sec/info.json", "sec", "info"),
            ("/iiif/3/sec/full/max/0/default.jpg", "sec", "image"),
            ("/iiif/3/dir%2Fsec/0,0,512,512/512,/0/default.jpg", "dir/sec", "image"),
            // PA-08: this is an image called `info`, not the information document.
            ("/iiif/3/sec/full/max/0/info.json", "sec", "image"),
            ("/iiif/3/info.json", "info.json", "service"),
            ("/iiif/3/sec/full/%5Emax/!90/gray.png", "sec", "image"),
            ("/iiif/3/.sec/info.json", ".sec", "info"),
            ("/iiif/3/a../info.json", "a..", "info"),
            ("/iiif/3/sec/full/.5/0/default.jpg", "sec", "image"),
            ("/iiif/3/recto%26verso/info.json", "recto&verso", "info"),
            ("/iiif/30/sec", "", "elsewhere"),
            ("/iiif/3", "", "elsewhere"),
            ("/other", "", "elsewhere"),
            ("/IIIF/3/sec/info.json", "", "elsewhere"),
        ] {
            assert_eq!(find(path), Ok((identifier.to_owned(), kind)), "{path}");
        }
    }

    /// PA-01, PA-04, PA-05, PA-06, PA-08: the shapes that are refused.
    #[test]
    fn refused_shapes() {
        for (path, refusal) in [
            ("/iiif/3/", Refusal::Ambiguous),
            ("/iiif/3//sec/info.json", Refusal::Ambiguous),
            ("/iiif/3/sec/", Refusal::Unknown),
            ("/iiif/3/pub/../sec/full/max/0/default.jpg", Refusal::Ambiguous),
            ("/iiif/3/pub/%2e%2e/sec/full/max/0/default.jpg", Refusal::Ambiguous),
            ("/iiif/3/pub%2f..%2fsec/info.json", Refusal::Ambiguous),
            ("/iiif/3/dir%252Fsec/info.json", Refusal::Ambiguous),
            ("/iiif/3/sec;x/info.json", Refusal::Ambiguous),
            ("/iiif/3/x&FIF=sec.tif&CVT=jpeg/info.json", Refusal::Ambiguous),
            ("/iiif/3/pub/full/max/0/default.jpg&FIF=sec.tif&CVT=jpeg", Refusal::Ambiguous),
            ("/iiif/3/sec/full/max/0/default.jpg/", Refusal::Unknown),
            ("/iiif/3/sec/full/max/0/default.jpg%23/info.json", Refusal::Unknown),
            ("/iiif/3/sec/INFO.JSON", Refusal::Unknown),
            ("/iiif/3/sec/info.json/full/max/0/default.jpg", Refusal::Unknown),
            ("/iiif/3/sec/info.json%2f..%2ffull/max/0/default.jpg", Refusal::Ambiguous),
            ("/iiif/3/sec/full/max/0/default", Refusal::Unknown),
            ("/iiif/3/dir/sec/full/max/0/default.jpg", Refusal::Unknown),
        ] {
            assert_eq!(find(path), Err(refusal), "{path}");
        }
    }
}
