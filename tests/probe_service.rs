//! The probe: V2-PROBE, V2-SUB, and what CLI and CON say of it.

mod common;

use std::convert::Infallible;
use std::time::Duration;

use common::shapes::{assert_members, assert_probe_result, assert_probe_service};
use common::steps::from_peer;
use common::{BASE, COOKIE, Publisher, V, assert_denied, builder, clock, image, json, request};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tower_iiif_auth::aspect::IpRanges;
use tower_iiif_auth::authorizer::{
    AccessRequest, Decision, Denial, RolesFor, Substitute, from_async_fn,
};
use tower_iiif_auth::{
    AccessCookie, AccessService, IiifAuth, IiifAuthBuilder, LanguageMap, Limits, Message, Realm,
};

/// One resource for each thing that a decision may say.
fn decide(request: &AccessRequest<'_>) -> Decision {
    let identifier = request.identifier();
    match identifier.split('.').next().unwrap_or_default() {
        "pub" => Decision::Grant,
        "sec" | "dir/sec" if request.has_role("A") => Decision::Grant,
        "sec" | "dir/sec" if request.session().is_some() => Denial::never().into(),
        "embargoed" => Denial::never().message(Message::new("Embargoed")).into(),
        "hidden" => Denial::absent().into(),
        "busy" => Denial::later().into(),
        "moved" => Decision::Redirect("https://iiif.example/files/pub.mp4".parse().unwrap()),
        _ => Denial::login().into(),
    }
}

fn publisher() -> Publisher {
    let clock = clock();
    Publisher::of(builder(&clock).authorize_with(decide), clock)
}

/// The header of a bearer.
fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

#[tokio::test]
async fn it_says_what_the_content_route_would_answer() {
    let publisher = publisher();
    let mut users = vec![(String::new(), None)];
    for roles in [&["A"][..], &["C"]] {
        let cookie = format!("{COOKIE}={}", publisher.log_in(roles, Some(V)).await);
        let token = publisher.token(&cookie[COOKIE.len() + 1..]).await;
        users.push((cookie, Some(token)));
    }
    for (path, expected) in [
        ("/iiif/3/pub", [200, 200, 200]),
        // V2-PROBE-17: 401 where a login may help, 403 where nothing does.
        ("/iiif/3/sec", [401, 200, 403]),
        ("/iiif/3/dir%2Fsec", [401, 200, 403]),
        ("/iiif/3/embargoed", [403, 403, 403]),
        ("/iiif/3/hidden", [404, 404, 404]),
        ("/iiif/3/busy", [503, 503, 503]),
        ("/iiif/3/moved", [302, 302, 302]),
        ("/iiif/3/anything-else", [401, 401, 401]),
        ("/files/pub.mp4", [200, 200, 200]),
        ("/files/sec.mp4", [401, 200, 403]),
        ("/files/hidden.pdf", [404, 404, 404]),
        ("/files/moved.mp4", [302, 302, 302]),
        // Paths that name nothing, or nothing that is sure.
        ("/files/%2e%2e/sec.mp4", [400, 400, 400]),
        ("/iiif/3/sec;a", [400, 400, 400]),
        ("/elsewhere/sec", [404, 404, 404]),
    ] {
        for ((cookie, token), status) in users.iter().zip(expected) {
            let result = publisher.result(path, token.as_deref()).await;
            // V2-PROBE-5, V2-PROBE-6: an integer, the content route's own.
            assert_eq!(result["status"], json!(status), "{path}");
            let content = match path.strip_prefix("/iiif/3/") {
                Some(identifier) => image(identifier),
                None => path.to_owned(),
            };
            let content = publisher.get(&content, &[("cookie", cookie)]).await;
            assert_eq!(content.status().as_u16(), status, "{path}");
            if status >= 400 {
                assert_denied(&content, status);
                // V2-PROBE-15, V2-PROBE-16
                assert!(result.get("heading").is_some(), "{result}");
            }
            // V2-PROBE-13: a location with 302, and only then.
            assert_eq!(result.get("location").is_some(), status == 302, "{result}");
            // V2-PROBE-18: nothing of services or ids in the result itself.
            assert_eq!((result.get("service"), result.get("id")), (None, None));
            // V2-SUB-1
            assert_eq!(result.get("substitute"), None);
        }
    }
}

