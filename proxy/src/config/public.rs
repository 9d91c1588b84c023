//! `public_paths`: what of the image server is open to everyone, though below no base.

use serde::Deserialize;
use toml::Spanned;
use tower_iiif_auth::resource::Pattern;

use super::mistakes::Span;
use super::section::Section;
use super::upstreams::Named;

/// A path, or a pattern of paths, that everyone may ask the image server for.
#[derive(Clone, Debug)]
pub struct PublicPath {
    /// In which `*` stands for any text.
    pub pattern: Pattern,
    /// Whether what stands behind a `?` goes on to the image server.
    pub pass_query: bool,
    /// Which image server has it: a place in [`Config::upstreams`](super::Config::upstreams).
    pub upstream: usize,
    pub(super) text: String,
    pub(super) span: Span,
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "write a path, like \"/static/*\", or { path = \"/search\", pass_query = true }"
)]
enum Entry {
    Path(String),
    Table(Table),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    path: String,
    #[serde(default)]
    pass_query: bool,
    #[serde(default)]
    upstream: String,
}

pub(super) fn read(
    section: &mut Section<'_, '_>,
    endpoints: &str,
    upstreams: &Named,
) -> Vec<PublicPath> {
    let mistakes = section.mistakes;
    let entries = section.optional::<Vec<Spanned<Entry>>>("public_paths");
    let entries = entries.map_or_else(Vec::new, |found| found.value);
    let mut public = Vec::new();
    for entry in entries {
        let span = entry.span();
        let (text, pass_query, upstream) = match entry.into_inner() {
            Entry::Path(path) => (path, false, String::new()),
            Entry::Table(Table { path, pass_query, upstream }) => (path, pass_query, upstream),
        };
        let Some(upstream) = upstreams.find(&upstream, &span, mistakes) else { continue };
        if text.strip_prefix(endpoints).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        {
            let message = format!(
                "public path {text:?} lies at or below {endpoints:?}, where the proxy itself answers: \
                 nothing there reaches the image server"
            );
            mistakes.add(&span, message);
        }
        public.push(PublicPath { pattern: Pattern::new(&*text), pass_query, upstream, text, span });
    }
    public
}
