//! The services of an item, as descriptions declare them.

use serde_json::{Value, json};

use super::items::{Base, Item, Realm};
use super::model::Model;

pub(super) const AUTH: &str = "http://iiif.io/api/auth/2/context.json";

/// Of a picture. It is sent in tiles, each of which is the whole picture once more: a viewer that is let
/// in asks for what it has not got.
pub(super) const SIDE: u32 = 2048;

/// Where services are written into.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Host {
    Info(u8),
    Manifest(u8),
}

fn text(english: &str, german: &str) -> Value {
    json!({ "en": [english], "de": [german] })
}

impl Model {
    /// The top services of an item, in an array.
    pub(super) fn services(&self, family: u8, base: &str, item: &Item, host: Host) -> Vec<Value> {
        let Some(realm) = item.realm.filter(|_| !self.is("closed-declares")) else {
            return Vec::new();
        };
        if family == 2 {
            self.flow(base, item, realm, host)
        } else {
            vec![self.older(family, realm, host)]
        }
    }

    fn flow(&self, base: &str, item: &Item, realm: Realm, host: Host) -> Vec<Value> {
        let named =
            if self.is("probe-for-one") && item.name == "film" { "sound" } else { item.name };
        let mut probe = json!({
            "id": format!("{}/probe/{base}/{named}", self.base),
            "type": "AuthProbeService2",
            "errorHeading": text("No answer", "Keine Antwort"),
            "errorNote": text("Whether you may see this cannot be told.", "Ob Sie dies sehen dürfen, lässt sich nicht sagen."),
            "service": [self.access(realm, host)],
        });
        let manifest = matches!(host, Host::Manifest(_));
        if manifest && !self.is("manifest-profiles") {
            probe["profile"] = "http://iiif.io/api/auth/2/probe".into();
        }
        if matches!(host, Host::Info(2) | Host::Manifest(2)) && !self.is("context-on-service") {
            probe["@context"] = AUTH.into();
        }
        if self.is("context-inside") {
            probe["@context"] = AUTH.into();
        }
        if self.is("service-ids") {
            probe["id"] = format!("/probe/{base}/{named}").into();
        }
        if self.is("service-arrays") {
            probe["service"] = probe["service"][0].take();
        }
        if self.is("probe-described") {
            probe["service"] = json!([]);
        }
        let mut services = vec![probe];
        if self.is("nesting") {
            services.push(self.logout(2, realm, host));
        }
        if self.is("one-family") {
            let mut older = self.older(1, realm, host);
            older["@context"] = "http://iiif.io/api/auth/1/context.json".into();
            services.push(older);
        }
        services
    }

    fn access(&self, realm: Realm, host: Host) -> Value {
        let name = realm.name();
        let mut token = json!({
            "id": format!("{}/token/2/{name}", self.base),
            "type": "AuthAccessTokenService2",
            "errorHeading": text("No token", "Kein Token"),
            "errorNote": text("You are not known here yet.", "Sie sind hier noch nicht bekannt."),
        });
        let mut access = json!({
            "type": "AuthAccessService2",
            "profile": realm.profile(),
            "label": text("Model Library", "Musterbibliothek"),
        });
        let members = access.as_object_mut().into_iter();
        for members in members {
            if realm.profile() != "external" || self.is("external-without-id") {
                members.insert("id".into(), format!("{}/access/2/{name}", self.base).into());
            }
            if realm.profile() == "active" {
                members.insert("heading".into(), text("Please log in", "Bitte anmelden"));
                members.insert(
                    "note".into(),
                    text(
                        "The Model Library asks who you are.",
                        "Die Musterbibliothek fragt, wer Sie sind.",
                    ),
                );
                if !self.is("no-confirm-label") {
                    members.insert("confirmLabel".into(), text("Log in", "Anmelden"));
                }
            }
            let mutants =
                [("access-id", "id"), ("active-label", "label"), ("active-texts", "heading")];
            for (_, key) in mutants.into_iter().filter(|(mutant, _)| self.is(mutant)) {
                members.remove(key);
            }
        }
        if matches!(host, Host::Manifest(_)) && !self.is("manifest-profiles-inside") {
            token["profile"] = "http://iiif.io/api/auth/2/token".into();
        }
        if self.is("error-heading") {
            if let Some(members) = token.as_object_mut() {
                members.remove("errorHeading");
            }
        }
        let logout = self.logout(2, realm, host);
        let mut inner = vec![token.clone(), logout.clone()];
        if self.is("logout-offered") {
            inner.pop();
        }
        if self.is("one-token-service") {
            inner.push(token);
        }
        if self.is("two-logout-services") {
            inner.push(logout);
        }
        access["service"] = inner.into();
        if self.is("access-profile") {
            access["profile"] = "login".into();
        }
        if self.is("string-maps") {
            access["label"] = "Model Library".into();
        }
        if self.is("plain-texts") {
            access["note"] = text("Please <b>log in</b>.", "Bitte <b>anmelden</b>.");
        }
        if self.is("types-exact") {
            access["@type"] = access["type"].take();
        }
        if self.is("ids-without-query") {
            access["id"] = format!("{}/access/2/{name}?from=iiif", self.base).into();
        }
        access
    }

