//! Tests of the room `journal`: cut anywhere, changed anywhere, full, failing, contended.
#![allow(clippy::unwrap_used)]

mod faulty;
mod salvage;
mod sample;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use cco::journal::{
    self, Damage, Follower, Holder, Journal, JournalError, LockError, LockState, Replay, RunLock, SpecPaths, lock_state,
};
use cco::lifecycle::event::{Author, Event, FORMAT, Record};
use faulty::FaultyFile;
use proptest::prelude::*;
use sample::{at, attempt, every_event, opened};

const NAME: &str = "journal.jsonl";

fn open(file: &FaultyFile) -> Result<(Journal<FaultyFile>, Replay, Vec<Record>), JournalError> {
    let mut records = Vec::new();
    let (journal, replay) = Journal::over(file.clone(), Path::new(NAME), |record| {
        records.push(record);
        Ok::<_, JournalError>(())
    })?;
    Ok((journal, replay, records))
}

fn stage(journal: &mut Journal<FaultyFile>, events: Vec<Event>) -> Record {
    let seq = journal.next_seq();
    let by = if seq.is_multiple_of(2) { Author::Cco } else { Author::User("ann".into()) };
    journal.stage(at(seq as i64), by, events).clone()
}

/// A journal of a few records, and its bytes.
fn small() -> (Vec<Record>, Vec<u8>) {
    let file = FaultyFile::default();
    let (mut journal, _, _) = open(&file).unwrap();
    for events in every_event().into_iter().take(5) {
        stage(&mut journal, events);
    }
    (journal.commit().unwrap(), file.bytes())
}

#[test]
fn what_was_committed_is_read_back() {
    let file = FaultyFile::default();
    let (mut journal, replay, _) = open(&file).unwrap();
    assert_eq!((replay.records, journal.next_seq()), (0, 0));
    let mut written = Vec::new();
    for events in every_event() {
        stage(&mut journal, events.clone());
        stage(&mut journal, events);
        written.extend(journal.commit().unwrap());
    }
    let (_, replay, read) = open(&file).unwrap();
    assert_eq!(read, written);
    assert_eq!((replay.records, replay.bytes, replay.torn), (read.len() as u64, file.bytes().len() as u64, None));
}

#[test]
fn a_batch_costs_one_write_and_one_sync_and_an_empty_one_nothing() {
    let file = FaultyFile::default();
    let (mut journal, _, _) = open(&file).unwrap();
    every_event().into_iter().for_each(|events| drop(stage(&mut journal, events)));
    journal.commit().unwrap();
    assert_eq!(journal.commit().unwrap(), []);
    assert_eq!((file.0.borrow().appends, file.0.borrow().syncs), (1, 1));
}

#[test]
fn cut_at_every_byte_it_is_a_prefix_and_goes_on() {
    let (records, bytes) = small();
    for len in 0..=bytes.len() {
        let file = FaultyFile::holding(&bytes[..len]);
        let (mut journal, replay, read) = open(&file).unwrap();
        let whole = bytes[..len].iter().filter(|byte| **byte == b'\n').count();
        assert_eq!(read, records[..whole], "cut at {len}");
        let left = len - replay.bytes as usize;
        assert_eq!(
            replay.torn.as_ref().map(|torn| (torn.line, torn.bytes)),
            (left > 0).then_some((whole as u64 + 1, left as u64))
        );
        assert_eq!(file.bytes(), bytes[..replay.bytes as usize], "the torn line is cut off");

        let mut expected = read;
        expected.push(stage(&mut journal, vec![opened()]));
        journal.commit().unwrap();
        assert_eq!(open(&file).unwrap().2, expected);
    }
}