#[tokio::test]
async fn every_answer_is_http_200_with_the_same_headers() {
    let publisher = publisher();
    for path in ["pub", "sec", "embargoed", "hidden", "busy", "moved", "a/b", "%2e%2e", ""] {
        for headers in [
            &[][..],
            &[("origin", V)],
            &[("authorization", "Bearer junk"), ("origin", V)],
            &[("authorization", "Basic YTpi")],
            &[("cookie", "__Host-iiif=junk")],
        ] {
            let response = publisher.get(&format!("/auth/probe/iiif/3/{path}"), headers).await;
            // V2-PROBE-4: whatever is reported, and never a redirect.
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            assert!(!response.headers().contains_key("location"));
            assert!(!response.headers().contains_key("www-authenticate"));
            assert_probe_result(&json(&response));
            // V2-PROBE-12, CLI-6
            let all = response.headers().get_all("access-control-allow-origin");
            assert_eq!(all.iter().collect::<Vec<_>>(), ["*"]);
            assert!(!response.headers().contains_key("access-control-allow-credentials"));
            // V2-PROBE-19
            assert_eq!(response.headers()["cache-control"], "private, no-store");
            let vary = response.headers()["vary"].to_str().unwrap();
            assert!(vary.split(", ").any(|name| name == "Authorization"), "{vary}");
            assert_eq!(response.headers()["content-type"], "application/json");
        }
    }
    let head = request(Method::HEAD, "/auth/probe/iiif/3/sec", &[]);
    let head = publisher.send(head).await;
    // V2-PROBE-4
    assert_eq!((head.status(), head.body().len()), (StatusCode::OK, 0));
    let post = publisher.send(request(Method::POST, "/auth/probe/iiif/3/sec", &[])).await;
    // V2-PROBE-12: on a method that a probe does not have as well.
    assert_eq!(post.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(post.headers()["access-control-allow-origin"], "*");
    assert_eq!(publisher.calls(), 0, "the image server hears nothing of probes");
}

#[tokio::test]
async fn preflights_are_answered_before_anything_is_asked() {
    let clock = clock();
    let publisher = Publisher::of(
        builder(&clock).authorize_with(|_| -> bool { panic!("nobody is asked") }),
        clock,
    );
    for path in ["/iiif/3/sec", "/iiif/3/pub", "/files/a", "/nowhere", "/%2e%2e", ""] {
        let headers = [
            ("origin", V),
            ("access-control-request-method", "GET"),
            ("access-control-request-headers", "authorization"),
        ];
        let path = format!("/auth/probe{path}");
        let response = publisher.send(request(Method::OPTIONS, &path, &headers)).await;
        // V2-PROBE-11, CLI-6
        assert!(response.status().is_success(), "{path}");
        let listed = |name: &str, value: &str| {
            let all = response.headers()[name].to_str().unwrap().split(',');
            all.map(str::trim).any(|own| own.eq_ignore_ascii_case(value))
        };
        assert_eq!(response.headers()["access-control-allow-origin"], "*");
        assert!(listed("access-control-allow-methods", "GET"));
        assert!(listed("access-control-allow-headers", "Authorization"));
        assert!(!response.headers().contains_key("access-control-allow-credentials"));
    }
    assert_eq!(publisher.calls(), 0);
}

#[tokio::test]
async fn a_first_call_has_no_token() {
    let clock = clock();
    let room = IpRanges::new(["192.0.2.0/24"], "A").unwrap();
    let realm = Realm::new()
        .access(AccessService::active("login", "Library"))
        .aspect(AccessCookie::new().or(room));
    let publisher = Publisher::of(with_realms([realm]).clock(clock.clone()), clock);
    let cookie = format!("{COOKIE}={}", publisher.log_in(&["A"], Some(V)).await);
    let path = "/auth/probe/iiif/3/sec";
    for (headers, peer, status) in [
        (&[][..], "198.51.100.1", 401),
        // V2-PROBE-7: what the probe request itself has of aspects counts.
        (&[("cookie", &*cookie)], "198.51.100.1", 200),
        (&[], "192.0.2.1", 200),
        // CON-24, V2-PROBE-9: a bad token takes nothing away.
        (&[("cookie", &cookie), ("authorization", "Bearer junk")], "198.51.100.1", 200),
        (&[("authorization", "Bearer junk")], "192.0.2.1", 200),
        (&[("authorization", "Bearer junk")], "198.51.100.1", 401),
    ] {
        let ask = from_peer(request(Method::GET, path, headers), peer);
        let response = publisher.send(ask).await;
        assert_eq!(response.status(), StatusCode::OK);
        let result = json(&response);
        assert_probe_result(&result);
        assert_eq!(result["status"], status, "{headers:?} from {peer}");
    }
}

#[tokio::test]
async fn only_a_bearer_header_is_read() {
    let publisher = publisher();
    let token = publisher.token(&publisher.log_in(&["A"], Some(V)).await).await;
    let path = "/auth/probe/iiif/3/sec";
    for (value, status) in [
        ("Bearer T", 200),
        // V2-PROBE-8: the scheme in any case.
        ("bearer T", 200),
        ("BEARER T", 200),
        ("Basic T", 401),
        ("Token T", 401),
        ("T", 401),
        ("Bearer", 401),
        ("Bearer ", 401),
        ("Bearer T T", 401),
        ("Bearer \"T\"", 401),
        ("Bearer=T", 401),
    ] {
        let value = value.replace('T', &token);
        let response = publisher.get(path, &[("authorization", &value)]).await;
        // V2-PROBE-8: everything else counts as no token.
        assert_eq!(json(&response)["status"], status, "{value:.12}");
    }
    let value = bearer(&token);
    for (query, headers) in [
        // V2-PROBE-8: never a parameter, nor any other field.
        (format!("?token={token}&access_token={token}&accessToken={token}"), vec![]),
        (String::new(), vec![("x-access-token", &*token), ("proxy-authorization", &value)]),
        (String::new(), vec![("cookie", &token)]),
        (String::new(), vec![("authorization", &value), ("authorization", &value)]),
    ] {
        let response = publisher.get(&format!("{path}{query}"), &headers).await;
        assert_eq!(json(&response)["status"], 401, "{query:.12}");
    }
}

#[tokio::test]
async fn a_bad_token_counts_as_none() {
    let publisher = publisher();
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    let token = publisher.token(&cookie).await;
    let foreign = {
        let other = self::publisher();
        other.token(&other.log_in(&["A"], Some(V)).await).await
    };
    let mut bad = vec![
        "junk".to_owned(),
        "undefined".to_owned(),
        cookie.clone(),
        token[..token.len() - 1].to_owned(),
        format!("{token}A"),
        // Sealed under the same keys, for sessions that this process does not vouch for.
        foreign,
    ];
    bad.extend((0..token.len()).step_by(7).map(|at| {
        let mut bytes = token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    }));
    for bad in &bad {
        // V2-PROBE-9: unknown, malformed, changed, foreign: HTTP 200 and the answer to nobody.
        let result = publisher.result("/iiif/3/sec", Some(bad)).await;
        assert_eq!(result["status"], 401, "{bad:.20}");
        assert_eq!(publisher.result("/iiif/3/pub", Some(bad)).await["status"], 200);
    }
    assert_eq!(publisher.result("/iiif/3/sec", Some(&token)).await["status"], 200);
    // V2-PROBE-9: from another viewer's page.
    let from_elsewhere = [("authorization", &*bearer(&token)), ("origin", "https://b.example")];
    let result = publisher.probe("/iiif/3/sec", &from_elsewhere).await;
    assert_eq!(result["status"], 401);
    // V2-PROBE-9: live: the session's end, by logout and by time, shows at once.
    let headers = [("cookie", &*format!("{COOKIE}={cookie}"))];
    publisher.get("/auth/logout", &headers).await;
    assert_eq!(publisher.result("/iiif/3/sec", Some(&token)).await["status"], 401);
    let token = publisher.token(&publisher.log_in(&["A"], Some(V)).await).await;
    publisher.clock.advance(Duration::from_secs(300));
    assert_eq!(publisher.result("/iiif/3/sec", Some(&token)).await["status"], 401);
}

fn with_realms(realms: impl IntoIterator<Item = Realm>) -> IiifAuthBuilder {
    let builder = IiifAuth::builder(BASE)
        .keyring(common::keyring())
        .images("/iiif/3")
        .files("/files")
        .authorizer(common::rules());
    realms.into_iter().fold(builder, IiifAuthBuilder::realm)
}

#[tokio::test]
async fn tokens_of_its_grandchildren_count_and_no_others() {
    let clock = clock();
    let publisher = Publisher::of(
        with_realms([
            Realm::new().access(AccessService::active("login", "Library")),
            Realm::named("terms").access(AccessService::click_through("agree", "Archive", "Terms")),
            Realm::named("staff")
                .access(AccessService::active("login", "Staff").protects(["vault*"])),
        ])
        .authorize_with(|request| request.session().is_some())
        .clock(clock.clone()),
        clock,
    );
    let mut tokens = vec![];
    let library = publisher.log_in_at("/auth/login", COOKIE, "", V).await;
    tokens.push(publisher.token_at("/auth/token", &format!("{COOKIE}={library}")).await);
    let terms = publisher.press("/auth/terms/agree", V, "accept").await;
    let terms = common::cookie_pair(&terms, "__Host-iiif-terms").unwrap();
    tokens.push(publisher.token_at("/auth/terms/token", &terms).await);
    let staff = publisher.log_in_at("/auth/staff/login", "__Host-iiif-staff", "", V).await;
    let staff = format!("__Host-iiif-staff={staff}");
    tokens.push(publisher.token_at("/auth/staff/token", &staff).await);

    for (identifier, expected) in [("page", [200, 200, 401]), ("vault-1", [401, 401, 200])] {
        // V2-PROBE-10: those that the description names below the probe, and only those.
        let probe = publisher.services(identifier).await.remove(0);
        let declared = probe.to_string();
        let services = ["/auth/token", "/auth/terms/token", "/auth/staff/token"];
        for ((token, status), service) in tokens.iter().zip(expected).zip(services) {
            let below = declared.contains(&format!("\"{BASE}{service}\""));
            assert_eq!(below, status == 200, "{identifier} {service}");
            let result = publisher.result(&format!("/iiif/3/{identifier}"), Some(token)).await;
            assert_eq!(result["status"], status, "{identifier} {service}");
        }
    }
}

#[tokio::test]
async fn each_resource_has_a_probe_of_its_own() {
    let publisher = publisher();
    let token = publisher.token(&publisher.log_in(&["A"], Some(V)).await).await;
    for identifier in ["sec", "dir%2Fsec", "other", "a%20b"] {
        let probe = publisher.services(identifier).await.remove(0);
        // V2-PROBE-18: from the description to the probe of that very resource.
        let id = probe["id"].as_str().unwrap();
        let path = id.strip_prefix(&format!("{BASE}/auth/probe")).unwrap();
        assert_eq!(path, format!("/iiif/3/{identifier}"));
        let expected = if identifier.ends_with("sec") { 200 } else { 401 };
        assert_eq!(publisher.result(path, Some(&token)).await["status"], expected);
    }
}

#[tokio::test]
async fn a_redirect_names_where_to() {
    let publisher = publisher();
    for (path, content, kind) in [
        ("/iiif/3/moved", image("moved"), "Image"),
        ("/files/moved.mp4", "/files/moved.mp4".to_owned(), "Video"),
        ("/files/moved.pdf", "/files/moved.pdf".to_owned(), "Text"),
    ] {
        let result = publisher.result(path, None).await;
        // V2-PROBE-13, V2-PROBE-14: one object, of the original's type, beside a 302.
        let expected = json!({"id": "https://iiif.example/files/pub.mp4", "type": kind});
        assert_eq!((&result["status"], &result["location"]), (&json!(302), &expected));
        assert_members(&result, &["@context", "type", "status", "location"], &[]);
        let content = publisher.get(&content, &[]).await;
        assert_eq!(content.status(), StatusCode::FOUND);
        assert_eq!(content.headers()["location"], "https://iiif.example/files/pub.mp4");
    }
}

#[tokio::test]
async fn what_can_not_be_decided_is_said_in_the_result() {
    let fail = |how: &'static str| {
        from_async_fn(move |_| async move {
            match how {
                "panic" => panic!("the policy server panics"),
                "never" => std::future::pending().await,
                _ => Err::<bool, _>("the policy server is down"),
            }
        })
    };
    for how in ["error", "panic", "never"] {
        let clock = clock();
        let publisher = Publisher::of(
            builder(&clock)
                .authorizer(fail(how))
                .limits(Limits::new().max_decision_time(Duration::from_millis(20))),
            clock,
        );
        // V2-PROBE-4, V2-PROBE-6
        let result = publisher.result("/iiif/3/sec", None).await;
        assert_eq!(result["status"], 503, "{how}");
        assert_denied(&publisher.get(&image("sec"), &[]).await, 503);
        assert_eq!(publisher.calls(), 0);
    }
}

