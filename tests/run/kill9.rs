//! Killed at any moment, a run carries on: nothing is lost, nothing is paid twice, nothing is left behind.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use cco::ids::Step;
use cco::lifecycle::event::Event;
use serde_json::{Value, json};

use crate::world::{Run, World, manifest};

/// A small deterministic source of choices.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

const GRAPH: [(&str, &[&str]); 8] = [
    ("a", &[]),
    ("b", &["a"]),
    ("c", &["a"]),
    ("d", &["a"]),
    ("e", &["b", "c"]),
    ("f", &["d"]),
    ("g", &["e", "f"]),
    ("h", &["g"]),
];

/// Eight components; `b` has a skeleton, the first work of `e` fails its check.
fn project() -> World {
    let component = |(id, depends_on): &(&str, &[&str])| {
        json!({
            "id": id, "file": format!("{id}.txt"), "files": [format!("{id}.built")], "purpose": "Write it.",
            "complexity": if *id == "b" { "medium" } else { "low" }, "depends_on": depends_on,
            "checks": [{"name": format!("{id}-good"), "run": format!("grep -q good {id}.txt && test -s {id}.built")}],
        })
    };
    let mut manifest = manifest(GRAPH.iter().map(component).collect());
    manifest["execution"]["max_parallel"] = json!(3);
    manifest["quality"] = json!({"test_command": "test -e README"});
    manifest["validation_command"] = json!("cat a.txt h.txt");
    World::new(manifest, scenario())
}

fn scenario() -> Value {
    let mut steps = BTreeMap::new();
    for (id, _) in GRAPH {
        steps.insert(format!("{id}.*"), works(id, "good"));
    }
    steps.insert("e.implement".to_owned(), works("e", "bad"));
    json!({"sessions": true, "steps": steps})
}

/// Notes who it is, leaves a process in a session of its own, and writes one file itself and one by a command.
fn works(id: &str, word: &str) -> Value {
    json!({
        "actions": [
            {"run": {"cmd": "echo $CCO_ATTEMPT >> $NOTES; setsid sleep 300 & "}},
            {"leave_child": {}},
            {"wait": {"ms": 10}},
            {"write": {"path": format!("{id}.txt"), "text": format!("{id} is {word}\n")}},
            {"run": {"cmd": format!("printf 'built %s\\n' {id} > {id}.built")}},
        ],
        "answer": {"status": "done", "summary": format!("wrote {id}"), "decisions": [format!("{id} is one line")]},
        "cost_usd": 0.01,
    })
}

/// What must not depend on how often a run was killed.
#[derive(Debug, PartialEq)]
struct Result {
    tree: String,
    paid: Vec<String>,
    context: Vec<(String, String)>,
}

impl Result {
    fn of(world: &World) -> Self {
        let mut files = vec![world.paths().context_md()];
        files.extend(GRAPH.iter().map(|(id, _)| world.spec.join(format!("components/{id}.md"))));
        let name = |path: &std::path::Path| path.file_name().unwrap().to_str().unwrap().to_owned();
        let context = files.iter().map(|path| (name(path), fs::read_to_string(path).unwrap_or_default())).collect();
        Self { tree: world.tree(), paid: world.wrote(), context }
    }
}

/// No attempt was started twice, and each that did some work is on record.
#[track_caller]
pub fn assert_paid_once(world: &World) {
    let started = world.started();
    let known: BTreeSet<&String> = started.iter().collect();
    assert_eq!(known.len(), started.len(), "an attempt's number was used twice: {started:#?}");
    let noted = world.noted();
    let distinct: BTreeSet<&String> = noted.iter().collect();
    assert_eq!(distinct.len(), noted.len(), "an attempt ran twice: {noted:#?}");
    assert!(distinct.is_subset(&known), "unknown to the journal: {distinct:?} of {known:?}");
    let mut done = BTreeSet::new();
    for event in world.events() {
        match event {
            Event::AttemptEnded { attempt, end: cco::lifecycle::event::AttemptEnd::Wrote { .. }, .. } => {
                let fresh = attempt.step == Step::Fix || done.insert((attempt.on.clone(), attempt.step.clone()));
                assert!(fresh, "{attempt} was paid twice");
            }
            Event::AttemptStarted { attempt, .. } => {
                let step = (attempt.on.clone(), attempt.step.clone());
                assert!(attempt.step == Step::Fix || !done.contains(&step), "{attempt} was started after its end");
            }
            _ => {}
        }
    }
}

