//! Taking in what the user changed in a component's worktree.

use super::commit::subject;
use super::status::{Kind, listed};
use super::{TreeError, Worktree};
use crate::ids::Subject;

impl Worktree {
    /// Commits everything that is not committed, new files too, as the user's work; none where there is nothing. Files
    /// that git ignores stay as they are, as do repositories and submodules within.
    ///
    /// # Errors
    /// Git's own; nothing is lost, the changes stay in the tree.
    pub fn adopt(&self, spec: &str, on: &Subject, summary: &str) -> Result<Option<String>, TreeError> {
        let _one = self.lock();
        let own = self.own_index()?;
        let mut entries = self.entries(&own)?;
        entries.retain(|entry| !matches!(entry.kind, Kind::Repository | Kind::Submodule));
        if entries.is_empty() {
            return Ok(None);
        }
        let subject = subject(&format!("{on} by the user"), summary);
        let message = format!("{subject}\n\nCco-Spec: {spec}\nCco-Component: {on}\nCco-By: user\n");
        let names = listed(entries.iter().map(|entry| &entry.path[..]));
        Ok(self.record(&self.root, &names, &message)?)
    }
}
