//! Votes: when one is held, how it is counted, and what each option changes.

use std::sync::Arc;

use super::event::{Cause, Event, GateAct, Issue, Scope, Trend, VoteOpened, VoteSettled};
use super::report::Severity;
use super::settle::Settlement;
use super::state::{Illegal, RunState};
use super::subject::{FixLoop, Origin, Phase, Poll, Todo, Voter, Work};
use super::tally;
use crate::ids::{Digest, Step, Subject};
use crate::plan::graph::Index;
use crate::plan::{self, GatePlan, Leg};

/// Rounds of a vote until a person is asked.
const ROUNDS: u8 = 2;

impl Settlement<'_> {
    /// Opens the vote on how to mend.
    pub(super) fn ask_for_strategy(&mut self, at: Index) -> Result<(), Illegal> {
        let gate = self.state.plan().strategy.clone();
        self.open_vote(at, &gate, 1)
    }

    /// The next vote on the whole that is due: before the components, or after the final validation.
    pub(super) fn next_gate(&self, before: bool) -> Option<GatePlan> {
        let open = |gate: &&GatePlan| gate.before == before && !self.state.gates_settled.contains(&gate.name);
        self.state.plan().gates.iter().find(open).cloned()
    }

    pub(super) fn open_vote(&mut self, at: Index, gate: &GatePlan, round: u8) -> Result<(), Illegal> {
        let on = self.state.name(at);
        let offered =
            gate.options.iter().filter(|option| option.act != plan::GateAct::Refactor || self.state.may_refactor(at));
        let options = offered.map(|option| option.name.clone()).collect();
        let (gate, voters, threshold) = (gate.name.clone(), gate.voters, gate.threshold);
        self.emit(Event::VoteOpened(Box::new(VoteOpened { on, gate, round, voters, options, threshold })))
    }

    /// Counts once every ballot is in, or given up.
    pub(super) fn count_if_settled(&mut self, at: Index) -> Result<(), Illegal> {
        let Phase::Voting(poll) = &self.state.component_or_run(at).phase else { return Ok(()) };
        if !poll.is_settled() {
            return Ok(());
        }
        let ballots: Vec<_> = poll.voters.iter().filter_map(|voter| voter.settled.as_ref()?.as_ref()).collect();
        let tally = tally::count(&ballots, poll.voters.len(), &poll.options, poll.threshold);
        let (gate, round, voters) = (poll.gate.clone(), poll.round, poll.voters.len());
        let (valid, winner, quorum) = (tally.valid, tally.winner.clone(), tally.quorum);
        let on = self.state.name(at);
        let settled = VoteSettled { on, gate: gate.clone(), round, tally: tally.shares, valid, winner: tally.winner };
        self.emit(Event::VoteSettled(Box::new(settled)))?;
        match winner {
            Some(option) => self.carry_out(at, &gate, &option, None),
            None if quorum && round < ROUNDS => match self.state.plan().gate(&gate).cloned() {
                Some(gate) => self.open_vote(at, &gate, round + 1),
                None => self.ask(at, format!("the manifest has no vote `{gate}` any more")),
            },
            None if quorum => self.ask(at, format!("the vote `{gate}` found no majority in {ROUNDS} rounds")),
            None => {
                let what = format!("the vote `{gate}` has no quorum: {valid} of {voters} voters answered");
                self.ask(at, format!("could not be checked: {what}"))
            }
        }
    }

    /// Does what an option says. Where the user chose it, `asked` are the issues of the question that was asked.
    pub(super) fn carry_out(
        &mut self,
        at: Index,
        gate: &str,
        option: &str,
        asked: Option<&[Issue]>,
    ) -> Result<(), Illegal> {
        let Some(act) = self.state.plan().gate(gate).and_then(|gate| gate.act(option)) else {
            return self.ask(at, format!("the manifest has no option `{option}` of `{gate}` any more"));
        };
        match act {
            plan::GateAct::FixInPlace => {
                let fixing = self.state.component_or_run(at).fixing.as_ref();
                let (fix, trend) = fixing.map_or((1, Trend::First), |fixing| (fixing.rounds + 1, fixing.trend()));
                let (on, from) = (self.state.name(at), self.state.best_tree(at));
                self.emit(Event::FixOpened { on, fix, counted: true, trend, from })
            }
            plan::GateAct::Refactor => self.refactor(at),
            plan::GateAct::Escalate => self.ask(at, format!("the vote `{gate}` chose {option}")),
            plan::GateAct::Fix if self.is_before(gate) => {
                self.ask(at, format!("the vote `{gate}` chose {option}, and there is nothing to fix yet"))
            }
            plan::GateAct::Fix if asked.is_none() && self.state.gates_fixed.contains(gate) => {
                self.ask(at, format!("after a fix round the vote `{gate}` still says {option}"))
            }
            plan::GateAct::Fix => {
                let issues = match asked {
                    Some(asked) if !asked.is_empty() => asked.to_vec(),
                    _ => self.concerns(at, gate, Some(option), &format!("{option} was chosen without a reason")),
                };
                self.settle_gate(gate, option, GateAct::Fix, issues)?;
                let on = self.state.name(at);
                self.emit(Event::FixOpened { on, fix: 1, counted: true, trend: Trend::First, from: None })
            }
            plan::GateAct::Proceed => self.settle_gate(gate, option, GateAct::Proceed, Vec::new()),
            plan::GateAct::Decide => self.settle_gate(gate, option, GateAct::Decide, Vec::new()),
        }
    }

    fn settle_gate(&mut self, gate: &str, option: &str, act: GateAct, issues: Vec<Issue>) -> Result<(), Illegal> {
        self.emit(Event::GateSettled { gate: Arc::from(gate), option: Arc::from(option), act, issues })?;
        if act == GateAct::Fix || self.is_before(gate) { Ok(()) } else { self.conclude_whole() }
    }

    /// Whether a gate is held before the first component begins.
    pub(super) fn is_before(&self, gate: &str) -> bool {
        self.state.plan().gate(gate).is_some_and(|gate| gate.before)
    }

    /// What the voters of an option (of all, without one) said, as issues; where they said nothing, `otherwise`.
    fn concerns(&self, at: Index, gate: &str, option: Option<&str>, otherwise: &str) -> Vec<Issue> {
        let mut reasons = match &self.state.component_or_run(at).phase {
            Phase::Voting(poll) => poll.reasons(option),
            _ => Vec::new(),
        };
        if reasons.is_empty() {
            reasons.push(otherwise.to_owned());
        }
        reasons.into_iter().map(|text| concern(gate, text)).collect()
    }

    /// Back to before the implementation; a component only, and only once.
    fn refactor(&mut self, at: Index) -> Result<(), Illegal> {
        let subject = self.state.component_or_run(at);
        let before = subject.commits.as_ref().and_then(|commits| commits.implemented.clone());
        match self.state.name(at) {
            Subject::Component(on) => self.emit(Event::Refactored { on, before }),
            Subject::Run => self.ask(at, "the whole cannot be made anew".to_owned()),
        }
    }

    /// Asks the user what the voters could not settle.
    fn ask(&mut self, at: Index, what: String) -> Result<(), Illegal> {
        let Phase::Voting(poll) = &self.state.component_or_run(at).phase else {
            return self.escalate_asking(at, Cause::Vote, what, self.open_issues(at), Vec::new());
        };
        let can_be_done =
            |option: &&Arc<str>| match self.state.plan().gate(&poll.gate).and_then(|gate| gate.act(option)) {
                Some(plan::GateAct::Escalate) | None => false,
                Some(plan::GateAct::Fix) => !self.is_before(&poll.gate),
                Some(_) => true,
            };
        let options = poll.options.iter().filter(can_be_done).map(ToString::to_string).collect();
        // A vote on the whole that came to nothing is an open issue itself: who goes on without it waives it.
        let issues = if self.state.is_gate_of_the_whole(&poll.gate) {
            self.concerns(at, &poll.gate, None, &what)
        } else {
            self.open_issues(at)
        };
        self.escalate_asking(at, Cause::Vote, what, issues, options)
    }
}

