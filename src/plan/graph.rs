//! The dependency graph: flat arrays over component indices, computed once.

use std::cmp::Reverse;

/// Index of a component in manifest order.
pub type Index = u32;

/// An acyclic graph. Edges point from a component to what it depends on.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    dependencies: Lists,
    dependents: Lists,
    levels: Vec<u32>,
    members: Lists,
    depth: u32,
    order: Vec<Index>,
    ranks: Vec<u32>,
}

/// The graph has a cycle; which one is told by `spec::cycles`, with its path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the dependencies have a cycle through {} components", .0.len())]
pub struct Cyclic(pub Vec<Index>);

/// Many short lists in two flat arrays: 10,000 components cost two allocations, not 10,000.
#[derive(Debug, Clone, Default)]
struct Lists {
    starts: Vec<u32>,
    items: Vec<Index>,
}

impl Lists {
    fn from_pairs(count: usize, pairs: impl Iterator<Item = (Index, Index)> + Clone) -> Self {
        let mut starts = vec![0u32; count + 1];
        for (from, _) in pairs.clone() {
            starts[from as usize + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut next = starts.clone();
        let mut items = vec![0; starts[count] as usize];
        for (from, to) in pairs {
            let slot = &mut next[from as usize];
            items[*slot as usize] = to;
            *slot += 1;
        }
        Self { starts, items }
    }

    fn get(&self, at: Index) -> &[Index] {
        let at = at as usize;
        &self.items[self.starts[at] as usize..self.starts[at + 1] as usize]
    }
}

impl Graph {
    /// The graph in which component `i` depends on `dependencies[i]`.
    ///
    /// # Errors
    /// [`Cyclic`] names the components that no order can place.
    pub fn new(dependencies: &[Vec<Index>]) -> Result<Self, Cyclic> {
        let count = dependencies.len();
        let pairs = || dependencies.iter().enumerate().flat_map(|(i, deps)| deps.iter().map(move |&d| (i as Index, d)));
        let down = Lists::from_pairs(count, pairs());
        let up = Lists::from_pairs(count, pairs().map(|(from, to)| (to, from)));

        let (topological, levels) = sort(count, &down, &up)?;
        let mut height = vec![0u32; count];
        for &at in topological.iter().rev() {
            height[at as usize] = up.get(at).iter().map(|&above| height[above as usize] + 1).max().unwrap_or(0);
        }
        let mut order: Vec<Index> = (0..count as Index).collect();
        order.sort_by_key(|&at| (Reverse(height[at as usize]), at));
        let mut ranks = vec![0; count];
        for (rank, &at) in order.iter().enumerate() {
            ranks[at as usize] = rank as u32;
        }
        let depth = levels.iter().max().map_or(0, |&top| top + 1);
        let members =
            Lists::from_pairs(depth as usize, levels.iter().enumerate().map(|(at, &level)| (level, at as Index)));
        Ok(Self { dependencies: down, dependents: up, levels, members, depth, order, ranks })
    }

    /// How many components there are.
    pub fn len(&self) -> usize {
        self.ranks.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ranks.is_empty()
    }

    /// What `at` depends on directly.
    pub fn dependencies(&self, at: Index) -> &[Index] {
        self.dependencies.get(at)
    }

    /// What depends on `at` directly.
    pub fn dependents(&self, at: Index) -> &[Index] {
        self.dependents.get(at)
    }

    /// The length of the longest path of dependencies below `at`.
    pub fn level(&self, at: Index) -> u32 {
        self.levels[at as usize]
    }

    /// How many levels there are.
    pub fn depth(&self) -> u32 {
        self.depth
    }

    /// The components of a level, in manifest order.
    pub fn members(&self, level: u32) -> &[Index] {
        self.members.get(level)
    }

    /// All components, longest remaining path first, then in manifest order: the order in which they get slots.
    pub fn order(&self) -> &[Index] {
        &self.order
    }

    /// The place of `at` in [`Graph::order`].
    pub fn rank(&self, at: Index) -> u32 {
        self.ranks[at as usize]
    }

    /// The transitive dependencies of `at`, nearest first, then in manifest order.
    pub fn ancestry(&self, at: Index) -> Vec<Index> {
        let mut seen = std::collections::HashSet::from([at]);
        let mut out = Vec::new();
        let mut ring = vec![at];
        while !ring.is_empty() {
            let mut next: Vec<Index> = ring
                .iter()
                .flat_map(|&near| self.dependencies(near))
                .copied()
                .filter(|&far| seen.insert(far))
                .collect();
            next.sort_unstable();
            out.extend_from_slice(&next);
            ring = next;
        }
        out
    }
}

/// Kahn's algorithm: a topological order and the level of each component.
fn sort(count: usize, down: &Lists, up: &Lists) -> Result<(Vec<Index>, Vec<u32>), Cyclic> {
    let mut open: Vec<u32> = (0..count).map(|at| down.get(at as Index).len() as u32).collect();
    let mut order: Vec<Index> = (0..count as Index).filter(|&at| open[at as usize] == 0).collect();
    let mut levels = vec![0u32; count];
    let mut head = 0;
    while head < order.len() {
        let at = order[head];
        head += 1;
        for &above in up.get(at) {
            levels[above as usize] = levels[above as usize].max(levels[at as usize] + 1);
            open[above as usize] -= 1;
            if open[above as usize] == 0 {
                order.push(above);
            }
        }
    }
    if order.len() < count {
        return Err(Cyclic((0..count as Index).filter(|&at| open[at as usize] > 0).collect()));
    }
    Ok((order, levels))
}
