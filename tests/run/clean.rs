//! Clearing up: what is listed is what is there, what goes is what nobody needs, and what is left is accounted for.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::env::{Output, write};
use crate::world::{BRANCH, World, component, manifest, writes};

const SPEC: &str = "p/world-00000000";

fn manifest_of_two() -> Value {
    manifest(vec![component("a", &[]), component("b", &["a"])])
}

fn world() -> World {
    World::new(manifest_of_two(), json!({"steps": {"a.*": writes("a", "x"), "b.*": writes("b", "x")}}))
}

fn done() -> World {
    let world = world();
    world.ends(&[], 0);
    world
}

/// `b` cannot pass, and asks.
fn asking() -> World {
    let mut b = component("b", &["a"]);
    b["checks"] = json!(["false"]);
    let mut manifest = manifest(vec![component("a", &[]), b]);
    manifest["execution"]["max_fix_attempts"] = json!(0);
    let world = World::new(manifest, json!({"steps": {"a.*": writes("a", "x"), "b.*": writes("b", "x")}}));
    world.ends(&[], 3);
    world
}

fn clean(world: &World, args: &[&str]) -> Output {
    world.env.cco(["clean"].iter().chain(args))
}

fn worktrees_dir(world: &World) -> PathBuf {
    world.env.home().join(".local/state/cco/worktrees")
}

fn dir_of(world: &World) -> PathBuf {
    worktrees_dir(world).join(SPEC)
}

/// A worktree of a component as a run could have left it.
fn leave_worktree(world: &World, id: &str, commit: &str) -> PathBuf {
    let dir = dir_of(world).join("c").join(id);
    world.git(&["worktree", "add", "--quiet", "--detach", dir.to_str().unwrap(), commit]);
    dir
}

fn refs(world: &World) -> Vec<String> {
    world.git(&["for-each-ref", "--format=%(refname)", "refs/cco"]).lines().map(str::to_owned).collect()
}

/// The worktrees that git knows, but for the user's checkout.
fn known(world: &World) -> Vec<String> {
    let list = world.git(&["worktree", "list", "--porcelain"]);
    list.lines().filter_map(|line| line.strip_prefix("worktree ")).skip(1).map(str::to_owned).collect()
}

fn branches(world: &World) -> String {
    world.git(&["for-each-ref", "--format=%(refname:short)", "refs/heads"])
}

/// Nothing of any run is there, in git or beside it.
#[track_caller]
fn assert_nothing_left(world: &World) {
    assert_eq!(refs(world), Vec::<String>::new());
    assert_eq!(known(world), Vec::<String>::new());
    let git = world.env.work().join(".git");
    let left = |dir: PathBuf| fs::read_dir(dir).map_or(0, |entries| entries.count());
    assert_eq!(left(git.join("worktrees")), 0);
    assert_eq!(left(worktrees_dir(world)), 0);
}

/// The names of one kind of thing in the only spec that is listed, with why each stays.
fn listed(output: &Output, kind: &str, name: &str) -> Vec<(String, Option<String>)> {
    let document = output.json();
    let [spec] = &document["specs"].as_array().unwrap()[..] else { panic!("{output}") };
    let text = |value: &Value| value.as_str().map(str::to_owned);
    spec[kind].as_array().unwrap().iter().map(|it| (text(&it[name]).unwrap(), text(&it["stays"]))).collect()
}

/// The user's own, to the byte.
fn users(world: &World) -> (Vec<u8>, Vec<u8>, Vec<u8>, Vec<u8>, String) {
    let read = |name: &str| fs::read(world.env.work().join(".git").join(name)).unwrap();
    let (index, config, head, log) = (read("index"), read("config"), read("HEAD"), read("logs/HEAD"));
    (
        index,
        config,
        head,
        log,
        world.git(&["for-each-ref", "--format=%(refname) %(objectname)", "refs/heads/main", "refs/stash"]),
    )
}

