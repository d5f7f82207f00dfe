//! Repositories with files of git-lfs: with the program, without it, and where git is told that it must be there.

use std::fs;

use serde_json::json;

use crate::belongings::{Belongings, assert_untouched};
use crate::env::write;
use crate::world::{World, component, manifest};

/// Where the user has what pointers point to.
const STORE: &str = "$HOME/lfs-store";

/// `a` changes a large file and adds another; its check reads both as they are.
fn project() -> World {
    let writes = [("old.bin", "large and new\n"), ("new.bin", "large as well\n"), ("a.txt", "x\n")];
    let actions: Vec<_> = writes.iter().map(|(path, text)| json!({"write": {"path": path, "text": text}})).collect();
    let mut a = component("a", &[]);
    a["files"] = json!(["*.bin"]);
    a["checks"] = json!([{"name": "a", "run": "grep -q 'large and new' old.bin && grep -q 'as well' new.bin"}]);
    let world = World::new(manifest(vec![a]), json!({"steps": {"a.*": {"actions": actions}}}));
    let work = world.env.work();
    write(&work.join(".gitattributes"), "*.bin filter=lfs diff=lfs merge=lfs -text\n");
    write(&work.join("kept.bin"), "pointer 1\n");
    write(&work.join("old.bin"), "pointer 2\n");
    world.git(&["add", "-A"]);
    world.git(&["commit", "--quiet", "-m", "Large files"]);
    world
}

/// What `git lfs install` writes to the user's own settings, with these programs.
fn install(world: &World, clean: &str, smudge: &str) {
    let settings = format!("[filter \"lfs\"]\n\tclean = {clean}\n\tsmudge = {smudge}\n\trequired = true\n");
    write(&world.env.home().join(".gitconfig"), &settings);
}

/// A program that keeps files elsewhere and gives pointers for them, as git-lfs does.
fn program(world: &World) {
    let clean = world.env.home().join("clean");
    write(
        &clean,
        &format!(
            "mkdir -p {STORE}; cat > {STORE}/$$; n=$(cksum < {STORE}/$$ | cut -d' ' -f1); mv {STORE}/$$ {STORE}/$n; echo pointer $n\n"
        ),
    );
    let smudge = world.env.home().join("smudge");
    write(&smudge, &format!("read -r _ n; cat {STORE}/$n\n"));
    install(world, &format!("sh {} %f", clean.display()), &format!("sh {} %f", smudge.display()));
}

/// The user has what the pointers point to, as after `git lfs pull`.
fn pull(world: &World) {
    let work = world.env.work();
    for path in ["kept.bin", "old.bin"] {
        fs::remove_file(work.join(path)).unwrap();
    }
    let store = world.env.home().join("lfs-store");
    write(&store.join("1"), "large and kept\n");
    write(&store.join("2"), "large and old\n");
    world.git(&["checkout", "--quiet", "--", "."]);
    assert_eq!(fs::read_to_string(work.join("old.bin")).unwrap(), "large and old\n");
}

#[test]
fn large_files_are_large_where_agents_work_and_pointers_in_commits() {
    let world = project();
    program(&world);
    // What git cleans must be the pointer that it has: sums instead of the numbers above.
    let sums = ["large and kept\n", "large and old\n"];
    for (path, text) in ["kept.bin", "old.bin"].iter().zip(sums) {
        write(&world.env.work().join(path), text);
    }
    world.git(&["add", "-A"]);
    world.git(&["commit", "--quiet", "-m", "By sum"]);
    let before = Belongings::of(&world);
    let output = world.run(&[]);
    assert_eq!(output.status, 0, "{output}");
    assert_untouched(&world, &before);
    let kept = world.git(&["show", "HEAD:kept.bin"]);
    assert!(kept.starts_with("pointer "), "{kept}");
    assert_eq!(world.file("kept.bin"), kept);
    assert!(["old.bin", "new.bin"].iter().all(|path| world.file(path).starts_with("pointer ")));
    assert!(
        world.git(&["diff", "--name-only", "HEAD", crate::world::BRANCH]).lines().eq(["a.txt", "new.bin", "old.bin"])
    );
}

#[test]
fn where_nothing_is_installed_pointers_stay_what_they_are() {
    let world = project();
    let before = Belongings::of(&world);
    world.ends(&[], 0);
    assert_untouched(&world, &before);
    assert_eq!((world.file("kept.bin"), world.file("old.bin")), ("pointer 1".to_owned(), "large and new".to_owned()));
}

/// Git cannot even give the files to a worktree: told before anything is paid, and mended it goes on.
#[test]
fn a_program_that_must_be_there_and_is_not_is_told() {
    let world = project();
    let before = Belongings::of(&world);
    // Without the one git cannot look whether a file changed, without the other it cannot write one.
    for (clean, smudge) in [("no-such-lfs clean %f", "cat"), ("cat", "no-such-lfs smudge %f")] {
        install(&world, clean, smudge);
        let output = world.run(&[]).exits(7);
        for text in ["no-such-lfs", "kept.bin", "help: install the program"] {
            assert!(output.to_string().contains(text), "{text}: {output}");
        }
        assert_untouched(&world, &before);
        assert_eq!(world.wrote(), [""; 0]);
        assert!(!world.worktree("a").exists());
    }
    program(&world);
    pull(&world);
    world.ends(&[], 0);
    assert!(world.file("old.bin").starts_with("pointer "));
}
