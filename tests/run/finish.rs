//! Handing the work on: commands that really push it, and the user's own branch, which moves forward or not at all.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use cco::lifecycle::event::Event;
use serde_json::{Value, json};

use crate::env::{Output, write};
use crate::world::{BRANCH, World, component, fault, manifest, writes};

const SPEC: &str = "p/world-00000000";

/// Two components, of which the second needs the first; each says what it did.
fn world() -> World {
    let says = |id: &str, summary: &str| {
        let mut behaviour = writes(id, "x");
        behaviour["answer"] = json!({"status": "done", "summary": summary});
        behaviour["cost_usd"] = json!(0.5);
        behaviour
    };
    let steps = json!({
        "a.*": says("a", "Wrote a.\nFixes #1, says @someone in <b>bold</b>."),
        "b.*": says("b", "Wrote b."),
    });
    World::new(manifest(vec![component("a", &[]), component("b", &["a"])]), json!({"steps": steps}))
}

fn done() -> World {
    let world = world();
    world.ends(&[], 0);
    world
}

fn finish(world: &World, args: &[&str]) -> Output {
    world.env.cco(["finish", SPEC].iter().chain(args))
}

/// What is the user's, to the byte, but for the commit that is checked out.
#[derive(Debug, PartialEq)]
struct Users {
    index: String,
    config: String,
    stash: String,
    branches: String,
    head: String,
}

fn users(world: &World) -> Users {
    let git = world.env.work().join(".git");
    let read = |name: &str| fs::read(git.join(name)).unwrap().escape_ascii().to_string();
    Users {
        index: read("index"),
        config: read("config"),
        stash: world.git(&["stash", "list", "--format=%H"]),
        branches: world.git(&[
            "for-each-ref",
            "--format=%(refname) %(objectname)",
            "refs/heads",
            "refs/cco",
            "refs/tags",
        ]),
        head: read("HEAD"),
    }
}

