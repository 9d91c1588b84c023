//! Paths of the IIIF Image API 2.1 and 3.0.

use super::dialect::Dialect;
use super::encoding;
use super::named::Identifier;
use super::plain::Plain;
use super::read_name::{NameReader, ReadName};
use super::{Families, ImageRequest, Named, Refusal, ResourceKind, ResourceMap};
use super::{shape, url_identifier};
use crate::path::base_of;

/// An Image API base: `{base}/{identifier}/info.json` and
/// `{base}/{identifier}/{region}/{size}/{rotation}/{quality}.{format}`.
///
/// The two versions of the Image API have the same paths. The identifier is one path segment, in
/// which slashes are percent-encoded (Image API 3.0 §9), or what the base's [`dialect`](Self::dialect)
/// takes for one. Other shapes below the base are 404; an identifier that the server behind could read
/// in another way is 400.
///
/// The request goes on untouched. A proxy that writes it anew asks
/// [`Resource::request_path`](super::Resource::request_path) for the canonical spelling of what was decided on.
///
/// # Example
///
/// ```
/// use tower_iiif_auth::resource::{ImageApi, Resource};
///
/// let map = ImageApi::new("/iiif/3");
/// let page = Resource::find(&map, "/iiif/3/ms%2F117/info.json")?;
/// assert_eq!(page.identifier(), "ms/117");
/// assert_eq!(page.path(), "/iiif/3/ms%2F117");
/// # Ok::<(), tower_iiif_auth::resource::Refusal>(())
/// ```
#[derive(Clone, Debug)]
pub struct ImageApi {
    base: Box<str>,
    dialect: Dialect,
    /// Of this dialect.
    names: NameReader,
    families: Families,
    active_content: bool,
}

impl ImageApi {
    /// The images below `base`, a path such as `/iiif/3`; `/` for an image server at the root of its host, of
    /// which the services, the logins and what is public are set apart.
    #[must_use]
    pub fn new(base: &str) -> Self {
        let base = base_of(base).into();
        Self {
            base,
            dialect: Dialect::default(),
            names: NameReader::new(),
            families: Families::default(),
            active_content: false,
        }
    }

    /// The families of the specification that this base speaks. Default: 2.0.
    #[must_use]
    pub fn families(mut self, families: impl Into<Families>) -> Self {
        self.families = families.into();
        self
    }

