//! The login of a walk: pages and forms, as far as they go without scripts.

use super::requests::visit;
use super::{Walk, redirect};
use crate::html::{Form, Page};
use crate::http::{Client, Exchange, Request, origin};

/// How a problem begins that a user has to solve, and a kiosk must not pose.
pub(crate) const WANTS: &str = "its page wants";

/// Pages that are looked at, redirects among them.
const PAGES: usize = 16;

/// Through redirects and forms, until a page has nothing more to press.
pub(super) fn log_in(client: &Client, url: &str, fields: &[(String, String)], walk: &mut Walk) {
    if let Err(problem) = steps(client, url, fields, walk) {
        walk.problem = Some(problem);
    }
}

fn steps(
    client: &Client,
    url: &str,
    fields: &[(String, String)],
    walk: &mut Walk,
) -> Result<(), String> {
    let mut request = visit(url);
    let mut typed = false;
    for _ in 0..PAGES {
        let exchange = client.send(request.cookies(&walk.jar));
        let here = exchange.request.url.clone();
        if let Some(answer) = exchange.answer() {
            walk.set.extend(walk.jar.store(&here, answer));
        }
        walk.login.push(exchange);
        if let Some(next) = redirect(&walk.login) {
            request = visit(&next);
            continue;
        }
        let page = page(&walk.login)?;
        let form = page.as_ref().map(|page| next_form(page, fields, &mut typed)).transpose()?;
        let Some(form) = form.flatten() else { return ended(page.as_ref(), walk) };
        walk.acted = true;
        request = submit(form, &here, fields)?;
    }
    Err("its pages never end".to_owned())
}

/// Whether this can be the end of a login: no error, and nothing left to press.
fn ended(page: Option<&Page>, walk: &Walk) -> Result<(), String> {
    let status = walk.login.last().and_then(Exchange::status).unwrap_or_default();
    if status >= 400 {
        return Err(format!("its last page is HTTP {status}"));
    }
    let Some(page) = page else { return Ok(()) };
    let scripts = page.scripts.iter().any(|script| script.src.is_some());
    if walk.set.iter().any(|cookie| !cookie.gone) || (page.buttons == 0 && !scripts) {
        return Ok(());
    }
    if page.closes() == Some(true) {
        let why =
            "whether its page closes, or waits for a button, cannot be told without --browser";
        return Err(why.to_owned());
    }
    Err(format!("{WANTS} a browser that runs its script: --browser"))
}

/// The last page, if it is one.
fn page(login: &[Exchange]) -> Result<Option<Page>, String> {
    let Some(last) = login.last() else { return Ok(None) };
    let answer = last.outcome.as_ref().map_err(|error| format!("{}: {error}", last.place()))?;
    Ok(answer.is_html().then(|| crate::html::read(&answer.text())))
}

/// The form that takes what was given, once; then those that only want to be pressed.
fn next_form<'a>(
    page: &'a Page,
    fields: &[(String, String)],
    typed: &mut bool,
) -> Result<Option<&'a Form>, String> {
    let named = |form: &&Form| {
        form.fields.iter().any(|field| fields.iter().any(|(name, _)| *name == field.name))
    };
    if let Some(form) = page.forms.iter().find(named).filter(|_| !*typed) {
        *typed = true;
        return Ok(Some(form));
    }
    if let Some(form) = page.forms.iter().find(|form| !form.asks() && form.button) {
        return Ok(Some(form));
    }
    match (page.forms.iter().any(Form::asks), *typed) {
        (false, _) => Ok(None),
        (true, true) => Err("the login did not take the given fields".to_owned()),
        (true, false) => Err(format!("{WANTS} something typed: --field NAME=VALUE")),
    }
}

fn submit(form: &Form, here: &str, fields: &[(String, String)]) -> Result<Request, String> {
    let target = form.target(here).ok_or("its form leads nowhere")?;
    let body = form.body(fields);
    let mut request = if form.post {
        Request::new("POST", target)
            .with("accept", "text/html,*/*;q=0.8")
            .with("origin", origin(here).unwrap_or_default())
            .with("sec-fetch-site", "same-origin")
            .with("sec-fetch-mode", "navigate")
            .with("sec-fetch-dest", "document")
            .with("sec-fetch-user", "?1")
            .form(body)
    } else {
        let target = target.split(['?', '#']).next().unwrap_or_default().to_owned();
        Request::get(format!("{target}?{body}")).with("sec-fetch-site", "same-origin")
    };
    // What was typed is as secret as what comes of it.
    request.secret = true;
    Ok(request)
}
