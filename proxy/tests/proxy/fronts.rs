//! Who stands in front, and what is believed of it.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;

use crate::support::{
    Proxy, SITE, Upstream, config, folder, image, raw, request, statuses, with_keys,
};
use http::Method;
use iiif_auth_proxy::config::Config;

async fn status(proxy: &Proxy, lines: &str) -> String {
    let text =
        format!("GET {} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{lines}\r\n\r\n", image("sec"));
    statuses(&raw(proxy.address, text.as_bytes()).await).concat()
}

/// PB-03: where the room's addresses hold the front's own, nobody is in it by that.
#[tokio::test]
async fn pb_03_a_front_is_not_in_the_room() {
    let upstream = Upstream::new().await;
    let room = "\n[[access]]\nname = \"room\"\nkind = \"reading-room\"\nlabel = \"Room\"\n\
                addresses = [\"127.0.0.0/8\", \"192.0.2.0/24\"]\nrole = \"reader\"\n";
    let base = config(upstream.address) + room;
    let unlisted = Proxy::with(&base).await;
    let listed = Proxy::with(&with_keys(&base, "trusted_proxies = [\"127.0.0.1\"]")).await;
    for (lines, without, with) in [
        ("X: 1", "200", "401"),
        ("X-Forwarded-For: 203.0.113.9", "401", "401"),
        ("X-Forwarded-For: 192.0.2.7", "401", "200"),
        ("X-Forwarded-For: ::ffff:192.0.2.7", "401", "200"),
        ("X-Forwarded-For: 192.0.2.7:4711", "401", "200"),
        ("X-Forwarded-For: 127.0.0.1", "401", "401"),
        ("X-Forwarded-For: 127.0.0.1, 127.0.0.1", "401", "401"),
        ("X-Forwarded-For: 127.0.0.2", "401", "200"),
        ("X-Forwarded-For:", "401", "401"),
        ("X-Forwarded-For: 192.0.2.7, unknown", "401", "401"),
        ("X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-For: 203.0.113.9", "401", "401"),
        ("X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: 192.0.2.7", "401", "200"),
        ("Forwarded: for=192.0.2.7", "401", "401"),
        ("X-Real-IP: 192.0.2.7", "401", "401"),
        ("X-Forwarded-Proto: https", "401", "401"),
        ("Via: 1.1 front", "401", "401"),
        ("True-Client-IP: 192.0.2.7", "401", "401"),
    ] {
        assert_eq!(status(&unlisted, lines).await, without, "not listed: {lines}");
        assert_eq!(status(&listed, lines).await, with, "listed: {lines}");
    }
}

fn single_sign_on(upstream: SocketAddr, keys: &str) -> String {
    config(upstream).replace("users_file = \"users\"", "").replace(
        "kind = \"login\"",
        &format!(
            "kind = \"single-sign-on\"\nuser_header = \"x-remote-user\"\n\
             roles_header = \"x-remote-groups\"\npeers = [\"127.0.0.1\"]\n{keys}"
        ),
    )
}

/// PB-04: one value of the single sign-on's stays one role, in and out.
#[tokio::test]
async fn pb_04_one_value_stays_one_role() {
    let upstream = Upstream::new().await;
    let tells = "user_header = \"x-iiif-user\"\nroles_header = \"x-iiif-roles\"\n[[base]]";
    let config = single_sign_on(upstream.address, "every_request = true")
        .replacen("[[base]]", tells, 1)
        .replace("allow = [\"reader\"]", "allow = [\"reader\", \"a;b\", \"staff, reader\"]");
    let proxy = Proxy::with(&config).await;
    for (user, groups, expected, told) in [
        ("ada", "reader", "200", "reader"),
        ("ada", r"student\;reader", "403", ""),
        ("ada", r"a\;b", "200", "a;b"),
        ("ada", r"a\;b;x", "200", "a;b,x"),
        ("ada", "staff, reader", "200", "staff%2C reader"),
        ("ada", "x,reader", "403", ""),
        ("ada", "(null)", "403", ""),
        ("(null)", "reader", "401", ""),
        ("eve, admin", "reader", "200", "reader"),
    ] {
        let lines = format!("X-Remote-User: {user}\r\nX-Remote-Groups: {groups}");
        assert_eq!(status(&proxy, &lines).await, expected, "{lines}");
        if expected == "200" {
            let asked = upstream.last();
            assert_eq!(asked.folded("x-iiif-roles"), [told], "{lines}");
            assert_eq!(asked.folded("x-iiif-user"), [user.replace(',', "%2C")], "{lines}");
        }
    }
}

