//! What `info.json` says and answers where 1.0 and 0.9 are spoken: services, status, tiers.

mod common;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use common::families::{self, assert_cookie_service, service};
use common::shapes::{AUTH_2, assert_members, assert_probe_service};
use common::steps::from_peer;
use common::{BASE, Body, COOKIE, Publisher, V, assert_denied, clock, json, request, text};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};
use tower_iiif_auth::aspect::{IpRanges, SessionId};
use tower_iiif_auth::authorizer::{
    AccessRequest, Authorizer, Decision, Denial, RolesFor, Substitute, from_async_fn, from_fn,
};
use tower_iiif_auth::clock::{SetClock, Timestamp};
use tower_iiif_auth::protocol::Family;
use tower_iiif_auth::resource::{Families, ImageApi};
use tower_iiif_auth::revocation::Revocations;
use tower_iiif_auth::{
    AccessCookie, AccessService, Answer, BoxError, Compatibility, ConfigError, ConfigErrors,
    IiifAuthBuilder, LanguageMap, Limits, Message, Realm,
};

const IMAGE_2: &str = "http://iiif.io/api/image/2/context.json";
const IMAGE_3: &str = "http://iiif.io/api/image/3/context.json";
const LOGIN_1: &str = "http://iiif.io/api/auth/1/login";
const OTHER: &str = "__Host-iiif-other";

/// A publisher of this configuration before the image server of both versions.
fn publisher(configure: impl FnOnce(IiifAuthBuilder) -> IiifAuthBuilder) -> Publisher {
    let clock = clock();
    Publisher::before(configure(families::builder(&clock)), clock, families::images)
}

/// An image server that answers every `info.json` with this document.
fn serving(document: Value) -> impl Fn(&Request<Body>) -> Response<Body> + Clone {
    move |_| Response::new(Full::from(document.to_string()))
}

fn tile(base: &str, identifier: &str) -> String {
    format!("/iiif/{base}/{identifier}/full/max/0/default.jpg")
}

/// Logs a user with these roles in and returns `name=value` of the cookie.
async fn cookie(publisher: &Publisher, roles: &[&str]) -> String {
    format!("{COOKIE}={}", publisher.log_in(roles, Some(V)).await)
}

/// The same user's `Authorization` value for the family of this digit.
async fn bearer(publisher: &Publisher, roles: &[&str], digit: char) -> String {
    let cookie = cookie(publisher, roles).await;
    publisher.bearer_at(&format!("/auth/token/{digit}"), &cookie).await
}

/// The description at this path, after a look at what each of them has: the document and its
/// services, readable for every page, kept by no cache for others, without a password dialogue.
#[track_caller]
fn assert_described(response: &Response<Bytes>, id: &str, status: u16) -> Value {
    assert_eq!(response.status().as_u16(), status, "{response:?}");
    let info = json(response);
    // Complete, whatever the status.
    assert_members(
        &info,
        &["@context", "width", "height", "protocol", "profile", "service"],
        &["@id", "id", "type"],
    );
    assert_eq!(info.get("@id").or(info.get("id")), Some(&json!(format!("{BASE}{id}"))));
    assert!(info["service"].as_array().is_some_and(|services| !services.is_empty()), "{info}");
    let headers = response.headers();
    // Readable from any page, whatever the status.
    assert_eq!(headers.get_all("access-control-allow-origin").iter().count(), 1);
    assert_eq!(headers["access-control-allow-origin"], "*");
    assert!(!headers.contains_key("access-control-allow-credentials"));
    let vary: String = headers.get_all("vary").iter().map(|own| own.to_str().unwrap()).collect();
    assert!(vary.contains("Authorization") && vary.contains("Cookie"), "{vary}");
    let cache = if status == 200 { "private, no-cache" } else { "no-store" };
    assert_eq!(headers["cache-control"], cache);
    assert_eq!(headers.contains_key("etag"), status == 200, "{response:?}");
    // Browsers would open a dialogue.
    assert!(!headers.contains_key("www-authenticate"));
    info
}

/// Opens a path as a browser does: redirects are followed, and the token goes along on one origin.
async fn follow(
    publisher: &Publisher,
    path: &str,
    headers: &[(&str, &str)],
) -> (Response<Bytes>, Vec<String>) {
    let mut ways = vec![path.to_owned()];
    loop {
        let response = publisher.get(ways.last().unwrap(), headers).await;
        let Some(location) = response.headers().get("location") else { return (response, ways) };
        assert!(ways.len() < 4, "a circle: {ways:?}");
        let path = location.to_str().unwrap().strip_prefix(BASE).expect("the same origin");
        ways.push(path.to_owned());
    }
}

#[tokio::test]
async fn a_description_declares_the_whole_tree() {
    let publisher = families::publisher();
    for (base, digit) in [("2", 1), ("0.9", 0)] {
        let info = json(&publisher.get(&format!("/iiif/{base}/sec/info.json"), &[]).await);
        let profile = |name: &str| format!("http://iiif.io/api/auth/{digit}/{name}");
        let id = |service: &str| format!("https://iiif.example/auth/{service}/{digit}");
        // V1-DECL-6, CON-18: arrays at both levels, strings for texts.
        let expected = json!([{
            // V1-DECL-1, V09-DECL-1, V09-DECL-2, CON-17: each outer service has its context.
            "@context": profile("context.json"),
            // V1-DECL-2, CON-3: an id of this family's own.
            "@id": id("login"),
            "profile": profile("login"),
            // V1-DECL-3, CON-16
            "label": "Example Library",
            // V1-DECL-4, CON-16: heading and note of the service and of the token's error.
            "confirmLabel": "Log in",
            "header": "Please log in",
            "description": "Readers only",
            "failureHeader": "That did not work",
            "failureDescription": "Ask the desk",
            "service": [
                // V1-DECL-5: two members and no other.
                {"@id": id("token"), "profile": profile("token")},
                // V1-LOGOUT-1, V09-LOGOUT-1, V09-DECL-5: its label names the institution, too.
                {
                    "@id": id("logout"),
                    "profile": profile("logout"),
                    "label": "Log out of Example Library",
                },
            ],
        }]);
        assert_eq!(info["service"], expected);
        assert_eq!(info["@context"], IMAGE_2, "the top context of version 2 is fixed");
        assert_eq!(info["width"], 8000, "the rest of the document stays");
        // CON-22
        assert!(!info.to_string().replace("http://iiif.io/", "").contains("http://"));
    }
}

