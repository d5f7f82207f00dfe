//! Random worlds, cut and resumed, edited, replayed.

use std::collections::HashSet;
use std::sync::Arc;

use cco::lifecycle::event::RunEnd;
use cco::lifecycle::state::RunState;

use super::world::{Dice, World, hash, random_plan};

/// 2,000 random worlds, each cut after every one of its records and resumed: the same end, and nothing paid twice.
#[test]
fn crash_everywhere() {
    let quarters: Vec<_> =
        (0..4).map(|quarter| std::thread::spawn(move || crash(quarter * 500..(quarter + 1) * 500))).collect();
    let (mut points, mut ends) = (0, HashSet::new());
    for quarter in quarters {
        let (more, other) = quarter.join().unwrap();
        points += more;
        ends.extend(other);
    }
    assert!(ends.len() >= 2 && points > 20_000, "the worlds are too tame: {points} crash points, {ends:?}");
}

fn crash(seeds: std::ops::Range<u64>) -> (u32, HashSet<String>) {
    let (mut points, mut ends) = (0, HashSet::new());
    for seed in seeds {
        let plan = Arc::new(random_plan(hash(seed)));
        let mut whole = World::begin(&plan, seed, &[], seed);
        let end = whole.run();
        ends.insert(format!("{end:?}"));
        let expected = whole.result();
        // The state after each record; that a replay from the first one gives the same is a test of its own.
        let mut cut = World::new(&plan, seed);
        for (at, record) in whole.records.iter().enumerate() {
            let mut resumed = World { dice: Dice(seed ^ 0x55), ..cut.clone() };
            resumed.resume();
            let again = resumed.run();
            assert_eq!(again, end, "world {seed} cut after {at} records");
            assert_eq!(resumed.result(), expected, "world {seed} cut after {at} records");
            points += 1;
            cut.replay(record);
        }
    }
    (points, ends)
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
