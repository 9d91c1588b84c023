//! The application's own login: a form, two accounts, and an [`AccessGrant`] when one is right.

use axum::extract::Form;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::http::{Extensions, HeaderValue, StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;
use tower_iiif_auth::access::{AccessDeclined, AccessFlow, AccessGrant};

/// Name, password and roles.
const ACCOUNTS: [(&str, &str, &[&str]); 2] =
    [("reader", "reader", &["reader"]), ("curator", "curator", &["reader", "curator"])];

#[derive(Deserialize)]
pub(crate) struct Fields {
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
    action: Option<String>,
}

/// Shows the form.
pub(crate) async fn form(uri: Uri, extensions: Extensions) -> Response {
    page(StatusCode::OK, &uri, extensions.get(), false)
}

/// Looks at what was sent.
pub(crate) async fn submit(
    uri: Uri,
    extensions: Extensions,
    Form(fields): Form<Fields>,
) -> Response {
    let flow: Option<&AccessFlow> = extensions.get();
    match fields.action.as_deref() {
        Some("cancel") => return with(AccessDeclined),
        Some("continue") => return with(AccessGrant::current_session()),
        _ => {}
    }
    let account = ACCOUNTS.iter().find(|(name, password, _)| {
        *name == fields.username.trim() && *password == fields.password
    });
    match account {
        Some((name, _, roles)) => with(AccessGrant::to(*name).roles(roles.iter().copied())),
        None => page(StatusCode::FORBIDDEN, &uri, flow, true),
    }
}

/// A response that tells the access-cookie layer something; the layer writes the page.
fn with(word: impl Clone + Send + Sync + 'static) -> Response {
    let mut response = StatusCode::OK.into_response();
    response.extensions_mut().insert(word);
    response
}

fn page(status: StatusCode, uri: &Uri, flow: Option<&AccessFlow>, wrong: bool) -> Response {
    // Relative, as a front may have taken a prefix away.
    let root = "../".repeat(uri.path().matches('/').count().saturating_sub(1));
    let viewer = flow.and_then(AccessFlow::viewer).map_or_else(String::new, |origin| {
        // An origin holds no character that HTML would read.
        format!("<p class=\"viewer\">to continue to <strong>{origin}</strong></p>")
    });
    let wrong = if wrong {
        "<p class=\"wrong\" role=\"alert\">Name and password do not fit. Please try again.</p>"
    } else {
        ""
    };
    let known = match flow.and_then(AccessFlow::session) {
        Some(_) => {
            "<form method=\"post\" data-hand-off><p>You are logged in already.</p>\
             <button name=\"action\" value=\"continue\">Continue with this account</button></form>\
             <p class=\"or\">or use another account</p>"
        }
        None => "",
    };
    // Lets the click that sends the form be the one for the hand-off, too.
    let script = flow
        .and_then(AccessFlow::hand_off_script)
        .map_or_else(String::new, |path| format!("<script src=\"{path}\" defer></script>"));
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>Log in to the Quickstart Library</title>\
         <link rel=\"stylesheet\" href=\"{root}page/login.css\">{script}</head><body><main>\
         <h1>The Quickstart Library</h1>{viewer}{wrong}{known}\
         <form method=\"post\" data-hand-off autocomplete=\"on\">\
         <label for=\"username\">Name</label>\
         <input id=\"username\" name=\"username\" autocomplete=\"username\" autofocus required>\
         <label for=\"password\">Password</label>\
         <input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"current-password\" required>\
         <div class=\"row\"><button type=\"submit\">Log in</button>\
         <button class=\"quiet\" name=\"action\" value=\"cancel\" data-hand-off=\"no\" formnovalidate>Cancel</button></div>\
         </form><p class=\"hint\">Accounts to try: <code>reader</code> / <code>reader</code> and \
         <code>curator</code> / <code>curator</code></p></main></body></html>"
    );
    let mut response = (status, Html(html)).into_response();
    response.headers_mut().insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; script-src 'self'; style-src 'self'; form-action 'self'; base-uri 'none'",
        ),
    );
    response
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use url::Url;

    use super::*;

    #[tokio::test]
    async fn the_style_is_found_wherever_the_form_is() {
        for path in ["/auth/login", "/auth/login/1"] {
            let response = form(Uri::from_static(path), Extensions::new()).await;
            let body = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
            let html = String::from_utf8_lossy(&body);
            let (_, rest) = html.split_once("stylesheet\" href=\"").expect("a style");
            let (link, _) = rest.split_once('"').expect("the end of the link");
            for prefix in ["", "/images"] {
                let page = Url::parse(&format!("https://iiif.example{prefix}{path}"));
                let style = page.expect("a URL").join(link).expect("a link");
                assert_eq!(style.path(), format!("{prefix}/page/login.css"), "{path}");
            }
        }
    }
}
