//! Rights from where they are: a file of rules, times, and somebody else's word.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::Response;
use http_body_util::Full;
use iiif_auth_proxy::config::Config;

use crate::program::{Program, command};
use crate::redis_server::free_port;
use crate::support::{Proxy, Upstream, config, folder, image, with_keys};

/// A folder with a file of rules, and a configuration that names it.
fn with_file(upstream: &Upstream, name: &str, rules: &str) -> (PathBuf, String) {
    let folder = folder();
    std::fs::write(folder.join(name), rules).unwrap();
    let keys = format!("rules_file = \"{name}\"");
    (folder, with_keys(&config(upstream.address), &keys))
}

const CSV: &str = "\u{feff}match,allow,until,note,heading\n\
                   # what the catalogue says\n\
                   ms-1,everyone,,,\n\
                   ms-2, reader ; curator ,,,\n\
                   \"ms,3\",nobody,2100-01-01,\"Until 2100.\",Embargoed\n\
                   ms-4,nobody,2000-01-01,,\n\
                   ms-5-*,everyone,,,\n\
                   pub*,nobody,,,\n";

const TOML: &str = "[[rule]]\nmatch = [\"ms-1\"]\nallow = \"everyone\"\n\
                    [[rule]]\nmatch = [\"ms-2\"]\nallow = [\"reader\", \"curator\"]\n\
                    [[rule]]\nmatch = [\"ms,3\"]\nallow = \"nobody\"\nuntil = \"2100-01-01\"\n\
                    heading = \"Embargoed\"\nnote = \"Until 2100.\"\n\
                    [[rule]]\nmatch = [\"ms-4\"]\nallow = \"nobody\"\nuntil = \"2000-01-01\"\n\
                    [[rule]]\nmatch = [\"ms-5-*\"]\nallow = \"everyone\"\n\
                    [[rule]]\nmatch = [\"pub*\"]\nallow = \"nobody\"\n";

/// Both forms say the same, and are asked before the rules of the configuration.
#[tokio::test]
async fn a_file_of_rules_comes_first() {
    for (name, rules) in [("rules.csv", CSV), ("rules.toml", TOML)] {
        let upstream = Upstream::new().await;
        let (folder, text) = with_file(&upstream, name, rules);
        let more = "[[rule]]\nmatch = [\"ms-4\"]\nallow = \"everyone\"\n";
        let proxy = Proxy::within(&format!("{text}{more}"), &folder).await;
        let ada = proxy.log_in("ada").await;
        let bob = proxy.log_in("bob").await;
        for (identifier, cookie, status) in [
            ("ms-1", "", 200),
            ("ms-2", "", 401),
            ("ms-2", &*ada, 200),
            ("ms-2", &*bob, 403),
            ("ms%2C3", &*ada, 403),
            // Its time is over, and the next rule that fits decides.
            ("ms-4", "", 200),
            ("ms-5-x", "", 200),
            ("ms-5", "", 403),
            ("pub", &*ada, 403),
            ("sec", &*ada, 200),
        ] {
            let got = proxy.get(&image(identifier), &[("cookie", cookie)]).await;
            assert_eq!(got.status, status, "{name}: {identifier} {cookie}");
        }
    }
}

