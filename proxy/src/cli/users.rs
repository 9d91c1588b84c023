//! `users add`, `users passwd`, `users remove`, `users list`.

use std::path::{Path, PathBuf};

use super::{BoxError, complain, password, private_file, say};

pub(super) struct Users {
    pub(super) action: Action,
    pub(super) whose: Whose,
}

pub(super) enum Action {
    Add { name: String, roles: Vec<String> },
    Passwd { name: String },
    Remove { name: String },
    List,
}

/// Where the file of users is named.
pub(super) enum Whose {
    File(PathBuf),
    Config(PathBuf),
}

impl Users {
    pub(super) fn run(self) -> Result<(), BoxError> {
        let path = match self.whose {
            Whose::File(path) => path,
            Whose::Config(config) => named_in(&config)?,
        };
        let shown = path.display();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error)
                if error.kind() == std::io::ErrorKind::NotFound
                    && matches!(self.action, Action::Add { .. }) =>
            {
                private_file::create(&path, "").map_err(|error| format!("{shown}: {error}"))?;
                String::new()
            }
            Err(error) => return Err(format!("{shown} cannot be read: {error}").into()),
        };
        let changed = match self.action {
            Action::List => {
                list(&text);
                return Ok(());
            }
            Action::Add { name, roles } => add(&text, &name, &roles, &path)?,
            Action::Passwd { name } => with_password(&text, &name, &path)?,
            Action::Remove { name } => without(&text, &name, &path)?,
        };
        private_file::replace(&path, &changed)
            .map_err(|error| format!("{shown} cannot be written: {error}"))?;
        say("A running proxy takes it up by itself.\n");
        Ok(())
    }
}

/// The name on a line, unless it is blank or a comment.
fn name_of(line: &str) -> Option<&str> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    line.split(':').next()
}

fn has(text: &str, name: &str) -> bool {
    text.lines().any(|line| name_of(line) == Some(name))
}

fn list(text: &str) {
    for line in text.lines() {
        let Some(name) = name_of(line) else { continue };
        let roles = line.trim().splitn(3, ':').nth(2).unwrap_or_default();
        say(&format!("{name}: {}\n", if roles.is_empty() { "no roles" } else { roles }));
    }
}

fn add(text: &str, name: &str, roles: &[String], path: &Path) -> Result<String, BoxError> {
    let odd = |c: char| c == ':' || c.is_control();
    if name.is_empty() || name.len() > 255 || name.trim() != name || name.starts_with('#') {
        return Err(
            "a name has 1 to 255 bytes, begins with no # and neither begins nor ends with \
                    white space"
                .into(),
        );
    }
    if name.contains(odd) {
        return Err("a name holds no colon and no control".into());
    }
    if roles.iter().any(|role| role.is_empty() || role.contains(|c: char| c.is_control())) {
        return Err("a role has at least one byte, and no control".into());
    }
    if has(text, name) {
        let message = format!("{name} is in {} already: use passwd, or remove", path.display());
        return Err(message.into());
    }
    if roles.is_empty() {
        complain(&format!("{name} gets no role: rules that ask for one stay closed. See --role\n"));
    }
    let hash = iiif_auth_proxy::hash_password(&password::new()?)?;
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    let roles = roles.join(",");
    say(&format!("{name} was added to {}\n", path.display()));
    Ok(format!("{text}{end}{name}:{hash}:{roles}\n"))
}

fn with_password(text: &str, name: &str, path: &Path) -> Result<String, BoxError> {
    there(text, name, path)?;
    let hash = iiif_auth_proxy::hash_password(&password::new()?)?;
    say(&format!("{name} has another password. Who is in stays in until the session ends\n"));
    let changed = |line: &str| match name_of(line) {
        Some(own) if own == name => {
            let roles = line.trim().splitn(3, ':').nth(2).unwrap_or_default();
            format!("{name}:{hash}:{roles}")
        }
        _ => line.to_owned(),
    };
    Ok(text.lines().map(changed).collect::<Vec<_>>().join("\n") + "\n")
}

fn without(text: &str, name: &str, path: &Path) -> Result<String, BoxError> {
    there(text, name, path)?;
    say(&format!("{name} cannot log in any more. Who is in stays in until the session ends\n"));
    let left = text.split_inclusive('\n').filter(|line| name_of(line) != Some(name));
    Ok(left.collect())
}

fn there(text: &str, name: &str, path: &Path) -> Result<(), BoxError> {
    if has(text, name) {
        Ok(())
    } else {
        Err(format!("{name} is not in {}", path.display()).into())
    }
}

/// The file of users that a configuration names, whatever else is wrong with it.
fn named_in(config: &Path) -> Result<PathBuf, BoxError> {
    let shown = config.display();
    let text = std::fs::read_to_string(config)
        .map_err(|error| format!("{shown} cannot be read: {error}. Name it with --config"))?;
    let table: toml::Table = toml::from_str(&text).map_err(|error| format!("{shown}: {error}"))?;
    let accesses = table.get("access").and_then(toml::Value::as_array);
    let mut files: Vec<&str> = accesses
        .into_iter()
        .flatten()
        .filter_map(|access| access.get("users_file")?.as_str())
        .collect();
    files.dedup();
    match files[..] {
        [file] => Ok(config.parent().unwrap_or(Path::new(".")).join(file)),
        [] => Err(format!("{shown} has no [[access]] with a users_file").into()),
        _ => Err(format!("{shown} has several users_file: name one with --file").into()),
    }
}
