//! How fast cco is, measured against what the machine allows: prints one markdown table.
//!
//! `cargo bench --bench speed [-- --quick] [-- --only PART]`. What is compared is measured in turn (A B A B …) in one run,
//! and judged by the median of the pairs' ratios: absolute times say more about the machine than about cco.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a bench"
)]

mod agent;
mod cost;
mod floor;
mod measure;
mod parts;
mod replay;
mod shapes;
mod table;

use std::cell::Cell;
use std::path::{Path, PathBuf};

use agent::Agents;
use table::Table;

/// How much is measured.
pub struct Bench {
    /// Where everything is made: on the disk of the build.
    dir: PathBuf,
    made: Cell<usize>,
    /// The programs that are run in place of claude.
    pub agents: Agents,
    /// How often each pair is measured.
    pub rounds: usize,
    /// Components of an ordinary run.
    pub many: usize,
    /// Components of a large run.
    pub most: usize,
    /// Whether what takes long is measured too.
    pub thorough: bool,
    /// Seconds of the look at an idle run.
    pub idle_seconds: u64,
}

impl Bench {
    /// A new directory. Nothing is removed before the end: file systems make new files dearer for seconds after that.
    pub fn fresh_dir(&self) -> PathBuf {
        self.made.set(self.made.get() + 1);
        let dir = self.dir.join(self.made.get().to_string());
        std::fs::create_dir(&dir).unwrap();
        dir
    }
}

type Part = (&'static str, fn(&Bench, &mut Table));

const PARTS: [Part; 11] = [
    ("floor", parts::floor),
    ("shapes", parts::shapes),
    ("ninja", parts::ninja),
    ("scale", parts::scale),
    ("rerun", parts::rerun),
    ("start", parts::start),
    ("replay", parts::replay),
    ("stream", parts::stream),
    ("idle", parts::idle),
    ("cost", cost::cost),
    ("growth", cost::growth),
];

fn main() {
    // Cargo adds `--bench`.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let quick = words.iter().any(|word| word == "--quick");
    let only = words.iter().position(|word| word == "--only").map(|at| words.get(at + 1).cloned().unwrap_or_default());
    if let Some(only) = &only
        && !PARTS.iter().any(|(name, _)| name == only)
    {
        eprintln!("the parts are {}", PARTS.map(|(name, _)| name).join(", "));
        return;
    }
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("speed");
    remove(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    let bench = Bench {
        agents: Agents::build(&dir),
        dir,
        made: Cell::new(0),
        rounds: if quick { 3 } else { 7 },
        many: 1_000,
        most: 10_000,
        thorough: !quick,
        idle_seconds: if quick { 4 } else { 10 },
    };
    println!("{}\n", measure::machine());
    let mut table = Table::begin();
    for (name, part) in PARTS {
        if only.as_deref().is_none_or(|only| only == name) {
            eprintln!("measuring {name}");
            part(&bench, &mut table);
        }
    }
    remove(&bench.dir);
}

fn remove(dir: &Path) {
    match std::fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            eprintln!("cannot remove {}: {error}", dir.display())
        }
        Ok(()) | Err(_) => {}
    }
}
