//! The work tree and git.
