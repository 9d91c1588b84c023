//! Which names a picture has at the image server behind.

mod reading;

use std::borrow::Cow;
use std::fmt::Write as _;

/// How the image server behind a base reads an identifier: which spellings are one picture there.
///
/// The rules see **one identifier** for a picture, however it was spelled, or the path is refused with
/// 400. What is one spelling too many depends on the server, so tell [`ImageApi`](crate::resource::ImageApi)
/// which one it is. [`general`](Self::general), the default, is safe before any of them, and refuses the
/// most.
///
/// | a path has | general | [`iipimage`](Self::iipimage) | [`cantaloupe`](Self::cantaloupe) |
/// | --- | --- | --- | --- |
/// | needless escapes (`%65`), small letters in escapes | one identifier | one identifier | one identifier |
/// | `%2F` in the identifier | a slash | a slash | a slash |
/// | a raw slash | 404; a slash with [`several_segments`](Self::several_segments) | a slash | 404 |
/// | `;`, `%3B` | 400 | itself | a page, a scale, or 400 |
/// | `&`, `%26` | 400 | 400 | itself |
/// | `+`, `%2B` | 400 | a space | 400, itself |
/// | `@`, `%40` | 400 | itself | itself |
/// | `%23` (`#`), `%3F` (`?`) | 400 | itself | 400 |
/// | `-1:2` at the end | 400 | itself | itself; a scale with [`scale_by_hyphen`](Self::scale_by_hyphen) |
/// | `%25` (`%`), no escape behind it | itself | 400 | itself |
/// | an escape that is still there when decoded (`%252F`, `%2565`) | 400 | 400 | 400 |
/// | a URL (`https%3A%2F%2F…`) | 400 | 400 | 400 |
/// | `//`, `.` and `..`, a dot or space at the end of a part, a space at its start | 400 | 400 | 400 |
/// | backslashes, control characters, what is no UTF-8 | 400 | 400 | 400 |
/// | a file of an image sequence of `IIPImage`'s (`name_pyr_000_090.tif`), which is `name`, too | 400 | 400 | itself |
/// | `:$`, by which Windows names a file's streams | 400 | 400 | 400 |
/// | an image request within the identifier, behind encoded slashes | 400 | 400 | 400 |
///
/// No dialect knows the file system behind: where `Page1` and `page1`, or `é` in one and in two
/// characters, are one file, they still are two identifiers. Say what is open there, not what is closed.
///
/// # Example
///
/// ```
/// use tower_iiif_auth::resource::{Dialect, ImageApi, Resource};
///
/// let map = ImageApi::new("/iiif/3").dialect(Dialect::cantaloupe().slash_substitute("__"));
/// for path in ["/iiif/3/ms%2F117.pdf%3B2", "/iiif/3/ms__117.pdf;2"] {
///     let page = Resource::find(&map, path)?;
///     assert_eq!((page.identifier(), page.page()), ("ms/117.pdf", Some(2)));
///     assert_eq!(page.path(), "/iiif/3/ms__117.pdf%3B2");
/// }
/// # Ok::<(), tower_iiif_auth::resource::Refusal>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dialect {
    server: Server,
    slash_substitute: Option<Box<str>>,
    scale_by_hyphen: bool,
    several_segments: bool,
    urls: bool,
    /// What the operator says the server takes for itself.
    literal: Box<str>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Server {
    #[default]
    General,
    IipImage,
    Cantaloupe,
}

/// What some server or other reads as more than itself.
const SPECIAL: [char; 7] = [';', '&', '+', '@', '#', '?', ':'];

impl Dialect {
    /// Any server: what one of them is known to read differently is refused. The default.
    #[must_use]
    pub fn general() -> Self {
        Self::default()
    }

    /// `IIPImage`, whose identifiers are paths of files: a slash is a folder, raw or encoded, and a plus
    /// sign is a space, raw or encoded.
    ///
    /// A name with `&`, with `%`, or with a plus sign of its own is not to be had: `IIPImage` decodes
    /// twice, and behind some web servers `&` ends the name.
    #[must_use]
    pub fn iipimage() -> Self {
        Self { server: Server::IipImage, several_segments: true, ..Self::default() }
    }

    /// Cantaloupe 5, whose identifiers may end in a page (`;2`), a scale (`;1:2`) or both (`;2;1:2`), raw
    /// or encoded.
    ///
    /// Rules see the identifier without them: `letter.pdf` for every page of it.
    /// [`Resource::page`](crate::resource::Resource::page) and [`Resource::scale`](crate::resource::Resource::scale) tell the
    /// rest. A `;` that begins neither is refused. The
    /// `StandardMetaIdentifierTransformer` has to be left at its delimiter `;`.
    #[must_use]
    pub fn cantaloupe() -> Self {
        Self { server: Server::Cantaloupe, ..Self::default() }
    }

    /// Cantaloupe's `slash_substitute`: a text that stands for a slash in identifiers.
    ///
    /// Rules see the slash, whichever way it was written. URIs are written with the substitute.
    #[must_use]
    pub fn slash_substitute(mut self, substitute: &str) -> Self {
        self.slash_substitute = Some(substitute.into());
        self
    }

    /// Takes `-1:2` at the end of an identifier for a scale, as Cantaloupe 4 does.
    #[must_use]
    pub fn scale_by_hyphen(mut self) -> Self {
        self.scale_by_hyphen = true;
        self
    }

