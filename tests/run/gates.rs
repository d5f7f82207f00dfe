//! The votes on the whole, the base before any work, full mode, and the proof in a fresh tree.

use cco::lifecycle::event::{AttemptEnd, Cause, Event, Proof, RunEnd, Scope, Verdict};
use serde_json::{Value, json};

use crate::env::write;
use crate::world::{World, component, finds, manifest, votes, writes};

/// Two components, one after the other, with these gates and seats.
fn world(gates: Value, seats: Value) -> World {
    let mut manifest = manifest(vec![component("a", &[]), component("b", &["a"])]);
    manifest["execution"]["voting_gates"] = gates;
    let mut steps = json!({"a.*": writes("a", "x"), "b.*": writes("b", "x"), "@run.fix": writes("a", "mended")});
    for (key, value) in seats.as_object().unwrap() {
        steps[key] = value.clone();
    }
    World::new(manifest, json!({"sessions": true, "steps": steps}))
}

/// Gates as they were settled.
fn settled(world: &World) -> Vec<String> {
    let settled = |event| match event {
        Event::GateSettled { gate, option, act, .. } => Some(format!("{gate} {option} {act:?}")),
        _ => None,
    };
    world.events().into_iter().filter_map(settled).collect()
}

fn proof(world: &World) -> Option<Proof> {
    world.events().into_iter().rev().find_map(|event| match event {
        Event::RunCompleted { proof } => Some(proof),
        _ => None,
    })
}

fn scopes(world: &World) -> Vec<(Scope, Verdict)> {
    let mut scope = None;
    let mut out = Vec::new();
    for event in world.events() {
        match event {
            Event::ValidationOpened { scope: of, .. } => scope = Some(of),
            Event::ValidationSettled { verdict, .. } => out.push((scope.unwrap(), verdict)),
            _ => {}
        }
    }
    out
}

fn place(world: &World, name: &str) -> usize {
    let started = world.started();
    started.iter().position(|one| one == name).unwrap_or_else(|| panic!("{name} never started: {started:?}"))
}

#[test]
fn what_the_impact_vote_decides_is_in_every_later_prompt() {
    for option in ["BACKWARD_COMPATIBLE", "COORDINATED_ROLLOUT", "INCREMENTAL_MIGRATION"] {
        let world = world(
            json!(["impact_strategy"]),
            json!({
                "@run.vote:impact_strategy:*": votes(option, 0.9, "many use it"),
                "a.implement": [{"fault": "no_answer"}, writes("a", "x")],
                "b.implement": [{"fault": {"exit": {"code": 1}}}, {"fault": {"exit": {"code": 1}}}],
            }),
        );
        world.ends(&[], 3);
        assert_eq!(place(&world, "@run.vote:impact_strategy:0-1"), 0);
        assert!(place(&world, "a.implement-1") > 2, "a component began before the vote");
        assert_eq!(settled(&world), [format!("impact_strategy {option} Decide")]);
        for attempt in ["a.implement-1", "b.implement-1"] {
            let prompt = world.prompt(attempt);
            assert!(prompt.contains("Decisions in force") && prompt.contains(option), "{attempt}: {prompt}");
        }
        // It holds in the next run as well.
        world.tells(&["q1", "retry"]);
        world.ends(&[], 3);
        assert!(world.prompt("b.implement-3").contains(option));
    }
}

#[test]
fn a_needed_redesign_asks_before_anything_is_written() {
    let world = world(
        json!(["impact_strategy"]),
        json!({"@run.vote:impact_strategy:*": votes("REDESIGN_NEEDED", 0.9, "the schema cannot hold it")}),
    );
    let output = world.run(&[]);
    assert_eq!(output.status, 3, "{output}");
    assert_eq!(world.wrote(), [""; 0]);
    let questions = world.questions();
    assert_eq!(questions[0].options, ["BACKWARD_COMPATIBLE", "COORDINATED_ROLLOUT", "INCREMENTAL_MIGRATION"]);
    // The whole cannot be left out, and what the vote could not choose can be chosen.
    let ways = "q1 retry -m \"…\"   or: accept, recheck, abort, --option BACKWARD_COMPATIBLE, \
        --option COORDINATED_ROLLOUT, --option INCREMENTAL_MIGRATION\n";
    assert!(output.to_string().contains(ways), "{output}");
    assert!(questions[0].issues[0].text.contains("the schema cannot hold it"), "{questions:?}");
    world.tells(&["q1", "--option", "COORDINATED_ROLLOUT"]);
    world.ends(&[], 0);
    assert_eq!(settled(&world), ["impact_strategy COORDINATED_ROLLOUT Decide"]);
    assert_eq!(world.wrote(), ["a.implement", "b.implement"]);
    world.assert_nothing_left();
}