#[test]
fn flipped_at_every_bit_it_is_refused_or_a_prefix_that_says_so() {
    let (records, bytes) = small();
    let mut recovered = 0;
    for (place, bit) in (0..bytes.len()).flat_map(|place| (0..8).map(move |bit| (place, bit))) {
        let mut changed = bytes.clone();
        changed[place] ^= 1 << bit;
        let file = FaultyFile::holding(&changed);
        match open(&file) {
            Err(_) => assert_eq!(file.bytes(), changed, "nothing is changed by a refusal"),
            Ok((_, replay, read)) => {
                recovered += 1;
                assert!(replay.torn.is_some(), "bit {bit} of byte {place} was not noticed");
                assert_eq!(read, records[..read.len()]);
            }
        }
    }
    // Only without its newline is the last line as good as torn.
    assert_eq!(recovered, 8);
}

#[test]
fn zeros_behind_the_last_record_are_a_torn_line() {
    let (records, mut bytes) = small();
    bytes.resize(bytes.len() + 8192, 0);
    let (_, replay, read) = open(&FaultyFile::holding(&bytes)).unwrap();
    assert_eq!(read, records);
    assert_eq!(replay.torn.unwrap().to_string(), "line 6 was never written to its end (8192 bytes); it was left out");
}

#[test]
fn lines_that_are_missing_doubled_or_swapped_are_named() {
    let (_, bytes) = small();
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let line_of = |order: &[usize]| {
        let bytes: Vec<u8> = order.iter().flat_map(|n| lines[*n]).copied().collect();
        match open(&FaultyFile::holding(&bytes)) {
            Err(JournalError::Damaged { line, damage: Damage::Checksum, .. }) => line,
            other => panic!("{order:?}: {other:?}"),
        }
    };
    assert_eq!(line_of(&[0, 2, 3, 4]), 2);
    assert_eq!(line_of(&[0, 1, 1, 2]), 3);
    assert_eq!(line_of(&[0, 1, 3, 2]), 3);
    assert_eq!(line_of(&[1, 2, 3]), 1);
}

#[test]
fn full_at_every_byte_the_journal_stops_and_what_is_there_is_a_prefix() {
    let (records, bytes) = small();
    for capacity in 0..bytes.len() {
        let file = FaultyFile::default();
        file.0.borrow_mut().capacity = Some(capacity);
        let (mut journal, _, _) = open(&file).unwrap();
        every_event().into_iter().take(5).for_each(|events| drop(stage(&mut journal, events)));
        assert!(matches!(journal.commit(), Err(JournalError::Write(_))));

        file.0.borrow_mut().capacity = None;
        stage(&mut journal, vec![]);
        assert!(matches!(journal.commit(), Err(JournalError::Poisoned)));
        assert_eq!(file.bytes(), bytes[..capacity], "nothing is written behind a failure");
        let (_, _, read) = open(&file).unwrap();
        assert_eq!(read, records[..read.len()]);
    }
}

#[test]
fn a_batch_whose_sync_failed_is_taken_back() {
    let (records, bytes) = small();
    let file = FaultyFile::holding(&bytes);
    let (mut journal, _, _) = open(&file).unwrap();
    file.0.borrow_mut().sync_fails = true;
    stage(&mut journal, vec![]);
    assert!(matches!(journal.commit(), Err(JournalError::Write(_))));
    assert!(matches!(journal.commit(), Err(JournalError::Poisoned)));
    assert_eq!(open(&file).unwrap().2, records);
}

