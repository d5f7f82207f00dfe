//! Worlds of chance: whatever calls come to, it ends, pays for nothing twice, and says the same behind every cut.

use cco::formalize::ROUNDS;
use cco::formalize::event::{Begun, Draft, End, Event, Over, Record, Written};
use cco::formalize::next::{Next, next};
use cco::formalize::report::{Concern, ReadinessReport};
use cco::formalize::settle::{Outcome, settle};
use cco::formalize::state::{Stage, State};
use cco::ids::{Digest, Step};
use cco::lifecycle::event::{Trouble, Usage};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

/// What a call comes to; `0` of the draft's errors makes it valid.
#[derive(Debug, Clone)]
enum Lot {
    Answer { good: bool },
    Trouble(Trouble, bool),
    Cut(bool),
}

fn lots() -> impl Strategy<Value = Lot> {
    let troubles = prop::sample::select(vec![
        Trouble::Transient,
        Trouble::RateLimit { until: None },
        Trouble::UsageLimit { until: None },
        Trouble::NoAnswer,
        Trouble::TimedOut,
        Trouble::Crashed,
        Trouble::Refused,
        Trouble::Meddled,
        Trouble::ConversationLost,
        Trouble::Authentication,
        Trouble::DiskFull,
        Trouble::Internal,
    ]);
    prop_oneof![
        6 => any::<bool>().prop_map(|good| Lot::Answer { good }),
        4 => (troubles, any::<bool>()).prop_map(|(class, resumable)| Lot::Trouble(class, resumable)),
        1 => any::<bool>().prop_map(Lot::Cut),
    ]
}

struct World {
    state: State,
    records: Vec<Record>,
    now: Timestamp,
    sessions: u32,
    calls: usize,
}

fn begun(gate: bool, no_wait: bool, budget_usd: Option<f64>) -> Event {
    let (agent, agent_version) = ("claude".to_owned(), None);
    let input = Digest::of(b"brainstorm");
    Event::Begun(Box::new(Begun { input, gate, agent, agent_version, simulated: false, budget_usd, no_wait }))
}

fn end_of(step: &Step, lot: &Lot) -> End {
    match lot {
        Lot::Answer { good } if *step == Step::Readiness => {
            let concern = Concern { blocks: !good, text: "x".to_owned(), suggestion: None };
            let report = ReadinessReport { summary: "s".to_owned(), concerns: vec![concern] };
            End::Judged { ready: report.is_ready(), report }
        }
        Lot::Answer { good } => End::Drafted(Box::new(Draft {
            summary: "s".to_owned(),
            assumptions: Vec::new(),
            components: 1,
            manifest: Digest::of(b"draft"),
            valid: *good,
            problems: Vec::new(),
            more: 0,
        })),
        Lot::Trouble(class, resumable) => {
            End::Failed { class: *class, message: "trouble".to_owned(), resumable: *resumable }
        }
        Lot::Cut(resumable) => End::Interrupted { resumable: *resumable },
    }
}

impl World {
    fn new() -> Self {
        let now = Timestamp::from_second(1_790_000_000).unwrap();
        Self { state: State::default(), records: Vec::new(), now, sessions: 0, calls: 0 }
    }

    fn record(&mut self, events: Vec<Event>) {
        events.iter().for_each(|event| self.state.apply(event).unwrap());
        self.records.push(Record { at: self.now, events });
    }

