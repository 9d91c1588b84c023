//! Every content resource that is no image service.

use super::{Named, Refusal, ResourceKind, ResourceMap, decode, shape};
use crate::path::base_of;

/// Content resources below a path: sound, video, PDF, datasets, also the methods of a gRPC service
/// (`/package.Service`).
///
/// The identifier is the path below the base, decoded, slashes included. A path that some server reads as
/// another file is 400: encoded slashes, dot segments, double escapes, `;` raw and encoded, `:$`, and names
/// that begin or end with a space or end with a dot.
///
/// # Example
///
/// ```
/// use tower_iiif_auth::resource::{Files, Resource};
///
/// let map = Files::new("/files");
/// let file = Resource::find(&map, "/files/1923/reel%202.mp4")?;
/// assert_eq!((file.identifier(), file.content_type()), ("1923/reel 2.mp4", "Video"));
/// # Ok::<(), tower_iiif_auth::resource::Refusal>(())
/// ```
#[derive(Clone, Debug)]
pub struct Files {
    base: Box<str>,
    content_type: Option<Box<str>>,
    path_parameters: bool,
    active_content: bool,
}

impl Files {
    /// The files below `base`, a path such as `/files`; `/` for all but the services and logins.
    #[must_use]
    pub fn new(base: &str) -> Self {
        let base = base_of(base).into();
        Self { base, content_type: None, path_parameters: false, active_content: false }
    }

    /// The Presentation 3 type of all of them; by default it follows from the file's extension.
    #[must_use]
    pub fn content_type(mut self, content_type: &str) -> Self {
        self.content_type = Some(content_type.into());
        self
    }

    /// Takes a `;` for a character of a file's name like any other, raw and encoded.
    ///
    /// The default refuses it with 400, as servers that drop what follows a `;` (Jetty and Tomcat do)
    /// would answer with another file than was decided on; encoded it may be decoded on the way to them.
    #[must_use]
    pub fn with_insecure_path_parameters(mut self) -> Self {
        self.path_parameters = true;
        self
    }

    /// Lets these files run in browsers as pages of this site: see
    /// [`ResourceMap::insecure_active_content`]. Right where only the publisher puts files there, such as
    /// pages with a viewer of their own.
    #[must_use]
    pub fn insecure_active_content(mut self) -> Self {
        self.active_content = true;
        self
    }
}

impl Files {
    /// Whether a server may have the same file under another name.
    fn has_another_name(&self, identifier: &str) -> bool {
        !self.path_parameters && identifier.contains(';')
            || identifier.contains(":$")
            || identifier.split('/').any(shape::has_odd_ends)
    }
}

impl ResourceMap for Files {
    fn base(&self) -> &str {
        &self.base
    }

    fn find<'a>(&'a self, below: &'a str) -> Result<Named<'a>, Refusal> {
        let identifier = decode::path_of(below, self.path_parameters)?;
        if self.has_another_name(&identifier) {
            return Err(Refusal::Ambiguous);
        }
        let content_type =
            self.content_type.as_deref().unwrap_or_else(|| by_extension(&identifier));
        Ok(Named::new(identifier, ResourceKind::Content, content_type))
    }

    fn may_be_information(&self, _: &str) -> bool {
        false
    }

    fn insecure_active_content(&self) -> bool {
        self.active_content
    }
}

/// The Presentation 3 content type that a file name suggests.
fn by_extension(name: &str) -> &'static str {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let is = |known: &[&str]| known.iter().any(|known| extension.eq_ignore_ascii_case(known));
    if is(&["jpg", "jpeg", "png", "gif", "webp", "tif", "tiff", "jp2", "avif", "svg"]) {
        "Image"
    } else if is(&["mp3", "wav", "flac", "ogg", "oga", "opus", "m4a", "aac"]) {
        "Sound"
    } else if is(&["mp4", "webm", "m4v", "mov", "mkv", "ogv", "m3u8", "mpd", "ts"]) {
        "Video"
    } else if is(&["glb", "gltf", "obj", "stl", "ply"]) {
        "Model"
    } else if is(&["pdf", "txt", "html", "htm", "xml", "md", "epub", "vtt", "srt"]) {
        "Text"
    } else {
        "Dataset"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::Resource;

    #[test]
    fn paths_below_the_base() {
        let map = Files::new("/files");
        for (path, expected) in [
            ("/files/a.pdf", Some(("a.pdf", "Text"))),
            ("/files/a/b.MP4", Some(("a/b.MP4", "Video"))),
            ("/files/a%20b.mp3", Some(("a b.mp3", "Sound"))),
            ("/files/data", Some(("data", "Dataset"))),
            ("/files/", None),
            ("/files/a/", None),
            ("/files//a", None),
            ("/files/a%2Fb", None),
            ("/files/a%2fb", None),
            ("/files/../a", None),
            ("/files/a/%2e%2e/b", None),
            ("/files/a.b/.c", Some(("a.b/.c", "Dataset"))),
            ("/files/a&b+c@d.pdf", Some(("a&b+c@d.pdf", "Text"))),
            // AL-01: second names of files, as of images.
            ("/files/a.pdf;x", None),
            ("/files/a.pdf%3Bx", None),
            ("/files/a.pdf%3bx/b", None),
            ("/files/a.pdf.", None),
            ("/files/a./b", None),
            ("/files/a.pdf%20", None),
            ("/files/%20a.pdf", None),
            ("/files/a.pdf::$DATA", None),
            ("/files/a.pdf:%24x", None),
        ] {
            let found = Resource::find(&map, path).ok();
            let found =
                found.map(|file| (file.identifier().to_owned(), file.content_type().to_owned()));
            let expected = expected.map(|(id, kind)| (id.to_owned(), kind.to_owned()));
            assert_eq!(found, expected, "{path}");
        }
        let literal = Files::new("/files").with_insecure_path_parameters();
        for path in ["/files/a;b.pdf", "/files/a%3Bb.pdf"] {
            let file = Resource::find(&literal, path).unwrap();
            assert_eq!(file.identifier(), "a;b.pdf", "{path}");
        }
        for path in ["/filesystem/a", "/files"] {
            assert_eq!(Resource::find(&map, path), Err(Refusal::Unknown), "{path}");
        }
    }
}
