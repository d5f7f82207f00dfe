//! A directory without version control, seen by digests: what its files are, what of them changed, and how they are made
//! what they were.
//!
//! A file whose size, times and inode are as they were is not read again; one that was changed a moment before it was
//! looked at is, since its times could not tell of another change in that same moment.

mod going_back;
mod look;
mod objects;
mod snapshot;
mod step;
mod walk;

pub use going_back::{Left, going_back};
pub use look::{LARGEST, Look};
pub use objects::{KEPT, Objects};
pub use snapshot::{Difference, Entry, Snapshot};
pub use step::{KEPT_AS, Step};
pub use walk::{MOST_FILES, Scope};
