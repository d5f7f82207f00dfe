//! Records for tests: one of every event, and arbitrary ones.

use cco::ids::{AttemptId, ComponentId, Digest, Step, Subject};
use cco::lifecycle::event::*;
use cco::lifecycle::report::{BallotReport, Claim, Dispute, ReviewIssue, ReviewReport, Severity, WriterReport};
use jiff::Timestamp;
use proptest::prelude::*;

pub fn at(second: i64) -> Timestamp {
    Timestamp::new(1_790_000_000 + second, 123_456_789).expect("a valid time")
}

pub fn id(text: &str) -> ComponentId {
    ComponentId::new(text).expect("a valid id")
}

pub fn attempt(on: &str, step: &str, n: u32) -> AttemptId {
    AttemptId { on: on.parse().expect("a subject"), step: step.parse().expect("a step"), n }
}

pub fn opened() -> Event {
    Event::JournalOpened { format: 1, cco: "0.1.0".into(), spec: "shop/checkout-0a1b2c3d".into() }
}

fn issue() -> Issue {
    Issue {
        severity: Severity::Major,
        source: "check:tests".into(),
        file: Some("src/auth.rs".into()),
        line: Some(17),
        text: "assertion failed: `a\u{0}b`\n\tleft: \"ü\"".into(),
        suggested_fix: Some("compare the bytes".into()),
        fingerprint: Digest::of(b"issue"),
    }
}

fn usage() -> Option<Box<Usage>> {
    let cost_usd = Some(0.123_456_789_012_345_68);
    Some(Box::new(Usage { cost_usd, input_tokens: 12_345, output_tokens: 678, turns: 9, denials: 1 }))
}

fn ends() -> Vec<(AttemptId, AttemptEnd)> {
    let report = WriterReport {
        status: Claim::NeedsFiles,
        summary: "wrote it".into(),
        discoveries: vec!["d".into()],
        decisions: vec!["e".into()],
        blockers: vec!["b".into()],
        interfaces: vec!["fn f()".into()],
        notes: vec!["n".into()],
        questions: vec!["q?".into()],
        needs_files: vec!["src/lib.rs".into()],
        disputes: vec![],
    };
    let review_issue = ReviewIssue {
        severity: Severity::Critical,
        file: "a.rs".into(),
        line: Some(1),
        text: "wrong".into(),
        how_it_fails: "on empty input".into(),
        requirement: None,
        suggested_fix: Some("check".into()),
        same_as: Some("i1".into()),
    };
    let evidence = Evidence {
        argv: vec!["sh".into(), "-c".into(), "cargo test".into()],
        tree: Some("4b825dc642cb6eb9a060e54bf8d69288fbee4904".into()),
        exit: Some(101),
        output: Digest::of(b"output"),
        ms: 1234,
    };
    let checked = CheckResult {
        check: "tests".into(),
        verdict: Verdict::Fail,
        evidence,
        issues: vec![issue()],
        note: Some("run twice".into()),
    };
    let until = Some(at(99));
    let failed = |class| AttemptEnd::Failed { class, message: "no".into(), resumable: true };
    let ballot = BallotReport { vote: "FIX".into(), confidence: 0.1 + 0.2, reasoning: "because".into() };
    let review = ReviewReport { summary: "read it".into(), issues: vec![review_issue] };
    let mut ends = vec![
        (
            "implement",
            AttemptEnd::Wrote {
                report: Box::new(report),
                commit: Some("c0ffee".into()),
                product: Some(Digest::of(b"files")),
                findings: vec![],
                change: None,
            },
        ),
        ("review:1", AttemptEnd::Reviewed { report: Box::new(review), issues: vec![], change: None }),
        ("vote:fix_strategy:2", AttemptEnd::Voted { ballot: Box::new(ballot) }),
        ("check:tests", AttemptEnd::Checked(Box::new(checked))),
        ("fix", AttemptEnd::Interrupted { resumable: false }),
    ];
    let troubles = [
        Trouble::Transient,
        Trouble::RateLimit { until },
        Trouble::UsageLimit { until: None },
        Trouble::Authentication,
        Trouble::Billing,
        Trouble::Model,
        Trouble::BadRequest,
        Trouble::Refused,
        Trouble::NoAnswer,
        Trouble::TimedOut,
        Trouble::Crashed,
        Trouble::ConversationLost,
        Trouble::NotStarted,
        Trouble::Internal,
    ];
    ends.extend(troubles.map(|class| ("resolve", failed(class))));
    (1..).zip(ends).map(|(n, (step, end))| (attempt("auth", step, n), end)).collect()
}

