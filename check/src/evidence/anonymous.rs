//! Everything that nobody may ask.

use super::origins::{MARKUP, SPELT};
use super::{
    Accessed, Asked, Evidence, Plan, Probed, Tokens, Told, fetch, frame, image, paths, preflight,
    redirect, visit,
};
use crate::discover::{Content, Family, Kind, Role};
use crate::http::{Client, Exchange, Jar, Request, with_query};
use crate::message::{self, Reading};

pub(super) fn content(client: &Client, plan: &Plan, evidence: &mut Evidence, content: Content) {
    let info = content.image.as_ref().and_then(|(base, _)| {
        let url = format!("{base}/info.json");
        evidence.documents.iter().position(|document| document.url == url)
    });
    let base = content.image.as_ref().map(|(base, _)| base.as_str());
    let services = evidence
        .services
        .iter()
        .enumerate()
        .filter(|(_, service)| service.parent.is_none() && !service.shared)
        .filter(|(_, service)| {
            let named = service.of.as_deref();
            let here = service.document == content.document
                && named.is_some()
                && (named == Some(&content.of) || named.map(|id| id.trim_end_matches('/')) == base);
            here || Some(service.document) == info
        })
        .map(|(index, _)| index)
        .collect();
    let mut asked = Asked {
        services,
        info,
        // As `<img crossorigin>` asks, so that one sees whether scripts may read it.
        plain: client.send(image("GET", &content.url).with("origin", &*plan.viewer)),
        bearer: None,
        head: None,
        range: None,
        alike: Vec::new(),
        content,
    };
    if asked.is_closed() {
        let url = asked.content.url.clone();
        asked.bearer =
            Some(client.send(image("GET", &url).with("authorization", "Bearer undefined")));
        asked.head = Some(client.send(image("HEAD", &url)));
        asked.range = Some(client.send(image("GET", &url).with("range", "bytes=0-0")));
        for (alike, request) in paths::look_alikes(&asked.content, plan.hostile) {
            asked.alike.push((alike, client.send(request)));
        }
    }
    evidence.contents.push(asked);
}

pub(super) fn services(client: &Client, plan: &Plan, evidence: &mut Evidence) {
    let mut seen: Vec<String> = Vec::new();
    let mut roles = [0usize; 4];
    for index in 0..evidence.services.len() {
        let service = &evidence.services[index];
        let Some(url) = service.id().map(str::to_owned) else { continue };
        let external = service.role == Role::Access && service.profile() == "external";
        if seen.contains(&url) || external || service.json.is_null() {
            continue;
        }
        let slot = match service.role {
            Role::Probe => 0,
            Role::Access => 1,
            Role::Token => 2,
            Role::Logout => 3,
            Role::Client => continue,
        };
        // A manifest may declare thousands.
        roles[slot] += 1;
        if roles[slot] > plan.resources.max(4) || (slot == 0 && !wanted(evidence, index)) {
            continue;
        }
        seen.push(url.clone());
        match service.role {
            Role::Probe if service.family == Family::V2 => {
                let probed = probe(client, plan, index, &url);
                evidence.probes.push(probed);
            }
            Role::Access => {
                let accessed = access(client, plan, evidence, index, &url);
                evidence.accesses.push(accessed);
            }
            Role::Token => {
                let tokens = tokens(client, plan, service.family, index, &url);
                evidence.tokens.push(tokens);
            }
            Role::Logout => {
                let page = client.send(visit(&url));
                evidence.logouts.push(page);
            }
            _ => {}
        }
    }
}

/// Of the probes of a manifest, those of what was chosen.
fn wanted(evidence: &Evidence, index: usize) -> bool {
    let alone = evidence.services[index].host == Kind::ProbeResult;
    alone || evidence.contents.iter().any(|asked| asked.services.contains(&index))
}

