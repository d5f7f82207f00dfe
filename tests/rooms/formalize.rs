//! The core of a formalization: worlds of chance cut at every record, records cut and flipped at every byte, and what
//! drafts become.

mod drafts;
mod records;
mod worlds;
