//! Who may see which item, from its record. To be copied.

use std::sync::Arc;
use std::time::Duration;

use tower_iiif_auth::authorizer::{
    AccessRequest, Authorizer, Cached, Decision, Denial, MaxUnauthorized, from_async_fn,
};
use tower_iiif_auth::clock::Timestamp;
use tower_iiif_auth::{BoxError, Message};

use crate::database::{Database, Item};

/// What an item's record may say. The admin page offers these.
pub(crate) const RIGHTS: [&str; 7] =
    ["public", "terms", "members", "small", "campus", "embargo", "staff"];

/// How long a change in the database may go unnoticed that did not come by the admin page.
const REMEMBERED_FOR: Duration = Duration::from_secs(30);
const REMEMBERED: usize = 100_000;

/// Forgets what was decided on an item.
pub(crate) type Forget = Arc<dyn Fn(&str) + Send + Sync>;

/// The rules, and what forgets them: each question is put to the database once, and not for each tile.
pub(crate) fn rules(database: &Database) -> (impl Authorizer + use<>, Forget) {
    let own = database.clone();
    let whole = from_async_fn(move |request| may_see(own.clone(), request));
    let whole = whole.cached(REMEMBERED_FOR, REMEMBERED);
    let own = database.clone();
    let small = from_async_fn(move |request| is_small_for_all(own.clone(), request));
    let small = small.cached(REMEMBERED_FOR, REMEMBERED);
    let forget = forgetting(whole.clone(), small.clone());
    // What looks at sizes stands beside what is remembered: that knows nothing of them.
    (whole.or(small.and(MaxUnauthorized::new(400))), forget)
}

fn forgetting<A: Authorizer, B: Authorizer>(whole: Cached<A>, small: Cached<B>) -> Forget {
    Arc::new(move |identifier| {
        whole.forget_resource(identifier);
        small.forget_resource(identifier);
    })
}

async fn may_see(
    database: Database,
    request: AccessRequest<'static>,
) -> Result<Decision, BoxError> {
    Ok(match database.item(request.identifier()).await? {
        Some(item) => decide(&item, &request),
        None => Denial::absent().into(),
    })
}

/// One line for each kind of rights. `through` says which access services a viewer offers.
fn decide(item: &Item, request: &AccessRequest<'_>) -> Decision {
    let has_one_of = |roles: &[&str]| roles.iter().any(|role| request.has_role(role));
    let until = Timestamp::from_millis(u64::try_from(item.until).unwrap_or_default());
    let (may, service) = match &*item.rights {
        "public" => (true, ""),
        "terms" => (has_one_of(&["accepted"]), "terms/accept"),
        "members" | "small" => (has_one_of(&["member", "staff"]), "login"),
        "campus" => (has_one_of(&["campus"]), "campus"),
        "embargo" => (until <= request.now() || has_one_of(&["staff"]), "login"),
        _ => (has_one_of(&["staff"]), "login"),
    };
    if may {
        return Decision::Grant;
    }
    // Who is in and may not see it is told so, and offered no login.
    let denial = match (&*item.rights, request.session()) {
        ("embargo", Some(_)) => Denial::never().message(Message::new("Not published yet")),
        ("staff", Some(_)) => Denial::never().message(Message::new("For the staff only")),
        _ => Denial::login(),
    };
    denial.through([service]).into()
}

async fn is_small_for_all(
    database: Database,
    request: AccessRequest<'static>,
) -> Result<bool, BoxError> {
    let item = database.item(request.identifier()).await?;
    Ok(item.is_some_and(|item| item.rights == "small"))
}