/// Waits for a moment that the dice choose; tells whether the run lived to see it.
fn reaches_some_moment(run: &mut Run<'_>, world: &World, dice: &mut Dice) -> bool {
    let lived = match dice.roll(8) {
        0 => run.reaches(|world| world.processes().iter().any(|(_, line)| line.contains("agent-sim"))),
        1 => run.reaches(|world| world.processes().iter().any(|(_, line)| line.starts_with("git "))),
        _ => {
            let goal = world.journal_len() + 1 + dice.roll(4_000);
            run.reaches(|world| world.journal_len() >= goal)
        }
    };
    // A record is the beginning of something: let some of it happen.
    for _ in 0..dice.roll(40) * 1_000 {
        std::thread::yield_now();
    }
    lived
}

#[test]
#[expect(clippy::print_stderr, reason = "a figure to be read, not asserted")]
fn killed_at_fifty_moments_it_comes_to_the_same_end() {
    let undisturbed = project();
    undisturbed.ends(&[], 0);
    let expected = Result::of(&undisturbed);
    assert_eq!(expected.paid.iter().filter(|step| *step == "e.fix").count(), 1, "{:?}", expected.paid);
    let mut dice = Dice(7);
    let mut kills = 0;
    let mut longest = Duration::ZERO;
    while kills < 50 {
        let world = project();
        loop {
            let mut run = world.start(&[]);
            let lived = reaches_some_moment(&mut run, &world, &mut dice);
            if !lived {
                assert_eq!(run.end(), 0, "{:#?}", world.records().last());
                break;
            }
            run.signal("KILL");
            let _ = run.end();
            kills += 1;
            longest = longest.max(world.assert_nothing_left());
            assert_paid_once(&world);
            if kills % 10 == 0 {
                world.ends(&[], 0);
                break;
            }
        }
        world.assert_nothing_left();
        assert_paid_once(&world);
        assert_eq!(Result::of(&world), expected);
        let records = world.records().len();
        world.ends(&[], 0);
        assert_eq!(world.records().len(), records, "there was nothing left to do");
    }
    eprintln!("{kills} kills; the last process was gone after {longest:?} at the latest");
}

#[test]
fn what_outlived_the_guard_is_ended_by_the_next_run() {
    for next in [&[][..], &["--fresh"][..]] {
        let hangs = json!({
            "actions": [{"run": {"cmd": "setsid sleep 300 &"}}, {"leave_child": {}}],
            "fault": {"hang": "end"}, "ignore_signals": true,
        });
        let world = World::new(
            manifest(vec![crate::world::component("a", &[])]),
            json!({"steps": {"a.implement-1": hangs, "a.implement": crate::world::writes("a", "x")}}),
        );
        let mut run = world.start(&[]);
        let working =
            run.reaches(|world| world.processes().iter().filter(|(_, line)| line.starts_with("sleep")).count() == 2);
        assert!(working);
        let guard = world.processes().into_iter().find(|(_, line)| line.contains(" guard ")).unwrap();
        std::process::Command::new("kill").args(["-9", &guard.0.to_string()]).status().unwrap();
        run.signal("KILL");
        let _ = run.end();
        let left = world.processes();
        assert_eq!(left.iter().filter(|(_, line)| line.starts_with("sleep")).count(), 2, "{left:#?}");
        world.play(json!({"steps": {"a.implement": crate::world::writes("a", "x")}}));
        world.ends(next, 0);
        world.assert_nothing_left();
    }
}

