//! Every mistake is told, with its line.

use std::path::Path;

use iiif_auth_proxy::config::{Config, Mistakes};

use crate::support::{config, folder, with_keys};

fn mistakes(text: &str) -> Vec<(usize, String)> {
    let mistakes: Mistakes = Config::read(text, &folder()).expect_err("there are mistakes");
    mistakes.iter().map(|own| (own.line, own.message.clone())).collect()
}

/// The sample is a configuration, and so is it with all that is commented out in it.
#[test]
fn the_sample_is_right() {
    let sample = include_str!("../../proxy.toml");
    let folder = folder();
    std::fs::rename(folder.join("key"), folder.join("iiif-auth.key")).unwrap();
    std::fs::write(folder.join("store-url"), "rediss://:password@127.0.0.1:6379/0\n").unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    for file in ["redis-ca.pem", "redis-client.pem"] {
        std::fs::write(folder.join(file), made.cert.pem()).unwrap();
    }
    std::fs::write(folder.join("redis-client.key"), made.signing_key.serialize_pem()).unwrap();
    std::fs::write(folder.join("sso-secret"), "0123456789abcdef\n").unwrap();
    Config::read(sample, &folder).unwrap_or_else(|all| panic!("{all}"));

    // A line like `# key = value` or `# [table]` is an example; prose has no such form.
    let is_example = |line: &str| {
        let line = line.trim_start();
        let key = line.split(" = ").next().unwrap_or_default();
        line.starts_with('[') && line.trim_end().ends_with(']')
            || line.contains(" = ")
                && key.bytes().all(|c| c.is_ascii_lowercase() || c == b'_' || c.is_ascii_digit())
    };
    let mut seen_uri = false;
    let text: Vec<String> = sample
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            // The second form of a key that stands there already, and a reader's rule for nobody.
            Some(own)
                if own.starts_with("substitute") && std::mem::replace(&mut seen_uri, true) =>
            {
                String::new()
            }
            Some(own) if !own.starts_with(' ') && is_example(own) => own.to_owned(),
            _ => line.to_owned(),
        })
        .collect();
    let text = text.join("\n");
    for key in
        ["[forward_auth]", "hand_off", "[[manifests]]", "[store]", "url_file", "cache_at_most"]
    {
        assert!(text.contains(&format!("\n{key}")), "{key}: {text}");
    }
    Config::read(&text, &folder).unwrap_or_else(|all| panic!("{all}\n{text}"));
}

