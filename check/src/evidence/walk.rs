//! The whole way of a reader: in, about, out, and then everything again.

use super::anonymous::told;
use super::login::log_in;
use super::origins::disguises;
use super::{Evidence, Login, Plan, Told, fetch, frame, image, redirect, visit};
use crate::discover::{Family, Kind, Role};
use crate::http::{Client, Exchange, Jar, Request, SetCookie, with_query};
use crate::message::Reading;

pub(crate) struct Walk {
    /// The access service, as an index.
    pub(crate) access: usize,
    /// From the first page to the last.
    pub(crate) login: Vec<Exchange>,
    pub(crate) set: Vec<SetCookie>,
    /// Something was typed or pressed.
    pub(crate) acted: bool,
    /// The cookie is the user's own, from another way in.
    pub(crate) given: bool,
    /// Why it came to nothing.
    pub(crate) problem: Option<String>,
    pub(crate) jar: Jar,
    pub(crate) token_url: String,
    pub(crate) token: Option<Told>,
    /// Of the families that have it: neither parameter, JSON.
    pub(crate) token_json: Option<Exchange>,
    pub(crate) access_token: Option<String>,
    pub(crate) token_tampered: Option<Told>,
    pub(crate) token_elsewhere: Option<Told>,
    /// `origin` with a slash at its end; `*`; and no `origin` at all.
    pub(crate) token_slash: Option<Told>,
    pub(crate) token_star: Option<Told>,
    pub(crate) token_nowhere: Option<Told>,
    /// Where another origin is refused: what only looks like the login's.
    pub(crate) token_disguised: Vec<(String, Told)>,
    pub(crate) probes: Vec<WalkedProbe>,
    pub(crate) contents: Vec<WalkedContent>,
    /// The first of them with the cookie, for the viewer that the login was opened from.
    pub(crate) credentialed: Option<Exchange>,
    /// Descriptions of 1.0 and 0.9 with the token.
    pub(crate) descriptions: Vec<(usize, Exchange)>,
    /// The cookie of a second login, if there was one.
    pub(crate) second: Vec<SetCookie>,
    pub(crate) logout: Vec<Exchange>,
    pub(crate) unset: Vec<SetCookie>,
    /// The cookies that are left after the logout.
    pub(crate) out: Jar,
    pub(crate) after: Option<After>,
}

/// With the old cookie and the old token, after the logout.
pub(crate) struct After {
    pub(crate) token: Told,
    pub(crate) probes: Vec<(usize, Exchange)>,
    pub(crate) contents: Vec<(usize, Exchange)>,
}

pub(crate) struct WalkedProbe {
    pub(crate) service: usize,
    pub(crate) opened: Exchange,
    /// `bearer`, as the scheme may be spelt.
    pub(crate) lower: Exchange,
    pub(crate) basic: Exchange,
    pub(crate) query: Exchange,
    /// The cookie's value as a token.
    pub(crate) cookie: Option<Exchange>,
    pub(crate) broken: Exchange,
    /// The picture, or the token service, with the cookies that came with `opened` and no others.
    pub(crate) keyed: Option<Exchange>,
}

pub(crate) struct WalkedContent {
    pub(crate) index: usize,
    /// With the cookie, for a page of another origin.
    pub(crate) opened: Exchange,
    pub(crate) bearer: Exchange,
    /// The token's value as the cookie.
    pub(crate) token_as_cookie: Option<Exchange>,
    pub(crate) tampered: Exchange,
}

impl Walk {
    fn new(access: usize, token_url: String) -> Self {
        Self {
            access,
            login: Vec::new(),
            set: Vec::new(),
            acted: false,
            given: false,
            problem: None,
            jar: Jar::default(),
            token_url,
            token: None,
            token_json: None,
            access_token: None,
            token_tampered: None,
            token_elsewhere: None,
            token_slash: None,
            token_star: None,
            token_nowhere: None,
            token_disguised: Vec::new(),
            probes: Vec::new(),
            contents: Vec::new(),
            credentialed: None,
            descriptions: Vec::new(),
            second: Vec::new(),
            logout: Vec::new(),
            unset: Vec::new(),
            out: Jar::default(),
            after: None,
        }
    }
}

pub(super) const ELSEWHERE: &str = "https://elsewhere.example";

pub(super) fn walk(client: &Client, plan: &Plan, login: &Login, evidence: &mut Evidence) {
    let mut seen = Vec::new();
    for access in 0..evidence.services.len() {
        let service = &evidence.services[access];
        if service.role != Role::Access
            || service.json.is_null()
            || !plan.families.contains(&service.family)
        {
            continue;
        }
        let Some(token) = evidence.below_access(access, Role::Token) else { continue };
        let Some(token_url) = evidence.services[token].id().map(str::to_owned) else { continue };
        let key = (service.id().map(str::to_owned), token_url.clone());
        let external = service.profile() == "external";
        if seen.contains(&key) || (external && !matches!(login, Login::Cookie(_))) {
            continue;
        }
        seen.push(key);
        if seen.len() > plan.resources.max(6) {
            return;
        }
        let walk = one(client, plan, login, evidence, access, token_url);
        evidence.walks.push(walk);
    }
}

