//! Tasks that would write the same file at the same time: they are made to wait for each other, and that is told.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

use super::draft::Task;
use super::files::is_glob;
use super::loss::{Code, Losses};
use super::names::Names;
use super::order::Graph;
use crate::diagnostic::visible;
use crate::text::elide_middle;

/// How many steps are made at most to see whether one task waits for another already. Beyond that it is made to wait, and told
/// so: a dependency too many does no harm.
const MOST_STEPS: usize = 5_000_000;

/// Lets the later one of two wait for the earlier one wherever both may write the same file and neither waits for the other.
///
/// The order is one in which all dependencies point backwards, so that no cycle can come of it. Tasks in or behind a cycle
/// have no place in it; the cycle is told of instead.
pub(super) fn serialise(tasks: &[Task], names: &Names, graph: &mut Graph, losses: &mut Losses) {
    let order = in_order(&graph.dependencies);
    let mut ranks = vec![u32::MAX; graph.nodes.len()];
    for (rank, node) in order.iter().enumerate() {
        ranks[*node as usize] = rank as u32;
    }
    let mut writers = Writers::default();
    let mut search = Search { ranks: &ranks, known: HashSet::new(), steps: MOST_STEPS };
    for &node in &order {
        let task = &tasks[graph.nodes[node as usize]];
        for file in &task.files {
            for earlier in writers.before(root(&file.path), node) {
                let waits = search.waits(graph, node, earlier);
                if waits == Some(true) {
                    continue;
                }
                graph.dependencies[node as usize].push(earlier);
                search.known.insert((node, earlier));
                report(
                    tasks,
                    names,
                    [graph.nodes[earlier as usize], graph.nodes[node as usize]],
                    &file.path,
                    waits,
                    losses,
                );
            }
        }
    }
    for own in &mut graph.dependencies {
        own.sort_unstable();
        own.dedup();
    }
}

fn report(tasks: &[Task], names: &Names, pair: [usize; 2], path: &str, waits: Option<bool>, losses: &mut Losses) {
    let [earlier, later] = pair;
    let [first, second] = [earlier, later].map(|task| visible(names.id(tasks, task)).into_owned());
    let path = visible(&elide_middle(path, 80)).into_owned();
    let message = if tasks[earlier].parallel && tasks[later].parallel {
        format!("`{first}` and `{second}` are marked [P] and both write `{path}`")
    } else if waits.is_none() {
        format!(
            "`{first}` and `{second}` may both write `{path}`; too many tasks to see whether one waits for the other"
        )
    } else {
        format!("`{first}` and `{second}` may both write `{path}`, and neither waits for the other")
    };
    losses.changed(Code::SameFile, tasks[later].place, message, format!("`{second}` waits for `{first}`"));
}

/// The nodes that are on and behind no cycle, dependencies first, otherwise as they come.
fn in_order(dependencies: &[Vec<u32>]) -> Vec<u32> {
    let mut waiting: Vec<usize> = dependencies.iter().map(Vec::len).collect();
    let mut dependents: Vec<Vec<u32>> = vec![Vec::new(); dependencies.len()];
    for (node, own) in dependencies.iter().enumerate() {
        for dependency in own {
            dependents[*dependency as usize].push(node as u32);
        }
    }
    let ready = (0..dependencies.len() as u32).filter(|node| waiting[*node as usize] == 0);
    let mut ready: BinaryHeap<Reverse<u32>> = ready.map(Reverse).collect();
    let mut order = Vec::with_capacity(dependencies.len());
    while let Some(Reverse(node)) = ready.pop() {
        order.push(node);
        for &dependent in &dependents[node as usize] {
            waiting[dependent as usize] -= 1;
            if waiting[dependent as usize] == 0 {
                ready.push(Reverse(dependent));
            }
        }
    }
    order
}

/// Looks who waits for whom.
struct Search<'r> {
    ranks: &'r [u32],
    /// Who was found to wait for whom: the next in a row of tasks is found at its first step.
    known: HashSet<(u32, u32)>,
    steps: usize,
}

impl Search<'_> {
    /// Whether `from` waits for `to`, at once or through others; `None` once the steps are used up. Dependencies lead to lower
    /// ranks only.
    fn waits(&mut self, graph: &Graph, from: u32, to: u32) -> Option<bool> {
        let floor = self.ranks[to as usize];
        let mut seen = HashSet::new();
        let mut open = vec![from];
        while let Some(node) = open.pop() {
            for &next in &graph.dependencies[node as usize] {
                if next == to || self.known.contains(&(next, to)) {
                    self.known.insert((from, to));
                    return Some(true);
                }
                if self.steps == 0 {
                    return None;
                }
                self.steps -= 1;
                if self.ranks[next as usize] > floor && seen.insert(next) {
                    open.push(next);
                }
            }
        }
        Some(false)
    }
}

/// The path itself; of a glob the fixed directory that it begins with.
fn root(path: &str) -> &str {
    match path.find(['*', '?', '{']).filter(|_| is_glob(path)) {
        Some(wild) => path[..wild].rsplit_once('/').map_or("", |(directory, _)| directory),
        None => path,
    }
}

/// Who wrote what so far.
#[derive(Default)]
struct Writers<'t> {
    /// The last that may write all at and below a path.
    at: HashMap<&'t str, u32>,
    /// Those that write something below a directory, since the last that may write all of it.
    below: HashMap<&'t str, Vec<u32>>,
}

impl<'t> Writers<'t> {
    /// Enters `node` as one that writes `path`; answers with those before it that may write the same.
    fn before(&mut self, path: &'t str, node: u32) -> Vec<u32> {
        let mut earlier = self.below.remove(path).unwrap_or_default();
        earlier.extend(above(path).filter_map(|directory| self.at.get(directory)));
        self.at.insert(path, node);
        for directory in above(path).skip(1) {
            let below = self.below.entry(directory).or_default();
            if below.last() != Some(&node) {
                below.push(node);
            }
        }
        earlier.retain(|other| *other != node);
        earlier.sort_unstable();
        earlier.dedup();
        earlier
    }
}

/// `path` and the directories above it, up to the whole.
fn above(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| (!path.is_empty()).then(|| path.rsplit_once('/').map_or("", |(up, _)| up)))
}
