//! `[[base]]`: what is protected, and where the image server has it.

use std::borrow::Cow;

use tower_iiif_auth::IiifAuthBuilder;
use tower_iiif_auth::protocol::Family;
use tower_iiif_auth::resource::{
    Dialect, Families, Files, ImageApi, Refusal, Resource, ResourceMap,
};

use super::dialect;
use super::mistakes::Span;
use super::section::{Found, Section};
use super::upstreams::Named;

/// A path below which everything is protected.
#[derive(Clone, Debug)]
pub struct Base {
    /// As browsers ask for it, such as `/iiif/3`; nothing for the root.
    pub path: String,
    /// As the image server is asked for it.
    pub upstream_path: String,
    /// Which image server has it: a place in [`Config::upstreams`](super::Config::upstreams).
    pub upstream: usize,
    /// Whether what stands behind a `?` goes on to the image server.
    pub pass_query: bool,
    /// Whether what lies below may run in browsers as a page of this site.
    pub active_content: bool,
    /// Image API or files.
    pub kind: Kind,
    pub(super) span: Span,
}

/// What lies below a base.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Images by the IIIF Image API.
    ///
    /// It is told in which dialect, and which versions of the authorization specification are spoken.
    Images(ImageApi),
    /// Sound, video, PDF: anything else.
    Files(Files),
}

impl Base {
    pub(super) fn add_to(&self, builder: IiifAuthBuilder) -> IiifAuthBuilder {
        match &self.kind {
            Kind::Images(images) => builder.resources(images.clone()),
            Kind::Files(files) => builder.resources(files.clone()),
        }
    }
}

impl Base {
    /// Its path as operators write it.
    #[must_use]
    pub fn shown(&self) -> &str {
        if self.is_root() { "/" } else { &self.path }
    }

    /// Whether everything lies below it but the proxy's own services and what is set apart for everyone.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.path.is_empty()
    }

    /// Whether a path below it may be public all the same: below the root, what has not the shape of
    /// an image's.
    pub(crate) fn leaves(&self, path: &str) -> bool {
        let Kind::Images(images) = &self.kind else { return false };
        self.is_root()
            && matches!(Resource::find(images, path), Err(Refusal::Unknown | Refusal::Shape))
    }

    /// How the image server reads identifiers; `None` for files.
    #[must_use]
    pub fn dialect(&self) -> Option<&Dialect> {
        match &self.kind {
            Kind::Images(images) => ResourceMap::dialect(images),
            Kind::Files(_) => None,
        }
    }

    /// The image, or the description of one, that a path below the base names.
    pub(crate) fn image<'a>(&'a self, path: &'a str) -> Option<Resource<'a>> {
        match &self.kind {
            Kind::Images(images) => Resource::find(images, path).ok(),
            Kind::Files(_) => None,
        }
    }

    /// A path of the base's as the image server has it.
    pub(crate) fn upstream_path_of<'p>(&self, path: &'p str) -> Cow<'p, str> {
        match path.strip_prefix(&*self.path) {
            Some(_) if self.upstream_path == self.path => Cow::Borrowed(path),
            below => Cow::Owned(format!("{}{}", self.upstream_path, below.unwrap_or(path))),
        }
    }
}

pub(super) fn read(mut section: Section<'_, '_>, upstreams: &Named) -> Option<Base> {
    let mistakes = section.mistakes;
    let path = section.required::<String>("path");
    let upstream_path = section.parsed("upstream_path", |text| {
        let text = if text == "/" { "" } else { text };
        let plain = text.starts_with('/') && !text.ends_with('/') || text.is_empty();
        let no_query = !text.contains(['?', '#', ' ']);
        if plain && no_query {
            Ok(text.to_owned())
        } else {
            Err("has to start with a slash, not end in one, and have no ? or #")
        }
    });
    let upstream = upstreams.named_by(&mut section);
    let pass_query = section.or("pass_query", false);
    let active_content = section.or("insecure_active_content", false);
    let at = path.as_ref().map_or("/", |path| path.value.as_str());
    let kind = match section.optional::<String>("kind") {
        None => Some(images(&mut section, at, active_content)),
        Some(Found { value, .. }) if value == "images" => {
            Some(images(&mut section, at, active_content))
        }
        Some(Found { value, .. }) if value == "files" => {
            Some(files(&mut section, at, active_content))
        }
        Some(Found { value, span }) => {
            mistakes.add(&span, format!("kind {value:?} is neither \"images\" nor \"files\""));
            // So that keys of images are not called unknown, too.
            images(&mut section, at, active_content);
            None
        }
    };
    let span = path.as_ref().map_or(section.span.clone(), |path| path.span.clone());
    section.finish();
    // What is no path is told with all else that is wrong.
    let path = path?.value.trim_end_matches('/').to_owned();
    let upstream_path = upstream_path.map_or_else(|| path.clone(), |found| found.value);
    let (upstream, kind) = (upstream?, kind?);
    Some(Base { path, upstream_path, upstream, pass_query, active_content, kind, span })
}

fn files(section: &mut Section<'_, '_>, path: &str, active_content: bool) -> Kind {
    let mut files = Files::new(path);
    let known = |text: &str| {
        const KNOWN: [&str; 6] = ["Dataset", "Image", "Model", "Sound", "Text", "Video"];
        if KNOWN.contains(&text) {
            return Ok(text.to_owned());
        }
        Err(format!("{text:?} is none of {}", KNOWN.map(|own| format!("{own:?}")).join(", ")))
    };
    if let Some(Found { value, .. }) = section.parsed("content_type", known) {
        files = files.content_type(&value);
    }
    if section.or("insecure_path_parameters", false) {
        files = files.with_insecure_path_parameters();
    }
    Kind::Files(if active_content { files.insecure_active_content() } else { files })
}

fn images(section: &mut Section<'_, '_>, path: &str, active_content: bool) -> Kind {
    let mistakes = section.mistakes;
    let mut spoken = Vec::new();
    for Found { value, span } in section.list("families") {
        match value.as_str() {
            "2.0" => spoken.push(Family::V2),
            "1.0" => spoken.push(Family::V1),
            "0.9" => spoken.push(Family::V09),
            _ => mistakes
                .add(&span, format!("family {value:?} is none of \"2.0\", \"1.0\" and \"0.9\"")),
        }
    }
    let mut families = if spoken.is_empty() { Families::default() } else { Families::new(spoken) };
    if section.or("open_descriptions", false) {
        families = families.open();
    }
    if section.or("redirecting_content", false) {
        families = families.redirecting_content();
    }
    if section.or("signed_descriptions", false) {
        families = families.signed_descriptions();
    }
    let dialect = dialect::read(section);
    let images = ImageApi::new(path).families(families).dialect(dialect);
    Kind::Images(if active_content { images.insecure_active_content() } else { images })
}
