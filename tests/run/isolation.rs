//! Twelve at once, each in a worktree of its own, killed at any moment, also while git is at work: the same end, and
//! nothing of the user's is touched.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use cco::ids::Subject;
use cco::lifecycle::event::{Event, Scope};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::belongings::{Belongings, assert_untouched};
use crate::env::write;
use crate::kill9::{Dice, assert_paid_once};
use crate::world::{BRANCH, Run, World, component, manifest, writes};

const IDS: [&str; 12] = ["k01", "k02", "k03", "k04", "k05", "k06", "k07", "k08", "k09", "k10", "k11", "k12"];
/// They give the same line of a file another text; the second one has to resolve that.
const RIVALS: [&str; 2] = ["k03", "k07"];
/// They append to a lock file.
const LOCKERS: [&str; 3] = ["k02", "k05", "k09"];

fn project() -> World {
    let component = |id: &&str| {
        json!({
            "id": id, "file": format!("{id}.txt"), "files": [format!("{id}.dep")], "purpose": "Write it.",
            "complexity": "low",
            "checks": [{"name": format!("{id}-good"), "run": format!("test -s {id}.txt && test -e .prepared")}],
        })
    };
    let mut manifest = manifest(IDS.iter().map(component).collect());
    manifest["execution"] = json!({
        "reviewers": 0, "max_parallel": 12, "setup": ["sleep 0.02; cp README .prepared"],
        "shared_files": ["shared.txt", {"path": "deps.lock", "regenerate": "cat *.dep > deps.lock"}],
    });
    manifest["validation_command"] =
        json!("test -e .prepared && test \"$(cat shared.txt)\" = both && cat *.dep | cmp - deps.lock");
    let world = World::new(manifest, scenario());
    settle_in(&world);
    world
}

/// What the user has there: a stash, another branch, a hook that would show, something staged, changed and new.
fn settle_in(world: &World) {
    let work = world.env.work();
    for (path, text) in [("shared.txt", "base\n"), ("deps.lock", ""), (".gitignore", ".prepared\n")] {
        write(&work.join(path), text);
    }
    world.git(&["add", "-A"]);
    world.git(&["commit", "--quiet", "-m", "More"]);
    world.git(&["branch", "other"]);
    write(&work.join("README"), "stashed\n");
    world.git(&["stash", "push", "--quiet"]);
    write(&work.join("staged"), "staged\n");
    world.git(&["add", "staged"]);
    write(&work.join("README"), "the user is at it\n");
    write(&work.join("new one"), "new\n");
    for hook in ["pre-commit", "post-checkout", "reference-transaction"] {
        let path = work.join(".git/hooks").join(hook);
        write(&path, "#!/bin/sh\necho $0 >> \"$NOTES\"\nexit 1\n");
        let _ = Command::new("chmod").arg("+x").arg(path).status().unwrap();
    }
}

fn scenario() -> Value {
    let mut steps = BTreeMap::new();
    for id in IDS {
        let mut commands = vec!["echo $CCO_ATTEMPT >> $NOTES".to_owned()];
        if RIVALS.contains(&id) {
            commands.push(format!("echo {id} > shared.txt"));
        }
        if LOCKERS.contains(&id) {
            commands.push(format!("echo {id} > {id}.dep; grep -q {id} deps.lock || echo {id} >> deps.lock"));
        }
        let text = format!("{id} is good\n");
        let write = json!({"write": {"path": format!("{id}.txt"), "text": text}});
        let answer = json!({"status": "done", "summary": format!("wrote {id}")});
        steps.insert(
            format!("{id}.*"),
            json!({"actions": [{"run": {"cmd": commands.join("; ")}}, write], "answer": answer}),
        );
    }
    let resolve = json!({"actions": [
        {"run": {"cmd": "echo $CCO_ATTEMPT >> $NOTES"}}, {"write": {"path": "shared.txt", "text": "both\n"}},
    ]});
    steps.insert("*.resolve".to_owned(), resolve);
    json!({"sessions": true, "steps": steps})
}

/// What must not depend on how often a run was killed.
#[derive(Debug, PartialEq)]
struct Result {
    tree: String,
    paid: Vec<String>,
    landed: Vec<String>,
}

impl Result {
    fn of(world: &World) -> Self {
        let landed = world.git(&["log", "--reverse", "--format=%(trailers:key=Cco-Component,valueonly)", BRANCH]);
        let landed = landed.split_whitespace().map(str::to_owned).collect();
        Self { tree: world.tree(), paid: world.wrote(), landed }
    }
}

/// What git runs when a run is killed, or what else is at work there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    Git(&'static str),
    SetUp,
    Agent,
    Record,
}

