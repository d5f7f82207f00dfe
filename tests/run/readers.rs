//! Reviewers that change what they may only read: with an answer, without one, and by a commit.

use cco::lifecycle::event::{AttemptEnd, Event, Trouble};
use serde_json::{Value, json};

use crate::world::{BRANCH, World, component, manifest, writes};

/// One component and one reviewer, who does `first` when he is asked for the first time.
fn world(first: Value) -> World {
    let mut manifest = manifest(vec![component("a", &[])]);
    manifest["execution"]["reviewers"] = json!(1);
    World::new(manifest, json!({"steps": {"a.implement": writes("a", "good"), "a.review:0": [first, {}]}}))
}

/// The files of the branch that nobody was to write.
fn strange(world: &World) -> String {
    let files = world.git(&["ls-tree", "-r", "--name-only", BRANCH]);
    files.lines().filter(|file| !["README", "a.txt"].contains(file)).collect()
}

fn first_end(world: &World) -> AttemptEnd {
    world.ended().into_iter().find(|(name, _)| name == "a.review:0-1").unwrap().1
}

fn noted(world: &World, part: &str) -> bool {
    world.has(|event| matches!(event, Event::Noted { text, .. } if text.contains(part)))
}

#[test]
fn the_word_of_one_that_wrote_does_not_count() {
    let world = world(json!({"actions": [{"write": {"path": "a.txt", "text": "meddled"}}]}));
    world.ends(&[], 0);
    let AttemptEnd::Failed { class, message, .. } = first_end(&world) else { panic!("{:?}", first_end(&world)) };
    assert!(class == Trouble::Meddled && message.contains("a.txt"), "{class:?}: {message}");
    assert_eq!(world.started()[2..4], ["a.review:0-1", "a.review:0-2"]);
    assert_eq!((world.file("a.txt").as_str(), strange(&world).as_str()), ("good", ""));
}

#[test]
fn what_one_changed_who_did_not_answer_is_undone_too() {
    for fault in [json!("no_answer"), json!({"exit": {"code": 3}})] {
        let world = world(json!({"actions": [{"write": {"path": "new.txt", "text": "meddled"}}], "fault": fault}));
        world.ends(&[], 0);
        assert!(matches!(first_end(&world), AttemptEnd::Failed { class, .. } if class != Trouble::Meddled));
        assert_eq!(strange(&world), "", "{fault}");
        assert!(noted(&world, "it may only read, and `new.txt` changed"), "{fault}");
    }
}

#[test]
fn a_commit_is_taken_back_and_kept() {
    let commit = "echo meddled > a.txt && git -c user.name=x -c user.email=x commit --quiet -a -m meddled";
    let world = world(json!({"actions": [{"run": {"cmd": commit}}]}));
    world.ends(&[], 0);
    assert!(matches!(first_end(&world), AttemptEnd::Failed { class: Trouble::Meddled, .. }), "{:?}", first_end(&world));
    assert!(!world.git(&["log", "--format=%s", BRANCH]).contains("meddled"));
    assert_eq!((world.file("a.txt").as_str(), strange(&world).as_str()), ("good", ""));
    assert!(world.git(&["log", "--format=%s", "--glob=refs/cco/p/world-00000000/agent"]).contains("meddled"));
}
