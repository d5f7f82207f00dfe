//! What one writing step made of its subject's files: the commit of a directory without version control.

use std::io;

use super::objects::Objects;
use crate::ids::Digest;

/// What stands before a digest where git's own ids could stand too.
pub const KEPT_AS: &str = "digest:";

/// A step that is done. Each is the digest of a [`super::Snapshot`] of the subject's own files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// When work on the subject began.
    pub base: Digest,
    /// When the step began.
    pub before: Digest,
    /// When it had ended.
    pub after: Digest,
}

impl Step {
    /// Keeps it; gives the name by which it can be found again.
    ///
    /// # Errors
    /// The disk's own.
    pub fn put(&self, objects: &Objects, of: &str) -> io::Result<String> {
        let text = format!("{} {} {} {of}", self.base, self.before, self.after);
        objects.put(text.as_bytes()).map(Self::name)
    }

    /// The step of a name; none if the name is not one of these.
    ///
    /// # Errors
    /// The disk's own; among it that the step was never kept.
    pub fn get(objects: &Objects, name: &str) -> io::Result<Option<Self>> {
        let Some(digest) = name.strip_prefix(KEPT_AS) else { return Ok(None) };
        let lost = || io::Error::other(format!("`{name}` is missing or damaged in `state/objects`"));
        let digest = digest.parse().map_err(|_| lost())?;
        let bytes = objects.get(&digest)?.ok_or_else(lost)?;
        Self::from_bytes(&bytes).map(Some).ok_or_else(lost)
    }

    /// Reads what [`Step::put`] wrote; none if it is something else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let mut digests = text.split(' ').map_while(|word| word.parse::<Digest>().ok());
        Some(Self { base: digests.next()?, before: digests.next()?, after: digests.next()? })
    }

    /// A digest as it stands where git's own ids could stand too.
    pub fn name(digest: Digest) -> String {
        format!("{KEPT_AS}{digest}")
    }
}
