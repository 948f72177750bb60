//! The decoder's states: token by token or at once, rows that are reordered, padding, and states that join.

mod common;

model_tests::state_tests!(common::decoder);