#[tokio::test]
async fn services_of_every_pattern_have_their_shape() {
    let terms = || Message::new("The terms").note("Of use.");
    let inside = || IpRanges::new(["192.0.2.0/24"], "A").unwrap();
    let cases = [
        // CON-15: 2.0's active is a login, unless the page is a click-through.
        (Realm::new().access(AccessService::active("in", "Library")), "login", &["label"][..]),
        (
            Realm::new().access(
                AccessService::active("in", "Library").message("Log in").confirm_label("Go"),
            ),
            "login",
            &["confirmLabel", "header", "label"],
        ),
        // V1-DECL-4: the viewer shows the terms, as the page that it opens grants at once.
        (
            Realm::new().access(AccessService::click_through("in", "Library", terms())),
            "clickthrough",
            &["description", "header", "label"],
        ),
        (
            Realm::new()
                .access(AccessService::click_through("in", "Library", terms()).message("Yes?"))
                .token_error("No"),
            "clickthrough",
            &["failureHeader", "header", "label"],
        ),
        // V1-DECL-3, CON-16: a label on all four; the host's name where none is given.
        (Realm::new().access(AccessService::kiosk("in")), "kiosk", &["label"]),
        (Realm::new().access(AccessService::kiosk("in").label("Room")), "kiosk", &["label"]),
        (Realm::new().access(AccessService::external()).aspect(inside()), "external", &["label"]),
        (
            Realm::new().access(AccessService::external().label("Room")).aspect(inside()),
            "external",
            &["label"],
        ),
    ];
    let all = ["label", "confirmLabel", "header", "description", "failureHeader"];
    for (realm, pattern, texts) in cases {
        // V1-LOGOUT-1: offered where there is a cookie to delete, unless it is left out.
        for (realm, logout) in
            [(realm.clone(), pattern != "external"), (realm.without_logout(), false)]
        {
            let clock = clock();
            // Version 3 documents at every base, then version 2 documents.
            for (publisher, typed) in [
                (Publisher::of(families::bases(&clock).realm(realm.clone()), clock.clone()), true),
                (families::with_realm(realm), false),
            ] {
                for (base, digit) in [("2", '1'), ("0.9", '0')] {
                    let (status, info) = publisher.info(&format!("/iiif/{base}/sec"), &[]).await;
                    assert_eq!(status, 401);
                    let profile = format!("http://iiif.io/api/auth/{digit}/{pattern}");
                    let service = service(&info, &profile);
                    // V1-DECL-1, V1-DECL-2, V1-DECL-5, V1-DECL-8, V09-DECL-1, CON-17
                    assert_cookie_service(&service, digit, typed);
                    // V1-DECL-2, CON-17: no id is invented for an external service.
                    assert_eq!(service.get("@id").is_some(), pattern != "external");
                    let mut own: Vec<_> =
                        all.into_iter().filter(|name| service.get(name).is_some()).collect();
                    own.sort_unstable();
                    assert_eq!(own, texts, "{service}");
                    let below = service["service"].as_array().unwrap();
                    assert_eq!(below.len(), 1 + usize::from(logout), "{service}");
                }
            }
        }
    }
}

#[tokio::test]
async fn version_3_documents_have_types_and_contexts_at_the_top() {
    for (compatibility, in_services) in
        [(Compatibility::default(), false), (Compatibility::default().context_in_services(), true)]
    {
        let clock = clock();
        let builder = families::builder(&clock).compatibility(compatibility);
        let publisher = Publisher::of(builder, clock);
        for (base, versions, top) in [
            ("2", &['1'][..], json!(IMAGE_3)),
            ("0.9", &['0'], json!(IMAGE_3)),
            ("all", &['1', '0'], json!([AUTH_2, IMAGE_3])),
        ] {
            let (_, info) = publisher.info(&format!("/iiif/{base}/sec"), &[]).await;
            // CON-17: the 2.0 context where there is a probe; none of 1.0, which P3 has for types.
            assert_eq!(info["@context"], top);
            for digit in versions {
                let login = format!("http://iiif.io/api/auth/{digit}/login");
                let mut service = service(&info, &login);
                let context = service.as_object_mut().unwrap().remove("@context");
                let expected = format!("http://iiif.io/api/auth/{digit}/context.json");
                // CON-17: a setting repeats it where 1.0 demands it to the letter.
                assert_eq!(context, in_services.then(|| json!(expected)));
                // V1-DECL-8
                assert_cookie_service(&service, *digit, true);
            }
        }
    }
}

#[tokio::test]
async fn texts_are_flattened_to_one_language() {
    let english = ["Example Library", "Please log in", "Readers only", "Log in", "Ask the desk"];
    let german =
        ["Beispielbibliothek", "Bitte anmelden", "Nur für Leser", "Anmelden", "Fragen Sie uns"];
    for (language, [label, header, description, confirm, failure]) in
        [("", english), ("en", english), ("de", german), ("de-AT", german), ("cy", english)]
    {
        let publisher = publisher(|builder| builder.plain_language(language));
        // CON-16: one text, in the language that was set, or else each text's first.
        for headers in [&[][..], &[("accept-language", "fr, de")]] {
            let (_, info) = publisher.info("/iiif/2/sec", headers).await;
            let service = service(&info, LOGIN_1);
            assert_eq!(service["label"], label);
            assert_eq!(service["header"], header);
            assert_eq!(service["description"], description);
            assert_eq!(service["confirmLabel"], confirm);
            assert_eq!(service["failureDescription"], failure);
        }
        // 2.0 keeps its language maps.
        let (_, info) = publisher.info("/iiif/3/sec", &[]).await;
        let label = json!({"en": ["Example Library"], "de": ["Beispielbibliothek"]});
        assert_eq!(info["service"][0]["service"][0]["label"], label);
    }
    // Several lines of a language become one text.
    let heading = LanguageMap::new("en", "One.").with("en", "Two.");
    let login = AccessService::active("login", "Library").message(Message::new(heading));
    let publisher = families::with_realm(Realm::new().access(login));
    let (_, info) = publisher.info("/iiif/2/sec", &[]).await;
    assert_eq!(service(&info, LOGIN_1)["header"], "One. Two.");
}

#[tokio::test]
async fn registered_clients_find_their_service() {
    let realm = || Realm::new().access(AccessService::active("login", "Library"));
    let registered = families::with_realm(realm().client("app", "0123456789abcdef"));
    let unregistered = families::with_realm(realm());
    for (publisher, listed) in [(registered, true), (unregistered, false)] {
        for (base, digit) in [("2", '1'), ("0.9", '0'), ("all", '1'), ("all", '0')] {
            let (_, info) = publisher.info(&format!("/iiif/{base}/sec"), &[]).await;
            let login = service(&info, &format!("http://iiif.io/api/auth/{digit}/login"));
            assert_cookie_service(&login, digit, false);
            let clients = json!({
                "@id": "https://iiif.example/auth/client",
                "profile": "http://iiif.io/api/auth/0/clientId",
            });
            // V09-DECL-3, V09-DECL-4: below 0.9 where clients are registered, and nowhere else.
            let found = login["service"].as_array().unwrap().contains(&clients);
            assert_eq!(found, listed && digit == '0', "{login}");
        }
        assert!(!publisher.info("/iiif/3/sec", &[]).await.1.to_string().contains("client"));
    }
}

