//! What agents tell each other: `CONTEXT.md` and `components/<id>.md`, each with one block kept by cco between markers. All
//! outside the markers is the user's, survives to the byte, and goes into prompts.

pub mod blank;
pub mod files;
pub mod marked;
pub mod render;
pub mod specification;
