//! Tests of the room `agent`.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod arguments;
mod call;
mod claude_md;
mod env;
mod probe;
mod prompts;
mod schema;
mod stream;
mod tail;
mod transcripts;