/// Each wrong row is told with its line, in the line of the key.
#[tokio::test]
async fn mistakes_of_a_file_have_their_lines() {
    let upstream = Upstream::new().await;
    for (name, rules, said) in [
        ("r.csv", "match,alow\n", "r.csv line 1: there is no column \"alow\""),
        ("r.csv", "match\n", "r.csv line 1: the column allow is missing"),
        ("r.csv", "match,allow,match\n", "two columns \"match\""),
        ("r.csv", "match,allow\na,everyone\n,everyone\n", "r.csv line 3: match is empty"),
        ("r.csv", "match,allow\na,\n", "r.csv line 2: allow is empty"),
        ("r.csv", "match,allow\na,;\n", "r.csv line 2: allow is empty"),
        ("r.csv", "match,allow\n\n\na,b,c\n", "r.csv line 4: it has more or fewer columns"),
        ("r.csv", "match,allow,until\na,b,soon\n", "r.csv line 2: until: \"soon\" is no day"),
        ("r.csv", "match,allow,hours\na,b,9-5\n", "line 2: hours: \"9-5\" are no hours"),
        ("r.csv", "match,allow,note\na,b,n\n", "line 2: a note needs a heading"),
        ("r.csv", "match,allow,max_unauthorized\na,b,x\n", "line 2: max_unauthorized \"x\""),
        ("r.csv", "match,allow,max_unauthorized\na,nobody,4\n", "line 2: max_unauthorized has no"),
        ("r.toml", "[[rule]]\nmatch = [\"a\"]\nalow = 1\n", "r.toml line 3: alow is not known"),
        ("r.toml", "[[rules]]\n", "r.toml line 1: rules is not known"),
        ("r.toml", "[[rule]\n", "r.toml line 1: "),
        ("r.txt", "", "ends in neither .csv nor .toml"),
    ] {
        let (folder, text) = with_file(&upstream, name, rules);
        let mistakes = Config::read(&text, &folder).expect_err(said);
        let told = mistakes.iter().any(|own| own.line == 1 && own.message.contains(said));
        assert!(told, "{said}\n{mistakes}");
    }
    let (folder, text) = with_file(&upstream, "r.csv", "");
    std::fs::remove_file(folder.join("r.csv")).unwrap();
    let mistakes = Config::read(&text, &folder).expect_err("none").to_string();
    assert!(mistakes.contains("r.csv cannot be read"), "{mistakes}");
    // One that is no list of rules at all does not fill the screen.
    let many = format!("match,allow\n{}", "a,\n".repeat(10_000));
    let (folder, text) = with_file(&upstream, "r.csv", &many);
    let mistakes = Config::read(&text, &folder).expect_err("many");
    assert!(mistakes.iter().count() == 21, "{mistakes}");
    assert!(mistakes.to_string().contains("9980 mistakes more"), "{mistakes}");
}

