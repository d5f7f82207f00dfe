//! What can be saved of a journal that was changed at any byte, and how it takes the journal's place.

use std::fs;
use std::path::Path;

use cco::journal::{self, Damage, JournalError, Note, Salvage, SpecPaths, Untrusted, new_history_dir, salvage};
use cco::lifecycle::event::{Author, Event, Record};
use cco::lifecycle::lost::Lost;

use super::{NAME, at, attempt, open, opened, small};
use crate::journal::faulty::FaultyFile;

fn look(path: &Path) -> Result<(Salvage, Vec<Record>), JournalError> {
    let mut records = Vec::new();
    let found = salvage(path, |record| {
        records.push(record);
        Ok::<_, JournalError>(())
    })?;
    Ok((found, records))
}

#[test]
fn changed_at_every_byte_what_is_saved_is_a_prefix_and_the_rest_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let (path, to) = (dir.path().join(NAME), dir.path().join("saved.jsonl"));
    let (written, bytes) = small();
    for (place, bit) in (0..bytes.len()).map(|place| (place, place % 8)) {
        let mut changed = bytes.clone();
        changed[place] ^= 1 << bit;
        fs::write(&path, &changed).unwrap();
        let line = bytes[..place].iter().filter(|byte| **byte == b'\n').count();
        let (found, saved) = match look(&path) {
            Ok(found) => found,
            // The number of the format: what it is, is not known then, and nothing is saved of it.
            Err(JournalError::NewerFormat { .. }) if line == 0 => continue,
            Err(error) => panic!("bit {bit} of byte {place}: {error}"),
        };
        assert_eq!(saved, written[..line], "bit {bit} of byte {place}");
        assert_eq!((found.records, found.line()), (line as u64, line as u64 + 1));
        assert!(found.damage.is_some() != found.torn.is_some(), "bit {bit} of byte {place}");
        // Each costs two syncs.
        if place % 100 != 0 {
            continue;
        }
        let _ = fs::remove_file(&to);
        found.write(&to).unwrap();
        assert_eq!(fs::read(&to).unwrap(), bytes[..found.bytes as usize]);
        assert!(found.is_written(&to).unwrap());
        assert_eq!(fs::read(&path).unwrap(), changed, "the journal stays as it is");
    }
}

#[test]
fn cut_at_every_byte_there_is_no_damage_and_nothing_else_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(NAME);
    let (written, bytes) = small();
    for len in 0..=bytes.len() {
        fs::write(&path, &bytes[..len]).unwrap();
        let (found, saved) = look(&path).unwrap();
        assert_eq!(saved, written[..saved.len()]);
        assert_eq!(found.damage, None);
        assert_eq!(found.torn.is_some(), found.bytes < len as u64);
    }
}

#[test]
fn what_stands_behind_the_damage_is_told_and_not_saved() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(NAME);
    let (written, bytes) = small();
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let spoilt = [lines[0], lines[1], b"!\n", lines[3], lines[4], b"torn"].concat();
    fs::write(&path, &spoilt).unwrap();
    let (found, saved) = look(&path).unwrap();
    assert_eq!((&saved[..], found.damage.as_ref()), (&written[..2], Some(&Damage::Shape)));
    let mut told = Vec::new();
    let untrusted = found.untrusted(|record| told.push(record.clone())).unwrap();
    let bytes = (spoilt.len() - lines[0].len() - lines[1].len()) as u64;
    assert_eq!((untrusted, told), (Untrusted { bytes, lines: 3, readable: 2 }, written[3..].to_vec()));
}

#[test]
fn what_is_there_is_never_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let (path, to) = (dir.path().join(NAME), dir.path().join("saved.jsonl"));
    fs::write(&path, small().1).unwrap();
    fs::write(&to, "mine").unwrap();
    let (found, _) = look(&path).unwrap();
    assert!(matches!(found.write(&to), Err(JournalError::Write(_))));
    assert!(!found.is_written(&to).unwrap());
    assert_eq!(fs::read_to_string(&to).unwrap(), "mine");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "nothing is left beside it");
}

