//! From the file to the layers.
//!
//! The library tells all mistakes of a configuration at once. It knows no lines: a mistake is in the
//! line of the entry with which it is first told.

use tower_iiif_auth::{ConfigError, ConfigWarning, IiifAuth, IiifAuthBuilder, Keyring};

use super::access::Access;
use super::base::Base;
use super::manifests::Described;
use super::mistakes::{Collector, Span};
use super::settings::Settings;
use crate::rights::Rules;

type Apply = Box<dyn Fn(IiifAuthBuilder) -> IiifAuthBuilder + Send + Sync>;

/// One entry of the file, as it is told to the builder.
pub(super) struct Piece {
    span: Span,
    apply: Apply,
}

impl Piece {
    pub(super) fn new(
        span: &Span,
        apply: impl Fn(IiifAuthBuilder) -> IiifAuthBuilder + Send + Sync + 'static,
    ) -> Self {
        Self { span: span.clone(), apply: Box::new(apply) }
    }
}

/// Everything that the builder is told, in order.
pub(super) struct Parts {
    public_url: String,
    insecure_http: bool,
    keyring: Keyring,
    rules: Rules,
    pieces: Vec<Piece>,
}

/// What stands in the file's tables, beside the bases.
pub(super) struct Given {
    pub(super) manifests: Vec<Described>,
    pub(super) accesses: Vec<Access>,
    pub(super) rules: Rules,
    pub(super) hand_on_session: bool,
}

impl Parts {
    pub(super) fn check(
        settings: Settings,
        bases: &[Base],
        given: Given,
        mistakes: &Collector<'_>,
    ) -> Option<Self> {
        let Settings { public_url, insecure_http, keyring, public_paths, mut pieces, .. } =
            settings;
        let Given { manifests, accesses, rules, hand_on_session } = given;
        if bases.is_empty() && mistakes.is_empty() {
            mistakes
                .add(&(0..0), "[[base]] is missing: list at least one, like path = \"/iiif/3\"");
        }
        if accesses.is_empty() && mistakes.is_empty() {
            mistakes.add(&(0..0), "[[access]] is missing: say by what users get in");
        }
        for base in bases.iter().cloned() {
            let span = base.span.clone();
            pieces.push(Piece::new(&span, move |builder| base.add_to(builder)));
        }
        for own in manifests.iter().filter(|own| !own.is_reached(&public_paths, bases)) {
            let message = "nothing at this path is passed on: list it in public_paths, like \
                           \"/manifests/*\", or let it lie below a [[base]] of kind \"files\"";
            mistakes.add(&own.span, message);
        }
        for Described { span, manifests, .. } in manifests {
            pieces.push(Piece::new(&span, move |builder| builder.manifests(manifests.clone())));
        }
        let realms: Vec<_> =
            accesses.iter().map(|own| (own.name.clone(), own.span.clone())).collect();
        for Access { span, realm, .. } in accesses {
            pieces.push(Piece::new(&span, move |builder| builder.realm(realm.clone())));
        }
        if rules.are_signed() {
            pieces.push(Piece::new(&(0..0), IiifAuthBuilder::signed_locations));
        }
        if hand_on_session {
            pieces.push(Piece::new(&(0..0), IiifAuthBuilder::session_extension));
        }
        let start = of(public_url.as_deref().unwrap_or_default(), keyring.as_ref(), insecure_http);
        for warning in place(start.authorizer(rules.clone()), &pieces, mistakes) {
            let of_realm = |realm: &String| realms.iter().find(|own| own.0 == *realm);
            let span = match &warning {
                // It was asked for, or is for this machine alone: said where it is served.
                ConfigWarning::PlainHttp => continue,
                ConfigWarning::CookieWithoutClick { realm }
                | ConfigWarning::NothingToHandOff { realm }
                | ConfigWarning::SessionsReplaced { realm } => {
                    of_realm(realm).map_or(0..0, |own| own.1.clone())
                }
                _ => 0..0,
            };
            mistakes.warn(&span, warning.to_string());
        }
        Some(Self { public_url: public_url?, insecure_http, keyring: keyring?, rules, pieces })
    }

    pub(super) fn builder(&self) -> IiifAuthBuilder {
        let start = of(&self.public_url, Some(&self.keyring), self.insecure_http);
        let start = start.authorizer(self.rules.clone());
        self.pieces.iter().fold(start, |builder, piece| (piece.apply)(builder))
    }
}

/// What the builder begins with.
pub(super) fn of(
    public_url: &str,
    keyring: Option<&Keyring>,
    insecure_http: bool,
) -> IiifAuthBuilder {
    let mut builder = IiifAuth::builder(public_url);
    if insecure_http {
        builder = builder.insecure_http();
    }
    match keyring {
        Some(keyring) => builder.keyring(keyring.clone()),
        None => builder,
    }
}

/// Tells what is wrong with the whole, each in the line of the entry that brought it in.
///
/// What is wrong before the first entry was told where it was read: a key or URL that is missing. Where
/// nothing is, it is what will disappoint.
fn place(start: IiifAuthBuilder, pieces: &[Piece], mistakes: &Collector<'_>) -> Vec<ConfigWarning> {
    let whole = pieces.iter().fold(start.clone(), |builder, piece| (piece.apply)(builder));
    let wrong = match whole.build() {
        Ok(auth) => return auth.warnings().to_vec(),
        Err(wrong) => wrong,
    };
    let before = start.clone().build().err();
    let is_told = |mistake: &ConfigError| before.as_ref().is_some_and(|own| own.contains(mistake));
    let mut left: Vec<_> = wrong.into_iter().filter(|mistake| !is_told(mistake)).collect();
    let mut builder = start;
    for piece in pieces {
        builder = (piece.apply)(builder);
        let Err(found) = builder.clone().build() else { continue };
        left.retain(|mistake| {
            let is_here = found.contains(mistake);
            if is_here {
                mistakes.add(&piece.span, mistake.to_string());
            }
            !is_here
        });
    }
    Vec::new()
}
