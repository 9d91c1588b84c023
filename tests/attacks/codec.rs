//! CR: sealed values, keys and time.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use http::{HeaderMap, Method};
use tower_iiif_auth::access::{AccessDeclined, AccessGrant};
use tower_iiif_auth::aspect::{
    AspectError, AuthorizingAspect, Head, IpRanges, Reading, Session, SessionId, TrustedHeader,
};
use tower_iiif_auth::authorizer::AccessRequest;
use tower_iiif_auth::clock::{SetClock, SystemClock, Timestamp};
use tower_iiif_auth::resource::{Resource, ResourceKind};
use tower_iiif_auth::revocation::InMemory;
use tower_iiif_auth::{AccessCookie, AccessService, Answer, Keyring, Realm, ResponseBody};

use crate::common::logs;
use crate::common::{
    BASE, Publisher, V, assert_denied, builder, clock, cookie_pair, image, key, request,
};
use crate::html::{assert_error, posted};
use crate::setup::{authorized, pair, probe, query, token_page};

async fn granted() -> (Publisher, String, String) {
    let publisher = Publisher::new();
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    let token = publisher.token(&cookie).await;
    (publisher, cookie, token)
}

/// Neither as a token nor as a cookie.
async fn assert_no_good(publisher: &Publisher, token: &str, what: &str) {
    let status = authorized(publisher, "sec", &format!("Bearer {token}")).await;
    assert_eq!(status, 401, "{what} as a token");
}

async fn assert_no_cookie(publisher: &Publisher, cookie: &str, what: &str) {
    let calls = publisher.calls();
    let tile = publisher.get(&image("sec"), &[("cookie", &pair(cookie))]).await;
    assert_eq!(tile.status(), 401, "{what} as a cookie");
    assert_denied(&tile, 401);
    assert_eq!(publisher.calls(), calls);
}

/// CR-01: every bit counts.
#[tokio::test]
async fn cr_01_every_flipped_bit_is_seen() {
    let (publisher, cookie, token) = granted().await;
    let flips = |value: &str| {
        let bytes = URL_SAFE_NO_PAD.decode(value).unwrap();
        (0..bytes.len() * 8)
            .map(|bit| {
                let mut changed = bytes.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                URL_SAFE_NO_PAD.encode(changed)
            })
            .collect::<Vec<_>>()
    };
    for (bit, changed) in flips(&token).iter().enumerate() {
        assert_no_good(&publisher, changed, &format!("bit {bit}")).await;
    }
    for (bit, changed) in flips(&cookie).iter().enumerate() {
        assert_no_cookie(&publisher, changed, &format!("bit {bit}")).await;
    }
    // Two values cannot be spliced: neither their ends nor their middles.
    let other = publisher.log_in(&["B"], Some(V)).await;
    for at in 0..cookie.len().min(other.len()) {
        let spliced = format!("{}{}", &cookie[..at], &other[at..]);
        if spliced != other && spliced != cookie {
            assert_no_cookie(&publisher, &spliced, &format!("spliced at {at}")).await;
        }
    }
}

/// CR-02: each value has one spelling.
#[tokio::test]
async fn cr_02_other_spellings() {
    let (publisher, cookie, token) = granted().await;
    for end in 0..token.len() {
        assert_no_good(&publisher, &token[..end], "a prefix").await;
    }
    for end in 0..cookie.len() {
        assert_no_cookie(&publisher, &cookie[..end], "a prefix").await;
    }
    let standard = |value: &str| STANDARD_NO_PAD.encode(URL_SAFE_NO_PAD.decode(value).unwrap());
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let with_other_end = |value: &str| {
        let (start, last) = value.split_at(value.len() - 1);
        alphabet.chars().map(|c| format!("{start}{c}")).filter(|own| !own.ends_with(last)).collect()
    };
    for (value, is_cookie) in [(&token, false), (&cookie, true)] {
        let mut others: Vec<String> = with_other_end(value);
        let added = ["A", "=", "==", "AA", "AAA", "AAAA", ".", "%20", "-"];
        others.extend(added.iter().map(|more| format!("{value}{more}")));
        others.extend(["A", "AAAA", "="].iter().map(|more| format!("{more}{value}")));
        others.extend([format!("{value}{value}"), format!("\"{value}\""), value.to_lowercase()]);
        others.push(value.chars().rev().collect());
        others.push(format!("{}%2D", &value[..value.len() - 1]));
        if standard(value) != *value {
            others.push(standard(value));
        }
        for other in others {
            if is_cookie {
                assert_no_cookie(&publisher, &other, &other).await;
            } else {
                assert_no_good(&publisher, &other, &other).await;
            }
        }
    }
}