/// One wrong line among right ones.
#[test]
fn each_mistake_has_its_line() {
    let right = config("127.0.0.1:1".parse().unwrap());
    Config::read(&right, &folder()).unwrap_or_else(|all| panic!("{all}"));
    for (old, new, said) in [
        ("listen = \"127.0.0.1:0\"", "listen = \"localhost\"", "address to listen on"),
        ("listen = \"127.0.0.1:0\"", "listen = 80", "expected a string"),
        ("listen = \"127.0.0.1:0\"", "lisen = 80", "lisen is not known"),
        (
            "public_url = \"https://iiif.example\"",
            "public_url = \"http://iiif.example\"",
            "plain http",
        ),
        ("public_url = \"https://iiif.example\"", "public_url = \"iiif.example\"", "public URL"),
        ("public_url = \"https://iiif.example\"", "public_url = \"https://a/?b\"", "public URL"),
        ("key_file = \"key\"", "key_file = \"users\"", "key"),
        ("key_file = \"key\"", "key_file = \"nothing\"", "nothing"),
        (
            "key_file = \"key\"",
            "key_file = \"key\"\nendpoints = \"auth\"",
            "has to start with a slash",
        ),
        ("key_file = \"key\"", "key_file = \"key\"\norigins = \"some\"", "neither \"bound\" nor"),
        ("key_file = \"key\"", "key_file = \"key\"\norigins = []", "empty"),
        ("key_file = \"key\"", "key_file = \"key\"\norigins = [\"x\"]", "origin"),
        (
            "key_file = \"key\"",
            "key_file = \"key\"\npublic_paths = [\"/a\", \"b\"]",
            "matches no path",
        ),
        ("key_file = \"key\"", "key_file = \"key\"\ntoken_lifetime = \"2 weeks\"", "a day"),
        (
            "key_file = \"key\"",
            "key_file = \"key\"\ntrusted_proxies = [\"10.0.0.0/33\"]",
            "address range",
        ),
        ("key_file = \"key\"", "key_file = \"key\"\nlongest_info = 0", "more than zero"),
        ("[upstream]", "[upstreams]", "upstreams is not known"),
        ("connect_timeout = \"5s\"", "connect_timeout = 3", "expected a string"),
        ("connect_timeout = \"5s\"", "connect_timeout = \"0s\"", "between nothing and a day"),
        ("connect_timeout = \"5s\"", "retries = 3", "retries is not known in [upstream]"),
        ("connect_timeout = \"5s\"", "user_header = \"x user\"", "no header name"),
        ("path = \"/iiif/2\"", "path = \"/iiif/3\"", "not apart"),
        ("path = \"/iiif/2\"", "path = \"/auth/probe/2\"", "probes"),
        ("path = \"/iiif/2\"", "path = \"iiif 2\"", "has to start with a slash"),
        ("path = \"/iiif/2\"", "path = \"/iiif/2\"\nupstream_path = \"/x?y=\"", "upstream_path"),
        ("path = \"/iiif/2\"", "path = \"/iiif/2\"\nkind = \"image\"", "neither \"images\" nor"),
        ("path = \"/iiif/2\"", "open_descriptions = true\npath = \"/iiif/2\"", "base"),
        ("families = [\"1.0\", \"0.9\"]", "families = [\"1.1\"]", "\"1.1\" is none of"),
        ("match = [\"pub*\"]", "match = \"pub*\"", "expected a sequence"),
        ("match = [\"pub*\"]", "matches = [\"pub*\"]", "matches is not known in [[rule]]"),
        ("allow = \"everyone\"", "allow = \"all\"", "neither \"everyone\" nor"),
        ("allow = \"everyone\"", "allow = 3", "write \"everyone\""),
        ("allow = [\"reader\"]", "allow = []", "no role"),
        ("allow = [\"reader\"]", "allow = [\"reader\"]\nmax_unauthorized = -1", "max_unauthorized"),
        (
            "allow = [\"reader\"]",
            "allow = [\"reader\"]\nsubstitute = {}",
            "either an identifier or a uri",
        ),
        ("allow = [\"reader\"]", "allow = [\"reader\"]\nsubstitute = { uri = \"/x\" }", "uri"),
        ("kind = \"login\"", "kind = \"log-in\"", "\"log-in\" is none of"),
        ("kind = \"login\"", "kind = \"login\"\nlifetime = \"25h\"", "a day"),
        ("kind = \"login\"", "kind = \"login\"\nsame_site = \"none\"", "none of"),
        ("kind = \"login\"", "kind = \"login\"\nrole = \"x\"", "role is not known in [[access]]"),
        ("label = { en = \"Example Library\" }", "label = {}", "no text"),
        ("label = { en = \"Example Library\" }", "label = { en = 3 }", "label.en"),
        ("label = { en = \"Example Library\" }", "label = 3", "label has to be a text"),
        ("users_file = \"users\"", "users_file = \"none\"", "cannot be read"),
        ("users_file = \"users\"", "users_file = \"key\"", "line 1 of it"),
        ("allow = \"everyone\"", "allow = \"everyone", "string"),
        ("users_file = \"users\"", "users_file = \"users\"\n[[manifests]]", "path is missing in"),
        (
            "key_file = \"key\"",
            "key_file = \"key\"\nmanifests = \"/manifests\"",
            "has to be written as [[manifests]]",
        ),
    ] {
        let wrong = right.replacen(old, new, 1);
        assert_ne!(wrong, right, "{old}");
        // The last line of what was put in is the wrong one.
        let before = &right[..right.find(old).unwrap()];
        let line = before.matches('\n').count() + new.matches('\n').count() + 1;
        let found = mistakes(&wrong);
        let told = found.iter().any(|(own, message)| *own == line && message.contains(said));
        assert!(told, "line {line}: {said}\n{new}\n{found:#?}");
    }
}

