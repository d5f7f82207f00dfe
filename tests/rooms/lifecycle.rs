//! The pure core against random worlds: crash everywhere, never too much at once, nothing before its dependencies.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use cco::ids::{AttemptId, ComponentId, Digest, Step, Subject};
use cco::lifecycle::event::{
    Answer, AttemptEnd, CheckResult, Event, Evidence, Issue, Proof, RunEnd, RunStarted, TreeInfo, Trouble, Usage, Verb,
    Verdict,
};
use cco::lifecycle::next::{Next, Task, end_of, next, wake_at};
use cco::lifecycle::reconcile;
use cco::lifecycle::report::{BallotReport, Claim, ReviewIssue, ReviewReport, Severity, WriterReport};
use cco::lifecycle::settle::{Outcome, answer, settle};
use cco::lifecycle::state::RunState;
use cco::lifecycle::subject::Phase;
use cco::plan::{
    CheckIndex, CheckPlan, ComponentPlan, GateAct, GatePlan, Mode, OptionPlan, Parts, Plan, Policy, Schedule,
    check_set_digest,
};
use jiff::Timestamp;

/// A small deterministic source of choices.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn start() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

fn gate(name: &str, before: bool, options: &[(&str, GateAct)]) -> GatePlan {
    let option = |&(name, act): &(&str, GateAct)| OptionPlan { name: name.into(), act, meaning: String::new() };
    GatePlan {
        name: name.into(),
        before,
        question: "how?".into(),
        options: options.iter().map(option).collect(),
        voters: 3,
        threshold: 2.0 / 3.0,
        models: Vec::new(),
    }
}

fn strategy() -> GatePlan {
    let options =
        [("FIX_IN_PLACE", GateAct::FixInPlace), ("REFACTOR", GateAct::Refactor), ("ESCALATE", GateAct::Escalate)];
    gate("fix_strategy", false, &options)
}

fn random_gates(dice: &mut Dice) -> Vec<GatePlan> {
    let before = gate("impact", true, &[("KEEP", GateAct::Decide), ("STOP", GateAct::Escalate)]);
    let after = gate("ready", false, &[("READY", GateAct::Proceed), ("MORE", GateAct::Fix), ("NO", GateAct::Escalate)]);
    [before, after].into_iter().filter(|_| dice.roll(3) == 0).collect()
}

fn random_plan(seed: u64) -> Plan {
    let mut dice = Dice(seed);
    let count = 1 + dice.roll(7) as u32;
    let check_count = dice.roll(3) as u32;
    let checks: Vec<CheckPlan> = (0..check_count + 1)
        .map(|i| CheckPlan {
            name: format!("c{i}").into(),
            run: format!("check {i}"),
            dir: None,
            env: Vec::new(),
            timeout: Duration::from_secs(60),
            junit: None,
            lock: (dice.roll(3) == 0).then(|| "one".into()),
            tests: false,
        })
        .collect();
    let component = |i| {
        let own: Vec<CheckIndex> = (0..check_count).filter(|_| dice.roll(2) == 0).collect();
        ComponentPlan {
            id: ComponentId::new(&format!("n{i}")).unwrap(),
            plain: dice.roll(2) == 0,
            input: Digest::of(&[dice.roll(2) as u8]),
            check_set: check_set_digest(&checks, own.iter()),
            checks: own,
            conflicts: Vec::new(),
        }
    };
    let components = (0..count).map(component).collect();
    let dependencies = (0..count).map(|i| (0..i).filter(|_| dice.roll(3) == 0).collect()).collect();
    let mode = [Mode::Quick, Mode::Standard, Mode::Full][dice.roll(3) as usize];
    let schedule = [Schedule::Free, Schedule::Levels, Schedule::Serial][dice.roll(3) as usize];
    Plan::new(Parts {
        spec: "world/one-00000000".into(),
        mode,
        schedule,
        components,
        dependencies,
        checks,
        level_checks: if dice.roll(2) == 0 { vec![check_count] } else { Vec::new() },
        final_checks: (0..=check_count).collect(),
        baseline: if dice.roll(3) == 0 { vec![check_count] } else { Vec::new() },
        reviewers: dice.roll(4) as u8,
        gates: random_gates(&mut dice),
        strategy: strategy(),
        policy: Policy {
            jobs: 1 + dice.roll(4) as u32,
            max_fix_attempts: dice.roll(4) as u32,
            inherit_red: dice.roll(2) == 0,
            ..Policy::default()
        },
        one_tree: dice.roll(2) == 0,
        only: None,
    })
    .unwrap()
}

