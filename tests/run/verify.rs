//! What a run proved, told by `cco verify` from records and git alone: what holds, what does not, and whose it is.

mod merged;
mod rerun;

use std::collections::BTreeMap;
use std::fs;

use cco::journal::{Journal, JournalError};
use cco::lifecycle::event::{AttemptEnd, Event, Integration, Verdict};
use serde_json::{Value, json};

use crate::env::{Output, write};
use crate::world::{BRANCH, World, component, finds, manifest, writes};

/// Two that are made side by side, so that the second is merged with the first, and one that builds on both.
fn side_by_side() -> Value {
    let mut manifest = manifest(vec![component("a", &[]), component("b", &[]), component("c", &["a", "b"])]);
    manifest["execution"]["reviewers"] = json!(1);
    manifest["validation_command"] = json!("cat a.txt b.txt c.txt");
    manifest
}

fn steps() -> Value {
    json!({"steps": {"a.*": writes("a", "x\n"), "b.*": writes("b", "x\n"), "c.*": writes("c", "x\n")}})
}

fn done() -> World {
    let world = World::new(side_by_side(), steps());
    world.ends(&[], 0);
    world
}

fn verify(world: &World, args: &[&str]) -> Output {
    let all: Vec<&str> = ["verify", "p/world"].iter().chain(args).copied().collect();
    world.env.cco(all)
}

/// How far each holds, by subject; and the reasons, as `subject claim: why`.
fn told(world: &World, status: i32) -> (BTreeMap<String, String>, Vec<String>) {
    let document = verify(world, &["--json"]).exits(status).json();
    let mut standings = BTreeMap::new();
    let mut reasons = Vec::new();
    for item in document["components"].as_array().unwrap().iter().chain([&document["whole"]]) {
        let on = item["on"].as_str().unwrap();
        standings.insert(on.to_owned(), item["standing"].as_str().unwrap().to_owned());
        for claim in item["claims"].as_array().unwrap() {
            for why in claim["why"].as_array().into_iter().flatten() {
                reasons.push(format!("{on} {}: {}", claim["what"].as_str().unwrap(), why.as_str().unwrap()));
            }
        }
    }
    (standings, reasons)
}

#[track_caller]
fn stand(world: &World, status: i32, expected: &[(&str, &str)]) -> Vec<String> {
    let (standings, reasons) = told(world, status);
    for (on, standing) in expected {
        assert_eq!(standings.get(*on).map(String::as_str), Some(*standing), "{on}: {standings:?} {reasons:#?}");
    }
    reasons
}

#[track_caller]
fn says(reasons: &[String], words: &[&str]) {
    for word in words {
        assert!(reasons.iter().any(|reason| reason.contains(word)), "`{word}` is not said: {reasons:#?}");
    }
}

/// Changes what records say, with the right checksums: as somebody would who wants to be believed.
fn forge(world: &World, mut change: impl FnMut(&mut Vec<Event>)) {
    let (path, forged) = (world.paths().journal(), world.env.root().join("forged.jsonl"));
    let (mut journal, _) = Journal::open::<JournalError>(&forged, |_| Ok(())).unwrap();
    for mut record in world.records() {
        change(&mut record.events);
        journal.stage(record.at, record.by, record.events);
    }
    journal.commit().unwrap();
    fs::rename(forged, path).unwrap();
}

/// A commit with one file changed in the place of the branch's, on the same parent.
fn amend(world: &World, path: &str, text: &str) -> String {
    let index = world.env.root().join("index");
    write(&world.env.root().join("changed"), text);
    let blob = world.git(&["hash-object", "-w", "../changed"]);
    let git = |args: &[&str]| {
        let output = std::process::Command::new("git")
            .args(args)
            .current_dir(world.env.work())
            .env("GIT_INDEX_FILE", &index)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    git(&["read-tree", BRANCH]);
    git(&["update-index", "--add", "--cacheinfo", &format!("100644,{blob},{path}")]);
    let tree = git(&["write-tree"]);
    let commit = world.git(&["commit-tree", &tree, "-p", &format!("{BRANCH}^"), "-m", "As if nothing had happened"]);
    world.git(&["update-ref", &format!("refs/heads/{BRANCH}"), &commit]);
    commit
}

/// All that a proof must leave as it is.
fn everything(world: &World) -> (String, String, Vec<u8>, Vec<String>) {
    let refs = world.git(&["for-each-ref"]);
    let trees = world.git(&["worktree", "list", "--porcelain"]);
    let journal = fs::read(world.paths().journal()).unwrap();
    let mut files: Vec<String> = Vec::new();
    let mut open = vec![world.spec.clone(), world.env.home().join(".local")];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
            files.push(entry.path().display().to_string());
            if entry.file_type().unwrap().is_dir() {
                open.push(entry.path());
            }
        }
    }
    files.sort();
    (refs, trees, journal, files)
}