    /// How the server behind reads identifiers. Default: [`Dialect::general`].
    #[must_use]
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = dialect;
        self.names = NameReader::new();
        self
    }

    /// Takes a `;` in a path as part of the identifier, raw and encoded.
    ///
    /// The default refuses it with 400: servers that drop what follows a `;` (Jetty and Tomcat do) or
    /// take it for a page (Cantaloupe does) would answer with another resource than was decided on.
    /// Switch it on only before a server that does neither. For Cantaloupe's pages say
    /// [`Dialect::cantaloupe`].
    #[must_use]
    pub fn with_insecure_path_parameters(self) -> Self {
        let dialect = self.dialect.clone().with_insecure_characters(";");
        self.dialect(dialect)
    }

    /// Lets what the image server answers run in browsers as pages of this site: see
    /// [`ResourceMap::insecure_active_content`]. Right where it has pages of its own below this base, and
    /// reflects nothing of a request in them.
    #[must_use]
    pub fn insecure_active_content(mut self) -> Self {
        self.active_content = true;
        self
    }

    #[inline]
    fn named<'a>(&'a self, name: Identifier<'a>, kind: ResourceKind<'a>) -> Named<'a> {
        Named::of_image(name, kind, self.dialect.spelling())
    }

    /// An image or a description by an identifier that may have to be decoded.
    #[inline(never)]
    fn read<'a>(&'a self, written: &str, kind: ResourceKind<'a>) -> Result<Named<'a>, Refusal> {
        let name = self.names.read(written, || {
            let (read, part) = self.dialect.read(written)?;
            let read = read.into_owned().into_boxed_str();
            Ok(match self.dialect.for_rules(&read) {
                Some(identifier) => {
                    ReadName { identifier: identifier.into(), part, read: Some(read) }
                }
                None => ReadName { identifier: read, part, read: None },
            })
        })?;
        Ok(self.named(Identifier::Read(name), kind))
    }

    /// What a path names in which nothing needs a closer look.
    #[inline]
    fn plain_kind<'p>(
        &self,
        path: &Plain<'p>,
        is_image: bool,
    ) -> Result<(&'p str, ResourceKind<'p>), Refusal> {
        let several = self.dialect.has_several_segments();
        let (identifier, kind) = if is_image {
            let (identifier, image) = path.split_before(4);
            (identifier, ResourceKind::Image(ImageRequest::plain(image)))
        } else if path.slashes == 0 {
            (path.path(), ResourceKind::ImageService)
        } else if (path.slashes == 4 || several && path.slashes > 4)
            && shape::names_an_image(path.split_before(1).1)
        {
            // An image with a region, a size or a rotation that is none (Image API 3.0 §7).
            return Err(Refusal::Ambiguous);
        } else {
            match path.split_before(1) {
                (identifier, "info.json") => (identifier, ResourceKind::ImageInformation),
                _ if several => (path.path(), ResourceKind::ImageService),
                _ => return Err(Refusal::Shape),
            }
        };
        let one_segment = path.slashes == slashes_of(&kind);
        if !one_segment {
            if !several {
                return Err(Refusal::Shape);
            }
            shape::check_parts(identifier)?;
        }
        let is_another = path.has_colon
            && (url_identifier::is_url(identifier) || self.dialect.may_be_scaled(identifier));
        if is_another || self.dialect.knows_sequences() && shape::is_of_a_sequence(identifier) {
            return Err(Refusal::Ambiguous);
        }
        Ok((identifier, kind))
    }

    /// The same where something has to be decoded or refused.
    #[inline(never)]
    fn find_closely<'a>(&'a self, below: &'a str) -> Result<Named<'a>, Refusal> {
        let (written, kind) = if self.dialect.has_several_segments() {
            split_at_the_end(below)?
        } else {
            split_at_the_start(below)?
        };
        self.read(written, kind)
    }
}

/// How many slashes stand in a path behind its identifier.
#[inline]
fn slashes_of(kind: &ResourceKind<'_>) -> usize {
    match kind {
        ResourceKind::Image(_) => 4,
        ResourceKind::ImageInformation => 1,
        _ => 0,
    }
}

/// The identifier, which is the first segment, and what is asked of it.
fn split_at_the_start(below: &str) -> Result<(&str, ResourceKind<'_>), Refusal> {
    let Some((identifier, rest)) = below.split_once('/') else {
        return Ok((below, ResourceKind::ImageService));
    };
    if rest == "info.json" {
        return Ok((identifier, ResourceKind::ImageInformation));
    }
    if rest.bytes().filter(|byte| *byte == b'/').count() == 3 {
        return Ok((identifier, ResourceKind::Image(ImageRequest::read(rest)?)));
    }
    // Servers that fold `a//b` and `a/./b` would make a known shape of these.
    let odd = below.bytes().any(|byte| matches!(byte, b'&' | b';'));
    if odd || encoding::ambiguous_segments(below) {
        Err(Refusal::Ambiguous)
    } else {
        Err(Refusal::Shape)
    }
}

/// The identifier, which is all but what is asked of it.
fn split_at_the_end(below: &str) -> Result<(&str, ResourceKind<'_>), Refusal> {
    if let Some(identifier) = below.strip_suffix("/info.json") {
        return Ok((identifier, ResourceKind::ImageInformation));
    }
    let fourth = below.rmatch_indices('/').nth(3);
    if let Some((at, _)) = fourth {
        match ImageRequest::read(&below[at + 1..]) {
            Ok(image) => return Ok((&below[..at], ResourceKind::Image(image))),
            Err(Refusal::Ambiguous) => return Err(Refusal::Ambiguous),
            Err(_) => {}
        }
    }
    Ok((below, ResourceKind::ImageService))
}

impl ResourceMap for ImageApi {
    fn base(&self) -> &str {
        &self.base
    }

