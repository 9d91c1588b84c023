//! How an identifier is read and written in a dialect.

use std::borrow::Cow;

use super::{Dialect, Server};
use crate::resource::part::{self, Part};
use crate::resource::spelling::{Spelling, Substitute};
use crate::resource::{Refusal, encoding, shape, url_identifier};

impl Dialect {
    #[inline]
    pub(in crate::resource) fn has_several_segments(&self) -> bool {
        self.several_segments
    }

    /// Whether an identifier of plain characters means itself in one way.
    #[inline]
    pub(in crate::resource) fn is_plain(&self) -> bool {
        self.slash_substitute.is_none() && !self.scale_by_hyphen
    }

    /// Whether the server may be `IIPImage`, to which a file may have the name of its sequence, too.
    #[inline]
    pub(in crate::resource) fn knows_sequences(&self) -> bool {
        self.server != Server::Cantaloupe
    }

    /// Whether what is called so may be a scale of something else: to Cantaloupe 4, which may stand behind
    /// the general dialect.
    #[inline]
    pub(in crate::resource) fn may_be_scaled(&self, identifier: &str) -> bool {
        self.server == Server::General
            && part::ends_in_scale(identifier)
            && !self.literal.contains(':')
    }

    /// Reads an identifier, which stands in the path as `written`.
    ///
    /// # Errors
    ///
    /// [`Refusal::Ambiguous`] for what servers may read in different ways.
    pub(in crate::resource) fn read<'p>(
        &self,
        written: &'p str,
    ) -> Result<(Cow<'p, str>, Part), Refusal> {
        if self.server == Server::Cantaloupe && written.contains('+') && !self.literal.contains('+')
        {
            // Some of Java's decoders make a space of it.
            return Err(Refusal::Ambiguous);
        }
        let mut text = encoding::decoded_once(written)?;
        if self.is_iipimage() && memchr::memchr(b'+', text.as_bytes()).is_some() {
            text = Cow::Owned(text.replace('+', " "));
        }
        if let Some(substitute) = &self.slash_substitute {
            if text.contains(&**substitute) {
                text = Cow::Owned(text.replace(&**substitute, "/"));
            }
        }
        let mut own_part = Part::default();
        if self.is_cantaloupe() {
            let (rest, part) = part::split(&text, self.scale_by_hyphen)?;
            own_part = part;
            let rest = rest.len();
            text = match text {
                Cow::Borrowed(text) => Cow::Borrowed(&text[..rest]),
                Cow::Owned(mut text) => {
                    text.truncate(rest);
                    Cow::Owned(text)
                }
            };
        }
        self.check(&text)?;
        Ok((text, own_part))
    }

    /// Whether an identifier, decoded, has no second reading.
    fn check(&self, text: &str) -> Result<(), Refusal> {
        let refused = |byte: u8| match byte {
            b'%' => self.is_iipimage(),
            b';' | b'&' | b'+' | b'@' | b'#' | b'?' => !self.takes(char::from(byte)),
            _ => byte.is_ascii_control() || byte == b'\\',
        };
        let is_another =
            self.knows_sequences() && shape::is_of_a_sequence(text) || self.may_be_scaled(text);
        if text.bytes().any(refused) || text.contains(":$") || is_another {
            return Err(Refusal::Ambiguous);
        }
        if self.urls {
            url_identifier::check(text)?;
        } else if encoding::has_escape(text) || url_identifier::is_url(text) {
            return Err(Refusal::Ambiguous);
        }
        let is_url = self.urls && url_identifier::is_url(text);
        let path = if is_url { url_identifier::path_of(text) } else { text };
        shape::check_parts(path)
    }

    /// Whether a character is itself to the server.
    fn takes(&self, character: char) -> bool {
        let by_nature = match self.server {
            Server::General => false,
            // Its sources are files. Cantaloupe's may be URLs, whose path ends there.
            Server::IipImage => matches!(character, ';' | '@' | '#' | '?'),
            Server::Cantaloupe => matches!(character, '&' | '+' | '@'),
        };
        by_nature || self.literal.contains(character)
    }

    /// What an identifier is called in rules, where that is not what the server reads.
    pub(in crate::resource) fn for_rules(&self, read: &str) -> Option<String> {
        if self.urls { url_identifier::for_rules(read) } else { None }
    }

    /// How the identifiers of this dialect are written.
    pub(in crate::resource) fn spelling(&self) -> Spelling<'_> {
        if self.urls {
            Spelling::Url { cantaloupe: self.is_cantaloupe() }
        } else if let Some(substitute) = &self.slash_substitute {
            Spelling::Substitute(Substitute::Lent(substitute))
        } else if self.is_cantaloupe() {
            Spelling::Parts
        } else if self.several_segments && !self.is_iipimage() {
            Spelling::Segments
        } else {
            Spelling::OneSegment
        }
    }
}
