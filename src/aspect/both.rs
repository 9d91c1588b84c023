//! Two aspects, both of which have to be there.

use std::fmt;
use std::sync::Arc;

use super::{Answer, AspectError, AuthorizingAspect, Head, Origin, Reading, Session, Timestamp};

/// Two aspects, both of which have to be there: made by [`AuthorizingAspect::and`].
pub struct Both<A, B> {
    first: Arc<A>,
    second: Arc<B>,
    name: Box<str>,
}

impl<A: AuthorizingAspect, B: AuthorizingAspect> Both<A, B> {
    pub(super) fn new(first: A, second: B) -> Self {
        let name = format!("{}+{}", first.name(), second.name()).into();
        Self { first: Arc::new(first), second: Arc::new(second), name }
    }
}

impl<A: AuthorizingAspect, B: AuthorizingAspect> AuthorizingAspect for Both<A, B> {
    fn name(&self) -> &str {
        &self.name
    }

    fn read(&self, head: &Head<'_>, now: Timestamp) -> Reading {
        combine(self.first.read(head, now), self.second.read(head, now))
    }

    /// A token stands for both, so it can only be resumed where each of them can: with an address
    /// among them the probe request's own aspects decide.
    fn resume(&self, session: Session<'static>, now: Timestamp) -> Reading {
        combine(self.first.resume(session.clone(), now), self.second.resume(session, now))
    }

    fn bind(&self, head: &Head<'_>, viewer: &Origin) -> Answer<Result<(), AspectError>> {
        both(self.first.bind(head, viewer), self.second.bind(head, viewer))
    }

    fn log_out(&self, head: &Head<'_>) -> Answer<Result<(), AspectError>> {
        both(self.first.log_out(head), self.second.log_out(head))
    }
}

fn both(
    first: Answer<Result<(), AspectError>>,
    second: Answer<Result<(), AspectError>>,
) -> Answer<Result<(), AspectError>> {
    match (first, second) {
        (Answer::Now(Ok(())), other) | (other, Answer::Now(Ok(()))) => other,
        // Neither is left out for the other's sake.
        (first, second) => Answer::later(async move {
            let (first, second) = (wait(first).await, wait(second).await);
            first.and(second)
        }),
    }
}

fn combine(first: Reading, second: Reading) -> Reading {
    let merge = |first: Session<'static>, second: &Session<'_>| {
        first.with_roles_of(second).map_err(|_| AspectError::Invalid)
    };
    match (first, second) {
        (Answer::Now(Err(error)), _) | (Answer::Now(Ok(_)), Answer::Now(Err(error))) => {
            Answer::Now(Err(error))
        }
        (Answer::Now(Ok(first)), Answer::Now(Ok(second))) => Answer::Now(merge(first, &second)),
        (first, second) => Answer::later(async move {
            let first = wait(first).await?;
            let second = wait(second).await?;
            merge(first, &second)
        }),
    }
}

async fn wait<T>(answer: Answer<T>) -> T {
    match answer {
        Answer::Now(answer) => answer,
        Answer::Later(answer) => answer.await,
    }
}

impl<A, B> fmt::Debug for Both<A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Both").field(&self.name).finish()
    }
}
