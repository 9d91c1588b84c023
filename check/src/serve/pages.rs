//! The page that lists everything.

use std::fmt::Write as _;

use http::StatusCode;

use super::items::{BASES, ITEMS, Kind, Realm};
use super::login::ACCOUNT;
use super::model::{Answer, Model, page};

pub(super) fn index(model: &Model) -> Answer {
    let mut body = "<p>A server with an item for every pattern of IIIF authorization. Nothing here is secret: it is for \
         trying viewers. The name is <code>".to_owned();
    let _ = write!(
        body,
        "{}</code>, the password <code>{}</code>.</p><h2>Manifests</h2><ul>",
        ACCOUNT.0, ACCOUNT.1
    );
    let manifests = [
        ("manifest.json", "Presentation 3, Authorization Flow 2.0"),
        ("manifest-4.json", "Presentation 4 (draft), Authorization Flow 2.0"),
        ("manifest-1.json", "Presentation 2, Authentication 1.0"),
        ("manifest-0.json", "Presentation 2, Authentication 0.9"),
        ("errors.json", "Presentation 3, 2.0: a token service for every error"),
    ];
    for (file, what) in manifests {
        let _ = write!(
            body,
            "<li><a href=\"/{file}\"><code>{}/{file}</code></a>: {what}</li>",
            model.base
        );
    }
    body.push_str("</ul><h2>Items</h2><table><tr><th>Item</th><th>Pattern</th><th>A right viewer…</th><th>Alone</th><th>info.json or file</th></tr>");
    for item in ITEMS {
        let pattern = item.realm.map_or("open", Realm::profile);
        let _ = write!(
            body,
            "<tr><td>{0}</td><td>{pattern}</td><td>{1}</td><td><a href=\"/manifest/{0}.json\">manifest</a></td><td>",
            item.name, item.right
        );
        if item.kind == Kind::Image {
            for base in BASES {
                let _ = write!(
                    body,
                    "<a href=\"/iiif/{0}/{1}/info.json\">{0}</a> ",
                    base.name, item.name
                );
            }
        } else {
            let _ = write!(body, "<a href=\"/file/{}\">file</a>", item.name);
        }
        body.push_str("</td></tr>");
    }
    body.push_str(
        "</table><p>Bases: <code>3</code> is Image API 3 with 2.0; <code>2-flow</code> Image API 2 with 2.0; <code>2</code> \
         Image API 2 with 1.0; <code>3-cookie</code> Image API 3 with 1.0; <code>0</code> Image API 2 with 0.9. \
         Pictures stand alone in <code>/manifest-1/{item}.json</code> and <code>/manifest-0/{item}.json</code>, too. \
         <a href=\"/outside\">Outside</a> is the login that the external service relies on.</p>",
    );
    page(StatusCode::OK, "The Model Library", &body)
}
