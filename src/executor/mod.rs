//! The imperative shell: dispatcher, worker, inbox.
