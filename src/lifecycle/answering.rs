//! Answers of the user: whether they can be taken, and what follows from each verb.

use std::sync::Arc;

use jiff::Timestamp;

use super::event::{Answer, Cause, Escalation, Event, GateAct, Proof, Redo, Scope, StaleReason, Trend, Verb};
use super::settle::Settlement;
use super::state::{Illegal, RunState};
use super::subject::{During, Phase, Validation};
use crate::ids::{Step, Subject};
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
            // What the user changed after the work was done is judged before it is voted on.
            (Verb::Recheck, During::Gate(gate)) if !self.is_before(&gate) => self.open_validation(at, Scope::Final),
            (Verb::Accept, During::Gate(gate)) => {
                let (option, act) = (Arc::from("accepted by the user"), GateAct::Proceed);
                self.emit(Event::GateSettled { gate: gate.clone(), option, act, issues: Vec::new() })?;
                if self.is_before(&gate) { Ok(()) } else { self.conclude_whole() }
            }
            (Verb::Retry | Verb::Option | Verb::Recheck, During::Gate(gate)) => {
                match self.state.plan().gate(&gate).cloned() {
                    Some(gate) => self.open_vote(at, &gate, 1),
                    None => self.open_validation(at, Scope::Final),
                }
            }
            (Verb::Retry | Verb::Option, During::Step(step)) => self.emit(Event::StepOpened { on, step }),
            (Verb::Retry | Verb::Option, During::Validation(_)) if matches!(cause, Cause::FixBudget | Cause::Vote) => {
                let from = self.state.best_tree(at);
                self.emit(Event::FixOpened { on, fix: 1, counted: true, trend: Trend::First, from })
            }
            (Verb::Recheck, During::Validation(_) | During::Step(_)) if !self.state.plan().one_tree => {
                self.emit(Event::StepOpened { on, step: Step::Compare })
            }
            (Verb::Retry | Verb::Option | Verb::Recheck, During::Validation(scope)) => self.validate_again(at, scope),
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

    /// Validates anew what a question interrupted; of a single change, what follows it.
    fn validate_again(&mut self, at: Index, scope: Scope) -> Result<(), Illegal> {
        let validation = match &self.state.component_or_run(at).phase {
            Phase::Validating(validation) => Some(validation),
            Phase::Voting(poll) => poll.validation.as_ref(),
            _ => None,
        };
        if validation.is_some_and(|validation| validation.change_only) {
            return self.proceed(at);
        }
        self.open_validation(at, scope)
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

    /// Goes on with what the user took as it is: only that, what is still to be checked is checked.
    fn accept(&mut self, at: Index, during: During) -> Result<(), Illegal> {
        let run = at == self.state.run_index();
        match during {
            During::Validation(scope) if run => {
                self.emit(Event::ValidationWaived { scope })?;
                match scope {
                    Scope::Final => self.go_on(at, scope),
                    Scope::Level(_) | Scope::Component | Scope::Baseline => Ok(()),
                }
            }
            During::Validation(scope) => self.go_on(at, scope),
            During::Step(_) | During::Gate(_) if run => self.recheck(at),
            During::Step(_) | During::Gate(_) => {
                let more = self.state.plan().legs(at).len() > usize::from(self.state.component(at).leg);
                if more || self.has_findings(at) { self.proceed(at) } else { self.deliver(at, Proof::Waived) }
            }
        }
    }

    /// The open validation goes on, as far as it is still the one that today's manifest asks for.
    fn go_on(&mut self, at: Index, scope: Scope) -> Result<(), Illegal> {
        match &self.state.component_or_run(at).phase {
            Phase::Validating(validation) if self.is_of_today(at, validation) => self.conclude_if_settled(at),
            _ => self.validate_again(at, scope),
        }
    }

    fn is_of_today(&self, at: Index, validation: &Validation) -> bool {
        let known = |name: &Arc<str>| self.state.plan().check_named(name).is_some();
        validation.set == self.state.check_set(at, validation.scope)
            && validation.checks.iter().all(|(name, _)| known(name))
    }
}
