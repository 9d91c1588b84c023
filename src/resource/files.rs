//! Every content resource that is no image service.

use super::{Match, Refusal, Resource, ResourceKind, ResourceMap, encoding};

/// Content resources below a path: sound, video, PDF, datasets, also the methods of a gRPC service
/// (`/package.Service`).
///
/// The identifier is the path below the base, decoded, slashes included.
///
/// # Example
///
/// ```
/// use tower_iiif_auth::resource::{Files, Match, ResourceMap};
///
/// let map = Files::new("/files");
/// let Match::Found(file) = map.find("/files/1923/reel%202.mp4") else { unreachable!() };
/// assert_eq!((file.identifier(), file.content_type()), ("1923/reel 2.mp4", "Video"));
/// ```
#[derive(Clone, Debug)]
pub struct Files {
    base: Box<str>,
    content_type: Option<Box<str>>,
    active_content: bool,
}

impl Files {
    /// The files below `base`, a path such as `/files`.
    #[must_use]
    pub fn new(base: &str) -> Self {
        let base = base.trim_end_matches('/').into();
        Self { base, content_type: None, active_content: false }
    }

    /// The Presentation 3 type of all of them; by default it follows from the file's extension.
    #[must_use]
    pub fn content_type(mut self, content_type: &str) -> Self {
        self.content_type = Some(content_type.into());
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

impl ResourceMap for Files {
    fn base(&self) -> &str {
        &self.base
    }

    fn find<'a>(&'a self, path: &'a str) -> Match<'a> {
        let Some(below) = path.strip_prefix(&*self.base).and_then(|rest| rest.strip_prefix('/'))
        else {
            return Match::Elsewhere;
        };
        // A slash that is encoded and one that is not would be two spellings of one file.
        if below.is_empty() || encoded_slash(below) {
            return Match::Refused(Refusal::Ambiguous);
        }
        match encoding::decode(below, false) {
            Err(refusal) => Match::Refused(refusal),
            Ok(identifier) => {
                let content_type =
                    self.content_type.as_deref().unwrap_or_else(|| by_extension(&identifier));
                Match::Found(Resource::new(
                    &*self.base,
                    identifier,
                    ResourceKind::Content,
                    content_type,
                ))
            }
        }
    }

    fn may_be_information(&self, _: &str) -> bool {
        false
    }

    fn insecure_active_content(&self) -> bool {
        self.active_content
    }
}

fn encoded_slash(path: &str) -> bool {
    path.as_bytes().windows(3).any(|escape| escape.eq_ignore_ascii_case(b"%2f"))
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
        ] {
            let found = match map.find(path) {
                Match::Found(resource) => {
                    Some((resource.identifier().to_owned(), resource.content_type().to_owned()))
                }
                _ => None,
            };
            let expected = expected.map(|(id, kind)| (id.to_owned(), kind.to_owned()));
            assert_eq!(found, expected, "{path}");
        }
        assert!(matches!(map.find("/filesystem/a"), Match::Elsewhere));
        assert!(matches!(map.find("/files"), Match::Elsewhere));
    }
}
