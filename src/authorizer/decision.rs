//! What an authorizer may say: nothing that the specification forbids can be said.

use std::sync::Arc;

use http::StatusCode;

use super::signed::SignedLocation;

use crate::protocol::v2::probe_result::DeniedStatus;
use crate::protocol::{AbsoluteUri, LanguageMap, Message};
use crate::resource::Resource;

/// Grant, send elsewhere, or deny.
///
/// # Example
///
/// Decisions are compared, so that an application can test its rules:
///
/// ```
/// use tower_iiif_auth::authorizer::{Decision, Denial};
///
/// fn rule(is_reader: bool) -> Decision {
///     if is_reader { Decision::Grant } else { Denial::login().message("For readers only").into() }
/// }
///
/// assert_eq!(rule(true), Decision::Grant);
/// assert_eq!(rule(false), Denial::login().message("For readers only").into());
/// assert_ne!(rule(false), Denial::never().into());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The wrapped service answers.
    Grant,
    /// The wrapped service answers, and the probe says where without a cookie: `status` 302 with a
    /// `location` of this server that opens this one resource, for this session, for
    /// [a few minutes](crate::Limits::max_location_lifetime).
    ///
    /// It needs [`IiifAuthBuilder::signed_locations`](crate::IiifAuthBuilder::signed_locations), without
    /// which it is a [`Grant`](Self::Grant). So it is for whom no token of a session comes with the
    /// probe: content that is asked for with the cookie is as with a grant.
    Signed(SignedLocation),
    /// The resource is to be had at this URI: 302 on the content route, `status` 302 with a
    /// `location` of the same type from the probe (2.0 §5.2). Clients take it for a success and
    /// offer no login: for a lesser version use [`Denial::substitute`].
    Redirect(AbsoluteUri),
    /// It is not to be had.
    Deny(Denial),
}

impl Decision {
    /// Whether it is [`Decision::Grant`] or [`Decision::Signed`].
    #[must_use]
    pub fn is_grant(&self) -> bool {
        matches!(self, Self::Grant | Self::Signed(_))
    }

    /// A grant as one under a signed location; everything else as it is.
    pub(super) fn under(self, signed: SignedLocation) -> Self {
        if self == Self::Grant { Self::Signed(signed) } else { self }
    }
}

/// What a closure or function may decide by: `bool`, [`Denial`], [`Decision`].
///
/// `true` grants, and `false` is a denial that a login may remedy. A closure has one type: where some of its
/// ends say `true` and others a denial, each says a `Decision`: `Decision::Grant`, `Denial::never().into()`,
/// `request.has_role("reader").into()`.
///
/// What waits is no closure of this kind, and does not compile:
///
/// ```compile_fail,E0277
/// # fn f(builder: tower_iiif_auth::IiifAuthBuilder) {
/// builder.authorize_with(|_| async { true }); // .authorizer(from_async_fn(…))
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no decision",
    label = "decide by `bool`, `Denial` or `Decision`",
    note = "for an `async` closure or function write `.authorizer(from_async_fn(…))`, which owns its request and \
            gives a `Result`",
    note = "a closure that says `true` here and a `Denial` there says a `Decision` everywhere: \
            `Decision::Grant`, `Denial::never().into()`"
)]
pub trait IntoDecision {
    /// The decision.
    fn into_decision(self) -> Decision;
}

impl IntoDecision for Decision {
    fn into_decision(self) -> Decision {
        self
    }
}

impl IntoDecision for Denial {
    fn into_decision(self) -> Decision {
        self.into()
    }
}

impl IntoDecision for bool {
    fn into_decision(self) -> Decision {
        self.into()
    }
}

impl Decision {
    /// Which access services lead to what is denied, where that is said.
    pub(crate) fn services(&self) -> Option<&Arc<[Box<str>]>> {
        match self {
            Self::Deny(denial) => denial.services(),
            Self::Grant | Self::Signed(_) | Self::Redirect(_) => None,
        }
    }
}

impl From<Denial> for Decision {
    fn from(denial: Denial) -> Self {
        Self::Deny(denial)
    }
}

/// A grant for `true`; for `false` a denial that a login may remedy.
impl From<bool> for Decision {
    fn from(granted: bool) -> Self {
        if granted { Self::Grant } else { Self::Deny(Denial::login()) }
    }
}

/// What would help against a denial, which makes its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Remedy {
    /// An access service: 401.
    Login,
    /// Nothing: 403. With a substitute to offer it is 401, as clients read substitutes only then
    /// (2.0 §7.1).
    Never,
    /// Nothing, and not even that there is such a resource is told: 404.
    Absent,
    /// Trying again: 503.
    Later,
}

/// A refusal, with what the user is told and what is offered in place of the resource.
///
/// # Example
///
/// ```
/// use tower_iiif_auth::authorizer::{Denial, Substitute};
/// use tower_iiif_auth::{LanguageMap, Message};
///
/// let denial = Denial::never()
///     .message(Message::new(LanguageMap::new("en", "Embargoed")).note(LanguageMap::new("en", "Until 2040.")));
/// let tiered = Denial::login().substitute(Substitute::of_same_base("page1-small"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    remedy: Remedy,
    /// Shared, so that a prepared denial is cheap to give out: one is on the way to every grant.
    details: Option<Arc<Details>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Details {
    message: Option<Message>,
    substitutes: Vec<Substitute>,
    through: Option<Arc<[Box<str>]>>,
}