    /// One `cco formalize`, which ends at the latest when there are no lots any more.
    fn play(&mut self, begin: Event, lots: &mut impl Iterator<Item = Lot>) -> Option<Over> {
        self.record(vec![begin]);
        loop {
            let sessions = &mut self.sessions;
            let mut session = || {
                *sessions += 1;
                format!("session {sessions}").into()
            };
            let wanted = next(&self.state, self.now, &mut session);
            assert_eq!(wanted, next(&self.state, self.now, &mut || format!("session {}", self.sessions).into()));
            match wanted {
                Next::Ask(ask) => {
                    let lot = lots.next()?;
                    self.calls += 1;
                    let (attempt, session, resumed) = (ask.attempt, ask.session, ask.resumed);
                    self.record(vec![Event::AttemptStarted { attempt: attempt.clone(), session, resumed }]);
                    let usage = Some(Usage { cost_usd: Some(0.25), ..Usage::default() });
                    let end = end_of(&attempt.step, &lot);
                    let outcome = Outcome { attempt, end, ms: 1, usage, notes: Vec::new(), dice: 0.5 };
                    let events = settle(&mut self.state, outcome, self.now).unwrap();
                    self.records.push(Record { at: self.now, events });
                    if let Lot::Cut(_) = lot {
                        self.record(vec![Event::Ended { over: Over::Interrupted }]);
                        return Some(Over::Interrupted);
                    }
                }
                Next::Wait(until) => {
                    assert!(until > self.now);
                    self.now = until;
                }
                Next::Write => {
                    let manifest = self.state.last_draft().unwrap().1.manifest;
                    let written = Written { manifest, contexts: Vec::new(), kept: Vec::new() };
                    self.record(vec![Event::Written(Box::new(written))]);
                }
                Next::Keep => self.record(vec![Event::DraftKept { path: "manifest.failed-1.json".to_owned() }]),
                Next::End(over) => {
                    self.record(vec![Event::Ended { over }]);
                    return Some(over);
                }
                Next::Running => panic!("nobody runs"),
            }
        }
    }
}

fn folded(records: &[Record]) -> State {
    let mut state = State::default();
    records.iter().for_each(|record| state.take(record).unwrap());
    state
}

fn answers(records: &[Record]) -> (usize, usize) {
    let ends = records.iter().flat_map(|record| &record.events);
    ends.fold((0, 0), |(judged, drafted), event| match event {
        Event::AttemptEnded { end: End::Judged { .. }, .. } => (judged + 1, drafted),
        Event::AttemptEnded { end: End::Drafted(_), .. } => (judged, drafted + 1),
        _ => (judged, drafted),
    })
}

proptest! {
    #[test]
    fn it_ends_and_pays_for_nothing_twice(
        lots in prop::collection::vec(lots(), 1..40), gates in prop::collection::vec(any::<bool>(), 30),
        no_wait in any::<bool>(), budget in prop::option::of(0.3..3.0),
    ) {
        let mut world = World::new();
        let count = lots.len();
        let mut lots = lots.into_iter();
        for gate in gates {
            let over = world.play(begun(gate, no_wait, budget), &mut lots);
            let (judged, drafted) = answers(&world.records);
            prop_assert!(judged <= 1 && drafted <= ROUNDS, "each is paid for once");
            match over {
                None => break,
                Some(Over::Done) => prop_assert!(world.state.stage() == Stage::Written),
                Some(Over::NotReady) => prop_assert!(gate && drafted == 0 && !world.state.judged().unwrap().1),
                Some(Over::Invalid) => prop_assert!(drafted == ROUNDS && world.state.kept_draft().is_some()),
                Some(Over::UsageLimit) => prop_assert!(no_wait),
                Some(Over::Budget) => prop_assert!(world.state.cost().usd >= budget.unwrap()),
                Some(Over::GaveUp | Over::Environment | Over::Interrupted) => {}
            }
            if matches!(over, Some(Over::Done | Over::Invalid)) {
                // What is over stays so, and costs nothing.
                let calls = world.calls;
                prop_assert_eq!(world.play(begun(true, no_wait, None), &mut std::iter::empty()), over);
                prop_assert_eq!(world.calls, calls);
                break;
            }
        }
        prop_assert!(world.calls <= count);
        prop_assert!((world.state.cost().usd - 0.25 * world.calls as f64).abs() < 1e-9, "every call is paid for");
        prop_assert!(world.state == folded(&world.records), "the state is the fold");
    }

    #[test]
    fn behind_every_cut_the_rest_is_asked_for_and_nothing_else(
        lots in prop::collection::vec(lots(), 1..20), rest in prop::collection::vec(lots(), 60), gate in any::<bool>(),
    ) {
        let mut whole = World::new();
        whole.play(begun(gate, true, None), &mut lots.into_iter());
        for cut in 1..=whole.records.len() {
            let records = whole.records[..cut].to_vec();
            let mut world = World { state: folded(&records), records, now: whole.now, sessions: 100, calls: 0 };
            let known = answers(&world.records);
            // What was in flight when it was killed is settled first.
            let running = world.state.running().cloned();
            world.record(vec![begun(gate, true, None)]);
            if let Some(running) = running {
                let end = End::Interrupted { resumable: running.resumed };
                let attempt = running.attempt;
                let outcome = Outcome { attempt, end, ms: 0, usage: None, notes: Vec::new(), dice: 0.5 };
                let events = settle(&mut world.state, outcome, whole.now).unwrap();
                world.records.push(Record { at: whole.now, events });
            }
            world.play(begun(gate, true, None), &mut rest.clone().into_iter());
            let (judged, drafted) = answers(&world.records);
            prop_assert!(judged <= 1.max(known.0) && drafted <= ROUNDS, "behind {}", cut);
            prop_assert!(world.state == folded(&world.records));
        }
    }
}

