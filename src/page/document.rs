//! The HTML around every page.

use super::STYLE;
use super::escape::{html, json_for_script};

/// A page that is seen, for a reader who accepts these languages, in the crate's one style.
pub(crate) fn seen(accept_language: &str, title: &str, body: &str) -> String {
    let head = format!(
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <style>{STYLE}</style>"
    );
    document(primary_language(accept_language), title, &head, body)
}

/// A page in a hidden frame or a helper window, in English where it has words at all.
pub(crate) fn unseen(title: &str, body: &str) -> String {
    document("en", title, "", body)
}

/// Data for the script of a page, which finds it by its `id`.
pub(crate) fn data(id: &str, value: &impl serde::Serialize) -> String {
    let mut json = Vec::new();
    json_for_script(&mut json, value);
    let json = String::from_utf8(json).expect("JSON is text");
    format!("<script type=\"application/json\" id=\"{id}\">{json}</script>")
}

/// An [`unseen`] page that differs in its data alone: all else is written once.
pub(crate) struct DataPage {
    before: String,
    after: String,
}

impl DataPage {
    /// With data that its script finds by `id`; `rest` is the HTML behind it.
    pub(crate) fn new(title: &str, id: &str, rest: &str) -> Self {
        let page = unseen(title, &format!("{}{rest}", data(id, &MARK)));
        let mark = format!("{MARK:?}");
        let (before, after) = page.split_once(&mark).expect("the data is on the page");
        Self { before: before.to_owned(), after: after.to_owned() }
    }

    /// The page with this data.
    pub(crate) fn with(&self, value: &impl serde::Serialize) -> Vec<u8> {
        let mut page = Vec::with_capacity(self.before.len() + self.after.len() + USUAL_DATA);
        page.extend_from_slice(self.before.as_bytes());
        json_for_script(&mut page, value);
        page.extend_from_slice(self.after.as_bytes());
        page
    }
}

/// Room for a token and what goes with it.
const USUAL_DATA: usize = 1024;

/// Stands for the data while the page around it is written.
const MARK: &str = "the data";

/// `title` is text; `head` and `body` are HTML.
fn document(language: &str, title: &str, head: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"{}\"><head><meta charset=\"utf-8\"><title>{}</title>{head}\
         </head><body>{body}</body></html>",
        html(language),
        html(title)
    )
}

/// The first tag that the reader accepts, for the document as a whole.
fn primary_language(accept: &str) -> &str {
    let tag = accept.split([',', ';']).next().unwrap_or_default().trim();
    if tag.is_empty() || tag == "*" { "en" } else { tag }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_says_its_language_and_lets_nothing_out() {
        for (accepted, language) in [
            ("", "en"),
            ("*", "en"),
            ("cy, en;q=0.5", "cy"),
            ("de-AT;q=0.9", "de-AT"),
            ("\"><script>", "&quot;&gt;&lt;script&gt;"),
        ] {
            let page = seen(accepted, "<i>", "<main></main>");
            let start = format!("<!doctype html><html lang=\"{language}\"><head>");
            assert!(page.starts_with(&start), "{page}");
            assert!(page.contains("<title>&lt;i&gt;</title>"), "{page}");
            assert!(page.ends_with("</head><body><main></main></body></html>"), "{page}");
        }
        let page = unseen("", &data("x", &"</script>"));
        assert_eq!(DataPage::new("", "x", "").with(&"</script>"), page.as_bytes());
        assert!(page.contains("id=\"x\">\"\\u003c/script\\u003e\"</script></body>"), "{page}");
    }
}
