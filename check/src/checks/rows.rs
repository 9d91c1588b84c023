//! Requirements that cannot be seen from outside, and why.

/// Row and reason. Every other row of `docs/conformance.md` is named by a check.
pub(crate) const UNSEEN: &[(&str, &str)] = &[
    ("V2-DECL-4", "a choice: the probe may stand in the manifest, too"),
    ("V2-DECL-8", "what the document was before is not known"),
    ("V2-DECL-10", "a choice; several services are followed where they are declared"),
    ("V2-ACC-10", "a choice: no cookie, any number of redirects"),
    (
        "V2-TOK-9",
        "a token's end is seen by waiting for it alone, and servers need not say when it is",
    ),
    ("V2-ERR-8", "would have to wait for a session's end"),
    ("V2-ERR-9", "would have to put the server's store out of order"),
    ("V2-SUB-6", "which version most users want is for people to say"),
    ("V2-SUB-7", "a choice: hiding versions"),
    ("V2-COOKIE-2", "a choice: closing without a gesture where no cookie is used"),
    ("V2-COOKIE-6", "advice to operators by the server's own log"),
    ("V1-ACC-6", "a format that no specification has"),
    ("V1-ERR-6", "would have to put the server's store out of order"),
    ("V1-DESC-7", "which version an authorized user should see is for people to say"),
    ("V09-DECL-3", "a choice: a client identity service"),
    ("V09-DECL-4", "whether client software has to be registered is not known"),
    ("V09-TOK-4", "needs a registered client's code"),
    ("V09-CID-1", "needs a registered client's secret"),
    ("V09-CID-2", "needs a registered client's secret"),
    ("V09-CID-3", "takes requests that are neither a viewer's nor a form: none are sent"),
    ("V09-CID-4", "takes requests that are neither a viewer's nor a form: none are sent"),
    ("V09-CID-5", "needs a registered client's secret, and reads logs"),
    ("V09-ERR-2", "takes requests that are neither a viewer's nor a form: none are sent"),
    ("V09-ERR-3", "whom a text is for is for people to say"),
    ("V09-DESC-4", "which lesser version belongs to a picture is not known"),
    ("SEC-7", "load: this sends a few requests a second"),
    ("SEC-9", "whether a list of viewers is for reading or for more is not known"),
    ("SEC-12", "Internet Explorer"),
    ("SEC-13", "threats to services that are no part of the specification"),
    ("CON-23", "needs a registered client's code"),
    ("CON-24", "needs a user who is known in two ways at once"),
    ("MAP-5", "would have to wait for a session's end"),
    ("MAP-6", "would have to put the server's store out of order"),
    ("MAP-7", "takes requests that are neither a viewer's nor a form: none are sent"),
];

/// Rows that checks name, each once, in order.
pub(crate) fn coverage() -> Vec<&'static str> {
    let mut rows: Vec<_> = super::all().flat_map(|check| check.rows).copied().collect();
    rows.sort_unstable();
    rows.dedup();
    rows
}