#[test]
fn a_newer_format_and_a_newer_event_are_refused_by_name() {
    let refused = |events: &str| {
        let line = format!(r#"{{"seq":0,"at":"2026-11-22T00:00:00Z","by":"cco","events":[{events}]"#);
        let path = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&path, sum(&line)).unwrap();
        let error = journal::read(path.path(), |_| Ok::<_, JournalError>(())).unwrap_err();
        error.to_string().replace(&path.path().display().to_string(), NAME)
    };
    insta::assert_snapshot!(refused(r#"{"journal_opened":{"format":2,"cco":"9.1.0","spec":{"new":1}}}"#), @"
    `journal.jsonl` has format 2, written by cco 9.1.0; this cco reads up to format 1
    help: install cco 9.1.0 or later
    ");
    let opened = serde_json::to_string(&opened()).unwrap();
    insta::assert_snapshot!(refused(&format!(r#"{opened},{{"moon_rose":{{"on":"a"}}}}"#)), @"
    line 1 of `journal.jsonl` has an event `moon_rose` that this cco cannot read: unknown variant `moon_rose`
    help: a newer cco wrote it; install that one
    ");
    insta::assert_snapshot!(refused(&format!(r#"{opened},{{"run_ended":{{"end":"sideways"}}}}"#)), @"
    line 1 of `journal.jsonl` has an event `run_ended` that this cco cannot read: unknown variant `sideways`
    help: a newer cco wrote it; install that one
    ");
    insta::assert_snapshot!(refused(r#"{"run_ended":{"end":"done"}}"#), @"`journal.jsonl` is damaged in line 1: it does not say which cco wrote this journal");
}

/// A first line with the checksum that belongs to it, worked out anew.
fn sum(body: &str) -> String {
    use sha2::{Digest as _, Sha256};
    let full = Sha256::new().chain_update([0; 8]).chain_update(body).finalize();
    let hex: String = full[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{body},\"sum\":\"{hex}\"}}\n")
}

#[test]
fn a_gap_in_the_numbers_is_damage() {
    let opened = serde_json::to_string(&opened()).unwrap();
    let line = sum(&format!(r#"{{"seq":3,"at":"2026-11-22T00:00:00Z","by":"cco","events":[{opened}]"#));
    let error = open(&FaultyFile::holding(line.as_bytes())).unwrap_err();
    let expected = Damage::Sequence { found: 3, expected: 0 };
    assert!(matches!(error, JournalError::Damaged { line: 1, damage, .. } if damage == expected));
}

#[test]
fn fields_of_later_versions_are_skipped() {
    let opened = r#"{"journal_opened":{"format":1,"cco":"1.9.0","spec":"p/n-00000000","colour":"red"}}"#;
    let line =
        sum(&format!(r#"{{"seq":0,"at":"2026-11-22T00:00:00Z","by":"cco","mood":{{"a":[1]}},"events":[{opened}]"#));
    let (_, _, read) = open(&FaultyFile::holding(line.as_bytes())).unwrap();
    assert_eq!(read.len(), 1);
}

/// Format 1 as it was first written, and what enforcement added to it: one of every event. When the format changes,
/// these files stay and a new one joins.
#[test]
fn format_1_is_read_forever() {
    let first = include_bytes!("../fixtures/journal/format-1.jsonl");
    let enforcement = include_bytes!("../fixtures/journal/format-1-enforcement.jsonl");
    let behind_its_opening = [vec![vec![opened()]], sample::enforcement()].concat();
    for (fixture, expected) in [(&first[..], sample::engine()), (&enforcement[..], behind_its_opening)] {
        let (_, replay, read) = open(&FaultyFile::holding(fixture)).unwrap();
        assert_eq!(replay.torn, None);
        let events: Vec<Vec<Event>> = read.into_iter().map(|record| record.events).collect();
        assert_eq!(events, expected);
    }
    assert_eq!(FORMAT, 1, "a new format needs a fixture of its own");
}

#[test]
fn a_reader_leaves_a_line_that_is_being_written_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(NAME);
    let (records, bytes) = small();
    std::fs::write(&path, &bytes[..bytes.len() - 5]).unwrap();
    let mut read = Vec::new();
    let replay = journal::read(&path, |record| {
        read.push(record);
        Ok::<_, JournalError>(())
    });
    assert_eq!(read, records[..4]);
    assert!(replay.unwrap().torn.is_some());
    assert_eq!(std::fs::read(&path).unwrap().len(), bytes.len() - 5);
}

#[test]
fn a_fold_that_refuses_stops_the_replay_and_changes_nothing() {
    let (_, mut bytes) = small();
    bytes.extend_from_slice(b"torn");
    let file = FaultyFile::holding(&bytes);
    let opened = Journal::over(file.clone(), Path::new(NAME), |record| {
        if record.seq == 2 { Err(anyhow::anyhow!("illegal")) } else { Ok(()) }
    });
    assert_eq!(opened.unwrap_err().to_string(), "illegal");
    assert_eq!(file.bytes(), bytes);
}

#[test]
fn on_disk_it_is_created_kept_and_appended() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(NAME);
    let mut all = Vec::new();
    for events in every_event() {
        let mut read = Vec::new();
        let (mut journal, _) = Journal::open(&path, |record| {
            read.push(record);
            Ok::<_, JournalError>(())
        })
        .unwrap();
        assert_eq!(read, all);
        journal.stage(at(1), Author::Cco, events);
        all.extend(journal.commit().unwrap());
    }
}

proptest! {
    #[test]
    fn any_records_come_back_whole_after_any_crash(batches in sample::batches(), keep in any::<prop::sample::Index>()) {
        let file = FaultyFile::default();
        let (mut journal, _, _) = open(&file).unwrap();
        let mut written = Vec::new();
        for batch in std::iter::once(vec![vec![opened()]]).chain(batches) {
            batch.into_iter().for_each(|events| drop(stage(&mut journal, events)));
            written.extend(journal.commit().unwrap());
        }
        // One batch more, of which a crash keeps what it likes.
        let durable = file.bytes().len();
        stage(&mut journal, vec![]);
        stage(&mut journal, vec![opened()]);
        let (kept, last) = (written.len(), journal.commit().unwrap());
        written.extend(last);
        let bytes = file.bytes();
        let len = durable + keep.index(bytes.len() - durable + 1);

        let read = open(&FaultyFile::holding(&bytes[..len])).unwrap().2;
        prop_assert!(read.len() >= kept);
        prop_assert_eq!(&read[..], &written[..read.len()]);
    }
}

const LOCK_PATH: &str = "CCO_TEST_LOCK";

/// The second process of the test below: takes the lock, says so, and holds it until it is killed.
#[test]
fn lock_holder() {
    let Ok(path) = std::env::var(LOCK_PATH) else { return };
    let _lock = RunLock::acquire(Path::new(&path), &Holder::this_process(at(0), "cco run\nshop".into())).unwrap();
    let _ = std::io::Write::write_all(&mut std::io::stdout(), b"\nlocked\n");
    loop {
        std::thread::park();
    }
}

#[test]
fn the_second_process_is_told_who_holds_the_lock_until_that_one_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lock");
    let mut first = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "journal::lock_holder", "--nocapture"])
        .env(LOCK_PATH, &path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(first.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line == "locked"));

    let me = Holder::this_process(at(1), "cco run".into());
    match RunLock::acquire(&path, &me) {
        Err(LockError::Held { holder: Some(holder) }) => {
            assert_eq!((holder.pid, holder.since, &*holder.command), (first.id(), at(0), "cco run shop"));
            assert_eq!(holder.host, me.host);
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(lock_state(&path).unwrap(), LockState::Held(Some(holder)) if holder.pid == first.id()));
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(lock_state(&path).unwrap(), LockState::Free);
    let lock = RunLock::acquire(&path, &me).unwrap();
    assert!(matches!(RunLock::acquire(&path, &me), Err(LockError::Held { .. })));
    drop(lock);
    RunLock::acquire(&path, &me).unwrap();
}

#[test]
fn a_lock_whose_holder_has_not_said_who_it_is_is_held_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lock");
    let file = std::fs::File::create(&path).unwrap();
    file.lock().unwrap();
    let error = RunLock::acquire(&path, &Holder::this_process(at(0), String::new())).unwrap_err();
    assert_eq!(error.to_string(), "another run holds the lock");
    assert_eq!(lock_state(&path).unwrap(), LockState::Held(None));
}

#[test]
fn a_lock_that_was_never_taken_is_free_and_looking_leaves_it_so() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lock");
    assert_eq!(lock_state(&path).unwrap(), LockState::Free);
    assert!(!path.exists());
    std::fs::write(&path, "pid 4294967295\nhost x\nsince 2026-01-01T00:00:00Z\ncommand y\n").unwrap();
    assert_eq!(lock_state(&path).unwrap(), LockState::Free);
    RunLock::acquire(&path, &Holder::this_process(at(0), String::new())).unwrap();
}

#[test]
fn a_follower_gives_each_record_once_and_waits_for_the_end_of_a_line() {
    let (written, bytes) = small();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(NAME);
    let mut follower = Follower::new(path.clone());
    let mut seen = Vec::new();
    follower.poll(|record| seen.push(record.clone())).unwrap();
    assert!(seen.is_empty(), "there is no journal yet");
    for end in 0..=bytes.len() {
        std::fs::write(&path, &bytes[..end]).unwrap();
        follower.poll(|record| seen.push(record.clone())).unwrap();
        assert_eq!(seen.len(), bytes[..end].iter().filter(|byte| **byte == b'\n').count());
    }
    assert_eq!(seen, written);
}

/// `--fresh` under somebody's eyes; and a sync that failed, after which what was written is taken back.
#[test]
fn a_follower_begins_again_with_a_journal_that_is_another() {
    let (written, bytes) = small();
    let dir = tempfile::tempdir().unwrap();
    let paths = SpecPaths::new(dir.path());
    paths.create().unwrap();
    let mut follower = Follower::new(paths.journal());
    let mut poll = || {
        let mut seen = Vec::new();
        follower.poll(|record| seen.push(record.clone())).map(|()| seen)
    };
    std::fs::write(paths.journal(), &bytes).unwrap();
    assert_eq!(poll().unwrap(), written);
    journal::set_aside(&paths, at(0)).unwrap();
    assert!(poll().unwrap().is_empty(), "the new one is not there yet");

    let (mut journal, _) = Journal::open::<JournalError>(&paths.journal(), |_| Ok(())).unwrap();
    journal.stage(at(7), Author::Cco, vec![opened()]);
    for _ in 0..50 {
        journal.stage(at(8), Author::Cco, vec![Event::JobsChanged { jobs: 2 }]);
    }
    let anew = journal.commit().unwrap();
    assert!(std::fs::metadata(paths.journal()).unwrap().len() > bytes.len() as u64);
    assert_eq!(poll().unwrap(), anew);
    assert!(poll().unwrap().is_empty());

    std::fs::write(paths.journal(), &bytes).unwrap();
    assert_eq!(poll().unwrap(), written);
}

#[test]
fn fresh_moves_everything_to_history_and_makes_room() {
    let dir = tempfile::tempdir().unwrap();
    let paths = SpecPaths::new(dir.path().join("shop").join("checkout-0a1b2c3d"));
    assert_eq!(journal::set_aside(&paths, at(0)).unwrap(), None);
    paths.create().unwrap();
    paths.create().unwrap();
    assert_eq!(journal::set_aside(&paths, at(0)).unwrap(), None);

    let stream = attempt("auth", "implement", 1);
    for (n, expected) in ["20260921T141320Z", "20260921T141320Z-2"].iter().enumerate() {
        let text = format!("{n}");
        std::fs::write(paths.journal(), &text).unwrap();
        std::fs::write(paths.stream(&stream), &text).unwrap();
        std::fs::write(paths.inbox().join("q1.json"), &text).unwrap();
        let aside = journal::set_aside(&paths, at(0)).unwrap().unwrap();
        assert_eq!(aside, paths.history().join(expected));
        for moved in ["journal.jsonl", "runs/auth.implement-1.stream.jsonl", "inbox/q1.json"] {
            assert_eq!(std::fs::read_to_string(aside.join(moved)).unwrap(), text);
        }
        assert!(!paths.journal().exists() && !paths.stream(&stream).exists());
        assert_eq!(std::fs::read_dir(paths.inbox()).unwrap().count(), 0);
    }
}

#[test]
fn cco_s_own_directories_are_private_and_ignored_by_git() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let paths = SpecPaths::new(dir.path().join("spec"));
    paths.create().unwrap();
    for dir in [paths.dir(), paths.state(), paths.runs(), &paths.inbox()] {
        assert_eq!(std::fs::metadata(dir).unwrap().permissions().mode() & 0o777, 0o700, "{}", dir.display());
    }
    for dir in [paths.state(), paths.runs()] {
        assert_eq!(std::fs::read_to_string(dir.join(".gitignore")).unwrap(), "*\n");
    }
}
