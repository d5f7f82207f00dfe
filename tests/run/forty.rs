//! An edit of one of forty components: what is done again, and that it is no more.

use std::collections::BTreeSet;
use std::fs;

use cco::lifecycle::event::{Event, Redo, StaleReason};
use serde_json::{Value, json};

use crate::env::write;
use crate::world::{World, manifest};

const COUNT: usize = 40;
/// The one that is edited; those that depend on it are its consumers, and nobody else.
const EDITED: &str = "k07";
const CONSUMERS: [&str; 3] = ["k20", "k21", "k22"];
/// It depends on a consumer only.
const FURTHER: &str = "k30";

fn ids() -> Vec<String> {
    (0..COUNT).map(|n| format!("k{n:02}")).collect()
}

fn forty() -> Value {
    let component = |id: String| {
        let depends_on = match &*id {
            it if CONSUMERS.contains(&it) => vec![EDITED],
            FURTHER => vec!["k21"],
            "k08" | "k09" => vec!["k01"],
            _ => vec![],
        };
        json!({
            "id": id, "file": format!("{id}.txt"), "complexity": "low", "purpose": "Write it.", "depends_on": depends_on,
            "checks": [{"name": id, "run": format!("echo $CCO_COMPONENT >> $NOTES; test -s {id}.txt")}],
        })
    };
    let mut manifest = manifest(ids().into_iter().map(component).collect());
    manifest["execution"]["max_parallel"] = json!(8);
    manifest
}

fn writes(word: &str) -> Value {
    let step = |id: String| {
        let actions = json!([{"write": {"path": format!("{id}.txt"), "text": format!("{id} {word}\n")}}]);
        (format!("{id}.*"), json!({"actions": actions}))
    };
    json!({"steps": ids().into_iter().map(step).collect::<serde_json::Map<_, _>>()})
}

/// What one run does: agents that were started, components whose commands were, and what had gone stale.
#[derive(Debug, PartialEq)]
struct Done {
    agents: Vec<String>,
    checked: BTreeSet<String>,
    stale: Vec<(String, StaleReason, Redo)>,
}

impl Done {
    fn of(world: &World) -> Self {
        let (started, events) = (world.started().len(), world.events().len());
        world.ends(&[], 0);
        let started: Vec<String> = world.started().into_iter().skip(started).collect();
        let (checks, agents): (Vec<_>, Vec<_>) = started.into_iter().partition(|name| name.contains(".check:"));
        let of = |name: &String| name.split('.').next().unwrap().to_owned();
        let stale = world.events().into_iter().skip(events).filter_map(|event| match event {
            Event::WentStale { on, why, redo, .. } => Some((on.to_string(), why, redo)),
            _ => None,
        });
        Self {
            agents,
            checked: checks.iter().map(of).filter(|on| on != "@run").collect(),
            stale: stale.filter(|(on, ..)| on != "@run").collect(),
        }
    }

    fn stale_ids(&self) -> BTreeSet<&str> {
        self.stale.iter().map(|(on, ..)| on.as_str()).collect()
    }
}

fn edited() -> Value {
    let mut manifest = forty();
    manifest["components"][7]["purpose"] = json!("Write it well.");
    manifest
}

#[test]
#[expect(clippy::print_stderr, reason = "a figure to be read, not asserted")]
fn an_edit_of_one_of_forty_redoes_that_one_and_validates_its_true_consumers() {
    let world = World::new(forty(), writes("first"));
    world.ends(&[], 0);
    let revised = (EDITED.to_owned(), StaleReason::Input, Redo::Revise);
    let tree = world.tree();

    // Nothing edited: nothing is done, no agent and no command is started, and no record is written.
    let (journal, noted) = (fs::read(world.paths().journal()).unwrap(), world.noted());
    world.ends(&[], 0);
    assert_eq!((fs::read(world.paths().journal()).unwrap(), world.noted()), (journal.clone(), noted.clone()));

    // A gotcha goes into every prompt, and redoes nothing.
    let mut gotcha = forty();
    gotcha["gotchas"] = json!(["mind the gap"]);
    world.rewrite(gotcha);
    world.ends(&[], 0);
    assert_eq!((fs::read(world.paths().journal()).unwrap(), world.noted()), (journal, noted));

    // An edit whose revise step finds nothing to change touches no consumer.
    world.rewrite(edited());
    let done = Done::of(&world);
    assert_eq!((&done.agents[..], &done.stale[..]), (&[format!("{EDITED}.revise-1")][..], &[revised.clone()][..]));
    assert_eq!(done.checked, BTreeSet::from([EDITED.to_owned()]));
    assert_eq!(world.tree(), tree);

    // One that changes its file: those that depend on it are validated, and no one else.
    let mut again = edited();
    again["components"][7]["notes"] = json!("Another word.");
    world.rewrite(again);
    world.play(writes("second"));
    let done = Done::of(&world);
    assert_eq!(done.agents, [format!("{EDITED}.revise-2")]);
    assert_eq!(done.stale[0], revised);
    let consumers: BTreeSet<&str> = CONSUMERS.iter().chain([&EDITED]).copied().collect();
    assert_eq!(done.stale_ids(), consumers, "{:?}", done.stale);
    assert_eq!(done.checked.iter().map(String::as_str).collect::<BTreeSet<_>>(), consumers);
    assert_eq!(world.git(&["diff", "--name-only", &tree, &world.tree()]), format!("{EDITED}.txt"));
    eprintln!("of {COUNT}: {} agent, {} components checked again", done.agents.len(), done.checked.len());

    // Its context file is input too.
    write(&world.spec.join(format!("components/{EDITED}.md")), "Mind the gap.");
    let done = Done::of(&world);
    assert_eq!((done.agents, done.stale), (vec![format!("{EDITED}.revise-3")], vec![revised]));
    assert_eq!(done.checked, BTreeSet::from([EDITED.to_owned()]));
}
