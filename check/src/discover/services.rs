use serde_json::Value;

use super::{Kind, contexts, id, members};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Family {
    /// Authorization Flow 2.0.
    V2,
    /// Authentication 1.0.
    V1,
    /// Authentication 0.9.
    V0,
}

impl Family {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::V2 => "2.0",
            Self::V1 => "1.0",
            Self::V0 => "0.9",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Probe,
    Access,
    Token,
    Logout,
    Client,
}

/// A service where it is declared. A reference is one, too.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) document: usize,
    pub(crate) host: Kind,
    /// The way to it: `items[0].service[0]`.
    pub(crate) place: String,
    /// The service that it stands in, as an index.
    pub(crate) parent: Option<usize>,
    pub(crate) family: Family,
    pub(crate) role: Role,
    pub(crate) json: Value,
    /// The id of the object that it stands in.
    pub(crate) of: Option<String>,
    /// It stands in a top-level `services`, for references.
    pub(crate) shared: bool,
    /// Where it stands, `service` is an array.
    pub(crate) listed: bool,
    /// An object without it stands between it and its resource: an image service, in a manifest.
    pub(crate) inside_image: bool,
}

impl Service {
    pub(crate) fn id(&self) -> Option<&str> {
        id(&self.json)
    }

    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.json.get(key).and_then(Value::as_str)
    }

    /// The pattern: `active`, or the last part of a profile URI of 1.0.
    pub(crate) fn profile(&self) -> &str {
        let profile = self.text("profile").unwrap_or_default();
        if self.family == Family::V2 {
            profile
        } else {
            profile.rsplit('/').next().unwrap_or_default()
        }
    }
}

/// Which service it is; `None` for those that are none of authorization.
fn recognise(json: &Value) -> Option<(Family, Role)> {
    let text = |key: &str| json.get(key).and_then(Value::as_str).unwrap_or_default();
    for kind in [text("type"), text("@type")] {
        let role = match kind {
            "AuthProbeService2" => Role::Probe,
            "AuthAccessService2" => Role::Access,
            "AuthAccessTokenService2" | "AuthTokenService2" => Role::Token,
            "AuthLogoutService2" => Role::Logout,
            _ => continue,
        };
        return Some((Family::V2, role));
    }
    let profile = text("profile");
    let (family, name) = match profile.split_once("//iiif.io/api/auth/") {
        Some((_, rest)) if rest.starts_with("1/") => (Family::V1, &rest[2..]),
        Some((_, rest)) if rest.starts_with("0/") => (Family::V0, &rest[2..]),
        Some((_, rest)) if rest.starts_with("2/") => (Family::V2, &rest[2..]),
        _ => ("AuthCookieService1" == text("@type") || "AuthCookieService1" == text("type"))
            .then_some((Family::V1, ""))?,
    };
    let role = match name {
        "token" => Role::Token,
        "logout" => Role::Logout,
        "clientId" => Role::Client,
        "probe" => Role::Probe,
        _ => Role::Access,
    };
    Some((family, role))
}

/// More than a reference `{id, type}`.
pub(crate) fn is_complete(service: &Service) -> bool {
    let plain = ["id", "@id", "type", "@type", "profile"];
    service
        .json
        .as_object()
        .is_some_and(|members| members.keys().any(|key| !plain.contains(&&**key)))
}

/// Every service of a document, parents before children.
pub(crate) fn services(document: usize, json: &Value) -> Vec<Service> {
    let mut walk = Walk { document, host: Kind::of(json), found: Vec::new() };
    walk.object(json, "", None, false, 0);
    walk.found
}

struct Walk {
    document: usize,
    host: Kind,
    found: Vec<Service>,
}

impl Walk {
    fn object(
        &mut self,
        json: &Value,
        place: &str,
        parent: Option<usize>,
        image: bool,
        depth: usize,
    ) {
        if depth > 64 || self.found.len() > 20_000 {
            return;
        }
        match json {
            Value::Array(array) => {
                for (at, member) in array.iter().enumerate() {
                    self.object(member, &format!("{place}[{at}]"), parent, image, depth + 1);
                }
            }
            Value::Object(object) => {
                for (key, value) in object {
                    // Names may be as long as a server likes.
                    let name = key.char_indices().nth(64).map_or(&**key, |(at, _)| &key[..at]);
                    let place =
                        if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") };
                    if key == "service" || key == "services" {
                        self.member(json, value, &place, parent, image, depth);
                    } else {
                        self.object(value, &place, None, image, depth + 1);
                    }
                }
            }
            _ => {}
        }
    }

    fn member(
        &mut self,
        host: &Value,
        value: &Value,
        place: &str,
        parent: Option<usize>,
        image: bool,
        depth: usize,
    ) {
        let listed = value.is_array();
        for (at, json) in members(Some(value)).into_iter().enumerate() {
            let place = if listed { format!("{place}[{at}]") } else { place.to_owned() };
            let Some((family, role)) = recognise(json) else {
                let image = image || is_image_service(json);
                self.object(json, &place, None, image, depth + 1);
                continue;
            };
            let index = self.found.len();
            self.found.push(Service {
                document: self.document,
                host: self.host,
                shared: place.starts_with("services"),
                place: place.clone(),
                parent,
                family,
                role,
                json: json.clone(),
                of: id(host).map(str::to_owned),
                listed,
                inside_image: image && self.host.is_manifest(),
            });
            self.object(json, &place, Some(index), image, depth + 1);
        }
    }
}

pub(super) fn is_image_service(json: &Value) -> bool {
    let text = |key: &str| json.get(key).and_then(Value::as_str).unwrap_or_default();
    text("type").starts_with("ImageService")
        || text("@type").starts_with("ImageService")
        || contexts(json).iter().any(|context| context.contains("/image/"))
        || text("profile").contains("/api/image/")
        || text("protocol") == "http://iiif.io/api/image"
}