/// Runs a line as the user's shell does, with programs of `bin` first.
fn shell(world: &World, line: &str) -> std::process::Output {
    let path = format!("{}:/usr/bin:/bin", world.env.root().join("bin").display());
    let mut command = Command::new("sh");
    command.args(["-c", line]).current_dir("/").env_clear().env("HOME", world.env.home()).env("PATH", path);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// A program that notes its directory and its arguments, a line each.
fn notes_arguments(world: &World, name: &str) -> PathBuf {
    let (program, log) = (world.env.root().join("bin").join(name), world.env.root().join(format!("{name}.log")));
    write(
        &program,
        &format!("#!/bin/sh\n{{ pwd; for word; do printf '%s\\n' \"$word\"; done; }} >'{}'\n", log.display()),
    );
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    log
}

fn commands(output: &Output) -> Vec<String> {
    let ways = output.json()["commands"].as_array().cloned().unwrap();
    ways.iter().map(|way| way["command"].as_str().unwrap().to_owned()).collect()
}

/// The command as it was, before the test's root was hidden in it.
fn whole(world: &World, command: &str) -> String {
    command.replace("[ROOT]", world.env.root().to_str().unwrap())
}

#[test]
fn what_is_printed_pushes_the_branch_and_nothing_else_is_touched() {
    let world = done();
    let bare = world.env.root().join("it's a remote.git");
    world.git(&["init", "--quiet", "--bare", bare.to_str().unwrap()]);
    world.git(&["remote", "add", "origin", bare.to_str().unwrap()]);
    write(&world.env.work().join("README"), "stashed");
    world.git(&["stash", "push", "--quiet"]);
    write(&world.env.work().join("README"), "staged");
    world.git(&["add", "README"]);
    let before = users(&world);
    assert_output!(finish(&world, &[]), @r"
    exit: 0
    -- stdout
    p/world-[HASH]: 2 commits on `cco/world-[HASH]`

    # push the branch
    git -C [ROOT]/work push origin cco/world-[HASH]

    # the body, to be read before
    # [ROOT]/home/.claude/cc_orchestrations/specs/p/world-[HASH]/runs/pull-request.md
    -- stderr
    warning: the agent was simulated: nothing of this comes from a model
    ");
    let output = finish(&world, &["--json"]).exits(0);
    assert_eq!(users(&world), before);
    let remote = |world: &World| {
        world.git(&["--git-dir", bare.to_str().unwrap(), "for-each-ref", "--format=%(refname) %(objectname)"])
    };
    assert_eq!(remote(&world), "", "nothing is pushed unasked");
    for command in commands(&output) {
        shell(&world, &whole(&world, &command));
    }
    assert_eq!(remote(&world), format!("refs/heads/{BRANCH} {}", world.git(&["rev-parse", BRANCH])));
    assert_eq!(users(&world), before);
}

#[test]
fn a_pull_request_is_opened_where_the_remote_is() {
    let world = done();
    write(&world.spec.join("SPEC.md"), "# Bob's $HOME\n\nMore.\n");
    let bare = world.env.root().join("remote.git");
    world.git(&["init", "--quiet", "--bare", bare.to_str().unwrap()]);
    let (gh, glab) = (notes_arguments(&world, "gh"), notes_arguments(&world, "glab"));
    world.git(&["remote", "add", "up", "https://me:secret@github.com/o/r.git"]);
    let output = finish(&world, &["--json"]).exits(0);
    assert!(!output.to_string().contains("secret"), "{output}");
    let ways = commands(&output);
    assert_eq!(ways.len(), 2, "{output}");
    // The push itself goes elsewhere here.
    world.git(&["config", &format!("url.{}.pushInsteadOf", bare.display()), "https://me:secret@github.com/o/r.git"]);
    for way in ways {
        shell(&world, &whole(&world, &way));
    }
    assert_eq!(
        world.git(&["--git-dir", bare.to_str().unwrap(), "rev-parse", BRANCH]),
        world.git(&["rev-parse", BRANCH])
    );
    let body = world.spec.join("runs/pull-request.md");
    let said = fs::read_to_string(&gh).unwrap();
    let dir = world.env.work();
    let words = [
        dir.to_str().unwrap(),
        "pr",
        "create",
        "--base",
        "main",
        "--head",
        BRANCH,
        "--title",
        "Bob's $HOME",
        "--body-file",
        body.to_str().unwrap(),
    ];
    assert_eq!(said.lines().collect::<Vec<_>>(), words);
    // Another host, another branch that is followed.
    world.git(&["remote", "set-url", "up", "ssh://git@gitlab.example.com:2222/o/r.git"]);
    world.git(&["config", "branch.main.remote", "up"]);
    world.git(&["config", "branch.main.merge", "refs/heads/trunk"]);
    let ways = commands(&finish(&world, &["--json"]).exits(0));
    shell(&world, &whole(&world, &ways[1]));
    let said = fs::read_to_string(&glab).unwrap();
    let body = fs::read_to_string(&body).unwrap();
    let before = format!(
        "{}\nmr\ncreate\n--target-branch\ntrunk\n--source-branch\n{BRANCH}\n--title\nBob's $HOME\n--description\n",
        dir.display()
    );
    assert_eq!(said, format!("{before}{}\n", body.trim_end()));
}

/// Addresses as git knows them, and who is called there.
#[test]
fn the_host_of_a_remote_decides_who_is_called() {
    let world = done();
    world.git(&["remote", "add", "origin", "x"]);
    let called = |url: &str| {
        world.git(&["remote", "set-url", "origin", url]);
        let ways = commands(&finish(&world, &["--json"]).exits(0));
        ways.get(1).map(|way| way.split("&& ").nth(1).unwrap().split(' ').next().unwrap().to_owned())
    };
    let urls = [
        ("git@github.com:o/r.git", Some("gh")),
        ("ssh://git@ssh.github.com:443/o/r.git", Some("gh")),
        ("https://user@GITHUB.example.org/o/r", Some("gh")),
        ("work-gitlab:o/r.git", Some("glab")),
        ("https://gitlab.com/github/r.git", Some("glab")),
        ("https://example.org/github.com/r.git", None),
        ("git@example.org:github/r.git", None),
        ("/srv/github.com/r.git", None),
        ("./github:x/r.git", None),
        ("file:///srv/gitlab/r.git", None),
    ];
    for (url, program) in urls {
        assert_eq!(called(url).as_deref(), program, "{url}");
    }
}

#[test]
fn without_a_remote_it_says_what_else_can_be_done() {
    let world = done();
    let output = finish(&world, &["--json"]).exits(0);
    assert_eq!(output.json()["remote"], Value::Null);
    let ways = commands(&output);
    shell(&world, &whole(&world, &ways[0]));
    assert_eq!(world.git(&["rev-parse", "HEAD"]), world.git(&["rev-parse", BRANCH]));
}

#[test]
fn the_body_tells_what_was_done_and_what_stands_behind_it() {
    let world = done();
    let _ = finish(&world, &[]).exits(0);
    let body = fs::read_to_string(world.spec.join("runs/pull-request.md")).unwrap();
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"[0-9a-f]{12}", "[ID]");
    settings.bind(|| {
        insta::assert_snapshot!(body, @r"
    ## What was done

    - **a**: Wrote a. Fixes #<!-- -->1, says @<!-- -->someone in &lt;b>bold&lt;/b>. — checked by `a`
    - **b**: Wrote b. — checked by `b`

    ## What stands behind it

    The whole passed its final validation, in a fresh worktree.

    - Proven, each by its own checks: `a`, `b`

    ## Checks of the whole

    | check | result | tree |
    | --- | --- | --- |
    | `a` | pass | `[ID]` |
    | `b` | pass | `[ID]` |

    ## Cost

    $1.00 (API-equivalent) for 2 agent calls; **the agent was simulated**, nothing of this comes from a model.

    ---
    Spec `p/world-00000000`, from [ID] to [ID]; made with cco 0.1.0.
    ")
    });
}

#[test]
fn what_was_waived_is_named_and_warned_of() {
    let mut a = component("a", &[]);
    a["checks"] = json!([{"name": "good", "run": "grep -q good a.txt"}]);
    let mut manifest = manifest(vec![a, component("b", &["a"]), component("c", &[])]);
    manifest["execution"]["max_fix_attempts"] = json!(0);
    let steps = json!({"a.*": writes("a", "bad"), "b.*": writes("b", "x"), "c.*": writes("c", "x")});
    let world = World::new(manifest, json!({"steps": steps}));
    world.ends(&[], 3);
    let output = finish(&world, &[]).exits(1);
    assert!(output.stderr.contains("a (asking), b (blocked)") && output.stderr.contains("cco answer"), "{output}");
    assert!(!world.spec.join("runs/pull-request.md").exists());
    world.tells(&["q1", "accept"]);
    let ended = world.run(&[]);
    assert!([0, 3].contains(&ended.status), "{ended}");
    // The whole runs the same check, which fails again.
    if ended.status == 3 {
        world.tells(&["q2", "accept"]);
        world.ends(&[], 0);
    }
    let output = finish(&world, &["--json"]).exits(0);
    assert_eq!(output.json()["proof"], "waived");
    assert!(output.stderr.contains("with issues that you waived"), "{output}");
    let body = fs::read_to_string(world.spec.join("runs/pull-request.md")).unwrap();
    let waived = body.split("### Waived").nth(1).unwrap();
    assert!(waived.contains("**a** `check:good`"), "{body}");
    assert!(waived.contains("(waived by"), "{body}");
    assert!(body.contains("- Waived: `a`") && body.contains("own checks: `b`, `c`"), "{body}");
}

#[test]
fn a_clean_branch_moves_forward_without_hooks() {
    let world = done();
    // Something of the user's that is in nobody's way.
    write(&world.env.work().join("note"), "the user's");
    write(&world.env.work().join("README"), "stashed");
    world.git(&["stash", "push", "--quiet", "README"]);
    for hook in ["post-merge", "post-checkout", "reference-transaction", "pre-merge-commit"] {
        let path = world.env.work().join(".git/hooks").join(hook);
        write(&path, "#!/bin/sh\ntouch hooked\nexit 1\n");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let before = users(&world);
    let (from, tip) = (world.git(&["rev-parse", "main"]), world.git(&["rev-parse", BRANCH]));
    let output = finish(&world, &["--merge", "--json"]).exits(0);
    let merged = &output.json()["merged"];
    assert_eq!((merged["branch"].as_str(), merged["commits"].as_u64()), (Some("main"), Some(2)), "{output}");
    assert_eq!((merged["from"].as_str(), merged["to"].as_str()), (Some(&*from), Some(&*tip)));
    let after = users(&world);
    assert_eq!((&after.config, &after.stash, &after.head), (&before.config, &before.stash, &before.head));
    assert_eq!(
        after.branches,
        before.branches.replace(&format!("refs/heads/main {from}"), &format!("refs/heads/main {tip}"))
    );
    assert_eq!(world.git(&["status", "--porcelain"]), "?? note");
    assert_eq!(fs::read_to_string(world.env.work().join("b.txt")).unwrap(), "x");
    assert!(!world.env.work().join("hooked").exists());
    // Once more: there is nothing to move.
    let output = finish(&world, &["--merge"]).exits(0);
    assert!(output.stdout.contains("`main` holds all of"), "{output}");
}

/// Each with what the user has done, and what the refusal says.
#[test]
fn a_branch_that_cannot_move_stays_to_the_byte() {
    type Does = fn(&World);
    let cases: [(&str, Does, &[&str]); 6] = [
        ("edited", |it| write(&it.env.work().join("README"), "edited"), &["not committed: README", "commit or stash"]),
        (
            "staged",
            |it| {
                write(&it.env.work().join("new"), "staged");
                it.git(&["add", "new"]);
            },
            &["not committed: new"],
        ),
        (
            "diverged",
            |it| {
                it.git(&["commit", "--quiet", "--allow-empty", "-m", "the user's"]);
            },
            &["`main` holds commits that `cco/world-00000000` does not", "merge cco/world-00000000"],
        ),
        (
            "detached",
            |it| {
                it.git(&["checkout", "--quiet", "--detach"]);
            },
            &["no branch is checked out", "switch BRANCH"],
        ),
        ("untracked in the way", |it| write(&it.env.work().join("a.txt"), "mine"), &["a.txt", "nothing was changed"]),
        (
            "ignored in the way",
            |it| {
                write(&it.env.work().join(".git/info/exclude"), "a.txt\n");
                write(&it.env.work().join("a.txt"), "mine");
            },
            &["a.txt", "nothing was changed"],
        ),
    ];
    let world = done();
    let world = &world;
    for (name, does, said) in cases {
        does(world);
        let status = world.git(&["status", "--porcelain", "--ignored"]);
        let before = users(world);
        let output = finish(world, &["--merge"]).exits(1);
        for said in said {
            assert!(output.stderr.contains(said), "{name}: {said}: {output}");
        }
        assert_eq!(users(world), before, "{name}");
        assert_eq!(world.git(&["status", "--porcelain", "--ignored"]), status, "{name}");
        world.git(&["checkout", "--quiet", "--force", "main"]);
        world.git(&["reset", "--quiet", "--hard", "cco/world-00000000~2"]);
        world.git(&["clean", "--quiet", "-f", "-x"]);
        write(&world.env.work().join(".git/info/exclude"), "");
    }
    let _ = finish(world, &["--merge"]).exits(0);
}

#[test]
fn what_is_not_complete_is_not_handed_on() {
    let world = world();
    let output = finish(&world, &[]).exits(1);
    assert!(output.stderr.contains("was not run yet"), "{output}");
    world.ends(&["--only", "a"], 0);
    for args in [&[][..], &["--merge"]] {
        let output = finish(&world, args).exits(1);
        assert!(output.stderr.contains("is not complete: b (waiting)"), "{output}");
        assert!(output.stdout.is_empty(), "{output}");
    }
    world.ends(&[], 0);
    // The user's own commit on the branch is none that was checked.
    world.git(&["checkout", "--quiet", BRANCH]);
    world.git(&["commit", "--quiet", "--allow-empty", "-m", "the user's"]);
    world.git(&["checkout", "--quiet", "main"]);
    let output = finish(&world, &[]).exits(0);
    assert!(output.stderr.contains("1 commit on `cco/world-00000000` since the last run: not checked"), "{output}");
    let body = fs::read_to_string(world.spec.join("runs/pull-request.md")).unwrap();
    assert!(body.contains("**Not checked**: the last 1 commit"), "{body}");
    let head = world.git(&["rev-parse", "main"]);
    let output = finish(&world, &["--merge"]).exits(1);
    assert!(output.stderr.contains("not checked, so not merged"), "{output}");
    assert_eq!(world.git(&["rev-parse", "main"]), head);
    world.git(&["branch", "--quiet", "-f", BRANCH, "main"]);
    let output = finish(&world, &["--merge"]).exits(1);
    assert!(output.stderr.contains("was rewritten"), "{output}");
    world.git(&["branch", "--quiet", "-D", BRANCH]);
    let output = finish(&world, &[]).exits(1);
    assert!(output.stderr.contains("is gone") && output.stderr.contains("brings it back"), "{output}");
}

#[test]
fn what_the_user_left_out_is_said_and_does_not_hold_up_the_rest() {
    let mut b = component("b", &["a"]);
    b["checks"] = json!(["false"]);
    let mut manifest = manifest(vec![component("a", &[]), b, component("c", &["b"])]);
    manifest["execution"]["max_fix_attempts"] = json!(0);
    let steps = json!({"a.*": writes("a", "x"), "b.*": writes("b", "x"), "c.*": writes("c", "x")});
    let world = World::new(manifest, json!({"steps": steps}));
    world.ends(&[], 3);
    world.tells(&["q1", "skip"]);
    world.ends(&[], 1);
    let output = finish(&world, &[]).exits(0);
    assert!(output.stderr.contains("left out: b, c"), "{output}");
    let body = fs::read_to_string(world.spec.join("runs/pull-request.md")).unwrap();
    assert!(body.contains("**b**: left out") && body.contains("**c**: not done: it needs what was left out"), "{body}");
}

#[test]
fn while_a_run_lives_it_is_locked() {
    let hangs = json!({"steps": {"a.implement": [fault(json!({"hang": "init"})), writes("a", "x")]}});
    let world = World::new(manifest(vec![component("a", &[])]), hangs);
    let mut run = world.start(&[]);
    run.records(|event| matches!(event, Event::AttemptStarted { .. }));
    for args in
        [&["finish", SPEC][..], &["finish", SPEC, "--merge"], &["clean", SPEC], &["clean", SPEC, "-y", "--force"]]
    {
        let output = world.env.cco(args).exits(5);
        assert!(output.stderr.contains(&run.child.id().to_string()) && output.stderr.contains("cco stop"), "{output}");
    }
    let output = world.env.cco(["clean", "--all", "-y", "--force", "--json"]).exits(0);
    assert_eq!(output.json()["specs"][0]["status"], "live", "{output}");
    run.signal("INT");
    assert_eq!(run.end(), 130);
    world.ends(&[], 0);
}

#[test]
fn what_was_made_in_the_directory_itself_has_no_branch() {
    let world = World::without_git(manifest(vec![component("a", &[])]), json!({"steps": {"a.*": writes("a", "x")}}));
    world.ends(&[], 0);
    let output = finish(&world, &[]).exits(1);
    assert!(output.stderr.contains("there is no branch to hand on"), "{output}");
    let output = world.env.cco(["clean", SPEC, "-y"]).exits(0);
    assert_eq!(output.stdout, "nothing is left\n");
}
