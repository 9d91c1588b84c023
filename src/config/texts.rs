//! Every text that a user may read, in a few languages, replaceable one by one.

use crate::authorizer::{Denial, Remedy};
use crate::protocol::{LanguageMap, Message};

/// The texts of the crate's pages and default messages. In pages the reader's language is chosen by
/// `Accept-Language`; in JSON every language is given.
///
/// # Example
///
/// ```
/// use tower_iiif_auth::{LanguageMap, Texts};
///
/// let mut texts = Texts::default();
/// texts.logged_out = LanguageMap::new("en", "Goodbye!").with("cy", "Hwyl fawr!").into();
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Texts {
    /// The tab that closes itself after a grant.
    pub granted: Message,
    /// The tab that closes itself after the user declined.
    pub declined: Message,
    /// The page that asks for a click. `{viewer}` stands for the viewer's host.
    pub gesture: Message,
    /// Its button. `{viewer}` stands for the viewer's host.
    pub gesture_button: LanguageMap,
    /// That button when no viewer is known.
    pub gesture_button_plain: LanguageMap,
    /// The button beside those of viewers, for a user who came from none of them.
    pub gesture_button_nobody: LanguageMap,
    /// The button that accepts terms.
    pub accept: LanguageMap,
    /// The button that declines them.
    pub decline: LanguageMap,
    /// The button of a tab that could not close itself.
    pub close: LanguageMap,
    /// The label of a logout service, which viewers write on a button. `{institution}` stands for
    /// the label of the realm's first access service.
    pub logout_label: LanguageMap,
    /// The page after logging out.
    pub logged_out: Message,
    /// The page when a logout could not be stored.
    pub logout_failed: Message,
    /// The page when a grant could not be made.
    pub grant_failed: Message,
    /// The page for a request that cannot be understood.
    pub bad_request: Message,
    /// The page for a form that did not come from us, or came too late.
    pub form_refused: Message,
    /// The page for a viewer that is not on the allow-list.
    pub viewer_refused: Message,
    /// Probe and content route: an access service may help.
    pub denied_login: Message,
    /// Probe and content route: nothing helps.
    pub denied_never: Message,
    /// Probe and content route: no such resource.
    pub denied_absent: Message,
    /// Probe and content route: not now.
    pub denied_later: Message,
    /// Content route: a change that a page of another site asks for.
    pub denied_foreign: Message,
    /// Token error `missingAspect`.
    pub missing_aspect: Message,
    /// Token errors `invalidAspect` and `expiredAspect`.
    pub expired_aspect: Message,
    /// Token error `invalidOrigin`.
    pub invalid_origin: Message,
    /// Token error `unavailable`.
    pub unavailable: Message,
    /// The page in a viewer that asks for leave to use cookies there. `{viewer}` and `{publisher}`
    /// stand for the hosts.
    pub storage_access: Message,
    /// Its button.
    pub storage_access_button: LanguageMap,
}

fn text(en: &str, de: &str, fr: &str) -> LanguageMap {
    LanguageMap::new("en", en).with("de", de).with("fr", fr)
}

