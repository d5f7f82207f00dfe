//! The records of a formalization as bytes: a line that says what they are and sums them up, then a record a line.
//!
//! They are few and small, so the file is replaced as a whole with every record, and a crash leaves the old one or the
//! new one. What was changed by anybody else is refused.

use serde::{Deserialize, Serialize};

use super::event::{FORMAT, Record};
use crate::ids::Digest;

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Header {
    format: u32,
    cco: String,
    #[serde(default)]
    spec: String,
    /// The digest of all bytes behind the first line.
    sum: Option<Digest>,
}

/// Why bytes are no records.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The first line is not what it should be.
    #[error("it does not say which cco wrote it")]
    NoHeader,
    /// A newer cco wrote it in a format of its own.
    #[error("it has format {found}, written by cco {cco}; this cco reads up to format {FORMAT}")]
    Newer {
        /// The format.
        found: u32,
        /// The version of cco that wrote it.
        cco: String,
    },
    /// The bytes are not those that were written.
    #[error("its checksum does not fit")]
    Sum,
    /// A line is no record.
    #[error("line {line} is no record: {why}")]
    Record {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
}

/// The bytes of these records.
///
/// # Errors
/// They cannot be written as JSON.
pub fn encode(cco: &str, spec: &str, records: &[Record]) -> serde_json::Result<Vec<u8>> {
    let mut body = Vec::new();
    for record in records {
        serde_json::to_writer(&mut body, record)?;
        body.push(b'\n');
    }
    let header = Header { format: FORMAT, cco: cco.to_owned(), spec: spec.to_owned(), sum: Some(Digest::of(&body)) };
    let mut bytes = serde_json::to_vec(&header)?;
    bytes.push(b'\n');
    bytes.extend(body);
    Ok(bytes)
}

/// The records in these bytes.
///
/// # Errors
/// See [`CodecError`].
pub fn decode(bytes: &[u8]) -> Result<Vec<Record>, CodecError> {
    let end = memchr::memchr(b'\n', bytes).ok_or(CodecError::NoHeader)?;
    let header: Header = serde_json::from_slice(&bytes[..end]).map_err(|_| CodecError::NoHeader)?;
    if header.format > FORMAT {
        return Err(CodecError::Newer { found: header.format, cco: header.cco });
    }
    let body = &bytes[end + 1..];
    if header.sum != Some(Digest::of(body)) {
        return Err(CodecError::Sum);
    }
    let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).enumerate();
    let record = |(at, line)| {
        serde_json::from_slice(line)
            .map_err(|error: serde_json::Error| CodecError::Record { line: at + 2, why: error.to_string() })
    };
    lines.map(record).collect()
}
