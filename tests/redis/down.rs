//! The store is gone, hangs, or is full.

use std::future::Future;
use std::task::Poll;
use std::time::{Duration, Instant};

use http::Method;
use tower_iiif_auth::revocation::Revocations;

use crate::common::{
    BASE, COOKIE, V, assert_denied, cookie_pair, image, request, set_cookies, text,
};
use crate::redis_server::RedisServer;
use crate::{LATER, NOW, always_asked, log_out, new_id, node, tile, wait, with_staleness};

/// Within a second, as the store's time limit is half of it here.
async fn in_time<T>(what: &str, work: impl Future<Output = T>) -> T {
    let before = Instant::now();
    let outcome = work.await;
    let took = before.elapsed();
    assert!(took < Duration::from_millis(1200), "{what} took {took:?}");
    outcome
}

/// RE-01 and SE-16: without the store nobody is let in or told that they are logged out, and what is
/// open stays open. When it is back, everything is as it was.
#[tokio::test]
async fn re_01_killed_or_paused() {
    for kill in [true, false] {
        let mut server = RedisServer::keeping();
        let store = always_asked(&server).await;
        let node = node(&store);
        let cookie = node.log_in(&["A"], Some(V)).await;
        let token = node.token(&cookie).await;
        let flow = node.get(&format!("/auth/login?origin={V}"), &[]).await;
        let flow = cookie_pair(&flow, "__Host-iiif-flow").unwrap();
        assert_eq!(tile(&node, &cookie).await, 200);
        if kill {
            server.kill();
        } else {
            server.pause();
        }

        let pair = format!("{COOKIE}={cookie}");
        let calls = node.calls();
        for path in [image("sec"), "/files/sec".to_owned()] {
            let headers = [("cookie", &*pair)];
            let denied = in_time("a tile", node.get(&path, &headers)).await;
            assert_denied(&denied, 503);
            assert!(!text(&denied).contains("127.0.0.1"), "{denied:?}");
        }
        assert_eq!(node.calls(), calls);
        let query = format!("messageId=m1&origin={V}");
        let headers = [("cookie", &*pair)];
        let (message, _) = in_time("a token", node.token_message(&query, &headers)).await;
        assert_eq!(message["profile"], "unavailable");
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", &*bearer)];
        let result = in_time("a probe", node.probe("/iiif/3/sec", &headers)).await;
        assert_eq!(result["status"], 503);
        for cookie in [flow.clone(), format!("{flow}; {pair}")] {
            let headers = [("cookie", &*cookie), ("origin", BASE), ("x-roles", "A")];
            let asked = request(Method::POST, "/auth/login", &headers);
            let login = in_time("a login", node.send(asked)).await;
            assert_eq!(login.status(), 503);
            assert!(cookie_pair(&login, COOKIE).is_none());
        }
        let headers = [("cookie", &*pair)];
        let page = in_time("a logout", node.get("/auth/logout", &headers)).await;
        assert_eq!(page.status(), 503);
        assert!(set_cookies(page.headers()).iter().any(|cookie| cookie.contains("Max-Age=0")));
        assert_eq!(in_time("an open image", node.get(&image("pub"), &[])).await.status(), 200);

        if kill {
            server.begin();
        } else {
            server.resume();
        }
        // Others are refused for a moment after a connection failed.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let expected = if kill { 200 } else { tile(&node, &cookie).await };
        // A paused server may have got the logout, and carries it out when it wakes.
        assert!(matches!(expected, 200 | 401), "{expected}");
        assert_eq!(tile(&node, &cookie).await, expected);
        let cookie = node.log_in(&["A"], Some(V)).await;
        assert_eq!(tile(&node, &cookie).await, 200);
        assert_eq!(log_out(&node, &cookie).await, 200);
        assert_eq!(tile(&node, &cookie).await, 401);
    }
}

