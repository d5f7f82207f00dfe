//! Tests of the room `progress`: what is seen at which width, and that looking costs nothing and breaks nothing.
#![allow(clippy::unwrap_used)]

mod screen;

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use cco::ids::{AttemptId, ComponentId, Digest, Subject};
use cco::lifecycle::event::*;
use cco::lifecycle::report::{Severity, WriterReport};
use cco::progress::{Json, Live, LiveEvent, Phase, Plain, Shape, ShapeComponent, View, frame};
use cco::text;
use jiff::Timestamp;
use screen::Screen;

fn at(second: i64) -> Timestamp {
    Timestamp::new(1_790_000_000 + second, 987_654_321).unwrap()
}

fn id(text: &str) -> ComponentId {
    ComponentId::new(text).unwrap()
}

fn on(text: &str) -> Subject {
    text.parse().unwrap()
}

fn attempt(subject: &str, step: &str, n: u32) -> AttemptId {
    AttemptId { on: on(subject), step: step.parse().unwrap(), n }
}

fn shape(components: &[(&str, u32, &[&str])]) -> Shape {
    let component = |(name, level, deps): &(&str, u32, &[&str])| ShapeComponent {
        id: id(name),
        level: *level,
        depends_on: deps.iter().map(|name| id(name)).collect(),
    };
    Shape { components: components.iter().map(component).collect() }
}

const LONG: &str = "a-component-with-a-name-as-long-as-it-may-be-0123456789-abcdefgh";

/// A small graph: two levels and one more.
fn shop() -> Shape {
    shape(&[
        ("auth", 0, &[]),
        (LONG, 0, &[]),
        ("docs", 0, &[]),
        ("store", 1, &["auth", LONG]),
        ("mail", 1, &["docs"]),
        ("web", 2, &["store", "mail"]),
    ])
}

fn started(subject: &str, step: &str) -> Event {
    Event::AttemptStarted { attempt: attempt(subject, step, 1), session: None, resumed: false }
}

fn ended(subject: &str, step: &str, end: AttemptEnd, cost_usd: Option<f64>) -> Event {
    let usage = cost_usd.map(|usd| Box::new(Usage { cost_usd: Some(usd), ..Usage::default() }));
    Event::AttemptEnded { attempt: attempt(subject, step, 1), end, ms: 150_000, usage }
}

fn wrote(summary: &str) -> AttemptEnd {
    let report = WriterReport { summary: summary.into(), ..WriterReport::default() };
    AttemptEnd::Wrote { report: Box::new(report), commit: None, product: None, findings: Vec::new(), change: None }
}

fn complete(name: &str) -> Event {
    Event::ComponentCompleted { on: id(name), proof: Proof::Proven }
}

fn run_started() -> Event {
    Event::RunStarted(Box::new(RunStarted {
        run: 1,
        plan: Digest::default(),
        mode: "standard".into(),
        jobs: 4,
        agent: "claude".into(),
        agent_version: Some("2.1.330 (Claude Code)".into()),
        simulated: false,
        mark: "m".into(),
        tree: TreeInfo::Shared { dir: "/w".into() },
        only: vec![],
    }))
}

fn escalated(name: &str, question: &str) -> Event {
    Event::Escalated(Box::new(Escalation {
        id: "q1".into(),
        on: on(name),
        question: question.into(),
        cause: Cause::FixBudget,
        options: vec![],
        issues: vec![],
        tried: vec![],
    }))
}

