//! Setting some files back to an earlier state, with a further commit: history only ever grows.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::changes::Difference;
use super::commit::{Commit, message};
use super::disk::OnDisk;
use super::git::Git;
use super::status::{Entry, Kind, remove_if_there, set_entries};
use super::{TreeError, Worktree};

/// A state of the tree in the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State<'a> {
    /// As a commit left it.
    Of(&'a str),
    /// As it was before a commit: its first parent, or no files if it has none.
    Before(&'a str),
}

/// A tree, and in what it differs from the one that it was made of.
#[derive(Debug)]
pub(super) struct Graft {
    pub(super) tree: String,
    pub(super) differences: Vec<Difference>,
}

impl Worktree {
    /// Sets all files for which `owns` is true to their state in `from` (contents, mode, existence) and commits that on
    /// what is checked out; no other file changes, nor does what others have not committed. None where that changes
    /// nothing. `owns` is asked with paths relative to the work directory, `../x` outside of it. `commit` says what the
    /// message holds; whom it names as writing does not matter here.
    ///
    /// If this is cut short before the commit is made, the files may be set already; another call takes them as they are.
    ///
    /// # Errors
    /// [`TreeError::Uncommitted`] if that would lose something, [`TreeError::Entangled`] if a file that is not owned
    /// would have to go; git's own. Nothing has changed then, unless git failed halfway, as above.
    pub fn restore(
        &self,
        from: State<'_>,
        owns: &dyn Fn(&Path) -> bool,
        commit: &Commit<'_>,
    ) -> Result<Option<String>, TreeError> {
        let _one = self.lock();
        let (wanted, head) = (self.tree_of(from)?, self.head()?);
        let own = self.own_index()?;
        let graft = self.graft(&head, &wanted, owns)?;
        if let Some(path) = self.unowned(&head, &graft)? {
            return Err(TreeError::Entangled(path));
        }
        if let Some(path) = self.loss(&own, &wanted, owns, &graft)? {
            return Err(TreeError::Uncommitted(path));
        }
        if graft.differences.is_empty() {
            return Ok(None);
        }
        self.set_files(&own, &graft)?;
        let made = self.signed(&["commit-tree", &graft.tree, "-p", &head, "-m", &message(commit)])?;
        // Only if nobody else committed meanwhile.
        self.git.run(&self.root, &["update-ref", "-m", "cco: restore", "HEAD", &made, &head])?;
        Ok(Some(made))
    }

    /// Makes files what a commit holds, without committing that; one that the commit has not goes.
    ///
    /// # Errors
    /// Git's own; among it that there is no such commit.
    pub fn take_from(&self, commit: &str, files: &[PathBuf]) -> Result<(), TreeError> {
        let _one = self.lock();
        let (head, wanted) = (self.head()?, self.commit_id(commit)?);
        let own = self.own_index()?;
        let graft =
            self.graft(&head, &self.tree_of(State::Of(&wanted))?, &|path| files.iter().any(|file| file == path))?;
        self.set_files(&own, &graft)
    }

    /// The tree of a state.
    pub(super) fn tree_of(&self, state: State<'_>) -> Result<String, TreeError> {
        let revision = match state {
            State::Of(commit) => self.commit_id(commit)?,
            State::Before(commit) => {
                let commit = self.commit_id(commit)?;
                let parent = ["rev-parse", "--verify", "--quiet", &format!("{commit}^1")];
                match self.git.ask(&self.root, &parent)? {
                    Some(parent) => parent,
                    None => return Ok(self.git.run(&self.root, &["mktree"])?),
                }
            }
        };
        Ok(self.git.run(&self.root, &["rev-parse", "--verify", &format!("{revision}^{{tree}}")])?)
    }

    /// The tree `onto` with the files of `from` for which `owns` is true; the caller holds the lock.
    pub(super) fn graft(&self, onto: &str, from: &str, owns: &dyn Fn(&Path) -> bool) -> Result<Graft, TreeError> {
        let mut differences = self.differences(onto, from)?;
        differences.retain(|difference| owns(&self.prefix.relative(&difference.path)));
        let index = self.git_dir.join("cco-graft");
        for left in [index.clone(), self.git_dir.join("cco-graft.lock")] {
            remove_if_there(&left)?;
        }
        let git = self.git.with("GIT_INDEX_FILE", index.as_os_str());
        git.run(&self.root, &["read-tree", onto])?;
        set_entries(&git, &self.root, differences.iter().map(|it| (&it.path[..], it.new.as_ref())))?;
        let tree = git.run(&self.root, &["write-tree"])?;
        remove_if_there(&index)?;
        Ok(Graft { tree, differences })
    }

    /// A file that a graft took away although nobody asked for it: one in whose place another came.
    fn unowned(&self, onto: &str, graft: &Graft) -> Result<Option<PathBuf>, TreeError> {
        let asked: BTreeSet<_> = graft.differences.iter().map(|it| &it.path).collect();
        let made = self.differences(onto, &graft.tree)?;
        Ok(made.iter().find(|it| !asked.contains(&it.path)).map(|it| self.prefix.relative(&it.path)))
    }

    /// The first file whose contents no commit holds and that would be lost, or be left as it is against the order.
    fn loss(
        &self,
        own: &Git,
        wanted: &str,
        owns: &dyn Fn(&Path) -> bool,
        graft: &Graft,
    ) -> Result<Option<PathBuf>, TreeError> {
        let mut dirty = self.entries(own)?;
        dirty.retain(|entry| owns(&self.prefix.relative(&entry.path)));
        let repository = dirty.iter().find(|entry| entry.kind == Kind::Repository);
        if let Some(repository) = repository {
            return Ok(Some(self.prefix.relative(&repository.path)));
        }
        let going: BTreeSet<&[u8]> =
            graft.differences.iter().filter(|it| it.new.is_none()).map(|it| &it.path[..]).collect();
        for it in graft.differences.iter().filter(|it| it.new.is_some()) {
            let there = self.look_at(&it.path)?;
            if let Some(path) = there.obstacles().find(|path| !going.contains(path)) {
                return Ok(Some(self.prefix.relative(path)));
            }
            // One that git ignores is in no list of changes.
            if it.old.is_none() && there == OnDisk::Taken {
                dirty.push(Entry { path: it.path.clone(), kind: Kind::Added, old: None });
            }
        }
        self.stage(own, &dirty, [])?;
        let now = own.run(&self.root, &["write-tree"])?;
        let other: BTreeSet<_> = self.differences(wanted, &now)?.into_iter().map(|it| it.path).collect();
        // What is as it is wanted was set by a call that was cut short.
        Ok(dirty.iter().find(|entry| other.contains(&entry.path)).map(|entry| self.prefix.relative(&entry.path)))
    }

    /// Makes the files and git's index what the graft says.
    pub(super) fn set_files(&self, own: &Git, graft: &Graft) -> Result<(), TreeError> {
        for it in graft.differences.iter().filter(|it| it.new.is_none()) {
            self.remove(&it.path)?;
        }
        own.run(&self.root, &["read-tree", "--reset", "-i", &graft.tree])?;
        let there: Vec<_> = graft
            .differences
            .iter()
            .filter(|it| it.new.is_some())
            .map(|it| Entry { path: it.path.clone(), kind: Kind::Modified, old: it.new.clone() })
            .collect();
        self.check_out(own, &there)?;
        set_entries(&self.git, &self.root, graft.differences.iter().map(|it| (&it.path[..], it.new.as_ref())))?;
        fs_err::create_dir_all(&self.dir)?;
        Ok(())
    }
}