#[tokio::test]
async fn without_a_token_it_is_401_with_one_it_is_200() {
    let publisher = families::publisher();
    let cookie = cookie(&publisher, &["A"]).await;
    let query_token = publisher.bearer_at("/auth/token/1", &cookie).await[7..].to_owned();
    for (base, digit) in [("2", '1'), ("0.9", '0'), ("all", '1'), ("all", '0')] {
        for id in ["sec", "dir%2Fsec"] {
            let resource = format!("/iiif/{base}/{id}");
            let path = format!("{resource}/info.json");
            let bearer = publisher.bearer_at(&format!("/auth/token/{digit}"), &cookie).await;
            let plain = publisher.get(&path, &[]).await;
            let twice = [("authorization", &*bearer), ("authorization", &*bearer)];
            for headers in [
                &[][..],
                // What viewers send whose token request failed, and other things that are no token.
                &[("authorization", "Bearer undefined")],
                &[("authorization", "Bearer null")],
                &[("authorization", "Bearer")],
                &[("authorization", "Bearer [object Object]")],
                &[("authorization", "Basic YTpi"), ("origin", V)],
                &[("authorization", &bearer.replace("Bearer ", "Token "))],
                &twice,
                &[("cookie", "__Host-iiif=junk")],
                &[("accept", "text/html")],
            ] {
                let response = publisher.get(&path, headers).await;
                // V1-DESC-1, V1-DESC-2, V09-DESC-1, V09-DECL-5, CON-1, CON-11: 401 with the whole
                // document and no password dialogue; its id is the one asked for.
                let info = assert_described(&response, &resource, 401);
                assert_eq!(response.body(), plain.body());
                let login = service(&info, &format!("http://iiif.io/api/auth/{digit}/login"));
                assert_cookie_service(&login, digit, false);
            }
            // CON-2: no token in a query.
            for name in ["token", "access_token", "accessToken"] {
                let response = publisher.get(&format!("{path}?{name}={query_token}"), &[]).await;
                assert_described(&response, &resource, 401);
            }
            for origin in [None, Some(V)] {
                let headers: Vec<_> = std::iter::once(("authorization", &*bearer))
                    .chain(origin.map(|origin| ("origin", origin)))
                    .collect();
                // V1-DESC-1, V1-DESC-3, V1-DESC-8, V09-DECL-5: 200, its own id, and the services all the same.
                let response = publisher.get(&path, &headers).await;
                assert_described(&response, &resource, 200);
                assert_eq!(response.body(), plain.body());
            }
            // V1-DESC-3, V1-DECL-7: the content below this very id is there for the cookie.
            let tile = tile(base, id);
            assert!(tile.starts_with(&resource));
            let content = publisher.get(&tile, &[("cookie", &cookie)]).await;
            assert_eq!(content.status(), StatusCode::OK);
            assert_denied(&publisher.get(&tile, &[]).await, 401);
        }
        // What is open is passed on without services, with any token.
        for headers in [&[][..], &[("authorization", "Bearer undefined")]] {
            let (status, info) = publisher.info(&format!("/iiif/{base}/pub"), headers).await;
            assert_eq!((status, info.get("service")), (200, None));
        }
    }
}

#[tokio::test]
async fn a_token_counts_for_descriptions_that_name_its_service() {
    let publisher = families::publisher();
    let own = cookie(&publisher, &["A", "B"]).await;
    let other = publisher.log_in_at("/auth/other/login", OTHER, "A,B", V).await;
    let other = format!("{OTHER}={other}");
    let mut tokens = BTreeMap::new();
    for digit in ["1", "0"] {
        let at = |realm: &str| format!("/auth{realm}/token/{digit}");
        tokens.insert(format!("own {digit}"), publisher.bearer_at(&at(""), &own).await);
        tokens.insert(format!("other {digit}"), publisher.bearer_at(&at("/other"), &other).await);
    }
    let newest = publisher.token_at("/auth/token", &own).await;
    tokens.insert("own 2".to_owned(), format!("Bearer {newest}"));
    for (base, id, good) in [
        ("2", "sec", &["own 1"][..]),
        ("0.9", "sec", &["own 0"]),
        ("all", "sec", &["own 1", "own 0"]),
        ("2", "sec2", &["other 1"]),
        ("0.9", "sec2", &["other 0"]),
        ("all", "sec2", &["other 1", "other 0"]),
    ] {
        let resource = format!("/iiif/{base}/{id}");
        for (name, token) in &tokens {
            let status = if good.contains(&name.as_str()) { 200 } else { 401 };
            let path = format!("{resource}/info.json");
            // CON-2, CON-3: family and token service are the document's own, the origin the viewer's.
            for (origin, status) in [(V, status), ("https://elsewhere.example", 401), ("null", 401)]
            {
                let headers = [("authorization", token.as_str()), ("origin", origin)];
                let response = publisher.get(&path, &headers).await;
                assert_eq!(response.status().as_u16(), status, "{name} at {resource}, {origin}");
                assert_described(&response, &resource, status);
            }
        }
        for (name, token) in &tokens {
            // CON-2: content takes no token at all.
            let content = publisher.get(&tile(base, id), &[("authorization", token)]).await;
            assert_denied(&content, 401);
            // CON-2: a probe takes those of 2.0 only.
            let token = token.strip_prefix("Bearer ");
            let expected = if name == "own 2" { 200 } else { 401 };
            assert_eq!(publisher.probe_status("/iiif/3/sec", token).await, expected, "{name}");
            assert_eq!(publisher.probe_status("/iiif/all/sec", token).await, expected, "{name}");
        }
    }
}

#[tokio::test]
async fn a_token_ends_with_its_time_and_its_session() {
    for end in ["time", "logout"] {
        let publisher = families::publisher();
        let cookie = cookie(&publisher, &["A"]).await;
        for (base, digit) in [("2", '1'), ("0.9", '0'), ("all", '0')] {
            let path = format!("/auth/token/{digit}");
            let token = publisher.bearer_at(&path, &cookie).await;
            let at = format!("/iiif/{base}/sec");
            assert_eq!(publisher.info(&at, &[("authorization", &token)]).await.0, 200);
        }
        let token = publisher.bearer_at("/auth/token/1", &cookie).await;
        match end {
            "time" => publisher.clock.advance(Duration::from_secs(301)),
            _ => drop(publisher.get("/auth/logout/1", &[("cookie", &cookie)]).await),
        }
        // V1-DESC-2, V1-DESC-3, CON-2: what is over counts as no token.
        let response = publisher.get("/iiif/2/sec/info.json", &[("authorization", &token)]).await;
        assert_described(&response, "/iiif/2/sec", 401);
    }
}

#[tokio::test]
async fn an_aspect_of_the_request_itself_is_enough() {
    let room = IpRanges::new(["192.0.2.0/24"], "A").unwrap();
    let realm = Realm::new()
        .access(AccessService::active("login", "Library"))
        .aspect(AccessCookie::new().or(room));
    let publisher = families::with_realm(realm);
    let cookie = cookie(&publisher, &["A"]).await;
    let bearer = publisher.bearer_at("/auth/token/1", &cookie).await;
    let junk = [("authorization", "Bearer junk")];
    for (peer, headers, status) in [
        // CON-9: an address outside is an aspect that is missing.
        ("198.51.100.7", &[][..], 401),
        ("198.51.100.7", &junk, 401),
        // CON-2: the content will be there for this address, so the description is.
        ("192.0.2.7", &[], 200),
        // CON-24: a bad token takes nothing away, nor does a bad cookie.
        ("192.0.2.7", &junk, 200),
        ("192.0.2.7", &[("cookie", "__Host-iiif=junk")], 200),
        ("198.51.100.7", &[("cookie", &cookie)], 200),
        ("198.51.100.7", &[("cookie", &cookie), junk[0]], 200),
        ("198.51.100.7", &[("authorization", &bearer)], 200),
        ("198.51.100.7", &[("authorization", &bearer), ("cookie", "__Host-iiif=junk")], 200),
    ] {
        for base in ["2", "all"] {
            let resource = format!("/iiif/{base}/sec");
            let path = format!("{resource}/info.json");
            let response = publisher.send(from_peer(request(Method::GET, &path, headers), peer));
            assert_described(&response.await, &resource, status);
        }
        // V1-DESC-3: and so is the content, but for what only a token stands for.
        if !headers.iter().any(|(_, value)| *value == bearer) {
            let tile = request(Method::GET, &tile("2", "sec"), headers);
            let tile = publisher.send(from_peer(tile, peer)).await;
            assert_eq!(tile.status().as_u16(), status, "{peer} {headers:?}");
        }
    }
    // CON-9: the token service has the same word for it.
    let path = "/auth/token/1";
    let outside = publisher.send(from_peer(request(Method::GET, path, &[]), "198.51.100.7")).await;
    assert_eq!(json(&outside)["error"], "missingCredentials");
    let inside = publisher.send(from_peer(request(Method::GET, path, &[]), "192.0.2.7")).await;
    assert!(json(&inside)["accessToken"].is_string());
}

