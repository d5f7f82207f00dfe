//! The real `claude`, both versions, against a scripted Messages API on loopback.
#![allow(missing_docs, clippy::disallowed_methods, clippy::unwrap_used)]

#[path = "../support/mod.rs"]
mod support;

#[path = "../support/env.rs"]
mod env;

mod agent;
mod enforcement;
mod faults;
mod formalize;
mod install;
mod project;
mod runs;
mod schemas;
mod session;
