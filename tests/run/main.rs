//! Whole runs with real processes and the simulated agent.
#![allow(missing_docs)]