/// RE-01: what is known is answered as long as it may be relied on, and no longer.
#[tokio::test]
async fn re_01_the_cache_bridges_a_short_outage() {
    let mut server = RedisServer::keeping();
    let staleness = Duration::from_secs(2);
    let node = node(&with_staleness(&server, staleness).await);
    let out = node.log_in(&["A"], Some(V)).await;
    assert_eq!(log_out(&node, &out).await, 200);
    let cookie = node.log_in(&["A"], Some(V)).await;
    let asked = Instant::now();
    assert_eq!(tile(&node, &cookie).await, 200);
    server.kill();
    let mut last = Duration::ZERO;
    loop {
        let sent = asked.elapsed();
        match tile(&node, &cookie).await {
            200 => last = sent,
            503 => break,
            other => panic!("{other}"),
        }
        assert!(asked.elapsed() < Duration::from_secs(5), "it is served on and on");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!((Duration::from_millis(500)..=staleness).contains(&last), "{last:?}");
    assert_eq!(tile(&node, &out).await, 401, "a logout is not forgotten");
}

/// RE-01: a thousand that wait for a store that hangs leave nothing behind.
#[tokio::test]
async fn re_01_no_task_is_left() {
    let server = RedisServer::start("");
    let store = always_asked(&server).await;
    let node = node(&store);
    let cookie = node.log_in(&["A"], Some(V)).await;
    assert_eq!(tile(&node, &cookie).await, 200);
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    server.pause();
    let waiting: Vec<_> = (0..1000)
        .map(|_| {
            let (node, cookie) = (node.clone(), cookie.clone());
            tokio::spawn(async move { tile(&node, &cookie).await })
        })
        .collect();
    for task in waiting {
        assert_eq!(in_time("one of many", task).await.unwrap(), 503);
    }
    server.resume();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(tile(&node, &cookie).await, 200);
    assert!(tasks() <= before, "{} tasks, {before} before", tasks());
}

/// SE-16: a full store refuses logouts, which say so, and goes on answering.
#[tokio::test]
async fn se_16_full() {
    let server = RedisServer::start("--maxmemory-policy noeviction");
    let store = always_asked(&server).await;
    let node = node(&store);
    let cookie = node.log_in(&["A"], Some(V)).await;
    let dead = node.log_in(&["A"], Some(V)).await;
    assert_eq!(log_out(&node, &dead).await, 200);
    let () = server.ask(&["CONFIG", "SET", "maxmemory", "1"]);

    assert_eq!((tile(&node, &cookie).await, tile(&node, &dead).await), (200, 401));
    let pair = format!("{COOKIE}={cookie}");
    let page = node.get("/auth/logout", &[("cookie", &pair)]).await;
    assert_eq!(page.status(), 503);
    assert!(set_cookies(page.headers()).iter().any(|cookie| cookie.contains("Max-Age=0")));
    assert_eq!(tile(&node, &cookie).await, 200, "the page said that it still lives");
    let fresh = node.log_in(&["A"], Some(V)).await;
    assert_eq!(tile(&node, &fresh).await, 200);
    let code = new_id(&store);
    let error = wait(store.claim(code, LATER, NOW)).await.unwrap_err().to_string();
    assert!(error.contains("OOM"), "{error}");

    let () = server.ask(&["CONFIG", "SET", "maxmemory", "0"]);
    assert_eq!(log_out(&node, &cookie).await, 200);
    assert_eq!((tile(&node, &cookie).await, tile(&node, &fresh).await), (401, 200));
    assert!(wait(store.claim(code, LATER, NOW)).await.unwrap());
}

/// A user who closes the tab at once is logged out all the same.
#[tokio::test]
async fn a_logout_is_carried_out_though_nobody_waits() {
    let server = RedisServer::start("");
    let store = always_asked(&server).await;
    let id = new_id(&store);
    let mut cut_off = Box::pin(wait(store.revoke(id, LATER, NOW)));
    let first = std::future::poll_fn(|cx| Poll::Ready(cut_off.as_mut().poll(cx).is_pending()));
    assert!(first.await, "it waits for the store");
    drop(cut_off);
    let begun = Instant::now();
    while !wait(store.is_revoked(id, NOW)).await.unwrap() {
        assert!(begun.elapsed() < Duration::from_secs(5), "the logout was lost");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
