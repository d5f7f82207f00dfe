//! The engine's own rules: limits, questions, what goes stale, what is accepted.

use std::sync::Arc;
use std::time::Duration;

use cco::ids::{AttemptId, ComponentId, Digest, Step, Subject};
use cco::lifecycle::event::{
    Answer, AttemptEnd, CheckResult, Event, Evidence, Issue, Proof, RunEnd, Trouble, Verb, Verdict,
};
use cco::lifecycle::next::{Next, end_of, next, wake_at};
use cco::lifecycle::report::{Claim, Severity, WriterReport};
use cco::lifecycle::settle::answer;
use cco::lifecycle::state::RunState;
use cco::plan::{CheckPlan, ComponentPlan, Mode, Parts, Plan, Policy, Schedule};

use super::world::{World, compared, landed, start, strategy, trouble};

/// Near the end of a usage window nothing new begins, and the run waits for its end by itself.
#[test]
fn nothing_begins_before_a_window_that_is_nearly_used_up_resets() {
    let plan = apart(&["a", "b"]);
    let mut world = World::begin(&plan, 3, &[], 3);
    let until = start().checked_add(jiff::SignedDuration::from_hours(2)).unwrap();
    world.record(vec![Event::WindowNearlyUsed { until }], true);
    let mut session = || "s".into();
    assert_eq!(next(&mut world.state, world.now, true, &mut session).unwrap(), None);
    assert_eq!(end_of(&world.state, world.now), None);
    assert_eq!(wake_at(&world.state, world.now), Some(until));
    assert!(next(&mut world.state, until, true, &mut session).unwrap().is_some());
}

/// A component that had a file may have left the manifest when it was given to another, and come back since.
#[test]
fn a_file_that_was_given_twice_is_the_last_ones() {
    let given = |id: &str| {
        let (on, step) = (ComponentId::new(id).unwrap(), Step::Implement);
        let started = Event::ComponentStarted { on: on.clone(), input: Digest::default(), step };
        [started, Event::FilesGranted { on: on.into(), files: vec!["x".to_owned()] }]
    };
    for (ids, holder) in [(&["b"][..], 0), (&["a", "b"], 1), (&["a"], 0)] {
        let mut state = RunState::new(apart(ids));
        ["a", "b"].iter().flat_map(|id| given(id)).for_each(|event| state.apply(&event, start()).unwrap());
        assert_eq!(state.granted().collect::<Vec<_>>(), [("x", holder)], "{ids:?}");
    }
}

/// Components that depend on nothing, each with a check of its own.
fn apart(ids: &[&str]) -> Arc<Plan> {
    apart_with(ids, Policy { jobs: 4, ..Policy::default() })
}

fn apart_with(ids: &[&str], policy: Policy) -> Arc<Plan> {
    let check = |id: &&str| CheckPlan {
        name: format!("check-{id}").into(),
        run: format!("check {id}"),
        dir: None,
        env: Vec::new(),
        timeout: Duration::from_secs(60),
        junit: None,
        lock: None,
        tests: false,
    };
    let component = |(at, id): (usize, &&str)| ComponentPlan {
        id: ComponentId::new(id).unwrap(),
        plain: true,
        checks: vec![at as u32],
        input: Digest::default(),
        check_set: Digest::default(),
        conflicts: Vec::new(),
    };
    let parts = Parts {
        spec: "world/apart-00000000".into(),
        mode: Mode::Standard,
        schedule: Schedule::Free,
        components: ids.iter().enumerate().map(component).collect(),
        dependencies: vec![Vec::new(); ids.len()],
        checks: ids.iter().map(check).collect(),
        level_checks: Vec::new(),
        final_checks: (0..ids.len() as u32).collect(),
        baseline: Vec::new(),
        reviewers: 0,
        gates: Vec::new(),
        strategy: strategy(),
        policy,
        one_tree: false,
        only: None,
    };
    Arc::new(Plan::new(parts).unwrap())
}