/// What the world answers, by what was tried and how often it ended before: the same after any crash.
fn answer_of(seed: u64, attempt: &AttemptId, ended: u32) -> AttemptEnd {
    let lot = hash((seed, &attempt.on, &attempt.step, ended)) % 100;
    match &attempt.step {
        Step::Check(name) => {
            let verdict = match lot {
                0..70 => Verdict::Pass,
                70..95 => Verdict::Fail,
                _ => Verdict::Unavailable,
            };
            let issue = Issue {
                severity: Severity::Major,
                source: attempt.step.to_string(),
                file: None,
                line: None,
                text: "no".into(),
                suggested_fix: None,
                fingerprint: Digest::default(),
            };
            AttemptEnd::Checked(Box::new(CheckResult {
                check: name.clone(),
                verdict,
                evidence: Evidence { argv: Vec::new(), tree: None, exit: None, output: Digest::default(), ms: 0 },
                issues: if verdict == Verdict::Pass { Vec::new() } else { vec![issue] },
                note: None,
            }))
        }
        step => match lot {
            0..80 => said(step, hash((seed, "said", &attempt.on, &attempt.step, ended))),
            80..86 => trouble(Trouble::Transient),
            86..90 => trouble(Trouble::RateLimit { until: None }),
            90..92 => trouble(Trouble::UsageLimit { until: None }),
            92..96 => trouble(Trouble::NoAnswer),
            96..98 if !step.writes() => trouble(Trouble::Meddled),
            _ => trouble(Trouble::TimedOut),
        },
    }
}

/// What an agent says that answers.
fn said(step: &Step, lot: u64) -> AttemptEnd {
    match step {
        Step::Review(_) => {
            let issues = if lot.is_multiple_of(3) { vec![finding(lot / 3 % 2)] } else { Vec::new() };
            AttemptEnd::Reviewed {
                report: Box::new(ReviewReport { summary: String::new(), issues }),
                issues: Vec::new(),
            }
        }
        Step::Vote { gate, .. } => {
            let options: &[&str] = match &**gate {
                "fix_strategy" => &["FIX_IN_PLACE", "REFACTOR", "ESCALATE", "NONSENSE"],
                "impact" => &["KEEP", "KEEP", "STOP"],
                _ => &["READY", "READY", "MORE", "NO"],
            };
            let vote = options[(lot % options.len() as u64) as usize].to_owned();
            let confidence = (lot / 7 % 11) as f64 / 10.0;
            AttemptEnd::Voted { ballot: Box::new(BallotReport { vote, confidence, reasoning: format!("r{lot}") }) }
        }
        _ => {
            let findings = if lot.is_multiple_of(9) { vec![tampered()] } else { Vec::new() };
            let commit = (!lot.is_multiple_of(4)).then(|| format!("c{lot}").into());
            AttemptEnd::Wrote { report: Box::default(), commit, product: None, findings }
        }
    }
}

fn finding(which: u64) -> ReviewIssue {
    ReviewIssue {
        severity: if which == 0 { Severity::Major } else { Severity::Minor },
        file: "a.rs".into(),
        line: Some(1),
        text: format!("wrong in way {which}"),
        how_it_fails: "on 0".into(),
        requirement: None,
        suggested_fix: None,
        same_as: None,
    }
}

fn tampered() -> Issue {
    Issue {
        severity: Severity::Major,
        source: "tamper:test_deleted".into(),
        file: Some("t.rs".into()),
        line: None,
        text: "a test is gone".into(),
        suggested_fix: None,
        fingerprint: Digest::of(b"tampered"),
    }
}

fn trouble(class: Trouble) -> AttemptEnd {
    AttemptEnd::Failed { class, message: "trouble".into(), resumable: true }
}

/// A run of one world: the durable records and what was paid for.
struct World {
    seed: u64,
    state: RunState,
    now: Timestamp,
    dice: Dice,
    records: Vec<(Timestamp, Vec<Event>)>,
    flight: Vec<AttemptId>,
    sessions: u32,
}

