//! The guide's page of settings has every key that the program knows, and no other.

use std::collections::{BTreeMap, BTreeSet};

use iiif_auth_proxy::config::Config;

use crate::support::folder;

type Tables = BTreeMap<String, BTreeSet<String>>;

/// A key that nobody knows, in each table, in all of its kinds.
const TEXTS: [&str; 10] = [
    "zzz = 1\n[tls]\nzzz = 1\n[upstream]\nzzz = 1\n[third_party_cookies]\nzzz = 1\n[compatibility]\nzzz = 1\n\
     [forward_auth]\nzzz = 1\n[store]\nzzz = 1\n[texts]\nzzz = 1\n[admin]\nzzz = 1\n[log]\nzzz = 1\n[[manifests]]\nzzz = 1\n\
     [[rule]]\nallow = \"nobody\"\nzzz = 1\nsubstitute = { zzz = 1 }\n[[base]]\nzzz = 1\n",
    "[[base]]\nkind = \"files\"\nzzz = 1\n",
    "[[access]]\nkind = \"login\"\nzzz = 1\n",
    "[[access]]\nkind = \"single-sign-on\"\nzzz = 1\n",
    "[[access]]\nkind = \"openid-connect\"\nzzz = 1\n",
    "[[access]]\nkind = \"click-through\"\nzzz = 1\n",
    "[[access]]\nkind = \"kiosk\"\nzzz = 1\n",
    "[[access]]\nkind = \"kiosk\"\nlabel = \"L\"\nzzz = 1\n",
    "[[access]]\nkind = \"reading-room\"\nzzz = 1\n",
    "[[access]]\nkind = \"login\"\nlabel = \"L\"\nzzz = 1\n",
];

fn known() -> Tables {
    let mut tables = Tables::new();
    for text in TEXTS {
        let mistakes = Config::read(text, &folder()).expect_err("a key is not known");
        let asked = mistakes.iter().filter_map(|own| own.message.strip_prefix("zzz is not known"));
        for rest in asked {
            let (place, keys) = rest.split_once("; known are ").unwrap();
            let table = place.trim_start_matches(" in ").trim_matches(['[', ']']).to_owned();
            let table = if table.is_empty() { "Top".to_owned() } else { table };
            tables.entry(table).or_default().extend(keys.split(", ").map(str::to_owned));
        }
    }
    tables
}

fn written() -> Tables {
    let page = include_str!("../../../docs/guide/proxy-settings.md");
    let mut tables = Tables::new();
    for chapter in page.split("\n## ").skip(1) {
        let (table, rest) = chapter.split_once('\n').unwrap();
        for row in rest.lines().filter_map(|line| line.strip_prefix("| `")) {
            let key = row.split('`').next().unwrap().to_owned();
            let first = tables.entry(table.to_owned()).or_default().insert(key.clone());
            assert!(first, "{table} has {key} twice");
        }
    }
    tables
}

#[test]
fn every_setting_stands_in_the_reference() {
    let (known, written) = (known(), written());
    for (table, keys) in &known {
        let page = written.get(table).unwrap_or_else(|| panic!("the page has no {table}"));
        assert_eq!(page, keys, "{table}: left what is written, right what is known");
    }
    let tables: BTreeSet<_> = written.keys().collect();
    assert_eq!(tables, known.keys().collect());
}
