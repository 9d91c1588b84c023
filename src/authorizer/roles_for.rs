//! Pattern → roles: the rules most publishers need.

use std::fmt;
use std::mem;
use std::sync::Arc;

use super::{AccessRequest, Answer, Authorizer, BoxError, Decision, Denial, Substitute};
use crate::clock::Timestamp;
use crate::protocol::Message;
use crate::resource::{Pattern, Patterns};
use crate::session::Session;

/// Rules from [`Pattern`]s to the roles that may see what they match. The first pattern that matches
/// decides; what no pattern matches is denied to everyone. Thousands of rules cost what one does, see
/// [`Patterns`].
///
/// A pattern is over identifiers below every base, or over paths where it begins with a slash:
/// `open("cover-*")` opens the file `/files/cover-1`, too, `open("/iiif/3/cover-*")` does not.
///
/// Without a session a rule with roles answers 401; with a session that has none of them, 403.
///
/// # Example
///
/// ```
/// use tower_iiif_auth::authorizer::{RolesFor, Substitute};
/// use tower_iiif_auth::{LanguageMap, Message};
///
/// let rules = RolesFor::new()
///     .open("cover-*")
///     .roles("letters-*", ["reader", "curator"])
///     .roles("maps-*", ["curator"])
///     .refusing(LanguageMap::new("en", "Curators only"))
///     .open("prints-small")
///     .roles("prints-*", ["reader"])
///     .substitute(Substitute::of_same_base("prints-small"))
///     .nobody("embargoed", Message::new("Embargoed").note("Until 2040."));
/// ```
#[derive(Clone, Debug, Default)]
pub struct RolesFor {
    patterns: Patterns,
    /// What each pattern leads to, in the same order.
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    who: Who,
    /// What nobody in particular is told, and what somebody without the role is.
    logged_out: Denial,
    logged_in: Denial,
}

#[derive(Clone, Debug)]
enum Who {
    Everyone,
    Roles(Vec<String>),
    /// Everyone from this moment on, and before it whoever has one of these roles.
    From(Timestamp, Vec<String>),
    Nobody,
    /// The same, while it is true of the present moment.
    While(IsTime, Box<Self>),
}

/// What is true at some times.
#[derive(Clone)]
struct IsTime(Arc<dyn Fn(Timestamp) -> bool + Send + Sync>);

impl fmt::Debug for IsTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IsTime(..)")
    }
}

impl Who {
    /// Whether it has the user, by the time, too.
    #[inline(never)]
    fn has(&self, request: &AccessRequest<'_>) -> bool {
        let one_of = |roles: &[String]| roles.iter().any(|role| request.has_role(role));
        match self {
            Self::Everyone => true,
            Self::Roles(roles) => one_of(roles),
            Self::From(moment, before) => *moment <= request.now() || one_of(before),
            Self::Nobody => false,
            Self::While(is_time, who) => (is_time.0)(request.now()) && who.has(request),
        }
    }
}

