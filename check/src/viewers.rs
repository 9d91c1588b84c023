//! Which published viewers will work, from what was found.
//!
//! What each of them needs was read in its code and seen in a browser, in November 2026.

use crate::checks::{Outcome, State};
use crate::discover::{Family, Role};
use crate::evidence::Evidence;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Works {
    Yes,
    No,
    Unknown,
}

impl Works {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unknown => "unknown",
        }
    }
}

pub(crate) struct Row {
    pub(crate) viewer: &'static str,
    pub(crate) works: Works,
    pub(crate) reasons: Vec<String>,
}

struct Viewer {
    name: &'static str,
    families: &'static [Family],
    /// Checks whose failure it does not survive, beside those that nobody does.
    breaks: &'static [&'static str],
    /// What no check says.
    more: fn(&Facts<'_>, &mut Reasons),
}

/// What speaks against a viewer, and what leaves it open.
#[derive(Default)]
struct Reasons {
    against: Vec<String>,
    open: Vec<String>,
}

impl Reasons {
    fn push(&mut self, reason: String) {
        self.against.push(reason);
    }
}

/// Without these no viewer gets far.
const EVERYBODY: &[&str] = &[
    "info-cors",
    "manifest-cors",
    "token-page",
    "token-recipient",
    "token-target",
    "token-message-id",
    "token-framed",
    "access-opens",
    "access-opener",
    "login-leads-in",
    "cookie-third-party",
    "cookie-reaches",
    "cookie-not-partitioned",
    "content-corp",
    "service-ids",
    "cors-once",
    "browser-message",
    "browser-login",
    "browser-picture",
];

const V2_ALL: &[&str] = &[
    "probe-result",
    "probe-preflight",
    "probe-cors",
    "one-token-service",
    "access-profile",
    "types-exact",
    "nesting",
    "probe-described",
    "access-id",
    "probe-takes-token",
];

const OLD_ALL: &[&str] = &[
    "gated-body",
    "gated-status",
    "gated-id",
    "cookie-profile",
    "cookie-id",
    "cookie-token-service",
    "info-preflight",
    "tier-services",
    "tier-origin",
    "description-opens",
];

const VIEWERS: &[Viewer] = &[
    Viewer {
        name: "Mirador 4",
        families: &[Family::V1, Family::V0],
        breaks: &["cookie-label", "cookie-strings"],
        more: mirador,
    },
    Viewer {
        name: "Mirador with 2.0",
        families: &[Family::V2, Family::V1, Family::V0],
        breaks: &["active-label", "cookie-label", "manifest-profiles", "services-in-full"],
        more: mirador_2,
    },
    Viewer {
        name: "Universal Viewer",
        families: &[Family::V1],
        breaks: &["content-cors", "undefined-token", "browser-origin"],
        more: universal,
    },
    Viewer {
        name: "CanvasPanel",
        families: &[Family::V2],
        breaks: &[
            "service-arrays",
            "ids-differ",
            "services-in-full",
            "probe-status-401",
            "token-object",
            "token-origin-raw",
        ],
        more: kiosk,
    },
    Viewer {
        name: "Ramp",
        families: &[Family::V2],
        breaks: &["services-in-full", "browser-origin"],
        more: ramp,
    },
    Viewer {
        name: "Diva",
        families: &[Family::V2],
        breaks: &[
            "description-open",
            "one-family",
            "substitute-when-refused",
            "probe-location",
            "string-maps",
        ],
        more: diva,
    },
    Viewer {
        name: "OpenSeadragon with credentials",
        families: &[Family::V2, Family::V1, Family::V0],
        breaks: &[],
        more: open_seadragon,
    },
];

struct Facts<'a> {
    evidence: &'a Evidence,
}