/// What a vote has against the work as it is.
fn concern(gate: &str, text: String) -> Issue {
    Issue {
        severity: Severity::Major,
        source: format!("gate:{gate}"),
        file: None,
        line: None,
        fingerprint: Digest::of_parts(&[gate.as_bytes(), text.as_bytes()]),
        text,
        suggested_fix: None,
    }
}

impl RunState {
    /// Whether a gate is one of the whole.
    pub(super) fn is_gate_of_the_whole(&self, gate: &str) -> bool {
        *self.plan().strategy.name != *gate
    }

    /// Whether the voters may choose to make a component anew.
    fn may_refactor(&self, at: Index) -> bool {
        self.is_implemented(at) && !self.component(at).refactored
    }

    /// Whether a component's implementation is behind it: there is something to go back to before.
    pub(super) fn is_implemented(&self, at: Index) -> bool {
        let implement = Leg::Step(Step::Implement);
        at != self.run_index()
            && self
                .plan()
                .legs(at)
                .iter()
                .position(|leg| *leg == implement)
                .is_some_and(|implement| usize::from(self.component(at).leg) > implement)
    }

    /// The commit of the best tree so far, where the last one is worse.
    pub(super) fn best_tree(&self, at: Index) -> Option<Box<str>> {
        let subject = self.component_or_run(at);
        let fixing = subject.fixing.as_ref().filter(|fixing| fixing.trend() == Trend::Worse)?;
        fixing.best_at.clone().filter(|best| subject.tip() != Some(&**best))
    }