impl RolesFor {
    /// No rules yet: everything is denied.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn rule(mut self, pattern: impl Into<Pattern>, who: Who) -> Self {
        let (logged_out, logged_in) = (Denial::login(), Denial::never());
        self.patterns.push(pattern);
        self.rules.push(Rule { who, logged_out, logged_in });
        self
    }

    /// Opens what matches to everyone.
    #[must_use]
    pub fn open(self, pattern: impl Into<Pattern>) -> Self {
        self.rule(pattern, Who::Everyone)
    }

    /// Opens what matches to whoever has one of `roles`.
    #[must_use]
    pub fn roles<R: Into<String>>(
        self,
        pattern: impl Into<Pattern>,
        roles: impl IntoIterator<Item = R>,
    ) -> Self {
        self.rule(pattern, Who::Roles(roles.into_iter().map(Into::into).collect()))
    }

    /// Closes what matches to everyone. Users who are not logged in are asked to log in (401); the
    /// others are told `message` (403).
    #[must_use]
    pub fn nobody(self, pattern: impl Into<Pattern>, message: impl Into<Message>) -> Self {
        self.rule(pattern, Who::Nobody).refusing(message)
    }

    /// Opens what matches to everyone from `until` on, and before that to whoever has one of `roles`: an
    /// embargo.
    ///
    /// # Example
    ///
    /// ```
    /// use tower_iiif_auth::authorizer::RolesFor;
    /// use tower_iiif_auth::clock::Timestamp;
    /// use tower_iiif_auth::Message;
    ///
    /// let new_year_2040 = Timestamp::from_millis(2_208_988_800_000);
    /// let rules = RolesFor::new()
    ///     .embargo("thesis-*", new_year_2040, ["staff"])
    ///     .refusing(Message::new("Embargoed").note("Until 2040."));
    /// ```
    #[must_use]
    pub fn embargo<R: Into<String>>(
        self,
        pattern: impl Into<Pattern>,
        until: Timestamp,
        roles: impl IntoIterator<Item = R>,
    ) -> Self {
        self.rule(pattern, Who::From(until, roles.into_iter().map(Into::into).collect()))
    }

    /// The rule before this opens something only while this is true of the present moment: the opening hours
    /// of a reading room. It is asked for each tile, and must not block.
    ///
    /// What a browser has been shown it may keep for a while: the server in front of which the layers are
    /// says how long (`Cache-Control`).
    ///
    /// # Example
    ///
    /// Nine to five, by a clock that shows UTC; a time zone needs a library that knows them:
    ///
    /// ```
    /// use tower_iiif_auth::authorizer::RolesFor;
    /// use tower_iiif_auth::clock::Timestamp;
    ///
    /// fn is_open(now: Timestamp) -> bool {
    ///     (9..17).contains(&(now.as_millis() / 3_600_000 % 24))
    /// }
    ///
    /// let rules = RolesFor::new().roles("newspapers-*", ["reading-room"]).only_while(is_open);
    /// ```
    #[must_use]
    pub fn only_while(
        mut self,
        is_time: impl Fn(Timestamp) -> bool + Send + Sync + 'static,
    ) -> Self {
        if let Some(rule) = self.rules.last_mut() {
            let who = mem::replace(&mut rule.who, Who::Nobody);
            rule.who = Who::While(IsTime(Arc::new(is_time)), Box::new(who));
        }
        self
    }

    /// What the rule before this tells those who are logged in and lack the role.
    #[must_use]
    pub fn refusing(mut self, message: impl Into<Message>) -> Self {
        if let Some(rule) = self.rules.last_mut() {
            rule.logged_in = rule.logged_in.clone().message(message);
        }
        self
    }

    /// What the rule before this offers to those who lack the role.
    #[must_use]
    pub fn substitute(mut self, substitute: Substitute) -> Self {
        if let Some(rule) = self.rules.last_mut() {
            rule.logged_out = rule.logged_out.clone().substitute(substitute.clone());
            rule.logged_in = rule.logged_in.clone().substitute(substitute);
        }
        self
    }

    #[inline]
    fn decide(&self, request: &AccessRequest<'_>) -> Decision {
        let place = self.patterns.first(request.resource());
        let Some(rule) = place.and_then(|place| self.rules.get(place)) else {
            return Denial::never().into();
        };
        let denial = match (&rule.who, request.session()) {
            (Who::Everyone, _) => return Decision::Grant,
            (Who::Roles(roles), Some(session)) if has_one_of(session, roles) => {
                return Decision::Grant;
            }
            (who @ (Who::From(..) | Who::While(..)), _) if who.has(request) => {
                return Decision::Grant;
            }
            (_, None) => &rule.logged_out,
            (_, Some(_)) => &rule.logged_in,
        };
        denial.clone().into()
    }
}

/// Told in a loop of its own, which is on the way to every tile.
#[inline]
fn has_one_of(session: &Session<'_>, roles: &[String]) -> bool {
    for role in roles {
        if session.has_role(role) {
            return true;
        }
    }
    false
}

