//! Moving a detached worktree to another commit: files first, its HEAD last, so that a crash leaves the old commit with
//! files that are told from somebody's work by a note.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::changes::Difference;
use super::disk::OnDisk;
use super::git::Git;
use super::restore::Graft;
use super::status::{Entry, Kind, OWN_INDEX, SUBMODULE, remove_if_there};
use super::{TreeError, Worktree};
use crate::fsx;

/// The note that files are being moved, with the commit that they are moved to.
const NOTE: &str = "cco-moving";

impl Worktree {
    /// Makes tracked files and index exactly what `commit` holds, and checks that out by itself. Untracked and ignored
    /// files stay.
    ///
    /// # Errors
    /// [`TreeError::Uncommitted`] if that would lose what no commit holds: a change of a tracked file, or a file that is
    /// where one of the commit has to be; then nothing changed. Git's own; where it failed halfway (a filter that cannot
    /// be run), the next call puts the files back first.
    pub fn position(&self, commit: &str) -> Result<(), TreeError> {
        let _one = self.lock();
        self.position_now(commit)
    }

    /// As [`Worktree::position`]; the caller holds the lock.
    pub(super) fn position_now(&self, commit: &str) -> Result<(), TreeError> {
        self.put_back_what_was_moving()?;
        let commit = self.commit_id(commit)?;
        let head = self.head()?;
        self.advance(&head, &commit, "cco: position")
    }

    /// Moves files, index and HEAD from the commit `head` to `target`. The caller holds the lock and has called
    /// [`Worktree::put_back_what_was_moving`].
    pub(super) fn advance(&self, head: &str, target: &str, why: &str) -> Result<(), TreeError> {
        let own = self.own_index()?;
        let differences = if head == target { Vec::new() } else { self.differences(head, target)? };
        let dirty = self.entries(&own)?;
        if let Some(path) = self.would_be_lost(&own, target, dirty, &differences)? {
            return Err(TreeError::Uncommitted(path));
        }
        let note = self.git_dir.join(NOTE);
        if !differences.is_empty() {
            // Git writes a file anew of which it does not know that it is as it has to be. Killed meanwhile, it would leave
            // half of one that is no part of the move. That some differ is an answer.
            own.ask(&self.root, &["update-index", "-q", "--refresh"])?;
            fsx::write_whole(&note, target.as_bytes())?;
            // Nothing is lost by force, as was just looked at.
            own.run(&self.root, &["read-tree", "--reset", "-u", target])?;
        }
        // Git's own becomes the same, with what is known of the files: it would take one that was written anew for
        // changed where that gave it another length (line ends).
        fsx::write_whole(&self.git_dir.join("index"), &fs_err::read(self.git_dir.join(OWN_INDEX))?)?;
        self.move_head(why, target)?;
        remove_if_there(&note)?;
        fs_err::create_dir_all(&self.dir)?;
        Ok(())
    }

    /// The first file whose contents no commit holds and that is not what `target` wants there.
    fn would_be_lost(
        &self,
        own: &Git,
        target: &str,
        mut dirty: Vec<Entry>,
        differences: &[Difference],
    ) -> Result<Option<PathBuf>, TreeError> {
        dirty.retain(|entry| matches!(entry.kind, Kind::Modified | Kind::Deleted | Kind::TypeChanged));
        let going: BTreeSet<&[u8]> = differences.iter().filter(|it| it.old.is_some()).map(|it| &it.path[..]).collect();
        for it in differences {
            let Some(new) = it.new.as_ref().filter(|new| new.mode != SUBMODULE) else { continue };
            let there = self.look_at(&it.path)?;
            // A submodule's directory is not looked into, nor removed by git.
            if let Some(path) = there.obstacles().find(|path| !going.contains(path)) {
                return Ok(Some(self.prefix.relative(path)));
            }
            // Git says nothing of one that it ignores.
            if it.old.is_none() && there == OnDisk::Taken {
                dirty.push(Entry { path: it.path.clone(), kind: Kind::Added, old: Some(new.clone()) });
            }
        }
        let other = self.other_than(own, target, &dirty)?;
        Ok(other.first().map(|path| self.prefix.relative(path)))
    }