#[test]
fn a_complete_answer_is_adopted_without_what_others_have_half_written() {
    let lingers = json!({
        "actions": [{"run": {"cmd": "echo $CCO_ATTEMPT >> $NOTES"}}, {"write": {"path": "a.txt", "text": "whole"}}],
        "fault": {"linger_after_result": {"ms": 60_000}},
    });
    let half = json!({"actions": [{"write": {"path": "b.txt", "text": "half"}}], "fault": {"hang": "end"}});
    let components = vec![crate::world::component("a", &[]), crate::world::component("b", &[])];
    let steps = json!({"a.implement": lingers, "b.implement": [half, crate::world::writes("b", "whole")]});
    let world = World::new(manifest(components), json!({"steps": steps}));
    let mut run = world.start(&[]);
    let half_written = world.worktree("b").join("b.txt");
    let stream = world.spec.join("runs/a.implement-1.stream.jsonl");
    let answered = run.reaches(|_| {
        let told = fs::read_to_string(&stream).unwrap_or_default();
        told.ends_with('\n') && told.contains("\"type\":\"result\"") && half_written.exists()
    });
    assert!(answered);
    run.signal("KILL");
    let _ = run.end();
    world.assert_nothing_left();
    world.ends(&[], 0);
    assert_eq!(world.noted(), ["a.implement-1"], "it was not asked again");
    let files = world.git(&["log", "--grep=Cco-Component: a", "--format=", "--name-only", crate::world::BRANCH]);
    assert_eq!(files, "a.txt");
    assert_eq!(world.file("b.txt"), "whole");
}

/// How the conversation of a try that was cut off comes to be lost.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Lost {
    /// The agent has it no more.
    Session,
    /// Nobody knows whether it ever began.
    Stream,
}

/// `a` is cut off with files of all kinds half written, `b` beside it.
fn cut_off(world: &World, a: &std::path::Path, b: &std::path::Path) {
    let mut run = world.start(&[]);
    assert!(run.reaches(|_| a.join("half").exists() && b.join("b.txt").exists()));
    run.signal("KILL");
    let _ = run.end();
    world.assert_nothing_left();
}

fn lose(world: &World, lost: Lost) {
    match lost {
        Lost::Session => {
            let session = |event| match event {
                Event::AttemptStarted { attempt, session, .. } if attempt.on.as_str() == "a" => session,
                _ => None,
            };
            let id = world.events().into_iter().find_map(session).unwrap();
            fs::remove_file(world.env.home().join(".cco-sim/sessions").join(&*id)).unwrap();
        }
        Lost::Stream => fs::remove_file(world.spec.join("runs/a.implement-1.stream.jsonl")).unwrap(),
    }
}

fn two_writers() -> Value {
    let a = json!({
        "id": "a", "file": "a.txt", "files": ["README", "sub/**", "gone"], "tests": ["t/**"], "complexity": "low",
        "purpose": "Write it.", "checks": [{"name": "a", "run": "test -s a.txt"}],
    });
    let mut b = crate::world::component("b", &[]);
    b["tests"] = json!(["t/b.*"]);
    manifest(vec![a, b])
}

/// The files that are there are noted, with what they hold.
fn looks(then: Value) -> Value {
    let look = r#"for f in README gone a.txt sub/new t/a.1 t/b.1 b.txt half; do
        echo $CCO_ATTEMPT $f: $(cat $f 2>&1 | tail -n 1) >> $NOTES; done"#;
    let mut actions = vec![json!({"run": {"cmd": look}})];
    actions.extend(then["actions"].as_array().unwrap().iter().cloned());
    json!({"actions": actions})
}

