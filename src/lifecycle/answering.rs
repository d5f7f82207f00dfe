//! Answers of the user: whether they can be taken, and what follows from each verb.

use std::sync::Arc;

use jiff::Timestamp;

use super::event::{Answer, Cause, Escalation, Event, GateAct, Proof, Redo, Scope, StaleReason, Trend, Verb};
use super::settle::Settlement;
use super::state::{Illegal, RunState};
use super::subject::{During, Phase};
use crate::ids::Subject;
use crate::plan::graph::Index;

/// Why an answer cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such open question.
    #[error("no question `{0}` is open")]
    Unknown(String),
    /// The question does not have that option.
    #[error("question `{id}` has no option `{option}`; it has: {known}")]
    NoOption {
        /// The question.
        id: String,
        /// What was chosen.
        option: String,
        /// What could be chosen.
        known: String,
    },
    /// The verb makes no sense for the run itself.
    #[error("question `{0}` is about the whole run: it can be retried, rechecked or accepted, not skipped")]
    NotForRun(String),
    /// The state refused what follows: a defect of cco.
    #[error(transparent)]
    Illegal(#[from] Illegal),
}

/// Takes an answer of the user: the events of one record, already applied.
///
/// # Errors
/// [`Refusal`] says why the answer cannot be taken; the state is unchanged then.
pub fn answer(state: &mut RunState, answer: Answer, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    let Some(escalation) = state.questions.get(&answer.id).cloned() else {
        return Err(Refusal::Unknown(answer.id));
    };
    if let Some(option) = &answer.option
        && !escalation.options.contains(option)
    {
        let known = if escalation.options.is_empty() { "none".to_owned() } else { escalation.options.join(", ") };
        return Err(Refusal::NoOption { id: answer.id, option: option.clone(), known });
    }
    if escalation.on == Subject::Run && answer.verb == Verb::Skip {
        return Err(Refusal::NotForRun(answer.id));
    }
    let at = state.locate(&escalation.on).ok_or_else(|| Refusal::Unknown(answer.id.clone()))?;
    let Phase::Asking(question) = state.at_mut(at).phase.clone() else {
        return Err(Refusal::Unknown(answer.id));
    };
    let verb = answer.verb;
    let chosen = answer.option.clone();
    let whole = answer.issues.is_empty()
        || escalation
            .issues
            .iter()
            .all(|issue| answer.issues.contains(&issue.fingerprint) || state.is_waived(issue, at));
    let mut settlement = Settlement { state, now, dice: 0.5, events: Vec::new() };
    settlement.emit(Event::Answered(Box::new(answer)))?;
    // What was not named of the issues is still open: it is looked for again.
    let verb = if verb == Verb::Accept && !whole { Verb::Recheck } else { verb };
    settlement.after_answer(at, verb, &escalation, question.during, chosen.as_deref())?;
    Ok(settlement.events)
}

impl Settlement<'_> {
    fn after_answer(
        &mut self,
        at: Index,
        verb: Verb,
        asked: &Escalation,
        during: During,
        chosen: Option<&str>,
    ) -> Result<(), Illegal> {
        let cause = asked.cause;
        let on = self.state.name(at);
        if let (Verb::Option, Cause::Vote, Some(option)) = (verb, cause, chosen) {
            let gate = match &during {
                During::Gate(gate) => gate.clone(),
                During::Validation(_) | During::Step(_) => self.state.plan().strategy.name.clone(),
            };
            return self.carry_out(at, &gate, option, Some(&asked.issues));
        }
        match (verb, during) {
            (Verb::Accept, During::Gate(gate)) => {
                let (option, act) = (Arc::from("accepted by the user"), GateAct::Proceed);
                self.emit(Event::GateSettled { gate: gate.clone(), option, act, issues: Vec::new() })?;
                if self.state.plan().gate(&gate).is_some_and(|gate| gate.before) {
                    Ok(())
                } else {
                    self.conclude_whole()
                }
            }
            (Verb::Retry | Verb::Option | Verb::Recheck, During::Gate(gate)) => {
                match self.state.plan().gate(&gate).cloned() {
                    Some(gate) => self.open_vote(at, &gate, 1),
                    None => self.open_validation(at, Scope::Final),
                }
            }
            (Verb::Retry | Verb::Option, During::Step(step)) => self.emit(Event::StepOpened { on, step }),
            (Verb::Retry | Verb::Option, During::Validation(_)) if matches!(cause, Cause::FixBudget | Cause::Vote) => {
                let from = self.best_tree(at);
                self.emit(Event::FixOpened { on, fix: 1, counted: true, trend: Trend::First, from })
            }
            (Verb::Retry | Verb::Option | Verb::Recheck, During::Validation(scope)) => self.open_validation(at, scope),
            (Verb::Recheck, During::Step(_)) => self.recheck(at),
            (Verb::Accept, during) => self.accept(at, during),
            (Verb::Skip, _) => match on {
                Subject::Component(on) => self.emit(Event::ComponentSkipped { on }),
                Subject::Run => Ok(()),
            },
            (Verb::Abort, _) => {
                let consequence = match on {
                    Subject::Component(on) => Event::ComponentFailed { on, reason: "the user ended it".to_owned() },
                    // The next run validates the whole again.
                    Subject::Run => {
                        Event::WentStale { on, why: StaleReason::Asked, redo: Redo::Validate, guidance: None }
                    }
                };
                self.emit(consequence)?;
                self.emit(Event::RunAborted)
            }
        }
    }

    /// The commit of the best tree so far, where the last one is another.
    fn best_tree(&self, at: Index) -> Option<Box<str>> {
        let subject = self.state.component_or_run(at);
        let best = subject.fixing.as_ref()?.best_at.clone()?;
        (subject.tip() != Some(&*best)).then_some(best)
    }

    /// Validates the tree as the user left it.
    fn recheck(&mut self, at: Index) -> Result<(), Illegal> {
        let scope = if at == self.state.run_index() {
            self.state.run_work().fixing.as_ref().and_then(|fixing| fixing.scope).unwrap_or(Scope::Final)
        } else {
            Scope::Component
        };
        self.open_validation(at, scope)
    }

    fn accept(&mut self, at: Index, during: During) -> Result<(), Illegal> {
        if at == self.state.run_index() {
            let scope = match during {
                During::Validation(scope) => scope,
                During::Step(_) | During::Gate(_) => {
                    self.state.run_work().fixing.as_ref().and_then(|fixing| fixing.scope).unwrap_or(Scope::Final)
                }
            };
            self.emit(Event::ValidationWaived { scope })?;
            return match scope {
                Scope::Final => self.emit(Event::RunCompleted { proof: Proof::Waived }),
                Scope::Level(_) | Scope::Component | Scope::Baseline => Ok(()),
            };
        }
        let more = self.state.plan().legs(at).len() > usize::from(self.state.component(at).leg);
        if more { self.proceed(at) } else { self.complete_as(at, Proof::Waived) }
    }
}