#[tokio::test]
async fn decisions_that_wait_are_the_same() {
    let clock = clock();
    let later = from_async_fn(|request: AccessRequest<'static>| async move {
        tokio::task::yield_now().await;
        Ok::<_, Infallible>(request.has_role("A"))
    });
    let publisher = Publisher::of(builder(&clock).authorizer(later), clock);
    let cookie = publisher.log_in(&["A"], Some(V)).await;
    let token = publisher.token(&cookie).await;
    let cookie = format!("{COOKIE}={cookie}");
    // V2-PROBE-6, V2-PROBE-7
    for (headers, status) in [
        (vec![("authorization", bearer(&token))], 200),
        (vec![("cookie", cookie.clone())], 200),
        (vec![], 401),
    ] {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let result = publisher.probe("/iiif/3/sec", &headers).await;
        assert_eq!(result["status"], status);
    }
    let tile = publisher.get(&image("sec"), &[("cookie", &cookie)]).await;
    assert_eq!(tile.status(), StatusCode::OK);
}

/// Three tiers: everybody the least, readers the middle, curators the best.
fn tiers() -> Publisher {
    let clock = clock();
    let labelled = |identifier: &str, label: &str| {
        Substitute::of_same_base(identifier).label(LanguageMap::new("en", label))
    };
    let rules = RolesFor::new()
        .open("*-least")
        .roles("*-middle", ["A"])
        .roles("*-alone", ["curator"])
        .substitute(Substitute::of_same_base("p-least"))
        .nobody("*-closed", "Closed")
        .substitute(Substitute::of_same_base("p-least"))
        .roles("*-away", ["curator"])
        .substitute(Substitute::elsewhere("https://cdn.example/small.jpg".parse().unwrap()))
        .roles("p*", ["curator"])
        .substitute(labelled("p-middle", "Middle"))
        .substitute(labelled("p-least", "Least"));
    Publisher::of(builder(&clock).authorizer(rules), clock)
}

