//! `content_for_scripts`: which pages read content with the user's cookie.

use tower_iiif_auth::ContentForScripts;

use super::mistakes::Span;
use super::section::{Found, Section};

#[derive(serde::Deserialize)]
#[serde(untagged, expecting = "write \"bound\" or a list of origins")]
enum Pages {
    Word(String),
    List(Vec<String>),
}

pub(super) fn read(section: &mut Section<'_, '_>) -> Option<(Span, ContentForScripts)> {
    let mistakes = section.mistakes;
    let Found { value, span } = section.optional("content_for_scripts")?;
    let list = match value {
        Pages::Word(word) if word == "bound" => vec![word],
        Pages::Word(word) => {
            let message =
                format!("content_for_scripts {word:?} is not \"bound\"; origins are a list");
            mistakes.add(&span, message);
            return None;
        }
        Pages::List(list) => list,
    };
    let mut pages = ContentForScripts::default();
    for page in list {
        pages = if page == "bound" {
            pages.bound_viewers()
        } else {
            let origin = page.parse().map_err(|error| format!("{page:?} is no origin: {error}"));
            pages.origins([mistakes.check(&span, origin)?])
        };
    }
    Some((span, pages))
}