/// The gates after the final validation, with an option that asks for a fix round.
const FIXING: [(&str, &str, &str); 5] = [
    ("test_adequacy", "NEEDS_MORE", "ADEQUATE"),
    ("test_adequacy", "WEAK", "ADEQUATE"),
    ("doc_quality", "GAPS", "READY"),
    ("doc_quality", "INACCURATE", "READY"),
    ("production_ready", "NEEDS_WORK", "READY"),
];

#[test]
fn the_concerns_of_a_gate_are_mended_once_validated_and_voted_on_again() {
    for (gate, bad, good) in FIXING {
        let key = format!("@run.vote:{gate}:*");
        let ballots = json!([votes(bad, 0.9, "the empty list is not covered"), votes(good, 0.9, "now it is")]);
        let world = world(json!([gate]), json!({key.clone(): ballots}));
        let output = world.run(&[]);
        assert_eq!(output.status, 0, "{gate} {bad}: {output}");
        assert_eq!(settled(&world), [format!("{gate} {bad} Fix"), format!("{gate} {good} Proceed")]);
        let prompt = world.prompt("@run.fix-1");
        assert!(prompt.contains("the empty list is not covered"), "{prompt}");
        let whole: Vec<_> = scopes(&world).into_iter().filter(|(scope, _)| *scope == Scope::Final).collect();
        assert_eq!(whole, [(Scope::Final, Verdict::Pass); 2], "{gate}: validated before and after the fix");
        assert_eq!(proof(&world), Some(Proof::Proven));
        assert_eq!(world.file("a.txt"), "mended");
        world.assert_nothing_left();

        // It is voted on once more, not for ever.
        world.play(json!({"sessions": true, "steps": {
            "@run.fix": writes("a", "mended again"), key: votes(bad, 0.9, "still not covered"),
        }}));
        world.ends(&["--redo", "a"], 3);
        let question = world.questions().pop().unwrap();
        assert_eq!(question.cause, Cause::Vote);
        assert!(question.issues[0].text.contains("still not covered"), "{question:?}");
        assert_eq!(world.fixes().len(), 2, "{gate}: {:?}", world.fixes());
        // Taken as it is, it is waived and not proven.
        world.tells(&[&question.id, "accept"]);
        world.ends(&[], 0);
        assert_eq!(proof(&world), Some(Proof::Waived));
    }
}

#[test]
fn a_fix_round_for_a_gate_that_breaks_the_whole_does_not_get_past_the_checks() {
    let world = world(
        json!(["production_ready"]),
        json!({
            "@run.vote:production_ready:*": [votes("NEEDS_WORK", 0.9, "tidy up"), votes("READY", 0.9, "tidy")],
            "@run.fix": [{"actions": [{"run": {"cmd": "rm a.txt"}}]}, writes("a", "mended")],
        }),
    );
    world.ends(&[], 0);
    let whole: Vec<Verdict> =
        scopes(&world).into_iter().filter(|(scope, _)| *scope == Scope::Final).map(|(_, verdict)| verdict).collect();
    assert_eq!(whole, [Verdict::Pass, Verdict::Fail, Verdict::Pass]);
    assert_eq!(settled(&world).len(), 2);
}

#[test]
fn risky_asks_and_each_answer_does_what_it_says() {
    let risky = || {
        world(json!(["production_ready"]), json!({"@run.vote:production_ready:*": votes("RISKY", 0.9, "no rollback")}))
    };
    let world = risky();
    world.ends(&[], 3);
    let questions = world.questions();
    assert_eq!(questions[0].options, ["READY", "NEEDS_WORK"]);
    assert!(proof(&world).is_none());
    world.tells(&["q1", "--option", "READY"]);
    world.ends(&[], 0);
    assert_eq!(settled(&world), ["production_ready READY Proceed"]);

    let world = risky();
    world.ends(&[], 3);
    world.play(json!({"sessions": true, "steps": {
        "@run.fix": writes("a", "mended"), "@run.vote:production_ready:*": votes("READY", 0.9, "it has one now"),
    }}));
    world.tells(&["q1", "--option", "NEEDS_WORK"]);
    world.ends(&[], 0);
    let prompt = world.prompt("@run.fix-1");
    assert!(prompt.contains("no rollback"), "the fix is not told what the voters miss: {prompt}");
    assert_eq!(proof(&world), Some(Proof::Proven));

    let world = risky();
    world.ends(&[], 3);
    world.tells(&["q1", "accept"]);
    world.ends(&[], 0);
    assert_eq!(proof(&world), Some(Proof::Waived), "what was accepted is not proven");

    let world = risky();
    world.ends(&[], 3);
    world.play(json!({"steps": {"@run.vote:production_ready:*": votes("READY", 0.9, "fine after all")}}));
    world.tells(&["q1", "retry"]);
    world.ends(&[], 0);
    assert_eq!(proof(&world), Some(Proof::Proven));
}