/// The story that most tests look at.
fn story() -> Vec<Record> {
    let issue = Issue {
        severity: Severity::Major,
        source: "check:tests".into(),
        file: Some("src/auth.rs".into()),
        line: Some(17),
        text: "expected 2,\n12:00:00 auth complete \u{1b}[2J".into(),
        suggested_fix: None,
        fingerprint: Digest::default(),
    };
    let failed = Event::ValidationSettled { on: on("auth"), round: 1, verdict: Verdict::Fail, issues: vec![issue] };
    let checked = AttemptEnd::Checked(Box::new(CheckResult {
        check: "tests".into(),
        verdict: Verdict::Fail,
        evidence: Evidence { argv: vec![], tree: None, exit: Some(101), output: Digest::default(), ms: 1 },
        issues: vec![],
        note: None,
    }));
    let overloaded =
        AttemptEnd::Failed { class: Trouble::Transient, message: "overloaded (529)".into(), resumable: true };
    let opened = Event::ValidationOpened {
        on: on("auth"),
        scope: Scope::Component,
        round: 1,
        checks: Vec::new(),
        reviewers: Vec::new(),
        change_only: false,
        merged: false,
        strict: false,
        set: Digest::default(),
    };
    let fix = Event::FixOpened { on: on("auth"), fix: 1, counted: true, trend: Trend::First, from: None };
    let batches = vec![
        (0, vec![Event::JournalOpened { format: 1, cco: "0.1.0".into(), spec: "shop/x-0a1b2c3d".into() }]),
        (0, vec![run_started(), started("auth", "implement"), started(LONG, "skeleton"), started("docs", "implement")]),
        (60, vec![ended("auth", "implement", wrote("wrote the \u{202e}login"), Some(0.5)), opened]),
        (60, vec![started("auth", "check:tests")]),
        (63, vec![ended("auth", "check:tests", checked, None), failed, fix, started("auth", "fix")]),
        (
            70,
            vec![
                ended("docs", "implement", overloaded, None),
                Event::RetryScheduled { on: on("docs"), step: None, at: at(130) },
            ],
        ),
        (71, vec![Event::RunPaused { until: at(821), why: Pause::UsageLimit }, Event::JobsChanged { jobs: 2 }]),
        (72, vec![escalated("docs", "Which 言語 should the\nmanual be in?")]),
    ];
    (0..).zip(batches).map(|(seq, (second, events))| Record { seq, at: at(second), by: Author::Cco, events }).collect()
}

fn view_of(shape: &Shape, records: &[Record]) -> View {
    let mut view = View::new(shape);
    records.iter().for_each(|record| view.apply(record));
    view
}

fn told() -> View {
    let mut view = view_of(&shop(), &story());
    let about = "src/日本語の名前.rs\u{7}";
    view.apply_live(&tool("auth", "fix", "Edit", about, 65));
    view
}

fn tool(subject: &str, step: &str, name: &str, about: &str, second: i64) -> LiveEvent {
    LiveEvent { attempt: attempt(subject, step, 1), tool: Some((name.into(), about.into())), at: at(second) }
}

fn draw(view: &View, second: i64, width: usize, height: usize) -> String {
    let lines: Vec<String> = frame(view, at(second), width, height).iter().map(ToString::to_string).collect();
    assert!(lines.len() <= height, "{} lines", lines.len());
    for line in &lines {
        assert!(text::width(line) <= width, "{line:?} is wider than {width}");
        assert!(!line.contains(char::is_control), "{line:?}");
    }
    lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
}

