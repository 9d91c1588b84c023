//! The command itself: what an operator types, and what is there afterwards.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use iiif_auth_proxy::config::Config;
use tower_iiif_auth::Keyring;

use crate::support::{config, folder};

/// An empty folder.
fn empty() -> PathBuf {
    let folder = folder().join("new");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn run(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_iiif-auth-proxy"))
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may not read it.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    child.wait_with_output().unwrap()
}

fn said(output: &Output) -> String {
    let texts = [&output.stdout, &output.stderr].map(|own| String::from_utf8_lossy(own));
    texts.concat()
}

fn good(folder: &Path, arguments: &[&str], input: &str) -> String {
    let output = run(folder, arguments, input);
    assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    said(&output)
}

/// With its status.
fn bad(folder: &Path, arguments: &[&str], input: &str) -> (i32, String) {
    let output = run(folder, arguments, input);
    assert!(!output.status.success(), "{arguments:?}: {}", said(&output));
    (output.status.code().unwrap(), said(&output))
}

#[test]
fn it_tells_what_it_is() {
    let folder = empty();
    let help = good(&folder, &["--help"], "");
    assert!(help.lines().count() <= 24, "{help}");
    for word in ["init", "check", "serve", "users", "key", "--probe", "--version"] {
        assert!(help.contains(word), "{word}");
    }
    assert_eq!(good(&folder, &["users", "-h"], ""), help);
    let version = format!("iiif-auth-proxy {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(good(&folder, &["-V"], ""), version);
    assert_eq!(good(&folder, &["--version"], ""), version);
}

/// What is no command is told with the help, and status 2.
#[test]
fn what_is_not_understood_is_told() {
    let folder = empty();
    for (arguments, why) in [
        (&[][..], "a command is missing"),
        (&["sevre"], "\"sevre\" is no command"),
        (&["serve", "more"], "\"serve\" is no command, or is followed by too much"),
        (&["serve", "--probe"], "--probe does not belong to this command"),
        (&["--config"], "missing argument"),
        (&["--conf", "x"], "--conf"),
        (&["init", "a", "b"], "followed by too much"),
        (&["init", "--for", "sipi"], "\"sipi\" is none of"),
        (&["init", "--config", "x"], "without --config"),
        (&["users"], "users is followed by"),
        (&["users", "add"], "users is followed by"),
        (&["users", "remove", "a", "--role", "b"], "--role does not belong"),
        (&["users", "list", "--file", "a", "--config", "b"], "give one"),
        (&["key", "generate"], "key is followed by"),
        (&["key", "generate", "k", "--add"], "--add does not belong"),
        (&["key", "rotate", "k", "--add", "--drop"], "give one"),
        (&["--hash-password", "--probe"], "--probe does not belong"),
    ] {
        let (status, text) = bad(&folder, arguments, "");
        assert!(status == 2 && text.contains(why) && text.contains("Usage:"), "{why}: {text}");
    }
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
}

/// Each kind of configuration that `init` writes is right as it stands, and so is it with a user.
#[test]
fn init_writes_what_check_takes() {
    for server in ["iipimage", "cantaloupe", "static", "other"] {
        let folder = empty();
        let text = good(&folder, &["init", "--for", server], "");
        assert!(text.contains("users add ada --role reader\n"), "{text}");
        for name in ["proxy.toml", "iiif-auth.key", "users"] {
            let mode = std::fs::metadata(folder.join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        let checked = good(&folder, &["check"], "");
        assert!(checked.contains("no mistakes") && checked.contains("no user yet"), "{checked}");
        good(&folder, &["users", "add", "ada", "--role", "reader"], "open sesame\n");
        let checked = good(&folder, &["check"], "");
        assert!(!checked.contains("warning"), "{server}: {checked}");
        let dialect =
            if server == "iipimage" || server == "cantaloupe" { server } else { "general" };
        assert!(checked.to_lowercase().contains(&format!("dialect {dialect}")), "{checked}");

        // Nothing is written over.
        let before = std::fs::read(folder.join("users")).unwrap();
        let (status, text) = bad(&folder, &["init"], "");
        assert!(status == 1 && text.contains("is there already"), "{text}");
        assert_eq!(std::fs::read(folder.join("users")).unwrap(), before);
    }
}

#[test]
fn init_takes_urls() {
    let folder = empty();
    let urls = ["--public-url", "https://iiif.example/", "--upstream", "https://images.example"];
    let text = good(&folder, &[&["init", "site"], &urls[..]].concat(), "");
    assert!(text.contains("--config site/proxy.toml"), "{text}");
    let text = std::fs::read_to_string(folder.join("site/proxy.toml")).unwrap();
    let config = Config::read(&text, &folder.join("site")).unwrap();
    assert_eq!(config.public_url, "https://iiif.example");
    assert_eq!(config.upstreams[0].servers[0].to_string(), "https://images.example");
    for url in ["iiif.example", "ftp://a", "https://a\"\nx = 1", "https://a b", "https://a?b", ""] {
        for option in ["--public-url", "--upstream"] {
            let (status, text) = bad(&folder, &["init", "other", option, url], "");
            assert!(status == 1 && text.contains("is no URL"), "{url}: {text}");
            assert!(!folder.join("other").exists(), "{url}");
        }
    }
}

#[test]
fn users_come_and_go() {
    let folder = empty();
    good(&folder, &["init"], "");
    let file = folder.join("users");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    let users =
        |arguments: &[&str], input: &str| good(&folder, &[&["users"], arguments].concat(), input);
    let added =
        users(&["add", "ada", "--role", "reader", "--role", "staff, curator"], "first word\n");
    assert!(added.contains("ada was added"), "{added}");
    let bob = users(&["add", "bob"], "two\n");
    assert!(bob.contains("no role"), "{bob}");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("# name:hash"), "comments stay: {text}");
    assert!(!text.contains("first word") && text.contains("ada:$argon2id$"), "{text}");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(users(&["list"], ""), "ada: reader,staff,curator\nbob: no roles\n");

    let before = text.lines().find(|line| line.starts_with("ada:")).unwrap().to_owned();
    users(&["passwd", "ada"], "three\n");
    let text = std::fs::read_to_string(&file).unwrap();
    let after = text.lines().find(|line| line.starts_with("ada:")).unwrap();
    assert!(after != before && after.ends_with(":reader,staff,curator"), "{after}");
    users(&["remove", "bob"], "");
    assert_eq!(users(&["list"], ""), "ada: reader,staff,curator\n");
    // No rest of a file that was being written.
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 3);

    // A file of its own, which is made.
    users(&["add", "eve", "--file", "more"], "four\n");
    assert_eq!(users(&["list", "--file", "more"], ""), "eve: no roles\n");
    assert_eq!(std::fs::metadata(folder.join("more")).unwrap().permissions().mode() & 0o777, 0o600);
}

/// What is refused changes nothing.
#[test]
fn users_that_are_none_are_refused() {
    let folder = empty();
    good(&folder, &["init"], "");
    good(&folder, &["users", "add", "ada"], "one\n");
    let before = std::fs::read(folder.join("users")).unwrap();
    let long = "x".repeat(256);
    for (arguments, input, why) in [
        (&["add", "ada"][..], "two\n", "is in"),
        (&["add", ""], "two\n", "1 to 255 bytes"),
        (&["add", &long], "two\n", "1 to 255 bytes"),
        (&["add", " b"], "two\n", "white space"),
        (&["add", "#b"], "two\n", "no #"),
        (&["add", "a:b"], "two\n", "no colon"),
        (&["add", "a\nb"], "two\n", "no control"),
        (&["add", "b", "--role", ""], "two\n", "a role has"),
        (&["add", "b", "--role", "a\nb"], "two\n", "a role has"),
        (&["add", "b"], "\n", "the password is empty"),
        (&["add", "b"], "", "the password is empty"),
        (&["passwd", "bob"], "two\n", "bob is not in"),
        (&["remove", "bob"], "", "bob is not in"),
        (&["list", "--file", "none"], "", "cannot be read"),
        (&["list", "--config", "none"], "", "cannot be read"),
    ] {
        let (status, text) = bad(&folder, &[&["users"], arguments].concat(), input);
        assert!(status == 1 && text.contains(why), "{arguments:?}: {text}");
        assert_eq!(std::fs::read(folder.join("users")).unwrap(), before, "{arguments:?}");
    }
}

/// A file of keys is made and rotated as the guide has it, node by node too.
#[test]
fn keys_are_made_and_rotated() {
    let folder = empty();
    let file = folder.join("k");
    let lines = || {
        let text = std::fs::read_to_string(&file).unwrap();
        Keyring::from_base64(&text).unwrap();
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    good(&folder, &["key", "generate", "k"], "");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let first = lines();
    assert_eq!(first.len(), 1);
    let (_, text) = bad(&folder, &["key", "generate", "k"], "");
    assert!(text.contains("exists") && lines() == first, "{text}");
    for step in ["--switch", "--drop"] {
        let (_, text) = bad(&folder, &["key", "rotate", "k", step], "");
        assert!(text.contains("one key only") && lines() == first, "{text}");
    }

    good(&folder, &["key", "rotate", "k", "--add"], "");
    let added = lines();
    assert!(added.len() == 2 && added[0] == first[0]);
    good(&folder, &["key", "rotate", "k", "--switch"], "");
    assert_eq!(lines(), [added[1].clone(), added[0].clone()]);
    good(&folder, &["key", "rotate", "k", "--drop"], "");
    assert_eq!(lines(), [added[1].clone()]);
    let said = good(&folder, &["key", "rotate", "k"], "");
    let rotated = lines();
    assert!(rotated.len() == 2 && rotated[1] == added[1], "{said}");
    for key in rotated {
        assert!(!said.contains(&key), "{said}");
    }
    std::fs::write(&file, "no key\n").unwrap();
    let (_, text) = bad(&folder, &["key", "rotate", "k"], "");
    assert!(text.contains("k: "), "{text}");
}

/// What was typed before there were commands works as it did.
#[test]
fn older_forms_are_understood() {
    let folder = folder();
    std::fs::write(folder.join("proxy.toml"), config("127.0.0.1:1".parse().unwrap())).unwrap();
    for arguments in [
        &["--config", "proxy.toml", "--check"][..],
        &["--check", "-c", "proxy.toml"],
        &["check"],
        &["check", "--config", "proxy.toml"],
    ] {
        assert!(good(&folder, arguments, "").contains("proxy.toml: no mistakes"));
    }
    let hash = good(&folder, &["--hash-password"], "open sesame\n");
    assert!(hash.starts_with("$argon2id$"), "{hash}");
}

/// What the unit of systemd starts is what the command understands; and it gives the proxy the time to end.
#[test]
fn the_unit_starts_what_there_is() {
    let unit = include_str!("../../packaging/iiif-auth-proxy.service");
    let value = |key: &str| unit.lines().find_map(|line| line.strip_prefix(key)).unwrap();
    let start = value("ExecStart=/usr/bin/iiif-auth-proxy ");
    let folder = empty();
    let arguments: Vec<_> = start.split(' ').map(|own| own.replace("/etc", "/nowhere")).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let (status, text) = bad(&folder, &arguments, "");
    assert!(status == 1 && text.contains("/nowhere/iiif-auth-proxy/proxy.toml"), "{text}");
    assert!(value("ExecReload=").contains("-HUP $MAINPID"));
    assert!(value("TimeoutStopSec=").parse::<u64>().unwrap() > 30);
}
