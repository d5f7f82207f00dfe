//! The real binary, one module a command.
#![allow(missing_docs)]
