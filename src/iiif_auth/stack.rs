//! All layers as one, in the right order.

use tower_layer::Layer;

use crate::access::SetAccessCookie;
use crate::check::Check;
use crate::client_identity::ClientIdentity;
use crate::describe::Describe;
use crate::iiif_auth::IiifAuth;
use crate::logout::Logout;
use crate::probe::Probe;
use crate::token::Token;

/// The services of a configuration around `S`: probe, token, client identity, logout, access cookie.
pub type Services<S> = Probe<Token<ClientIdentity<Logout<SetAccessCookie<S>>>>>;

/// Every layer of a configuration around `S`: the services, then describer and checker.
pub type Stack<S> = Services<Describe<Check<S>>>;

/// Puts every layer around a service; made by [`IiifAuth::layer`].
///
/// From the outside in: probe, token, client identity, logout, access cookie, describer, checker. The
/// first five answer at paths of their own; the describer has to see the answer of the image server that the
/// checker lets through.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct IiifAuthLayer {
    auth: IiifAuth,
}

impl IiifAuthLayer {
    pub(crate) fn new(auth: IiifAuth) -> Self {
        Self { auth }
    }
}

/// The same as [`IiifAuth::layer`]: `.layer(auth)` means all of them.
impl<S> Layer<S> for IiifAuth {
    type Service = Stack<S>;

    fn layer(&self, inner: S) -> Stack<S> {
        Layer::layer(&IiifAuthLayer::new(self.clone()), inner)
    }
}

impl<S> Layer<S> for IiifAuthLayer {
    type Service = Stack<S>;

    fn layer(&self, inner: S) -> Stack<S> {
        let content = self.auth.describe().layer(self.auth.check().layer(inner));
        self.auth.services().layer(content)
    }
}

/// Puts the service layers around a service; made by [`IiifAuth::services`].
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct ServicesLayer {
    auth: IiifAuth,
}

impl ServicesLayer {
    pub(crate) fn new(auth: IiifAuth) -> Self {
        Self { auth }
    }
}

impl<S> Layer<S> for ServicesLayer {
    type Service = Services<S>;

    fn layer(&self, inner: S) -> Services<S> {
        let access = self.auth.set_access_cookie().layer(inner);
        let logout = self.auth.logout().layer(access);
        let clients = self.auth.client_identity().layer(logout);
        self.auth.probe().layer(self.auth.token().layer(clients))
    }
}