    /// Those of `dirty` that are not as `target` has them; a file that is gone too.
    fn other_than(&self, own: &Git, target: &str, dirty: &[Entry]) -> Result<Vec<Vec<u8>>, TreeError> {
        if dirty.is_empty() {
            return Ok(Vec::new());
        }
        self.stage(own, dirty, [])?;
        let now = own.run(&self.root, &["write-tree"])?;
        let other: BTreeSet<_> = self.differences(target, &now)?.into_iter().map(|it| it.path).collect();
        Ok(dirty.iter().filter(|entry| other.contains(&entry.path)).map(|entry| entry.path.clone()).collect())
    }

    /// Puts the files back to the commit that is checked out where a move was cut short. What is there and neither of
    /// the two commits holds (half a file, or a file that somebody wrote since) is kept as a patch beside the worktrees.
    /// The caller holds the lock.
    pub(super) fn put_back_what_was_moving(&self) -> Result<(), TreeError> {
        let note = self.git_dir.join(NOTE);
        let target = match fs_err::read_to_string(&note) {
            Ok(target) => target,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let head = self.head()?;
        // An empty one is what a power loss left of it.
        if head != target && !target.is_empty() {
            self.put_back_from(&target, &head)?;
        }
        remove_if_there(&note)?;
        Ok(())
    }

    fn put_back_from(&self, target: &str, head: &str) -> Result<(), TreeError> {
        let mut differences = self.differences(target, head)?;
        let own = self.own_index()?;
        let moved: BTreeSet<_> = differences.iter().map(|it| it.path.clone()).collect();
        let mut dirty = self.entries(&own)?;
        dirty.retain(|entry| moved.contains(&entry.path) && !matches!(entry.kind, Kind::Submodule | Kind::Repository));
        for it in differences.iter().filter(|it| it.new.is_none()) {
            // One that git ignores is in no list of changes.
            let listed = dirty.iter().any(|entry| entry.path == it.path);
            if !listed && self.look_at(&it.path)? == OnDisk::Taken {
                dirty.push(Entry { path: it.path.clone(), kind: Kind::Added, old: None });
            }
        }
        let there: Vec<_> = dirty.iter().filter(|entry| entry.kind != Kind::Deleted).cloned().collect();
        let foreign: BTreeSet<_> = self.other_than(&own, target, &there)?.into_iter().collect();
        if !foreign.is_empty() {
            let name = self.git_dir.file_name().unwrap_or_default().to_string_lossy();
            let patch = self.source.worktrees.join(".aside").join(format!("{name}-interrupted.patch"));
            let undone = self.undo_now(&|path| foreign.contains(path), &patch)?;
            tracing::warn!("a move to another commit was cut short; what no commit holds is kept: {:?}", undone.patch);
        }
        let dirty: BTreeSet<_> = dirty.into_iter().map(|entry| entry.path).collect();
        differences.retain(|it| dirty.contains(&it.path) && !foreign.contains(&it.path));
        let going: BTreeSet<&[u8]> = differences.iter().filter(|it| it.new.is_none()).map(|it| &it.path[..]).collect();
        for it in differences.iter().filter(|it| it.new.is_some()) {
            if let Some(path) = self.look_at(&it.path)?.obstacles().find(|path| !going.contains(path)) {
                return Err(TreeError::Uncommitted(self.prefix.relative(path)));
            }
        }
        let tree = self.tree()?;
        self.set_files(&self.own_index()?, &Graft { tree, differences })
    }

    /// Whether a move was cut short, as far as that can be told without a look at files.
    pub(super) fn was_moving(&self) -> bool {
        self.git_dir.join(NOTE).exists()
    }

    /// Fills a worktree that was just registered, whose index is there only when all files are.
    pub(super) fn fill(&self) -> Result<(), TreeError> {
        self.git.run(&self.root, &["read-tree", "--reset", "-u", "HEAD"])?;
        // What git knows of the files that it just wrote is right, and saves the first look from reading all of them.
        fs_err::copy(self.git_dir.join("index"), self.git_dir.join(OWN_INDEX))?;
        Ok(())
    }
}
