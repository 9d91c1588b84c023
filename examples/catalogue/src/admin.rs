//! The staff's page: it ends all sessions of a user, and changes an item's rights while viewers are open.

use axum::Extension;
use axum::Router;
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use tower_iiif_auth::find_session::LiveSession;

use crate::pages::{Site, Unavailable, escaped, page};
use crate::rights::RIGHTS;

pub(crate) fn routes() -> Router<Site> {
    Router::new()
        .route("/admin", get(overview))
        .route("/admin/sessions", post(end_sessions))
        .route("/admin/rights", post(set_rights))
}

type Live = Option<Extension<LiveSession>>;

fn is_staff(live: &Live) -> bool {
    live.as_ref().is_some_and(|live| live.session().has_role("staff"))
}

fn for_the_staff() -> Response {
    (StatusCode::FORBIDDEN, "For the staff only.\n").into_response()
}

async fn overview(State(site): State<Site>, live: Live) -> Result<Response, Unavailable> {
    if !is_staff(&live) {
        return Ok(for_the_staff());
    }
    let users = site.database.users().await?.into_iter().map(|user| {
        format!(
            "<form method=\"post\" action=\"/admin/sessions\">{} ({}) \
             <button name=\"user\" value=\"{}\">End all sessions</button></form>",
            escaped(&user.name),
            escaped(&user.role),
            user.id
        )
    });
    let items = site.database.items().await?.into_iter().map(|item| {
        let option = |rights: &str| {
            let selected = if *rights == *item.rights { " selected" } else { "" };
            format!("<option{selected}>{rights}</option>")
        };
        format!(
            "<form method=\"post\" action=\"/admin/rights\">{} <input type=\"hidden\" name=\"item\" value=\"{}\">\
             <select name=\"rights\">{}</select> <button>Change</button></form>",
            escaped(&item.title),
            escaped(&item.identifier),
            RIGHTS.map(option).concat()
        )
    });
    let (users, items): (String, String) = (users.collect(), items.collect());
    let catalogue = "<p><a href=\"/\">The catalogue</a>";
    Ok(page(&format!("{catalogue}<h1>Users</h1>{users}<h1>Items</h1>{items}")))
}

#[derive(Deserialize)]
struct Ended {
    user: String,
}

/// Wherever the user is in: each browser, and each viewer's token.
async fn end_sessions(
    State(site): State<Site>,
    live: Live,
    Form(ended): Form<Ended>,
) -> Result<Response, Unavailable> {
    if !is_staff(&live) {
        return Ok(for_the_staff());
    }
    site.auth.end_sessions_of("", &ended.user).await?;
    Ok(Redirect::to("/admin").into_response())
}

#[derive(Deserialize)]
struct Changed {
    item: String,
    rights: String,
}

/// The next tile is decided on by the new rights.
async fn set_rights(
    State(site): State<Site>,
    live: Live,
    Form(changed): Form<Changed>,
) -> Result<Response, Unavailable> {
    if !is_staff(&live) {
        return Ok(for_the_staff());
    }
    if !RIGHTS.contains(&&*changed.rights)
        || !site.database.set_rights(&changed.item, &changed.rights).await?
    {
        return Ok((StatusCode::BAD_REQUEST, "No such item, or no such rights.\n").into_response());
    }
    (site.forget)(&changed.item);
    Ok(Redirect::to("/admin").into_response())
}
