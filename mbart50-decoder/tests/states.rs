//! The decoder's states: token by token or at once, rows that are reordered, padding, and states that join.

mod common;

decoder_tests::state_tests!(common::decoder);