/// Keys of which some pairs share their id.
fn numbered(number: u16) -> Vec<u8> {
    let [high, low] = number.to_be_bytes();
    (0..32_u8).map(|i| i.wrapping_mul(37) ^ low.rotate_left(u32::from(i) % 8) ^ high).collect()
}

/// CR-04: other keys, unknown ids, rotation.
#[tokio::test]
async fn cr_04_keys() {
    let with = |keyring: Keyring, clock: &SetClock| {
        Publisher::of(builder(clock).keyring(keyring), clock.clone())
    };
    let clock = clock();
    let store = std::sync::Arc::new(InMemory::new().unwrap());
    let shared = |keyring: Keyring| {
        let builder = builder(&clock).keyring(keyring).revocations(std::sync::Arc::clone(&store));
        Publisher::of(builder, clock.clone())
    };
    // Two different keys with the same id, found by looking at the id on the wire.
    let mut by_id = HashMap::new();
    let mut pair_of_keys = None;
    for number in 0..2000 {
        let Ok(keyring) = Keyring::from_bytes(&numbered(number)) else { continue };
        let cookie = with(keyring, &clock).log_in(&["A"], None).await;
        let id = URL_SAFE_NO_PAD.decode(cookie).unwrap()[1];
        if let Some(other) = by_id.insert(id, number) {
            pair_of_keys = Some((number, other));
            break;
        }
    }
    let (one, other) = pair_of_keys.expect("two of the keys share an id");
    let ring = |number| Keyring::from_bytes(&numbered(number)).unwrap();
    let (first, second) = (shared(ring(one)), shared(ring(other)));
    let cookie = first.log_in(&["A"], Some(V)).await;
    let token = first.token(&cookie).await;
    assert_eq!(authorized(&first, "sec", &format!("Bearer {token}")).await, 200);
    assert_no_good(&second, &token, "under another key of the same id").await;
    assert_no_cookie(&second, &cookie, "under another key of the same id").await;

    // An id that no key has.
    let mut bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
    for id in 0..=255 {
        if id != URL_SAFE_NO_PAD.decode(&token).unwrap()[1] {
            bytes[1] = id;
            assert_no_good(&first, &URL_SAFE_NO_PAD.encode(&bytes), "another key id").await;
        }
    }

    // {old}, {new*, old}, {new*}
    let old = shared(Keyring::from_bytes(&key(1)).unwrap());
    let both = shared(Keyring::from_bytes(&key(2)).unwrap().with_former(&key(1)).unwrap());
    let new = shared(Keyring::from_bytes(&key(2)).unwrap());
    let cookie = old.log_in(&["A"], Some(V)).await;
    let token = old.token(&cookie).await;
    let bearer = format!("Bearer {token}");
    assert_eq!(authorized(&both, "sec", &bearer).await, 200);
    assert_eq!(both.get(&image("sec"), &[("cookie", &pair(&cookie))]).await.status(), 200);
    assert_no_good(&new, &token, "under a dropped key").await;
    assert_no_cookie(&new, &cookie, "under a dropped key").await;
    let fresh = both.token(&cookie).await;
    assert_eq!(authorized(&new, "sec", &format!("Bearer {fresh}")).await, 200);
    assert_no_good(&old, &fresh, "a fresh token at an old node").await;
    let id = |value: &str| URL_SAFE_NO_PAD.decode(value).unwrap()[1];
    assert_ne!(id(&token), id(&fresh));
}

/// CR-06: what has ended.
#[tokio::test]
async fn cr_06_expired() {
    let (publisher, cookie, token) = granted().await;
    publisher.clock.advance(Duration::from_secs(301));
    assert_no_good(&publisher, &token, "after 301 s").await;
    let tile = publisher.get(&image("sec"), &[("cookie", &pair(&cookie))]).await;
    assert_eq!(tile.status(), 200, "the session lasts 600 s");
    publisher.clock.advance(Duration::from_secs(300));
    assert_no_cookie(&publisher, &cookie, "after 601 s").await;
    let page = token_page(&publisher, &query(), Some(&cookie)).await;
    assert_error(&page, "expiredAspect", V);
}

