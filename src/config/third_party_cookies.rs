//! What is done where browsers keep cookies from third parties.

/// Ways to a login in browsers that block third-party cookies. Default: none.
///
/// They need https; with a plain-http public URL, where no cookie crosses sites anyway, they do
/// nothing. The guide's page on third-party cookies says what each does, what it trusts, and in which
/// browsers it was seen to work.
///
/// # Example
///
/// ```
/// use tower_iiif_auth::ThirdPartyCookies;
///
/// let all = ThirdPartyCookies::default().storage_access().hand_off().grant_page();
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ThirdPartyCookies {
    pub(crate) storage_access: bool,
    pub(crate) hand_off: bool,
    pub(crate) grant_page: bool,
}

impl ThirdPartyCookies {
    /// Speaks Storage Access Headers: a browser that has the user's permission to use our cookies in
    /// the viewer, and does not use it yet, is told to.
    ///
    /// It never creates the permission; see [`grant_page`](Self::grant_page).
    #[must_use]
    pub fn storage_access(mut self) -> Self {
        self.storage_access = true;
        self
    }

    /// Carries the login from the tab into the viewer's page, without a prompt and without any change
    /// to the viewer.
    ///
    /// After a login for a viewer that named itself, the gesture page asks for a click, unless the login
    /// page has [`hand_off_script`](crate::access::AccessFlow::hand_off_script); terms of 2.0 have
    /// theirs. The click opens a small window that
    /// hands a code, good once and for a minute, to the token service's frame in the viewer; the frame
    /// gets a cookie of its own for it, partitioned to that viewer's site. In browsers that send no
    /// cookie the token service waits 2.5 seconds for a code before it says that no login arrived.
    ///
    /// That is also what happens where a page in the tab or the viewer cuts windows off from each other
    /// (`Cross-Origin-Opener-Policy`), and after everything that goes without a click: kiosks,
    /// click-through of 1.0 and 0.9, and
    /// [`insecure_without_gesture_page`](crate::access::AccessGrant::insecure_without_gesture_page).
    ///
    /// It needs a store of [`Revocations`](crate::revocation::Revocations) that can
    /// [`claim`](crate::revocation::Revocations::claim), as the one in memory can. In browsers without
    /// `location.ancestorOrigins` a page that lies about its `origin` can have the cookie in its own
    /// partition: it may then show the images that the user may see, and read none of them.
    #[must_use]
    pub fn hand_off(mut self) -> Self {
        self.hand_off = true;
        self
    }

    /// Offers a page at `{endpoints}/grant?origin=…` that viewers may put into a visible frame: its
    /// button asks the browser for the user's permission and posts `{"granted": true}` or
    /// `{"granted": false}` to the viewer.
    #[must_use]
    pub fn grant_page(mut self) -> Self {
        self.grant_page = true;
        self
    }

    /// Whether cookies are set for one viewer's site.
    pub(crate) fn partitions(self) -> bool {
        self.storage_access || self.hand_off
    }
}
