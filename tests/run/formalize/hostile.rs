//! Drafts, and agents, that mean harm or know no better.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use super::*;

/// Draws up one draft, and a good one after it; gives what the second round was told.
#[track_caller]
fn told_of(draft: Value) -> (World, String) {
    let world = brainstorm(scenario(ready(), json!([draft, good()])));
    let _ = formalize(&world, &["--no-gate"]).exits(0);
    let told = prompt(&world, "draft-2");
    (world, told)
}

/// Everything in the home and work directory, but what cco itself keeps there.
fn outside(world: &World) -> Vec<String> {
    let found = Command::new("find")
        .args([
            ".",
            "-path",
            "./home/.claude/cc_orchestrations",
            "-prune",
            "-o",
            "-path",
            "./work/.git",
            "-prune",
            "-o",
        ])
        .args(["-path", "./home/.local", "-prune", "-o", "-type", "f", "-print"])
        .current_dir(world.env.root())
        .output()
        .unwrap();
    let mut found: Vec<String> = String::from_utf8(found.stdout).unwrap().lines().map(str::to_owned).collect();
    found.retain(|path| !["./scenario.json", "./notes", "./said"].contains(&path.as_str()));
    found.sort();
    found
}

#[test]
fn ids_and_contexts_lead_nowhere_else() {
    let mut draft = drafts(vec![part("../../../evil", &[]), part("a/../../b", &[]), part("..", &[])]);
    draft["answer"]["contexts"] = json!([
        {"component": "../../../evil", "text": "x"}, {"component": "/etc/passwd", "text": "x"},
        {"component": "a\u{0}b", "text": "x"}, {"component": "a", "text": "x".repeat(70_000)},
    ]);
    let (world, told) = told_of(draft);
    assert_eq!(told.matches("E011 at /components/").count(), 3, "{told}");
    assert_eq!(told.matches("error F003: `contexts[").count(), 4, "{told}");
    assert!(told.contains("error F005: `contexts[3]` has 70000 bytes"), "{told}");
    assert_eq!(outside(&world), ["./work/README"]);
    let components: Vec<_> = fs::read_dir(of_spec(&world, "components")).unwrap().flatten().collect();
    assert_eq!(components.len(), 1, "{components:?}");
}

#[test]
fn paths_do_not_lead_out_and_context_files_are_ccos_own() {
    let mut named = part("a", &[]);
    named["context_file"] = json!("../../../../etc/passwd");
    let mut own = part("b", &[]);
    own["context_file"] = json!("components/b.md");
    own["files"] = json!(["../outside/**", "/etc/*"]);
    let (_, told) = told_of(drafts(vec![named, own]));
    assert!(told.contains("F004 at /components/0/context_file"), "{told}");
    assert!(told.contains("E017 at /components/0/context_file"), "{told}");
    assert!(told.contains("E017 at /components/1/files/0") && told.contains("E017 at /components/1/files/1"), "{told}");
    assert!(!told.contains("/components/1/context_file"), "the file that cco writes anyway may be named: {told}");
}

#[test]
fn what_the_spec_has_settled_stays() {
    let mut draft = good();
    let said = &mut draft["answer"]["manifest"];
    said["name"] = json!("other");
    said["work_dir"] = json!("/");
    said["agent"] = json!({"command": "/bin/evil", "allow": ["Bash"], "env": ["AWS_SECRET_ACCESS_KEY"]});
    said["execution"] =
        json!({"copy": [{"path": "../../.ssh/id_rsa", "agent": true}], "branch": "main", "mode": "quick"});
    let world = brainstorm(scenario(ready(), draft));
    let _ = formalize(&world, &["--no-gate"]).exits(0);
    let written: Value = serde_json::from_str(&manifest(&world)).unwrap();
    assert_eq!((&written["name"], &written["work_dir"]), (&json!("world"), &json!(world.env.work())));
    assert_eq!(written["agent"], json!({"env": ["NOTES"]}));
    assert_eq!(written["execution"], json!({"mode": "quick"}));
    assert_eq!(notes(&world).iter().filter(|note| note.contains("the spec has settled it")).count(), 5);
}