/// Those of git's that take the longest way, and those that make something known.
const MOMENTS: [Moment; 11] = [
    Moment::Git("merge-tree"),
    Moment::Git("read-tree"),
    Moment::Git("worktree"),
    Moment::Git("merge-tree"),
    Moment::Git("read-tree"),
    Moment::Git("worktree"),
    Moment::Git("update-ref"),
    Moment::Git("commit-tree"),
    Moment::SetUp,
    Moment::Agent,
    Moment::Record,
];

/// Waits for a moment and kills both cco and what is at work; none where the run came to its end before.
fn killed_at(moment: Moment, run: &mut Run<'_>, world: &World, dice: &mut Dice) -> bool {
    let cco = Pid::from_child(&run.child);
    let goal = world.journal_len() + 1 + dice.roll(6_000);
    // Not always the first of its kind.
    let mut skipped = BTreeSet::new();
    let skips = dice.roll(4) as usize;
    let mut found = None;
    let lived = run.reaches(|world| {
        if moment == Moment::Record {
            return world.journal_len() >= goal;
        }
        let fitting = children(cco).into_iter().filter(|(_, line)| fits(moment, line)).map(|(pid, _)| pid);
        for pid in fitting {
            if skipped.len() >= skips && !skipped.contains(&pid) {
                found = Some(pid);
                return true;
            }
            skipped.insert(pid);
        }
        false
    });
    if !lived {
        return false;
    }
    run.child.kill().unwrap();
    if let Some(pid) = found.and_then(Pid::from_raw) {
        // It may have come to its end by itself.
        let _ = kill_process(pid, Signal::KILL);
    }
    true
}

fn fits(moment: Moment, line: &[String]) -> bool {
    let program = line.first().map_or("", String::as_str);
    match moment {
        Moment::Git(what) => program.ends_with("git") && line.iter().any(|word| word == what),
        Moment::SetUp => line.iter().any(|word| word.contains("cp README")),
        Moment::Agent => line.iter().any(|word| word == "agent-sim"),
        Moment::Record => false,
    }
}

/// What a process started, with their command lines, by the shortest way there is: some of them live for a millisecond.
fn children(of: Pid) -> Vec<(i32, Vec<String>)> {
    let tasks = PathBuf::from(format!("/proc/{}/task", of.as_raw_nonzero()));
    let lists = fs::read_dir(tasks).into_iter().flatten().flatten();
    let lists = lists.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let pids: Vec<i32> =
        lists.flat_map(|list| list.split(' ').filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>()).collect();
    let line = |pid: i32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        Some((pid, line.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect()))
    };
    pids.into_iter().filter_map(line).collect()
}

/// What of cco's is in the repository and beside it when all is done: what each component's work was, and no more.
#[track_caller]
fn assert_accounted_for(world: &World) {
    let known = world.git(&["worktree", "list", "--porcelain"]);
    assert_eq!(known.lines().filter(|line| line.starts_with("worktree ")).count(), 1, "{known}");
    let kept = world.git(&["for-each-ref", "--format=%(refname)", "refs/cco"]);
    let tips: BTreeSet<_> = IDS.iter().map(|id| format!("refs/cco/p/world-00000000/tip/{id}")).collect();
    let strange = |name: &&str| !tips.contains(*name) && !name.contains("/abandoned/");
    assert_eq!(kept.lines().find(strange), None, "{kept}");
    let worktrees = world.worktree("k01").parent().unwrap().parent().unwrap().to_owned();
    let mut left = Vec::new();
    files_below(&worktrees, &mut left);
    files_below(&world.env.work().join(".git/worktrees"), &mut left);
    let locks = |dir: &str| {
        let mut files = Vec::new();
        files_below(&world.env.work().join(".git").join(dir), &mut files);
        files.into_iter().filter(|path| path.extension().is_some_and(|it| it == "lock")).collect::<Vec<_>>()
    };
    left.extend(locks("refs"));
    assert!(left.is_empty(), "{left:#?}");
}

fn files_below(dir: &std::path::Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        // The links by which a directory of worktrees says whose it is stay.
        if entry.file_type().unwrap().is_symlink() {
            continue;
        }
        if entry.path().is_dir() {
            files_below(&entry.path(), found);
        } else {
            found.push(entry.path());
        }
    }
}