#[test]
fn a_gate_that_could_not_be_held_is_never_proven() {
    let world = world(json!(["production_ready"]), json!({"@run.vote:production_ready:*": {"fault": "no_answer"}}));
    world.ends(&[], 3);
    world.tells(&["q1", "accept"]);
    world.ends(&[], 0);
    assert_eq!(proof(&world), Some(Proof::Waived));
}

fn own(when: &str) -> Value {
    json!([{
        "name": "ux", "question": "Is it pleasant?", "when": when, "voters": 2,
        "options": [
            {"name": "YES", "action": "proceed"}, {"name": "NO", "action": "fix"}, {"name": "ASK", "action": "escalate"},
        ],
    }])
}

#[test]
fn own_gates_do_what_their_options_say_before_and_after_the_components() {
    for when in ["before", "after"] {
        let first = |world: &World| place(world, "@run.vote:ux:0-1") < place(world, "a.implement-1");

        let yes = world(own(when), json!({"@run.vote:ux:*": votes("YES", 0.9, "it is")}));
        yes.ends(&[], 0);
        assert_eq!(first(&yes), when == "before");
        assert_eq!(settled(&yes), ["ux YES Proceed"]);
        assert!(yes.prompt("@run.vote:ux:1-1").contains("Is it pleasant?"));
        assert!(!yes.started().iter().any(|name| name.starts_with("@run.vote:ux:2")), "two voters were asked for");

        let no = world(
            own(when),
            json!({"@run.vote:ux:*": [votes("NO", 0.9, "the colours clash"), votes("YES", 0.9, "better")]}),
        );
        let output = no.run(&[]);
        if when == "before" {
            // There is nothing to fix yet: a person is asked, and the next vote is held on what they changed.
            assert_eq!(output.status, 3, "{output}");
            assert_eq!(no.questions()[0].options, ["YES"]);
            assert_eq!(no.wrote(), [""; 0]);
            no.tells(&["q1", "retry"]);
            no.ends(&[], 0);
            assert_eq!(settled(&no), ["ux YES Proceed"]);
        } else {
            assert_eq!(output.status, 0, "{output}");
            assert_eq!(settled(&no), ["ux NO Fix", "ux YES Proceed"]);
            assert!(no.prompt("@run.fix-1").contains("the colours clash"));
            assert_eq!(no.wrote(), ["@run.fix", "a.implement", "b.implement"]);
        }
        assert_eq!(proof(&no), Some(Proof::Proven));
        let completed = no.events().into_iter().filter(|event| matches!(event, Event::RunCompleted { .. })).count();
        assert_eq!(completed, 1, "{when}: there is no whole before the components");

        let ask = world(own(when), json!({"@run.vote:ux:*": votes("ASK", 0.9, "who knows")}));
        ask.ends(&[], 3);
        assert_eq!(ask.wrote().is_empty(), when == "before");
        let options: &[&str] = if when == "before" { &["YES"] } else { &["YES", "NO"] };
        assert_eq!(ask.questions()[0].options, options);
        ask.tells(&["q1", "--option", "YES"]);
        ask.ends(&[], 0);
        assert_eq!(ask.wrote(), ["a.implement", "b.implement"]);
    }
}

/// A component with a skeleton in full mode, two lenses.
fn full(seats: Value) -> World {
    let mut a = component("a", &[]);
    a["complexity"] = json!("medium");
    let mut manifest = manifest(vec![a]);
    manifest["execution"] = json!({"mode": "full", "reviewers": 2});
    let mut steps = json!({
        "a.*": writes("a", "x"), "@run.vote:production_ready:*": votes("READY", 0.9, "it is"),
        "a.review:*": {}, "@run.review:*": {},
    });
    for (key, value) in seats.as_object().unwrap() {
        steps[key] = value.clone();
    }
    World::new(manifest, json!({"sessions": true, "steps": steps}))
}

