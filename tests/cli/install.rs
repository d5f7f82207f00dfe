//! `cco install`

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use cco::cli::commands::install::diff::diff;
use cco::cli::commands::install::stamp::{Origin, stamped};
use cco::ids::Digest;
use proptest::prelude::*;

use crate::env::{TestEnv, write};
use crate::terminal::on_terminal;

const SPEC: &str = ".claude/commands/spec.md";
const SKILL: &str = ".claude/skills/orchestration/SKILL.md";

/// Every path below `dir`, with the text of files; links as such.
fn tree(dir: &Path) -> BTreeMap<PathBuf, Option<String>> {
    let (mut all, mut open) = (BTreeMap::new(), vec![dir.to_owned()]);
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let about = path.symlink_metadata().unwrap();
            let text = about.is_file().then(|| fs::read_to_string(&path).unwrap());
            if about.is_dir() {
                open.push(path.clone());
            }
            all.insert(path, text);
        }
    }
    all
}

/// A file as an earlier cco would have left it, had it known `text`.
fn earlier(text: &str, made: usize) -> String {
    let line = format!("# cco:installed version=0.0.1 made={made} digest={} (words)\n", Digest::of(text.as_bytes()));
    let end = 4 + text[4..].find("---\n").unwrap();
    format!("{}{line}{}", &text[..end], &text[end..])
}