impl World {
    fn begin(plan: &Arc<Plan>, seed: u64, records: &[(Timestamp, Vec<Event>)], luck: u64) -> Self {
        let mut state = RunState::new(plan.clone());
        let mut now = start();
        for (at, events) in records {
            for event in events {
                state.apply(event, *at).unwrap_or_else(|e| panic!("world {seed}: replay: {e}"));
            }
            now = *at;
        }
        let mut world =
            Self { seed, state, now, dice: Dice(luck), records: records.to_vec(), flight: Vec::new(), sessions: 0 };
        world.record(vec![Event::RunStarted(Box::new(run_started(plan)))], true);
        for (attempt, _) in world.state.in_flight() {
            let end = AttemptEnd::Interrupted { resumable: true };
            world.settle(attempt, end);
        }
        let stale = reconcile::stale(&world.state);
        if !stale.is_empty() {
            world.record(stale, true);
        }
        world
    }

    fn record(&mut self, events: Vec<Event>, apply: bool) {
        if apply {
            for event in &events {
                self.state.apply(event, self.now).unwrap();
            }
        }
        self.records.push((self.now, events));
    }

    fn settle(&mut self, attempt: AttemptId, end: AttemptEnd) {
        let usage = attempt.step.by_agent().then(|| Usage { cost_usd: Some(1.0), ..Usage::default() });
        let outcome = Outcome { attempt, end, ms: 1, usage, notes: Vec::new(), dice: 0.5 };
        let events = settle(&mut self.state, outcome, self.now).unwrap_or_else(|e| panic!("world {}: {e}", self.seed));
        self.record(events, false);
    }

    /// Runs to the end, checking the limits all the way.
    fn run(&mut self) -> RunEnd {
        loop {
            // The machine may have no room for another agent; while nothing runs it has.
            let mut room = if self.flight.is_empty() { 1 } else { self.dice.roll(3) };
            while let Some(step) = next(&mut self.state, self.now, room > 0, &mut || {
                self.sessions += 1;
                format!("s{}", self.sessions).into()
            })
            .unwrap()
            {
                match step {
                    Next::Decide(events) => self.record(events, false),
                    Next::Launch(events, launch) => {
                        self.record(events, false);
                        if let Task::Agent { .. } = &launch.task {
                            room = room.checked_sub(1).expect("an agent was started where there was no room");
                        }
                        if let (Task::Agent { .. }, Subject::Component(id)) = (&launch.task, &launch.attempt.on) {
                            self.check_dependencies(id);
                        }
                        self.flight.push(launch.attempt);
                    }
                }
                self.check_limits();
            }
            if self.flight.is_empty() {
                if let Some(end) = end_of(&self.state, self.now) {
                    return end;
                }
                self.now = wake_at(&self.state, self.now).unwrap_or_else(|| panic!("world {} is stuck", self.seed));
                continue;
            }
            let at = self.dice.roll(self.flight.len() as u64) as usize;
            let attempt = self.flight.swap_remove(at);
            let ended = ended_before(&self.records, &attempt);
            self.settle(attempt.clone(), answer_of(self.seed, &attempt, ended));
        }
    }

    fn check_limits(&self) {
        let counts = self.state.counts();
        assert!(counts.agents <= self.state.plan().policy.jobs, "world {}: too many agents", self.seed);
        assert!(counts.checks <= self.state.plan().policy.check_jobs);
        if self.state.plan().one_tree {
            assert!(counts.writers == 0 || counts.checks == 0, "world {}: a check beside a writer", self.seed);
            assert!(counts.writers == 0 || counts.readers == 0, "world {}: a reader beside a writer", self.seed);
        }
    }

    fn check_dependencies(&self, id: &ComponentId) {
        let plan = self.state.plan();
        let at = plan.index(id).unwrap();
        for &below in plan.graph.dependencies(at) {
            assert!(self.state.component(below).is_complete(), "world {}: {id} began too early", self.seed);
        }
    }

