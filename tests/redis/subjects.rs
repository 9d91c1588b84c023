//! All sessions of a subject, ended at one node.

use std::time::{Duration, Instant};

use http::Method;
use tower_iiif_auth::aspect::Head;

use crate::common::{COOKIE, V, request};
use crate::redis_server::RedisServer;
use crate::{always_asked, node, tile, with_staleness};

/// RE-11: at once where it was said, and elsewhere within the staleness; who logs in after that is in, at
/// every node, and at the same moment by the clock.
#[tokio::test]
async fn re_11_all_sessions_of_a_subject() {
    let server = RedisServer::start("");
    for staleness in [Duration::ZERO, Duration::from_millis(600)] {
        let (here, there) =
            (with_staleness(&server, staleness).await, with_staleness(&server, staleness).await);
        let (here, there) = (node(&here), node(&there));
        for round in 0..2 {
            let one = here.log_in(&["A"], Some(V)).await;
            let other = there.log_in(&["A"], Some(V)).await;
            let token = there.token(&other).await;
            for (node, cookie) in [(&here, &one), (&here, &other), (&there, &one), (&there, &other)]
            {
                assert_eq!(tile(node, cookie).await, 200, "round {round}");
            }
            assert_eq!(there.probe_status("/iiif/3/sec", Some(&token)).await, 200);
            here.auth.end_sessions_of("", "u2").await.unwrap();
            assert_eq!(tile(&here, &one).await, 200, "another's");
            here.auth.end_sessions_of("", "u1").await.unwrap();
            let ended = Instant::now();
            assert_eq!((tile(&here, &one).await, tile(&here, &other).await), (401, 401));
            let mut longest = Duration::ZERO;
            while tile(&there, &one).await == 200 || tile(&there, &other).await == 200 {
                longest = ended.elapsed();
                assert!(longest < Duration::from_secs(5), "they are served on and on");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            assert!(longest <= staleness, "still served after {longest:?}, of {staleness:?}");
            assert_eq!(there.probe_status("/iiif/3/sec", Some(&token)).await, 401);
            for node in [&there, &here] {
                let after = node.log_in(&["A"], Some(V)).await;
                assert_eq!((tile(&here, &after).await, tile(&there, &after).await), (200, 200));
            }
        }
    }
    // Nobody who reads the store learns whom.
    let keys: Vec<String> = server.ask(&["KEYS", "*:subject:*"]);
    assert_eq!(keys.len(), 2, "{keys:?}");
    assert!(keys.iter().all(|key| !key.contains("u1")), "{keys:?}");
    let left: i64 = server.ask(&["PTTL", &keys[0]]);
    assert!((86_000_000..=86_410_000).contains(&left), "it ends with the last session: {left}");
}

/// RE-01: while the store is down nothing is said to have ended, and nobody logs in.
#[tokio::test]
async fn re_01_down() {
    let mut server = RedisServer::start("");
    let store = always_asked(&server).await;
    let node = node(&store);
    let cookie = node.log_in(&["A"], Some(V)).await;
    let pair = format!("{COOKIE}={cookie}");
    let own = request(Method::GET, "/", &[("cookie", &pair)]);
    let header = node.auth.reissue("", Head::of(&own), ["A", "B"]).await.unwrap();
    let new = header.to_str().unwrap().split([';', '=']).nth(1).unwrap().to_owned();
    assert_eq!((tile(&node, &cookie).await, tile(&node, &new).await), (401, 200));
    server.kill();
    assert!(node.auth.end_sessions_of("", "u1").await.is_err());
    assert!(node.auth.reissue("", Head::of(&own), ["A"]).await.is_err());
    assert_eq!(tile(&node, &new).await, 503);
}
