//! What is legal in a configuration and foolish is told, with its line.

use std::os::unix::fs::PermissionsExt;

use iiif_auth_proxy::config::Config;

use crate::support::{config, folder};

/// A warning's words, and how many lines behind the place that was changed it stands.
#[test]
fn what_is_foolish_has_its_line() {
    let right = config("127.0.0.1:1".parse().unwrap())
        .replace("key_file", "trusted_proxies = [\"127.0.0.1\"]\nkey_file");
    assert_eq!(Config::read(&right, &folder()).unwrap().warnings, []);
    let rule = "[[rule]]\nmatch = [\"pub*\"]\nallow = \"everyone\"";
    let sso = "[[access]]\nname = \"sso\"\nkind = \"single-sign-on\"\nlabel = \"L\"\n\
               user_header = \"x-user\"\npeers = [\"127.0.0.1\"]\nsecret_file = \"s\"\n";
    for (old, new, behind, said) in [
        (
            "trusted_proxies = [\"127.0.0.1\"]\n",
            "",
            -1,
            "trusted_proxies is missing, though TLS has to end in a front",
        ),
        ("allow = [\"reader\"]", "allow = [\"raeder\"]", -2, "nobody has \"raeder\""),
        ("allow = [\"reader\"]", "allow = [\"raeder\", \"x\"]", -2, "\"raeder\" or \"x\""),
        ("allow = [\"reader\"]", "allow = [\"raeder\", \"reader\"]", 0, ""),
        ("match = [\"pub*\"]", "match = [\"*\"]", 3, "a rule above matches \"*\""),
        (
            "match = [\"sec*\", \"dir/sec\"]",
            "match = [\"pub*\"]",
            -1,
            "\"pub*\" stands in a rule above",
        ),
        ("match = [\"sec*\", \"dir/sec\"]", "match = [\"a\", \"pub*\"]", -1, "\"pub*\" stands in"),
        (
            "key_file",
            "public_paths = [\"/iiif/3/manifests/*\"]\nkey_file",
            0,
            "below the base of images at /iiif/3",
        ),
        ("path = \"/iiif/2\"", "path = \"/iiif/20\"", 0, ""),
        (
            "path = \"/iiif/2\"\nfamilies = [\"1.0\", \"0.9\"]",
            "path = \"/files\"\nkind = \"files\"\nupstream_path = \"\"",
            0,
            "everything that the image server has lies below this base",
        ),
        // What the library warns of, in the line of what it is about; and nothing of a first try.
        ("public_url = \"https://iiif.example\"", "public_url = \"http://localhost:8080\"", 0, ""),
        (
            rule,
            &format!(
                "[[access]]\nname = \"foyer\"\nkind = \"kiosk\"\nlabel = \"L\"\nrole = \"foyer\"\n{rule}"
            ),
            0,
            "realm \"foyer\" has a kiosk",
        ),
        (rule, &format!("{sso}{}", rule.replace("everyone\"", "nobody\"")), 0, ""),
        (rule, &format!("{sso}[[rule]]\nmatch = [\"x\"]\nallow = [\"from-outside\"]"), 0, ""),
    ] {
        let text = right.replacen(old, new, 1);
        assert_ne!(text, right, "{old}");
        let folder = folder();
        std::fs::write(folder.join("s"), "0123456789abcdef0123").unwrap();
        std::fs::set_permissions(folder.join("s"), std::fs::Permissions::from_mode(0o600)).unwrap();
        let config = Config::read(&text, &folder).unwrap_or_else(|all| panic!("{new}: {all}"));
        let found: Vec<_> = config.warnings.iter().map(|own| (own.line, &*own.message)).collect();
        if said.is_empty() {
            assert_eq!(found, [], "{new}");
            continue;
        }
        let place = right[..right.find(old).unwrap()].matches('\n').count() + 1;
        let line = place.checked_add_signed(behind).unwrap();
        let told = found.iter().any(|(own, text)| *own == line && text.contains(said));
        assert!(told && found.len() == 1, "line {line}: {said}\n{found:#?}");
    }
}

/// Secrets that everybody on the machine can read are told of, each in its line, and never quoted.
#[test]
fn secrets_readable_by_all_are_told() {
    let folder = folder();
    let text = config("127.0.0.1:1".parse().unwrap());
    for secret in ["key", "users"] {
        let path = folder.join(secret);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let config = Config::read(&text, &folder).unwrap();
        let line = text[..text.find(&format!("\"{secret}\"")).unwrap()].matches('\n').count() + 1;
        let told = config.warnings.iter().filter(|own| own.message.contains("can read"));
        let told: Vec<_> = told.collect();
        assert!(told.len() == 1 && told[0].line == line, "{told:?}");
        assert!(!told[0].message.contains("CzVBV8"), "{told:?}");
        // Its owner's group may.
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let config = Config::read(&text, &folder).unwrap();
        assert!(!config.warnings.iter().any(|own| own.message.contains("can read")));
    }
}
