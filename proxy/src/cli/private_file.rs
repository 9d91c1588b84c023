//! Files that only their owner reads.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Makes a file that is not there yet.
pub(super) fn create(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Puts another text in a file's place, all at once: a proxy that reads it meanwhile has the old or the new
/// one. Mode and, as far as the system lets us, owner stay.
pub(super) fn replace(path: &Path, text: &str) -> io::Result<()> {
    // The file itself, and not a link to it.
    let path = fs::canonicalize(path)?;
    let before = fs::metadata(&path)?;
    let beside = beside(&path);
    let written = create(&beside, text).and_then(|()| {
        // The owner first: it takes away what the mode would give.
        drop(std::os::unix::fs::chown(&beside, Some(before.uid()), Some(before.gid())));
        fs::set_permissions(&beside, fs::Permissions::from_mode(before.mode() & 0o777))?;
        fs::rename(&beside, &path)
    });
    if written.is_err() {
        drop(fs::remove_file(&beside));
    }
    written
}

fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}", std::process::id()))
}
