//! Whole runs with real processes and the simulated agent.
#![allow(missing_docs, clippy::disallowed_methods, clippy::unwrap_used)]
