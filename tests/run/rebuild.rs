//! The state of a spec is lost and its commits are there: it is rebuilt from what they tell, comes to the same end, pays
//! no agent twice for what is written, and proves nothing from memory.

use std::fs;

use cco::lifecycle::event::{Event, Proof};
use serde_json::{Value, json};

use crate::env::Output;
use crate::world::{BRANCH, World, manifest};

/// Three in a row, one of whose checks fails first, and one that stands by itself.
fn project() -> World {
    let component = |id: &str, depends_on: &[&str]| {
        json!({
            "id": id, "file": format!("{id}.txt"), "complexity": "low", "depends_on": depends_on,
            "checks": [{"name": format!("{id}-good"), "run": format!("echo check-{id} >> $NOTES; grep -q good {id}.txt")}],
        })
    };
    let components = vec![component("a", &[]), component("b", &["a"]), component("c", &["b"]), component("d", &[])];
    let mut manifest = manifest(components);
    manifest["validation_command"] = json!("echo whole >> $NOTES; cat a.txt b.txt c.txt d.txt");
    World::new(manifest, json!({"steps": steps()}))
}

fn steps() -> serde_json::Map<String, Value> {
    let mut steps = serde_json::Map::new();
    for id in ["a", "b", "c", "d"] {
        steps.insert(format!("{id}.*"), works(id, "good"));
    }
    steps.insert("b.implement".to_owned(), works("b", "bad"));
    steps
}

fn works(id: &str, word: &str) -> Value {
    json!({"actions": [
        {"run": {"cmd": "echo $CCO_ATTEMPT >> $NOTES"}},
        {"write": {"path": format!("{id}.txt"), "text": format!("{id} is {word}\n")}},
    ]})
}

fn repair(world: &World, args: &[&str]) -> Output {
    world.env.cco(["repair", "p/world"].iter().chain(args).copied().collect::<Vec<_>>())
}

fn lose_state(world: &World) {
    fs::remove_dir_all(world.spec.join("state")).unwrap();
}

/// What agents were asked for, among the notes.
fn asked(notes: &[String]) -> Vec<&str> {
    notes.iter().map(String::as_str).filter(|note| !note.starts_with("check-") && *note != "whole").collect()
}

#[test]
fn lost_after_the_end_it_is_checked_again_and_nobody_is_asked_again() {
    let world = project();
    world.ends(&[], 0);
    let (tree, tip) = (world.tree(), world.git(&["rev-parse", BRANCH]));
    lose_state(&world);
    let refused = world.run(&[]).exits(7);
    assert!(refused.stderr.contains("`cco repair p/world-"), "{refused}");

    let shown = repair(&world, &[]).exits(1);
    for id in ["a", "b", "c", "d"] {
        assert!(shown.stdout.contains(&format!("  {id}  landed as ")), "{shown}");
    }
    assert!(world.records().is_empty(), "a look writes nothing");
    let _ = repair(&world, &["--apply"]).exits(0);
    let status = world.env.cco(["status", "p/world", "--json"]).json();
    assert_eq!((&status["proof"], &status["counts"]["complete"]), (&Value::Null, &json!(0)), "{status:#}");
    let verify = world.env.cco(["verify", "p/world"]).exits(1);
    assert!(verify.stdout.contains("0 of 4 components proven, 4 unproven; the whole is unproven"), "{verify}");
    assert!(verify.stdout.contains("no change check of what landed as"), "{verify}");
    assert!(verify.stdout.contains("the agent was simulated"), "{verify}");

    let paid = world.noted().len();
    world.ends(&[], 0);
    let notes = world.noted().split_off(paid);
    assert_eq!(asked(&notes), Vec::<&str>::new());
    let mut checked: Vec<&String> = notes.iter().collect();
    checked.sort();
    checked.dedup();
    assert_eq!(checked, ["check-a", "check-b", "check-c", "check-d", "whole"]);
    assert_eq!((world.tree(), world.git(&["rev-parse", BRANCH])), (tree, tip));
    assert!(world.has(|event| matches!(event, Event::RunCompleted { proof: Proof::Proven })));
    let proven = world.env.cco(["verify", "p/world"]).exits(0);
    assert!(proven.stdout.contains("4 of 4 components proven; the whole is proven"), "{proven}");
}

