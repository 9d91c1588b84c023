//! The layers: realms, rights, and what goes around what. To be copied.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use tower_http::csrf::CsrfLayer;
use tower_iiif_auth::aspect::IpRanges;
use tower_iiif_auth::{
    AccessCookie, AccessService, BoxError, IiifAuth, IiifAuthBuilder, Message, Realm,
};

use crate::database::{Database, ITEMS};
use crate::images::{ImageApi, ImageServer};
use crate::pages::{self, Site};
use crate::rights;

/// The catalogue with its pictures.
pub(crate) fn app(
    public_url: &str,
    builder: IiifAuthBuilder,
    database: &Database,
    campus: &[&str],
) -> Result<(Router, IiifAuth), BoxError> {
    let (rules, forget) = rights::rules(database);
    let auth = builder
        .images("/iiif/3")
        .authorizer(rules)
        .realm(members())
        .realm(terms())
        .realm(on_campus(campus)?)
        .build()?;
    for warning in auth.warnings() {
        eprintln!("warning: {warning}");
    }
    let pictures = ITEMS.map(|(identifier, ..)| (identifier, 6000));
    let pictures = ImageServer::rendered(&pictures)
        .routes("/iiif/3", &format!("{public_url}/iiif/3"), ImageApi::V3)
        .layer(auth.check())
        .layer(auth.describe());
    let site = Site { auth: auth.clone(), database: database.clone(), forget };
    let pages = Router::new()
        .route("/", get(pages::list))
        .route("/items/{identifier}", get(pages::item))
        .route("/logout", axum::routing::post(pages::log_out))
        .merge(crate::admin::routes())
        // The cookie comes along with every site's forms.
        .layer(CsrfLayer::new().add_trusted_origin(public_url)?)
        // Who is in: the menu says so, and a visit to the catalogue keeps a session alive.
        .layer(auth.find_session().of_realm(""));
    let app = pages
        .route("/auth/login", get(pages::login_form).post(pages::log_in))
        .with_state(site)
        .merge(pictures)
        .layer(auth.services());
    Ok((app, auth))
}

/// Who logs in: out after half an hour without a picture or page, and after a working day in any case.
fn members() -> Realm {
    let cookie = AccessCookie::new()
        .lifetime(Duration::from_secs(30 * 60))
        .renewed_up_to(Duration::from_secs(10 * 60 * 60));
    Realm::new().access(AccessService::active("login", "Example Library")).aspect(cookie)
}

/// Who accepts the terms: a realm of its own, or its session would take the place of a member's.
fn terms() -> Realm {
    let terms = Message::new("Terms of use").note("For private study only.");
    let accept = AccessService::click_through("accept", "Example Library", terms);
    Realm::named("terms").access(accept.role("accepted"))
}

/// Whoever is at these addresses.
fn on_campus(ranges: &[&str]) -> Result<Realm, BoxError> {
    let campus = AccessService::external().label("The campus of Example Library");
    let address = IpRanges::new(ranges.iter().copied(), "campus")?;
    Ok(Realm::named("campus").access(campus).aspect(address))
}
