//! `dialect` of a `[[base]]`: how the image server there reads identifiers.

use tower_iiif_auth::resource::Dialect;

use super::section::{Found, Section};

/// The dialect's keys, which only a base of images has. What does not go together, the library tells.
pub(super) fn read(section: &mut Section<'_, '_>) -> Dialect {
    let mistakes = section.mistakes;
    let mut dialect = match section.optional::<String>("dialect") {
        None => Dialect::general(),
        Some(Found { value, .. }) if value == "general" => Dialect::general(),
        Some(Found { value, .. }) if value == "iipimage" => Dialect::iipimage(),
        Some(Found { value, .. }) if value == "cantaloupe" => Dialect::cantaloupe(),
        Some(Found { value, span }) => {
            let message = format!(
                "dialect {value:?} is none of \"general\", \"iipimage\" and \"cantaloupe\""
            );
            mistakes.add(&span, message);
            Dialect::general()
        }
    };
    if let Some(Found { value, .. }) = section.optional::<String>("slash_substitute") {
        dialect = dialect.slash_substitute(&value);
    }
    if section.or("scale_by_hyphen", false) {
        dialect = dialect.scale_by_hyphen();
    }
    if section.or("several_segments", false) {
        dialect = dialect.several_segments();
    }
    if section.or("url_identifiers", false) {
        dialect = dialect.urls();
    }
    if let Some(Found { value, .. }) = section.optional::<String>("insecure_characters") {
        dialect = dialect.with_insecure_characters(&value);
    }
    if section.or("insecure_path_parameters", false) {
        dialect = dialect.with_insecure_characters(";");
    }
    dialect
}
