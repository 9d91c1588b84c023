//! Who may see what: the whole configuration of the crate.

use std::time::Duration;

use tower_iiif_auth::aspect::IpRanges;
use tower_iiif_auth::authorizer::{Authorizer, RolesFor, Substitute};
use tower_iiif_auth::protocol::Family::V1;
use tower_iiif_auth::resource::{Families, ImageApi};
use tower_iiif_auth::{
    AccessCookie, AccessService, Compatibility, ContentForScripts, IiifAuth, IiifAuthBuilder,
    Keyring, LanguageMap, Message, Realm, ThirdPartyCookies,
};

use crate::arguments::{Arguments, Client};
use crate::bases::BASES;
use crate::store;

pub(crate) async fn configure(arguments: &Arguments) -> Result<IiifAuth, String> {
    let keyring = match &arguments.key_file {
        Some(path) => Keyring::from_file(path),
        None => Keyring::generate(),
    };
    let builder = IiifAuth::builder(&arguments.public_url)
        .keyring(keyring.map_err(|error| format!("--key-file: {}", with_cause(&error)))?)
        .files("/files")
        .public_paths(["/", "/page/*", "/manifests/*"])
        .realm(library(arguments.client.as_ref()))
        .realm(terms())
        .compatibility(for_viewers())
        .third_party_cookies(without_third_party_cookies(arguments))
        // For players on other sites that read the stream by a script.
        .content_for_scripts(ContentForScripts::default().bound_viewers());
    let builder = BASES.iter().fold(builder, |builder, base| {
        let mut families = Families::new(base.families.iter().copied());
        // Where 1.0 alone is spoken: for viewers whose tiles bring no cookie, as Universal Viewer's on another site.
        if arguments.signed_locations && base.families == [V1] {
            families = families.signed_descriptions();
        }
        builder.resources(ImageApi::new(base.images).families(families))
    });
    let further = [reading_room(arguments)?, arguments.kiosk.then(foyer)];
    let builder = further.into_iter().flatten().fold(builder, IiifAuthBuilder::realm);
    let builder = if arguments.signed_locations {
        builder.authorizer(rules(arguments).signed_locations()).signed_locations()
    } else {
        builder.authorizer(rules(arguments))
    };
    let builder = store::shared(builder, arguments).await?;
    let auth = builder.build().map_err(|mistakes| format!("--public-url: {mistakes}"))?;
    for warning in auth.warnings() {
        tracing::warn!("{warning}");
    }
    Ok(auth)
}

/// What published viewers need beyond the specifications.
fn for_viewers() -> Compatibility {
    Compatibility::default()
        // Mirador, where 1.0 and 2.0 stand in one document.
        .profile_on_probe()
        // Columbia's Mirador crashes on it in 2.0; Universal Viewer shows an empty button without it.
        .without_confirm_label()
}

/// For browsers that keep cookies from third parties. On plain http none of it has an effect.
fn without_third_party_cookies(arguments: &Arguments) -> ThirdPartyCookies {
    let ways = ThirdPartyCookies::default().storage_access().grant_page();
    if arguments.hand_off { ways.hand_off() } else { ways }
}

/// Readers and curators, who log in. A registered client is for 0.9, where from then on every client
/// has to say which one it is.
fn library(client: Option<&Client>) -> Realm {
    let realm = Realm::new()
        .access(
            AccessService::active(
                "login",
                text("The Quickstart Library", "Die Quickstart-Bibliothek"),
            )
            .message(Message::new(text("Please log in", "Bitte melden Sie sich an")).note(text(
                "Readers of the Quickstart Library may see this picture.",
                "Leserinnen und Leser der Quickstart-Bibliothek sehen dieses Bild.",
            )))
            .confirm_label(text("Log in", "Anmelden")),
        )
        .logout_label(text(
            "Log out of the Quickstart Library",
            "Von der Quickstart-Bibliothek abmelden",
        ))
        .aspect(AccessCookie::new().lifetime(Duration::from_secs(30 * 60)));
    match client {
        Some(Client { id, secret }) => realm.client(id, secret),
        None => realm,
    }
}

