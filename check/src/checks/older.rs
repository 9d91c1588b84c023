//! Services of 1.0 and 0.9, as they are declared, and the answers that are theirs alone.

use serde_json::Value;

use super::Severity::{Must, Should};
use super::{Check, Verdict, check, clip, short};
use crate::discover::{self, Family, Role, Service};
use crate::evidence::Evidence;

pub(super) const CHECKS: &[Check] = &[
    check(
        "cookie-context",
        Must,
        &["V1-DECL-1", "V09-DECL-1"],
        "1.0 §2.1.1",
        [
            "A cookie service does not name the context of its version.",
            "Viewers that look at it do not recognise the service.",
            "Add \"@context\": \"http://iiif.io/api/auth/1/context.json\" (0 for 0.9).",
        ],
        context,
    ),
    check(
        "cookie-profile",
        Must,
        &["V1-DECL-1", "V09-DECL-1", "V09-DECL-2", "CON-15"],
        "1.0 §2.1.1",
        [
            "A cookie service has none of the four profiles of its version.",
            "Viewers ignore it.",
            "Use http://iiif.io/api/auth/1/{login,clickthrough,kiosk,external} (0 for 0.9), exactly.",
        ],
        profile,
    ),
    check(
        "cookie-id",
        Must,
        &["V1-DECL-2"],
        "1.0 §2.1.1",
        [
            "A cookie service has no `@id`.",
            "There is nothing to open.",
            "Give it the URI of the login, as `@id`.",
        ],
        id,
    ),
    check(
        "cookie-label",
        Must,
        &["V1-DECL-3"],
        "1.0 §2.1.1",
        [
            "A cookie service has no label.",
            "Mirador's window dies.",
            "Name the institution in `label`, for every profile.",
        ],
        label,
    ),
    check(
        "cookie-texts",
        Should,
        &["V1-DECL-4"],
        "1.0 §2.1.1",
        [
            "A login or click-through has no confirmLabel, header or description.",
            "Universal Viewer shows an empty dialogue.",
            "Add them.",
        ],
        wording,
    ),
    check(
        "cookie-strings",
        Must,
        &["V1-DECL-6", "CON-16"],
        "1.0 §2.1.1",
        ["A text of 1.0 is a language map.", "Mirador's window crashes.", "Write a plain string."],
        strings,
    ),
    check(
        "cookie-token-service",
        Must,
        &["V1-DECL-5"],
        "1.0 §2.2.1",
        [
            "A cookie service has no token service, or one with further properties.",
            "Viewers cannot ask whether the user is in.",
            "Put {\"@id\": …, \"profile\": \"http://iiif.io/api/auth/1/token\"} into its `service`.",
        ],
        token_service,
    ),
    check(
        "cookie-types",
        Must,
        &["V1-DECL-8"],
        "Presentation 3 §3.3.1, Image 3 §5.8",
        [
            "A service of 1.0 in a document of version 3 has no `@type`.",
            "Readers of version 3 do not recognise it.",
            "Add AuthCookieService1, AuthTokenService1, AuthLogoutService1.",
        ],
        types,
    ),
    check(
        "cookie-logout",
        Should,
        &["V1-LOGOUT-1", "V09-LOGOUT-1"],
        "1.0 §2.3",
        [
            "A logout service has no id or no label.",
            "Viewers cannot offer it.",
            "Give it an `@id` and a label.",
        ],
        logout,
    ),
];

fn older(evidence: &Evidence, role: Role) -> impl Iterator<Item = (usize, &Service)> {
    evidence.services.iter().enumerate().filter(move |(_, service)| {
        service.family != Family::V2 && service.role == role && !service.json.is_null()
    })
}

/// `1` or `0`, as URIs have it.
fn digit(family: Family) -> &'static str {
    if family == Family::V0 { "0" } else { "1" }
}

