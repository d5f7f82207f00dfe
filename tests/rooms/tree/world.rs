//! A repository with a worktree of a run, and what is looked at in them.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use cco::ids::{AttemptId, Subject};
use cco::tree::{Commit, Git, Place, Repository, TreeError, Undone, Worktree};

/// Names that break what is careless: options, patterns, quotes, line ends, bytes that are no text, git's own syntax.
pub fn hostile() -> Vec<PathBuf> {
    let mut names: Vec<PathBuf> = [
        "-rf",
        "--force",
        "a b",
        "it's \"quoted\"",
        "line\nend",
        "tab\tstop",
        "*",
        "[x]",
        "?",
        "!neg",
        ":(glob)x",
        ":/x",
        "#hash",
        "\\back",
        "é",
        "日本",
        "$HOME",
        "~",
        "a -> b",
        "100644 x",
        "deep/-er/ so",
    ]
    .iter()
    .map(PathBuf::from)
    .collect();
    names.push(OsString::from_vec(b"not\xffutf8".to_vec()).into());
    names
}

pub const SPEC: &str = "p/s";
pub const BRANCH: &str = "cco/spec";

pub struct World {
    pub home: tempfile::TempDir,
    pub repository: Repository,
    worktree: Worktree,
    /// The user's checkout.
    pub repo: PathBuf,
    /// The top of the run's worktree.
    pub root: PathBuf,
}

impl World {
    /// A repository with `files`, worked on in its directory `work_dir` (`""`: all of it).
    pub fn new(work_dir: &str, files: &[(&str, &str)]) -> Self {
        Self::prepared(work_dir, |repo| {
            for (path, contents) in files {
                write(&repo.join(path), contents);
            }
        })
    }

    pub fn prepared(work_dir: &str, prepare: impl FnOnce(&Path)) -> Self {
        let home = tempfile::tempdir().unwrap();
        let repo = base_of(home.path(), work_dir, prepare);
        let repository = open(home.path(), &repo.join(work_dir), None).unwrap();
        let worktree = repository.set_up(&Subject::Run, repository.base()).unwrap();
        let root = home.path().join("worktrees/run");
        Self { repository, worktree, repo, root, home }
    }

    pub fn worktree(&self) -> &Worktree {
        &self.worktree
    }

    pub fn dir(&self) -> &Path {
        self.worktree.dir()
    }

    pub fn write(&self, path: impl AsRef<Path>, contents: &str) {
        write(&self.dir().join(path), contents);
    }

    pub fn patch(&self) -> PathBuf {
        self.home.path().join("spec/runs/patch.patch")
    }

    /// Commits all there is and gives the commit.
    pub fn commit(&self, summary: &str) -> String {
        let paths: Vec<_> = self.worktree.uncommitted().unwrap().into_iter().map(|changed| changed.path).collect();
        let commit = Commit { spec: SPEC, attempt: &attempt(), summary, paths: &paths };
        self.worktree.commit(&commit).unwrap().unwrap()
    }

    /// Undoes all there is; none where nothing was there to undo.
    pub fn undo_all(&self) -> Option<Undone> {
        let paths: Vec<_> = self.worktree.uncommitted().unwrap().into_iter().map(|changed| changed.path).collect();
        let undone = self.worktree.undo(&paths, &self.patch()).unwrap();
        (undone != Undone::default()).then_some(undone)
    }

    pub fn head(&self) -> String {
        sh_git(&self.root, &["rev-parse", "HEAD"])
    }

    /// What git itself says of the worktree.
    pub fn status(&self) -> String {
        sh_git(&self.root, &["status", "--porcelain", "--untracked-files=all"])
    }

    /// All that is in the worktree.
    pub fn snapshot(&self) -> BTreeMap<PathBuf, String> {
        snapshot(&self.root)
    }
}

/// A repository with one commit, of what `prepare` left there.
pub fn base_of(home: &Path, work_dir: &str, prepare: impl FnOnce(&Path)) -> PathBuf {
    let repo = home.join("repo");
    fs::create_dir_all(repo.join(work_dir)).unwrap();
    sh_git(&repo, &["init", "--quiet", "-b", "main"]);
    prepare(&repo);
    sh_git(&repo, &["add", "-A"]);
    sh_git(&repo, &["commit", "--quiet", "--allow-empty", "-m", "base"]);
    repo
}

pub fn place(home: &Path, work_dir: &Path, known_base: Option<String>) -> Place {
    let after_crash = known_base.is_some();
    Place {
        work_dir: work_dir.to_owned(),
        worktrees: home.join("worktrees"),
        branch: BRANCH.to_owned(),
        known_base,
        base: None,
        after_crash,
    }
}

pub fn open(home: &Path, work_dir: &Path, known_base: Option<String>) -> Result<Repository, TreeError> {
    Repository::open(git(), &place(home, work_dir, known_base), SPEC)
}

pub fn attempt() -> AttemptId {
    AttemptId { on: "auth".parse().unwrap(), step: "implement".parse().unwrap(), n: 1 }
}

pub fn git() -> Git {
    git_with(&[])
}

/// Git with some variables of its environment changed.
pub fn git_with(more: &[(&str, OsString)]) -> Git {
    let mut environment: Vec<(OsString, OsString)> = environment().collect();
    environment.retain(|(name, _)| more.iter().all(|(other, _)| name != other));
    environment.extend(more.iter().map(|(name, value)| (OsString::from(name), value.clone())));
    Git::new(Arc::from(environment), ("CCO_RUN".into(), "test".into()))
}

fn environment() -> impl Iterator<Item = (OsString, OsString)> {
    let path = (OsString::from("PATH"), std::env::var_os("PATH").unwrap());
    let fixed = [
        ("HOME", "/nonexistent"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_AUTHOR_NAME", "Tess"),
        ("GIT_AUTHOR_EMAIL", "tess@example.com"),
        ("GIT_COMMITTER_NAME", "Tess"),
        ("GIT_COMMITTER_EMAIL", "tess@example.com"),
        ("LC_ALL", "C"),
    ];
    std::iter::once(path).chain(fixed.map(|(name, value)| (name.into(), value.into())))
}

/// Git as a user runs it.
pub fn command(dir: &Path) -> Command {
    let mut command = Command::new("git");
    command.env_clear().envs(environment()).arg("-C").arg(dir);
    command
}

pub fn sh_git<A: AsRef<OsStr>>(dir: &Path, args: &[A]) -> String {
    let output = command(dir).args(args).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "git {:?}: {said}", args.iter().map(AsRef::as_ref).collect::<Vec<_>>());
    String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned()
}

pub fn write(path: &Path, contents: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, contents).unwrap();
}

pub fn make_executable(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Every file below `dir` but `.git` at its top, with whether it can be executed and what is in it.
pub fn snapshot(dir: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![dir.to_owned()];
    while let Some(at) = open.pop() {
        for entry in fs::read_dir(&at).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(dir).unwrap().to_owned();
            let about = fs::symlink_metadata(&path).unwrap();
            if name == Path::new(".git") {
            } else if about.is_dir() {
                open.push(path);
            } else if about.is_symlink() {
                found.insert(name, format!("-> {}", fs::read_link(&path).unwrap().display()));
            } else {
                let contents = fs::read(&path).unwrap().as_slice().escape_ascii().to_string();
                found.insert(name, format!("{:o} {contents}", about.permissions().mode() & 0o100));
            }
        }
    }
    found
}

/// A path that is no text in most encodings.
pub fn bytes(path: &[u8]) -> PathBuf {
    OsStr::from_bytes(path).into()
}
