//! Reading along in streams that others write.

use std::fs;
use std::path::{Path, PathBuf};

use cco::agent::{Live, LiveEvent, Tails};
use cco::ids::AttemptId;
use jiff::Timestamp;

fn attempt(n: u32) -> AttemptId {
    AttemptId { on: "a".parse().unwrap(), step: "implement".parse().unwrap(), n }
}

/// A transcript with tool calls, and where its lines end.
fn transcript() -> (Vec<u8>, Vec<usize>) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/streams/2.1.330");
    let bytes = fs::read(dir.join("denied_dontask.jsonl")).unwrap();
    let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).collect();
    (bytes, ends)
}

fn tools(seen: &[(Live, Timestamp)]) -> Vec<(u32, String)> {
    let tool = |(live, _): &(Live, Timestamp)| match &live.what {
        LiveEvent::Tool { name, detail } => (live.attempt.n, format!("{name} {detail}")),
        other => panic!("{other:?}"),
    };
    seen.iter().map(tool).collect()
}

#[test]
fn the_last_tool_call_of_each_is_told_once() {
    let (bytes, ends) = transcript();
    let dir = tempfile::tempdir().unwrap();
    let running: Vec<(AttemptId, PathBuf)> =
        [1, 2].map(|n| (attempt(n), dir.path().join(format!("{n}.stream.jsonl")))).to_vec();
    let mut tails = Tails::default();
    assert!(tails.poll(&running).is_empty(), "neither has said anything");

    let mut told = Vec::new();
    for end in &ends {
        fs::write(&running[0].1, &bytes[..*end]).unwrap();
        told.extend(tools(&tails.poll(&running)));
    }
    assert!(!told.is_empty() && told.iter().all(|(n, _)| *n == 1), "{told:?}");
    assert!(tails.poll(&running).is_empty());

    fs::write(&running[1].1, &bytes).unwrap();
    let at = Timestamp::try_from(fs::metadata(&running[1].1).unwrap().modified().unwrap()).unwrap();
    let seen = tails.poll(&running);
    assert_eq!(tools(&seen), [(2, told.last().unwrap().1.clone())], "of many only the last");
    assert_eq!(seen[0].1, at);
}

#[test]
fn a_stream_that_is_another_is_read_from_its_beginning() {
    let (bytes, _) = transcript();
    let dir = tempfile::tempdir().unwrap();
    let running = [(attempt(1), dir.path().join("stream.jsonl"))];
    let path = &running[0].1;
    let mut tails = Tails::default();
    fs::write(path, &bytes).unwrap();
    let first = tools(&tails.poll(&running));
    assert_eq!(first.len(), 1);
    fs::rename(path, dir.path().join("aside")).unwrap();
    fs::write(path, [bytes.as_slice(), b"\n"].concat()).unwrap();
    assert_eq!(tools(&tails.poll(&running)), first, "set aside");
    assert!(tails.poll(&[]).is_empty());
    assert_eq!(tools(&tails.poll(&running)), first, "it ran again");
}
