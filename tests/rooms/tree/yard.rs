//! A repository whose components have a worktree each, and a watch on all that is the user's.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cco::ids::{AttemptId, Subject};
use cco::tree::{Commit, Merge, Merged, Repository, TreeError, Worktree};

use super::world::{BRANCH, SPEC, base_of, open, sh_git, snapshot, write};

/// What nobody but the user may change.
#[derive(Debug, PartialEq)]
pub struct Users {
    checkout: BTreeMap<PathBuf, String>,
    index: Option<Vec<u8>>,
    refs: String,
    head: Vec<u8>,
    head_log: Option<Vec<u8>>,
    config: Option<Vec<u8>>,
    stash: String,
    hooks: BTreeMap<PathBuf, String>,
}

pub fn users(top: &Path) -> Users {
    let git_dir = PathBuf::from(sh_git(top, &["rev-parse", "--absolute-git-dir"]));
    let common = top.join(sh_git(top, &["rev-parse", "--path-format=absolute", "--git-common-dir"]));
    let refs = sh_git(top, &["for-each-ref", "--format=%(refname) %(objectname)"]);
    let refs = refs.lines().filter(|line| !line.starts_with("refs/cco/") && !line.contains(BRANCH));
    Users {
        checkout: snapshot(top),
        index: fs::read(git_dir.join("index")).ok(),
        refs: refs.collect::<Vec<_>>().join("\n"),
        head: fs::read(git_dir.join("HEAD")).unwrap(),
        head_log: fs::read(git_dir.join("logs/HEAD")).ok(),
        config: fs::read(common.join("config")).ok(),
        stash: sh_git(top, &["stash", "list"]),
        hooks: snapshot(&common.join("hooks")),
    }
}

pub struct Yard {
    pub home: tempfile::TempDir,
    pub repository: Repository,
    /// The top of the user's checkout.
    pub repo: PathBuf,
    pub worktrees: PathBuf,
    before: Users,
}

impl Yard {
    /// A repository with `files`, worked on in its directory `work_dir` (`""`: all of it).
    pub fn new(work_dir: &str, files: &[(&str, &str)]) -> Self {
        Self::prepared(work_dir, |repo| {
            for (path, contents) in files {
                write(&repo.join(path), contents);
            }
        })
    }

    /// Of what `prepare` left in the repository, which is committed, with something of the user's on top of it.
    pub fn prepared(work_dir: &str, prepare: impl FnOnce(&Path)) -> Self {
        let home = tempfile::tempdir().unwrap();
        let repo = base_of(home.path(), work_dir, prepare);
        write(&repo.join("the user's"), "stashed");
        sh_git(&repo, &["stash", "push", "--quiet", "--include-untracked"]);
        sh_git(&repo, &["branch", "other"]);
        write(&repo.join("the user's"), "staged");
        sh_git(&repo, &["add", "the user's"]);
        write(&repo.join("the user's"), "not staged");
        // Git keeps no empty directory.
        fs::create_dir_all(repo.join(work_dir)).unwrap();
        Self::of(home, &repo, work_dir)
    }

    /// Of a checkout that is there.
    pub fn of(home: tempfile::TempDir, repo: &Path, work_dir: &str) -> Self {
        let before = users(repo);
        let repository = open(home.path(), &repo.join(work_dir), None).unwrap();
        Self { worktrees: home.path().join("worktrees"), repo: repo.to_owned(), repository, home, before }
    }

    /// As the next run finds it, after this one was killed.
    pub fn again(&self) -> Repository {
        open(self.home.path(), &self.repo, Some(self.repository.base().to_owned())).unwrap()
    }

    /// What the user did counts as theirs from now on.
    pub fn users_did(&mut self) {
        self.before = users(&self.repo);
    }

    pub fn set_up(&self, name: &str) -> Worktree {
        self.repository.set_up(&on(name), &self.repository.tip().unwrap()).unwrap()
    }

    /// Where the worktree of a component is.
    pub fn root(&self, name: &str) -> PathBuf {
        self.worktrees.join("c").join(name)
    }

    /// The worktrees that git itself knows below ours.
    pub fn registered(&self) -> Vec<PathBuf> {
        let list = sh_git(&self.repo, &["worktree", "list", "--porcelain"]);
        let dirs = list.lines().filter_map(|line| line.strip_prefix("worktree ")).map(PathBuf::from);
        let ours = fs::canonicalize(&self.worktrees).unwrap();
        let mut dirs: Vec<_> = dirs.filter_map(|dir| dir.strip_prefix(&ours).ok().map(Path::to_owned)).collect();
        dirs.sort();
        dirs
    }
}

impl Drop for Yard {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(users(&self.repo), self.before, "the user's own");
        }
    }
}

pub fn on(name: &str) -> Subject {
    name.parse().unwrap()
}

pub fn attempt(name: &str, n: u32) -> AttemptId {
    AttemptId { on: on(name), step: "implement".parse().unwrap(), n }
}

/// Commits all there is and gives the commit.
pub fn commit(worktree: &Worktree, name: &str) -> String {
    let attempt = attempt(name, 1);
    let paths: Vec<_> = worktree.uncommitted().unwrap().into_iter().map(|changed| changed.path).collect();
    let commit = Commit { spec: SPEC, attempt: &attempt, summary: "work", paths: &paths };
    worktree.commit(&commit).unwrap().unwrap()
}

pub fn merge(worktree: &Worktree, name: &str, commit: &str) -> Result<Merged, TreeError> {
    worktree.merge(&Merge { spec: SPEC, on: &on(name), commit, called: BRANCH })
}

/// A worktree is exactly its commit, on no branch, and git itself thinks so too.
pub fn assert_exact(root: &Path, commit: &str) {
    assert_eq!(sh_git(root, &["rev-parse", "HEAD"]), commit);
    assert_eq!(sh_git(root, &["status", "--porcelain", "--untracked-files=no"]), "");
    let on = super::world::command(root).args(["symbolic-ref", "-q", "HEAD"]).output().unwrap();
    assert!(!on.status.success(), "on no branch");
}

/// Git as it is, but with a line in `log` for each call of ours (git's own calls of itself are not among them).
pub fn counting(dir: &Path) -> (cco::tree::Git, PathBuf) {
    let log = dir.join("calls");
    (acting(dir, &format!("echo \"$@\" >>'{}'", log.display())), log)
}

/// Git as it is, but `script` (of the shell) is run before each call, with its arguments.
pub fn acting(dir: &Path, script: &str) -> cco::tree::Git {
    let real = String::from_utf8(Command::new("sh").args(["-c", "command -v git"]).output().unwrap().stdout).unwrap();
    let bin = dir.join("bin");
    let script = format!("#!/bin/sh\n{script}\nexec '{}' \"$@\"\n", real.trim());
    write(&bin.join("git"), &script);
    super::world::make_executable(&bin.join("git"));
    let path =
        std::env::join_paths(std::iter::once(bin).chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())));
    super::world::git_with(&[("PATH", path.unwrap())])
}