impl Facts<'_> {
    fn declares(&self, family: Family) -> bool {
        self.evidence
            .services
            .iter()
            .any(|service| service.family == family && !service.json.is_null())
    }

    fn images(&self) -> bool {
        self.evidence
            .contents
            .iter()
            .any(|asked| asked.content.image.is_some() && !asked.services.is_empty())
    }

    fn files(&self) -> bool {
        self.evidence
            .contents
            .iter()
            .any(|asked| asked.content.image.is_none() && !asked.services.is_empty())
    }

    fn profiles(&self) -> impl Iterator<Item = &str> {
        let services = self.evidence.services.iter().filter(|service| service.role == Role::Access);
        services.map(crate::discover::Service::profile)
    }

    fn manifest(&self) -> bool {
        self.evidence.documents.iter().any(|document| document.kind.is_manifest())
    }
}

/// The table. Where nobody was logged in, a viewer against which nothing speaks is unknown.
pub(crate) fn table(evidence: &Evidence, outcomes: &[Outcome], login: bool) -> Vec<Row> {
    let facts = Facts { evidence };
    let mut rows: Vec<_> =
        VIEWERS.iter().map(|viewer| row(viewer, &facts, outcomes, login)).collect();
    rows.extend(where_blocked(evidence, outcomes));
    rows
}

/// Firefox as it comes blocks third-party cookies, as Chromium does where users or policies say so.
const BLOCKED: &str = "Any, in Firefox, or where Chromium blocks third-party cookies";

/// What a browser met, or what the walk without one leaves to be expected; nothing without a login.
fn where_blocked(evidence: &Evidence, outcomes: &[Outcome]) -> Option<Row> {
    let Some(outcome) = outcomes.iter().find(|outcome| outcome.check.id == "browser-blocked")
    else {
        return expected_where_blocked(evidence);
    };
    let works = match outcome.state {
        State::Pass => Works::Yes,
        State::Fail => Works::No,
        State::Unknown => Works::Unknown,
    };
    let reasons = if outcome.seen.is_empty() { Vec::new() } else { vec![outcome.seen.clone()] };
    Some(Row { viewer: BLOCKED, works, reasons })
}

fn expected_where_blocked(evidence: &Evidence) -> Option<Row> {
    let walk = evidence.walks.iter().find(|walk| walk.access_token.is_some() && !walk.given)?;
    let alone = evidence.tokens.iter().find(|tokens| tokens.url == walk.token_url)?;
    let (works, reason) = if walk.jar.cookies.is_empty() {
        (Works::Yes, "It needs no cookie.")
    } else if let crate::message::Reading::Posted(_) = alone.plain.reading {
        (
            Works::No,
            "Without the cookie the token service posts its error at once, and such browsers do not send the cookie from another site: serve the viewer from the same site, or carry the login over (hand-off).",
        )
    } else {
        (
            Works::Unknown,
            "What its script does without a cookie shows in a browser alone: --browser.",
        )
    };
    Some(Row { viewer: BLOCKED, works, reasons: vec![reason.to_owned()] })
}

fn row(viewer: &Viewer, facts: &Facts<'_>, outcomes: &[Outcome], login: bool) -> Row {
    let mut reasons = Reasons::default();
    let spoken: Vec<_> =
        viewer.families.iter().copied().filter(|family| facts.declares(*family)).collect();
    if spoken.is_empty() {
        let families: Vec<_> = viewer.families.iter().map(|family| family.name()).collect();
        let all = [Family::V2, Family::V1, Family::V0];
        let declared: Vec<_> =
            all.into_iter().filter(|family| facts.declares(*family)).map(Family::name).collect();
        let declared =
            if declared.is_empty() { "nothing".to_owned() } else { declared.join(" and ") };
        reasons.push(format!("It speaks {}; here is {declared}.", families.join(", ")));
        return Row { viewer: viewer.name, works: Works::No, reasons: reasons.against };
    }
    // It draws; who logs in is another's matter.
    let draws = viewer.name.starts_with("OpenSeadragon");
    let two = if !draws && spoken.contains(&Family::V2) { V2_ALL } else { &[] };
    let old =
        if !draws && spoken.iter().any(|family| *family != Family::V2) { OLD_ALL } else { &[] };
    for id in EVERYBODY.iter().chain(two).chain(old).chain(viewer.breaks) {
        let failed =
            outcomes.iter().find(|outcome| outcome.check.id == *id && outcome.state == State::Fail);
        if let Some(outcome) = failed {
            reasons.push(format!("{id}: {}", outcome.check.breaks));
        }
    }
    (viewer.more)(facts, &mut reasons);
    if reasons.against.is_empty() && !login {
        reasons.open.push("Nothing speaks against it; without a login nobody knows.".to_owned());
    }
    let works = match (&*reasons.against, &*reasons.open) {
        ([], []) => Works::Yes,
        ([], _) => Works::Unknown,
        _ => Works::No,
    };
    reasons.against.append(&mut reasons.open);
    Row { viewer: viewer.name, works, reasons: reasons.against }
}