#[tokio::test]
async fn who_may_never_see_it_gets_401_too() {
    let strict = Compatibility::default().strict_0_9_2();
    for (compatibility, base, identifier, token, status) in [
        // V1-DESC-2, CON-10: 1.0 knows no 403, and viewers take it for a failure.
        (Compatibility::default(), "2", "sec", Some('1'), 401),
        (Compatibility::default(), "0.9", "sec", Some('0'), 401),
        (Compatibility::default(), "all", "sec", Some('0'), 401),
        (Compatibility::default(), "2", "closed", None, 401),
        // V09-DESC-3, CON-10: 0.9.2 does, for a user whose token is good.
        (strict, "0.9", "sec", Some('0'), 403),
        (strict, "all", "sec", Some('0'), 403),
        (strict, "all", "sec", Some('1'), 401),
        (strict, "2", "sec", Some('1'), 401),
        (strict, "0.9", "sec", Some('1'), 401),
        (strict, "0.9", "sec", None, 401),
        (strict, "0.9", "closed", None, 401),
        (strict, "0.9", "closed", Some('0'), 403),
        // V09-DESC-3: 200 comes first.
        (strict, "0.9", "mine", Some('0'), 200),
    ] {
        let rules = RolesFor::new().roles("sec", ["A"]).roles("mine", ["C"]);
        let publisher = publisher(|builder| builder.authorizer(rules).compatibility(compatibility));
        let bearer = match token {
            Some(digit) => Some(bearer(&publisher, &["C"], digit).await),
            None => None,
        };
        let headers: Vec<_> = bearer.iter().map(|own| ("authorization", own.as_str())).collect();
        let resource = format!("/iiif/{base}/{identifier}");
        let response = publisher.get(&format!("{resource}/info.json"), &headers).await;
        assert_described(&response, &resource, status);
    }
    // V09-DESC-3: a lesser version comes before 403.
    let publisher = publisher(|builder| builder.compatibility(strict));
    let bearer = bearer(&publisher, &["C"], '0').await;
    let (response, ways) =
        follow(&publisher, "/iiif/0.9/tiered/info.json", &[("authorization", &bearer)]).await;
    assert_eq!(ways.len(), 2);
    assert_described(&response, "/iiif/0.9/tiered-small", 200);
    // A token that has ended is none, nor is one that was logged out, whatever the cookie beside it.
    let cookie = format!("{COOKIE}={}", publisher.log_in(&["C"], None).await);
    let token = json(&publisher.get("/auth/token/0", &[("cookie", &cookie)]).await);
    let dead = format!("Bearer {}", token["accessToken"].as_str().unwrap());
    publisher.get("/auth/logout", &[("cookie", &cookie)]).await;
    let live = format!("{COOKIE}={}", publisher.log_in(&["C"], None).await);
    let headers = [("authorization", &*dead), ("cookie", &*live)];
    let response = publisher.get("/iiif/0.9/sec/info.json", &headers).await;
    assert_described(&response, "/iiif/0.9/sec", 401);
    publisher.clock.advance(Duration::from_secs(301));
    let response = publisher.get("/iiif/0.9/sec/info.json", &[("authorization", &bearer)]).await;
    assert_described(&response, "/iiif/0.9/sec", 401);
}

/// `tiered` (role A) over `medium` (role B) over the open `tiered-small`; two that stand in for each
/// other; one whose lesser versions nobody may see, or are not ours.
fn tiers() -> RolesFor {
    RolesFor::new()
        .open("tiered-small")
        .roles("medium", ["B", "A"])
        .substitute(Substitute::of_same_base("tiered-small"))
        .roles("tiered", ["A"])
        .substitute(Substitute::of_same_base("medium"))
        .substitute(Substitute::of_same_base("tiered-small"))
        .roles("dir/tiered", ["A"])
        .substitute(Substitute::of_same_base("dir/small"))
        .open("dir/small")
        .roles("left", ["L"])
        .substitute(Substitute::of_same_base("right"))
        .roles("right", ["R"])
        .substitute(Substitute::of_same_base("left"))
        .roles("lonely", ["A"])
        .substitute(Substitute::of_same_base("left"))
        .substitute(Substitute::elsewhere("https://elsewhere.example/small".parse().unwrap()))
        .roles("sec", ["A"])
        .roles("sec2", ["B"])
}

/// The same rules, which are asked at once or after a while.
fn tiered(later: bool) -> Publisher {
    deciding(tiers(), later)
}

/// A publisher of these rules, which are asked at once or after a while.
fn deciding(rules: impl Authorizer, later: bool) -> Publisher {
    if !later {
        return publisher(|builder| builder.authorizer(rules));
    }
    let rules = Arc::new(rules);
    publisher(|builder| {
        builder.authorizer(from_async_fn(move |request: AccessRequest<'static>| {
            let rules = Arc::clone(&rules);
            async move {
                tokio::task::yield_now().await;
                match rules.authorize(&request) {
                    Answer::Now(decision) => decision,
                    Answer::Later(decision) => decision.await,
                }
            }
        }))
    })
}

#[tokio::test]
async fn a_lesser_version_takes_the_place() {
    for publisher in [tiered(false), tiered(true)] {
        for (base, digit) in [("2", '1'), ("0.9", '0'), ("all", '1')] {
            for (roles, asked, shown) in [
                // V1-DESC-5, V09-DESC-2: the first that this very user may see.
                (None, "tiered", "tiered-small"),
                (Some("C"), "tiered", "tiered-small"),
                (Some("B"), "tiered", "medium"),
                (Some("A"), "tiered", "tiered"),
                (None, "medium", "tiered-small"),
                (Some("B"), "medium", "medium"),
                (None, "dir%2Ftiered", "dir%2Fsmall"),
                // Two that stand in for each other lead nobody in a circle.
                (Some("R"), "left", "right"),
                (Some("L"), "right", "left"),
                (Some("L"), "left", "left"),
            ] {
                let bearer = match roles {
                    Some(role) => Some(bearer(&publisher, &[role], digit).await),
                    None => None,
                };
                let headers: Vec<_> =
                    bearer.iter().map(|own| ("authorization", own.as_str())).collect();
                let resource = |identifier: &str| format!("/iiif/{base}/{identifier}");
                let path = format!("{}/info.json", resource(asked));
                let first = publisher.get(&path, &headers).await;
                let (response, ways) = follow(&publisher, &path, &headers).await;
                assert_eq!(ways.len(), 1 + usize::from(asked != shown), "{ways:?}");
                if asked != shown {
                    // V1-DESC-5, V1-DESC-8: on this origin, readable from any page, for nobody else.
                    assert_eq!(first.status(), StatusCode::FOUND);
                    assert_eq!(first.headers()["access-control-allow-origin"], "*");
                    assert_eq!(first.headers()["cache-control"], "no-store");
                    assert_eq!(first.headers()["vary"], "Authorization, Cookie");
                    assert!(!first.headers().contains_key("www-authenticate"));
                    assert!(first.body().is_empty());
                    let own = format!("{}/info.json?", resource(shown));
                    assert!(ways[1].starts_with(&own), "V1-DESC-4, V09-DESC-2: {ways:?}");
                }
                // V1-DESC-6: 200, its own id, and a login all the same.
                let info = assert_described(&response, &resource(shown), 200);
                let login = service(&info, &format!("http://iiif.io/api/auth/{digit}/login"));
                assert_cookie_service(&login, digit, false);
            }
            // V1-DESC-4: each has its own content.
            let small = publisher.get(&tile(base, "tiered-small"), &[]).await;
            assert_eq!(small.status(), StatusCode::OK);
            assert_denied(&publisher.get(&tile(base, "tiered"), &[]).await, 401);
            // V1-DESC-2: there is none that may be seen, or none of ours.
            for asked in ["left", "right", "lonely"] {
                let resource = format!("/iiif/{base}/{asked}");
                let path = format!("{resource}/info.json");
                assert_described(&publisher.get(&path, &[]).await, &resource, 401);
            }
        }
        // CON-12: without an older family nobody is sent elsewhere.
        for base in ["3", "open"] {
            let (status, info) = publisher.info(&format!("/iiif/{base}/tiered"), &[]).await;
            assert_eq!((status, info["service"].as_array().unwrap().len()), (200, 1));
        }
    }
}

