//! Answers for many resources at once.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use super::{AccessRequest, Authorizer, Decision};
use crate::answer::{Answer, BoxError, BoxFuture};
use crate::catch::catch;

type Outcome = Result<Decision, BoxError>;

/// How many answers are waited for at a time.
const AT_ONCE: usize = 32;

/// Each by itself, up to 32 at a time where they have to wait.
pub(super) fn one_by_one<A: Authorizer + ?Sized>(
    authorizer: &A,
    requests: &[AccessRequest<'_>],
) -> Answer<Vec<Outcome>> {
    let mut outcomes = Vec::with_capacity(requests.len());
    let mut later = Vec::new();
    for (index, request) in requests.iter().enumerate() {
        match catch(|| authorizer.authorize(request)) {
            Ok(Answer::Now(outcome)) => outcomes.push(outcome),
            Ok(Answer::Later(outcome)) => {
                later.push((index, outcome));
                // In its place until it is there.
                outcomes.push(Err(NotAsked.into()));
            }
            Err(panic) => outcomes.push(Err(panic)),
        }
    }
    if later.is_empty() { Answer::Now(outcomes) } else { Answer::later(waited(outcomes, later)) }
}

async fn waited(
    mut outcomes: Vec<Outcome>,
    later: Vec<(usize, BoxFuture<Outcome>)>,
) -> Vec<Outcome> {
    let mut waiting = later.into_iter();
    let mut under_way: Vec<_> = waiting.by_ref().take(AT_ONCE).collect();
    while !under_way.is_empty() {
        poll_fn(|cx| {
            let before = under_way.len();
            under_way.retain_mut(|(index, outcome)| {
                let outcome = match catch(|| outcome.as_mut().poll(cx)) {
                    Ok(Poll::Pending) => return true,
                    Ok(Poll::Ready(outcome)) => outcome,
                    Err(panic) => Err(panic),
                };
                outcomes[*index] = outcome;
                false
            });
            if under_way.len() < before { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        let room = AT_ONCE - under_way.len();
        under_way.extend(waiting.by_ref().take(room));
    }
    outcomes
}

/// Asks a second authorizer about those of which the first has not the last word.
pub(super) fn first_and_second<A: Authorizer, B: Authorizer>(
    (first, second): (&Arc<A>, &Arc<B>),
    requests: &[AccessRequest<'_>],
    is_open: fn(&Outcome) -> bool,
    both: fn(Outcome, Outcome) -> Outcome,
) -> Answer<Vec<Outcome>> {
    let ask = move |second: &B, mut outcomes: Vec<Outcome>, requests: &[AccessRequest<'_>]| {
        let open: Vec<_> =
            (0..requests.len()).filter(|index| outcomes.get(*index).is_none_or(is_open)).collect();
        let asked: Vec<_> = open.iter().map(|index| requests[*index].clone()).collect();
        let answer = second.authorize_all(&asked);
        let merge = move |seconds: Vec<Outcome>| {
            let mut seconds = seconds.into_iter();
            for index in open {
                let second = seconds.next().unwrap_or_else(|| Err(NotAsked.into()));
                if let Some(outcome) = outcomes.get_mut(index) {
                    let first = std::mem::replace(outcome, Err(NotAsked.into()));
                    *outcome = both(first, second);
                }
            }
            outcomes
        };
        match answer {
            Answer::Now(seconds) => Answer::Now(merge(seconds)),
            Answer::Later(seconds) => Answer::later(async move { merge(seconds.await) }),
        }
    };
    match first.authorize_all(requests) {
        Answer::Now(outcomes) => ask(second, outcomes, requests),
        Answer::Later(outcomes) => {
            let second = Arc::clone(second);
            let requests: Vec<_> =
                requests.iter().map(|request| request.clone().into_owned()).collect();
            Answer::later(async move {
                match ask(&second, outcomes.await, &requests) {
                    Answer::Now(outcomes) => outcomes,
                    Answer::Later(outcomes) => outcomes.await,
                }
            })
        }
    }
}

/// What holds of a resource on which nothing was said: it is denied.
#[derive(Debug)]
pub(crate) struct NotAsked;

impl std::fmt::Display for NotAsked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("authorize_all gave fewer answers than there were questions")
    }
}

impl std::error::Error for NotAsked {}