impl Authorizer for RolesFor {
    fn authorize(&self, request: &AccessRequest<'_>) -> Answer<Result<Decision, BoxError>> {
        Answer::Now(Ok(self.decide(request)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::{Resource, ResourceKind};
    use crate::session::Session;
    use std::time::Duration;

    /// An embargo ends by itself, to the millisecond; hours open and close, and only the rule before them.
    #[test]
    fn rules_of_time() {
        let at = Timestamp::from_millis;
        let rules = RolesFor::new()
            .embargo("thesis", at(1000), ["staff"])
            .refusing("Embargoed")
            .roles("room", ["reader"])
            .only_while(|now| (500..1500).contains(&now.as_millis()))
            .embargo("both", at(1000), ["staff"])
            .only_while(|now| now.as_millis() < 2000)
            .open("open");
        for (identifier, role, expected) in [
            ("thesis", None, [401, 401, 401, 200, 200, 200]),
            ("thesis", Some("reader"), [403, 403, 403, 200, 200, 200]),
            ("thesis", Some("staff"), [200; 6]),
            ("room", None, [401; 6]),
            ("room", Some("reader"), [403, 200, 200, 200, 403, 403]),
            ("room", Some("staff"), [403; 6]),
            ("both", Some("staff"), [200, 200, 200, 200, 200, 403]),
            ("both", None, [401, 401, 401, 200, 200, 401]),
            ("open", None, [200; 6]),
        ] {
            for (millis, expected) in [0, 500, 999, 1000, 1500, 2000].into_iter().zip(expected) {
                let resource =
                    Resource::new("/iiif", identifier, ResourceKind::ImageService, "Image");
                let session = role.map(|role| {
                    let session = Session::builder("ada").role(role);
                    session.lasting(at(0), Duration::from_secs(9)).unwrap()
                });
                let request = AccessRequest::new(resource, session, at(millis));
                let status = match rules.decide(&request) {
                    Decision::Deny(denial) => denial.status().as_u16(),
                    _ => 200,
                };
                assert_eq!(status, expected, "{identifier} {role:?} at {millis}");
            }
        }
    }

    #[test]
    fn the_first_matching_rule_decides() {
        let rules = RolesFor::new()
            .open("/files/reader")
            .open("open*")
            .roles("reader", ["reader", "curator"])
            .roles("curator", ["curator"])
            .roles("tiered", ["reader"])
            .substitute(Substitute::of_same_base("small"))
            .nobody("embargoed", "Not yet")
            .open("embargoed");
        for (identifier, roles, expected) in [
            ("open-1", None, 200),
            ("reader", None, 401),
            ("reader", Some("reader"), 200),
            ("reader", Some("curator"), 200),
            ("reader", Some("Reader"), 403),
            ("curator", Some("reader"), 403),
            ("tiered", None, 401),
            // With a substitute to offer a refusal is 401, or no client reads it.
            ("tiered", Some("other"), 401),
            ("embargoed", None, 401),
            ("embargoed", Some("curator"), 403),
            ("unknown", None, 403),
            ("unknown", Some("curator"), 403),
        ] {
            let resource = Resource::new("/iiif", identifier, ResourceKind::ImageService, "Image");
            let session = roles.map(|role| {
                let session = Session::builder("ada").role(role);
                session.lasting(Timestamp::default(), Duration::from_secs(9)).unwrap()
            });
            let request = AccessRequest::new(resource, session, Timestamp::default());
            let status = match rules.decide(&request) {
                Decision::Grant | Decision::Signed(_) => 200,
                Decision::Redirect(_) => 302,
                Decision::Deny(denial) => denial.status().as_u16(),
            };
            assert_eq!(status, expected, "{identifier} {roles:?}");
        }
        // A rule over paths is for one base.
        let file = Resource::new("/files", "reader", ResourceKind::Content, "Dataset");
        let request = AccessRequest::new(file, None, Timestamp::default());
        assert!(rules.decide(&request).is_grant());
    }
}
