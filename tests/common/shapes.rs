//! The closed JSON shapes of Authorization Flow 2.0: every member that may stand, and no other.

use serde_json::Value;

pub const AUTH_2: &str = "http://iiif.io/api/auth/2/context.json";

/// Checks an object's members: all of `required`, any of `optional`, nothing else.
pub fn assert_members(object: &Value, required: &[&str], optional: &[&str]) {
    let members = object.as_object().unwrap_or_else(|| panic!("no object: {object}"));
    for name in required {
        assert!(members.contains_key(*name), "{name} is missing in {object}");
    }
    for name in members.keys() {
        let known = required.contains(&name.as_str()) || optional.contains(&name.as_str());
        assert!(known, "{name} does not belong in {object}");
    }
}

/// `{"en": ["…"]}`: tags or `none`, arrays of plain text, nothing empty.
pub fn assert_language_map(map: &Value) {
    let members = map.as_object().unwrap_or_else(|| panic!("no language map: {map}"));
    assert!(!members.is_empty());
    for (tag, values) in members {
        assert!(tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'), "{tag}");
        let values = values.as_array().unwrap_or_else(|| panic!("no array for {tag} in {map}"));
        assert!(!values.is_empty() && values.iter().all(Value::is_string), "{map}");
        let html = |value: &Value| value.as_str().unwrap().contains(['<', '>']);
        assert!(!values.iter().any(html), "{map}");
    }
}

fn assert_texts(object: &Value, names: &[&str]) {
    for name in names {
        if let Some(text) = object.get(name) {
            assert_language_map(text);
        }
    }
}

fn assert_note_has_heading(object: &Value, note: &str, heading: &str) {
    assert!(object.get(note).is_none() || object.get(heading).is_some(), "{object}");
}

/// An absolute https URI to which clients can append `?origin=`.
pub fn assert_service_id(service: &Value) {
    let id = service["id"].as_str().unwrap_or_else(|| panic!("no id in {service}"));
    let host = id.strip_prefix("https://").unwrap_or_else(|| panic!("{id} is no https URI"));
    assert!(!host.is_empty() && !host.starts_with('/'), "{id}");
    assert!(!id.contains(['?', '#', ' ']), "{id}");
}

/// A probe service with everything below it. `own_context`: in a version 2 host.
pub fn assert_probe_service(probe: &Value, own_context: bool) {
    let mut required = vec!["id", "type", "service"];
    if own_context {
        required.push("@context");
        assert_eq!(probe["@context"], AUTH_2);
    }
    assert_members(probe, &required, &["errorHeading", "errorNote", "profile"]);
    assert_profile(probe, "probe");
    assert_service_id(probe);
    assert_eq!(probe["type"], "AuthProbeService2");
    assert_texts(probe, &["errorHeading", "errorNote"]);
    assert_note_has_heading(probe, "errorNote", "errorHeading");
    let access = probe["service"].as_array().expect("an array of access services");
    assert!(!access.is_empty());
    access.iter().for_each(assert_access_service);
}

/// Services in manifests have a profile each; 2.0 knows it of access services alone.
fn assert_profile(service: &Value, name: &str) {
    if let Some(profile) = service.get("profile") {
        assert_eq!(*profile, format!("http://iiif.io/api/auth/2/{name}"));
    }
}

/// An access service with its token and logout services, in full.
pub fn assert_access_service(access: &Value) {
    let texts = ["label", "heading", "note", "confirmLabel"];
    match access["profile"].as_str() {
        Some("active") => {
            assert_members(access, &["id", "type", "profile", "label", "service"], &texts);
            assert_service_id(access);
        }
        Some("kiosk") => {
            assert_members(access, &["id", "type", "profile", "service"], &texts);
            assert_service_id(access);
        }
        Some("external") => assert_members(access, &["type", "profile", "service"], &texts),
        _ => panic!("no profile of 2.0: {access}"),
    }
    assert_eq!(access["type"], "AuthAccessService2");
    assert_texts(access, &texts);
    assert_note_has_heading(access, "note", "heading");
    let services = access["service"].as_array().expect("an array of services");
    let of_type = |kind: &str| services.iter().filter(|own| own["type"] == kind).count();
    assert_eq!(of_type("AuthAccessTokenService2"), 1, "{access}");
    assert!(of_type("AuthLogoutService2") <= 1, "{access}");
    assert_eq!(1 + of_type("AuthLogoutService2"), services.len(), "{access}");
    for service in services {
        assert_service_id(service);
        if service["type"] == "AuthLogoutService2" {
            assert_members(service, &["id", "type", "label"], &["profile"]);
            assert_profile(service, "logout");
            assert_language_map(&service["label"]);
        } else {
            assert_members(service, &["id", "type"], &["errorHeading", "errorNote", "profile"]);
            assert_profile(service, "token");
            assert_texts(service, &["errorHeading", "errorNote"]);
            assert_note_has_heading(service, "errorNote", "errorHeading");
        }
    }
}

/// An `AuthAccessToken2` or `AuthAccessTokenError2`.
pub fn assert_token_message(message: &Value) {
    assert_eq!(message["@context"], AUTH_2);
    assert!(message["messageId"].is_string(), "{message}");
    if message["type"] == "AuthAccessToken2" {
        assert_members(message, &["@context", "type", "messageId", "accessToken"], &["expiresIn"]);
        assert!(!message["accessToken"].as_str().unwrap().is_empty());
        assert!(message.get("expiresIn").is_none_or(|own| own.as_u64() > Some(0)), "{message}");
    } else {
        assert_eq!(message["type"], "AuthAccessTokenError2");
        let required = ["@context", "type", "messageId", "profile"];
        assert_members(message, &required, &["heading", "note"]);
        let profiles = [
            "invalidRequest",
            "invalidOrigin",
            "missingAspect",
            "invalidAspect",
            "expiredAspect",
            "unavailable",
        ];
        assert!(profiles.iter().any(|profile| message["profile"] == *profile), "{message}");
        assert_texts(message, &["heading", "note"]);
        assert_note_has_heading(message, "note", "heading");
    }
}

/// An `AuthProbeResult2`.
pub fn assert_probe_result(result: &Value) {
    let optional = ["location", "substitute", "heading", "note"];
    assert_members(result, &["@context", "type", "status"], &optional);
    assert_eq!(result["@context"], AUTH_2);
    assert_eq!(result["type"], "AuthProbeResult2");
    let status = result["status"].as_u64().unwrap_or_else(|| panic!("{result}"));
    assert!((100..600).contains(&status), "{result}");
    assert_eq!(result.get("location").is_some(), (300..400).contains(&status), "{result}");
    assert!(result.get("substitute").is_none() || status == 401, "{result}");
    assert_eq!(result.get("heading").is_some(), status >= 400, "{result}");
    assert_texts(result, &["heading", "note"]);
    assert_note_has_heading(result, "note", "heading");
    if let Some(location) = result.get("location") {
        assert_content_resource(location);
    }
    if let Some(substitutes) = result.get("substitute") {
        let substitutes = substitutes.as_array().expect("an array of substitutes");
        assert!(!substitutes.is_empty());
        substitutes.iter().for_each(assert_content_resource);
    }
}

fn assert_content_resource(resource: &Value) {
    assert_members(resource, &["id", "type"], &["label", "service"]);
    assert!(resource["id"].as_str().unwrap().starts_with("https://"), "{resource}");
    assert!(resource["type"].is_string(), "{resource}");
    assert_texts(resource, &["label"]);
    if let Some(services) = resource.get("service") {
        assert!(services.as_array().is_some_and(|services| !services.is_empty()), "{resource}");
    }
}
