//! What cco asks of git, as a shell script that asks the same: the calls of a run, written down by a program in git's
//! place, in the order in which they began, with the same settings, environment and input.
//!
//! Commits get fixed dates while the calls are written down and when the script makes them again, so that the ids in the
//! calls are the ids that come of them. Beside git the script does only what the run is about: it writes the
//! component's file where the agent did, and removes a worktree after its last call.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

/// Stands before each call in what is written down.
pub const BEGIN: &str = "\u{1}call\0";
/// The date of all commits that are written down or made again.
pub const DATE: &str = "1700000000 +0000";

/// One call.
struct Call {
    /// `git`, or the agent's name.
    program: String,
    dir: PathBuf,
    /// What tells git where it is, as `NAME=value`.
    env: Vec<String>,
    args: Vec<String>,
    input: Vec<u8>,
}

/// The calls of a run.
pub struct Calls(Vec<Call>);

impl Calls {
    /// Reads what was written down.
    pub fn read(log: &Path) -> Self {
        let bytes = std::fs::read(log).unwrap();
        let begins: Vec<usize> = memchr::memmem::find_iter(&bytes, BEGIN).collect();
        let ends = begins.iter().skip(1).copied().chain([bytes.len()]);
        Self(begins.iter().zip(ends).map(|(from, to)| call(&bytes[from + BEGIN.len()..to])).collect())
    }

    /// How many of them are git's.
    pub fn of_git(&self) -> usize {
        self.0.iter().filter(|call| call.program == "git").count()
    }

    /// A script in `home` that makes the same calls, where the run had its files in `was`.
    pub fn script(&self, was: &Path, home: &Path) -> PathBuf {
        let moved = |text: &str| text.replace(was.to_str().unwrap(), home.to_str().unwrap());
        let mut last = BTreeMap::new();
        for (at, call) in self.0.iter().enumerate() {
            if let Some(worktree) = worktree(call) {
                last.insert(worktree, at);
            }
        }
        let mut text = format!(
            "set -e\nexport HOME={} LC_ALL=C GIT_AUTHOR_DATE='{DATE}' GIT_COMMITTER_DATE='{DATE}'\n",
            quoted(home.join("spec").to_str().unwrap())
        );
        for (at, call) in self.0.iter().enumerate() {
            if call.program == "git" {
                let env: String = call.env.iter().map(|it| moved(it)).map(|it| assignment(&it) + " ").collect();
                let args: String = call.args.iter().map(|it| format!(" {}", quoted(&moved(it)))).collect();
                let input = if call.input.is_empty() {
                    PathBuf::from("/dev/null")
                } else {
                    let input = home.join(format!("{at}.input"));
                    std::fs::write(&input, moved(std::str::from_utf8(&call.input).unwrap())).unwrap();
                    input
                };
                // Some answer no by their exit status.
                let _ = writeln!(text, "{env}git{args} <{} >/dev/null 2>&1 || :", quoted(input.to_str().unwrap()));
            } else {
                let dir = moved(call.dir.to_str().unwrap());
                let name = call.dir.file_name().unwrap().to_str().unwrap();
                let _ =
                    writeln!(text, "mkdir -p {0}/out\nprintf 'made by {name}\\n' >{0}/out/{name}.txt", quoted(&dir));
            }
            if let Some((git_dir, root)) = worktree(call)
                && last.get(&(git_dir.clone(), root.clone())) == Some(&at)
            {
                let _ = writeln!(text, "rm -rf {} {}", quoted(&moved(&root)), quoted(&moved(&git_dir)));
            }
        }
        let script = home.join("script.sh");
        std::fs::write(&script, text).unwrap();
        script
    }
}

/// The program, its directory, the number of variables and these, the number of arguments and these, each ended by a zero
/// byte; then the input.
fn call(bytes: &[u8]) -> Call {
    let mut fields = bytes.split(|byte| *byte == 0);
    let mut taken = 0;
    let mut next = || {
        let field = fields.next().unwrap_or_default();
        taken += field.len() + 1;
        field
    };
    let text = |field: &[u8]| String::from_utf8(field.to_vec()).unwrap();
    let program = text(next());
    let dir = PathBuf::from(OsString::from_vec(next().to_vec()));
    let mut list = || {
        let count: usize = text(next()).parse().unwrap();
        (0..count).map(|_| text(next())).collect::<Vec<_>>()
    };
    let (env, args) = (list(), list());
    Call { program, dir, env, args, input: bytes[taken..].to_vec() }
}

/// Where the repository keeps what belongs to the worktree that a call is about, and where that is.
fn worktree(call: &Call) -> Option<(String, String)> {
    let value = |name: &str| call.env.iter().find_map(|it| it.strip_prefix(name)?.strip_prefix('='));
    let git_dir = value("GIT_DIR").filter(|dir| dir.contains("/worktrees/"))?;
    Some((git_dir.to_owned(), value("GIT_WORK_TREE")?.to_owned()))
}

fn assignment(text: &str) -> String {
    let (name, value) = text.split_once('=').unwrap();
    format!("{name}={}", quoted(value))
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
