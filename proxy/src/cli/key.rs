//! `key generate`, `key rotate`: the keys behind cookies and tokens.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::{SecureRandom, SystemRandom};
use tower_iiif_auth::Keyring;

use super::{BoxError, private_file, say};

pub(super) struct Key {
    pub(super) file: PathBuf,
    pub(super) step: Step,
}

#[derive(Clone, Copy)]
pub(super) enum Step {
    /// A file that is not there yet.
    Generate,
    /// A new key that seals at once; the old ones still open.
    Rotate,
    /// A new key below the others, which opens only: every node has to know it before one seals by it.
    Add,
    /// The last key seals from now on.
    Switch,
    /// Only the first key is left.
    Drop,
}

impl Key {
    pub(super) fn run(self) -> Result<(), BoxError> {
        let shown = self.file.display();
        if matches!(self.step, Step::Generate) {
            private_file::create(&self.file, &format!("{}\n", new()?))
                .map_err(|error| format!("{shown}: {error}"))?;
            say(&format!("{shown}: a new key, which only you can read\n"));
            return Ok(());
        }
        let text = std::fs::read_to_string(&self.file)
            .map_err(|error| format!("{shown} cannot be read: {error}"))?;
        Keyring::from_base64(&text).map_err(|error| format!("{shown}: {error}"))?;
        let is_key = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with('#');
        let mut keys: Vec<String> = text.lines().filter(is_key).map(str::to_owned).collect();
        let said = match self.step {
            Step::Rotate => {
                keys.insert(0, new()?);
                "a new key seals what is new, and those below still open what they sealed. After 24 \
                 hours take them out with --drop. Several nodes need three steps: --add, --switch, --drop"
            }
            Step::Add => {
                keys.push(new()?);
                "a new key was added below. When every node has this file, go on with --switch"
            }
            Step::Switch if keys.len() < 2 => return Err("there is one key only: --add one".into()),
            Step::Switch => {
                keys.rotate_right(1);
                "the last key is now the first, which seals. 24 hours after every node has this file, go \
                 on with --drop"
            }
            Step::Drop if keys.len() < 2 => return Err("there is one key only".into()),
            Step::Drop => {
                keys.truncate(1);
                "only the first key is left"
            }
            Step::Generate => return Ok(()),
        };
        let comments = text.lines().filter(|line| !is_key(line));
        let lines: Vec<_> = comments.chain(keys.iter().map(String::as_str)).collect();
        private_file::replace(&self.file, &(lines.join("\n") + "\n"))
            .map_err(|error| format!("{shown} cannot be written: {error}"))?;
        say(&format!("{shown}: {said}\n"));
        Ok(())
    }
}

/// 32 random bytes, as a line of a key file.
pub(super) fn new() -> Result<String, BoxError> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| "the system gives no random bytes")?;
    Ok(STANDARD.encode(bytes))
}
