//! Which of a request's sessions counts.

use super::{AspectError, FoundSession, Session};

/// The session that counts of those in a realm's cookies, as far as they were looked at.
///
/// Two that live under one name are nobody's: which of them comes first is the browser's whim, or the
/// choice of a neighbouring host that has put one there. A cookie of the partition counts where there is
/// no session under the other name.
#[derive(Default)]
pub(crate) struct Chosen {
    session: Option<Box<Session<'static>>>,
    is_partitioned: bool,
}

impl Chosen {
    pub(crate) fn is_none(&self) -> bool {
        self.session.is_none()
    }

    /// Whether what was found does not count beside it.
    pub(crate) fn is_before(&self, found: &FoundSession) -> bool {
        !self.is_none() && found.is_partitioned() && !self.is_partitioned
    }

    /// Takes a live one in; the same one may come again.
    pub(crate) fn take_in(
        &mut self,
        session: Session<'_>,
        is_partitioned: bool,
    ) -> Result<(), AspectError> {
        match &self.session {
            None => {
                self.session = Some(Box::new(session.into_owned()));
                self.is_partitioned = is_partitioned;
                Ok(())
            }
            Some(own) if **own == session => Ok(()),
            Some(_) => Err(AspectError::Invalid),
        }
    }

    pub(crate) fn into_session(self) -> Option<Session<'static>> {
        self.session.map(|session| *session)
    }
}