/// The components whose implementation is committed: on the branch, or kept beside it.
fn written(world: &World) -> Vec<String> {
    let format = "--format=%(refname:lstrip=5)";
    let tips = world.git(&["for-each-ref", format, "refs/cco/p/world-00000000/tip/"]);
    tips.lines().map(str::to_owned).collect()
}

#[test]
fn lost_in_the_middle_it_comes_to_the_same_end() {
    let whole = project();
    whole.ends(&[], 0);
    let (tree, lines) = (whole.tree(), whole.records().len());
    let mut beside = 0;
    for cut in (3..lines).step_by(7) {
        let world = project();
        let mut run = world.start(&[]);
        run.reaches(|world| world.records().len() >= cut);
        run.signal("KILL");
        let _ = run.end();
        world.assert_nothing_left();
        let written = written(&world);
        let landed = world.git(&["log", "--format=%(trailers:key=Cco-Component,valueonly)", BRANCH]);
        beside += written.iter().filter(|id| !landed.lines().any(|line| line == *id)).count();
        lose_state(&world);
        let _ = repair(&world, &["--apply"]).exits(0);
        let paid = world.noted().len();
        world.ends(&[], 0);
        assert_eq!(world.tree(), tree, "lost after {cut} records");
        let notes = world.noted().split_off(paid);
        for id in &written {
            let again = format!("{id}.implement-");
            assert!(asked(&notes).iter().all(|attempt| !attempt.starts_with(&again)), "cut {cut}: {notes:?}");
        }
        assert!(notes.contains(&"whole".to_owned()));
        let _ = world.env.cco(["verify", "p/world"]).exits(0);
        let left = world.git(&["for-each-ref", "--format=%(refname)", "refs/cco/"]);
        for reference in left.lines() {
            let name = reference.strip_prefix("refs/cco/p/world-00000000/").unwrap();
            assert!(name.starts_with("tip/") || name.starts_with("history/"), "{reference}");
        }
    }
    assert!(beside > 0, "no cut was between a commit and its landing");
}

/// A commit of the work of one component, made as a user makes one: after `parent`, with one more file.
fn by_hand(world: &World, parent: &str, file: &str, message: &str) -> String {
    let text = world.env.root().join("by-hand");
    fs::write(&text, "not by cco\n").unwrap();
    let blob = world.git(&["hash-object", "-w", text.to_str().unwrap()]);
    let index = world.env.root().join("by-hand.index");
    let index = format!("GIT_INDEX_FILE={}", index.display());
    let script = format!(
        "export {index}; git read-tree {parent} && git update-index --add --cacheinfo 100644,{blob},{file} && git write-tree"
    );
    let tree = world.git(&["-c", &format!("alias.sh=!{script}"), "sh"]);
    world.git(&["commit-tree", &tree, "-p", parent, "-m", message])
}