/// The `id` of an image of this identifier, as a substitute names it.
fn image_id(identifier: &str) -> Value {
    json!(format!("{BASE}{}", image(identifier)))
}

#[tokio::test]
async fn lesser_versions_are_offered_to_those_who_are_denied() {
    let publisher = tiers();
    let mut tokens = vec![(None, String::new())];
    for roles in [&["A"][..], &["curator"]] {
        let cookie = publisher.log_in(roles, Some(V)).await;
        tokens.push((Some(publisher.token(&cookie).await), format!("{COOKIE}={cookie}")));
    }
    for (index, (token, cookie)) in tokens.iter().enumerate() {
        let result = publisher.result("/iiif/3/p", token.as_deref()).await;
        if index == 2 {
            // V2-SUB-1: never beside a grant.
            assert_members(&result, &["@context", "type", "status"], &[]);
            assert_eq!(result["status"], 200);
            continue;
        }
        // V2-SUB-9, V2-PROBE-17, CON-10: 401 for the reader as well, or no client would look.
        assert_eq!(result["status"], 401);
        let [middle, least] = &result["substitute"].as_array().unwrap()[..] else {
            panic!("{result}")
        };
        for (substitute, identifier, label, allowed) in
            [(middle, "p-middle", "Middle", index == 1), (least, "p-least", "Least", true)]
        {
            // V2-SUB-2, V2-SUB-3, V2-SUB-8, V2-SUB-9: an image, at a URI of its own, labelled.
            assert_members(substitute, &["id", "type", "label", "service"], &[]);
            assert_eq!(substitute["id"], image_id(identifier));
            assert_eq!(substitute["type"], "Image");
            assert_eq!(substitute["label"], json!({"en": [label]}));
            let [service] = &substitute["service"].as_array().unwrap()[..] else {
                panic!("{substitute}")
            };
            assert_eq!(service["id"], json!(format!("{BASE}/iiif/3/{identifier}")));
            // V2-SUB-4: without services exactly where this very user gets it.
            assert_eq!(service.get("service").is_none(), allowed, "{service}");
            let content = publisher.get(&image(identifier), &[("cookie", cookie)]).await;
            assert_eq!(content.status() == StatusCode::OK, allowed);
            if !allowed {
                // V2-SUB-5: with a probe of its own, which works.
                let probe = &service["service"][0];
                assert_probe_service(probe, false);
                let path = format!("/iiif/3/{identifier}");
                assert_eq!(probe["id"], json!(format!("{BASE}/auth/probe{path}")));
                assert_eq!(publisher.result(&path, None).await["status"], 401);
            }
        }
        // CON-13: the content route denies plainly and sends nobody to the lesser version.
        let content = publisher.get(&image("p"), &[("cookie", cookie)]).await;
        assert_denied(&content, 401);
        assert!(!content.headers().contains_key("location"));
    }
    // V2-SUB-8
    let services = [publisher.services("p").await, publisher.services("p-middle").await];
    assert_ne!(services[0][0]["id"], services[1][0]["id"]);
}