#[test]
fn put_in_place_the_journal_goes_on_and_nothing_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let paths = SpecPaths::new(dir.path().join("spec"));
    paths.create().unwrap();
    let (written, mut bytes) = small();
    let third = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(1).unwrap().0 + 20;
    bytes[third] ^= 1;
    fs::write(paths.journal(), &bytes).unwrap();
    let (known, strange) = (attempt("auth", "implement", 1), attempt("auth", "implement", 2));
    let others = [paths.stream(&strange), paths.prompt(&strange), paths.stderr(&strange), paths.log(&strange)];
    for file in others.iter().chain([&paths.stream(&known), &paths.runs().join("auth.check")]) {
        fs::write(file, "said").unwrap();
    }
    let mut beyond = paths.artefacts_beyond(&[known.file_stem()].into()).unwrap();
    assert_eq!(beyond.iter().collect::<std::collections::BTreeSet<_>>(), others.iter().collect());
    let letter = paths.inbox().join("1-q1.json");
    fs::write(&letter, "{}").unwrap();
    beyond.push(letter.clone());

    let (found, _) = look(&paths.journal()).unwrap();
    let (saved, aside) = (paths.state().join("saved.jsonl"), new_history_dir(&paths, at(0)).unwrap());
    found.write(&saved).unwrap();
    let note = Note { at: at(9), by: Author::User("ann".into()), events: vec![opened()] };
    found.put_in_place(&paths, &saved, &aside, &beyond, note).unwrap();

    assert_eq!(fs::read(aside.join(NAME)).unwrap(), bytes);
    assert!(!saved.exists() && beyond.iter().all(|file| !file.exists()));
    assert!(aside.join("inbox/1-q1.json").exists() && aside.join("runs/auth.implement-2.stream.jsonl").exists());
    assert!(paths.stream(&known).exists() && paths.runs().join("auth.check").exists());
    let mut now = open(&FaultyFile::holding(&fs::read(paths.journal()).unwrap())).unwrap().2;
    let last = now.pop().unwrap();
    assert_eq!((last.seq, last.by), (now.len() as u64, Author::User("ann".into())));
    assert_eq!(now, written[..2]);
}

#[test]
fn until_all_of_it_is_done_the_damaged_journal_is_in_force() {
    let dir = tempfile::tempdir().unwrap();
    let paths = SpecPaths::new(dir.path().join("spec"));
    paths.create().unwrap();
    let bytes = [&small().1[..], b"!\n"].concat();
    fs::write(paths.journal(), &bytes).unwrap();
    let (found, _) = look(&paths.journal()).unwrap();
    let saved = paths.state().join("saved.jsonl");
    found.write(&saved).unwrap();
    let note = || Note { at: at(9), by: Author::Cco, events: Vec::new() };
    // No room for the copy; a file that cannot be moved; no file to be put in place.
    let aside = new_history_dir(&paths, at(0)).unwrap();
    let nowhere = paths.runs().join("gone.log");
    assert!(found.put_in_place(&paths, &saved, &paths.history().join("none"), &[], note()).is_err());
    assert!(found.put_in_place(&paths, &saved, &aside, &[nowhere], note()).is_err());
    let aside = new_history_dir(&paths, at(0)).unwrap();
    assert!(found.put_in_place(&paths, &paths.history().join("none/saved"), &aside, &[], note()).is_err());
    assert_eq!(fs::read(paths.journal()).unwrap(), bytes);
    assert!(found.is_written(&saved).unwrap());
}

#[test]
fn a_newer_format_and_what_is_no_file_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(NAME);
    let newer = String::from_utf8(small().1).unwrap().replacen("\"format\":1", "\"format\":2", 1);
    fs::write(&path, newer).unwrap();
    assert!(matches!(look(&path), Err(JournalError::NewerFormat { found: 2, .. })));
    assert!(matches!(look(dir.path()), Err(JournalError::Read(_))));
    fs::write(&path, small().1).unwrap();
    let refused =
        journal::salvage(&path, |record| if record.seq == 2 { Err(anyhow::anyhow!("illegal")) } else { Ok(()) });
    assert_eq!(refused.unwrap_err().to_string(), "illegal");
}

#[test]
fn lost_records_name_what_they_touched_or_everything_is_doubted() {
    let record = |seq, id: &str, n| Record {
        seq,
        at: at(0),
        by: Author::Cco,
        events: vec![Event::AttemptStarted { attempt: attempt(id, "implement", n), session: None, resumed: false }],
    };
    let (auth, other) = ("auth".parse().unwrap(), "other".parse().unwrap());
    let mut lost = Lost::default();
    assert!(!lost.may_have_touched(&auth, 4), "nothing is lost");
    lost.see(&record(5, "auth", 1));
    assert!(lost.may_have_touched(&auth, 4) && !lost.may_have_touched(&other, 4));
    lost.see(&record(6, "auth", 2));
    assert!(!lost.may_have_touched(&other, 4));
    lost.see(&record(8, "auth", 3));
    assert!(lost.may_have_touched(&other, 4), "two records cannot be read");
}
