//! Cycles of a dependency graph.

use std::collections::HashSet;

/// At most so many cycles are spelled out.
const MOST_CYCLES: usize = 100;
/// At most so many nodes are spelled out in all of them together.
const MOST_NODES: usize = 1_000_000;

/// What stands in the way of an order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cycles {
    /// Each as the nodes along it, in the direction of dependency, beginning with its lowest; the last depends on the first.
    pub paths: Vec<Vec<u32>>,
    /// How many more there are.
    pub more: usize,
}

impl Cycles {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }
}

/// A node's part in the search.
#[derive(Clone, Copy, PartialEq)]
enum Mark {
    New,
    /// On the path, at this depth.
    Open(u32),
    Done,
}

/// Finds cycles in a graph given as the dependencies of each node: one for each edge that leads back on a path of a depth-first
/// search, so at least one in every knot, and none is left when each found one is broken at its last edge. Linear in the graph.
pub fn find(dependencies: &[Vec<u32>]) -> Cycles {
    let mut marks = vec![Mark::New; dependencies.len()];
    let mut cycles = Cycles::default();
    let mut spelled = 0;
    for root in 0..dependencies.len() as u32 {
        if marks[root as usize] != Mark::New {
            continue;
        }
        // The path so far, each node with how many of its dependencies were followed. No recursion: paths can be 100,000 long.
        let mut path: Vec<(u32, usize)> = vec![(root, 0)];
        marks[root as usize] = Mark::Open(0);
        while let Some((node, followed)) = path.last_mut() {
            let Some(&next) = dependencies[*node as usize].get(*followed) else {
                marks[*node as usize] = Mark::Done;
                path.pop();
                continue;
            };
            *followed += 1;
            match marks[next as usize] {
                Mark::New => {
                    marks[next as usize] = Mark::Open(path.len() as u32);
                    path.push((next, 0));
                }
                Mark::Open(depth) => {
                    let length = path.len() - depth as usize;
                    if cycles.paths.len() < MOST_CYCLES && spelled + length <= MOST_NODES {
                        spelled += length;
                        cycles.paths.push(from_lowest(path[depth as usize..].iter().map(|&(node, _)| node)));
                    } else {
                        cycles.more += 1;
                    }
                }
                Mark::Done => {}
            }
        }
    }
    cycles.paths.sort_unstable();
    cycles
}

/// The cycle, turned so that its lowest node comes first.
fn from_lowest(nodes: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut cycle: Vec<u32> = nodes.collect();
    let lowest = cycle.iter().enumerate().min_by_key(|&(_, node)| *node).map_or(0, |(at, _)| at);
    cycle.rotate_left(lowest);
    cycle
}

/// Depth of each node: the length of its longest dependency path. Nodes on or behind a cycle are left out (`None`).
pub fn depths(dependencies: &[Vec<u32>]) -> Vec<Option<u32>> {
    let mut waiting: Vec<u32> = dependencies.iter().map(|of| of.len() as u32).collect();
    let mut dependents: Vec<Vec<u32>> = vec![Vec::new(); dependencies.len()];
    for (node, of) in dependencies.iter().enumerate() {
        for &dependency in of {
            dependents[dependency as usize].push(node as u32);
        }
    }
    let mut depths = vec![None; dependencies.len()];
    let mut ready: Vec<u32> = (0..dependencies.len() as u32).filter(|&node| waiting[node as usize] == 0).collect();
    while let Some(node) = ready.pop() {
        let below = dependencies[node as usize].iter().filter_map(|&d| depths[d as usize]).max();
        depths[node as usize] = Some(below.map_or(0, |depth: u32| depth + 1));
        for &dependent in &dependents[node as usize] {
            waiting[dependent as usize] -= 1;
            if waiting[dependent as usize] == 0 {
                ready.push(dependent);
            }
        }
    }
    depths
}

/// Dependencies that follow from another dependency of the same node: `(node, implied, through)`.
///
/// Exact as long as the search stays within `budget` edges; what lies beyond is not reported, as this is advice and must not
/// cost more than the rest of the program.
pub fn implied(dependencies: &[Vec<u32>], budget: usize) -> Vec<(u32, u32, u32)> {
    let depths = depths(dependencies);
    let depth = |node: u32| depths[node as usize].unwrap_or(0);
    let mut left = budget;
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let mut stack = Vec::new();
    for (node, of) in dependencies.iter().enumerate() {
        let Some(lowest) = of.iter().map(|&d| depth(d)).min() else { continue };
        for &through in of.iter().filter(|&&d| depth(d) > lowest) {
            seen.clear();
            stack.push(through);
            while let Some(at) = stack.pop() {
                for &next in &dependencies[at as usize] {
                    if left == 0 {
                        return found;
                    }
                    left -= 1;
                    if depth(next) >= lowest && seen.insert(next) {
                        stack.push(next);
                    }
                }
            }
            found.extend(of.iter().filter(|d| seen.contains(d)).map(|&d| (node as u32, d, through)));
        }
    }
    found.sort_unstable();
    found.dedup_by_key(|&mut (node, implied, _)| (node, implied));
    found
}

/// Tells whether nodes wait for each other, within a bound of work.
pub struct Order<'g> {
    dependencies: &'g [Vec<u32>],
    depths: Vec<Option<u32>>,
    budget: usize,
}

impl<'g> Order<'g> {
    /// For a graph given as the dependencies of each node.
    pub fn new(dependencies: &'g [Vec<u32>]) -> Self {
        let edges: usize = dependencies.iter().map(Vec::len).sum();
        Self { dependencies, depths: depths(dependencies), budget: 100_000 + 20 * edges }
    }

    /// Whether of any two of `nodes` one waits for the other. When the work is used up, the answer is yes.
    pub fn is_chain(&mut self, nodes: &[usize]) -> bool {
        let mut nodes: Vec<u32> = nodes.iter().map(|&node| node as u32).collect();
        nodes.sort_by_key(|&node| self.depth(node));
        nodes.windows(2).all(|pair| self.reaches(pair[1], pair[0]))
    }

    fn depth(&self, node: u32) -> Option<u32> {
        self.depths.get(node as usize).copied().flatten()
    }

    /// Whether `from` depends on `to`, at once or through others.
    fn reaches(&mut self, from: u32, to: u32) -> bool {
        let floor = self.depth(to);
        if self.depth(from) <= floor {
            return false;
        }
        let mut seen = HashSet::new();
        let mut stack = vec![from];
        while let Some(node) = stack.pop() {
            for &next in &self.dependencies[node as usize] {
                if next == to || self.budget == 0 {
                    return true;
                }
                self.budget -= 1;
                if self.depth(next) > floor && seen.insert(next) {
                    stack.push(next);
                }
            }
        }
        false
    }
}
