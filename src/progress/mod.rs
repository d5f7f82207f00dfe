//! Observers that draw: what they show follows from records and signs of life, and their failures are warnings.
//!
//! [`Live`] is for terminals, [`Plain`] for pipes and CI, [`Json`] for programs. Writers come as parameters.

mod frame;
mod json;
mod live;
mod observers;
mod plain;
mod sink;
mod standing;
mod view;
mod words;

pub use frame::{Style, StyledLine, frame};
pub use json::Json;
pub use live::{Live, terminal_size};
pub use plain::Plain;
pub use standing::{Phase, Shape, ShapeComponent, Tally};
pub use view::{LiveEvent, Question, RunInfo, Running, View};
pub use words::{Words, is_headline, subject};
