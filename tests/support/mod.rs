//! What several test binaries share. Each takes it in with `#[path = "../support/mod.rs"] mod support;` and uses the
//! part that it needs, hence the allowance for dead code.
#![allow(dead_code)]

pub mod api;
pub mod claude;
pub mod reply;