    pub(super) fn open_vote(&mut self, event: &Event, vote: &VoteOpened) -> Result<(), Illegal> {
        let index = self.index(event, &vote.on)?;
        let subject = self.component_or_run(index);
        let earlier = match &subject.phase {
            Phase::Voting(poll) if vote.round > 1 => poll.reasons(None),
            _ => Vec::new(),
        };
        let scope = match &subject.phase {
            Phase::Voting(poll) => poll.scope,
            _ => subject.fixing.as_ref().and_then(|fixing| fixing.scope).unwrap_or(Scope::Final),
        };
        let validation = match &subject.phase {
            Phase::Voting(poll) => poll.validation.clone(),
            Phase::Validating(validation) => Some(validation.clone()),
            _ => None,
        };
        // Each round has voters of its own numbers, so that they are conversations of their own.
        let first = (vote.round - 1) * vote.voters;
        let voters = (first..first + vote.voters).map(|voter| {
            let step = Step::Vote { gate: vote.gate.clone(), voter };
            Voter { work: Work::new(step), settled: None }
        });
        let poll = Poll {
            gate: vote.gate.clone(),
            round: vote.round,
            threshold: vote.threshold,
            options: vote.options.clone(),
            voters: voters.collect(),
            earlier,
            scope,
            validation,
        };
        self.enter(index, Phase::Voting(Box::new(poll)));
        Ok(())
    }

    /// What the voters said is known to the next writer; a vote starts the count of returning issues anew.
    pub(super) fn settle_vote(&mut self, event: &Event, vote: &VoteSettled) -> Result<(), Illegal> {
        let index = self.index(event, &vote.on)?;
        let plan = self.plan().clone();
        let act = |option: &str| plan.gate(&vote.gate)?.act(option);
        let subject = self.at_mut(index);
        let Phase::Voting(poll) = &subject.phase else { return Err(Self::illegal(event, "no vote is open")) };
        // Where a person decides in the end, all reasons are worth knowing.
        let winner = vote.winner.as_deref().filter(|winner| act(winner) != Some(plan::GateAct::Escalate));
        let advice = poll.reasons(winner);
        if let Some(fixing) = &mut subject.fixing {
            fixing.returns.clear();
            fixing.advice = advice;
        }
        Ok(())
    }

    pub(super) fn settle_gate(&mut self, gate: &Arc<str>, option: &Arc<str>, act: GateAct, issues: &[Issue]) {
        match act {
            GateAct::Fix => {
                self.gates_fixed.insert(gate.clone());
                let run = self.run_index();
                let tip = self.run_work().tip().map(Box::<str>::from);
                let mut fixing = FixLoop { pressed: true, ..FixLoop::default() };
                fixing.found(Scope::Final, issues, tip.as_deref());
                self.at_mut(run).fixing = Some(Box::new(fixing));
                return;
            }
            GateAct::Decide => self.decisions.push(format!("{gate}: {option}")),
            GateAct::Proceed | GateAct::Escalate => {}
        }
        self.gates_settled.insert(gate.clone());
        self.enter(self.run_index(), Phase::Waiting(Todo::Fresh));
    }

    /// A component goes back to before its implementation: a new conversation, a new budget, the voters' reasons.
    pub(super) fn refactor(&mut self, index: Index, before: Option<&str>) {
        let implement = Leg::Step(Step::Implement);
        let leg = self.plan().legs(index).iter().position(|leg| *leg == implement).unwrap_or(0) as u8;
        let subject = self.at_mut(index);
        let old = subject.fixing.take().unwrap_or_default();
        subject.fixing = Some(Box::new(FixLoop { advice: old.advice, tried: old.tried, ..FixLoop::default() }));
        subject.refactored = true;
        subject.leg = leg;
        if before.is_some() {
            subject.findings.clear();
        }
        // What is given up is the tip no more.
        if let Some(commits) = subject.commits.take_if(|commits| commits.implemented.as_ref() == Some(&commits.first)) {
            drop(commits);
        } else if let Some(commits) = &mut subject.commits {
            commits.implemented = None;
            commits.last = commits.first.clone();
        }
        let origin = before.map(|commit| Origin::Before(commit.into()));
        self.enter(index, Phase::Working(Box::new(Work { origin, ..Work::new(Step::Implement) })));
    }

    /// Work has to be judged again: the whole, and the votes on it.
    pub(super) fn reopen(&mut self) {
        self.completed = None;
        let plan = self.plan().clone();
        self.gates_settled.retain(|name| plan.gate(name).is_some_and(|gate| gate.before));
        self.gates_fixed.clear();
    }
}
