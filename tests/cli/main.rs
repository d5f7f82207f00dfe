//! The real binary, one module a command.
#![allow(missing_docs, clippy::disallowed_methods, clippy::unwrap_used)]

#[path = "../support/env.rs"]
#[macro_use]
mod env;

mod answer;
mod arguments;
mod brainstorm;
mod completions;
mod demo;
mod doctor;
mod graph;
mod help;
mod hostile;
mod import;
mod install;
mod list;
mod logs;
mod man;
mod new;
mod next;
mod output;
mod references;
mod release;
mod repair;
mod schema;
mod settings;
mod simulated;
mod spec;
mod status;
mod stop;
mod terminal;
mod texts;
mod validate;