#[test]
fn what_is_not_as_cco_made_it_is_named_and_not_believed() {
    let world = project();
    world.ends(&["--only", "a"], 0);
    let spec = "p/world-00000000";
    let landed = world.git(&["rev-parse", BRANCH]);
    // On the branch: trailers that somebody wrote, and those of another commit.
    let words = format!("b: done\n\nCco-Spec: {spec}\nCco-Component: b\nCco-Attempt: b.integrate-1");
    let written = by_hand(&world, &landed, "b.txt", &words);
    let message = world.git(&["log", "-1", "--format=%B", &landed]);
    let copied = by_hand(&world, &written, "other.txt", &message);
    world.git(&["update-ref", &format!("refs/heads/{BRANCH}"), &copied]);
    // Beside it: no commit, another spec's, another component's, one that says nothing, one from nowhere, no component.
    let blob = world.git(&["rev-parse", &format!("{landed}:a.txt")]);
    let step = |spec: &str, id: &str| format!("{id} implement\n\nCco-Spec: {spec}\nCco-Attempt: {id}.implement-1");
    let foreign = by_hand(&world, &landed, "c.txt", &step("p/other-11111111", "c"));
    let anothers = by_hand(&world, &landed, "d.txt", &step(spec, "b"));
    let silent = by_hand(&world, &landed, "d.txt", "Work on d");
    let tree = world.git(&["rev-parse", &format!("{landed}^{{tree}}")]);
    let nowhere = world.git(&["commit-tree", &tree, "-m", &step(spec, "e")]);
    let gone = by_hand(&world, &landed, "z.txt", &format!("{}\nCco-Input: {:032x}", step(spec, "z"), 7));
    for (name, commit) in [
        ("b", &blob),
        ("c", &foreign),
        ("d", &anothers),
        ("e", &nowhere),
        ("f", &silent),
        ("z", &gone),
        ("-x", &landed),
    ] {
        world.git(&["update-ref", &format!("refs/cco/{spec}/tip/{name}"), commit]);
    }
    lose_state(&world);
    let shown = repair(&world, &["--json"]).exits(1).json()["git"].take();
    let why = |what: &str| {
        let items = shown["not_believed"].as_array().unwrap();
        let found = items.iter().find(|item| item["what"] == what);
        found.unwrap_or_else(|| panic!("{what}: {shown:#}"))["why"].as_str().unwrap().to_owned()
    };
    assert!(why(&written).contains("no seal"), "{shown:#}");
    assert!(why(&copied).contains("not those of this commit"), "{shown:#}");
    assert_eq!(why("tip/b"), "it is no commit");
    assert!(why("tip/c").contains("of another component or spec"), "{shown:#}");
    assert!(why("tip/d").contains("of another component or spec"), "{shown:#}");
    assert!(why("tip/e").contains("nothing in common"), "{shown:#}");
    assert!(why("tip/f").contains("none of its commits says"), "{shown:#}");
    assert!(why("tip/-x").contains("no name of a component"), "{shown:#}");
    let next: Vec<(&str, &str)> = (shown["components"].as_array().unwrap().iter())
        .map(|it| (it["id"].as_str().unwrap(), it["next"].as_str().unwrap()))
        .collect();
    let made = "to be made";
    assert_eq!(
        next,
        [
            ("a", "written; compared and validated again"),
            ("b", made),
            ("c", made),
            ("d", made),
            ("z", "no more in the manifest: its files stay"),
        ]
    );
    let _ = repair(&world, &["--apply"]).exits(0);
    let paid = world.noted().len();
    world.ends(&[], 0);
    let notes = world.noted().split_off(paid);
    let mut asked = asked(&notes);
    asked.sort_unstable();
    assert_eq!(asked, ["b.fix-1", "b.implement-1", "c.implement-1", "d.implement-1"]);
    assert_eq!(
        (world.file("b.txt"), world.file("c.txt"), world.file("other.txt")),
        (good("b"), good("c"), "not by cco".into())
    );
    // Nothing of it is lost: what was in the way has another name, and what is of nobody any more has its own.
    let kept = world.git(&["for-each-ref", "--format=%(objectname) %(refname:lstrip=4)", &format!("refs/cco/{spec}/")]);
    for commit in [&blob, &foreign, &anothers, &nowhere, &silent] {
        assert!(kept.lines().any(|line| line.starts_with(&format!("{commit} history/"))), "{commit}: {kept}");
    }
    assert!(kept.lines().any(|line| line == format!("{gone} tip/z")), "{kept}");
}

fn good(id: &str) -> String {
    format!("{id} is good")
}