/// What is missing has the line of what it is missing in.
#[test]
fn what_is_missing_is_told() {
    let right = config("127.0.0.1:1".parse().unwrap());
    for (left_out, said) in [
        ("listen = \"127.0.0.1:0\"\n", "listen is missing"),
        ("public_url = \"https://iiif.example\"\n", "public_url is missing"),
        ("key_file = \"key\"\n", "key_file is missing"),
        ("path = \"/iiif/2\"\n", "path is missing in [[base]]"),
        ("match = [\"pub*\"]\n", "match is missing"),
        ("allow = \"everyone\"\n", "allow is missing"),
        ("kind = \"login\"\n", "kind is missing in [[access]]"),
        ("label = { en = \"Example Library\" }\n", "label is missing"),
        ("users_file = \"users\"\n", "users_file is missing"),
    ] {
        let found = mistakes(&right.replacen(left_out, "", 1));
        assert!(found.iter().any(|(_, message)| message.contains(said)), "{said}: {found:#?}");
    }
    let empty = mistakes("");
    for key in ["listen", "public_url", "key_file", "[upstream]"] {
        assert!(empty.iter().any(|(_, message)| message.starts_with(key)), "{key}: {empty:#?}");
    }
}

/// Each kind of access names what it needs, and takes no key of another.
#[test]
fn kinds_of_access_name_what_they_need() {
    let right = config("127.0.0.1:1".parse().unwrap());
    for (keys, said) in [
        ("kind = \"kiosk\"", "role is missing"),
        ("kind = \"kiosk\"\nrole = \"r\"\nusers_file = \"users\"", "users_file is not known"),
        ("kind = \"click-through\"\nrole = \"r\"", "terms_heading is missing"),
        ("kind = \"click-through\"\nterms_heading = \"T\"", "role is missing"),
        ("kind = \"reading-room\"\nrole = \"r\"", "addresses is missing"),
        ("kind = \"reading-room\"\nrole = \"r\"\naddresses = [\"x\"]", "\"x\" is no address range"),
        ("kind = \"single-sign-on\"\npeers = [\"127.0.0.1\"]", "user_header is missing"),
        ("kind = \"single-sign-on\"\nuser_header = \"x-user\"", "peers is missing"),
        ("kind = \"single-sign-on\"\nuser_header = \"x-user\"\npeers = [\"x\"]", "address range"),
        ("kind = \"kiosk\"\nrole = \"r\"\nname = \"a b\"", "path segment"),
        ("kind = \"kiosk\"\nrole = \"r\"\nnote = \"x\"", "note needs heading"),
    ] {
        let found = mistakes(
            &format!("{right}\n[[access]]\nname = \"more\"\nlabel = \"L\"\n{keys}\n").replace(
                "name = \"more\"\nlabel = \"L\"\nkind = \"kiosk\"\nrole = \"r\"\nname",
                "label = \"L\"\nkind = \"kiosk\"\nrole = \"r\"\nname",
            ),
        );
        assert!(found.iter().any(|(_, message)| message.contains(said)), "{said}: {found:#?}");
    }
}

