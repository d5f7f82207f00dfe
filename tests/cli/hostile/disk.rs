//! Disks that are read-only or full.

use std::fs;

use super::{chain, made, mounting, says, scenario};
use crate::env::TestEnv;

/// Mounts `$1` over itself, read-only.
const READ_ONLY: &str = "ro() { mkdir -p \"$1\" && mount --bind \"$1\" \"$1\" && mount -o remount,ro,bind \"$1\"; }\n";

#[test]
fn what_cannot_be_written_is_named_and_nothing_is_lost() {
    for (place, before_anything) in [("", true), ("state", true), ("runs", false)] {
        let env = TestEnv::new();
        let dir = chain(&env);
        let sim = scenario(&env, "");
        let run = format!("$CCO run p/s --agent sim:{}", sim.display());
        assert_eq!(super::shell(&env, &run).status, 0);
        let journal = fs::read(dir.join("state/journal.jsonl")).unwrap();
        let script = format!("{READ_ONLY}ro {} && {run} --redo c", dir.join(place).display());
        let Some(output) = mounting(&env, &script) else { return };
        let output = output.exits(7);
        assert!(format!("{output}").contains("Read-only file system"), "{output}");
        if before_anything {
            says(&output, &["help: make that file system writable"]);
            assert_eq!(fs::read(dir.join("state/journal.jsonl")).unwrap(), journal);
        }
        assert_eq!(made(&env).len(), 3, "{place}");
        let redo = if before_anything { " --redo c" } else { "" };
        let carried_on = super::shell(&env, &format!("{run}{redo}")).exits(0);
        assert!(carried_on.stdout.contains("3 of 3 components complete"), "{carried_on}");
        assert_eq!(made(&env).len(), 4, "{place}");
    }
}

#[test]
fn a_read_only_store_can_be_looked_at() {
    let env = TestEnv::new();
    chain(&env);
    let script = format!("{READ_ONLY}ro $STORE && $CCO list && $CCO validate p/s && $CCO run -n p/s");
    let Some(output) = mounting(&env, &script) else { return };
    let _ = output.exits(0);
    let script = format!("{READ_ONLY}ro $STORE && $CCO new --project q --name n");
    says(&mounting(&env, &script).unwrap().exits(7), &["Read-only file system", "--store DIR"]);
}

#[test]
fn a_document_that_does_not_fit_leaves_the_one_that_is_there() {
    let env = TestEnv::new();
    let dir = env.small_spec("p/small-00000001").join("brainstorm");
    fs::create_dir(&dir).unwrap();
    let (long, put) = ("head -c 100000 /dev/zero | tr '\\0' x", "$CCO brainstorm put MISSION");
    let script = format!(
        "mount -t tmpfs -o size=16k none {dir} && echo short | {put} && {{ {long} | {put}; echo ENDED:$?; }} &&
        cat {dir}/MISSION.md && ls -A {dir}",
        dir = dir.display(),
    );
    let Some(output) = mounting(&env, &script) else { return };
    let output = output.exits(0);
    assert!(output.stdout.ends_with("ENDED:7\nshort\nMISSION.md\nold\n"), "{output}");
    says(&output, &["cannot write", "MISSION.md`", "No space left on device", "help: make room on that disk"]);
}

#[test]
fn a_read_only_home_is_named_once_with_the_way_around_it() {
    let env = TestEnv::new();
    let script = format!("{READ_ONLY}ro $HOME && $CCO install");
    let Some(output) = mounting(&env, &script) else { return };
    says(
        &output.exits(7),
        &["cannot write into", "home/.claude`", "Read-only file system", "install elsewhere: `--scope project`"],
    );
    let _ = env.cco(["install"]).exits(0);
    let output = mounting(&env, &format!("{READ_ONLY}ro $HOME && $CCO install && $CCO install --uninstall")).unwrap();
    assert!(output.stdout.starts_with("unchanged"), "{output}");
    says(&output.exits(7), &["cannot write into", "Read-only file system"]);
}

