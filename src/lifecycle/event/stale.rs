//! Why earlier work does not stand any more, and what is done again.

use serde::{Deserialize, Serialize};

use crate::ids::ComponentId;

/// Why earlier work does not stand any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StaleReason {
    /// The component's definition, its context file, its part of SPEC.md, or guidance changed.
    Input,
    /// Commands, reviewers, risk or mode changed.
    Checks,
    /// A dependency's files changed.
    Dependency(ComponentId),
    /// The user asked for it.
    Asked,
}

/// What is done again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Redo {
    /// A revise step at the current tip, then validation.
    Revise,
    /// Validation only.
    Validate,
    /// Everything from the first step.
    All,
}