fn one(
    client: &Client,
    plan: &Plan,
    login: &Login,
    evidence: &Evidence,
    access: usize,
    token_url: String,
) -> Walk {
    let mut walk = Walk::new(access, token_url);
    let url = evidence.services[access].id().map(|id| with_query(id, &[("origin", &plan.viewer)]));
    match (login, &url) {
        (Login::Cookie(cookie), _) => {
            walk.given = true;
            walk.jar.given = Some(cookie.clone());
        }
        (Login::Form(fields), Some(url)) => log_in(client, url, fields, &mut walk),
        (Login::Form(_), None) => walk.problem = Some("it has no address".to_owned()),
    }
    if walk.problem.is_none() {
        inside(client, plan, evidence, &mut walk);
    }
    if walk.access_token.is_some() {
        if let (Login::Form(fields), Some(url)) = (login, &url) {
            // As in another browser: what comes of it has to be another session.
            let mut again = Walk::new(access, walk.token_url.clone());
            log_in(client, url, fields, &mut again);
            walk.second = again.set;
        }
    }
    outside(client, plan, evidence, &mut walk);
    walk
}

fn ask(client: &Client, walk: &Walk, jar: &Jar, origin: &str) -> Told {
    ask_for(client, walk, jar, &[origin])
}

fn ask_for(client: &Client, walk: &Walk, jar: &Jar, origins: &[&str]) -> Told {
    let mut parameters = vec![("messageId", "1234")];
    parameters.extend(origins.iter().map(|origin| ("origin", *origin)));
    told(client.send(frame(&walk.token_url, &parameters).cookies(jar)))
}

/// The login's cookie, and origins that it was not for.
fn other_origins(client: &Client, plan: &Plan, walk: &mut Walk) {
    let elsewhere = ask(client, walk, &walk.jar, ELSEWHERE);
    let bound = matches!(&elsewhere.reading, Reading::Posted(posted) if posted.error() != "");
    walk.token_elsewhere = Some(elsewhere);
    walk.token_slash = Some(ask(client, walk, &walk.jar, &format!("{}/", plan.viewer)));
    walk.token_star = Some(ask(client, walk, &walk.jar, "*"));
    walk.token_nowhere = Some(ask_for(client, walk, &walk.jar, &[]));
    if bound {
        for origins in disguises(&plan.viewer) {
            let all: Vec<_> = origins.iter().map(String::as_str).collect();
            let told = ask_for(client, walk, &walk.jar, &all);
            walk.token_disguised.push((all.join(" and "), told));
        }
    }
}

fn inside(client: &Client, plan: &Plan, evidence: &Evidence, walk: &mut Walk) {
    let family = evidence.services[walk.access].family;
    let token = ask(client, walk, &walk.jar, &plan.viewer);
    walk.access_token = match &token.reading {
        Reading::Posted(posted) => posted.message["accessToken"].as_str().map(str::to_owned),
        _ => None,
    };
    walk.token = Some(token);
    if family != Family::V2 {
        let json = client.send(fetch(&plan.viewer, &walk.token_url).cookies(&walk.jar));
        let answer = json.answer().and_then(crate::http::Answer::json);
        let found = answer.and_then(|json| json["accessToken"].as_str().map(str::to_owned));
        walk.access_token = walk.access_token.take().or(found);
        walk.token_json = Some(json);
    }
    let Some(token) = walk.access_token.clone() else { return };
    walk.token_tampered = Some(ask(client, walk, &walk.jar.tampered(), &plan.viewer));
    other_origins(client, plan, walk);
    let bearer = |url: &str, value: &str| {
        client.send(fetch(&plan.viewer, url).secret("authorization", value))
    };
    let cookie = walk.jar.values().into_iter().max_by_key(String::len);
    for probed in probes_of(evidence, walk.access) {
        let url = &evidence.probes[probed].url;
        let mut broken = token.clone();
        broken.push('A');
        let opened = bearer(url, &format!("Bearer {token}"));
        walk.probes.push(WalkedProbe {
            service: evidence.probes[probed].service,
            keyed: keyed(client, evidence, walk, &opened),
            opened,
            lower: bearer(url, &format!("bearer {token}")),
            basic: bearer(url, &format!("Basic {token}")),
            query: {
                let url = with_query(url, &[("token", &token), ("access_token", &token)]);
                let request = fetch(&plan.viewer, &url);
                client.send(Request { secret: true, ..request })
            },
            cookie: cookie.as_ref().map(|value| bearer(url, &format!("Bearer {value}"))),
            broken: bearer(url, &format!("Bearer {broken}")),
        });
    }
    for index in contents_of(evidence, walk.access) {
        let url = &evidence.contents[index].content.url;
        let as_cookie = |value: &str| {
            let name = walk
                .set
                .iter()
                .rev()
                .find(|cookie| !cookie.gone)
                .map(|cookie| cookie.name.clone())?;
            Some(client.send(image("GET", url).secret("cookie", format!("{name}={value}"))))
        };
        walk.contents.push(WalkedContent {
            index,
            opened: client.send(image("GET", url).with("origin", ELSEWHERE).cookies(&walk.jar)),
            bearer: client
                .send(image("GET", url).secret("authorization", format!("Bearer {token}"))),
            token_as_cookie: as_cookie(&token),
            tampered: client.send(image("GET", url).cookies(&walk.jar.tampered())),
        });
    }
    walk.credentialed = walk.contents.first().map(|content| {
        let url = &content.opened.request.url;
        client.send(image("GET", url).with("origin", &*plan.viewer).cookies(&walk.jar))
    });
    if family != Family::V2 {
        for document in documents_of(evidence, walk.access) {
            let url = &evidence.documents[document].url;
            let exchange = bearer(url, &format!("Bearer {token}"));
            walk.descriptions.push((document, exchange));
        }
    }
}

