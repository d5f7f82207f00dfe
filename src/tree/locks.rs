//! The locks of a git that was killed: nobody else frees them. Only for a run that holds the spec's lock and has ended
//! what the dead one left, so that nobody works there.

use std::path::Path;

use super::status::remove_if_there;

/// Removes the locks in a directory, and with `deep` those below it.
pub(super) fn release_in(dir: &Path, deep: bool) -> std::io::Result<()> {
    let mut open = vec![dir.to_owned()];
    while let Some(dir) = open.pop() {
        let entries = match fs_err::read_dir(&dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                if deep {
                    open.push(path);
                }
            } else if path.extension().is_some_and(|end| end == "lock") {
                release(&path)?;
            }
        }
    }
    Ok(())
}

/// Removes one lock, if it is there.
pub(super) fn release(lock: &Path) -> std::io::Result<()> {
    if lock.exists() {
        tracing::info!("removing `{}`, which a dead run left", lock.display());
        remove_if_there(lock)?;
    }
    Ok(())
}
