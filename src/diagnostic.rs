//! Problems in what the user wrote: code, place, words, help.
