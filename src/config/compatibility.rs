//! Departures from the specifications that real viewers need.

/// What is done differently for viewers that disagree with the specifications. Default: nothing.
///
/// Each setting is for one known viewer; the [guide](crate::guide::families) says what happens without
/// it.
///
/// # Example
///
/// ```
/// use tower_iiif_auth::Compatibility;
///
/// // 2.0 and 1.0 in one info.json, and Mirador has to survive it:
/// let compatibility = Compatibility::default().profile_on_probe();
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Compatibility {
    pub(crate) profile_on_probe: bool,
    pub(crate) without_confirm_label: bool,
    pub(crate) context_in_services: bool,
    pub(crate) strict_0_9_2: bool,
    pub(crate) origin_from_referer: bool,
    pub(crate) any_viewer_in_0_9: bool,
    pub(crate) probe_in_query: bool,
}

impl Compatibility {
    /// Gives probe services a `profile`, which 2.0 does not know.
    ///
    /// `mirador` up to 4.2.3 reads the profile of every service, and shows a blank window or no login
    /// where one has none: beside services of 1.0 in one `info.json`. In manifests probes have one in any case.
    #[must_use]
    pub fn profile_on_probe(mut self) -> Self {
        self.profile_on_probe = true;
        self
    }

    /// Names the resource in the query of its probe's URI, `{endpoints}/probe?resource={path}`, in place of
    /// its path.
    ///
    /// Diva asks for one login for all pages of a book only where their probes differ in nothing but the
    /// query. A probe is answered in both forms whatever is set.
    #[must_use]
    pub fn resource_in_probe_query(mut self) -> Self {
        self.probe_in_query = true;
        self
    }

    /// Leaves `confirmLabel` out of 2.0 access services, also where one is configured.
    ///
    /// `@columbia-libraries/mirador` 4.0.0-alpha.16 crashes on the language map that the
    /// specification demands there. Services of 1.0 and 0.9 keep theirs.
    #[must_use]
    pub fn without_confirm_label(mut self) -> Self {
        self.without_confirm_label = true;
        self
    }

    /// Repeats the `@context` in services of 1.0 and 0.9 also in Image API 3 and Presentation 3
    /// documents.
    ///
    /// 1.0 §2.1.1 demands it in every service, Presentation 3.0 §4.6 wants contexts at the top. For
    /// clients that go by the context.
    #[must_use]
    pub fn context_in_services(mut self) -> Self {
        self.context_in_services = true;
        self
    }

    /// Speaks 0.9.2 to the letter where 0.9 is spoken: no error names that came later, and 403 in
    /// place of 401 on the description for a user whose token is good and who may not see the
    /// resource (0.9.2 §2.5, §3.5).
    ///
    /// `mirador` takes any status but 200 and 401 for a failure.
    #[must_use]
    pub fn strict_0_9_2(mut self) -> Self {
        self.strict_0_9_2 = true;
        self
    }

    /// Takes the viewer's origin from the `Referer` of a 0.9 login or token request that names none.
    ///
    /// `universalviewer` sends no `origin` in its 0.9 mode, by its code. A page decides itself what its
    /// `Referer` says; it can only make the token go to itself.
    #[must_use]
    pub fn origin_from_referer(mut self) -> Self {
        self.origin_from_referer = true;
        self
    }

    /// Makes a login that a viewer of 0.9 opened without saying who it is one for *any* viewer.
    ///
    /// 0.9.2 knows no `origin` at the login, and `universalviewer` sends none in its 0.9 mode, by its
    /// code. Without this such a login is for no viewer, and gets no token from a page; with
    /// [`origin_from_referer`](Self::origin_from_referer) it is for the page that opened it, where the
    /// browser tells. With it, every page that the user visits can have a token. It counts for the login
    /// services of 0.9 alone, where a base speaks it; a login that was opened in another family, or by
    /// nobody, stays for no other viewer.
    #[must_use]
    pub fn insecure_any_viewer_in_0_9(mut self) -> Self {
        self.any_viewer_in_0_9 = true;
        self
    }
}
