//! Tests of the room `agent`.

mod arguments;
mod claude_md;
mod env;
mod prompts;
mod schema;
mod stream;
mod transcripts;
