//! Subject, roles and viewers of a session: in their binary form, read in place.

use std::fmt;
use std::sync::Arc;

use super::viewers::{ViewerOrigins, Viewers};
use super::{FieldError, SessionError};
use crate::seal::{Reader, write_short_text};

/// One after the other: the subject behind its length in one byte, then roles and origins, each list
/// behind its length in two bytes, each text of it behind its own in one.
///
/// They are lent where they were opened, or all kept in one allocation.
#[derive(Clone)]
pub(super) struct Fields<'a>(Kept<'a>);

#[derive(Clone)]
enum Kept<'a> {
    Lent(&'a [u8]),
    Own(Arc<[u8]>),
}

/// Of the length before a list.
const LENGTH: usize = 2;

/// What stands alone among the origins of a session that any viewer may use. It is no origin.
const ANY: &str = "*";

impl<'a> Fields<'a> {
    /// Reads them off the front of what is left.
    #[inline]
    pub(super) fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let all = reader.0;
        let subject = reader.short()?;
        // Nearly all are ASCII, which is quicker to see.
        if !subject.is_ascii() {
            std::str::from_utf8(subject).ok()?;
        }
        reader.list()?;
        reader.list()?;
        Some(Self(Kept::Lent(&all[..all.len() - reader.0.len()])))
    }

    /// As they are written.
    pub(super) fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Kept::Lent(bytes) => bytes,
            Kept::Own(bytes) => bytes,
        }
    }

    pub(super) fn subject(&self) -> &str {
        // It is one: it was looked at when it was read.
        Reader(self.as_bytes()).short_text().unwrap_or_default()
    }

    /// Subject and roles as they are written, without the origins.
    #[inline]
    pub(super) fn who(&self) -> &[u8] {
        let all = self.as_bytes();
        let mut reader = Reader(all);
        reader.short();
        reader.list();
        &all[..all.len() - reader.0.len()]
    }

    /// Whether `role` is among the roles, to the letter.
    #[inline]
    pub(super) fn has_role(&self, role: &str) -> bool {
        let mut roles = self.roles_in();
        while let Some(own) = roles.short() {
            // The first byte tells most others apart, and costs no call.
            if own.first() == role.as_bytes().first() && own == role.as_bytes() {
                return true;
            }
        }
        false
    }

    pub(super) fn roles(&self) -> impl Iterator<Item = &str> {
        self.roles_in().short_texts()
    }

    pub(super) fn viewers(&self) -> Viewers<'_> {
        let list = self.origins_in().0;
        match list {
            [] => Viewers::None,
            [1, b'*'] => Viewers::Any,
            _ => Viewers::These(ViewerOrigins { list }),
        }
    }

    #[inline]
    fn roles_in(&self) -> Reader<'_> {
        self.list(0)
    }

    fn origins_in(&self) -> Reader<'_> {
        self.list(1)
    }

    /// The texts of a list. There are two: they were looked for when it was read.
    #[inline]
    fn list(&self, index: usize) -> Reader<'_> {
        let mut reader = Reader(self.as_bytes());
        reader.short();
        for _ in 0..index {
            reader.list();
        }
        Reader(reader.list().unwrap_or_default())
    }

    pub(super) fn into_owned(self) -> Fields<'static> {
        Fields(match self.0 {
            Kept::Lent(bytes) => Kept::Own(bytes.into()),
            Kept::Own(bytes) => Kept::Own(bytes),
        })
    }
}

/// Viewers to be written down.
pub(super) enum Written<'t> {
    /// None of them: for no viewer.
    These(Vec<&'t str>),
    Any,
}

impl<'t> From<Viewers<'t>> for Written<'t> {
    fn from(viewers: Viewers<'t>) -> Self {
        match viewers {
            Viewers::None => Self::These(Vec::new()),
            Viewers::These(origins) => Self::These(origins.iter().collect()),
            Viewers::Any => Self::Any,
        }
    }
}

impl Fields<'static> {
    pub(super) fn new<'t>(
        subject: &str,
        roles: impl IntoIterator<Item = &'t str>,
        viewers: &Written<'t>,
    ) -> Result<Self, SessionError> {
        let mut bytes = Vec::with_capacity(256);
        push(&mut bytes, subject).map_err(SessionError::Subject)?;
        push_list(&mut bytes, roles).map_err(SessionError::Role)?;
        let origins = match viewers {
            Written::Any => &[ANY][..],
            Written::These(origins) => origins,
        };
        push_list(&mut bytes, origins.iter().copied()).map_err(SessionError::Origin)?;
        Ok(Self(Kept::Own(bytes.into())))
    }
}

fn push(bytes: &mut Vec<u8>, text: &str) -> Result<(), FieldError> {
    write_short_text(bytes, text).ok_or(FieldError { bytes: text.len() })
}

fn push_list<'t>(
    bytes: &mut Vec<u8>,
    texts: impl IntoIterator<Item = &'t str>,
) -> Result<(), FieldError> {
    let length_at = bytes.len();
    bytes.extend_from_slice(&[0; LENGTH]);
    for text in texts {
        push(bytes, text)?;
    }
    let length = bytes.len() - length_at - LENGTH;
    let written = u16::try_from(length).map_err(|_| FieldError { bytes: length })?;
    bytes[length_at..length_at + LENGTH].copy_from_slice(&written.to_be_bytes());
    Ok(())
}

impl PartialEq for Fields<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Fields<'_> {}

/// Shows the roles alone.
impl fmt::Debug for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.roles()).finish()
    }
}