#[test]
fn what_is_listed_is_what_is_there_and_all_of_it_goes() {
    let world = done();
    write(&world.env.work().join("README"), "stashed");
    world.git(&["stash", "push", "--quiet"]);
    write(&world.env.work().join("README"), "the user's");
    let a = leave_worktree(&world, "a", BRANCH);
    write(&a.join("target/big"), &"x".repeat(100_000));
    write(&world.env.work().join(".git/info/exclude"), "target/\n");
    let before = users(&world);
    let there: BTreeSet<String> = refs(&world).into_iter().collect();
    assert!(!there.is_empty());
    let listing = clean(&world, &[SPEC, "--json"]).exits(0);
    assert_eq!(
        listed(&listing, "refs", "name").into_iter().collect::<BTreeSet<_>>(),
        there.iter().map(|it| (it.clone(), None)).collect()
    );
    assert_eq!(listed(&listing, "worktrees", "of"), [("a".to_owned(), None)]);
    let document = listing.json();
    let spec = &document["specs"][0];
    assert_eq!((&spec["status"], &spec["worktrees"][0]["ignored"]), (&json!("complete"), &json!(true)), "{listing}");
    assert!(spec["worktrees"][0]["bytes"].as_u64().unwrap() >= 100_000, "{listing}");
    assert_eq!((&spec["branch"]["name"], &spec["branch"]["merged"]), (&json!(BRANCH), &json!(false)), "{listing}");
    // Listing removes nothing.
    assert_eq!((refs(&world).len(), known(&world).len(), a.exists()), (there.len(), 1, true));
    let removed = clean(&world, &[SPEC, "-y"]).exits(0);
    assert!(removed.stdout.contains("worktree  a") && removed.stdout.contains("removed"), "{removed}");
    assert_nothing_left(&world);
    assert_eq!(branches(&world), format!("{BRANCH}\nmain"), "what is not merged stays");
    assert_eq!(users(&world), before);
    // The branch is all there is.
    let again = clean(&world, &[SPEC, "-y", "--json"]).exits(0);
    assert_eq!(again.json()["specs"][0]["refs"], json!([]));
    world.ends(&[], 0);
    assert_eq!(world.wrote(), ["a.implement", "b.implement"], "nothing is done again");
}

