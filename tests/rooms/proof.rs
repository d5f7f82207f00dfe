//! The proof against random worlds: what the engine settles is never called contradicted, and whatever is taken out of the
//! records of what it settled is missed.

use std::collections::HashMap;
use std::sync::Arc;

use cco::ids::Subject;
use cco::journal::{JournalError, read};
use cco::lifecycle::event::{AttemptEnd, Author, Event, Record, RunEnd, Verdict};
use cco::plan::Plan;
use cco::proof::{Facts, Item, Judgement, Ledger, Standing, judge};

use crate::lifecycle::audit::answer_all;
use crate::lifecycle::world::{Dice, World, Written, hash, random_plan};

fn worlds(count: u64) -> impl Iterator<Item = (Arc<Plan>, Vec<Written>)> {
    (0..count).map(|seed| {
        let plan = Arc::new(random_plan(hash((seed, "proof"))));
        let mut world = World::begin(&plan, seed, &[], seed);
        let mut dice = Dice(hash((seed, "prover")));
        for _ in 0..30 {
            if world.run() != RunEnd::NeedsAnswer {
                break;
            }
            answer_all(&mut world, &mut dice);
        }
        (plan, world.records)
    })
}

fn judged(plan: &Plan, records: &[Written]) -> Judgement {
    let mut ledger = Ledger::default();
    for (seq, (at, events)) in records.iter().enumerate() {
        let by = if events.iter().any(|event| matches!(event, Event::Answered(_))) {
            Author::User("tester".into())
        } else {
            Author::Cco
        };
        ledger.see(&Record { seq: seq as u64, at: *at, by, events: events.clone() });
    }
    judge(plan, &ledger, &Facts::default())
}

fn items(judgement: &Judgement) -> impl Iterator<Item = &Item> {
    judgement.components.iter().chain([&judgement.whole])
}

fn contradicted(judgement: &Judgement, on: &Subject, what: &str) -> bool {
    let item = items(judgement).find(|item| item.on == *on).unwrap();
    item.claims.iter().any(|claim| claim.what == what && claim.standing == Standing::Contradicted)
}

/// An end: its record, its place in it, and whether it was a pass.
type Ended = (usize, usize, bool);

/// The last end of each command and reviewer of a validation that passed, where it is the only one: record and place.
fn counted(records: &[Written]) -> Vec<(Subject, String, usize, usize)> {
    let mut open: HashMap<Subject, HashMap<String, Vec<Ended>>> = HashMap::new();
    let mut out = Vec::new();
    for (record, (_, events)) in records.iter().enumerate() {
        for (place, event) in events.iter().enumerate() {
            match event {
                Event::ValidationOpened { on, .. } => drop(open.insert(on.clone(), HashMap::new())),
                Event::AttemptEnded { attempt, end, .. } => {
                    let passed = match end {
                        AttemptEnd::Checked(result) => result.verdict == Verdict::Pass,
                        AttemptEnd::Reviewed { issues, .. } => issues.is_empty(),
                        _ => continue,
                    };
                    let of = open.entry(attempt.on.clone()).or_default();
                    of.entry(attempt.step.to_string()).or_default().push((record, place, passed));
                }
                Event::SeatLost { on, step, .. } => {
                    open.entry(on.clone())
                        .or_default()
                        .entry(step.to_string())
                        .or_default()
                        .push((record, place, false));
                }
                Event::ValidationSettled { on, verdict: Verdict::Pass, .. } => {
                    let ends = open.get(on).into_iter().flatten();
                    out.extend(ends.filter_map(|(step, ends)| match ends[..] {
                        [(record, place, true)] => Some((on.clone(), step.clone(), record, place)),
                        _ => None,
                    }));
                }
                _ => {}
            }
        }
    }
    out
}

#[test]
fn what_the_engine_settles_is_never_contradicted() {
    let mut settled = 0;
    for (plan, records) in worlds(800) {
        let judgement = judged(&plan, &records);
        for item in items(&judgement) {
            assert_ne!(item.standing, Standing::Contradicted, "{item:#?}\n{records:#?}");
        }
        settled += counted(&records).len();
    }
    assert!(settled > 1_500, "the worlds are too tame: {settled}");
}

#[test]
fn whatever_is_taken_out_of_a_pass_is_missed() {
    let mut missed = 0;
    for (seed, (plan, records)) in worlds(250).enumerate() {
        let mut dice = Dice(hash((seed, "thief")));
        let counted = counted(&records);
        for _ in 0..counted.len().min(5) {
            let (on, step, record, place) = counted[dice.roll(counted.len() as u64) as usize].clone();
            let mut forged = records.clone();
            forged[record].1.remove(place);
            let judgement = judged(&plan, &forged);
            assert!(
                contradicted(&judgement, &on, &step),
                "world {seed}: {step} of {on} is not missed: {record} {place} {records:?}"
            );
            missed += 1;
        }
    }
    assert!(missed > 600, "the worlds are too tame: {missed}");
}

#[test]
fn journals_of_earlier_versions_are_read() {
    for name in ["format-1.jsonl", "format-1-enforcement.jsonl"] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journal").join(name);
        let mut ledger = Ledger::default();
        let replay = read::<JournalError>(&path, |record| {
            ledger.see(&record);
            Ok(())
        });
        assert_eq!(ledger.records, replay.unwrap().records);
        let _ = ledger.wanted();
    }
}
