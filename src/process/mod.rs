//! Child processes; nothing about agents.
