//! The records against the plan of today and against what is there.

use super::claim::{Item, Standing};
use super::component::component;
use super::facts::Facts;
use super::ledger::Ledger;
use super::whole::{required, whole};
use crate::plan::graph::Index;
use crate::plan::{CheckIndex, Plan};

/// What is proven and what is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The components of the plan, in its order.
    pub components: Vec<Item>,
    /// The whole.
    pub whole: Item,
    /// The commands that the whole is proven by.
    pub required: Vec<CheckIndex>,
}

impl Judgement {
    /// How far all of it holds.
    pub fn standing(&self) -> Standing {
        let components = self.components.iter().map(|item| item.standing);
        components.fold(self.whole.standing, Standing::max)
    }
}

/// Judges what the records claim.
pub fn judge(plan: &Plan, ledger: &Ledger, facts: &Facts) -> Judgement {
    let (whole, stands) = whole(plan, ledger, facts);
    let all = 0..plan.components.len() as Index;
    let components = all.map(|at| component(plan, ledger, facts, at, stands)).collect();
    Judgement { components, whole, required: required(plan, ledger) }
}