    /// Takes identifiers of several path segments: ARKs (`ark:/12148/btv1b8449691v/f29`), folders of
    /// static files, Internet Archive, Gallica, Goobi.
    ///
    /// An encoded slash is the same as a raw one, and URIs are written with raw ones: viewers ask for tiles
    /// under the `id` that the server's own documents have, and these stay as they are. The URI of a probe has
    /// the identifier in one segment (`/auth/probe/iiif/ark:%2F12148%2Fbtv1b8449691v%2Ff29`); what is in
    /// front has to let encoded slashes through there, or
    /// [`Compatibility::resource_in_probe_query`](crate::Compatibility::resource_in_probe_query) is on. Without this such a path
    /// is 404.
    #[must_use]
    pub fn several_segments(mut self) -> Self {
        self.several_segments = true;
        self
    }

    /// Takes identifiers that are whole URLs, encoded once (`https%3A%2F%2Ffiles.example%2Fa.jp2`), as
    /// Islandora's are, and those that hold an escape (`…%2F160-Service%2520File.jpg`).
    ///
    /// A URL has many names, too. Refused are capitals in its scheme and host, the scheme's own port, a
    /// user, a query, a fragment, dot segments, letters that need no escape, what needs one and has none,
    /// and escapes in small letters. (Servers of files answer with the same file whatever the query says;
    /// where it names the file, take `?` by [`with_insecure_characters`](Self::with_insecure_characters).)
    /// Rules see `!$'()*+,;=:@` plain, whether they were escaped or not.
    #[must_use]
    pub fn urls(mut self) -> Self {
        self.urls = true;
        self
    }

    /// Takes these of `;`, `&`, `+`, `@`, `#`, `?` and `:` for characters of the identifier like any
    /// other, raw and encoded. (`:` is one anyway but for the general dialect's `-1:2`.)
    ///
    /// Right only where the server behind, and everything between, is known to read them so: what one
    /// of them drops or reads as more, is decided on under another name than it is served.
    #[must_use]
    pub fn with_insecure_characters(mut self, characters: &str) -> Self {
        self.literal = format!("{}{characters}", self.literal).into();
        self
    }

    /// What operators read: `general`, `IIPImage`, `Cantaloupe`, and what was added to it.
    #[must_use]
    pub fn name(&self) -> Cow<'static, str> {
        let server = match self.server {
            Server::General => "general",
            Server::IipImage => "IIPImage",
            Server::Cantaloupe => "Cantaloupe",
        };
        let mut name = server.to_owned();
        if let Some(substitute) = &self.slash_substitute {
            let _ = write!(name, ", slash substitute {substitute:?}");
        }
        if self.scale_by_hyphen {
            name.push_str(", scale by hyphen");
        }
        if self.several_segments && self.server != Server::IipImage {
            name.push_str(", several segments");
        }
        if self.urls {
            name.push_str(", URLs");
        }
        if !self.literal.is_empty() {
            let _ = write!(name, ", insecure characters {:?}", self.literal);
        }
        if name == server { Cow::Borrowed(server) } else { Cow::Owned(name) }
    }

    /// Whether it is `IIPImage`'s.
    #[must_use]
    pub fn is_iipimage(&self) -> bool {
        self.server == Server::IipImage
    }

    /// Whether it is Cantaloupe's.
    #[must_use]
    pub fn is_cantaloupe(&self) -> bool {
        self.server == Server::Cantaloupe
    }

    /// What is wrong with it, if anything is.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        let cantaloupe = self.is_cantaloupe();
        let substitute = self.slash_substitute.as_deref();
        let forbidden = |c: char| {
            !c.is_ascii_graphic()
                || matches!(c, '/' | '%' | '\\' | ';' | '&' | '?' | '#' | ',' | '.')
        };
        if substitute.is_some() && !cantaloupe {
            Some(
                "slash_substitute is Cantaloupe's: leave it out, or say that the server is Cantaloupe",
            )
        } else if substitute == Some("") {
            Some("slash_substitute is empty: leave it out, or write what stands for a slash")
        } else if substitute.is_some_and(|text| text.contains(forbidden)) {
            Some(
                "slash_substitute holds a character that means something else in a path: use none of \
                 / % \\ ; & ? # , . and no space",
            )
        } else if substitute.is_some_and(|text| text.bytes().all(|b| b.is_ascii_alphanumeric())) {
            Some(
                "slash_substitute is of letters and digits alone, which stand in names: use others, such as __",
            )
        } else if self.scale_by_hyphen && !cantaloupe {
            Some(
                "scale_by_hyphen is Cantaloupe 4's: leave it out, or say that the server is Cantaloupe",
            )
        } else if self.several_segments && cantaloupe {
            Some("several_segments: Cantaloupe takes one segment; leave it out")
        } else if self.urls && self.several_segments {
            Some(
                "urls: an identifier that is a URL is one segment, encoded; leave several segments or URLs out",
            )
        } else if self.urls && substitute.is_some() {
            Some("urls: a slash substitute would stand in URLs, too; leave one of them out")
        } else if self.literal.contains(|c| !SPECIAL.contains(&c)) {
            Some("insecure_characters may hold ; & + @ # ? : and no others")
        } else if cantaloupe && self.literal.contains(';') {
            Some(
                "insecure_characters: Cantaloupe reads a page or a scale behind ; so leave it out there",
            )
        } else {
            None
        }
    }
}