#[tokio::test]
async fn a_lesser_version_offers_the_login_of_the_higher_one() {
    let clock = clock();
    // Three kinds of users, each with a realm of its own.
    let builder = families::bases(&clock)
        .realm(Realm::new().access(AccessService::active("login", "All")))
        .realm(Realm::named("high").access(AccessService::active("in", "A").protects(["tiered"])))
        .realm(Realm::named("mid").access(AccessService::active("in", "B").protects(["medium"])))
        .authorizer(tiers());
    let publisher = Publisher::before(builder, clock, families::images);
    let login = async |path: &str| {
        let (response, ways) = follow(&publisher, path, &[]).await;
        let info = json(&response);
        let services = info["service"].as_array().unwrap().clone();
        let ids: Vec<_> = services.iter().map(|own| own["@id"].clone()).collect();
        (ways.last().unwrap().clone(), ids)
    };
    let id = |realm: &str| json!(format!("{BASE}/auth/{realm}/in/1"));
    // V1-DESC-6: of the version that was asked for, not of the one that is shown.
    let (high, ids) = login("/iiif/2/tiered/info.json").await;
    assert_eq!(ids, [id("high")]);
    let (mid, ids) = login("/iiif/2/medium/info.json").await;
    assert_eq!(ids, [id("mid")]);
    assert_ne!(high, mid);
    // Asked for by itself, the open version has none.
    let (status, info) = publisher.info("/iiif/2/tiered-small", &[]).await;
    assert_eq!((status, info.get("service")), (200, None));
    // CON-12: the probe of a higher version would speak of another image.
    let (response, _) = follow(&publisher, "/iiif/all/tiered/info.json", &[]).await;
    let profiles: Vec<_> = json(&response)["service"]
        .as_array()
        .unwrap()
        .iter()
        .map(|own| own["profile"].clone())
        .collect();
    assert_eq!(profiles, [LOGIN_1, "http://iiif.io/api/auth/0/login"]);
}

/// Who is denied at one moment and granted at the next is still not led in a circle.
#[tokio::test]
async fn a_changing_mind_leads_nobody_in_a_circle() {
    let asked = AtomicUsize::new(0);
    let fickle = from_fn(move |request| {
        let other = if request.identifier() == "left" { "right" } else { "left" };
        if asked.fetch_add(1, Ordering::SeqCst) % 2 == 1 {
            return Decision::Grant;
        }
        Denial::login().substitute(Substitute::of_same_base(other)).into()
    });
    let publisher = publisher(|builder| builder.authorizer(fickle));
    let (response, ways) = follow(&publisher, "/iiif/2/left/info.json", &[]).await;
    assert_eq!(ways.len(), 2);
    // V1-DESC-5, V1-DESC-1
    assert_described(&response, "/iiif/2/right", 401);
}

/// The parameter is believed only of a lesser version of what it names.
#[tokio::test]
async fn the_parameter_of_a_lesser_version_opens_and_breaks_nothing() {
    let hiding = || {
        from_fn(|request| match request.identifier() {
            "pub" | "small" => Decision::Grant,
            _ if request.has_role("A") => Decision::Grant,
            "hidden" => Denial::absent().substitute(Substitute::of_same_base("pub")).into(),
            "tiered" => Denial::login().substitute(Substitute::of_same_base("small")).into(),
            _ => Denial::login().into(),
        })
    };
    for publisher in [deciding(hiding(), false), deciding(hiding(), true)] {
        let token = bearer(&publisher, &["A"], '1').await;
        for (base, shown) in
            [("2", "pub"), ("2", "small"), ("2", "sec"), ("2", "tiered"), ("2", "hidden")]
                .into_iter()
                .chain([("all", "pub"), ("all", "sec"), ("3", "sec"), ("open", "sec")])
        {
            let path = format!("/iiif/{base}/{shown}/info.json");
            for headers in [&[][..], &[("authorization", &*token)]] {
                let plain = publisher.get(&path, headers).await;
                for query in [
                    "tier-of=sec",
                    "tier-of=pub",
                    // What is hidden is not told by what it would be replaced with.
                    "tier-of=hidden",
                    "tier-of=%68idden",
                    "tier-of=nothing-such",
                    "tier-of=no%20such%2Fthing",
                    "tier-of=..",
                    "tier-of=tiered&tier-of=tiered",
                    "tier-of=%ff",
                    "tier-of=",
                    "tier-of=..%2F..%2Fsec",
                    "tier-of=.",
                    "tier-of=%252e%252e",
                    "tier-of=%00",
                    "tier-of",
                    "tier-of=%3Cscript%3E",
                    "&&=&tier-of=%0d%0aset-cookie:x",
                    "x=tier-of",
                ] {
                    // V1-DESC-6: as without it, to the byte.
                    let response = publisher.get(&format!("{path}?{query}"), headers).await;
                    assert_eq!(response.status(), plain.status(), "{path} {query}");
                    assert_eq!(response.headers(), plain.headers(), "{path} {query}");
                    assert_eq!(response.body(), plain.body(), "{path} {query}");
                }
            }
        }
        let info = publisher.get("/iiif/2/small/info.json", &[]).await;
        assert!(json(&info).get("service").is_none());
        let info = publisher.get("/iiif/2/small/info.json?tier-of=tiered", &[]).await;
        service(&assert_described(&info, "/iiif/2/small", 200), LOGIN_1);
        // What is hidden leads nowhere: that would tell of it.
        let hidden = publisher.get("/iiif/2/hidden/info.json", &[]).await;
        assert_eq!(hidden.status(), StatusCode::NOT_FOUND);
        assert!(!text(&hidden).contains("iiif.example"));
    }
}