#[test]
fn a_frame_at_three_widths() {
    insta::assert_snapshot!(draw(&told(), 75, 40, 20), @"
    0/6 complete · ≥ $0.50 · 1m 15s · run 1…
    paused: usage limit, agents start again…
    ? q1 docs: Which 言語 should the manual…
    ▸ a-comp…cdefgh skeleton-1  1m 15s
    ▸ auth          fix-1          12s
    levels 0: 0/3 · 1: 0/2 · 2: 0/1
    · docs tries again in 55s
    · store waits for auth, a-component-wit…
    · mail waits for docs
    · web waits for store, mail
    ");
    insta::assert_snapshot!(draw(&told(), 75, 80, 20), @"
    0/6 complete · ≥ $0.50 · 1m 15s · run 1, standard · 2 agents at once
    paused: usage limit, agents start again in 12m 26s
    ? q1 docs: Which 言語 should the manual be in?
    ▸ a-component-w…789-abcdefgh skeleton-1  1m 15s
    ▸ auth                       fix-1          12s Edit src/日本語の名前… (10s ago)
    levels 0: 0/3 · 1: 0/2 · 2: 0/1
    · docs tries again in 55s
    · store waits for auth, a-component-with-a-name-as-long-as-it-may-be-0123456789…
    · mail waits for docs
    · web waits for store, mail
    ");
    insta::assert_snapshot!(draw(&told(), 75, 120, 20), @r#"
    0/6 complete · ≥ $0.50 · 1m 15s · run 1, standard · 2 agents at once
    paused: usage limit, agents start again in 12m 26s
    ? q1 docs: Which 言語 should the manual be in?
    ▸ a-component-with-a-n…0123456789-abcdefgh skeleton-1  1m 15s
    ▸ auth                                     fix-1          12s Edit src/日本語の名前.rs\u{7} (10s ago)
    levels 0: 0/3 · 1: 0/2 · 2: 0/1
    · docs tries again in 55s
    · store waits for auth, a-component-with-a-name-as-long-as-it-may-be-0123456789-abcdefgh
    · mail waits for docs
    · web waits for store, mail
    "#);
}

#[test]
fn a_low_frame_keeps_what_needs_a_person_and_counts_the_rest() {
    insta::assert_snapshot!(draw(&told(), 75, 80, 5), @"
    0/6 complete · ≥ $0.50 · 1m 15s · run 1, standard · 2 agents at once
    paused: usage limit, agents start again in 12m 26s
    ? q1 docs: Which 言語 should the manual be in?
    ▸ a-component-w…789-abcdefgh skeleton-1  1m 15s
    ▸ auth                       fix-1          12s Edit src/日本語の名前… (10s ago)
    ");
    for (width, height) in (0..60).flat_map(|width| (0..12).map(move |height| (width, height))) {
        draw(&told(), 75, width, height);
    }
}

#[test]
fn many_components_fold_with_the_running_ones_first() {
    let names: Vec<String> = (0..1000).map(|n| format!("c{n:03}")).collect();
    let components = names.iter().map(|name| ShapeComponent { id: id(name), level: 0, depends_on: vec![] });
    let mut view = View::new(&Shape { components: components.collect() });
    let start = names[..64].iter().map(|name| started(name, "implement")).collect();
    view.apply(&Record { seq: 0, at: at(0), by: Author::Cco, events: start });
    insta::assert_snapshot!(draw(&view, 5, 60, 10), @"
    0/1000 complete
    ▸ c000 implement-1      5s
    ▸ c001 implement-1      5s
    ▸ c002 implement-1      5s
    ▸ c003 implement-1      5s
    ▸ c004 implement-1      5s
    ▸ c005 implement-1      5s
    ▸ c006 implement-1      5s
    … 57 more running steps
    … 936 more wait
    ");
}

#[test]
fn plain_lines_are_stable_and_greppable() {
    let out = Shared::default();
    let mut plain = Plain::new(out.clone());
    story().iter().for_each(|record| plain.on_record(record));
    let end = vec![
        Event::Answered(Box::new(Answer {
            id: "q1".into(),
            verb: Verb::Skip,
            guidance: None,
            issues: vec![],
            option: None,
        })),
        Event::ComponentSkipped { on: id("docs") },
        complete("auth"),
        Event::ComponentFailed { on: id("mail"), reason: "gave\nup".into() },
        Event::WentStale {
            on: on("web"),
            why: StaleReason::Dependency(id("auth")),
            redo: Redo::Validate,
            guidance: None,
        },
        Event::Noted { on: Subject::Run, text: "ended 2 strays".into() },
        Event::RunEnded { end: RunEnd::Interrupted },
    ];
    plain.on_record(&Record { seq: 8, at: at(90), by: Author::Cco, events: end });
    insta::assert_snapshot!(out.text(), @r#"
    2026-09-21T14:13:20Z @run journal opened by cco 0.1.0
    2026-09-21T14:13:20Z @run run 1 started: standard, 4 agents at once, 2.1.330 (Claude Code)
    2026-09-21T14:13:20Z auth implement-1 started
    2026-09-21T14:13:20Z a-component-with-a-name-as-long-as-it-may-be-0123456789-abcdefgh skeleton-1 started
    2026-09-21T14:13:20Z docs implement-1 started
    2026-09-21T14:14:20Z auth implement-1 says done in 2m 30s, $0.50: wrote the \u{202e}login
    2026-09-21T14:14:20Z auth validation 1 started
    2026-09-21T14:14:20Z auth check:tests-1 started
    2026-09-21T14:14:23Z auth check:tests-1 failed in 2m 30s: exit status 101
    2026-09-21T14:14:23Z auth validation 1: failed, 1 issue; major in src/auth.rs:17: expected 2, 12:00:00 auth complete \u{1b}[2J
    2026-09-21T14:14:23Z auth fix 1 opened (first)
    2026-09-21T14:14:23Z auth fix-1 started
    2026-09-21T14:14:30Z docs implement-1 did not answer (transient) in 2m 30s: overloaded (529)
    2026-09-21T14:14:30Z docs tries again at 2026-09-21T14:15:30Z
    2026-09-21T14:14:31Z @run paused until 2026-09-21T14:27:01Z: usage limit
    2026-09-21T14:14:31Z @run 2 agents at once
    2026-09-21T14:14:32Z docs asks q1: Which 言語 should the manual be in?
    2026-09-21T14:14:50Z @run q1 answered: skip
    2026-09-21T14:14:50Z docs skipped
    2026-09-21T14:14:50Z auth complete (proven)
    2026-09-21T14:14:50Z mail failed: gave up
    2026-09-21T14:14:50Z web went stale: the files of auth changed; is validated again
    2026-09-21T14:14:50Z @run note: ended 2 strays
    2026-09-21T14:14:50Z @run run ended: interrupted
    "#);
}

#[test]
fn json_lines_are_the_records() {
    let out = Shared::default();
    let mut json = Json::new(out.clone());
    story().iter().for_each(|record| json.on_record(record));
    let read: Vec<Record> = out.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read, story());
}

#[test]
fn what_depends_on_something_given_up_is_blocked_until_that_goes_on() {
    let mut view = View::new(&shop());
    let mut say = |events| {
        view.apply(&Record { seq: 0, at: at(0), by: Author::Cco, events });
        let phases: Vec<Phase> = view.components().map(|(_, phase)| phase).collect();
        let tally = view.tally();
        assert_eq!(tally.total(), 6);
        (phases, tally.out, tally.complete)
    };
    let (phases, out, _) = say(vec![Event::ComponentFailed { on: id("docs"), reason: "no".into() }]);
    assert_eq!((phases[2], phases[4], phases[5], out), (Phase::Failed, Phase::Blocked, Phase::Blocked, 3));
    let (phases, out, _) = say(vec![Event::ComponentSkipped { on: id("auth") }]);
    assert_eq!((phases[3], phases[5], out), (Phase::Blocked, Phase::Blocked, 5));
    let stale = |name| Event::WentStale { on: on(name), why: StaleReason::Asked, redo: Redo::All, guidance: None };
    let (phases, out, _) = say(vec![stale("docs")]);
    assert_eq!((phases[2], phases[4], phases[5], out), (Phase::Waiting, Phase::Waiting, Phase::Blocked, 3));

    let (_, _, done) = say(vec![complete("docs"), complete("mail"), complete("nobody")]);
    assert_eq!(done, 2);
    let (_, _, done) = say(vec![stale("docs")]);
    assert_eq!(done, 1);
}

#[test]
fn those_that_wait_say_for_what() {
    let waits = |events| {
        let mut view = View::new(&shop());
        view.apply(&Record { seq: 0, at: at(0), by: Author::Cco, events });
        view.waiting()
            .map(|(id, unmet)| format!("{id}:{}", unmet.map(|id| id.as_str()).collect::<Vec<_>>().join(",")))
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        waits(vec![started(LONG, "implement"), complete("auth")]),
        format!("docs: store:{LONG} mail:docs web:store,mail")
    );
    assert_eq!(waits(vec![complete("auth"), complete(LONG), complete("docs")]), "store: mail: web:store,mail");
}

#[test]
fn an_unknown_cost_makes_the_total_a_lower_bound() {
    let cost = |events| {
        let mut view = View::new(&shop());
        view.apply(&Record { seq: 0, at: at(0), by: Author::Cco, events });
        view.cost()
    };
    let killed = || AttemptEnd::Interrupted { resumable: true };
    let absent = || AttemptEnd::Failed { class: Trouble::NotStarted, message: String::new(), resumable: false };
    assert_eq!(cost(vec![ended("auth", "implement", wrote(""), Some(0.25))]), (0.25, false));
    assert_eq!(cost(vec![ended("auth", "implement", killed(), None)]), (0.0, true));
    assert_eq!(
        cost(vec![ended("auth", "implement", absent(), None), ended("auth", "check:a", killed(), None)]),
        (0.0, false)
    );
}

#[test]
fn a_terminal_shows_the_frame_and_above_it_what_stays() {
    let out = Shared::default();
    let mut live = Live::new(View::new(&shop()), out.clone(), || Some((60, 24)), false);
    story().iter().for_each(|record| live.on_record(record));
    live.on_record(&Record { seq: 8, at: at(73), by: Author::Cco, events: vec![complete("auth")] });
    live.on_live(&tool("auth", "fix", "Bash", "cargo test", 73));
    let writes = out.writes();
    live.on_tick(at(73));
    assert_eq!(out.writes(), writes, "nothing is drawn within a quarter of a second");
    insta::assert_snapshot!(Screen::after(&out.bytes(), 60), @r#"
    @run run 1 started: standard, 4 agents at once, 2.1.330 (Cla
    ude Code)
    auth validation 1: failed, 1 issue; major in src/auth.rs:17:
     expected 2, 12:00:00 auth complete \u{1b}[2J
    auth fix 1 opened (first)
    docs implement-1 did not answer (transient) in 2m 30s: overl
    oaded (529)
    @run paused until 2026-09-21T14:27:01Z: usage limit
    docs asks q1: Which 言語 should the manual be in?
    auth complete (proven)
    1/6 complete · ≥ $0.50 · 1m 13s · run 1, standard · 2 agen…
    paused: usage limit, agents start again in 12m 28s
    ? q1 docs: Which 言語 should the manual be in?
    ▸ a-compone…-abcdefgh skeleton-1  1m 13s
    ▸ auth                fix-1          10s
    levels 0: 1/3 · 1: 0/2 · 2: 0/1
    · docs tries again in 57s
    · store waits for a-component-with-a-name-as-long-as-it-ma…
    · mail waits for docs
    · web waits for store, mail
    "#);

    let within = |ms| at(74) + jiff::SignedDuration::from_millis(ms);
    live.on_tick(within(300));
    let writes = out.writes();
    live.on_tick(within(600));
    assert_eq!(out.writes(), writes, "the same picture is not drawn twice");

    live.print_above("a last word");
    live.finish();
    let end = Screen::after(&out.bytes(), 60);
    assert!(end.ends_with("a last word"), "the picture is gone: {end}");
}

#[test]
fn a_display_that_fails_is_left_alone() {
    let tries = Arc::new(Mutex::new(0));
    let mut live = Live::new(View::new(&shop()), Broken(Arc::clone(&tries)), || None, true);
    let mut plain = Plain::new(Broken(Arc::clone(&tries)));
    let mut json = Json::new(Broken(Arc::clone(&tries)));
    for record in story() {
        live.on_record(&record);
        plain.on_record(&record);
        json.on_record(&record);
    }
    live.finish();
    assert_eq!(*tries.lock().unwrap(), 3, "each is tried once");
    assert_eq!(live.view().questions().len(), 1);
}

/// A display whose reader went away.
struct Broken(Arc<Mutex<usize>>);

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        *self.0.lock().unwrap() += 1;
        Err(io::ErrorKind::BrokenPipe.into())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What was written, to be looked at while the painter still has it.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<(Vec<u8>, usize)>>);

impl Shared {
    fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().0.clone()
    }
    fn text(&self) -> String {
        String::from_utf8(self.bytes()).unwrap()
    }
    fn writes(&self) -> usize {
        self.0.lock().unwrap().1
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut shared = self.0.lock().unwrap();
        shared.0.extend_from_slice(bytes);
        shared.1 += usize::from(!bytes.is_empty());
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn with_a_new_journal_everything_is_told_anew() {
    let (mut view, mut auth) = (told(), Vec::new());
    view.apply(&Record { seq: 8, at: at(73), by: Author::Cco, events: vec![complete("auth"), complete(LONG)] });
    for record in &story()[..2] {
        view.apply(record);
        auth.push(view.phase(&id("auth")).unwrap());
    }
    assert_eq!(auth, [Phase::Waiting, Phase::Working("implement")]);
    let fresh = view_of(&shop(), &story()[..2]);
    assert_eq!((view.tally(), view.levels()), (fresh.tally(), fresh.levels()));
    assert_eq!(draw(&view, 75, 120, 30), draw(&fresh, 75, 120, 30));
}