fn probe(client: &Client, plan: &Plan, service: usize, url: &str) -> Probed {
    let anonymous = client.send(fetch(&plan.viewer, url));
    let junk = client.send(fetch(&plan.viewer, url).with("authorization", "Bearer undefined"));
    let preflight = client.send(preflight(&plan.viewer, url));
    let result = anonymous.answer().and_then(crate::http::Answer::json).unwrap_or_default();
    let substitutes = crate::discover::members(result.get("substitute"))
        .into_iter()
        .take(4)
        .map(|substitute| {
            let free = substitute.get("service").is_none();
            let id = crate::discover::id(substitute).filter(|_| free);
            (substitute.clone(), id.map(|id| client.send(image("GET", id))))
        })
        .collect();
    Probed { service, url: url.to_owned(), plain: anonymous, junk, preflight, substitutes }
}

fn access(
    client: &Client,
    plan: &Plan,
    evidence: &Evidence,
    service: usize,
    url: &str,
) -> Accessed {
    let with_origin = with_query(url, &[("origin", &plan.viewer)]);
    let chain = follow_as_nobody(client, visit(&with_origin));
    let bare = client.send(visit(url));
    let at_once = matches!(evidence.services[service].profile(), "kiosk" | "clickthrough");
    let speculative = (plan.hostile && at_once).then(|| {
        let request = visit(&with_origin).with("sec-purpose", "prefetch;prerender");
        client.send(request.with("purpose", "prefetch"))
    });
    let markup = if plan.hostile {
        follow_as_nobody(client, visit(&with_query(url, &[("origin", MARKUP)])))
    } else {
        Vec::new()
    };
    Accessed { service, chain, bare, speculative, markup }
}

/// As browsers do: cookies of a visit without a login are no secrets.
fn follow_as_nobody(client: &Client, request: Request) -> Vec<Exchange> {
    let mut jar = Jar::default();
    let mut chain = vec![client.send(request)];
    loop {
        if let Some(answer) = chain.last().and_then(Exchange::answer) {
            let url = chain[chain.len() - 1].request.url.clone();
            jar.store(&url, answer);
        }
        match redirect(&chain) {
            Some(next) if chain.len() < 8 => {
                let request = match jar.header(&next) {
                    Some(cookies) => visit(&next).with("cookie", cookies),
                    None => visit(&next),
                };
                chain.push(client.send(request));
            }
            _ => return chain,
        }
    }
}

pub(super) fn told(exchange: Exchange) -> Told {
    let reading = match exchange.answer() {
        Some(answer) if answer.is_html() => message::read(&crate::html::read(&answer.text())),
        _ => Reading::Nothing,
    };
    Told { exchange, reading }
}

fn tokens(client: &Client, plan: &Plan, family: Family, service: usize, url: &str) -> Tokens {
    let viewer = plan.viewer.as_str();
    let ask = |parameters: &[(&str, &str)]| told(client.send(frame(url, parameters)));
    let slash = format!("{viewer}/");
    let long = format!("{url}|1712345678");
    let spelt = SPELT.iter().filter(|_| plan.hostile);
    let raw = format!("{url}?messageId=1234&origin={viewer}");
    Tokens {
        service,
        url: url.to_owned(),
        plain: ask(&[("messageId", "1234"), ("origin", viewer)]),
        slash: ask(&[("messageId", "1234"), ("origin", &slash)]),
        long_id: ask(&[("messageId", &long), ("origin", viewer)]),
        extra: ask(&[("origin", viewer), ("_", "1712345678"), ("messageId", "1234")]),
        raw: told(client.send(frame(&raw, &[]))),
        without_id: ask(&[("origin", viewer)]),
        without_origin: ask(&[("messageId", "1234")]),
        star: ask(&[("messageId", "1234"), ("origin", "*")]),
        twice: ask(&[("messageId", "1"), ("messageId", "2"), ("origin", viewer)]),
        bare: (family != Family::V2).then(|| client.send(fetch(viewer, url))),
        script: plan.hostile.then(|| {
            let breakout = "</script><script>alert(1)</script>\"'\u{2028}<!--";
            ask(&[("messageId", breakout), ("origin", viewer)])
        }),
        spelt: spelt
            .map(|origin| ((*origin).to_owned(), ask(&[("messageId", "1234"), ("origin", origin)])))
            .collect(),
    }
}