#[test]
fn it_installs_once_and_uninstalls_without_a_trace() {
    let env = TestEnv::new();
    let before = tree(&env.home());
    assert_output!(env.cco(["install"]), @r"
    exit: 0
    -- stdout
    created  [ROOT]/home/.claude/commands/spec.md
    created  [ROOT]/home/.claude/skills/orchestration/SKILL.md
    -- stderr
    warning: `cco` is not on your PATH: `/spec` cannot save through it
    help: type `/spec` in claude, or `cco spec SPEC` for a spec that is there
    ");
    let installed = tree(&env.home());
    let text = fs::read_to_string(env.home().join(SPEC)).unwrap();
    assert!(text.starts_with("---\ndescription: ") && text.contains("\n# cco:installed version="), "{text}");
    assert_output!(env.cco(["install", "-q"]), @r"
    exit: 0
    -- stdout
    unchanged  [ROOT]/home/.claude/commands/spec.md
    unchanged  [ROOT]/home/.claude/skills/orchestration/SKILL.md
    -- stderr
    warning: `cco` is not on your PATH: `/spec` cannot save through it
    ");
    assert_eq!(tree(&env.home()), installed);

    assert_output!(env.cco(["install", "--uninstall", "-n"]), @r"
    exit: 0
    -- stdout
    would be removed  [ROOT]/home/.claude/commands/spec.md
    would be removed  [ROOT]/home/.claude/skills/orchestration/SKILL.md
    -- stderr
    ");
    assert_eq!(tree(&env.home()), installed);
    assert_output!(env.cco(["install", "--uninstall"]), @r"
    exit: 0
    -- stdout
    removed  [ROOT]/home/.claude/commands/spec.md
    removed  [ROOT]/home/.claude/skills/orchestration/SKILL.md
    -- stderr
    ");
    assert_eq!(tree(&env.home()), before);
    let again = env.cco(["install", "--uninstall", "--json"]).exits(0).json();
    assert_eq!((&again["files"][0]["outcome"], &again["files"][1]["outcome"]), (&"missing".into(), &"missing".into()));
}

#[test]
fn directories_of_the_user_stay_also_empty_ones() {
    let env = TestEnv::new();
    fs::create_dir_all(env.home().join(".claude/commands")).unwrap();
    write(&env.home().join(".claude/skills/mine/SKILL.md"), "mine\n");
    let before = tree(&env.home());
    let _ = env.cco(["install"]).exits(0);
    // An update in between must not forget whose the directories are.
    write(&env.home().join(SKILL), &earlier("---\nname: orchestration\n---\nold\n", 1));
    assert!(env.cco(["install"]).exits(0).stdout.starts_with("unchanged"));
    let _ = env.cco(["install", "--uninstall"]).exits(0);
    assert_eq!(tree(&env.home()), before);
}

#[test]
fn a_dry_run_writes_nothing() {
    let env = TestEnv::new();
    assert_output!(env.cco(["install", "-n"]), @r"
    exit: 0
    -- stdout
    would be created  [ROOT]/home/.claude/commands/spec.md
    would be created  [ROOT]/home/.claude/skills/orchestration/SKILL.md
    -- stderr
    ");
    assert_eq!(tree(&env.home()), BTreeMap::new());
}

#[test]
fn an_earlier_text_that_nobody_changed_is_updated_without_a_question() {
    let env = TestEnv::new();
    write(&env.home().join(SPEC), &earlier("---\ndescription: old\n---\nOld words.\n", 0));
    let output = env.cco(["install", "--json"]).exits(0).json();
    assert_eq!(
        (&output["files"][0]["outcome"], &output["files"][1]["outcome"]),
        (&"updated".into(), &"created".into())
    );
    assert!(!fs::read_to_string(env.home().join(SPEC)).unwrap().contains("Old words"));
    // Nothing is kept beside: it was cco's own.
    assert_eq!(fs::read_dir(env.home().join(".claude/commands")).unwrap().count(), 1);
}

#[test]
fn line_ends_of_another_system_are_no_change() {
    let env = TestEnv::new();
    let _ = env.cco(["install"]).exits(0);
    let text = fs::read_to_string(env.home().join(SPEC)).unwrap();
    write(&env.home().join(SPEC), &text.replace('\n', "\r\n"));
    assert!(env.cco(["install"]).exits(0).stdout.starts_with("unchanged"));
    assert!(env.cco(["install", "--uninstall"]).exits(0).stdout.starts_with("removed"));
}

/// Installed, and then the third line of the skill changed.
fn changed() -> (TestEnv, String) {
    let env = TestEnv::new();
    let _ = env.cco(["install"]).exits(0);
    let text = fs::read_to_string(env.home().join(SKILL)).unwrap();
    let mine = text.replace("# Orchestration with cco\n", "# Orchestration, as we do it\n");
    assert_ne!(mine, text);
    write(&env.home().join(SKILL), &mine);
    (env, mine)
}

#[test]
fn what_the_user_changed_is_shown_and_not_replaced_where_nobody_can_be_asked() {
    let (env, mine) = changed();
    fs::remove_file(env.home().join(SPEC)).unwrap();
    let before = tree(&env.home());
    assert_output!(env.cco(["install"]), @r"
    exit: 3
    -- stdout
    -- stderr
    `[ROOT]/home/.claude/skills/orchestration/SKILL.md` was changed since cco installed it; to install would change it so:
    @@ line 2 @@
      name: orchestration
      description: How to work with cco, which runs multi-component software work through the claude CLI and checks each component itself. Use it when the user speaks of cco, of a spec, a manifest or an orchestrated run, wants to know how a run stands or why it stopped, or plans work that is large enough for several components.
      ---
    - # Orchestration, as we do it
    + # Orchestration with cco
      
      `cco` runs work of several components through `claude` and believes none of it: it walks the dependency graph, gives each component a
      worktree of its own, runs the checks itself, lets reviewers look, loops until they pass or asks a person. What it does
    error: `[ROOT]/home/.claude/skills/orchestration/SKILL.md` is yours, and there is no terminal to ask on
      help: nothing was written; `--yes` replaces and keeps what is there beside it
    ");
    assert_eq!(tree(&env.home()), before);

    let dry = env.cco(["install", "-n"]).exits(0);
    assert!(dry.stdout.contains("would be replaced") && dry.stderr.contains("+ # Orchestration with cco"), "{dry}");
    assert_eq!(tree(&env.home()), before);

    let forced = env.cco(["install", "--force", "--json"]).exits(0).json();
    assert_eq!(
        (&forced["files"][0]["outcome"], &forced["files"][1]["outcome"]),
        (&"created".into(), &"replaced".into())
    );
    assert!(forced["files"][1]["old"].as_str().unwrap().ends_with("SKILL.md.old-1"), "{forced}");
    assert_eq!(fs::read_to_string(env.home().join(format!("{SKILL}.old-1"))).unwrap(), mine);
    assert!(env.cco(["install"]).exits(0).stdout.starts_with("unchanged"));
}

#[test]
fn uninstalling_keeps_what_the_user_changed_and_names_it() {
    let (env, mine) = changed();
    assert_output!(env.cco(["install", "--uninstall"]), @r"
    exit: 1
    -- stdout
    removed  [ROOT]/home/.claude/commands/spec.md
    kept     [ROOT]/home/.claude/skills/orchestration/SKILL.md
    -- stderr
    `[ROOT]/home/.claude/skills/orchestration/SKILL.md` stays: you changed it; remove it yourself if you do not want it
    ");
    assert_eq!(fs::read_to_string(env.home().join(SKILL)).unwrap(), mine);
    assert!(!env.home().join(".claude/commands").exists());
}

#[test]
fn a_command_of_the_users_own_is_left_alone() {
    let env = TestEnv::new();
    write(&env.home().join(SPEC), "My own /spec.\x1b[2J\n");
    let before = tree(&env.home());
    let output = env.cco(["install"]).exits(3);
    assert!(
        output.stderr.contains("spec.md` is not from cco") && output.stderr.contains("- My own /spec.\\u{1b}[2J"),
        "{output}"
    );
    assert_eq!(tree(&env.home()), before);
    let output = env.cco(["install", "--uninstall"]).exits(1);
    assert!(output.stderr.contains("stays: it is not from cco"), "{output}");
    assert_eq!(tree(&env.home()), before);
}

#[test]
fn on_a_terminal_it_asks() {
    let (env, mine) = changed();
    let (status, shown) = on_terminal(&env, &env.command(["install"]), "n\n");
    assert!(status == 1 && shown.contains("replace it?") && shown.contains("kept "), "{status} {shown}");
    assert_eq!(fs::read_to_string(env.home().join(SKILL)).unwrap(), mine);
    let (status, shown) = on_terminal(&env, &env.command(["install"]), "y\n");
    assert!(status == 0 && shown.contains("replaced "), "{status} {shown}");
    assert!(shown.contains("what was there is `[ROOT]/home/.claude/skills/orchestration/SKILL.md.old-1`"), "{shown}");
    assert!(fs::read_to_string(env.home().join(SKILL)).unwrap().contains("# Orchestration with cco"));
}

#[test]
fn a_projects_files_go_to_the_root_of_its_repository() {
    let env = TestEnv::new();
    fs::create_dir_all(env.work().join("src/deep")).unwrap();
    fs::create_dir(env.work().join(".git")).unwrap();
    let before = tree(&env.root());
    let scope = ["install", "--scope", "project"];
    let output = env.run(env.command(scope).current_dir(env.work().join("src/deep"))).exits(0);
    assert!(output.stdout.contains("[ROOT]/work/.claude/commands/spec.md"), "{output}");
    let _ = env.cco(["install", "--scope", "project", "--uninstall"]).exits(0);
    assert_eq!(tree(&env.root()), before);

    // Without a repository, to the current directory.
    fs::remove_dir(env.work().join(".git")).unwrap();
    let output = env.run(env.command(scope).current_dir(env.work().join("src"))).exits(0);
    assert!(output.stdout.contains("[ROOT]/work/src/.claude/commands/spec.md"), "{output}");
}

#[test]
fn the_directory_of_the_users_configuration_is_honoured() {
    let env = TestEnv::new();
    let (config, before) = (env.root().join("conf"), tree(&env.root()));
    for (args, there) in [(&["install"][..], true), (&["install", "--uninstall"], false)] {
        let _ = env.run(env.command(args).env("CLAUDE_CONFIG_DIR", &config)).exits(0);
        assert_eq!(config.join("commands/spec.md").exists(), there);
        assert!(!env.home().join(".claude").exists());
    }
    assert_eq!(tree(&env.root()), before);
    let output = env.run(env.command(["install"]).env_remove("HOME").env("CLAUDE_CONFIG_DIR", &config)).exits(0);
    assert!(output.stdout.contains("[ROOT]/conf/commands/spec.md"), "{output}");
}

#[test]
fn links_are_followed_where_they_stay_in_place() {
    let env = TestEnv::new();
    let dots = env.root().join("dotfiles");
    fs::create_dir(&dots).unwrap();
    symlink(&dots, env.home().join(".claude")).unwrap();
    let output = env.cco(["install"]).exits(0);
    assert!(
        output.stderr.starts_with("`[ROOT]/home/.claude` is a symbolic link: the files are in `[ROOT]/dotfiles`\n"),
        "{output}"
    );
    assert_eq!(output.stderr.matches("symbolic link").count(), 1, "{output}");
    assert!(dots.join("commands/spec.md").is_file());
    let _ = env.cco(["install", "--uninstall"]).exits(0);
    assert!(tree(&dots).is_empty() && env.home().join(".claude").is_symlink());

    fs::remove_dir(&dots).unwrap();
    assert_output!(env.cco(["install"]), @r"
    exit: 7
    -- stdout
    -- stderr
    error: `[ROOT]/home/.claude` is a symbolic link to what is not there
      help: make what it leads to, or remove the link
    ");
}

#[test]
fn a_link_of_a_project_cannot_lead_out_of_it_and_no_file_is_written_through_one() {
    let env = TestEnv::new();
    fs::create_dir(env.work().join(".claude")).unwrap();
    symlink(env.home(), env.work().join(".claude/commands")).unwrap();
    assert_output!(env.cco(["install", "--scope", "project"]), @r"
    exit: 7
    -- stdout
    -- stderr
    error: `[ROOT]/work/.claude/commands` is a symbolic link that leads out of the project, to `[ROOT]/home`
      help: remove the link, or install for yourself: `--scope user`
    ");
    assert!(tree(&env.home()).is_empty());

    let mine = env.root().join("mine.md");
    write(&mine, "mine\n");
    fs::create_dir_all(env.home().join(".claude/commands")).unwrap();
    symlink(&mine, env.home().join(SPEC)).unwrap();
    assert_output!(env.cco(["install", "--yes"]), @r"
    exit: 7
    -- stdout
    -- stderr
    error: `[ROOT]/home/.claude/commands/spec.md` is a symbolic link
      help: cco does not write there; move it away and install again
    ");
    let output = env.cco(["install", "--uninstall"]).exits(1);
    assert!(output.stderr.contains("stays: a symbolic link"), "{output}");
    assert_eq!(fs::read_to_string(&mine).unwrap(), "mine\n");
}

/// How many lines two texts have in common, in order: the definition, without a table.
fn common(a: &[&str], b: &[&str]) -> usize {
    match (a, b) {
        ([], _) | (_, []) => 0,
        ([first, a @ ..], [other, b @ ..]) if first == other => 1 + common(a, b),
        ([_, rest_a @ ..], [_, rest_b @ ..]) => common(rest_a, b).max(common(a, rest_b)),
    }
}

fn is_part_of(part: &[&str], whole: &[&str]) -> bool {
    let mut whole = whole.iter();
    part.iter().all(|line| whole.any(|other| other == line))
}

proptest! {
    #[test]
    fn a_diff_shows_what_differs_and_no_line_more(
        old in prop::collection::vec("[ab]", 0..9),
        new in prop::collection::vec("[ab]", 0..9),
    ) {
        let text = |lines: &[String]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
        let shown = anstream::adapter::strip_str(&diff(&text(&old), &text(&new))).to_string();
        let with = |sign: &str| shown.lines().filter_map(|line| line.strip_prefix(sign)).collect::<Vec<_>>();
        let [old, new] = [&old, &new].map(|lines| lines.iter().map(String::as_str).collect::<Vec<_>>());
        let both = common(&old, &new);
        prop_assert_eq!((with("- ").len(), with("+ ").len()), (old.len() - both, new.len() - both), "{}", shown);
        prop_assert!(is_part_of(&with("- "), &old) && is_part_of(&with("+ "), &new), "{}", shown);
        prop_assert_eq!(shown.is_empty(), old == new);
    }

    #[test]
    fn a_stamp_tells_every_change(body in "[a-z#: \n-]{0,60}", made in 0_usize..4, at in 0_usize..200) {
        let text = format!("---\nname: x\n---\n{body}");
        let file = stamped(&text, made);
        let known = Origin { text: text.clone(), untouched: true, ours: true, made };
        prop_assert_eq!(Origin::of(&file), known.clone());
        prop_assert_eq!(Origin::of(&file.replace('\n', "\r\n")), known.clone());
        // A letter more anywhere but in the stamp itself.
        let at = at % file.len();
        let mut changed = file.clone();
        changed.insert(at, 'X');
        let in_stamp = changed.lines().any(|line| line.contains("cco:installed") && line.contains('X'));
        prop_assert!(in_stamp || !Origin::of(&changed).untouched, "{}", changed);
    }
}

#[test]
fn texts_too_long_to_compare_are_shown_one_after_the_other() {
    let text = |word: &str, lines: usize| {
        let part = format!("{word}\n").repeat(lines / 2);
        format!("{part}both\n{part}")
    };
    let with = |lines: usize| diff(&text("old", lines), &text("new", lines));
    assert!(!with(200).contains("- both"));
    let shown = with(3000);
    assert_eq!((shown.matches("- old").count(), shown.matches("+ new").count()), (3000, 3000));
    assert!(shown.contains("- both") && shown.contains("+ both"));
}