/// A store that loses its connection, which shows at once or later.
#[derive(Clone, Default)]
struct Store(Arc<Mutex<&'static str>>);

impl Revocations for Store {
    fn is_revoked(&self, _: SessionId, _: Timestamp) -> Answer<Result<bool, BoxError>> {
        match *self.0.lock().unwrap() {
            "" => Answer::Now(Ok(false)),
            "down" => Answer::Now(Err("down".into())),
            _ => Answer::later(async { Err("down".into()) }),
        }
    }

    fn revoke(&self, _: SessionId, _: Timestamp, _: Timestamp) -> Answer<Result<(), BoxError>> {
        Answer::Now(Ok(()))
    }
}

#[tokio::test]
async fn what_fails_is_answered_with_the_document() {
    for state in ["down", "down later"] {
        let store = Store::default();
        let publisher = publisher(|builder| builder.revocations(store.clone()));
        let cookie = cookie(&publisher, &["A"]).await;
        let token = publisher.bearer_at("/auth/token/1", &cookie).await;
        for status in [200, 503] {
            for headers in [("authorization", &*token), ("cookie", &*cookie)] {
                // V1-DESC-1, V1-DESC-8, CON-11: the document also where nobody can tell who the user is.
                let response = publisher.get("/iiif/2/sec/info.json", &[headers]).await;
                assert_described(&response, "/iiif/2/sec", status);
            }
            let response = publisher.get("/iiif/2/sec/info.json", &[]).await;
            assert_described(&response, "/iiif/2/sec", 401);
            *store.0.lock().unwrap() = state;
        }
    }
    let later = publisher(|builder| builder.authorize_with(|_| Decision::from(Denial::later())));
    let response = later.get("/iiif/2/sec/info.json", &[]).await;
    assert_described(&response, "/iiif/2/sec", 503);
    let failing = from_async_fn(async |_: AccessRequest<'static>| {
        Err::<bool, BoxError>("no database".into())
    });
    let failing = publisher(|builder| builder.authorizer(failing));
    let response = failing.get("/iiif/0.9/sec/info.json", &[]).await;
    assert_described(&response, "/iiif/0.9/sec", 503);
    assert!(!text(&response).contains("database"));
}

#[tokio::test]
async fn of_the_image_server_s_own_refusals_the_status_passes() {
    for status in [301, 403, 404, 410, 500, 503] {
        let clock = clock();
        let publisher =
            Publisher::before(families::builder(&clock), clock, move |request: &Request<Body>| {
                if request.uri().path().starts_with("/auth/") {
                    return families::images(request);
                }
                let mut response = Response::new(Full::from("the image server's own words"));
                *response.status_mut() = StatusCode::from_u16(status).unwrap();
                let basic = HeaderValue::from_static("Basic realm=\"x\"");
                response.headers_mut().insert("www-authenticate", basic);
                response
            });
        let token = bearer(&publisher, &["A"], '1').await;
        for headers in [&[][..], &[("authorization", &*token)]] {
            let response = publisher.get("/iiif/2/sec/info.json", headers).await;
            // DS-01: and no word; a redirect has to lead to another description.
            let expected = if status == 301 { 502 } else { status };
            assert_eq!(response.status().as_u16(), expected);
            assert!(!text(&response).contains("the image server's own words"));
            // V1-DESC-8, CON-11
            assert_eq!(response.headers()["access-control-allow-origin"], "*");
            assert!(!response.headers().contains_key("www-authenticate"));
        }
    }
}

#[tokio::test]
async fn a_document_that_can_not_be_described_is_withheld() {
    let document = families::images(&request(Method::GET, "/iiif/2/sec/info.json", &[]));
    let document = http_body_util::BodyExt::collect(document.into_body()).await.unwrap();
    let whole = String::from_utf8(document.to_bytes().to_vec()).unwrap();
    for (what, body, header) in [
        ("broken off", whole[..40].to_owned(), None),
        ("no object", "[]".to_owned(), None),
        ("a page", "<html>Please log in</html>".to_owned(), None),
        ("nothing", String::new(), None),
        ("too long", format!("{whole}{}", " ".repeat(2000)), None),
        ("compressed", whole.clone(), Some(("content-encoding", "gzip"))),
        ("another length", whole.clone(), Some(("content-length", "7"))),
    ] {
        let clock = clock();
        let builder = families::builder(&clock).limits(Limits::new().max_info_bytes(1500));
        let publisher = Publisher::before(builder, clock, move |request: &Request<Body>| {
            if request.uri().path().starts_with("/auth/") {
                return families::images(request);
            }
            let mut response = Response::new(Full::from(body.clone()));
            if let Some((name, value)) = header {
                response.headers_mut().insert(name, HeaderValue::from_static(value));
            }
            response
        });
        let token = bearer(&publisher, &["A"], '1').await;
        for headers in [&[][..], &[("authorization", &*token)]] {
            // V1-DESC-1: never 401 or 200 without the services.
            let response = publisher.get("/iiif/2/sec/info.json", headers).await;
            assert_eq!(response.status(), StatusCode::BAD_GATEWAY, "{what}");
            assert_eq!(response.headers()["access-control-allow-origin"], "*", "{what}");
            assert_eq!(response.headers()["cache-control"], "no-store", "{what}");
        }
    }
}

#[tokio::test]
async fn conditional_requests_and_heads() {
    let publisher = families::publisher();
    let token = bearer(&publisher, &["A"], '1').await;
    let token = ("authorization", &*token);
    let path = "/iiif/2/sec/info.json";
    let granted = publisher.get(path, &[token]).await;
    let tag = granted.headers()["etag"].to_str().unwrap();
    assert_ne!(tag, "\"real-etag\"", "the bytes are others than the image server's");
    for (headers, status) in [
        (&[token, ("if-none-match", tag)][..], 304),
        (&[token, ("if-none-match", "\"x\", *")], 304),
        (&[token, ("if-none-match", "\"real-etag\"")], 200),
        (&[token, ("range", "bytes=0-9")], 200),
        (&[token, ("if-modified-since", "Sun, 06 Nov 2050 08:49:37 GMT")], 200),
        // V1-DESC-2: what a browser still has does not hide that a token is missing.
        (&[("if-none-match", tag)], 401),
        (&[("if-none-match", "*")], 401),
    ] {
        let response = publisher.get(path, headers).await;
        assert_eq!(response.status().as_u16(), status, "{headers:?}");
        if status == 304 {
            // V1-DESC-8
            assert!(response.body().is_empty());
            assert_eq!(response.headers()["access-control-allow-origin"], "*");
            assert_eq!(response.headers()["cache-control"], "private, no-cache");
            assert!(response.headers()["vary"].to_str().unwrap().contains("Authorization"));
        } else {
            assert_described(&response, "/iiif/2/sec", status);
        }
        let head = publisher.send(request(Method::HEAD, path, headers)).await;
        // DS-02
        assert_eq!(head.status().as_u16(), status, "{headers:?}");
        assert_eq!(head.headers(), response.headers());
        assert!(head.body().is_empty());
        assert_eq!(head.headers()["access-control-allow-origin"], "*");
        assert!(!head.headers().contains_key("www-authenticate"));
    }
    let head = publisher.send(request(Method::HEAD, "/iiif/2/tiered/info.json", &[])).await;
    assert_eq!(head.status(), StatusCode::FOUND);
}