/// CR-06: to the millisecond.
#[tokio::test]
async fn cr_06_the_last_millisecond() {
    let (publisher, cookie, token) = granted().await;
    let bearer = format!("Bearer {token}");
    publisher.clock.advance(Duration::from_millis(299_999));
    assert_eq!(authorized(&publisher, "sec", &bearer).await, 200);
    publisher.clock.advance(Duration::from_millis(1));
    assert_eq!(authorized(&publisher, "sec", &bearer).await, 401);
    publisher.clock.advance(Duration::from_millis(299_999));
    let headers = [("cookie", &*pair(&cookie))];
    assert_eq!(publisher.get(&image("sec"), &headers).await.status(), 200);
    publisher.clock.advance(Duration::from_millis(1));
    assert_denied(&publisher.get(&image("sec"), &headers).await, 401);
}

/// An aspect whose sessions are issued at a moment of the test's choice.
struct At {
    issued: Timestamp,
    lifetime: Duration,
}

impl AuthorizingAspect for At {
    fn name(&self) -> &'static str {
        "at"
    }

    fn read(&self, _: &Head<'_>, _: Timestamp) -> Reading {
        let session = Session::builder("u1").role("A").for_any_viewer();
        let session = session.lasting(self.issued, self.lifetime);
        Answer::Now(session.map_err(|_| AspectError::Invalid))
    }
}

/// CR-07: clocks that differ, and moments that no clock shows.
#[tokio::test]
async fn cr_07_not_yet_and_never() {
    // A node whose clock is ahead mints, one whose clock is right is asked.
    for (ahead, accepted) in [(4, true), (5, true), (6, false), (600, false)] {
        let publisher = Publisher::new();
        let now = tower_iiif_auth::clock::Clock::now(&publisher.clock);
        publisher.clock.advance(Duration::from_secs(ahead));
        let cookie = publisher.log_in(&["A"], Some(V)).await;
        let token = publisher.token(&cookie).await;
        publisher.clock.set(now);
        let status = authorized(&publisher, "sec", &format!("Bearer {token}")).await;
        assert_eq!(status == 200, accepted, "a token from {ahead} s ahead");
        let tile = publisher.get(&image("sec"), &[("cookie", &pair(&cookie))]).await;
        assert_eq!(tile.status() == 200, accepted, "a cookie from {ahead} s ahead");
        let page = token_page(&publisher, &query(), Some(&cookie)).await;
        assert_eq!(posted(&page).0.get("accessToken").is_some(), accepted);
    }
    let now = 1_800_000_000_000;
    let day = 24 * 60 * 60;
    for (issued, lifetime, accepted) in [
        (now, 600, true),
        (now, day, true),
        (now + 4_000, 600, true),
        (now + 600_000, 600, false),
        (0, 1, false),
        (0, day, false),
        (1, 600, false),
        (now - 600_000, 600, false),
        (now - 600_000, 601, true),
        (i64::MAX as u64, 600, false),
        (i64::MAX as u64 + 1, 600, false),
        (u64::MAX, 600, false),
        (u64::MAX - 1_000, day, false),
    ] {
        let aspect =
            At { issued: Timestamp::from_millis(issued), lifetime: Duration::from_secs(lifetime) };
        let clock = clock();
        let builder = tower_iiif_auth::IiifAuth::builder(BASE)
            .keyring(crate::common::keyring())
            .clock(clock.clone())
            .images("/iiif/3")
            .realm(Realm::new().access(AccessService::external()).aspect(aspect))
            .authorizer(crate::common::rules());
        let publisher = Publisher::of(builder, clock);
        let tile = publisher.get(&image("sec"), &[]).await;
        assert_eq!(tile.status() == 200, accepted, "{issued} for {lifetime} s");
        let page = token_page(&publisher, &query(), None).await;
        let (message, _) = posted(&page);
        assert_eq!(message.get("accessToken").is_some(), accepted, "{message}");
        if let Some(seconds) = message.get("expiresIn") {
            assert!((1..=300).contains(&seconds.as_u64().unwrap()), "{message}");
        }
        assert_eq!(publisher.probe_status(&probe("sec"), None).await == 200, accepted);
    }
    // And the node's own clock at the end of time.
    for moment in [0, 1, i64::MAX as u64, u64::MAX - 1, u64::MAX] {
        let publisher = Publisher::new();
        publisher.clock.set(Timestamp::from_millis(moment));
        let page = publisher.get(&format!("/auth/login?origin={V}"), &[]).await;
        assert_eq!(page.status(), 200);
        assert_denied(&publisher.get(&image("sec"), &[]).await, 401);
        let flow = cookie_pair(&page, "__Host-iiif-flow").unwrap();
        let headers = [("cookie", &*flow), ("origin", BASE), ("x-roles", "A")];
        publisher.send(request(Method::POST, "/auth/login", &headers)).await;
        token_page(&publisher, &query(), Some("junk")).await;
    }
}

