//! `[texts]`: what users read, in the place of what stands in the code.

use tower_iiif_auth::{LanguageMap, Texts};

use super::section::Section;
use super::text;

/// What stands on the page with the form.
#[derive(Clone, Debug)]
pub struct FormTexts {
    /// The button, and the title.
    pub login_button: LanguageMap,
    /// Above the field for the name.
    pub login_name: LanguageMap,
    /// Above the field for the password.
    pub login_password: LanguageMap,
    /// The button of who gives up.
    pub login_cancel: LanguageMap,
    /// Before the viewer's host.
    pub login_viewer: LanguageMap,
    /// To who is logged in already.
    pub login_known: LanguageMap,
    /// The button of who stays that.
    pub login_same: LanguageMap,
    /// Above the form for somebody else.
    pub login_other: LanguageMap,
    /// After a wrong password.
    pub login_wrong: LanguageMap,
    /// After too many of them.
    pub login_too_many: LanguageMap,
    /// When too many log in at once.
    pub login_busy: LanguageMap,
}

fn words(english: &str, german: &str, french: &str) -> LanguageMap {
    LanguageMap::new("en", english).with("de", german).with("fr", french)
}

impl Default for FormTexts {
    fn default() -> Self {
        Self {
            login_button: words("Log in", "Anmelden", "Se connecter"),
            login_name: words("Name", "Name", "Nom"),
            login_password: words("Password", "Passwort", "Mot de passe"),
            login_cancel: words("Cancel", "Abbrechen", "Annuler"),
            login_viewer: words("to continue to", "weiter zu", "pour continuer vers"),
            login_known: words(
                "You are logged in already.",
                "Sie sind schon angemeldet.",
                "Vous êtes déjà connecté.",
            ),
            login_same: words(
                "Continue with this account",
                "Mit diesem Konto weiter",
                "Continuer avec ce compte",
            ),
            login_other: words(
                "or use another account:",
                "oder ein anderes Konto:",
                "ou un autre compte :",
            ),
            login_wrong: words(
                "Name and password do not fit.",
                "Name und Passwort passen nicht.",
                "Nom et mot de passe ne correspondent pas.",
            ),
            login_too_many: words(
                "Too many wrong passwords. Please try again in ten minutes.",
                "Zu viele falsche Passwörter. Bitte versuchen Sie es in zehn Minuten wieder.",
                "Trop de mots de passe erronés. Veuillez réessayer dans dix minutes.",
            ),
            login_busy: words(
                "Please try again in a moment.",
                "Bitte versuchen Sie es gleich noch einmal.",
                "Veuillez réessayer dans un instant.",
            ),
        }
    }
}

macro_rules! labels {
    ($section:ident, $texts:ident: $($key:ident)*) => {
        $(if let Some(text) = text::text(&mut $section, stringify!($key)) {
            $texts.$key = text;
        })*
    };
}

macro_rules! messages {
    ($section:ident, $texts:ident: $($key:ident)*) => {
        $(let note = concat!(stringify!($key), "_note");
        if let Some(message) = text::message(&mut $section, stringify!($key), note) {
            $texts.$key = message;
        })*
    };
}

/// The library's texts, and those of the form. What is not given stays.
pub(super) fn read(mut section: Section<'_, '_>) -> (Texts, FormTexts) {
    let (mut texts, mut form) = (Texts::default(), FormTexts::default());
    messages!(section, texts: granted declined gesture logged_out logout_failed grant_failed bad_request
        form_refused viewer_refused denied_login denied_never denied_absent denied_later denied_foreign
        missing_aspect expired_aspect invalid_origin unavailable storage_access);
    labels!(section, texts: gesture_button gesture_button_plain gesture_button_nobody accept decline close
        logout_label storage_access_button);
    labels!(section, form: login_button login_name login_password login_cancel login_viewer login_known
        login_same login_other login_wrong login_too_many login_busy);
    section.finish();
    (texts, form)
}
