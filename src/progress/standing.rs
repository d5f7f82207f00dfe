//! Where each component stands: phases on the graph, with counts. A change costs what depends on the component, not
//! what there is.

use std::collections::HashMap;

use crate::ids::ComponentId;
use crate::lifecycle::event::Proof;

/// What there is to do: fixed for a run.
#[derive(Debug, Clone, Default)]
pub struct Shape {
    /// In the manifest's order.
    pub components: Vec<ShapeComponent>,
}

/// One component of a [`Shape`].
#[derive(Debug, Clone)]
pub struct ShapeComponent {
    /// Its id.
    pub id: ComponentId,
    /// Its level, counted from 0.
    pub level: u32,
    /// What must be complete before it.
    pub depends_on: Vec<ComponentId>,
}

/// Where a component stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Not begun, or to be done again.
    Waiting,
    /// A writing step is on: its word.
    Working(&'static str),
    /// It is being checked: the round.
    Validating(u32),
    /// Its issues are being mended: which fix.
    Fixing(u32),
    /// A question waits for the user.
    Asking,
    /// Done.
    Complete(Proof),
    /// Given up.
    Failed,
    /// Left out by the user.
    Skipped,
    /// Something that it depends on failed or was left out.
    Blocked,
}

impl Phase {
    /// The kind of phase, of which there are counts.
    fn kind(self) -> Kind {
        match self {
            Self::Waiting => Kind::Waiting,
            Self::Working(_) | Self::Validating(_) | Self::Fixing(_) => Kind::Active,
            Self::Asking => Kind::Asking,
            Self::Complete(_) => Kind::Complete,
            Self::Failed | Self::Skipped | Self::Blocked => Kind::Out,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Waiting,
    Active,
    Asking,
    Complete,
    Out,
}

/// How many components stand where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Not begun.
    pub waiting: usize,
    /// Begun.
    pub active: usize,
    /// Waiting for the user.
    pub asking: usize,
    /// Done.
    pub complete: usize,
    /// Failed, skipped or blocked.
    pub out: usize,
}

impl Tally {
    /// All of them.
    pub fn total(&self) -> usize {
        self.waiting + self.active + self.asking + self.complete + self.out
    }

    fn of(&mut self, kind: Kind) -> &mut usize {
        match kind {
            Kind::Waiting => &mut self.waiting,
            Kind::Active => &mut self.active,
            Kind::Asking => &mut self.asking,
            Kind::Complete => &mut self.complete,
            Kind::Out => &mut self.out,
        }
    }
}

/// Kept small: there may be 100,000 of them.
#[derive(Debug)]
struct Node {
    id: ComponentId,
    level: u32,
    /// How many of its dependencies are not complete.
    unmet: u32,
    phase: Phase,
}

/// The edges of a graph, all in one list: those of node `n` are `to[from[n]..from[n + 1]]`.
#[derive(Debug, Default)]
struct Edges {
    from: Vec<u32>,
    to: Vec<u32>,
}

impl Edges {
    /// Of `count` nodes, from pairs of (from, to).
    fn new(count: usize, pairs: impl Iterator<Item = (u32, u32)> + Clone) -> Self {
        let mut from = vec![0_u32; count + 1];
        for (node, _) in pairs.clone() {
            from[node as usize + 1] += 1;
        }
        for node in 0..count {
            from[node + 1] += from[node];
        }
        let mut next = from.clone();
        let mut to = vec![0; from[count] as usize];
        for (node, target) in pairs {
            let slot = &mut next[node as usize];
            to[*slot as usize] = target;
            *slot += 1;
        }
        Self { from, to }
    }

    fn of(&self, node: u32) -> &[u32] {
        let node = node as usize;
        &self.to[self.from[node] as usize..self.from[node + 1] as usize]
    }
}

/// All components.
#[derive(Debug, Default)]
pub(super) struct Standing {
    nodes: Vec<Node>,
    index: HashMap<ComponentId, u32>,
    dependencies: Edges,
    dependents: Edges,
    tally: Tally,
    levels: Vec<Tally>,
}

impl Standing {
    /// Of components that all wait. Dependencies that are not in the shape are taken as met.
    pub fn new(shape: &Shape) -> Self {
        let components = &shape.components;
        let index: HashMap<ComponentId, u32> = (0..).zip(components).map(|(n, c)| (c.id.clone(), n)).collect();
        let pairs: Vec<(u32, u32)> = (0..)
            .zip(components)
            .flat_map(|(n, c)| {
                c.depends_on.iter().filter_map(|id| index.get(id)).map(move |dependency| (n, *dependency))
            })
            .collect();
        let dependencies = Edges::new(components.len(), pairs.iter().copied());
        let dependents = Edges::new(components.len(), pairs.iter().map(|(node, dependency)| (*dependency, *node)));
        let nodes =
            components.iter().map(|c| Node { id: c.id.clone(), level: c.level, unmet: 0, phase: Phase::Waiting });
        let levels = components.iter().map(|c| c.level as usize + 1).max().unwrap_or(0);
        let levels = vec![Tally::default(); levels];
        let mut standing =
            Self { nodes: nodes.collect(), index, dependencies, dependents, tally: Tally::default(), levels };
        standing.start_over();
        standing
    }