impl Default for Texts {
    // Long, as it is a list of texts.
    #[allow(clippy::too_many_lines)]
    fn default() -> Self {
        let closes = || {
            text(
                "You can close this window and go back to the viewer.",
                "Sie können dieses Fenster schließen und zum Viewer zurückkehren.",
                "Vous pouvez fermer cette fenêtre et revenir à la visionneuse.",
            )
        };
        let try_again = || {
            text(
                "Please try again in a moment.",
                "Bitte versuchen Sie es gleich noch einmal.",
                "Veuillez réessayer dans un instant.",
            )
        };
        Self {
            granted: Message::new(text("You have access", "Sie haben Zugang", "Vous avez accès"))
                .note(closes()),
            declined: Message::new(text(
                "No access was given",
                "Es wurde kein Zugang erteilt",
                "Aucun accès n’a été donné",
            ))
            .note(closes()),
            gesture: Message::new(text("One more click", "Noch ein Klick", "Encore un clic")).note(
                text(
                    "You are logged in. Continue only if you came here from this viewer.",
                    "Sie sind angemeldet. Fahren Sie nur fort, wenn Sie von diesem Viewer kommen.",
                    "Vous êtes connecté. Ne continuez que si vous venez de cette visionneuse.",
                ),
            ),
            gesture_button: text(
                "Continue to {viewer}",
                "Weiter zu {viewer}",
                "Continuer vers {viewer}",
            ),
            gesture_button_plain: text("Continue", "Weiter", "Continuer"),
            gesture_button_nobody: text(
                "I came from none of these",
                "Ich komme von keinem davon",
                "Je ne viens d’aucune d’elles",
            ),
            accept: text("I agree", "Ich stimme zu", "J’accepte"),
            decline: text("Decline", "Ablehnen", "Refuser"),
            close: text("Close this window", "Fenster schließen", "Fermer la fenêtre"),
            logout_label: text(
                "Log out of {institution}",
                "Abmelden: {institution}",
                "Se déconnecter : {institution}",
            ),
            logged_out: Message::new(text(
                "You are logged out",
                "Sie sind abgemeldet",
                "Vous êtes déconnecté",
            ))
            .note(closes()),
            logout_failed: Message::new(text(
                "You could not be logged out everywhere",
                "Sie konnten nicht überall abgemeldet werden",
                "La déconnexion n’a pas pu être complète",
            ))
            .note(try_again()),
            grant_failed: Message::new(text(
                "Access cannot be given now",
                "Der Zugang kann gerade nicht erteilt werden",
                "L’accès ne peut pas être donné pour le moment",
            ))
            .note(try_again()),
            bad_request: Message::new(text(
                "This request cannot be understood",
                "Diese Anfrage ist nicht verständlich",
                "Cette requête est incompréhensible",
            )),
            form_refused: Message::new(text(
                "This form is not valid any more",
                "Dieses Formular gilt nicht mehr",
                "Ce formulaire n’est plus valable",
            ))
            .note(text(
                "Please close this window and start again from the viewer.",
                "Bitte schließen Sie dieses Fenster und beginnen Sie im Viewer von vorn.",
                "Veuillez fermer cette fenêtre et recommencer depuis la visionneuse.",
            )),
            viewer_refused: Message::new(text(
                "This viewer is not admitted here",
                "Dieser Viewer ist hier nicht zugelassen",
                "Cette visionneuse n’est pas admise ici",
            )),
            denied_login: Message::new(text(
                "Access is restricted",
                "Der Zugang ist beschränkt",
                "L’accès est restreint",
            ))
            .note(text(
                "You may get access by logging in.",
                "Nach einer Anmeldung erhalten Sie vielleicht Zugang.",
                "Une connexion peut vous donner accès.",
            )),
            denied_never: Message::new(text(
                "You do not have access",
                "Sie haben keinen Zugang",
                "Vous n’avez pas accès",
            ))
            .note(text(
                "Your account does not have the rights to see this.",
                "Ihr Konto hat nicht die nötigen Rechte.",
                "Votre compte n’a pas les droits nécessaires.",
            )),
            denied_absent: Message::new(text("Not found", "Nicht gefunden", "Introuvable")),
            denied_later: Message::new(text(
                "Not available at the moment",
                "Zurzeit nicht verfügbar",
                "Indisponible pour le moment",
            ))
            .note(try_again()),
            denied_foreign: Message::new(text(
                "This request came from another site",
                "Diese Anfrage kam von einer anderen Website",
                "Cette requête vient d’un autre site",
            ))
            .note(text(
                "Nothing was changed: only pages of this site may ask for changes here.",
                "Nichts wurde geändert: Nur Seiten dieser Website können hier etwas ändern.",
                "Rien n’a été modifié : seules les pages de ce site peuvent demander des modifications.",
            )),
            missing_aspect: Message::new(text(
                "No login arrived",
                "Es ist keine Anmeldung angekommen",
                "Aucune connexion n’est arrivée",
            ))
            .note(text(
                "If you did log in, your browser may block third-party cookies: allow them for this site.",
                "Falls Sie sich angemeldet haben, blockiert Ihr Browser vielleicht Cookies von Drittanbietern (third-party cookies): Erlauben Sie sie für diese Seite.",
                "Si vous vous êtes connecté, votre navigateur bloque peut-être les cookies tiers (third-party cookies) : autorisez-les pour ce site.",
            )),
            expired_aspect: Message::new(text(
                "Your login has ended",
                "Ihre Anmeldung ist abgelaufen",
                "Votre connexion a expiré",
            ))
            .note(text(
                "Please log in again.",
                "Bitte melden Sie sich erneut an.",
                "Veuillez vous reconnecter.",
            )),
            invalid_origin: Message::new(text(
                "You did not log in from this viewer",
                "Sie haben sich nicht von diesem Viewer aus angemeldet",
                "Vous ne vous êtes pas connecté depuis cette visionneuse",
            ))
            .note(text(
                "Please log in again from here.",
                "Bitte melden Sie sich von hier aus noch einmal an.",
                "Veuillez vous connecter à nouveau depuis cette page.",
            )),
            unavailable: Message::new(text(
                "Not available at the moment",
                "Zurzeit nicht verfügbar",
                "Indisponible pour le moment",
            ))
            .note(try_again()),
            storage_access: Message::new(text(
                "{viewer} shows images of {publisher}",
                "{viewer} zeigt Bilder von {publisher}",
                "{viewer} montre des images de {publisher}",
            ))
            .note(text(
                "Your browser wants to know whether {publisher} may know you here.",
                "Ihr Browser fragt, ob {publisher} Sie hier erkennen darf.",
                "Votre navigateur demande si {publisher} peut vous reconnaître ici.",
            )),
            storage_access_button: text("Allow", "Erlauben", "Autoriser"),
        }
    }
}

impl Texts {
    /// Every text, to be looked over at build time.
    pub(crate) fn all(&self) -> impl Iterator<Item = &LanguageMap> {
        let messages = [
            &self.granted,
            &self.declined,
            &self.gesture,
            &self.logged_out,
            &self.logout_failed,
            &self.grant_failed,
            &self.bad_request,
            &self.form_refused,
            &self.viewer_refused,
            &self.denied_login,
            &self.denied_never,
            &self.denied_absent,
            &self.denied_later,
            &self.denied_foreign,
            &self.missing_aspect,
            &self.expired_aspect,
            &self.invalid_origin,
            &self.unavailable,
            &self.storage_access,
        ];
        let labels = [
            &self.gesture_button,
            &self.gesture_button_plain,
            &self.gesture_button_nobody,
            &self.accept,
            &self.decline,
            &self.close,
            &self.logout_label,
            &self.storage_access_button,
        ];
        labels.into_iter().chain(messages.into_iter().flat_map(Message::texts))
    }

    /// What a denial is told with: its own message, or the general one.
    pub(crate) fn of<'a>(&'a self, denial: &'a Denial) -> &'a Message {
        denial.text().unwrap_or(match denial.remedy() {
            Remedy::Login => &self.denied_login,
            Remedy::Never => &self.denied_never,
            Remedy::Absent => &self.denied_absent,
            Remedy::Later => &self.denied_later,
        })
    }
}
