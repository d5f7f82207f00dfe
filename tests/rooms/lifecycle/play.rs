//! Scripted runs of one component, `a`: each step is answered by name, and what follows is looked at.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use cco::ids::{ComponentId, Digest, Step};
use cco::lifecycle::event::{
    Answer, AttemptEnd, CheckResult, Escalation, Event, Evidence, Issue, Trend, Trouble, Verb, Verdict,
};
use cco::lifecycle::next::{Launch, Next, Task, next, wake_at};
use cco::lifecycle::report::{BallotReport, Dispute, ReviewIssue, ReviewReport, Severity, WriterReport};
use cco::lifecycle::settle::answer;
use cco::lifecycle::state::RunState;
use cco::lifecycle::subject::{Origin, SubjectState};
use cco::plan::{CheckPlan, ComponentPlan, GatePlan, Mode, Parts, Plan, Policy, Schedule};

use super::world::{World, compared, landed, start, strategy};

/// What a scripted run is made of.
#[derive(Clone)]
pub struct Setup {
    pub mode: Mode,
    /// Whether the component goes without a skeleton.
    pub plain: bool,
    /// The component's commands; `tests` writes a report with names.
    pub commands: Vec<&'static str>,
    /// The commands of the whole.
    pub whole: Vec<&'static str>,
    pub baseline: Vec<&'static str>,
    pub reviewers: u8,
    pub gates: Vec<GatePlan>,
    pub policy: Policy,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            mode: Mode::Standard,
            plain: true,
            commands: vec!["tests"],
            whole: Vec::new(),
            baseline: Vec::new(),
            reviewers: 0,
            gates: Vec::new(),
            policy: Policy { jobs: 8, check_jobs: 8, ..Policy::default() },
        }
    }
}

/// A run under way.
pub struct Play {
    pub world: World,
    /// How steps of cco's own end, in turn; then work lands, and nothing new is found.
    pub own: VecDeque<AttemptEnd>,
    open: Vec<Launch>,
    sessions: u32,
}

impl Play {
    pub fn new(setup: Setup) -> Self {
        Self::after(setup, &[])
    }

    /// Goes on after these records, under a plan that may be another.
    pub fn after(setup: Setup, records: &[(jiff::Timestamp, Vec<Event>)]) -> Self {
        let names: Vec<&str> = ["lint", "tests", "whole"].to_vec();
        let of = |wanted: &[&str]| -> Vec<u32> {
            wanted.iter().map(|want| names.iter().position(|name| name == want).unwrap() as u32).collect()
        };
        let check = |name: &&str| CheckPlan {
            name: (*name).into(),
            run: format!("run {name}"),
            dir: None,
            env: Vec::new(),
            timeout: Duration::from_secs(60),
            junit: (*name == "tests").then(|| "report.xml".into()),
            lock: None,
            tests: false,
        };
        let component = ComponentPlan {
            id: ComponentId::new("a").unwrap(),
            plain: setup.plain,
            checks: of(&setup.commands),
            input: Digest::default(),
            check_set: Digest::default(),
            conflicts: Vec::new(),
        };
        let parts = Parts {
            spec: "world/play-00000000".into(),
            mode: setup.mode,
            schedule: Schedule::Free,
            components: vec![component],
            dependencies: vec![Vec::new()],
            checks: names.iter().map(check).collect(),
            level_checks: Vec::new(),
            final_checks: of(&setup.whole),
            baseline: of(&setup.baseline),
            reviewers: setup.reviewers,
            gates: setup.gates,
            strategy: strategy(),
            policy: setup.policy,
            one_tree: false,
            only: None,
        };
        let world = World::begin(&Arc::new(Plan::new(parts).unwrap()), 0, records, 0);
        let mut play = Self { world, own: VecDeque::new(), open: Vec::new(), sessions: 0 };
        play.go_on();
        play
    }