fn mirador(facts: &Facts<'_>, reasons: &mut Reasons) {
    if !facts.images() {
        reasons.push("It logs in for pictures alone.".to_owned());
    }
    if facts.profiles().all(|profile| profile == "external") {
        reasons.push("4.0 never asks for the token of an external service.".to_owned());
    }
    kiosk(facts, reasons);
}

/// Seen in Chromium: Mirador 4 says "An error occurred" then, Universal Viewer that the login failed.
fn kiosk(facts: &Facts<'_>, reasons: &mut Reasons) {
    if facts.profiles().any(|profile| profile == "kiosk") {
        reasons.open.push("It opens a kiosk's window without a click, which browsers block until users allow pop-ups.".to_owned());
    }
}

fn mirador_2(facts: &Facts<'_>, reasons: &mut Reasons) {
    let services = &facts.evidence.services;
    let older =
        services.iter().any(|service| service.family != Family::V2 && !service.json.is_null());
    if older {
        kiosk(facts, reasons);
        return;
    }
    let labelled = |service: &crate::discover::Service| {
        service.role == Role::Access && service.json["confirmLabel"].is_object()
    };
    if services.iter().any(labelled) {
        reasons.push("`confirmLabel`, as 2.0 has it, crashes the published build (@columbia-libraries/mirador, 4.0.0-alpha.16): leave it out.".to_owned());
    }
    if !facts.manifest() {
        reasons
            .open
            .push("It reads the probe in the manifest, on the painted body: check one.".to_owned());
        return;
    }
    let probes = || {
        services.iter().filter(|service| service.role == Role::Probe && service.host.is_manifest())
    };
    if probes().any(|service| service.inside_image) {
        reasons.push("A probe inside of an image service in the manifest: it crashes. Put it on the painted body.".to_owned());
    } else if facts.images() && probes().next().is_none() {
        reasons.push(
            "The probe stands in info.json alone: it crashes. Put it on the painted body, too."
                .to_owned(),
        );
    }
}

fn universal(facts: &Facts<'_>, reasons: &mut Reasons) {
    if facts.images() && facts.profiles().any(|profile| profile != "external") {
        reasons.push("It asks for tiles without cookies (crossorigin=anonymous): only where it is served from the image server's own origin does it work.".to_owned());
    }
    kiosk(facts, reasons);
    let interactive =
        facts.profiles().any(|profile| profile == "login" || profile == "clickthrough");
    if interactive && facts.profiles().any(|profile| profile == "external") {
        reasons.push(
            "It stops at the external service and never offers the login beside it.".to_owned(),
        );
    }
}

fn open_seadragon(facts: &Facts<'_>, reasons: &mut Reasons) {
    if !facts.images() {
        reasons.push("It shows pictures alone.".to_owned());
    }
    with_credentials(facts, reasons);
}

fn ramp(facts: &Facts<'_>, reasons: &mut Reasons) {
    if !facts.manifest() {
        reasons.open.push("It plays what a manifest declares: check one.".to_owned());
    } else if !facts.files() {
        reasons.push(
            "It plays sound and film that a manifest declares: there is none here.".to_owned(),
        );
    }
    if !facts.profiles().any(|profile| profile == "active") {
        reasons.push("It opens active services alone.".to_owned());
    }
}

