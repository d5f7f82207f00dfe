//! One module a command: gather, call, print.

pub mod answer;
pub mod completions;
pub mod demo;
pub mod doctor;
pub mod graph;
pub mod list;
pub mod logs;
pub mod new;
pub mod repair;
pub mod run;
pub mod schema;
pub mod status;
pub mod stop;
pub mod validate;
pub mod verify;
