//! Which component waits for which.

use super::draft::{Standing, Task};
use super::loss::{Code, Losses};
use super::names::{Meaning, Names};
use super::{ImportError, MAX_DEPENDENCIES};
use crate::diagnostic::visible;
use crate::spec::cycles;
use crate::spec::nearest::nearest;
use crate::text::elide_end;

/// For at most so many unknown dependencies the nearest id is looked for: each search looks at all ids.
const MOST_SUGGESTIONS: usize = 20;
/// Cycles with more components than this are shown with their middle left out.
const LONGEST_SHOWN: usize = 12;
/// How many steps are made at most to find dependencies that follow from others.
const REDUCTION: usize = 5_000_000;

/// The components and what they wait for.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// The task of each component.
    pub nodes: Vec<usize>,
    /// For each component the numbers of those that it waits for, ascending.
    pub dependencies: Vec<Vec<u32>>,
    /// Whether some wait for each other.
    pub cyclic: bool,
}

/// Makes the graph of all components; tells of dependencies on nothing, on oneself, and of cycles.
pub(super) fn build(tasks: &[Task], names: &Names, losses: &mut Losses) -> Result<Graph, ImportError> {
    let nodes: Vec<usize> = (0..tasks.len()).filter(|task| names.component(*task).is_some()).collect();
    let mut node_of: Vec<Option<u32>> = vec![None; tasks.len()];
    for (node, task) in nodes.iter().enumerate() {
        node_of[*task] = Some(node as u32);
    }
    let needs = needs(tasks, names, losses);
    let mut count = 0;
    let mut dependencies = Vec::with_capacity(nodes.len());
    for (node, &task) in nodes.iter().enumerate() {
        let mut own = Vec::new();
        let mut gather = |waits_for: &[usize]| {
            count += waits_for.len();
            own.extend(waits_for.iter().filter_map(|task| node_of[*task]));
            if count > MAX_DEPENDENCIES { Err(ImportError::TooDense) } else { Ok(()) }
        };
        gather(&tasks[task].after)?;
        let mut of = Some(task);
        while let Some(at) = of {
            for &need in &needs[at] {
                let parts = &tasks[need].parts;
                gather(if parts.is_empty() { std::slice::from_ref(&need) } else { parts })?;
            }
            of = tasks[at].within;
        }
        own.sort_unstable();
        own.dedup();
        own.retain(|other| *other as usize != node);
        dependencies.push(own);
    }
    let cyclic = spell_cycles(tasks, names, &nodes, &dependencies, losses);
    Ok(Graph { nodes, dependencies, cyclic })
}

/// The tasks that each open task says that it waits for.
fn needs(tasks: &[Task], names: &Names, losses: &mut Losses) -> Vec<Vec<usize>> {
    let mut suggestions = 0;
    let mut all = Vec::with_capacity(tasks.len());
    for (number, task) in tasks.iter().enumerate() {
        let mut own = Vec::new();
        let open = if task.standing == Standing::Open { task.needs.as_slice() } else { &[] };
        for need in open {
            let id = visible(names.id(tasks, number)).into_owned();
            let wanted = visible(&elide_end(&need.text, 60)).into_owned();
            match names.resolve(need) {
                Meaning::Task(other) if other == number || is_within(tasks, number, other) => {
                    let message = format!("`{id}` depends on itself, as `{wanted}`");
                    losses.dropped(Code::SelfDependency, need.place, message, "left out");
                }
                // What is done is not waited for; it has a line of its own.
                Meaning::Task(other) if tasks[other].standing == Standing::Open => own.push(other),
                Meaning::Task(_) => {}
                Meaning::Several => {
                    let message = format!("`{id}` depends on `{wanted}`, and several tasks go by that");
                    losses.dropped(Code::Ambiguous, need.place, message, "left out");
                }
                Meaning::Nothing => {
                    // Any two numbers are near each other.
                    suggestions += usize::from(need.text.contains(char::is_alphabetic));
                    let ids = || tasks.iter().map(|task| task.id.as_str()).filter(|id| *id != task.id);
                    let meant = (suggestions <= MOST_SUGGESTIONS && need.text.contains(char::is_alphabetic))
                        .then(|| nearest(&need.text, ids()))
                        .flatten();
                    let meant = meant.map(|meant| format!(" (`{}` is)", visible(meant))).unwrap_or_default();
                    let message = format!("`{id}` depends on `{wanted}`, which is not there{meant}");
                    losses.dropped(Code::Dangling, need.place, message, "left out");
                }
            }
        }
        all.push(own);
    }
    all
}

/// Whether `task` is a part of `other`.
fn is_within(tasks: &[Task], task: usize, other: usize) -> bool {
    std::iter::successors(tasks[task].within, |above| tasks[*above].within).any(|above| above == other)
}

/// Tells of every cycle. Answers whether there is one.
fn spell_cycles(
    tasks: &[Task],
    names: &Names,
    nodes: &[usize],
    dependencies: &[Vec<u32>],
    losses: &mut Losses,
) -> bool {
    let found = cycles::find(dependencies);
    let action = "kept: the manifest is not valid until one of these dependencies is taken out";
    for path in &found.paths {
        let id = |node: &u32| names.id(tasks, nodes[*node as usize]);
        let spelled: Vec<&str> = path.iter().chain(path.first()).map(id).collect();
        let spelled = if spelled.len() <= LONGEST_SHOWN {
            spelled.join(" -> ")
        } else {
            let (head, tail) = (&spelled[..6], &spelled[spelled.len() - 4..]);
            format!("{} -> … {} more … -> {}", head.join(" -> "), spelled.len() - 10, tail.join(" -> "))
        };
        let place = path.first().map(|node| tasks[nodes[*node as usize]].place).unwrap_or_default();
        losses.kept(Code::Cycle, place, format!("a cycle: {spelled}"), action);
    }
    if found.more > 0 {
        losses.kept(Code::Cycle, Default::default(), format!("{} more cycles", found.more), action);
    }
    !found.is_empty()
}

/// Takes out dependencies that follow from others: what is meant stays the same.
pub(super) fn reduce(graph: &mut Graph) {
    if graph.cyclic {
        return;
    }
    for (node, implied, _) in cycles::implied(&graph.dependencies, REDUCTION) {
        graph.dependencies[node as usize].retain(|other| *other != implied);
    }
}