fn diva(facts: &Facts<'_>, reasons: &mut Reasons) {
    if !facts.images() {
        reasons.push("It shows pictures alone.".to_owned());
    }
    if facts.profiles().any(|profile| profile != "active") {
        reasons.push("It refuses what declares another profile than `active`.".to_owned());
    }
    with_credentials(facts, reasons);
}

fn with_credentials(facts: &Facts<'_>, reasons: &mut Reasons) {
    let opened = facts.evidence.walks.iter().flat_map(|walk| &walk.credentialed);
    for exchange in opened {
        let Some(answer) = exchange.answer() else { continue };
        let allowed = answer.header("access-control-allow-credentials") == Some("true")
            && answer.header("access-control-allow-origin") == Some(&*facts.evidence.viewer);
        if !allowed {
            reasons.push("It asks with cookies and wants to read: tiles need `Access-Control-Allow-Origin` with the viewer's origin, and `Access-Control-Allow-Credentials: true`.".to_owned());
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::Arguments;

    fn rows(mutant: Option<&str>, at: &str) -> Vec<Row> {
        let (base, _) = crate::serve::start(mutant, false);
        let mut arguments = Arguments::for_target(&format!("{base}{at}"));
        arguments.rate = None;
        arguments.resources = 20;
        arguments.fields =
            ["user", "password"].map(|name| (name.to_owned(), "reader".to_owned())).into();
        crate::run::look(&arguments, &mut Vec::new()).expect(at).viewers
    }

    /// What was seen with the viewers themselves, in one line for each server.
    #[test]
    fn viewers_work_where_they_were_seen_to_work() {
        use Works::{No, Unknown, Yes};
        // Mirador 4, Mirador with 2.0, Universal Viewer, CanvasPanel, Ramp, Diva, OpenSeadragon, and
        // any where third-party cookies are blocked.
        let cases: [(Option<&str>, &str, [Works; 8]); 12] = [
            (None, "/iiif/3/login/info.json", [No, No, No, Yes, Unknown, Yes, Yes, No]),
            (
                Some("no-confirm-label"),
                "/iiif/3/login/info.json",
                [No, Unknown, No, Yes, Unknown, Yes, Yes, No],
            ),
            (
                Some("no-confirm-label"),
                "/manifest/login.json",
                [No, Yes, No, Yes, No, Yes, Yes, No],
            ),
            (None, "/iiif/2/kiosk/info.json", [Unknown, Unknown, No, No, No, No, Yes, No]),
            (None, "/manifest.json", [No, No, No, Unknown, Yes, No, Yes, No]),
            (None, "/iiif/2/login/info.json", [Yes, Yes, No, No, No, No, Yes, No]),
            (None, "/iiif/0/login/info.json", [Yes, Yes, No, No, No, No, Yes, No]),
            (Some("manifest-profiles"), "/manifest.json", [No, No, No, Unknown, Yes, No, Yes, No]),
            (Some("services-in-full"), "/manifest.json", [No, No, No, No, No, No, Yes, No]),
            (
                Some("service-arrays"),
                "/iiif/3/login/info.json",
                [No, No, No, No, Unknown, Yes, Yes, No],
            ),
            (Some("cookie-label"), "/iiif/2/login/info.json", [No, No, No, No, No, No, Yes, No]),
            (Some("token-page"), "/iiif/3/login/info.json", [No, No, No, No, No, No, No, Unknown]),
        ];
        for (mutant, at, expected) in cases {
            let rows = rows(mutant, at);
            let works: Vec<_> = rows.iter().map(|row| row.works).collect();
            let why: Vec<_> =
                rows.iter().map(|row| format!("{}: {:?}", row.viewer, row.reasons)).collect();
            assert_eq!(works, expected, "{mutant:?} {at}: {why:#?}");
        }
    }
}
