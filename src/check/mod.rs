//! Evidence that is no opinion: check commands.