/// CR-08: a token never outlives its session, nor has it no life at all.
#[tokio::test]
async fn cr_08_expires_in() {
    for (passed, expected) in [
        (0, Some(300)),
        (299_000, Some(300)),
        (300_001, Some(299)),
        (560_000, Some(40)),
        (599_000, Some(1)),
        (599_001, None),
        (599_999, None),
        (600_000, None),
    ] {
        let publisher = Publisher::new();
        let cookie = publisher.log_in(&["A"], Some(V)).await;
        publisher.clock.advance(Duration::from_millis(passed));
        let page = token_page(&publisher, &query(), Some(&cookie)).await;
        let Some(expected) = expected else {
            assert_error(&page, "expiredAspect", V);
            continue;
        };
        let (message, _) = posted(&page);
        assert_eq!(message["expiresIn"], expected, "{passed} ms later: {message}");
        let token = message["accessToken"].as_str().unwrap();
        publisher.clock.advance(Duration::from_millis(expected * 1000 - 1));
        let bearer = format!("Bearer {token}");
        assert_eq!(authorized(&publisher, "sec", &bearer).await, 200, "{passed}");
        publisher.clock.advance(Duration::from_millis(1001));
        assert_eq!(authorized(&publisher, "sec", &bearer).await, 401, "{passed}");
    }
}

/// CR-10: keys that are none.
#[test]
fn cr_10_weak_keys() {
    let word = b"changemechangemechangemechangeme".to_vec();
    let weak = [
        vec![],
        key(0)[..15].to_vec(),
        key(0)[..31].to_vec(),
        vec![0; 32],
        vec![0xff; 64],
        word.clone(),
        word.repeat(4),
        b"0123456789abcdef0123456789abcdef".to_vec(),
        b"aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbb".to_vec(),
        b"passwordpasswordpasswordpassword".to_vec(),
    ];
    for bytes in &weak {
        assert!(Keyring::from_bytes(bytes).is_err(), "{bytes:?}");
        let text = base64::engine::general_purpose::STANDARD.encode(bytes);
        assert!(Keyring::from_base64(&text).is_err(), "{text}");
        let second = format!("{}\n{text}", URL_SAFE_NO_PAD.encode(key(3)));
        // An empty line is none.
        assert_eq!(Keyring::from_base64(&second).is_ok(), text.is_empty(), "{second}");
        assert!(crate::common::keyring().with_former(bytes).is_err(), "{bytes:?}");
    }
    let error = Keyring::from_base64("this is the secret!").unwrap_err();
    assert!(!format!("{error} {error:?}").contains("secret!"));
    let file = Keyring::from_file("/nonexistent/key").unwrap_err();
    assert!(file.to_string().contains("/nonexistent/key"));
}

/// Every step that logs something, and the secrets that were about.
async fn every_step() -> Vec<String> {
    let publisher = Publisher::new();
    let page = publisher.get(&format!("/auth/login?origin={V}"), &[]).await;
    let flow = cookie_pair(&page, "__Host-iiif-flow").unwrap();
    let cookie = crate::session::log_in_with(&publisher, &flow, &["A"]).await;
    let token = publisher.token(&cookie).await;
    let pair = pair(&cookie);
    let bearer = format!("Bearer {token}");
    let basic = "Basic c2VjcmV0OnBhc3N3b3Jk";
    publisher.get("/iiif/3/sec/info.json", &[("cookie", &pair)]).await;
    publisher.get(&image("sec"), &[("cookie", &pair), ("authorization", &bearer)]).await;
    publisher.get(&format!("{}?token={token}", image("sec")), &[("authorization", basic)]).await;
    publisher.get(&image("sec2"), &[("cookie", &pair)]).await;
    publisher.get(&image("%2e%2e"), &[("cookie", &pair)]).await;
    authorized(&publisher, "sec", &bearer).await;
    authorized(&publisher, "sec", basic).await;
    authorized(&publisher, "sec", &format!("Bearer {token}x")).await;
    token_page(&publisher, &format!("messageId={token}&origin={V}"), Some(&cookie)).await;
    token_page(&publisher, &format!("messageId=m&origin=*{token}"), Some(&cookie)).await;
    // A gesture page, and what is posted back from it.
    let headers = [("cookie", &*flow), ("x-roles", "A"), ("sec-fetch-site", "cross-site")];
    let gesture = publisher.send(request(Method::POST, "/auth/login", &headers)).await;
    let fields = crate::common::steps::fields(&gesture);
    let flow_cookie = cookie_pair(&gesture, "__Host-iiif-flow").unwrap();
    let form = crate::common::form("/auth/continue", &[("cookie", &flow_cookie)], &fields);
    publisher.send(form).await;
    publisher.get("/auth/logout", &[("cookie", &pair)]).await;
    let mut secrets = vec![cookie, token, fields.split(['=', '&']).nth(1).unwrap().to_owned()];
    secrets.extend([flow, flow_cookie].map(|own| own.split_once('=').unwrap().1.to_owned()));
    secrets.extend(["c2VjcmV0", "u1", "viewer.example"].map(str::to_owned));
    for key in [&key(7)[..], &key(7)[..16]] {
        secrets.extend([URL_SAFE_NO_PAD.encode(key), STANDARD_NO_PAD.encode(key)]);
        secrets.push(format!("{key:?}"));
    }
    secrets
}

