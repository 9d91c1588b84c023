//! Roles, out of what providers send.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

/// What becomes of the roles that a provider names.
#[derive(Clone, Debug, Default)]
pub struct Roles {
    /// Those that count, after they were renamed; others would only make the cookie too large. `None` for
    /// all.
    pub counting: Option<HashSet<String>>,
    /// What a role of the provider's is called here. One that is not in it keeps its name.
    pub renamed: HashMap<String, String>,
}

impl Roles {
    /// Each once, in the provider's order.
    #[must_use]
    pub fn of(&self, told: Vec<String>) -> Vec<String> {
        let mut seen = HashSet::new();
        let renamed = told.into_iter().map(|role| self.renamed.get(&role).cloned().unwrap_or(role));
        let counts = |role: &String| self.counting.as_ref().is_none_or(|own| own.contains(role));
        renamed.filter(|role| counts(role) && seen.insert(role.clone())).collect()
    }
}

/// What stands at a claim: its name, or names of objects and what is in them, with dots between. A name may
/// hold dots itself, as ids of clients do.
pub(crate) fn at<'v>(claims: &'v Map<String, Value>, name: &str) -> Option<&'v Value> {
    if let Some(value) = claims.get(name) {
        return Some(value);
    }
    name.match_indices('.')
        .find_map(|(dot, _)| at(claims.get(&name[..dot])?.as_object()?, &name[dot + 1..]))
}

/// The roles in a value, as providers write them: a list of texts or of objects with a name, one text, or an
/// object whose keys they are. `None` where there are none to be read.
pub(crate) fn read(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(items) => {
            let read: Vec<_> = items.iter().filter_map(named).collect();
            (!read.is_empty() || items.is_empty()).then_some(read)
        }
        Value::Object(roles) => {
            let has = |value: &Value| !matches!(value, Value::Null | Value::Bool(false));
            let names = roles.iter().filter(|(_, value)| has(value));
            Some(names.map(|(name, _)| name.clone()).collect())
        }
        _ => None,
    }
}

fn named(item: &Value) -> Option<String> {
    let object = |key: &str| item.get(key).and_then(Value::as_str);
    let name =
        item.as_str().or_else(|| ["name", "value", "role", "id"].into_iter().find_map(object));
    name.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// EX-07: roles are read wherever providers put them.
    #[test]
    fn ex_07_roles_are_read_where_they_can_be() {
        for (claims, name, expected) in [
            (json!({ "roles": ["a", "b"] }), "roles", Some(vec!["a", "b"])),
            (json!({ "roles": "a" }), "roles", Some(vec!["a"])),
            (json!({ "roles": [] }), "roles", Some(vec![])),
            (
                json!({ "roles": { "a": { "1": "org" }, "b": true, "c": false, "d": null } }),
                "roles",
                Some(vec!["a", "b"]),
            ),
            (
                json!({ "roles": [{ "name": "a" }, { "value": "b" }, { "id": "c" }] }),
                "roles",
                Some(vec!["a", "b", "c"]),
            ),
            (json!({ "roles": [1, "a"] }), "roles", Some(vec!["a"])),
            (json!({ "roles": [1] }), "roles", None),
            (json!({ "roles": 1 }), "roles", None),
            (json!({ "realm_access": { "roles": ["a"] } }), "realm_access.roles", Some(vec!["a"])),
            (
                json!({ "resource_access": { "my.client": { "roles": ["a"] } } }),
                "resource_access.my.client.roles",
                Some(vec!["a"]),
            ),
            (
                json!({ "https://a.example/roles": ["a"] }),
                "https://a.example/roles",
                Some(vec!["a"]),
            ),
            (json!({ "a.b": ["x"], "a": { "b": ["y"] } }), "a.b", Some(vec!["x"])),
            (json!({ "realm_access": "a" }), "realm_access.roles", None),
            (json!({}), "roles", None),
        ] {
            let found = at(claims.as_object().unwrap(), name).and_then(read);
            let expected =
                expected.map(|all| all.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(found, expected, "{claims} {name}");
        }
    }

    #[test]
    fn roles_are_renamed_and_those_that_count_are_kept() {
        let roles = Roles {
            counting: Some(HashSet::from(["reader".to_owned(), "curator".to_owned()])),
            renamed: HashMap::from([("0f3a".to_owned(), "reader".to_owned())]),
        };
        let told = (0..500).map(|n| format!("group-{n}"));
        let told = told.chain(["0f3a", "reader", "curator"].map(str::to_owned)).collect();
        assert_eq!(roles.of(told), ["reader", "curator"]);
        assert_eq!(Roles::default().of(vec!["a".into(), "a".into(), "b".into()]), ["a", "b"]);
    }
}