/// Anyone who agrees to the terms of use.
fn terms() -> Realm {
    let terms = Message::new(text("Terms of use", "Nutzungsbedingungen")).note(text(
        "This picture is for private study only. Please do not publish it.",
        "Dieses Bild ist nur für das private Studium. Bitte veröffentlichen Sie es nicht.",
    ));
    Realm::named("terms").access(
        AccessService::click_through(
            "accept",
            text("The Quickstart Library", "Die Quickstart-Bibliothek"),
            terms,
        )
        .message(Message::new(text("Terms of use apply", "Es gelten Nutzungsbedingungen")).note(
            text(
                "Whoever agrees to them may see this picture.",
                "Wer ihnen zustimmt, sieht dieses Bild.",
            ),
        ))
        .confirm_label(text("Agree", "Zustimmen"))
        .role("terms")
        .protects(["terms"]),
    )
}

/// The screen in the foyer: whoever opens its page is in.
fn foyer() -> Realm {
    let screen = AccessService::kiosk("screen")
        .label(text("The screen in the foyer", "Der Bildschirm im Foyer"))
        .role("foyer")
        .protects(["foyer"]);
    Realm::named("foyer").access(screen)
}

/// Whoever sits at one of its computers, if there is one.
fn reading_room(arguments: &Arguments) -> Result<Option<Realm>, String> {
    if arguments.reading_room.is_empty() {
        return Ok(None);
    }
    let computers =
        IpRanges::new(arguments.reading_room.iter().map(String::as_str), "reading-room")
            .map_err(|error| format!("--reading-room: {error}"))?
            .trusted_proxies(arguments.trusted_proxies.iter().map(String::as_str))
            .map_err(|error| format!("--trusted-proxy: {error}"))?;
    let access = AccessService::external()
        .label(text("The reading room", "Der Lesesaal"))
        .message(only_in_the_reading_room())
        .protects(["reading-room"]);
    Ok(Some(Realm::named("reading-room").aspect(computers).access(access)))
}

fn only_in_the_reading_room() -> Message {
    Message::new(text("Only in the reading room", "Nur im Lesesaal")).note(text(
        "Computers in the reading room see this without logging in.",
        "Die Rechner im Lesesaal zeigen dies ohne Anmeldung.",
    ))
}

fn rules(arguments: &Arguments) -> RolesFor {
    let rules = RolesFor::new()
        .open("open")
        .open("tiered-small")
        .roles("terms", ["terms"])
        .roles("reader", ["reader", "curator"])
        .roles("handlist.pdf", ["reader", "curator"])
        .roles("recording.wav", ["reader", "curator"])
        .roles("stream/*", ["reader", "curator"])
        .roles("foyer", ["foyer"])
        .roles("curator", ["curator"])
        .refusing(
            Message::new(text("For curators only", "Nur für Kuratorinnen und Kuratoren")).note(
                text(
                    "Your account is a reader’s. Log in as a curator to see this.",
                    "Ihr Konto ist ein Leserkonto. Melden Sie sich als Kuratorin oder Kurator an.",
                ),
            ),
        )
        .nobody(
            "embargoed",
            Message::new(text("Under embargo", "Gesperrt")).note(text(
                "Nobody may see this before 2040.",
                "Dies ist bis 2040 für alle gesperrt.",
            )),
        )
        .roles("tiered", ["reader", "curator"])
        .substitute(
            Substitute::of_same_base("tiered-small")
                .label(text("A small version for everyone", "Eine kleine Fassung für alle")),
        );
    if arguments.reading_room.is_empty() {
        rules.nobody("reading-room", only_in_the_reading_room())
    } else {
        rules.roles("reading-room", ["reading-room"])
    }
}

fn text(english: &str, german: &str) -> LanguageMap {
    LanguageMap::new("en", english).with("de", german)
}

/// An error on one line, with what is behind it.
fn with_cause(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
