//! What is to be done now: a question to the state that can be asked again at any time.

use jiff::Timestamp;

use super::event::Over;
use super::state::{Stage, State};
use crate::ids::{AttemptId, Step, Subject};
use crate::lifecycle::subject::Why;

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// An agent is to be called.
    Ask(Ask),
    /// A call runs; its end is waited for.
    Running,
    /// Nothing before this time.
    Wait(Timestamp),
    /// The last draft is to be put in place.
    Write,
    /// The last draft is to be kept beside the manifest.
    Keep,
    /// Nothing any more.
    End(Over),
}

/// A call to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// The attempt.
    pub attempt: AttemptId,
    /// The conversation.
    pub session: Box<str>,
    /// Whether it exists already.
    pub resumed: bool,
    /// Why it is gone on with in the middle of a try; none where a try begins.
    pub why: Option<Why>,
}

/// What is to be done at `now`; `session` makes a new conversation id when one is needed.
pub fn next(state: &State, now: Timestamp, session: &mut impl FnMut() -> Box<str>) -> Next {
    if state.running().is_some() {
        return Next::Running;
    }
    match state.stage() {
        Stage::NotReady => Next::End(Over::NotReady),
        Stage::Written => Next::End(Over::Done),
        Stage::Writing => Next::Write,
        Stage::Exhausted if state.kept_draft().is_none() => Next::Keep,
        Stage::Exhausted => Next::End(Over::Invalid),
        Stage::Judging => call(state, Step::Readiness, now, session),
        Stage::Drafting(_) => call(state, Step::Draft, now, session),
    }
}

fn call(state: &State, step: Step, now: Timestamp, session: &mut impl FnMut() -> Box<str>) -> Next {
    if let Some(halt) = &state.halt {
        return Next::End(halt.over);
    }
    if state.gave_up.is_some() {
        return Next::End(Over::GaveUp);
    }
    let budget = state.begun().and_then(|begun| begun.budget_usd);
    if budget.is_some_and(|budget| state.cost.usd >= budget) {
        return Next::End(Over::Budget);
    }
    if let Some(until) = state.pause.max(state.work.not_before).filter(|until| *until > now) {
        return Next::Wait(until);
    }
    let attempt = AttemptId { on: Subject::Run, n: state.next_attempt(&step), step };
    let drafting = attempt.step == Step::Draft;
    // Only what this very step was cut off in: without the gate, drafts may be wanted while a judgement was on.
    let resume = state.work.resume.as_ref().filter(|(step, ..)| *step == attempt.step);
    Next::Ask(match (resume, &state.conversation) {
        (Some((_, session, why)), _) => Ask { attempt, session: session.clone(), resumed: true, why: Some(*why) },
        // The next round goes on where the last draft was made.
        (None, Some(session)) if drafting => Ask { attempt, session: session.clone(), resumed: true, why: None },
        (None, _) => Ask { attempt, session: session(), resumed: false, why: None },
    })
}
