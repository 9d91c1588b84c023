//! What the model server holds: an item for every pattern that a viewer may meet.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Image,
    Sound,
    Film,
    Document,
}

impl Kind {
    /// In Presentation 3.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Image => "Image",
            Self::Sound => "Sound",
            Self::Film => "Video",
            Self::Document => "Text",
        }
    }

    pub(super) fn media_type(self) -> &'static str {
        match self {
            Self::Image => "image/jpeg",
            Self::Sound => "audio/wav",
            Self::Film => "video/webm",
            Self::Document => "application/pdf",
        }
    }
}

/// By what users get in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Realm {
    /// A form.
    Login,
    /// A click.
    Terms,
    /// Nothing.
    Kiosk,
    /// Somewhere else.
    External,
    /// The token service always says this.
    Error(&'static str),
}

pub(super) const ERRORS: [&str; 4] =
    ["unavailable", "invalidOrigin", "invalidAspect", "expiredAspect"];

impl Realm {
    pub(super) const ALL: [Self; 8] = [
        Self::Login,
        Self::Terms,
        Self::Kiosk,
        Self::External,
        Self::Error(ERRORS[0]),
        Self::Error(ERRORS[1]),
        Self::Error(ERRORS[2]),
        Self::Error(ERRORS[3]),
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Terms => "terms",
            Self::Kiosk => "kiosk",
            Self::External => "external",
            Self::Error(name) => name,
        }
    }

    pub(super) fn profile(self) -> &'static str {
        match self {
            Self::Login | Self::Terms | Self::Error(_) => "active",
            Self::Kiosk => "kiosk",
            Self::External => "external",
        }
    }

    /// In 1.0 and 0.9.
    pub(super) fn older(self) -> &'static str {
        match self {
            Self::Login | Self::Error(_) => "login",
            Self::Terms => "clickthrough",
            Self::Kiosk => "kiosk",
            Self::External => "external",
        }
    }
}

/// What is particular about an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum More {
    Nothing,
    /// Two lesser versions, one for everybody, one for whoever opens the kiosk.
    Tiers,
    /// Nobody is led to another picture.
    Moved,
    /// Nobody may have it, whoever it is.
    Forbidden,
    /// It is out of order.
    Broken,
}

pub(super) struct Item {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) realm: Option<Realm>,
    pub(super) more: More,
    /// What a right viewer does.
    pub(super) right: &'static str,
}

const fn item(
    name: &'static str,
    kind: Kind,
    realm: Option<Realm>,
    more: More,
    right: &'static str,
) -> Item {
    Item { name, kind, realm, more, right }
}

use Kind::{Document, Film, Image, Sound};
use More::{Broken, Forbidden, Moved, Nothing, Tiers};
use Realm::{Error, External, Kiosk, Login, Terms};

pub(super) const ITEMS: &[Item] = &[
    item("open", Image, None, Nothing, "shows it and asks nothing"),
    item(
        "login",
        Image,
        Some(Login),
        Nothing,
        "offers the login, opens it in a tab, and shows the picture when the tab is closed",
    ),
    item(
        "terms",
        Image,
        Some(Terms),
        Nothing,
        "shows the terms; 2.0 opens a tab with a button, 1.0 a tab that closes by itself",
    ),
    item(
        "kiosk",
        Image,
        Some(Kiosk),
        Nothing,
        "opens a tab that closes by itself, asks nothing (browsers block it until users allow pop-ups)",
    ),
    item(
        "external",
        Image,
        Some(External),
        Nothing,
        "asks for a token at once, and shows the error's text; visit /outside before, and it shows the picture",
    ),
    item(
        "tiered",
        Image,
        Some(Login),
        Tiers,
        "shows a small picture and offers the login; after it, the large one",
    ),
    item("tiered-small", Image, None, Nothing, "shows it and asks nothing"),
    item("moved", Image, Some(Login), Moved, "shows the picture that the probe's location names"),
    item(
        "forbidden",
        Image,
        Some(Login),
        Forbidden,
        "says, after the login, that this user may not see it",
    ),
    item(
        "broken",
        Image,
        Some(Login),
        Broken,
        "says that it is out of order (status 503), and offers no login",
    ),
    item("sound", Sound, Some(Login), Nothing, "plays it after the login"),
    item("film", Film, Some(Login), Nothing, "plays it after the login"),
    item("document", Document, Some(Login), Nothing, "shows it after the login"),
    item("open-sound", Sound, None, Nothing, "plays it and asks nothing"),
    item(
        "error-unavailable",
        Image,
        Some(Error(ERRORS[0])),
        Nothing,
        "shows the text of the token service's error `unavailable`",
    ),
    item(
        "error-origin",
        Image,
        Some(Error(ERRORS[1])),
        Nothing,
        "shows the text of the error `invalidOrigin`",
    ),
    item(
        "error-aspect",
        Image,
        Some(Error(ERRORS[2])),
        Nothing,
        "shows the text of the error `invalidAspect`, and offers the login again",
    ),
    item(
        "error-expired",
        Image,
        Some(Error(ERRORS[3])),
        Nothing,
        "shows the text of the error `expiredAspect`, and offers the login again",
    ),
];

/// A base of the image server, with what it speaks.
pub(super) struct Base {
    pub(super) name: &'static str,
    pub(super) image: u8,
    /// 2, 1 or 0.
    pub(super) family: u8,
}

pub(super) const BASES: &[Base] = &[
    Base { name: "3", image: 3, family: 2 },
    Base { name: "2-flow", image: 2, family: 2 },
    Base { name: "2", image: 2, family: 1 },
    Base { name: "3-cookie", image: 3, family: 1 },
    Base { name: "0", image: 2, family: 0 },
];

pub(super) fn find(name: &str) -> Option<&'static Item> {
    ITEMS.iter().find(|item| item.name == name)
}

pub(super) fn base(name: &str) -> Option<&'static Base> {
    BASES.iter().find(|base| base.name == name)
}

pub(super) fn realm(name: &str) -> Option<Realm> {
    Realm::ALL.into_iter().find(|realm| realm.name() == name)
}