#[test]
fn what_was_done_is_proven_and_nothing_is_touched() {
    let world = done();
    let caught_up = |event: &Event| {
        matches!(event, Event::AttemptEnded { end: AttemptEnd::Integrated(step), .. }
            if matches!(**step, Integration::CaughtUp { .. }))
    };
    assert!(world.has(caught_up), "one of them has to be merged with the other");
    let before = everything(&world);
    let text = verify(&world, &[]).exits(0).stdout;
    assert!(text.contains("3 of 3 components proven; the whole is proven"), "{text}");
    assert!(text.contains("the agent was simulated"), "{text}");
    let reasons = stand(&world, 0, &[("a", "proven"), ("b", "proven"), ("c", "proven"), ("@run", "proven")]);
    assert_eq!(reasons, [""; 0]);
    assert_eq!(everything(&world), before);
}

#[test]
fn one_byte_on_the_branch_names_whose_it_is() {
    let world = done();
    let commit = amend(&world, "a.txt", "y\n");
    let reasons = stand(&world, 1, &[("a", "contradicted"), ("b", "proven"), ("@run", "contradicted")]);
    says(&reasons, &["a landed: `a.txt` is not as it was checked", "no record knows of it", &commit[..10]]);
    // White space is a byte too, which a patch id would not see.
    let world = done();
    let _ = amend(&world, "b.txt", "x \n");
    let reasons = stand(&world, 1, &[("b", "contradicted"), ("a", "proven"), ("@run", "contradicted")]);
    says(&reasons, &["b landed: `b.txt` is not as it was checked"]);
}

#[test]
fn a_byte_of_the_journal_is_refused() {
    let world = done();
    let path = world.paths().journal();
    let sound = fs::read(&path).unwrap();
    for part in 1..8 {
        let mut bytes = sound.clone();
        let at = bytes.len() * part / 8;
        bytes[at] ^= 1;
        fs::write(&path, bytes).unwrap();
        let output = verify(&world, &[]).exits(74);
        assert!(output.stderr.contains("is damaged in line") && output.stdout.is_empty(), "{output}");
    }
}

#[test]
fn a_check_that_is_claimed_and_was_not_run_is_told() {
    let passed = |event: &Event| match event {
        Event::AttemptEnded { attempt, end: AttemptEnd::Checked(result), .. } if result.verdict == Verdict::Pass => {
            Some((attempt.clone(), result.check.clone()))
        }
        _ => None,
    };
    let world = done();
    let sound = fs::read(world.paths().journal()).unwrap();
    let runs: Vec<_> = world.events().iter().filter_map(passed).collect();
    assert!(runs.len() > 7, "{runs:?}");
    for (attempt, check) in runs {
        forge(&world, |events| {
            events.retain(|event| {
                passed(event).is_none_or(|(found, _)| found != attempt)
                    && !matches!(event, Event::AttemptStarted { attempt: found, .. } if *found == attempt)
            });
        });
        let on = attempt.on.to_string();
        let reasons = stand(&world, 1, &[(&on, "contradicted")]);
        says(&reasons, &[&format!("{on} check:{check}: it is claimed to have passed, and no run of it is on record")]);
        fs::write(world.paths().journal(), &sound).unwrap();
    }
}

#[test]
fn an_answer_of_a_reviewer_that_never_came_is_told() {
    let world = done();
    forge(&world, |events| {
        events.retain(|event| !matches!(event, Event::AttemptEnded { end: AttemptEnd::Reviewed { .. }, .. }));
    });
    let reasons = stand(&world, 1, &[("a", "contradicted"), ("@run", "contradicted")]);
    says(&reasons, &["a review:0: it is claimed to have passed, and no answer of it is on record"]);
}

