//! What may run together, as the plan decided it when it was made; and what of it meets in its files.

use std::fmt::Write as _;
use std::path::Path;

use serde::Serialize;

use crate::cli::opened::Opened;
use crate::plan::Schedule;
use crate::plan::graph::Index;
use crate::spec::cycles::Order;
use crate::spec::writeset::{WriteSet, overlaps};
use crate::text::{one_line, plural};

/// So many levels, places and ids of one line are shown; of more, their number.
const LEVELS: usize = 12;
const PLACES: usize = 10;
const IDS: usize = 8;

/// What may run together, of what is to be done.
#[derive(Debug, Serialize)]
pub struct Together {
    /// How many agents run at once, at most.
    at_most: u32,
    /// Whether a level begins only once the one before is through.
    levels_bind: bool,
    /// By level: components of one level never depend on each other.
    groups: Vec<Group>,
    /// Where components that do not wait for each other may change the same files.
    meeting: Vec<Place>,
}

#[derive(Debug, Serialize)]
struct Group {
    level: u32,
    components: Vec<String>,
}

/// Files that several may change.
#[derive(Debug, Serialize)]
struct Place {
    /// The path, or the globs that may mean the same file.
    path: String,
    components: Vec<String>,
    then: Then,
}

/// What is done about components that meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Then {
    /// No two of them write at the same time, since all share one directory.
    Apart,
    /// They run together, each in its own worktree; who lands later merges what the other did.
    Merged,
}

impl Together {
    /// Of the components of `todo`, in their order.
    pub fn of(opened: &Opened, todo: &[Index]) -> Self {
        let plan = &opened.plan;
        let serial = plan.schedule == Schedule::Serial;
        let mut groups: Vec<Group> = Vec::new();
        let mut by_level = todo.to_vec();
        by_level.sort_by_key(|&at| plan.graph.level(at));
        for at in by_level {
            let (level, id) = (plan.graph.level(at), plan.component(at).id.to_string());
            match groups.last_mut().filter(|group| group.level == level && !serial) {
                Some(group) => group.components.push(id),
                None => groups.push(Group { level, components: vec![id] }),
            }
        }
        let meeting = if serial { Vec::new() } else { meeting(opened, todo) };
        Self {
            at_most: if serial { 1 } else { plan.policy.jobs },
            levels_bind: plan.schedule == Schedule::Levels,
            groups,
            meeting,
        }
    }

    /// The part of `-n` for people: nothing where no two could run together.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let wide = self.groups.iter().any(|group| group.components.len() > 1);
        if !wide || self.at_most < 2 {
            return out;
        }
        let bind = if self.levels_bind { "" } else { ", each as soon as what it depends on is complete" };
        let _ = writeln!(out, "together, {} at once at most{bind}:", plural(self.at_most as usize, "agent"));
        for group in self.groups.iter().take(LEVELS) {
            let _ = writeln!(out, "  level {}: {}", group.level, some(&group.components));
        }
        if let Some(more) = self.groups.len().checked_sub(LEVELS).filter(|more| *more > 0) {
            let _ = writeln!(out, "  and {}", plural(more, "more level"));
        }
        for place in self.meeting.iter().take(PLACES) {
            let (path, ids) = (one_line(&place.path), some(&place.components));
            let _ = match place.then {
                Then::Apart => writeln!(out, "never at the same time, since they may all write `{path}`: {ids}"),
                Then::Merged => {
                    writeln!(out, "merged when the later one lands, since they may all write `{path}`: {ids}")
                }
            };
        }
        if let Some(more) = self.meeting.len().checked_sub(PLACES).filter(|more| *more > 0) {
            let _ = writeln!(out, "and they meet at {}", plural(more, "more place"));
        }
        out
    }
}

/// The first of some ids, and how many there are more.
fn some(ids: &[String]) -> String {
    match ids.len().checked_sub(IDS) {
        None | Some(0) => ids.join(", "),
        Some(more) => format!("{} and {more} more", ids[..IDS].join(", ")),
    }
}

/// Where write sets meet, but for files that any component may change and components that wait for each other.
fn meeting(opened: &Opened, todo: &[Index]) -> Vec<Place> {
    let manifest = &opened.spec.manifest;
    let set = |at: &Index| WriteSet::new(manifest.components[*at as usize].write_patterns()).unwrap_or_default();
    let sets: Vec<WriteSet> = todo.iter().map(set).collect();
    let shared = manifest.shared_files();
    let shared = WriteSet::new(shared.iter().map(|file| file.path.as_str())).unwrap_or_default();
    let mut order = Order::new(&opened.spec.dependencies);
    let one_tree = opened.plan.one_tree;
    let mut places = Vec::new();
    for overlap in overlaps(&sets) {
        let mut at: Vec<Index> = overlap.sets.iter().map(|&place| todo[place]).collect();
        at.sort_unstable();
        let ordered: Vec<usize> = at.iter().map(|&at| at as usize).collect();
        // In one directory a shared file is kept from being written at the same time too.
        if (!one_tree && shared.matches(Path::new(&overlap.path))) || order.is_chain(&ordered) {
            continue;
        }
        let components = at.iter().map(|&at| opened.plan.component(at).id.to_string()).collect();
        places.push(Place { path: overlap.path, components, then: if one_tree { Then::Apart } else { Then::Merged } });
    }
    places
}