/// Ten kills, chosen by the dice from `seed` on.
#[expect(clippy::print_stderr, reason = "figures to be read, not asserted")]
fn killed_at_ten_moments(seed: u64) {
    const KILLS: usize = 10;
    let undisturbed = project();
    let before = Belongings::of(&undisturbed);
    undisturbed.ends(&[], 0);
    let expected = Result::of(&undisturbed);
    assert_untouched(&undisturbed, &before);
    assert_accounted_for(&undisturbed);
    let resolved = expected.paid.iter().filter(|step| step.ends_with(".resolve")).count();
    assert_eq!((expected.paid.len(), resolved), (IDS.len() + 1, 1), "{:?}", expected.paid);
    assert_eq!(expected.landed, IDS);
    assert_eq!(undisturbed.file("deps.lock"), LOCKERS.join("\n"));

    let mut dice = Dice(seed);
    let mut kills: BTreeMap<Moment, usize> = BTreeMap::new();
    let total = |kills: &BTreeMap<Moment, usize>| kills.values().sum::<usize>();
    while total(&kills) < KILLS {
        let world = project();
        let before = Belongings::of(&world);
        loop {
            let mut run = world.start(&[]);
            let moment = MOMENTS[dice.roll(MOMENTS.len() as u64) as usize];
            let lived = total(&kills) < KILLS && killed_at(moment, &mut run, &world, &mut dice);
            let status = run.end();
            if !lived {
                assert_eq!(status, 0, "after {kills:?}: {}", world.said());
                break;
            }
            *kills.entry(moment).or_default() += 1;
            world.assert_nothing_left();
            assert_paid_once(&world);
            assert_untouched(&world, &before);
        }
        world.assert_nothing_left();
        assert_paid_once(&world);
        assert_untouched(&world, &before);
        assert_eq!(Result::of(&world), expected);
        assert_accounted_for(&world);
        assert!(!world.noted().iter().any(|line| line.contains("hooks/")), "a hook of the user's ran");
        let records = world.records().len();
        world.ends(&[], 0);
        assert_eq!(world.records().len(), records, "there was nothing left to do");
    }
    eprintln!("killed at {kills:?}");
}

#[test]
fn twelve_at_once_killed_at_ten_moments_come_to_the_same_end() {
    killed_at_ten_moments(11);
}

#[test]
fn killed_at_ten_other_moments_they_come_to_the_same_end() {
    killed_at_ten_moments(12);
}

#[test]
fn killed_at_ten_more_moments_they_come_to_the_same_end() {
    killed_at_ten_moments(13);
}

/// Once the end is on record nobody looks for what is left: it is gone before.
#[test]
fn killed_right_after_its_end_it_has_taken_everything_down() {
    let world = project();
    let mut run = world.start(&[]);
    run.records(|event| matches!(event, Event::RunEnded { .. }));
    run.child.kill().unwrap();
    let _ = run.end();
    world.assert_nothing_left();
    assert_accounted_for(&world);
}

/// Nor is there what an earlier run made for its last checks and was killed with.
#[test]
fn what_was_made_for_the_last_checks_is_removed_by_whichever_run_ends() {
    let world = project();
    let mut run = world.start(&[]);
    let passed = |event: &Event| {
        let last = |scope: &Scope| *scope == Scope::Final;
        matches!(event, Event::ValidationOpened { on: Subject::Run, scope, .. } if last(scope))
    };
    run.records(passed);
    let there = world.worktree("@run").with_file_name("final");
    assert!(run.reaches(|_| there.exists()));
    run.child.kill().unwrap();
    let _ = run.end();
    world.assert_nothing_left();
    let mut manifest: Value =
        serde_json::from_str(&fs::read_to_string(world.spec.join("manifest.json")).unwrap()).unwrap();
    manifest.as_object_mut().unwrap().remove("validation_command");
    manifest["components"].as_array_mut().unwrap().iter_mut().for_each(|it| it["checks"] = json!([]));
    world.rewrite(manifest);
    world.ends(&[], 0);
    assert_accounted_for(&world);
}

/// What a removal that was cut short left: a registration without a directory, or a directory that is half gone.
#[test]
fn the_rest_of_a_worktree_that_was_being_removed_goes_with_the_next_run() {
    let asks = json!({"answer": {"status": "blocked", "summary": "stuck", "questions": ["how?"]}});
    let components = vec![component("a", &[]), component("b", &[]), component("c", &[])];
    let done = [("a.*".to_owned(), writes("a", "x")), ("b.*".to_owned(), writes("b", "x"))];
    let mut steps: BTreeMap<_, _> = done.into_iter().collect();
    steps.insert("c.*".to_owned(), asks);
    let world = World::new(manifest(components), json!({"steps": steps}));
    world.ends(&[], 3);
    for id in ["a", "b"] {
        let dir = world.worktree(id);
        world.git(&["worktree", "add", "--quiet", "--detach", "--no-checkout", dir.to_str().unwrap(), BRANCH]);
        if id == "a" {
            fs::remove_dir_all(dir).unwrap();
        }
    }
    steps.insert("c.*".to_owned(), writes("c", "x"));
    world.play(json!({"steps": steps}));
    world.tells(&["q1", "retry"]);
    world.ends(&[], 0);
    let known = world.git(&["worktree", "list", "--porcelain"]);
    assert_eq!(known.lines().filter(|line| line.starts_with("worktree ")).count(), 1, "{known}");
    assert!(!world.worktree("b").exists());
}