#[test]
fn a_damaged_journal_that_cannot_be_repaired_stays_as_it_is() {
    let env = TestEnv::new();
    let dir = chain(&env);
    assert_eq!(super::shell(&env, &format!("$CCO run p/s --agent sim:{}", scenario(&env, "").display())).status, 0);
    let (state, journal) = (dir.join("state"), dir.join("state/journal.jsonl"));
    let repair = "$CCO repair p/s --apply";
    let script = format!("{READ_ONLY}ro {} && {repair}", state.display());
    let Some(whole) = mounting(&env, &script) else { return };
    assert!(whole.exits(0).stdout.contains("the journal is in order"));

    let mut damaged = fs::read(&journal).unwrap();
    let at = damaged.len() - 30;
    damaged[at] ^= 1;
    fs::write(&journal, &damaged).unwrap();
    let output = mounting(&env, &script).unwrap().exits(7);
    says(&output, &["state/lock", "Read-only file system", "help: make that file system writable"]);
    assert_eq!(fs::read(&journal).unwrap(), damaged);

    // Room for the lock and no more; or for what can be saved, and not for the copy of what is damaged.
    for room in [0, damaged.len().div_ceil(4096) + 1] {
        let script = format!(
            "cp -r {state} $HOME/kept && mount -t tmpfs -o size=1m none {state} && cp -r $HOME/kept/. {state} &&
            rm -r $HOME/kept && {{ dd if=/dev/zero of={state}/big bs=4096 2>/dev/null; truncate -s -$(({room} * 4096)) {state}/big
            {repair}; echo ENDED:$?; cat {journal} >$HOME/left; rm {state}/big; {repair}; }}",
            state = state.display(),
            journal = journal.display(),
        );
        let output = mounting(&env, &script).unwrap().exits(0);
        assert!(output.stdout.contains("ENDED:74\n"), "{output}");
        assert!(output.stderr.contains("No space left on device"), "{output}");
        assert!(output.stdout.contains("put in place"), "{output}");
        assert_eq!(fs::read(env.home().join("left")).unwrap(), damaged);
    }
    assert_eq!(fs::read(&journal).unwrap(), damaged);
    let _ = super::shell(&env, repair).exits(0);
}

#[test]
fn a_repository_that_cannot_be_written_starts_nothing() {
    let env = TestEnv::new();
    chain(&env);
    let script = format!("{READ_ONLY}ro $PWD && cd $PWD && $CCO run p/s --agent sim:{}", scenario(&env, "").display());
    let Some(output) = mounting(&env, &script) else { return };
    says(&output.exits(7), &["[ROOT]/work"]);
    assert_eq!(made(&env), [""; 0]);
}

/// Fills up a disk in the middle of a run, makes room, and carries on.
fn filled(place: &str, size: &str, statuses: &[i32], parts: &[&str]) {
    let env = TestEnv::new();
    let dir = chain(&env);
    let ids: Vec<String> = (0..24).map(|n| format!("c{n:02}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    fs::write(dir.join("manifest.json"), super::manifest(&env, &ids)).unwrap();
    let place = dir.join(place);
    let script = format!(
        "mkdir -p {place} && cp {dir}/manifest.json {dir}/../m && mount -t tmpfs -o size={size} none {place} &&
        {{ [ -e {dir}/manifest.json ] || cp {dir}/../m {dir}/manifest.json; }}
        run() {{ $CCO run p/s --agent sim:{sim}; echo ENDED:$?; }}
        run; wc -l < $HOME/made; mount -o remount,size=64m {place}; run; cat {dir}/components/c00.md >&2",
        place = place.display(),
        dir = dir.display(),
        sim = scenario(&env, "").display(),
    );
    let Some(output) = mounting(&env, &script) else { return };
    let output = output.exits(0);
    let first: Vec<&str> = output.stdout.split("ENDED:").collect();
    assert!(statuses.iter().any(|status| first[1].starts_with(&format!("{status}\n"))), "{output}");
    assert!(first[2].starts_with('0') && first[1].contains("24 of 24 components complete"), "{output}");
    assert!(parts.iter().all(|part| format!("{output}").contains(part)), "{output}");
    // Each of those who write says so once: the log of an agent, what is written behind it, the journal.
    assert!(output.stderr.matches("No space left").count() <= 4, "{output}");
    let mut once = made(&env);
    let all = once.len();
    once.dedup();
    // The step in flight is made again where its answer found no room; none that was finished is.
    assert!(once.len() == 24 && all <= 25, "{once:?}");
}

#[test]
fn a_full_disk_in_the_middle_of_a_run() {
    // Whichever meets the end first: the journal, or an agent's output.
    filled("", "200k", &[74, 7], &["No space left on device", "`cco run` carries on"]);
}

#[test]
fn a_full_disk_for_the_journal_alone() {
    filled("state", "16k", &[74], &["cannot write the journal", "make room, then `cco run` carries on"]);
}

#[test]
fn a_full_disk_for_what_agents_say() {
    filled("runs", "100k", &[7], &["no room is left on the disk of", "once that is mended, `cco run` carries on"]);
}
