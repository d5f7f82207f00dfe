//! Observers that draw.