fn minor() -> Value {
    let mut found = finds(&["the name says little"]);
    found["answer"]["issues"][0]["severity"] = json!("minor");
    found
}

#[test]
fn full_mode_validates_after_every_step_and_small_remarks_block_once() {
    let world = full(json!({"a.review:1": minor()}));
    world.ends(&[], 0);
    let started: Vec<String> =
        world.started().into_iter().filter(|name| name.starts_with("a.") && !name.contains("vote")).collect();
    let at = |name: &str| started.iter().position(|one| one == name).unwrap_or_else(|| panic!("{name}: {started:?}"));
    // The skeleton is reviewed, without commands, before anything builds on it.
    assert!(at("a.skeleton-1") < at("a.review:0-1") && at("a.review:1-2") < at("a.implement-1"), "{started:?}");
    assert!(at("a.implement-1") < at("a.check:a-1"), "{started:?}");
    // The remark blocked the skeleton once and the implementation once, though it never went away.
    let fixes: Vec<String> = world.fixes().into_iter().map(|(on, ..)| on).collect();
    assert_eq!(fixes, ["a", "a"]);
    assert!(world.prompt("a.fix-1").contains("the name says little"));
    assert_eq!(world.questions(), []);
    assert_eq!(settled(&world), ["production_ready READY Proceed"]);
    assert_eq!(proof(&world), Some(Proof::Proven));
    world.assert_nothing_left();
}

/// A base with a test command that is red.
fn red_base(red_base: &str, tests: Value) -> World {
    let mut manifest = manifest(vec![component("a", &[])]);
    manifest["execution"]["red_base"] = json!(red_base);
    manifest["quality"] = json!({"test_command": tests});
    World::new(manifest, json!({"steps": {"a.*": writes("a", "x")}}))
}

#[test]
fn a_red_base_stops_the_run_before_any_agent_starts() {
    for inherit in ["stop", "inherit"] {
        // A red command without names is nobody's to subtract.
        let world = red_base(inherit, json!("test -e mended"));
        let output = world.run(&[]);
        assert_eq!(output.status, 3, "{inherit}: {output}");
        assert!(world.started().iter().all(|name| name.contains("check")), "{:?}", world.started());
        assert_eq!(world.questions()[0].cause, Cause::RedBase);
        assert!(!output.to_string().contains("agent calls, $") && output.stdout.contains("$0.00"), "{output}");
        world.ends(&[], 3);
        assert_eq!(world.wrote(), [""; 0]);
    }
}

#[test]
fn a_red_base_that_is_accepted_goes_on_and_is_not_proven() {
    let world = red_base("stop", json!("test -e mended"));
    world.ends(&[], 3);
    world.tells(&["q1", "accept"]);
    world.ends(&[], 0);
    assert_eq!(world.wrote(), ["a.implement"]);
    assert_ne!(proof(&world), Some(Proof::Proven));
}

/// A JUnit report in which `old` fails always and `new` when the component is bad.
fn named_tests() -> Value {
    let case = |name: &str, failed: &str| {
        format!(
            "if {failed}; then b=\"$b<testcase classname='s' name='{name}'><failure message='no'/></testcase>\"; s=1; \
                 else b=\"$b<testcase classname='s' name='{name}'/>\"; fi"
        )
    };
    let run = format!(
        "b=; s=0; {}; {}; echo \"<testsuites><testsuite name='s'>$b</testsuite></testsuites>\" > report.xml; exit $s",
        case("old", "true"),
        case("new", "grep -q bad a.txt 2>/dev/null")
    );
    json!({"name": "tests", "run": run, "junit": "report.xml"})
}

#[test]
fn named_failures_of_the_base_are_inherited_and_new_ones_are_not() {
    let world = red_base("inherit", named_tests());
    world.play(
        json!({"steps": {"a.implement": writes("a", "bad"), "a.fix": writes("a", "x"), "@run.fix": writes("a", "x")}}),
    );
    let output = world.run(&[]);
    assert_eq!(output.status, 0, "{output}");
    let inherited: Vec<String> = world
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::Inherited { issues } => Some(issues.into_iter().map(|issue| issue.text).collect::<Vec<_>>()),
            _ => None,
        })
        .flatten()
        .collect();
    assert_eq!(inherited.len(), 1, "{inherited:?}");
    assert!(inherited[0].contains("old"), "{inherited:?}");
    // The new failure was one, and had to be mended.
    assert_eq!(world.fixes().len(), 1, "{:?}", world.fixes());
    let prompt = if world.started().contains(&"a.fix-1".to_owned()) { "a.fix-1" } else { "@run.fix-1" };
    let (_, issues) =
        world.prompt(prompt).split_once("mend these issues").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    assert!(issues.contains("new") && !issues.contains("old"), "{issues}");
}