    /// What a user would call the result: where everything stands and what was paid, without attempt numbers.
    fn result(&self) -> (Vec<String>, HashMap<(Subject, Step), u32>) {
        let phases = (0..=self.state.run_index())
            .map(|at| {
                let subject =
                    if at == self.state.run_index() { self.state.run_work() } else { self.state.component(at) };
                match &subject.phase {
                    Phase::Asking(question) => format!("asking {:?} {:?}", question.cause, question.during),
                    phase => format!("{phase:?}"),
                }
            })
            .collect();
        let mut paid = HashMap::new();
        for (_, events) in &self.records {
            for event in events {
                if let Event::AttemptEnded { attempt, end, .. } = event
                    && matches!(end, AttemptEnd::Wrote { .. } | AttemptEnd::Reviewed { .. } | AttemptEnd::Voted { .. })
                {
                    *paid.entry((attempt.on.clone(), attempt.step.clone())).or_insert(0) += 1;
                }
            }
        }
        (phases, paid)
    }
}

fn ended_before(records: &[(Timestamp, Vec<Event>)], wanted: &AttemptId) -> u32 {
    let ended = records.iter().flat_map(|(_, events)| events).filter(|event| {
        matches!(event, Event::AttemptEnded { attempt, end, .. }
            if attempt.on == wanted.on && attempt.step == wanted.step && !matches!(end, AttemptEnd::Interrupted { .. }))
    });
    ended.count() as u32
}

fn run_started(plan: &Plan) -> RunStarted {
    RunStarted {
        run: 1,
        plan: Digest::default(),
        mode: plan.mode.as_str().into(),
        jobs: plan.policy.jobs,
        agent: "none".into(),
        agent_version: None,
        simulated: true,
        mark: "mark".into(),
        tree: TreeInfo::Shared { dir: "/".into() },
        only: Vec::new(),
    }
}

/// 2,000 random worlds, each cut after every one of its records and resumed: the same end, and nothing paid twice.
#[test]
fn crash_everywhere() {
    let mut points = 0u32;
    let mut ends: HashMap<String, u32> = HashMap::new();
    for seed in 0..2_000u64 {
        let plan = Arc::new(random_plan(hash(seed)));
        let mut whole = World::begin(&plan, seed, &[], seed);
        let end = whole.run();
        *ends.entry(format!("{end:?}")).or_default() += 1;
        let expected = whole.result();
        for cut in 0..whole.records.len() {
            let mut resumed = World::begin(&plan, seed, &whole.records[..cut], seed ^ 0x55);
            let again = resumed.run();
            assert_eq!(again, end, "world {seed} cut after {cut} records");
            assert_eq!(resumed.result(), expected, "world {seed} cut after {cut} records");
            points += 1;
        }
    }
    assert!(ends.len() >= 2 && points > 20_000, "the worlds are too tame: {points} crash points, {ends:?}");
}

/// The state is a pure fold: replaying a finished run gives the very same state.
#[test]
fn replay_is_the_same_state() {
    for seed in 0..300u64 {
        let plan = Arc::new(random_plan(hash(seed)));
        let mut world = World::begin(&plan, seed, &[], seed);
        world.run();
        let mut replayed = RunState::new(plan.clone());
        for (at, events) in &world.records {
            for event in events {
                replayed.apply(event, *at).unwrap();
            }
        }
        assert_eq!(format!("{replayed:?}"), format!("{:?}", world.state), "world {seed}");
    }
}

/// The manifest may be edited in any way between two runs: the records are still read, nothing that is running is
/// lost, and the run comes to an end under the new plan.
#[test]
fn any_edit_between_two_runs_is_survived() {
    for seed in 0..1_500u64 {
        let before = Arc::new(random_plan(hash(seed)));
        let mut whole = World::begin(&before, seed, &[], seed);
        whole.run();
        let after = Arc::new(random_plan(hash((seed, "edited"))));
        let cut = Dice(seed).roll(whole.records.len() as u64 + 1) as usize;
        let mut edited = World::begin(&after, seed, &whole.records[..cut], seed);
        let end = edited.run();
        let plan = (after.mode, after.schedule, after.one_tree);
        assert!(
            matches!(end, RunEnd::Done | RunEnd::NeedsAnswer),
            "world {seed}: {end:?} {plan:?} {:?}",
            edited.result().0
        );
    }
}

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
            AttemptEnd::Wrote { report: Box::new(report), commit: None, product: None, findings: Vec::new() },
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
        AttemptEnd::Wrote { report: Box::default(), commit: None, product: None, findings: Vec::new() },
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
    let wrote = || AttemptEnd::Wrote { report: Box::default(), commit: None, product: None, findings: Vec::new() };
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
        AttemptEnd::Wrote { report: Box::default(), commit: None, product: None, findings: Vec::new() },
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