fn context(evidence: &Evidence, v: &mut Verdict) {
    for (_, service) in older(evidence, Role::Access) {
        if !service.host.is_version_3() && service.parent.is_none() {
            let wanted = format!("http://iiif.io/api/auth/{}/context.json", digit(service.family));
            let contexts = discover::contexts(&service.json);
            v.that(contexts.contains(&&*wanted), evidence.place(service), || {
                format!("@context {contexts:?}")
            });
        }
    }
}

fn profile(evidence: &Evidence, v: &mut Verdict) {
    for (_, service) in older(evidence, Role::Access) {
        let profile = service.text("profile").unwrap_or_default();
        let start = format!("http://iiif.io/api/auth/{}/", digit(service.family));
        let right = profile
            .strip_prefix(&start)
            .is_some_and(|name| matches!(name, "login" | "clickthrough" | "kiosk" | "external"));
        v.that(right, evidence.place(service), || clip(profile));
    }
}

fn id(evidence: &Evidence, v: &mut Verdict) {
    for (_, service) in
        older(evidence, Role::Access).filter(|(_, service)| service.profile() != "external")
    {
        let id = service.text("@id");
        v.that(id.is_some_and(|id| url::Url::parse(id).is_ok()), evidence.place(service), || {
            format!("{id:?}")
        });
    }
}

fn label(evidence: &Evidence, v: &mut Verdict) {
    for (_, service) in older(evidence, Role::Access) {
        v.that(service.json.get("label").is_some(), evidence.place(service), || {
            "no label".to_owned()
        });
    }
}

fn wording(evidence: &Evidence, v: &mut Verdict) {
    for (_, service) in older(evidence, Role::Access) {
        if matches!(service.profile(), "login" | "clickthrough") {
            for key in ["confirmLabel", "header", "description"] {
                v.that(service.json.get(key).is_some(), evidence.place(service), || {
                    format!("no {key}")
                });
            }
        }
    }
}

fn strings(evidence: &Evidence, v: &mut Verdict) {
    let keys =
        ["label", "confirmLabel", "header", "description", "failureHeader", "failureDescription"];
    let plain =
        |value: &Value| value.is_string() || value.get("@value").is_some_and(Value::is_string);
    for (_, service) in older(evidence, Role::Access) {
        for (key, value) in super::texts(service, &keys) {
            let right = plain(value) || value.as_array().is_some_and(|all| all.iter().all(plain));
            v.that(right, evidence.place(service), || format!("{key}: {}", short(value)));
        }
    }
}

fn token_service(evidence: &Evidence, v: &mut Verdict) {
    for (index, service) in older(evidence, Role::Access) {
        let Some((_, token)) =
            evidence.children(index).find(|(_, child)| child.role == Role::Token)
        else {
            v.fail(evidence.place(service), "no token service");
            continue;
        };
        let known = ["@id", "profile", "@type", "@context", "id", "type"];
        let further =
            token.json.as_object().and_then(|all| all.keys().find(|key| !known.contains(&&***key)));
        v.that(
            token.id().is_some() && further.is_none(),
            evidence.place(token),
            || match further {
                Some(key) => format!("has {key}"),
                None => "no @id".to_owned(),
            },
        );
    }
}

fn types(evidence: &Evidence, v: &mut Verdict) {
    let all = evidence.services.iter().filter(|service| {
        service.family == Family::V1 && service.host.is_version_3() && !service.json.is_null()
    });
    for service in all {
        let wanted = match service.role {
            Role::Access => "AuthCookieService1",
            Role::Token => "AuthTokenService1",
            Role::Logout => "AuthLogoutService1",
            _ => continue,
        };
        let kind = service.text("@type").or(service.text("type")).unwrap_or_default();
        v.that(kind == wanted, evidence.place(service), || format!("@type {kind:?}"));
    }
}

fn logout(evidence: &Evidence, v: &mut Verdict) {
    for (_, service) in older(evidence, Role::Logout) {
        let right = service.id().is_some() && service.json.get("label").is_some();
        v.that(right, evidence.place(service), || short(&service.json));
    }
}