/// CR-12: no secret in a log, at any level, in any step of the flow.
#[tokio::test]
async fn cr_12_no_secret_in_a_log() {
    let log = logs::record();
    let secrets = every_step().await;
    let text = log.text();
    if cfg!(feature = "tracing") {
        assert!(text.lines().count() > 10, "{text}");
    }
    for secret in secrets {
        assert!(!text.contains(&secret), "{secret} in {text}");
    }
}

/// CR-12: nor in what `{:?}` shows.
#[tokio::test]
async fn cr_12_no_secret_in_debug() {
    let publisher = Publisher::new();
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    let token = publisher.token(&cookie).await;
    let mut headers = HeaderMap::new();
    headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
    headers.insert("cookie", pair(&cookie).parse().unwrap());
    let mut asked = http::Request::new(());
    *asked.headers_mut() = headers;
    *asked.uri_mut() = format!("/iiif/3/sec/info.json?token={token}").parse().unwrap();
    let now = Timestamp::from_millis(1);
    let minute = Duration::from_secs(60);
    let making = Session::builder("secret-subject").role("A").origin(V.parse().unwrap());
    let session = making.clone().lasting(now, minute).unwrap();
    let resource = Resource::new("/iiif/3", "sec", ResourceKind::ImageService, "Image");
    let question = AccessRequest::new(resource.clone(), Some(session.clone()), now);
    let auth = &publisher.auth;
    let service = tower::service_fn(async |_: http::Request<crate::common::Body>| {
        Ok::<_, std::convert::Infallible>(http::Response::new(crate::common::Body::default()))
    });
    let mut stack = tower::Layer::layer(&auth.layer(), service);
    let path = format!("/auth/token?{}", query());
    let asking = request(Method::GET, &path, &[("cookie", &*pair(&cookie))]);
    let future = tower::Service::call(&mut stack, asking);
    let shown_future = format!("{future:?}");
    let response = future.await.unwrap();
    let shown = [
        shown_future,
        format!("{response:?}"),
        format!("{:?}", Head::of(&asked)),
        format!("{making:?} {session:?} {:?} {question:?}", session.id()),
        format!("{:?} {:?}", SessionId::from_bytes([7; 16]), SessionId::random()),
        format!("{auth:?} {:?} {:?} {:?}", auth.layer(), auth.check(), auth.services()),
        format!("{:?} {:?} {:?}", auth.token(), auth.probe(), auth.set_access_cookie()),
        format!("{:?} {:?}", auth.logout(), auth.describe()),
        format!("{:?} {:?}", crate::common::keyring(), builder(&clock())),
        format!("{:?} {:?}", AccessGrant::to("secret-subject").role("A"), AccessDeclined),
        format!("{:?} {:?}", InMemory::new().unwrap(), SystemClock),
        format!("{:?} {:?}", AccessCookie::new(), Realm::new()),
        format!("{:?}", IpRanges::new(["10.0.0.0/8"], "A")),
        format!("{:?}", TrustedHeader::new("x-user", ["10.0.0.1"])),
        format!("{:?}", ResponseBody::<crate::common::Body>::default()),
    ]
    .join("\n");
    for secret in [&*cookie, &*token, "secret-subject", &URL_SAFE_NO_PAD.encode(key(7))] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    assert!(!shown.contains("[7, 7"), "{shown}");
}