impl World {
    /// Starts all that may start now.
    fn start_all(&mut self) -> Vec<AttemptId> {
        let mut started = Vec::new();
        while let Some(step) = next(&mut self.state, self.now, true, &mut || "s".into()).unwrap() {
            match step {
                Next::Decide(events) => self.record(events, false),
                Next::Launch(events, launch) if launch.attempt.step.by_cco() => {
                    self.record(events, false);
                    let end = match launch.attempt.step {
                        Step::Compare => compared(Vec::new()),
                        _ => AttemptEnd::Integrated(Box::new(landed("l"))),
                    };
                    self.settle(launch.attempt, end);
                }
                Next::Launch(events, launch) => {
                    self.record(events, false);
                    started.push(launch.attempt);
                }
            }
        }
        started
    }

    fn asks(&mut self, attempt: AttemptId) {
        let report = WriterReport { status: Claim::Blocked, questions: vec!["how?".into()], ..WriterReport::default() };
        self.settle(
            attempt,
            AttemptEnd::Wrote {
                report: Box::new(report),
                commit: None,
                product: None,
                findings: Vec::new(),
                change: None,
            },
        );
    }

    fn answers(&mut self, id: &str, verb: Verb) {
        let words = Answer { id: id.into(), verb, guidance: None, issues: Vec::new(), option: None };
        let events = answer(&mut self.state, words, self.now).unwrap();
        self.record(events, false);
    }
}

/// Agents that are refused at the same moment meet one limit: one pause, and half of them go on.
#[test]
fn a_burst_of_rate_limits_is_one() {
    let mut world = World::begin(&apart(&["a", "b", "c", "d"]), 0, &[], 0);
    for attempt in world.start_all() {
        world.settle(attempt, trouble(Trouble::RateLimit { until: None }));
    }
    assert_eq!(world.state.jobs(), 2);
    let first_pause = start().checked_add(jiff::SignedDuration::from_secs(30)).unwrap();
    assert_eq!(world.state.pause().map(|(until, _)| until), Some(first_pause));
}

/// What a component cost and asked before it was removed: paid for, answered, and never in the way.
#[test]
fn a_removed_component_leaves_its_cost_and_takes_its_question_along() {
    let mut world = World::begin(&apart(&["a", "b"]), 0, &[], 0);
    for attempt in world.start_all() {
        world.asks(attempt);
    }
    world.answers("q1", Verb::Skip);
    let gone = apart(&["c"]);
    let after = World::begin(&gone, 0, &world.records, 0);
    assert_eq!(after.state.cost(), world.state.cost());
    assert_eq!(after.state.questions().count(), 0);
    let mut after = after;
    let attempt = after.start_all().remove(0);
    after.asks(attempt);
    let ids: Vec<&str> = after.state.questions().map(|question| question.id.as_str()).collect();
    assert_eq!(ids, ["q3"], "the numbers of removed questions are not given twice");
}

/// What is made anew does not wait for an answer about what it was before.
#[test]
fn a_component_that_goes_stale_closes_its_question() {
    let mut world = World::begin(&apart(&["a"]), 0, &[], 0);
    let attempt = world.start_all().remove(0);
    world.asks(attempt);
    let redo = cco::lifecycle::reconcile::redo(&world.state, &[0], None);
    world.record(redo, true);
    assert_eq!(world.state.questions().count(), 0);
}

/// The whole is proven without the checks of what the user left out.
#[test]
fn checks_of_skipped_components_are_not_part_of_the_whole() {
    let mut world = World::begin(&apart(&["a", "b"]), 0, &[], 0);
    let attempts = world.start_all();
    world.asks(attempts[0].clone());
    world.answers("q1", Verb::Skip);
    world.settle(
        attempts[1].clone(),
        AttemptEnd::Wrote { report: Box::default(), commit: None, product: None, findings: Vec::new(), change: None },
    );
    let check = world.start_all().remove(0);
    let skipped = format!("{}.check:check-{}-1", Subject::Run, attempts[0].on);
    let passed = CheckResult {
        check: "c".into(),
        verdict: Verdict::Pass,
        evidence: Evidence { argv: Vec::new(), tree: None, exit: Some(0), output: Digest::default(), ms: 0 },
        issues: Vec::new(),
        note: None,
    };
    world.settle(check, AttemptEnd::Checked(Box::new(passed)));
    let of_the_whole: Vec<String> = world.start_all().iter().map(ToString::to_string).collect();
    assert_eq!(of_the_whole.len(), 1, "{of_the_whole:?}");
    assert!(!of_the_whole.contains(&skipped), "{of_the_whole:?}");
}

