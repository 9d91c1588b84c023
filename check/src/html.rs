//! What a page holds: forms and scripts. A tokenizer is enough for both.

use html5gum::{DefaultEmitter, Token, Tokenizer};
use url::Url;

#[derive(Clone, Debug, Default)]
pub(crate) struct Form {
    pub(crate) action: Option<String>,
    pub(crate) post: bool,
    /// Name, value, type.
    pub(crate) fields: Vec<Field>,
    /// Something to press.
    pub(crate) button: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) kind: String,
}

impl Form {
    /// Whether it wants something typed.
    pub(crate) fn asks(&self) -> bool {
        let silent =
            ["hidden", "submit", "button", "checkbox", "radio", "image", "reset", "select"];
        self.fields.iter().any(|field| !silent.contains(&&*field.kind))
    }

    /// Where it goes, from the page that holds it.
    pub(crate) fn target(&self, page: &str) -> Option<String> {
        let page = Url::parse(page).ok()?;
        match self.action.as_deref() {
            None | Some("") => Some(page.into()),
            Some(action) => page.join(action).ok().map(Into::into),
        }
    }

    /// The body, with the user's values in place of the page's. The first button with a name counts
    /// as pressed.
    pub(crate) fn body(&self, given: &[(String, String)]) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let mut pressed = false;
        for field in &self.fields {
            let own = given.iter().find(|(name, _)| *name == field.name);
            match (&*field.kind, own) {
                ("submit" | "button" | "image" | "reset", None) if pressed => continue,
                ("button" | "reset", None) => continue,
                ("submit" | "image", None) => pressed = true,
                _ => {}
            }
            if field.name.is_empty() {
                continue;
            }
            let value = own.map_or(&field.value, |(_, value)| value);
            query.append_pair(&field.name, value);
        }
        query.finish()
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) kind: String,
    pub(crate) text: String,
    pub(crate) src: Option<String>,
    pub(crate) nonce: Option<String>,
    pub(crate) id: Option<String>,
}

impl Script {
    /// Whether browsers run it.
    pub(crate) fn runs(&self) -> bool {
        matches!(&*self.kind, "" | "text/javascript" | "application/javascript" | "module")
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Page {
    pub(crate) forms: Vec<Form>,
    pub(crate) scripts: Vec<Script>,
    /// Outside of forms, too.
    pub(crate) buttons: usize,
    /// Event handlers in attributes.
    pub(crate) handlers: Vec<String>,
}

pub(crate) fn read(html: &str) -> Page {
    let mut page = Page::default();
    let mut form: Option<Form> = None;
    let mut script: Option<Script> = None;
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    for Ok(token) in Tokenizer::new_with_emitter(html, emitter) {
        match token {
            Token::StartTag(tag) => {
                let attribute = |name: &str| {
                    tag.attributes
                        .get(name.as_bytes())
                        .map(|value| String::from_utf8_lossy(value).into_owned())
                };
                for (name, value) in &tag.attributes {
                    if name.starts_with(b"on") {
                        page.handlers.push(String::from_utf8_lossy(value).into_owned());
                    }
                }
                match &**tag.name {
                    b"form" => {
                        page.forms.extend(form.take());
                        let post = attribute("method")
                            .is_some_and(|method| method.eq_ignore_ascii_case("post"));
                        form = Some(Form { action: attribute("action"), post, ..Form::default() });
                    }
                    b"input" | b"button" | b"select" | b"textarea" => {
                        let default = match &**tag.name {
                            b"button" => "submit",
                            b"select" => "select",
                            _ => "text",
                        };
                        let kind = attribute("type").unwrap_or_else(|| default.to_owned());
                        let kind = kind.to_ascii_lowercase();
                        let presses = matches!(&*kind, "submit" | "button" | "image");
                        page.buttons += usize::from(presses);
                        if let Some(form) = &mut form {
                            form.button |= presses;
                            // A button without a name sends nothing, and yet is the one that is pressed.
                            let name = attribute("name").or_else(|| presses.then(String::new));
                            if let Some(name) = name {
                                let value = attribute("value").unwrap_or_else(|| {
                                    if kind == "checkbox" { "on".to_owned() } else { String::new() }
                                });
                                form.fields.push(Field { name, value, kind });
                            }
                        }
                    }
                    b"script" => {
                        script = Some(Script {
                            kind: attribute("type").unwrap_or_default().to_ascii_lowercase(),
                            text: String::new(),
                            src: attribute("src"),
                            nonce: attribute("nonce"),
                            id: attribute("id"),
                        });
                    }
                    _ => {}
                }
            }
            Token::EndTag(tag) => match &**tag.name {
                b"form" => page.forms.extend(form.take()),
                b"script" => page.scripts.extend(script.take()),
                _ => {}
            },
            Token::String(text) => {
                if let Some(script) = &mut script {
                    script.text.push_str(&String::from_utf8_lossy(&text));
                }
            }
            _ => {}
        }
    }
    page.forms.extend(form);
    page.scripts.extend(script);
    page
}

impl Page {
    /// Whether it tries to close its window without being asked.
    pub(crate) fn closes(&self) -> Option<bool> {
        if self.scripts.iter().any(|script| script.text.contains("close(")) {
            return Some(true);
        }
        if self.handlers.iter().any(|handler| handler.contains("close(")) {
            return Some(true);
        }
        // What a script from elsewhere does is not known.
        if self.scripts.iter().any(|script| script.src.is_some()) { None } else { Some(false) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_filled_in() {
        let page = read(
            r#"<form method=POST action="/in?x=1"><input name=csrf type=hidden value="a&amp;b"><input name=user>
            <input name=pw type=password><button name=go value=1>In</button><button name=no value=1>Out</button></form>"#,
        );
        let form = &page.forms[0];
        assert!(form.post && form.asks() && form.button);
        assert_eq!(
            form.target("https://a.example/x/y").as_deref(),
            Some("https://a.example/in?x=1")
        );
        let given = [("user".to_owned(), "ada".to_owned()), ("pw".to_owned(), "s p".to_owned())];
        assert_eq!(form.body(&given), "csrf=a%26b&user=ada&pw=s+p&go=1");
    }

    #[test]
    fn scripts_are_what_browsers_take_for_scripts() {
        let page = read(
            "<script>var a = '<b>';</script><script type='application/json'>{\"x\":1}</script><p>close(</p>",
        );
        assert_eq!(page.scripts.len(), 2);
        assert_eq!(page.scripts[0].text, "var a = '<b>';");
        assert!(page.scripts[0].runs() && !page.scripts[1].runs());
        assert_eq!(page.closes(), Some(false));
    }
}
