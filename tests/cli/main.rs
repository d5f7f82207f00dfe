//! The real binary, one module a command.
#![allow(missing_docs, clippy::disallowed_methods, clippy::unwrap_used)]

#[path = "../support/env.rs"]
#[macro_use]
mod env;

mod arguments;
mod completions;
mod help;
mod hostile;
mod list;
mod new;
mod output;
mod references;
mod schema;
mod settings;
mod validate;