#[test]
fn evidence_of_another_tree_or_another_command_or_another_change_proves_nothing() {
    let world = done();
    let sound = fs::read(world.paths().journal()).unwrap();
    let base = world.git(&["rev-parse", "main^{tree}"]);
    let checked = |event: &mut Event, on: &str, change: &dyn Fn(&mut cco::lifecycle::event::CheckResult)| {
        if let Event::AttemptEnded { attempt, end: AttemptEnd::Checked(result), .. } = event
            && attempt.on.as_str() == on
        {
            change(result);
        }
    };
    forge(&world, |events| {
        events.iter_mut().for_each(|event| checked(event, "a", &|result| result.evidence.tree = Some(base.clone())));
    });
    let reasons = stand(&world, 1, &[("a", "contradicted"), ("b", "proven")]);
    says(&reasons, &[&format!("a check:a: it ran on the tree {}", &base[..10])]);
    fs::write(world.paths().journal(), &sound).unwrap();

    forge(&world, |events| {
        let change = |result: &mut cco::lifecycle::event::CheckResult| result.evidence.argv[2] = "true".to_owned();
        events.iter_mut().for_each(|event| checked(event, "a", &change));
    });
    says(&stand(&world, 1, &[("a", "unproven")]), &["a check:a: what ran was another command: `true`"]);
    fs::write(world.paths().journal(), &sound).unwrap();

    forge(&world, |events| {
        let change = |result: &mut cco::lifecycle::event::CheckResult| result.verdict = Verdict::Fail;
        events.iter_mut().for_each(|event| checked(event, "a", &change));
    });
    says(&stand(&world, 1, &[("a", "contradicted")]), &["a check:a: it is claimed to have passed, and record"]);
    fs::write(world.paths().journal(), &sound).unwrap();

    // The second of two that were merged: its change is known again by its patch id alone.
    let mut forged = String::new();
    forge(&world, |events| {
        for event in events {
            if let Event::AttemptEnded { attempt, end: AttemptEnd::Wrote { change: Some(change), .. }, .. } = event
                && attempt.on.as_str() != "c"
            {
                change.patch = Some("0".repeat(40).into());
                forged = attempt.on.to_string();
            }
        }
    });
    let reasons = stand(&world, 1, &[("c", "proven")]);
    says(&reasons, &["change: what was checked is another change than the one that landed"]);
}

#[test]
fn an_output_that_was_changed_is_told_and_one_that_is_gone_is_said() {
    let world = done();
    let log = world.spec.join("runs/@run.check-cat-a.txt-b.txt-1.log");
    assert!(log.exists());
    write(&log, "x\nx\ny\n");
    let reasons = stand(&world, 1, &[("@run", "contradicted"), ("a", "proven")]);
    says(&reasons, &["the output that is kept of @run.check:cat-a.txt-b.txt-1 is not the one that was recorded"]);
    fs::remove_file(log).unwrap();
    let reasons = stand(&world, 0, &[("@run", "proven")]);
    says(&reasons, &["the output of @run.check:cat-a.txt-b.txt-1 is gone"]);
}

#[test]
fn a_landing_that_git_does_not_know_is_told() {
    let world = done();
    let sound = fs::read(world.paths().journal()).unwrap();
    let tree = world.git(&["rev-parse", "main^{tree}"]);
    for (landed, said) in [("0".repeat(40), "is not in the repository"), (tree, "has the tree")] {
        forge(&world, |events| {
            for event in events {
                let Event::AttemptEnded { attempt, end: AttemptEnd::Integrated(step), .. } = event else { continue };
                let Integration::Landed { commit, tree, .. } = &mut **step else { continue };
                if attempt.on.as_str() == "b" && said.ends_with("repository") {
                    *commit = Some(landed.clone().into());
                } else if attempt.on.as_str() == "b" {
                    *tree = landed.clone().into();
                }
            }
        });
        says(&stand(&world, 1, &[("b", "contradicted")]), &["b landed: the commit", said]);
        fs::write(world.paths().journal(), &sound).unwrap();
    }
}

#[test]
fn what_a_person_took_as_it_is_is_said_and_never_called_proven() {
    let mut a = component("a", &[]);
    a["checks"] = json!([{"name": "good", "run": "grep -q good a.txt"}]);
    let mut manifest = manifest(vec![a, component("b", &[])]);
    manifest["execution"]["max_fix_attempts"] = json!(0);
    let world = World::new(manifest, json!({"steps": {"a.*": writes("a", "bad\n"), "b.*": writes("b", "x\n")}}));
    world.ends(&[], 3);
    let reasons = stand(&world, 1, &[("a", "unproven"), ("b", "proven"), ("@run", "unproven")]);
    says(&reasons, &["a complete: it waits for an answer to q1", "@run complete: the whole is not complete"]);
    world.tells(&["q1", "accept"]);
    world.ends(&[], 0);
    let reasons = stand(&world, 0, &[("a", "waived"), ("b", "proven"), ("@run", "waived")]);
    says(&reasons, &["a check:good: taken as it is"]);
    let text = verify(&world, &[]).exits(0).stdout;
    assert!(text.contains("1 of 2 components proven, 1 waived; the whole is waived"), "{text}");
    assert!(text.contains("taken as it is by") && text.contains("(q1): check:good"), "{text}");
}

#[test]
fn an_open_remark_of_a_reviewer_that_was_accepted_is_a_waiver() {
    let mut manifest = manifest(vec![component("a", &[])]);
    manifest["execution"] = json!({"reviewers": 1, "max_fix_attempts": 0});
    let steps = json!({"steps": {"a.*": writes("a", "x\n"), "a.review:0": finds(&["it is short"]), "b.*": {}}});
    let world = World::new(manifest, steps);
    world.ends(&[], 3);
    world.tells(&["q1", "accept"]);
    world.ends(&[], 0);
    says(&stand(&world, 0, &[("a", "waived")]), &["a review:0: taken as it is: it is short"]);
}