/// One of every event, in records as a run would write them.
pub fn every_event() -> Vec<Vec<Event>> {
    [engine(), enforcement(), sets()].concat()
}

/// What the first version of the format knew.
pub fn engine() -> Vec<Vec<Event>> {
    let run = RunStarted {
        run: 1,
        plan: Digest::of(b"plan"),
        mode: "standard".into(),
        jobs: 4,
        agent: "claude".into(),
        agent_version: Some("2.1.330 (Claude Code)".into()),
        simulated: true,
        mark: "m-1".into(),
        tree: TreeInfo::Worktree { dir: "/w".into(), branch: "cco/checkout-0a1b2c3d".into(), base: "abc".into() },
        only: vec![id("auth")],
    };
    let shared = RunStarted { tree: TreeInfo::Shared { dir: "/w".into() }, only: vec![], ..run.clone() };
    let on = Subject::Component(id("auth"));
    let escalation = Escalation {
        id: "q1".into(),
        on: on.clone(),
        question: "which?".into(),
        cause: Cause::FixBudget,
        options: vec!["A".into()],
        issues: vec![issue()],
        tried: vec!["this".into()],
    };
    let answer = Answer {
        id: "q1".into(),
        verb: Verb::Option,
        guidance: Some("take A".into()),
        issues: vec![Digest::of(b"issue")],
        option: Some("A".into()),
    };
    let settled =
        Event::ValidationSettled { on: on.clone(), round: 1, verdict: Verdict::Unavailable, issues: vec![issue()] };
    let stale = |why, redo| Event::WentStale { on: on.clone(), why, redo, guidance: Some("again".into()) };
    let mut records = vec![
        vec![opened(), Event::RunStarted(Box::new(run))],
        vec![
            Event::ComponentStarted { on: id("auth"), input: Digest::of(b"input"), step: Step::Implement },
            Event::AttemptStarted {
                attempt: attempt("auth", "implement", 1),
                session: Some("7b0c…".into()),
                resumed: true,
            },
        ],
        vec![
            Event::RunPaused { until: at(60), why: Pause::RateLimit },
            Event::JobsChanged { jobs: 2 },
            Event::WindowNearlyUsed { until: at(60) },
        ],
        vec![Event::RetryScheduled { on: Subject::Run, step: None, at: at(61) }],
        vec![Event::StepOpened { on: on.clone(), step: Step::Implement }],
        vec![Event::ValidationWaived { scope: Scope::Final }, Event::RunAborted],
        vec![
            Event::ValidationOpened {
                on: on.clone(),
                scope: Scope::Level(3),
                round: 1,
                checks: vec!["lint".into()],
                reviewers: vec![],
                change_only: false,
                merged: false,
                strict: false,
                set: Digest::of(b"checks"),
            },
            settled,
        ],
        vec![Event::FixOpened { on: on.clone(), fix: 1, counted: true, trend: Trend::Worse, from: None }],
        vec![Event::Escalated(Box::new(escalation))],
        vec![Event::Answered(Box::new(answer))],
        vec![
            Event::ComponentCompleted { on: id("auth"), proof: Proof::Waived },
            Event::ComponentFailed { on: id("b"), reason: "gave up".into() },
            Event::ComponentSkipped { on: id("c") },
            Event::RunCompleted { proof: Proof::Unproven },
        ],
        vec![
            stale(StaleReason::Input, Redo::Revise),
            stale(StaleReason::Dependency(id("b")), Redo::Validate),
            stale(StaleReason::Asked, Redo::All),
        ],
        vec![Event::Noted { on: Subject::Run, text: "ended 2 strays".into() }, Event::RunEnded { end: RunEnd::Done }],
        vec![Event::RunStarted(Box::new(shared)), Event::RunEnded { end: RunEnd::FailFast }],
    ];
    records.extend(
        ends().into_iter().map(|(attempt, end)| vec![Event::AttemptEnded { attempt, end, ms: 1500, usage: usage() }]),
    );
    records
}

