//! Two authorizers as one.

use std::fmt;
use std::sync::Arc;

use super::many::first_and_second;
use super::{AccessRequest, Answer, Authorizer, BoxError, Decision};

type Outcome = Result<Decision, BoxError>;

/// Grants only what both grant: made by [`Authorizer::and`].
///
/// The second is asked only after a grant of the first. Whatever else the first says is the answer. Where
/// either grants under a [signed location](Decision::Signed), the whole does.
pub struct And<A, B> {
    first: Arc<A>,
    second: Arc<B>,
}

/// Grants what either grants: made by [`Authorizer::or`].
///
/// The second is asked only after a denial of the first. If both deny, the first's denial counts.
/// An error of the first is an error: what could not be asked is not passed over.
pub struct Or<A, B> {
    first: Arc<A>,
    second: Arc<B>,
}

impl<A, B> And<A, B> {
    pub(super) fn new(first: A, second: B) -> Self {
        Self { first: Arc::new(first), second: Arc::new(second) }
    }
}

impl<A, B> Or<A, B> {
    pub(super) fn new(first: A, second: B) -> Self {
        Self { first: Arc::new(first), second: Arc::new(second) }
    }
}

impl<A: Authorizer, B: Authorizer> Authorizer for And<A, B> {
    fn authorize(&self, request: &AccessRequest<'_>) -> Answer<Outcome> {
        match self.first.authorize(request) {
            Answer::Now(Ok(Decision::Grant)) => self.second.authorize(request),
            Answer::Now(Ok(Decision::Signed(signed))) => match self.second.authorize(request) {
                Answer::Now(second) => Answer::Now(second.map(|own| own.under(signed))),
                Answer::Later(second) => {
                    Answer::later(async move { second.await.map(|own| own.under(signed)) })
                }
            },
            Answer::Now(other) => Answer::Now(other),
            Answer::Later(first) => {
                let (second, request) = (Arc::clone(&self.second), request.clone().into_owned());
                Answer::later(async move {
                    match first.await {
                        Ok(Decision::Grant) => wait(second.authorize(&request)).await,
                        Ok(Decision::Signed(signed)) => {
                            wait(second.authorize(&request)).await.map(|own| own.under(signed))
                        }
                        other => other,
                    }
                })
            }
        }
    }

    fn authorize_all(&self, requests: &[AccessRequest<'_>]) -> Answer<Vec<Outcome>> {
        let granted = |first: &Outcome| matches!(first, Ok(Decision::Grant | Decision::Signed(_)));
        let both = |first: Outcome, second: Outcome| match first {
            Ok(Decision::Signed(signed)) => second.map(|own| own.under(signed)),
            _ => second,
        };
        first_and_second((&self.first, &self.second), requests, granted, both)
    }
}

impl<A: Authorizer, B: Authorizer> Authorizer for Or<A, B> {
    fn authorize(&self, request: &AccessRequest<'_>) -> Answer<Outcome> {
        match self.first.authorize(request) {
            Answer::Now(Ok(Decision::Deny(first))) => match self.second.authorize(request) {
                Answer::Now(second) => Answer::Now(either(Decision::Deny(first), second)),
                Answer::Later(second) => {
                    Answer::later(async move { either(Decision::Deny(first), second.await) })
                }
            },
            Answer::Now(other) => Answer::Now(other),
            Answer::Later(first) => {
                let (second, request) = (Arc::clone(&self.second), request.clone().into_owned());
                Answer::later(async move {
                    match first.await {
                        Ok(denied @ Decision::Deny(_)) => {
                            either(denied, wait(second.authorize(&request)).await)
                        }
                        other => other,
                    }
                })
            }
        }
    }

    fn authorize_all(&self, requests: &[AccessRequest<'_>]) -> Answer<Vec<Outcome>> {
        let denied = |first: &Outcome| matches!(first, Ok(Decision::Deny(_)));
        let both = |first: Outcome, second| match first {
            Ok(first) => either(first, second),
            Err(error) => Err(error),
        };
        first_and_second((&self.first, &self.second), requests, denied, both)
    }
}

fn either(denied: Decision, second: Outcome) -> Outcome {
    match second {
        Ok(Decision::Deny(_)) => Ok(denied),
        other => other,
    }
}

async fn wait(answer: Answer<Outcome>) -> Outcome {
    match answer {
        Answer::Now(outcome) => outcome,
        Answer::Later(outcome) => outcome.await,
    }
}

impl<A: fmt::Debug, B: fmt::Debug> fmt::Debug for And<A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("And").field(&self.first).field(&self.second).finish()
    }
}

