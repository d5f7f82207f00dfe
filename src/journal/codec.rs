//! One record, one line: `{"seq":0,"at":…,"by":…,"events":[…],"sum":"0123456789abcdef"}`.

use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::recover::Damage;
use crate::lifecycle::event::{Event, Record};

/// Between a record and its checksum.
const BEFORE_SUM: &[u8] = br#","sum":""#;
/// Hex digits of a checksum.
const SUM_DIGITS: usize = 16;
/// Behind a checksum.
const AFTER_SUM: &[u8] = br#""}"#;

/// The checksum of a record and of all records before it: the first 64 bits of SHA-256 over the one before and the
/// line up to its checksum. Against accidents, not against forgery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Chain([u8; 8]);

impl Chain {
    /// The checksum of `body` behind the records that led here.
    fn over(self, body: &[u8]) -> Self {
        let full = Sha256::new().chain_update(self.0).chain_update(body).finalize();
        let mut first = [0; 8];
        first.copy_from_slice(&full[..8]);
        Self(first)
    }

    /// As it stands in the file. Lower case only, so that one sum has one spelling.
    fn hex(self) -> [u8; SUM_DIGITS] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut hex = [0; SUM_DIGITS];
        for (pair, byte) in hex.chunks_exact_mut(2).zip(self.0) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        hex
    }
}

/// Appends the line of `record`, with its newline, to `out`. Returns the chain behind it.
pub(crate) fn encode(record: &Record, chain: Chain, out: &mut Vec<u8>) -> Chain {
    let start = out.len();
    serde_json::to_writer(&mut *out, record).expect("a record has text keys only and memory takes all bytes");
    // The object is left open, for the checksum to be its last member.
    out.pop();
    let chain = chain.over(&out[start..]);
    out.extend_from_slice(BEFORE_SUM);
    out.extend_from_slice(&chain.hex());
    out.extend_from_slice(AFTER_SUM);
    out.push(b'\n');
    chain
}

/// Why a line is no record.
#[derive(Debug)]
pub(crate) enum DecodeError {
    /// It is not what was written.
    Damage(Damage),
    /// It is what was written, but not by this version: the event's name, and what is wrong with it.
    Unknown { event: String, reason: String },
}

/// The record of `line`, which has no newline, and the chain behind it.
pub(crate) fn decode(line: &[u8], seq: u64, chain: Chain) -> Result<(Record, Chain), DecodeError> {
    let body = check_sum(line, chain).map_err(DecodeError::Damage)?;
    // `sum` is one more member to the reader, which skips it, as it does with what later versions add.
    let record: Record = serde_json::from_slice(line).map_err(|error| explain(line, &error))?;
    if record.seq != seq {
        return Err(DecodeError::Damage(Damage::Sequence { found: record.seq, expected: seq }));
    }
    Ok((record, body))
}

fn check_sum(line: &[u8], chain: Chain) -> Result<Chain, Damage> {
    let (body, tail) = line
        .len()
        .checked_sub(BEFORE_SUM.len() + SUM_DIGITS + AFTER_SUM.len())
        .map(|at| line.split_at(at))
        .ok_or(Damage::Shape)?;
    let sum = tail.strip_prefix(BEFORE_SUM).and_then(|rest| rest.strip_suffix(AFTER_SUM)).ok_or(Damage::Shape)?;
    let chain = chain.over(body);
    if chain.hex() == sum { Ok(chain) } else { Err(Damage::Checksum) }
}

/// What a line with a valid checksum says that this version does not understand. Off the path of a good journal.
fn explain(line: &[u8], error: &serde_json::Error) -> DecodeError {
    let events = serde_json::from_slice::<Value>(line).ok().and_then(|mut value| match value["events"].take() {
        Value::Array(events) => Some(events),
        _ => None,
    });
    let stranger = events.into_iter().flatten().find_map(|event| {
        let reason = Event::deserialize(&event).err()?.to_string();
        let name = match &event {
            Value::Object(members) => members.keys().next().cloned(),
            Value::String(name) => Some(name.clone()),
            _ => None,
        };
        Some((name?, reason))
    });
    match stranger {
        Some((event, reason)) => DecodeError::Unknown { event, reason: shorten(reason) },
        None => DecodeError::Damage(Damage::Json(error.to_string())),
    }
}

/// Without the list of all the names that would have been understood.
fn shorten(mut reason: String) -> String {
    if let Some(at) = reason.find(", expected") {
        reason.truncate(at);
    }
    reason
}

/// The format and the version of cco that the first line names, whatever else stands in it: a newer format may change
/// all but this.
pub(crate) fn header(line: &[u8]) -> Option<(u32, String)> {
    let value: Value = serde_json::from_slice(line).ok()?;
    let opened = value.get("events")?.get(0)?.get("journal_opened")?;
    let format = opened.get("format")?.as_u64()?;
    let cco = opened.get("cco").and_then(Value::as_str).unwrap_or("of unknown version");
    Some((u32::try_from(format).unwrap_or(u32::MAX), cco.to_owned()))
}
