//! Which families of the specification a base speaks.

use crate::protocol::{Family, v1};

/// The families that a base speaks: Authorization Flow 2.0 by default.
///
/// What each choice means for `info.json`, and for which viewer it is:
///
/// | families | `info.json` without a token | works in |
/// | --- | --- | --- |
/// | 2.0 | 200, with a probe service | viewers of 2.0 |
/// | 1.0, 0.9 or both | 401 with the services, 200 with a token, 302 to a lesser version | Mirador, Universal Viewer |
/// | 2.0 and older ones | the same, with all services | both, but not those viewers of 2.0 that take 401 for an error |
/// | the same, [`open`](Self::open) | 200, with the probe service only | viewers of 2.0 |
///
/// The natural choice is two bases for the same images: 2.0 at the Image API 3 base, 1.0 and 0.9 at
/// the Image API 2 base.
///
/// # Example
///
/// ```
/// use tower_iiif_auth::protocol::Family;
/// use tower_iiif_auth::resource::{Families, ImageApi};
///
/// let for_flow = ImageApi::new("/iiif/3");
/// let for_mirador = ImageApi::new("/iiif/2").families([Family::V1, Family::V09]);
/// assert_eq!(Families::default(), Families::from([Family::V2]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Families {
    /// By [`Family`], in the order of its variants.
    spoken: [bool; 3],
    open: bool,
    redirecting: bool,
    signed: bool,
}

impl Families {
    /// These families.
    pub fn new(families: impl IntoIterator<Item = Family>) -> Self {
        let mut spoken = [false; 3];
        for family in families {
            spoken[family as usize] = true;
        }
        Self { spoken, open: false, redirecting: false, signed: false }
    }

    /// Answers `info.json` with 200 also without a token, and leaves the services of 1.0 and 0.9 out
    /// of it: a 200 tells their clients that the user is in already.
    ///
    /// Right where 2.0 is spoken beside an older family whose viewers learn of their services from
    /// manifests. It needs both.
    #[must_use]
    pub fn open(mut self) -> Self {
        self.open = true;
        self
    }

    /// Sends requests for content that is denied, and has a substitute that this user may see, to
    /// the same part of the substitute: 302 (0.9.2 §3.6).
    ///
    /// It cannot be had beside 2.0, whose clients take such a redirect for a success and offer no
    /// login (2.0 §5.2).
    #[must_use]
    pub fn redirecting_content(mut self) -> Self {
        self.redirecting = true;
        self
    }

    /// Answers a request for `info.json` with a token, where the rule grants under a
    /// [signed location](crate::IiifAuthBuilder::signed_locations), with the description of that location: its
    /// `@id` lies there, and it has no services.
    ///
    /// For viewers of 1.0 and 0.9 that ask for tiles without cookies, as Universal Viewer 4 does on another site:
    /// they load them below that `@id`. Mirador takes an `@id` that it did not ask for to be a lesser version,
    /// so give such viewers a base of their own. A location ends ([`Limits::max_location_lifetime`]), and these
    /// viewers ask for no new one until the picture is opened anew.
    ///
    /// Off by default, and without effect unless [`signed_locations`](crate::IiifAuthBuilder::signed_locations) is
    /// on. `build()` refuses it on a base that speaks neither 1.0 nor 0.9, or is [`open`](Self::open).
    ///
    /// [`Limits::max_location_lifetime`]: crate::Limits::max_location_lifetime
    #[must_use]
    pub fn signed_descriptions(mut self) -> Self {
        self.signed = true;
        self
    }

    /// Whether this family is spoken.
    #[must_use]
    pub fn contains(self, family: Family) -> bool {
        self.spoken[family as usize]
    }

    fn has_older(self) -> bool {
        self.contains(Family::V1) || self.contains(Family::V09)
    }

    /// Whether `info.json` needs a token, or an aspect that comes along with its own request.
    pub(crate) fn gates_descriptions(self) -> bool {
        self.has_older() && !self.open
    }

    /// The older families that stand in descriptions.
    pub(crate) fn described(self) -> impl Iterator<Item = v1::Version> {
        let own = move |version: &v1::Version| self.contains((*version).into()) && !self.open;
        v1::Version::ALL.into_iter().filter(own)
    }

    pub(crate) fn redirects_content(self) -> bool {
        self.redirecting
    }

    /// Whether a description may be that of a signed location.
    pub(crate) fn has_signed_descriptions(self) -> bool {
        self.signed
    }

    /// All that one of the two speaks.
    pub(crate) fn and(self, other: Self) -> Self {
        Self::new(Family::ALL.into_iter().filter(|own| self.contains(*own) || other.contains(*own)))
    }

    /// What is wrong with it, if anything is.
    pub(crate) fn fault(self) -> Option<&'static str> {
        let (flow, older) = (self.contains(Family::V2), self.has_older());
        if !flow && !older {
            Some("it speaks no family: name at least one")
        } else if self.open && !(flow && older) {
            Some("open() is for 2.0 beside an older family: leave it out or name both")
        } else if self.redirecting && (flow || !older) {
            Some("redirecting_content() cannot be had beside 2.0: leave one of them out")
        } else if self.signed && !self.gates_descriptions() {
            Some(
                "signed_descriptions() is for descriptions of 1.0 and 0.9: leave it out, or name one of them without open()",
            )
        } else {
            None
        }
    }
}

impl Default for Families {
    fn default() -> Self {
        Self::new([Family::V2])
    }
}

impl<const N: usize> From<[Family; N]> for Families {
    fn from(families: [Family; N]) -> Self {
        Self::new(families)
    }
}

impl From<Family> for Families {
    fn from(family: Family) -> Self {
        Self::new([family])
    }
}