/// With --fail-fast the first question ends the run, whatever else waits for better times.
#[test]
fn fail_fast_waits_for_no_backoff() {
    let policy = Policy { jobs: 4, fail_fast: true, ..Policy::default() };
    let mut world = World::begin(&apart_with(&["a", "b"], policy), 0, &[], 0);
    let attempts = world.start_all();
    world.settle(attempts[1].clone(), trouble(Trouble::Transient));
    world.asks(attempts[0].clone());
    assert!(wake_at(&world.state, world.now).is_some());
    assert_eq!(end_of(&world.state, world.now), Some(RunEnd::FailFast));
}

/// What the user took as it is on a component does not come back as a question about the whole; and the whole is then
/// waived, not proven. The same issue of another component is still asked about.
#[test]
fn what_was_accepted_is_not_asked_about_again() {
    let policy = Policy { jobs: 4, max_fix_attempts: 0, ..Policy::default() };
    let mut world = World::begin(&apart_with(&["a"], policy), 0, &[], 0);
    let wrote = || AttemptEnd::Wrote {
        report: Box::default(),
        commit: None,
        product: None,
        findings: Vec::new(),
        change: None,
    };
    let implement = world.start_all().remove(0);
    world.settle(implement, wrote());
    fail_checks(&mut world);
    world.answers("q1", Verb::Accept);
    fail_checks(&mut world);
    assert_eq!(world.state.questions().count(), 0);
    assert_eq!(world.state.completed(), Some(Proof::Waived));
    assert_eq!(end_of(&world.state, world.now), Some(RunEnd::Done));
}

/// Accepting some issues of several leaves the others open: they are looked for again and asked about.
#[test]
fn accepting_a_part_leaves_the_rest_open() {
    let policy = Policy { jobs: 4, max_fix_attempts: 0, ..Policy::default() };
    let mut world = World::begin(&apart_with(&["a"], policy), 0, &[], 0);
    let implement = world.start_all().remove(0);
    world.settle(
        implement,
        AttemptEnd::Wrote { report: Box::default(), commit: None, product: None, findings: Vec::new(), change: None },
    );
    fail_checks(&mut world);
    let words = Answer {
        id: "q1".into(),
        verb: Verb::Accept,
        guidance: None,
        issues: vec![Digest::of(b"other")],
        option: None,
    };
    let events = answer(&mut world.state, words, world.now).unwrap();
    world.record(events, false);
    fail_checks(&mut world);
    assert_eq!(world.state.questions().next().map(|question| question.id.as_str()), Some("q2"));
}

/// Lets every check that starts fail, the second try on the same tree included.
fn fail_checks(world: &mut World) {
    loop {
        let started = world.start_all();
        if started.is_empty() {
            return;
        }
        for attempt in started {
            let issue = Issue {
                severity: Severity::Major,
                source: attempt.step.to_string(),
                file: None,
                line: None,
                text: "no".into(),
                suggested_fix: None,
                fingerprint: Digest::of(attempt.step.to_string().as_bytes()),
            };
            let failed = CheckResult {
                check: "c".into(),
                verdict: Verdict::Fail,
                evidence: Evidence { argv: Vec::new(), tree: None, exit: Some(1), output: Digest::default(), ms: 0 },
                issues: vec![issue],
                note: None,
            };
            world.settle(attempt, AttemptEnd::Checked(Box::new(failed)));
        }
    }
}
