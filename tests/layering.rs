//! Which room may know which other (the table of the crate doc), read from the source.
#![allow(missing_docs)]
