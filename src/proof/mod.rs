//! What proves the work: the claims that the plan asks for, each with the records that stand behind it, held against
//! what git and the disk show. Pure: facts come in as data.
//!
//! It trusts no verdict that is written down: whether a validation passed is computed again from what its parts came to.
//! A claim that cannot be made good is never taken for one that holds.

mod account;
mod carry;
mod case;
mod claim;
mod component;
mod facts;
mod judge;
mod landing;
mod ledger;
mod whole;

pub use account::{ChangeSeen, Landing, Progress};
pub use carry::Passage;
pub use case::{Case, Ran, Seat};
pub use claim::{Basis, Claim, Item, Kept, Standing, Waiver};
pub use facts::{Branch, Carry, Facts, Known, Log, Touched};
pub use judge::{Judgement, judge};
pub use ledger::{Ledger, Wanted};
