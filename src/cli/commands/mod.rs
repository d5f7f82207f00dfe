//! One module a command: gather, call, print.

pub mod answer;
pub mod brainstorm;
pub mod clean;
pub mod completions;
pub mod demo;
pub mod doctor;
pub mod finish;
pub mod formalize;
pub mod graph;
pub mod import;
pub mod install;
pub mod list;
pub mod logs;
mod look;
pub mod man;
mod moved;
pub mod new;
pub mod next;
pub mod repair;
pub mod run;
pub mod schema;
pub mod spec;
pub mod status;
pub mod stop;
pub mod validate;
pub mod verify;
