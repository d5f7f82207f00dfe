//! What `verify` tells, as one document.

use serde::Serialize;

use super::gather::Gathered;
use super::rerun::Compared;
use crate::ids::ComponentId;
use crate::proof::{Item, Judgement, Standing};

/// The document.
#[derive(Serialize)]
pub struct Report<'a> {
    pub spec: &'a str,
    /// How far all of it holds.
    pub standing: Standing,
    pub journal: Records,
    pub run: Option<Run<'a>>,
    /// Whether a run lives, which goes on with what is told here.
    pub live: bool,
    /// The integration branch; null without git.
    pub branch: Option<Branch<'a>>,
    pub components: &'a [Item],
    pub whole: &'a Item,
    /// Components that the manifest has no more; what is known of them is not judged.
    pub removed: Vec<ComponentId>,
    /// What the commands came to that were run again; null where that was not asked for.
    pub rerun: Option<&'a [Compared]>,
}

#[derive(Serialize)]
pub struct Records {
    /// How many there are, each with the right checksum.
    pub records: u64,
    /// Whether the last one was never written to its end, and counts for nothing.
    pub torn: bool,
}

#[derive(Serialize)]
pub struct Run<'a> {
    pub number: u32,
    pub mode: &'a str,
    /// Whether the agent was the simulated one.
    pub simulated: bool,
}

#[derive(Serialize)]
pub struct Branch<'a> {
    pub name: &'a str,
    /// Where it is; null where there is no such branch.
    pub tip: Option<&'a str>,
    /// Where the records say that it is.
    pub recorded: Option<&'a str>,
}

impl<'a> Report<'a> {
    /// The document of what was judged.
    pub fn new(gathered: &'a Gathered, judgement: &'a Judgement, rerun: Option<&'a [Compared]>) -> Self {
        let Gathered { opened, ledger, torn, live, facts } = gathered;
        let run = ledger.run().map(|run| Run { number: run.run, mode: &run.mode, simulated: run.simulated });
        let branch = facts.branch.as_ref().map(|branch| Branch {
            name: &branch.name,
            tip: branch.tip.as_deref(),
            recorded: ledger.head(),
        });
        Self {
            spec: &opened.reference,
            standing: judgement.standing(),
            journal: Records { records: ledger.records, torn: torn.is_some() },
            run,
            live: *live,
            branch,
            components: &judgement.components,
            whole: &judgement.whole,
            removed: ledger.components().filter(|id| opened.plan.index(id).is_none()).cloned().collect(),
            rerun,
        }
    }
}