    fn find<'a>(&'a self, below: &'a str) -> Result<Named<'a>, Refusal> {
        if let Some(plain) = Plain::of(below) {
            let is_image = plain.slashes >= 4 && plain.ends_in_image();
            if self.dialect.is_plain() && !plain.is_escaped {
                let (identifier, kind) = self.plain_kind(&plain, is_image)?;
                return Ok(self.named(identifier.into(), kind));
            }
            if is_image && plain.slashes == 4 {
                let (written, image) = plain.split_before(4);
                return self.read(written, ResourceKind::Image(ImageRequest::plain(image)));
            }
        }
        self.find_closely(below)
    }

    fn may_be_information(&self, below: &str) -> bool {
        below.ends_with("/info.json")
    }

    fn dialect(&self) -> Option<&Dialect> {
        Some(&self.dialect)
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
    use crate::resource::Resource;

    fn find(path: &str) -> Result<(String, &'static str), Refusal> {
        let map = ImageApi::new("/iiif/3/");
        let Some(below) = path.strip_prefix("/iiif/3/") else {
            assert_eq!(Resource::find(&map, path), Err(Refusal::Unknown), "{path}");
            return Ok((String::new(), "elsewhere"));
        };
        let named = map.find(below)?;
        let kind = match named.kind() {
            ResourceKind::ImageService => "service",
            ResourceKind::ImageInformation => "info",
            ResourceKind::Image(_) => "image",
            ResourceKind::Content => "content",
        };
        assert!(kind != "info" || map.may_be_information(below), "{path}");
        Ok((named.identifier().to_owned(), kind))
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
            ("/iiif/3/sec/full/,5/0/default.jpg", "sec", "image"),
            ("/iiif/3/100%25/info.json", "100%", "info"),
            ("/iiif/3/ark:12148/info.json", "ark:12148", "info"),
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
            ("/iiif/3/sec/", Refusal::Shape),
            ("/iiif/3/pub/../sec/full/max/0/default.jpg", Refusal::Ambiguous),
            ("/iiif/3/pub/%2e%2e/sec/full/max/0/default.jpg", Refusal::Ambiguous),
            ("/iiif/3/pub%2f..%2fsec/info.json", Refusal::Ambiguous),
            ("/iiif/3/dir%252Fsec/info.json", Refusal::Ambiguous),
            ("/iiif/3/sec;x/info.json", Refusal::Ambiguous),
            ("/iiif/3/x&FIF=sec.tif&CVT=jpeg/info.json", Refusal::Ambiguous),
            ("/iiif/3/pub/full/max/0/default.jpg&FIF=sec.tif&CVT=jpeg", Refusal::Ambiguous),
            ("/iiif/3/sec/full/max/0/default.jpg/", Refusal::Shape),
            ("/iiif/3/sec/full/max/0/default.jpg%23/info.json", Refusal::Shape),
            ("/iiif/3/sec/INFO.JSON", Refusal::Shape),
            ("/iiif/3/sec/info.json/full/max/0/default.jpg", Refusal::Shape),
            ("/iiif/3/sec/info.json%2f..%2ffull/max/0/default.jpg", Refusal::Ambiguous),
            ("/iiif/3/sec/full/max/0/default", Refusal::Shape),
            ("/iiif/3/sec/f0,0,1,1/max/0/default.jpg", Refusal::Ambiguous),
            ("/iiif/3/sec/0,0,1/max/0/default.jpg", Refusal::Ambiguous),
            ("/iiif/3/a,b,c,d/0/1,/0/default.jpg", Refusal::Ambiguous),
            ("/iiif/3/sec/0,0,1,1/512/0/default.jpg", Refusal::Ambiguous),
            ("/iiif/3/sec/0,0,1,1/512,/x/default.jpg", Refusal::Ambiguous),
            ("/iiif/3/sec./0,0,1,1/512,/0/default.jpg", Refusal::Ambiguous),
            ("/iiif/3/dir/sec/full/max/0/default.jpg", Refusal::Shape),
        ] {
            assert_eq!(find(path), Err(refusal), "{path}");
        }
    }
}
