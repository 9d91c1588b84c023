//! What is below a signed location is decided on as ever, by the session that is sealed in it alone.

use std::sync::Arc;
use std::time::Duration;

use http::Request;

use super::capability;
use crate::aspect::AspectError;
use crate::authorizer::Decision;
use crate::clock::Timestamp;
use crate::core::Core;
use crate::gate::{Basis, Source, Verdict, decide_and_wait};
use crate::resource::Resource;

/// A verdict, and how long it may be kept where it is a grant.
pub(crate) struct Located {
    pub(crate) verdict: Verdict,
    pub(crate) remaining: Duration,
}

/// Whether a location is signed, as far as the session fits one.
pub(crate) fn is_signed(core: &Core, verdict: &Verdict) -> bool {
    let by_token = matches!(
        (&verdict.decision, &verdict.basis),
        (Decision::Grant, Basis::Session { source: Source::Token, signed: true, .. })
    );
    by_token && core.signed_locations
}

/// Decides on what of `whole` is asked for below this capability.
pub(crate) async fn decide(
    core: &Arc<Core>,
    capability: &str,
    resource: &Resource<'static>,
    whole: &Resource<'static>,
    now: Timestamp,
) -> Located {
    let nobody = |error| Located { verdict: Verdict::nobody(error), remaining: Duration::ZERO };
    let opened = match capability::open(core, capability, now) {
        Ok(opened) if opened.is_for(whole) => opened,
        Ok(_) => return nobody(AspectError::Invalid),
        Err(error) => return nobody(error),
    };
    // Nothing of the request tells who asks.
    let (parts, ()) = Request::new(()).into_parts();
    let remaining = opened.expires_at.remaining(now);
    let verdict = decide_and_wait(core, &parts, resource, now, Some(opened.session)).await;
    match &verdict.basis {
        Basis::Session { source: Source::Aspect(_), .. } => nobody(AspectError::Invalid),
        // It is granted with the cookie alone by now.
        Basis::Session { signed: false, .. } if verdict.decision.is_grant() => {
            nobody(AspectError::Invalid)
        }
        Basis::Session { expires_at, .. } => {
            let remaining = remaining.min(expires_at.remaining(now));
            Located { verdict, remaining }
        }
        _ => Located { verdict, remaining },
    }
}
