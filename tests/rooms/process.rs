//! Tests of the room `process`.