/// A build product that only the worktree of the run has.
#[test]
fn what_only_lies_in_the_worktree_of_the_run_proves_nothing() {
    let mut a = component("a", &[]);
    a["checks"] = json!([{"name": "built", "run": "test -e out/product"}]);
    let mut manifest = manifest(vec![a]);
    manifest["execution"]["max_fix_attempts"] = json!(0);
    let builds = json!({"actions": [
        {"write": {"path": "a.txt", "text": "x"}}, {"run": {"cmd": "mkdir -p out && touch out/product"}},
    ]});
    let world = World::new(manifest, json!({"steps": {"a.*": builds}}));
    write(&world.env.work().join(".gitignore"), "out/\n");
    world.git(&["add", "-A"]);
    world.git(&["commit", "--quiet", "-m", "Ignore what is built"]);
    world.ends(&[], 3);
    assert_eq!(
        scopes(&world),
        [(Scope::Component, Verdict::Pass), (Scope::Final, Verdict::Fail)],
        "the whole is not judged by what an agent left"
    );
    assert_eq!(proof(&world), None);
    world.assert_nothing_left();
}

#[test]
fn the_fresh_tree_has_what_setup_and_copy_say() {
    let mut a = component("a", &[]);
    a["checks"] = json!([{"name": "whole", "run": "test -e out/product && grep -q v1 settings.local", "when": "end"}]);
    let mut manifest = manifest(vec![a]);
    manifest["execution"]["setup"] = json!(["mkdir -p out && touch out/product", "echo set up >> $NOTES"]);
    manifest["execution"]["copy"] = json!(["settings.local"]);
    let world = World::new(manifest, json!({"steps": {"a.*": writes("a", "x")}}));
    write(&world.env.work().join(".gitignore"), "out/\nsettings.local\n");
    world.git(&["add", "-A"]);
    world.git(&["commit", "--quiet", "-m", "Ignore what is built"]);
    write(&world.env.work().join("settings.local"), "v1\n");
    world.ends(&[], 0);
    assert_eq!(proof(&world), Some(Proof::Proven));
    // Nothing of it stays.
    let trees = world.git(&["worktree", "list", "--porcelain"]);
    assert!(!trees.contains("/final"), "{trees}");
    world.assert_nothing_left();
}

#[test]
fn a_setup_that_fails_proves_nothing_and_uses_up_nothing() {
    let mut manifest = manifest(vec![component("a", &[])]);
    manifest["execution"]["setup"] = json!(["echo no network >&2; exit 7"]);
    let world = World::new(manifest.clone(), json!({"steps": {"a.*": writes("a", "x")}}));
    // Nothing is paid for in a worktree that is not ready.
    let output = world.run(&[]);
    assert_eq!(output.status, 7, "{output}");
    assert!(output.to_string().contains("exit 7` failed with status 7"), "{output}");
    assert!(world.wrote().is_empty() && world.noted().is_empty());
    // Where only the whole cannot be set up, it cannot be checked.
    manifest["execution"]["setup"] = json!(["case $PWD in */final) echo no network >&2; exit 7;; esac"]);
    world.rewrite(manifest.clone());
    let output = world.run(&[]);
    assert_eq!(output.status, 3, "{output}");
    assert_eq!(world.last_end(), Some(RunEnd::NeedsAnswer));
    let questions = world.questions();
    assert_eq!(questions[0].cause, Cause::NotCheckable);
    assert!(questions[0].question.starts_with("could not be checked"), "{questions:?}");
    assert!(questions[0].question.contains("exit 7"), "{questions:?}");
    assert_eq!(world.fixes(), []);
    let whole = world.ended().into_iter().filter(|(name, _)| name.starts_with("@run.check"));
    for (name, end) in whole {
        assert!(matches!(end, AttemptEnd::Checked(result) if result.verdict == Verdict::Unavailable), "{name}");
    }
    manifest["execution"]["setup"] = json!(["true"]);
    world.rewrite(manifest);
    world.tells(&["q1", "retry"]);
    world.ends(&[], 0);
    assert_eq!(proof(&world), Some(Proof::Proven));
}