#[test]
fn a_further_round_goes_on_in_the_conversation_of_the_last_draft() {
    let mut world = World::new();
    let lots = [Lot::Answer { good: false }, Lot::Trouble(Trouble::Meddled, true), Lot::Answer { good: false }];
    world.play(begun(false, false, None), &mut lots.into_iter());
    let sessions: Vec<(String, bool)> = world
        .records
        .iter()
        .flat_map(|record| &record.events)
        .filter_map(|event| match event {
            Event::AttemptStarted { session, resumed, .. } => Some((session.to_string(), *resumed)),
            _ => None,
        })
        .collect();
    let expected = [("session 1", false), ("session 1", true), ("session 2", false)];
    assert_eq!(sessions, expected.map(|(session, resumed)| (session.to_owned(), resumed)));
    let mut fourth = || panic!("the conversation of the second draft is gone on with");
    let Next::Ask(ask) = next(&world.state, world.now, &mut fourth) else { panic!("a third draft is wanted") };
    assert!(ask.resumed && &*ask.session == "session 2" && ask.why.is_none());
}

#[test]
fn a_draft_does_not_go_on_where_readiness_was_cut_off() {
    let mut world = World::new();
    world.play(begun(true, false, None), &mut [Lot::Cut(true)].into_iter());
    let mut fresh = || "fresh".into();
    let Next::Ask(ask) = next(&world.state, world.now, &mut fresh) else { panic!("readiness is judged still") };
    assert!(ask.resumed && &*ask.session == "session 1");
    world.record(vec![begun(false, false, None)]);
    let Next::Ask(ask) = next(&world.state, world.now, &mut fresh) else { panic!("a draft is wanted") };
    assert!(ask.attempt.step == Step::Draft && !ask.resumed && &*ask.session == "fresh" && ask.why.is_none());
}

#[test]
fn who_begins_again_does_not_wait_for_the_limit_of_the_last_one() {
    let mut world = World::new();
    let limit = Trouble::UsageLimit { until: Some(world.now + SignedDuration::from_hours(5)) };
    world.record(vec![begun(false, false, None)]);
    let Next::Ask(ask) = next(&world.state, world.now, &mut || "s".into()) else { panic!("a draft is wanted") };
    let (attempt, session) = (ask.attempt, ask.session);
    world.record(vec![Event::AttemptStarted { attempt: attempt.clone(), session, resumed: false }]);
    let end = end_of(&attempt.step, &Lot::Trouble(limit, true));
    let outcome = Outcome { attempt, end, ms: 1, usage: None, notes: Vec::new(), dice: 0.5 };
    settle(&mut world.state, outcome, world.now).unwrap();
    assert!(matches!(next(&world.state, world.now, &mut || "s".into()), Next::Wait(_)));
    world.record(vec![begun(false, false, None)]);
    assert!(matches!(next(&world.state, world.now, &mut || "s".into()), Next::Ask(_)));
}

#[test]
fn a_limit_is_waited_for_as_in_a_run() {
    let mut world = World::new();
    let begin = world.now;
    let lots = [Trouble::Transient, Trouble::RateLimit { until: None }, Trouble::UsageLimit { until: None }];
    world.play(begun(false, false, None), &mut lots.map(|class| Lot::Trouble(class, true)).into_iter());
    // A second, half a minute, a quarter of an hour: half of the dice, then the pauses that a run makes.
    assert_eq!(world.now.duration_since(begin), SignedDuration::from_secs(1 + 30 + 15 * 60));
}