impl Denial {
    fn new(remedy: Remedy) -> Self {
        Self { remedy, details: None }
    }

    /// An access service may help: 401.
    #[must_use]
    pub fn login() -> Self {
        Self::new(Remedy::Login)
    }

    /// Nothing helps: 403. Where there is no session, deny by [`login`](Self::login): else viewers offer
    /// no login.
    #[must_use]
    pub fn never() -> Self {
        Self::new(Remedy::Never)
    }

    /// As if there were no such resource: 404. Said of nobody it hides `info.json` from everyone, so
    /// that no viewer offers a login. Substitutes of it are not offered either: they would tell of it.
    #[must_use]
    pub fn absent() -> Self {
        Self::new(Remedy::Absent)
    }

    /// Not now: 503.
    #[must_use]
    pub fn later() -> Self {
        Self::new(Remedy::Later)
    }

    /// What to tell the user, in place of the general one of [`Texts`](crate::Texts).
    #[must_use]
    pub fn message(mut self, message: impl Into<Message>) -> Self {
        self.details_mut().message = Some(message.into());
        self
    }

    /// Offers something in its place; several are offered in order, the best first.
    #[must_use]
    pub fn substitute(mut self, substitute: Substitute) -> Self {
        self.details_mut().substitutes.push(substitute);
        self
    }

    /// Which access services lead to the resource, by their names; in a named realm `realm/name`, and the
    /// realm's name alone for its [external](crate::AccessService::external) service. Said of nobody these
    /// are declared for it, and sessions of their realms count: what
    /// [`AccessService::protects`](crate::AccessService::protects) says by patterns, from where the rights
    /// are kept.
    ///
    /// A name that no access service has fails the decision (503), and is logged.
    ///
    /// # Example
    ///
    /// ```
    /// use tower_iiif_auth::authorizer::{AccessRequest, Decision, Denial};
    ///
    /// fn decide(rights: &str, request: &AccessRequest<'_>) -> Decision {
    ///     match rights {
    ///         "open" => Decision::Grant,
    ///         role if request.has_role(role) => Decision::Grant,
    ///         "terms" => Denial::login().through(["terms/accept"]).into(),
    ///         _ => Denial::login().through(["login"]).into(),
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn through<N: Into<String>>(mut self, services: impl IntoIterator<Item = N>) -> Self {
        let services = services.into_iter().map(|name| name.into().into_boxed_str());
        self.details_mut().through = Some(services.collect());
        self
    }

    /// Which access services lead to it, where that is said.
    #[inline]
    pub(crate) fn services(&self) -> Option<&Arc<[Box<str>]>> {
        self.details.as_ref()?.through.as_ref()
    }

    /// What would help.
    #[must_use]
    pub fn remedy(&self) -> Remedy {
        self.remedy
    }

    fn details_mut(&mut self) -> &mut Details {
        Arc::make_mut(self.details.get_or_insert_default())
    }

    pub(crate) fn text(&self) -> Option<&Message> {
        self.details.as_ref()?.message.as_ref()
    }

    /// What is offered in its place; in place of what is absent nothing.
    pub(crate) fn substitutes(&self) -> &[Substitute] {
        match &self.details {
            Some(details) if self.remedy != Remedy::Absent => &details.substitutes,
            _ => &[],
        }
    }

    /// The substitutes of a resource below its own base, in order.
    pub(crate) fn siblings(
        &self,
        resource: &Resource<'_>,
    ) -> impl Iterator<Item = Resource<'static>> {
        self.substitutes().iter().filter_map(|substitute| match &substitute.target {
            Target::SameBase(identifier) => Some(resource.sibling(identifier).into_owned()),
            Target::Elsewhere(_) => None,
        })
    }

    /// The status on the content route and in a probe result: one rule for both.
    pub(crate) fn status(&self) -> DeniedStatus {
        match self.remedy {
            Remedy::Login => DeniedStatus::Unauthorized,
            Remedy::Never if !self.substitutes().is_empty() => DeniedStatus::Unauthorized,
            Remedy::Never => DeniedStatus::Forbidden,
            Remedy::Absent => DeniedStatus::NotFound,
            Remedy::Later => DeniedStatus::Unavailable,
        }
    }

    pub(crate) fn http_status(&self) -> StatusCode {
        StatusCode::from_u16(self.status().as_u16()).unwrap_or(StatusCode::FORBIDDEN)
    }
}

/// A lesser version that may be shown when the resource is denied.
///
/// Before it is offered the same decision is taken for it: one that this very user may not see is
/// listed only with a probe of its own (2.0 §5.2, §7.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Substitute {
    pub(crate) target: Target,
    pub(crate) label: Option<LanguageMap>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    SameBase(String),
    Elsewhere(AbsoluteUri),
}

impl Substitute {
    /// The resource with this identifier below the same base.
    #[must_use]
    pub fn of_same_base(identifier: impl Into<String>) -> Self {
        Self { target: Target::SameBase(identifier.into()), label: None }
    }

    /// A resource of the same type at a URI that is open to everyone.
    #[must_use]
    pub fn elsewhere(uri: AbsoluteUri) -> Self {
        Self { target: Target::Elsewhere(uri), label: None }
    }

    /// What to call it where the user may choose between several.
    #[must_use]
    pub fn label(mut self, label: impl Into<LanguageMap>) -> Self {
        self.label = Some(label.into());
        self
    }
}
