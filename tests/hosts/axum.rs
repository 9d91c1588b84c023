//! axum: four ways to put the layers around routes.

use axum::Router;
use axum::routing::{any_service, get_service};
use tower::{Layer, ServiceBuilder};

use crate::suite::app::App;
use crate::suite::{Host, auth, behaves_like_every_host, listen};

async fn serve(app: App, router: Router) -> Host {
    let (listener, address) = listen().await;
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    Host::new(app, address)
}

/// All layers around a router, whose own routes are content and login only.
mod layer {
    use super::*;

    async fn start() -> Host {
        let app = App::default();
        let router = Router::new()
            .route("/iiif/3/{*image}", get_service(app.clone()))
            .route("/files/{*file}", get_service(app.clone()))
            .route("/auth/login", any_service(app.clone()))
            .layer(auth("").layer());
        serve(app, router).await
    }

    behaves_like_every_host! { start() }
}

/// The checker and the describer on content routes only, the services on the login's.
mod route_layer {
    use super::*;

    async fn start() -> Host {
        let (app, auth) = (App::default(), auth(""));
        let content = Router::new()
            .route("/iiif/3/{*image}", get_service(app.clone()))
            .route("/files/{*file}", get_service(app.clone()))
            .route_layer(auth.check())
            .route_layer(auth.describe());
        let services = Router::new()
            .route("/auth/{*service}", any_service(app.clone()))
            .route_layer(auth.services());
        serve(app, content.merge(services)).await
    }

    behaves_like_every_host! { start() }
}

/// Layered services as routes.
mod route_service {
    use super::*;

    async fn start() -> Host {
        let (app, auth) = (App::default(), auth(""));
        let content =
            ServiceBuilder::new().layer(auth.describe()).layer(auth.check()).service(app.clone());
        let router = Router::new()
            .route_service("/iiif/3/{*image}", content.clone())
            .route_service("/files/{*file}", content)
            .route_service("/auth/{*service}", auth.services().layer(app.clone()));
        serve(app, router).await
    }

    behaves_like_every_host! { start() }
}

/// Nested below a path that the public URL has and the layers do not see.
mod nest {
    use super::*;

    const PREFIX: &str = "/library";

    async fn start() -> Host {
        let app = App::default();
        let library = Router::new().fallback_service(app.clone()).layer(auth(PREFIX).layer());
        let host = serve(app, Router::new().nest(PREFIX, library)).await;
        Host { prefix: PREFIX, ..host }
    }

    behaves_like_every_host! { start() }
}
