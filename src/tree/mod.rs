//! The work tree and git: where components work, and what becomes of what they wrote.
//!
//! A [`Home`] is what all components share: one directory, or a [`Repository`] in which each has a [`Worktree`] of its own.
//! The integration branch is checked out nowhere; what a subject did lands on it as one commit.

mod adopt;
mod aside;
mod changes;
mod checkout;
mod commit;
pub mod digests;
mod disk;
mod fresh;
pub mod git;
mod history;
mod home;
mod land;
mod leftovers;
mod locks;
mod merge;
mod moved;
mod patch;
mod path;
mod peek;
mod place;
mod position;
mod product;
mod put_back;
mod refs;
mod registry;
mod remote;
mod repository;
mod restore;
mod set_up;
mod source;
mod standing;
mod status;
mod undo;
mod users;
mod warm;
mod worktree;

pub use changes::{Bounds, Change, Contents, Side, Until};
pub use checkout::{Fingerprint, changed_between};
pub use commit::{Commit, landing_message};
pub use fresh::Fresh;
pub use git::{Git, GitError};
pub use history::{Commitment, History};
pub use home::Home;
pub use leftovers::{Signed, beside, remove_beside, remove_if_empty, sign, signed, size_on_disk};
pub use merge::{Merge, Merged};
pub use moved::Moved;
pub use patch::DiffText;
pub use peek::{is_elsewhere, uncommitted};
pub use place::{Place, TreeError};
pub use product::product;
pub use put_back::PutBack;
pub use refs::Kept;
pub use remote::Remote;
pub use repository::Repository;
pub use restore::State;
pub use set_up::worktree_of;
pub use standing::{Owner, Standing};
pub use status::{Changed, Kind};
pub use undo::Undone;
pub use users::{Forward, bring_back_branch};
pub use warm::warm;
pub use worktree::Worktree;
