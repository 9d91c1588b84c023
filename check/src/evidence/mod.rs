//! What a server answered: everything that is asked, before anything is judged. Checks read it and
//! send nothing.

mod anonymous;
mod login;
mod origins;
mod paths;
mod requests;
mod walk;

pub(crate) use login::WANTS;
pub(crate) use origins::MARKUP;
pub(crate) use paths::Alike;
use requests::{fetch, frame, image, preflight, visit};
pub(crate) use walk::{Walk, WalkedProbe};

use serde_json::Value;

use crate::discover::{self, Content, Family, Kind, Role, Service};
use crate::http::{Client, Exchange, Request};
use crate::message::Reading;

/// What to do, beyond the target.
pub(crate) struct Plan {
    pub(crate) target: String,
    /// The origin of the viewer that is played.
    pub(crate) viewer: String,
    /// What may do harm is asked, too.
    pub(crate) hostile: bool,
    /// So many files and pictures of a manifest are looked at.
    pub(crate) resources: usize,
    pub(crate) families: Vec<Family>,
    pub(crate) login: Option<Login>,
}

/// How the user gets in.
pub(crate) enum Login {
    Cookie(String),
    /// Names and values for the form of the access service. Without any, what wants only a click is
    /// clicked.
    Form(Vec<(String, String)>),
}

pub(crate) struct Document {
    pub(crate) url: String,
    /// With redirects, if there are any. The last one is the document.
    pub(crate) chain: Vec<Exchange>,
    pub(crate) json: Option<Value>,
    pub(crate) kind: Kind,
    pub(crate) preflight: Option<Exchange>,
    /// With `Authorization: Bearer undefined`, as Universal Viewer sends it.
    pub(crate) undefined: Option<Exchange>,
}

impl Document {
    pub(crate) fn first(&self) -> &Exchange {
        &self.chain[0]
    }

    pub(crate) fn last(&self) -> &Exchange {
        &self.chain[self.chain.len() - 1]
    }
}

/// A file or picture, as nobody.
pub(crate) struct Asked {
    pub(crate) content: Content,
    /// The probe or access services at the top of what is declared for it.
    pub(crate) services: Vec<usize>,
    pub(crate) info: Option<usize>,
    pub(crate) plain: Exchange,
    pub(crate) bearer: Option<Exchange>,
    pub(crate) head: Option<Exchange>,
    pub(crate) range: Option<Exchange>,
    pub(crate) alike: Vec<(Alike, Exchange)>,
}

impl Asked {
    /// Whether it is kept from nobody.
    pub(crate) fn is_closed(&self) -> bool {
        self.plain.answer().is_some_and(|answer| matches!(answer.status, 401 | 403))
    }
}

pub(crate) struct Probed {
    pub(crate) service: usize,
    pub(crate) url: String,
    pub(crate) plain: Exchange,
    pub(crate) junk: Exchange,
    pub(crate) preflight: Exchange,
    /// What is offered to nobody, and what came when nobody took it.
    pub(crate) substitutes: Vec<(Value, Option<Exchange>)>,
}

impl Probed {
    /// The result for nobody, if it is one.
    pub(crate) fn result(&self) -> Option<Value> {
        self.plain.answer()?.json().filter(Value::is_object)
    }
}

/// An answer of a token service, read.
pub(crate) struct Told {
    pub(crate) exchange: Exchange,
    pub(crate) reading: Reading,
}

pub(crate) struct Tokens {
    pub(crate) service: usize,
    pub(crate) url: String,
    pub(crate) plain: Told,
    /// `origin` with a slash at its end.
    pub(crate) slash: Told,
    /// `messageId` is a URL with a bar, as Mirador's is.
    pub(crate) long_id: Told,
    /// In another order, with a parameter that nobody knows.
    pub(crate) extra: Told,
    /// As the specifications print it: `origin` is not percent-encoded.
    pub(crate) raw: Told,
    pub(crate) without_id: Told,
    pub(crate) without_origin: Told,
    pub(crate) star: Told,
    pub(crate) twice: Told,
    /// JSON, for the families that have it: neither parameter.
    pub(crate) bare: Option<Exchange>,
    pub(crate) script: Option<Told>,
    /// Origins in odd spellings, and what is none.
    pub(crate) spelt: Vec<(String, Told)>,
}

pub(crate) struct Accessed {
    pub(crate) service: usize,
    pub(crate) chain: Vec<Exchange>,
    pub(crate) bare: Exchange,
    pub(crate) speculative: Option<Exchange>,
    /// With markup in `origin`.
    pub(crate) markup: Vec<Exchange>,
}

pub(crate) struct Evidence {
    pub(crate) viewer: String,
    pub(crate) documents: Vec<Document>,
    pub(crate) services: Vec<Service>,
    pub(crate) contents: Vec<Asked>,
    pub(crate) probes: Vec<Probed>,
    pub(crate) tokens: Vec<Tokens>,
    pub(crate) accesses: Vec<Accessed>,
    pub(crate) logouts: Vec<Exchange>,
    pub(crate) walks: Vec<Walk>,
    pub(crate) browser: Vec<crate::browser::Seen>,
}

impl Evidence {
    pub(crate) fn children(&self, parent: usize) -> impl Iterator<Item = (usize, &Service)> {
        self.services.iter().enumerate().filter(move |(_, service)| service.parent == Some(parent))
    }

    /// Where a service stands, for people.
    pub(crate) fn place(&self, service: &Service) -> String {
        format!("{} {}", self.documents[service.document].url, service.place)
    }

