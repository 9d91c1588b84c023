//! Passwords, from a terminal or from standard input.

use std::io::IsTerminal;

use super::{BoxError, say};

/// Nobody can type a longer one into a login form.
const LONGEST: usize = 1024;

/// A new password: at a terminal unseen, and twice.
pub(super) fn new() -> Result<String, BoxError> {
    let password = if std::io::stdin().is_terminal() {
        let first = rpassword::prompt_password("Password: ")?;
        if first != rpassword::prompt_password("Again: ")? {
            return Err("the two are not the same".into());
        }
        first
    } else {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line)?;
        line.trim_end_matches(['\r', '\n']).to_owned()
    };
    if password.is_empty() {
        return Err("the password is empty".into());
    }
    if password.len() > LONGEST {
        return Err(format!("the password has more than {LONGEST} bytes").into());
    }
    Ok(password)
}

/// For whoever writes the users file themselves.
pub(super) fn hash_one() -> Result<(), BoxError> {
    say(&format!("{}\n", iiif_auth_proxy::hash_password(&new()?)?));
    Ok(())
}