/// 100 000 rows are read in a moment, and cost a request what ten do.
#[tokio::test]
async fn many_rows_are_quick() {
    let upstream = Upstream::new().await;
    let rows: Vec<_> = (0..100_000).map(|n| format!("ms-{n:06},reader\n")).collect();
    let (folder, text) = with_file(&upstream, "r.csv", &format!("match,allow\n{}", rows.concat()));
    let begun = Instant::now();
    let proxy = Proxy::within(&text, &folder).await;
    println!("100 000 rows were taken up in {:?}", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    let cookie = proxy.log_in("ada").await;
    for (identifier, status) in [("ms-000000", 200), ("ms-099999", 200), ("ms-100000", 403)] {
        let got = proxy.get(&image(identifier), &[("cookie", &cookie)]).await;
        assert_eq!(got.status, status, "{identifier}");
    }
}

/// A row that is added counts without a restart; half a file does not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_rules_is_taken_up() {
    let upstream = Upstream::new().await;
    let (folder, text) = with_file(&upstream, "r.csv", "match,allow\nms-1,everyone\n");
    let port = free_port();
    let text = text.replace("127.0.0.1:0", &format!("127.0.0.1:{port}"));
    let text = with_keys(&text, "reload_interval = \"100ms\"");
    std::fs::write(folder.join("proxy.toml"), text).unwrap();
    let program = Program::start(command(&folder), port).await;
    let proxy = Proxy::at(program.address);
    assert_eq!(proxy.get(&image("ms-2"), &[]).await.status, 403);
    std::fs::write(folder.join("r.csv"), "match,allow\nms-1,everyone\nms-2,").unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(proxy.get(&image("ms-1"), &[]).await.status, 200);
    std::fs::write(folder.join("r.csv"), "match,allow\nms-2,everyone\n").unwrap();
    let begun = Instant::now();
    while proxy.get(&image("ms-2"), &[]).await.status != 200 {
        assert!(begun.elapsed() < Duration::from_secs(10), "it is never taken up");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(proxy.get(&image("ms-1"), &[]).await.status, 403);
    let log = program.stop();
    assert!(log.contains("r.csv line 3: allow is empty"), "{log}");
}

/// Times of rules in the configuration have their lines, too.
#[test]
fn times_are_looked_at() {
    let right = config("127.0.0.1:1".parse().unwrap());
    for (keys, line, said) in [
        ("until = \"2040-01-01\"", 0, ""),
        ("from = \"2040-01-01T09:00:00+01:00\"", 0, ""),
        ("hours = [\"mon-fri 09:00-18:00\"]", 0, ""),
        ("until = \"soon\"", 1, "until: \"soon\" is no day"),
        ("from = \"2040\"", 1, "from: \"2040\" is no day"),
        ("until = 2040-01-01", 1, "until: "),
        ("hours = [\"9-5\"]", 1, "hours: \"9-5\" are no hours"),
        ("hours = \"mon 09:00-18:00\"", 1, "expected a sequence"),
    ] {
        let allow = "allow = \"everyone\"";
        let text = right.replacen(allow, &format!("{allow}\n{keys}"), 1);
        let place = right[..right.find(allow).unwrap()].matches('\n').count() + 1;
        match Config::read(&text, &folder()) {
            Ok(_) => assert!(said.is_empty(), "{keys}"),
            Err(all) => {
                let told =
                    all.iter().any(|own| own.line == place + line && own.message.contains(said));
                assert!(told && !said.is_empty(), "{keys}: {said}\n{all}");
            }
        }
    }
    let zone = with_keys(&right, "time_zone = \"Mars/Olympus\"");
    let mistakes = Config::read(&zone, &folder()).expect_err("a zone").to_string();
    assert!(
        mistakes.starts_with("line 1: time_zone: \"Mars/Olympus\" is no time zone"),
        "{mistakes}"
    );
}

/// Somebody who decides, and remembers the questions.
async fn oracle(
    answer: impl Fn(&serde_json::Value) -> (u16, String) + Send + Sync + 'static,
) -> Upstream {
    Upstream::answering(move |asked| {
        assert_eq!((asked.method.as_str(), &*asked.target), ("POST", "/decide?site=1"));
        let question = serde_json::from_slice(&asked.body).unwrap();
        let (status, text) = answer(&question);
        Response::builder().status(status).body(Full::from(text)).unwrap()
    })
    .await
}

/// Its answers are kept for this long.
fn asking(upstream: &Upstream, oracle: &Upstream, keys: &str) -> String {
    let keys = format!("authorize_url = \"http://{}/decide?site=1\"\n{keys}", oracle.address);
    with_keys(&config(upstream.address), &keys)
}

/// What no rule covers is asked once for a resource and a session, with who asks and for what.
#[tokio::test]
async fn somebody_else_decides() {
    let upstream = Upstream::new().await;
    let oracle = oracle(|question| {
        let roles = question["session"]["roles"].as_array().cloned().unwrap_or_default();
        let allow = question["identifier"] == "open" || roles.contains(&"reader".into());
        (200, if allow { r#"{"allow":true}"#.into() } else { r#"{"allow":false}"#.into() })
    })
    .await;
    let proxy = Proxy::with(&asking(&upstream, &oracle, "")).await;
    let (ada, bob) = (proxy.log_in("ada").await, proxy.log_in("bob").await);
    for round in 0..2 {
        for (identifier, cookie, status) in [
            ("open", "", 200),
            ("dir%2Fx", "", 401),
            ("dir%2Fx", &*ada, 200),
            ("dir%2Fx", &*bob, 403),
            // Rules say it already.
            ("pub", "", 200),
            ("sec", &*bob, 403),
        ] {
            let got = proxy.get(&image(identifier), &[("cookie", cookie)]).await;
            assert_eq!(got.status, status, "{round}: {identifier}");
            // Another tile of it is no other question.
            let tile = image(identifier).replace("full/max", "0,0,9,9/9,");
            assert_eq!(proxy.get(&tile, &[("cookie", cookie)]).await.status, status);
        }
    }
    let asked: Vec<serde_json::Value> =
        oracle.asked().iter().map(|own| serde_json::from_slice(&own.body).unwrap()).collect();
    assert_eq!(asked.len(), 4, "{asked:#?}");
    let expected = serde_json::json!({
        "resource": "https://iiif.example/iiif/3/dir%2Fx",
        "base": "/iiif/3",
        "identifier": "dir/x",
        "session": { "subject": "ada", "roles": ["reader"] },
    });
    assert_eq!(asked[2], expected);
    assert_eq!(asked[0]["session"], serde_json::Value::Null);
}

/// What it says besides: why, in words, and how long it is good.
#[tokio::test]
async fn an_answer_says_why_and_for_how_long() {
    let upstream = Upstream::new().await;
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let oracle = oracle(move |question| {
        counted.fetch_add(1, Ordering::Relaxed);
        let text = match question["identifier"].as_str().unwrap() {
            "absent" => r#"{"allow":false,"because":"absent"}"#,
            "never" => {
                r#"{"allow":false,"because":"never","heading":{"en":"No","de":"Nein"},"note":"So"}"#
            }
            "login" => r#"{"allow":false,"because":"login","max_age":0}"#,
            _ => r#"{"allow":true,"max_age":1}"#,
        };
        (200, text.to_owned())
    })
    .await;
    let proxy = Proxy::with(&asking(&upstream, &oracle, "authorize_max_age = \"1h\"")).await;
    let asked = || count.load(Ordering::Relaxed);
    for (identifier, status) in [("absent", 404), ("never", 403), ("login", 401), ("short", 200)] {
        assert_eq!(proxy.get(&image(identifier), &[]).await.status, status, "{identifier}");
    }
    assert_eq!(asked(), 4);
    proxy.get(&image("never"), &[]).await;
    assert_eq!(asked(), 4, "for an hour");
    proxy.get(&image("login"), &[]).await;
    assert_eq!(asked(), 5, "it is not kept");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    proxy.get(&image("short"), &[]).await;
    assert_eq!(asked(), 6, "its time is over");
}

/// Whatever is no clear answer is 503, is not kept, and opens nothing; what rules open stays open.
#[tokio::test]
async fn an_unclear_answer_opens_nothing() {
    let upstream = Upstream::new().await;
    let oracle = oracle(|question| match question["identifier"].as_str().unwrap() {
        "status" => (500, r#"{"allow":true}"#.into()),
        "created" => (201, r#"{"allow":true}"#.into()),
        "none" => (200, String::new()),
        "text" => (200, "yes".into()),
        "string" => (200, r#"{"allow":"true"}"#.into()),
        "missing" => (200, "{}".into()),
        "unknown" => (200, r#"{"allow":true,"unless":"raining"}"#.into()),
        "both" => (200, r#"{"allow":true,"because":"never"}"#.into()),
        "word" => (200, r#"{"allow":false,"because":"weather"}"#.into()),
        "note" => (200, r#"{"allow":false,"note":"x"}"#.into()),
        "long" => (200, format!(r#"{{"allow":false,"heading":"{}"}}"#, "x".repeat(70_000))),
        other => panic!("{other}"),
    })
    .await;
    let proxy = Proxy::with(&asking(&upstream, &oracle, "")).await;
    let cookie = proxy.log_in("ada").await;
    for identifier in [
        "status", "created", "none", "text", "string", "missing", "unknown", "both", "word",
        "note", "long",
    ] {
        let before = oracle.count();
        for _ in 0..2 {
            let got = proxy.get(&image(identifier), &[("cookie", &cookie)]).await;
            assert_eq!(got.status, 503, "{identifier}");
        }
        assert!(oracle.count() >= before + 2, "{identifier} is not kept");
    }
    assert_eq!(proxy.get(&image("pub"), &[]).await.status, 200);

    // It is not there, or is silent.
    let gone = Upstream::new().await;
    for address in [format!("127.0.0.1:{}", free_port()), silent().await] {
        let text = asking(&upstream, &gone, "authorize_timeout = \"300ms\"")
            .replace(&gone.address.to_string(), &address);
        let proxy = Proxy::with(&text).await;
        let begun = Instant::now();
        assert_eq!(proxy.get(&image("x"), &[]).await.status, 503);
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        assert_eq!(proxy.get(&image("pub"), &[]).await.status, 200);
    }
}

/// A listener that never answers.
async fn silent() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            kept.push(stream);
        }
    });
    address
}

/// A page of tiles asks once, however many come at a time; and strangers fill no memory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_ask_once_and_what_is_kept_is_bounded() {
    let upstream = Upstream::new().await;
    let count = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&count);
    let oracle = oracle(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(20));
        (200, r#"{"allow":true}"#.to_owned())
    })
    .await;
    let proxy = Arc::new(Proxy::with(&asking(&upstream, &oracle, "authorize_cache = 100")).await);
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let proxy = Arc::clone(&proxy);
        all.spawn(async move { proxy.get(&image("page"), &[]).await.status.as_u16() });
    }
    while let Some(status) = all.join_next().await {
        assert_eq!(status.unwrap(), 200);
    }
    assert_eq!(count.load(Ordering::Relaxed), 1);
    for number in 0..300 {
        assert_eq!(proxy.get(&image(&format!("n{number}")), &[]).await.status, 200);
    }
    // Most of the first are gone: they are asked again.
    let before = count.load(Ordering::Relaxed);
    for number in 0..300 {
        proxy.get(&image(&format!("n{number}")), &[]).await;
    }
    let again = count.load(Ordering::Relaxed) - before;
    assert!(again >= 200, "{again}");
}

/// A secret that the proxy alone knows goes along, and no log has it.
#[tokio::test]
async fn a_secret_goes_along() {
    let upstream = Upstream::new().await;
    let oracle = Upstream::answering(|asked| {
        let known =
            asked.headers.get("authorization").is_some_and(|own| own == "Bearer 0123456789abcdef");
        Response::new(Full::from(format!("{{\"allow\":{known}}}")))
    })
    .await;
    let folder = folder();
    let secret = |text: &str| {
        std::fs::write(folder.join("s"), text).unwrap();
        std::fs::set_permissions(folder.join("s"), std::fs::Permissions::from_mode(0o600)).unwrap();
    };
    let text = asking(&upstream, &oracle, "authorize_secret_file = \"s\"");
    secret("0123456789abcdef\n");
    let proxy = Proxy::within(&text, &folder).await;
    assert_eq!(proxy.get(&image("x"), &[]).await.status, 200);
    for (wrong, said) in
        [("short", "less than 16 bytes"), ("0123456789\nabcdef\u{1}", "no header may")]
    {
        secret(wrong);
        let mistakes = Config::read(&text, &folder).expect_err(wrong).to_string();
        assert!(mistakes.contains(said) && !mistakes.contains(wrong), "{mistakes}");
    }
    let right = config(upstream.address);
    for (keys, said) in [
        ("authorize_url = \"decide\"", "write it like"),
        ("authorize_url = \"ftp://x/y\"", "write it like"),
        ("authorize_url = \"http://u:p@x/y\"", "write it like"),
        ("authorize_max_age = \"1m\"", "authorize_max_age has no meaning without authorize_url"),
        ("authorize_cache = 3", "authorize_cache has no meaning without authorize_url"),
    ] {
        let mistakes = Config::read(&with_keys(&right, keys), &folder).expect_err(keys).to_string();
        assert!(mistakes.starts_with("line 1: ") && mistakes.contains(said), "{keys}: {mistakes}");
    }
}
