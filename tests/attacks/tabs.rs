//! What a URL says of its tab, which whoever opened it may have written.

use bytes::Bytes;
use http::{Method, Response};
use tower_iiif_auth::access::{AccessFlow, AccessTab};

use crate::common::{
    BASE, COOKIE, Publisher, V, builder, clock, cookie_pair, image_server, request,
    set_cookie_value, text,
};

const EVIL: &str = "https://evil.example";
const FLOW: &str = "__Host-iiif-flow";

/// The fixture, which tells its `AccessFlow` on.
fn publisher() -> Publisher {
    let clock = clock();
    Publisher::before(builder(&clock), clock, |request| {
        let mut response = image_server(request);
        if let Some(flow) = request.extensions().get::<AccessFlow>() {
            let viewer = flow.viewer().map_or("", |viewer| viewer.as_str());
            response.headers_mut().insert("x-viewer", viewer.parse().unwrap());
            let tab = flow.tab().map_or("", AccessTab::as_str);
            response.headers_mut().insert("x-tab", tab.parse().unwrap());
        }
        response
    })
}

fn told(response: &Response<Bytes>, name: &str) -> String {
    response.headers()[name].to_str().unwrap().to_owned()
}

/// Opens a login by a link of another site's, in a browser with this flow, or none yet.
async fn open(publisher: &Publisher, url: &str, flow: &str) -> Response<Bytes> {
    let site = [("sec-fetch-site", "cross-site"), ("sec-fetch-dest", "document")];
    publisher.get(url, &[&site[..], &[("cookie", flow)]].concat()).await
}

/// Sends the login's form from the page at this URL.
async fn log_in(publisher: &Publisher, url: &str, flow: &str) -> Response<Bytes> {
    let page = format!("{BASE}{url}");
    let headers = [
        ("cookie", flow),
        ("origin", BASE),
        ("sec-fetch-site", "same-origin"),
        ("referer", &*page),
        ("x-roles", "A"),
    ];
    publisher.send(request(Method::POST, url, &headers)).await
}

/// Who gets a token for the session of this response.
async fn let_in(publisher: &Publisher, response: &Response<Bytes>) -> Vec<&'static str> {
    let Some(session) = set_cookie_value(response, COOKIE) else { return Vec::new() };
    let cookie = format!("{COOKIE}={session}");
    let mut all = Vec::new();
    for viewer in [V, EVIL] {
        let query = format!("messageId=m1&origin={viewer}");
        let (message, _) = publisher.token_message(&query, &[("cookie", &cookie)]).await;
        if message.get("accessToken").is_some() {
            all.push(viewer);
        }
    }
    all
}

/// LF-04: a page takes the `tab` that it was given in its own browser, and opens the user's login by it,
/// with another viewer's name on the page or none. It gets nothing without a click on its own name.
#[tokio::test]
async fn lf_04_a_tab_of_another_browser_decides_nothing() {
    let publisher = publisher();
    let own = open(&publisher, &format!("/auth/login?origin={EVIL}"), "").await;
    let tab = told(&own, "x-tab");
    let waiting = open(&publisher, &format!("/auth/login?origin={V}"), "").await;
    let waiting = cookie_pair(&waiting, FLOW).unwrap();
    for flow in ["", &*waiting] {
        for url in [
            format!("/auth/login?origin={V}&tab={tab}"),
            format!("/auth/login?tab={tab}&origin={V}"),
            format!("/auth/login?tab={tab}"),
        ] {
            let page = open(&publisher, &url, flow).await;
            assert_ne!(told(&page, "x-viewer"), EVIL);
            let flow = cookie_pair(&page, FLOW).unwrap();
            let response = log_in(&publisher, &url, &flow).await;
            if url.contains("origin=") {
                assert_eq!(let_in(&publisher, &response).await, [V], "{url}");
            } else {
                assert!(set_cookie_value(&response, COOKIE).is_none(), "the user is asked");
                assert!(text(&response).contains("evil.example"));
            }
            // Nor is it made a good one by the way.
            let headers = [("cookie", &*flow), ("sec-fetch-site", "same-origin")];
            let next = publisher.get(&format!("/auth/login?tab={tab}"), &headers).await;
            assert_eq!(told(&next, "x-tab"), "", "{url}");
        }
    }
}

/// LF-04: the `tab` of this very browser says all the same whose login it is.
#[tokio::test]
async fn lf_04_a_tab_of_this_browser_tells() {
    let publisher = publisher();
    let page = open(&publisher, &format!("/auth/login?origin={V}"), "").await;
    let (flow, tab) = (cookie_pair(&page, FLOW).unwrap(), told(&page, "x-tab"));
    let beside = open(&publisher, &format!("/auth/login?origin={EVIL}"), &flow).await;
    let flow = cookie_pair(&beside, FLOW).unwrap();
    let url = format!("/auth/login?tab={tab}");
    let response = log_in(&publisher, &url, &flow).await;
    assert_eq!(let_in(&publisher, &response).await, [V]);
    // Where the flow is lost the user is asked.
    let response = log_in(&publisher, &url, "").await;
    assert!(set_cookie_value(&response, COOKIE).is_none());
    assert!(text(&response).contains("viewer.example"));
}

/// LF-04: a link of another site's that names no viewer opened the login; another page opens it beside,
/// and the browser sends no `Referer`. Nobody is taken for the viewer of the first tab.
#[tokio::test]
async fn lf_04_a_link_that_names_no_viewer() {
    let publisher = publisher();
    let first = open(&publisher, "/auth/login", "").await;
    assert_eq!(told(&first, "x-viewer"), "");
    let flow = cookie_pair(&first, FLOW).unwrap();
    let beside = open(&publisher, &format!("/auth/login?origin={EVIL}"), &flow).await;
    let flow = cookie_pair(&beside, FLOW).unwrap();
    let headers =
        [("cookie", &*flow), ("origin", BASE), ("sec-fetch-site", "same-origin"), ("x-roles", "A")];
    let asked = publisher.send(request(Method::POST, "/auth/login", &headers)).await;
    assert!(set_cookie_value(&asked, COOKIE).is_none(), "the user is asked");
    assert!(text(&asked).contains("evil.example"));
}