    /// Starts all that may start, waiting for the end of backoffs and pauses where nothing else is left.
    fn go_on(&mut self) {
        loop {
            let world = &mut self.world;
            while let Some(step) = next(&mut world.state, world.now, true, &mut || {
                self.sessions += 1;
                format!("s{}", self.sessions).into()
            })
            .unwrap()
            {
                match step {
                    Next::Decide(events) => world.record(events, false),
                    Next::Launch(events, launch) => {
                        world.record(events, false);
                        if launch.attempt.step.by_cco() {
                            let usual = || match launch.attempt.step {
                                Step::Compare => compared(Vec::new()),
                                _ => AttemptEnd::Integrated(Box::new(landed("l"))),
                            };
                            let end = self.own.pop_front().unwrap_or_else(usual);
                            world.settle(launch.attempt, end);
                        } else {
                            self.open.push(launch);
                        }
                    }
                }
            }
            match wake_at(&world.state, world.now) {
                Some(at) if self.open.is_empty() => world.now = at,
                _ => return,
            }
        }
    }

    /// Lets the next backoff or pause end while others go on.
    pub fn waits(&mut self) {
        self.world.now = wake_at(&self.world.state, self.world.now).expect("something waits");
        self.go_on();
    }

    /// The steps in flight, by name.
    pub fn open(&self) -> Vec<String> {
        let mut names: Vec<String> = self.open.iter().map(|launch| launch.attempt.step.to_string()).collect();
        names.sort();
        names
    }

    /// What is in flight of a step.
    pub fn launch(&self, step: &str) -> &Launch {
        let found = self.open.iter().find(|launch| launch.attempt.step.to_string() == step);
        found.unwrap_or_else(|| panic!("{step} does not run, but {:?}; {:?}", self.open(), self.question()))
    }

    /// What the files of a step are set back to before it begins.
    pub fn origin(&self, step: &str) -> Option<Origin> {
        let Task::Agent { origin, .. } = &self.launch(step).task else { panic!("{step} is no agent") };
        origin.clone()
    }

    /// The conversation of a step, and whether the strong model holds it.
    pub fn talk(&self, step: &str) -> (String, bool) {
        let Task::Agent { session, strong, .. } = &self.launch(step).task else { panic!("{step} is no agent") };
        (session.to_string(), *strong)
    }

    pub fn end(&mut self, step: &str, end: AttemptEnd) {
        let attempt = self.launch(step).attempt.clone();
        self.open.retain(|launch| launch.attempt != attempt);
        self.world.settle(attempt, end);
        self.go_on();
    }

    pub fn writes(&mut self, step: &str, commit: &str) {
        self.writes_with(step, commit, Vec::new(), Vec::new());
    }

    pub fn writes_with(&mut self, step: &str, commit: &str, findings: Vec<Issue>, disputes: Vec<String>) {
        let dispute = |issue| Dispute { issue, reason: "it is meant so".into() };
        let disputes = disputes.into_iter().map(dispute).collect();
        let report = WriterReport { summary: format!("tried {commit}"), disputes, ..WriterReport::default() };
        let commit = (!commit.is_empty()).then(|| commit.into());
        self.end(step, AttemptEnd::Wrote { report: Box::new(report), commit, product: None, findings, change: None });
    }

    pub fn passes(&mut self, check: &str) {
        self.end(&format!("check:{check}"), checked(check, Verdict::Pass, &[]));
    }

    /// The command fails in these parts, on its second try too.
    pub fn fails(&mut self, check: &str, parts: &[&str]) {
        for _ in 0..2 {
            self.end(&format!("check:{check}"), checked(check, Verdict::Fail, parts));
        }
    }

    /// A reviewer finds these, each blocking and grounded.
    pub fn finds(&mut self, reviewer: u8, texts: &[&str]) {
        let found = texts.iter().map(|text| found(Severity::Major, text)).collect();
        self.reviews(reviewer, found);
    }

    pub fn reviews(&mut self, reviewer: u8, issues: Vec<ReviewIssue>) {
        let report = Box::new(ReviewReport { summary: String::new(), issues });
        self.end(&format!("review:{reviewer}"), AttemptEnd::Reviewed { report, issues: Vec::new(), change: None });
    }

    /// Votes of the voters from `first` on.
    pub fn votes(&mut self, gate: &str, first: u8, ballots: &[(&str, f64)]) {
        for (voter, &(vote, confidence)) in (first..).zip(ballots) {
            self.end(&format!("vote:{gate}:{voter}"), ballot(vote, confidence, &format!("because of {voter}")));
        }
    }

