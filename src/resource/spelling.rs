//! How identifiers are written in URIs.

use super::encoding;

/// How an identifier is written in a URI.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Spelling<'a> {
    /// In one segment, slashes encoded.
    #[default]
    OneSegment,
    /// Over several segments.
    Segments,
    /// In one segment that may end in a page or a scale.
    Parts,
    /// The same, with this text for slashes. It stands in one place, and so takes little room.
    Substitute(Substitute<'a>),
    /// As a URL in one segment.
    Url {
        /// Whether it may end in a page or a scale.
        cantaloupe: bool,
    },
}

/// What stands for slashes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::borrowed_box, reason = "half as large as what it leads to")]
pub(super) enum Substitute<'a> {
    Lent(&'a Box<str>),
    Own(Box<Box<str>>),
}

impl Substitute<'_> {
    fn as_str(&self) -> &str {
        match self {
            Self::Lent(text) => text,
            Self::Own(text) => text,
        }
    }
}

impl Spelling<'_> {
    /// The identifier as it stands in a URI, behind what is there already.
    pub(super) fn write(&self, identifier: &str, written: &mut String) {
        match self {
            Self::OneSegment | Self::Parts => encoding::encode_into(written, identifier, true),
            Self::Segments => encoding::encode_into(written, identifier, false),
            Self::Url { .. } => written.push_str(&encoding::encode_url(identifier)),
            Self::Substitute(substitute) => {
                let substitute = substitute.as_str();
                let with = identifier.replace('/', substitute);
                // `a_/b` with `__` would be read as `a/_b`.
                let same = with.replace(substitute, "/") == identifier;
                encoding::encode_into(written, if same { &with } else { identifier }, true);
            }
        }
    }

    /// Whether identifiers may end in a page or a scale.
    pub(super) fn has_parts(&self) -> bool {
        matches!(self, Self::Parts | Self::Substitute(_) | Self::Url { cantaloupe: true })
    }

    pub(super) fn into_owned(self) -> Spelling<'static> {
        match self {
            Self::OneSegment => Spelling::OneSegment,
            Self::Segments => Spelling::Segments,
            Self::Parts => Spelling::Parts,
            Self::Url { cantaloupe } => Spelling::Url { cantaloupe },
            Self::Substitute(text) => {
                Spelling::Substitute(Substitute::Own(Box::new(text.as_str().into())))
            }
        }
    }
}
