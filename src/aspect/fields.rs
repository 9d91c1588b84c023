//! Subject, roles and origins of a session: in their binary form, read in place.

use std::fmt;
use std::sync::Arc;

use super::binary::{Reader, write_short_text};
use super::session::{FieldError, SessionError};

/// One after the other: the subject behind its length in one byte, then roles and origins, each list
/// behind its length in two bytes, each text of it behind its own in one.
///
/// They are lent where they were opened, or all kept in one allocation.
#[derive(Clone)]
pub(super) struct Fields<'a> {
    bytes: Kept<'a>,
    /// Where the lists begin.
    roles: usize,
    origins: usize,
}

#[derive(Clone)]
enum Kept<'a> {
    Lent(&'a [u8]),
    Own(Arc<[u8]>),
}

/// Of the length before a list.
const LENGTH: usize = 2;

impl<'a> Fields<'a> {
    /// Reads them off the front of what is left.
    pub(super) fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let all = reader.0;
        let place = |reader: &Reader<'_>| all.len() - reader.0.len();
        reader.short_text()?;
        let roles = place(reader);
        reader.list()?;
        let origins = place(reader);
        reader.list()?;
        let bytes = Kept::Lent(&all[..place(reader)]);
        Some(Self { bytes, roles, origins })
    }

    /// As they are written.
    pub(super) fn as_bytes(&self) -> &[u8] {
        match &self.bytes {
            Kept::Lent(bytes) => bytes,
            Kept::Own(bytes) => bytes,
        }
    }

    pub(super) fn subject(&self) -> &str {
        // It is one: it was looked at when it was read.
        Reader(self.as_bytes()).short_text().unwrap_or_default()
    }

    /// Whether `role` is among the roles, to the letter.
    pub(super) fn has_role(&self, role: &str) -> bool {
        let mut roles = self.roles_in();
        while let Some(own) = roles.short() {
            if own == role.as_bytes() {
                return true;
            }
        }
        false
    }

    pub(super) fn roles(&self) -> impl Iterator<Item = &str> {
        each(self.roles_in())
    }

    pub(super) fn origins(&self) -> impl Iterator<Item = &str> {
        each(self.origins_in())
    }

    pub(super) fn has_origins(&self) -> bool {
        !self.origins_in().0.is_empty()
    }

    fn roles_in(&self) -> Reader<'_> {
        Reader(&self.as_bytes()[self.roles + LENGTH..self.origins])
    }

    fn origins_in(&self) -> Reader<'_> {
        Reader(&self.as_bytes()[self.origins + LENGTH..])
    }

    pub(super) fn into_owned(self) -> Fields<'static> {
        let bytes = match self.bytes {
            Kept::Lent(bytes) => Kept::Own(bytes.into()),
            Kept::Own(bytes) => Kept::Own(bytes),
        };
        Fields { bytes, roles: self.roles, origins: self.origins }
    }
}

impl Fields<'static> {
    pub(super) fn new<'t>(
        subject: &str,
        roles: impl IntoIterator<Item = &'t str>,
        origins: impl IntoIterator<Item = &'t str>,
    ) -> Result<Self, SessionError> {
        let mut bytes = Vec::with_capacity(256);
        push(&mut bytes, subject).map_err(SessionError::Subject)?;
        let roles_at = bytes.len();
        push_list(&mut bytes, roles).map_err(SessionError::Role)?;
        let origins_at = bytes.len();
        push_list(&mut bytes, origins).map_err(SessionError::Origin)?;
        Ok(Self { bytes: Kept::Own(bytes.into()), roles: roles_at, origins: origins_at })
    }
}

impl Fields<'_> {
    /// The same with other roles; all else stays to the byte.
    pub(super) fn with_roles<'t>(
        &self,
        roles: impl IntoIterator<Item = &'t str>,
    ) -> Result<Fields<'static>, SessionError> {
        let all = self.as_bytes();
        let mut bytes = all[..self.roles].to_vec();
        push_list(&mut bytes, roles).map_err(SessionError::Role)?;
        let origins = bytes.len();
        bytes.extend_from_slice(&all[self.origins..]);
        Ok(Fields { bytes: Kept::Own(bytes.into()), roles: self.roles, origins })
    }
}

fn each(mut texts: Reader<'_>) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || texts.short_text())
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
