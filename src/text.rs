//! Texts for people: counts, durations, sizes, and texts of others made safe for a terminal.