    /// The token service below an access service, wherever that one is declared in full.
    pub(crate) fn below_access(&self, access: usize, role: Role) -> Option<usize> {
        let own = |at: usize| {
            self.children(at).find(|(_, child)| child.role == role).map(|(index, _)| index)
        };
        own(access).or_else(|| {
            let (id, family) = (self.services[access].id()?, self.services[access].family);
            self.services
                .iter()
                .enumerate()
                .filter(|(_, other)| other.family == family && other.id() == Some(id))
                .find_map(|(index, _)| own(index))
        })
    }
}

/// Asks everything. `Err` if there is nothing to look at.
pub(crate) fn gather(client: &Client, plan: &Plan) -> Result<Evidence, String> {
    let mut evidence = Evidence {
        viewer: plan.viewer.clone(),
        documents: Vec::new(),
        services: Vec::new(),
        contents: Vec::new(),
        probes: Vec::new(),
        tokens: Vec::new(),
        accesses: Vec::new(),
        logouts: Vec::new(),
        walks: Vec::new(),
        browser: Vec::new(),
    };
    document(client, plan, &mut evidence, &plan.target)?;
    let first = &evidence.documents[0];
    if let Err(error) = &first.last().outcome {
        return Err(format!("{}: {error}", plan.target));
    }
    let refused =
        matches!(first.last().status(), Some(401 | 403)) && plan.target.ends_with("/info.json");
    let nothing = first.json.as_ref().map_or(Kind::Other, Kind::of) == Kind::Other;
    if nothing && evidence.services.is_empty() && !refused {
        let status = first.last().status().unwrap_or_default();
        return Err(format!(
            "{}: HTTP {status}, and no info.json, manifest or probe service can be read there",
            plan.target
        ));
    }
    if first.kind == Kind::ProbeResult {
        evidence.services.push(probe_alone(&plan.target));
    }
    let chosen = choose(&evidence, plan.resources);
    for content in chosen {
        if let Some((base, _)) = &content.image {
            let url = format!("{base}/info.json");
            if !evidence.documents.iter().any(|document| document.url == url) {
                document(client, plan, &mut evidence, &url)?;
            }
        }
        anonymous::content(client, plan, &mut evidence, content);
    }
    anonymous::services(client, plan, &mut evidence);
    if let Some(login) = &plan.login {
        walk::walk(client, plan, login, &mut evidence);
    }
    Ok(evidence)
}

fn probe_alone(url: &str) -> Service {
    Service {
        document: 0,
        host: Kind::ProbeResult,
        place: String::new(),
        parent: None,
        family: Family::V2,
        role: Role::Probe,
        json: serde_json::json!({ "id": url, "type": "AuthProbeService2" }),
        of: None,
        shared: false,
        listed: true,
        inside_image: false,
    }
}

fn document(
    client: &Client,
    plan: &Plan,
    evidence: &mut Evidence,
    url: &str,
) -> Result<(), String> {
    let describe = |url: &str| Request { description: true, ..fetch(&plan.viewer, url) };
    let mut chain = vec![client.send(describe(url))];
    while let Some(next) = redirect(&chain) {
        if chain.len() > 5 {
            return Err(format!("{url}: more redirects than viewers follow"));
        }
        chain.push(client.send(describe(&next)));
    }
    let json = chain.last().and_then(Exchange::answer).and_then(super::http::Answer::json);
    let mut kind = json.as_ref().map_or(Kind::Other, Kind::of);
    if kind == Kind::Other && url.ends_with("/info.json") {
        // An error page where a description belongs.
        kind = Kind::Info(2);
    }
    let index = evidence.documents.len();
    if let Some(json) = &json {
        let first = evidence.services.len();
        let mut found = discover::services(index, json);
        for service in &mut found {
            service.parent = service.parent.map(|parent| parent + first);
        }
        evidence.services.extend(found.into_iter().map(|mut service| {
            if !plan.families.contains(&service.family) {
                // It stays in its place, so that others keep theirs; nothing looks at it.
                service.host = Kind::ProbeResult;
                service.json = Value::Null;
            }
            service
        }));
    }
    let gated = kind.is_info();
    let preflight = gated.then(|| client.send(preflight(&plan.viewer, url)));
    let undefined = gated
        .then(|| client.send(fetch(&plan.viewer, url).with("authorization", "Bearer undefined")));
    evidence.documents.push(Document {
        url: url.to_owned(),
        chain,
        json,
        kind,
        preflight,
        undefined,
    });
    Ok(())
}

/// Where the last answer leads.
pub(crate) fn redirect(chain: &[Exchange]) -> Option<String> {
    let last = chain.last()?;
    let answer = last.answer().filter(|answer| answer.is_redirect())?;
    let base = url::Url::parse(&last.request.url).ok()?;
    base.join(answer.header("location")?).ok().map(Into::into)
}

/// The first of each kind that a document names, then others.
fn choose(evidence: &Evidence, most: usize) -> Vec<Content> {
    let Some(json) = &evidence.documents[0].json else { return Vec::new() };
    let all = discover::content(0, &evidence.documents[0].url, json);
    let signature = |content: &Content| {
        let mut signature = format!("{} {}", content.kind, content.image.is_some());
        for service in &evidence.services {
            if service.of.as_deref() == Some(&content.of) {
                signature = format!("{signature} {} {:?}", service.family.name(), service.role);
                signature.push_str(&service.json["service"].to_string());
            }
        }
        signature
    };
    let mut seen = Vec::new();
    let mut urls = Vec::new();
    let (mut first, mut rest) = (Vec::new(), Vec::new());
    for content in all {
        if urls.contains(&content.url) {
            continue;
        }
        urls.push(content.url.clone());
        let signature = signature(&content);
        if seen.contains(&signature) {
            rest.push(content);
        } else {
            seen.push(signature);
            first.push(content);
        }
    }
    first.extend(rest);
    first.truncate(most);
    first
}
