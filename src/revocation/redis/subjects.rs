//! Subjects whose sessions were ended all at once.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{Context, SHA256};

use super::link::Again;
use super::{AGAIN_AND_AGAIN, Shared, StoreError, TRIES, millis};
use crate::clock::Timestamp;
use crate::revocation::{Era, SessionKey};
use crate::session::SessionId;

/// A session that the store is asked about.
pub(super) struct Asked {
    pub(super) id: SessionId,
    /// The key of its subject's entry, and which of the subject's sessions it belongs to.
    pub(super) of_subject: Option<(String, Era)>,
}

impl Asked {
    /// An id alone.
    pub(super) fn of_id(id: SessionId) -> Self {
        Self { id, of_subject: None }
    }

    /// Whether it belongs to sessions that were ended, by its subject's entry. One that cannot be read is
    /// of another era than any.
    pub(super) fn is_of_before(&self, entry: Option<&str>) -> bool {
        match (&self.of_subject, entry) {
            (Some((_, era)), Some(present)) => present.parse() != Ok(era.number()),
            _ => false,
        }
    }
}

impl Shared {
    pub(super) fn asked(&self, session: &SessionKey<'_>) -> Asked {
        let subject = session.subject();
        let key = || (self.subject_key(session.realm(), subject), session.era());
        Asked { id: session.id(), of_subject: (!subject.is_empty()).then(key) }
    }

    /// The key of a subject's entry. Whoever reads the store, its log or its backups learns no subject that
    /// they do not know already.
    pub(super) fn subject_key(&self, realm: &str, subject: &str) -> String {
        let mut hash = Context::new(&SHA256);
        // Neither is longer than that.
        hash.update(&(realm.len() as u64).to_be_bytes());
        hash.update(realm.as_bytes());
        hash.update(subject.as_bytes());
        format!("{}:subject:{}", self.prefix, URL_SAFE_NO_PAD.encode(hash.finish()))
    }

    pub(super) async fn end_subject(
        &self,
        key: String,
        era: Era,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let deadline = self.link.deadline();
        // That they live is known by their ids alone: all are asked for again. So it is where the entry
        // may have been stored.
        for _ in 0..TRIES {
            let mut set = redis::cmd("SET");
            set.arg(&key).arg(era.number()).arg("PX").arg(millis(until, now));
            let written =
                self.write(set, key.clone(), millis(until, now), Again::Yes, deadline).await;
            self.cache.forget();
            match written {
                Ok(written) if written.goes_on => return Ok(()),
                // It was written where the store has been.
                Ok(_) => {}
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Failed(AGAIN_AND_AGAIN.to_owned()))
    }

    /// The present era of a subject. It is no worse where the store is replaced meanwhile: the session that
    /// begins in it has the mark of that life.
    pub(super) async fn era_of(&self, key: String) -> Result<Era, StoreError> {
        let mut read = redis::pipe();
        read.cmd("GET").arg(key);
        let (answer, _) = self.link.ask(&read, Again::Yes, self.link.deadline()).await?;
        let (number,): (Option<String>,) = answer;
        let unreadable = || StoreError::Failed("the era of a subject cannot be read".to_owned());
        let number = number.map_or(Ok(0), |number| number.parse().map_err(|_| unreadable()))?;
        Ok(Era::from_number(number))
    }
}