fn half_written() -> Value {
    let leaves = json!({
        "actions": [{"run": {"cmd": "rm -f gone; echo half > README; echo half > a.txt; mkdir -p sub t; \
            echo half > sub/new; echo half > sub/new.tmp.7; git add sub; echo half > t/a.1; echo yes > half"}}],
        "fault": {"hang": "end"},
    });
    let beside = json!({
        "actions": [{"run": {"cmd": "mkdir -p t; echo half > t/b.1; echo half > b.txt"}}], "fault": {"hang": "end"},
    });
    json!({"sessions": true, "steps": {"a.implement": leaves, "b.implement": beside}})
}

fn begins_again() -> Value {
    let mut b = crate::world::writes("b", "whole");
    b["on_resume"] = looks(crate::world::writes("b", "whole"));
    json!({"sessions": true, "steps": {"a.implement": looks(crate::world::writes("a", "whole")), "b.implement": b}})
}

#[test]
fn a_step_whose_conversation_is_lost_begins_again_from_the_last_commit() {
    for lost in [Lost::Session, Lost::Stream] {
        let world = World::new(two_writers(), half_written());
        fs::write(world.env.work().join("gone"), "there\n").unwrap();
        world.git(&["add", "-A"]);
        world.git(&["commit", "--quiet", "-m", "More"]);
        cut_off(&world, &world.worktree("a"), &world.worktree("b"));
        lose(&world, lost);
        world.play(begins_again());
        world.ends(&[], 0);

        let (cut, again) = if lost == Lost::Session { (2, 3) } else { (1, 2) };
        let noted = world.noted();
        let saw = |file: &str, what: &str| noted.contains(&format!("a.implement-{again} {file}: {what}"));
        let missing = |file: &str| saw(file, &format!("cat: {file}: No such file or directory"));
        assert!(saw("README", "a project") && saw("gone", "there"), "{lost:?}: {noted:#?}");
        assert!(missing("a.txt") && missing("sub/new") && missing("t/a.1"), "{lost:?}: {noted:#?}");
        assert!(missing("half"), "not of its write set, and left all the same: {lost:?}: {noted:#?}");
        assert!(noted.contains(&"b.implement-2 b.txt: half".to_owned()), "{lost:?}: {noted:#?}");
        assert!(noted.contains(&"b.implement-2 t/b.1: half".to_owned()), "{lost:?}: {noted:#?}");

        let kept = world.git(&["for-each-ref", "--format=%(refname)", "refs/cco/p/world-00000000/abandoned"]);
        assert!(kept.contains(&format!("/abandoned/a.implement-{cut}-")) && kept.lines().count() == 1, "{kept}");
        let files = world.git(&["diff", "--name-only", "main", &kept]);
        assert_eq!(files, "README\na.txt\ngone\nhalf\nsub/new\nsub/new.tmp.7\nt/a.1");
        assert_eq!(world.git(&["show", &format!("{kept}:README")]), "half");
        let tells = |event: &Event| matches!(event, Event::Noted { text, .. } if text.contains(&kept));
        assert!(world.has(tells), "{:#?}", world.events());
        let prompt = fs::read_to_string(world.spec.join(format!("runs/a.implement-{again}.prompt.md"))).unwrap();
        assert!(prompt.contains("put back to the last commit"), "{prompt}");
    }
}

#[test]
fn where_nothing_is_committed_the_next_try_is_told_what_it_may_find() {
    let world = World::without_git(two_writers(), half_written());
    fs::write(world.env.work().join("README"), "a project\n").unwrap();
    cut_off(&world, &world.env.work(), &world.env.work());
    lose(&world, Lost::Session);
    let mut again = begins_again();
    // It belongs to nobody, and would be found.
    again["steps"]["a.implement"]["actions"].as_array_mut().unwrap().push(json!({"run": {"cmd": "rm half"}}));
    world.play(again);
    world.ends(&[], 0);
    assert!(world.noted().contains(&"a.implement-3 README: half".to_owned()), "{:#?}", world.noted());
    let prompt = fs::read_to_string(world.spec.join("runs/a.implement-3.prompt.md")).unwrap();
    assert!(prompt.contains("What it wrote is still there"), "{prompt}");
}