    /// Lets all of them wait again.
    pub fn start_over(&mut self) {
        self.tally = Tally { waiting: self.nodes.len(), ..Tally::default() };
        self.levels.fill(Tally::default());
        for (n, node) in (0..).zip(&mut self.nodes) {
            node.phase = Phase::Waiting;
            node.unmet = self.dependencies.of(n).len() as u32;
            self.levels[node.level as usize].waiting += 1;
        }
    }

    /// A component that the shape does not have (it was removed from the manifest) is passed over.
    pub fn enter(&mut self, id: &ComponentId, phase: Phase) {
        let Some(&node) = self.index.get(id) else { return };
        let old = self.set_phase(node, phase);
        let complete = (old.kind() == Kind::Complete, phase.kind() == Kind::Complete);
        for n in self.dependents.of(node) {
            let unmet = &mut self.nodes[*n as usize].unmet;
            match complete {
                (false, true) => *unmet -= 1,
                (true, false) => *unmet += 1,
                (false, false) | (true, true) => {}
            }
        }
        match (old.kind() == Kind::Out, phase.kind() == Kind::Out) {
            (false, true) => self.block_dependents(node),
            (true, false) => self.block_anew(),
            (false, false) | (true, true) => {}
        }
    }

    fn set_phase(&mut self, node: u32, phase: Phase) -> Phase {
        let node = &mut self.nodes[node as usize];
        let old = std::mem::replace(&mut node.phase, phase);
        for tally in [&mut self.tally, &mut self.levels[node.level as usize]] {
            *tally.of(old.kind()) -= 1;
            *tally.of(phase.kind()) += 1;
        }
        old
    }

    /// Each component is blocked once, so all of it together costs one walk over the graph.
    fn block_dependents(&mut self, node: u32) {
        let mut reached = vec![node];
        while let Some(node) = reached.pop() {
            for at in 0..self.dependents.of(node).len() {
                let dependent = self.dependents.of(node)[at];
                if self.nodes[dependent as usize].phase == Phase::Waiting {
                    self.set_phase(dependent, Phase::Blocked);
                    reached.push(dependent);
                }
            }
        }
    }

    /// Something that was given up goes on: rare, so everything is looked at.
    fn block_anew(&mut self) {
        let all = 0..self.nodes.len() as u32;
        for node in all.clone() {
            if self.nodes[node as usize].phase == Phase::Blocked {
                self.set_phase(node, Phase::Waiting);
            }
        }
        for node in all {
            if matches!(self.nodes[node as usize].phase, Phase::Failed | Phase::Skipped) {
                self.block_dependents(node);
            }
        }
    }

    /// How many components stand where.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// The same for each level.
    pub fn levels(&self) -> &[Tally] {
        &self.levels
    }

    /// Where a component stands; none if there is no such component.
    pub fn phase(&self, id: &ComponentId) -> Option<Phase> {
        self.index.get(id).map(|node| self.nodes[*node as usize].phase)
    }

    /// All components with their phases, in the manifest's order.
    pub fn components(&self) -> impl Iterator<Item = (&ComponentId, Phase)> {
        self.nodes.iter().map(|node| (&node.id, node.phase))
    }

    /// The components that have not begun, in the manifest's order, each with those that it waits for. Those whose
    /// dependencies are complete wait for nothing but their turn.
    pub fn waiting(&self) -> impl Iterator<Item = (&ComponentId, impl Iterator<Item = &ComponentId>)> {
        (0..).zip(&self.nodes).filter(|(_, node)| node.phase == Phase::Waiting).map(|(n, node)| {
            let edges = if node.unmet == 0 { &[] } else { self.dependencies.of(n) };
            let dependencies = edges.iter().map(|dependency| &self.nodes[*dependency as usize]);
            let unmet = dependencies.filter(|dependency| dependency.phase.kind() != Kind::Complete);
            (&node.id, unmet.map(|dependency| &dependency.id))
        })
    }
}
