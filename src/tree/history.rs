//! A repository as it is read to prove something: nothing in it is written, and nothing in it is made.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::TreeError;
use super::git::Git;
use super::patch::DIFF;
use super::path::Prefix;
use super::peek::repository_top;
use super::status::records;

/// Commits, a line each, with tree and parents; whatever the user's settings are.
const LIST: [&str; 3] = ["rev-list", "--no-commit-header", "--format=%H %T %P"];

/// A repository, to be read only.
#[derive(Debug)]
pub struct History {
    git: Git,
    top: PathBuf,
    /// How the work directory is reached from the top.
    prefix: Prefix,
}

/// What a commit holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commitment {
    /// Its tree.
    pub tree: String,
    /// Its parents.
    pub parents: Vec<String>,
}

impl History {
    /// The repository of a work directory; none where there is none.
    ///
    /// # Errors
    /// Git's own.
    pub fn open(git: &Git, work_dir: &Path) -> Result<Option<Self>, TreeError> {
        let Some(top) = repository_top(git, work_dir)? else { return Ok(None) };
        let git_dir = PathBuf::from(git.run(&top, &["rev-parse", "--absolute-git-dir"])?);
        let prefix = git.run(work_dir, &["rev-parse", "--show-prefix"])?;
        // What somebody put in the place of a commit is not that commit.
        let git = git.bound(&git_dir, &top).with("GIT_NO_REPLACE_OBJECTS", OsStr::new("1"));
        Ok(Some(Self { git, top, prefix: Prefix::new(prefix.as_bytes()) }))
    }

    /// The commit of a branch; none where there is no such branch.
    ///
    /// # Errors
    /// Git cannot be started.
    pub fn tip(&self, branch: &str) -> Result<Option<String>, TreeError> {
        let name = format!("refs/heads/{branch}^{{commit}}");
        Ok(self.git.ask(&self.top, &["rev-parse", "--verify", "--quiet", "--end-of-options", &name])?)
    }

    /// What a commit holds; none where it is not there.
    ///
    /// # Errors
    /// Git cannot be started.
    pub fn commit(&self, id: &str) -> Result<Option<Commitment>, TreeError> {
        let said = self.git.ask(&self.top, &[&LIST[..], &["--no-walk", "--end-of-options", id]].concat())?;
        Ok(said.and_then(|line| commitment(&line)).map(|(_, commit)| commit))
    }

    /// The commits that `tip` has and `base` has not, by id.
    ///
    /// # Errors
    /// Git's own; among it that a commit is not there.
    pub fn since(&self, base: &str, tip: &str) -> Result<BTreeMap<String, Commitment>, TreeError> {
        let range = format!("{base}..{tip}");
        let said = self.git.run(&self.top, &[&LIST[..], &["--end-of-options", &range]].concat())?;
        Ok(said.lines().filter_map(commitment).collect())
    }

    /// Whether a commit is another one or comes before it.
    ///
    /// # Errors
    /// Git cannot be started.
    pub fn is_ancestor(&self, old: &str, new: &str) -> Result<bool, TreeError> {
        Ok(self.git.answer(&self.top, &["merge-base", "--is-ancestor", old, new])?.0)
    }

    /// The patch id of what differs between two commits or trees, beside the files of `but`, relative to the work
    /// directory. None where nothing differs; none in its place where git cannot tell.
    ///
    /// # Errors
    /// Git cannot be started.
    pub fn patch_id(&self, from: &str, to: &str, but: &[PathBuf]) -> Result<Option<Option<String>>, TreeError> {
        let mut args: Vec<OsString> = DIFF.iter().map(OsString::from).collect();
        args.extend([from, to, "--", "."].map(OsString::from));
        for path in but {
            let mut without = OsString::from(":(exclude,top,literal)");
            without.push(super::path::below(Path::new(""), &self.prefix.top_path(path)?));
            args.push(without);
        }
        let Ok(diff) = self.git.bytes(&self.top, &args, &[]) else { return Ok(None) };
        if diff.is_empty() {
            return Ok(Some(None));
        }
        let said = self.git.bytes(&self.top, &["patch-id", "--stable"], &diff)?;
        Ok(Some(String::from_utf8_lossy(&said).split_whitespace().next().map(str::to_owned)))
    }

    /// The files that differ between two commits, relative to the work directory; none where git cannot tell.
    ///
    /// # Errors
    /// Git cannot be started.
    pub fn differing(&self, from: &str, to: &str) -> Result<Option<Vec<PathBuf>>, TreeError> {
        let args = ["diff-tree", "-r", "-z", "--name-only", "--no-renames", "--end-of-options", from, to];
        let Ok(said) = self.git.bytes(&self.top, &args, &[]) else { return Ok(None) };
        Ok(Some(records(&said).map(|path| self.prefix.relative(path)).collect()))
    }
}

/// A commit with its tree and parents, as they were asked for.
fn commitment(line: &str) -> Option<(String, Commitment)> {
    let mut words = line.split_whitespace().map(str::to_owned);
    Some((words.next()?, Commitment { tree: words.next()?, parents: words.collect() }))
}
