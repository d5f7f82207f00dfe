//! What was done on a subject before an attempt of it.

use std::path::PathBuf;

use crate::ids::AttemptId;
use crate::lifecycle::delivery::Met;
use crate::lifecycle::event::FoundLanding;
use crate::lifecycle::state::RunState;
use crate::lifecycle::subject::Work;

/// What the journal says of a subject before an attempt of it.
#[derive(Debug, Clone, Default)]
pub struct Worked {
    /// The last commit of its work that the branch does not hold.
    pub tip: Option<String>,
    /// Whether it was worked on at all.
    pub begun: bool,
    /// Whether this is the first try of its step: nothing of an earlier one can be in the tree.
    pub untried: bool,
    /// Whether an earlier try was cut off whose conversation cannot be gone on with.
    pub cut_off: bool,
    /// The files in which it contradicts the branch.
    pub conflicts: Vec<PathBuf>,
    /// The last commit that landed on the branch.
    pub branch: Option<String>,
    /// What its last writer said in one line.
    pub summary: String,
    /// The conflicts with the branch on its way there.
    pub met: Vec<Met>,
    /// What of it was found on the branch without its records, and is to be compared first.
    pub found: Option<FoundLanding>,
}

impl Worked {
    /// What the state says.
    pub fn of(state: &RunState, attempt: &AttemptId) -> Self {
        let Some(subject) = state.subject(&attempt.on) else { return Self::default() };
        let work = subject.phase.works().find(|work| work.step == attempt.step);
        let conflicts = subject.delivery.as_ref().map_or(&[][..], |delivery| &delivery.conflicts);
        Self {
            tip: subject.tip().map(str::to_owned),
            begun: subject.commits.is_some() || subject.delivered.is_some(),
            untried: work.is_none_or(Work::is_untried),
            cut_off: work.is_some_and(|work| work.cut_off),
            conflicts: conflicts.iter().map(PathBuf::from).collect(),
            branch: state.branch_tip().map(str::to_owned),
            summary: subject.report.as_ref().map_or_else(String::new, |report| report.summary.clone()),
            met: subject.delivery.as_ref().map_or_else(Vec::new, |delivery| delivery.met.clone()),
            found: subject.unseen.as_ref().and_then(|unseen| unseen.landed.first()).cloned(),
        }
    }
}
