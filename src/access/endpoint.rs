//! The layer's own endpoints: what the gesture page's form and the hand-off lead to.

use bytes::Bytes;
use http::{Method, Response};
use http_body::Body;

use super::context::Context;
use super::form;
use crate::answer::{Answer, BoxError};
use crate::core::Core;
use crate::hand_off;
use crate::posted::{self, TooSlow};
use crate::respond;
use crate::token;

pub(super) enum Endpoint {
    /// Where the gesture page's form is sent.
    Continue,
    /// The helper window of the hand-off.
    HandOff,
    /// The script that opens it.
    HandOffScript,
    /// Where the token service's frame redeems a login.
    Redeem,
}

impl Endpoint {
    /// The one at this path, if there is one and it is on.
    pub(super) fn at(core: &Core, path: &str) -> Option<Self> {
        let hand_off = core.third_party.hand_off;
        if path == core.endpoints.continuing() {
            Some(Self::Continue)
        } else if hand_off && path == core.endpoints.hand_off() {
            Some(Self::HandOff)
        } else if hand_off && path == core.endpoints.hand_off_script() {
            Some(Self::HandOffScript)
        } else {
            (hand_off && path == core.endpoints.redeem()).then_some(Self::Redeem)
        }
    }

    pub(super) fn answer<B>(self, context: Context, body: B) -> Answer<Response<Bytes>>
    where
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        match (self, &context.parts.method) {
            (Self::HandOff, &Method::GET) => Answer::Now(hand_off::helper()),
            (Self::HandOffScript, &Method::GET) => Answer::Now(hand_off::script()),
            (Self::HandOff | Self::HandOffScript, _) => {
                Answer::Now(respond::method_not_allowed("GET"))
            }
            (Self::Redeem, &Method::POST) => Answer::later(async move {
                match form::read(&context.core, body).await {
                    Ok(form) => token::redeem(context.core, context.parts.headers, form).await,
                    Err(TooSlow) => posted::too_slow(),
                }
            }),
            (Self::Continue, &Method::POST) => Answer::later(async move {
                match form::read(&context.core, body).await {
                    Ok(form) => context.carry_out(form).await,
                    Err(TooSlow) => posted::too_slow(),
                }
            }),
            (Self::Redeem | Self::Continue, _) => Answer::Now(respond::method_not_allowed("POST")),
        }
    }
}