/// EX-04: with a secret only the front names users; the secret goes no further.
#[tokio::test]
async fn ex_04_only_the_front_names_users() {
    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    let upstream = Upstream::new().await;
    let folder = folder();
    std::fs::write(folder.join("sso-secret"), format!("{SECRET}\n")).unwrap();
    let keys = "every_request = true\nsecret_file = \"sso-secret\"\nsecret_header = \"x-sso\"";
    let config = single_sign_on(upstream.address, keys);
    let proxy = Proxy::within(&config, &folder).await;
    let named = "X-Remote-User: ada\r\nX-Remote-Groups: reader";
    for (lines, expected) in [
        (format!("{named}\r\nX-SSO: {SECRET}"), "200"),
        (named.to_owned(), "401"),
        (format!("{named}\r\nX-SSO: "), "401"),
        (format!("{named}\r\nX-SSO: {SECRET}0"), "401"),
        (format!("{named}\r\nX_SSO: {SECRET}"), "401"),
        (format!("{named}\r\nX-SSO: {SECRET}\r\nX-SSO: {SECRET}"), "401"),
    ] {
        assert_eq!(status(&proxy, &lines).await, expected, "{lines}");
    }
    assert!(!format!("{:?}", upstream.asked()).contains(SECRET));
    let login = [("x-remote-user", "ada"), ("x-remote-groups", "reader"), ("origin", SITE)];
    let answer = request(proxy.address, Method::POST, "/auth/login", &login, "").await;
    assert_eq!(answer.status, 403);
}

/// EX-04, LM-03: what a configuration leaves to the front is said.
#[test]
fn ex_04_warnings_of_a_configuration() {
    let folder = folder();
    std::fs::write(folder.join("sso-secret"), "0123456789abcdef\n").unwrap();
    std::fs::write(folder.join("short"), "0123\n").unwrap();
    let only_ours = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(folder.join("sso-secret"), only_ours).unwrap();
    let upstream = "127.0.0.1:1".parse().unwrap();
    let listed = |config: &str| with_keys(config, "trusted_proxies = [\"127.0.0.1\"]");
    let with_secret = single_sign_on(upstream, "secret_file = \"sso-secret\"");
    for (config, warnings) in [
        (listed(&config(upstream)), &[][..]),
        (config(upstream), &["trusted_proxies"]),
        (config(upstream).replace(SITE, "http://localhost:8080"), &[]),
        (listed(&single_sign_on(upstream, "")), &["x-remote-user"]),
        (listed(&single_sign_on(upstream, "every_request = true")), &["x-remote-user"]),
        (listed(&with_secret), &[]),
    ] {
        let read = Config::read(&config, &folder).unwrap_or_else(|all| panic!("{all}"));
        assert_eq!(read.warnings.len(), warnings.len(), "{:?}", read.warnings);
        for (warning, word) in read.warnings.iter().zip(warnings) {
            let line = config.lines().nth(warning.line - 1).unwrap();
            let place = if *word == "trusted_proxies" { "public_url" } else { "user_header" };
            assert!(warning.message.contains(word) && line.contains(place), "{warning:?} {line}");
        }
    }
    for (keys, said) in [
        ("secret_file = \"nothing\"", "can not be read"),
        ("secret_file = \"short\"", "at least 16"),
        ("secret_header = \"x-sso\"", "without secret_file"),
        ("secret_header = \"x sso\"\nsecret_file = \"sso-secret\"", "no header name"),
    ] {
        let mistakes = Config::read(&single_sign_on(upstream, keys), &folder).expect_err(keys);
        assert!(mistakes.to_string().contains(said), "{mistakes}");
        assert!(!mistakes.to_string().contains("0123"), "{mistakes}");
    }
}