#[tokio::test]
async fn one_much_lower_version_may_be_all_that_is_offered() {
    let publisher = tiers();
    let token = publisher.token(&publisher.log_in(&["A"], Some(V)).await).await;
    for identifier in ["p-alone", "p-closed"] {
        for token in [None, Some(&*token)] {
            let result = publisher.result(&format!("/iiif/3/{identifier}"), token).await;
            // V2-SUB-7, V2-PROBE-17: 401 also where no login would help, for the sake of it.
            assert_eq!(result["status"], 401);
            assert_eq!(result["substitute"].as_array().unwrap().len(), 1);
            assert_eq!(result["substitute"][0]["id"], image_id("p-least"));
            assert_denied(&publisher.get(&image(identifier), &[]).await, 401);
        }
    }
    let result = publisher.result("/iiif/3/p-away", None).await;
    // V2-SUB-2, V2-SUB-3: elsewhere, said to be open.
    let expected = json!([{"id": "https://cdn.example/small.jpg", "type": "Image"}]);
    assert_eq!(result["substitute"], expected);
}

#[tokio::test]
async fn files_have_lesser_versions_too() {
    let clock = clock();
    let rules = RolesFor::new()
        .open("least.mp4")
        .roles("middle.mp4", ["A"])
        .roles("*", ["curator"])
        .substitute(Substitute::of_same_base("middle.mp4").label("Middle"))
        .substitute(Substitute::of_same_base("least.mp4").label("Least"));
    let publisher = Publisher::of(builder(&clock).authorizer(rules), clock);
    let result = publisher.result("/files/best.mp4", None).await;
    let [middle, least] = &result["substitute"].as_array().unwrap()[..] else { panic!("{result}") };
    // V2-SUB-3, V2-SUB-4
    let expected = json!({
        "id": "https://iiif.example/files/least.mp4", "type": "Video", "label": {"none": ["Least"]},
    });
    assert_eq!(*least, expected);
    // V2-SUB-5
    assert_eq!(middle["type"], "Video");
    assert_probe_service(&middle["service"][0], false);
    assert_eq!(middle["service"][0]["id"], "https://iiif.example/auth/probe/files/middle.mp4");
}