/// What enforcement added to it.
pub fn enforcement() -> Vec<Vec<Event>> {
    let on = Subject::Component(id("auth"));
    let dispute = Dispute { issue: "0a1b2c3d".into(), reason: "it is meant so".into() };
    let report = WriterReport { summary: "mended".into(), disputes: vec![dispute], ..WriterReport::default() };
    let review_issue = ReviewIssue {
        severity: Severity::Major,
        file: "a.rs".into(),
        line: None,
        text: "missing".into(),
        how_it_fails: "always".into(),
        requirement: Some("it must refuse".into()),
        suggested_fix: None,
        same_as: None,
    };
    let review = ReviewReport { summary: "read it".into(), issues: vec![review_issue] };
    let ended = |step: &str, n, end| Event::AttemptEnded { attempt: attempt("auth", step, n), end, ms: 1, usage: None };
    let wrote = AttemptEnd::Wrote {
        report: Box::new(report),
        commit: None,
        product: None,
        findings: vec![issue()],
        change: None,
    };
    let reviewed = AttemptEnd::Reviewed { report: Box::new(review), issues: vec![issue()], change: None };
    let meddled = AttemptEnd::Failed { class: Trouble::Meddled, message: "wrote".into(), resumable: false };
    let full = AttemptEnd::Failed { class: Trouble::DiskFull, message: "full".into(), resumable: true };
    let opened = |scope, reviewers, change_only, strict| Event::ValidationOpened {
        on: on.clone(),
        scope,
        round: 2,
        checks: vec![],
        reviewers,
        change_only,
        merged: false,
        strict,
        set: Digest::of(b"checks"),
    };
    let gate: std::sync::Arc<str> = "fix_strategy".into();
    let vote = VoteOpened {
        on: on.clone(),
        gate: gate.clone(),
        round: 1,
        voters: 3,
        options: vec!["FIX_IN_PLACE".into(), "REFACTOR".into()],
        threshold: 2.0 / 3.0,
    };
    let share = Share { option: "REFACTOR".into(), votes: 2, weight: 0.1 + 0.2 };
    let counted =
        VoteSettled { on: on.clone(), gate, round: 1, tally: vec![share], valid: 2, winner: Some("REFACTOR".into()) };
    let settled = |act| Event::GateSettled {
        gate: "production_ready".into(),
        option: "READY".into(),
        act,
        issues: if act == GateAct::Fix { vec![issue()] } else { vec![] },
    };
    vec![
        vec![ended("implement", 9, wrote), ended("fix", 9, full)],
        vec![opened(Scope::Baseline, vec![], false, false), Event::Inherited { issues: vec![issue()] }],
        vec![opened(Scope::Component, vec![vec![1], vec![0, 2]], false, true), ended("review:1", 9, reviewed)],
        vec![opened(Scope::Component, vec![], true, false), ended("review:1", 10, meddled)],
        vec![Event::RetryScheduled { on: on.clone(), step: Some(Step::Review(1)), at: at(62) }],
        vec![Event::SeatLost { on: on.clone(), step: Step::Review(1), why: "it does not answer".into() }],
        vec![Event::FixOpened { on, fix: 3, counted: true, trend: Trend::Worse, from: Some("c0ffee".into()) }],
        vec![Event::VoteOpened(Box::new(vote)), Event::VoteSettled(Box::new(counted))],
        vec![Event::Refactored { on: id("auth"), before: Some("c0ffee".into()) }],
        vec![settled(GateAct::Proceed), settled(GateAct::Decide), settled(GateAct::Fix), settled(GateAct::Escalate)],
    ]
}

/// Events about what subjects may change.
fn sets() -> Vec<Vec<Event>> {
    let files = vec!["src/lib.rs".into(), "a b\u{fc}.txt".into()];
    vec![vec![Event::FilesGranted { on: Subject::Component(id("auth")), files }]]
}

/// Arbitrary batches of arbitrary records, to go behind an opening one.
pub fn batches() -> impl Strategy<Value = Vec<Vec<Vec<Event>>>> {
    let record = prop::collection::vec(event(), 0..4);
    prop::collection::vec(prop::collection::vec(record, 0..4), 0..6)
}

fn event() -> impl Strategy<Value = Event> {
    let known = prop::sample::select(every_event().concat());
    let noted = any::<String>().prop_map(|text| Event::Noted { on: Subject::Run, text });
    let ballot = (any::<String>(), 0.0..=1.0).prop_map(|(vote, confidence)| Event::AttemptEnded {
        attempt: AttemptId { on: Subject::Run, step: Step::Review(0), n: u32::MAX },
        end: AttemptEnd::Voted { ballot: Box::new(BallotReport { vote, confidence, reasoning: String::new() }) },
        ms: u64::MAX,
        usage: None,
    });
    prop_oneof![known, noted, ballot]
}
