//! Random worlds with a user who answers anything at all: whatever is called proven has a pass of everything behind it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cco::ids::{Digest, Step, Subject};
use cco::lifecycle::event::{Answer, AttemptEnd, Event, Integration, Issue, Proof, RunEnd, Verb, Verdict};
use cco::lifecycle::settle::answer;
use cco::lifecycle::state::RunState;
use cco::lifecycle::subject::Phase;
use cco::plan::Plan;

use super::world::{Dice, World, hash, random_plan};

/// What a validation was to ask, and what it heard.
#[derive(Default)]
struct Heard {
    strict: bool,
    wanted: BTreeSet<Step>,
    said: BTreeMap<Step, (Verdict, Vec<Issue>)>,
}

/// An auditor who knows the records alone.
#[derive(Default)]
struct Audit {
    open: BTreeMap<Subject, Heard>,
    inherited: BTreeSet<Digest>,
    /// Gates that proceed, since the last validation of the whole was opened anew.
    gates: BTreeSet<Arc<str>>,
    proven: u32,
}

impl Audit {
    fn see(&mut self, plan: &Plan, event: &Event) {
        match event {
            // What reviewers said of a change holds for it wherever it is merged; commands are heard again.
            Event::ValidationOpened { on, checks, merged: true, .. } => {
                let heard = self.open.get_mut(on).unwrap_or_else(|| panic!("{on} was never validated before"));
                heard.wanted.extend(checks.iter().cloned().map(Step::Check));
            }
            Event::ValidationOpened { on, checks, reviewers, change_only: false, strict, .. } => {
                let reviewers = reviewers.iter().flatten().map(|&reviewer| Step::Review(reviewer));
                let wanted = checks.iter().cloned().map(Step::Check).chain(reviewers).collect();
                self.open.insert(on.clone(), Heard { strict: *strict, wanted, said: BTreeMap::new() });
            }
            Event::AttemptEnded { attempt, end, .. } => {
                let Some(heard) = self.open.get_mut(&attempt.on) else { return };
                match end {
                    AttemptEnd::Checked(result) => {
                        heard.said.insert(attempt.step.clone(), (result.verdict, result.issues.clone()));
                    }
                    AttemptEnd::Reviewed { issues, .. } => {
                        let blocks = |issue: &Issue| heard.strict || issue.severity.blocks();
                        let verdict = if issues.iter().any(blocks) { Verdict::Fail } else { Verdict::Pass };
                        heard.said.insert(attempt.step.clone(), (verdict, issues.clone()));
                    }
                    AttemptEnd::Integrated(step) if matches!(**step, Integration::Landed { .. }) => {}
                    AttemptEnd::Integrated(_) if attempt.on == Subject::Run => drop(self.open.remove(&attempt.on)),
                    AttemptEnd::Integrated(_) => heard.said.retain(|step, _| !matches!(step, Step::Check(_))),
                    AttemptEnd::Wrote { .. } => drop(self.open.remove(&attempt.on)),
                    _ => {}
                }
            }
            Event::SeatLost { on, step, .. } => {
                if let Some(heard) = self.open.get_mut(on) {
                    heard.said.insert(step.clone(), (Verdict::Unavailable, Vec::new()));
                }
            }
            Event::Inherited { issues } => self.inherited.extend(issues.iter().map(|issue| issue.fingerprint)),
            Event::GateSettled { gate, .. } => drop(self.gates.insert(gate.clone())),
            Event::WentStale { .. } => self.gates.clear(),
            Event::ComponentCompleted { on, proof: Proof::Proven } => {
                let at = plan.index(on).unwrap();
                let checks = plan.component(at).checks.iter().map(|&check| Step::Check(plan.check(check).name.clone()));
                self.is_proven(&on.clone().into(), checks.chain((0..plan.reviewers).map(Step::Review)));
            }
            Event::RunCompleted { proof: Proof::Proven } => {
                self.is_proven(&Subject::Run, (0..plan.reviewers).map(Step::Review));
                for gate in plan.gates.iter().filter(|gate| !gate.before) {
                    assert!(self.gates.contains(&gate.name), "the vote {} was not held", gate.name);
                }
            }
            _ => {}
        }
    }

    fn is_proven(&mut self, on: &Subject, needed: impl Iterator<Item = Step>) {
        let heard = self.open.get(on).unwrap_or_else(|| panic!("{on} is proven by nothing since it was last written"));
        for step in heard.wanted.iter().cloned().chain(needed) {
            let (verdict, issues) = heard.said.get(&step).unwrap_or_else(|| panic!("{on} is proven without {step}"));
            let old = !issues.is_empty() && issues.iter().all(|issue| self.inherited.contains(&issue.fingerprint));
            assert!(*verdict == Verdict::Pass || old, "{on} is proven although {step} says {verdict:?}");
        }
        self.proven += 1;
    }
}

/// Answers every open question, each in some way.
pub fn answer_all(world: &mut World, dice: &mut Dice) {
    let open: Vec<_> = world.state.questions().cloned().collect();
    for question in open {
        let verb = [Verb::Retry, Verb::Accept, Verb::Recheck, Verb::Option, Verb::Skip][dice.roll(5) as usize];
        let option = (verb == Verb::Option && !question.options.is_empty())
            .then(|| question.options[dice.roll(question.options.len() as u64) as usize].clone());
        let verb = if verb == Verb::Option && option.is_none() { Verb::Accept } else { verb };
        let some = verb == Verb::Accept && dice.roll(4) == 0;
        let issues =
            if some { question.issues.iter().take(1).map(|issue| issue.fingerprint).collect() } else { vec![] };
        let words = Answer { id: question.id, verb, guidance: None, issues, option };
        // Some verbs make no sense for some questions, and say so.
        if let Ok(events) = answer(&mut world.state, words, world.now) {
            world.record(events, false);
        }
    }
}

#[test]
fn what_is_called_proven_passed_everything_whatever_the_user_answers() {
    let (mut done, mut proven) = (0, 0);
    for seed in 0..1_500u64 {
        let plan = Arc::new(random_plan(hash((seed, "answered"))));
        let mut world = World::begin(&plan, seed, &[], seed);
        let mut dice = Dice(hash((seed, "user")));
        for _ in 0..30 {
            if world.run() != RunEnd::NeedsAnswer {
                done += 1;
                break;
            }
            answer_all(&mut world, &mut dice);
        }
        let mut audit = Audit::default();
        let mut replayed = RunState::new(plan.clone());
        for (at, events) in &world.records {
            for event in events {
                audit.see(&plan, event);
                let before = proven_components(&replayed);
                replayed.apply(event, *at).unwrap();
                if matches!(event, Event::ValidationSettled { on: Subject::Run, .. })
                    && proven_components(&replayed) > before
                {
                    // Components without a validation of their own are proven by a whole that passed in all.
                    audit.is_proven(&Subject::Run, std::iter::empty());
                }
            }
        }
        assert_eq!(format!("{replayed:?}"), format!("{:?}", world.state), "world {seed}");
        proven += audit.proven;
    }
    assert!(done > 1_000 && proven > 1_000, "the worlds are too tame: {done} came to an end, {proven} proofs");
}

fn proven_components(state: &RunState) -> usize {
    (0..state.run_index()).filter(|&at| state.component(at).phase == Phase::Complete(Proof::Proven)).count()
}
