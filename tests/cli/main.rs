//! The real binary, one module a command.
#![allow(missing_docs, clippy::disallowed_methods, clippy::unwrap_used)]