/// What an image server might say to caches, browsers and clients.
fn talkative(request: &Request<Body>) -> Response<Body> {
    let mut response = families::images(request);
    if request.uri().path().starts_with("/auth/") {
        return response;
    }
    // The token is not for it.
    let authorized = request.headers().contains_key("authorization");
    for (name, value) in [
        ("www-authenticate", "Basic realm=\"x\""),
        ("access-control-allow-origin", "https://other.example"),
        ("access-control-allow-credentials", "true"),
        ("cache-control", "public, max-age=31536000"),
        ("cdn-cache-control", "max-age=600"),
        ("expires", "Thu, 01 Jan 2099 00:00:00 GMT"),
        ("etag", "\"inner\""),
        ("last-modified", "Thu, 01 Jan 2015 00:00:00 GMT"),
        ("vary", "Accept"),
        ("x-authorized", if authorized { "yes" } else { "no" }),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[tokio::test]
async fn an_image_server_s_headers_do_not_undo_it() {
    let clock = clock();
    let publisher = Publisher::before(families::builder(&clock), clock, talkative);
    let token = bearer(&publisher, &["A"], '1').await;
    for (headers, status) in [(&[][..], 401), (&[("authorization", &*token)], 200)] {
        let response = publisher.get("/iiif/2/sec/info.json", headers).await;
        // V1-DESC-8, V09-DESC-1, CON-11
        assert_described(&response, "/iiif/2/sec", status);
        for name in ["cdn-cache-control", "expires", "last-modified"] {
            assert!(!response.headers().contains_key(name), "{name}");
        }
        let vary: Vec<_> = response.headers().get_all("vary").iter().collect();
        assert_eq!(vary, ["Accept", "Authorization, Cookie"]);
        assert_eq!(response.headers()["x-authorized"], "no");
        assert_ne!(response.headers().get("etag"), Some(&HeaderValue::from_static("\"inner\"")));
    }
}

/// BE-05's neighbour: viewers send a token for every description of a host.
#[tokio::test]
async fn the_image_server_hears_of_no_token() {
    let waiting = from_async_fn(async |request: AccessRequest<'static>| {
        tokio::task::yield_now().await;
        Ok::<_, BoxError>(Decision::from(request.identifier() == "pub"))
    });
    let clock = clock();
    for builder in [families::builder(&clock), families::builder(&clock).authorizer(waiting)] {
        let publisher = Publisher::before(builder, clock.clone(), talkative);
        for (base, passed) in [("2", "no"), ("0.9", "no"), ("all", "no"), ("3", "yes")] {
            for identifier in ["pub", "sec"] {
                let path = format!("/iiif/{base}/{identifier}/info.json");
                for method in [Method::GET, Method::HEAD] {
                    let headers = [("authorization", "Bearer abc")];
                    let response = publisher.send(request(method, &path, &headers)).await;
                    assert_eq!(response.headers()["x-authorized"], passed, "{path}");
                }
            }
        }
    }
}

#[tokio::test]
async fn preflights_need_nothing() {
    let publisher = families::publisher();
    for base in ["2", "0.9", "all", "open"] {
        for identifier in ["sec", "pub", "tiered"] {
            let calls = publisher.calls();
            let asked = [
                ("origin", V),
                ("access-control-request-method", "GET"),
                ("access-control-request-headers", "authorization"),
            ];
            let path = format!("/iiif/{base}/{identifier}/info.json");
            let response = publisher.send(request(Method::OPTIONS, &path, &asked)).await;
            // V1-DESC-8: a preflight has no credentials, and `*` would not cover the token's header.
            assert_eq!(response.status(), StatusCode::NO_CONTENT, "{path}");
            assert_eq!(response.headers()["access-control-allow-origin"], "*");
            let allowed = response.headers()["access-control-allow-headers"].to_str().unwrap();
            assert!(allowed.split(", ").any(|name| name == "Authorization"), "{allowed}");
            assert!(!response.headers().contains_key("access-control-allow-credentials"));
            assert_eq!(publisher.calls(), calls);
        }
    }
}

#[tokio::test]
async fn a_base_that_speaks_all_and_stays_open() {
    let publisher = families::publisher();
    let cookie = cookie(&publisher, &["A"]).await;
    let plain = publisher.get("/iiif/open/sec/info.json", &[]).await;
    for digit in ["1", "0"] {
        let bearer = publisher.bearer_at(&format!("/auth/token/{digit}"), &cookie).await;
        for headers in [&[][..], &[("authorization", &*bearer)], &[("cookie", &cookie)]] {
            // CON-1: 200, and no services of 1.0, whose clients would take that for a success.
            let response = publisher.get("/iiif/open/sec/info.json", headers).await;
            assert_eq!(response.status(), StatusCode::OK);
            assert_eq!(response.body(), plain.body());
        }
    }
    let info = json(&plain);
    let [probe] = &info["service"].as_array().unwrap()[..] else { panic!("{info}") };
    assert_probe_service(probe, true);
    // The probe, the cookie and 2.0 tokens work as everywhere.
    let token = publisher.token_at("/auth/token", &cookie).await;
    assert_eq!(publisher.probe_status("/iiif/open/sec", Some(&token)).await, 200);
    assert_eq!(publisher.probe_status("/iiif/open/sec", None).await, 401);
}

#[tokio::test]
async fn a_base_without_2_0_has_no_probe() {
    let publisher = families::publisher();
    let auth = &publisher.auth;
    let cookie = cookie(&publisher, &["A"]).await;
    let token = publisher.token_at("/auth/token", &cookie).await;
    for (base, probed) in [("3", true), ("2", false), ("0.9", false), ("all", true)] {
        let path = format!("/iiif/{base}/sec");
        let expected = if probed { [401, 200] } else { [404, 404] };
        // CON-1, CON-13
        assert_eq!(publisher.probe_status(&path, None).await, expected[0], "{base}");
        assert_eq!(publisher.probe_status(&path, Some(&token)).await, expected[1], "{base}");
        assert_eq!(auth.probe_service(&path).await.is_some(), probed, "{base}");
        let (_, info) = publisher.info(&path, &[]).await;
        assert_eq!(info.to_string().contains("AuthProbeService2"), probed, "{info}");
        // An image service in a manifest is left alone in any case.
        let mut manifest = json!({
            "@context": "http://iiif.io/api/presentation/3/context.json",
            "items": [{"id": format!("{BASE}{path}/full/max/0/default.jpg"), "type": "Image",
                "service": [{"id": format!("{BASE}{path}"), "type": "ImageService2"}]}],
        });
        let before = manifest.clone();
        let _ = auth.describe_manifest(&mut manifest).await.unwrap();
        assert_eq!(manifest, before);
    }
}

#[tokio::test]
async fn describing_twice_adds_nothing() {
    let outside = IpRanges::new(["192.0.2.0/24"], "A").unwrap();
    let realm = Realm::new()
        .access(AccessService::active("login", "Library"))
        .access(AccessService::external().label("Room"))
        .aspect(AccessCookie::new().or(outside));
    let geo = json!({"@id": "https://geo.example/1", "profile": "http://geojson.org/"});
    for document in [
        json!({"@context": IMAGE_2, "@id": "i", "service": geo}),
        json!({"@context": IMAGE_2, "@id": "i", "service": [geo]}),
        json!({"@context": IMAGE_3, "id": "i", "service": [geo]}),
        json!({"@context": [IMAGE_3], "id": "i", "service": geo}),
    ] {
        for (base, count) in [("2", 2), ("0.9", 2), ("all", 5)] {
            let mut once = document.clone();
            for round in 0..3 {
                let clock = clock();
                let builder = families::bases(&clock).realm(realm.clone());
                let publisher = Publisher::before(builder, clock, serving(once.clone()));
                let (status, info) = publisher.info(&format!("/iiif/{base}/sec"), &[]).await;
                assert_eq!(status, 401);
                // V1-DECL-6, CON-18: an object or an array is read, an array is written; what was
                // there stays.
                let services = info["service"].as_array().unwrap();
                assert_eq!(services[0], geo);
                assert_eq!(services.len(), 1 + count, "{info}");
                assert!(round == 0 || info == once, "{info} after {once}");
                once = info;
            }
        }
    }
}

/// The types or profiles that each id stands with, in a service and all below it.
fn walk(value: &Value, kinds: &mut BTreeMap<String, Vec<String>>) {
    if let Some(id) = value.get("@id").or(value.get("id")) {
        let kind = value.get("type").or(value.get("profile")).unwrap().to_string();
        kinds.entry(id.as_str().unwrap().to_owned()).or_default().push(kind);
    }
    for below in value["service"].as_array().into_iter().flatten() {
        walk(below, kinds);
    }
}

#[tokio::test]
async fn services_of_two_families_share_no_uri() {
    let realm = Realm::new()
        .access(AccessService::active("login", "Library"))
        .access(AccessService::kiosk("room"))
        .client("app", "0123456789abcdef");
    let publisher = families::with_realm(realm);
    let (_, info) = publisher.info("/iiif/all/sec", &[]).await;
    let mut kinds: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for service in info["service"].as_array().unwrap() {
        walk(service, &mut kinds);
    }
    assert_eq!(kinds.len(), 1 + 3 * 4 + 1, "{kinds:?}");
    for (id, mut own) in kinds {
        own.dedup();
        // CON-3: one kind of service for one URI, or viewers of 2.0 refuse the document.
        assert_eq!(own.len(), 1, "{id} is {own:?}");
    }
}

#[tokio::test]
async fn what_single_viewers_need_is_switched_on() {
    let plain = Compatibility::default();
    for (compatibility, profile, confirm) in [
        (plain, false, true),
        (plain.profile_on_probe(), true, true),
        (plain.without_confirm_label(), false, false),
    ] {
        let publisher = publisher(|builder| builder.files("/files").compatibility(compatibility));
        for base in ["3", "all", "open"] {
            let (_, info) = publisher.info(&format!("/iiif/{base}/sec"), &[]).await;
            let services = info["service"].as_array().unwrap();
            let probe = services.iter().find(|own| own["type"] == "AuthProbeService2").unwrap();
            assert_eq!(probe.get("profile").is_some(), profile, "{probe}");
            assert_eq!(probe["service"][0].get("confirmLabel").is_some(), confirm, "{probe}");
        }
        // It is for manifests, where every service has one.
        let probe = publisher.auth.probe_service("/files/sec").await.unwrap();
        assert!(probe.get("profile").is_some(), "{probe}");
        assert_eq!(probe["service"][0].get("confirmLabel").is_some(), confirm, "{probe}");
        // 1.0 has a profile on everything, and a text that harms nobody.
        let (_, info) = publisher.info("/iiif/2/sec", &[]).await;
        let login = service(&info, LOGIN_1);
        assert_cookie_service(&login, '1', false);
        assert_eq!(login["confirmLabel"], "Log in");
    }
}

#[tokio::test]
async fn content_leads_to_a_lesser_version_where_asked_for() {
    let redirecting = |family: Family| {
        ImageApi::new("/iiif/r").families(Families::from(family).redirecting_content())
    };
    for (family, later) in [(Family::V1, false), (Family::V09, false), (Family::V09, true)] {
        let publisher = {
            let clock = clock();
            let rules = Arc::new(tiers());
            let builder = families::builder(&clock).resources(redirecting(family));
            let builder = if later {
                builder.authorizer(from_async_fn(move |request: AccessRequest<'static>| {
                    let Answer::Now(decision) = rules.authorize(&request) else { unreachable!() };
                    async move { decision }
                }))
            } else {
                builder.authorizer(rules)
            };
            Publisher::before(builder, clock, families::images)
        };
        for (roles, asked, shown) in [
            // V09-DESC-4: the same part of the first version that this user may see.
            (None, "tiered", Some("tiered-small")),
            (Some("C"), "tiered", Some("tiered-small")),
            (Some("B"), "tiered", Some("medium")),
            (Some("A"), "tiered", None),
            (None, "dir%2Ftiered", Some("dir%2Fsmall")),
            (Some("R"), "left", Some("right")),
        ] {
            let cookie = match roles {
                Some(role) => cookie(&publisher, &[role]).await,
                None => String::new(),
            };
            for part in ["full/max/0/default.jpg", "0,0,512,512/%5E512,/!90/gray.png"] {
                let path = format!("/iiif/r/{asked}/{part}");
                let response = publisher.get(&path, &[("cookie", &cookie)]).await;
                let Some(shown) = shown else {
                    assert_eq!(response.status(), StatusCode::OK);
                    continue;
                };
                assert_eq!(response.status(), StatusCode::FOUND, "{path}");
                let location = format!("{BASE}/iiif/r/{shown}/{part}");
                assert_eq!(response.headers()["location"], location);
                assert_eq!(response.headers()["access-control-allow-origin"], "*");
                assert_eq!(response.headers()["cache-control"], "no-store");
                let (response, ways) = follow(&publisher, &path, &[("cookie", &cookie)]).await;
                assert_eq!((response.status(), ways.len()), (StatusCode::OK, 2));
            }
        }
        // A token leads nowhere: content takes none.
        let digit = if family == Family::V1 { '1' } else { '0' };
        let token = bearer(&publisher, &["R"], digit).await;
        for identifier in ["left", "right", "lonely", "sec"] {
            let headers = [("authorization", &*token)];
            assert_denied(&publisher.get(&tile("r", identifier), &headers).await, 401);
        }
        // CON-13: nowhere else, and never beside a probe.
        for base in ["3", "2", "0.9", "all", "open"] {
            assert_denied(&publisher.get(&tile(base, "tiered"), &[]).await, 401);
        }
    }
    // CON-13
    for beside in [Families::default(), Families::from([Family::V2, Family::V1])] {
        let base = ImageApi::new("/iiif/r").families(beside.redirecting_content());
        let built = families::builder(&clock()).resources(base).build();
        let first = built.as_ref().err().map(ConfigErrors::first);
        assert!(matches!(first, Some(ConfigError::Families { .. })), "{built:?}");
    }
}

#[tokio::test]
async fn plain_http_has_to_be_said_aloud_for_older_families_too() {
    let build = |insecure: bool| {
        let builder = tower_iiif_auth::IiifAuth::builder("http://iiif.example")
            .keyring(common::keyring())
            .clock(SetClock::at(Timestamp::from_millis(1_800_000_000_000)))
            .resources(ImageApi::new("/iiif/2").families(Family::V1))
            .realm(families::realm())
            .authorize_with(|_| false);
        if insecure { builder.insecure_http().build() } else { builder.build() }
    };
    // CON-22
    let mistakes = build(false).unwrap_err();
    assert!(matches!(mistakes.first(), ConfigError::PlainHttp(_)) && mistakes.len() == 1);
    assert!(build(true).is_ok());
}