impl<A: fmt::Debug, B: fmt::Debug> fmt::Debug for Or<A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Or").field(&self.first).field(&self.second).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Denial, from_async_fn, from_fn};
    use super::*;
    use crate::clock::Timestamp;
    use crate::resource::{Resource, ResourceKind};
    use std::convert::Infallible;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    fn decide(word: &'static str) -> Outcome {
        match word {
            "grant" => Ok(Decision::Grant),
            "login" => Ok(Denial::login().into()),
            "never" => Ok(Denial::never().into()),
            _ => Err(word.into()),
        }
    }

    struct Says(&'static str);

    impl Authorizer for Says {
        fn authorize(&self, _: &AccessRequest<'_>) -> Answer<Outcome> {
            Answer::Now(decide(self.0))
        }
    }

    struct SaysLater(&'static str);

    impl Authorizer for SaysLater {
        fn authorize(&self, _: &AccessRequest<'_>) -> Answer<Outcome> {
            let word = self.0;
            Answer::later(async move { decide(word) })
        }
    }

    fn at_once<T>(answer: Answer<T>) -> T {
        let mut future = pin!(async {
            match answer {
                Answer::Now(answer) => answer,
                Answer::Later(answer) => answer.await,
            }
        });
        let Poll::Ready(answer) = future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        else {
            panic!("nothing waits here")
        };
        answer
    }

    /// One by one, and of many at once.
    fn said(authorizer: &impl Authorizer) -> &'static str {
        let resource = Resource::new("/a", "b", ResourceKind::Content, "Image");
        let request = AccessRequest::new(resource, None, Timestamp::default());
        let word = word(at_once(authorizer.authorize(&request)));
        let many = at_once(authorizer.authorize_all(&[request.clone(), request.clone(), request]));
        assert_eq!(many.into_iter().map(self::word).collect::<Vec<_>>(), [word; 3]);
        word
    }

    fn word(outcome: Outcome) -> &'static str {
        match outcome {
            Ok(Decision::Grant) => "grant",
            Ok(Decision::Signed(_)) => "signed",
            Ok(Decision::Redirect(_)) => "redirect",
            Ok(Decision::Deny(denial)) if denial.status().as_u16() == 401 => "login",
            Ok(Decision::Deny(_)) => "never",
            Err(_) => "error",
        }
    }

    #[test]
    fn both_and_either() {
        for (first, second, and, or) in [
            ("grant", "grant", "grant", "grant"),
            ("grant", "login", "login", "grant"),
            ("login", "grant", "login", "grant"),
            ("login", "never", "login", "login"),
            ("never", "login", "never", "never"),
            ("grant", "error", "error", "grant"),
            ("error", "grant", "error", "error"),
            ("login", "error", "login", "error"),
        ] {
            assert_eq!(said(&Says(first).and(Says(second))), and, "{first} and {second}");
            assert_eq!(said(&Says(first).or(Says(second))), or, "{first} or {second}");
            assert_eq!(said(&SaysLater(first).and(Says(second))), and, "{first} and {second}");
            assert_eq!(said(&Says(first).or(SaysLater(second))), or, "{first} or {second}");
            assert_eq!(said(&SaysLater(first).or(SaysLater(second))), or, "{first} or {second}");
            assert_eq!(said(&Says(first).and(SaysLater(second))), and, "{first} and {second}");
        }
    }

    #[test]
    fn closures() {
        assert_eq!(said(&from_fn(|request| request.identifier() == "b")), "grant");
        assert_eq!(said(&from_fn(|_| Denial::never())), "never");
        assert_eq!(said(&from_async_fn(|_| async { Ok::<_, Infallible>(false) })), "login");
    }

    /// A grant under a signed location is a grant: whoever else has a say is asked, of one and of many.
    #[test]
    fn grants_under_signed_locations() {
        use crate::session::Session;
        use std::time::Duration;

        let session = || {
            let session = Session::builder("ada");
            Some(session.lasting(Timestamp::default(), Duration::from_secs(9)).unwrap())
        };
        let resource = || Resource::new("/a", "b", ResourceKind::Content, "Image");
        let request = |session| AccessRequest::new(resource(), session, Timestamp::default());
        let said = |authorizer: &dyn Authorizer, session| {
            let request = request(session);
            let Answer::Now(one) = authorizer.authorize(&request) else { panic!("at once") };
            let Answer::Now(mut many) = authorizer.authorize_all(&[request]) else {
                panic!("at once")
            };
            let (one, many) = (one.unwrap(), many.remove(0).unwrap());
            assert_eq!(one, many);
            match one {
                Decision::Signed(_) => "signed",
                Decision::Grant => "grant",
                _ => "denied",
            }
        };
        let signed = || Says("grant").signed_locations();
        assert_eq!(said(&signed(), session()), "signed");
        assert_eq!(said(&signed(), None), "grant");
        assert_eq!(said(&signed().and(Says("login")), session()), "denied");
        assert_eq!(said(&signed().and(Says("grant")), session()), "signed");
        assert_eq!(said(&Says("grant").and(signed()), session()), "signed");
        assert_eq!(said(&Says("login").and(signed()), session()), "denied");
        assert_eq!(said(&Says("login").or(signed()), session()), "signed");
        assert_eq!(said(&Says("login").signed_locations(), session()), "denied");
    }
}