    /// Ends the step in this trouble until it is not tried again.
    pub fn loses(&mut self, step: &str, class: Trouble) -> u32 {
        let mut tries = 0;
        while self.open().iter().any(|open| open == step) {
            self.end(step, AttemptEnd::Failed { class, message: "trouble".into(), resumable: false });
            tries += 1;
            assert!(tries < 50, "{step} is tried for ever");
        }
        tries
    }

    pub fn answers(&mut self, verb: Verb) {
        self.answers_with(verb, None);
    }

    pub fn answers_with(&mut self, verb: Verb, option: Option<&str>) {
        let id = self.question().expect("a question is open").id;
        let words = Answer { id, verb, guidance: None, issues: Vec::new(), option: option.map(str::to_owned) };
        let events = answer(&mut self.world.state, words, self.world.now).unwrap();
        self.world.record(events, false);
        self.go_on();
    }

    pub fn question(&self) -> Option<Escalation> {
        self.world.state.questions().next().cloned()
    }

    pub fn component(&self) -> &SubjectState {
        self.world.state.component(0)
    }

    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.world.records.iter().flat_map(|(_, events)| events)
    }

    /// Every fix that was opened: counted, how it compares, where it starts.
    pub fn fixes(&self) -> Vec<(bool, Trend, Option<&str>)> {
        let fix = |event| match event {
            &Event::FixOpened { counted, trend, ref from, .. } => Some((counted, trend, from.as_deref())),
            _ => None,
        };
        self.events().filter_map(fix).collect()
    }

    pub fn last_fix(&self) -> (bool, Trend, Option<&str>) {
        *self.fixes().last().expect("a fix was opened")
    }

    /// The verdicts so far.
    pub fn verdicts(&self) -> Vec<Verdict> {
        let verdict = |event: &Event| match event {
            Event::ValidationSettled { verdict, .. } => Some(*verdict),
            _ => None,
        };
        self.events().filter_map(verdict).collect()
    }

    /// The ids of the open issues of the component.
    pub fn issue_ids(&self) -> Vec<String> {
        let fixing = self.component().fixing.as_ref().expect("a fix loop");
        fixing.issues.iter().map(cco::lifecycle::sameness::id_of).collect()
    }
}

impl Drop for Play {
    /// Whatever was played: its records fold into the very state that it came to.
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let mut replayed = RunState::new(self.world.state.plan().clone());
        for (at, events) in &self.world.records {
            events.iter().for_each(|event| replayed.apply(event, *at).unwrap());
        }
        assert_eq!(format!("{replayed:?}"), format!("{:?}", self.world.state));
        assert!(self.world.now >= start());
    }
}

pub fn checked(check: &str, verdict: Verdict, parts: &[&str]) -> AttemptEnd {
    let source = format!("check:{check}");
    let issue = |part: &&str| Issue {
        severity: Severity::Major,
        source: source.clone(),
        file: None,
        line: None,
        text: format!("`{part}` fails"),
        suggested_fix: None,
        fingerprint: Digest::of_parts(&[source.as_bytes(), part.as_bytes()]),
    };
    AttemptEnd::Checked(Box::new(CheckResult {
        check: check.into(),
        verdict,
        evidence: Evidence { argv: Vec::new(), tree: None, exit: None, output: Digest::default(), ms: 0 },
        issues: parts.iter().map(issue).collect(),
        note: None,
    }))
}

pub fn found(severity: Severity, text: &str) -> ReviewIssue {
    ReviewIssue {
        severity,
        file: "a.rs".into(),
        line: Some(1),
        text: text.into(),
        how_it_fails: "on an empty list".into(),
        requirement: None,
        suggested_fix: None,
        same_as: None,
    }
}

pub fn ballot(vote: &str, confidence: f64, reasoning: &str) -> AttemptEnd {
    AttemptEnd::Voted { ballot: Box::new(BallotReport { vote: vote.into(), confidence, reasoning: reasoning.into() }) }
}

/// A finding of the change checks.
pub fn change_finding(text: &str) -> Issue {
    Issue {
        severity: Severity::Major,
        source: "tamper:test_deleted".into(),
        file: Some("t.rs".into()),
        line: None,
        text: text.into(),
        suggested_fix: None,
        fingerprint: Digest::of(text.as_bytes()),
    }
}
