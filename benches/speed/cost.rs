//! What cco adds to git: components that write in worktrees, against a script that makes the same calls.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use cco::journal::{self, JournalError, SpecPaths};
use cco::lifecycle::event::Event;
use serde_json::{Value, json};

use crate::Bench;
use crate::measure::{self, Series, in_turn};
use crate::replay::Calls;
use crate::table::Table;

/// Components of the run that is compared with a script.
const FEW: usize = 3;
/// Files in a directory.
const IN_DIR: usize = 100;

/// A component from its set-up to its clean-up.
pub fn cost(bench: &Bench, table: &mut Table) {
    against_script(bench, table, 10_000, FEW, bench.rounds);
    if bench.thorough {
        against_script(bench, table, 50_000, 2, 1);
    }
}

/// A repository of `files` files, as a user has it.
fn against_script(bench: &Bench, table: &mut Table, files: usize, count: usize, rounds: usize) {
    let plain = bench.fresh_dir().join("repository");
    make(&plain, files);
    let (was, calls) = written_down(bench, &plain, count);
    let mut cco = || {
        let home = home(bench, &plain, count);
        let seconds = measure::run(&mut run(&home, &bench.agents.writing)) / count as f64;
        assert_eq!(result(&home), result(&was), "cco does not come to what it came to before");
        seconds
    };
    let mut script = || {
        let home = home(bench, &plain, count);
        let script = calls.script(&was, &home);
        let seconds = measure::run(Command::new("sh").arg(script)) / count as f64;
        assert_eq!(result(&home), result(&was), "the script does not come to what cco came to");
        seconds
    };
    let [script, cco] = in_turn(rounds, [&mut script, &mut cco]);
    let millis = |series: &Series| series.times(1e3);
    let what = format!("a component, {files} files");
    let against = format!("script, {} git calls", calls.of_git() / count);
    table.ratio(&what, "ms", &millis(&cco), (&against, &millis(&script)), 1.5);
}

/// The last components of many cost what the first ones did. Both are of one run, since two are too long for a machine to
/// be the same in them.
pub fn growth(bench: &Bench, table: &mut Table) {
    /// So many that what the components before have added is little beside them.
    const FILES: usize = 1_000;
    const COUNT: usize = 200;
    const EACH: usize = 50;
    let plain = bench.fresh_dir().join("repository");
    make(&plain, FILES);
    let home = home(bench, &plain, COUNT);
    measure::run(&mut run(&home, &bench.agents.writing));
    let ends = completed(&home);
    assert_eq!(ends.len(), COUNT, "not all are complete");
    let each: Vec<f64> = ends.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let [first, last] = [&each[..EACH], &each[each.len() - EACH..]].map(|part| Series(part.to_vec()));
    let what = format!("a component, {FILES} files, the last {EACH} of {COUNT}");
    table.ratio(&what, "ms", &last, (&format!("the first {EACH}"), &first), 1.3);
}

/// When the components of a run were complete, in milliseconds.
fn completed(home: &Path) -> Vec<f64> {
    let mut ends = Vec::new();
    let read = journal::read(&SpecPaths::new(home.join("spec")).journal(), |record| {
        let done = record.events.iter().filter(|event| matches!(event, Event::ComponentCompleted { .. })).count();
        ends.extend(std::iter::repeat_n(record.at.as_microsecond() as f64 / 1e3, done));
        Ok::<_, JournalError>(())
    });
    read.unwrap();
    ends
}

/// What cco asks of git when it works on `count` components, and where it did.
fn written_down(bench: &Bench, plain: &Path, count: usize) -> (PathBuf, Calls) {
    let home = home(bench, plain, count);
    std::fs::write(&bench.agents.calls, "").unwrap();
    let mut path = OsString::from(&bench.agents.noting_git);
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap());
    measure::run(run(&home, &bench.agents.noting_git.join("writing-agent")).env("PATH", path));
    let calls = Calls::read(&bench.agents.calls);
    std::fs::remove_file(&bench.agents.calls).unwrap();
    (home, calls)
}

fn run(home: &Path, agent: &Path) -> Command {
    measure::cco(&home.join("spec"), agent, 1)
}

/// A copy of a repository, and a spec beside it.
fn home(bench: &Bench, plain: &Path, count: usize) -> PathBuf {
    let home = bench.fresh_dir().join("home");
    std::fs::create_dir_all(home.join("spec")).unwrap();
    measure::run(Command::new("cp").arg("-a").arg(plain).arg(home.join("repository")));
    // Git looks once into files that it does not know to be what they were.
    git(&home.join("repository"), &["update-index", "-q", "--refresh"]);
    let component = |at: usize| json!({ "id": format!("c{at:03}"), "file": format!("out/c{at:03}.txt") });
    let components: Vec<Value> = (0..count).map(component).collect();
    let manifest = json!({
        "$schema": "cco", "name": "cost", "project": "speed", "work_dir": "../repository",
        "execution": { "mode": "quick", "isolation": "worktree", "reviewers": 0, "require_tests": false },
        "components": components,
    });
    std::fs::write(home.join("spec/manifest.json"), manifest.to_string()).unwrap();
    home
}

/// A repository of `files` small files in one commit.
fn make(repository: &Path, files: usize) {
    for at in 0..files {
        let dir = repository.join(format!("src/d{:04}", at / IN_DIR));
        if at.is_multiple_of(IN_DIR) {
            std::fs::create_dir_all(&dir).unwrap();
        }
        std::fs::write(dir.join(format!("f{at:05}.txt")), format!("This is file {at}.\n").repeat(20)).unwrap();
    }
    git(repository, &["init", "-q"]);
    git(repository, &["config", "user.name", "bench"]);
    git(repository, &["config", "user.email", "bench@localhost"]);
    git(repository, &["add", "-A"]);
    git(repository, &["commit", "-q", "-m", "base"]);
}

/// The tree that the integration branch came to.
fn result(home: &Path) -> String {
    git(&home.join("repository"), &["rev-parse", "--verify", "cco/spec^{tree}"])
}

fn git(dir: &Path, args: &[&str]) -> String {
    let said = Command::new("git").arg("-C").arg(dir).args(args).output().unwrap();
    assert!(said.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&said.stderr));
    String::from_utf8(said.stdout).unwrap().trim_end().to_owned()
}