/// What the user changes in the manifest while a draft is made: `change` is done by the agent's call, as if by him.
fn changed_meanwhile(change: impl FnOnce(&mut Value)) -> World {
    let world = brainstorm(scenario(ready(), json!([])));
    let mut present: Value = serde_json::from_str(&manifest(&world)).unwrap();
    present["agent"]["allow"] = json!(["Bash(make *)"]);
    present["execution"] = json!({"budget_usd": 50.0, "isolation": "shared"});
    write(&of_spec(&world, "manifest.json"), &present.to_string());
    change(&mut present);
    let later = world.env.root().join("later.json");
    write(&later, &present.to_string());
    let mut slow = good();
    let copy = format!("cp '{}' '{}'", later.display(), of_spec(&world, "manifest.json").display());
    slow["actions"] = json!([{"run": {"cmd": copy}}]);
    world.play(scenario(ready(), json!([slow])));
    world
}

#[test]
fn what_the_user_took_away_meanwhile_does_not_come_back() {
    let world = changed_meanwhile(|present| {
        present["agent"].as_object_mut().unwrap().remove("allow");
        present["execution"] = json!({"budget_usd": 2.0});
    });
    let _ = formalize(&world, &["--no-gate"]).exits(0);
    let written: Value = serde_json::from_str(&manifest(&world)).unwrap();
    assert_eq!(written["agent"], json!({"env": ["NOTES"]}));
    assert_eq!(written["execution"], json!({"budget_usd": 2.0}));
    assert_eq!(written["components"].as_array().unwrap().len(), 2, "the draft is in place");
    assert!(notes(&world).iter().any(|note| note.contains("while the draft was made")), "{:?}", notes(&world));
}

#[test]
fn a_draft_is_not_put_over_what_cannot_be_understood() {
    let world = changed_meanwhile(|present| *present = json!(["mine"]));
    let output = formalize(&world, &["--no-gate"]).exits(7);
    assert!(output.stderr.contains("changed while the draft was made, and is left as it is"), "{output}");
    assert_eq!(manifest(&world), "[\"mine\"]");
    assert!(!of_spec(&world, "components/a.md").exists());
}

/// A spec that is kept in the repository that it is about.
#[test]
fn no_write_set_holds_the_spec_itself() {
    let world = brainstorm(scenario(ready(), json!([])));
    let inside = world.env.work().join("specs/mine");
    let manifest = json!({"name": "mine", "project": "p", "work_dir": world.env.work(), "components": []});
    write(&inside.join("manifest.json"), &manifest.to_string());
    write(&inside.join("SPEC.md"), "# Two files\n");
    let mut greedy = part("a", &[]);
    greedy["files"] = json!(["**"]);
    let mut sly = part("b", &[]);
    sly["file"] = json!("specs/mine/manifest.json");
    let mut fine = part("c", &[]);
    fine["files"] = json!(["specs/other/**"]);
    let quiet = |mut draft: Value| {
        draft["actions"] = json!([]);
        draft
    };
    let play = scenario(ready(), json!([quiet(drafts(vec![greedy, sly, fine])), quiet(good())]));
    world.play(play);
    let scenario = format!("sim:{}", world.env.root().join("scenario.json").display());
    let args = ["formalize", inside.to_str().unwrap(), "--no-gate", "--agent", &scenario];
    let _ = world.env.cco(args).exits(0);
    let told = fs::read_to_string(inside.join("runs/formalize/draft-2.prompt.md")).unwrap();
    assert!(told.contains("F002 at /components/0: `**` holds `specs/mine/manifest.json`"), "{told}");
    assert!(told.contains("F002 at /components/1") && !told.contains("F002 at /components/2"), "{told}");
}

#[test]
fn five_megabytes_are_a_draft_like_any_other() {
    let huge = |components: Vec<Value>| {
        let mut draft = drafts(components);
        draft["answer"]["manifest"]["gotchas"] = json!(["x".repeat(5 << 20)]);
        draft
    };
    let many = (0..2_000).map(|n| part(&format!("a b{n}"), &["nobody"])).collect();
    let world = brainstorm(scenario(ready(), json!([huge(many), huge(vec![part("a", &[])])])));
    let _ = formalize(&world, &["--no-gate"]).exits(0);
    let told = prompt(&world, "draft-2");
    assert!(told.len() < 40_000, "{} bytes", told.len());
    assert!(told.contains("more of the same kinds"), "{told}");
    assert!(manifest(&world).len() > 5 << 20);
    let journal = fs::metadata(of_spec(&world, "state/formalize/journal.jsonl")).unwrap().len();
    assert!(journal < 200_000, "{journal} bytes");
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let mut draft = drafts(vec![part("a\u{1b}[2Jb", &[])]);
    draft["answer"]["summary"] = json!("\u{1b}[2Jevil");
    let world = brainstorm(scenario(judges(json!([{"blocks": false, "text": "\u{1b}[2Jevil"}])), draft));
    // Without colours the terminal's writer would take them away by itself.
    let output = formalize(&world, &["--color", "always"]).exits(1);
    assert!(!output.stdout.contains("\u{1b}[2J") && !output.stderr.contains("\u{1b}[2J"), "{output:?}");
    assert!(!prompt(&world, "draft-2").contains('\u{1b}'));
}

