//! The user's repository as users have it: each state with a clear answer, and nothing of it touched or lost.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::Command;

use cco::lifecycle::event::Event;
use serde_json::{Value, json};

use crate::belongings::{Belongings, assert_untouched};
use crate::env::write;
use crate::world::{BRANCH, World, component, manifest, writes};

fn two() -> Value {
    manifest(vec![component("a", &[]), component("b", &["a"])])
}

fn steps() -> Value {
    json!({"steps": {"a.*": writes("a", "x\n"), "b.*": writes("b", "x\n")}})
}

fn project() -> World {
    World::new(two(), steps())
}

/// Git as the user calls it in a directory; nothing of cco's is in the way.
fn git(world: &World, dir: &Path, args: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=tester", "-c", "user.email=tester@localhost", "-c", "protocol.file.allow=always"]);
    command.args(args).current_dir(dir).env_clear().env("HOME", world.env.home()).env("PATH", "/usr/bin:/bin");
    let output = command.output().unwrap();
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

/// The user commits a file on the integration branch, by whatever way, and gives the commit.
fn commit_on_branch(world: &World, path: &str, text: &str) -> String {
    let elsewhere = world.env.root().join("elsewhere");
    let dir = elsewhere.to_str().unwrap();
    let work = world.env.work();
    git(world, &work, &["worktree", "add", "--quiet", "--detach", dir, BRANCH]);
    write(&elsewhere.join(path), text);
    git(world, &elsewhere, &["add", "-A"]);
    git(world, &elsewhere, &["commit", "--quiet", "-m", "By the user"]);
    let commit = git(world, &elsewhere, &["rev-parse", "HEAD"]);
    git(world, &work, &["worktree", "remove", "--force", dir]);
    git(world, &work, &["update-ref", &format!("refs/heads/{BRANCH}"), &commit]);
    commit
}

fn adopted(world: &World) -> Vec<String> {
    let commit = |event| match event {
        Event::BranchAdopted { commit } => Some(commit.to_string()),
        _ => None,
    };
    world.events().into_iter().filter_map(commit).collect()
}

/// It runs to its end, the user's own is as before, and no worktree is left.
#[track_caller]
fn succeeds(world: &World) {
    let before = Belongings::of(world);
    world.ends(&[], 0);
    assert_untouched(world, &before);
    for id in ["a", "b"] {
        assert!(!world.worktree(id).exists());
    }
}

/// It does not begin, and says why and what to do.
#[track_caller]
fn refuses(world: &World, says: &[&str]) {
    let before = Belongings::of(world);
    let output = world.run(&[]).exits(7);
    for text in says {
        assert!(output.stderr.contains(text), "{output}");
    }
    assert_untouched(world, &before);
    assert_eq!(world.started(), [""; 0]);
}

/// `a` waits in the middle of its step until [`go`].
fn waiting() -> World {
    let world = World::new(two(), json!({}));
    let (there, go) = (world.env.root().join("there"), world.env.root().join("go"));
    let mut a = writes("a", "x\n");
    let waits = [json!({"run": {"cmd": format!("touch {}", there.display())}}), json!({"wait": {"until_file": go}})];
    a["actions"].as_array_mut().unwrap().extend(waits);
    world.play(json!({"steps": {"a.*": a, "b.*": writes("b", "x\n")}}));
    world
}

fn go(world: &World) {
    write(&world.env.root().join("go"), "");
}

#[test]
fn what_is_not_committed_is_told_and_left_alone() {
    let world = project();
    let work = world.env.work();
    write(&work.join("README"), "changed\n");
    write(&work.join("a.txt"), "the user's\n");
    write(&work.join("staged"), "staged\n");
    world.git(&["add", "staged"]);
    let before = Belongings::of(&world);
    let output = world.run(&[]).exits(0);
    assert!(output.stderr.contains("3 changes in `[ROOT]/work` are not included in the run"), "{output}");
    assert_untouched(&world, &before);
    assert_eq!((world.file("README"), world.file("a.txt")), ("a project".to_owned(), "x".to_owned()));
}

#[test]
fn what_the_user_does_in_the_checkout_during_a_run_stays() {
    let world = waiting();
    let work = world.env.work();
    let mut run = world.start(&[]);
    assert!(run.reaches(|world| world.env.root().join("there").exists()));
    write(&work.join("README"), "changed\n");
    world.git(&["commit", "--quiet", "-am", "By the user"]);
    write(&work.join("a.txt"), "the user's own\n");
    world.git(&["switch", "--quiet", "-c", "topic"]);
    world.git(&["config", "user.nick", "t"]);
    let before = Belongings::of(&world);
    go(&world);
    assert_eq!(run.end(), 0, "{}", world.said());
    assert_untouched(&world, &before);
    let told =
        |event: &Event| matches!(event, Event::Noted { text, .. } if text.contains("changed in your own checkout"));
    assert!(world.has(told), "{:#?}", world.events());
    assert_eq!((world.file("README"), world.file("a.txt")), ("a project".to_owned(), "x".to_owned()));
}

#[test]
fn a_commit_on_the_branch_during_a_run_is_kept_and_is_part_of_the_whole() {
    let world = waiting();
    let mut manifest = two();
    manifest["validation_command"] = json!("cat user.txt >> $NOTES");
    world.rewrite(manifest);
    let mut run = world.start(&[]);
    assert!(run.reaches(|world| world.env.root().join("there").exists()));
    let commit = commit_on_branch(&world, "user.txt", "the user's\n");
    go(&world);
    assert_eq!(run.end(), 0, "{}", world.said());
    assert_eq!(adopted(&world), std::slice::from_ref(&commit));
    world.git(&["merge-base", "--is-ancestor", &commit, BRANCH]);
    assert_eq!((world.file("user.txt"), world.file("b.txt")), ("the user's".to_owned(), "x".to_owned()));
    assert_eq!(world.noted(), ["the user's"], "validated with the whole");
}

/// Between two runs, of which the first came to an end or did not.
#[test]
fn a_commit_on_the_branch_between_two_runs_is_kept_and_validated() {
    for done in [false, true] {
        let mut manifest = two();
        manifest["validation_command"] = json!("! grep -q bad user.txt");
        let world = World::new(manifest, steps());
        if !done {
            let asks = json!({"answer": {"status": "blocked", "summary": "stuck", "questions": ["how?"]}});
            world.play(json!({"steps": {"a.*": writes("a", "x\n"), "b.*": asks}}));
        }
        world.ends(&[], if done { 0 } else { 3 });
        let commit = commit_on_branch(&world, "user.txt", "bad\n");
        let mended = json!({"actions": [{"write": {"path": "user.txt", "text": "mended\n"}}]});
        world.play(json!({"steps": {"a.*": writes("a", "x\n"), "b.*": writes("b", "x\n"), "@run.*": mended}}));
        if !done {
            world.tells(&["q1", "retry"]);
        }
        let before = Belongings::of(&world);
        let output = world.run(&[]);
        assert_eq!(adopted(&world), std::slice::from_ref(&commit), "{done} {output}");
        world.git(&["merge-base", "--is-ancestor", &commit, BRANCH]);
        // It was judged, and what it broke is mended on top of it.
        let judged = world.started().iter().filter(|name| name.starts_with("@run.check:")).count();
        assert!(judged > usize::from(done), "{done} {:?} {output}", world.started());
        assert_eq!(output.status, 0, "{done} {output}");
        assert_eq!(world.file("user.txt"), "mended");
        assert_untouched(&world, &before);
    }
}

/// `a` cannot do it, and asks.
fn asking() -> World {
    let mut a = component("a", &[]);
    a["checks"] = json!([{"name": "good", "run": "grep -q good a.txt"}]);
    let mut manifest = manifest(vec![a, component("b", &["a"])]);
    manifest["execution"] = json!({"reviewers": 0, "max_fix_attempts": 0});
    let world = World::new(manifest, json!({"steps": {"a.*": writes("a", "bad\n"), "b.*": writes("b", "x\n")}}));
    world.ends(&[], 3);
    world
}

/// Commits something in the worktree of `a`, and leaves something else there uncommitted.
fn works_there(world: &World, first: &str, second: &str) {
    let dir = world.worktree("a");
    write(&dir.join("a.txt"), first);
    write(&dir.join("committed by the user"), "1\n");
    git(world, &dir, &["add", "-A"]);
    git(world, &dir, &["commit", "--quiet", "-m", "By the user"]);
    write(&dir.join("a.txt"), second);
    write(&dir.join("left by the user"), "2\n");
}

#[test]
fn work_of_the_user_in_a_worktree_is_rechecked_as_it_is() {
    let world = asking();
    works_there(&world, "nearly\n", "good, by the user\n");
    world.tells(&["q1", "recheck"]);
    let before = Belongings::of(&world);
    world.ends(&[], 0);
    assert_untouched(&world, &before);
    assert_eq!(world.file("a.txt"), "good, by the user");
    assert_eq!((world.file("committed by the user"), world.file("left by the user")), ("1".to_owned(), "2".to_owned()));
    assert_eq!(world.wrote(), ["a.implement", "b.implement"], "no agent was asked for `a`");
    let told = |event: &Event| matches!(event, Event::Noted { text, .. } if text.contains("by user"));
    assert!(world.has(told), "{:#?}", world.events());
}

#[test]
fn work_of_the_user_in_a_worktree_is_gone_on_with_by_retry() {
    let world = asking();
    works_there(&world, "nearly\n", "half of it, by the user\n");
    let appends = json!({"actions": [{"append": {"path": "a.txt", "text": "good\n"}}]});
    world.play(json!({"steps": {"a.*": appends, "b.*": writes("b", "x\n")}}));
    world.tells(&["q1", "retry"]);
    let before = Belongings::of(&world);
    let output = world.run(&[]);
    assert_eq!(output.status, 0, "{output} {:#?}", world.events());
    assert_untouched(&world, &before);
    assert_eq!(world.file("a.txt"), "half of it, by the user\ngood");
    assert_eq!((world.file("committed by the user"), world.file("left by the user")), ("1".to_owned(), "2".to_owned()));
}

#[test]
fn a_detached_head_stays_one() {
    let world = project();
    world.git(&["checkout", "--quiet", "--detach"]);
    succeeds(&world);
}

#[test]
fn without_a_commit_there_is_nothing_to_begin_at() {
    let world = World::without_git(two(), steps());
    git(&world, &world.env.work(), &["init", "--quiet"]);
    write(&world.env.work().join("new"), "new\n");
    refuses(&world, &["no commit yet", "make a first commit"]);
}

#[test]
fn a_bare_repository_has_no_files_to_work_on() {
    let world = World::without_git(two(), steps());
    git(&world, &world.env.work(), &["init", "--quiet", "--bare"]);
    let output = world.run(&[]).exits(7);
    assert!(output.stderr.contains("bare repository") && output.stderr.contains("git clone"), "{output}");
}

#[test]
fn a_submodule_stays_as_it_is() {
    let world = project();
    let library = world.env.root().join("library");
    fs::create_dir(&library).unwrap();
    git(&world, &library, &["init", "--quiet"]);
    write(&library.join("l"), "l\n");
    git(&world, &library, &["add", "-A"]);
    git(&world, &library, &["commit", "--quiet", "-m", "l"]);
    let work = world.env.work();
    git(&world, &work, &["submodule", "--quiet", "add", library.to_str().unwrap(), "lib"]);
    git(&world, &work, &["commit", "--quiet", "-m", "Add the library"]);
    write(&work.join("lib/l"), "changed by the user\n");
    succeeds(&world);
    let listed = world.git(&["ls-tree", BRANCH, "lib"]);
    assert!(listed.starts_with("160000 commit"), "{listed}");
}

#[test]
fn a_sparse_checkout_stays_one() {
    let world = project();
    let work = world.env.work();
    write(&work.join("in/x"), "x\n");
    write(&work.join("out/y"), "y\n");
    world.git(&["add", "-A"]);
    world.git(&["commit", "--quiet", "-m", "More"]);
    world.git(&["sparse-checkout", "set", "--cone", "in"]);
    assert!(!work.join("out").exists());
    succeeds(&world);
    assert_eq!(world.file("out/y"), "y");
}

#[test]
fn a_linked_worktree_is_a_work_dir_like_another() {
    let world = project();
    let linked = world.env.root().join("linked");
    world.git(&["worktree", "add", "--quiet", "-b", "feature", linked.to_str().unwrap()]);
    write(&linked.join("of the feature"), "f\n");
    git(&world, &linked, &["add", "-A"]);
    git(&world, &linked, &["commit", "--quiet", "-m", "Feature"]);
    let mut manifest = two();
    manifest["work_dir"] = json!(linked);
    world.rewrite(manifest);
    let before = Belongings::below(&linked);
    succeeds(&world);
    let changed = Belongings::below(&linked).other_than(&before);
    assert!(changed.is_empty(), "{changed:#?}");
    assert_eq!(world.file("of the feature"), "f");
    assert_eq!(world.git(&["worktree", "list"]).lines().count(), 2);
}

#[test]
fn a_directory_of_a_repository_is_a_work_dir_like_another() {
    let world = project();
    let dir = world.env.work().join("sub dir/deeper");
    write(&dir.join("x"), "x\n");
    world.git(&["add", "-A"]);
    world.git(&["commit", "--quiet", "-m", "More"]);
    let mut manifest = two();
    manifest["work_dir"] = json!(dir);
    world.rewrite(manifest);
    succeeds(&world);
    assert_eq!(world.file("sub dir/deeper/a.txt"), "x");
    assert_eq!(world.file("README"), "a project");
}

#[test]
fn hooks_that_fail_do_not_run_and_nothing_is_signed() {
    let world = project();
    let hooks = world.env.work().join(".git/hooks");
    for name in
        ["pre-commit", "commit-msg", "post-checkout", "post-commit", "reference-transaction", "pre-merge-commit"]
    {
        write(&hooks.join(name), &format!("#!/bin/sh\necho {name} >> '{}'\nexit 1\n", world.notes().display()));
        let _ = Command::new("chmod").arg("+x").arg(hooks.join(name)).status().unwrap();
    }
    for (key, value) in [("commit.gpgSign", "true"), ("gpg.program", "false"), ("user.signingKey", "nobody")] {
        world.git(&["config", key, value]);
    }
    succeeds(&world);
    assert_eq!(world.noted(), [""; 0]);
}

#[test]
fn line_ends_are_converted_as_the_user_wants_them() {
    let world = project();
    world.git(&["config", "core.autocrlf", "true"]);
    world.git(&["config", "core.safecrlf", "false"]);
    let mut manifest = two();
    manifest["components"][1]["checks"] =
        json!([{"name": "crlf", "run": "grep -q 'a project.$' README && test -s b.txt"}]);
    world.rewrite(manifest);
    succeeds(&world);
    assert_eq!(world.file("a.txt"), "x");
    assert_eq!(world.git(&["diff", "--name-only", "main", BRANCH]), "a.txt\nb.txt");
}

#[test]
fn names_of_files_are_bytes() {
    let world = project();
    let work = world.env.work();
    let names: [&[u8]; 5] = [b"with space", b"\"quoted\" 'twice'", b"line\nend", b"not\xffutf8", b"-rf $HOME `x`"];
    let path = |dir: &Path, name: &[u8]| dir.join(OsStr::from_bytes(name));
    for name in names {
        fs::write(path(&work, name), "base\n").unwrap();
    }
    world.git(&["add", "-A"]);
    world.git(&["commit", "--quiet", "-m", "More"]);
    for name in names {
        fs::write(path(&work, name), "changed by the user\n").unwrap();
    }
    // The agent changes each of them, and makes another one of the kind.
    let each = r#"for f in *; do case "$f" in README) ;; *) echo by a >> "./$f"; cp "./$f" "new $f";; esac; done; echo x > a.txt"#;
    let mut manifest = two();
    manifest["components"][0] = json!({
        "id": "a", "files": ["**"], "complexity": "low", "purpose": "Write.", "depends_on": [],
        "checks": [{"name": "a", "run": "test -s a.txt"}],
    });
    world.rewrite(manifest);
    world.play(json!({"steps": {"a.*": {"actions": [{"run": {"cmd": each}}]}, "b.*": writes("b", "x\n")}}));
    succeeds(&world);
    let listed =
        Command::new("git").args(["ls-tree", "-r", "-z", "--name-only", BRANCH]).current_dir(&work).output().unwrap();
    let listed: Vec<&[u8]> = listed.stdout.split(|byte| *byte == 0).collect();
    for name in names {
        let new = [b"new ", name].concat();
        assert!(listed.contains(&name) && listed.contains(&&new[..]), "{}", String::from_utf8_lossy(name));
    }
}

#[test]
fn a_branch_of_the_wanted_name_is_somebody_elses() {
    let world = project();
    world.git(&["switch", "--quiet", "-c", BRANCH]);
    world.git(&["commit", "--quiet", "--allow-empty", "-m", "Of the user"]);
    world.git(&["switch", "--quiet", "main"]);
    let tip = world.git(&["rev-parse", BRANCH]);
    refuses(&world, &["exists already", "execution.branch"]);
    assert_eq!(world.git(&["rev-parse", BRANCH]), tip);
    let mut manifest = two();
    manifest["execution"]["branch"] = json!("another");
    world.rewrite(manifest);
    world.ends(&[], 0);
    assert_eq!((world.git(&["rev-parse", BRANCH]), world.git(&["show", "another:a.txt"])), (tip, "x".to_owned()));
}

#[test]
fn a_branch_that_the_user_rewrote_is_told_with_a_way_out() {
    let world = project();
    world.ends(&[], 0);
    let known = world.git(&["rev-parse", BRANCH]);
    world.git(&["branch", "--quiet", "--force", BRANCH, "main"]);
    let started = world.started().len();
    let mut edited = two();
    edited["components"][0]["purpose"] = json!("Write it well.");
    world.rewrite(edited);
    let output = world.run(&[]).exits(7);
    let way = format!("git branch -f {BRANCH} {known}");
    assert!(output.stderr.contains("was rewritten") && output.stderr.contains(&way), "{output}");
    assert!(output.stderr.contains("--fresh"), "{output}");
    assert_eq!(world.started().len(), started);
    world.git(&["branch", "--quiet", "--force", BRANCH, &known]);
    world.ends(&[], 0);
    assert_eq!(world.file("a.txt"), "x");
}

#[test]
fn a_worktree_that_the_user_deleted_is_made_anew_with_the_work_in_it() {
    let world = asking();
    fs::remove_dir_all(world.worktree("a")).unwrap();
    let appends = json!({"actions": [{"append": {"path": "a.txt", "text": "good\n"}}]});
    world.play(json!({"steps": {"a.*": appends, "b.*": writes("b", "x\n")}}));
    world.tells(&["q1", "retry"]);
    let before = Belongings::of(&world);
    let output = world.run(&[]);
    assert_eq!(output.status, 0, "{output} {:#?}", world.events());
    assert_untouched(&world, &before);
    assert_eq!(world.file("a.txt"), "bad\ngood");
}

#[test]
fn a_set_up_that_fails_is_told_before_anything_is_paid() {
    let mut manifest = two();
    let world = project();
    let ready = world.env.root().join("ready");
    manifest["execution"]["setup"] = json!(["echo set up >> $NOTES", format!("test -e '{}'", ready.display())]);
    world.rewrite(manifest);
    let before = Belongings::of(&world);
    let output = world.run(&[]).exits(7);
    assert!(output.to_string().contains("the setup command `test -e '[ROOT]/ready'` failed"), "{output}");
    assert_untouched(&world, &before);
    assert_eq!(world.wrote(), [""; 0]);
    write(&ready, "");
    succeeds(&world);
}