/// What the cookies open that a probe sets, if it sets any.
fn keyed(client: &Client, evidence: &Evidence, walk: &Walk, opened: &Exchange) -> Option<Exchange> {
    let mut jar = Jar::default();
    let set = jar.store(&opened.request.url, opened.answer()?);
    if set.is_empty() {
        return None;
    }
    let content = contents_of(evidence, walk.access).first().copied();
    let url = &evidence.contents[content?].content.url;
    Some(client.send(image("GET", url).cookies(&jar)))
}

fn outside(client: &Client, plan: &Plan, evidence: &Evidence, walk: &mut Walk) {
    let Some(token) = walk.access_token.clone() else { return };
    let Some(url) = evidence
        .below_access(walk.access, Role::Logout)
        .and_then(|logout| evidence.services[logout].id())
    else {
        return;
    };
    let old = walk.jar.clone();
    walk.out = walk.jar.clone();
    let mut request = visit(url);
    for _ in 0..8 {
        let exchange = client.send(request.cookies(&walk.out));
        let here = exchange.request.url.clone();
        if let Some(answer) = exchange.answer() {
            walk.unset.extend(walk.out.store(&here, answer));
        }
        walk.logout.push(exchange);
        match redirect(&walk.logout) {
            Some(next) => request = visit(&next),
            None => break,
        }
    }
    walk.after = Some(After {
        token: ask(client, walk, &old, &plan.viewer),
        probes: walk
            .probes
            .iter()
            .filter_map(|probe| {
                let url = evidence.services[probe.service].id()?;
                let request =
                    fetch(&plan.viewer, url).secret("authorization", format!("Bearer {token}"));
                Some((probe.service, client.send(request)))
            })
            .collect(),
        contents: walk
            .contents
            .iter()
            .map(|content| {
                let url = &evidence.contents[content.index].content.url;
                (content.index, client.send(image("GET", url).cookies(&old)))
            })
            .collect(),
    });
}

fn same(evidence: &Evidence, one: usize, other: usize) -> bool {
    let (a, b) = (&evidence.services[one], &evidence.services[other]);
    one == other
        || (a.family == b.family && a.role == b.role && a.id().is_some() && a.id() == b.id())
}

/// The probes that this access service is for.
fn probes_of(evidence: &Evidence, access: usize) -> Vec<usize> {
    (0..evidence.probes.len())
        .filter(|probed| {
            let service = evidence.probes[*probed].service;
            evidence.children(service).any(|(child, _)| same(evidence, child, access))
        })
        .collect()
}

/// The closed content that this access service is for.
fn contents_of(evidence: &Evidence, access: usize) -> Vec<usize> {
    (0..evidence.contents.len())
        .filter(|index| {
            let asked = &evidence.contents[*index];
            let declares = |service: usize| {
                same(evidence, service, access)
                    || evidence.children(service).any(|(child, _)| same(evidence, child, access))
            };
            asked.is_closed() && asked.services.iter().any(|service| declares(*service))
        })
        .collect()
}

fn documents_of(evidence: &Evidence, access: usize) -> Vec<usize> {
    (0..evidence.documents.len())
        .filter(|document| {
            matches!(evidence.documents[*document].kind, Kind::Info(_))
                && (0..evidence.services.len()).any(|service| {
                    evidence.services[service].document == *document
                        && same(evidence, service, access)
                })
        })
        .collect()
}
