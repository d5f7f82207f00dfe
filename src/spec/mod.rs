//! What the user wrote.

pub mod catalog;
pub mod nearest;
pub mod scaffold;