    fn logout(&self, family: u8, realm: Realm, host: Host) -> Value {
        let id = format!("{}/logout/{family}/{}", self.base, realm.name());
        if family != 2 {
            let profile = format!("http://iiif.io/api/auth/{family}/logout");
            let mut logout =
                json!({ "@id": id, "profile": profile, "label": "Log out of the Model Library" });
            if matches!(host, Host::Info(3) | Host::Manifest(3 | 4)) {
                logout["@type"] = "AuthLogoutService1".into();
            }
            if self.is("cookie-logout") {
                logout.as_object_mut().map(|members| members.remove("label"));
            }
            return logout;
        }
        let label = text("Log out of the Model Library", "Von der Musterbibliothek abmelden");
        let mut logout = json!({ "id": id, "type": "AuthLogoutService2", "label": label });
        if matches!(host, Host::Manifest(_)) && !self.is("manifest-profiles-inside") {
            logout["profile"] = "http://iiif.io/api/auth/2/logout".into();
        }
        if self.is("logout-described") {
            logout.as_object_mut().map(|members| members.remove("label"));
        }
        if self.is("services-https") {
            logout["id"] = "http://library.example/logout".into();
        }
        if self.is("ids-differ") {
            logout["id"] = format!("{}/token/2/{}", self.base, realm.name()).into();
        }
        logout
    }

    fn older(&self, family: u8, realm: Realm, host: Host) -> Value {
        let name = realm.name();
        let three = matches!(host, Host::Info(3) | Host::Manifest(3 | 4));
        let uri = |name: &str| format!("http://iiif.io/api/auth/{family}/{name}");
        let mut token = json!({ "@id": format!("{}/token/{family}/{name}", self.base), "profile": uri("token") });
        let mut access = json!({
            "@id": format!("{}/access/{family}/{name}", self.base),
            "profile": uri(realm.older()),
            "label": "Model Library",
            "header": "Please log in",
            "description": "The Model Library asks who you are.",
            "confirmLabel": "Log in",
            "failureHeader": "No",
            "failureDescription": "You are not known here yet.",
        });
        if three {
            token["@type"] = "AuthTokenService1".into();
            if !self.is("cookie-types") {
                access["@type"] = "AuthCookieService1".into();
            }
        } else if !self.is("cookie-context") {
            access["@context"] = uri("context.json").into();
        }
        if self.is("cookie-token-service") {
            token["label"] = "Token".into();
        }
        access["service"] = json!([token, self.logout(family, realm, host)]);
        if let Some(members) = access.as_object_mut() {
            let mutants =
                [("cookie-id", "@id"), ("cookie-label", "label"), ("cookie-texts", "header")];
            for (_, key) in mutants.into_iter().filter(|(mutant, _)| self.is(mutant)) {
                members.remove(key);
            }
        }
        if self.is("cookie-profile") {
            access["profile"] = uri("Login").into();
        }
        if self.is("cookie-strings") {
            access["label"] = text("Model Library", "Musterbibliothek");
        }
        access
    }

    pub(super) fn info(&self, base: &Base, item: &Item) -> Value {
        let id = format!("{}/iiif/{}/{}", self.base, base.name, item.name);
        let sizes = json!([{ "width": 512, "height": 512 }]);
        let tiles = json!([{ "width": 512, "height": 512, "scaleFactors": [1, 2, 4] }]);
        let mut info = if base.image == 3 {
            json!({
                "@context": "http://iiif.io/api/image/3/context.json",
                "id": id,
                "type": "ImageService3",
                "protocol": "http://iiif.io/api/image",
                "profile": "level0",
                "maxWidth": 512,
                "width": SIDE,
                "height": SIDE,
                "sizes": sizes,
                "tiles": tiles,
            })
        } else {
            json!({
                "@context": "http://iiif.io/api/image/2/context.json",
                "@id": id,
                "protocol": "http://iiif.io/api/image",
                "profile": ["http://iiif.io/api/image/2/level0.json", { "maxWidth": 512 }],
                "width": SIDE,
                "height": SIDE,
                "sizes": sizes,
                "tiles": tiles,
            })
        };
        // A lesser version declares the login of the better one.
        let lesser = item.name == "tiered-small" && base.family != 2 && !self.is("tier-services");
        let declared = if lesser { super::items::find("tiered").unwrap_or(item) } else { item };
        let services = self.services(base.family, base.name, declared, Host::Info(base.image));
        let quiet = self.is("declared-in-info");
        if !services.is_empty() && !quiet {
            info["service"] = services.into();
            if base.image == 3 && base.family == 2 {
                let own = info["@context"].take();
                info["@context"] = self.contexts(&own);
            }
        }
        let key = if base.image == 3 { "id" } else { "@id" };
        if self.is("gated-id") {
            info[key] = format!("{id}/").into();
        }
        if self.is("same-domain") {
            info[key] = "http://images.example/iiif/2/login".into();
        }
        info
    }

    /// The contexts of a version 3 host with services of 2.0.
    pub(super) fn contexts(&self, own: &Value) -> Value {
        if self.is("context-at-top") {
            own.clone()
        } else if self.is("context-order") {
            json!([own, AUTH])
        } else {
            json!([AUTH, own])
        }
    }
}