#[test]
fn in_quick_mode_the_whole_proves_its_components() {
    for (in_manifest, args) in [(true, &[][..]), (false, &["--mode", "quick"][..])] {
        let mut manifest = side_by_side();
        if in_manifest {
            manifest["execution"]["mode"] = json!("quick");
        }
        let world = World::new(manifest, steps());
        world.ends(args, 0);
        let reasons = stand(&world, 0, &[("a", "proven"), ("b", "proven"), ("c", "proven"), ("@run", "proven")]);
        assert_eq!(reasons, [""; 0]);
        forge(&world, |events| {
            events.retain(|event| {
                !matches!(event, Event::AttemptEnded { attempt, end: AttemptEnd::Checked(_), .. }
                    if attempt.to_string() == "@run.check:b-1")
            });
        });
        let reasons = stand(&world, 1, &[("a", "contradicted"), ("@run", "contradicted")]);
        says(&reasons, &["@run check:b: it is claimed", "a whole: it is proven with the whole"]);
    }
}

#[test]
fn without_git_it_says_what_can_be_said() {
    let world = World::without_git(manifest(vec![component("a", &[]), component("b", &["a"])]), steps());
    world.ends(&[], 0);
    let reasons = stand(&world, 1, &[("a", "unproven"), ("b", "unproven"), ("@run", "unproven")]);
    says(
        &reasons,
        &[
            "a check:a: without git nothing binds its run to the files that there are",
            "a files: its own files are as its last step left them",
        ],
    );
    write(&world.env.work().join("a.txt"), "y\n");
    let reasons = stand(&world, 1, &[("a", "contradicted"), ("b", "unproven")]);
    says(&reasons, &["a files: its own files are not as its last step left them"]);
    let output = verify(&world, &["--rerun"]).exits(7);
    assert!(output.stderr.contains("without git there is no tree"), "{output}");
}

#[test]
fn an_edit_since_leaves_unproven_what_follows_from_it() {
    let world = done();
    let mut edited = side_by_side();
    edited["components"][0]["purpose"] = json!("Write it well.");
    world.rewrite(edited);
    says(&stand(&world, 1, &[("a", "unproven"), ("b", "proven")]), &["a complete: its definition changed since"]);
    let mut edited = side_by_side();
    edited["components"][1]["checks"] = json!([{"name": "b", "run": "test -s b.txt && true"}]);
    edited["execution"]["reviewers"] = json!(2);
    world.rewrite(edited);
    let reasons = stand(&world, 1, &[("b", "unproven"), ("@run", "unproven")]);
    says(&reasons, &["b check:b: what ran was another command", "c review:1: no answer of it is on record"]);
    let mut edited = side_by_side();
    edited["components"].as_array_mut().unwrap().push(component("d", &["a"]));
    world.rewrite(edited);
    says(&stand(&world, 1, &[("d", "unproven")]), &["d complete: nothing of it was begun"]);
}

#[test]
fn a_commit_of_the_users_own_is_unknown_until_a_run_takes_it_in() {
    let world = done();
    world.git(&["checkout", "--quiet", BRANCH]);
    write(&world.env.work().join("b.txt"), "mine\n");
    world.git(&["commit", "--quiet", "-am", "Better"]);
    world.git(&["checkout", "--quiet", "main"]);
    says(&stand(&world, 1, &[("b", "contradicted"), ("a", "proven")]), &["b landed: `b.txt` is not as it was checked"]);
    world.ends(&["--redo", "c"], 0);
    let reasons = stand(&world, 0, &[("a", "proven"), ("b", "proven"), ("@run", "proven")]);
    says(&reasons, &["@run branch: its commit", "is the user's own"]);
}

#[test]
fn before_a_run_and_in_the_middle_of_one_nothing_is_taken_for_proven() {
    let world = World::new(side_by_side(), steps());
    let text = verify(&world, &[]).exits(1).stdout;
    assert!(text.contains("not run yet, so nothing is proven"), "{text}");
    world.ends(&["--only", "a"], 0);
    let reasons = stand(&world, 1, &[("a", "proven"), ("b", "unproven"), ("@run", "unproven")]);
    says(&reasons, &["b complete: nothing of it was begun", "@run complete: the whole is not complete"]);
    let _ = world.env.cco(["verify", "p/none"]).exits(2);
}

#[test]
fn a_branch_that_is_gone_proves_nothing() {
    let world = done();
    world.git(&["branch", "-D", BRANCH]);
    let reasons = stand(&world, 1, &[("a", "unproven"), ("@run", "unproven")]);
    says(&reasons, &["a landed: there is no branch", "@run branch: there is no branch"]);
    let output = verify(&world, &["--rerun"]).exits(7);
    assert!(output.stderr.contains("there is no branch"), "{output}");
}