/// All of them at once, not the first only; no secret is quoted.
#[test]
fn all_mistakes_are_told_at_once() {
    let text = "
listen = \"nowhere\"
public_url = \"https://iiif.example\"
key_file = \"users\"
unknown = 1
[upstream]
url = \"ftp://x\"
[[base]]
path = \"/a\"
[[base]]
path = \"/a/b\"
[[rule]]
allow = \"nobody\"
[[access]]
name = \"x/y\"
kind = \"kiosk\"
label = \"L\"
role = \"r\"
";
    let found = mistakes(text);
    let lines: Vec<_> = found.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [2, 4, 5, 7, 11, 12, 14], "{found:#?}");
    let all = format!("{found:?}");
    assert!(!all.contains("$2b$"), "{all}");
}

#[test]
fn a_text_that_is_no_toml_is_told_of() {
    let found = mistakes("listen = \"127.0.0.1:0\"\npublic_url = \nkey_file = 'x\n");
    assert!(found.iter().any(|(line, _)| *line == 2), "{found:#?}");
    assert!(Config::load(Path::new("/nowhere/proxy.toml")).is_err());
}

/// The command's own words.
#[test]
fn check_says_all_of_it_and_its_status() {
    let folder = folder();
    let run = |text: &str| {
        let file = folder.join("proxy.toml");
        std::fs::write(&file, text).unwrap();
        let command = env!("CARGO_BIN_EXE_iiif-auth-proxy");
        std::process::Command::new(command)
            .arg("--config")
            .arg(file)
            .arg("--check")
            .output()
            .unwrap()
    };
    let right = config("127.0.0.1:1".parse().unwrap());
    let output = run(&right);
    assert!(output.status.success(), "{output:?}");
    let output = run(&right.replace("allow = [\"reader\"]", "alow = [\"reader\"]"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said.contains("alow is not known in [[rule]]") && said.contains("allow is missing"),
        "{said}"
    );
}

/// Each key of `[[manifests]]` is looked at in its line.
#[test]
fn manifests_are_looked_at_key_by_key() {
    let right = with_keys(&config("127.0.0.1:1".parse().unwrap()), "public_paths = [\"/works/*\"]");
    let files = "[[base]]\npath = \"/files\"\nkind = \"files\"\n";
    let first = right.lines().count() + files.lines().count() + 1;
    for (keys, line, said) in [
        ("path = \"/works\"", 0, ""),
        ("path = \"/works/*/manifest.json\"", 0, ""),
        ("path = \"/*/manifest.json\"", 0, ""),
        ("path = \"/files/manifests\"", 0, ""),
        ("path = \"/works\"\nimages = true\nin_full = true\nlongest = 1\nmost = 1", 0, ""),
        (
            "path = \"/works\"\nprobes_on_images = false\nexternal_ids = true\nlongest_described = 1",
            0,
            "",
        ),
        ("images = true", 0, "path is missing in [[manifests]]"),
        ("path = \"works\"", 1, "match no path"),
        ("path = \"/works/\"", 1, "match no path"),
        ("path = \"/manifests\"", 1, "list it in public_paths"),
        ("path = \"/iiif/3/manifests\"", 1, "list it in public_paths"),
        ("path = \"/other/*/manifest.json\"", 1, "list it in public_paths"),
        ("path = 3", 1, "expected a string"),
        ("path = \"/works\"\nimages = 1", 2, "images: "),
        ("path = \"/works\"\nlongest = 0", 2, "longest has to be more than zero"),
        ("path = \"/works\"\nlongest = \"8 MiB\"", 2, "longest: "),
        ("path = \"/works\"\nmost = 0", 2, "most has to be more than zero"),
        ("path = \"/works\"\nmost = -1", 2, "most: "),
        ("path = \"/works\"\nimage = true", 2, "image is not known in [[manifests]]"),
    ] {
        let text = format!("{right}{files}[[manifests]]\n{keys}\n");
        if said.is_empty() {
            Config::read(&text, &folder()).unwrap_or_else(|all| panic!("{keys}: {all}"));
            continue;
        }
        let found = mistakes(&text);
        let told =
            found.iter().any(|(own, message)| *own == first + line && message.contains(said));
        assert!(told, "line {}: {said}\n{keys}\n{found:#?}", first + line);
    }
}
