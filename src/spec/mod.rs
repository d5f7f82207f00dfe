//! What the user wrote: the manifest, its schema, its rules, and where in the file each problem stands; and the documents of a
//! brainstorm.
//!
//! Two ways lead to a [`Spec`](load::Spec): the fast one deserialises the bytes straight into [`manifest::Manifest`] and runs the
//! rules; the thorough one goes through the JSON Schema, and is taken for `cco validate` and whenever the fast one met a problem.
//! They agree on what is valid (a property test holds them to it); only the thorough one explains.

pub mod brainstorm;
pub mod catalog;
pub mod cycles;
pub mod execution;
pub mod forms;
pub mod load;
pub mod locate;
pub mod manifest;
mod meeting;
pub mod nearest;
pub mod rules;
pub mod scaffold;
pub mod schema;
pub mod starter;
mod templates;
pub mod writeset;
