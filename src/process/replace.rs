//! Giving the terminal over for good: this process becomes another program.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program that takes this process over, with its streams, its environment and its place in the foreground.
#[derive(Debug, Clone)]
pub struct Replacement {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// What is set in its environment beside what this process was given.
    pub env: Vec<(OsString, OsString)>,
}

impl Replacement {
    /// Becomes the program, in `dir`. Returns only where that is not possible.
    ///
    /// No child, so that nothing stands between the user's keys and the program: signals of the terminal, job control and
    /// the exit status are its own. Nothing is dropped; there must be no children and nothing unwritten.
    pub fn begin(self, dir: &Path) -> io::Error {
        Command::new(self.program).args(self.arguments).envs(self.env).current_dir(dir).exec()
    }
}