#[test]
fn what_was_edited_since_is_revised_and_what_is_protected_now_does_not_pass() {
    let world = project();
    world.ends(&[], 0);
    lose_state(&world);
    let mut manifest: Value =
        serde_json::from_str(&fs::read_to_string(world.spec.join("manifest.json")).unwrap()).unwrap();
    manifest["components"][3]["purpose"] = json!("Write it in another way.");
    world.rewrite(manifest.clone());
    let shown = repair(&world, &["--apply"]).exits(0);
    assert!(shown.stdout.contains("its definition changed since: revised, then validated"), "{shown}");
    let paid = world.noted().len();
    world.ends(&[], 0);
    assert_eq!(asked(&world.noted()[paid..]), ["d.revise-1"]);
    let _ = world.env.cco(["verify", "p/world"]).exits(0);

    lose_state(&world);
    manifest["execution"]["protected"] = json!(["a.txt"]);
    world.rewrite(manifest);
    let _ = repair(&world, &["--apply"]).exits(0);
    world.ends(&[], 3);
    let found = |event: &Event| matches!(event, Event::Escalated(question) if question.on.as_str() == "a");
    assert!(world.has(found), "{:#?}", world.events());
    let verify = world.env.cco(["verify", "p/world"]).exits(1);
    assert!(verify.stdout.contains("a     unproven"), "{verify}");
}

#[test]
fn a_landing_tells_of_the_conflict_that_was_resolved_on_its_way() {
    let mut all = Vec::new();
    for id in ["a", "b"] {
        all.push(json!({
            "id": id, "file": format!("{id}.txt"), "files": [format!("{id}.dep")], "complexity": "low",
            "checks": ["test -s shared.txt"],
        }));
    }
    let mut manifest = manifest(all);
    // One is made anew by a command in the same merge, so that the merge is not what the agent begins with.
    manifest["execution"]["shared_files"] =
        json!(["shared.txt", {"path": "deps.lock", "regenerate": "cat *.dep > deps.lock"}]);
    let work = |id: &str, cmd: &str| {
        json!({"actions": [
            {"run": {"cmd": format!("{cmd}; echo $CCO_ATTEMPT >> $NOTES; echo {id} | tee shared.txt {id}.dep > deps.lock")}},
            {"write": {"path": format!("{id}.txt"), "text": id}},
        ]})
    };
    // The first one ends when the second has begun from the same commit.
    let wait = "until test -e $NOTES.b; do sleep 0.02; done";
    let resolve = json!({"actions": [
        {"run": {"cmd": "echo $CCO_ATTEMPT >> $NOTES"}}, {"write": {"path": "shared.txt", "text": "both\n"}},
    ]});
    let steps = json!({"a.*": work("a", wait), "b.*": work("b", "touch $NOTES.b"), "*.resolve": resolve});
    let world = World::new(manifest, json!({"steps": steps}));
    world.ends(&["-j", "2"], 0);
    let first = world.git(&["log", "-1", "--format=%H", "--grep=Cco-Component: a", BRANCH]);
    let told = |key: &str| {
        let format = format!("--format=%(trailers:key={key},valueonly)");
        world.git(&["log", &format, &format!("{first}..{BRANCH}")])
    };
    assert_eq!((told("Cco-Resolved"), told("Cco-Conflict-With")), (first.clone(), "a".to_owned()));
    assert_eq!(told("Cco-Conflict-File"), "shared.txt");
    let alone = world.git(&["log", "-1", "--format=%(trailers:key=Cco-Resolved)", &first]);
    assert_eq!(alone, "");
    // And it is believed with that.
    lose_state(&world);
    let _ = repair(&world, &["--apply"]).exits(0);
    let paid = world.noted().len();
    world.ends(&[], 0);
    assert_eq!(world.noted().len(), paid);
    let _ = world.env.cco(["verify", "p/world"]).exits(0);
}

