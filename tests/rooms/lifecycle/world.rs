//! Random worlds: plans, what agents and commands answer in them, and runs through them.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use cco::ids::{AttemptId, ComponentId, Digest, Step, Subject};
use cco::lifecycle::event::{
    AttemptEnd, CheckResult, Event, Evidence, Integration, Issue, RunEnd, RunStarted, TreeInfo, Trouble, Usage, Verdict,
};
use cco::lifecycle::next::{Next, Task, end_of, next, wake_at};
use cco::lifecycle::reconcile;
use cco::lifecycle::report::{BallotReport, Dispute, ReviewIssue, ReviewReport, Severity, WriterReport};
use cco::lifecycle::sameness;
use cco::lifecycle::settle::{Outcome, settle};
use cco::lifecycle::state::RunState;
use cco::lifecycle::subject::Phase;
use cco::plan::{
    CheckIndex, CheckPlan, ComponentPlan, GateAct, GatePlan, Mode, OptionPlan, Parts, Plan, Policy, Schedule,
    check_set_digest,
};
use jiff::Timestamp;

/// A small deterministic source of choices.
#[derive(Clone)]
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

pub fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

pub fn start() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

pub fn gate(name: &str, before: bool, options: &[(&str, GateAct)]) -> GatePlan {
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

pub fn strategy() -> GatePlan {
    let options =
        [("FIX_IN_PLACE", GateAct::FixInPlace), ("REFACTOR", GateAct::Refactor), ("ESCALATE", GateAct::Escalate)];
    gate("fix_strategy", false, &options)
}

pub fn random_gates(dice: &mut Dice) -> Vec<GatePlan> {
    let before = gate("impact", true, &[("KEEP", GateAct::Decide), ("STOP", GateAct::Escalate)]);
    let after = gate("ready", false, &[("READY", GateAct::Proceed), ("MORE", GateAct::Fix), ("NO", GateAct::Escalate)]);
    [before, after].into_iter().filter(|_| dice.roll(3) == 0).collect()
}

pub fn random_plan(seed: u64) -> Plan {
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
            junit: (i == check_count).then(|| "report.xml".into()),
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
pub fn answer_of(seed: u64, attempt: &AttemptId, ended: u32) -> AttemptEnd {
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
                fingerprint: Digest::of(&[(lot % 3) as u8]),
            };
            AttemptEnd::Checked(Box::new(CheckResult {
                check: name.clone(),
                verdict,
                evidence: Evidence { argv: Vec::new(), tree: None, exit: None, output: Digest::default(), ms: 0 },
                issues: if verdict == Verdict::Pass { Vec::new() } else { vec![issue] },
                note: None,
            }))
        }
        Step::Compare => compared(if lot < 20 { vec![tampered()] } else { Vec::new() }),
        Step::Integrate => AttemptEnd::Integrated(Box::new(match lot {
            0..60 => landed(&format!("l{lot}")),
            60..85 => Integration::CaughtUp { commit: format!("m{lot}").into() },
            _ => Integration::Conflicts { commit: format!("x{lot}").into(), files: vec!["a.rs".into()] },
        })),
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

/// What cco found in a tree that the user may have changed.
pub fn compared(findings: Vec<Issue>) -> AttemptEnd {
    AttemptEnd::Compared { commit: None, product: None, findings, change: None }
}

/// Work that is on the branch as this commit.
pub fn landed(commit: &str) -> Integration {
    Integration::Landed { commit: Some(commit.into()), tree: "t".into(), product: None }
}

/// What an agent says that answers.
pub fn said(step: &Step, lot: u64) -> AttemptEnd {
    match step {
        Step::Review(_) => {
            let issues = if lot.is_multiple_of(3) { vec![finding(lot / 3 % 2)] } else { Vec::new() };
            AttemptEnd::Reviewed {
                report: Box::new(ReviewReport { summary: String::new(), issues }),
                issues: Vec::new(),
                change: None,
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
            let dispute = |id: Digest| Dispute { issue: id.to_string(), reason: String::new() };
            let disputes = if lot.is_multiple_of(5) { known_findings().map(dispute).collect() } else { Vec::new() };
            let report = Box::new(WriterReport { disputes, ..WriterReport::default() });
            AttemptEnd::Wrote { report, commit, product: None, findings, change: None }
        }
    }
}

/// The fingerprints of all that the reviewers of these worlds find.
fn known_findings() -> impl Iterator<Item = Digest> {
    let report = |which| ReviewReport { summary: String::new(), issues: vec![finding(which)] };
    (0..4).flat_map(move |reviewer| {
        let of = move |which| sameness::judged(&report(which), &Step::Review(reviewer).to_string(), &[]);
        (0..2).flat_map(of).map(|issue| issue.fingerprint)
    })
}

pub fn finding(which: u64) -> ReviewIssue {
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

pub fn tampered() -> Issue {
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

pub fn trouble(class: Trouble) -> AttemptEnd {
    AttemptEnd::Failed { class, message: "trouble".into(), resumable: true }
}

/// A record that is on disk.
pub type Written = (Timestamp, Vec<Event>);

/// A run of one world: the durable records and what was paid for.
#[derive(Clone)]
pub struct World {
    pub seed: u64,
    pub state: RunState,
    pub now: Timestamp,
    pub dice: Dice,
    pub records: Vec<Written>,
    /// How many attempts of a step ended, other than by an interruption; and how many of them were answered.
    pub ended: HashMap<(Subject, Step), (u32, u32)>,
    pub flight: Vec<AttemptId>,
    pub sessions: u32,
}

impl World {
    /// Before anything was recorded.
    pub fn new(plan: &Arc<Plan>, seed: u64) -> Self {
        let state = RunState::new(plan.clone());
        let (records, flight, ended) = (Vec::new(), Vec::new(), HashMap::new());
        Self { seed, state, now: start(), dice: Dice(seed), records, ended, flight, sessions: 0 }
    }

    pub fn begin(plan: &Arc<Plan>, seed: u64, records: &[Written], luck: u64) -> Self {
        let mut world = Self { dice: Dice(luck), ..Self::new(plan, seed) };
        records.iter().for_each(|record| world.replay(record));
        world.records = records.to_vec();
        world.resume();
        world
    }

    /// Takes in a record of a run before, without keeping it.
    pub fn replay(&mut self, (at, events): &Written) {
        self.now = *at;
        for event in events {
            self.state.apply(event, *at).unwrap_or_else(|e| panic!("world {}: replay: {e}", self.seed));
        }
        self.tell(events);
    }

    /// What every run begins with: it settles what the one before left.
    pub fn resume(&mut self) {
        self.record(vec![Event::RunStarted(Box::new(run_started(self.state.plan())))], true);
        for (attempt, _) in self.state.in_flight() {
            let end = AttemptEnd::Interrupted { resumable: true };
            self.settle(attempt, end);
        }
        let stale = reconcile::stale(&self.state);
        if !stale.is_empty() {
            self.record(stale, true);
        }
    }

    pub fn record(&mut self, events: Vec<Event>, apply: bool) {
        if apply {
            for event in &events {
                self.state.apply(event, self.now).unwrap();
            }
        }
        self.tell(&events);
        self.records.push((self.now, events));
    }

    fn tell(&mut self, events: &[Event]) {
        for event in events {
            let Event::AttemptEnded { attempt, end, .. } = event else { continue };
            let (ended, answered) = match end {
                AttemptEnd::Interrupted { .. } => continue,
                AttemptEnd::Wrote { .. } | AttemptEnd::Reviewed { .. } | AttemptEnd::Voted { .. } => (1, 1),
                AttemptEnd::Checked(_)
                | AttemptEnd::Failed { .. }
                | AttemptEnd::Compared { .. }
                | AttemptEnd::Integrated(_) => (1, 0),
            };
            let known = self.ended.entry((attempt.on.clone(), attempt.step.clone())).or_default();
            *known = (known.0 + ended, known.1 + answered);
        }
    }

    pub fn settle(&mut self, attempt: AttemptId, end: AttemptEnd) {
        let usage = attempt.step.by_agent().then(|| Usage { cost_usd: Some(1.0), ..Usage::default() });
        let outcome = Outcome { attempt, end, ms: 1, usage, notes: Vec::new(), wants: Vec::new(), dice: 0.5 };
        let events = settle(&mut self.state, outcome, self.now).unwrap_or_else(|e| panic!("world {}: {e}", self.seed));
        self.record(events, false);
    }

    /// Runs to the end, checking the limits all the way.
    pub fn run(&mut self) -> RunEnd {
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
            let known = self.ended.get(&(attempt.on.clone(), attempt.step.clone()));
            let ended = known.map_or(0, |(ended, _)| *ended);
            self.settle(attempt.clone(), answer_of(self.seed, &attempt, ended));
        }
    }

    pub fn check_limits(&self) {
        let counts = self.state.counts();
        assert!(counts.agents <= self.state.plan().policy.jobs, "world {}: too many agents", self.seed);
        assert!(counts.checks <= self.state.plan().policy.check_jobs);
        let landing = self.flight.iter().filter(|attempt| attempt.step == Step::Integrate).count();
        assert!(landing <= 1, "world {}: two land at once", self.seed);
        if self.state.plan().one_tree {
            assert!(counts.writers == 0 || counts.checks == 0, "world {}: a check beside a writer", self.seed);
            assert!(counts.writers == 0 || counts.readers == 0, "world {}: a reader beside a writer", self.seed);
        }
    }

    pub fn check_dependencies(&self, id: &ComponentId) {
        let plan = self.state.plan();
        let at = plan.index(id).unwrap();
        for &below in plan.graph.dependencies(at) {
            assert!(self.state.component(below).is_complete(), "world {}: {id} began too early", self.seed);
        }
    }

    /// What a user would call the result: where everything stands and what was paid, without attempt numbers.
    pub fn result(&self) -> (Vec<String>, HashMap<(Subject, Step), u32>) {
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
        let answered = self.ended.iter().filter(|(_, (_, answered))| *answered > 0);
        (phases, answered.map(|(step, (_, answered))| (step.clone(), *answered)).collect())
    }
}

pub fn run_started(plan: &Plan) -> RunStarted {
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
