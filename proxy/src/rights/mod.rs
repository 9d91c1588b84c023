//! Who may have what: rules in order, some of them at times only, and somebody else's word.

mod external;
mod when;

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use tower_iiif_auth::authorizer::{AccessRequest, Authorizer, Decision, Denial};
use tower_iiif_auth::clock::Timestamp;
use tower_iiif_auth::resource::{Pattern, Patterns};
use tower_iiif_auth::{Answer, BoxError};

pub(crate) use external::{External, Settings as ExternalSettings};
pub(crate) use when::When;

/// What one rule covers, when it counts, and what it says.
pub(crate) struct Rule {
    pub(crate) patterns: Vec<Pattern>,
    pub(crate) when: When,
    /// Whether it grants under signed locations.
    pub(crate) signed: bool,
    pub(crate) authorizer: Arc<dyn Authorizer>,
}

/// Rules in order: the first that counts now and covers a resource decides. What none covers is asked
/// elsewhere, or denied.
#[derive(Clone)]
pub(crate) struct Rules(Arc<Inner>);

struct Inner {
    rules: Vec<Rule>,
    otherwise: Option<Arc<dyn Authorizer>>,
    /// Those that count now.
    counting: ArcSwap<Counting>,
    turn: Mutex<()>,
}

struct Counting {
    patterns: Patterns,
    authorizers: Vec<Arc<dyn Authorizer>>,
    /// Which of those with times they are.
    timed: Vec<bool>,
    /// For which moments this is so: from the first, before the second.
    since: Timestamp,
    until: Timestamp,
}

impl Rules {
    pub(crate) fn new(rules: Vec<Rule>, otherwise: Option<Arc<dyn Authorizer>>) -> Self {
        let counting = ArcSwap::from_pointee(Counting::at(&rules, Timestamp::default()));
        Self(Arc::new(Inner { rules, otherwise, counting, turn: Mutex::default() }))
    }

    /// Whether one grants under signed locations.
    pub(crate) fn are_signed(&self) -> bool {
        self.0.rules.iter().any(|rule| rule.signed)
    }
}

impl Counting {
    fn at(rules: &[Rule], now: Timestamp) -> Self {
        let (timed, until) = moment(rules, now);
        let mut own = Self {
            patterns: Patterns::new(),
            authorizers: Vec::new(),
            timed,
            // Rules without times count always.
            since: if until == LAST { Timestamp::default() } else { now },
            until,
        };
        for rule in rules.iter().filter(|own| own.when.counts(now)) {
            for pattern in &rule.patterns {
                own.patterns.push(pattern.clone());
                own.authorizers.push(Arc::clone(&rule.authorizer));
            }
        }
        own
    }

    fn holds(&self, now: Timestamp) -> bool {
        self.since <= now && now < self.until
    }
}

const LAST: Timestamp = Timestamp::from_millis(u64::MAX);

/// Which of the rules with times count, and until when that is sure.
fn moment(rules: &[Rule], now: Timestamp) -> (Vec<bool>, Timestamp) {
    let timed = || rules.iter().map(|own| &own.when).filter(|own| !own.is_always());
    let counting = timed().map(|own| own.counts(now)).collect();
    (counting, timed().map(|own| own.sure_until(now)).min().unwrap_or(LAST))
}

impl Inner {
    /// Made anew where the moment may have changed it: by one request, for which the others wait.
    #[cold]
    fn renewed(&self, now: Timestamp) -> Arc<Counting> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.counting.load_full();
        if before.holds(now) {
            return before;
        }
        let (timed, until) = moment(&self.rules, now);
        let counting = if timed == before.timed {
            let Counting { patterns, authorizers, .. } = &*before;
            let (patterns, authorizers) = (patterns.clone(), authorizers.clone());
            Counting { patterns, authorizers, timed, since: now, until }
        } else {
            tracing::info!("the rules that count have changed with the time");
            Counting::at(&self.rules, now)
        };
        let counting = Arc::new(counting);
        self.counting.store(Arc::clone(&counting));
        counting
    }

    fn decide(
        &self,
        counting: &Counting,
        request: &AccessRequest<'_>,
    ) -> Answer<Result<Decision, BoxError>> {
        let place = counting.patterns.first(request.resource());
        match (place.and_then(|place| counting.authorizers.get(place)), &self.otherwise) {
            (Some(authorizer), _) => authorizer.authorize(request),
            (None, Some(otherwise)) => otherwise.authorize(request),
            (None, None) => Answer::Now(Ok(Denial::never().into())),
        }
    }
}