#[test]
fn of_a_spec_that_is_gone_altogether_it_is_told_what_git_knows() {
    let world = project();
    world.ends(&["--only", "a,b"], 0);
    let tree = world.tree();
    let manifest = fs::read(world.spec.join("manifest.json")).unwrap();
    fs::remove_dir_all(&world.spec).unwrap();
    let repair = |args: &[&str]| {
        let mut command = world.env.command(["repair"].iter().chain(args).copied().collect::<Vec<_>>());
        command.current_dir(world.env.work());
        world.env.run(&mut command)
    };
    for args in [&["p/world-00000000"][..], &["p/world"], &[]] {
        let told = repair(args).exits(1);
        assert!(told.stdout.contains("no spec any more, but git tells of its work"), "{told}");
        assert!(told.stdout.contains("  a  landed as ") && told.stdout.contains("  b  landed as "), "{told}");
        assert!(told.stderr.contains("put `manifest.json` and `SPEC.md` back into"), "{told}");
    }
    let document = repair(&["p/world", "--json"]).exits(1).json();
    let spec = &document["specs"][0];
    assert_eq!(spec["components"].as_array().unwrap().len(), 2, "{document:#}");
    assert_eq!(spec["tip"], json!(world.git(&["rev-parse", BRANCH])));
    // One that git does not know either is as unknown as ever.
    assert_eq!(repair(&["p/nobody"]).status, world.env.cco(["status", "p/nobody"]).status);
    assert!(!world.spec.exists(), "a look writes nothing");

    fs::create_dir_all(&world.spec).unwrap();
    fs::write(world.spec.join("manifest.json"), manifest).unwrap();
    let _ = repair(&["p/world", "--apply"]).exits(0);
    let paid = world.noted().len();
    world.ends(&["--only", "a,b"], 0);
    assert_eq!(asked(&world.noted()[paid..]), Vec::<&str>::new());
    assert_eq!(world.tree(), tree);
}

#[test]
fn a_clone_with_the_branch_and_the_refs_goes_on_where_the_other_was() {
    let world = project();
    world.ends(&["--only", "a,b"], 0);
    let clone = world.env.root().join("clone");
    world.git(&["clone", "--quiet", ".", clone.to_str().unwrap()]);
    lose_state(&world);
    let mut manifest: Value =
        serde_json::from_str(&fs::read_to_string(world.spec.join("manifest.json")).unwrap()).unwrap();
    manifest["work_dir"] = json!(clone);
    world.rewrite(manifest);
    let git = |args: &[&str]| world.git(&[&["-C", clone.to_str().unwrap()], args].concat());
    let hint = repair(&world, &[]).exits(0);
    assert!(hint.stderr.contains(&format!("`git branch {BRANCH} origin/{BRANCH}` brings the branch")), "{hint}");
    git(&["branch", "--no-track", BRANCH, &format!("origin/{BRANCH}")]);
    git(&["fetch", "--quiet", "origin", "refs/cco/*:refs/cco/*"]);
    let _ = repair(&world, &["--apply"]).exits(0);
    let paid = world.noted().len();
    world.ends(&[], 0);
    let notes = world.noted().split_off(paid);
    let mut asked = asked(&notes);
    asked.sort_unstable();
    assert_eq!(asked, ["c.implement-1", "d.implement-1"]);
    assert_eq!(git(&["show", &format!("{BRANCH}:c.txt")]), good("c"));
    let _ = world.env.cco(["verify", "p/world"]).exits(0);
}

