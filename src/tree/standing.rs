//! What worktrees of a spec are there, and whether anything in them would be lost with them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::git::GitError;
use super::set_up::{COMPONENTS, RUN};
use super::{Repository, TreeError, Worktree};
use crate::ids::{ComponentId, Subject};

/// Whose a worktree is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// A component's, or the run's.
    Subject(Subject),
    /// One made anew under this name; nobody's work is in it.
    Fresh(String),
}

/// A worktree, as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Whose it is.
    pub owner: Owner,
    /// Its top directory.
    pub root: PathBuf,
    /// The commit that is checked out; none where only half of it is there.
    pub head: Option<String>,
    /// Whether it holds changes that no commit holds.
    pub uncommitted: bool,
    /// Whether it holds files that git ignores.
    pub ignored: bool,
}

impl Repository {
    /// The worktrees of the spec that are there, whole or half, by owner. Asks git of each; nothing is mended.
    ///
    /// # Errors
    /// Git's own.
    pub fn worktrees(&self) -> Result<Vec<Standing>, TreeError> {
        let mut names: BTreeSet<_> = self.registry.all().into_keys().collect();
        for below in ["", COMPONENTS] {
            // A directory that is not there holds none.
            let entries = fs_err::read_dir(self.source.worktrees.join(below)).into_iter().flatten();
            names.extend(entries.flatten().map(|entry| Path::new(below).join(entry.file_name())));
        }
        let mut found = Vec::new();
        for name in names {
            // What is no name is not ours, and the directory of all components is none of them.
            let Some(owner) = owner_of(&name) else { continue };
            let root = self.source.worktrees.join(&name);
            let whole = self.found_whole(&name).map(|(root, git_dir)| self.bind(&name, &root, &git_dir));
            let (mut head, mut uncommitted, mut ignored) = (None, false, false);
            if let Some(worktree) = whole {
                head = Some(worktree.head()?);
                uncommitted = worktree.was_moving() || !worktree.uncommitted()?.is_empty();
                ignored = worktree.has_ignored()?;
            }
            found.push(Standing { owner, root, head, uncommitted, ignored });
        }
        found.sort_by(|a, b| a.owner.cmp(&b.owner));
        Ok(found)
    }

    /// Those for whom there is the directory of a worktree, whatever is in it, or whom the repository knows one of: who
    /// removes one and is killed can leave either.
    pub fn subjects(&self) -> Vec<Subject> {
        let entries = fs_err::read_dir(self.source.worktrees.join(COMPONENTS)).into_iter().flatten().flatten();
        let mut names: BTreeSet<_> = entries.map(|entry| PathBuf::from(entry.file_name())).collect();
        let known = self.registry.all().into_keys();
        names.extend(known.filter_map(|name| Some(name.strip_prefix(COMPONENTS).ok()?.to_owned())));
        let ids = names.iter().filter_map(|name| ComponentId::new(name.to_str()?).ok());
        ids.map(Subject::Component).collect()
    }
}

impl Worktree {
    fn has_ignored(&self) -> Result<bool, GitError> {
        let args = ["ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory"];
        Ok(!self.git.first(&self.root, &args, &[], 1)?.0.is_empty())
    }
}

fn owner_of(name: &Path) -> Option<Owner> {
    let parts: Vec<_> = name.iter().map(|part| part.to_str()).collect::<Option<_>>()?;
    match parts[..] {
        [RUN] => Some(Owner::Subject(Subject::Run)),
        [COMPONENTS, id] => ComponentId::new(id).ok().map(Subject::Component).map(Owner::Subject),
        [name] if name != COMPONENTS => crate::ids::check_name(name).ok().map(|()| Owner::Fresh(name.to_owned())),
        _ => None,
    }
}
