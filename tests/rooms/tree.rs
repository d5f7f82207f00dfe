//! The worktree and git: with real repositories, and file names that nobody should use.

mod changes;
mod checkout;
mod fresh;
mod restore;
mod undo;
mod world;