#[tokio::test]
async fn what_is_hidden_is_not_offered() {
    let clock = clock();
    let publisher = Publisher::of(
        builder(&clock).authorize_with(|request| match request.identifier() {
            "best" => Decision::from(
                Denial::login()
                    .substitute(Substitute::of_same_base("hidden"))
                    .substitute(Substitute::of_same_base("open")),
            ),
            "open" => Decision::Grant,
            _ => Denial::absent().into(),
        }),
        clock,
    );
    let result = publisher.result("/iiif/3/best", None).await;
    // V2-SUB-4, V2-SUB-5: that there is such a thing is not told.
    assert_eq!(result["substitute"].as_array().unwrap().len(), 1, "{result}");
    assert_eq!(result["substitute"][0]["id"], image_id("open"));
    assert!(!result.to_string().contains("hidden"));
}

#[tokio::test]
async fn what_the_user_is_told() {
    let clock = clock();
    let told = Message::new(LanguageMap::new("en", "Embargoed").with("cy", "Embargo"));
    let with_note = told.clone().note(LanguageMap::new("en", "Until 2040."));
    let publisher = Publisher::of(
        builder(&clock).authorize_with(move |request| match request.identifier() {
            "heading" => Decision::from(Denial::never().message(told.clone())),
            "both" => Denial::never().message(with_note.clone()).into(),
            "login" => Denial::login().into(),
            "later" => Denial::later().into(),
            _ => Denial::never().into(),
        }),
        clock,
    );
    let heading = json!({"en": ["Embargoed"], "cy": ["Embargo"]});
    for (identifier, expected) in
        [("heading", json!(null)), ("both", json!({"en": ["Until 2040."]}))]
    {
        let result = publisher.result(&format!("/iiif/3/{identifier}"), None).await;
        // V2-PROBE-16, V2-GEN-3
        assert_eq!((&result["heading"], &result["note"]), (&heading, &expected));
    }
    for identifier in ["login", "later", "never"] {
        // V2-PROBE-15: both, also where the application says nothing.
        let result = publisher.result(&format!("/iiif/3/{identifier}"), None).await;
        assert!(result["heading"].is_object() && result["note"].is_object(), "{result}");
    }
}
