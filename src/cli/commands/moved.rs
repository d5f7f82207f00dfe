//! What somebody did with the integration branch since the last run, and what the next one makes of it.

use std::fmt;

use serde::Serialize;

use super::verify::git;
use crate::cli::App;
use crate::cli::opened::Opened;
use crate::executor::Owners;
use crate::ids::{ComponentId, Step};
use crate::journal::LockState;
use crate::lifecycle::event::{Event, TreeInfo};
use crate::lifecycle::state::RunState;
use crate::plan::graph::Index;
use crate::text::{one_line, plural};
use crate::tree::{History, TreeError};

/// A branch that is not where cco left it.
#[derive(Debug, Serialize)]
pub struct Moved {
    branch: String,
    /// Where cco left it.
    known: String,
    #[serde(flatten)]
    how: How,
}

#[derive(Debug, Serialize)]
#[serde(tag = "how", rename_all = "snake_case")]
enum How {
    /// It goes on from there: taken in, and judged with the whole.
    Added {
        commit: String,
        commits: usize,
        /// Whose files the commits touch.
        touched: Vec<ComponentId>,
    },
    /// It does not hold any more what cco put there: no run begins.
    Rewritten { commit: String },
    /// It is not there: begun again where it was.
    Gone,
    /// Nobody can tell.
    Unknown { why: String },
}

/// Looks where the branch is; none where it is as cco left it, where there is none, and while a run lives, which looks by
/// itself.
pub fn look(app: &App, opened: &Opened, state: &RunState) -> Option<Moved> {
    let (branch, base) = state.run().and_then(|run| TreeInfo::branch(&run.tree))?;
    // Of a landing that was cut off the next run knows in a moment that it is cco's own.
    let landing = state.in_flight().iter().any(|(attempt, _)| attempt.step == Step::Integrate);
    if landing || opened.lock_state().ok()? != LockState::Free {
        return None;
    }
    let known = state.branch_tip().unwrap_or(base).to_owned();
    let how = match stand(app, opened, state, branch, &known) {
        Ok(how) => how?,
        Err(error) => How::Unknown { why: error.to_string() },
    };
    Some(Moved { branch: branch.to_owned(), known, how })
}

fn stand(app: &App, opened: &Opened, state: &RunState, branch: &str, known: &str) -> Result<Option<How>, TreeError> {
    let Some(history) = History::open(&git(app, opened), &opened.spec.work_dir)? else { return Ok(None) };
    let Some(commit) = history.tip(branch)? else { return Ok(Some(How::Gone)) };
    if commit == known {
        return Ok(None);
    }
    if !history.is_ancestor(known, &commit)? {
        return Ok(Some(How::Rewritten { commit }));
    }
    let commits = history.since(known, &commit)?.len();
    let paths = history.differing(known, &commit)?.unwrap_or_default();
    let owners = Owners::new(&opened.spec.manifest);
    owners.grant(state.granted());
    let ids = (0..).zip(&opened.spec.manifest.components);
    let touched = ids.filter(|(at, _): &(Index, _)| paths.iter().any(|path| owners.owns(*at, path)));
    Ok(Some(How::Added { commit, commits, touched: touched.map(|(_, one)| one.id.clone()).collect() }))
}

impl Moved {
    /// What the next run records of it before anything else.
    pub fn event(&self) -> Option<Event> {
        match &self.how {
            How::Added { commit, .. } => Some(Event::BranchAdopted { commit: commit.as_str().into() }),
            How::Rewritten { .. } | How::Gone | How::Unknown { .. } => None,
        }
    }
}

impl fmt::Display for Moved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (branch, known) = (one_line(&self.branch), short(&self.known));
        match &self.how {
            How::Added { commit, commits, touched } => {
                /// So many are named; of more their number says enough.
                const NAMED: usize = 8;
                let more = plural(*commits, "commit");
                write!(f, "the branch `{branch}` is {more} of yours further, at {} instead of {known}", short(commit))?;
                let names: Vec<&str> = touched.iter().take(NAMED).map(ComponentId::as_str).collect();
                match touched.len() {
                    0 => {}
                    n if n <= NAMED => write!(f, ", with files of {}", names.join(", "))?,
                    n => write!(f, ", with files of {} and {} more", names.join(", "), n - NAMED)?,
                }
                f.write_str(": the next run takes that in as it is, and validates the whole again")
            }
            How::Rewritten { commit } => write!(
                f,
                "the branch `{branch}` was rewritten: it is at {}, which does not hold {known}, which cco put there; the \
                 next run does not begin (`git branch -f {branch} {known}` brings it back, `cco run --fresh` starts over)",
                short(commit)
            ),
            How::Gone => write!(f, "the branch `{branch}` is gone: the next run begins it again at {known}"),
            How::Unknown { why } => write!(f, "where the branch `{branch}` is cannot be told: {}", one_line(why)),
        }
    }
}

/// A commit as git abbreviates it.
fn short(commit: &str) -> &str {
    const DIGITS: usize = 10;
    commit.get(..DIGITS).unwrap_or(commit)
}