#[test]
fn the_listing_reads_well() {
    let world = done();
    leave_worktree(&world, "a", BRANCH);
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"[0-9a-f]{12}\b", "[ID]");
    settings.add_filter(r"[0-9.]+ KiB", "[SIZE]");
    settings.bind(|| assert_output!(clean(&world, &[SPEC]), @r"
    exit: 0
    -- stdout
    p/world-[HASH]: complete; [SIZE]
      worktree  a  [SIZE]  [ROOT]/home/.local/state/cco/worktrees/p/world-[HASH]/c/a
      ref       refs/cco/p/world-[HASH]/tip/a  [ID]
      ref       refs/cco/p/world-[HASH]/tip/b  [ID]
      branch    cco/world-[HASH]  [ID]  not merged  stays: the branch that you have checked out does not hold it (--branch)
    -- stderr
    help: nothing was removed; with `--yes` all goes that does not say that it stays
    "));
}

#[test]
fn a_merged_branch_goes_too_and_the_next_run_goes_on_from_where_it_was() {
    let world = done();
    let tip = world.git(&["rev-parse", BRANCH]);
    let _ = world.env.cco(["finish", SPEC, "--merge"]).exits(0);
    let before = users(&world);
    let output = clean(&world, &[SPEC, "-y", "--json"]).exits(0);
    assert_eq!(output.json()["specs"][0]["branch"]["removed"], json!(true), "{output}");
    assert_nothing_left(&world);
    assert_eq!((branches(&world), users(&world)), ("main".to_owned(), before));
    assert_eq!(clean(&world, &[SPEC, "-y"]).exits(0).stdout, "nothing is left\n");
    // An edit: the work goes on from what was there.
    let mut manifest = manifest_of_two();
    manifest["components"][1]["purpose"] = json!("Write it better.");
    world.rewrite(manifest);
    world.play(json!({"steps": {"b.revise": writes("b", "better")}}));
    world.ends(&[], 0);
    assert_eq!((world.file("a.txt"), world.file("b.txt")), ("x".to_owned(), "better".to_owned()));
    assert_eq!(world.git(&["merge-base", &tip, BRANCH]), tip);
    assert_eq!(world.wrote(), ["a.implement", "b.implement", "b.revise"]);
}

#[test]
fn an_unmerged_branch_goes_when_it_is_named_and_never_from_under_somebody() {
    let world = done();
    world.git(&["checkout", "--quiet", BRANCH]);
    let output = clean(&world, &[SPEC, "-y", "--branch", "--force"]).exits(1);
    assert!(output.stdout.contains("checked out in"), "{output}");
    assert!(branches(&world).contains(BRANCH));
    world.git(&["checkout", "--quiet", "main"]);
    let _ = clean(&world, &[SPEC, "-y", "--branch"]).exits(0);
    assert_eq!(branches(&world), "main");
    assert_nothing_left(&world);
}

#[test]
fn what_is_not_complete_keeps_everything_unless_forced() {
    let world = asking();
    let (there, trees) = (refs(&world), known(&world));
    assert!(!there.is_empty() && !trees.is_empty(), "{there:?} {trees:?}");
    let listing = clean(&world, &[SPEC, "--json"]).exits(0);
    assert_eq!(listing.json()["specs"][0]["status"], "incomplete");
    assert!(listed(&listing, "refs", "name").iter().all(|(_, stays)| stays.is_some()), "{listing}");
    for args in [&[SPEC, "-y"][..], &[SPEC, "-y", "--branch"]] {
        let output = clean(&world, args).exits(1);
        assert!(output.stdout.contains("stays: the spec is not complete"), "{output}");
    }
    // Among all others it is left alone whatever is forced, and that is no failure.
    let _ = clean(&world, &["--all", "-y", "--force"]).exits(0);
    assert_eq!((refs(&world), known(&world)), (there, trees));
    assert!(branches(&world).contains(BRANCH));
    let _ = clean(&world, &[SPEC, "-y", "--force", "--branch"]).exits(0);
    assert_nothing_left(&world);
    assert_eq!(branches(&world), "main");
}

#[test]
fn what_belongs_to_a_component_that_was_left_out_stays() {
    let world = asking();
    world.tells(&["q1", "skip"]);
    world.ends(&[], 1);
    let output = clean(&world, &[SPEC, "-y", "--json"]).exits(1);
    assert_eq!(output.json()["specs"][0]["status"], "complete", "{output}");
    let of_b = |name: &str| name.contains("/b");
    for (name, stays) in listed(&output, "refs", "name") {
        assert_eq!(stays.is_some(), of_b(&name), "{name}: {stays:?}");
    }
    assert!(!refs(&world).is_empty() && refs(&world).iter().all(|name| of_b(name)), "{:?}", refs(&world));
    assert_eq!(known(&world), [dir_of(&world).join("c/b").to_str().unwrap()]);
    let _ = clean(&world, &[SPEC, "-y", "--force"]).exits(0);
    assert_nothing_left(&world);
}

#[test]
fn what_no_commit_holds_stays_unless_forced() {
    let ids = ["ahead", "dirty", "idle", "new", "strange"];
    let steps: serde_json::Map<_, _> = ids.iter().map(|id| (format!("{id}.*"), writes(id, "x"))).collect();
    let components = ids.iter().map(|id| component(id, &[])).collect();
    let world = World::new(manifest(components), json!({"steps": steps}));
    world.ends(&[], 0);
    leave_worktree(&world, "removed", BRANCH);
    let dirty = leave_worktree(&world, "dirty", BRANCH);
    write(&dirty.join("idle.txt"), "changed");
    let new = leave_worktree(&world, "new", BRANCH);
    write(&new.join("new file"), "new");
    let ahead = leave_worktree(&world, "ahead", BRANCH);
    let commit = ["-c", "user.name=x", "-c", "user.email=x", "commit", "--quiet", "--allow-empty", "-m", "mine"];
    world.git(&[&["-C", ahead.to_str().unwrap()][..], &commit].concat());
    leave_worktree(&world, "idle", BRANCH);
    // Of no component that the manifest has; and what is no worktree.
    write(&dir_of(&world).join("c/strange/file"), "whose?");
    write(&dir_of(&world).join(".aside/a-interrupted.patch"), "a patch");
    let expected = ["ahead", "dirty", "new", "removed", "strange"];
    let output = clean(&world, &[SPEC, "-y", "--json"]).exits(1);
    let stays: Vec<_> = listed(&output, "worktrees", "of").into_iter().filter(|(_, stays)| stays.is_some()).collect();
    let names: Vec<&str> = stays.iter().map(|(of, _)| of.as_str()).collect();
    assert_eq!(names, expected, "{output}");
    assert_eq!(listed(&output, "others", "path").len(), 1, "{output}");
    assert_eq!(fs::read_to_string(dirty.join("idle.txt")).unwrap(), "changed");
    assert!(new.join("new file").exists() && ahead.exists() && dir_of(&world).join("c/strange/file").exists());
    assert!(!dir_of(&world).join("c/idle").exists() && dir_of(&world).join(".aside").exists());
    let _ = clean(&world, &[SPEC, "-y", "--force"]).exits(0);
    assert_nothing_left(&world);
}

#[test]
fn what_is_to_be_torn_down_is_before_its_worktree_goes() {
    let mut manifest = manifest_of_two();
    // One that leaves somebody behind, and one that fails and keeps nothing.
    manifest["execution"]["teardown"] =
        json!(["echo \"$CCO_COMPONENT $CCO_SLOT $(cat a.txt)\" >> \"$NOTES\"; (sleep 1000 &)", "exit 3"]);
    let world = World::new(manifest, json!({"steps": {"a.*": writes("a", "x"), "b.*": writes("b", "x")}}));
    world.ends(&[], 0);
    assert_eq!(world.noted(), ["a 1 x", "b 2 x"], "by the run itself");
    leave_worktree(&world, "b", BRANCH);
    let mut command = world.env.command(["clean", SPEC, "-y"]);
    let output = world.env.run(command.env("NOTES", world.notes())).exits(0);
    assert_eq!(world.noted(), ["a 1 x", "b 2 x", "b 2 x"]);
    assert!(output.stderr.contains("the teardown command `exit 3` of b failed"), "{output}");
    assert_nothing_left(&world);
    world.assert_nothing_left();
}

#[test]
fn of_all_specs_the_finished_and_the_gone_are_cleared() {
    let world = done();
    let dir = leave_worktree(&world, "a", BRANCH);
    write(&world.env.store().join("p/broken-00000001/manifest.json"), "{");
    let spec = world.env.root().join("moved");
    fs::rename(&world.spec, &spec).unwrap();
    // Gone: its worktrees go, what its commits are kept by stays.
    write(&dir.join("a.txt"), "changed");
    let there = refs(&world);
    let output = clean(&world, &["--all", "-y", "--json"]).exits(1);
    let document = output.json();
    let status: Vec<&str> =
        document["specs"].as_array().unwrap().iter().map(|it| it["status"].as_str().unwrap()).collect();
    assert_eq!(status, ["unreadable", "gone"], "{output}");
    assert_eq!(fs::read_to_string(dir.join("a.txt")).unwrap(), "changed");
    write(&dir.join("a.txt"), "x");
    let _ = clean(&world, &["--all", "-y"]).exits(1);
    assert_eq!((known(&world), refs(&world)), (Vec::new(), there));
    // It is back: a finished one.
    fs::rename(&spec, &world.spec).unwrap();
    let _ = clean(&world, &["--all", "-y"]).exits(0);
    assert_nothing_left(&world);
    assert!(branches(&world).contains(BRANCH));
}

#[test]
fn what_is_left_of_a_spec_that_is_gone_goes_by_force() {
    let world = done();
    leave_worktree(&world, "a", BRANCH);
    fs::remove_dir_all(&world.spec).unwrap();
    // One of which nothing is known.
    write(&worktrees_dir(&world).join("q/old-00000000/c/x/file"), "whose?");
    let output = clean(&world, &["--all", "-y"]).exits(1);
    assert!(output.stdout.contains("q/old-00000000: nobody knows whose"), "{output}");
    assert!(worktrees_dir(&world).join("q/old-00000000/c/x/file").exists());
    let _ = clean(&world, &["--all", "-y", "--force"]).exits(0);
    assert_nothing_left(&world);
}

#[test]
fn a_spec_that_is_kept_elsewhere_is_not_gone() {
    let world = done();
    let dir = leave_worktree(&world, "a", BRANCH);
    let other = world.env.root().join("other store");
    fs::create_dir_all(&other).unwrap();
    let output = clean(&world, &["--all", "-y", "--force", "--store", other.to_str().unwrap()]).exits(0);
    assert_eq!(output.stdout, "nothing is left\n");
    assert!(dir.exists() && !refs(&world).is_empty());
}
