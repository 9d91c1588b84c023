//! Which pages' scripts may read content with the user's cookie.

use crate::protocol::Origin;

/// Which pages may read content, and the descriptions of images, with the user's cookie in a script:
/// `fetch` with `credentials: "include"`, `XMLHttpRequest` with `withCredentials`,
/// `<img crossorigin="use-credentials">`. Default: none.
///
/// An `<img>` or `<video>` shows protected content without this, as browsers attach the cookie and let no
/// script read it. Players of HLS and DASH, PDF.js, viewers of 3D models, `OpenSeadragon` with
/// `ajaxWithCredentials` and Diva read by script. To those pages the answers say
/// `Access-Control-Allow-Origin` with their origin and `Access-Control-Allow-Credentials: true`; to all
/// others `*`, which lets them read what is open, and nothing with a cookie. All say `Vary: Origin`.
///
/// It is about GET and HEAD of content and of `info.json`. Probe, token, access and logout services and
/// manifests never say it.
///
/// # What it gives away
///
/// A page that may read has the bytes, and can send them elsewhere: whoever can put a script on it reads
/// what its user may see. Without this it can but show them.
///
/// # Example
///
/// ```
/// use tower_iiif_auth::ContentForScripts;
///
/// // Viewers that the user has let in by logging in from them:
/// let bound = ContentForScripts::default().bound_viewers();
/// // and a viewer of the house, also before a login:
/// let both = bound.origins(["https://viewer.example".parse()?]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContentForScripts {
    pub(crate) bound_viewers: bool,
    pub(crate) origins: Vec<Origin>,
}

impl ContentForScripts {
    /// Viewers that the session is [for](crate::aspect::Viewers::These): those from which the login was
    /// opened. A session for [any viewer](crate::aspect::Viewers::Any) names none, and
    /// [an allow list](crate::OriginPolicy::AllowList) holds here, too.
    ///
    /// Before the login there is no session, so that a page which asks with cookies from the beginning
    /// reads nothing then, not even `info.json`: Diva does. List it by [`origins`](Self::origins).
    #[must_use]
    pub fn bound_viewers(mut self) -> Self {
        self.bound_viewers = true;
        self
    }

    /// These origins, whoever the user is, and before a login, too.
    #[must_use]
    pub fn origins(mut self, origins: impl IntoIterator<Item = Origin>) -> Self {
        self.origins.extend(origins);
        self
    }

    /// Whether any page may.
    pub(crate) fn is_on(&self) -> bool {
        self.bound_viewers || !self.origins.is_empty()
    }
}
