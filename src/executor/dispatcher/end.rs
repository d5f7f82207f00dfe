//! How a run ends, or cannot go on.

use jiff::Timestamp;

use super::Dispatcher;
use crate::executor::signals::Asked;
use crate::ids::Subject;
use crate::journal::JournalError;
use crate::lifecycle::event::{Event, RunEnd};
use crate::lifecycle::state::Illegal;
use crate::tree::TreeError;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finish {
    /// How.
    pub end: RunEnd,
    /// The signal that ended it.
    pub asked: Option<Asked>,
}

/// Why a run could not go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// What happened could not be made durable. Everything was stopped; the next run carries on from the last record.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The state and its events contradict each other.
    #[error(transparent)]
    Illegal(#[from] Illegal),
    /// The integration branch does not hold any more what cco put there.
    #[error(
        "the integration branch `{branch}` was rewritten: it no longer holds {known}, which cco put there\nhelp: `git branch -f {branch} {known}` brings it back, `cco run --fresh` starts over"
    )]
    Rewritten {
        /// The branch.
        branch: String,
        /// The last commit that landed there.
        known: String,
    },
    /// The repository cannot be worked with.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The system refused something that a run cannot do without.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl Dispatcher {
    pub(super) fn end(&mut self, end: RunEnd) -> Result<Finish, RunError> {
        let now = Timestamp::now();
        // Who reads the end may rely on the files.
        self.render_context();
        self.archive.flush();
        self.note_edit(now)?;
        self.apply(vec![Event::RunEnded { end }], now)?;
        self.commit()?;
        Ok(Finish { end, asked: self.asked })
    }

    /// Removes the worktrees that nobody needs any more.
    pub(super) async fn take_down(&mut self) {
        while self.clearing.join_next().await.is_some() {}
        if self.state.completed().is_some() {
            self.worker.clear(&Subject::Run).await;
        }
        self.worker.finish().await;
    }
}
