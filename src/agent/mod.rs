//! Talking to claude.
