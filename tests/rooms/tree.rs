//! The worktree and git: with real repositories, and file names that nobody should use.

mod awkward;
mod changes;
mod checkout;
mod digests;
mod fresh;
mod land;
mod merge;
mod position;
mod put_back;
mod repository;
mod restore;
mod set_up;
mod undo;
mod warm;
mod world;
mod yard;