#[test]
fn work_that_no_record_knows_of_is_not_begun_anew_behind_anybodys_back() {
    let world = project();
    // Committed, and nothing landed: the branch is where it began.
    let mut steps = steps();
    steps.insert("a.*".to_owned(), works("a", "bad"));
    world.play(json!({"steps": steps}));
    world.ends(&["--only", "a"], 3);
    let spec = "refs/cco/p/world-00000000";
    let tip = world.git(&["rev-parse", &format!("{spec}/tip/a")]);
    lose_state(&world);
    for branch in [true, false] {
        let refused = world.run(&[]).exits(7);
        assert!(refused.stderr.contains("git keeps work of an earlier run"), "{refused}");
        assert_eq!(world.git(&["rev-parse", &format!("{spec}/tip/a")]), tip);
        if !branch {
            break;
        }
        let shown = repair(&world, &[]).exits(1);
        assert!(shown.stdout.contains("  a  not on the branch: "), "{shown}");
        world.git(&["branch", "-D", BRANCH]);
        let hint = repair(&world, &[]).exits(0);
        assert!(hint.stderr.contains("whose branch `cco/world-00000000` is gone"), "{hint}");
    }
    world.git(&["branch", "-D", BRANCH]);
    world.play(json!({"steps": self::steps()}));
    world.ends(&["--fresh"], 0);
    let kept = world.git(&["for-each-ref", "--format=%(objectname)", &format!("{spec}/history/")]);
    assert!(kept.lines().any(|commit| commit == tip), "{kept}");
}

#[test]
fn what_landed_twice_or_without_checks_of_its_own_is_taken_up_too() {
    let world = project();
    world.ends(&[], 0);
    world.play(json!({"steps": {"d.*": works("d", "good again")}}));
    world.ends(&["--redo", "d"], 0);
    let tree = world.tree();
    let path = world.spec.join("manifest.json");
    for mode in ["standard", "quick"] {
        lose_state(&world);
        let mut manifest: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        manifest["execution"]["mode"] = json!(mode);
        world.rewrite(manifest);
        let shown = repair(&world, &["--json", "--apply"]).exits(0).json();
        assert_eq!(shown["git"]["components"][3]["landed"].as_array().unwrap().len(), 2, "{shown:#}");
        let paid = world.noted().len();
        world.ends(&[], 0);
        assert_eq!(asked(&world.noted()[paid..]), Vec::<&str>::new(), "{mode}");
        assert_eq!(world.tree(), tree);
        let _ = world.env.cco(["verify", "p/world"]).exits(0);
    }
}

/// Whoever goes on without a journal goes on without a record: it stops, and what git knows is found.
#[test]
fn a_state_that_is_removed_while_it_is_written_stops_the_run() {
    let world = project();
    let mut steps = steps();
    let remove = format!("rm -rf '{}'", world.spec.join("state").display());
    steps.insert("b.implement".to_owned(), json!({"actions": [{"run": {"cmd": remove}}]}));
    world.play(json!({"steps": steps}));
    let output = world.run(&[]).exits(74);
    assert!(output.stderr.contains("was removed or replaced while it was written"), "{output}");
    assert!(output.stderr.contains("`cco repair` shows"), "{output}");
    let _ = repair(&world, &["--apply"]).exits(0);
    world.play(json!({"steps": self::steps()}));
    // What was simulated costs nothing before somebody says so.
    let refused = world.env.cco(["run", "p/world"]).exits(2);
    assert!(refused.stderr.contains("--agent claude` goes on with the real one"), "{refused}");
    world.ends(&[], 0);
}

/// Nothing is set aside for a run that cannot begin.
#[test]
fn what_cannot_run_afresh_leaves_everything_as_it_is() {
    let world = project();
    world.ends(&[], 0);
    let before = fs::read(world.paths().journal()).unwrap();
    world.ends(&["--fresh", "--redo", "nope"], 2);
    world.ends(&["--fresh", "--only", "c"], 2);
    let _ = world.env.cco(["run", "p/world", "--fresh", "--agent", "/nonexistent/claude"]).exits(7);
    assert_eq!(fs::read(world.paths().journal()).unwrap(), before);
    assert!(!world.git(&["rev-parse", BRANCH]).is_empty());
}

/// Nobody is asked, and nothing is called proven, where nothing is to be done.
#[test]
fn a_spec_without_components_does_not_run() {
    let world = World::new(manifest(Vec::new()), json!({}));
    let output = world.run(&[]).exits(65);
    assert!(output.stderr.contains("has no component yet"), "{output}");
}