impl Authorizer for Rules {
    fn authorize(&self, request: &AccessRequest<'_>) -> Answer<Result<Decision, BoxError>> {
        let counting = self.0.counting.load();
        if counting.holds(request.now()) {
            return self.0.decide(&counting, request);
        }
        let counting = self.0.renewed(request.now());
        self.0.decide(&counting, request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tower_iiif_auth::authorizer::RolesFor;
    use tower_iiif_auth::resource::{Resource, ResourceKind};

    fn open(rules: &Rules, identifier: &str, seconds: i64) -> bool {
        let resource = Resource::new("/iiif/3", identifier, ResourceKind::ImageService, "Image");
        let now = Timestamp::from_millis(u64::try_from(seconds).unwrap() * 1000);
        match rules.authorize(&AccessRequest::new(resource, None, now)) {
            Answer::Now(decision) => decision.unwrap().is_grant(),
            Answer::Later(_) => panic!("nobody is asked"),
        }
    }

    fn rule(pattern: &str, when: When, open: bool) -> Rule {
        let rules = RolesFor::new();
        let rules = if open { rules.open("*") } else { rules.roles::<String>("*", []) };
        Rule {
            patterns: vec![Pattern::new(pattern)],
            when,
            signed: false,
            authorizer: Arc::new(rules),
        }
    }

    /// A rule outside its time is passed over, to the second, and however the clock goes.
    #[test]
    fn a_rule_counts_in_its_time() {
        let zone = jiff::tz::TimeZone::UTC;
        let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_second();
        let embargo = When::new(None, Some("2040-01-01"), &[], &zone).unwrap();
        let hours = ["mon-fri 09:00-18:00".to_owned(), "sat 22:00-02:00".to_owned()];
        let hours = When::new(None, None, &hours, &zone).unwrap();
        let rules = Rules::new(
            vec![
                rule("embargoed", embargo, false),
                rule("room", hours, true),
                rule("embargoed", When::default(), true),
            ],
            None,
        );
        for (identifier, moment, expected) in [
            ("embargoed", "2039-12-31T23:59:59Z", false),
            ("embargoed", "2040-01-01T00:00:00Z", true),
            ("embargoed", "2039-12-31T23:59:59Z", false),
            // A Monday.
            ("room", "2026-11-30T08:59:59Z", false),
            ("room", "2026-11-30T09:00:00Z", true),
            ("room", "2026-11-30T17:59:59Z", true),
            ("room", "2026-11-30T18:00:00Z", false),
            // Saturday night, and Sunday morning.
            ("room", "2026-12-05T12:00:00Z", false),
            ("room", "2026-12-05T22:00:00Z", true),
            ("room", "2026-12-06T01:59:59Z", true),
            ("room", "2026-12-06T02:00:00Z", false),
            ("room", "2026-12-05T01:00:00Z", false),
            ("other", "2026-12-05T01:00:00Z", false),
        ] {
            assert_eq!(open(&rules, identifier, at(moment)), expected, "{identifier} {moment}");
        }
    }

    /// 100 000 identifiers cost what ten do: no rule but the one that fits is looked at.
    #[test]
    fn many_rules_are_found_along_the_text() {
        let rules = (0..100_000).map(|n| rule(&format!("ms-{n:06}"), When::default(), n % 2 == 0));
        let rules = Rules::new(rules.collect(), None);
        let begun = std::time::Instant::now();
        for number in (0..100_000).step_by(10) {
            assert!(open(&rules, &format!("ms-{number:06}"), 0));
            assert!(!open(&rules, &format!("ms-{:06}", number + 1), 0));
        }
        assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    }
}