fn writes_in_secret() -> Value {
    let mut draft = good();
    draft["actions"] = json!([
        {"write": {"path": "new.txt", "text": "evil"}}, {"run": {"cmd": "echo evil >> README; git commit -qam evil"}},
    ]);
    draft
}

#[test]
fn who_writes_where_it_may_only_read_is_not_believed() {
    let world = brainstorm(scenario(ready(), json!([writes_in_secret(), good()])));
    let head = world.git(&["rev-parse", "HEAD"]);
    let output = formalize(&world, &["--no-gate"]).exits(0);
    assert!(output.stderr.contains("it may only read, and `README`, `new.txt` changed"), "{output}");
    assert_eq!(drafted(&world), 1, "the first one does not count");
    assert_eq!(fs::read_to_string(world.env.work().join("README")).unwrap(), "a project\n");
    assert!(!world.env.work().join("new.txt").exists());
    assert_eq!((world.git(&["rev-parse", "HEAD"]), world.git(&["status", "--porcelain"])), (head, String::new()));
    let kept = of_spec(&world, "runs/formalize/draft-1.undone/new.txt");
    assert_eq!(fs::read_to_string(kept).unwrap(), "evil");
    let spoken = conversations(&world);
    assert!(spoken[0].1 != spoken[1].1 && !spoken[1].2, "it begins anew: {spoken:?}");
}

#[test]
fn without_git_what_it_changed_is_put_back() {
    let world = World::without_git(json!({"components": []}), scenario(ready(), json!([writes_in_secret(), good()])));
    write(&world.env.work().join("README"), "a project\n");
    say(&world, "Write two files.");
    let _ = formalize(&world, &["--no-gate"]).exits(0);
    assert_eq!(fs::read_to_string(world.env.work().join("README")).unwrap(), "a project\n");
    assert!(!world.env.work().join("new.txt").exists());
    assert_eq!(fs::read_to_string(of_spec(&world, "runs/formalize/draft-1.undone/new.txt")).unwrap(), "evil");
}

#[test]
fn no_secret_gets_into_what_is_written() {
    let mut tells = good();
    tells["answer"]["summary"] = json!("abcDEF123456");
    tells["answer"]["manifest"]["gotchas"] = json!(["the token is abcDEF123456"]);
    tells["answer"]["contexts"][0]["text"] = json!("abcDEF123456");
    let world = brainstorm(scenario(ready(), tells));
    let mut command = world.formalizing(&["--no-gate"]);
    command.env("A_TOKEN", "abcDEF123456");
    let output = world.env.run(&mut command).exits(0);
    assert!(manifest(&world).contains("the token is [redacted A_TOKEN]"), "{}", manifest(&world));
    for file in ["components/a.md", "state/formalize/journal.jsonl", "state/formalize/draft-1.report.json"] {
        assert!(!fs::read_to_string(of_spec(&world, file)).unwrap().contains("abcDEF"), "{file}");
    }
    assert!(!output.stdout.contains("abcDEF"), "{output}");
}

#[test]
fn the_users_own_changes_meanwhile_stay() {
    let mut slow = good();
    let work = "echo mine > \"$HOME/../work/README\"; echo mine > \"$HOME/../work/mine.txt\"";
    slow["actions"] = json!([{"run": {"cmd": work}}]);
    let world = brainstorm(scenario(ready(), json!([slow])));
    let _ = formalize(&world, &["--no-gate"]).exits(0);
    assert_eq!(fs::read_to_string(world.env.work().join("README")).unwrap(), "mine\n");
    let told = notes(&world);
    assert!(
        told.iter().any(|note| note.contains("changed in your own checkout while it ran, and left as it is")),
        "{told:?}"
    );
}
