//! The file of users: names, hashes of passwords, roles.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

/// Users who log in with a password.
pub struct Users(HashMap<String, User>);

/// One of them.
#[derive(Clone)]
pub struct User {
    /// Of the password.
    pub hash: Hash,
    /// What the user may see.
    pub roles: Vec<String>,
}

/// A password's hash, as text that holds its own parameters.
#[derive(Clone)]
pub enum Hash {
    /// `$argon2id$…`, also the other kinds of it.
    Argon2(String),
    /// `$2y$…`, as `htpasswd -B` writes it.
    Bcrypt(String),
}

impl Users {
    /// The user of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&User> {
        self.0.get(name)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every role that one of them has.
    pub(super) fn roles(&self) -> impl Iterator<Item = &str> {
        self.0.values().flat_map(|user| &user.roles).map(String::as_str)
    }

    /// Any of them.
    #[must_use]
    pub fn any(&self) -> Option<&User> {
        self.0.values().next()
    }
}

/// Shows the roles.
impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("roles", &self.roles).finish_non_exhaustive()
    }
}

/// Shows the kind.
impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Argon2(_) => "Argon2([redacted])",
            Self::Bcrypt(_) => "Bcrypt([redacted])",
        })
    }
}

/// Shows how many there are.
impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Users([redacted; {}])", self.0.len())
    }
}

/// Reads `name:hash:role,role` from each line; blank lines and those that begin with `#` are skipped.
/// A message quotes no hash.
pub(super) fn read(path: &Path) -> Result<Users, String> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("users file {shown} cannot be read: {error}"))?;
    let mut users = HashMap::new();
    let mut mistakes = Vec::new();
    for (index, line) in text.lines().map(str::trim).enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match user(line) {
            Ok((name, user)) => {
                if users.insert(name.clone(), user).is_some() {
                    mistakes.push(format!("line {} of it names {name:?} again", index + 1));
                }
            }
            Err(fault) => mistakes.push(format!("line {} of it {fault}", index + 1)),
        }
    }
    if mistakes.is_empty() {
        Ok(Users(users))
    } else {
        Err(format!("users file {shown}: {}", mistakes.join("; ")))
    }
}

fn user(line: &str) -> Result<(String, User), &'static str> {
    let mut parts = line.splitn(3, ':');
    let (name, hash, roles) = (parts.next(), parts.next(), parts.next());
    let (Some(name), Some(hash)) = (name, hash) else {
        return Err("is not name:hash:role,role");
    };
    if name.is_empty() || name.len() > 255 {
        return Err("has no name of 1 to 255 bytes");
    }
    let hash = if hash.starts_with("$argon2") {
        argon2::PasswordHash::new(hash).map_err(|_| "has a broken argon2 hash")?;
        Hash::Argon2(hash.to_owned())
    } else if ["$2a$", "$2b$", "$2x$", "$2y$"].iter().any(|kind| hash.starts_with(kind)) {
        hash.parse::<bcrypt::HashParts>().map_err(|_| "has a broken bcrypt hash")?;
        Hash::Bcrypt(hash.to_owned())
    } else {
        return Err(
            "has a hash that is neither argon2 nor bcrypt: write it with `iiif-auth-proxy users add`",
        );
    };
    let roles = roles.unwrap_or_default().split(',').map(str::trim).filter(|role| !role.is_empty());
    Ok((name.to_owned(), User { hash, roles: roles.map(str::to_owned).collect() }))
}
